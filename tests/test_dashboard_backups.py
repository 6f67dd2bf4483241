"""Backups of a running house: asked for by a command, made by the hour, restored elsewhere; none is good unseen."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard import backups as making
from dashboard.backup_names import MANIFEST, good_ones
from dashboard.backups import AGAIN, EVERY, Backups
from dashboard.care import commands_of
from dashboard.commands import doctor
from dashboard.commands.forgotten import ENDED_MARK, MARK
from dashboard.errors import CommandError
from dashboard.house import DATABASE, JOURNAL, House, open_house
from dashboard.house_socket import FOLDER, Asked, ask
from dashboard.readiness import Readiness
from dashboard.settings import Settings
from ingest import backup as copying
from ingest.backup import found_in
from ingest.clock import SimulatedClock
from ingest.errors import BackupError
from ingest.log import Position
from tests.commands import Run, runs
from tests.logs import AT, departed
from twin.state import State, fold

NOW = AT + timedelta(days=1)
EVER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runs(capsys)


def settings(folder: Path, **said: Any) -> Settings:
    return Settings(data=folder / "d", backup_folder=folder / "b", disk_reserve_mb=0, **said)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


@pytest.fixture
def living(tmp_path: Path, clock: SimulatedClock) -> Iterator[House]:
    """A house with a few events, a huddle sheet and an answer for who asks."""
    with open_house(settings(tmp_path, backup_kept=2), clock) as house:
        tell(house, 0)
        (tmp_path / "d" / "huddle").mkdir()
        (tmp_path / "d" / "huddle" / "2026-03-03T0800.json").write_text("{}")
        (tmp_path / "d" / "secret.key").write_text("secret")
        yield house


def tell(house: House, n: int) -> None:
    events = [departed(f"v{n}-{k}", known_at=AT, position=k) for k in range(5)]
    house.log.append(events, Position(source="s", offset=n + 1))


@pytest.fixture
def asked(living: House) -> Iterator[Asked]:
    """The same, which answers commands."""
    readiness = Readiness(living.log, lambda: True, living.clock)
    listening = Asked(living.settings.data, commands_of(living, Backups(living), readiness))
    listening.start()
    yield listening
    listening.stop()


def state_hash(house: House) -> str:
    """Of the hospital, as all events make it."""
    return fold(State(), house.log.read_versions(None, EVER)).hash


# --- the drill ------------------------------------------------------------------------------------------------------


def test_the_drill_a_running_house_is_backed_up_and_restored_elsewhere(
    tmp_path: Path, run: Run, living: House, asked: Asked
) -> None:
    told = run("backup", "--data", tmp_path / "d", "--to", tmp_path / "b", "--json").json
    assert living.log.length() == 5, "the house goes on with what it has"
    there = run("restore", tmp_path / "b", "--data", tmp_path / "elsewhere", "--json").json
    assert (there["state"], there["records"], there["rows"]) == (told["state"], told["records"], told["rows"])
    found = found_in(tmp_path / "elsewhere")
    assert found.hash == told["state"]
    assert (tmp_path / "elsewhere" / "huddle" / "2026-03-03T0800.json").is_file()
    assert not list((tmp_path / "b").rglob("secret*")), "the secret is no part of what it protects"
    with open_house(settings(tmp_path).model_copy(update={"data": tmp_path / "elsewhere"}), living.clock) as anew:
        assert state_hash(anew) == state_hash(living)
        assert anew.log.digest(EVER) == living.log.digest(EVER)
        tell(anew, 1)
        assert anew.log.length() == 10


def test_a_folder_that_nobody_holds_is_backed_up_by_the_command(tmp_path: Path, run: Run) -> None:
    with open_house(settings(tmp_path)) as house:
        tell(house, 0)
    config = tmp_path / "c.toml"
    config.write_text('data = "d"\nbackup_folder = "b"\ndisk_reserve_mb = 0\n')
    said = run("backup", "--config", config)
    assert said.status == 0, said.err
    (made,) = good_ones(tmp_path / "b")
    assert said.out.startswith(f"{made.place}\n1 records of the journal and ")
    assert made.place.stat().st_mode & 0o077 == 0, "what it holds is for whom the data are"
    again = run("restore", made.place, "--data", tmp_path / "e")
    assert "put secret.key there before the house starts" in again.out
    for mark in (MARK, ENDED_MARK):
        (made.place / mark).write_text("{}")
    marked = run("restore", made.place, "--data", tmp_path / "marked")
    assert "erase them again (edtwin erase)" in marked.out
    assert "they go with edtwin retain" in marked.out
    back = run("restore", made.place, "--data", tmp_path / "e")
    assert back.status == 2
    assert back.err == (
        f"edtwin restore: {tmp_path}/e must hold no data, but has edtwin.duckdb and journal: "
        "name another folder, or move them\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("backup", "--data", "{d}/none", "--to", "{d}"), "holds no data: load an extract with edtwin ingest first"),
        (("restore", "{d}/none"), "none must be a backup or a folder of backups, but holds no backup.json"),
    ],
)
def test_what_cannot_be_is_one_sentence(run: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused = run(*(text.format(d=tmp_path) for text in arguments))
    assert refused.status == 2
    assert said in refused.err
    assert refused.err.count("\n") == 1


# --- by the hour ----------------------------------------------------------------------------------------------------


def turn(backups: Backups, folder: Path) -> None:
    """One look of the thread."""
    if backups._is_due(folder):
        backups._try(folder)


def test_one_is_made_every_hour_and_the_oldest_is_let_go(tmp_path: Path, living: House, clock: SimulatedClock) -> None:
    backups, folder = Backups(living), tmp_path / "b"
    assert backups.standing().last is None
    made = []
    for n in range(3):
        turn(backups, folder)
        turn(backups, folder)
        made.append(good_ones(folder)[-1])
        clock.advance_to(clock.now() + EVERY)
        tell(living, n + 1)
    assert len({backup.place for backup in made}) == 3
    assert good_ones(folder) == made[-2:]
    assert (backups.standing().last, backups.standing().kept) == (made[-1], 2)
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def without_batches(cursor: Any) -> list[str]:
    """A mutant of the copy: it misses a table."""
    return [name for name in ALL_TABLES(cursor) if name != "batch"]


ALL_TABLES = copying.tables


def test_one_that_is_not_the_house_gets_no_name_is_told_and_tried_again(
    tmp_path: Path, living: House, clock: SimulatedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    backups, folder = Backups(living), tmp_path / "b"
    with monkeypatch.context() as broken:
        broken.setattr("ingest.backup.tables", without_batches)
        turn(backups, folder)
        assert good_ones(folder) == []
        assert list(folder.iterdir()) == [], "nothing is left of it"
        assert "table batch must hold the 2 rows of the house, but the copy holds 0" in (backups.standing().fault or "")
    turn(backups, folder)
    assert good_ones(folder) == [], "not before a while"
    clock.advance_to(clock.now() + AGAIN)
    turn(backups, folder)
    assert len(good_ones(folder)) == 1
    assert backups.standing().fault is None


def test_one_that_is_not_verified_would_be_named(
    tmp_path: Path, living: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant of the test above: nobody opens and counts it."""
    monkeypatch.setattr("ingest.backup.tables", without_batches)
    monkeypatch.setattr(making, "require_same", lambda *_: None)
    turn(Backups(living), tmp_path / "b")
    assert len(good_ones(tmp_path / "b")) == 1
    with pytest.raises(BackupError):
        drill(tmp_path / "b", living)


