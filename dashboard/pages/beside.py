"""The pages beside the wall: one row each in `BESIDE`. They are read from a chair, or on a telephone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.data_ways import WALL as WALL
from dashboard.panels import (
    about,
    alerts,
    by_unit,
    checks,
    compare,
    data,
    debrief,
    desk,
    downtime,
    feeds,
    floor,
    huddle,
    instructor,
    learned,
    path,
    quarantine,
    replay,
    robustness,
    settings_page,
    supplies,
    terms,
    trust_page,
    whatif,
)
from dashboard.panels.header import beside as header
from dashboard.panels.ways import Way, WayGroup
from dashboard.parts import absent
from dashboard.report import validation
from dashboard.report.serving import ADDRESS
from dashboard.terms import PAGE as PAGE_OF_TERMS
from dashboard.words import Reader
from forecast.pages import PageView

EXERCISE = "exercise"
"""The mode of a house in which an exercise is held."""
REPORT = "report"
"""The name of the way to the report of the last back-test."""
WHOLE_WALL = f"/{WALL}"
"""The wall itself, whatever screen asks."""
KNOWN = "/known"
"""What people know already; plain HTML too."""
PHONE = "/phone"
"""The telephone's page, which is no page beside the wall: it is plain HTML."""
ADDRESSES: Mapping[str, str] = {WALL: WHOLE_WALL, "phone": PHONE, "known": KNOWN, REPORT: ADDRESS}
"""Where what is no page beside the wall stands."""


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
    "floor": Page(
        lambda reader: reader.say("Floor"),
        lambda reader: reader.say("Where are the patients?"),
        lambda view, reader, _: floor.panel(view, reader),
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
    "forecast": Page(
        lambda reader: reader.say("Forecast"),
        lambda reader: reader.say("What is likely, unit by unit?"),
        lambda view, reader, _: by_unit.panel(view, reader),
        asks=True,
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
    "replay": Page(
        lambda reader: reader.say("Replay"),
        lambda reader: reader.say("What was known then, and what came?"),
        lambda view, reader, _: replay.panel(view, reader),
        asks=True,
    ),
    "validation": Page(
        lambda reader: reader.say("Validation"),
        lambda reader: reader.say("Would the forecasts have been right?"),
        lambda view, reader, _: validation.panel(view, reader),
        asks=True,
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
    PAGE_OF_TERMS: Page(
        lambda reader: reader.say("Words"),
        lambda reader: reader.say("What do the words mean?"),
        lambda view, reader, _: terms.panel(reader),
        of_the_board=True,
    ),
    "settings": Page(
        lambda reader: reader.say("Settings"),
        lambda reader: reader.say("How is this house set?"),
        lambda view, reader, _: settings_page.panel(view, reader),
    ),
    "about": Page(
        lambda reader: reader.say("About"),
        lambda reader: reader.say("What is this?"),
        lambda view, reader, _: about.panel(view, reader),
    ),
    "data": Page(
        lambda reader: reader.say("Data"),
        lambda reader: reader.say("What figures are behind the charts?"),
        lambda view, reader, _: data.panel(view, reader, names(reader)),
    ),
    "downtime": Page(
        lambda reader: reader.say("Downtime sheet"),
        lambda reader: reader.say("Downtime sheet"),
        lambda view, reader, _: downtime.panel(view, reader),
        of_the_board=True,
    ),
}
"""Every page beside the wall; its address is its name."""


GROUPS: tuple[tuple[Callable[[Reader], str], tuple[str, ...]], ...] = (
    (lambda reader: reader.say("Exercise"), ("instructor", "debrief")),
    (lambda reader: reader.say("Now"), (WALL, "phone", "alerts", "floor", "known", "downtime")),
    (lambda reader: reader.say("Ahead"), ("forecast", "huddle", "supplies")),
    (lambda reader: reader.say("Try"), ("whatif", "desk", "compare", "robustness")),
    (lambda reader: reader.say("Believe"), ("trust", "validation", "replay", REPORT, "checks", "learned", "path")),
    (lambda reader: reader.say("House"), ("feeds", "quarantine", "data", "words", "settings", "about")),
)
"""The ways in groups, by what one looks for; each page stands in one."""


def names(reader: Reader) -> dict[str, str]:
    """What each page is called, the wall included."""
    return {WALL: reader.say("Wall")} | {name: page.name(reader) for name, page in BESIDE.items()}


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
    head = header(
        view, reader, page.title(reader), ways_of(reader, view.mode, place.name), place.query if page.asks else ""
    )
    return html.Main([head, page.panel(view, reader, place)], className=f"beside {place.name}-page")


def ways_of(reader: Reader, mode: str, name: str = "") -> list[WayGroup]:
    """The wall, every page that is there and the report of the last back-test, in their groups; `name` is where one is.

    The wall is there at an address of its own, from which a telephone is not led to its page.
    """
    hidden = {other for other, page in BESIDE.items() if page.of_exercises and mode != EXERCISE}
    called = names(reader) | {
        "phone": reader.say("Telephone"), "known": reader.say("Known"), REPORT: reader.say("Back-test"),
    }  # fmt: skip
    return [
        WayGroup(
            title(reader),
            tuple(
                Way(called[other], ADDRESSES.get(other, f"/{other}"), is_here=other == name)
                for other in of
                if other not in hidden
            ),
        )
        for title, of in GROUPS
    ]
