"""Feed health: each state where the table says so, silence judged by what is usual, skew and silent parts found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp

import numpy as np
import pytest

from ingest.health import (
    FeedState,
    Health,
    Rates,
    Settled,
    Signals,
    expected_events,
    judged,
    limit,
    settled,
    silent_parts,
    skew,
    unlikely_after,
    usual_rates,
)

ZONE = "Europe/Paris"
AT = datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
MIN = timedelta(minutes=1)
BUSY: Rates = (20.0,) * 24
L_BUSY = 27.63 * MIN
"""ln(10^4) / 20 an hour."""


def signals(age_min: float | None = 0.5, **said: object) -> Signals:
    last = None if age_min is None else AT - age_min * MIN
    return Signals(at=AT, last_event_at=last, **said)  # type: ignore[arg-type]


Judge = Callable[[Signals, Rates, str], Health]

TABLE: list[tuple[str, Signals, FeedState]] = [
    ("an event just now", signals(0.5), FeedState.LIVE),
    ("a silence that is usual", signals(18), FeedState.QUIET),
    ("a silence that is not", signals(29), FeedState.LATE),
    ("events that come late", signals(0.5, lag_p95=6 * MIN), FeedState.LATE),
    ("events that come soon", signals(0.5, lag_p95=4 * MIN), FeedState.LIVE),
    ("a backlog", signals(0.5, backlog=101), FeedState.CATCHING_UP),
    ("hardly a backlog", signals(0.5, backlog=100), FeedState.LIVE),
    ("a replay", signals(0.5, is_replaying=True), FeedState.CATCHING_UP),
    ("a long silence", signals(84), FeedState.STALE),
    ("not so long a silence", signals(81), FeedState.LATE),
    ("the link down", signals(0.5, link_down_since=AT - 3 * MIN), FeedState.STALE),
    ("the link down for a moment", signals(0.5, link_down_since=AT - 1 * MIN), FeedState.LIVE),
    ("a broken invariant", signals(0.5, broken=("negative_census",)), FeedState.INCONSISTENT),
    ("a broken invariant, long ago", signals(84, broken=("negative_census",)), FeedState.STALE),
    ("four hours of silence", signals(241), FeedState.OFF),
    ("nothing ever", signals(None), FeedState.OFF),
    ("a database that is not valid", signals(0.5, is_readable=False), FeedState.OFF),
    ("a heartbeat and a usual silence", signals(18, last_heartbeat_at=AT - MIN), FeedState.QUIET),
    ("a heartbeat and an unusual silence", signals(60, last_heartbeat_at=AT - MIN), FeedState.QUIET),
    ("a heartbeat that is late", signals(18, last_heartbeat_at=AT - 4 * MIN), FeedState.LATE),
    ("a heartbeat that has stopped", signals(18, last_heartbeat_at=AT - 16 * MIN), FeedState.STALE),
    ("a heartbeat and nothing else for hours", signals(300, last_heartbeat_at=AT), FeedState.OFF),
    ("a heartbeat and never an event", signals(None, last_heartbeat_at=AT), FeedState.LIVE),
]


def wrong(judge: Judge) -> list[str]:
    """The lines of the table that a judge gets wrong."""
    return [what for what, measured, state in TABLE if judge(measured, BUSY, ZONE).state is not state]


def test_the_table_of_states() -> None:
    assert wrong(judged) == []


def _fixed_limit(measured: Signals, rates: Rates, zone: str) -> Health:
    return judged(measured, (200.0,) * 24, zone)


def _link_forgotten(measured: Signals, rates: Rates, zone: str) -> Health:
    return judged(replace(measured, link_down_since=None), rates, zone)


def _heartbeat_forgotten(measured: Signals, rates: Rates, zone: str) -> Health:
    return judged(replace(measured, last_heartbeat_at=None), rates, zone)


def _backlog_forgotten(measured: Signals, rates: Rates, zone: str) -> Health:
    return judged(replace(measured, backlog=0, is_replaying=False), rates, zone)


@pytest.mark.parametrize("mutant", [_fixed_limit, _link_forgotten, _heartbeat_forgotten, _backlog_forgotten])
def test_the_table_sees_a_wrong_judge(mutant: Judge) -> None:
    assert wrong(mutant) != []


def test_a_health_says_age_limit_and_time_to_catch_up() -> None:
    health = judged(signals(18, backlog=600, drained_per_s=10.0), BUSY, ZONE)
    assert (health.age, health.eta) == (18 * MIN, MIN)
    assert health.limit / MIN == pytest.approx(27.63, abs=0.01)
    assert judged(signals(18, backlog=600), BUSY, ZONE).eta is None


# -------------------------------------------------------------------------------------------------------- what is usual


@pytest.mark.parametrize(
    ("rate", "minutes"), [(5, 30), (20, 27.6), (60, 9.2), (100, 5.5), (300, 2), (0, 30), (0.5, 1105.2), (0.01, 2880)]
)
def test_the_limit_goes_with_the_rate(rate: float, minutes: float) -> None:
    assert limit(AT, (float(rate),) * 24, ZONE) / MIN == pytest.approx(minutes, abs=0.05)
    assert limit(AT, (float(rate),) * 24, ZONE, has_heartbeat=True) == 1.25 * MIN


def test_a_slow_feed_is_not_given_up_after_four_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two events a day; judged by the bounds of a busy feed, the mutant, it is off by the afternoon."""
    slow = (2 / 24,) * 24
    assert judged(signals(5 * 60), slow, ZONE).state is FeedState.QUIET
    assert judged(signals(3 * 24 * 60), slow, ZONE).state is FeedState.LATE
    assert judged(signals(9 * 24 * 60), slow, ZONE).state is FeedState.OFF
    monkeypatch.setattr("ingest.health.SLOW_PER_HOUR", 0.0)
    assert judged(signals(5 * 60), slow, ZONE).state is FeedState.OFF


