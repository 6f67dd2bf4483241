"""The API's runs and comparisons: the wall's own numbers, bounded, one at a time; and the README's example."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from dashboard.api import PREFIX
from dashboard.api_runs import Turns
from dashboard.errors import RefusedError
from forecast.calibrated import Correction, Recalibration
from forecast.ensemble import Run
from forecast.issue import as_json, issue
from forecast.people import ANYBODY
from forecast.values import LEVELS, Series
from forecast.whatif import Ground
from forecast.whatif_draws import POLITE
from forecast.workers import Workers
from tests.api_worlds import World, json_of, refused, world_of
from tests.histories import scenarios
from tests.test_forecast_whatif import ground
from twin.kernel import warm
from twin.scenarios import carrying

HOW = Run(members=12, horizon_min=360.0, seed=7)
USUAL, BUSY, SHORT = scenarios("as_usual", "arrivals_up_20", "ten_beds_closed")
README = Path(__file__).parents[1] / "dashboard" / "README.md"


@cache
def weighed() -> Ground:
    """A forecast weighed with a rival, so that what rivals say must go as far as a run."""
    weights = np.full((4, 2, 2), 0.5)
    correction = Correction(
        np.array([60.0, 360.0]), np.full((4, 2), 1.5), np.full((4, 2), 1.3), ("climatology",), weights
    )
    leads = HOW.lead_min.size - 1
    said = Series(np.full(leads, 30.0), {level: np.full(leads, 25.0 + 10 * level) for level in LEVELS})
    by_past = Recalibration("Europe/Paris", {"ed_census": correction}, days=30)
    return replace(ground(HOW, by_past), rivals={"climatology": {"ed_census": said}})


@pytest.fixture
def world() -> Iterator[World]:
    with world_of(weighed()) as made:
        yield made


def asked(world: World, path: str = "/runs", **body: Any) -> TestResponse:
    return world.post(path, {"scenarios": ["arrivals_up_20"], "members": 12, **body})


def breaks(answer: Any, schema: str, world: World) -> list[str]:
    whole = json_of(world.get("/openapi.json"))
    told = {"$ref": f"#/components/schemas/{schema}", "components": whole["components"]}
    return [error.message for error in Draft202012Validator(told).iter_errors(answer)]


# --- runs


def issued(g: Ground) -> Any:
    """What the wall's forecast says, with the scenario beside as usual."""
    both = [g.usual, carrying(BUSY, [g.usual])]
    told = issue(g.situation, both, g.how, g.times, recalibration=g.recalibration, rivals=g.rivals)
    return as_json(told)


def test_a_run_says_what_the_wall_says(world: World) -> None:
    told, wall = json_of(asked(world)), issued(weighed())
    assert told == wall
    assert breaks(told, "Runs", world) == []
    assert list(told["scenarios"]) == ["as_usual", "arrivals_up_20"]
    assert told["differences"]["arrivals_up_20"]["ed_census"]["mean"][-1] > 0
    assert told != issued(replace(weighed(), how=replace(HOW, seed=8)))  # other luck is seen


def test_what_was_adopted_is_in_every_run(world: World) -> None:
    world.ground = replace(weighed(), usual=carrying(USUAL, [SHORT]))
    assert json_of(asked(world)) == issued(world.ground) != issued(weighed())


def test_a_shorter_run_of_some_measures(world: World) -> None:
    body: dict[str, Any] = {"hours": 2, "measures": ["ed_census", "ed_waiting"]}
    told = json_of(asked(world, scenarios=["as_usual", "winter_peak+arrivals_up_20"], **body))
    assert breaks(told, "Runs", world) == []
    assert list(told["differences"]) == ["winter_peak+arrivals_up_20"]
    for by in told["scenarios"].values():
        assert list(by) == ["ed_census", "ed_waiting"]
        assert by["ed_census"]["lead_min"][-1] == 120.0
        assert len(by["ed_census"]["mean"]) == len(by["ed_census"]["lead_min"])


