"""A database that is lost while the house runs ends it, once that can help; what runs it starts it again."""

from __future__ import annotations

import argparse
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from dashboard import __main__ as command
from dashboard import keeper as keeping
from dashboard.keeper import EXIT_STATUS, Keeper
from dashboard.readiness import Readiness
from ingest import database
from ingest.database import Database, arrow, losses_heard, rows
from ingest.disk import Disk
from ingest.errors import DatabaseLostError
from ingest.log import EventLog
from tests.logs import departed, memory_log, tell
from tests.test_dashboard_serve import ROOT, get, running


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks often, and waits for nobody."""
    monkeypatch.setattr(keeping, "LOOK_S", 0.01)
    monkeypatch.setattr(keeping, "ROOM_S", 0.01)
    monkeypatch.setattr(keeping, "LONGEST_END_S", 0.05)


def damaged_file(folder: Path) -> Path:
    """A database whose block of events is not what was written."""
    file = folder / "d.duckdb"
    with Database.open(file, threads=1) as made:
        log = EventLog(made, memory_log()[1])
        tell(log, *(departed(f"v{n}", position=n) for n in range(2_000)))
    with Database.open_as_it_is(file) as held:
        query = "SELECT max(block_id) FROM pragma_storage_info('event') WHERE column_name = 'event_id'"
        ((block,),) = rows(held.cursor(), query)
    bits = bytearray(file.read_bytes())
    bits[3 * 4096 + block * 262_144 + 100] ^= 1
    file.write_bytes(bits)
    return file


@pytest.mark.parametrize("ask", [rows, arrow])
def test_a_block_that_is_not_what_was_written_is_heard_of_whoever_reads_it(tmp_path: Path, ask: object) -> None:
    heard: list[str] = []
    with Database.open(damaged_file(tmp_path), threads=1) as held:
        with losses_heard(heard.append), pytest.raises(duckdb.Error):
            ask(held.cursor(), "SELECT * FROM event")  # type: ignore[operator]
        with losses_heard(heard.append), pytest.raises(duckdb.CatalogException):
            rows(held.cursor(), "SELECT * FROM nothing")
    (said,) = heard
    assert "checksum" in said


def test_a_database_that_was_invalidated_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def extract_statements(self, query: str) -> list[str]:
            return [query]

        def execute(self, *_: object) -> None:
            raise duckdb.FatalException("Failed: database has been invalidated because of a previous fatal error")

    monkeypatch.setattr(database, "_PARSED", {})
    heard: list[str] = []
    with losses_heard(heard.append), pytest.raises(duckdb.FatalException):
        rows(Refusing(), "SELECT 1")  # type: ignore[arg-type]
    assert len(heard) == 1


class SmallDisk(Disk):
    """So much room on it."""

    free = 0

    def free_bytes(self, folder: Path) -> int:
        return self.free


def test_the_house_ends_once_there_is_room(tmp_path: Path) -> None:
    """Mutant: who ends at once is started again and again on a full disk, and the wall is gone."""
    disk, ended, at_once, stop = SmallDisk(), threading.Event(), list[int](), threading.Event()
    log, clock = memory_log()
    keeper = Keeper(tmp_path, 100, end=ended.set, at_once=at_once.append, disk=disk)
    thread = threading.Thread(target=keeper.keep, args=(Readiness(log, lambda: True, clock), stop), daemon=True)
    thread.start()
    assert not ended.wait(0.05), "all is well"
    assert keeper.said is None
    keeper.require_well()
    keeper.hear("it was invalidated")
    keeper.hear("again")
    assert keeper.said == "the database is of no use until it is opened anew"
    assert not ended.wait(0.05), "no room"
    disk.free = 100
    assert ended.wait(5)
    thread.join(5)
    with pytest.raises(DatabaseLostError, match="it was invalidated"):
        keeper.require_well()
    for _ in range(500):
        if not at_once:
            stop.wait(0.01)
    assert at_once == [EXIT_STATUS], "a house that does not end by itself is ended"


def test_it_is_tried_even_where_nobody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write and the read of /readyz, by which an invalidated database is heard of within ten seconds."""
    log, clock = memory_log()
    ended = threading.Event()
    keeper = Keeper(tmp_path, 0, end=ended.set, at_once=lambda _: None)

    def refused(*_: object, **__: object) -> None:
        keeper.hear("refused")
        raise duckdb.FatalException("refused")

    monkeypatch.setattr(EventLog, "save_snapshot", refused)
    keeper.keep(Readiness(log, lambda: True, clock), threading.Event())
    assert ended.is_set()


def test_the_command_ends_with_the_status_by_which_it_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(_: argparse.Namespace) -> None:
        raise DatabaseLostError("lost")

    monkeypatch.setattr(command, "_run", lost)
    assert command.main(["up"]) == EXIT_STATUS == 75


# --- a whole house

LOSES_IT = """
import sys, threading, time, duckdb
from dashboard.__main__ import entry
from ingest import database
def lose():
    while not database._hearers:
        time.sleep(0.1)
    time.sleep(1)
    database._tell_if_lost(duckdb.FatalException("Failed: database has been invalidated"))
threading.Thread(target=lose, daemon=True).start()
sys.exit(entry())
"""


@pytest.mark.soak
def test_a_house_that_lost_its_database_ends_with_75_and_comes_back_mended(tmp_path: Path) -> None:
    """Ended while its first forecast is made, by itself or by force; then started on a database that is damaged too."""
    data = tmp_path / "data"
    plain = ("up", "--data", str(data), "--size", "small", "--members", "20", "--port", "0")
    lost = subprocess.run(
        [sys.executable, "-c", LOSES_IT, *plain], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert lost.returncode == EXIT_STATUS, lost.stderr[-2000:]
    assert "the database is of no use until it is opened anew" in lost.stderr
    bits = bytearray((data / "edtwin.duckdb").read_bytes())
    bits[5000] ^= 1
    (data / "edtwin.duckdb").write_bytes(bits)
    with running(tmp_path, "--data", data, "--size", "small", "--members", "20") as (_, wall):
        for _ in range(1200):
            if get(f"{wall}/readyz")[0] == 200:
                break
            threading.Event().wait(0.1)
        assert get(f"{wall}/readyz")[0] == 200, (tmp_path / "said").read_text()[-2000:]
        assert "edtwin_data_damaged_timestamp_seconds" in get(f"{wall}/metrics")[1]
    assert len(list(data.glob("edtwin.duckdb.corrupt-*"))) >= 1
