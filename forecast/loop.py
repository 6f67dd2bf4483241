"""The scheduler: calibrate, issue, verify, publish; every ten minutes, one cycle at a time, late ones counted.

APScheduler fires on the world's time; `OnClock` tells it when the house's clock reaches the next turn, so a replay at
600 times the speed fires 600 times as often. A cycle that fails keeps the last forecast with its age. A turn that
comes while a cycle is still running is missed and counted, or, with `wait`, the clock stands still until it is done.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from forecast.archive import Archive, CycleRecord, Pending, Status
from forecast.backtest import Plan, backtest, seed_of
from forecast.baselines import STEP_MIN, History, Rivals, fit
from forecast.board import Board, Cycle, Feed, Skill
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.past import VINTAGE, Past, grid_start, truth
from forecast.situation import situation_of
from forecast.values import Array, Forecast, Series
from forecast.verify import Pairs, as_skills, score
from forecast.wall import EARLIER, FANS, House, Made, arrivals_now, empty_board, feed_of, make_board, silence_limit
from forecast.workers import Workers
from ingest.clock import Clock, SimulatedClock, stopwatch
from ingest.errors import EdtwinError
from ingest.log import EventLog
from twin.calibrate import Calibration, calibrate
from twin.hospital import Hospital
from twin.memory import Memory
from twin.scenarios import Scenario

logger = logging.getLogger(__name__)

RECALIBRATE = timedelta(days=1)
SKILL_WINDOW = timedelta(days=28)
SKILL_EVERY = timedelta(hours=1)
HEADLINES = FANS
"""Measures whose rivals are kept and whose skill is shown."""
_RIVAL = "rival:"
_GRACE_S = 3600
"""APScheduler skips what is a second late by default; here a late turn runs, and is counted."""


@dataclass(frozen=True)
class Rhythm:
    """How often a cycle runs, and whether a replay's clock waits for a late one."""

    every: timedelta = timedelta(minutes=10)
    wait: bool = False


@dataclass(frozen=True)
class Site:
    """What is forecast, and how it is shown."""

    hospital: Hospital
    scenarios: tuple[Scenario, ...]
    mode: str = "live"
    spaces: int | None = None
    """Treatment spaces, where the hospital's file is the site's own."""
    own_beds: bool = False


@dataclass
class Counts:
    """How the cycles went."""

    done: int = 0
    missed: int = 0
    failed: int = 0
    seconds: float | None = None
    last_error: str | None = None


