"""An exercise on a hospital's own log: copied and never touched, its desk carried over, held by the command."""

from __future__ import annotations

import hashlib
import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboard.__main__ import main
from dashboard.audit.verify import records_of, verify
from dashboard.commands.exercise import Plan, made, planned, sandbox
from dashboard.drill import Exercise
from dashboard.drill_acts import begin
from dashboard.drill_copy import copy_desk, copy_log
from dashboard.drill_decisions import Players
from dashboard.drill_record import read_record
from dashboard.drill_script import AnyInject, inject_of
from dashboard.errors import CommandError
from dashboard.house import DATABASE, JOURNAL, House, names_of, open_house, study_of
from dashboard.settings import Settings
from forecast.desk import Desk
from forecast.drawn_drill import DrawnDrill
from forecast.ensemble import Run
from forecast.own_scenarios import OwnScenarios
from ingest.clock import SimulatedClock
from ingest.columns import to_table
from ingest.database import Database
from ingest.errors import EdtwinError
from ingest.eventfile import write_events
from ingest.log import Position
from ingest.sources.paced import paced
from tests.drills import MARY, Stepped
from tests.histories import NOON, START, told
from tests.histories import situation as situation_at_noon
from tests.test_dashboard_drill import asked
from tests.test_dashboard_serve import running, wait_for
from twin.changes import CapacityChange
from twin.scenarios import scenario_from

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first

DOCTORS = {"capacity": [{"pool": "doctor", "add": 3, "until_min": 480}]}
VICTIMS = inject_of({"kind": "victims", "patients": 40, "over_min": 30, "at_min": 10})
END_AT = NOON + timedelta(hours=4)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The folder of a hospital: an ingested extract, and a desk with proposals; to the house it is a real one."""
    folder = tmp_path_factory.mktemp("real")
    write_events(to_table(told().known(END_AT)), folder / "events.parquet")
    command = ["ingest", str(folder / "events.parquet"), "--format", "events", "--data", str(folder / "data")]
    assert main(command) == 0
    settings = Settings(data=folder / "data", port=0, members=20, seed=1)
    clock = SimulatedClock(NOON - timedelta(hours=1))
    with open_house(settings, clock) as house:
        desk = desk_of(house)
        desk.propose(MARY, "more doctors", DOCTORS, house.hospital)
        desk.decide(MARY, "proposal-1", "adopted", "busy", house.hospital, until=NOON + timedelta(hours=6))
        desk.propose(MARY, "beds", {"capacity": [{"pool": "largest wards", "add": 4}]}, house.hospital)
        own = scenario_from("ours", "ours", DOCTORS)
        OwnScenarios(house.database, clock).save("ours", "à nous", "ours", own, taken={})
        clock.advance_to(NOON + timedelta(hours=1))
        desk.propose(MARY, "too late for an exercise from noon", DOCTORS, house.hospital)
    return settings


def desk_of(house: House) -> Desk:
    return Desk(house.database, house.clock, names_of(house.settings), horizon_min=1440.0, zone=house.hospital.zone)


def digests(folder: Path) -> dict[str, str]:
    """Of every file but the audit's: an exercise is recorded where the house is."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.startswith("audit")]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.name != "lock"}


def plan(tmp_path: Path, *script: AnyInject, since: datetime = NOON) -> Plan:
    return Plan(None, since, 10.0, script, tmp_path / "told.json")


@contextmanager
def held(live: Settings, tmp_path: Path, *script: AnyInject) -> Iterator[tuple[House, Exercise, Stepped]]:
    """An exercise in a sandbox, from noon on, with a desk."""
    clock = Stepped(NOON)
    with sandbox(live) as alone, open_house(alone, clock) as house:
        exercise, holds = made(house, live, plan(tmp_path, *script))
        exercise.join(Players(desk_of(house), study_of(house), lambda: None, None, house.hospital, holds))
        yield house, exercise, clock


def pass_time(exercise: Exercise, house: House, clock: Stepped, hours: float) -> None:
    """Let hours pass, what happens stored in the sandbox's log."""
    stop, over = threading.Event(), clock.now() + timedelta(hours=hours)
    each = exercise._each

    def until_then() -> bool:
        return each() and clock.now() < over

    for batch in paced(exercise.drill, clock, stop, until_then):
        stored = house.log.position("exercise")
        live = [replace(event, known_at=None) for event in batch]
        house.log.append(live, Position(source="exercise", offset=(stored.offset if stored else 0) + len(batch)))


# --- the copy --------------------------------------------------------------------------------------------------------


def test_the_sandbox_holds_what_the_log_knew_and_nothing_later(live: Settings, tmp_path: Path) -> None:
    before = digests(live.data)
    with held(live, tmp_path) as (house, exercise, _):
        there = {e.event_id for e in house.log.read_versions(None, NOON)}
        assert there == {e.event_id for e in told().known(NOON)}
        assert house.log.length() == len(there)
        assert isinstance(exercise.drill, DrawnDrill)
        assert exercise.view().law == "twin"
        assert not list(house.settings.data.parent.glob("source*")), "the copy is removed once it is read"
    assert digests(live.data) == before
    assert not list(live.data.glob("sandbox-*"))


