"""`edtwin scenarios run`, `compare` and `grid`, as people use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard import house
from dashboard.settings import Settings
from forecast.own_scenarios import OwnScenarios
from tests.commands import AT, InThisProcess, Run, fabricated, ingested, runs
from twin import kernel

FEW = ("--members", "6", "--hours", "12", "--at", AT)


@pytest.fixture(autouse=True)
def simulated_here(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.warm()
    monkeypatch.setattr(house, "Workers", InThisProcess)
    monkeypatch.setattr("os.nice", lambda _: 10)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runs(capsys)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(fabricated(tmp_path_factory.mktemp("runs")))


def test_a_scenario_with_numbers_of_its_own(run: Run, data: Path) -> None:
    """The example of the README."""
    numbers = ("--set", "clusters=5", "--set", "size=80")
    told = run("scenarios", "run", "epidemic_clusters", *numbers, *FEW, "--data", data, "--json").json
    usual, epidemic = told["scenarios"]
    assert (usual["name"], epidemic["name"]) == ("as_usual", "epidemic_clusters[clusters=5,size=80]")
    assert (epidemic["parameters"]["clusters"]["value"], epidemic["inapplicable"]) == (5.0, None)
    effect = told["effects"][epidemic["name"]]["ed_peak"]
    assert effect["ci95"][0] > 0
    assert (told["members"], effect["n"], told["hours"]) == (6, 6, 12.0)


def test_support_services_are_among_what_a_scenario_changes(run: Run, data: Path) -> None:
    """A kitchen that delivers nothing is missed at the next meal, by catering alone."""
    asked = ("scenarios", "compare", "kitchen_down", "earlier_discharges", "--view", "support", *FEW)
    told = run(*asked, "--data", data, "--json").json
    effects = told["effects"]["kitchen_down"]
    assert effects["supplies_short:catering"]["ci95"][0] > 0
    assert effects["supplies_short:linen"]["mean"] == 0.0
    assert told["effects"]["earlier_discharges"]["supplies_short:catering"]["mean"] <= 0.0
    grid = run("scenarios", "grid", "kitchen_down", "--combinations", "2", *FEW, "--data", data, "--json").json
    usual, without = grid["outcomes"]["supplies_short:catering"]
    assert without > usual


def test_as_text_each_criterion_has_a_line(run: Run, data: Path) -> None:
    told = run("scenarios", "run", "mass_casualty_20", "--view", "nurses", *FEW, "--data", data).out
    assert "12 h, 6 members on the same luck" in told
    assert "mass_casualty_20: 20 victims" in told
    assert "Most patients present at once:" in told
    assert "triage 1" not in told, "that is for doctors"


def test_what_nobody_should_choose_is_named(run: Run, data: Path) -> None:
    asked = ("scenarios", "compare", "mass_casualty_20", "arrivals_up_20", "--criteria", "ed_peak,boarding_h")
    told = run(*asked, *FEW, "--data", data, "--json").json
    assert told["to_choose_from"] == ["as_usual"]
    assert "as_usual" in told["dominated_by"]["mass_casualty_20"]
    assert [one["name"] for one in told["criteria"]] == ["ed_peak", "boarding_h"]
    text = run(*asked, *FEW, "--data", data).out
    assert "not mass_casualty_20: as_usual is better or equal on all" in text


def test_a_scenario_without_a_lever_says_why_and_is_no_choice(run: Run, data: Path) -> None:
    told = run("scenarios", "compare", "one_more_doctor", "arrivals_up_20", *FEW, "--data", data, "--json").json
    doctor = next(one for one in told["scenarios"] if one["name"] == "one_more_doctor")
    assert "do not tell how many there are" in doctor["inapplicable"]
    assert "one_more_doctor" not in told["effects"]
    assert "one_more_doctor" not in told["dominated_by"]


def test_a_grid_tells_what_breaks_and_what_moves_what(run: Run, data: Path) -> None:
    asked = ("scenarios", "grid", "winter_peak", "mass_casualty_20", "neighbour_closed", "--combinations", "12")
    told = run(*asked, *FEW, "--data", data, "--json").json
    assert len(told["design"]["combinations"]) == 12
    assert [row["name"] for row in told["robustness"]["rows"]][:2] == ["as_usual", "winter_peak"]
    assert told["robustness"]["members"] == 6
    assert len(told["outcomes"]["ed_peak"]) == 12
    assert {one["variable"] for one in told["sensitivity"]["ed_peak"]} >= {"winter_peak", "mass_casualty_20"}
    text = run(*asked, *FEW, "--data", data).out
    assert f"12 combinations, grid {told['grid']}" in text, "the same grid, carried on"
    assert "what moves what most" in text


def test_a_random_grid_varies_the_numbers_of_scenarios_at_once(run: Run, data: Path) -> None:
    told = run(
        "scenarios", "grid", "winter_peak", "--design", "random", "--combinations", "10", *FEW, "--data", data, "--json"
    ).json
    names = [one["name"] for one in told["design"]["combinations"]]
    assert (names[0], len(names)) == ("as_usual", 10)
    assert all(name.startswith("winter_peak[") for name in names[1:])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("run",), "scenarios run needs the name of a scenario"),
        (("compare", "winter_peak"), "needs the names of two scenarios at least"),
        (("run", "winter_peek"), "unknown scenario winter_peek, likely a typo for winter_peak"),
        (("run", "winter_peak", "--set", "percent=500"), "percent must lie between 5 and 60, but is 500"),
        (("run", "winter_peak", "--set", "beds=5"), "winter_peak has no number beds"),
        (("run", "winter_peak", "--view", "chef"), "view must be one of doctors"),
        (("run", "winter_peak", "--criteria", "ed_peek"), "unknown criterion ed_peek, likely a typo for ed_peak"),
        (("grid", "winter_peak", "--combinations", "9999"), "2 to 2000 combinations"),
        (("run", "winter_peak+winter_peak[percent=60]+arrivals_up_20"), "by a factor from 0 to 3, but by"),
        (("run", "winter_peak", "--at", "2020-01-01T00:00Z"), "--at must lie within the log"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_run(run: Run, data: Path, asked: tuple[str, ...], said: str) -> None:
    found = run("scenarios", *asked, "--members", "4", "--data", data)
    assert (found.status, found.out) == (2, "")
    assert said in found.err
    assert found.err.count("\n") == 1


def test_what_was_saved_is_listed_and_shown_unless_a_house_holds_it(run: Run, data: Path) -> None:
    settings = Settings(data=data)
    with house.open_house(settings) as open_:
        change = open_.catalogue()["one_more_doctor"]
        OwnScenarios(open_.database, open_.clock).save(
            "night_doctor", "Un médecin la nuit", "", change, taken=open_.catalogue()
        )
        held = run("scenarios", "list", "--data", data)
    assert "night_doctor" not in held.out
    assert "without the scenarios that were saved" in held.err
    listed = run("scenarios", "list", "--data", data, "--json").json["scenarios"]
    assert [one["name"] for one in listed].count("night_doctor") == 1
    shown = run("scenarios", "show", "night_doctor", "--data", data)
    assert shown.out.startswith("night_doctor: Un médecin la nuit")
    assert shown.err == ""
