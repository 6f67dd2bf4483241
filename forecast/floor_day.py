"""A day of the floor: who was in which zone and stage from when until when, as the log tells it now.

What was never recorded is completed by the one rule by which forecasts are judged (`twin/history.py`); who has no exit
on record and is more likely gone than here is taken to have left as that rule has it, though no two days have passed.
A day knows its patients by numbers that are drawn for it; nothing else of them is in it. Instants are whole minutes,
rounded up at both ends: at every whole minute a piece [from, until) holds exactly who was there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, isnan
from typing import Any

import numpy as np

from forecast.floor_view import BY_STAGE, STAGES, Dot, Stage, Usual
from ingest.events import VisitId
from twin.history import SETTLED_MIN, Flags, History, completed, group_medians, history_of_visits
from twin.hospital import Hospital
from twin.minutes import Minutes
from twin.state import State
from twin.story import Array
from twin.visit import Visit

LONGEST_STAY = timedelta(days=4)
"""How long before a day its patients may have come: two days are the longest without an exit (`twin/history.py`)."""
USUAL_DAYS = 28
ENOUGH = 30
"""Patients from which on it is said how long a stage usually lasts."""
Numbering = Callable[[Iterable[VisitId]], Mapping[VisitId, int]]
"""Gives each visit of a day its number."""


@dataclass(frozen=True)
class Piece:
    """One patient in one stage and zone, in minutes from the day's beginning; `until_min` is None while it lasts."""

    number: int
    stage: int
    zone: int
    from_min: int
    until_min: int | None
    since_min: int
    """Since when in this stage."""

    def holds(self, minute: int) -> bool:
        """Was the patient there at a whole minute?"""
        return self.from_min <= minute and (self.until_min is None or minute < self.until_min)


@dataclass(frozen=True)
class FloorDay:
    """A day, or the last 24 hours, of the floor."""

    from_at: datetime
    minutes: int
    """How long it is, as far as it is over."""
    zones: tuple[str, ...]
    pieces: tuple[Piece, ...]
    likely_gone: int = 0
    """How many have no exit on record and are more likely gone than here."""

    def frame(self, minute: int) -> list[Dot]:
        """Who was where at a whole minute."""
        held = (piece for piece in self.pieces if piece.holds(minute))
        return [Dot(self.zones[p.zone], STAGES[p.stage], float(minute - p.since_min)) for p in held]

    def as_json(self) -> dict[str, Any]:
        """For the page: pieces as lists `[number, stage, zone, from, until or -1, since]`."""
        return {
            "from": int(self.from_at.timestamp()),
            "minutes": self.minutes,
            "zones": list(self.zones),
            "pieces": [
                [p.number, p.stage, p.zone, p.from_min, -1 if p.until_min is None else p.until_min, p.since_min]
                for p in self.pieces
            ],
        }


def day_of(
    state: State, hospital: Hospital, from_at: datetime, until_at: datetime, as_of: datetime, numbering: Numbering,
    here: Collection[VisitId] | None = None,
) -> FloorDay:  # fmt: skip
    """The floor from one instant to another, by what the state as of an instant knows.

    `here` are those who are more likely here than gone at that instant; without it, all who have no exit on record.
    """
    history, areas = columns(state, hospital, from_at, as_of)
    minutes = int((until_at - from_at) / timedelta(minutes=1))
    gone = _gone(history, here)
    told = _Told.of(history, areas, gone)
    rows = [row for row in range(len(history.ids)) if told.is_there(row, minutes)]
    numbers = numbering(history.ids[row] for row in rows)
    pieces = [(numbers[history.ids[row]], *piece) for row in rows for piece in told.pieces(row, minutes)]
    zones = tuple(sorted({zone for _, _, zone, *_ in pieces}))
    place = {zone: at for at, zone in enumerate(zones)}
    made = (Piece(number, stage, place[zone], begin, end, since) for number, stage, zone, begin, end, since in pieces)
    ordered = tuple(sorted(made, key=lambda p: (p.from_min, p.number)))
    return FloorDay(from_at, minutes, zones, ordered, int(gone.sum()))


def columns(state: State, hospital: Hospital, from_at: datetime, as_of: datetime) -> tuple[History, tuple[str, ...]]:
    """The visits that may touch a day in columns, minutes from its beginning; and the areas by their codes."""
    visits = [v for v in state.touching(from_at - LONGEST_STAY) if _came_before(v, as_of)]
    wards = [unit.name for unit in hospital.wards]
    areas = areas_told(visits, hospital)
    units = {name: code for code, name in enumerate([*areas, *(w for w in wards if w not in areas)])}
    minutes = Minutes(from_at)
    seen = [visit.as_of(as_of) for visit in visits]
    return history_of_visits(seen, minutes, minutes.of(as_of), hospital.acuities, units, hospital.zone), areas


def areas_told(visits: Collection[Visit], hospital: Hospital) -> tuple[str, ...]:
    """The areas of the department of which the log says who is there, by name; a ward is none, though moves name it."""
    wards = {unit.name for unit in hospital.wards} | {s.unit for visit in visits for s in visit.stays if s.ward}
    met = {stay.unit for visit in visits if visit.arrived_at for stay in visit.stays if not stay.ward}
    return tuple(sorted(met - wards))


