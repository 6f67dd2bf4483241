"""Whose wall this is, of when, and how old what it shows is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.feed_words import TONES, state_name
from dashboard.panels.ways import WayGroup, ways
from dashboard.parts import marked
from dashboard.states import forecast_state
from dashboard.words import LANGUAGES, Reader
from forecast.board import Board
from forecast.pages import PageView

LONG = 44
"""Letters of a hospital's name from which on it is written smaller, so that it is not cut."""
FORECAST_TONES = {"none": "news", "fresh": "good", "old": "warn", "withheld": "bad", "hidden": "bad"}


def panel(board: Board, reader: Reader) -> Component:
    """Hospital, local time, mode, ages of data and forecast, and the switch of language."""
    long = " long" if len(board.hospital) > LONG else ""
    name = dmc.Title(board.hospital, order=1, className=f"hospital{long}")
    where = html.Div([name, html.Span(reader.day(board.made_at))], className="where")
    ages = html.Div([_data_age(board, reader), _forecast_age(board, reader)], className="ages")
    time = html.Div(
        [html.Span(reader.say("as of"), className="small"), html.Span(reader.clock(board.made_at), className="time")],
        className="asof",
    )
    zone: dict[str, Any] = {"data-zone": board.zone}  # for the plain script that says when the link was lost
    return html.Header([where, *_mode(board, reader), ages, time, switch(reader)], className="header", **zone)


def beside(view: PageView, reader: Reader, title: str, groups: Sequence[WayGroup], query: str = "") -> Component:
    """The head of a page beside the wall: which page, of what hospital and when, and the ways to the others.

    `query` is what its address asks for, which the switch of language keeps.
    """
    where = html.Div(
        [
            dmc.Title(title, order=1, className="hospital"),
            html.Span(f"{view.hospital}, {reader.day(view.made_at)}"),
        ],
        className="where",
    )
    time = html.Div(
        [html.Span(reader.say("as of"), className="small"), html.Span(reader.clock(view.made_at), className="time")],
        className="asof",
    )
    switches = html.Div([theme_switch(reader), switch(reader, query)], className="switches")
    zone: dict[str, Any] = {"data-zone": view.zone}
    content = [where, *_mode(view, reader), ways(groups, reader), time, switches]
    return html.Header(content, className="header", **zone)


def switch(reader: Reader, query: str = "") -> Component:
    """A link to the page in each other language."""
    kept = "".join(f"&{part}" for part in query.lstrip("?").split("&") if part and not part.startswith("lang="))
    others = [language for language in LANGUAGES if language != reader.language]
    links = [html.A(language.upper(), href=f"?lang={language}{kept}", lang=language) for language in others]
    return html.Nav(links, className="switch", **_called(reader.say("Language")))


def theme_switch(reader: Reader) -> Component:
    """A button that makes a dark page light and a light one dark; of its two words the page shows the one to come."""
    words = [html.Span(reader.say("Light"), className="to-light"), html.Span(reader.say("Dark"), className="to-dark")]
    return html.Button(words, type="button", className="theme", title=reader.say("Colours of the page"))


def _called(name: str) -> dict[str, Any]:
    """What a screen reader calls a part of the page that bears no title."""
    return {"aria-label": name}


def _mode(board: PageView, reader: Reader) -> list[Component]:
    texts = {
        "replay": reader.say("REPLAY"),
        "fabricated": reader.say("FABRICATED DATA"),
        "exercise": reader.say("EXERCISE"),
    }
    if board.mode == "live":
        return []
    return [dmc.Badge(texts.get(board.mode, board.mode.upper()), className="mode", size="xl", radius="sm")]


def _data_age(board: Board, reader: Reader) -> Component:
    """The state of the feed with its age, which is also the way to the page of the feeds."""
    age, state = board.feed.age, board.feed.state
    text = reader.say("no data yet") if age is None else reader.say("Data: {ago}", ago=reader.ago(age))
    said = marked(TONES[state], f"{state_name(state, reader)} · {text}")
    return html.A(said, href=f"/feeds?lang={reader.language}", className="quiet-link")


def _forecast_age(board: Board, reader: Reader) -> Component:
    age, state = board.cycle.age, forecast_state(board)
    text = reader.say("no forecast yet")
    if state == "withheld":
        text = reader.say("forecast withheld")
    elif state != "none" and age is not None:
        text = reader.say("Forecast issued {ago}", ago=reader.ago(age))
    return marked(FORECAST_TONES[state], text)
