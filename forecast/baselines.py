"""The rivals: what a forecast must beat before it is worth showing.

Three baselines, each a distribution (mean and quantiles) for any measure, learned from the measure's own past alone:

- `persistence`: as now. The value now plus the errors that this very rule made in the past, by lead and by the local
  hour block of the valid time.
- `climatology`: as usual at this hour of this weekday. A smoothed mean by local quarter hour of the week, drawn
  towards the mean by time of day as far as the weekdays cannot be told apart (empirical Bayes), plus the errors it
  made on weeks that it had not seen, by hour block. The hard one from about four hours ahead.
- `anomaly_persistence`: as usual, plus the part of today's departure from it that has lasted in the past. The hard
  one at short leads.

Nothing after the history's present is read: whatever comes later, the baselines are the same to the last bit.
NaN (a wait with nobody waiting, a gap in the feed) is left out of what is learned. A baseline that has nothing to say
says NaN: persistence when the value now is NaN, all of them before they have seen `LEAST_ERRORS` errors of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from forecast.values import LEVELS, Array, Series

Integers = npt.NDArray[np.int64]

BASELINES: tuple[str, ...] = ("persistence", "climatology", "anomaly_persistence")
STEP_MIN = 15
WINDOW_DAYS = 84
"""How far back the baselines look: 12 weeks, long enough for each weekday, short enough to follow the season."""
BLOCK_HOURS = 3
"""Errors are pooled over local blocks of so many hours of the valid time."""
LEAST_ERRORS = 20
"""Fewer errors than this give no distribution."""
_DAY = 24 * 60 // STEP_MIN
_WEEK = 7 * _DAY
_BLOCKS = 24 // BLOCK_HOURS
_HALF_WIDTH = 2
"""The usual value of a quarter hour is averaged over so many quarter hours to either side."""


@dataclass(frozen=True)
class History:
    """Measures on a grid of 15 minutes from `start_at` (aware); the present is the instant at `now_index`.

    Each measure is `(time,)`, NaN where it is not defined or not known. The values up to the present must be those
    known at the present (a late exit is not in them); those after it are never read.
    Raises ValueError if the instant is naive, the lengths differ, or the present lies outside.
    """

    start_at: datetime
    measures: Mapping[str, Array]
    zone: str
    now_index: int

    def __post_init__(self) -> None:
        lengths = {values.shape for values in self.measures.values()}
        if self.start_at.tzinfo is None:
            raise ValueError(f"start_at must be aware, but is {self.start_at}")
        if len(lengths) != 1:
            raise ValueError(f"measures must share one grid, but have shapes {sorted(lengths)}")
        if not 0 <= self.now_index < lengths.pop()[0]:
            raise ValueError(f"now_index must lie on the grid, but is {self.now_index}")

    @property
    def as_of(self) -> datetime:
        """The present."""
        return self.start_at + timedelta(minutes=STEP_MIN * self.now_index)

    @property
    def now(self) -> dict[str, float]:
        """Each measure at the present."""
        return {name: float(values[self.now_index]) for name, values in self.measures.items()}

    def at(self, instants: Sequence[datetime]) -> dict[str, Array]:
        """Each measure at some instants, `(instant,)`; NaN off the grid and after the present."""
        steps = np.array([(instant - self.start_at) / timedelta(minutes=STEP_MIN) for instant in instants])
        seen = (steps >= 0) & (steps <= self.now_index) & (steps % 1.0 == 0)
        index = np.where(seen, steps, 0).astype(np.int64)
        return {name: np.where(seen, values[index], np.nan) for name, values in self.measures.items()}

    def window(self) -> tuple[slice, datetime]:
        """The part of the grid that is learned from, and the instant at which it begins."""
        first = max(0, self.now_index + 1 - WINDOW_DAYS * _DAY)
        return slice(first, self.now_index + 1), self.start_at + timedelta(minutes=STEP_MIN * first)


@dataclass(frozen=True)
class _Learned:
    """What the past of one measure says; errors are `(block, lead, 1 + level)`, the mean first."""

    usual: Array
    """The mean by local quarter hour of the week, `(672,)`, Monday 0:00 first."""
    usual_errors: Array
    change_errors: Array
    lasting: Array
    """The share of a departure from usual that lasts, `(lead,)`."""
    lasting_errors: Array
    at_least: float
    """0 for a measure that was never below it, else minus infinity."""


@dataclass(frozen=True)
class Rivals:
    """The baselines as learned at `fitted_at`, ready for any issue from then on (refit once a day)."""

    fitted_at: datetime
    zone: str
    lead_min: Array
    levels: tuple[float, ...]
    learned: Mapping[str, _Learned]

    def ahead(self, as_of: datetime, now: Mapping[str, float]) -> dict[str, dict[str, Series]]:
        """Baseline -> measure -> its distribution at `as_of` + each lead, from each measure's value now.

        A measure that is not in `now`, or is NaN there, is one that does not exist now.
        Raises ValueError for an issue before the fit: it would look ahead.
        """
        if as_of < self.fitted_at:
            raise ValueError(f"baselines fitted at {self.fitted_at} cannot forecast from {as_of}: that looks ahead")
        minutes = np.concatenate([[0.0], self.lead_min])
        places = quarters_of_week(as_of, minutes, self.zone)
        found = {name: self._of(m, now.get(name, np.nan), places) for name, m in self.learned.items()}
        return {baseline: {name: found[name][baseline] for name in found} for baseline in BASELINES}

    def _of(self, learned: _Learned, now: float, places: Array) -> dict[str, Series]:
        block = _blocks(places[1:])
        usual_now, usual = np.split(_read(learned.usual, places), [1])
        as_now = np.full(usual.shape, now)
        lasting = usual + learned.lasting * (now - usual_now)
        climatology = self._series(learned, usual, learned.usual_errors, block)
        return {
            "persistence": self._series(learned, as_now, learned.change_errors, block),
            "climatology": climatology,
            "anomaly_persistence": climatology
            if np.isnan(now)
            else self._series(learned, lasting, learned.lasting_errors, block),
        }

    def _series(self, learned: _Learned, centre: Array, errors: Array, block: Integers) -> Series:
        """The distribution of centre + error, `(lead,)`, for valid times in the given blocks."""
        lead = np.arange(block.size) if errors.shape[1] > 1 else np.zeros(block.size, dtype=np.int64)
        ahead = np.maximum(centre[:, None] + errors[block, lead], learned.at_least)
        return Series(ahead[:, 0], {level: ahead[:, i + 1] for i, level in enumerate(self.levels)})


def fit(history: History, *, lead_min: Sequence[float] | Array, levels: tuple[float, ...] = LEVELS) -> Rivals:
    """The baselines learned from all that the history knows up to its present, for the given leads.

    At lead 0, where a wall begins its fan, all but climatology say the value now.
    Raises ValueError unless each lead is 0 or a multiple of the grid's 15 minutes.
    """
    leads = np.asarray(lead_min, dtype=np.float64)
    if np.any(leads < 0) or np.any(leads % STEP_MIN):
        raise ValueError(f"leads must be multiples of {STEP_MIN} min, but are {leads.tolist()}")
    part, start_at = history.window()
    minutes = np.arange(part.stop - part.start) * float(STEP_MIN)
    places = quarters_of_week(start_at, minutes, history.zone)
    learned = {
        name: _learn(values[part], places, (leads // STEP_MIN).astype(np.int64), levels)
        for name, values in history.measures.items()
    }
    return Rivals(history.as_of, history.zone, leads, levels, learned)


def forecasts(
    history: History, *, lead_min: Sequence[float] | Array, levels: tuple[float, ...] = LEVELS
) -> dict[str, dict[str, Series]]:
    """Fit and forecast at the history's present: baseline -> measure -> distribution, `(lead,)`."""
    return fit(history, lead_min=lead_min, levels=levels).ahead(history.as_of, history.now)


