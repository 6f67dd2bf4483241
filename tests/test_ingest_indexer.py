"""From the journal into the log: each record once, whatever happens on the way."""

from __future__ import annotations

import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest import bookkeeping, indexer
from ingest.clock import WallClock
from ingest.errors import BehindError, EventError, JournalDamagedError, PositionError, ReaderMissingError
from ingest.events import Arrived, EventId, VisitId
from ingest.formats import Place, Reading
from ingest.instants import Instants
from ingest.journal import Entry
from ingest.log import Account, EventLog, Position
from ingest.messages import Journalled
from ingest.rebuild import require_journalled
from tests.fake_format import FakeFormat
from tests.journals import house, line, taken_in
from tests.logs import AT, HOUR, TICK, departed

EVER = AT + 1000 * HOUR


# ------------------------------------------------------------------------------------------------------- what is told


def test_what_was_journalled_is_in_the_log_with_its_account(tmp_path: Path) -> None:
    entries = [line(1), line(2, "move", "v1"), line(1), line(3, "bill"), line(4, unit="moon")]
    with house(tmp_path) as h:
        records = h.journal.append(entries)
        assert h.indexer.lag == 5
        assert h.indexer.catch_up() == 5
        assert (h.indexer.lag, h.indexer.number) == (0, 5)
        assert [(e.kind, e.source, e.position) for e in h.log.read()] == [("Arrived", "adt", 1), ("Moved", "adt", 2)]
        assert [e.known_at for e in h.log.read()] == [r.stored_at for r in records[:2]]
        assert [e.stored_at for e in h.log.read()] == [r.stored_at for r in records[:2]]
        assert h.log.accounts() == {"adt": Account(read=5, stored=2, duplicate=1, ignored=1, rejected=1)}
        assert h.log.remarks() == {("adt", "ignored", "not_of_interest"): 1}
        assert h.log.rejected_counts() == {"unknown_value": 1}
        assert h.log.position("adt") == Position(source="adt", offset=5)


