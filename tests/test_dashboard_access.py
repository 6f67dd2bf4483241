"""The gate: every route and every callback, by every role, does what the one table says; all else is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dash import Dash, Input, Output
from flask import Response, g

from dashboard.access import gate as gates
from dashboard.access.gate import Gate
from dashboard.access.limits import Asks
from dashboard.access.roles import EVERYBODY, ROLES, STRANGER, Least, Role, SignedIn
from dashboard.access.table import CALLBACKS, PAGES, ROUTES, SIGN_IN_DONE, Entry, hidden_from, name_of
from dashboard.app import WallSettings, build_app
from dashboard.pages.beside import BESIDE, WALL
from dashboard.pages.beside import named as page_named
from tests.access_houses import (
    CALLBACK,
    HEADER,
    Guarded,
    by_header,
    calls_in_sources,
    calls_seen,
    gate_of,
    guarded,
    post_callback,
)
from tests.boards import ordinary

Asker = Role | None
ASKERS: tuple[Asker, ...] = (None, *ROLES)
SCREEN = {"tick": 1, "language": "en", "rem_px": 20, "narrow": False}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REFUSED = (401, 403)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded(tmp_path_factory.mktemp("guarded")) as one:
        yield one


def may(asker: Asker, least: Least) -> bool:
    return (SignedIn("x", asker) if asker else STRANGER).may(least)


# --- the table is whole ----------------------------------------------------------------------------------------------


def routes_of(app: Dash) -> set[tuple[str, str]]:
    """Every method and rule of the application itself."""
    return {
        (method, rule.rule) for rule in app.server.url_map.iter_rules() for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }  # fmt: skip


def not_told(app: Dash) -> list[str]:
    """Routes, callbacks and pages without a row."""
    out = [f"route {one}" for one in routes_of(app) - set(ROUTES)]
    out += [f"callback {name}" for name in app.callback_map if name_of(name) not in CALLBACKS]
    return out + [f"page {name}" for name in {WALL, *BESIDE} - set(PAGES)]


def test_every_route_callback_and_page_has_a_row(house: Guarded) -> None:
    assert not_told(house.app) == []
    assert len(routes_of(house.app)) > 45
    assert len(house.app.callback_map) == len(CALLBACKS)


def test_the_table_has_no_row_for_what_is_not_there(house: Guarded) -> None:
    assert set(ROUTES) - routes_of(house.app) == set()
    assert set(CALLBACKS) - {name_of(name) for name in house.app.callback_map} == set()
    assert set(PAGES) == {WALL, *BESIDE}


def test_the_house_of_these_tests_has_all_that_the_sources_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A route that only the running house adds would be seen here: each call in the sources is made."""
    seen = calls_seen(monkeypatch, "add_url_rule")
    with guarded(tmp_path):
        pass
    assert calls_in_sources("add_url_rule", "route") - seen == set()


def test_a_route_and_a_callback_without_a_row_are_seen_and_refused_to_everybody(tmp_path: Path) -> None:
    with guarded(tmp_path) as mutant:
        mutant.app.server.add_url_rule("/backdoor", "backdoor", lambda: Response("in"))
        mutant.app.callback(Output("backdoor", "data"), Input("asked", "data"))(lambda _: "in")
        assert sorted(not_told(mutant.app)) == ["callback backdoor.data", "route ('GET', '/backdoor')"]
        for role in ROLES:
            client = mutant.client(role)
            assert client.get("/backdoor").status_code == 403
            assert post_callback(client, mutant.app, "backdoor.data", {}).status_code == 403


# --- routes x roles ---------------------------------------------------------------------------------------------------

FILLED = {
    "path": "nothing-here", "filename": "none.css", "package_name": "dash", "fingerprinted_path": "x.js",
    "language": "en", "file": "census.csv", "page": "floor", "form": "html", "measure": "census", "name": "proposal-1",
    "rest": "v1/none", "kind": "Encounter", "number": "1",
}  # fmt: skip


def address_of(rule: str) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: FILLED[found[1]], rule)


def answer_of(house: Guarded, asker: Asker, method: str, rule: str) -> int:
    row = ROUTES[method, rule]
    body: dict[str, Any] = {"data": {}} if row.body == "form" else {"json": {}}
    given = {} if method == "GET" else body
    return house.client(asker).open(address_of(rule), method=method, buffered=True, **given).status_code


