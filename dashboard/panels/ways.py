"""The ways from a page to all others, in groups: what one looks for decides where one looks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.words import Reader


@dataclass(frozen=True)
class Way:
    """A way to another page: what it says and the address."""

    name: str
    path: str
    is_here: bool = False


@dataclass(frozen=True)
class WayGroup:
    """Ways that answer one kind of question."""

    name: str
    """Empty where there is only one group: it is not folded either."""
    ways: tuple[Way, ...]


def ways(groups: Sequence[WayGroup], reader: Reader, *, folds: bool = True) -> Component:
    """The groups side by side; on a phone one word that unfolds them, so that the page begins with what it tells.

    A page that ends with them does not fold them.
    """
    found = [html.Div([*_name(of), *_links(of, reader)], className="ways-group") for of in groups if of.ways]
    called: dict[str, Any] = {"aria-label": reader.say("Other pages")}
    nav = html.Nav(found, className="ways", **called)
    if not folds or not reader.narrow or not any(of.name for of in groups):
        return nav
    return html.Details([html.Summary(reader.say("All pages")), nav], className="ways-fold")


def _name(of: WayGroup) -> list[Component]:
    return [html.Span(of.name, className="ways-name")] if of.name else []


def _links(of: WayGroup, reader: Reader) -> list[Component]:
    return [_here(way) if way.is_here else _link(way, reader) for way in of.ways]


def _here(way: Way) -> Component:
    """The page one is on: no way to it."""
    mark: dict[str, Any] = {"aria-current": "page"}
    return html.Span(way.name, className="here", **mark)


def _link(way: Way, reader: Reader) -> Component:
    return html.A(way.name, href=f"{way.path}?lang={reader.language}", className="way")