def usual_stages(state: State, as_of: datetime) -> tuple[tuple[Stage, Usual], ...]:
    """How long each stage usually lasts: of those that ended in the last four weeks."""
    since = as_of - timedelta(days=USUAL_DAYS)
    lasted: dict[Stage, list[float]] = {stage: [] for stage in STAGES}
    for visit in state.visits.values():
        if visit.departed_at is not None and since < visit.departed_at <= as_of:
            for stage, begin, end in _stages_of(visit):
                lasted[stage].append((end - begin) / timedelta(minutes=1))
    return tuple(
        (stage, Usual(*(round(float(q), 1) for q in np.quantile(values, (0.5, 0.9)))))
        for stage, values in lasted.items()
        if len(values) >= ENOUGH
    )


def _stages_of(visit: Visit) -> Iterable[tuple[Stage, datetime, datetime]]:
    """The stages of a visit that is over, by the milestones on record; a stage needs a milestone at its end."""
    marks = (visit.arrived_at, visit.triaged_at, visit.seen_at, visit.discharged_at, visit.decided_at)
    told = sorted((at, rank) for rank, at in enumerate(marks) if at is not None)
    ends = [*(at for at, _ in told[1:]), visit.departed_at]
    for (begin, rank), end in zip(told, ends, strict=True):
        if end is not None and end > begin:
            yield STAGES[rank], begin, end


def _came_before(visit: Visit, as_of: datetime) -> bool:
    return visit.arrived_at is not None and visit.arrived_at <= as_of


def _gone(history: History, here: Collection[VisitId] | None) -> Flags:
    """Visits of the last two days without an exit on record that are more likely gone than here."""
    visits = history.visits
    open_ = np.isnan(visits.departed_min) & (history.as_of_min - visits.arrived_min <= SETTLED_MIN)
    if here is None:
        return np.zeros_like(open_)
    return np.asarray(open_ & ~np.array([visit in here for visit in history.ids], dtype=bool))


def _left_as_usual(history: History) -> Array:
    """When each visit has left if it stayed as long as others like it, after all that is on record, before now."""
    visits = history.visits
    stay = group_medians(visits.departed_min - visits.arrived_min, history.group)
    told = np.stack([visits.triaged_min, visits.seen_min, visits.decided_min, history.discharged_min])
    last = np.fmax.reduce(told, axis=0)
    return np.asarray(np.fmin(history.as_of_min, np.fmax(visits.arrived_min + stay, last)))


@dataclass(frozen=True, eq=False)
class _Told:
    """What the log tells of each row, completed; minutes from the day's beginning."""

    marks: Sequence[Sequence[float]]
    """By stage, when it begins at the earliest, `(stage, visit)`."""
    left: Sequence[float]
    stays: Mapping[int, Sequence[tuple[float, float, str]]]
    """By row the stays in areas: from, until, which."""

    @staticmethod
    def of(history: History, areas: Sequence[str], gone: Flags) -> _Told:
        visits = completed(history)
        left = np.where(gone & np.isnan(visits.departed_min), _left_as_usual(history), visits.departed_min)
        # the order of the stages: a patient is in the last one that has begun
        marks = (visits.arrived_min, visits.triaged_min, visits.seen_min, history.discharged_min, visits.decided_min)
        stays: dict[int, list[tuple[float, float, str]]] = {}
        inside = np.flatnonzero(~history.stay_ward & (visits.stay_unit >= 0) & (visits.stay_unit < len(areas)))
        for at in inside.tolist():
            stay = (float(visits.stay_from_min[at]), float(visits.stay_until_min[at]), areas[visits.stay_unit[at]])
            stays.setdefault(int(visits.stay_visit[at]), []).append(stay)
        return _Told([column.tolist() for column in marks], left.tolist(), stays)

    def is_there(self, row: int, minutes: int) -> bool:
        """Whether the visit touches the day."""
        arrived, left = self.marks[0][row], self.left[row]
        return not isnan(arrived) and arrived <= minutes and (isnan(left) or left > 0)

    def pieces(self, row: int, minutes: int) -> Iterable[tuple[int, str, int, int | None, int]]:
        """Stage, zone, from, until, since: as long as both stay the same."""
        left = self.left[row]
        end = None if isnan(left) or left > minutes else ceil(left)
        stages = [(ceil(marks[row]), stage) for stage, marks in enumerate(self.marks) if not isnan(marks[row])]
        come = ceil(self.marks[0][row])
        turns = sorted({max(at, come) for at in (*(at for at, _ in stages), *self._moves(row)) if at <= minutes})
        out: list[tuple[int, str, int, int | None, int]] = []
        for at, until in zip(turns, [*turns[1:], end], strict=True):
            if (end is not None and at >= end) or (until is not None and min(until, end or until) <= 0):
                continue
            stage = max(stage for begun, stage in stages if begun <= at)
            since = max(come, next(begun for begun, s in stages if s == stage))
            zone = self._area(row, at) or BY_STAGE + STAGES[stage]
            until = end if until is None or (end is not None and until > end) else until
            if out and out[-1][:2] == (stage, zone):
                out[-1] = (*out[-1][:3], until, out[-1][4])
            else:
                out.append((stage, zone, max(at, 0), until, since))
        return out

    def _moves(self, row: int) -> Iterable[int]:
        for begin, until, _ in self.stays.get(row, ()):
            yield ceil(begin)
            if not isnan(until):
                yield ceil(until)

    def _area(self, row: int, minute: int) -> str | None:
        held = (
            name for begin, until, name in self.stays.get(row, ())
            if ceil(begin) <= minute and (isnan(until) or minute < ceil(until))
        )  # fmt: skip
        return next(held, None)


def by_zone(dots: Iterable[Dot]) -> Mapping[str, int]:
    """How many are in each zone."""
    return Counter(dot.zone for dot in dots)
