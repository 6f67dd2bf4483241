"""The wall's frame and what fills it, whatever the board: a place for everything, before the first board too."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from dash import html

from dashboard.pages.wall import BELOW, Charts, filling, frame, panels_of
from dashboard.settings import WALL_CHARTS, WallChart
from dashboard.words import UNKNOWN, Reader
from tests.boards import EXAMPLES, before_first, ordinary, stale
from tests.component_trees import FRENCH, READER, texts, with_class


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("reader", [READER, FRENCH, replace(FRENCH, narrow=True, rem_px=16.0)])
def test_the_page_has_every_panel_whatever_the_board(name: str, reader: Reader) -> None:
    full = filling(EXAMPLES[name](), reader)
    assert list(full.panels) == list(panels_of(WALL_CHARTS))
    said = [text for panel in full.panels.values() for text in texts(panel)]
    assert len(said) > 30
    assert not any("nan" in text.lower().split() or "None" in text for text in said)


def test_the_state_of_the_wall_is_a_class_of_the_page() -> None:
    assert filling(stale(), READER).state == "feed-stale forecast-old"
    assert filling(before_first(), READER).state == "feed-live forecast-none"


def test_before_the_first_board_the_page_waits_and_can_change_language() -> None:
    waiting = filling(None, READER)
    assert texts(waiting.panels["header"]) == [
        "FR",
        UNKNOWN,
        "The twin is waking up: the first board is being made.",
    ]
    assert (set(waiting.figures.values()), waiting.state) == ({None}, "waking")


@pytest.mark.parametrize("charts", [WALL_CHARTS, ("arrivals",), ()])
def test_the_frame_has_a_place_for_everything_that_fills_it(charts: Charts) -> None:
    empty_frame, full = html.Div(frame(charts)), filling(ordinary(), READER, charts)
    ids = [found.id for found in with_class(empty_frame, "slot") + with_class(empty_frame, "graph")]
    assert sorted(ids) == sorted([f"slot-{name}" for name in full.panels] + [f"chart-{name}" for name in full.figures])
    assert list(full.figures) == ["census", *charts]


def test_every_chart_that_can_be_chosen_can_be_drawn() -> None:
    assert set(BELOW) == set(get_args(WallChart))
