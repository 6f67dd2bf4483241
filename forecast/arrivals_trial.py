"""The arrival model back-tested by itself: each day forecast at its midnight, hour by hour, beside its rivals.

What is known at a midnight is what had been recorded by then. Every method gives members of the day, `(hour, member)`,
so that hours and the day's total are scored alike and the total is a sum of hours member by member. Rivals:
`climatology` (the mean of the hour of the week over twelve weeks), `last_week` (the same hour a week before) and, where
LightGBM is installed, `boosted` (gradient boosting of the Poisson likelihood).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.arrivals_boosted import MISSING, Boosted
from forecast.dayblocks import skill_interval
from forecast.ensemble import Progress
from forecast.errors import ForecastError
from forecast.scores import absolute_error, crps, pinball
from forecast.values import LEVELS, Array, or_none
from ingest.clock import resolve
from ingest.log import EventLog
from twin.hospital import Hospital
from twin.learned_arrivals import Around, Calendar, learn_arrivals
from twin.minutes import Minutes

Index = npt.NDArray[np.int64]

MODEL, CLIMATOLOGY, LAST_WEEK, BOOSTED = "model", "climatology", "last_week", "boosted"
YEAR_DAYS, CLIMATOLOGY_DAYS, WEEK = 365, 84, 7
LEAST_DAYS = 28
"""Days that must be known before the first that is forecast."""
MEMBERS = 300
_ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Who came to the department, and when that was known, in minutes."""

    minutes: Minutes
    at_min: Array
    known_min: Array


@dataclass(frozen=True)
class Scores:
    """Means over hours, or over days: counts of arrivals."""

    mae: float
    bias: float
    pinball: float
    """Mean over the nine levels that forecasts keep."""
    crps: float


@dataclass(frozen=True)
class Trial:
    """A trial, whole. `by_hour` and `by_day` are by method, the model's first; `skill` is the model's against each."""

    first_day: date
    days: int
    by_hour: Mapping[str, Scores]
    by_day: Mapping[str, Scores]
    skill: Mapping[str, Mapping[str, tuple[float, float, float]]]
    """`hour` and `day`: 1 - crps / the rival's, and its 95 % interval over days drawn anew; NaN of few days."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Rivals that could not be asked, and why."""

    def as_json(self) -> dict[str, Any]:
        """Plain values, as the command prints them."""
        scores = {"hour": self.by_hour, "day": self.by_day}
        return {
            "first_day": self.first_day.isoformat(),
            "days": self.days,
            "scores": {of: {name: vars(s) for name, s in named.items()} for of, named in scores.items()},
            "skill": {of: {name: _plain(three) for name, three in named.items()} for of, named in self.skill.items()},
            "missing": dict(self.missing),
        }


def _plain(three: tuple[float, float, float]) -> list[float | None]:
    """As JSON has it: few days give no interval."""
    return [or_none(one) for one in three]


def arrivals_of(log: EventLog) -> Arrivals:
    """All arrivals that the log tells of, but for those that were struck out."""
    table = log.read_table(kinds=["Arrived", "Cancelled"])
    kind = np.array(table.column("kind").to_pylist())
    struck = set(table.column("target").to_pylist()) - {None}
    ids = table.column("event_id").to_pylist()
    came = (kind == "Arrived") & np.array([name not in struck for name in ids], dtype=bool)
    if not came.any():
        raise ForecastError("the log tells of no arrivals")
    minutes = Minutes(datetime(1970, 1, 1, tzinfo=UTC))
    at, known = (_minutes(table.column(name))[came] for name in ("occurred_at", "known_at"))
    return Arrivals(minutes, at, np.where(np.isnan(known), at, known))


def _minutes(column: Any) -> Array:
    """Instants as minutes since the Unix epoch, NaN for none."""
    at = column.to_numpy().astype("datetime64[us]")
    return np.where(np.isnat(at), np.nan, at.astype(np.int64) / 60e6)


# --- the trial ----------------------------------------------------------------------------------------------------


Method = Callable[["Day", np.random.Generator], Array]


@dataclass(frozen=True, eq=False)
class Day:
    """A day that is to be forecast, and the whole hours that are over at its midnight, with what was known of them."""

    past: Calendar
    counts: Array
    at_min: Array
    """Arrivals known at midnight."""
    hour_of_week: Index
    """Of the day's own hours."""
    ordinal: int
    midnight: datetime


