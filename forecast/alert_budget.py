"""From which chance on an alarm pays: as many events seen as a budget of false alarms allows, beside every rival's.

    trial = Trial(said_min, {"edtwin": p, "persistence": q}, onset_min, end_min, window_min=480, ..)
    measured(trial, "edtwin", limits, false_a_week=1.0)     # Measured: hit rate, false alarms, notice, with intervals

An *event* is the measure beyond its threshold for as long as the rule asks (30 min), at most one a part of the day (six
local hours); one that goes on is one event. It is *seen* where an alarm was raised before it began and was still on as
it began; its *notice* is how long before, at most the rule's window. An alarm promises an event within the window:
where none begins and none goes on, it is *false*, and it is false again for every further window that it stays on for
nothing, so that an alarm that is always on is no good one.

What is reported was not judged on what it was set on: the period is halved by days, the chance set on one half is
judged on the other, and both are added up. Intervals hold 95 in 100 of 1,000 draws of whole days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from forecast.alert_chances import Flags, begun
from forecast.alert_levels import Limits
from forecast.dayblocks import drawn_days, ends
from forecast.pages import AlertSetting, Measured
from forecast.values import Array
from ingest.clock import local

Index = npt.NDArray[np.int64]

DAY_MIN = 1440.0
PART_H = 6
"""Hours of a part of the day."""
LEAST_DAYS, LEAST_EVENTS = 28, 5
"""Fewer than these tell nothing."""
OWN = "edtwin"
_TRIED = np.unique(np.concatenate([np.arange(0.05, 1.0, 0.05), [0.02, 0.98]]))
_ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Trial:
    """What was said of a rule over a period, and what came; instants are minutes from one origin."""

    said_min: Array
    """When it was said, `(issue,)`, rising."""
    chances: Mapping[str, Array]
    """By who said it, `(issue,)`; NaN where he had nothing to say."""
    onset_min: Array
    """When events began, `(event,)`."""
    end_min: Array
    """When they ended."""
    counted: Flags
    """Whether an event counts, `(event,)`: the first of its part of the day; one that does not makes no alarm false."""
    window_min: float

    @property
    def days(self) -> float:
        """How long it is."""
        step = float(np.median(np.diff(self.said_min))) if self.said_min.size > 1 else 0.0
        return float(self.said_min[-1] - self.said_min[0] + step) / DAY_MIN if self.said_min.size else 0.0

    def part(self, first_min: float, last_min: float) -> Trial:
        """What was said in [first, last), and the events that began in it; others still run."""
        said = (self.said_min >= first_min) & (self.said_min < last_min)
        inside = (self.onset_min >= first_min) & (self.onset_min < last_min)
        chances = {name: p[said] for name, p in self.chances.items()}
        return replace(self, said_min=self.said_min[said], chances=chances, counted=self.counted & inside)


@dataclass(frozen=True)
class Outcome:
    """How alarms did: of each event whether it was seen and with which notice, and when alarms were false."""

    onset_min: Array
    seen: Flags
    notice_min: Array
    """NaN where it was not seen."""
    false_min: Array
    days: Index
    """Every day of the period."""

    @property
    def false_a_week(self) -> float:
        """False alarms a week."""
        return self.false_min.size * 7 / max(self.days.size, 1)


def events(
    values: Array, threshold: Array, at: list[datetime], *, is_over: bool, lasts_min: float
) -> tuple[Array, Array]:
    """When stretches beyond the threshold that last long enough began and ended, minutes from `_ORIGIN`.

    `values` and `threshold` are `(time,)` on a grid; a NaN ends a stretch.
    """
    minutes = minutes_of(at)
    beyond = values > threshold if is_over else values < threshold
    starts = begun(beyond, minutes - minutes[0], lasts_min)
    change = np.diff(np.concatenate([[False], beyond, [False]]).astype(np.int8))
    onset, end = np.flatnonzero(change == 1), np.flatnonzero(change == -1)
    long_enough = starts[onset] if onset.size else np.zeros(0, dtype=bool)
    last = minutes.size - 1
    return minutes[onset[long_enough]], minutes[np.minimum(end[long_enough], last)]


def once_a_part(onset_min: Array, zone: str) -> Flags:
    """Whether an event is the first of its part of the local day, `(event,)`."""
    seen: set[tuple[object, int]] = set()
    out = np.zeros(onset_min.size, dtype=bool)
    for i, minutes in enumerate(onset_min.tolist()):
        there = local(_ORIGIN + timedelta(minutes=minutes), zone)
        part = (there.date(), there.hour // PART_H)
        out[i] = part not in seen
        seen.add(part)
    return out


def minutes_of(at: list[datetime]) -> Array:
    """Minutes from the origin of all trials."""
    return np.array([(one - _ORIGIN) / timedelta(minutes=1) for one in at])


def alarms(p: Array, said_min: Array, limits: Limits) -> tuple[Array, Array]:
    """When alarms would have been raised and cleared; the last one is open.

    The levels of `alert_levels.moved` once more, as numbers 0 to 2 in one loop: a year is judged at forty chances. A
    test holds them equal.
    """
    up, down = (limits.p_watch, limits.p_alert), (limits.p_watch * limits.falls_at, limits.p_alert * limits.falls_at)
    dwell_min = limits.dwell / timedelta(minutes=1)
    level, since_min = 0, -np.inf
    raised, cleared = [], []
    for chance, now_min in zip(p.tolist(), said_min.tolist(), strict=True):
        if chance != chance:
            continue
        before = level
        reached = (chance >= up[0]) + (chance >= up[1])
        if reached > level:
            level, since_min = reached, now_min
        elif now_min - since_min >= dwell_min and (kept := (chance >= down[0]) + (chance >= down[1])) < level:
            level, since_min = kept, now_min
        if level == 2 and before < 2:
            raised.append(now_min)
        elif before == 2 and level < 2:
            cleared.append(now_min)
    return np.array(raised), np.array([*cleared, *[np.inf] * (len(raised) - len(cleared))])


def judged(trial: Trial, p: Array, limits: Limits) -> Outcome:
    """How alarms from a chance on would have done."""
    raised, cleared = alarms(p, trial.said_min, limits)
    onset = trial.onset_min[trial.counted]
    on: Flags = (raised[:, None] < onset) & (onset <= cleared[:, None])
    seen: Flags = np.any(on, axis=0)
    first = raised[on.argmax(axis=0)] if raised.size else np.full(onset.size, np.nan)
    notice = np.where(seen, np.minimum(onset - first, trial.window_min), np.nan)
    first_day, last_day = _day(trial.said_min[[0, -1]]) if trial.said_min.size else (0, -1)
    return Outcome(onset, seen, notice, _false(trial, raised, cleared), np.arange(first_day, last_day + 1))


def _false(trial: Trial, raised: Array, cleared: Array) -> Array:
    """When alarms were false: the beginning of each window of theirs in which no event began or went on."""
    end = float(trial.said_min[-1]) if trial.said_min.size else 0.0
    out = []
    for start, stop in zip(raised.tolist(), np.minimum(cleared, end).tolist(), strict=True):
        for piece in np.arange(start, max(stop, start + 1.0), trial.window_min).tolist():
            meets = (trial.onset_min <= piece + trial.window_min) & (trial.end_min >= piece)
            if not meets.any():
                out.append(piece)
    return np.array(out)


def chosen(trial: Trial, name: str, limits: Limits, false_a_week: float) -> float | None:
    """The chance at which most events are seen within the budget, then with the longest notice; None where none
    keeps to it."""
    p, best = trial.chances[name], None
    for candidate in _candidates(p):
        found = judged(trial, p, at_chance(limits, candidate))
        if found.false_a_week > false_a_week:
            continue
        notice = float(np.nanmedian(found.notice_min)) if found.seen.any() else 0.0
        merit = (int(found.seen.sum()), notice, candidate)
        best = merit if best is None or merit > best else best
    return None if best is None or best[0] == 0 else best[2]


def at_chance(limits: Limits, p_alert: float) -> Limits:
    """The same limits from another chance on; that of a watch in proportion."""
    return replace(limits, p_alert=p_alert, p_watch=limits.p_watch * p_alert / limits.p_alert)


def measured(trial: Trial, name: str, limits: Limits, false_a_week: float, *, seed: int = 0) -> Measured:
    """How one of them does at the budget: set on one half of the days, judged on the other, both ways."""
    middle = float(trial.said_min[0] + trial.said_min[-1]) / 2
    early, late = trial.part(-np.inf, middle), trial.part(middle, np.inf)
    outcomes = []
    for teacher, judge in ((early, late), (late, early)):
        p_alert = chosen(teacher, name, limits, false_a_week)
        none = replace(limits, p_alert=2.0, p_watch=2.0)  # nothing is ever so likely
        use = none if p_alert is None else at_chance(limits, p_alert)
        outcomes.append(judged(judge, judge.chances[name], use))
    return summed(_added(outcomes), name, chosen(trial, name, limits, false_a_week), seed=seed)


def summed(found: Outcome, name: str, p_alert: float | None, *, seed: int = 0, draws: int = 1000) -> Measured:
    """The figures of an outcome with their intervals."""
    n = found.days.size
    weight = drawn_days(n, seed, draws) if n else np.zeros((draws, 0))
    by_event = weight[:, _places(found.days, found.onset_min)] if found.onset_min.size else np.zeros((draws, 0))
    false = weight[:, _places(found.days, found.false_min)].sum(axis=1) * 7 / max(n, 1)
    hits, total = by_event[:, found.seen].sum(axis=1), by_event.sum(axis=1)
    rate = np.where(total > 0, hits / np.maximum(total, 1), np.nan)
    notices = [_drawn_median(found.notice_min[found.seen], row[found.seen]) for row in by_event]
    seen, events_seen = int(found.seen.sum()), int(found.seen.size)
    return Measured(
        name=name,
        p_alert=p_alert,
        hits=seen,
        events=events_seen,
        hit_rate=_three(seen / events_seen, rate) if events_seen else None,
        false_a_week=_three(found.false_a_week, false) if n else None,
        notice_min=_three(float(np.median(found.notice_min[found.seen])), np.array(notices)) if seen else None,
    )


def setting(trial: Trial, limits: Limits, false_a_week: float, set_at: datetime) -> AlertSetting | None:
    """What a rule is set to, and how its rivals would do at the same budget; None where too little has been said or
    has happened."""
    if trial.days < LEAST_DAYS or int(trial.counted.sum()) < LEAST_EVENTS:
        return None
    own, *rivals = (measured(trial, name, limits, false_a_week) for name in _own_first(trial.chances))
    return AlertSetting(set_at, round(trial.days, 1), false_a_week, own, tuple(rivals))


def _own_first(chances: Mapping[str, Array]) -> list[str]:
    return [OWN, *(name for name in chances if name != OWN and not np.isnan(chances[name]).all())]


def _candidates(p: Array) -> list[float]:
    """Chances worth trying: round ones, and those that were said: a rival may never say more than a few in 100."""
    known = p[~np.isnan(p) & (p > 0)]
    cuts = np.quantile(known, np.linspace(0.4, 1.0, 20)) if known.size else np.empty(0)
    return [float(one) for one in np.unique(np.concatenate([_TRIED, cuts]))]


def _added(outcomes: list[Outcome]) -> Outcome:
    """Several outcomes as one; days that two share count once."""
    return Outcome(
        np.concatenate([o.onset_min for o in outcomes]), np.concatenate([o.seen for o in outcomes]),
        np.concatenate([o.notice_min for o in outcomes]), np.concatenate([o.false_min for o in outcomes]),
        np.unique(np.concatenate([o.days for o in outcomes])),
    )  # fmt: skip


def _places(days: Index, at_min: Array) -> Index:
    """The place of each instant's day among the days."""
    places: Index = np.clip(_day(at_min) - days[0], 0, days.size - 1)
    return places


def _day(at_min: Array) -> Index:
    """The day of an instant, by UTC: whichever hour it begins at, days are as long."""
    return np.floor(at_min / DAY_MIN).astype(np.int64)


def _drawn_median(values: Array, weight: Array) -> float:
    repeated = np.repeat(values, weight.astype(np.int64))
    return float(np.median(repeated)) if repeated.size else float("nan")


def _three(value: float, drawn: Array) -> tuple[float, float, float]:
    known = drawn[~np.isnan(drawn)]
    low, high = ends(known) if known.size else (value, value)
    return round(value, 4), round(low, 4), round(high, 4)