def test_the_world_begins_where_the_hospital_stood(live: Settings, tmp_path: Path) -> None:
    with held(live, tmp_path) as (_, exercise, _):
        assert isinstance(exercise.drill, DrawnDrill)
        assert exercise.drill._situation.state_hash == situation_at_noon().state_hash
        assert exercise.drill._situation.known.ids == situation_at_noon().known.ids


def test_a_live_house_that_holds_the_database_is_not_disturbed(
    live: Settings, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with open_house(live, SimulatedClock(END_AT)) as house:
        before, grown = digests(live.data / JOURNAL), house.journal.last
        file = max((live.data / JOURNAL).glob("*.journal"))
        with sandbox(live) as alone, open_house(alone, Stepped(NOON)) as mine:
            copy_log(live, mine, alone.data.parent / "source", NOON)
            with pytest.raises(EdtwinError, match="held by"):
                Database.open_to_read(live.data / DATABASE)
            copy_desk(live.data, mine, NOON)
            assert desk_of(mine).proposals == {}
        assert "goes on without the house's saved scenarios and proposals" in capfd.readouterr().err
        assert digests(live.data / JOURNAL) == before
        assert house.journal.last == grown
        assert file.stat().st_size > 0


def test_what_a_live_house_was_just_writing_is_cut_off_of_the_copy_alone(live: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "writing"
    (folder / JOURNAL).mkdir(parents=True)
    for file in (live.data / JOURNAL).glob("*.journal"):
        (folder / JOURNAL / file.name).write_bytes(file.read_bytes() + b"EDT half a record")
    writing = live.model_copy(update={"data": folder})
    before = digests(folder)
    with sandbox(live) as alone, open_house(alone, Stepped(NOON)) as house:
        copy_log(writing, house, alone.data.parent / "source", NOON)
        assert house.log.length() == len(told().known(NOON))
    assert digests(folder) == before


def test_the_desk_is_carried_over_as_it_stood(live: Settings, tmp_path: Path) -> None:
    before = digests(live.data)
    with held(live, tmp_path) as (house, exercise, _):
        there = desk_of(house).proposals
        assert {name: one.state for name, one in there.items()} == {"proposal-1": "adopted", "proposal-2": "open"}
        assert "ours" in house.catalogue()
        view = exercise.view()
        assert view.held == ("more doctors",), "what was adopted holds in the world"
        assert view.decisions == (), "and was not decided in the exercise"
    assert digests(live.data) == before


# --- what players do -------------------------------------------------------------------------------------------------


def test_decisions_act_in_the_world_and_end_there(live: Settings, tmp_path: Path) -> None:
    with held(live, tmp_path, VICTIMS) as (house, exercise, clock):
        players = exercise._players
        assert players is not None
        desk = players.desk
        pass_time(exercise, house, clock, 0.5)
        name = desk.propose(MARY, "two more", {"capacity": [{"pool": "doctor", "add": 2}]}, house.hospital)
        desk.decide(MARY, name, "adopted", "victims", house.hospital)
        supply = desk.propose(MARY, "sheets", {"supplies": [{"item": "linen_sets", "factor": 2}]}, house.hospital)
        desk.decide(MARY, supply, "adopted", "why not", house.hospital)
        pass_time(exercise, house, clock, 1.5)
        [more, sheets] = exercise.view().decisions
        waiting = next(one for one in more.happened if one.measure == "ed_waiting")
        assert waiting.with_it < waiting.without
        assert (more.lacks, sheets.happened) == ((), ())
        assert sheets.lacks == ("of supplies the world knows nothing",)
        desk.end(MARY, name)
        desk.end(MARY, "proposal-1")
        pass_time(exercise, house, clock, 0.5)
        assert isinstance(exercise.drill, DrawnDrill)
        ended = [one.ended_min for one in exercise.drill.done if isinstance(one.change, CapacityChange)]
        assert all(115 < minute < 135 for minute in ended)
        assert exercise.view().decisions[0].ended_at is not None
        whole = exercise.drill.lived(exercise.drill.now_at)["arrivals"][-1]
        assert whole > 40
        came = [e.occurred_at for e in house.log.read_versions(NOON, clock.now()) if e.kind == "Arrived"]
        assert sum(at <= NOON + timedelta(hours=2.25) for at in came) == whole, "counted at quarters of an hour"


def test_what_is_to_come_is_cancelled_and_what_cannot_be_any_more_is_told(live: Settings, tmp_path: Path) -> None:
    with held(live, tmp_path, VICTIMS) as (house, exercise, clock):
        first = exercise.view().scheduled[0]
        exercise.cancel(first.number)
        with pytest.raises(EdtwinError, match="nothing is to come under the number"):
            exercise.cancel(first.number)
        beds = {"kind": "beds_closed", "unit": "medicine", "beds": 5, "hours": 2}
        number = exercise.plan(inject_of(beds), 20)
        assert [one.number for one in exercise.view().scheduled] == [number]
        begin(exercise.drill, [CapacityChange(pool="doctor", add=-9)])  # refused: nobody would be left
        exercise.plan(inject_of({"kind": "arrivals", "factor": 3, "hours": 2}), 20)
        exercise.plan(inject_of({"kind": "arrivals", "factor": 2, "hours": 2}), 25)
        before = exercise.view().made_at
        pass_time(exercise, house, clock, 0.6)
        told = [(one.told["kind"], one.fault is None) for one in exercise.view().injects]
        assert told == [("beds_closed", True), ("arrivals", True), ("arrivals", False)]
        assert exercise.view().made_at > before
        assert exercise.view().scheduled == ()


@pytest.mark.parametrize(
    ("inject", "said"),
    [
        ({"kind": "beds_closed", "unit": "attic", "beds": 2, "hours": 2}, "unit must be one of .*'attic'"),
        ({"kind": "absent", "pool": "triage_nurse", "share": 0.5, "hours": 2}, "pool must be one of doctor, but is"),
        ({"kind": "arrivals", "factor": 4, "hours": 2}, "factor must be 3 or less in this world, but is 4"),
    ],
)  # fmt: skip
def test_an_inject_that_the_hospital_does_not_know_is_refused_at_once(
    live: Settings, tmp_path: Path, inject: dict[str, Any], said: str
) -> None:
    with pytest.raises(EdtwinError, match=said), held(live, tmp_path, inject_of(inject)):
        pass


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "said"),
    [
        (START + timedelta(days=5), "--from must lie within what is known, from 2025-01-15"),
        (END_AT + timedelta(days=3), "--from must lie within what is known"),
    ],
)
def test_an_instant_of_which_the_log_tells_nothing_is_refused(
    live: Settings, tmp_path: Path, since: datetime, said: str
) -> None:
    refused = pytest.raises(CommandError, match=said)
    with sandbox(live) as alone, open_house(alone, SimulatedClock(since)) as house, refused:
        made(house, live, plan(tmp_path, since=since))
    assert not list(live.data.glob("sandbox-*"))