@pytest.mark.parametrize("asker", ASKERS)
def test_every_route_lets_by_whom_the_table_says(house: Guarded, asker: Asker) -> None:
    wrong = []
    for (method, rule), row in ROUTES.items():
        values = {"path": FILLED["path"], "page": FILLED["page"]}
        is_let_by = may(asker, row.takes(values))
        status = answer_of(house, asker, method, rule)
        if (rule.startswith("/fhir") and status == 401) or rule == SIGN_IN_DONE:
            continue  # they refuse by themselves what has no token, or no state
        refused = (403 if asker else 401) if rule != "/known" or method == "GET" else status
        if (status in REFUSED) is is_let_by or (not is_let_by and status != refused):
            wrong.append((method, rule, status, is_let_by))
    own = [one for one in wrong if one[1].startswith("/known") and one[2] == 403]
    assert [one for one in wrong if one not in own] == []


def test_what_is_not_there_and_other_methods_are_told_to_who_is_signed_in_alone(house: Guarded) -> None:
    stranger, viewer = house.client(None), house.client("viewer")
    for rule in sorted({rule for _, rule in ROUTES if not rule.startswith("/api")}):
        for method in METHODS[1:]:  # what is asked of an address without a page is the wall's
            if (method, rule) not in ROUTES:
                asked: dict[str, Any] = {"path": address_of(rule), "method": method, "json": {}}
                assert (stranger.open(**asked).status_code, viewer.open(**asked).status_code) == (401, 405), asked
    for path in ("/_dash-layout", "/_dash-dependencies", "/metrics", "/api/v1/board", "/floor/day.json"):
        assert (stranger.head(path).status_code, viewer.head(path).status_code != 401) == (401, True)
    assert (stranger.options(CALLBACK).status_code, viewer.options(CALLBACK).status_code) == (401, 403)


def test_who_opens_a_page_is_led_to_sign_in_and_back(house: Guarded) -> None:
    answer = house.client(None).get("/desk?lang=en&view=old", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["Location"]) == (
        303, "/sign-in?lang=en&next=%2Fdesk%3Flang%3Den%26view%3Dold",
    )  # fmt: skip


def test_pages_are_let_by_as_the_table_says(house: Guarded) -> None:
    for role in ROLES:
        client = house.client(role)
        for name, least in PAGES.items():
            path = f"/{name}" if role != "viewer" else f"/{name}/"
            status = client.get(path, headers={"Accept": "text/html"}).status_code
            assert (status == 200) is may(role, least), (role, path)
            status = client.get(f"/data/{name}/none.csv").status_code
            assert (status == 404) is (may(role, least) and may(role, "viewer")), (role, name)
    assert {page_named(f"/{name}/") for name in PAGES} == set(PAGES)


# --- callbacks x roles ------------------------------------------------------------------------------------------------

ALARM = {"alarm": "crowded@1", "language": "en", "minutes": 30}
ASKED: dict[str, Any] = {
    "viewer": "0" * 16, "preset": None, "numbers": {}, "values": {}, "at": None, "measure": "ed_census", "n": 1,
    "language": "en", "rem_px": 20, "narrow": False,
}  # fmt: skip


def at_desk(act: str) -> dict[str, Any]:
    return {"talk-do.n_clicks": 1, "talk-what.data": {"proposal": "proposal-1", "act": act, "language": "en"},
            "talk-who.value": "secretary", "talk-note.value": "why"}  # fmt: skip


def on_alarm(act: str) -> dict[str, Any]:
    return {"desk-do.n_clicks": 1, "desk-what.data": {**ALARM, "act": act}, "desk-who.value": "somebody"}


