"""The API of a small house: its catalogue, a forecast of the small hospital, a desk in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.api import PREFIX, answer_api
from dashboard.api_board import ApiBoard, Shown
from dashboard.api_desk import ApiDesk
from dashboard.api_routes import routes_of
from dashboard.api_runs import ApiRuns, Turns
from dashboard.api_scenarios import ApiScenarios
from dashboard.app import WallSettings, build_app
from dashboard.proposal_window import DeskDoor
from forecast.archive import SCHEMA_SQL
from forecast.desk import Desk
from forecast.people import LocalPeople, Person
from forecast.study import Study
from forecast.whatif import Ground
from ingest.clock import SimulatedClock
from ingest.database import Database
from tests.alert_views import ordinary_alerts
from tests.boards import ordinary
from tests.compare_views import STUDY
from tests.histories import hospital
from tests.test_forecast_desk import ANNA, BEN, MARY, NAMES, NOW
from twin.scenarios import catalogue
from twin.supply_file import load_supplies

CATALOGUE = catalogue()
PEOPLE: tuple[Person, ...] = (ANNA, BEN, MARY)
HOUSE_STUDY: Study = replace(STUDY, hospital=hospital())
NURSES = {"capacity": [{"pool": "nurse", "add": 2, "until_min": 480}]}


@dataclass
class World:
    """What can be asked, and what stands behind it."""

    client: FlaskClient
    server: Flask
    desk: Desk
    clock: SimulatedClock
    turns: Turns
    ground: Ground | None
    shown: dict[str, Any] = field(default_factory=lambda: {"board": ordinary(), "alerts": ordinary_alerts()})
    """What the pages show, by name: `board`, `forecast`, `trust`, `alerts`."""

    def get(self, path: str) -> TestResponse:
        return self.client.get(PREFIX + path)

    def post(self, path: str, body: object) -> TestResponse:
        return self.client.post(PREFIX + path, json=body)

    def proposed(self, who: str = "anna", **more: object) -> str:
        """The name of a new proposal."""
        body = {"who": who, "words": "Two more nurses tonight", "change": NURSES, **more}
        answer = self.post("/proposals", body)
        assert answer.status_code == 201, answer.text
        return str(json_of(answer)["name"])


def json_of(answer: TestResponse) -> Any:
    """An answer's JSON."""
    assert answer.mimetype == "application/json", answer.text
    return answer.get_json()


def refused(answer: TestResponse) -> tuple[int, str]:
    """The status and the one sentence of a refusal."""
    told: Mapping[str, str] = json_of(answer)
    assert set(told) == {"error"}
    assert "\n" not in told["error"]
    assert "Traceback" not in answer.text
    return answer.status_code, told["error"]


@contextmanager
def world_of(
    now: Ground | None = None, executor: Executor | None = None, *, waiting: int = 2, people: Sequence[Person] = PEOPLE
) -> Iterator[World]:
    """The API of a house with or without a forecast, its members run in this process where no executor is given."""
    clock = SimulatedClock(NOW)
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        desk = Desk(database, clock, NAMES, horizon_min=1440.0, zone=hospital().zone)
        door = DeskDoor(desk, LocalPeople(people), hospital(), load_supplies(), clock)
        turns = Turns(lambda: executor, waiting)
        server: Flask = build_app(ordinary, WallSettings()).server
        world = World(server.test_client(), server, desk, clock, turns, now)
        runs = ApiRuns(HOUSE_STUDY, lambda: world.ground, lambda: CATALOGUE, turns)
        scenarios = ApiScenarios(lambda: CATALOGUE, lambda: world.ground)
        parts = ("board", "forecast", "trust", "alerts")
        board = ApiBoard(Shown(*(partial(lambda name: world.shown.get(name), part) for part in parts)))
        answer_api(server, routes_of(scenarios, runs, ApiDesk(door, lambda: CATALOGUE), board))
        yield world
