"""`edtwin erase` as people use it: the whole folder afterwards, kills between its steps, backups, the audit."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboard.__main__ import main
from dashboard.audit.verify import records_of
from dashboard.commands import forgotten
from dashboard.commands.erase import erased
from dashboard.commands.forgotten import MARK
from dashboard.errors import CommandError
from dashboard.house import DATABASE, JOURNAL, SECRET, open_house
from dashboard.settings import Settings
from forecast.learned_kept import ASIDE, NAME
from ingest.failpoints import watched
from ingest.journal import Entry
from ingest.pseudonyms import Pseudonyms, open_secret
from ingest.rewriting import is_rewritten
from tests.commands import START, WIDE
from tests.test_ingest_erasure import Killed, decoded, killed_at


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data of an extract of a day and of messages, some of them of a patient of the extract."""
    folder = tmp_path_factory.mktemp("erase")
    file = folder / "f.csv"
    size = ("--days", "1", "--seed", "3", "--size", "small")
    assert main(["fabricate", *size, "--start", START, "--out", str(file)]) == 0
    data = folder / "data"
    assert main(["ingest", str(file), *WIDE, "--data", str(data)]) == 0
    with open_house(Settings(data=data, disk_reserve_mb=0)) as house:
        visit = next(iter(visits(data, house)))
        (folder / "visit").write_text(visit)
        house.journal.append([message(n, one) for n, one in enumerate([visit, "a" * 16, visit])])
        house.indexer.catch_up()
    return folder


def visits(data: Path, house: object) -> list[str]:
    return sorted({event.visit for event in house.log.read() if getattr(event, "visit", None)})  # type: ignore[attr-defined]


def message(number: int, visit: str) -> Entry:
    told = {"version": 1, "kind": "Triaged", "event_id": f"n{number}", "numbers": "pseudonyms", "visit": visit,
            "occurred_at": "2026-03-03T12:00:00+01:00", "acuity": "3A"}  # fmt: skip
    return Entry(format="event_json", source="adt", payload=json.dumps(told).encode())


@pytest.fixture
def data(told: Path, tmp_path: Path) -> Path:
    shutil.copytree(told / "data", tmp_path / "data")
    stamp, segment = "20260101T000000Z", f"{JOURNAL}/00000000000000000001.journal"
    for name in (
        f"{DATABASE}.before", f"{DATABASE}.corrupt", f"{DATABASE}.wal.corrupt",
        f"{segment}.corrupt", f"{segment}.whole",
    ):  # fmt: skip
        (tmp_path / "data" / f"{name}-{stamp}").write_bytes((told / "visit").read_bytes())
    return tmp_path / "data"


@pytest.fixture
def visit(told: Path) -> str:
    return (told / "visit").read_text()


def rest(data: Path, visit: str) -> list[str]:
    """All that is known of anybody else."""
    with open_house(Settings(data=data, disk_reserve_mb=0)) as house:
        assert visit not in decoded(house.journal) or visit in visits(data, house)
        return [repr(event) for event in house.log.read() if visit not in repr(event)]


