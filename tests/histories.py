"""Fabricated histories, made once a process: what a small hospital's log told, and what was true at some instants."""

from __future__ import annotations

import atexit
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from forecast.situation import Situation, situation_of
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.events import Arrived, Cancelled, Departed, Event, EventId, VisitId
from ingest.log import EventLog, Extract, Position
from twin.calibrate import Calibration, calibrate
from twin.fabricate import FabricatedHospital, Habits, World
from twin.hospital import Hospital, load_hospital
from twin.memory import Memory
from twin.scenarios import Scenario, catalogue
from twin.state import State, fold

START = datetime(2025, 1, 6, tzinfo=UTC)
SEED = 3
DAYS = 24
NOON = START + timedelta(days=20, hours=12)
"""A Sunday: enough has been told to calibrate, and some days are still to come."""
LOOKS: tuple[datetime, ...] = tuple(NOON + timedelta(hours=7 * i) for i in range(10))
"""Instants at which the truth is kept, at ten different hours."""
NOTHING_MISSING = Habits(
    exit_missing_share=0.0, exit_late_share=0.0, ward_exit_missing_share=0.0, triage_missing_share=0.0,
    seen_missing_share=0.0, seen_misordered_share=0.0, exit_at_shift_change_share=0.0,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Told:
    """A hospital's log, in the order in which it became known, and the truth at `LOOKS`."""

    events: tuple[Event, ...]
    truth: tuple[dict[str, int], ...]

    def known(self, at: datetime) -> list[Event]:
        """What is known at an instant."""
        return [e for e in self.events if e.known_at is not None and e.known_at <= at]


@cache
def told(habits: Habits | None = None, seed: int = SEED) -> Told:
    """The small, congested hospital of these suites; with other habits of its clerks where they are given."""
    world = World(FabricatedHospital("congested", "small"), START, seed, habits=habits)
    events: list[Event] = []
    truth = []
    for look in LOOKS:
        events += world.run_until(look)
        truth.append(world.count_now())
    events += world.run_until(START + timedelta(days=DAYS))
    return Told(tuple(events), tuple(truth))


@cache
def other_log() -> EventLog:
    """The same up to noon, and another future; for reading only."""
    return log_of(*told_otherwise(told().events, NOON))


@cache
def hospital() -> Hospital:
    return load_hospital()


@cache
def state(at: datetime = NOON, habits: Habits | None = None, seed: int = SEED) -> State:
    """What was known at an instant."""
    before = [look for look in LOOKS if look < at]
    known = told(habits, seed).known(at)
    if not before:
        return fold(State(), known)
    return fold(state(before[-1], habits, seed), known[len(told(habits, seed).known(before[-1])) :])


@cache
def calibration(habits: Habits | None = None, seed: int = SEED) -> Calibration:
    """What was learned from it at noon."""
    return calibrate(state(NOON, habits, seed), hospital(), NOON)


@cache
def situation(at: datetime = NOON, habits: Habits | None = None) -> Situation:
    return situation_of(state(at, habits), calibration(habits), at)


def scenarios(*names: str) -> list[Scenario]:
    return [catalogue()[name] for name in names]


def log_of(
    *batches: Sequence[Event], database: Database | None = None, clock: SimulatedClock | None = None
) -> EventLog:
    """A log that holds the events, each known when it was; in memory where no database is given."""
    last_at = max(e.known_at for batch in batches for e in batch if e.known_at is not None)
    log = EventLog(database or _in_memory(), clock or SimulatedClock(last_at))
    for number, batch in enumerate(batches, start=1):
        extract = Extract(source="fabricated", digest=str(number), extracted_at=last_at)
        log.append(batch, Position(source="fabricated", offset=number), extract=extract)
    return log


def _in_memory() -> Database:
    database = Database.open(None, threads=1)
    atexit.register(database.close)
    return database


@cache
def whole_log() -> EventLog:
    """All that the hospital ever told; for reading only."""
    return log_of(told().events)


class Remembered(Memory):
    """A memory that makes each state of `whole_log` and `other_log` once a process: folding is the slow part."""

    def at(self, known_at: datetime) -> State:
        """The state of what was known at the instant."""
        if self._log not in (whole_log(), other_log()):
            return super().at(known_at)
        return _remembered(self._log, known_at)


@cache
def _remembered(log: EventLog, known_at: datetime) -> State:
    _MADE[log] = _MADE.get(log) or Memory(log)
    return _MADE[log].at(known_at)


_MADE: dict[EventLog, Memory] = {}


@atexit.register
def _let_go() -> None:
    """The database complains of what still holds it when the process ends."""
    for cached in (whole_log, other_log, _remembered):
        cached.cache_clear()
    _MADE.clear()


def told_otherwise(events: Iterable[Event], after: datetime) -> tuple[list[Event], list[Event]]:
    """What became known by an instant; and after it another future, in which events are dropped, changed, made up, and
    what was known is corrected and struck out."""
    events = list(events)
    before = [e for e in events if e.known_at is not None and e.known_at <= after]
    later = [e for e in events if e.known_at is not None and e.known_at > after]
    soon, hour = after + timedelta(minutes=1), timedelta(hours=1)
    changed = [replace(e, occurred_at=e.occurred_at - 2 * hour) for e in later[::2]]
    corrected = [replace(e, occurred_at=e.occurred_at - hour, known_at=soon, recorded_at=soon) for e in before[-600::3]]
    struck = [
        Cancelled(event_id=EventId(f"{e.event_id}/struck"), target=e.event_id, occurred_at=e.occurred_at,
                  known_at=soon, recorded_at=soon, source=e.source)
        for e in before[-600::7]
    ]  # fmt: skip
    invented = [
        event
        for i in range(60)
        for event in (
            Arrived(event_id=EventId(f"x/{i}/Arrived/0"), visit=VisitId(f"x{i}"), known_at=soon,
                    occurred_at=after - timedelta(days=i % 12, minutes=i), source="x"),
            Departed(event_id=EventId(f"x/{i}/Departed/0"), visit=VisitId(f"x{i}"), known_at=soon, to="home",
                     occurred_at=after - timedelta(days=i % 12) + hour, source="x"),
        )
    ]  # fmt: skip
    return before, [*changed, *corrected, *struck, *invented]


def fingerprint(value: object) -> str:
    """Equal for values that are equal to the last bit; arrays, dataclasses and collections are looked into."""
    digest = hashlib.sha256()
    for part in _parts(value):
        digest.update(part)
    return digest.hexdigest()


def _parts(value: object) -> Iterable[bytes]:
    if isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif is_dataclass(value) and not isinstance(value, type):
        yield type(value).__name__.encode()
        for one in fields(value):
            yield one.name.encode()
            yield from _parts(getattr(value, one.name))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            yield repr(key).encode()
            yield from _parts(value[key])
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item)
            yield b","
    elif isinstance(value, frozenset):
        yield repr(sorted(value, key=repr)).encode()
    else:
        yield repr(value).encode()
