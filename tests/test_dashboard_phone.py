"""The telephone's page: it says what the wall says, leads nobody in a circle, renews itself, and keeps nothing old."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component
from flask.testing import FlaskClient

from dashboard.app import WallSettings, build_app
from dashboard.fan_picture import fan_picture
from dashboard.pages import phone as page
from dashboard.pages.beside import BESIDE, ways_of
from dashboard.panels import alarms, banner, boarding, census, footer, header, now, trust, wards
from dashboard.phone_door import SCRIPTS, STYLES
from dashboard.plain_html import rendered
from dashboard.theme import ASSETS
from dashboard.words import LANGUAGES, Language, Reader
from forecast.board import Board
from tests.alert_views import ALARMED
from tests.boards import EXAMPLES, MADE_AT, ordinary

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari"
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
PANELS = (header, banner, now, census, boarding, wards, trust, footer)


def client_of(get_board: Callable[[], Board | None], **settings: Any) -> FlaskClient:
    client: FlaskClient = build_app(get_board, WallSettings(**settings)).server.test_client()
    return client


def texts(content: Any) -> Iterator[str]:
    """Every text of a tree of components."""
    if isinstance(content, list | tuple):
        for one in content:
            yield from texts(one)
    elif isinstance(content, Component):
        yield from texts(getattr(content, "children", None))
    elif content is not None:
        yield str(content)


def said(markup: str) -> list[str]:
    """Every text of a page."""
    return [unescape(text) for text in re.findall(r">([^<]+)<", markup)]


def unsaid(board: Board, reader: Reader) -> list[str]:
    """What the wall's panels say of a board and the telephone's page does not."""
    there = said(rendered(page.phone(board, reader, ways_of(reader, board.mode))))
    panels = [*PANELS, *([alarms] if board.alarms else [])]
    return [text for panel in panels for text in texts(panel.panel(board, reader)) if text and text not in there]


# --- one meaning on the wall and on the telephone ---------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*EXAMPLES, *ALARMED])
def test_the_telephone_says_what_the_wall_says(name: str, language: Language) -> None:
    reader = Reader(language, "Europe/Paris", rem_px=16.0, narrow=True)
    assert unsaid({**EXAMPLES, **ALARMED}[name](), reader) == []


def test_a_telephone_with_words_of_its_own_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: a page that says the census in its own words."""
    own = {**page.AHEAD, census.MEASURE: lambda board, reader: html.Div("around 50 this evening")}
    monkeypatch.setattr(page, "AHEAD", own)
    assert any("8 chances in 10" in text for text in unsaid(ordinary(), Reader("en", "Europe/Paris", narrow=True)))


def test_alarms_stand_before_numbers_and_numbers_before_what_is_ahead() -> None:
    board = ALARMED["alarms"]()
    text = rendered(page.phone(board, Reader("en", "UTC", narrow=True), []))
    places = [text.index(word) for word in ('class="alarms', 'class="now', 'class="card ahead-', 'class="card wards')]
    assert places == sorted(places)
    assert text.count("not acknowledged") == 1
    assert "Dr Lemaire, cadre de garde has it" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [("ordinary", "No alarm is on."), ("stale", "no alarm is raised or cleared"), ("off", "no alarm is raised or"),
     ("before_first", "judged with the next forecast")],
)  # fmt: skip
def test_that_no_alarm_is_on_is_said_only_where_somebody_looks(name: str, words: str) -> None:
    text = rendered(page.phone(EXAMPLES[name](), Reader("en", "UTC", narrow=True), []))
    assert words in text
    assert ("No alarm is on." in text) is (name == "ordinary")


def test_four_measures_are_drawn_each_with_its_peak_or_its_fewest_and_its_hour() -> None:
    text = rendered(page.phone(ordinary(), Reader("en", "Europe/Paris", narrow=True), []))
    assert text.count('role="img"') == 4
    assert re.findall(r">(peak \d+|fewest \d+)<", text) == ["peak 49", "peak 18", "peak 11", "fewest 4"]
    assert len(re.findall(r"(?:Peak|Fewest): \d+ \(\d+ to \d+\) around \d\d:\d\d\.</p>", text)) == 4


def test_a_fan_says_where_now_is_what_is_usual_and_what_can_be_held() -> None:
    fan = ordinary().fans["ed_census"]
    drawn = fan_picture(fan, Reader("en", "Europe/Paris"), now_at=MADE_AT, said="a < b")
    for kind in ("band-90", "band-80", "band-50", "usual", "median", "earlier", "observed", "now-line", "capacity"):
        assert f'class="{kind}"' in drawn, kind
    assert "<title>a &lt; b</title>" in drawn
    bare = fan_picture(
        replace(fan, earlier=None, capacity=None, peak=None), Reader("en", "UTC"), now_at=MADE_AT, said=""
    )
    assert not any(f'class="{kind}"' in bare for kind in ("earlier", "capacity", "peak"))


# --- which address, which page ----------------------------------------------------------------------------------------


def test_a_telephone_is_led_to_its_page_once_and_a_computer_is_not() -> None:
    client = client_of(ordinary)
    first = client.get("/?lang=en", headers={"User-Agent": IPHONE})
    assert (first.status_code, first.headers["Location"]) == (302, "/phone?lang=en")
    there = client.get(first.headers["Location"], headers={"User-Agent": IPHONE})
    assert (there.status_code, "Wall" in there.text) == (200, True)
    assert client.get("/", headers={"User-Agent": DESKTOP}).status_code == 200
    assert client.get("/", headers={"User-Agent": DESKTOP, "Sec-CH-UA-Mobile": "?1"}).status_code == 302
    assert client.get("/?lang=<x>", headers={"User-Agent": IPHONE}).headers["Location"] == "/phone"


