"""What was different on a day: how many came and left, beds, exits never told, how late the feed was.

Each fact stands beside what is usual in the same period, so that a day on which forecasts were far off is explained.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.compute as pc

from forecast.values import Array
from forecast.verify import Pairs
from ingest.clock import local
from ingest.log import EventLog
from twin.learned_calendar import public_holidays
from twin.state import State

LATE = timedelta(hours=1)
"""A message that comes more than this after what it tells of is late."""
OLD_EXIT = timedelta(days=3)
"""A visit without an exit that began so long before the end of what is known is one whose exit was never told."""
STRIKING = 2.0
"""A fact is striking where it lies so many usual distances from the usual."""
_FLOWS = {"arrivals": "ed_arrivals", "exits": "ed_departures", "admissions": "admissions"}
_LEVELS = {"boarders": "ed_boarders", "waiting": "ed_waiting", "present": "ed_census"}
_FREE = "beds_free:"


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
    holiday: str | None
    near_holiday: str | None
    """The holiday of the day before or after."""
    facts: tuple[Fact, ...]


def day_facts(pairs: Pairs, log: EventLog, state: State, zone: str, holidays: str) -> dict[date, DayFacts]:
    """What is known of each local day that the pairs speak of, by what came of the shortest lead."""
    table = {**_measured(pairs, zone), **_told(pairs, log, zone), "exits_untold": _untold(state, pairs, zone)}
    days = sorted({day for column in table.values() for day in column} & set(_measured(pairs, zone)["present"]))
    kept = {name: np.array([column.get(day, np.nan) for day in days]) for name, column in table.items()}
    names = public_holidays(holidays, days[0].toordinal() - 1, days[-1].toordinal() + 1) if days else {}
    weekend = np.array([day.weekday() >= 5 for day in days])
    usual = {name: _usual(values, weekend) for name, values in kept.items()}
    return {
        day: DayFacts(
            day,
            names.get(day.toordinal()),
            names.get(day.toordinal() - 1) or names.get(day.toordinal() + 1),
            tuple(_fact(name, kept[name][i], *(of[i] for of in usual[name])) for name in kept),
        )
        for i, day in enumerate(days)
    }


def local_days(at: np.ndarray, zone: str) -> list[date]:
    """The local date of instants (UTC, without a zone)."""
    tz = ZoneInfo(zone)
    found = np.asarray(at, dtype="datetime64[us]").astype(datetime)
    return [instant.replace(tzinfo=UTC).astimezone(tz).date() for instant in found]


def valid_at(pairs: Pairs) -> np.ndarray:
    """The instant of which each pair speaks."""
    return np.asarray(pairs.issued_at + (pairs.lead_min * 60e6).astype("timedelta64[us]"))


def _measured(pairs: Pairs, zone: str) -> dict[str, dict[date, float]]:
    """By day the mean of what came; of flows the number a day."""
    shortest = pairs.taken(np.flatnonzero(pairs.lead_min == pairs.lead_min.min())) if len(pairs) else pairs
    free = [m for m in dict.fromkeys(shortest.measure.tolist()) if m.startswith(_FREE)]
    found = {name: _by_day(shortest, (m,), zone, times=24.0) for name, m in _FLOWS.items()}
    found |= {name: _by_day(shortest, (m,), zone) for name, m in _LEVELS.items()}
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
    if not len(pairs):
        return {"late_share": {}, "silence_h": {}}
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


def _untold(state: State, pairs: Pairs, zone: str) -> dict[date, float]:
    """By day of arrival how many visits have no exit to this day."""
    if not len(pairs):
        return {}
    last = aware_of(valid_at(pairs).max())
    days = dict.fromkeys(local_days(valid_at(pairs), zone), 0.0)
    for visit in state.visits.values():
        open_ = visit.arrived_at is not None and visit.departed_at is None and not visit.stays
        if open_ and visit.arrived_at is not None and visit.arrived_at < last - OLD_EXIT:
            day = local(visit.arrived_at, zone).date()
            days[day] = days.get(day, 0.0) + 1.0
    return days


def aware_of(at: np.datetime64) -> datetime:
    """An instant without a zone, aware."""
    found: datetime = at.astype("datetime64[us]").astype(datetime)
    return found.replace(tzinfo=UTC)


def _usual(values: Array, weekend: np.ndarray) -> tuple[Array, Array]:
    """The usual of each day and how far days usually lie from it: the median of its kind of day, and the mean distance
    of all from theirs, at least 1 % of it."""
    usual = np.full(values.size, np.nan)
    for kind in (weekend, ~weekend):
        mine = kind if np.count_nonzero(kind & ~np.isnan(values)) >= 4 else np.ones_like(kind)
        if np.any(mine & ~np.isnan(values)):
            usual[kind] = np.nanmedian(values[mine])
    apart = np.abs(values - usual)
    spread = 1.25 * float(np.nanmean(apart)) if np.any(~np.isnan(apart)) else np.nan
    return usual, np.maximum(spread, np.maximum(0.01 * np.abs(usual), 1e-9))


def _fact(name: str, value: float, usual: float, spread: float) -> Fact:
    return Fact(name, float(value), float(usual), float((value - usual) / spread))
