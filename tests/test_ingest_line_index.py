"""Where the log holds what was told of an event: the index says what the log says, whatever happened before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import bookkeeping, line_index, log, versions
from ingest.clock import SimulatedClock
from ingest.database import Database, rows
from ingest.line_index import LineIndex, caught_up
from ingest.log import EventLog
from tests.logs import AT, HOUR, MINUTE, cancelled, count, departed, memory_log, take_in, tell

PARTS = st.lists(st.lists(st.integers(0, 12), max_size=6), max_size=12)


def index_of(parts: Sequence[Sequence[int]]) -> LineIndex:
    index = LineIndex()
    for part in parts:
        length = index.length + len(part)
        index = index.with_rows(np.array(part, np.uint64), np.arange(index.length, length) + 1, length)
    return index


@given(PARTS, st.lists(st.integers(0, 12), max_size=4))
@settings(max_examples=200)
def test_it_finds_every_row_with_one_of_the_keys_and_no_other(parts: list[list[int]], wanted: list[int]) -> None:
    told = [key for part in parts for key in part]
    expected = [row for row, key in enumerate(told, start=1) if key in wanted]
    assert index_of(parts).find(np.array(wanted, np.uint64)).tolist() == expected


@given(PARTS)
def test_it_has_few_blocks(parts: list[list[int]]) -> None:
    lengths = [len(block.keys) for block in index_of(parts).blocks]
    assert all(longer > 2 * shorter for longer, shorter in pairwise(lengths))


def test_keys_as_large_as_can_be_are_found() -> None:
    largest = 2**64 - 1
    assert index_of([[largest], [largest - 1, 0]]).find(np.array([largest], np.uint64)).tolist() == [1]


def check_index(log: EventLog) -> None:
    """The log's rows are numbered without gaps, and its index finds each by its key."""
    told = rows(log._database.cursor(), "SELECT sequence, subject_key FROM event ORDER BY sequence")
    assert [row for row, _ in told] == list(range(1, log.length() + 1))
    assert log._index.length == log.length()
    for key in {key for _, key in told}:
        expected = [row for row, other in told if other == key]
        assert log._index.find(np.array([key], np.uint64)).tolist() == expected


def test_it_says_what_the_log_says_after_versions_cancellations_and_what_was_told_again() -> None:
    log, clock = memory_log()
    for to, minute in (("home", 0), ("home", 5), ("ward", 3)):
        tell(log, departed("v", to, recorded_at=AT + minute * MINUTE), departed(f"w{minute}"))  # type: ignore[arg-type]
    assert log.length() == 6  # the repetition at minute 5 was told again after the late version
    tell(log, cancelled(departed("v"), recorded_at=AT + HOUR))
    check_index(log)
    clock.advance_to(AT + 9 * HOUR)
    take_in(log, [departed("x", known_at=AT)], AT + HOUR, complete_visits=True)
    check_index(log)


def check_two_logs() -> None:
    """What another log over the same data stored is no news."""
    first, clock = memory_log()
    second = EventLog(first._database, clock)
    tell(first, departed("v"))
    assert tell(second, departed("v"), departed("w")).stored == 1
    assert tell(first, departed("v"), departed("w")).stored == 0
    check_index(first)


def test_an_index_that_is_behind_catches_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_index, "_PIECE_ROWS", 1)
    check_two_logs()


def test_the_check_of_two_logs_sees_an_index_that_stays_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "caught_up", lambda _, index, length: LineIndex(length, index.blocks))
    with pytest.raises(AssertionError):
        check_two_logs()


def test_a_log_that_is_opened_again_knows_what_it_holds(tmp_path: Path) -> None:
    for stored in (1, 0):
        with Database.open(tmp_path / "d.duckdb") as database:
            assert tell(EventLog(database, SimulatedClock(AT)), departed("v")).stored == stored


def check_failure(log: EventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that failed at its end is told again, and nothing of it was remembered."""

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    tell(log, departed("v"))
    with monkeypatch.context() as patched:
        patched.setattr(bookkeeping, "store_batch", full)
        with pytest.raises(OSError, match="no space"):
            tell(log, departed("w"), departed("x"))
    assert tell(log, departed("v"), departed("x"), departed("y")).stored == 2
    assert count(log, "event") == 3
    check_index(log)


def test_nothing_is_remembered_of_a_batch_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    check_failure(memory_log()[0], monkeypatch)


def test_the_check_of_a_failure_sees_an_index_that_remembers_before_the_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty, store = memory_log()[0], versions.store

    def remember(*given: Any) -> versions.Outcome:
        outcome = store(*given)
        hasty._index = outcome.index
        return outcome

    monkeypatch.setattr(versions, "store", remember)
    with pytest.raises(AssertionError):
        check_failure(hasty, monkeypatch)


def test_a_log_that_only_reads_makes_no_index() -> None:
    log, clock = memory_log()
    tell(log, departed("v"))
    reader = EventLog(log._database, clock)
    assert len(reader.read()) == 1
    assert reader._index.length == 0
    assert caught_up(reader._database.cursor(), reader._index, 1).length == 1