def test_no_way_of_the_page_leads_back_to_it() -> None:
    """The whole wall has an address of its own: with "/", the mutant, a telephone would come back here."""
    client = client_of(ordinary)
    text = client.get("/phone?lang=en").text
    ways = re.findall(r'class="way" href="(/[^"?]*)\?lang=en"', text)
    assert ways[0] == "/wall"
    assert {f"/{name}" for name, beside in BESIDE.items() if not beside.of_exercises} | {"/report", "/known"} < set(
        ways
    )
    for way in set(ways) - {"/report", "/known"}:
        assert client.get(way, headers={"User-Agent": IPHONE}).status_code == 200, way
    assert client.get("/", headers={"User-Agent": IPHONE}).status_code == 302


# --- it renews itself -------------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_sent_again() -> None:
    shelf = [ordinary()]
    client = client_of(lambda: shelf[0])
    version = re.search(r'data-version="(\w+)"', client.get("/phone?lang=fr").text)
    assert version
    known = {"If-None-Match": f'"{version[1]}"', "Accept-Encoding": "br, gzip"}
    same = client.get("/phone/board?lang=fr", headers=known)
    assert (same.status_code, same.data) == (304, b"")
    shelf[0] = replace(shelf[0], made_at=MADE_AT + timedelta(seconds=2))  # made again, and nothing of it is another
    assert client.get("/phone/board?lang=fr", headers=known).status_code == 304
    shelf[0] = replace(shelf[0], made_at=MADE_AT + timedelta(seconds=4), now=replace(shelf[0].now, present=42))
    new = client.get("/phone/board?lang=fr", headers={"If-None-Match": known["If-None-Match"]})
    assert (new.status_code, new.headers["ETag"] != same.headers["ETag"]) == (200, True)
    assert "<main" in new.text
    assert "<html" not in new.text


def test_before_the_first_board_it_says_so() -> None:
    text = client_of(lambda: None).get("/phone?lang=en").text
    assert "The twin is waking up" in text


def test_it_is_an_exercise_on_the_telephone_too() -> None:
    assert "EXERCICE" in client_of(ordinary, is_exercise=True).get("/phone").text
    assert "EXERCICE" not in client_of(ordinary).get("/phone").text


def test_without_scripts_it_asks_anew() -> None:
    assert re.search(r'<noscript><meta http-equiv="refresh" content="\d+">', client_of(ordinary).get("/phone").text)


# --- the application of a telephone -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_can_be_installed(language: Language) -> None:
    client = client_of(ordinary)
    answer = client.get(f"/manifest.webmanifest?lang={language}")
    told = json.loads(answer.data)
    assert answer.mimetype == "application/manifest+json"
    assert (told["start_url"], told["display"], told["lang"]) == (f"/phone?lang={language}", "standalone", language)
    assert client.get(told["start_url"]).status_code == 200
    for icon in told["icons"]:
        drawn = file_of(client, icon["src"])
        assert drawn.mimetype == icon["type"], icon
        if icon["type"] == "image/png":
            assert f"{size_of(drawn.data)}x{size_of(drawn.data)}" == icon["sizes"]
    assert {icon["sizes"] for icon in told["icons"]} == {"192x192", "512x512", "any"}
    touch = file_of(client, "/assets/icons/apple-touch-icon.png")
    assert size_of(touch.data) == 180


def file_of(client: FlaskClient, path: str) -> Any:
    """A file of ours, read and closed."""
    answer = client.get(path)
    answer.get_data()
    answer.close()
    return answer


def size_of(png: bytes) -> int:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(png[16:20], "big")


@pytest.mark.parametrize(
    "path", ["/phone", "/phone/board", "/phone/offline", "/manifest.webmanifest", "/phone-worker.js"]
)
def test_all_of_it_is_under_the_strict_policy(path: str) -> None:
    answer = client_of(ordinary).get(path)
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert re.findall(r"<script(?![^>]* src=)", answer.text) == []
    assert path.endswith(".js") or re.findall(r'(?:src|href)="(?![/?])', answer.text) == []


def test_files_of_the_page_are_named_by_what_they_hold_and_kept_for_a_year() -> None:
    client = client_of(ordinary)
    links = re.findall(r'"(/assets/[^"]+\?m=[^"]+)"', client.get("/phone").text)
    assert len(links) == len(STYLES) + len(SCRIPTS)
    assert all("max-age=31536000" in file_of(client, link).headers["Cache-Control"] for link in links)


def test_the_wall_does_not_load_what_is_the_telephones() -> None:
    wall = client_of(ordinary).get("/").text
    assert "phone" not in wall
    assert all((ASSETS / name).exists() for name in STYLES)


def test_the_telephone_keeps_no_number() -> None:
    """A worker that kept the page, the mutant, would show an old number as a new one when the link is lost."""
    client = client_of(ordinary)
    script = client.get("/phone-worker.js").text
    kept = re.findall(r'"(/[^"\s]*)"', script)
    assert sorted(kept) == ["/phone/offline?lang=en", "/phone/offline?lang=fr"]
    assert "cache.put" not in script
    for language in LANGUAGES:
        offline = client.get(f"/phone/offline?lang={language}").text
        assert not any(re.search(r"\d", text) for text in said(offline.partition("<body")[2]))