def test_a_scenario_that_changes_nothing_differs_by_nothing(world: World) -> None:
    told = json_of(asked(world, scenarios=["arrivals_up_20", "one_more_doctor"], hours=1))
    same = json_of(asked(world, scenarios=["as_usual"], hours=1))
    assert same["differences"] == {}
    assert same["scenarios"]["as_usual"] == told["scenarios"]["as_usual"]


CANNOT: dict[str, tuple[str, dict[str, Any], str]] = {
    "a scenario": ("/runs", {"scenarios": ["arrivals_up_2"]}, "unknown scenario arrivals_up_2, likely a typo for"),
    "a number": ("/comparisons", {"scenarios": ["epidemic_clusters[clusters=99]"]}, "clusters must lie between"),
    "together": ("/runs", {"scenarios": ["+".join(["arrivals_up_20"] * 9)]}, "arrivals must be changed by a factor"),
    "hours": ("/runs", {"hours": 7}, "hours: must be whole steps of 15 minutes, 6 hours at most, but is 7"),
    "a step": ("/comparisons", {"hours": 1.1}, "hours: must be whole steps of 15 minutes"),
    "a measure": ("/runs", {"measures": ["ed_censuss"]}, "unknown measure ed_censuss, likely a typo for ed_census"),
    "a view": ("/comparisons", {"view": "cooks"}, "view must be one of"),
    "a criterion": ("/comparisons", {"criteria": ["ed_peek"]}, "unknown criterion ed_peek, likely a typo for ed_peak"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(CANNOT))
def test_what_cannot_be_run_is_told(world: World, case: str) -> None:
    path, body, says = CANNOT[case]
    status, why = refused(asked(world, path, **body))
    assert (status, says in why) == (422, True), why


@pytest.mark.parametrize("path", ["/runs", "/comparisons"])
def test_before_the_first_forecast_it_says_when_to_ask_again(path: str) -> None:
    with world_of() as world:
        answer = asked(world, path)
    assert refused(answer) == (503, "there is no forecast yet: ask again in a minute")
    assert answer.headers["Retry-After"] == "60"


def test_a_scenario_is_shown_with_why_it_changes_nothing_here(world: World) -> None:
    assert json_of(world.get("/scenarios/arrivals_up_20"))["inapplicable"] is None
    unknown = replace(weighed().situation.calibration, beds_known=frozenset())
    world.ground = replace(weighed(), situation=replace(weighed().situation, calibration=unknown))
    told = json_of(world.get("/scenarios/ten_beds_closed"))
    assert breaks(told, "ScenarioWhole", world) == []
    assert "how many there are" in told["inapplicable"]


# --- comparisons


def test_a_comparison_as_the_command_prints_it(world: World) -> None:
    names = ["arrivals_up_20", "one_more_doctor"]
    told = json_of(asked(world, "/comparisons", scenarios=names, criteria=["ed_peak", "effort_staff_h"]))
    assert breaks(told, "Comparisons", world) == []
    assert [one["name"] for one in told["scenarios"]] == ["as_usual", *names]
    assert [one["name"] for one in told["criteria"]] == ["ed_peak", "effort_staff_h"]
    assert (told["members"], told["hours"], told["compared_with"]) == (12, 6.0, "as_usual")
    assert told["effects"]["arrivals_up_20"]["ed_peak"]["mean"] > 0
    assert told["effects"]["one_more_doctor"]["effort_staff_h"]["value"] > 0
    assert "arrivals_up_20" not in told["to_choose_from"]
    seen = json_of(asked(world, "/comparisons", view="nurses"))
    assert breaks(seen, "Comparisons", world) == []
    assert len(seen["criteria"]) > 2


# --- one at a time


class Slow:
    """A turn that is held until it is let go."""

    def __init__(self, turns: Turns) -> None:
        self.held, self.go = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._hold, args=(turns,))
        self.thread.start()
        assert self.held.wait(20)

    def _hold(self, turns: Turns) -> None:
        with turns.turn():
            self.held.set()
            self.go.wait(60)

    def end(self) -> None:
        self.go.set()
        self.thread.join(60)


