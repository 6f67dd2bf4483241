"""Whose wall this is, of when, and how old what it shows is."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import marked
from dashboard.states import feed_state, forecast_state
from dashboard.words import LANGUAGES, Reader
from forecast.board import Board

FEED_TONES = {"unknown": "warn", "live": "good", "late": "warn", "stale": "bad", "off": "bad"}
FORECAST_TONES = {"none": "news", "fresh": "good", "old": "warn", "hidden": "bad"}


def panel(board: Board, reader: Reader) -> Component:
    """Hospital, local time, mode, ages of data and forecast, and the switch of language."""
    where = html.Div(
        [dmc.Title(board.hospital, order=1, className="hospital"), html.Span(reader.day(board.made_at))],
        className="where",
    )
    ages = html.Div([_data_age(board, reader), _forecast_age(board, reader)], className="ages")
    time = html.Div(
        [html.Span(reader.say("as of"), className="small"), html.Span(reader.clock(board.made_at), className="time")],
        className="asof",
    )
    zone: dict[str, Any] = {"data-zone": board.zone}  # for the plain script that says when the link was lost
    return html.Header([where, *_mode(board, reader), ages, time, switch(reader)], className="header", **zone)


def switch(reader: Reader) -> Component:
    """A link to the page in each other language."""
    others = [language for language in LANGUAGES if language != reader.language]
    links = [html.A(language.upper(), href=f"?lang={language}", lang=language) for language in others]
    return html.Nav(links, className="switch")


def _mode(board: Board, reader: Reader) -> list[Component]:
    texts = {"replay": reader.say("REPLAY"), "fabricated": reader.say("FABRICATED DATA")}
    if board.mode == "live":
        return []
    return [dmc.Badge(texts.get(board.mode, board.mode.upper()), className="mode", size="xl", radius="sm")]


def _data_age(board: Board, reader: Reader) -> Component:
    age = board.feed.age
    text = reader.say("no data yet") if age is None else reader.say("Data: {ago}", ago=reader.ago(age))
    return marked(FEED_TONES[feed_state(board)], text)


def _forecast_age(board: Board, reader: Reader) -> Component:
    age, state = board.cycle.age, forecast_state(board)
    text = reader.say("no forecast yet")
    if state != "none" and age is not None:
        text = reader.say("Forecast issued {ago}", ago=reader.ago(age))
    return marked(FORECAST_TONES[state], text)
