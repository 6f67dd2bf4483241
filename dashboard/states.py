"""In which state the wall stands: how far the data and the forecast that it shows can be believed.

The limits of the feed itself (how much silence is unusual at this hour) are judged where events arrive and come
with the board as `feed.late`; here only what the wall does about it is decided.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from forecast.board import Board

FeedState = Literal["unknown", "live", "late", "stale", "off"]
ForecastState = Literal["none", "fresh", "old", "hidden"]

STALE_AFTER = timedelta(minutes=15)
"""A late feed's numbers are greyed and hatched past this age, and past three times the silence that is usual."""
OFF_AFTER = timedelta(hours=4)
"""A late feed's numbers are taken away past this age, and past three times the silence that is usual."""
HIDDEN_AFTER = timedelta(minutes=60)
"""A forecast is taken away past this age, or past two cycles where those last longer."""


def feed_state(board: Board) -> FeedState:
    """How far the counts of now can be believed."""
    age = board.feed.age
    if age is None:
        return "unknown"
    if not board.feed.late:
        return "live"
    long = 3 * board.feed.limit
    if age > max(OFF_AFTER, long):
        return "off"
    return "stale" if age > max(STALE_AFTER, long) else "late"


def forecast_state(board: Board) -> ForecastState:
    """How far the forecast can be believed: old past two cycles, hidden past an hour as well."""
    age = board.cycle.age
    if board.cycle.issued_at is None or age is None:
        return "none"
    if age <= 2 * board.cycle.every:
        return "fresh"
    return "hidden" if age > HIDDEN_AFTER else "old"


def forecast_shown(board: Board) -> bool:
    """Whether the wall may show what is ahead."""
    return forecast_state(board) in ("fresh", "old")


def aged(board: Board, by: timedelta) -> Board:
    """The board as it reads some time after it was made: a board that is no longer renewed grows old on the wall."""
    feed, cycle = board.feed, board.cycle
    silent = None if feed.age is None else feed.age + by
    return replace(
        board,
        feed=replace(feed, age=silent, late=silent is None or feed.late or silent > feed.limit),
        cycle=replace(cycle, age=None if cycle.age is None else cycle.age + by),
    )
