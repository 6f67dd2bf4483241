"""The pages beside the wall: one row each in `BESIDE`. They are read from a chair, or on a telephone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.panels import (
    alerts,
    checks,
    compare,
    debrief,
    desk,
    downtime,
    feeds,
    huddle,
    instructor,
    learned,
    path,
    quarantine,
    robustness,
    supplies,
    trust_page,
    whatif,
)
from dashboard.panels.header import Way
from dashboard.panels.header import beside as header
from dashboard.parts import absent
from dashboard.report.serving import ADDRESS
from dashboard.words import Reader
from forecast.pages import PageView

EXERCISE = "exercise"
"""The mode of a house in which an exercise is held."""
WALL = "wall"
"""The name of the page that all others stand beside."""


@dataclass(frozen=True)
class Place:
    """Which page is asked for, and which part of it."""

    name: str
    number: int = 1
    query: str = ""
    """What the address asks for beside the page's name, as it stands in it: "?view=nurses"."""


@dataclass(frozen=True)
class Page:
    """A page beside the wall: what the ways to it say, what stands at its head, and what it makes of its view."""

    name: Callable[[Reader], str]
    title: Callable[[Reader], str]
    panel: Callable[[Any, Reader, Place], Component]
    of_the_board: bool = False
    """Shows the wall's own view."""
    asks: bool = False
    """Its view depends on what the address asks for."""
    of_exercises: bool = False
    """There only while an exercise is held."""


BESIDE: dict[str, Page] = {
    "instructor": Page(
        lambda reader: reader.say("Instructor"),
        lambda reader: reader.say("What happens in this exercise?"),
        lambda view, reader, _: instructor.panel(view, reader),
        of_exercises=True,
    ),
    "debrief": Page(
        lambda reader: reader.say("Debrief"),
        lambda reader: reader.say("What was decided, and what did it do?"),
        lambda view, reader, _: debrief.panel(view, reader),
        asks=True,
        of_exercises=True,
    ),
    "alerts": Page(
        lambda reader: reader.say("Alerts"),
        lambda reader: reader.say("What is likely to go wrong, and who has it?"),
        lambda view, reader, _: alerts.panel(view, reader),
    ),
    "feeds": Page(
        lambda reader: reader.say("Feeds"),
        lambda reader: reader.say("Are the data coming?"),
        lambda view, reader, _: feeds.panel(view, reader),
    ),
    "quarantine": Page(
        lambda reader: reader.say("Quarantine"),
        lambda reader: reader.say("What could not be read?"),
        lambda view, reader, place: quarantine.panel(view, reader, place.number),
    ),
    "huddle": Page(
        lambda reader: reader.say("Huddle"),
        lambda reader: reader.say("What do we tell at the huddle?"),
        lambda view, reader, place: huddle.panel(view, reader, place.number),
    ),
    "supplies": Page(
        lambda reader: reader.say("Supplies"),
        lambda reader: reader.say("What do support services need, and what runs out?"),
        lambda view, reader, _: supplies.panel(view, reader),
    ),
    "whatif": Page(
        lambda reader: reader.say("What if?"),
        lambda reader: reader.say("What if we changed something?"),
        lambda view, reader, _: whatif.panel(view, reader),
    ),
    "desk": Page(
        lambda reader: reader.say("Desk"),
        lambda reader: reader.say("What do people propose?"),
        lambda view, reader, _: desk.panel(view, reader),
        asks=True,
    ),
    "compare": Page(
        lambda reader: reader.say("Compare"),
        lambda reader: reader.say("What would each change?"),
        lambda view, reader, _: compare.panel(view, reader),
        asks=True,
    ),
    "robustness": Page(
        lambda reader: reader.say("Robustness"),
        lambda reader: reader.say("What breaks first?"),
        lambda view, reader, _: robustness.panel(view, reader),
        asks=True,
    ),
    "trust": Page(
        lambda reader: reader.say("Trust"),
        lambda reader: reader.say("How good are the forecasts?"),
        lambda view, reader, _: trust_page.panel(view, reader),
    ),
    "checks": Page(
        lambda reader: reader.say("Model checks"),
        lambda reader: reader.say("Is the model right?"),
        lambda view, reader, _: checks.panel(view, reader),
    ),
    "path": Page(
        lambda reader: reader.say("Path"),
        lambda reader: reader.say("Where do patients go?"),
        lambda view, reader, _: path.panel(view, reader),
    ),
    "learned": Page(
        lambda reader: reader.say("Learned"),
        lambda reader: reader.say("What does the twin know of the hospital?"),
        lambda view, reader, _: learned.panel(view, reader),
    ),
    "downtime": Page(
        lambda reader: reader.say("Downtime sheet"),
        lambda reader: reader.say("Downtime sheet"),
        lambda view, reader, _: downtime.panel(view, reader),
        of_the_board=True,
    ),
}
"""Every page beside the wall, in the order of the ways to them; its address is its name."""


def named(address: str) -> str:
    """The page at an address; the wall for one that is not ours."""
    name = address.strip("/")
    return name if name in BESIDE else WALL


def beside(view: PageView | None, reader: Reader, place: Place) -> Component:
    """The page of a view; before there is one, a page that says so."""
    if view is None:
        waiting = absent(reader.say("The twin is waking up: the first board is being made."))
        return html.Main(waiting, className="beside")
    page = BESIDE[place.name]
    head = header(view, reader, page.title(reader), _ways(reader, place, view.mode), place.query if page.asks else "")
    return html.Main([head, page.panel(view, reader, place)], className=f"beside {place.name}-page")


def _ways(reader: Reader, place: Place, mode: str) -> list[Way]:
    """The wall, every other page and the report of the last back-test, with their addresses."""
    there = {name: page for name, page in BESIDE.items() if not page.of_exercises or mode == EXERCISE}
    others = [Way(page.name(reader), f"/{name}") for name, page in there.items() if name != place.name]
    return [Way(reader.say("Wall"), "/"), *others, Way(reader.say("Back-test"), ADDRESS)]