def drill(folder: Path, house: House) -> None:
    """The newest backup of a folder is what the house holds."""
    state = found_in(good_ones(folder)[-1].place)
    told = json.loads((good_ones(folder)[-1].place / MANIFEST).read_text())
    if state.hash != told["hash"] or {n: c for n, c, _ in state.tables}["event"] != house.log.length():
        raise BackupError("the backup is not the house")


def test_a_house_without_a_folder_makes_none(tmp_path: Path, clock: SimulatedClock) -> None:
    with open_house(settings(tmp_path).model_copy(update={"backup_folder": None}), clock) as house:
        Backups(house).keep_making(threading.Event())  # ends at once
        assert Backups(house).standing().folder is None
    assert not (tmp_path / "b").exists()


# --- what is restored is what was written -----------------------------------------------------------------------------


def flipped(place: Path) -> str:
    file = next((place / JOURNAL).iterdir())
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)
    return "as they were written, but has others"


def shortened(place: Path) -> str:
    os.truncate(place / DATABASE, (place / DATABASE).stat().st_size - 1)
    return "as they were written, but has others"


def lacking(place: Path) -> str:
    (place / DATABASE).unlink()
    return "is missing: the backup is not whole"


def changed(place: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    told = json.loads((place / MANIFEST).read_text())
    change(told)
    (place / MANIFEST).write_text(json.dumps(told))


def leading_out(place: Path) -> str:
    changed(place, lambda told: told["files"].update({"../../x": [1, "ab"]}))
    return "backup.json cannot be read: ValueError"


def of_another_house(place: Path) -> str:
    changed(place, lambda told: told["state"]["tables"].__setitem__(0, ["alarm_log", 7, "ab"]))
    return "table alarm_log must hold the 7 rows of the house"


def unreadable(place: Path) -> str:
    (place / MANIFEST).write_text("{")
    return "backup.json cannot be read: JSONDecodeError"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good backup. To be copied."""
    folder = tmp_path_factory.mktemp("good")
    with open_house(settings(folder), SimulatedClock(NOW)) as house:
        tell(house, 0)
        return Backups(house).make(folder / "b").backup.place


@pytest.mark.parametrize("harm", [flipped, shortened, lacking, leading_out, of_another_house, unreadable])
def test_a_backup_that_is_not_what_was_written_is_not_restored(
    tmp_path: Path, run: Run, good: Path, harm: Callable[[Path], str]
) -> None:
    place = Path(shutil.copytree(good, tmp_path / good.name))
    why = harm(place)
    said = run("restore", place, "--data", tmp_path / "e")
    assert said.status == 2
    assert why in said.err
    assert not (tmp_path / "e").exists() or not list((tmp_path / "e").iterdir()), "nothing is left in the way"


# --- who is told ------------------------------------------------------------------------------------------------------


def test_the_doctor_asks_the_house_that_runs_and_says_how_old_the_last_backup_is(
    tmp_path: Path, run: Run, living: House, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "c.toml"
    config.write_text('data = "d"\nbackup_folder = "b"\n')
    lines = run("doctor", "--config", config).out.splitlines()
    assert any(line.startswith("ok    database: 5 events from 2026-03-02") for line in lines)
    assert "ok    house: it runs and is ready" in lines
    assert f"FAULT backup: there is no good backup in {tmp_path}/b" in lines
    made = Backups(living).make(tmp_path / "b").backup
    at = {hours: SimulatedClock(NOW + timedelta(hours=hours)) for hours in (2.0, 3.5)}
    monkeypatch.setattr(doctor, "WallClock", lambda: at[2.0])
    assert doctor._backup(living.settings, None) == (
        f"the last good one, {made.place.name}, is 2.0 h old; 1 are in {tmp_path}/b"
    )
    monkeypatch.setattr(doctor, "WallClock", lambda: at[3.5])
    with pytest.raises(CommandError, match=r"is 3\.5 h old; 1 are in .*; it must be 3\.0 h at most"):
        doctor._backup(living.settings, None)
    with pytest.raises(CommandError, match="the last one failed: the disk is full"):
        doctor._backup(living.settings, "the disk is full")


def test_the_doctor_says_that_nobody_makes_backups(tmp_path: Path, run: Run) -> None:
    assert "ok    backup: none are made by themselves: no backup_folder is set" in run(
        "doctor", "--data", tmp_path / "none"
    ).out.splitlines()  # fmt: skip


def test_a_house_that_is_not_ready_is_a_fault_for_the_doctor(living: House) -> None:
    for is_there, fault in ((True, None), (False, "no forecast yet")):
        readiness = Readiness(living.log, lambda is_there=is_there: is_there, living.clock)  # type: ignore[misc]
        told = commands_of(living, Backups(living), readiness)["look"]({})
        assert told["unready"] == fault
    with pytest.raises(CommandError, match="it runs, but is not ready: no forecast yet"):
        doctor._house(told)


# --- asking -----------------------------------------------------------------------------------------------------------


def test_who_asks_where_nobody_listens_hears_nothing(tmp_path: Path) -> None:
    assert ask(tmp_path, "look") is None
    listening = Asked(tmp_path, {})
    listening.start()
    listening.stop()
    assert ask(tmp_path, "look") is None


def test_a_socket_that_a_killed_house_left_is_taken_over(tmp_path: Path) -> None:
    deep = tmp_path / "/".join(["a folder with a long name"] * 6)
    deep.mkdir(parents=True)
    first = Asked(deep, {"look": lambda _: {"n": 1}})
    first.start()
    assert first._server is not None
    first._server.shutdown()
    first._server.server_close()
    assert ask(deep, "look") is None
    second = Asked(deep, {"look": lambda asked: {"n": 2, **asked}})
    second.start()
    try:
        assert ask(deep, "look", more="é") == {"n": 2, "do": "look", "more": "é"}
        assert (deep / FOLDER).stat().st_mode & 0o777 == 0o700, "nobody else may ask"
    finally:
        second.stop()


def test_a_question_that_cannot_be_answered_is_one_sentence(tmp_path: Path) -> None:
    def full(_: dict[str, Any]) -> dict[str, Any]:
        raise BackupError("the disk is full")

    def broken(_: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("Dupont")

    listening = Asked(tmp_path, {"full": full, "broken": broken})
    listening.start()
    try:
        for do, why in (
            ("full", "the disk is full"),
            ("broken", "the running house could not do it: KeyError"),
            ("other", "a running house can be asked for broken, full"),
        ):
            with pytest.raises(CommandError) as said:
                ask(tmp_path, do)
            assert str(said.value) == why
    finally:
        listening.stop()
