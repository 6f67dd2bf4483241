"""How the sources do: what the log tells of them and what they know of themselves, judged by `ingest/health.py`.

feeds = Feeds(log.traffic(), hospital, links)
feeds.learn(now)        # what is usual, from the last four weeks; once a day, beside the wall
feeds.look(now)         # the state of every source; reads only what has come since the last look
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import quantiles
from typing import TypeVar, cast

from forecast.board import Feed, FeedState
from forecast.pages import Hour, SilentPart, SourceView, Tally
from ingest import health
from ingest.bookkeeping import Account
from ingest.clock import local
from ingest.events import BOARD
from ingest.health import HOUR, Health, Rates, Settled, Signals
from ingest.instants import NEVER
from ingest.links import LinkNow
from ingest.traffic import Came, Delay, InAnHour, Told, Traffic, added
from twin.hospital import Hospital

HISTORY = timedelta(days=28)
ENOUGH = timedelta(days=3)
"""A source's own history from which on it says what is usual of it."""
LEARN_EVERY, LEARN_SOON = timedelta(days=1), timedelta(hours=1)
LAG_OVER, LAG_OF = timedelta(minutes=30), 50
"""The lag is that of the last so many events, of so long at most: what was worked off is past."""
SILENT_EVERY = timedelta(seconds=30)
OLD_NEWS = timedelta(hours=12)
"""Clocks are not apart by more: what comes so late is old, and that is its lag."""
NO_RATES: Rates = (0.0,) * 24
NOTHING = Account(read=0, stored=0, duplicate=0, ignored=0, rejected=0)
EXTRACTS = LinkNow(name="extracts", kind="extracts")
"""Stands for all files that were read, in a house in which nothing runs."""
_PROMPT_KINDS = ("mllp", "kafka", "fhir")
"""Of these every message is news; what the others bring may be of long ago, and is as old as it was known."""


_Sourced = TypeVar("_Sourced", InAnHour, Delay)


@dataclass
class _Known:
    """What has been read of one source of the log so far."""

    came_at: datetime | None = None
    known_at: datetime | None = None
    account: Account = NOTHING
    parts: dict[str, datetime] = field(default_factory=dict)
    """`kind:NAME` and `unit:NAME` to when each was last told of."""


@dataclass(frozen=True)
class _Usual:
    """What is usual of one source of the log."""

    rates: Rates
    parts: Mapping[str, Rates]
    history: timedelta


@dataclass
class _Past:
    """What is remembered of one running source from look to look."""

    settled: Settled | None = None
    was_heard: bool = False
    """What was never heard of is well as soon as it is."""
    backlog: tuple[datetime, int] | None = None
    silent_at: datetime | None = None
    silent: tuple[health.Silent, ...] = ()


@dataclass(frozen=True)
class Look:
    """What one look has seen of a running source."""

    link: LinkNow
    health: Health
    state: FeedState
    heard_at: datetime | None
    lag: timedelta | None
    rates: Rates
    has_rates: bool
    account: Account


