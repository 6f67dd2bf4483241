"""A damaged database: set aside, made anew of the journal, said; nothing deleted, nothing wrong served."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dashboard import house as houses
from dashboard.__main__ import main
from dashboard.audit.verify import records_of
from dashboard.audit.wiring import folder_of
from dashboard.backups import Backups
from dashboard.house import DATABASE, JOURNAL, open_house
from dashboard.mended_words import mended_sentence
from dashboard.mending import ARCHIVE, NOTE, keep_note, noted
from dashboard.panels import banner
from dashboard.panels.about import panel as about
from dashboard.settings import Settings
from dashboard.words import Reader
from forecast.archive import CycleRecord
from forecast.board import Board, Mended
from ingest import failpoints
from ingest.clock import WallClock
from ingest.database import Database, rows
from ingest.errors import DatabaseDamagedError, RebuildError
from ingest.log import EventLog, Position
from tests.boards import ordinary
from tests.component_trees import texts
from tests.corruptions import campaign, outcome_of
from tests.journals import OF_MENDING
from tests.logs import AT, HOUR, departed
from tests.term_views import about as about_this_house

FINE = {"same", "prefix", "mended"}


def test_three_damaged_houses_are_what_they_were(tmp_path: Path) -> None:
    found = campaign(tmp_path, 3, seed=1)
    assert set(found) <= FINE
    assert found["mended"] >= 2


def test_the_campaign_sees_damage_that_is_served(tmp_path: Path) -> None:
    assert campaign(tmp_path, 1, 1, "served_as_it_is")["wrong"] == 1


@pytest.mark.soak
def test_two_hundred_and_forty_damaged_houses_are_what_they_were(tmp_path: Path) -> None:
    found = campaign(tmp_path, 240, seed=7)
    print(found)
    assert set(found) <= FINE
    assert found["mended"] >= 100


def test_what_the_campaign_calls_wrong() -> None:
    """Another event, a cycle that was never written, and one that is missing and not told."""
    cycles = [f"c{n}" for n in range(40)]
    whole = {"log": "a", "state": "b", "cycles": cycles, "mended": None}

    def judged(what: str, **change: object) -> str:
        given = whole | change
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.corruptions.held", lambda _: given)
            return outcome_of(whole, Path(), what)

    assert judged("flip of .duckdb at 1") == "same"
    assert judged("cut of .wal at 1", cycles=cycles[:30]) == "prefix"
    assert judged("cut of .duckdb at 1", cycles=cycles[:30]) == "wrong"
    assert judged("cut of .wal at 1", cycles=cycles[1:]) == "wrong"
    assert judged("flip of .duckdb at 1", log="x") == "wrong"
    assert judged("flip of .duckdb at 1", cycles=[*cycles, "c"]) == "wrong"
    assert judged("flip of .duckdb at 1", cycles=cycles[:20], mended=("backup", [])) == "mended"
    assert judged("flip of .duckdb at 1", cycles=cycles[:20], mended=("whole", [])) == "wrong"


# --- one house --------------------------------------------------------------------------------------------------------


def settings(data: Path, *, backups: bool = False) -> Settings:
    folder = data.parent / "backups" if backups else None
    return Settings(data=data, disk_reserve_mb=0, backup_folder=folder)


def cycle(n: int) -> CycleRecord:
    at = AT + n * HOUR
    return CycleRecord(at, at, at + timedelta(seconds=5), 5.0, "done")


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house that was killed: one cycle was brought into its file, one stands in the log of changes alone."""
    run = tmp_path_factory.mktemp("killed") / "run"
    with open_house(settings(run)) as house:
        house.log.append([departed("a"), departed("b", position=1)], Position(source="s", offset=2))
        house.archive.record_cycle(cycle(0))
    with open_house(settings(run)) as house:
        house.archive.record_cycle(cycle(1))
        shutil.copytree(run, run.with_name("data"))
    return run.with_name("data")


@pytest.fixture
def data(killed: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(killed, tmp_path / "data"))


def damaged(file: Path, place: int = 5000) -> bytes:
    """A bit of a file is flipped; what it holds then."""
    held = bytearray(file.read_bytes())
    held[place] ^= 4
    file.write_bytes(held)
    return bytes(held)


