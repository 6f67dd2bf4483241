"""The state of the wall: how far the data and the forecast can be believed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest

from dashboard.states import ORDER, aged, aged_feed, forecast_shown, forecast_state
from forecast.board import Board, FeedState
from ingest import health
from ingest.health import HOUR, UNLIKELY_EVENTS
from tests.boards import EXAMPLES, MADE_AT, before_first, fed, ordinary, stale

MINUTE = timedelta(minutes=1)


def issued(minutes: float, *, every_min: float = 10) -> Board:
    board = ordinary()
    cycle = replace(board.cycle, age=timedelta(minutes=minutes), every=timedelta(minutes=every_min))
    return replace(board, cycle=cycle)


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
    assert (later.feed.age, later.cycle.age) == (timedelta(hours=4, minutes=52), timedelta(hours=4, minutes=40))
    assert (later.feed.state, forecast_state(later)) == ("off", "withheld")
    assert later.now == stale().now


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("minutes", [0, 4, 6, 14, 16, 239, 241, 600])
def test_what_is_not_renewed_is_judged_as_it_would_be_anew(example: str, minutes: int) -> None:
    """One rule: the ages at which a board worsens are those by which a feed is judged."""
    old = aged(EXAMPLES[example](), minutes * MINUTE).feed
    before = EXAMPLES[example]().feed.state
    assert old.age is not None
    rates = (UNLIKELY_EVENTS / (old.limit / HOUR),) * 24  # at which this is the longest silence
    judged = health.judged(health.Signals(at=MADE_AT, last_event_at=MADE_AT - old.age), rates, "Europe/Paris")
    assert ORDER.index(old.state) == max(ORDER.index(before), ORDER.index(cast(FeedState, judged.state.name.lower())))


@pytest.mark.parametrize("minutes", [16, 60, 239, 241, 10_000])
def test_no_silence_that_is_stale_is_shown_as_live(minutes: int) -> None:
    assert aged(ordinary(), minutes * MINUTE).feed.state in ("stale", "off")
    # the mutant: a board that does not age
    assert replace(ordinary(), cycle=aged(ordinary(), minutes * MINUTE).cycle).feed.state == "live"


def test_a_feed_never_heard_of_does_not_age() -> None:
    assert aged_feed(fed("off", None), timedelta(hours=1)) == fed("off", None)


# --- what is ahead while the feed is stale


def at_stale(feed_min: float, issued_min: float) -> Board:
    """A stale board: minutes since the feed was heard and since the forecast was issued."""
    board, age = ordinary(), issued_min * MINUTE
    cycle = replace(board.cycle, issued_at=MADE_AT - age, age=age)
    return replace(board, feed=fed("stale", feed_min * MINUTE), cycle=cycle)


@pytest.mark.parametrize(
    ("feed_min", "issued_min", "state"),
    [
        (52, 5, "withheld"),  # made from what was already the last known
        (52, 40, "old"),  # made before it was
        (80, 59, "withheld"),
        (75, 61, "hidden"),
        (300, 290, "hidden"),
    ],
)
def test_a_stale_feed_keeps_the_forecast_from_before_for_an_hour(feed_min: int, issued_min: int, state: str) -> None:
    board = at_stale(feed_min, issued_min)
    assert forecast_state(board) == state
    assert forecast_shown(board) == (state == "old")


def test_a_stale_feed_hides_a_forecast_whose_horizon_has_passed() -> None:
    board = at_stale(30, 20)
    ended = {name: replace(fan, valid_at=(MADE_AT - MINUTE,)) for name, fan in board.fans.items()}
    assert forecast_state(board) == "fresh"
    assert forecast_state(replace(board, fans=ended)) == "hidden"


def test_a_feed_that_is_off_has_no_forecast() -> None:
    assert forecast_state(replace(ordinary(), feed=fed("off", timedelta(hours=5)))) == "withheld"
