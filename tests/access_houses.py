"""A house with every route and every callback, who asks told by a header, and a record of all that was changed."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import pytest
from argon2 import PasswordHasher
from dash import Dash
from flask import Flask, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from dashboard.access.accounts import Accounts
from dashboard.access.addresses import Way
from dashboard.access.cookies import Cookies
from dashboard.access.gate import Gate
from dashboard.access.limits import Asks
from dashboard.access.oidc import ByOidc, Provider
from dashboard.access.roles import ROLES, Role, SignedIn
from dashboard.access.sessions import Sessions
from dashboard.access.sign_in import SignIn
from dashboard.access.wiring import Access
from dashboard.api import answer_api
from dashboard.api_board import ApiBoard, Shown
from dashboard.api_desk import ApiDesk
from dashboard.api_routes import routes_of
from dashboard.api_runs import ApiRuns, Turns
from dashboard.api_scenarios import ApiScenarios
from dashboard.app import WallSettings, build_app
from dashboard.downtime_files import DowntimeSheets, answer_downtime
from dashboard.fhir_endpoint import answer_fhir
from dashboard.floor_days import answer_floor
from dashboard.huddle_files import answer_huddle
from dashboard.known_door import KnownDoor
from dashboard.known_wiring import KnownPage
from dashboard.pages.beside import BESIDE
from dashboard.probes import answer_metrics, answer_readyz
from dashboard.proposal_window import DeskDoor
from dashboard.report.serving import answer_report
from forecast.archive import SCHEMA_SQL
from forecast.desk import Desk
from forecast.huddle_desk import Sheets
from forecast.people import LocalPeople, Person
from ingest.clock import SimulatedClock
from ingest.database import Database
from tests.api_worlds import CATALOGUE, HOUSE_STUDY
from tests.boards import ordinary
from tests.exercise_views import Offered
from tests.histories import hospital
from tests.test_forecast_desk import NAMES, NOW
from twin.supply_file import load_supplies

ROOT = Path(__file__).parents[1]
HEADER = "X-Test-Role"
UNBOUNDED = 10**9
SECRETARY = Person("secretary", "Secrétariat", "Secretary", frozenset({"proposer", "manager"}))
"""Whom the house's people know, with all roles: no sign-in may borrow theirs."""
NOWHERE = Provider("http://127.0.0.1:9", "edtwin", None, {})
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""What is hashed by it is not safe; a test has other things to do."""
CALLBACK = "/_dash-update-component"


class Recorder:
    """Whatever is called on it is done, and written down."""

    def __init__(self, done: list[str], what: str, **told: Any) -> None:
        self._done, self._what = done, what
        self.__dict__.update(told)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def act(*given: Any, **_: Any) -> Any:
            self._done.append(f"{self._what} {name} {given[0] if given else ''}".strip())
            return 1

        return act


@dataclass
class Guarded:
    """The house, and what was done in it."""

    app: Dash
    desk: Desk
    done: list[str] = field(default_factory=list)

    def client(self, role: Role | None) -> FlaskClient:
        """One who asks with a role; None: a stranger."""
        client: FlaskClient = self.app.server.test_client()
        if role is not None:
            client.environ_base[f"HTTP_{HEADER.upper().replace('-', '_')}"] = role
        return client

    def changes(self) -> list[str]:
        """All that was changed so far."""
        return [*self.done, *(f"desk {row['what']} {row['who']}" for row in self.desk.exported())]


def by_header(_is_there: bool) -> SignedIn | None:
    """Who the test says it is; a name is had by everybody but the wall."""
    told = request.headers.get(HEADER, "")
    return next((SignedIn(f"a {role}", role) for role in ROLES if role == told), None)


def gate_of(doors: Sequence[Any] = (by_header,), kind: type[Gate] = Gate, way: Way | None = None) -> Gate:
    """A gate that never tells anybody to wait."""
    return kind(way or Way(), doors, begins=Asks(UNBOUNDED), asks=Asks(UNBOUNDED))


@contextmanager
def guarded(folder: Path, gate: Gate | None = None, sign_in: SignIn | None = None) -> Iterator[Guarded]:
    """The house behind a gate."""
    clock, done = SimulatedClock(NOW), list[str]()
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        desk = Desk(database, clock, NAMES, horizon_min=1440.0, zone=hospital().zone)
        people = LocalPeople([SECRETARY])
        door = DeskDoor(desk, people, hospital(), load_supplies(), clock)
        known = cast(Any, Recorder(done, "known", known=(), choices=dict))
        gate = gate or gate_of()
        sign_in = sign_in or SignIn(
            Accounts(folder / "accounts.json", QUICK), Sessions(), Cookies(False), gate.way, clock, "fr"
        )
        app = build_app(
            ordinary, WallSettings(), None, {name: lambda *_: None for name in BESIDE},
            cast(Any, Recorder(done, "alarm")), _asking(done, door), cast(Any, Recorder(done, "grid")), door,
            cast(Any, _Exercise(done)), KnownDoor(KnownPage(known, people, hospital(), "live", clock), "t"),
            cast(Any, Recorder(done, "replay", asked=lambda query: cast(Any, _Replay()))),
            cast(Any, Recorder(done, "back-test")), Access(gate, sign_in, ByOidc(NOWHERE, sign_in)),
        )  # fmt: skip
        _answer_all(app.server, folder, door, clock)
        yield Guarded(app, desk, done)


def _answer_all(server: Flask, folder: Path, door: DeskDoor, clock: SimulatedClock) -> None:
    """What `serve` adds to the pages."""
    turns = Turns(lambda: None)
    runs = ApiRuns(HOUSE_STUDY, lambda: None, lambda: CATALOGUE, turns)
    board = ApiBoard(Shown(ordinary, lambda: None, lambda: None, lambda: None))
    answer_readyz(server, cast(Any, Recorder([], "readiness", fault=lambda: None)))
    answer_metrics(server, ordinary)
    answer_huddle(server, Sheets(folder))
    answer_downtime(server, DowntimeSheets(folder, lambda: None, clock))
    answer_report(server, folder / "report.html")
    answer_floor(server, lambda _: None)
    scenarios = ApiScenarios(lambda: CATALOGUE, lambda: None)
    answer_api(server, routes_of(scenarios, runs, ApiDesk(door, lambda: CATALOGUE), board))
    answer_fhir(server, cast(Any, None), cast(Any, None), b"x" * 32, clock)


@dataclass(frozen=True)
class _Replay:
    fault: None = None


class _Exercise(Offered):
    def __init__(self, done: list[str]) -> None:
        super().__init__()
        self._done = done

    def put(self, inject: Any) -> None:
        self._done.append("inject")

    def cancel(self, number: int) -> None:
        self._done.append("cancelled")


def _asking(done: list[str], door: DeskDoor) -> Any:
    def save(name: str, fr: str, en: str, question: Any, who: str) -> Any:
        done.append(f"scenario {who}")
        return replace(next(iter(CATALOGUE.values())), name=name)

    def propose(who: str, words: str, question: Any, varies: str | None) -> str:
        return door.propose(who, words, CATALOGUE["one_more_doctor"], NOW, varies)

    return Recorder([], "asking", save=save, propose=propose, desk=door, zone="UTC", offer=lambda: None,
                    ask=_waking)  # fmt: skip


def _waking(*_: Any) -> Any:
    from forecast.whatif_queue import Standing

    return Standing("waking")


# --- what is asked ----------------------------------------------------------------------------------------------------


def post_callback(client: FlaskClient, app: Dash, first: str, values: dict[str, Any], **more: Any) -> TestResponse:
    """A direct POST of the callback that a first output names, with these values of its inputs and states."""
    [output] = [name for name in app.callback_map if name.strip(".").split("...")[0] == first]
    told = app.callback_map[output]
    outputs = [{"id": i, "property": p} for i, p in (name.rsplit(".", 1) for name in output.strip(".").split("..."))]

    def filled(items: Sequence[Any]) -> list[dict[str, Any]]:
        return [{**one, "value": values.get(name_of_item(one))} for one in items]

    inputs = filled(told["inputs"])
    body = {
        "output": output, "outputs": outputs if output.startswith("..") else outputs[0], "inputs": inputs,
        "state": filled(told["state"]),
        "changedPropIds": [name for one in inputs if (name := name_of_item(one)) in values],
    }  # fmt: skip
    return client.post(CALLBACK, json=body, **more)


def name_of_item(item: dict[str, Any]) -> str:
    """An input or a state, as values name it."""
    return f"{item['id']}.{item['property']}"


# --- what the sources hold --------------------------------------------------------------------------------------------


def calls_in_sources(*names: str) -> set[tuple[str, int]]:
    """Where the sources of the dashboard call one of these methods: file and line."""
    found = set()
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "dashboard").rglob("*.py"))}
    for path, text in texts.items():
        for node in ast.walk(ast.parse(text)) if any(f".{name}(" in text for name in names) else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
                found.add((path.name, node.lineno))
    return found


def calls_seen(monkeypatch: pytest.MonkeyPatch, name: str) -> set[tuple[str, int]]:
    """The places in the sources from which a server's method is called from now on."""
    seen, real = set[tuple[str, int]](), getattr(Flask, name)

    def noted(self: Flask, *given: Any, **named: Any) -> Any:
        frame = inspect.currentframe()
        caller = frame.f_back if frame is not None else None
        if caller is not None and Path(caller.f_code.co_filename).is_relative_to(ROOT / "dashboard"):
            seen.add((Path(caller.f_code.co_filename).name, caller.f_lineno))
        return real(self, *given, **named)

    monkeypatch.setattr(Flask, name, noted)
    return seen
