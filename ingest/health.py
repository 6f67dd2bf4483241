"""How a feed does: live, quiet, late, catching up, stale, inconsistent or off, and what of it is silent or skewed.

Pure functions of what was measured; nothing here reads a clock, a log or a link.

A silence is judged by how many events it should have held: at the rate that is usual at these hours, the chance of
none at all is exp(-expected). `limit` is how long it takes until that chance is 1 in 10,000, that is ln(10^4) events:
28 minutes at 20 an hour, 5.5 at 100. It is kept within 2 to 30 minutes. Where the link has a heartbeat it is
75 seconds, so that a wall that asks every five seconds shows within 90 that it has stopped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from math import log
from statistics import quantiles

from ingest.clock import local

UNLIKELY_EVENTS = log(10_000)
"""So many events expected and none seen happens once in 10,000 times."""
SHORTEST_LIMIT, LONGEST_LIMIT = timedelta(minutes=2), timedelta(minutes=30)
SLOW_PER_HOUR, SLOW_LIMIT = 5.0, timedelta(days=2)
"""Of a feed with fewer events an hour, over the day, half an hour of silence says nothing."""
HEARTBEAT_LIMIT = timedelta(seconds=75)
FRESH = timedelta(minutes=1)
LATE_LAG = timedelta(minutes=5)
BACKLOG_MESSAGES = 100
STALE_AFTER, LINK_DOWN, OFF_AFTER = timedelta(minutes=15), timedelta(minutes=2), timedelta(hours=4)
GOOD_SAMPLES = 2
"""So many better samples in a row bring a feed back."""
SKEW_SAMPLES = 20
SKEW_WARNING, SKEW_BANNER = timedelta(minutes=2), timedelta(minutes=10)
HOUR = timedelta(hours=1)
LONGEST_SEARCH = timedelta(days=14)

Rates = tuple[float, ...]
"""Events an hour that are usual, for each of the 24 hours of the local day."""


class FeedState(IntEnum):
    """From well to ill."""

    LIVE = 0
    QUIET = 1
    """Nothing comes, as is usual at this hour."""
    LATE = 2
    CATCHING_UP = 3
    INCONSISTENT = 4
    """Some of what it tells cannot be: `Health.broken` says what."""
    STALE = 5
    OFF = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What was measured of a source at an instant. Absent is None."""

    at: datetime
    last_event_at: datetime | None
    """When the last message came, by our clock."""
    last_heartbeat_at: datetime | None = None
    link_down_since: datetime | None = None
    backlog: int = 0
    """Messages that wait to be read or indexed."""
    drained_per_s: float | None = None
    """How fast the backlog shrinks."""
    is_replaying: bool = False
    lag_p95: timedelta | None = None
    """How long 95 in 100 of the last events took at most to come, from when they were recorded."""
    broken: tuple[str, ...] = ()
    """Codes of invariants that do not hold."""
    is_readable: bool = True
    """False where the database is not valid, or a setting was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A unit or a kind of event that is not heard of, while the source is."""

    part: str
    age: timedelta
    limit: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source does. `age` is how long nothing was heard of it, None where nothing ever was."""

    state: FeedState
    age: timedelta | None
    limit: timedelta
    eta: timedelta | None = None
    """Of a backlog: until it is worked off."""
    broken: tuple[str, ...] = ()
    silent: tuple[Silent, ...] = ()
    skew: Skew | None = None

    @property
    def worse_after(self) -> tuple[tuple[FeedState, timedelta], ...]:
        """What it is at the least once nothing was heard of it for longer than so long."""
        return ages_to_worsen(self.limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew:
    """How far the clock of a source is ahead of ours (behind: negative)."""

    ahead: timedelta
    is_steady: bool = True
    """Whether nearly all messages say the same. A clock that is behind does; messages that are old do not."""

    @property
    def is_warned_of(self) -> bool:
        """More than two minutes."""
        return abs(self.ahead) > SKEW_WARNING and self._is_a_clock

    @property
    def is_on_a_banner(self) -> bool:
        """More than ten minutes: times cannot be trusted."""
        return abs(self.ahead) > SKEW_BANNER and self._is_a_clock

    @property
    def _is_a_clock(self) -> bool:
        """Nothing is recorded before it happens; what comes long after may be late, and is told as that."""
        return self.ahead > timedelta(0) or self.is_steady


# --- what is usual --------------------------------------------------------------------------------------------------


def usual_rates(instants: Sequence[datetime], zone: str, *, since: datetime, until: datetime) -> Rates:
    """Events an hour by the hour of the local day, from those that came in [since, until).

    An hour that the period holds nowhere is 0. Both hours of the night on which clocks go back count as that hour.
    """
    return rates_of(Counter(instants), zone, since=since, until=until)


def rates_of(counts: Mapping[datetime, int], zone: str, *, since: datetime, until: datetime) -> Rates:
    """As `usual_rates`, from how many came at each of some instants, such as the beginnings of hours."""
    hours, total = [0] * 24, [0] * 24
    for step in range(int((until - since) / HOUR)):
        hours[local(since + step * HOUR, zone).hour] += 1
    for instant, count in counts.items():
        if since <= instant < until:
            total[local(instant, zone).hour] += count
    return tuple(count / held if held else 0.0 for count, held in zip(total, hours, strict=True))


def expected_events(since: datetime, until: datetime, rates: Rates, zone: str) -> float:
    """How many events are usual in [since, until)."""
    total, at = 0.0, since
    while at < until:
        end = min(_next_hour(at), until)
        total += rates[local(at, zone).hour] * ((end - at) / HOUR)
        at = end
    return total


def unlikely_after(since: datetime, rates: Rates, zone: str, times: float = 1.0) -> timedelta | None:
    """How long a silence from an instant on must last to be as unlikely as `times` x ln(10^4) missing events say;
    None where that takes more than a fortnight."""
    wanted, at = times * UNLIKELY_EVENTS, since
    while at - since < LONGEST_SEARCH:
        end, rate = _next_hour(at), rates[local(at, zone).hour]
        held = rate * ((end - at) / HOUR)
        if held >= wanted:
            return at - since + HOUR * (wanted / rate)
        wanted, at = wanted - held, end
    return None


def limit(since: datetime, rates: Rates, zone: str, *, has_heartbeat: bool = False) -> timedelta:
    """How long a source may be silent after an instant."""
    if has_heartbeat:
        return HEARTBEAT_LIMIT
    is_slow = 0.0 < sum(rates) / len(rates) < SLOW_PER_HOUR
    longest = SLOW_LIMIT if is_slow else LONGEST_LIMIT
    unlikely = unlikely_after(since, rates, zone)
    return longest if unlikely is None else min(max(unlikely, SHORTEST_LIMIT), longest)


def _next_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0) + HOUR


# --- how it does ----------------------------------------------------------------------------------------------------


def judged(signals: Signals, rates: Rates, zone: str) -> Health:
    """How a source does by these signals alone, without its past."""
    heard_at = max(filter(None, (signals.last_event_at, signals.last_heartbeat_at)), default=None)
    age = None if heard_at is None else max(signals.at - heard_at, timedelta(0))
    has_heartbeat = signals.last_heartbeat_at is not None
    allowed = limit(heard_at or signals.at, rates, zone, has_heartbeat=has_heartbeat)
    return Health(
        state=_state(signals, age, allowed, rates, zone),
        age=age,
        limit=allowed,
        eta=_eta(signals),
        broken=signals.broken,
    )


def stale_after(allowed: timedelta) -> timedelta:
    """The age from which what is known is only the last known."""
    return max(3 * allowed, STALE_AFTER)


def off_after(allowed: timedelta) -> timedelta:
    """The age from which nothing that is known can be relied on."""
    return max(4 * allowed, OFF_AFTER)


def ages_to_worsen(allowed: timedelta) -> tuple[tuple[FeedState, timedelta], ...]:
    """The ages that `judged` goes by, so that what is not judged anew still grows old by the same rule."""
    return (
        (FeedState.QUIET, FRESH),
        (FeedState.LATE, allowed),
        (FeedState.STALE, stale_after(allowed)),
        (FeedState.OFF, off_after(allowed)),
    )


def _state(signals: Signals, age: timedelta | None, allowed: timedelta, rates: Rates, zone: str) -> FeedState:
    """The worst that holds."""
    if not signals.is_readable or age is None or age > off_after(allowed) or _is_dead(signals, rates, zone):
        return FeedState.OFF
    down = timedelta(0) if signals.link_down_since is None else signals.at - signals.link_down_since
    if age > stale_after(allowed) or down > LINK_DOWN:
        return FeedState.STALE
    if signals.broken:
        return FeedState.INCONSISTENT
    if signals.backlog > BACKLOG_MESSAGES or signals.is_replaying:
        return FeedState.CATCHING_UP
    if age > allowed or (signals.lag_p95 is not None and signals.lag_p95 > LATE_LAG):
        return FeedState.LATE
    event_age = age if signals.last_event_at is None else signals.at - signals.last_event_at
    return FeedState.LIVE if event_age <= FRESH else FeedState.QUIET


def _is_dead(signals: Signals, rates: Rates, zone: str) -> bool:
    """A heartbeat without an event for four hours, in which many were to be expected."""
    last = signals.last_event_at
    if last is None or signals.at - last <= OFF_AFTER:
        return False
    return expected_events(last, signals.at, rates, zone) > 3 * UNLIKELY_EVENTS


def _eta(signals: Signals) -> timedelta | None:
    if not signals.backlog or not signals.drained_per_s or signals.drained_per_s <= 0:
        return None
    return timedelta(seconds=signals.backlog / signals.drained_per_s)


# --- with its past --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The state that is shown, and how many better samples in a row have come since it was entered."""

    state: FeedState
    better_samples: int = 0


