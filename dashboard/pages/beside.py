"""The pages beside the wall: the feeds, the quarantine, the sheet for a downtime. They are read from a chair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dash import html
from dash.development.base_component import Component

from dashboard.panels import downtime, feeds, quarantine
from dashboard.panels.header import beside as header
from dashboard.parts import absent
from dashboard.words import Reader
from forecast.board import Board, FeedsView, QuarantineView

PageName = Literal["wall", "feeds", "quarantine", "downtime"]
View = FeedsView | QuarantineView | Board
PATHS: dict[str, PageName] = {"": "wall", "/feeds": "feeds", "/quarantine": "quarantine", "/downtime": "downtime"}
"""Address to page."""


@dataclass(frozen=True)
class Place:
    """Which page is asked for, and which part of it."""

    name: PageName
    number: int = 1


def beside(view: View | None, reader: Reader, place: Place) -> Component:
    """The page of a view; before there is one, a page that says so."""
    if view is None:
        waiting = absent(reader.say("The twin is waking up: the first board is being made."))
        return html.Main(waiting, className="beside")
    return html.Main(
        [header(view, reader, place.name), _here(view, reader, place)], className=f"beside {place.name}-page"
    )


def _here(view: View, reader: Reader, place: Place) -> Component:
    if isinstance(view, Board):
        return downtime.panel(view, reader)
    return feeds.panel(view, reader) if isinstance(view, FeedsView) else quarantine.panel(view, reader, place.number)
