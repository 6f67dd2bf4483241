"""The page of what is already known: two taps, a clear refusal, no foreign form; and the forecast that follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlparse

import pytest
from flask.testing import FlaskClient

from dashboard.app import WallSettings, build_app
from dashboard.known_door import KnownDoor
from dashboard.known_wiring import KnownPage
from dashboard.known_words import next_time, presets
from dashboard.words import NBSP, Reader
from forecast.known_view import KINDS
from forecast.people import ANYBODY
from tests.boards import MADE_AT, ordinary
from tests.histories import NOON, fingerprint, hospital
from tests.known_views import HOUR, Sayings, busy
from tests.known_worlds import House, house

FORM = {"token": "t", "lang": "en", "who": "staff", "count": "1"}


def client_of(sayings: Sayings | KnownPage) -> FlaskClient:
    client: FlaskClient = build_app(ordinary, WallSettings(), known=KnownDoor(sayings, "t")).server.test_client()
    return client


# --- two taps ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_two_taps_from_the_telephones_page_note_it_and_one_more_undoes_it(kind: str) -> None:
    sayings = Sayings()
    client = client_of(sayings)
    [first] = re.findall(rf'href="(/known\?kind={kind}&amp;lang=en)"', client.get("/phone?lang=en").text)
    text = client.get(first.replace("&amp;", "&")).text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text))
    button = re.findall(r'name="choice" type="submit" value="([^"]+)"', text)[1]
    done = client.post("/known", data={**fields, "who": "staff", "count": "1", "choice": button})
    assert done.status_code == 303
    assert [one.kind for one in sayings.known] == [kind]
    told = client.get(done.headers["Location"]).text
    assert "Noted: " in told
    undo = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', told))
    undone = client.post("/known/undo", data=undo)
    assert undone.status_code == 303
    assert sayings.known[0].undone_at is not None
    assert "Undone: " in client.get(undone.headers["Location"]).text


def test_who_said_it_is_offered_first_the_next_time() -> None:
    client = client_of(Sayings())
    done = client.post("/known", data={**FORM, "who": "manager", "kind": "ambulance", "choice": "|30"})
    assert parse_qs(urlparse(done.headers["Location"]).query)["who"] == ["manager"]
    text = client.get(f"{done.headers['Location']}&kind=ambulance").text
    assert '<option selected value="manager">' in text
    assert "&amp;who=manager" in client.get(done.headers["Location"]).text


def test_a_time_can_be_typed_and_is_the_houses() -> None:
    sayings = Sayings()
    typed = {**FORM, "kind": "ambulance", "choice": "other", "name": "", "at": "2026-11-24T16:05"}
    assert client_of(sayings).post("/known", data=typed).status_code == 303
    assert sayings.known[0].at == MADE_AT.replace(hour=15, minute=5)


def test_the_times_to_choose_from_are_those_of_the_houses_clock() -> None:
    reader = Reader("fr", "Europe/Paris")
    assert [(name, words.replace(NBSP, " ")) for name, _, words in presets("beds_closed", MADE_AT, reader)] == [
        ("60", "pendant 1 h"), ("240", "pendant 4 h"), ("tonight", "jusqu'à 20 h"), ("morning", "jusqu'à 8 h"),
    ]  # fmt: skip
    assert [(name, at - MADE_AT) for name, at, _ in presets("ambulance", MADE_AT, reader)] == [
        ("0", 0 * HOUR), ("30", 0.5 * HOUR), ("60", HOUR), ("tonight", timedelta(hours=5, minutes=26)),
        ("morning", timedelta(hours=17, minutes=26)),
    ]  # fmt: skip
    late = MADE_AT.replace(hour=18, minute=30)
    assert "tonight" not in [name for name, _, _ in presets("beds_closed", late, reader)]
    assert next_time(MADE_AT.replace(hour=7), "8:00", "Europe/Paris") == MADE_AT.replace(hour=7, minute=0) + 24 * HOUR


def test_the_list_says_what_stands_by_whom_and_what_is_over() -> None:
    text = client_of(busy()).get("/known?lang=en").text
    standing, _, rest = text.partition("Over or undone")
    assert "Surgery: 3 beds closed until 08:34" in standing.replace("07:34", "08:34")
    assert "counted since" in standing
    assert standing.count('class="undo"') == 3
    assert 'class="undo"' not in rest
    assert "undone at 14:34" in rest
    assert "over" in rest


# --- what cannot be ---------------------------------------------------------------------------------------------------

REFUSED = {
    "a thousand beds": ({"kind": "beds_closed", "choice": "surgery|60", "count": "1000"}, "1 to 4"),
    "no number": ({"kind": "beds_closed", "choice": "surgery|60", "count": "many"}, "whole one"),
    "an unknown ward": ({"kind": "beds_closed", "choice": "atlantis|60"}, "not known here"),
    "a time that is over": ({"kind": "ambulance", "choice": "other", "at": "2026-11-24T09:00"}, "lie ahead"),
    "no time": ({"kind": "ambulance", "choice": "other", "at": ""}, "missing or cannot be read"),
    "no kind": ({"kind": "earthquake", "choice": "surgery|60"}, "Choose first"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_told_on_the_page_and_what_was_typed_stays(name: str) -> None:
    sayings, (typed, why) = Sayings(), REFUSED[name]
    answer = client_of(sayings).post("/known", data={**FORM, "who": "manager", **typed})
    assert answer.status_code == 422
    assert why in answer.text
    assert sayings.known == []
    if typed["kind"] in KINDS:
        assert f'value="{typed.get("count", "1")}"' in answer.text
        assert '<option selected value="manager">' in answer.text


def test_a_form_of_another_site_does_nothing() -> None:
    sayings = Sayings()
    client, good = client_of(sayings), {**FORM, "kind": "ambulance", "choice": "|30"}
    for foreign, headers in (
        ({**good, "token": "guessed"}, {}), ({k: v for k, v in good.items() if k != "token"}, {}),
        (good, {"Sec-Fetch-Site": "cross-site"}), (good, {"Sec-Fetch-Site": "same-site"}),
    ):  # fmt: skip
        assert client.post("/known", data=foreign, headers=headers).status_code == 403
        assert client.post("/known/undo", data={**foreign, "number": "1"}, headers=headers).status_code == 403
    assert sayings.known == []
    assert client.post("/known", data=good, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303


def test_what_is_typed_stays_text() -> None:
    evil = {**FORM, "who": '"><script>x</script>', "count": '"><script>', "kind": "ambulance", "choice": "|30"}
    answer = client_of(Sayings()).post("/known", data=evil)
    assert "<script>" not in answer.text


def test_what_has_nothing_to_choose_from_says_why() -> None:
    for kind, why in (
        ("beds_closed", "How many beds"),
        ("staff_absent", "on duty is not known"),
        ("discharge", "Nobody"),
    ):
        text = client_of(Sayings(choices={})).get(f"/known?kind={kind}&lang=en").text
        assert why in text
        assert "<form" not in text
    assert "not made yet" in client_of(Sayings(is_ready=False)).get("/known?kind=ambulance&lang=en").text


# --- from the form to the forecast ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def here() -> Iterator[House]:
    with house() as made:
        yield made


def test_from_the_form_to_the_forecast_and_back(here: House) -> None:
    """Beds tapped closed are no beds in the next forecast; undone on the page, it is bit by bit what it was."""
    before = here.forecast()
    client = client_of(KnownPage(here.known, ANYBODY, hospital(), "live", here.clock))
    form = {**FORM, "kind": "beds_closed", "count": "2", "choice": "medicine|240"}
    assert client.post("/known", data=form).status_code == 303
    fewer = (before["beds_free:medicine"] + before["census:medicine"]) - (
        (after := here.forecast())["beds_free:medicine"] + after["census:medicine"]
    )
    assert fewer[0].tolist() == [2.0] * 60
    [said] = (
        client_of(KnownPage(here.known, ANYBODY, hospital(), "live", here.clock))
        .get("/known?lang=en")
        .text.split("until 17:00")[1:]
    )
    assert "Undo" in said
    assert client.post("/known/undo", data={**FORM, "number": "1"}).status_code == 303
    assert fingerprint(here.forecast()) == fingerprint(before)


def test_a_time_that_is_over_is_refused_by_the_house_itself(here: House) -> None:
    client = client_of(KnownPage(here.known, ANYBODY, hospital(), "live", here.clock))
    typed = (NOON - HOUR).strftime("%Y-%m-%dT%H:%M")
    form = {**FORM, "kind": "ambulance", "choice": "other", "at": typed}
    answer = client.post("/known", data=form)
    assert (answer.status_code, "must lie ahead" in answer.text) == (422, True)


def test_who_is_not_known_is_told_who_is(here: House) -> None:
    client = client_of(KnownPage(here.known, ANYBODY, hospital(), "live", here.clock))
    answer = client.post("/known", data={**FORM, "who": " ", "kind": "ambulance", "choice": "|30"})
    assert answer.status_code == 422
    assert "Member of staff, Manager" in answer.text
