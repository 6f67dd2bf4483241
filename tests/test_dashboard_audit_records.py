"""What is recorded of a house: consultations, however often a page ticks, and acts at every door."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, g
from flask.testing import FlaskClient

from dashboard.access.roles import EVERYBODY, STRANGER, SignedIn
from dashboard.alert_desk import answered
from dashboard.app import WallSettings, build_app
from dashboard.audit.acts import DOORS, audited, of_sign_ins
from dashboard.audit.chain import files_of
from dashboard.audit.consultations import FORMS, NOBODYS, NOT_ALLOWED, PAGES, TICKS, answer_to_audit
from dashboard.audit.records import Deed
from dashboard.drill import Exercise
from dashboard.known_wiring import KnownPage
from dashboard.news import SCREEN as SCREEN_SAID
from dashboard.words import Reader
from forecast.alerts import Alerts
from forecast.backtest_desk import BacktestDesk
from forecast.desk import Desk
from forecast.errors import AlarmError
from forecast.grid_desk import GridDesk
from forecast.replay_desk import ReplayDesk
from forecast.whatif_ask import Asking
from ingest.clock import SimulatedClock
from tests.alert_worlds import department
from tests.api_worlds import world_of
from tests.audits import AT, trail_in, written
from tests.boards import ordinary
from tests.test_dashboard_app import SCREEN, refresh

# ------------------------------------------------------------------------------------------------------ consultations


@dataclass
class Kept:
    """A trail that writes nothing."""

    clock: SimulatedClock
    deeds: list[Deed]

    def now(self) -> datetime:
        return self.clock.now()

    def keep(self, deed: Deed, *, wait: bool = False) -> None:
        self.deeds.append(deed)

    def told(self) -> list[str]:
        """Each in a line, and forgotten."""
        found = [" ".join(filter(None, (d.kind, d.what, d.about, d.outcome, d.who, d.role))) for d in self.deeds]
        self.deeds.clear()
        return found


ON_A_SCREEN = {SCREEN_SAID: json.dumps(SCREEN)}


def kept() -> Any:
    return Kept(SimulatedClock(AT), [])


def asked_of(trail: Any, signed: Callable[[], SignedIn | None] = lambda: None) -> FlaskClient:
    app = build_app(ordinary, WallSettings())
    server: Flask = app.server

    @server.before_request
    def gate() -> None:
        if (one := signed()) is not None:
            g.signed_in = one

    answer_to_audit(server, trail)
    return server.test_client()


def test_a_page_is_one_consultation_however_often_it_ticks() -> None:
    trail = kept()
    client = asked_of(trail)
    client.get("/alerts")
    for _ in range(50):
        refresh(client, {**SCREEN, "path": "/alerts"})
        client.get("/news/alerts", headers=ON_A_SCREEN)
    client.get("/_dash-layout")
    client.get("/assets/wall.css").close()
    client.get("/healthz")
    assert trail.told() == ["page alerts done open"]
    client.get("/alerts")
    assert trail.told() == ["page alerts done open"]


def test_who_asks_without_opening_the_page_is_recorded_and_once_a_day() -> None:
    trail = kept()
    client = asked_of(trail)
    for _ in range(3):
        refresh(client, {**SCREEN, "path": "/feeds"})
        client.get("/phone/board")
        client.get("/news/trust?lang=en", headers=ON_A_SCREEN)
    assert trail.told() == ["page feeds done open", "page phone done open", "page trust done open"]
    trail.clock.advance_to(AT + timedelta(days=1))
    refresh(client, {**SCREEN, "path": "/feeds"})
    assert trail.told() == ["page feeds done open"]


def test_the_mutant_that_records_every_tick_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.audit.consultations._is_tick", lambda response: False)
    trail = kept()
    client = asked_of(trail)
    client.get("/alerts")
    refresh(client, {**SCREEN, "path": "/alerts"})
    assert trail.told() != ["page alerts done open"]


def test_it_says_who_and_where_and_nothing_that_was_typed() -> None:
    trail = kept()
    signed: list[SignedIn | None] = [SignedIn("anna", "manager"), None, SignedIn(None, None)]
    client = asked_of(trail, lambda: signed[0])
    client.get("/replay?at=2026-11-05&patient=DUPONT")
    client.get("/DUPONT-JEAN")
    client.get("/data/DUPONT/DUPONT.csv?of=DUPONT")
    del signed[0]
    client.get("/phone?lang=en", environ_overrides={"REMOTE_ADDR": "10.1.2.3"})
    del signed[0]
    client.get("/known")
    places = [one.place for one in trail.deeds]
    assert "DUPONT" not in str(trail.deeds)
    assert "10.1.2.3" not in str(trail.deeds)
    assert places == ["loopback"] * 3 + ["elsewhere", "loopback"]
    assert trail.told() == [
        "page replay done anna manager", "page wall done anna manager", "file chart-data absent anna manager",
        "page phone done open", "page wall done nobody",
    ]  # fmt: skip


def test_a_chart_that_is_taken_is_named() -> None:
    trail = kept()
    asked_of(trail).get("/data/wall/census.csv")
    assert trail.told() == ["file chart-data wall census.csv done open"]


def test_the_api_is_recorded_by_its_names_what_is_known_already_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with world_of() as world:
        trail = kept()
        answer_to_audit(world.server, trail)
        client = world.client
        client.get("/api/v1/openapi.json")
        etag = client.get("/api/v1/scenarios").headers["ETag"]
        for _ in range(3):
            assert client.get("/api/v1/scenarios", headers={"If-None-Match": etag}).status_code == 304
        client.get("/api/v1/proposals/DUPONT")
        client.get("/api/v1/proposals/" + world.proposed())
        client.get("/api/v1/board")
        found = trail.told()
    assert found[0].startswith("api ")
    assert "DUPONT" not in str(found)
    assert [line.partition(" ")[2] for line in found[1:]] == [
        "list_scenarios done open", "show_proposal absent open", "propose done open",
        "show_proposal proposal-1 done open", "show_board done open",
    ]  # fmt: skip


def test_every_address_is_a_consultation_or_stands_among_those_that_are_none() -> None:
    """An address that is added and shows something is recorded without anybody thinking of it."""
    trail = kept()
    app = build_app(ordinary, WallSettings())
    server: Flask = app.server
    server.add_url_rule("/new/thing", "new-thing", lambda: "of the hospital")
    answer_to_audit(server, trail)
    server.test_client().get("/new/thing")
    assert trail.told() == ["file new-thing done open"]
    there = {rule.endpoint for rule in server.url_map.iter_rules()}
    elsewhere = {"readyz", "metrics", "fhir", "report", "floor-day", "known", "known-say", "known-undo"}
    elsewhere |= {"sign-in", "sign-in-tried", "sign-in-elsewhere", "sign-in-done", "sign-out"}
    assert {*NOBODYS, *FORMS, *PAGES, *TICKS} - there <= elsewhere


# --------------------------------------------------------------------------------------------------------------- acts

CHANGES: dict[str, tuple[type, set[str]]] = {
    "alarms": (Alerts, {"judge", "tick", "sends", "state", "log", "alarms", "told"}),
    "desk": (Desk, {"proposals", "changed_at", "carried", "promised", "measured", "exported"}),
    "known": (KnownPage, {"view"}),
    "grids": (GridDesk, {"join", "view"}),
    "backtests": (BacktestDesk, {"run", "end"}),
    "replays": (ReplayDesk, {"view", "asked", "stop"}),
    "exercise": (Exercise, {"join", "feed", "units", "pools", "names", "view", "save", "record"}),
    "whatif": (Asking, {"zone", "catalogue", "offer", "ask", "scenario", "propose"}),
}
"""Of each door, what changes nothing, or is done by the house, or goes on to another door."""


@pytest.mark.parametrize("door", CHANGES)
def test_whatever_can_be_done_at_a_door_is_recorded(door: str) -> None:
    thing, others = CHANGES[door]
    public = {name for name, _ in inspect.getmembers(thing) if not name.startswith("_") and name in vars(thing)}
    fields = set(getattr(thing, "__dataclass_fields__", ()))
    assert public - fields - others == set(DOORS[door])


def test_an_alarm_that_is_taken_on_is_recorded_with_who_and_on_the_disk_first(tmp_path: Path) -> None:
    reader = Reader("en", "UTC")
    with department() as there, trail_in(tmp_path) as trail, Flask("test").test_request_context():
        g.signed_in = EVERYBODY
        there.after(0, 0.9)
        (alarm,) = there.alerts.alarms
        alerts = audited(there.alerts, "alarms", trail)
        what = {"alarm": alarm.name, "act": "acknowledge", "language": "en"}
        assert answered(alerts, what, "nurse Anna", "M. DUPONT is worse", reader).startswith("\N{CHECK MARK}")
        (_, one) = written(tmp_path)
        assert (one.deed.what, one.deed.about, one.deed.who) == ("alarm acknowledged", alarm.name, "nurse Anna")
        with pytest.raises(AlarmError):
            alerts.snooze("DUPONT", "DUPONT", 30.0, "DUPONT")
        g.signed_in = SignedIn("anna", "manager")
        alerts.snooze(alarm.name, "somebody", 30.0)
        found = [one.deed for one in written(tmp_path)][2:]
        assert [(d.what, d.outcome, d.who, d.role) for d in found] == [
            ("alarm snoozed", "refused", None, "open"), ("alarm snoozed", "done", "anna", "manager"),
        ]  # fmt: skip
        assert alerts.log is not None  # all else is the thing's own
    assert "DUPONT" not in "".join(path.read_text() for path in files_of(tmp_path / "audit"))


def test_who_signs_in_and_out_is_recorded_and_a_try_that_does_not_fit_without_what_was_typed(tmp_path: Path) -> None:
    with trail_in(tmp_path) as trail, Flask("test").test_request_context():
        g.signed_in = STRANGER
        told, anna = of_sign_ins(trail), SignedIn("anna", "manager")
        told("signed in", anna)
        told("signed out", anna)
        told("sign-in refused", None)
        found = [one.deed for one in written(tmp_path)][1:]
    assert [(d.what, d.outcome, d.who, d.role) for d in found] == [
        ("signed in", "done", "anna", "manager"), ("signed out", "done", "anna", "manager"),
        ("sign-in refused", "refused", None, "nobody"),
    ]  # fmt: skip


def test_an_act_that_the_gate_refuses_is_recorded_without_what_it_was() -> None:
    trail = kept()
    client = asked_of(trail)

    def gate() -> Response:
        g.signed_in = SignedIn("wall", "wall")
        return Response("no", 403)

    client.application.before_request_funcs[None].insert(0, gate)
    client.post("/_dash-update-component", json={"output": "talk-said.children", "inputs": []})
    (one,) = trail.deeds
    assert (one.kind, one.what, one.outcome, one.who) == ("act", NOT_ALLOWED, "refused", "wall")


def test_the_mutant_that_records_before_it_is_done_tells_of_what_was_refused() -> None:
    """What the test above would see, were the record made first: `outcome` could not say that it was refused."""
    trail = kept()
    with department() as there, Flask("test").test_request_context():
        alerts = audited(there.alerts, "alarms", trail)
        with pytest.raises(AlarmError):
            alerts.snooze("nothing", "anna", 30.0)
    assert trail.told() == ["act alarm snoozed refused open"]


def test_what_the_house_does_itself_is_no_act_of_a_person() -> None:
    trail = kept()
    with department() as there:
        there.after(0, 0.9)
        (alarm,) = there.alerts.alarms
        audited(there.alerts, "alarms", trail).acknowledge(alarm.name, "script")
    assert trail.told() == []
