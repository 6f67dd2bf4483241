"""WHY DID IT MOVE? What became known between two forecasts, block by block, each by running the earlier one again.

The earlier situation is run again on its own luck, each time with one block more as it is now: first what was learned,
then beds and staff, then the arrivals that have come since, and what they say of the day. What is left, up to the
simulation of now, is what became of those who were here: they left sooner or later than expected, or were told of late.
What past forecasts corrected is told apart, so that the blocks add up to the change of what is shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import numpy as np

from forecast.board import Moved
from forecast.ensemble import Run, ensemble
from forecast.situation import Situation
from forecast.values import Array, Forecast
from ingest.clock import local
from twin.announced import LEADS, Coming
from twin.arrivals import expected_between
from twin.calibrate import Calibration
from twin.hospital import Profile
from twin.measures import HOUR_MIN
from twin.scenarios import Scenario

SINCE = timedelta(hours=1)
"""How long ago the forecast is that the present one is compared with."""
MORE_OR_LESS = timedelta(minutes=20)
AHEAD = timedelta(hours=12)
"""How far ahead the change is looked for."""
MEASURE = "ed_census"
LEARNED, CAPACITY, ARRIVALS, PATIENTS, CORRECTION = "learned", "capacity", "arrivals", "patients", "correction"
ADOPTED = "adopted"
"""What was decided at the desk."""
BLOCKS = (ARRIVALS, PATIENTS, CAPACITY, ADOPTED, LEARNED, CORRECTION)
"""What may move a forecast, in the order in which it is told."""
_EMERGENCY = 0
"""The place of the emergency stream among those of the parameters."""
_MIN = timedelta(minutes=1)

Means = Mapping[str, Array]
"""The mean of each measure at each lead, `(lead,)`."""


@dataclass(frozen=True, eq=False)
class Said:
    """A forecast as it was said, as far as a later one needs it."""

    situation: Situation
    how: Run
    simulated: Means
    published: Means
    usual: Scenario
    """As usual, with what was adopted by then."""


def said(situation: Situation, how: Run, forecast: Forecast, usual: Scenario) -> Said:
    """What is kept of a forecast of a situation, of which `usual` was the first scenario."""
    first = next(iter(forecast.scenarios))
    shown, raw = forecast.scenarios[first], forecast.raw.get(first, {})
    told = [m for m in (MEASURE, "ed_arrivals") if m in shown]
    return Said(situation, how, {m: raw.get(m, shown[m]).mean for m in told}, {m: shown[m].mean for m in told}, usual)


class Remembered:
    """The forecasts of the last hour, among which the one of an hour ago is found."""

    def __init__(self) -> None:
        self._said: deque[Said] = deque()

    def keep(self, now: Said) -> None:
        """Keep a forecast, and let go of those that are too old to be asked for."""
        self._said.append(now)
        while self._said[0].situation.as_of < now.situation.as_of - SINCE - MORE_OR_LESS:
            self._said.popleft()

    def before(self, now: Said) -> Said | None:
        """The forecast nearest to an hour before; None where there is none that speaks of the same hospital."""
        wanted = now.situation.as_of - SINCE
        near = [s for s in self._said if abs(s.situation.as_of - wanted) <= MORE_OR_LESS and _alike(s, now)]
        return min(near, key=lambda s: abs(s.situation.as_of - wanted), default=None)


def moved(before: Said, now: Said, *, executor: Executor | None = None) -> Moved:
    """Why the census is forecast otherwise than before, at the valid time at which its mean moved most.

    The runs between are on the luck of the earlier forecast, so that a block has little noise; only what is left for
    `patients` has that of two forecasts.
    """
    runs = [(block, _means(situation, before, usual, executor)) for block, situation, usual in _blocks(before, now)]
    return _moved(before, now, runs)


# --- the runs between ---------------------------------------------------------------------------------------------


def _means(situation: Situation, before: Said, as_usual: Scenario, executor: Executor | None) -> Means:
    ran = ensemble(situation, [as_usual], before.how, executor=executor)[as_usual.name]
    return {measure: np.nanmean(ran.measures[measure], axis=1) for measure in before.simulated}


def _blocks(before: Said, now: Said) -> Iterator[tuple[str, Situation, Scenario]]:
    """The earlier situation with one block more as it is now, each time, and what is as usual in it; what did not
    change is left out."""
    then, later, usual = before.situation, now.situation, before.usual
    if later.calibration.as_of != then.calibration.as_of:
        then = replace(then, calibration=_with_places_of(later, then))
        yield LEARNED, then, usual
    told = _told_since(then, later)
    if _places(later) != _places(then) or told != dict(then.told_ahead):
        then = replace(then, calibration=_with_places_of(then, later), told_ahead=told)
        yield CAPACITY, then, usual
    if (adopted := now.usual.delayed(_elapsed_min(then, later))) != usual and _changes(now) != _changes(before):
        usual = adopted
        yield ADOPTED, then, usual
    yield ARRIVALS, with_arrivals(then, later), usual


def _changes(one: Said) -> int:
    """How many changes were adopted."""
    return len(one.usual.change.changes)


def _with_places_of(learned: Situation, counted: Situation) -> Calibration:
    """What was learned in one situation, with the beds that were counted in the other."""
    c = learned.calibration
    return replace(c, hospital=c.hospital.with_beds(_places(counted)))


def _places(situation: Situation) -> dict[str, int]:
    return {ward.name: ward.places for ward in situation.calibration.hospital.wards}


def _told_since(before: Situation, now: Situation) -> dict[str, Profile]:
    """What was told of capacities for the time between, and what is told now, in minutes from the earlier one."""
    elapsed_min = _elapsed_min(before, now)
    between = {pool: tuple(s for s in told if s[0] <= elapsed_min) for pool, told in before.told_ahead.items()}
    later = {pool: tuple((at + elapsed_min, n) for at, n in told) for pool, told in now.told_ahead.items()}
    both = {pool: (*between.get(pool, ()), *later.get(pool, ())) for pool in {**between, **later}}
    return {pool: told for pool, told in both.items() if told}


def with_arrivals(before: Situation, now: Situation) -> Situation:
    """The earlier situation with the arrivals that came since then, and with what they say of the level of the day."""
    elapsed_min = _elapsed_min(before, now)
    came = [np.array([at + elapsed_min]) for at in _came_since(before, now).tolist()]
    nobody = Coming(_EMERGENCY, (), np.zeros(LEADS.size))
    due = next((one for one in now.announced if one.stream == _EMERGENCY), nobody)
    after_min = (*came, *(after + elapsed_min for after in due.after_min))
    others = [one for one in before.announced if one.stream != _EMERGENCY]
    sure = replace(due, after_min=after_min, all_until_min=elapsed_min, fits=())
    return replace(before, announced=(*others, sure), **_day(before, now))


def _day(before: Situation, now: Situation) -> dict[str, Any]:
    """What was seen of the day by now, for a run from before; as it was then where midnight has passed since."""
    stream, zone = before.calibration.parameters.streams[_EMERGENCY], before.calibration.hospital.zone
    if local(before.as_of, zone).date() != local(now.as_of, zone).date():
        return {}
    unheard = now.unheard_today.get(stream.name, 0.0) - expected_between(stream, before.as_of, now.as_of, zone)
    return {"seen_today": now.seen_today, "unheard_today": {**now.unheard_today, stream.name: unheard}}


def _came_since(before: Situation, now: Situation) -> Array:
    """When those came who have come between, minutes from now."""
    return now.came_min[now.came_min > -_elapsed_min(before, now)]


# --- what is said -------------------------------------------------------------------------------------------------


def _moved(before: Said, now: Said, runs: Sequence[tuple[str, Means]]) -> Moved:
    elapsed_min = _elapsed_min(before.situation, now.situation)
    leads = now.how.lead_min[(now.how.lead_min > 0) & (now.how.lead_min <= AHEAD / _MIN)]

    def then(means: Means) -> Array:
        return np.asarray(np.interp(leads + elapsed_min, before.how.lead_min, means[MEASURE]))

    def later(means: Means) -> Array:
        return np.asarray(np.interp(leads, now.how.lead_min, means[MEASURE]))

    change = later(now.published) - then(before.published)
    at = int(np.argmax(np.abs(change)))
    levels = [then(before.simulated)[at], *(then(means)[at] for _, means in runs), later(now.simulated)[at]]
    by = {block: float(d) for block, d in zip([*(b for b, _ in runs), PATIENTS], np.diff(levels), strict=True)}
    by[CORRECTION] = float(change[at]) - sum(by.values())
    return Moved(
        since=before.situation.as_of,
        valid_at=now.situation.as_of + float(leads[at]) * _MIN,
        before=float(then(before.published)[at]),
        now=float(later(now.published)[at]),
        by={block: by[block] for block in BLOCKS if block in by},
        **_counted(before, now),
    )


def _counted(before: Said, now: Said) -> dict[str, float]:
    """Arrivals and exits between the two forecasts beside those that the earlier one expected.

    Exits are what the two presents, as drawn, leave over: many are told late.
    """
    elapsed_min, hours = _elapsed_min(before.situation, now.situation), before.how.lead_min
    arrived = float(_came_since(before.situation, now.situation).size)
    expected = float(np.interp(elapsed_min, hours, before.simulated["ed_arrivals"])) * elapsed_min / HOUR_MIN
    census, is_now = before.simulated[MEASURE], float(now.simulated[MEASURE][0])
    return {
        "arrived": arrived,
        "arrivals_expected": expected,
        "left": float(census[0]) + arrived - is_now,
        "exits_expected": float(census[0]) + expected - float(np.interp(elapsed_min, hours, census)),
    }


def _elapsed_min(before: Situation, now: Situation) -> float:
    return (now.as_of - before.as_of) / _MIN


def _alike(before: Said, now: Said) -> bool:
    """Do both speak of the same stages, classes and units, so that one can be run with what the other knows?"""
    a, b = before.situation.calibration, now.situation.calibration
    return (
        a.path.name == b.path.name
        and a.parameters.classes == b.parameters.classes
        and [unit.name for unit in a.hospital.units] == [unit.name for unit in b.hospital.units]
    )