def trial(
    arrivals: Arrivals, hospital: Hospital, first_at: datetime, last_at: datetime, *, members: int = MEMBERS,
    seed: int = 1, boosted: bool = True, progress: Progress | None = None,
) -> Trial:  # fmt: skip
    """The local days between two instants, each forecast at its midnight; raises ForecastError where none can be."""
    calendar = _calendar(arrivals, hospital.zone, last_at)
    ordinals = _ordinals(arrivals, calendar, first_at)
    methods, missing = _methods(hospital, boosted)
    sums: dict[str, list[Array]] = {name: [] for name in methods}
    for done, ordinal in enumerate(ordinals, start=1):
        day, came = _day(arrivals, calendar, ordinal, hospital.zone)
        for name, method in methods.items():
            dice = np.random.default_rng([seed, ordinal, len(name)])
            sums[name].append(_scored(method(day, dice)[:, :members], came))
        if progress is not None:
            progress(done, len(ordinals))
    scores = {name: np.array(rows) for name, rows in sums.items()}  # (day, hour or day, score)
    return Trial(
        date.fromordinal(ordinals[0]), len(ordinals),
        {name: Scores(*of[:, 0].mean(axis=0)) for name, of in scores.items()},
        {name: Scores(*of[:, 1].mean(axis=0)) for name, of in scores.items()},
        {of: _skills({name: s[:, place, 3] for name, s in scores.items()}) for place, of in enumerate(("hour", "day"))},
        missing,
    )  # fmt: skip


def _methods(hospital: Hospital, boosted: bool) -> tuple[dict[str, Method], dict[str, str]]:
    methods: dict[str, Method] = {
        MODEL: lambda day, dice: by_model(day, hospital, dice), CLIMATOLOGY: by_climatology, LAST_WEEK: by_last_week,
    }  # fmt: skip
    found = Boosted.of(hospital) if boosted else None
    if found is None:
        return methods, {BOOSTED: MISSING} if boosted else {}
    return {**methods, BOOSTED: lambda day, dice: found.members(day, dice, MEMBERS)}, {}


def _calendar(arrivals: Arrivals, zone: str, last_at: datetime) -> Calendar:
    first_min = float(arrivals.at_min.min())
    last_min = min(arrivals.minutes.of(last_at), float(arrivals.at_min.max()))
    return Calendar.of(arrivals.minutes, first_min, last_min, zone)


def _ordinals(arrivals: Arrivals, calendar: Calendar, first_at: datetime) -> list[int]:
    """The whole days from the instant on that enough is known before."""
    days, first = np.unique(calendar.day, return_index=True)
    begins = calendar.start_min[first]
    whole = (days >= LEAST_DAYS) & (days < days[-1:].sum()) & (begins >= arrivals.minutes.of(first_at))
    if not whole.any():
        raise ForecastError(
            f"arrivals can be tried from {LEAST_DAYS} days after the first on, but the period has no whole day so late"
        )
    return [calendar.first_day + int(day) for day in days[whole]]


def _day(arrivals: Arrivals, calendar: Calendar, ordinal: int, zone: str) -> tuple[Day, Array]:
    """The day as it stands at its midnight, and how many came in each of its hours."""
    day = date.fromordinal(ordinal)
    midnight = resolve(datetime(day.year, day.month, day.day), zone)[0]
    now = arrivals.minutes.of(midnight)
    known = arrivals.at_min[(arrivals.known_min <= now) & (arrivals.at_min < now)]
    past = _part(calendar, (calendar.start_min < now) & (calendar.day > ordinal - calendar.first_day - YEAR_DAYS))
    mine = calendar.first_day + calendar.day == ordinal
    came = _counts(arrivals.at_min, calendar.start_min[mine])
    return Day(past, _counts(known, past.start_min), known, calendar.hour_of_week[mine], ordinal, midnight), came


def _part(calendar: Calendar, chosen: npt.NDArray[np.bool_]) -> Calendar:
    day = calendar.day[chosen]
    first = int(day[0])
    return replace(
        calendar, start_min=calendar.start_min[chosen], hour_of_week=calendar.hour_of_week[chosen], day=day - first,
        first_day=calendar.first_day + first,
    )  # fmt: skip


def _counts(at_min: Array, start_min: Array) -> Array:
    edges = np.append(start_min, start_min[-1] + 60.0)
    return np.diff(np.searchsorted(np.sort(at_min), edges)).astype(np.float64)


def _scored(members: Array, came: Array) -> Array:
    """Hours and total: mae, bias, pinball and crps, `(2, score)`."""
    total, of_day = members.sum(axis=0)[None, :], np.array([came.sum()])
    return np.stack([_scores(members, came), _scores(total, of_day)])


