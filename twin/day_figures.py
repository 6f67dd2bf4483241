"""What is kept of a day when its events are gone: counts, usual durations, how full the hospital was. Of nobody alone.

A figure is of a local day (of 23 or 25 hours where clocks change), or of an hour of it:

* `arrivals`, by mode, age band and acuity; `departures`, by destination; `admissions` from the department to a ward;
* `ed_stay_min` of those who left, `ed_wait_min` until the first contact of those who came: mean, median, 90 % quantile;
* `ed_census`, `inpatients` and, by unit, `census`, at 0, 6, 12 and 18 o'clock; `beds`, by unit, at 12 o'clock;
* `entries` to wards and `exits` from them, by unit;
* `observed:<measure>`, by unit: the mean of what a feed counted that knows no patients.

Exits that nobody told are completed by the one rule of `twin/history.py`.

Nobody is to be known again by them: features are never crossed, so that a figure tells one thing of one day; parts of
fewer than `FEW` people are told together (`pooled`), so that a part is never one person; a duration is told of `FEW`
people or more, its 90 % quantile of `MANY`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

import numpy as np
import pyarrow as pa

from ingest.clock import local, resolve
from ingest.days import SCHEMA
from ingest.events import BedsCounted, CensusObserved
from ingest.log import EventLog
from twin.history import completed, history_of_visits
from twin.memory import KINDS
from twin.minutes import Minutes
from twin.state import State, fold
from twin.story import DESTINATIONS, Array, Index
from twin.visit import Visit

FEW, MANY = 5, 20
HOURS = (0, 6, 12, 18)
BEDS_HOUR = 12
POOLED, UNKNOWN = "pooled", "unknown"
BEFORE, FOLLOWED = timedelta(days=120), timedelta(days=60)
"""How long before its days, and after, events are read: for those who lay there already, and until they leave."""
SLICE = timedelta(days=60)
"""How many days are read at once."""
_DAY = timedelta(days=1)

Figure = tuple[date, str, int | None, str | None, str | None, float]
Value = TypeVar("Value")
Report = Callable[[int, int], None]


def day_figures(
    log: EventLog, first: date, last: date, zone: str, known_at: datetime, report: Report = lambda done, of: None
) -> pa.Table:
    """The figures (`ingest.days.SCHEMA`) of the local days of [first, last), from what was known at an instant."""
    found: list[Figure] = []
    starts = [first + k * SLICE for k in range(-(-(last - first) // SLICE))]
    for done, start in enumerate(starts):
        report(done, len(starts))
        end = min(start + SLICE, last)
        since, until = midnight(start, zone), midnight(end, zone)
        state = fold(State(), log.read(since - BEFORE, until + FOLLOWED, known_at, KINDS))
        days = [start + k * _DAY for k in range((end - start).days)]
        found += _Counted.of(state, days, zone, min(until + FOLLOWED, known_at)).figures()
        found += _observed(log.read(since, until, known_at, [CensusObserved.__name__]), zone)
    report(len(starts), len(starts))
    rows = sorted(found, key=_order)
    return pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], schema=SCHEMA)


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a local day begins."""
    return resolve(datetime.combine(day, time()), zone)[0]


def pooled(counts: Mapping[str, int]) -> dict[str, int]:
    """The parts; those of fewer than `FEW` people together, and with the next smallest until they are `FEW`."""
    parts = sorted(((n, part) for part, n in counts.items() if n), key=lambda one: (one[0], one[1]))
    few = [n for n, _ in parts if n < FEW]
    taken = len(few)
    while 0 < sum(n for n, _ in parts[:taken]) < FEW and taken < len(parts):
        taken += 1
    together = {POOLED: sum(n for n, _ in parts[:taken])} if taken else {}
    return {part: n for n, part in parts[taken:]} | together