def test_a_silence_that_began_at_night_is_judged_by_the_night() -> None:
    """From 6 to 7 little comes, from 7 on much: at 7:10 the silence since 6:05 is not strange yet."""
    rates = tuple(1.0 if hour < 7 else 120.0 for hour in range(24))
    since = datetime(2026, 3, 2, 5, 5, tzinfo=UTC)  # 6:05 in Paris
    assert expected_events(since, since + 60 * MIN, rates, ZONE) == pytest.approx(55 / 60 + 5 * 2)
    unlikely = unlikely_after(since, rates, ZONE)
    assert unlikely is not None
    assert unlikely / MIN == pytest.approx(55 + (9.2103 - 55 / 60) / 2, abs=0.01)
    assert unlikely_after(since, (0.0,) * 24, ZONE) is None


def test_silence_of_a_feed_at_its_usual_rate_is_rarely_called_strange() -> None:
    """Against chance: of gaps of a Poisson feed, as many go beyond the limit as 1 in 10,000 means."""
    gaps_h = np.random.default_rng(5).exponential(1 / 60, 200_000)
    beyond = float((gaps_h * 60 > limit(AT, (60.0,) * 24, ZONE) / MIN).mean())
    assert beyond == pytest.approx(exp(-9.2103), abs=1e-4)


def test_usual_rates_are_of_the_local_hour() -> None:
    since = datetime(2026, 3, 2, tzinfo=UTC)
    nights = [since + timedelta(days=day, minutes=10 * n) for day in range(4) for n in range(3)]
    rates = usual_rates(nights, ZONE, since=since, until=since + timedelta(days=4))
    assert rates[1] == 3.0
    assert sum(rates) == 3.0


def test_usual_rates_know_the_nights_of_the_clock_changes() -> None:
    since = datetime(2026, 10, 24, 22, tzinfo=UTC)  # midnight in Paris; the hour from 2 on comes twice
    every = [since + n * 10 * MIN for n in range(25 * 6)]
    assert usual_rates(every, ZONE, since=since, until=since + timedelta(hours=25)) == (6.0,) * 24