def _scores(members: Array, came: Array) -> Array:
    cuts = np.quantile(members, LEVELS, axis=1)
    losses = [pinball(cut, came, level=level).mean() for level, cut in zip(LEVELS, cuts, strict=True)]
    middle = LEVELS.index(0.5)
    return np.array([
        absolute_error(cuts[middle], came).mean(), (members.mean(axis=1) - came).mean(), np.mean(losses),
        crps(members, came).mean(),
    ])  # fmt: skip


def _skills(by_method: Mapping[str, Array]) -> dict[str, tuple[float, float, float]]:
    """The model's skill against each rival, with its interval over days drawn anew."""
    mine = by_method[MODEL]
    return {
        name: (float(1.0 - mine.mean() / rival.mean()), *skill_interval(mine, rival, np.arange(mine.size)))
        for name, rival in by_method.items()
        if name != MODEL
    }


# --- the methods --------------------------------------------------------------------------------------------------


def by_model(day: Day, hospital: Hospital, dice: np.random.Generator) -> Array:
    """The twin's own: its rates, holidays and series from outside, the level of a day, people who come together."""
    around = Around(hospital.holidays, hospital.school_zone, hospital.outside, hospital.zone, day.midnight)
    profile = learn_arrivals(day.past, day.at_min, around)
    rate = profile.per_hour[day.hour_of_week] * dict(profile.on_days).get(day.ordinal, 1.0)
    alone = dice.poisson(rate[:, None] * _levels(profile.day_cv, dice) / (1.0 + profile.together))
    return np.asarray(alone + dice.binomial(alone, profile.together), dtype=np.float64)


def _levels(day_cv: float, dice: np.random.Generator) -> Array:
    return dice.gamma(day_cv**-2, day_cv**2, MEMBERS) if day_cv > 0 else np.ones(MEMBERS)


def by_climatology(day: Day, dice: np.random.Generator) -> Array:
    """The mean of the hour of the week over twelve weeks, with how days differed from it."""
    past = _recent(day, CLIMATOLOGY_DAYS)
    mean = np.bincount(past.hour_of_week, past.counts, 168) / np.maximum(
        np.bincount(past.hour_of_week, minlength=168), 1
    )
    usual = np.maximum(np.bincount(past.day, mean[past.hour_of_week]), _ZERO)
    ratio = (np.bincount(past.day, past.counts) / usual)[1:]
    rate = mean[day.hour_of_week][:, None] * dice.choice(ratio, MEMBERS)
    return np.asarray(dice.poisson(rate), dtype=np.float64)


def by_last_week(day: Day, dice: np.random.Generator) -> Array:
    """The same hour a week before, with the errors of this rule on whole days of twelve weeks."""
    past = _recent(day, CLIMATOLOGY_DAYS + WEEK)
    table = np.full((past.day.max() + 1, 24), np.nan)
    table[past.day, past.hour_of_week % 24] = past.counts
    errors = (table[WEEK:] - table[:-WEEK])[1:]
    errors = errors[~np.isnan(errors).any(axis=1)]
    drawn = errors[dice.integers(0, len(errors), MEMBERS)].T if len(errors) else np.zeros((24, MEMBERS))
    hour = day.hour_of_week % 24
    return np.asarray(np.maximum(np.nan_to_num(table[-WEEK])[hour][:, None] + drawn[hour], 0.0))


@dataclass(frozen=True, eq=False)
class _Recent:
    day: Index
    hour_of_week: Index
    counts: Array


def _recent(day: Day, days: int) -> _Recent:
    last = int(day.past.day.max())
    chosen = day.past.day > last - days
    whole = day.past.day[chosen]
    return _Recent(whole - whole.min(), day.past.hour_of_week[chosen], day.counts[chosen])


# --- in words -----------------------------------------------------------------------------------------------------


def in_words(found: Trial) -> Iterator[str]:
    """What the command prints."""
    last = found.first_day + timedelta(days=found.days - 1)
    yield f"arrivals of {found.days} days, {found.first_day} to {last}, each forecast at its midnight"
    for title, of, scores in (("by hour", "hour", found.by_hour), ("total of the day", "day", found.by_day)):
        yield title
        yield from (_row(name, s, found.skill[of]) for name, s in scores.items())
    yield from (f"{name}: {why}" for name, why in found.missing.items())


def _row(name: str, s: Scores, skill: Mapping[str, Sequence[float]]) -> str:
    told = f"  {name:<12} mae {s.mae:6.2f}  bias {s.bias:+6.2f}  pinball {s.pinball:6.3f}  crps {s.crps:6.3f}"
    if name not in skill:
        return told
    value, low, high = skill[name]
    between = "" if np.isnan(low) else f" ({low:+.1%} to {high:+.1%})"
    return f"{told}  the model is better by {value:+.1%}{between}"
