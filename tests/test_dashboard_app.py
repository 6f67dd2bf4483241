"""The one callback: when the page is drawn anew, when not, and what it does not believe."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import BadRequest

from dashboard.app import WallSettings, build_app, reader_of
from dashboard.words import Reader
from forecast.board import Board
from tests.boards import MADE_AT, ordinary

SCREEN = {"tick": 3, "language": "fr", "rem_px": 20, "narrow": False}


def client_of(get_board: Callable[[], Board | None], now: Callable[[], datetime] | None = None) -> FlaskClient:
    server: Flask = build_app(get_board, WallSettings(), now).server
    return server.test_client()


def refresh(client: FlaskClient, screen: Any = SCREEN, version: str | None = None) -> Any:
    """The answer to a page's tick: its status, or what it changes."""
    (output,) = [found["output"] for found in client.get("/_dash-dependencies").get_json() if "beat" in found["output"]]
    body = {
        "output": output,
        "outputs": [{"id": i, "property": p} for i, p in (o.split(".") for o in output.strip(".").split("..."))],
        "inputs": [{"id": "screen", "property": "data", "value": screen}],
        "state": [{"id": "version", "property": "data", "value": version}],
        "changedPropIds": ["screen.data"],
    }
    answer = client.post("/_dash-update-component", json=body)
    return answer.get_json()["response"] if answer.status_code == 200 else answer.status_code


def test_it_is_alive() -> None:
    answer = client_of(ordinary).get("/healthz")
    assert (answer.status_code, answer.get_data(as_text=True), answer.mimetype) == (200, "ok\n", "text/plain")


def test_the_page_is_drawn_once_a_board_and_the_beat_goes_on() -> None:
    board = ordinary()
    client = client_of(lambda: board)
    first = refresh(client)
    version = first["version"]["data"]
    assert "Valmont" in json.dumps(first["slot-header"])
    assert first["wall"] == {"className": "wall feed-live forecast-fresh"}
    assert refresh(client, version=version) == {"beat": {"children": "3"}}
    board = replace(board, made_at=MADE_AT + timedelta(minutes=1))
    assert {"slot-now", "chart-census", "version", "beat"} < set(refresh(client, version=version))


def test_the_page_is_drawn_anew_for_another_language_or_screen() -> None:
    client = client_of(ordinary)
    version = refresh(client)["version"]["data"]
    for other in ({"language": "en"}, {"rem_px": 40}, {"narrow": True}, {"theme": "light"}):
        assert "slot-now" in refresh(client, {**SCREEN, **other}, version)
    assert "Longest wait" in json.dumps(refresh(client, {**SCREEN, "language": "en"})["slot-now"])


def test_a_board_that_is_no_longer_made_grows_old_on_the_wall() -> None:
    now = MADE_AT
    client = client_of(ordinary, lambda: now)
    version = refresh(client)["version"]["data"]
    now = MADE_AT + timedelta(seconds=59)
    assert "slot-now" not in refresh(client, version=version)
    now = MADE_AT + timedelta(minutes=30)
    assert "PRÉVISION ANCIENNE" in json.dumps(refresh(client, version=version)["slot-banners"], ensure_ascii=False)


def test_without_a_clock_a_dead_board_would_look_alive() -> None:
    """The mutant of the test above: no clock, no ageing."""
    assert "PRÉVISION ANCIENNE" not in json.dumps(refresh(client_of(ordinary))["slot-banners"], ensure_ascii=False)


def test_before_the_first_board_the_page_says_so() -> None:
    assert "s'éveille" in json.dumps(refresh(client_of(lambda: None))["slot-header"], ensure_ascii=False)


def test_a_tick_stays_small() -> None:
    client = client_of(ordinary)
    first = refresh(client)
    assert len(json.dumps(first)) < 90_000
    assert len(json.dumps(refresh(client, version=first["version"]["data"]))) < 100


@pytest.mark.parametrize(
    "screen",
    [
        None,
        [],
        {},
        {**SCREEN, "language": "de"},
        {**SCREEN, "language": ["fr"]},
        {**SCREEN, "rem_px": "20"},
        {**SCREEN, "rem_px": 1e9},
        {**SCREEN, "narrow": 1},
        {**SCREEN, "theme": "blue"},
    ],
)
def test_a_screen_that_says_nonsense_is_refused(screen: Any) -> None:
    assert refresh(client_of(ordinary), screen) == 400
    with pytest.raises(BadRequest):
        reader_of(screen, "UTC")


def test_a_sound_screen_is_believed() -> None:
    assert reader_of(SCREEN, "Europe/Paris") == Reader("fr", "Europe/Paris", rem_px=20.0, narrow=False, theme="dark")
    assert reader_of({**SCREEN, "theme": "light"}, "Europe/Paris").theme == "light"