ACTS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "acknowledge": ("desk-said.children", on_alarm("acknowledge"), "proposer manager administrator"),
    "snooze": ("desk-said.children", on_alarm("snooze"), "proposer manager administrator"),
    **{act: ("talk-said.children", at_desk(act), "proposer manager administrator")
       for act in ("comment", "support", "unsupport", "withdraw")},
    **{act: ("talk-said.children", at_desk(act), "manager administrator")
       for act in ("adopt", "adapt", "decline", "end")},
    "grid": ("grid-said.children", {"grid-ask.data": {"act": "start"}}, "proposer manager administrator"),
    "grid stopped": ("grid-said.children", {"grid-ask.data": {"act": "cancel"}}, "proposer manager administrator"),
    "replay": ("replay-said.children", {"replay-ask.data": {"query": "?at=1"}}, "proposer manager administrator"),
    "back-test": ("backtest-said.children",
                  {"backtest-ask.data": {"act": "start", "days": 5, "every_h": 1, "members": 50}},
                  "manager administrator"),
    "back-test stopped": ("backtest-said.children", {"backtest-ask.data": {"act": "cancel"}}, "manager administrator"),
    "back-test on": ("backtest-said.children", {"backtest-ask.data": {"act": "resume"}}, "manager administrator"),
    "scenario": ("whatif-kept.children", {"whatif-save.n_clicks": 1, "whatif-asked.data": ASKED,
                 "whatif-name.value": "mine", "whatif-who.value": "secretary"}, "proposer manager administrator"),
    "proposal": ("whatif-kept.children", {"whatif-send.n_clicks": 1, "whatif-asked.data": ASKED,
                 "whatif-en.value": "two nurses", "whatif-who.value": "secretary", "screen.data": SCREEN},
                 "proposer manager administrator"),
    "inject": ("inject-said.children", {"inject-outage.n_clicks": 1, "inject-outage-hours.value": 2,
               "inject-later.value": 0, "screen.data": SCREEN}, "manager administrator"),
    "inject cancelled": ("inject-said.children", {"inject-cancel.data": {"number": 1, "pressed": 1},
                         "screen.data": SCREEN}, "manager administrator"),
}  # fmt: skip
"""By hand, and not from the table: what each act takes, and who may."""
LOOKS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "the wall": ("beat.children", {"screen.data": {**SCREEN, "path": "/"}}, " ".join(ROLES)),
    "the alarms": ("beat.children", {"screen.data": {**SCREEN, "path": "/alerts"}}, " ".join(ROLES)),
    "the desk": ("beat.children", {"screen.data": {**SCREEN, "path": "/desk"}}, " ".join(ROLES[1:])),
    "the instructor": ("beat.children", {"screen.data": {**SCREEN, "path": "/instructor"}}, "manager administrator"),
    "the settings": ("beat.children", {"screen.data": {**SCREEN, "path": "/settings/"}}, "administrator"),
    "what can be asked": ("whatif-offer.data", {"whatif-wanted.data": {"language": "en", "n": 1}}, " ".join(ROLES[1:])),
    "what-if": ("whatif-state.data", {"whatif-asked.data": ASKED}, " ".join(ROLES[1:])),
    "an instructor's page as it is loaded": ("inject-said.children", {"screen.data": SCREEN}, " ".join(ROLES)),
}  # fmt: skip
NEVER = ("screen.data", "answered.data", "themed.forceColorScheme", "whatif-built.data", "whatif-heard.data")
EVERY = {**ACTS, **LOOKS, **{name: (name, {}, "") for name in NEVER}}


def let_by(house: Guarded, asker: Asker, what: str) -> bool:
    first, values, _ = EVERY[what]
    status = post_callback(house.client(asker), house.app, first, values).status_code
    assert status in (*REFUSED, 200, 400), (what, asker, status)
    return status == 200


def matrix(house: Guarded, acts: Iterable[str] = EVERY) -> list[str]:
    """What somebody may do and should not, or may not and should."""
    return [
        f"{asker} {what}" for what in acts for asker in ASKERS
        if let_by(house, asker, what) is not (asker is not None and asker in EVERY[what][2].split())
    ]  # fmt: skip


def test_every_output_by_every_role_does_what_is_said_by_hand(house: Guarded) -> None:
    assert {first for first, _, _ in EVERY.values()} == set(CALLBACKS)
    assert matrix(house) == []


def test_the_table_says_of_every_act_what_is_said_by_hand(house: Guarded) -> None:
    named = {act for row in CALLBACKS.values() for act in row.acts} - set(PAGES)
    assert named - {"nothing", "put"} <= set(ACTS)


def test_what_is_refused_changes_nothing_and_what_is_done_bears_the_name_of_the_sign_in(tmp_path: Path) -> None:
    with guarded(tmp_path) as house:
        for asker in (None, "wall", "viewer"):
            for what in ACTS:
                let_by(house, asker, what)
        assert house.changes() == []
        for what in ACTS:
            let_by(house, "manager", what)
        changes = house.changes()
        assert {"scenario a manager", "desk proposed a manager"} <= set(changes)
        assert len(changes) >= 10
        assert not any("secretary" in one or "somebody" in one for one in changes)


