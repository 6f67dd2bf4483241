"""A copy of a house that goes on meanwhile is what the house held at one instant; what is not is never called good."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ingest import backup
from ingest.backup import DATABASE, JOURNAL, State, copy, require_same
from ingest.clock import SimulatedClock
from ingest.database import Database, rows
from ingest.disk import Disk
from ingest.errors import BackupError, JournalWriteError
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import End, Journal
from ingest.log import EventLog
from tests.fake_format import FakeFormat
from tests.journals import SmallHouse, line, taken_in, views
from tests.logs import AT, HOUR

LATER = AT + 1000 * HOUR


@contextmanager
def living(folder: Path) -> Iterator[tuple[SmallHouse, Database]]:
    """A house with a small journal of several files, some messages, an extract, and a snapshot."""
    clock = SimulatedClock(AT)
    with Database.open(folder / DATABASE, threads=1) as database:
        log = JournalledLog(database, clock)
        with Journal.open(folder / JOURNAL, log.instants, reserve_bytes=0, segment_bytes=2000) as journal:
            indexer = Indexer(journal, log, lambda record: FakeFormat())
            log.follow(journal, indexer)
            small = SmallHouse(log, journal, indexer)
            for n in range(0, 30, 3):
                journal.append([line(n + k, visit=f"v{n + k}") for k in range(3)])
            taken_in(small, AT + HOUR, "a", "b", offset=4)
            log.save_snapshot("state", AT, AT, b"what is kept")
            try:
                yield small, database
            finally:
                indexer.close()


@contextmanager
def restored(place: Path) -> Iterator[SmallHouse]:
    """A house on the copy."""
    with Database.open(place / DATABASE, threads=1) as database:
        log = JournalledLog(database, SimulatedClock(LATER))
        with Journal.open(place / JOURNAL, log.instants, reserve_bytes=0) as journal:
            indexer = Indexer(journal, log, lambda record: FakeFormat())
            log.follow(journal, indexer)
            yield SmallHouse(log, journal, indexer)
            indexer.close()


def backed_up(h: SmallHouse, database: Database, place: Path, before: Path | None = None) -> State:
    """As the house does it: copied, then held against what was copied."""
    state = copy(database, h.journal, place, before=before)
    require_same(place, state)
    return state


def test_a_copy_is_the_house_and_goes_on_from_there(tmp_path: Path) -> None:
    with living(tmp_path / "d") as (h, database):
        state = backed_up(h, database, tmp_path / "b")
        instants = [AT, AT + HOUR, LATER]
        told, last = views(h.log, instants), h.journal.last
        assert (state.records, {name: n for name, n, _ in state.tables}["event"]) == (last, h.log.length())
        assert len(h.journal.segments()) > 2
    with restored(tmp_path / "b") as there:
        assert there.indexer.catch_up() == 0, "the database has just the records of the journal"
        assert views(there.log, instants) == told
        assert there.journal.append([line(99)])[0].number == last + 1
        assert there.indexer.catch_up() == 1


def test_an_empty_house_has_a_copy_too(tmp_path: Path) -> None:
    with Database.open(tmp_path / "d" / DATABASE) as database:
        log = EventLog(database, SimulatedClock(AT))
        with Journal.open(tmp_path / "d" / JOURNAL, log.instants, reserve_bytes=0) as journal:
            require_same(tmp_path / "b", state := copy(database, journal, tmp_path / "b"))
            assert state.records == 0
    with restored(tmp_path / "b") as there:
        assert there.log.span() is None


def test_what_comes_while_it_is_copied_is_whole_in_it_or_not_at_all(tmp_path: Path) -> None:
    """Messages are taken and indexed all the while; what a copy's database holds is what its journal makes."""
    with living(tmp_path / "d") as (h, database):
        stop = threading.Event()

        def append() -> None:
            number = 1000
            while not stop.wait(0.002):
                h.journal.append([line(number + k, visit=f"w{number + k}") for k in range(5)])
                number += 5

        thread = threading.Thread(target=append)
        h.indexer.start()
        thread.start()
        try:
            states = [backed_up(h, database, tmp_path / f"b{n}") for n in range(2)]
        finally:
            stop.set()
            thread.join()
            h.indexer.stop()
        assert states[0].records < states[1].records <= h.journal.last
    for n, state in enumerate(states):
        with restored(tmp_path / f"b{n}") as there:
            assert there.journal.last == state.records
            there.indexer.catch_up()
            told = views(there.log, [LATER])
        (tmp_path / f"b{n}" / DATABASE).unlink()
        with restored(tmp_path / f"b{n}") as anew:
            anew.indexer.catch_up()
            assert views(anew.log, [LATER]) == told, "as the journal alone makes it"


def test_files_of_the_journal_that_grow_no_more_are_shared_with_the_copy_before(tmp_path: Path) -> None:
    with living(tmp_path / "d") as (h, database):
        backed_up(h, database, tmp_path / "b1")
        h.journal.append([line(500)])
        backed_up(h, database, tmp_path / "b2", before=tmp_path / "b1")
        first, *_, last = sorted((tmp_path / "b2" / JOURNAL).iterdir())
        assert (first.stat().st_nlink, last.stat().st_nlink) == (2, 1)
        rotten = tmp_path / "b1" / JOURNAL / first.name
        rotten.unlink()  # not the shared bytes
        rotten.write_bytes(first.read_bytes()[:-1] + b"\0")
        backed_up(h, database, tmp_path / "b3", before=tmp_path / "b1")
        assert (tmp_path / "b3" / JOURNAL / first.name).read_bytes() == first.read_bytes(), "rot is not carried on"


