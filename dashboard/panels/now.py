"""The department now, in figures that are read from four metres."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import marked
from dashboard.states import feed_state
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import Board, Now

_NOTHING = Now(None, None, None, None, None, None, None, None, None)


def panel(board: Board, reader: Reader) -> Component:
    """Present, waiting, longest wait, boarders, arrivals of the last hour and of today.

    What the log does not hold is a dash with the reason; when the feed has long been silent all of them are.
    """
    state = feed_state(board)
    now = _NOTHING if state == "off" else board.now
    why = reader.say("no data") if now is _NOTHING else reader.say("not in the data received")
    tiles = [
        _tile(reader.say("Present"), reader.number(now.present), _spaces(now, reader), why),
        _tile(reader.say("Waiting"), reader.number(now.waiting), reader.say("not yet seen"), why),
        _tile(
            reader.say("Longest wait"),
            reader.duration(now.longest_wait_min),
            reader.say("since arrival"),
            _no_wait(now, reader, why),
        ),
        _tile(reader.say("Waiting for a bed"), reader.number(now.boarders), _boarding(now, reader), why),
        _tile(reader.say("Arrivals"), reader.number(now.arrivals_last_hour), reader.say("in the last hour"), why),
        _tile(reader.say("Arrivals today"), reader.number(now.arrivals_today), _usual(now, reader), why),
    ]
    return html.Section(tiles, className=f"now {state}")


def _tile(label: str, figure: str, below: str | Component, why: str) -> Component:
    known = figure != UNKNOWN
    content = [
        dmc.Text(label, className="label"),
        html.Div(_with_small_units(figure), className="big"),
        html.Div(below if known else why, className="below"),
    ]
    return dmc.Paper(content, className="tile" if known else "tile unknown", radius="md")


def _with_small_units(figure: str) -> list[Component]:
    """ "2 h 10" with a small h, so that the figures stand out."""
    return [html.Span(part, className="" if part[0].isdigit() else "unit") for part in figure.split(NBSP)]


def _spaces(now: Now, reader: Reader) -> str | Component:
    if now.capacity_spaces is None or now.present is None:
        return reader.say("spaces not stated")
    text = reader.count("{n} space", "{n} spaces", now.capacity_spaces)
    if now.present > now.capacity_spaces:
        return marked("bad", reader.say("{spaces}: {n} too many", spaces=text, n=now.present - now.capacity_spaces))
    return text


def _no_wait(now: Now, reader: Reader, why: str) -> str:
    """Why there is no longest wait: nobody waits, or it is not known."""
    return reader.say("nobody waits") if now.waiting == 0 else why


def _boarding(now: Now, reader: Reader) -> str:
    if now.boarders == 0:
        return reader.say("nobody waits")
    if now.longest_boarding_min is None:
        return reader.say("since when is not known")
    return reader.say("longest {duration}", duration=reader.duration(now.longest_boarding_min))


def _usual(now: Now, reader: Reader) -> str:
    if now.expected_today is None or now.arrivals_today is None:
        return reader.say("usual not yet learned")
    return reader.say("usually {n} by this time", n=reader.number(now.expected_today))