@dataclass(frozen=True)
class _Counted:
    """Visits of some days in columns, exits completed; and the days."""

    state: State
    visits: Sequence[Visit]
    """Those of `came_min`, in its order."""
    came_min: Array
    left_min: Array
    to: Index
    ward_unit: Sequence[str]
    ward_from_min: Array
    ward_until_min: Array
    days: Sequence[date]
    minutes: Minutes
    zone: str

    @classmethod
    def of(cls, state: State, days: Sequence[date], zone: str, as_of: datetime) -> _Counted:
        minutes = Minutes(midnight(days[0], zone))
        units = sorted({s.unit for v in state.visits.values() for s in v.stays} | _wanted(state))
        codes = {unit: code for code, unit in enumerate(units)}
        history = history_of_visits(state.visits.values(), minutes, minutes.of(as_of), (), codes, zone)
        whole, ward = completed(history), history.stay_ward
        return cls(
            state, [state.visits[one] for one in history.ids], whole.arrived_min, whole.departed_min, whole.to,
            [units[code] for code in whole.stay_unit[ward]], whole.stay_from_min[ward], whole.stay_until_min[ward],
            days, minutes, zone,
        )  # fmt: skip

    def figures(self) -> Iterator[Figure]:
        edges = self.minutes.of_many([midnight(day, self.zone) for day in (*self.days, self.days[-1] + _DAY)])
        yield from self._flows(edges)
        for day in self.days:
            for hour in HOURS:
                yield from self._standing(day, hour)

    def _flows(self, edges: Array) -> Iterator[Figure]:
        came, left = _day_of(self.came_min, edges), _day_of(self.left_min, edges)
        entered, exited = _day_of(self.ward_from_min, edges), _day_of(self.ward_until_min, edges)
        to = [DESTINATIONS[code] if code >= 0 else UNKNOWN for code in self.to]
        for name in ("mode", "age_band", "acuity"):
            yield from self._parts("arrivals", name, came, [getattr(v, name) or UNKNOWN for v in self.visits])
        yield from self._parts("departures", "to", left, to)
        yield from self._parts("entries", "unit", entered, self.ward_unit)
        yield from self._parts("exits", "unit", exited, self.ward_unit)
        admitted = np.array([one == "ward" for one in to], dtype=bool)
        for measure, where in (("arrivals", came), ("departures", left), ("admissions", np.where(admitted, left, -1))):
            yield from self._totals(measure, where)
        stays = [_between(v.arrived_at, v.departed_at) for v in self.visits]
        waits = [_between(v.arrived_at, v.seen_at) for v in self.visits]
        yield from self._durations("ed_stay_min", left, stays)
        yield from self._durations("ed_wait_min", came, waits)

    def _totals(self, measure: str, where: Index) -> Iterator[Figure]:
        counts = np.bincount(where[where >= 0], minlength=len(self.days))
        for day, count in zip(self.days, counts, strict=True):
            yield day, measure, None, None, None, float(count)

    def _parts(self, measure: str, by: str, where: Index, parts: Sequence[str]) -> Iterator[Figure]:
        for k, counts in _grouped(where, parts).items():
            for part, count in pooled(Counter(counts)).items():
                yield self.days[k], measure, None, by, part, float(count)

    def _durations(self, measure: str, where: Index, lasted: Sequence[float]) -> Iterator[Figure]:
        told = np.where(np.isnan(np.array(lasted, dtype=np.float64)), -1, where)
        for k, minutes in _grouped(told, lasted).items():
            for part, value in _summed(minutes):
                yield self.days[k], measure, None, None, part, value

    def _standing(self, day: date, hour: int) -> Iterator[Figure]:
        at = resolve(datetime.combine(day, time(hour)), self.zone)[0]
        minute = self.minutes.of(at)
        here = np.count_nonzero((self.came_min <= minute) & ~(self.left_min <= minute))
        lying = np.flatnonzero((self.ward_from_min <= minute) & ~(self.ward_until_min <= minute))
        yield day, "ed_census", hour, None, None, float(here)
        yield day, "inpatients", hour, None, None, float(lying.size)
        for unit, count in pooled(Counter(self.ward_unit[int(k)] for k in lying)).items():
            yield day, "census", hour, "unit", unit, float(count)
        if hour == BEDS_HOUR:
            for unit, count in self.state.counted(BedsCounted, at).items():
                yield day, "beds", hour, "unit", unit, float(count)


def _wanted(state: State) -> set[str]:
    return {visit.unit_wanted for visit in state.visits.values() if visit.unit_wanted}


def _day_of(at_min: Array, edges: Array) -> Index:
    """The number of the day in which each minute lies; -1 for none of them."""
    where = np.searchsorted(edges, at_min, side="right") - 1
    return np.where(np.isnan(at_min) | (where >= edges.size - 1), -1, where)


def _grouped(where: Index, values: Sequence[Value]) -> dict[int, list[Value]]:
    """The values of each day."""
    out = defaultdict[int, list[Value]](list)
    for k, value in zip(where.tolist(), values, strict=True):
        if k >= 0:
            out[k].append(value)
    return out


def _between(start: datetime | None, end: datetime | None) -> float:
    return (end - start) / timedelta(minutes=1) if start and end else float("nan")


def _summed(minutes: Sequence[float]) -> Iterator[tuple[str, float]]:
    """Mean and quantiles in whole minutes, of enough people."""
    if len(minutes) >= FEW:
        yield "mean", round(float(np.mean(minutes)))
        yield "p50", round(float(np.quantile(minutes, 0.5)))
    if len(minutes) >= MANY:
        yield "p90", round(float(np.quantile(minutes, 0.9)))


def _observed(events: Iterable[object], zone: str) -> Iterator[Figure]:
    told = defaultdict[tuple[date, str, str | None], list[int]](list)
    for event in events:
        assert isinstance(event, CensusObserved)
        told[local(event.occurred_at, zone).date(), event.measure, event.unit].append(event.count)
    for (day, measure, unit), counts in told.items():
        yield day, f"observed:{measure}", None, "unit" if unit else None, unit, float(np.mean(counts))


def _order(figure: Figure) -> tuple[object, ...]:
    day, measure, hour, by, part, _ = figure
    return day, measure, -1 if hour is None else hour, by or "", part or ""
