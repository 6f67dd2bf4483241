"""The event log: both ways of appending are one, views stay as they were made, batches are whole or absent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import bookkeeping
from ingest.clock import WallClock
from ingest.columns import SCHEMA, from_table, to_table
from ingest.database import Database, arrow, rows
from ingest.errors import EventError, PositionError
from ingest.events import RANK, Arrived, BedsCounted, Event, EventId, StaffOnDuty, UnitId, VisitId
from ingest.log import Account, EventLog, Extract, Intake, Position, Rejected, Snapshot, Span
from tests.appending_child import BATCH, DIES_AT, position_in_a_second_transaction
from tests.logs import AT, HOUR, MINUTE, TICK, count, departed, memory_log, next_position, standing, take_in, tell
from tests.strategies import events, instants

FEW_IDS = st.sampled_from(["s/1", "s/2", "t/1"]).map(EventId)
SOME = st.lists(events(event_id=FEW_IDS, occurred_at=instants(), position=st.integers(0, 9)), max_size=5)


def everything(log: EventLog) -> list[pa.Table]:
    cursor = log._database.cursor()
    return [
        arrow(cursor, "SELECT * FROM event"),
        arrow(cursor, "SELECT * FROM superseded"),
        arrow(cursor, "FROM batch"),
    ]


@given(st.lists(SOME, max_size=2))
@settings(max_examples=4)
def test_events_and_their_table_are_stored_as_equal_rows(batches: list[list[Event]]) -> None:
    by_events, by_table = memory_log()[0], memory_log()[0]
    for offset, batch in enumerate(batches):
        position = Position(source="s", offset=offset)
        assert by_events.append(batch, position) == by_table.append_table(to_table(batch), position)
    assert everything(by_events) == everything(by_table)


@given(SOME)
@settings(max_examples=4)
def test_what_is_stored_is_what_was_given_with_its_stored_and_known_instants(batch: list[Event]) -> None:
    log, _ = memory_log()
    told = tell(log, *batch)
    given_rows = {replace(e, stored_at=told.stored_at, known_at=e.known_at or told.stored_at) for e in batch}
    stored = log.read_versions(None, datetime.max.replace(tzinfo=AT.tzinfo))
    assert set(stored) <= given_rows
    assert len(stored) == told.stored == len(batch) - told.duplicate
    assert {e.event_id for e in stored} == {e.event_id for e in batch}


def test_a_live_event_is_known_when_it_is_stored_and_a_backfilled_one_as_stated() -> None:
    log, clock = memory_log()
    clock.advance_to(AT + HOUR)
    told = tell(log, departed("live", recorded_at=AT), departed("old", known_at=AT + MINUTE))
    assert told.stored_at == AT + HOUR
    assert [(e.known_at, e.recorded_at, e.stored_at) for e in log.read()] == [
        (AT + HOUR, AT, AT + HOUR),
        (AT + MINUTE, None, AT + HOUR),
    ]


def test_batches_are_stored_at_instants_that_increase_though_the_clock_stands() -> None:
    log, _ = memory_log()
    assert [tell(log, departed(str(n))).stored_at for n in range(3)] == [AT, AT + TICK, AT + 2 * TICK]
    again = EventLog(log._database, WallClock())
    assert tell(again).stored_at > AT + 2 * TICK


def test_a_window_holds_what_occurred_in_it_in_the_order_of_the_world() -> None:
    log, _ = memory_log()
    early = [departed("b"), departed("a"), Arrived(event_id=EventId("z"), occurred_at=AT, visit=VisitId("z"))]
    late = [departed("c", occurred_at=AT + HOUR), departed("d", occurred_at=AT + 2 * HOUR)]
    tell(log, *late, *early)
    assert [e.event_id for e in log.read(AT, AT + HOUR)] == ["z", "s/a/Departed/0", "s/b/Departed/0"]
    assert [e.event_id[2] for e in log.read(AT + HOUR)] == ["c", "d"]
    assert [e.event_id for e in log.read(until=AT + HOUR, kinds=["Arrived", "LeftWard"])] == ["z"]
    assert log.read(AT + TICK, AT + HOUR) == log.read(kinds=[]) == []
    assert log.read_table(AT, AT + HOUR).schema == SCHEMA
    assert from_table(log.read_table()) == log.read()
    assert RANK["Arrived"] < RANK["Departed"]


def test_versions_come_in_the_order_in_which_they_became_known() -> None:
    log, clock = memory_log()
    tell(log, departed("v", "home", recorded_at=AT))
    clock.advance_to(AT + HOUR)
    tell(log, departed("v", "ward", recorded_at=AT + HOUR), departed("w", known_at=AT + MINUTE))
    known = [(e.event_id[2], getattr(e, "to", None)) for e in log.read_versions(None, AT + HOUR)]
    assert known == [("v", "home"), ("w", "home"), ("v", "ward")]
    assert [e.event_id[2] for e in log.read_versions(AT, AT + HOUR)] == ["w", "v"]
    assert [e.event_id[2] for e in log.read_versions(AT + MINUTE, AT + HOUR - TICK)] == []
    assert log.read_versions_table(None, AT + HOUR).num_rows == 3


def test_a_version_that_moves_an_event_out_of_the_window_takes_it_away() -> None:
    log, clock = memory_log()
    tell(log, departed("v", recorded_at=AT))
    clock.advance_to(AT + HOUR)
    tell(log, departed("v", occurred_at=AT - 24 * HOUR, recorded_at=AT + MINUTE))
    assert log.read(AT, AT + HOUR) == []
    assert len(log.read(AT, AT + HOUR, known_at=AT)) == 1
    assert len(log.read(AT - 30 * HOUR, AT)) == 1


@given(st.lists(st.tuples(SOME, st.integers(0, 2)), min_size=1, max_size=3))
@settings(max_examples=4)
def test_a_view_of_a_live_feed_never_changes_once_made(batches: list[tuple[list[Event], int]]) -> None:
    check_views([[replace(event, known_at=None) for event in batch] for batch, _ in batches], [n for _, n in batches])


def check_views(batches: Sequence[Sequence[Event]], minutes: Sequence[int]) -> None:
    """Views made between batches are the same at the end, though the clock may stand still in between."""
    log, clock = memory_log()
    views: dict[datetime, list[Event]] = {}
    for batch, pause_min in zip(batches, minutes, strict=True):
        views.setdefault(clock.now(), log.read(known_at=clock.now()))
        tell(log, *batch)
        clock.advance_to(clock.now() + pause_min * MINUTE)
        views.setdefault(clock.now(), log.read(known_at=clock.now()))
    for known_at, view in views.items():
        assert log.read(known_at=known_at) == view


def test_the_check_of_views_sees_a_batch_stored_at_the_instant_of_a_view(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def now(self: EventLog) -> Iterator[datetime]:
        yield self.instants._clock.now()

    check_views([[departed("v")]], [0])
    monkeypatch.setattr(EventLog, "_storing", now)
    with pytest.raises(AssertionError):
        check_views([[departed("v")]], [0])


# ---------------------------------------------------------------------------------- positions, accounts, the rest


def test_a_position_must_move_forward_and_is_kept_for_each_source() -> None:
    log, _ = memory_log()
    log.append([], Position(source="a", offset=5, detail="file 1"))
    log.append([], Position(source="b", offset=1))
    for offset in (5, 4):
        with pytest.raises(PositionError, match=f"offset of a must be beyond 5, where it stands, but is {offset}"):
            log.append([departed("v")], Position(source="a", offset=offset))
    assert log.span() is None
    log.append([departed("v")], Position(source="a", offset=6, detail="file 2"))
    expected = {"a": Position(source="a", offset=6, detail="file 2"), "b": Position(source="b", offset=1)}
    assert log.positions() == expected
    assert (log.position("a"), log.position("c")) == (expected["a"], None)


def test_a_table_that_is_not_of_the_vocabulary_is_refused_and_nothing_is_stored() -> None:
    log, _ = memory_log()
    table = to_table([departed("v")])
    wrong = table.set_column(0, "kind", pa.array(["Sneezed"]))
    with pytest.raises(EventError, match="kind must be one of"):
        log.append_table(wrong, Position(source="s", offset=1))
    assert (log.length(), log.positions()) == (0, {})


def test_the_account_of_a_batch_is_in_rows() -> None:
    log, _ = memory_log()
    beds = [
        BedsCounted(event_id=EventId(f"s/{n}"), occurred_at=AT, unit=UnitId("u"), count=n, position=n) for n in (1, 2)
    ]
    staff = [
        StaffOnDuty(event_id=EventId(f"t/{n}"), occurred_at=AT, pool="doctor", count=n, position=n) for n in (1, 2, 3)
    ]
    bad = [Rejected(position=4, place="f.csv:4", reason="unknown_value", text="acuity 9")]
    tell(log, *beds)
    told = log.append([*beds, *staff], next_position(log, "s"), intake=Intake(read=9, ignored=2, rejected=bad))
    assert told.account == Account(read=9, stored=3, duplicate=3, ignored=2, rejected=1)
    assert (told.stored, told.duplicate, told.stored_positions.tolist()) == (3, 2, [1, 2, 3])
    assert tell(log, *beds, *staff).account == Account(read=3, stored=0, duplicate=3, ignored=0, rejected=0)
    assert log.accounts() == {"s": Account(read=14, stored=5, duplicate=6, ignored=2, rejected=1)}


def test_an_account_that_does_not_add_up_is_a_fault_of_the_caller() -> None:
    log, _ = memory_log()
    with pytest.raises(ValueError, match="read must be stored"):
        log.append([departed("v")], Position(source="s", offset=1), intake=Intake(read=1, ignored=1))
    assert log.length() == 0


def test_what_was_rejected_is_kept_once() -> None:
    log, _ = memory_log()
    bad = [
        Rejected(position=n, place=f"f.csv:{n}", reason=r)
        for n, r in ((1, "late"), (2, "odd"), (3, "late"), (3, "late"))
    ]
    for _ in range(2):
        log.append([], next_position(log, "s"), intake=Intake(read=4, rejected=bad))
    assert log.rejected_counts() == {"late": 2, "odd": 1}
    assert count(log, "rejected") == 3


def test_the_span_says_what_the_log_holds() -> None:
    log, _ = memory_log()
    assert (log.span(), log.length()) == (None, 0)
    tell(log, departed("a", known_at=AT + HOUR), departed("b", occurred_at=AT + MINUTE, known_at=AT))
    assert log.span() == Span(
        first_occurred_at=AT, last_occurred_at=AT + MINUTE, last_known_at=AT + HOUR, count=2
    )  # fmt: skip


def test_the_last_snapshot_by_an_instant_is_given_until_something_makes_it_untrue() -> None:
    log, clock = memory_log()
    tell(log, departed("v"))
    first, second = [Snapshot(name="state", at=AT, known_at=AT + n * HOUR, blob=bytes([n, 0])) for n in (1, 2)]
    clock.advance_to(AT + 3 * HOUR)
    for snapshot in (first, second):
        log.save_snapshot(snapshot.name, snapshot.at, snapshot.known_at, snapshot.blob)
    assert log.latest_snapshot("state", AT) is None
    assert log.latest_snapshot("other", AT + 9 * HOUR) is None
    assert log.latest_snapshot("state", AT + 2 * HOUR - TICK) == first
    assert log.latest_snapshot("state", AT + 9 * HOUR) == second
    tell(log, departed("live"))
    assert log.latest_snapshot("state", AT + 9 * HOUR) == second
    tell(log, departed("old", known_at=AT + 2 * HOUR))
    assert log.latest_snapshot("state", AT + 9 * HOUR) == first
    tell(log, departed("older", known_at=AT + HOUR))
    assert log.latest_snapshot("state", AT + 9 * HOUR) is None
    assert (log.has_snapshot("state"), log.has_snapshot("other")) == (True, False)


def test_a_snapshot_made_before_a_batch_that_came_meanwhile_is_not_given() -> None:
    log, _ = memory_log()
    seen = log.length()
    tell(log, departed("v", known_at=AT))
    log.save_snapshot("state", AT, AT, b"made without v", seen=seen)
    assert log.latest_snapshot("state", AT) is None


def test_only_the_latest_snapshots_of_a_name_are_kept() -> None:
    log, _ = memory_log()
    log.save_snapshot("other", AT, AT, b"o")
    for n in range(5):
        log.save_snapshot("state", AT, AT + n * HOUR, bytes([n]), keep=2)
    found = [log.latest_snapshot("state", AT + n * HOUR) for n in range(5)]
    assert [s and s.blob for s in found] == [None, None, None, b"\x03", b"\x04"]
    assert log.latest_snapshot("other", AT) is not None


def test_an_extract_that_was_only_begun_proves_nothing() -> None:
    log, _ = memory_log(AT + 9 * HOUR)
    begun = Extract(source="s", digest="1", extracted_at=AT + HOUR, first_at=AT)
    log.append([], Position(source="s", offset=1), extract=begun)
    take_in(log, [departed("v", known_at=AT + MINUTE)], AT + 2 * HOUR)
    for _ in range(2):
        log.finish(begun)
    take_in(log, [departed("w", known_at=AT + MINUTE)], AT + 2 * HOUR)
    assert [e.known_at for e in log.read()] == [AT + MINUTE, AT + HOUR + TICK]


# ------------------------------------------------------------------------------------------- whole or absent

ROOT = Path(__file__).parents[1]


def killed_after(path: Path, seconds: float, *mutants: str) -> int:
    """Let a process append batches, and kill it so long after the first; the last position that it had reported."""
    command = [sys.executable, "-m", "tests.appending_child", str(path), *mutants]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        first = child.stdout.readline()
        wait(seconds)
        os.kill(child.pid, signal.SIGKILL)
        reported = [line for line in [first, *child.stdout] if line.endswith("\n")]
    return int(reported[-1]) if reported else 0


def wait(seconds: float) -> None:
    clock = WallClock()
    clock.sleep_until(clock.now() + timedelta(seconds=seconds))


def check_whole(path: Path) -> int:
    """Every batch is whole, and the position is that of the last; returns it."""
    with Database.open(path) as database:
        log = EventLog(database, WallClock())
        position = log.position("s")
        offset = position.offset if position else 0
        assert log.length() == offset * BATCH
        assert len(standing(log.read())) == offset * BATCH
        ((sequences,),) = rows(database.cursor(), "SELECT count(DISTINCT sequence) FROM event WHERE sequence > 0")
        assert sequences == log.length()
        return offset


def test_a_killed_append_is_whole_or_absent_and_what_was_reported_is_there(tmp_path: Path) -> None:
    path, reached = tmp_path / "d.duckdb", 0
    for cycle in range(5):
        reported = killed_after(path, 0.1 + 0.05 * cycle)
        offset = check_whole(path)
        assert offset >= max(reported, reached)
        reached = offset
    assert reached > 0


def test_the_check_of_kills_sees_a_position_in_a_second_transaction(tmp_path: Path) -> None:
    path = tmp_path / "d.duckdb"
    assert killed_after(path, 3, position_in_a_second_transaction.__name__) == DIES_AT - 1
    with pytest.raises(AssertionError):
        check_whole(path)


def test_a_batch_that_fails_at_its_end_leaves_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = memory_log()
    tell(log, departed("v"))

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(bookkeeping, "store_batch", full)
    with pytest.raises(OSError, match="no space"):
        tell(log, departed("v", "ward"), departed("w"))
    monkeypatch.undo()
    assert (log.length(), count(log, "superseded"), log.position("s")) == (1, 0, Position(source="s", offset=1))
    assert tell(log, departed("v", "ward"), departed("w")).stored == 2