def test_accounts_of_sources_are_apart(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        other = Entry(format="fake", source="t[0]", payload=line(9).payload, offset=41, detail="leader 3")
        h.journal.append([line(1), other, line(2)])
        h.indexer.catch_up()
        assert {name: a.read for name, a in h.log.accounts().items()} == {"adt": 2, "t[0]": 1}
        assert h.log.position("t[0]") == Position(source="t[0]", offset=41, detail="leader 3")


class Careless(FakeFormat):
    """A reader that fails, makes what cannot be, and says of its own when things were known."""

    def read(self, payload: bytes, place: Place) -> Reading:
        visit = payload.decode().split("|")[2]
        if visit == "fails":
            raise RuntimeError(visit)
        at = datetime(2026, 1, 1) if visit == "naive" else AT
        event = Arrived(
            event_id=EventId(visit),
            visit=VisitId(visit),
            occurred_at=at,
            source="else",
            position=-5,
            known_at=AT - HOUR,
        )
        return Reading(events=(event,), flags=("ambiguous",))


def test_a_reader_that_fails_keeps_no_other_message_from_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with house(tmp_path, form=Careless()) as h:
        h.journal.append([line(1), line(2, visit="naive"), line(3, visit="fails"), line(4)])
        h.indexer.catch_up()
        assert [(e.event_id, e.source, e.position) for e in h.log.read()] == [("v1", "adt", 1), ("v4", "adt", 4)]
        assert all(e.known_at == e.stored_at for e in h.log.read())
        assert h.log.accounts()["adt"] == Account(read=4, stored=2, duplicate=0, ignored=0, rejected=2)
        assert [(r.rejected.position, r.rejected.reason) for r in h.log.rejections()] == [
            (2, "reader_failed"),
            (3, "reader_failed"),
        ]
        assert h.log.remarks() == {("adt", "flag", "ambiguous"): 2}
    assert "RuntimeError" in caplog.text


def test_a_message_that_nothing_is_set_up_to_read_stops_the_index_and_is_told(tmp_path: Path) -> None:
    """A command without the settings must not put a whole feed into the quarantine."""
    with house(tmp_path) as h:
        h.journal.append([line(1), line(2)])
        h.indexer._readers = lambda record: None
        with pytest.raises(ReaderMissingError, match=r"record 1 .* format fake \(adt\), which nothing here is set up"):
            h.indexer.catch_up()
        assert (h.log.length(), h.log.rejections()) == (0, [])
        h.indexer._readers = lambda record: FakeFormat()
        h.indexer.catch_up()
        assert h.log.length() == 2


def test_what_has_a_fault_needs_no_reader(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        h.indexer._readers = lambda record: None
        h.journal.append([Entry(format="fake", source="adt", payload=b"?", fault="malformed")])
        h.indexer.catch_up()
        assert [(r.rejected.place, r.rejected.reason) for r in h.log.rejections()] == [("adt@1", "malformed")]


# ------------------------------------------------------------------------------------------------------------- crashes


class CrashError(Exception):
    """The process is no more."""


def check_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Crash at each step of the second of three batches; then each record is in the log, and counted, once."""
    for crash in ("store_messages", "store_indexed", "committed"):
        database = folder / crash / "log.duckdb"
        _crashed(folder / crash, database, monkeypatch, crash)
        with house(folder / crash, database=database) as h:
            h.indexer.catch_up()
            assert h.log.accounts()["adt"].read == h.journal.last == 30
            assert [e.position for e in h.log.read()] == list(range(1, 31))


def _crashed(folder: Path, database: Path, monkeypatch: pytest.MonkeyPatch, crash: str) -> None:
    with monkeypatch.context() as patched, house(folder, database=database) as h:
        h.journal.append([line(n, minute=n) for n in range(1, 11)])
        h.indexer.catch_up()
        h.journal.append([line(n, minute=n) for n in range(11, 21)])
        _crash_in(crash, patched)
        with pytest.raises(CrashError):
            h.indexer.catch_up()
        patched.undo()
        h.journal.append([line(n, minute=n) for n in range(21, 31)])


def _crash_in(step: str, patched: pytest.MonkeyPatch) -> None:
    def crash(*given: Any, **named: Any) -> None:
        raise CrashError

    if step == "committed":
        patched.setattr(Instants, "indexed", crash)
    else:
        patched.setattr(bookkeeping, step, crash)


def test_a_crash_between_any_two_steps_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_once(tmp_path, monkeypatch)


def test_the_check_sees_an_offset_in_a_second_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = bookkeeping.store_messages

    def alone(cursor: Any, *others: Any) -> None:
        stored(cursor, *others)
        cursor.commit()
        cursor.begin()

    monkeypatch.setattr(bookkeeping, "store_messages", alone)
    with pytest.raises(AssertionError):
        check_once(tmp_path, monkeypatch)


def test_the_check_sees_an_offset_before_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked, indexed = bookkeeping.check_forward, bookkeeping.store_indexed

    def early(cursor: Any, position: Position) -> None:
        checked(cursor, position)
        stored_at = AT + position.offset * TICK
        indexed(cursor, Journalled(number=position.offset, stored_at=stored_at))
        cursor.commit()
        cursor.begin()

    def crash_only(cursor: Any, *others: Any) -> None:
        if others and others[0] is None:
            indexed(cursor, *others)

    monkeypatch.setattr(bookkeeping, "check_forward", early)
    monkeypatch.setattr(bookkeeping, "store_indexed", crash_only)
    with pytest.raises(AssertionError):
        check_once(tmp_path, monkeypatch)


def test_after_a_fault_nothing_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever appends next indexes what the fault left, and not only what is its own."""
    with house(tmp_path) as h:
        h.journal.append([line(n) for n in range(1, 4)])
        for crash in ("store_messages", "committed"):
            with monkeypatch.context() as patched:
                _crash_in(crash, patched)
                with pytest.raises(CrashError):
                    h.indexer.catch_up()
        h.log.append([departed("a")], Position(source="s", offset=1))
        assert [e.position for e in h.log.read() if e.source == "adt"] == [1, 2, 3]
        assert h.indexer.number == h.journal.last == 4


def test_a_journal_shorter_than_its_log_is_told(tmp_path: Path) -> None:
    with house(tmp_path / "whole", database=tmp_path / "log") as h:
        h.journal.append([line(1), line(2)])
        h.indexer.catch_up()
    shorter = "must hold record 2, which is in the log, but ends with 0"
    with pytest.raises(JournalDamagedError, match=shorter), house(tmp_path / "other", database=tmp_path / "log"):
        pass


def test_the_follower_goes_on_after_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = threading.Event()

    def fail(*given: Any) -> None:
        failed.set()
        raise OSError("full")

    with house(tmp_path, WallClock()) as h:
        with monkeypatch.context() as patched:
            patched.setattr(bookkeeping, "store_messages", fail)
            h.indexer.start()
            (record,) = h.journal.append([line(1)])
            assert failed.wait(10)
        assert len(h.log.read(known_at=record.stored_at)) == 1
        h.indexer.stop()
        assert h.indexer.fault is None or h.indexer.number == 1


# --------------------------------------------------------------------------------------------------------------- views


def check_views_hold_all(folder: Path, rounds: int = 40) -> None:
    """While records come and are indexed in another thread, a view holds every record stored by its instant."""
    with house(folder, WallClock()) as h:
        h.indexer.start()
        stored: list[datetime] = []
        ended = threading.Event()

        def write() -> None:
            for n in range(rounds):
                stored.append(h.journal.append([line(n, minute=n)])[0].stored_at)  # noqa: PERF401 - seen meanwhile
            ended.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            while not ended.wait(0.001):
                known = list(stored)
                if known:
                    assert len(h.log.read(known_at=known[-1])) == len(known)
        finally:
            writer.join()
            h.indexer.stop()


def test_a_view_holds_every_record_stored_by_its_instant(tmp_path: Path) -> None:
    check_views_hold_all(tmp_path)


def test_the_check_sees_views_that_do_not_wait_for_the_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(self: Instants, known_at: datetime, needed: datetime) -> bool:
        return self._storing is None or self._storing > known_at

    monkeypatch.setattr(Instants, "_holds", hasty)
    with pytest.raises(AssertionError):
        check_views_hold_all(tmp_path)


def test_views_wait_after_a_start_too(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        (record,) = h.journal.append([line(1)])
    with house(tmp_path) as h:
        h.log.instants.longest_wait_s = 0.01
        with pytest.raises(BehindError):
            h.log.read(known_at=record.stored_at)
        h.indexer.catch_up()
        assert len(h.log.read(known_at=record.stored_at)) == 1


def test_a_view_that_waits_hurries_the_follower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute would be taken to gather a batch; a view has what it must hold at once, and the end does not wait."""
    monkeypatch.setattr(indexer, "GATHER_S", 60.0)
    with house(tmp_path, WallClock()) as h:
        h.log.instants.longest_wait_s = 20.0
        h.indexer.start()
        for n in range(5):
            (record,) = h.journal.append([line(n)])
            assert len(h.log.read(known_at=record.stored_at)) == n + 1
        h.journal.append([line(9)])
        h.indexer.stop()
        assert h.indexer.lag == 0


# ------------------------------------------------------------------------------------------- batches by the same road


def test_batches_are_journalled_and_stored_as_they_were_given(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        h.journal.append([line(1)])
        taken_in(h, AT + HOUR, "a", "b", offset=4)
        assert h.indexer.number == h.journal.last == 3
        assert h.log.accounts()["er"] == Account(read=4, stored=2, duplicate=0, ignored=1, rejected=1)
        assert h.log.position("er") == h.journal.position("er") == Position(source="er", offset=4, detail="d")
        assert h.log.unjournalled() == {}
        require_journalled(h.log)
        assert len(h.log.read()) == 3


def test_a_bad_batch_is_refused_before_it_is_journalled(tmp_path: Path) -> None:
    with house(tmp_path) as h:
        h.log.append([departed("a")], Position(source="s", offset=5))
        with pytest.raises(PositionError, match="beyond 5"):
            h.log.append([departed("b")], Position(source="s", offset=5))
        with pytest.raises(EventError):
            h.log.append_table(pa.table({"kind": ["Arrived"]}), Position(source="s", offset=6))
        assert h.journal.last == 1


def test_a_batch_whose_indexing_was_cut_short_is_in_the_log_after_a_start(tmp_path: Path) -> None:
    with house(tmp_path / "j", database=tmp_path / "log") as h:
        h.log.instants.indexed = _no_more  # type: ignore[method-assign]
        with pytest.raises(CrashError):
            h.log.append([departed("a")], Position(source="s", offset=1))
    with house(tmp_path / "j", database=tmp_path / "log") as h:
        assert h.indexer.catch_up() == 0
        assert len(h.log.read()) == 1
        h.log.append([departed("b")], Position(source="s", offset=2))
        assert h.log.accounts()["s"].read == 2


def _no_more(until: datetime) -> None:
    raise CrashError


def test_a_fault_is_over_with_the_first_that_is_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only once nothing more comes: a feed that never pauses would keep it on the board."""
    stored, told = EventLog.append_messages, list[str | None]()
    monkeypatch.setattr(indexer, "BATCH_MESSAGES", 1)
    with house(tmp_path) as h:

        def noted(self: EventLog, *given: Any) -> Any:
            told.append(h.indexer.fault)
            return stored(self, *given)

        monkeypatch.setattr(EventLog, "append_messages", noted)
        h.journal.append([line(n) for n in range(3)])
        h.indexer.fault = "the disk is full"
        h.indexer.catch_up()
    assert told == ["the disk is full", None, None]