def test_what_is_not_indexed_yet_is_in_the_copy_and_indexed_by_who_opens_it(tmp_path: Path) -> None:
    with living(tmp_path / "d") as (h, database):
        indexed = h.indexer.number
        h.journal.append([line(700, visit="late")])
        assert backed_up(h, database, tmp_path / "b").records == indexed + 1
        h.indexer.catch_up()
        told = views(h.log, [LATER])
    with restored(tmp_path / "b") as there:
        assert there.indexer.catch_up() == 1
        assert views(there.log, [LATER]) == told


# --- what is not the house's is never called good -----------------------------------------------------------------


def without_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy that misses a table, as a copied file of a live DuckDB did."""
    all_of = backup.tables
    monkeypatch.setattr(backup, "tables", lambda cursor: [name for name in all_of(cursor) if name != "rejected"])


def with_a_torn_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the journal's files as they lie there, though a record is being written."""
    honest = backup._copy_bytes

    def to_the_end(path: Path, length: int, target: Path) -> None:
        with path.open("ab") as file:
            file.write(b"EDJ1 half a record")
        honest(path, path.stat().st_size, target)

    monkeypatch.setattr(backup, "_copy_bytes", to_the_end)


def with_a_shorter_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last file of the journal forgotten."""
    honest = backup._copy_journal
    monkeypatch.setattr(
        backup, "_copy_journal", lambda end, *to: honest(End(end.records, end.link, end.files[:-1]), *to)
    )


def of_two_instants(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows read one table after the other, while the house goes on."""
    all_of = backup.tables

    def with_news(cursor: Any) -> list[str]:
        cursor.rollback()
        cursor.execute("INSERT INTO remark VALUES (now()::TIMESTAMP, 's', 'flag', 'news', 1)")
        cursor.begin()
        return all_of(cursor)

    monkeypatch.setattr(backup, "tables", with_news)


def with_another_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows, one of which says something else."""
    honest = backup._copy_tables

    def changed(cursor: Any, file: Path, schemas: Any) -> None:
        honest(cursor, file, schemas)
        with Database.open(file) as there, there.transaction() as into:
            rows(into, "UPDATE snapshot SET blob = 'other'::BLOB")

    monkeypatch.setattr(backup, "_copy_tables", changed)


MUTANTS: list[tuple[Callable[[pytest.MonkeyPatch], None], str]] = [
    (without_a_table, "table rejected must hold the 1 rows of the house, but the copy holds 0"),
    (with_a_torn_journal, "cannot be read: .* is damaged at byte"),
    (with_a_shorter_journal, "the journal must lead to record"),
    (of_two_instants, "table remark must hold"),
    (with_another_value, "table snapshot must hold"),
]


@pytest.mark.parametrize(("mutant", "why"), MUTANTS, ids=[mutant.__name__ for mutant, _ in MUTANTS])
def test_a_copy_that_is_not_the_house_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch], None], why: str
) -> None:
    with living(tmp_path / "d") as (h, database):
        mutant(monkeypatch)
        with pytest.raises(BackupError, match=why):
            backed_up(h, database, tmp_path / "b")


def test_a_flipped_bit_is_found_wherever_it_is(tmp_path: Path) -> None:
    with living(tmp_path / "d") as (h, database):
        state = backed_up(h, database, tmp_path / "b")
    files = sorted((tmp_path / "b").rglob("*.journal"))
    for file, places in ((files[0], (3,)), (files[2], (700, -1))):
        whole = file.read_bytes()
        for at in (place % len(whole) for place in places):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
            with pytest.raises(BackupError, match="cannot be read"):
                require_same(tmp_path / "b", state)
        file.write_bytes(whole)
    require_same(tmp_path / "b", state)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with living(tmp_path / "d") as (h, database):
        with pytest.raises(BackupError, match="cannot be written: Not a directory"):
            copy(database, h.journal, tmp_path / "file" / "b")
        assert h.journal.append([line(800)]), "and the house goes on"


def test_the_hash_is_another_where_anything_is() -> None:
    state = State(tables=(("event", 2, "ab"),), records=3, link="00")
    others = [
        State(tables=(("event", 2, "ac"),), records=3, link="00"),
        State(tables=(("event", 2, "ab"),), records=4, link="00"),
        State(tables=(("event", 2, "ab"),), records=3, link="01"),
    ]
    assert len({state.hash, *(other.hash for other in others)}) == 4


def test_bytes_behind_the_last_good_record_are_no_part_of_the_journal(tmp_path: Path) -> None:
    """A write that failed half-way left something; the copy ends before it."""
    failing = False

    def sync(handle: int) -> None:
        if failing:
            raise OSError(5, "Input/output error")

    with Database.open(tmp_path / "d" / DATABASE) as database:
        log = EventLog(database, SimulatedClock(AT))
        with Journal.open(tmp_path / "d" / JOURNAL, log.instants, reserve_bytes=0, disk=Disk(sync)) as journal:
            journal.append([line(1)])
            failing = True
            with pytest.raises(JournalWriteError):
                journal.append([line(2)])
            require_same(tmp_path / "b", state := copy(database, journal, tmp_path / "b"))
            assert state.records == 1
            journal.close()
