"""The record: what was said here, kept with what its rivals said then, met by what came, summed up for the wall."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from forecast.archive import LOOK_BACK, Archive, Pending
from forecast.archive_rows import RAW, RIVAL
from forecast.board import Skill
from forecast.calibrated import WINDOW, Recalibration, learn, simulated_share, spaced
from forecast.past import LEARNED_AFTER, VINTAGE, truth
from forecast.values import Array, Forecast, Series, from_now
from forecast.verify import VERIFIED_LEADS_MIN, Pairs, Verifications, as_skills, joined, score, valid_at
from forecast.wall import FANS
from ingest.database import naive
from twin.calibrate import Calibration
from twin.state import State

HEADLINES = FANS
"""Measures whose rivals are kept and whose skill is shown."""
SKILL_WINDOW = timedelta(days=28)
SKILL_EVERY = timedelta(hours=1)


class Record:
    """A hospital's forecasts and how good they were. `skills` is what the wall shows of it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._summed_at: datetime | None = None
        self._replayed = joined([])
        self.skills: tuple[Skill, ...] = ()

    def keep(self, forecast: Forecast, rivals: Mapping[str, Mapping[str, Series]]) -> None:
        """Keep a forecast and its rivals as they were told with it."""
        self._archive.store(with_rivals(forecast, rivals))

    def verify(self, state: State, calibration: Calibration, as_of: datetime) -> None:
        """Score the forecasts whose truth is old enough, from the state as known now; sum up once an hour."""
        pending = self._archive.pending(as_of - VINTAGE)
        if pending:
            times = sorted({at for p in pending for at in valid_at(p.forecast, p.lead_min)})
            came = truth(state, calibration, times, as_of)
            for p in pending:
                self._archive.store_scores(self._met(p, came, times), verified_at=as_of)
        if self._summed_at is None or as_of - self._summed_at >= SKILL_EVERY:
            self._summed_at = as_of
            self.skills = self.live_skills(as_of) or self.skills

    def live_skills(self, as_of: datetime) -> tuple[Skill, ...]:
        """How good the forecasts of the last weeks were; empty before the first is verified."""
        found = [self._archive.skill(as_of - SKILL_WINDOW, as_of, measure=m) for m in HEADLINES]
        return tuple(skill for verifications in found for skill in as_skills(verifications))

    def recalibration(
        self,
        as_of: datetime,
        zone: str,
        *,
        since: datetime | None = None,
        known: tuple[State, Calibration] | None = None,
    ) -> Recalibration:
        """What the forecasts verified by an instant teach for those from it on.

        With what is `known` at it, those too whose truth is `LEARNED_AFTER` old and not final yet, as it is known then.

        Those issued before `since`, when nothing could be learned from the log yet, were of another make: they teach
        nothing.
        """
        first = as_of - WINDOW if since is None else min(max(as_of - WINDOW, since), as_of)
        chosen = spaced(self._archive.issued(first, as_of))
        live = self._archive.pairs(first, as_of, verified_by=as_of, issued=chosen)
        told = [_before(live, self._replayed), live]
        return learn(joined([*told, *self._not_final(live, chosen, as_of, known)] if known else told), zone)

    def _not_final(
        self, final: Pairs, issued: Sequence[datetime], as_of: datetime, known: tuple[State, Calibration]
    ) -> list[Pairs]:
        """Forecasts met by what came as it is known now, at the leads that are due and not among the final ones."""
        met = set(zip(final.issued_at.tolist(), final.lead_min.tolist(), strict=True))
        pending = []
        for at in issued[bisect_left(issued, as_of - LOOK_BACK) :]:
            [whole] = self._archive.forecasts(at, at + timedelta(microseconds=1))
            until = (as_of - LEARNED_AFTER - whole.as_of) / timedelta(minutes=1)
            due = [m for m in VERIFIED_LEADS_MIN if m <= until and m in whole.lead_min and (naive(at), m) not in met]
            pending += [Pending(whole, tuple(due))] if due else []
        times = sorted({at for p in pending for at in valid_at(p.forecast, p.lead_min)})
        came = truth(*known, times, as_of) if times else {}
        return [self._met(p, came, times) for p in pending]

    def replayed(self, pairs: Pairs, verifications: Verifications) -> None:
        """Learn from these, from a replay of the last days, and show them until live ones are verified."""
        self._replayed = pairs.taken(np.flatnonzero(np.isin(pairs.measure, HEADLINES)))
        if not any(not skill.backtested for skill in self.skills):
            self.skills = as_skills({m: v for m, v in verifications.items() if m in HEADLINES}, backtested=True)

    def _met(self, pending: Pending, came: Mapping[str, Array], times: Sequence[datetime]) -> Pairs:
        """One forecast against what came at the leads that are due, its rivals as they were told with it."""
        told = pending.forecast
        [whole] = self._archive.forecasts(told.issued_at, told.issued_at + timedelta(microseconds=1))
        at = [times.index(instant) for instant in valid_at(told, pending.lead_min)]
        chosen = [int(np.flatnonzero(whole.lead_min == lead)[0]) for lead in pending.lead_min]
        return score(
            told,
            {name: values[at] for name, values in came.items() if name in HEADLINES},
            {
                name.removeprefix(RIVAL): {m: series.at(chosen) for m, series in measures.items()}
                for name, measures in whole.scenarios.items()
                if name.startswith(RIVAL)
            },
            lead_min=pending.lead_min,
            raw=whole.scenarios.get(RAW),
            weight_of_simulation=simulated_share(told, pending.lead_min),
        )


def _before(live: Pairs, replayed: Pairs) -> Pairs:
    """What was replayed of the time before live forecasts."""
    return replayed.taken(np.flatnonzero(replayed.issued_at < live.issued_at.min())) if len(live) else replayed


def with_rivals(forecast: Forecast, rivals: Mapping[str, Mapping[str, Series]]) -> Forecast:
    """The forecast with its rivals, and with what was simulated, beside its scenarios, for the archive.

    What they said then is what is judged.
    """
    beside = {f"{RIVAL}{name}": {m: from_now(s) for m, s in told.items()} for name, told in rivals.items()}
    raw = dict(forecast.raw[next(iter(forecast.scenarios))]) if forecast.raw else {}
    simulated = {RAW: raw} if raw else {}
    return replace(forecast, scenarios={**forecast.scenarios, **simulated, **beside}, members={}, raw={})
