"""A journal that ends before the log: an older copy that was put back, or one whose end was lost at a record's end.

What is known is shown, nothing is taken in, no number is given twice, and nothing that the log holds is lost: wherever
the journal is cut, with a backup that goes on behind it and without. Mutants take in all the same, make the log anew
without asking, and take whatever copy is longer.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dashboard import house as houses
from dashboard.__main__ import main
from dashboard.backups import Backups
from dashboard.commands import rebuild as rebuilding
from dashboard.house import DATABASE, JOURNAL, House, open_house
from dashboard.mending import noted
from dashboard.panels import banner
from dashboard.settings import Settings
from dashboard.words import Reader
from forecast.board import Board
from ingest import repair
from ingest.clock import WallClock
from ingest.database import Database
from ingest.errors import BackupError, DatabaseDamagedError, JournalDamagedError, JournalWriteError, RebuildError
from ingest.indexer import Indexer
from ingest.log import EventLog, Position
from ingest.pipeline import Answer, Message, Pipeline
from tests.boards import ordinary
from tests.component_trees import texts
from tests.fake_format import FakeFormat, message
from tests.logs import departed
from tests.test_dashboard_serve import ends, get, quick, running, wait_for, wall

__all__ = ["quick"]
BATCHES = 5


@dataclass(frozen=True)
class Lived:
    """A house's folder, and how long its journal was after each record."""

    data: Path
    ends: tuple[int, ...]

    def cut(self, records: int, to: Path) -> Settings:
        """A copy of it whose journal ends with an earlier record."""
        shutil.copytree(self.data, to / "data")
        with segment_of(to / "data").open("r+b") as file:
            file.truncate(self.ends[records])
        return settings_in(to)


def settings_in(folder: Path) -> Settings:
    return Settings(data=folder / "data", disk_reserve_mb=0, backup_folder=folder / "backups")


def segment_of(data: Path) -> Path:
    (segment,) = (data / JOURNAL).glob("*.journal")
    return segment


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder, ends = tmp_path_factory.mktemp("lived"), list[int]()
    with open_house(settings_in(folder)) as house:
        for n in range(BATCHES):
            append(house, n)
            ends.append(segment_of(folder / "data").stat().st_size)
    return Lived(folder / "data", (0, *ends))


def append(house: House, number: int) -> None:
    house.log.append([departed(f"v{number}")], Position(source="s", offset=number + 1))


def faults_of(settings: Settings, records: int) -> Iterator[str]:
    """What is wrong with a house whose journal ends with an earlier record."""
    before = segment_of(settings.data).read_bytes()
    with open_house(settings, shows_what_is_known=True) as house:
        if house.log.length() != BATCHES:
            yield "what is known is not shown"
        if house.indexer.missing != BATCHES - records:
            yield "it does not say how many are missing"
        try:
            append(house, BATCHES)
            yield "it takes in"
        except JournalWriteError as error:
            if f"must hold record {BATCHES}, which is in the log, but ends with {records}" not in str(error):
                yield "it does not say why not"
        try:
            Backups(house).make(settings.data.parent / "backups")
            yield "a backup is made of it, and one that holds more may be let go"
        except BackupError:
            pass
    if segment_of(settings.data).read_bytes() != before:
        yield "the journal was written"


@pytest.mark.parametrize("records", range(1, BATCHES))
def test_wherever_it_is_cut_what_is_known_is_shown_and_nothing_is_taken_in(
    lived: Lived, tmp_path: Path, records: int
) -> None:
    settings = lived.cut(records, tmp_path)
    assert list(faults_of(settings, records)) == []
    with pytest.raises(JournalDamagedError, match="which is in the log"), open_house(settings):
        pass
    shutil.copyfile(segment_of(lived.data), segment_of(settings.data))  # the whole one is put back
    with open_house(settings) as house:
        append(house, BATCHES)
        assert (house.log.length(), house.journal.last) == (BATCHES + 1, BATCHES + 1)


