"""What was different on a day: how many came and left, beds, exits never told, how late the feed was.

Each fact stands beside what is usual in the same period, so that a day on which forecasts were far off is explained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc
from holidays import country_holidays

from forecast.values import Array
from forecast.verify import Pairs
from ingest.clock import local
from ingest.log import EventLog
from twin.state import State

LATE = timedelta(hours=1)
"""A message that comes more than this after what it tells of is late."""
OLD_EXIT = timedelta(days=3)
"""A visit without an exit that began so long before the end of what is known is one whose exit was never told."""
LANGUAGES = {"fr": "fr", "en": "en_US"}
"""Languages in which holidays are named, and what the calendar's library calls them; where it has none, its own."""
STRIKING = 2.0
"""A fact is striking where it lies so many usual distances from the usual."""
LEAST_APART = {"late_share": 0.02, "silence_h": 0.5, "exits_untold": 1.0}
"""Days are taken to differ by so much at least; other facts by 1 % of the usual."""
_LEVELS = {"boarders": "ed_boarders", "waiting": "ed_waiting"}
_OF_EVERY_DAY = "ed_census"
"""What is forecast of every day: its days are those that are looked at."""
_FREE = "beds_free:"
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Fact:
    """One thing about a day, beside the usual of the period's days."""

    name: str
    value: float
    usual: float
    """The median of the days (of the same kind of day, weekday or weekend, for what follows the week)."""
    distance: float
    """(value - usual) / the usual distance of days from it."""

    @property
    def striking(self) -> bool:
        """Is it far from usual?"""
        return abs(self.distance) >= STRIKING


@dataclass(frozen=True)
class DayFacts:
    """A local day."""

    day: date
    holiday: Mapping[str, str]
    """Its name by language, `fr` and `en`; empty for a day that is none."""
    near_holiday: Mapping[str, str]
    """That of the day before or after."""
    facts: tuple[Fact, ...]


def day_facts(
    pairs: Pairs, log: EventLog, state: State, zone: str, *, known_at: datetime, holidays: str
) -> dict[date, DayFacts]:
    """What is known of each local day that the pairs speak of; `state` is that of what was known at `known_at`."""
    if not len(pairs):
        return {}
    shortest = pairs.taken(np.flatnonzero(pairs.lead_min == pairs.lead_min.min()))
    table = {**_flows(state, pairs, zone, known_at), **_measured(shortest, zone), **_told(pairs, log, zone)}
    days = sorted(_by_day(shortest, (_OF_EVERY_DAY,), zone))
    kept = {name: np.array([column.get(day, np.nan) for day in days]) for name, column in table.items()}
    weekend = np.array([day.weekday() >= 5 for day in days])
    usual = {name: _usual(values, weekend, LEAST_APART.get(name, 1e-9)) for name, values in kept.items()}
    return {
        day: DayFacts(
            day,
            holiday_names(holidays, day),
            holiday_names(holidays, day - _DAY) or holiday_names(holidays, day + _DAY),
            tuple(_fact(name, kept[name][i], *(of[i] for of in usual[name])) for name in kept),
        )
        for i, day in enumerate(days)
    }


@cache
def holiday_names(place: str, day: date) -> Mapping[str, str]:
    """What a public holiday of a country (`FR`) or part of one (`FR-57`) is called, by language; nothing for others."""
    country, _, part = place.partition("-")
    known = {
        language: country_holidays(country, subdiv=part or None, years=day.year, language=spoken).get(day)
        for language, spoken in LANGUAGES.items()
        if country
    }
    return {language: name for language, name in known.items() if name}


def local_days(at: np.ndarray, zone: str) -> list[date]:
    """The local date of instants (UTC, without a zone)."""
    tz = ZoneInfo(zone)
    found = np.asarray(at, dtype="datetime64[us]").astype(datetime)
    return [instant.replace(tzinfo=UTC).astimezone(tz).date() for instant in found]


def valid_at(pairs: Pairs) -> np.ndarray:
    """The instant of which each pair speaks."""
    return np.asarray(pairs.issued_at + (pairs.lead_min * 60e6).astype("timedelta64[us]"))


