"""The one file: made once, held by one, closed to the outside; whole transactions or none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ingest.database import SCHEMA_SQL, Database, arrow, aware, naive, registered, rows
from ingest.errors import DatabaseDamagedError, DatabaseHeldError, EdtwinError, UnreadableInputError
from ingest.versions import STORED_SCHEMA
from tests.logs import AT, departed, memory_log, tell

HOLD = """
import sys
from pathlib import Path
from ingest.database import Database
with Database.open(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
ROOT = Path(__file__).parents[1]
INSERT = "INSERT INTO rejected VALUES ('s', 1, 'f:1', 'bad', '', '2026-03-02')"
COUNT = "SELECT count(*) FROM rejected"


def test_every_table_and_column_says_what_it_holds() -> None:
    cursor = Database.open(None).cursor()
    tables = dict(rows(cursor, "SELECT table_name, comment FROM duckdb_tables()"))
    columns = rows(cursor, "SELECT table_name || '.' || column_name, comment FROM duckdb_columns() WHERE NOT internal")
    assert {"event", "superseded", "confirmed", "extract", "batch", "rejected", "snapshot"} < tables.keys()
    assert [name for name, comment in [*tables.items(), *columns] if not comment] == []
    times = [(name, comment) for name, comment in columns if name.endswith("_at")]
    assert [name for name, comment in times if "(UTC)" not in comment] == []


def test_a_column_without_a_comment_would_be_seen(tmp_path: Path) -> None:
    bare = tmp_path / "schema.sql"
    bare.write_text("CREATE TABLE bare (x INTEGER);")
    cursor = Database.open(None, [bare]).cursor()
    assert rows(cursor, "SELECT comment FROM duckdb_columns() WHERE table_name = 'bare'") == [(None,)]


def test_the_event_table_has_the_columns_of_the_vocabulary_and_three_of_its_own() -> None:
    cursor = Database.open(None).cursor()
    held = arrow(cursor, "SELECT * FROM event").schema
    own = [("sequence", pa.int64()), ("subject_key", pa.uint64()), ("content_key", pa.uint64())]
    assert [(f.name, f.type) for f in held] == [*((f.name, f.type) for f in STORED_SCHEMA), *own]


def test_a_file_keeps_what_was_committed_and_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "edtwin.duckdb"
    for number in range(3):
        with Database.open(path) as database:
            assert rows(database.cursor(), COUNT) == [(number,)]
            with database.transaction() as cursor:
                rows(cursor, INSERT)


def test_a_file_can_be_read_by_the_version_before(tmp_path: Path) -> None:
    with Database.open(tmp_path / "d.duckdb") as database:
        tags = rows(database.cursor(), "SELECT tags FROM duckdb_databases() WHERE NOT internal")
    assert tags == [({"storage_version": "v1.5.0+"},)]


def test_the_schemas_of_other_folders_are_added_to_a_file_that_exists(tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "schema.sql"
    other.parent.mkdir()
    other.write_text("CREATE TABLE other (x INTEGER); COMMENT ON TABLE other IS 'Of another folder; with a point.';")
    path = tmp_path / "d.duckdb"
    Database.open(path).close()
    for _ in range(2):
        with Database.open(path, [SCHEMA_SQL, other]) as database:
            assert rows(database.cursor(), "SELECT count(*) FROM other") == [(0,)]
    other.write_text("CREATE TABLE other (x INTEGER); -- said better")
    Database.open(path, [SCHEMA_SQL, other]).close()


def test_a_file_with_other_tables_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    schema = tmp_path / "folder" / "schema.sql"
    schema.parent.mkdir()
    path = tmp_path / "d.duckdb"
    schema.write_text("CREATE TABLE one (x INTEGER);")
    Database.open(path, [schema]).close()
    schema.write_text("CREATE TABLE one (x INTEGER, y INTEGER);")
    with pytest.raises(EdtwinError, match="another version of edtwin: its tables of folder/ are not these"):
        Database.open(path, [SCHEMA_SQL, schema])
    with Database.open(path, []) as database:
        assert rows(database.cursor(), "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'event'") == [(0,)]


def test_another_process_is_told_who_holds_the_file(tmp_path: Path) -> None:
    path = tmp_path / "d.duckdb"
    command = [sys.executable, "-c", HOLD, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseHeldError) as told:
            Database.open(path)
        holder.communicate("")
    assert str(told.value) == f"{path} is held by process {holder.pid}: one process at a time can open it"
    Database.open(path).close()


def test_the_same_process_cannot_open_it_twice_either(tmp_path: Path) -> None:
    path = tmp_path / "d.duckdb"
    with Database.open(path):
        for threads in (None, 1):
            with pytest.raises(DatabaseHeldError, match="held by this very process"):
                Database.open(path, threads=threads)
    Database.open(path).close()


def test_a_file_that_is_only_read_is_left_as_it_was_also_after_a_crash(tmp_path: Path) -> None:
    file, killed = tmp_path / "edtwin.duckdb", tmp_path / "killed" / "edtwin.duckdb"
    killed.parent.mkdir()
    with Database.open(file) as database, database.transaction() as cursor:
        cursor.execute(INSERT)
        database.cursor()
    with Database.open(file) as database:
        with database.transaction() as cursor:
            cursor.execute(INSERT.replace("'f:1'", "'f:2'"))
        for part in tmp_path.glob("edtwin.duckdb*"):  # as they lie there when the process is killed now
            shutil.copyfile(part, killed.parent / part.name)
    assert killed.with_name("edtwin.duckdb.wal").exists()
    before = {part.name: part.read_bytes() for part in killed.parent.iterdir()}
    with Database.open_to_read(killed) as database:
        assert rows(database.cursor(), COUNT) == [(2,)]
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            database.cursor().execute(INSERT)
    assert {part.name: part.read_bytes() for part in killed.parent.iterdir()} == before
    with Database.open(killed):
        pass
    assert {part.name: part.read_bytes() for part in killed.parent.iterdir()} != before  # the mutant: opened as usual


def test_a_file_that_cannot_be_read_is_told_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="there is no such file"):
        Database.open_to_read(tmp_path / "none.duckdb")
    (tmp_path / "other.duckdb").write_bytes(b"not a database")
    with pytest.raises(DatabaseDamagedError, match="is not a database of edtwin"):
        Database.open_to_read(tmp_path / "other.duckdb")
    other = tmp_path / "ingest" / "schema.sql"
    other.parent.mkdir()
    other.write_text("CREATE TABLE x (y INTEGER);", encoding="utf-8")
    with Database.open(tmp_path / "old.duckdb", schemas=(other,)):
        pass
    with pytest.raises(EdtwinError, match="made by another version of edtwin"):
        Database.open_to_read(tmp_path / "old.duckdb")
    assert sorted(p.name for p in tmp_path.glob("*.duckdb")) == ["old.duckdb", "other.duckdb"]


def test_what_is_not_a_database_or_is_damaged_is_told_in_one_line(tmp_path: Path) -> None:
    text = tmp_path / "text.duckdb"
    text.write_text("not a database " * 5000)
    whole = tmp_path / "whole.duckdb"
    Database.open(whole).close()
    flipped = bytearray(whole.read_bytes())
    flipped[5000] ^= 1
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(flipped)
    for path in (text, damaged):
        with pytest.raises(DatabaseDamagedError, match=re.escape(str(path))) as told:
            Database.open(path)
        assert "\n" not in str(told.value)


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "d.duckdb"):
        with pytest.raises(UnreadableInputError, match=re.escape(str(path))):
            Database.open(path)


