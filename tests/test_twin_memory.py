"""The state along the log: what was known then, the same however one came there, and bounded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from ingest.events import BedsCounted, Event, EventId, UnitId
from ingest.log import EventLog
from tests.histories import NOON, START, log_of, other_log, state, whole_log
from tests.worlds import told as mark
from twin.memory import KEEP_DAYS, PLACE_KINDS, RENEWED, Memory
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