def test_when_the_queue_is_full_the_next_is_told_to_come_again() -> None:
    with world_of(weighed(), waiting=0) as world:
        slow = Slow(world.turns)
        answer = asked(world, hours=1)
        slow.end()
        assert refused(answer) == (429, "1 requests are being run or wait: ask again later")
        assert int(answer.headers["Retry-After"]) > 0
        assert asked(world, hours=1).status_code == 200  # there is room again


def test_who_finds_room_waits_for_their_turn() -> None:
    with world_of(weighed(), waiting=1) as world:  # the mutant of a queue that is full
        slow, found = Slow(world.turns), list[int]()
        second = threading.Thread(target=lambda: found.append(asked(world, hours=1).status_code))
        second.start()
        second.join(0.5)
        assert found == []
        slow.end()
        second.join(60)
        assert found == [200]


class Broken(Executor):
    """Its process died."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise BrokenProcessPool("it died")


def test_a_process_that_dies_is_told_and_leaves_its_place() -> None:
    with world_of(weighed(), Broken(), waiting=0) as world:
        for _ in range(2):
            status, why = refused(asked(world))
            assert (status, why) == (503, "the process that runs members has ended: ask again")


def test_members_run_in_a_process_that_gives_way() -> None:
    warm()
    workers = Workers(1)
    try:
        workers.submit(warm).result()
        with world_of(weighed(), workers) as world:
            before = workers.submit(os.nice, 0).result()
            assert json_of(asked(world, hours=1)) == _alone()
            assert workers.submit(os.nice, 0).result() == min(before + POLITE, 19)
            world.turns.stop()
            assert refused(asked(world)) == (503, "the house is ending")
    finally:
        workers.shutdown(cancel_futures=True)


def _alone() -> Any:
    with world_of(weighed()) as world:
        return json_of(asked(world, hours=1))


def test_no_process_is_begun_before_somebody_asks() -> None:
    made: list[None] = []
    turns = Turns(lambda: made.append(None))
    assert made == []
    with turns.turn():
        assert made == [None]
    turns.stop()
    with pytest.raises(RefusedError, match="ending"), turns.turn():
        pass


# --- the README


def test_the_example_of_the_readme_runs(capsys: pytest.CaptureFixture[str]) -> None:
    section = README.read_text(encoding="utf-8").split("\n## Scripts and notebooks")[1]
    example = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert example is not None
    with world_of(weighed(), people=ANYBODY.everybody) as world:
        server = make_server("127.0.0.1", 0, world.server, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        here = example[1].replace("http://127.0.0.1:8050", f"http://127.0.0.1:{server.server_port}")
        assert here != example[1]
        here = here.replace('"members": 100', '"members": 10')
        try:
            exec(compile(here, "README.md", "exec"), {})
        finally:
            server.shutdown()
            thread.join(30)
            server.server_close()
    said = capsys.readouterr().out
    assert "epidemic_clusters" in said
    assert "proposal-1 is open" in said


def test_every_route_is_in_the_readme(world: World) -> None:
    section = README.read_text(encoding="utf-8").split("\n## Scripts and notebooks")[1].split("\n## ")[0]
    paths = json_of(world.get("/openapi.json"))["paths"]
    wanted = [
        f"{method.upper()} {path.removeprefix(PREFIX).replace('{', '<').replace('}', '>')}"
        for path, methods in paths.items() for method in methods if not path.endswith("openapi.json")
    ]  # fmt: skip
    assert [route for route in wanted if f"`{route}`" not in section] == []
    assert [route for route in ["GET /gone"] if f"`{route}`" not in section] == ["GET /gone"]
