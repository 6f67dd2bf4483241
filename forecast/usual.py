"""What is usual: the smoothed mean by local quarter hour of the week, and errors by hour of the day.

The calendar and the arithmetic that the rivals share: local quarter hours of the week true to the zone, what is usual
at each of them, and the distribution of errors by block of the local day. NaN is left out of what is learned.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from forecast.values import Array

Integers = npt.NDArray[np.int64]

STEP_MIN = 15
BLOCK_HOURS = 3
"""Errors are pooled over local blocks of so many hours of the valid time."""
LEAST_ERRORS = 20
"""Fewer errors than this give no distribution."""
A_DAY = 24 * 60 // STEP_MIN
A_WEEK = 7 * A_DAY
BLOCKS = 24 // BLOCK_HOURS
_BLOCK_QUARTERS = BLOCK_HOURS * 60 // STEP_MIN
_HALF_WIDTH = 2
"""The usual value of a quarter hour is averaged over so many quarter hours to either side."""


def quarters_of_week(origin: datetime, minutes: Array, zone: str) -> Array:
    """Local quarter hours since Monday 0:00 (0 .. 672, with fractions) of instants `minutes` after the origin.

    True to the zone: on the night of the autumn change an hour stands twice, in spring one is left out.
    """
    origin = origin.astimezone(UTC)
    hours = np.floor((minutes + origin.minute + origin.second / 60.0) / 60.0).astype(np.int64)
    top = int(origin.replace(minute=0, second=0, microsecond=0).timestamp()) // 3600
    span = range(int(hours.min()), int(hours.max()) + 1)
    shift_min = np.array([_shift_min(top + hour, zone) for hour in span])
    utc_min = minutes + (origin - _MONDAY) / timedelta(minutes=1)
    return np.asarray(((utc_min + shift_min[hours - span.start]) / STEP_MIN) % A_WEEK)


def valid_quarters(issued_at: npt.NDArray[np.datetime64], lead_min: Array, zone: str) -> Array:
    """`quarters_of_week` of what is spoken of, `lead_min` after each instant (UTC, without a zone)."""
    if not lead_min.size:
        return np.empty(0)
    first = issued_at.min()
    minutes = (issued_at - first) / np.timedelta64(1, "m") + lead_min
    return quarters_of_week(first.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC), minutes, zone)


_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)


@lru_cache(maxsize=50_000)
def _shift_min(hour: int, zone: str) -> float:
    """Minutes that local time is ahead of UTC in an hour, counted from 1970."""
    offset = datetime.fromtimestamp(hour * 3600, ZoneInfo(zone)).utcoffset()
    return 0.0 if offset is None else offset / timedelta(minutes=1)


def usual_of(values: Array, slots: Integers) -> Array:
    """The mean by quarter hour of the week, `(672,)`; NaN only where nothing at all is known.

    The mean of a slot over the weeks is drawn towards the mean of its time of day over all days, by
    n t / (n t + s): n days seen, s the variance between days within a slot, t the variance between the true weekday
    effects (method of moments). A slot never seen is its time of day.
    """
    by_week = _smooth(_sums(values, slots, A_WEEK))
    by_day = _smooth(_sums(values, slots % A_DAY, A_DAY))
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


def usual_without_own_week(values: Array, slots: Integers, around_weeks: int | None = None) -> Array:
    """For each time what is usual by the other weeks alone, `(time,)`: honest errors are those of weeks not seen.

    By all others, or by so many on either side. A history of less than two weeks leaves out the own day instead.
    """
    week = np.arange(values.size)[::-1] // (A_WEEK if values.size >= 2 * A_WEEK else A_DAY)
    last = int(week.max())
    around = last if around_weeks is None else around_weeks
    usual = np.full(values.size, np.nan)
    for number in range(last + 1):
        middle = min(max(number, around), max(last - around, around))
        own, near = week == number, np.abs(week - middle) <= around
        usual[own] = usual_of(np.where(own, np.nan, values)[near], slots[near])[slots[own]]
    return usual


def _sums(values: Array, slots: Integers, size: int) -> tuple[Array, Array]:
    known = ~np.isnan(values)
    count = np.bincount(slots[known], minlength=size).astype(np.float64)
    total = np.bincount(slots[known], weights=values[known], minlength=size).astype(np.float64)
    return count, total


def _smooth(sums: tuple[Array, Array]) -> tuple[Array, Array]:
    """Each slot with its neighbours; the week (the day) is a ring."""
    count, total = (values[_neighbours(values.size)].sum(axis=0) for values in sums)
    return count, total


@lru_cache(maxsize=4)
def _neighbours(size: int) -> Integers:
    """The places of a ring that stand around each, `(neighbour, place)`."""
    return (np.arange(size) - np.arange(-_HALF_WIDTH, _HALF_WIDTH + 1)[:, None]) % size


def _filled(values: Array) -> Array:
    """Times of day never seen are as the others on average."""
    known = ~np.isnan(values)
    return np.where(known, values, values[known].mean() if known.any() else np.nan)


def errors_by_block(errors: Array, places: Array, levels: tuple[float, ...]) -> Array:
    """The distribution of errors `(time, lead)` by block of the valid time, `(block, lead, 1 + level)`, the mean first.

    It is that in the middle of a block, to be read by `at_valid_times`. Errors are taken about a mean that goes from
    one middle to the next, so that what drifts within a block is not taken for spread. Of all blocks where one has too
    few.
    """
    block = blocks_of(places)
    mean = _summaries(errors, block, ())
    return np.asarray(mean + _summaries(errors - block_shares(places) @ mean[..., 0], block, levels))


def at_valid_times(by_block: Array, places: Array) -> Array:
    """What is so in the middles of blocks, `(.., block, lead, x)`, at the valid time of each lead, `(.., lead, x)`.

    It goes over from one block to the next, so that nothing jumps at an hour that is only where the day is cut.
    """
    whole = np.broadcast_to(by_block, (*by_block.shape[:-3], BLOCKS, places.size, by_block.shape[-1]))
    return np.asarray(np.einsum("lb,...blx->...lx", block_shares(places), whole))


def block_shares(places: Array) -> Array:
    """How much each quarter hour of the week has of each block, `(place, block)`: all of one in its middle, half of two
    where they meet. Worked out once for all measures and rivals that ask for the same; not to be written to."""
    return _block_shares(np.asarray(places, dtype=np.float64).tobytes())


@lru_cache(maxsize=16)
def _block_shares(told: bytes) -> Array:
    places = np.frombuffer(told)
    place = (places % A_DAY - (_BLOCK_QUARTERS - 1) / 2) / _BLOCK_QUARTERS
    before = np.floor(place).astype(np.int64)
    shares, row = np.zeros((places.size, BLOCKS)), np.arange(places.size)
    shares[row, before % BLOCKS] = 1.0 - (place - before)
    shares[row, (before + 1) % BLOCKS] += place - before
    shares.setflags(write=False)
    return shares


def _summaries(errors: Array, block: Integers, levels: tuple[float, ...]) -> Array:
    """Mean and quantiles by block, `(block, lead, 1 + level)`; those of all errors where a block has too few."""
    by_block = _summary(_side_by_side(errors, block), levels)
    unknown = np.isnan(by_block)
    return np.where(unknown, _summary(errors.T, levels), by_block) if unknown.any() else by_block


def _side_by_side(errors: Array, block: Integers) -> Array:
    """The errors of each block, `(block, lead, time)`; NaN behind those of a block that has fewer than another."""
    order, count = np.argsort(block, kind="stable"), np.bincount(block, minlength=BLOCKS)
    out = np.full((BLOCKS, errors.shape[1], int(count.max(initial=0))), np.nan)
    for number, mine in enumerate(np.split(order, np.cumsum(count)[:-1])):
        out[number, :, : mine.size] = errors[mine].T
    return out


def _summary(errors: Array, levels: tuple[float, ...]) -> Array:
    """Mean and quantiles over the last axis of errors, `(.., 1 + level)`; NaN where fewer than `LEAST_ERRORS` are
    known."""
    if not errors.shape[-1]:
        return np.full((*errors.shape[:-1], 1 + len(levels)), np.nan)
    known = ~np.isnan(errors)
    count = known.sum(axis=-1, keepdims=True)
    average = np.where(known, errors, 0.0).sum(axis=-1, keepdims=True) / np.maximum(count, 1)
    found = np.concatenate([average, _cuts(errors, count, levels)], axis=-1) if levels else average
    return np.where(count < LEAST_ERRORS, np.nan, found)


def _cuts(errors: Array, count: Integers, levels: tuple[float, ...]) -> Array:
    """Quantiles over the last axis of errors of which `(.., 1)` are known, `(.., level)`."""
    ranked, last = np.sort(errors, axis=-1), np.maximum(count - 1, 0)
    place = np.asarray(levels) * last
    low = np.floor(place).astype(np.int64)
    below = np.take_along_axis(ranked, low, -1)
    above = np.take_along_axis(ranked, np.minimum(low + 1, last), -1)
    return np.asarray(below + (place - low) * (above - below))


def blocks_of(places: Array) -> Integers:
    """The block of the local day, 0 .. 7, of quarter hours of the week."""
    return (places.astype(np.int64) % A_DAY) // _BLOCK_QUARTERS


def read(by_slot: Array, places: Array) -> Array:
    """Values by slot, `(.., slot)`, read between two slots for instants off the quarter hour, `(.., place)`."""
    slot = np.floor(places).astype(np.int64)
    share = places - slot
    if not share.any():
        return np.asarray(by_slot[..., slot % A_WEEK])
    return np.asarray((1 - share) * by_slot[..., slot % A_WEEK] + share * by_slot[..., (slot + 1) % A_WEEK])


def earlier(values: Array, steps: Integers) -> Array:
    """The values so many steps before each time, `(time, lead)`; NaN before the beginning."""
    at = np.arange(values.size)[:, None] - steps
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan)


def lasting_share(before: Array, after: Array) -> Array:
    """How much of an earlier departure is found again, by lead: least squares through 0, kept in 0 .. 1.

    Both are `(time, lead)`, or broadcast to it.
    """
    product = before * after
    square = np.where(np.isnan(product), 0.0, before * before).sum(axis=0)
    slope = np.nansum(product, axis=0) / np.where(square > 0, square, np.inf)
    return np.asarray(np.clip(slope, 0.0, 1.0))