def test_a_folder_without_a_journal_or_with_an_empty_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / DATABASE).write_bytes(b"")
    empty = Settings(data=tmp_path / "empty", port=0)
    with open_house(empty, SimulatedClock(NOON)):
        pass
    for folder in ("none", "empty"):
        settings = Settings(data=tmp_path / folder, port=0)
        assert planned(settings, asked(since=NOON.isoformat()), SimulatedClock(NOON)).fabricated is None
        refused = pytest.raises(CommandError, match=r"holds no journal|is empty")
        with sandbox(settings) as alone, open_house(alone, SimulatedClock(NOON)) as house, refused:
            made(house, settings, plan(tmp_path))


def test_the_future_is_refused(live: Settings) -> None:
    with pytest.raises(CommandError, match="--from must not lie in the future"):
        planned(live, asked(since=(END_AT + timedelta(days=1)).isoformat()), SimulatedClock(END_AT))


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_holds_an_exercise_over_an_ingested_extract(live: Settings, tmp_path: Path) -> None:
    before = digests(live.data)
    script, record = tmp_path / "drill.toml", tmp_path / "told.json"
    script.write_text(
        '[[inject]]\nat_min = 2\nkind = "victims"\npatients = 30\nover_min = 5\n\n'
        '[[inject]]\nat_min = 12\nkind = "end"\n',
        encoding="utf-8",
    )
    options = ("--data", live.data, "--from", NOON.isoformat(), "--speed", "120", "--members", "10",
               "--script", script, "--record", record)  # fmt: skip
    with running(tmp_path, *options, command="exercise") as (process, _):
        wait_for(lambda: record.exists() and read_record(record)["ended_at"] is not None, process, 240)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert digests(live.data) == before
    assert not list(live.data.glob("sandbox-*"))
    exercised = [one.deed.what for one in records_of(live.data / "audit") if one.house == "exercise"]
    assert (exercised[0], exercised[-1]) == ("started", "ended")
    assert verify(live.data / "audit", live.data / "audit.anchor").is_whole
    told_ = json.loads(record.read_text(encoding="utf-8"))
    assert (told_["law"], told_["held"]) == ("twin", ["more doctors"])
    assert [one["told"]["kind"] for one in told_["injects"]] == ["victims", "end"]


def test_a_world_run_on_in_the_house_itself_would_be_seen(live: Settings, tmp_path: Path) -> None:
    """The mutant of the digests: the same exercise, held in the folder that it is made from."""
    folder = tmp_path / "own"
    folder.mkdir()
    for name, content in {file: Path(file).read_bytes() for file in digests(live.data)}.items():
        target = folder / Path(name).relative_to(live.data)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    settings = live.model_copy(update={"data": folder})
    before = digests(folder)
    with open_house(settings, Stepped(NOON)) as house:
        world = DrawnDrill(situation_at_noon(), 1)
        exercise = Exercise(world, house.clock, (), Run(members=2), speed=1.0, record=None)
        pass_time(exercise, house, house.clock, 0.5)  # type: ignore[arg-type]
    assert digests(folder) != before