class Feeds:
    """The sources of one house; for all threads."""

    def __init__(self, traffic: Traffic, hospital: Hospital, links: Callable[[], Sequence[LinkNow]]) -> None:
        self._traffic, self._zone, self._links = traffic, hospital.zone, links
        self._names = {unit.name: (unit.fr, unit.en) for unit in hospital.units}
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = defaultdict(_Known)
        self._past: dict[str, _Past] = defaultdict(_Past)
        self._usual: dict[str, _Usual] = {}
        self._seen: tuple[datetime, int] = (NEVER, 0)
        self._learned_at: datetime | None = None
        self._rejected: tuple[int, dict[str, int]] = (-1, {})

    # --- what is usual --------------------------------------------------------------------------------------------

    def learn(self, now: datetime) -> None:
        """What is usual by the hour of the day, from what came in the last four weeks: of each source and its parts.

        Nothing is done while what was learned is not a day old (an hour, while there is little to learn from).
        """
        longest = max((usual.history for usual in self._usual.values()), default=timedelta(0))
        due = LEARN_EVERY if longest >= ENOUGH else LEARN_SOON
        if self._learned_at is not None and now - self._learned_at < due:
            return
        since = now - HISTORY
        whole, parts = self._traffic.by_hour(since, now), self._traffic.parts_by_hour(since, now)
        self._usual = {
            source: self._usual_of(of_source, [h for h in parts if h.source == source], now)
            for source, of_source in _by_source(whole).items()
        }
        self._learned_at = now

    def _usual_of(self, hours: Sequence[InAnHour], parts: Sequence[InAnHour], now: datetime) -> _Usual:
        first = min(h.hour for h in hours)
        counts: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
        for hour in parts:
            for part in _parts(hour.kind or "", hour.unit):
                counts[part][hour.hour] += hour.count
        return _Usual(
            rates=health.rates_of({h.hour: h.count for h in hours}, self._zone, since=first, until=now),
            parts={p: health.rates_of(c, self._zone, since=first, until=now) for p, c in counts.items()},
            history=now - first,
        )

    # --- a look ---------------------------------------------------------------------------------------------------

    def look(self, now: datetime) -> list[Look]:
        """How every running source does; with none that runs, the files that were read, as one.

        1. Read what came since the last look.
        2. Put each source's signals together, and judge them.
        3. Settle: what is better must be so twice.
        """
        with self._lock:
            self._read_on()  # 1
            links = list(self._links()) or [EXTRACTS]
            delays = _by_source(self._traffic.lately(now - LAG_OVER, self._seen[1]))
            return [self._looked(link, links, delays, now) for link in links]

    def _read_on(self) -> None:
        stored_at, length = self._traffic.stands()
        seen_at, seen = self._seen
        if stored_at is None or (stored_at, length) == self._seen:
            return
        for came in self._traffic.came(seen_at, stored_at):
            _take_came(self._known[came.source], came)
        for told in self._traffic.told(seen, length):
            _take_told(self._known[told.source], told)
        self._seen = stored_at, length

    def _looked(
        self, link: LinkNow, links: Sequence[LinkNow], delays: Mapping[str, list[Delay]], now: datetime
    ) -> Look:
        sources = [name for name in self._known if _tells(link, name, links)]
        known, past = [self._known[name] for name in sources], self._past[link.name]
        rates, has_rates = self._rates(link, links, _missed(link, sources))
        mine = [delay for name in sources for delay in delays.get(name, [])]
        skew = _skew(mine)
        signals = Signals(  # 2
            at=now,
            last_event_at=_last_event_at(link, known, now),
            last_heartbeat_at=link.heartbeat_at,
            link_down_since=link.down_since,
            backlog=link.backlog,
            drained_per_s=_drained(past, link.backlog, now),
            lag_p95=_lag_p95(mine[-LAG_OF:]),
            broken=("clock",) if skew is not None and skew.is_on_a_banner else (),
            is_readable=True,
        )
        judged = health.judged(signals, rates, self._zone)
        before = past.settled if past.was_heard else None
        past.settled, past.was_heard = health.settled(before, judged.state), judged.age is not None  # 3
        judged = replace(judged, skew=skew, silent=self._silent(past, known, _missed(link, sources), judged, now))
        heard = max(filter(None, (signals.last_event_at, signals.last_heartbeat_at)), default=None)
        account = _sum(one.account for one in known)
        return Look(link, judged, word(past.settled.state), heard, signals.lag_p95, rates, has_rates, account)

    def _rates(self, link: LinkNow, links: Sequence[LinkNow], sources: Sequence[str]) -> tuple[Rates, bool]:
        """What is usual of a source: by its own past, else, where it runs alone and is whole, by that of what came
        before it.

        Where neither says, nothing is usual, and the longest silence is allowed.
        """
        own = [self._usual[name] for name in sources if name in self._usual]
        if any(usual.history >= ENOUGH for usual in own):
            return tuple(sum(hour) for hour in zip(*(usual.rates for usual in own), strict=True)), True
        before = [usual for usual in self._usual.values() if usual.history >= ENOUGH]
        if len(links) == 1 and before and link.is_whole:
            return max((usual.rates for usual in before), key=sum), True
        return NO_RATES, False

    def _silent(
        self, past: _Past, known: Sequence[_Known], sources: Sequence[str], judged: Health, now: datetime
    ) -> tuple[health.Silent, ...]:
        """Units and kinds that are silent while the source is heard; looked at twice a minute."""
        if judged.age is None or judged.age > judged.limit:
            return ()
        if past.silent_at is None or now - past.silent_at >= SILENT_EVERY:
            last_at: dict[str, datetime] = {}
            for one in known:
                for part, at in one.parts.items():
                    last_at[part] = max(at, last_at.get(part, at))
            rates = _summed(self._usual[name].parts for name in sources if name in self._usual)
            striking = {part: at for part, at in last_at.items() if sum(rates.get(part, NO_RATES)) >= 2.0}
            past.silent, past.silent_at = health.silent_parts(striking, rates, self._zone, now), now
        return past.silent

    # --- views ----------------------------------------------------------------------------------------------------

    def feed(self, now: datetime) -> Feed:
        """What the wall shows: the worst of the sources that were ever heard.

        One source that is dead among others that live makes what is known the last known; only when all are dead are
        the numbers of no use.
        """
        looks = self.look(now)
        return replace(overall(looks), rejected=self.rejected())

    def rejected(self) -> dict[str, int]:
        """What is in the quarantine, by reason; asked for again only when something came."""
        batches = hash(self._seen)
        if self._rejected[0] != batches:
            counts: dict[str, int] = defaultdict(int)
            for waiting in self._traffic.waiting():
                counts[waiting.reason] += waiting.count
            self._rejected = batches, dict(counts)
        return self._rejected[1]

    def sources(self, now: datetime) -> tuple[Feed, tuple[SourceView, ...], tuple[tuple[str, Tally], ...]]:
        """The page of the feeds: the wall's state, every running source, and what the others have brought."""
        looks = self.look(now)
        begin = now.replace(minute=0, second=0, microsecond=0) - 23 * HOUR
        hours = self._traffic.by_hour(begin - timedelta(microseconds=1), now)
        last_hour = self._traffic.by_hour(now - HOUR, now)
        links = [look.link for look in looks]
        views = tuple(
            self._view(look, _told_by(look.link, links, hours), _told_by(look.link, links, last_hour), begin, now)
            for look in looks
        )
        others = tuple(
            (name, tally(known.account))
            for name, known in sorted(self._known.items())
            if known.account.read and not any(_tells(link, name, links) for link in links)
        )
        return replace(overall(looks), rejected=self.rejected()), views, others

    def _view(
        self, look: Look, hours: Sequence[InAnHour], last: Sequence[InAnHour], begin: datetime, now: datetime
    ) -> SourceView:
        link, judged = look.link, look.health
        counts: dict[datetime, int] = defaultdict(int)
        for hour in hours:
            counts[hour.hour] += hour.count
        usual = (lambda at: look.rates[local(at, self._zone).hour]) if look.has_rates else (lambda _: None)
        return SourceView(
            name=link.name, kind=link.kind, state=look.state, heard_at=look.heard_at, age=judged.age,
            limit=judged.limit, worse_after=worse_after(judged),
            rate_now=sum(hour.count for hour in last), usual_now=usual(now),
            hours=tuple(Hour(at, counts[at], usual(at)) for at in (begin + step * HOUR for step in range(24))),
            lag=look.lag, skew=judged.skew.ahead if judged.skew else None,
            is_skew_warned=judged.skew is not None and judged.skew.is_warned_of,
            silent=tuple(self._part(silent) for silent in judged.silent), tally=tally(look.account),
            backlog=link.backlog, eta=judged.eta, connections=link.connections, broken=judged.broken, fault=link.fault,
            is_lagging=_is_lagging(look),
        )  # fmt: skip

    def _part(self, silent: health.Silent) -> SilentPart:
        what, _, name = silent.part.partition(":")
        fr, en = self._names.get(name, (name, name))
        return SilentPart("unit" if what == "unit" else "kind", name, fr, en, silent.age)


