"""What people know already, as ordinary events: beds that are closed, staff who are away, exits planned, ambulances
announced.

    known = KnownFutures(log, database, clock, lambda: loop.calibration, lambda: loop.state)
    number = known.say(person, Told("beds_closed", until, count=2, unit="medicine"))
    known.undo(person, number)

What is said goes through the log as a feed's news does, under the source `BOARD`: so forecasts take it from the next
cycle on, and a replay or a back-test knows it from then on and not before. To undo strikes its events out.

The steps of either:

1. Check it against what is known now; QuestionError where it cannot be, and then nothing is kept.
2. Keep who said it, and the events that it becomes.
3. Append the events to the log. A house that ended between 2 and 3 appends them when it starts again: an event that is
   there already is a repetition.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from forecast.errors import QuestionError
from forecast.known_counts import Missing, least, next_minute, roster_of, steps
from forecast.known_log import KnownLog, Note, as_told
from forecast.known_told import Known, Told, check_count, check_time, folded, of_group, unknown
from forecast.known_view import Choice, Kind
from forecast.people import Person
from ingest.clock import Clock
from ingest.database import Database
from ingest.events import (
    BOARD,
    ArrivalExpected,
    BedsCounted,
    Cancelled,
    DischargePlanned,
    Event,
    EventId,
    StaffOnDuty,
    UnitId,
    VisitId,
)
from ingest.log import EventLog, Position
from twin.calibrate import Calibration
from twin.hospital import Hospital
from twin.state import State, fold
from twin.visit import Visit

MOST = 20
"""Of ambulances, and of exits from one ward, at once."""
COUNTED_SINCE = timedelta(days=60)


class KnownFutures:
    """What is known of a house; safe to use from several threads."""

    def __init__(
        self, log: EventLog, database: Database, clock: Clock, calibration: Callable[[], Calibration | None],
        state: Callable[[], State | None],
    ) -> None:  # fmt: skip
        self._log, self._clock, self._calibration, self._state = log, clock, calibration, state
        self._notes, self._lock = KnownLog(database), threading.RLock()
        for note in self._notes.notes[-1:]:  # the house may have ended before its events were in the log
            self._append(note.events)

    @property
    def known(self) -> list[Known]:
        """All that was ever said, the oldest first, as it stands."""
        return folded(self._notes.notes)

    # --- what people do -------------------------------------------------------------------------------------------

    def say(self, who: Person, told: Told) -> int:
        """Say something that is going to be; its number. Raises QuestionError."""
        with self._lock:
            now, number = self._clock.now(), self._notes.next_number
            check_time(told, now, self._ground()[0].hospital.zone)
            from_at, events = self._events(told, number, now)  # 1
            said = {
                "kind": told.kind, "at": told.at.isoformat(), "count": told.count, "name": told.name,
                "from": from_at.isoformat(), "events": as_told(events),
            }  # fmt: skip
            self._notes.keep(Note(number, now, number, "said", who.name, said))  # 2
            self._append(events)  # 3
            return number

    def undo(self, who: Person, number: int) -> None:
        """It is not so: strike it out. Raises QuestionError where nothing of the number stands."""
        with self._lock:
            now = self._clock.now()
            one = next((one for one in self.known if one.number == number and one.undone is None), None)
            if one is None:
                raise QuestionError("C'est déjà annulé.", "It is undone already.")
            row = self._notes.next_number
            events = self._undone(one, row, now)  # 1
            self._notes.keep(Note(row, now, number, "undone", who.name, {"events": as_told(events)}))  # 2
            self._append(events)  # 3

    def choices(self) -> dict[Kind, tuple[Choice, ...]]:
        """Of what it can be said now, by kind; empty before there is a forecast."""
        calibration, state, now = self._calibration(), self._state(), self._clock.now()
        if calibration is None or state is None:
            return {}
        hospital, there = calibration.hospital, self.known
        wards = [unit for unit in hospital.wards if unit.name in calibration.beds_known]
        closable = (Choice(u.name, u.fr, u.en, self._left_of_beds(u.name, there, now, now)) for u in wards)
        lying = _without_plan(state, now)
        leaving = (
            Choice(u.name, u.fr, u.en, min(MOST, len(lying.get(u.name, ())))) for u in hospital.wards if u.name in lying
        )
        return {
            "beds_closed": tuple(closable),
            "staff_absent": tuple(self._staff(calibration, there, now)),
            "discharge": tuple(leaving),
            "ambulance": (Choice("", "", "", MOST),),
        }

    def counted_since(self, one: Known) -> bool:
        """Whether the hospital's own feed has counted the ward's beds since it was said."""
        counts = self._feed_counts(one.told.name) if one.told.kind == "beds_closed" else []
        return any(event.occurred_at > one.said.noted_at for event in counts)

    # --- what it becomes ------------------------------------------------------------------------------------------

    def _ground(self) -> tuple[Calibration, State]:
        calibration, state = self._calibration(), self._state()
        if calibration is None or state is None:
            raise QuestionError(
                "La première prévision n'est pas encore faite : réessayez dans quelques minutes.",
                "The first forecast is not made yet: try again in a few minutes.",
            )
        return calibration, state

    def _events(self, told: Told, number: int, now: datetime) -> tuple[datetime, list[Event]]:
        """From when on it holds, and the events."""
        calibration, state = self._ground()
        match told.kind:
            case "ambulance":
                check_count(told, MOST)
                return now, [self._ambulance(told, number, i, now) for i in range(told.count)]
            case "discharge":
                lying = _without_plan(state, now, taken=self._planned_here()).get(told.name)
                if lying is None:
                    raise unknown()
                check_count(told, min(MOST, len(lying)))
                return now, [_discharge(told, visit, number, i, now) for i, visit in enumerate(lying[: told.count])]
            case _:
                return self._less(told, number, now, calibration)

    def _ambulance(self, told: Told, number: int, i: int, now: datetime) -> Event:
        return ArrivalExpected(
            event_id=EventId(f"{BOARD}/{number}/expected/{i}"), occurred_at=now, source=BOARD,
            visit=VisitId(f"{BOARD}/{number}/{i}"), expected_at=told.at, mode="ambulance",
        )  # fmt: skip

    def _planned_here(self) -> frozenset[VisitId]:
        standing = (one for one in self.known if one.undone is None and one.told.kind == "discharge")
        return frozenset(e.visit for one in standing for e in one.said.events if isinstance(e, DischargePlanned))

    def _less(self, told: Told, number: int, now: datetime, calibration: Calibration) -> tuple[datetime, list[Event]]:
        """Fewer beds, or fewer staff."""
        there = self.known
        from_at = now if told.kind == "beds_closed" else next_minute(now)
        if told.kind == "beds_closed":
            if told.name not in calibration.beds_known or not any(
                u.name == told.name for u in calibration.hospital.wards
            ):
                raise unknown()
            most = self._left_of_beds(told.name, there, now, told.at)
        else:
            pools = {choice.name: choice.most for choice in self._staff(calibration, there, now, until=told.at)}
            if told.name not in pools:
                raise unknown()
            most = pools[told.name]
        check_count(told, most)
        left = [one.missing for one in of_group(there, told) if one.told.at > now]
        new = Missing(told.count, from_at, told.at)
        struck = [e for e in self._standing(told) if e.occurred_at > now]
        said = self._steps([*left, new], told, calibration.hospital, from_at, number, always=False)
        return from_at, [*_cancelled(struck, number, now), *said]

    def _undone(self, one: Known, row: int, now: datetime) -> list[Event]:
        if one.told.kind not in ("beds_closed", "staff_absent"):
            return _cancelled(one.said.events, row, now)
        standing = self._standing(one.told)
        struck = [e for e in standing if e.occurred_at >= one.from_at]
        others = [o.missing for o in of_group(self.known, one.told) if o.number != one.number and o.told.at > now]
        start = now if one.told.kind == "beds_closed" else next_minute(now)
        before = any(e.occurred_at < one.from_at for e in standing)
        hospital = self._ground()[0].hospital
        said = self._steps(others, one.told, hospital, start, row, always=before) if others or before else []
        return [*_cancelled(struck, row, now), *said]

    def _steps(
        self, missing: Sequence[Missing], told: Told, hospital: Hospital, start: datetime, row: int, *, always: bool
    ) -> list[Event]:
        until = max((one.until for one in missing), default=start)
        if told.kind == "beds_closed":
            beds, unit = self._beds(told.name, hospital), UnitId(told.name)
            return [
                BedsCounted(
                    event_id=EventId(f"{BOARD}/{row}/beds/{i}"), occurred_at=at, source=BOARD, unit=unit, count=n
                )
                for i, (at, n) in enumerate(steps(missing, lambda _: beds, start, always=always))
            ]
        usual, changes = roster_of(hospital, told.name, start, until)
        return [
            StaffOnDuty(
                event_id=EventId(f"{BOARD}/{row}/staff/{i}"), occurred_at=at, pool=told.name, count=n, source=BOARD
            )
            for i, (at, n) in enumerate(steps(missing, usual, start, changes, always=always))
        ]

    # --- what is there --------------------------------------------------------------------------------------------

    def _standing(self, told: Told) -> list[Event]:
        """The counts of a ward, or a pool, that were said here and not struck out."""
        said = [event for note in self._notes.notes for event in note.events]
        struck = {event.target for event in said if isinstance(event, Cancelled)}
        return [event for event in said if _group_of(event) == (told.kind, told.name) and event.event_id not in struck]

    def _beds(self, ward: str, hospital: Hospital) -> int:
        """As the feed counted them last, else as the hospital has them."""
        now = self._clock.now()
        counts = [event for event in self._feed_counts(ward) if event.occurred_at <= now]
        return counts[-1].count if counts else hospital.unit(ward).places

    def _feed_counts(self, ward: str) -> list[BedsCounted]:
        since = self._clock.now() - COUNTED_SINCE
        told = fold(State(), self._log.read(since, kinds=("BedsCounted", "Cancelled"))).places
        return [e for e in told if isinstance(e, BedsCounted) and e.unit == ward and e.source != BOARD]

    def _left_of_beds(self, ward: str, there: Sequence[Known], now: datetime, until: datetime) -> int:
        calibration, _ = self._ground()
        beds = self._beds(ward, calibration.hospital)
        closed = [one.missing for one in of_group(there, Told("beds_closed", until, name=ward))]
        return max(0, least(closed, lambda _: beds, now, until))

    def _staff(
        self, calibration: Calibration, there: Sequence[Known], now: datetime, until: datetime | None = None
    ) -> list[Choice]:
        """Pools of staff whose number counts in the twin of this house, and how many can be away."""
        start, found = next_minute(now), []
        for pool in calibration.hospital.rosters:
            if pool.profession is None or not pool.told or pool.name not in calibration.path.pools:
                continue
            usual, changes = roster_of(calibration.hospital, pool.name, start, max(until or start, start))
            away = [one.missing for one in of_group(there, Told("staff_absent", now, name=pool.name))]
            most = max(least(away, usual, at, at) for at in [start, *changes])
            found.append(Choice(pool.name, pool.fr, pool.en, max(0, most)))
        return found

    def _append(self, events: Sequence[Event]) -> None:
        if not events:
            return
        last = self._log.position(BOARD)
        offset = (last.offset if last else 0) + len(events)
        first = offset - len(events) + 1
        placed = [replace(event, source=BOARD, position=first + i) for i, event in enumerate(events)]
        self._log.append(placed, Position(source=BOARD, offset=offset))


# --- pieces -----------------------------------------------------------------------------------------------------------


def _group_of(event: Event) -> tuple[Kind, str] | None:
    match event:
        case BedsCounted():
            return "beds_closed", event.unit
        case StaffOnDuty():
            return "staff_absent", event.pool
        case _:
            return None


def _cancelled(events: Sequence[Event], row: int, now: datetime) -> list[Event]:
    return [
        Cancelled(event_id=EventId(f"{BOARD}/{row}/cancelled/{i}"), occurred_at=now, source=BOARD, target=e.event_id)
        for i, e in enumerate(events) if not isinstance(e, Cancelled)
    ]  # fmt: skip


def _without_plan(state: State, now: datetime, taken: frozenset[VisitId] = frozenset()) -> dict[str, list[Visit]]:
    """By ward who lies there and has no exit planned, who has lain there longest first."""
    found: dict[str, list[Visit]] = {}
    for visit in state.inpatients(now):
        if visit.leaves_at is None and visit.visit not in taken:
            found.setdefault(visit.stays[-1].unit, []).append(visit)
    return {ward: sorted(rows, key=lambda v: (v.stays[-1].from_at, v.visit)) for ward, rows in found.items()}


def _discharge(told: Told, visit: Visit, number: int, i: int, now: datetime) -> Event:
    return DischargePlanned(
        event_id=EventId(f"{BOARD}/{number}/leaves/{i}"), occurred_at=now, source=BOARD, visit=visit.visit,
        expected_at=told.at,
    )  # fmt: skip
