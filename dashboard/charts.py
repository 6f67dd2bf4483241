"""THE CHARTS: one row each. A new chart joins by its row, and has its figures at `/data` and beside it.

A row names the page (as in `pages/beside.py`, or the wall), the chart, its title, what gives its figures from the
page's view, and, where the page draws several of the kind, which ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dashboard import supply_charts, trust_charts
from dashboard.check_words import check_words
from dashboard.data_ways import WALL
from dashboard.feed_words import source_name
from dashboard.figures import fan_data
from dashboard.panels import (
    arrivals,
    boarding,
    census,
    checks,
    compare,
    feeds,
    free_beds,
    learned,
    path,
    robustness,
    waiting,
    wards,
)
from dashboard.panels.outlook import shown
from dashboard.rival_words import measure_name
from dashboard.tidy import Tidy
from dashboard.words import Reader
from forecast.board import Board

WHOLE = ("",)
"""The parts of a chart of which there is one."""


@dataclass(frozen=True)
class Drawn:
    """A chart of a page, or all of a kind."""

    page: str
    name: str
    title: Callable[[Reader], str]
    data: Callable[[Any, str], Tidy | None]
    """The figures of a part, from the page's view; None where it is not drawn now."""
    parts: Callable[[Any], tuple[str, ...]] = lambda _: WHOLE
    """Which ones the view has, by name."""
    part_name: Callable[[Any, str, Reader], str] = lambda _view, part, _reader: part
    """What a part is called."""


def _fan(measure: str) -> Callable[[Board, str], Tidy | None]:
    def data(board: Board, part: str) -> Tidy | None:
        found = shown(board, measure)
        return None if found is None else fan_data(found, now_at=board.made_at)

    return data


def _trust(data: Callable[[Any, Any], Tidy]) -> Callable[[Any, str], Tidy | None]:
    def told(view: Any, part: str) -> Tidy | None:
        found = view.judged.of(part) if view.judged else None
        return None if found is None else data(found, view)

    return told


def _measures(view: Any) -> tuple[str, ...]:
    return tuple(one.measure for one in view.judged.measures) if view.judged else ()


def _measure_name(_: Any, part: str, reader: Reader) -> str:
    return measure_name(part, reader)


def _stock(view: Any, part: str) -> Tidy | None:
    found = next((item for item in view.items if item.name == part and item.kind != "meals"), None)
    return None if found is None else supply_charts.stock_data(found, view)


def _item_name(view: Any, part: str, reader: Reader) -> str:
    return next(reader.choice(item.fr, item.en) for item in view.items if item.name == part)


def _messages(view: Any, part: str) -> Tidy | None:
    found = next((source for source in view.sources if source.name == part and source.hours), None)
    return None if found is None else feeds.messages_data(found)


def _source_name(view: Any, part: str, reader: Reader) -> str:
    return source_name(next(source for source in view.sources if source.name == part), reader)


def _curve(view: Any, part: str) -> Tidy | None:
    found = next((check for check in view.checks if check.name == part and check.curve), None)
    return None if found is None else checks.curve_data(found)


def _filled(table: Tidy) -> Tidy | None:
    return table if table.points else None


CHARTS: tuple[Drawn, ...] = (
    Drawn(WALL, "census", lambda r: r.say("How many patients in the coming hours?"), _fan(census.MEASURE)),
    Drawn(WALL, "boarding", lambda r: r.say("How many wait for a bed?"), _fan(boarding.MEASURE)),
    Drawn(WALL, "waiting", lambda r: r.say("How many wait to be seen?"), _fan(waiting.MEASURE)),
    Drawn(WALL, "free_beds", lambda r: r.say("How many free beds?"), _fan(free_beds.MEASURE)),
    Drawn(WALL, "arrivals", lambda r: r.say("Arrivals an hour?"), _fan(arrivals.MEASURE)),
    Drawn(WALL, "wards", lambda r: r.say("Where are beds free?"), lambda view, _: _filled(wards.wards_data(view))),
    Drawn("feeds", "messages", lambda r: r.say("Is this silence normal?"), _messages,
          lambda view: tuple(source.name for source in view.sources if source.hours), _source_name),
    Drawn("supplies", "stock", lambda r: r.say("What is in stock, free or waiting?"), _stock,
          lambda view: tuple(item.name for item in view.items if item.kind != "meals"), _item_name),
    Drawn("compare", "effects", lambda r: r.say("What does each change?"),
          lambda view, _: _filled(compare.effects_data(view))),
    Drawn("robustness", "map", lambda r: r.say("Which crisis breaks which service?"),
          lambda view, _: _filled(robustness.map_data(view))),
    Drawn("trust", "skill", lambda r: r.say("Better than what usually happens?"),
          _trust(lambda found, _: trust_charts.skill_data(found)), _measures, _measure_name),
    Drawn("trust", "covered", lambda r: r.say("Do 8 in 10 fall within the 80% interval?"),
          _trust(lambda found, _: trust_charts.covered_data(found)), _measures, _measure_name),
    Drawn("trust", "bias", lambda r: r.say("Too high or too low?"),
          _trust(lambda found, _: trust_charts.bias_data(found)), _measures, _measure_name),
    Drawn("trust", "shares", lambda r: r.say("What is it made of?"),
          _trust(lambda found, view: trust_charts.shares_data(found, view.shares.get(found.measure, {}))),
          _measures, _measure_name),
    Drawn("checks", "curve", lambda r: r.say("Is the model right?"), _curve,
          lambda view: tuple(check.name for check in view.checks if check.curve),
          lambda _, part, reader: check_words(f"{part}:curve", reader)),
    Drawn("path", "load", lambda r: r.say("What is asked of it, on average"),
          lambda view, _: _filled(path.load_data(view))),
    Drawn("learned", "arrivals", lambda r: r.say("When do people come?"),
          lambda view, _: _filled(learned.arrivals_data(view))),
    Drawn("learned", "classes", lambda r: r.say("Who comes?"), lambda view, _: _filled(learned.classes_data(view))),
)  # fmt: skip
"""Every chart, page by page."""


def drawn(page: str, name: str) -> Drawn | None:
    """The row of a chart; None where there is none of the name."""
    return next((one for one in CHARTS if (one.page, one.name) == (page, name)), None)