def quarters_of_week(origin: datetime, minutes: Array, zone: str) -> Array:
    """Local quarter hours since Monday 0:00 (0 .. 672, with fractions) of instants `minutes` after the origin.

    True to the zone: on the night of the autumn change an hour stands twice, in spring one is left out.
    """
    tz = ZoneInfo(zone)
    origin = origin.astimezone(UTC)
    hours = np.floor((minutes + origin.minute + origin.second / 60.0) / 60.0).astype(np.int64)
    top = origin.replace(minute=0, second=0, microsecond=0)
    span = range(int(hours.min()), int(hours.max()) + 1)
    shift_min = np.array([_shift_min(top + timedelta(hours=hour), tz) for hour in span])
    utc_min = minutes + (origin - _MONDAY) / timedelta(minutes=1)
    return np.asarray(((utc_min + shift_min[hours - span.start]) / STEP_MIN) % _WEEK)


_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


def _shift_min(instant: datetime, tz: ZoneInfo) -> float:
    """Minutes that local time is ahead of UTC."""
    offset = instant.astimezone(tz).utcoffset()
    return 0.0 if offset is None else offset / timedelta(minutes=1)


def _learn(values: Array, places: Array, steps: Integers, levels: tuple[float, ...]) -> _Learned:
    slots = places.astype(np.int64)
    block = _blocks(places)
    usual = _usual(values, slots)
    departure = values - _usual_without_own_week(values, slots)
    before = _earlier(departure, steps)
    lasting = _slopes(before, departure)
    never_below = bool(np.all(values[~np.isnan(values)] >= 0.0))
    return _Learned(
        usual=usual,
        usual_errors=_errors(departure[:, None], block, levels),
        change_errors=_errors(values[:, None] - _earlier(values, steps), block, levels),
        lasting=lasting,
        lasting_errors=_errors(departure[:, None] - lasting * before, block, levels),
        at_least=0.0 if never_below else -np.inf,
    )


