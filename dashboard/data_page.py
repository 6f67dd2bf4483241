"""What `/data` lists: every chart of `charts.py` with its parts, and whether there is anything in it now."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from dashboard.charts import CHARTS, Drawn
from dashboard.data_ways import WALL
from dashboard.words import Reader
from forecast.board import Board

ViewOf = Callable[[str], Any]
"""The view of a page by its name; None where there is none yet."""
ListedState = Literal["drawn", "empty", "away", "asks"]
"""Drawn now; nothing is drawn now; its page has no view yet; it depends on what its page is asked."""


@dataclass(frozen=True)
class ListedPart:
    """One chart of a kind; the name of the only one is empty."""

    key: str
    fr: str
    en: str


@dataclass(frozen=True)
class Listed:
    """A chart, and which ones of it there are."""

    chart: Drawn
    state: ListedState
    parts: tuple[ListedPart, ...] = ()


@dataclass(frozen=True)
class DataView:
    """The page of the data, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    charts: tuple[Listed, ...]


def data_view(board: Board | None, view_of: ViewOf, asking: Collection[str]) -> DataView | None:
    """Every chart as it stands at this minute; None before the first board. `asking` are pages that are asked first."""
    if board is None:
        return None
    minute = board.made_at.replace(second=0, microsecond=0)
    names = dict.fromkeys(one.page for one in CHARTS if one.page not in asking)
    views = {name: board if name == WALL else view_of(name) for name in names}
    found = (_listed(one, views.get(one.page), board.zone, asks=one.page in asking) for one in CHARTS)
    return DataView(minute, board.zone, board.hospital, board.mode, tuple(found))


def _listed(one: Drawn, view: Any, zone: str, *, asks: bool) -> Listed:
    if asks or view is None:
        return Listed(one, "asks" if asks else "away")
    french, english = Reader("fr", zone), Reader("en", zone)
    parts = tuple(
        ListedPart(key, one.part_name(view, key, french), one.part_name(view, key, english))
        for key in one.parts(view)
        if one.data(view, key) is not None
    )
    return Listed(one, "drawn" if parts else "empty", parts)
