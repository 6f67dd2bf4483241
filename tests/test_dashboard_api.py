"""The API: what a body must be, what the document tells, whose names are told; each with a mutant."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from dashboard import api_desk
from dashboard.api import LARGEST_BYTES, PREFIX
from dashboard.api_bodies import ComparisonsBody, DecisionBody, ProposalBody, RunsBody, read_body
from dashboard.api_document import as_template, document_of
from dashboard.api_routes import Route
from dashboard.errors import RefusedError
from forecast.people import Person
from tests.api_worlds import NURSES, World, json_of, refused, world_of


@pytest.fixture
def world() -> Iterator[World]:
    with world_of() as made:
        yield made


def document(world: World) -> Any:
    return json_of(world.get("/openapi.json"))


def breaks(answer: Any, schema: str, whole: Any) -> list[str]:
    """Where an answer is not as the document's schema says."""
    told = {"$ref": f"#/components/schemas/{schema}", "components": whole["components"]}
    return [error.message for error in Draft202012Validator(told).iter_errors(answer)]


# --- the document


def untold(server: Flask, whole: Mapping[str, Any]) -> list[str]:
    """Routes that are answered and not in the document."""
    rules = [rule for rule in server.url_map.iter_rules() if rule.rule.startswith(f"{PREFIX}/")]
    there = {(as_template(rule.rule), m.lower()) for rule in rules for m in rule.methods or () if m in ("GET", "POST")}
    told = {(path, method) for path, methods in whole["paths"].items() for method in methods}
    return sorted(f"{method} {path}" for path, method in there ^ told)


def test_the_document_is_openapi_and_tells_every_route(world: World) -> None:
    whole = document(world)
    validate(whole)
    assert untold(world.server, whole) == []
    assert len(whole["paths"]) == 17
    missing = {**whole, "paths": {p: m for p, m in whole["paths"].items() if not p.endswith("/support")}}  # the mutant
    assert untold(world.server, missing) == [f"post {PREFIX}/proposals/{{name}}/support"]


def test_a_document_that_is_not_openapi_is_seen() -> None:
    lost = document_of([Route("GET", "/a/<name>", "a", "A", dict)], PREFIX)
    validate(lost)
    del lost["paths"][f"{PREFIX}/a/{{name}}"]["get"]["parameters"]
    with pytest.raises(Exception, match="name"):
        validate(lost)


def test_nothing_of_it_is_loaded_from_elsewhere(world: World) -> None:
    assert "://" not in world.get("/openapi.json").text
    assert world.client.get(f"{PREFIX}/docs").status_code == 404


# --- scenarios


def test_scenarios_are_listed_and_shown_as_the_document_says(world: World) -> None:
    whole, listed = document(world), json_of(world.get("/scenarios"))
    assert breaks(listed, "Catalogue", whole) == []
    names = [one["name"] for one in listed["scenarios"]]
    assert {"as_usual", "epidemic_clusters"} <= set(names)
    clusters = json_of(world.get("/scenarios/epidemic_clusters[clusters=5]+winter_peak"))
    assert breaks(clusters, "ScenarioWhole", whole) == []
    assert clusters["name"] == "epidemic_clusters[clusters=5]+winter_peak"
    assert clusters["changes"]["crisis"]
    assert breaks({**listed, "more": 1}, "Catalogue", whole)  # what the document does not tell is seen


def test_an_unknown_scenario_is_told_in_the_catalogues_sentence(world: World) -> None:
    assert refused(world.get("/scenarios/winter_peek")) == (
        404,
        "unknown scenario winter_peek, likely a typo for winter_peak",
    )
    status, why = refused(world.get("/scenarios/epidemic_clusters[clusters=999]"))
    assert status == 404
    assert "clusters must lie between" in why


# --- what a request must be


def test_only_json_is_taken_so_that_no_form_of_another_site_is(world: World) -> None:
    body = json.dumps({"who": "anna", "words": "x", "change": NURSES})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""):
        answer = world.client.post(f"{PREFIX}/proposals", data=body, content_type=kind)
        assert refused(answer)[0] == 415
    assert world.desk.proposals == {}
    assert world.client.post(f"{PREFIX}/proposals", data=body, content_type="application/json").status_code == 201
    preflight = world.client.options(f"{PREFIX}/proposals", headers={"Origin": "https://other.example"})
    assert not [name for name, _ in preflight.headers if name.lower().startswith("access-control")]