def test_nothing_outside_the_file_can_be_reached(tmp_path: Path) -> None:
    with Database.open(tmp_path / "d.duckdb") as database:
        table = pa.table({"x": [1]})
        for reach in (
            "SELECT * FROM read_text('/etc/hostname')",
            f"ATTACH '{tmp_path}/other.duckdb'",
            f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
            "INSTALL httpfs",
            "LOAD httpfs",
            "SELECT * FROM table",
            "SELECT * FROM 'data.csv'",
            "SET enable_external_access = true",
            "SET threads = 1",
        ):
            with pytest.raises(duckdb.Error):
                rows(database.cursor(), reach)
        assert table.num_rows == 1
    assert {path.name for path in tmp_path.iterdir()} == {"d.duckdb"}


def test_a_transaction_is_whole_or_absent() -> None:
    database = Database.open(None)
    with pytest.raises(RuntimeError, match="half way"):
        write_half(database)
    assert rows(database.cursor(), COUNT) == [(0,)]
    with database.transaction() as cursor:
        rows(cursor, INSERT)
    assert rows(database.cursor(), COUNT) == [(1,)]


def write_half(database: Database) -> None:
    with database.transaction() as cursor:
        rows(cursor, INSERT)
        assert rows(cursor, COUNT) == [(1,)]
        raise RuntimeError("half way")