def raw(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_visit_is_in_no_file_afterwards_and_all_others_are_as_they_were(
    data: Path, visit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    backups = data.with_name("backups")
    (backups / "edtwin-20261127T081200Z").mkdir(parents=True)
    (backups / "note.txt").write_text("no backup")
    before, command = rest(data, visit), ["erase", visit, "--data", str(data), "--backups", str(backups), "--json"]
    assert visit.encode() in raw(data)
    assert main([*command, "--look"]) == 0
    look = json.loads(capsys.readouterr().out)
    assert visit.encode() in raw(data)
    assert main(command) == 0
    done = json.loads(capsys.readouterr().out)
    assert (look["erased"], done["erased"]) == (False, True)
    assert {name: look[name] for name in ("visits", "events", "records", "rows")} == {
        name: done[name] for name in ("visits", "events", "records", "rows")
    }
    assert (done["visits"], done["records"], done["left"]) == (1, 2, [])
    assert done["rows"] > 0
    assert done["backups"] == ["edtwin-20261127T081200Z"]
    assert "erased_at" in json.loads((backups / "edtwin-20261127T081200Z" / MARK).read_text())
    assert visit.encode() not in raw(data) + raw(backups)
    assert rest(data, visit) == before
    with open_house(Settings(data=data, disk_reserve_mb=0)) as house:
        assert visit not in decoded(house.journal)
        assert visit not in visits(data, house)
    assert main(["rebuild", "--data", str(data)]) == 0
    assert rest(data, visit) == before
    audited = [one.deed for one in records_of(data / "audit") if one.deed.what == "erase"]
    assert audited[-1].told["visits"] == 1
    assert audited[-1].told["backups_marked"] == 1
    assert main(["erase", visit, "--data", str(data)]) == 2
    assert "nobody is known by this pseudonym" in capsys.readouterr().err


def test_what_was_learned_with_them_is_not_kept(data: Path, visit: str) -> None:
    """Neither what a night learned, nor the state that a house would begin with."""
    with open_house(Settings(data=data, disk_reserve_mb=0)) as house:
        now = house.clock.now()
        for name in (NAME, ASIDE, "twin.state"):
            house.log.save_snapshot(name, now, now, visit.encode())
            assert house.log.latest_snapshot(name, now) is not None
    assert main(["erase", visit, "--data", str(data)]) == 0
    with open_house(Settings(data=data, disk_reserve_mb=0)) as house:
        now = house.clock.now()
        assert [house.log.latest_snapshot(name, now) for name in (NAME, ASIDE, "twin.state")] == [None] * 3


def test_a_number_is_read_from_standard_input_and_is_in_nothing(
    data: Path, visit: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = "0000000000000001-of-a-person"
    pseudonym = Pseudonyms(open_secret(data / SECRET, create=False), "north").one("visit", number)
    with open_house(Settings(data=data, disk_reserve_mb=0)) as house:
        house.journal.append([message(7, pseudonym)])
    command = ["erase", "-", "--data", str(data)]
    monkeypatch.setattr("sys.stdin", io.StringIO(f"  {number}\n"))
    assert main(command) == 2
    assert "a number is of a site: see --site" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin", io.StringIO(f"  {number}\n"))
    assert main([*command, "--site", "north", "--site", "south"]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("erased: 1 visits, 1 events; 1 messages and 0 rows")
    assert not any(name in said.out + said.err + raw(data).decode("latin-1") for name in (number, pseudonym))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(command) == 2


def test_killed_between_any_two_steps_it_is_finished_or_was_never_begun(data: Path, visit: str) -> None:
    """Where the journal is new already and the database is not, the house says so and is not opened."""
    before, number, ends = rest(data, visit), 2, set[str]()
    while True:
        number += 1
        place = data.with_name(f"kill-{number}")
        shutil.copytree(data, place)
        settings, (step, steps) = Settings(data=place, disk_reserve_mb=0), killed_at(number)
        try:
            with watched(step):
                erased(settings, [visit], None)
            break
        except Killed:
            ends.add(steps[-1])
        if is_rewritten(place / JOURNAL):
            with pytest.raises(CommandError, match="was not finished: edtwin erase --finish"), open_house(settings):
                pass
            assert main(["erase", "--finish", "--data", str(place)]) == 0
            assert visit.encode() not in raw(place)
        else:
            assert main(["erase", "--finish", "--data", str(place)]) == 2
            assert visit.encode() in raw(place)
        assert rest(place, visit) == before
        shutil.rmtree(place)
    assert ends == {"mark", "marked", "replace", "rebuild", "change", "backups"}


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "the database before is left": lambda m: m.setattr(forgotten, "_aside", lambda settings: None),
    "the database is not made anew": lambda m: m.setattr(os, "replace", lambda *_: None),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_what_is_left_is_told(
    data: Path, visit: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mutant: str
) -> None:
    """The mutants of the first test: the command itself sees that the patient is still there."""
    MUTANTS[mutant](monkeypatch)
    assert main(["erase", visit, "--data", str(data)]) == 2
    assert "STILL IN edtwin.duckdb" in capsys.readouterr().out


def test_bad_requests_are_one_sentence(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ([], ["x", "--finish"], ["nobody"]):
        assert main(["erase", *options, "--data", str(data)]) == 2
    assert main(["erase", "x", "--data", str(tmp_path / "nothing")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 4
