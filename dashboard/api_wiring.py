"""The API wired for a running house: its scenarios, its desk, and a process for what is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dashboard.api_board import ApiBoard, Shown
from dashboard.api_desk import ApiDesk
from dashboard.api_routes import Route, routes_of
from dashboard.api_runs import ApiRuns, Turns
from dashboard.api_scenarios import ApiScenarios
from dashboard.house import COMPILED, House, study_of
from dashboard.proposal_window import DeskDoor
from forecast.loop import Loop
from forecast.workers import Workers
from twin.kernel import warm
from twin.scenarios import Scenario


@dataclass(frozen=True)
class ApiHouse:
    """The API as a house has it."""

    routes: Sequence[Route]
    turns: Turns

    def stop(self) -> None:
        """Nothing more is run; the process ends."""
        self.turns.stop()


def api_of(
    house: House, loop: Loop, door: DeskDoor, catalogue: Callable[[], Mapping[str, Scenario]], shown: Shown
) -> ApiHouse:
    """The API of a house whose loop makes the forecasts, and of what its pages show."""
    turns = Turns(partial(_one_process, house))
    runs = ApiRuns(study_of(house), lambda: loop.ground, catalogue, turns)
    scenarios, desk = ApiScenarios(catalogue, lambda: loop.ground), ApiDesk(door, catalogue)
    return ApiHouse(routes_of(scenarios, runs, desk, ApiBoard(shown)), turns)


def _one_process(house: House) -> Workers:
    """What runs members: begun when somebody first asks."""
    return Workers(1, prepare=partial(warm, house.settings.data / COMPILED))