def test_an_act_that_nobody_has_named_takes_the_highest_role(house: Guarded) -> None:
    told = {**at_desk("adopt"), "talk-what.data": {"proposal": "proposal-1", "act": "burn", "language": "en"}}
    statuses = [post_callback(house.client(r), house.app, "talk-said.children", told).status_code for r in ROLES]
    assert statuses == [403, 403, 403, 400, 400]


def test_malformed_callbacks_stay_400_and_are_401_to_a_stranger(house: Guarded) -> None:
    administrator, stranger = house.client("administrator"), house.client(None)
    ours = [name for name in house.app.callback_map if name_of(name) not in NEVER]
    bodies: list[Any] = [None, [], "text", {}, {"output": 3}, {"output": "other.data"}]
    bodies += [{"output": name, "inputs": [1, {"id": 3}], "state": 7} for name in ours]
    for body in bodies:
        data = json.dumps(body)
        assert administrator.post(CALLBACK, data=data, content_type="application/json").status_code == 400, body
        assert stranger.post(CALLBACK, data=data, content_type="application/json").status_code == 401, body
    assert house.client("administrator").post(CALLBACK, data="{}", content_type="text/plain").status_code == 415


# --- mutants ----------------------------------------------------------------------------------------------------------


class NoCallbacks(Gate):
    """Mutant: the endpoint of the callbacks is checked as one, not each."""

    def _judged(self, rows: Any, asked: Any) -> Any:
        return super()._judged(rows[:1], asked)


def test_a_gate_without_the_check_of_callbacks_is_seen_and_acts_are_refused_inside(tmp_path: Path) -> None:
    with guarded(tmp_path, gate_of(kind=NoCallbacks)) as mutant:
        assert {"wall the desk", "viewer the settings", "wall what-if"} <= set(matrix(mutant, LOOKS))
        assert matrix(mutant, ACTS) == []  # the second check: inside of whatever changes something
        assert mutant.changes() != []


class NoGate(Gate):
    """Mutant: who asks is known, and everybody passes."""

    def _judged(self, rows: Any, asked: Any) -> Any:
        return None


def test_without_any_gate_every_change_is_refused_inside(tmp_path: Path) -> None:
    with guarded(tmp_path, gate_of(kind=NoGate)) as mutant:
        for asker in (None, "wall", "viewer"):
            client = mutant.client(asker)
            for what in ACTS:
                assert not let_by(mutant, asker, what), (asker, what)
            posts = {path: body for path, body in API_CHANGES.items() if path != "/proposals"}
            for path, body in {**posts, "/proposals": API_CHANGES["/proposals"]}.items():
                assert client.post(f"/api/v1{path}", json=body).status_code in (403, 404), path
            said = client.post("/known", data=KNOWN)
            assert said.status_code == 403
        assert mutant.changes() == []


API_CHANGES: Mapping[str, Any] = {
    "/proposals": {"who": "secretary", "words": "one nurse", "change": {"capacity": [
        {"pool": "nurse", "add": 2, "until_min": 480}]}},
    "/proposals/proposal-1/comments": {"who": "secretary", "words": "yes"},
    "/proposals/proposal-1/support": {"who": "secretary"},
    "/proposals/proposal-1/decision": {"who": "secretary", "what": "adopted", "reason": "now"},
    "/proposals/proposal-1/end": {"who": "secretary"},
}  # fmt: skip
KNOWN = {"token": "t", "lang": "en", "who": "secretary", "count": "1", "kind": "ambulance", "choice": "|60"}


def test_a_table_that_gives_a_viewer_a_managers_act_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = CALLBACKS["talk-said.children"]
    lax = {name: replace(act, least="viewer") for name, act in row.acts.items()}
    broken = {**CALLBACKS, "talk-said.children": replace(row, least="viewer", acts=lax),
              "inject-said.children": Entry("viewer")}  # fmt: skip
    monkeypatch.setattr(gates, "CALLBACKS", broken)
    with guarded(tmp_path) as mutant:
        assert matrix(mutant, ("adopt", "decline", "comment")) == []  # refused inside all the same
        assert matrix(mutant, ("an instructor's page as it is loaded",)) == [
            "wall an instructor's page as it is loaded"
        ]
    monkeypatch.setattr("dashboard.proposal_window.require", lambda _: None)
    with guarded(tmp_path) as mutant:
        found = matrix(mutant, ("adopt", "comment"))
        assert {"viewer adopt", "viewer comment", "proposer adopt"} <= set(found)


