"""The state of the wall: how far the data and the forecast can be believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from dashboard.states import aged, feed_state, forecast_shown, forecast_state
from forecast.board import Board
from tests.boards import before_first, ordinary, stale


def fed(minutes: float | None, *, late: bool) -> Board:
    board = ordinary()
    age = None if minutes is None else timedelta(minutes=minutes)
    return replace(board, feed=replace(board.feed, age=age, late=late))


def issued(minutes: float, *, every_min: float = 10) -> Board:
    board = ordinary()
    cycle = replace(board.cycle, age=timedelta(minutes=minutes), every=timedelta(minutes=every_min))
    return replace(board, cycle=cycle)


@pytest.mark.parametrize(
    ("minutes", "late", "state"),
    [
        (None, False, "unknown"),
        (0.5, False, "live"),
        (45, False, "live"),  # a quiet night is not late
        (10, True, "late"),
        (15, True, "late"),
        (16, True, "stale"),
        (240, True, "stale"),
        (241, True, "off"),
    ],
)
def test_the_feed_ages(minutes: float | None, late: bool, state: str) -> None:
    assert feed_state(fed(minutes, late=late)) == state


@pytest.mark.parametrize(
    ("minutes", "every_min", "state"),
    [(4, 10, "fresh"), (20, 10, "fresh"), (21, 10, "old"), (61, 10, "hidden"), (61, 60, "fresh"), (121, 60, "hidden")],
)
def test_the_forecast_ages(minutes: float, every_min: float, state: str) -> None:
    board = issued(minutes, every_min=every_min)
    assert forecast_state(board) == state
    assert forecast_shown(board) == (state in ("fresh", "old"))


def test_before_the_first_forecast_there_is_none() -> None:
    assert forecast_state(before_first()) == "none"
    assert not forecast_shown(before_first())


def test_a_board_that_is_not_renewed_grows_old() -> None:
    later = aged(stale(), timedelta(hours=4))
    assert (later.feed.age, later.cycle.age) == (timedelta(hours=4, minutes=52), timedelta(hours=4, minutes=34))
    assert (feed_state(later), forecast_state(later)) == ("off", "hidden")
    assert later.now == stale().now
    assert aged(fed(None, late=False), timedelta(hours=1)).feed.age is None