class Loop:
    """One hospital's cycles. `board` is the latest view; it is never None and never waits for a cycle."""

    def __init__(
        self, log: EventLog, archive: Archive, site: Site, workers: Workers, clock: Clock, *, how: Run, rhythm: Rhythm
    ) -> None:
        self._log, self._archive, self._site, self._clock = log, archive, site, clock
        self._workers, self._how, self._rhythm = workers, how, rhythm
        self._memory = Memory(log)
        self._past: Past | None = None
        self._calibration: Calibration | None = None
        self._rivals: Rivals | None = None
        self._made: Made | None = None
        self._skills: tuple[Skill, ...] = ()
        self._skilled_at: datetime | None = None
        self._busy = threading.Lock()
        self._scheduler: BackgroundScheduler | None = None
        self.counts = Counts()

    # --- turning ------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Turn by turn from now on, in a thread of its own; the first turn at once."""
        self._scheduler = BackgroundScheduler(timezone="UTC")
        self._scheduler.add_job(
            self.turn, OnClock(self._clock, self._rhythm.every), max_instances=2, coalesce=True,
            misfire_grace_time=_GRACE_S,
        )  # fmt: skip
        self._scheduler.start()

    def stop(self) -> None:
        """No further turn; the one that runs is waited for."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)

    def turn(self) -> None:
        """One turn: a cycle, unless one is still running, which is a missed turn."""
        if not self._busy.acquire(blocking=False):
            self.counts.missed += 1
            now = self._clock.now()
            self._archive.record_cycle(CycleRecord(now, now, now, 0.0, "missed"))
            return
        try:
            with self._standing_still():
                self._recorded_cycle()
        finally:
            self._busy.release()

    def _standing_still(self) -> AbstractContextManager[None]:
        waits = self._rhythm.wait and isinstance(self._clock, SimulatedClock)
        return self._clock.held() if waits and isinstance(self._clock, SimulatedClock) else nullcontext()

    def _recorded_cycle(self) -> None:
        began, started_at = stopwatch(), self._clock.now()
        error = self._error_of(started_at)
        self.counts.done += error is None
        self.counts.failed += error is not None
        self.counts.last_error, self.counts.seconds = error, stopwatch() - began
        ended_at = self._clock.now()
        status: Status = "failed" if error else "done"
        self._archive.record_cycle(CycleRecord(started_at, started_at, ended_at, self.counts.seconds, status, error))

    def _error_of(self, as_of: datetime) -> str | None:
        """The cycle's fault as a sentence without identifiers; None when it went well."""
        try:
            self.cycle(as_of)
        except EdtwinError as fault:
            logger.warning("the cycle could not be done: %s", fault)
            return str(fault)
        except Exception as fault:
            logger.exception("the cycle failed")
            return f"{type(fault).__name__}"
        return None

    # --- one cycle -----------------------------------------------------------------------------------------------

    def cycle(self, as_of: datetime) -> None:
        """One cycle as of an instant.

        1. Read what became known; learn anew if a day has passed.
        2. Issue the forecast and its rivals; keep them.
        3. Verify what has come true, when its truth is a week old.
        4. Publish.
        """
        state = self._memory.at(as_of)  # 1
        calibration, learned = self._calibrated(as_of)
        situation = situation_of(state, calibration, as_of)
        self._past = self._past or Past(grid_start(as_of))
        history = self._past.at(state, situation.known, calibration, as_of)
        how = replace(self._how, seed=seed_of(self._how.seed, as_of))
        times = Times(as_of, as_of, as_of)
        forecast = issue(situation, self._site.scenarios, how, times, executor=self._workers)  # 2
        rivals = self._rivals_at(history, how, learned)
        earlier = self._archive.issued_near(as_of - EARLIER)
        self._archive.store(with_rivals(forecast, rivals))
        self._verify(as_of, calibration)  # 3
        self._archive.prune(as_of)
        self._made = Made(  # 4
            forecast, situation, history, rivals["climatology"], earlier, self._site.scenarios, self._skills
        )

    def _calibrated(self, as_of: datetime) -> tuple[Calibration, bool]:
        """The parameters, and whether they were learned just now."""
        if self._calibration is not None and as_of - self._calibration.as_of < RECALIBRATE:
            return self._calibration, False
        site = self._site
        self._calibration = calibrate(self._memory.at(as_of), site.hospital, as_of, own_beds=site.own_beds)
        return self._calibration, True

    def _rivals_at(self, history: History, how: Run, learned: bool) -> dict[str, dict[str, Series]]:
        if self._rivals is None or learned:
            shown = replace(history, measures={m: v for m, v in history.measures.items() if m in HEADLINES})
            self._rivals = fit(shown, lead_min=how.lead_min[1:])
        return self._rivals.ahead(history.as_of, history.now)

    # --- verification --------------------------------------------------------------------------------------------

    def _verify(self, as_of: datetime, calibration: Calibration) -> None:
        """Scores of forecasts whose truth is old enough; then what the wall says of the last weeks."""
        pending = self._archive.pending(as_of - VINTAGE)
        if pending:
            first = min(p.forecast.as_of for p in pending)
            last = max(p.forecast.as_of + timedelta(minutes=max(p.lead_min)) for p in pending)
            came = truth(self._memory.at(as_of), calibration, first, last, as_of)
            for p in pending:
                self._archive.store_scores(self._met(p, came, first), verified_at=as_of)
        if self._skilled_at is None or as_of - self._skilled_at >= SKILL_EVERY:
            self._skilled_at = as_of
            self._skills = self._archived_skills(as_of) or self._skills

    def _met(self, pending: Pending, came: Mapping[str, Array], first: datetime) -> Pairs:
        """One forecast against what came at the leads that are due, its rivals as they were told with it."""
        told = pending.forecast
        whole = self._archive.forecasts(told.issued_at, told.issued_at + timedelta(microseconds=1))[0]
        since = (told.as_of - first) / timedelta(minutes=1)
        at = [int((since + lead) // STEP_MIN) for lead in pending.lead_min]
        observed = {name: values[at] for name, values in came.items() if name in HEADLINES}
        chosen = [int(np.flatnonzero(whole.lead_min == lead)[0]) for lead in pending.lead_min]
        rivals = {
            name.removeprefix(_RIVAL): {m: _at(series, chosen) for m, series in measures.items()}
            for name, measures in whole.scenarios.items()
            if name.startswith(_RIVAL)
        }
        return score(told, observed, rivals, lead_min=pending.lead_min)

    def _archived_skills(self, as_of: datetime) -> tuple[Skill, ...]:
        found = [self._archive.skill(as_of - SKILL_WINDOW, as_of, measure=m) for m in HEADLINES]
        return tuple(skill for verifications in found for skill in as_skills(verifications))

    def measure_past(self, log: EventLog, days: int) -> None:
        """Until live forecasts are verified, show how good forecasts over the last days would have been."""
        if self._calibration is None or self._archived_skills(self._calibration.as_of):
            return
        end = self._calibration.as_of - timedelta(days=2)
        plan = Plan(
            end - timedelta(days=days), end, every=timedelta(hours=6), how=replace(self._how, members=50),
            recalibrate=timedelta(days=days), own_beds=self._site.own_beds,
        )  # fmt: skip
        report = backtest(log, self._site.hospital, self._site.scenarios[0], plan, executor=self._workers)
        shown = {m: by_lead for m, by_lead in report.verifications.items() if m in HEADLINES}
        self._skills = as_skills(shown, backtested=True)
        if self._made is not None:
            self._made = replace(self._made, skills=self._skills)

    # --- the board -----------------------------------------------------------------------------------------------

    @property
    def board(self) -> Board:
        """The wall's view at this moment."""
        now, made, site = self._clock.now(), self._made, self._site
        house = House(site.mode, site.spaces, self._feed(now), self._cycle(now))
        if made is None:
            return empty_board(house, site.hospital.name, site.hospital.zone, now)
        return make_board(made, house, now)

    def _feed(self, now: datetime) -> Feed:
        span = self._log.span()
        limit = silence_limit(arrivals_now(self._made.situation)) if self._made else timedelta(minutes=30)
        occurred, known = (span.last_occurred_at, span.last_known_at) if span else (None, None)
        return feed_of(occurred, known, self._log.rejected_counts(), now, limit)

    def _cycle(self, now: datetime) -> Cycle:
        made, counts = self._made, self.counts
        report = made.situation.calibration.report if made else None
        return Cycle(
            issued_at=made.forecast.issued_at if made else None,
            age=now - made.forecast.issued_at if made else None,
            seconds=counts.seconds, done=counts.done, missed=counts.missed, failed=counts.failed,
            last_error=counts.last_error, every=self._rhythm.every, members=self._how.members,
            learned_days=report["days"] if report else None, path=str(report["path"]) if report else "",
        )  # fmt: skip


def with_rivals(forecast: Forecast, rivals: Mapping[str, Mapping[str, Series]]) -> Forecast:
    """The forecast with its rivals beside its scenarios, for the archive: what they said then is what is judged."""
    beside = {f"{_RIVAL}{name}": {m: _from_now(s) for m, s in told.items()} for name, told in rivals.items()}
    return replace(forecast, scenarios={**forecast.scenarios, **beside}, members={})


def _from_now(series: Series) -> Series:
    """A rival's series begun at lead 0, where it says nothing."""
    return Series(np.append(np.nan, series.mean), {q: np.append(np.nan, v) for q, v in series.quantiles.items()})


def _at(series: Series, places: list[int]) -> Series:
    return Series(series.mean[places], {level: values[places] for level, values in series.quantiles.items()})


class OnClock(BaseTrigger):  # type: ignore[misc]
    """Fires at whole multiples of an interval of the house's clock, and once at the start."""

    def __init__(self, clock: Clock, every: timedelta) -> None:
        self._clock, self._every = clock, every
        self._begun = False

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """When, on the world's clock, the house's clock will reach the next turn."""
        if not self._begun:
            self._begun = True
            return now
        here = self._clock.now()
        turns = (here - _EPOCH) // self._every + 1
        wall_s = self._clock.wall_seconds_until(_EPOCH + turns * self._every)
        return now + timedelta(seconds=min(wall_s, _LONGEST_WAIT_S))


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_WAIT_S = 3600.0
"""A clock that stands still is looked at again after this."""