def settled(before: Settled | None, now: FeedState) -> Settled:
    """What is shown after one more sample: what is worse at once, what is better after two in a row.

    LIVE and QUIET are both well, and change at once.
    """
    if before is None or now >= before.state or before.state <= FeedState.QUIET:
        return Settled(state=now)
    if before.better_samples + 1 >= GOOD_SAMPLES:
        return Settled(state=now)
    return Settled(state=before.state, better_samples=before.better_samples + 1)


# --- what is missing of it ------------------------------------------------------------------------------------------


def silent_parts(
    last_at: Mapping[str, datetime], rates: Mapping[str, Rates], zone: str, at: datetime
) -> tuple[Silent, ...]:
    """Units or kinds that have been silent three times as long as is unlikely, most striking first.

    A part of which little is usual is given the time that takes: the 30 minutes of a whole feed would cry wolf. Ask
    only while the feed is heard: of a silent one all parts are silent.
    """
    found = []
    for part, heard_at in last_at.items():
        allowed = unlikely_after(heard_at, rates.get(part, (0.0,) * 24), zone, times=3.0)
        age = at - heard_at
        if allowed is not None and age > max(allowed, 3 * SHORTEST_LIMIT):
            found.append(Silent(part=part, age=age, limit=allowed))
    return tuple(sorted(found, key=lambda silent: silent.age / silent.limit, reverse=True))


def skew(recorded_and_stored: Sequence[tuple[datetime, datetime]]) -> Skew | None:
    """How far the source's clock is ahead, from the last messages: when each was recorded there and stored here.

    Some messages are sent at once, so the smallest delays are the clocks' difference; the one message in ten with the
    smallest delay is taken, so that a single odd one does not count. Where the delays of 8 in 10 lie more than ten
    minutes apart it is not steady. None before 20 messages.
    """
    delays_s = [(stored - recorded).total_seconds() for recorded, stored in recorded_and_stored[-10 * SKEW_SAMPLES :]]
    if len(delays_s) < SKEW_SAMPLES:
        return None
    tenths = quantiles(delays_s, n=10, method="inclusive")
    is_steady = tenths[-1] - tenths[0] <= SKEW_BANNER.total_seconds()
    return Skew(ahead=timedelta(seconds=-tenths[0]), is_steady=is_steady)
