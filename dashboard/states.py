"""What the wall does about the state of the feed and the age of the forecast.

How a feed does is judged in one place, `ingest/health.py`, and comes with the view; what is not renewed grows old
here by the ages that came with it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from forecast.board import Board, Cycle, Fan, Feed, FeedState

ForecastState = Literal["none", "fresh", "old", "withheld", "hidden"]

ORDER: tuple[FeedState, ...] = ("live", "quiet", "late", "catching_up", "inconsistent", "stale", "off")
"""From well to ill."""
HIDDEN_AFTER = timedelta(minutes=60)
"""A forecast is taken away past this age, or past two cycles where those last longer."""


def numbers_shown(board: Board) -> bool:
    """Whether the counts of now may be shown at all."""
    return board.feed.state != "off"


def forecast_state(board: Board) -> ForecastState:
    """How far the forecast can be believed: old past two cycles, hidden past an hour as well.

    Where the feed is stale no new one counts: those that start from what was last known are withheld, the one from
    before is kept until it is 60 minutes old or its horizon has passed. Where the feed is off there is none.
    """
    age = board.cycle.age
    if board.cycle.issued_at is None or age is None:
        return "none"
    if board.feed.state == "off":
        return "withheld"
    if board.feed.state == "stale" and _is_from_stale_data(board):
        return "withheld"
    if board.feed.state == "stale" and (age > HIDDEN_AFTER or _is_over(board)):
        return "hidden"
    if age <= 2 * board.cycle.every:
        return "fresh"
    return "hidden" if age > HIDDEN_AFTER else "old"


def forecast_shown(board: Board) -> bool:
    """Whether the wall may show what is ahead."""
    return forecast_state(board) in ("fresh", "old")


def is_begun_before(cycle: Cycle) -> bool:
    """Whether the forecast was run from before its issue, because what came after was not yet complete."""
    return cycle.begins_at is not None and cycle.issued_at is not None and cycle.begins_at < cycle.issued_at


def aged(board: Board, by: timedelta) -> Board:
    """The board as it reads some time after it was made: a board that is no longer renewed grows old on the wall."""
    cycle = board.cycle
    older = replace(cycle, age=None if cycle.age is None else cycle.age + by)
    return replace(board, feed=aged_feed(board.feed, by), cycle=older)


def aged_feed(feed: Feed, by: timedelta) -> Feed:
    """The feed as it reads when it has not been looked at for so long: never better than it was."""
    if feed.age is None or not by:
        return feed
    age = feed.age + by
    reached = [state for state, after in feed.worse_after if age > after]
    return replace(feed, age=age, state=max([feed.state, *reached], key=ORDER.index))


def _is_from_stale_data(board: Board) -> bool:
    """Whether the forecast was issued when what it starts from was already the last known."""
    after = dict(board.feed.worse_after).get("stale")
    heard, issued = board.feed.heard_at, board.cycle.issued_at
    return after is not None and heard is not None and issued is not None and issued - heard > after


def _is_over(board: Board) -> bool:
    return all(_ends_before(fan, board) for fan in board.fans.values()) and bool(board.fans)


def _ends_before(fan: Fan, board: Board) -> bool:
    return bool(fan.valid_at) and fan.valid_at[-1] < board.made_at