# --- the API ----------------------------------------------------------------------------------------------------------


def test_the_api_is_done_in_the_name_of_the_sign_in_and_refuses_in_a_sentence(tmp_path: Path) -> None:
    with guarded(tmp_path) as house:
        made = house.client("proposer").post("/api/v1/proposals", json=API_CHANGES["/proposals"])
        assert made.status_code == 201
        name = made.get_json()["name"]
        decide = f"/api/v1/proposals/{name}/decision"
        refused = house.client("proposer").post(decide, json=API_CHANGES["/proposals/proposal-1/decision"])
        assert (refused.status_code, refused.get_json()) == (
            403, {"error": "Not done: this takes the role “manager”. You are signed in as “proposer”."},
        )  # fmt: skip
        done = house.client("manager").post(decide, json=API_CHANGES["/proposals/proposal-1/decision"])
        assert (done.status_code, done.get_json()["decision"]["who"]["name"]) == (200, "a manager")
        assert [row["who"] for row in house.desk.exported()] == ["a proposer", "a manager"]


def test_what_is_known_is_said_in_the_name_of_the_sign_in(tmp_path: Path) -> None:
    with guarded(tmp_path) as house:
        assert house.client("viewer").post("/known", data=KNOWN).status_code == 403
        assert house.done == []
        assert house.client("proposer").post("/known", data=KNOWN).status_code == 303
        [said] = house.done
        assert "a proposer" in said


# --- pages of other sites ---------------------------------------------------------------------------------------------

FOREIGN: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"},
    {"Origin": "null"}, {"Origin": "http://localhost:8051"},
    {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
)  # fmt: skip
OURS: tuple[dict[str, str], ...] = ({}, {"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"})


def foreign_let_by(house: Guarded, headers: Mapping[str, str]) -> list[str]:
    """Changing requests that a page of another site could send and that are answered with more than a refusal."""
    client, out = house.client("administrator"), []
    for (method, rule), row in ROUTES.items():
        if method != "GET":
            body: dict[str, Any] = {"data": {}} if row.body == "form" else {"json": {}}
            status = client.open(address_of(rule), method=method, headers=dict(headers), **body).status_code
            out += [f"{method} {rule}"] if status != 403 else []
    values = {"grid-ask.data": {"act": "start"}}
    status = post_callback(client, house.app, "grid-said.children", values, headers=dict(headers)).status_code
    return out + (["grid"] if status != 403 else [])


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_change_sent_by_a_page_of_another_site_is_refused(house: Guarded, headers: dict[str, str]) -> None:
    before = house.changes()
    assert foreign_let_by(house, headers) == []
    assert house.changes() == before


@pytest.mark.parametrize("headers", OURS)
def test_a_change_sent_by_a_page_of_ours_or_by_no_page_is_heard(house: Guarded, headers: dict[str, str]) -> None:
    values = {"grid-ask.data": {"act": "start"}}
    answer = post_callback(house.client("manager"), house.app, "grid-said.children", values, headers=headers)
    assert answer.status_code == 200


def test_a_gate_that_does_not_ask_where_it_comes_from_is_seen(tmp_path: Path) -> None:
    class Trusting(Gate):
        def passed(self, app: Dash) -> Any:
            g.signed_in = EVERYBODY
            return None

    with guarded(tmp_path, gate_of(kind=Trusting)) as mutant:
        assert "grid" in foreign_let_by(mutant, FOREIGN[0])
        assert mutant.changes() != []


def test_where_nobody_signs_in_a_page_of_another_site_is_refused_too_and_all_else_is_as_it_was() -> None:
    app = build_app(ordinary, WallSettings())
    client = app.server.test_client()
    values = {"grid-ask.data": {"act": "start"}}
    for headers in FOREIGN:
        assert post_callback(client, app, "grid-said.children", values, headers=headers).status_code == 403
    assert post_callback(client, app, "grid-said.children", values).status_code == 200
    assert client.get("/settings").status_code == 200
    assert "signed-in" not in client.get("/").text
    assert "react-entry-point" in client.get("/sign-in").text  # there is no such page, so that it is the wall


