"""An exercise: injects and decisions reach its world and nothing else, and its debrief tells what each did."""

from __future__ import annotations

import argparse
import hashlib
import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import BadRequest

from dashboard.app import WallSettings, build_app
from dashboard.commands.exercise import Plan, exercise_of, planned, sandbox, store_history
from dashboard.commands.up import Fabricated
from dashboard.drill_acts import acts_of
from dashboard.drill_advice import MEASURES
from dashboard.drill_record import as_text, read_record
from dashboard.drill_script import inject_of, load_script
from dashboard.errors import CommandError
from dashboard.house import DATABASE, FABRICATED, JOURNAL, open_house
from dashboard.instructor import cancelled, put_in
from dashboard.pages.beside import BESIDE, Place, beside
from dashboard.settings import Settings
from dashboard.words import Reader
from ingest.clock import SimulatedClock
from ingest.columns import to_table
from ingest.errors import ConfigurationError, EdtwinError
from ingest.events import UnitId
from ingest.log import Position
from tests.drills import DOCTORS, FASTER, MARY, Held
from tests.histories import NOON
from twin.fabricated_acts import Absent, BedsClosed, FewerStaff, Later, Surge
from twin.fabricated_drill import FabricatedDrill
from twin.scenarios import catalogue, scenario_from

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
LIVE = Fabricated("congested", "small", (NOW - timedelta(days=12)).isoformat(), 3)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Held:
    held = Held(tmp_path_factory.mktemp("drill"))
    held.play(5, {0.6: DOCTORS, 1.5: FASTER})
    return held


def test_what_is_advised_is_what_people_can_decide() -> None:
    assert all(catalogue()[name].change.can_be_decided for name in MEASURES)


def test_the_debrief_tells_what_was_put_in_and_decided_and_what_it_did(held: Held) -> None:
    view = held.exercise.view()
    assert [(one.told["kind"], one.by) for one in view.injects] == [("victims", "script"), ("outage", "script")]
    doctors, faster = view.decisions
    assert (doctors.proposal, doctors.lacks, faster.lacks) == (1, (), ("discharge",))
    waiting = next(one for one in doctors.happened if one.measure == "ed_waiting")
    assert waiting.with_it < waiting.without - 1, "three more doctors after 30 victims"
    assert faster.happened == (), "the world does not know this lever, and nothing is claimed of it"


def test_the_twin_says_what_it_would_have_left_to_choose_from(held: Held) -> None:
    for view in held.exercise.view().views:
        advice = held.exercise.view(f"?view={view.name}").decisions[0].advice
        assert advice is not None
        names = {one.name for one in advice.options}
        assert {"as_usual", "proposal-1", "extra_doctor"} <= names
        assert any(one.to_choose for one in advice.options)
        assert [one.name for one in advice.options if one.is_decision] == ["proposal-1"]


def test_the_record_is_kept_and_read_again(held: Held, tmp_path: Path) -> None:
    held.exercise.save()
    file = held.exercise._record
    assert file is not None
    record = read_record(file)
    text = "\n".join(as_text(record))
    assert "INJECT victims" in text
    assert "DECISION adopted: what to do after 0.6 h" in text
    assert "the twin left to choose from" in text
    assert record["decisions"][0]["advice"].keys() == {one.name for one in held.exercise.view().views}
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"what": "something else"}), encoding="utf-8")
    with pytest.raises(CommandError, match="is not the record of an exercise"):
        read_record(other)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_are_there_in_both_languages(held: Held, language: Any) -> None:
    reader = Reader(language, "Europe/Paris")
    for name in ("instructor", "debrief"):
        page = json.dumps(beside(held.exercise.view(), reader, Place(name)).to_plotly_json(), default=_plain)
        assert BESIDE[name].title(reader) in page.encode().decode("unicode_escape")


def _plain(one: Any) -> Any:
    return one.to_plotly_json()