def test_a_body_that_is_no_json_or_too_large_is_refused(world: World) -> None:
    def sent(data: bytes) -> tuple[int, str]:
        return refused(world.client.post(f"{PREFIX}/runs", data=data, content_type="application/json"))

    for data in (b"", b"{", b"\xff", b'{"scenarios": ["\\ud800"]}', b"[" * 5000):
        status, why = sent(data)
        assert status == 400
        assert why.startswith("the body must be JSON")
    assert sent(b"[]") == (422, "the body must be an object")
    assert sent(b'"' + b"x" * LARGEST_BYTES + b'"') == (413, f"the body must have {LARGEST_BYTES} bytes at most")


ONE = {"scenarios": ["winter_peak"]}
TWO_NURSES = {"who": "anna", "words": "x", "change": NURSES}
DECIDED = {"who": "mary", "what": "adopted", "reason": "x"}
BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "nothing": (RunsBody, {}, "scenarios is missing"),
    "no scenario": (RunsBody, {"scenarios": []}, "scenarios: tuple should have at least 1 item"),
    "too many": (RunsBody, {"scenarios": ["a"] * 7}, "scenarios: tuple should have at most 6 items"),
    "a number": (RunsBody, {"scenarios": [3]}, 'scenarios.0: must be a text in "quotes", but is 3'),
    "too many members": (RunsBody, {**ONE, "members": 1001}, "members: must be 1000 or less, but is 1001"),
    "members as text": (RunsBody, {**ONE, "members": "9"}, 'members: must be a whole number, but is "9"'),
    "no hours": (RunsBody, {**ONE, "hours": 0}, "hours: must be more than 0, but is 0"),
    "endless": (RunsBody, {**ONE, "hours": float("inf")}, "hours: must be a finite number"),
    "a typo": (RunsBody, {**ONE, "member": 9}, "unknown field member, likely a typo for members"),
    "two kinds": (ComparisonsBody, {**ONE, "view": "nurses", "criteria": ["ed_peak"]}, "view or criteria, not both"),
    "nothing proposed": (ProposalBody, {"who": "anna", "words": "x"}, "must have scenario or change, one of them"),
    "both proposed": (ProposalBody, {**TWO_NURSES, "scenario": "winter_peak"}, "scenario or change, one of them"),
    "no end": (ProposalBody, {**TWO_NURSES, "change": {"a": float("nan")}}, "change: must have numbers"),
    "unseen": (ProposalBody, {**TWO_NURSES, "words": "a\u202eb"}, "words: must have no characters that cannot be"),
    "long": (ProposalBody, {**TWO_NURSES, "words": "x" * 301}, "words: string should have at most 300 characters"),
    "adapted by nothing": (DecisionBody, {**DECIDED, "what": "adapted"}, "must have scenario or change"),
    "a time of nowhere": (DecisionBody, {**DECIDED, "until": "2026-03-02T20:00:00"}, "until: "),
    "another word": (DecisionBody, {**DECIDED, "what": "accepted"}, "what: must be 'adopted', 'adapted' or 'declined'"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BAD))
def test_a_field_that_breaks_a_rule_is_named_with_rule_and_value(case: str) -> None:
    model, body, says = BAD[case]
    with pytest.raises(RefusedError) as told:
        read_body(json.dumps(body).encode(), model)
    assert says in str(told.value)
    assert told.value.status == 422
    assert len(str(told.value)) < 250


def test_a_model_that_takes_anything_is_seen() -> None:
    """The mutant: without strictness the bad bodies are taken."""

    class Loose(RunsBody):
        model_config = RunsBody.model_config | {"extra": "ignore", "strict": False}

    for case in ("a typo", "members as text"):
        assert read_body(json.dumps(BAD[case][1]).encode(), Loose).members in (9, 200)