def _usual(values: Array, slots: Integers) -> Array:
    """The mean by quarter hour of the week, `(672,)`; NaN only where nothing at all is known.

    The mean of a slot over the weeks is drawn towards the mean of its time of day over all days, by
    n t / (n t + s): n days seen, s the variance between days within a slot, t the variance between the true weekday
    effects (method of moments). A slot never seen is its time of day.
    """
    by_week = _smooth(_sums(values, slots, _WEEK))
    by_day = _smooth(_sums(values, slots % _DAY, _DAY))
    with np.errstate(invalid="ignore", divide="ignore"):
        typical = np.tile(_filled(by_day[1] / by_day[0]), 7)
        own = by_week[1] / by_week[0]
        within = float(np.nanmean((values - own[slots]) ** 2)) if np.any(by_week[0]) else np.nan
        days = by_week[0] / (2 * _HALF_WIDTH + 1)
        noise = within / np.maximum(days - 1.0, 1e-9)
        effect = own - typical
        between = max(0.0, float(np.nanmean(effect**2 - np.where(days > 1, noise, np.nan)))) if np.any(days > 1) else 0
        weight = between / (between + noise)
    return np.where((days > 1) & np.isfinite(weight), typical + weight * effect, typical)


def _usual_without_own_week(values: Array, slots: Integers) -> Array:
    """For each time what is usual by the other weeks alone, `(time,)`: honest errors are those of weeks not seen.

    A history of less than two weeks leaves out the own day instead.
    """
    week = np.arange(values.size)[::-1] // (_WEEK if values.size >= 2 * _WEEK else _DAY)
    usual = np.full(values.size, np.nan)
    for number in range(int(week.max()) + 1):
        own = week == number
        usual[own] = _usual(np.where(own, np.nan, values), slots)[slots[own]]
    return usual


def _sums(values: Array, slots: Integers, size: int) -> tuple[Array, Array]:
    known = ~np.isnan(values)
    count = np.bincount(slots[known], minlength=size).astype(np.float64)
    total = np.bincount(slots[known], weights=values[known], minlength=size).astype(np.float64)
    return count, total


def _smooth(sums: tuple[Array, Array]) -> tuple[Array, Array]:
    """Each slot with its neighbours; the week (the day) is a ring."""
    shifts = range(-_HALF_WIDTH, _HALF_WIDTH + 1)
    count, total = (np.stack([np.roll(values, k) for k in shifts]).sum(axis=0) for values in sums)
    return count, total


def _filled(values: Array) -> Array:
    """Times of day never seen are as the others on average."""
    known = ~np.isnan(values)
    return np.where(known, values, values[known].mean() if known.any() else np.nan)


def _earlier(values: Array, steps: Integers) -> Array:
    """The values so many steps before each time, `(time, lead)`; NaN before the beginning."""
    at = np.arange(values.size)[:, None] - steps
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan)


def _slopes(before: Array, after: Array) -> Array:
    """How much of an earlier departure is found again, by lead: least squares through 0, kept in 0 .. 1."""
    product = before * after[:, None]
    square = np.where(np.isnan(product), 0.0, before * before).sum(axis=0)
    slope = np.nansum(product, axis=0) / np.where(square > 0, square, np.inf)
    return np.asarray(np.clip(slope, 0.0, 1.0))


def _errors(errors: Array, block: Integers, levels: tuple[float, ...]) -> Array:
    """The distribution of errors `(time, lead)` by block of the valid time; of all blocks where one has too few."""
    pooled = _summary(errors, levels)
    by_block = (_summary(errors[block == number], levels) for number in range(_BLOCKS))
    return np.stack([np.where(np.isnan(own), pooled, own) for own in by_block])


def _summary(errors: Array, levels: tuple[float, ...]) -> Array:
    """Mean and quantiles of each column, `(lead, 1 + level)`; NaN where fewer than `LEAST_ERRORS` are known."""
    ranked = np.sort(errors, axis=0)
    count = np.sum(~np.isnan(ranked), axis=0)
    if not ranked.size:
        return np.full((errors.shape[1], 1 + len(levels)), np.nan)
    place = np.asarray(levels)[:, None] * np.maximum(count - 1, 0)
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below, above = np.take_along_axis(ranked, low, 0), np.take_along_axis(ranked, high, 0)
    cuts = below + (place - low) * (above - below)
    average = np.nansum(ranked, axis=0) / np.maximum(count, 1)
    return np.where(count[:, None] < LEAST_ERRORS, np.nan, np.vstack([average, cuts]).T)


def _blocks(places: Array) -> Integers:
    """The block of the local day, 0 .. 7, of quarter hours of the week."""
    return (places.astype(np.int64) % _DAY) // (BLOCK_HOURS * 60 // STEP_MIN)


def _read(by_slot: Array, places: Array) -> Array:
    """Values by slot, read between two slots for instants off the quarter hour."""
    slot = np.floor(places).astype(np.int64)
    share = places - slot
    return np.asarray((1 - share) * by_slot[slot % _WEEK] + share * by_slot[(slot + 1) % _WEEK])
