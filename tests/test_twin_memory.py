"""The state along the log: what was known then, the same however one came there, and bounded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

import pytest

from ingest import bookkeeping
from ingest.clock import SimulatedClock
from ingest.database import aware, rows
from ingest.events import BedsCounted, CensusObserved, Event, EventId, UnitId
from ingest.log import EventLog, Extract, Position
from tests.histories import NOON, START, log_of, other_log, state, told, whole_log
from tests.worlds import told as mark
from twin import memory as memory_module
from twin.memory import KEEP_DAYS, KINDS, PLACE_KINDS, RENEWED, Memory
from twin.state import State, fold

DAY = timedelta(days=1)


def test_the_state_is_that_of_what_was_known() -> None:
    assert Memory(whole_log()).at(NOON).hash == state(NOON).hash


def test_going_forward_step_by_step_gives_the_same_as_going_at_once_and_so_does_going_back() -> None:
    memory = Memory(whole_log())
    for days in (3, 9, 9.01, 20):
        memory.at(START + days * DAY)
    assert memory.at(NOON).hash == state(NOON).hash
    assert dict(memory.at(NOON).visits) == dict(state(NOON).visits)
    assert memory.at(START + 9 * DAY).hash == state(START + 9 * DAY).hash


def test_nothing_that_became_known_later_is_in_it() -> None:
    assert Memory(other_log()).at(NOON).hash == state(NOON).hash


def test_aggregate_counts_are_no_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = [
        CensusObserved(
            event_id=EventId(f"c{i}"),
            occurred_at=NOON - DAY,
            known_at=NOON - DAY,
            source="q",
            measure="present",
            count=i,
        )
        for i in range(50)
    ]
    log = log_of([*told().known(NOON), *counts])
    assert len(Memory(log).at(NOON).events) == len(state(NOON).events)
    monkeypatch.setattr(memory_module, "KINDS", (*KINDS, "CensusObserved"))
    assert len(Memory(log).at(NOON).events) == len(state(NOON).events) + 50, "the mutant takes them in"


class ByOccurrence(Memory):
    """The mutant: reads what had happened, whether or not it was known."""

    def at(self, known_at: datetime) -> State:
        return fold(State(), self._log.read(until=known_at))


def test_a_memory_that_reads_by_occurrence_is_caught() -> None:
    assert ByOccurrence(other_log()).at(NOON).hash != ByOccurrence(whole_log()).at(NOON).hash


def a_year() -> Iterator[Event]:
    """A visit a day for a year; beds counted once, on the first day."""
    yield BedsCounted(
        event_id=EventId("beds"), occurred_at=START, known_at=START, source="w", unit=UnitId("medicine"), count=30
    )
    first = (START - mark("Arrived", "v", "08:00").occurred_at.replace(hour=0)).days
    for day in range(365):
        yield mark("Arrived", f"v{day}", "08:00", day=first + day)
        yield mark("Departed", f"v{day}", "11:00", day=first + day, to="home")


@pytest.fixture(scope="module")
def year() -> EventLog:
    return log_of(list(a_year()))


class BegunOnce(Memory):
    """The mutant: what was begun is kept for ever."""

    def at(self, known_at: datetime) -> State:
        begun_at = self._begun_at or known_at - self._keep
        if self._begun_at is None:
            self._begun_at = begun_at
            self._state = fold(State(), self._log.read(known_at=begun_at, kinds=PLACE_KINDS))
        self._state = fold(self._state, self._log.read_versions(begun_at, known_at))
        return self._state


@pytest.mark.parametrize(("memory", "same"), [(Memory, True), (BegunOnce, False)])
def test_a_house_that_ran_for_months_and_one_just_started_have_the_same_state(
    year: EventLog, memory: type[Memory], same: bool
) -> None:
    running = memory(year)
    for day in range(130, 360, 5):
        running.at(START + day * DAY)
    fresh = memory(year).at(START + 360 * DAY)
    assert (running.at(START + 360 * DAY).hash == fresh.hash) is same
    if same:
        assert KEEP_DAYS <= len(fresh.visits) <= KEEP_DAYS + RENEWED.days


def test_beds_stay_as_they_were_last_told_however_long_ago(year: EventLog) -> None:
    late = START + 360 * DAY
    assert Memory(year).at(late).counted(BedsCounted, late) == {"medicine": 30}


# ---------------------------------------------------------------------------------------- a house that starts again

WEEK = 7 * DAY


def part(since: datetime, until: datetime) -> list[Event]:
    return [e for e in told().events if e.known_at is not None and since < e.known_at <= until]


def house() -> EventLog:
    """A log that has heard of a week."""
    return log_of(part(START - DAY, START + WEEK))


def hear(log: EventLog, events: Sequence[Event]) -> None:
    """What was known at some time is told now."""
    extract = Extract(source="late", digest="x", extracted_at=START + 2 * WEEK)
    log.append(events, Position(source="late", offset=log.length() + 1), extract=extract)


class Counting(EventLog):
    """A log that remembers from when it was read."""

    read_from: ClassVar[list[datetime | None]] = []

    def read_versions(
        self, known_after: datetime | None, known_until: datetime, kinds: Collection[str] | None = None
    ) -> list[Event]:
        self.read_from.append(known_after)
        return super().read_versions(known_after, known_until, kinds)


def started_again(log: EventLog) -> Counting:
    again = Counting(log._database, SimulatedClock(START + 2 * WEEK))
    again.read_from.clear()
    return again


def check_restart(between: Sequence[Event]) -> Counting:
    """A house that has run for a week and starts again has the state of one that never ran before."""
    log, later = house(), START + WEEK + timedelta(hours=2)
    Memory(log, saves=True).at(START + WEEK)
    hear(log, between)
    again = started_again(log)
    expected = fold(State(), log.read_versions(None, later))
    assert Memory(again).at(later).hash == expected.hash
    assert dict(Memory(again).at(later).visits) == dict(expected.visits)
    return again


def test_a_house_that_starts_again_reads_only_what_became_known_since() -> None:
    again = check_restart(part(START + WEEK, START + WEEK + DAY))
    assert set(again.read_from) == {START + WEEK}


def test_a_snapshot_is_of_no_use_once_the_log_has_learned_what_should_be_in_it() -> None:
    late = replace(mark("Arrived", "late", "08:00"), occurred_at=START + DAY, known_at=START + DAY)
    again = check_restart([late])
    assert START + WEEK not in again.read_from


def test_the_check_of_a_restart_sees_a_stale_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    late = replace(mark("Arrived", "late", "08:00"), occurred_at=START + DAY, known_at=START + DAY)
    statement = bookkeeping._VALID_SNAPSHOT
    assert "b.first_known_at <= s.known_at" in statement
    monkeypatch.setattr(bookkeeping, "_VALID_SNAPSHOT", statement.replace("b.first_known_at <= s.known_at", "false"))
    with pytest.raises(AssertionError):
        check_restart([late])


def check_backfill(memory: type[Memory]) -> None:
    """A house that goes on while an old extract is loaded has the state of one that starts again."""
    log, later = house(), START + WEEK + timedelta(hours=2)
    running = memory(log)
    running.at(START + WEEK)
    hear(log, [replace(mark("Arrived", "late", "08:00"), occurred_at=START + DAY, known_at=START + DAY)])
    assert running.at(later).hash == Memory(log).at(later).hash


def test_what_is_loaded_late_is_in_the_state_of_a_house_that_runs() -> None:
    check_backfill(Memory)


class NeverLooksBack(Memory):
    """The mutant: what was stored late is not looked for."""

    def _leads_to(self, known_at: datetime, begun_at: datetime) -> bool:
        return self._known_at is not None


def test_the_check_of_what_is_loaded_late_sees_a_memory_that_never_looks_back() -> None:
    with pytest.raises(AssertionError):
        check_backfill(NeverLooksBack)


def snapshots(log: EventLog) -> list[datetime]:
    found = rows(log._database.cursor(), "SELECT known_at FROM snapshot ORDER BY known_at")
    return [aware(known_at) for (known_at,) in found]


def test_snapshots_are_left_every_six_hours_of_knowledge_and_two_are_kept() -> None:
    log = house()
    memory = Memory(log, saves=True)
    for hours in (24, 25, 29, 30, 35, 37):
        memory.at(START + timedelta(hours=hours))
    assert snapshots(log) == [START + timedelta(hours=hours) for hours in (30, 37)]


def test_a_memory_that_only_looks_leaves_none() -> None:
    log = house()
    Memory(log).at(START + DAY)
    assert snapshots(log) == []


def test_a_snapshot_of_another_beginning_is_not_used() -> None:
    log = house()
    Memory(log, saves=True).at(START + WEEK)
    again = started_again(log)
    short = Memory(again, keep_days=3).at(START + WEEK + DAY)
    assert short.hash == Memory(house(), keep_days=3).at(START + WEEK + DAY).hash
    assert START + WEEK not in again.read_from