def cycles(data: Path, **said: bool) -> int:
    """The house opens; how many cycles it knows. Its events must be those that were told."""
    with open_house(settings(data, **said)) as house:
        assert [e.event_id for e in house.log.read()] == ["s/a/Departed/0", "s/b/Departed/0"]
        ((count,),) = rows(house.database.cursor(), "SELECT count(*) FROM cycle")
    return int(count)


def test_nothing_is_deleted_and_it_is_noted_and_in_the_audit(data: Path) -> None:
    wal = (data / f"{DATABASE}.wal").read_bytes()
    held = damaged(data / DATABASE)
    assert cycles(data) == 0
    (mended,) = noted(data)
    assert re.fullmatch(r"edtwin\.duckdb\.corrupt-\d{8}T\d{6}Z", mended.aside)
    assert (data / mended.aside).read_bytes() == held
    assert next(data.glob("*wal*corrupt-*")).read_bytes() == wal
    assert (mended.part, mended.done, mended.kept, mended.left) == ("database", True, "nothing", ARCHIVE)
    (deed,) = [one.deed for one in records_of(folder_of(settings(data))) if one.deed.what == "mended"]
    assert (deed.about, deed.told["kept"]) == (mended.aside, "nothing")
    assert cycles(data) == 0
    assert noted(data) == [mended], "it is whole: nothing is mended twice"


def test_a_damaged_block_is_found_at_the_opening_and_what_can_be_read_is_carried_over(tmp_path: Path) -> None:
    """The block of the events; the cycles beside it are all there, those of the log of changes too."""
    file = tmp_path / "run" / DATABASE
    with open_house(settings(tmp_path / "run")) as house:
        told = [departed(f"v{n}", occurred_at=AT + n * HOUR, position=n) for n in range(3_000)]
        house.log.append(told, Position(source="s", offset=3_000))
        house.archive.record_cycle(cycle(0))
        before = house.log.read_table().drop_columns(["stored_at"])
    with Database.open_as_it_is(file) as database:
        query = "SELECT max(block_id) FROM pragma_storage_info('event') WHERE column_name = 'event_id'"
        ((block,),) = rows(database.cursor(), query)
    damaged(file, 3 * 4096 + block * 262_144 + 100)
    with open_house(settings(tmp_path / "run")) as house:
        assert house.log.read_table().drop_columns(["stored_at"]).equals(before)
        assert rows(house.database.cursor(), "SELECT count(*) FROM cycle") == [(1,)]
    (mended,) = noted(tmp_path / "run")
    assert (mended.kept, mended.kept_until, mended.left) == ("whole", None, ())


def test_a_damaged_log_of_changes_leaves_what_was_brought_into_the_file(data: Path) -> None:
    damaged(data / f"{DATABASE}.wal", 100)
    assert cycles(data) == 1
    (mended,) = noted(data)
    assert (mended.kept, mended.kept_until, mended.left) == ("checkpoint", AT + timedelta(seconds=5), ())


def test_what_the_file_cannot_give_is_taken_from_the_newest_backup(tmp_path: Path, data: Path) -> None:
    with open_house(settings(data, backups=True)) as house:
        made_at = Backups(house).make(tmp_path / "backups").backup.made_at
        house.archive.record_cycle(cycle(2))
    damaged(data / DATABASE)
    assert cycles(data, backups=True) == 2
    (mended,) = noted(data)
    assert (mended.kept, mended.kept_until, mended.left) == ("backup", made_at, ())


@pytest.mark.parametrize("held", [b"", b"not a database" + bytes(10_000)])
def test_a_file_that_is_empty_or_none_of_ours_is_damaged_too(data: Path, held: bytes) -> None:
    (data / DATABASE).write_bytes(held)
    assert cycles(data) == 0
    assert len(noted(data)) == 1


class DiedError(Exception):
    """The process ends here."""