def test_after_its_end_nothing_is_put_in(tmp_path: Path) -> None:
    held = Held(tmp_path, (inject_of({"kind": "end", "at_min": 30}),))
    held.play(2, {})
    assert held.exercise.view().ended_at is not None
    assert held.clock.now() < NOON + timedelta(hours=1), "the world stood still"
    with pytest.raises(EdtwinError, match="the exercise is over"):
        held.exercise.put(inject_of({"kind": "outage", "hours": 1}))


def test_the_instructor_puts_in_what_can_be(tmp_path: Path) -> None:
    held, reader = Held(tmp_path, ()), Reader("en", "UTC")
    assert put_in(held.exercise, "absent", {"pool": "doctor", "share": 50, "hours": 4}, reader).startswith("✓")
    assert "look at patients" in put_in(
        held.exercise, "victims", {"patients": 0, "over_min": 5, "severity": "mild"}, reader
    )
    assert [one.told["kind"] for one in held.exercise.view().injects] == ["absent"]


def test_the_instructor_puts_in_later_and_cancels(tmp_path: Path) -> None:
    held, reader = Held(tmp_path, ()), Reader("en", "UTC")
    told = {"unit": "medicine", "beds": 4, "hours": 4}
    assert put_in(held.exercise, "beds_closed", told, reader, 30) == "✓ It comes in 30\N{NO-BREAK SPACE}min."
    assert put_in(held.exercise, "outage", {"hours": 1}, reader, 45).startswith("✓")
    first, second = held.exercise.view().scheduled
    assert [one.at - NOON for one in (first, second)] == [timedelta(minutes=30), timedelta(minutes=45)]
    assert cancelled(held.exercise, second.number, reader) == "✓ It was cancelled."
    assert cancelled(held.exercise, second.number, reader).startswith("✗")
    held.play(1, {})
    assert [one.told["kind"] for one in held.exercise.view().injects] == ["beds_closed"]
    for wrong in (-1, 9999, "soon", True):
        assert put_in(held.exercise, "outage", {"hours": 1}, reader, wrong).startswith("✗")
    assert "look at unit" in put_in(held.exercise, "beds_closed", told | {"unit": "attic"}, reader, 5)
    with pytest.raises(BadRequest):
        cancelled(held.exercise, "1", reader)
    assert held.exercise.view().scheduled == ()


@pytest.mark.parametrize(
    ("change", "act"),
    [
        ({"capacity": [{"pool": "doctor", "add": -2, "until_min": 240}]}, FewerStaff("doctor", 2, 4)),
        ({"capacity": [{"pool": "bed:surgery", "add": -6, "until_min": 240}]}, BedsClosed(UnitId("surgery"), 6, 4)),
        ({"capacity": [{"pool": "largest wards", "add": -6, "until_min": 240}]}, BedsClosed(None, 6, 4)),
        ({"absences": [{"pool": "triage_nurse", "share": 0.5, "from_min": 60, "until_min": 120}]},
         Later(Absent("triage_nurse", 0.5, 1), 60)),
        ({"arrivals": [{"factor": 0.8, "until_min": 120}]}, Surge(0.8, 2)),
        ({"discharges": [{"earlier_min": 60}]}, None),
    ],
)  # fmt: skip
def test_what_the_fabricated_world_does_of_a_change(tmp_path: Path, change: dict[str, Any], act: object) -> None:
    world = Held(tmp_path, ()).exercise.drill
    assert [acts_of(world, one, 0) for one in scenario_from("x", "x", change).change.changes] == [[act] if act else []]


def test_a_decision_that_is_ended_at_the_desk_ends_in_the_world(tmp_path: Path) -> None:
    held = Held(tmp_path, ())
    held.play(0.5, {0.2: DOCTORS})
    [made] = held.exercise.view().decisions
    assert made.ended_at is None
    held.desk.end(MARY, "proposal-1")
    held.play(0.5, {})
    [made] = held.exercise.view().decisions
    assert made.ended_at is not None
    assert isinstance(held.exercise.drill, FabricatedDrill)
    assert [one.act is None for one in held.exercise.drill.done] == [False, True]
    assert "ended at the desk at" in "\n".join(as_text(held.exercise.record()))