def test_each_thread_has_its_own_cursor_and_sees_what_is_committed() -> None:
    database = Database.open(None)
    seen: list[tuple[int, int]] = []

    def look() -> None:
        ((number,),) = rows(database.cursor(), COUNT)
        seen.append((number, id(database.cursor())))

    with database.transaction() as cursor:
        rows(cursor, INSERT)
        in_thread(look)
    in_thread(look)
    assert [number for number, _ in seen] == [0, 1]
    assert id(database.cursor()) not in {cursor for _, cursor in seen}
    assert database.cursor() is database.cursor()


def test_writers_take_turns() -> None:
    database = Database.open(None)

    def write() -> None:
        for _ in range(20):
            with database.transaction() as cursor:
                rows(cursor, INSERT)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(database.cursor(), COUNT) == [(80,)]


def in_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_tables_are_known_by_name_inside_the_block_only() -> None:
    cursor = Database.open(None).cursor()
    with registered(cursor, given=pa.table({"x": [1, 2]})):
        assert rows(cursor, "SELECT sum(x) FROM given WHERE x < $limit", limit=9) == [(3,)]
    with pytest.raises(duckdb.CatalogException):
        rows(cursor, "SELECT * FROM given")


def test_instants_are_stored_as_utc_whatever_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    noon_in_paris = AT.astimezone(timezone(timedelta(hours=2)))
    assert naive(noon_in_paris) == datetime(2026, 3, 2, 8)
    assert aware(naive(noon_in_paris)) == AT
    log, _ = memory_log()
    tell(log, departed("v", occurred_at=noon_in_paris))
    assert [e.occurred_at for e in log.read(AT, AT + timedelta(minutes=1))] == [AT]


def test_a_closed_database_lets_go_of_the_cursors_of_all_threads(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "d.duckdb")
    release = threading.Event()
    thread = threading.Thread(target=lambda: (database.cursor(), release.wait(10)))
    thread.start()
    database.cursor()
    database.close()
    with Database.open(tmp_path / "d.duckdb") as again:
        assert rows(again.cursor(), COUNT) == [(0,)]
    release.set()
    thread.join()


def test_one_query_gives_each_thread_the_rows_of_its_own_values() -> None:
    with Database.open(None) as database:

        def asked(value: int) -> set[int]:
            cursor = database.cursor()
            return {
                found
                for _ in range(50)
                for found in (
                    *(number for (number,) in rows(cursor, "SELECT $value + 1", value=value)),
                    *arrow(cursor, "SELECT $value + 1 AS number", value=value)["number"].to_pylist(),
                )
            }

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(asked, range(8))) == [{value + 1} for value in range(8)]