def _measured(shortest: Pairs, zone: str) -> dict[str, dict[date, float]]:
    """By day the mean of what came."""
    free = [m for m in dict.fromkeys(shortest.measure.tolist()) if m.startswith(_FREE)]
    found = {name: _by_day(shortest, (m,), zone) for name, m in _LEVELS.items()}
    return {**found, "beds_free": _by_day(shortest, tuple(free), zone, times=float(len(free)))}


def _by_day(pairs: Pairs, measures: tuple[str, ...], zone: str, times: float = 1.0) -> dict[date, float]:
    mine = np.flatnonzero(np.isin(pairs.measure, measures) & ~np.isnan(pairs.observed))
    chosen = pairs.taken(mine)
    return {day: times * mean for day, mean in _means(local_days(valid_at(chosen), zone), chosen.observed).items()}


def _means(days: list[date], values: Array) -> dict[date, float]:
    ordinals = np.array([day.toordinal() for day in days], dtype=np.int64)
    return {date.fromordinal(int(o)): float(values[ordinals == o].mean()) for o in np.unique(ordinals)}


def _told(pairs: Pairs, log: EventLog, zone: str) -> dict[str, dict[date, float]]:
    """By day of what happened the share of messages that came late; by day of what was heard the longest silence."""
    first, last = (aware_of(at) for at in (pairs.issued_at.min(), valid_at(pairs).max()))
    table = log.read_versions_table(first - timedelta(days=1), last + timedelta(days=1))
    known, occurred = (pc.cast(table[name], "int64").to_numpy() for name in ("known_at", "occurred_at"))
    late = (known - occurred > LATE / timedelta(microseconds=1)).astype(np.float64)
    heard = np.unique(known)
    silence_h = np.diff(heard, prepend=heard[:1]) / 3.6e9
    days = local_days(occurred.astype("datetime64[us]"), zone)
    longest: dict[date, float] = {}
    for day, hours in zip(local_days(heard.astype("datetime64[us]"), zone), silence_h, strict=True):
        longest[day] = max(longest.get(day, 0.0), float(hours))
    return {"late_share": _means(days, late), "silence_h": longest}


def _flows(state: State, pairs: Pairs, zone: str, known_at: datetime) -> dict[str, dict[date, float]]:
    """By day how many came and left, and of those who came how many have no exit to this day."""
    days = sorted(set(local_days(np.unique(valid_at(pairs)), zone)))
    found = {name: dict.fromkeys(days, 0.0) for name in ("arrivals", "exits", "exits_untold")}
    for visit in state.visits.values():
        if visit.arrived_at is None or visit.planned:
            continue
        came = local(visit.arrived_at, zone).date()
        _count(found["arrivals"], came)
        if visit.departed_at is not None:
            _count(found["exits"], local(visit.departed_at, zone).date())
        elif visit.arrived_at < known_at - OLD_EXIT:
            _count(found["exits_untold"], came)
    return found


def _count(column: dict[date, float], day: date) -> None:
    if day in column:
        column[day] += 1.0


def aware_of(at: np.datetime64) -> datetime:
    """An instant without a zone, aware."""
    found: datetime = at.astype("datetime64[us]").astype(datetime)
    return found.replace(tzinfo=UTC)


def _usual(values: Array, weekend: np.ndarray, least: float) -> tuple[Array, Array]:
    """The usual of each day and how far days usually lie from it: the median of its kind of day, and the mean distance
    of all from theirs; at least 1 % of it, and `least`."""
    usual = np.full(values.size, np.nan)
    for kind in (weekend, ~weekend):
        mine = kind if np.count_nonzero(kind & ~np.isnan(values)) >= 4 else np.ones_like(kind)
        if np.any(mine & ~np.isnan(values)):
            usual[kind] = np.nanmedian(values[mine])
    apart = np.abs(values - usual)
    spread = 1.25 * float(np.nanmean(apart)) if np.any(~np.isnan(apart)) else np.nan
    return usual, np.maximum(spread, np.maximum(0.01 * np.abs(usual), least))


def _fact(name: str, value: float, usual: float, spread: float) -> Fact:
    return Fact(name, float(value), float(usual), float((value - usual) / spread))