# ------------------------------------------------------------------------------------------------------ with its past


def shown(*states: FeedState) -> list[str]:
    now: Settled | None = None
    out = []
    for state in states:
        now = settled(now, state)
        out.append(now.state.name)
    return out


def test_what_is_worse_is_shown_at_once_and_what_is_better_after_two_samples() -> None:
    live, late, stale = FeedState.LIVE, FeedState.LATE, FeedState.STALE
    assert shown(live, stale, live, live) == ["LIVE", "STALE", "STALE", "LIVE"]
    assert shown(stale, live, stale, live, live) == ["STALE", "STALE", "STALE", "STALE", "LIVE"]
    assert shown(stale, late, live, live) == ["STALE", "STALE", "LIVE", "LIVE"]


def test_live_and_quiet_change_at_once() -> None:
    assert shown(FeedState.QUIET, FeedState.LIVE, FeedState.QUIET) == ["QUIET", "LIVE", "QUIET"]


# --------------------------------------------------------------------------------------------------- silent parts, skew


def test_a_unit_that_has_fallen_silent_is_found_and_one_of_which_little_is_usual_is_not() -> None:
    rates = {"er": (20.0,) * 24, "surgery": (4.0,) * 24, "burns": (0.1,) * 24, "new": (0.0,) * 24}
    last_at = {"er": AT - MIN, "surgery": AT - 10 * 60 * MIN, "burns": AT - 10 * 60 * MIN, "new": AT - 600 * MIN}
    (found,) = silent_parts(last_at, rates, ZONE, AT)
    assert (found.part, found.age) == ("surgery", 600 * MIN)
    assert found.limit / MIN == pytest.approx(3 * 9.2103 / 4 * 60, abs=0.1)


def test_a_frozen_kind_is_found_before_a_slower_one() -> None:
    rates = {"Triaged": (20.0,) * 24, "Departed": (10.0,) * 24}
    last_at = {"Triaged": AT - 300 * MIN, "Departed": AT - 300 * MIN}
    assert [s.part for s in silent_parts(last_at, rates, ZONE, AT)] == ["Triaged", "Departed"]


@pytest.mark.parametrize("ahead_min", [-180.0, -11.0, -3.0, 0.0, 3.0, 11.0, 180.0])
def test_a_skewed_clock_is_found_within_twenty_messages(ahead_min: float) -> None:
    rng = np.random.default_rng(3)
    delays_s = rng.exponential(20.0, 20)
    pairs = [
        (AT + n * MIN + ahead_min * MIN, AT + n * MIN + timedelta(seconds=float(d))) for n, d in enumerate(delays_s)
    ]
    assert skew(pairs[:19]) is None
    found = skew(pairs)
    assert found is not None
    assert found.ahead / MIN == pytest.approx(ahead_min, abs=0.3)
    assert (found.is_warned_of, found.is_on_a_banner) == (abs(ahead_min) > 2, abs(ahead_min) > 10)


def test_messages_that_are_old_are_late_and_their_clock_is_not_wrong() -> None:
    """As of a feed that works off a night of silence: its delay is hours, and another one with every message."""
    pairs = [(AT - 300 * MIN + n * MIN, AT + n * MIN / 60) for n in range(60)]
    found = skew(pairs)
    assert found is not None
    assert found.ahead < -240 * MIN
    assert (found.is_steady, found.is_warned_of, found.is_on_a_banner) == (False, False, False)
    steady = replace(found, is_steady=True)  # the mutant: any delay is taken for a clock
    assert steady.is_on_a_banner
    early = skew([(at + 900 * MIN, stored) for at, stored in pairs])
    assert early is not None
    assert early.is_on_a_banner, "what is recorded before it comes is no delay"


def test_one_odd_message_is_no_skew() -> None:
    pairs = [(AT + n * MIN, AT + n * MIN + timedelta(seconds=2)) for n in range(40)]
    pairs[7] = (AT + 600 * MIN, AT)
    found = skew(pairs)
    assert found is not None
    assert not found.is_warned_of