FIELDS = st.sampled_from(["scenarios", "who", "change", "members", "words"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda some: st.lists(some) | st.dictionaries(FIELDS | st.text(), some),
    max_leaves=12,
)


@given(ANYTHING)
@settings(max_examples=60, deadline=None)
def test_whatever_comes_is_taken_or_refused_in_a_sentence(told: Any) -> None:
    for model in (RunsBody, ComparisonsBody, ProposalBody, DecisionBody):
        try:
            read_body(json.dumps(told).encode(), model)
        except RefusedError as fault:
            said = fault.status, bool(str(fault))
            assert said in [(400, True), (422, True)]


def test_what_is_not_there_or_not_so_is_told_in_json(world: World) -> None:
    assert refused(world.get("/nothing"))[0] == 404
    assert refused(world.client.get("/api/v2/scenarios"))[0] == 404
    answer = world.client.put(f"{PREFIX}/proposals", json={})
    assert refused(answer) == (405, "PUT is not answered here, but GET, POST")
    assert answer.headers["Allow"] == "GET, POST"
    assert refused(world.get("/runs")) == (405, "GET is not answered here, but POST")
    assert world.client.get("/").status_code == 200  # the wall is where it was


def test_a_fault_of_our_own_is_told_without_its_trace(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr(api_desk, "shown", broken)
    world.proposed()
    assert refused(world.get("/proposals/export")) == (500, "this could not be done, by a fault of the house's own")


# --- the desk


def test_a_proposal_is_made_discussed_supported_and_adopted(world: World) -> None:
    whole = document(world)
    made = world.post("/proposals", {"who": "anna", "words": "  Two more\n nurses ", "change": NURSES})
    assert made.status_code == 201
    told = json_of(made)
    assert breaks(told, "ProposalSaid", whole) == []
    assert (told["words"], told["state"], told["change"]) == ("Two more nurses", "open", NURSES)
    one = f"/proposals/{told['name']}"
    assert world.post(f"{one}/comments", {"who": "ben", "words": "and a porter"}).status_code == 201
    assert json_of(world.post(f"{one}/support", {"who": "ben"}))["supporters"] == 1
    assert json_of(world.post(f"{one}/support", {"who": "ben", "withdrawn": True}))["supporters"] == 0
    until = {"until": "2026-03-02T23:00:00+01:00"}
    decided = json_of(world.post(f"{one}/decision", {"who": "mary", "what": "adopted", "reason": "yes", **until}))
    assert breaks(decided, "ProposalSaid", whole) == []
    assert (decided["state"], decided["decision"]["carried"]) == ("adopted", True)
    assert json_of(world.get(one)) == decided
    assert json_of(world.get("/proposals")) == {"proposals": [decided]}
    assert breaks(json_of(world.get("/proposals")), "Proposals", whole) == []
    assert refused(world.post(f"{one}/decision", {"who": "mary", "what": "declined", "reason": "no"})) == (
        409,
        "proposal-1 is adopted already",
    )


def test_what_was_adopted_is_ended_once_and_by_a_manager(world: World) -> None:
    one = f"/proposals/{world.proposed()}"
    assert refused(world.post(f"{one}/end", {"who": "mary"}))[0] == 409
    world.post(f"{one}/decision", {"who": "mary", "what": "adopted", "reason": "yes"})
    assert refused(world.post(f"{one}/end", {"who": "ben"}))[0] == 403
    assert json_of(world.get(one))["decision"]["carried"] is True
    ended = json_of(world.post(f"{one}/end", {"who": "mary"}))
    assert breaks(ended, "ProposalSaid", document(world)) == []
    assert (ended["state"], ended["decision"]["carried"]) == ("adopted", False)
    assert refused(world.post(f"{one}/end", {"who": "mary"})) == (409, "the forecast carries nothing of proposal-1")


def test_a_scenario_is_proposed_by_name_and_another_adopted_in_its_place(world: World) -> None:
    name = world.proposed(change=None, scenario="one_more_doctor")
    varied = world.proposed("ben", change=None, scenario="winter_peak", varies=name)
    assert json_of(world.get(f"/proposals/{varied}"))["varies"] == name
    body = {"who": "mary", "what": "adapted", "reason": "more", "change": NURSES}
    told = json_of(world.post(f"/proposals/{name}/decision", body))
    assert (told["decision"]["what"], told["change"]) == ("adapted", NURSES)


REFUSED: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "nobody": ("/proposals", {**TWO_NURSES, "who": "eve"}, 422, "who: must be one of anna, ben, mary, but is eve"),
    "no such scenario": ("/proposals", {"who": "ben", "words": "x", "scenario": "winter_peek"}, 422, "likely a typo"),
    "no such pool": ("/proposals", {**TWO_NURSES, "change": {"capacity": [{"pool": "nurze", "add": 1}]}}, 422, "nurze"),
    "no change": ("/proposals", {**TWO_NURSES, "change": {}}, 422, "choose at least one lever"),
    "no lever": ("/proposals", {**TWO_NURSES, "change": {"magic": 1}}, 422, "magic: unknown key"),
    "no such proposal": ("/proposals/proposal-9/comments", {"who": "ben", "words": "x"}, 404, "no proposal proposal-9"),
    "nothing to vary": ("/proposals", {**TWO_NURSES, "varies": "proposal-9"}, 422, "no proposal proposal-9 to vary"),
    "no manager": ("/proposals/proposal-1/decision", {**DECIDED, "who": "ben"}, 403, "the role manager, which Ben"),
    "gone by": ("/proposals/proposal-1/decision", {**DECIDED, "until": "2020-01-01T00:00:00Z"}, 422, "in the future"),
    "blank": ("/proposals/proposal-1/comments", {"who": "ben", "words": "  "}, 422, "say something"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_the_desk_does_not_take_is_told_and_nothing_is_kept(world: World, case: str) -> None:
    world.proposed()
    path, body, status, says = REFUSED[case]
    told, why = refused(world.post(path, body))
    assert told == status, why
    assert says in why
    assert len(world.desk.exported()) == 1


# --- names


def names_told(text: str, people: Iterable[str] = ("anna", "ben")) -> list[str]:
    """Whose names an answer tells."""
    return [name for name in people if name in text.lower()]


def everything(world: World, name: str) -> list[str]:
    """What can be read of a proposal, before what is done to it answers too."""
    one = f"/proposals/{name}"
    return [world.get(path).text for path in ("/proposals", one, "/proposals/export")]


def test_names_are_hidden_until_it_is_decided(world: World) -> None:
    name = world.proposed()
    one = f"/proposals/{name}"
    answers = [
        world.post(f"{one}/comments", {"who": "ben", "words": "and a porter"}).text,
        world.post(f"{one}/support", {"who": "ben"}).text,
        world.post(f"{one}/support", {"who": "anna"}).text,  # hers already: a refusal would name her
        *everything(world, name),
    ]
    assert [names_told(text) for text in answers] == [[]] * 6
    assert json_of(world.get(one))["supporters"] == 1
    world.post(f"{one}/decision", {"who": "mary", "what": "declined", "reason": "no room"})
    told = json_of(world.get(one))
    assert (told["author"]["name"], told["comments"][0]["who"]["en"]) == ("anna", "Ben")
    rows = [json.loads(line) for line in world.get("/proposals/export").text.splitlines()]
    assert [(row["what"], row["who"]) for row in rows] == [
        ("proposed", "anna"), ("commented", "ben"), ("supported", None), ("declined", "mary"),
    ]  # fmt: skip


def test_who_signs_is_named_and_nobody_else(world: World) -> None:
    name = world.proposed(signed=True)
    world.post(f"/proposals/{name}/comments", {"who": "ben", "words": "and a porter"})
    assert [names_told(text) for text in everything(world, name)] == [["anna"]] * 3


def test_a_proposal_taken_back_stays_without_names(world: World) -> None:
    name = world.proposed()
    world.desk.withdraw(Person("anna", "Anna", "Anna", frozenset({"proposer"})), name)
    assert json_of(world.get(f"/proposals/{name}"))["state"] == "withdrawn"
    assert [names_told(text) for text in everything(world, name)] == [[]] * 3


def test_an_export_that_tells_names_is_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    name = world.proposed()
    monkeypatch.setattr(api_desk, "shown", lambda row, _: row)
    assert names_told(everything(world, name)[-1]) == ["anna"]