def test_a_house_that_takes_in_all_the_same_is_seen(
    lived: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gives the numbers of records that the log was made of to others."""
    monkeypatch.setattr(Indexer, "_resume", lambda indexer: indexer._journal.last)
    assert "it takes in" in faults_of(lived.cut(2, tmp_path), 2)


def test_senders_are_told_to_send_again(lived: Lived, tmp_path: Path) -> None:
    with open_house(lived.cut(2, tmp_path), shows_what_is_known=True) as house:
        pipeline = Pipeline(house.journal)
        pipeline.start()
        receipt = pipeline.receive(Message(message(1)), FakeFormat(), "adt")
        pipeline.stop()
    assert (receipt.answer, receipt.number) == (Answer.UNAVAILABLE, None)


# --- with a backup ----------------------------------------------------------------------------------------------------


def backed_up(settings: Settings, copy: Path) -> None:
    """A backup that holds the journal of a house as it was."""
    with open_house(Settings(data=copy, disk_reserve_mb=0)) as house:
        Backups(house).make(settings.data.parent / "backups")


def test_a_backup_that_goes_on_behind_it_gives_it_its_end(lived: Lived, tmp_path: Path) -> None:
    settings = lived.cut(2, tmp_path)
    backed_up(settings, Path(shutil.copytree(lived.data, tmp_path / "whole")))
    with open_house(settings) as house:
        assert (house.indexer.missing, house.journal.refuses) == (0, None)
        append(house, BATCHES)
    assert segment_of(settings.data).read_bytes().startswith(segment_of(lived.data).read_bytes())
    assert [one.part for one in noted(settings.data)] == ["journal"]


def test_a_journal_that_holds_all_is_not_made_longer_by_a_backup(lived: Lived, tmp_path: Path) -> None:
    """Whoever restores an older house on purpose gets the older house."""
    folder = tmp_path / "older"
    with open_house(settings_in(folder)) as house:
        append(house, 0)
        older = Path(shutil.copytree(folder / "data", tmp_path / "data"))
        append(house, 1)
        Backups(house).make(tmp_path / "backups")
    with open_house(settings_in(tmp_path)) as house:
        assert (house.log.length(), house.journal.last) == (1, 1)
    assert noted(older) == []


def other_journal(settings: Settings, folder: Path) -> None:
    """A backup of another house, whose journal is longer."""
    with open_house(Settings(data=folder / "other", disk_reserve_mb=0)) as house:
        for n in range(2 * BATCHES):
            house.log.append([departed(f"w{n}")], Position(source="s", offset=n + 1))
        Backups(house).make(settings.data.parent / "backups")


def check_another(lived: Lived, folder: Path) -> None:
    settings = lived.cut(2, folder)
    other_journal(settings, folder)
    before = segment_of(settings.data).read_bytes()
    with open_house(settings, shows_what_is_known=True) as house:
        assert house.indexer.missing == BATCHES - 2
    assert segment_of(settings.data).read_bytes() == before


def test_a_longer_copy_of_another_journal_is_not_taken(
    lived: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "right").mkdir()
    check_another(lived, tmp_path / "right")
    longest = repair._longest
    monkeypatch.setattr(repair, "_longest", lambda copies, held, before: longest(copies, b"", before))  # the mutant
    with pytest.raises(AssertionError):
        check_another(lived, tmp_path / "wrong")


# --- nothing is made anew of it ---------------------------------------------------------------------------------------


def check_rebuild(settings: Settings) -> None:
    assert main(["rebuild", "--data", str(settings.data)]) == 2
    with Database.open(settings.data / DATABASE, houses.SCHEMAS) as database:
        assert EventLog(database, WallClock()).length() == BATCHES


def test_nothing_makes_the_log_anew_from_it(
    lived: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = lived.cut(2, tmp_path)
    check_rebuild(settings)
    assert "what is between them would be lost" in capsys.readouterr().err
    monkeypatch.setattr(Database, "read_through", lambda _: (_ for _ in ()).throw(DatabaseDamagedError("a block")))
    with pytest.raises(RebuildError, match="would be lost"), open_house(settings, shows_what_is_known=True):
        pass
    assert noted(settings.data) == []


def test_a_rebuild_that_asks_nobody_is_seen(lived: Lived, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilding, "require_reached", lambda *_: None)
    with pytest.raises(AssertionError):
        check_rebuild(lived.cut(2, tmp_path))


# --- what is said -----------------------------------------------------------------------------------------------------


def test_the_wall_says_it_above_all_else_in_both_languages() -> None:
    board = ordinary()

    def told(language: str, missing: int) -> list[str]:
        shown: Board = replace(board, cycle=replace(board.cycle, missing_records=missing))
        return texts(banner.panel(shown, Reader(language, board.zone)))  # type: ignore[arg-type]

    assert any("THE JOURNAL IS BEHIND: 3 records are missing; nothing is taken in" in text for text in told("en", 3))
    assert any("il manque 1 enregistrement" in text for text in told("fr", 1))
    assert not any("JOURNAL" in text for text in told("en", 0))


def test_the_doctor_says_it_of_a_house_that_stands_still(
    lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = lived.cut(3, tmp_path)
    assert main(["doctor", "--data", str(settings.data), "--json"]) == 2
    findings = {one["thing"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert "must hold record 5, which is in the log, but ends with 3" in findings["database"]["said"]


def test_a_house_starts_on_it_and_says_so(
    lived: Lived, tmp_path: Path, quick: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = lived.cut(2, tmp_path)
    before = segment_of(settings.data).read_bytes()
    with running(tmp_path, "--config", quick, "--data", settings.data) as (process, place):
        wait_for(lambda: "nothing is taken in until it is put back whole" in get(f"{place}/readyz")[1], process, 60)
        wait_for(lambda: "THE JOURNAL IS BEHIND" in json.dumps(wall(place)), process, 60)
        assert "edtwin_journal_missing_records 3.0" in get(f"{place}/metrics")[1]
        assert main(["doctor", "--data", str(settings.data), "--json"]) == 2
        findings = {one["thing"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
        assert "nothing is taken in" in findings["database"]["said"]
        ends(process, signal.SIGINT)
    assert segment_of(settings.data).read_bytes() == before