def overall(looks: Sequence[Look]) -> Feed:
    """The state of the house's sources together, as `Feeds.feed` says."""
    heard = [look for look in looks if look.heard_at is not None] or list(looks)
    worst = max(heard, key=lambda look: (STATES.index(look.state), look.health.age or timedelta(0)))
    is_all = all(look.state == "off" for look in heard)
    silent = sum(part.part.startswith("unit:") for look in heard for part in look.health.silent)
    judged, skew = worst.health, worst.health.skew
    return Feed(
        state="stale" if worst.state == "off" and not is_all else worst.state,
        heard_at=worst.heard_at, age=judged.age, limit=judged.limit, worse_after=worse_after(judged),
        source=worst.link.name if len(looks) > 1 else None, backlog=worst.link.backlog, eta=judged.eta, lag=worst.lag,
        skew=skew.ahead if skew is not None and skew.is_on_a_banner else None, silent_units=silent,
        fault=worst.link.fault, is_lagging=_is_lagging(worst),
    )  # fmt: skip


STATES: tuple[FeedState, ...] = ("live", "quiet", "late", "catching_up", "inconsistent", "stale", "off")


def word(state: health.FeedState) -> FeedState:
    """The state as pages have it."""
    return cast(FeedState, state.name.lower())


def worse_after(judged: Health) -> tuple[tuple[FeedState, timedelta], ...]:
    """The ages at which it worsens, as pages have it."""
    return tuple((word(state), age) for state, age in judged.worse_after)