def test_a_changing_request_is_json_but_for_the_forms(house: Guarded) -> None:
    client = house.client("administrator")
    for (method, rule), row in ROUTES.items():
        if method != "GET" and row.body != "own":
            other = "application/json" if row.body == "form" else "application/x-www-form-urlencoded"
            for kind in (other, "text/plain", "multipart/form-data"):
                answer = client.open(address_of(rule), method=method, data=b"{}", content_type=kind)
                assert answer.status_code == 415, (method, rule, kind)


# --- how often --------------------------------------------------------------------------------------------------------


def test_who_asks_too_often_waits_by_person_and_a_page_may_ask_more_than_one_may_act(tmp_path: Path) -> None:
    now = 0.0
    gate = Gate(doors=[by_header], begins=Asks(3, lambda: now), asks=Asks(10, lambda: now))
    with guarded(tmp_path, gate) as house:

        def grids(role: Role, n: int) -> list[int]:
            values = {"grid-ask.data": {"act": "start"}}
            client = house.client(role)
            return [post_callback(client, house.app, "grid-said.children", values).status_code for _ in range(n)]

        assert grids("proposer", 5) == [200, 200, 200, 429, 429]
        assert grids("manager", 1) == [200]
        client = house.client("proposer")
        assert [client.get("/phone/board").status_code for _ in range(6)] == [200] * 5 + [429]
        told = client.get("/phone/board")
        assert (told.headers["Retry-After"], told.get_json()["en"]) == ("60", "Too often: wait 60 seconds.")
        now = 60.0
        assert grids("proposer", 1) == [200]


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_pages_say_who_is_signed_in_and_hide_what_one_may_not(house: Guarded) -> None:
    for path in ("/?lang=en", "/phone?lang=en", "/known?lang=en"):
        viewer, manager = (house.client(role).get(path).text for role in ("viewer", "manager"))
        assert "<b>a viewer</b> · viewer" in viewer
        assert "<b>a manager</b> · manager" in manager
        assert 'data-act="adopt"' in viewer.partition("<style>")[2].partition("</style>")[0]
        assert 'data-act="adopt"' not in manager.partition('id="signed-in"')[0].rpartition("<style>")[2]
    assert "Se déconnecter" in house.client("viewer").get("/?lang=fr").text


def test_what_is_hidden_shrinks_with_the_role() -> None:
    hidden = [set(hidden_from(role).split(", ")) - {""} for role in ROLES]
    assert all(more > less for more, less in pairwise(hidden))
    assert hidden[-1] == set()
    assert {".whatif-keep", '.way[href^="/settings?"]', '.talk-act[data-act="adopt"]'} <= hidden[1]


def test_a_refused_act_says_a_sentence_in_both_languages(house: Guarded) -> None:
    answer = post_callback(house.client("viewer"), house.app, "grid-said.children", {"grid-ask.data": {"act": "start"}})
    assert answer.get_json() == {
        "error": "Not done: this takes the role “proposer”. You are signed in as “viewer”.",
        "en": "Not done: this takes the role “proposer”. You are signed in as “viewer”.",
        "fr": "Non fait\xa0: il y faut le rôle «\xa0proposition\xa0». Le vôtre est «\xa0lecture\xa0».",
    }
    page = house.client("wall").get("/settings?lang=fr", headers={"Accept": "text/html"})
    assert page.status_code == 403
    assert "il y faut le rôle" in page.text


def test_a_name_is_shown_as_text(tmp_path: Path) -> None:
    def hostile(_: bool) -> SignedIn:
        return SignedIn("<img src=x onerror=alert(1)>", "viewer")

    with guarded(tmp_path, gate_of([hostile])) as house:
        text = house.client(None).get("/phone", headers={HEADER: ""}).text
        assert "<img src=x" not in text
        assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_roles_include_those_before() -> None:
    leasts: tuple[Least, ...] = ("anyone", *ROLES, "nobody")
    assert [sum(SignedIn("x", role).may(least) for least in leasts) for role in ROLES] == [2, 3, 4, 5, 6]
    assert [STRANGER.may(least) for least in leasts] == [True, *[False] * 6]
    assert EVERYBODY.may("administrator")
    assert not EVERYBODY.may("nobody")
