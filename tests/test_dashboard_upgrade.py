"""A data folder of another version: it is recognised, told, and made anew with all that still fits."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dashboard.backups import Backups
from dashboard.commands import rebuild
from dashboard.house import DATABASE, SCHEMAS, open_house
from dashboard.settings import Settings
from ingest.database import Cursor, Database, carry, rows
from ingest.errors import AnotherLayoutError
from ingest.log import Position
from tests.commands import Run, runs
from tests.logs import departed


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runs(capsys)


@contextmanager
def opened(file: Path) -> Iterator[Cursor]:
    with Database.open(file, schemas=SCHEMAS) as database, database.transaction() as cursor:
        yield cursor


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house and its backup; its tables of forecasts are of another version: a column more, a table less."""
    folder = tmp_path_factory.mktemp("made")
    with open_house(Settings(data=folder / "d", disk_reserve_mb=0)) as house:
        house.log.append([departed("a"), departed("b")], Position(source="s", offset=1))
        Backups(house).make(folder / "b")
    with opened(folder / "d" / DATABASE) as cursor:
        saved(cursor)
        rows(cursor, "ALTER TABLE own_scenario ADD COLUMN colour VARCHAR")
        rows(cursor, "DROP TABLE placebo")
        rows(cursor, "UPDATE schema_version SET digest = 'older' WHERE folder = 'forecast'")
    return folder


@pytest.fixture
def older(tmp_path: Path, made: Path) -> Path:
    """Its folder of data; the backup is beside it."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path / "d"


def saved(cursor: Cursor) -> None:
    rows(cursor, "INSERT INTO own_scenario VALUES ('two_more', now()::TIMESTAMP, '', '{}')")


def scenarios(file: Path) -> list[Any]:
    with Database.open_as_it_is(file) as database:
        return rows(database.cursor(), "SELECT name FROM own_scenario")


def test_it_is_told_with_what_to_do(older: Path, run: Run) -> None:
    said = run("doctor", "--data", older)
    assert said.status == 2
    assert "its tables of forecast/ are not these; stop the house, and make it anew with edtwin rebuild" in said.out
    with pytest.raises(AnotherLayoutError):
        Database.open(older / DATABASE, schemas=SCHEMAS)


def test_it_is_made_anew_and_what_fits_is_carried_over(older: Path, run: Run) -> None:
    made = run("rebuild", "--data", older, "--json").json
    assert (made["rows"], made["forecasts_lost"], made["left_behind"]) == (2, None, ["own_scenario.colour"])
    with open_house(Settings(data=older, disk_reserve_mb=0)) as house:
        assert house.log.length() == 2
    assert scenarios(older / DATABASE) == [("two_more",)]
    assert scenarios(older / made["put_aside"]) == [("two_more",)], "the one before is still there"


def test_one_that_leaves_everything_behind_is_seen(older: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: as it was, what people had saved and proposed was lost with the old layout."""
    monkeypatch.setattr(rebuild, "carry", lambda *_: [])
    with pytest.raises(AssertionError):
        test_it_is_made_anew_and_what_fits_is_carried_over(older, run)


def test_rows_that_do_not_fit_stay_behind_and_are_told(tmp_path: Path) -> None:
    schema = tmp_path / "now" / "schema.sql"
    schema.parent.mkdir()
    schema.write_text("CREATE TABLE kept (a BIGINT NOT NULL, b VARCHAR); CREATE TABLE gone (a BIGINT NOT NULL);")
    with Database.open(tmp_path / "old.duckdb") as before, Database.open(None, [schema]) as now:
        with before.transaction() as cursor:
            rows(cursor, "CREATE TABLE kept (b VARCHAR, c VARCHAR)")
            rows(cursor, "INSERT INTO kept VALUES ('x', 'y')")
        assert carry(before, now, "kept") == ["kept"], "a column that must be filled is not told there"
        assert carry(before, now, "gone") == [], "there was none"
        with before.transaction() as cursor:
            rows(cursor, "ALTER TABLE kept ADD COLUMN a INTEGER DEFAULT 7")
        assert carry(before, now, "kept") == ["kept.c"]
        assert rows(now.cursor(), "FROM kept") == [(7, "x")]


def test_a_backup_of_another_version_is_restored_and_says_what_to_do(tmp_path: Path, run: Run, older: Path) -> None:
    """Made by the version that the folder is of; its bytes are what counts."""
    place = next((tmp_path / "b").iterdir())
    with opened(place / DATABASE) as cursor:
        rows(cursor, "UPDATE schema_version SET digest = 'older' WHERE folder = 'forecast'")
    from dashboard.backup_names import MANIFEST
    from dashboard.backups import sha256
    from ingest.backup import found_in

    told = json.loads((place / MANIFEST).read_text())
    told["files"][DATABASE] = [(place / DATABASE).stat().st_size, sha256(place / DATABASE)]
    told["state"]["tables"] = found_in(place).tables
    (place / MANIFEST).write_text(json.dumps(told))
    said = run("restore", place, "--data", tmp_path / "e")
    assert said.status == 0, said.err
    assert "make it anew with edtwin rebuild" in said.out
    assert run("rebuild", "--data", tmp_path / "e", "--json").json["rows"] == 2