# --- nothing reaches the live log ------------------------------------------------------------------------------------


def digests(folder: Path) -> dict[str, str]:
    """Of every file of a house."""
    files = [folder / DATABASE, folder / FABRICATED, *sorted((folder / JOURNAL).rglob("*"))]
    return {str(f): hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.is_file()}


def alive(folder: Path) -> Settings:
    """The settings of a house that has a log."""
    settings = Settings(data=folder, history_days=12, port=0)
    folder.mkdir()
    (folder / FABRICATED).write_text(json.dumps(LIVE.__dict__), encoding="utf-8")
    world = LIVE.world()
    with open_house(settings, SimulatedClock(NOW)) as house:
        house.log.append_table(
            to_table(world.run_until(world.start_at + timedelta(hours=2))), Position(source="fabricated", offset=9)
        )
    return settings


def drill_in(settings: Settings, record: Path) -> int:
    """A short exercise in the house of some settings; how many injects it had."""
    clock = SimulatedClock(NOW)
    plan = Plan(LIVE, NOW, 10.0, (inject_of({"kind": "victims", "patients": 20}),), record)
    with open_house(settings, clock) as house:
        world = LIVE.world()
        store_history(house, world, NOW)
        exercise = exercise_of(house, world, plan)
        clock.advance_to(NOW + timedelta(hours=1))
        exercise.put(inject_of({"kind": "end", "at_min": 0}))
        return len(exercise.view().injects)


def test_nothing_reaches_the_live_log(tmp_path: Path) -> None:
    settings = alive(tmp_path / "live")
    before = digests(settings.data)
    with sandbox(settings) as alone:
        assert alone.data.parent.parent == settings.data
        drill_in(alone, tmp_path / "told.json")
        assert (alone.data / DATABASE).exists()
    assert digests(settings.data) == before
    assert not list(settings.data.glob("sandbox-*")), "the sandbox is gone"
    drill_in(settings, tmp_path / "told.json")  # the mutant: an exercise that is held in the house itself is seen
    assert digests(settings.data) != before


# --- refusals -------------------------------------------------------------------------------------------------------


def asked(**told: Any) -> argparse.Namespace:
    usual = {"since": "now", "speed": 10.0, "script": None, "record": None, "kind": "roomy", "size": "small"}
    return argparse.Namespace(**usual | told)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"since": "2027-01-01T00:00"}, "--from must lie within what is known"),
        ({"since": "2020-01-01T00:00"}, "--from must lie within what is known"),
        ({"since": "tomorrow"}, "--from must be now, or like 2026"),
        ({"speed": 500.0}, "--speed of an exercise must be 0.1 to 120, but is 500"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(tmp_path: Path, told: dict[str, Any], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        planned(Settings(data=tmp_path, port=0), asked(**told), SimulatedClock(NOW))
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(CommandError, match="cannot be served on"):
        planned(Settings(data=tmp_path, port=taken.getsockname()[1]), asked(), SimulatedClock(NOW))


def test_a_script_with_an_unknown_inject_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "drill.toml"
    file.write_text('[[inject]]\nat_min = 5\nkind = "earthquake"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"kind must be one of 'victims', .*, but is 'earthquake'"):
        load_script(file)
    file.write_text('[[inject]]\nkind = "victims"\npatients = 4000\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="300 or less, but is 4000"):
        load_script(file)


# --- the band -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_exercise", [True, False])
def test_the_band_stands_in_the_frame_of_every_page_of_an_exercise_and_of_no_other(is_exercise: bool) -> None:
    client = build_app(lambda: None, WallSettings(is_exercise=is_exercise)).server.test_client()
    for path in ("/", "/desk", "/feeds", "/instructor", "/debrief"):
        assert (
            '<section id="exercise" aria-label="EXERCICE, EXERCISE">EXERCICE' in client.get(path).get_data(as_text=True)
        ) is is_exercise