def tally(account: Account) -> Tally:
    """The account as pages have it."""
    return Tally(account.read, account.stored, account.duplicate, account.ignored, account.rejected)


def _take_came(known: _Known, came: Came) -> None:
    known.account = added(known.account, came.account)
    known.came_at = max(filter(None, (known.came_at, came.last_at)), default=None)


def _take_told(known: _Known, told: Told) -> None:
    known.known_at = max(known.known_at or told.known_at, told.known_at)
    for part in _parts(told.kind, told.unit):
        known.parts[part] = max(known.parts.get(part, told.known_at), told.known_at)


def _missed(link: LinkNow, sources: Sequence[str]) -> list[str]:
    """Sources of whose units and kinds a silence is told: those of before only where the link tells of all of them."""
    return [name for name in sources if link.is_whole or link.tells(name)]


def _parts(kind: str, unit: str | None) -> list[str]:
    return [f"kind:{kind}", *([f"unit:{unit}"] if unit else [])]


def _last_event_at(link: LinkNow, known: Sequence[_Known], now: datetime) -> datetime | None:
    """When the last message came, by our clock; of files, when the last of what they tell was known."""
    instants = [one.known_at for one in known]
    if link.kind in _PROMPT_KINDS:
        instants += [one.came_at for one in known]
    latest = max(filter(None, instants), default=None)
    return None if latest is None else min(latest, now)


def _drained(past: _Past, backlog: int, now: datetime) -> float | None:
    """How fast the backlog has shrunk since the last look."""
    before, past.backlog = past.backlog, (now, backlog)
    if before is None or now <= before[0] or backlog >= before[1]:
        return None
    return (before[1] - backlog) / (now - before[0]).total_seconds()


def _lag_p95(delays: Sequence[Delay]) -> timedelta | None:
    """None before twenty messages."""
    if len(delays) < health.SKEW_SAMPLES:
        return None
    seconds = [(delay.stored_at - delay.told_at).total_seconds() for delay in delays]
    return timedelta(seconds=max(0.0, quantiles(seconds, n=20, method="inclusive")[-1]))


def _skew(delays: Sequence[Delay]) -> health.Skew | None:
    pairs = [(delay.recorded_at, delay.stored_at) for delay in delays if delay.recorded_at is not None]
    found = health.skew(pairs)
    return None if found is None or abs(found.ahead) > OLD_NEWS else found


def _is_lagging(look: Look) -> bool:
    return look.lag is not None and look.lag > health.LATE_LAG


def _sum(accounts: Iterable[Account]) -> Account:
    total = NOTHING
    for account in accounts:
        total = added(total, account)
    return total


def _summed(parts: Iterable[Mapping[str, Rates]]) -> dict[str, Rates]:
    total: dict[str, Rates] = {}
    for of_source in parts:
        for part, rates in of_source.items():
            total[part] = tuple(a + b for a, b in zip(total.get(part, NO_RATES), rates, strict=True))
    return total


def _by_source(told: Sequence[_Sourced]) -> dict[str, list[_Sourced]]:
    found: dict[str, list[_Sourced]] = defaultdict(list)
    for one in told:
        found[one.source].append(one)
    return found


def _told_by(link: LinkNow, links: Sequence[LinkNow], hours: Sequence[InAnHour]) -> list[InAnHour]:
    return [hour for hour in hours if _tells(link, hour.source, links)]


def _tells(link: LinkNow, source: str, links: Sequence[LinkNow]) -> bool:
    """Whether a source of the log counts as this link's; what a house tells itself goes on from all that it holds. What
    people say on the pages is no feed's."""
    if source == BOARD:
        return False
    return link.kind == "extracts" or (link.kind == "events" and len(links) == 1) or link.tells(source)