@pytest.mark.parametrize("point", sorted(name for name in failpoints.NAMES if name.startswith(OF_MENDING)))
def test_a_process_that_dies_within_is_followed_by_one_that_goes_on(tmp_path: Path, data: Path, point: str) -> None:
    with open_house(settings(data, backups=True)) as house:
        Backups(house).make(tmp_path / "backups")
    damaged(data / DATABASE)

    def dies(name: str) -> None:
        if name == point:
            raise DiedError

    with failpoints.watched(dies), pytest.raises(DiedError):
        cycles(data, backups=True)
    assert [one.done for one in noted(data)] == [False]
    assert cycles(data, backups=True) == 2
    (mended,) = noted(data)
    assert (mended.done, mended.kept, mended.left) == (True, "backup", ())
    assert len(list(data.glob(f"{DATABASE}.corrupt-*"))) == 1


def test_without_a_journal_it_is_refused_and_left(data: Path) -> None:
    held = damaged(data / DATABASE)
    shutil.rmtree(data / JOURNAL)
    with pytest.raises(DatabaseDamagedError), open_house(settings(data)):
        pass
    assert (data / DATABASE).read_bytes() == held
    assert noted(data) == []


def test_a_log_from_before_there_was_a_journal_is_not_thrown_away(data: Path) -> None:
    with Database.open(data / DATABASE, houses.SCHEMAS) as database:
        EventLog(database, WallClock()).append([departed("old")], Position(source="old", offset=1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "read_through", lambda _: (_ for _ in ()).throw(DatabaseDamagedError("a block")))
        with pytest.raises(RebuildError, match="would be lost"), open_house(settings(data)):
            pass
    assert noted(data) == []


def test_the_doctor_tells_of_damage_and_mends_nothing(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = damaged(data / DATABASE)
    assert main(["doctor", "--data", str(data), "--json"]) == 2
    findings = {one["thing"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert "damaged" in findings["database"]["said"]
    assert (data / DATABASE).read_bytes() == held


# --- what is said -----------------------------------------------------------------------------------------------------


def said() -> Iterator[tuple[Mended, str, str]]:
    whole = Mended("database", AT, "edtwin.duckdb.corrupt-x", done=True)
    yield whole, "Rien n'est perdu.", "Nothing is lost."
    yield replace(whole, kept="nothing"), "n'ont pas toutes pu être gardées", "could not all be kept"
    yield replace(whole, left=("cycle",)), "n'ont pas toutes pu être gardées", "could not all be kept"
    yield replace(whole, kept="backup", kept_until=AT - HOUR), "entre le 2 mars 2026", "between 2 Mar 2026"
    yield replace(whole, kept="checkpoint"), "Les dernières prévisions", "The last forecasts"
    yield replace(whole, part="journal"), "grâce à une sauvegarde", "from a backup"
    yield replace(whole, part="audit"), "L'audit a été trouvé endommagé", "was begun anew"


@pytest.mark.parametrize(("mended", "french", "english"), list(said()))
def test_what_happened_and_what_is_lost_is_said_in_both_languages(mended: Mended, french: str, english: str) -> None:
    for language, words in (("fr", french), ("en", english)):
        assert words in mended_sentence(mended, Reader(language, "Europe/Paris"))  # type: ignore[arg-type]


def test_the_wall_says_it_for_a_day_and_the_page_about_this_house_for_good() -> None:
    reader, board = Reader("en", "Europe/Paris"), ordinary()
    mended = Mended("database", board.made_at - 23 * HOUR, "x", done=True)

    def told(*found: Mended, at: Board = board) -> bool:
        shown = replace(at, cycle=replace(at.cycle, mended=found))
        return any("was made anew from the journal" in text for text in texts(banner.panel(shown, reader)))

    assert told(mended)
    assert told(mended, replace(mended, part="audit")), "each part is told of"
    assert not told()
    assert not told(replace(mended, found_at=board.made_at - 25 * HOUR))
    page = replace(about_this_house(), mended=(mended,))
    assert any("was made anew" in text for text in texts(about(page, reader)))
    assert not any("Damaged data" in text for text in texts(about(about_this_house(), reader)))


def test_what_was_noted_is_remembered_the_last_one_last(tmp_path: Path) -> None:
    ones = [Mended("database", AT + n * HOUR, f"x{n}", done=True, kept_until=AT, left=("a",)) for n in range(25)]
    for one in ones:
        keep_note(tmp_path, one)
    assert noted(tmp_path) == ones[-20:]
    (tmp_path / NOTE).write_text("{")
    assert noted(tmp_path) == []
