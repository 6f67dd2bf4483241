"""How long something lasts, as quantile tables: one inverse transform of one uniform.

A duration is a table of quantiles by patient class, arrival block and load class, with an exponential tail beyond
the last level. A residual is the same transform at a conditioned uniform: given that it has lasted `elapsed`
already, u becomes F(elapsed) + (1 - F(elapsed)) u, which is exact for any distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from twin.duration_loop import ready

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

LEVELS: Array = np.concatenate([np.linspace(0.0, 0.95, 191), np.linspace(0.955, 0.985, 7)])
"""Levels at which a table holds quantiles, evenly spaced; the tail is exponential beyond the last."""
_LEVELS_PER_UNIT = 200.0
_WEIGHTS: Array = (np.append(np.diff(LEVELS), 0.0) + np.append(0.0, np.diff(LEVELS))) / 2.0
"""Of each level in the mean of what lies between the first and the last, by the trapezoidal rule."""


@dataclass(frozen=True, eq=False)
class Duration:
    """Minutes, by `(class, block, load)`: `table[class, block, load, level]` and `tail_min[class, block, load]`.

    An axis of length 1 stands for all of its values.
    """

    table: Array
    tail_min: Array

    def __post_init__(self) -> None:
        if self.table.ndim != 4 or self.table.shape[3] != LEVELS.size or self.tail_min.shape != self.table.shape[:3]:
            raise ValueError(f"table must be (class, block, load, {LEVELS.size}), but is {self.table.shape}")
        rises = self.table[..., 1:] >= self.table[..., :-1]
        if not rises.all() or not (self.table[..., 0] >= 0).all():
            raise ValueError("quantiles must not fall and must not be negative")

    @property
    def loads(self) -> int:
        """How many load classes the table tells apart."""
        return int(self.table.shape[2])

    def at(self, uniform: Array, cls: Index, block: Index) -> Array:
        """Minutes for each patient and load class, `(n, load)`, from one uniform each, `(n,)`."""
        i, j = self._cell(cls, block)
        above, share = _between(uniform)
        low, high = self.table[i, j, :, above - 1], self.table[i, j, :, above]
        out = low + share[:, None] * (high - low)
        late = np.flatnonzero(uniform > LEVELS[-1])
        i, j = i[late], j[late]
        out[late] = self.table[i, j, :, -1] - self.tail_min[i, j] * _tail_log(uniform[late])[:, None]
        return out

    def residual(self, uniform: Array, elapsed_min: Array, cls: Index, block: Index) -> Array:
        """Minutes still to come for each patient and load class, `(n, load)`, given the minutes already lasted."""
        return self.beyond(self.reached(elapsed_min, cls, block), uniform, elapsed_min, cls, block)

    def reached(self, elapsed_min: Array, cls: Index, block: Index) -> Array:
        """The probability of lasting no longer than the minutes given, `(n, load)`."""
        at = self._at(cls, block)
        elapsed = np.repeat(elapsed_min, self.loads)
        return _level(self._lines, self.tail_min.ravel(), at.ravel(), elapsed).reshape(at.shape)

    def beyond(self, reached: Array, uniform: Array, elapsed_min: Array, cls: Index, block: Index) -> Array:
        """As `residual`, where what was `reached` is known."""
        at, tails = self._at(cls, block).ravel(), self.tail_min.ravel()
        elapsed, drawn = (np.repeat(values, self.loads) for values in (elapsed_min, uniform))
        level = reached.ravel()
        total = _quantile(self._lines, tails, at, level + (1.0 - level) * drawn)
        (over,) = np.nonzero(level >= 1.0 - 1e-9)
        total[over] = elapsed[over] - tails[at[over]] * np.log1p(-drawn[over])
        return np.maximum(total - elapsed, 0.0).reshape(reached.shape)

    def survival(self, elapsed_min: Array, cls: Index, block: Index, load: int = 0) -> Array:
        """The probability of lasting longer than the minutes given, `(n,)`."""
        return 1.0 - _level(self._lines, self.tail_min.ravel(), self._at(cls, block)[:, load], elapsed_min)

    def scaled(self, factor: float) -> Duration:
        """The same duration, `factor` times as long."""
        return Duration(self.table * factor, self.tail_min * factor)

    def at_load(self, load: int) -> Duration:
        """The same whatever the load: as it is at one."""
        return Duration(self.table[:, :, load : load + 1], self.tail_min[:, :, load : load + 1])

    def mean_min(self) -> Array:
        """Mean minutes by `(class, block, load)`."""
        return mean_of(self.table, self.tail_min)

    def mean_at(self, cls: Index, block: Index, load: Index) -> Array:
        """Mean minutes of some patients at their load classes, `(n,)`."""
        i, j = self._cell(cls, block)
        return np.asarray(self.mean_min()[i, j, load if self.loads > 1 else np.zeros_like(load)])

    @property
    def _lines(self) -> Array:
        """The quantiles of each class, block and load, `(line, level)`."""
        return self.table.reshape(-1, LEVELS.size)

    def _at(self, cls: Index, block: Index) -> Index:
        """The line of each patient and load class, `(n, load)`."""
        i, j = self._cell(cls, block)
        return np.asarray(((i * self.table.shape[1] + j) * self.loads)[:, None] + np.arange(self.loads))

    def _cell(self, cls: Index, block: Index) -> tuple[Index, Index]:
        i = cls if self.table.shape[0] > 1 else np.zeros_like(cls)
        j = block if self.table.shape[1] > 1 else np.zeros_like(block)
        return i, j


class Laid:
    """Several durations in one table, for looking many of them up at once: `(n, load)`, all with as many loads.

    What it gives is what `Duration.at` gives, to the last bit; one that tells no loads apart has the same for all.
    """

    def __init__(self, durations: Sequence[Duration], loads: int) -> None:
        self.loads = loads
        axes = [(d.table.shape[0], d.table.shape[1]) for d in durations]
        self._first = np.concatenate([[0], np.cumsum([classes * blocks for classes, blocks in axes])]).astype(np.int64)
        self._by_class = np.array([blocks if classes > 1 else 0 for classes, blocks in axes], dtype=np.int64)
        self._by_block = np.array([1 if blocks > 1 else 0 for _, blocks in axes], dtype=np.int64)
        tables = [np.broadcast_to(d.table, (*d.table.shape[:2], loads, LEVELS.size)) for d in durations]
        rows = [table.transpose(0, 1, 3, 2).reshape(-1, loads) for table in tables]
        tails = [np.broadcast_to(d.tail_min, (*d.tail_min.shape[:2], loads)).reshape(-1, loads) for d in durations]
        self._rows, self._tails = (np.concatenate([np.empty((0, loads)), *parts]) for parts in (rows, tails))

    @property
    def cells(self) -> tuple[Index, Index, Index, Array]:
        """The first cell of each duration, how far classes and blocks lie apart in it, and every cell's quantiles."""
        return self._first, self._by_class, self._by_block, self._rows

    def at(self, uniform: Array, duration: Index, cls: Index, block: Index) -> Array:
        """Minutes of a duration each, by its place among those given, from one uniform each: `(n, load)`."""
        cell = self._first[duration] + cls * self._by_class[duration] + block * self._by_block[duration]
        above, share = _between(uniform)
        place = cell * LEVELS.size + above
        out: Array = self._rows.take(place, axis=0)
        low = self._rows.take(place - 1, axis=0)
        out -= low
        out *= share[:, None]
        out += low
        late = np.flatnonzero(uniform > LEVELS[-1])
        last = self._rows[(cell[late] + 1) * LEVELS.size - 1]
        out[late] = last - self._tails[cell[late]] * _tail_log(uniform[late])[:, None]
        return out


def fixed(minutes: float) -> Duration:
    """Always the same."""
    return Duration(np.full((1, 1, 1, LEVELS.size), float(minutes)), np.zeros((1, 1, 1)))


def exponential(mean_min: float) -> Duration:
    """Exponential with the mean; exact between the levels at which the table stands, and in its tail."""
    table = -special.log1p(-LEVELS) * mean_min
    return Duration(table.reshape(1, 1, 1, -1), np.full((1, 1, 1), float(mean_min)))


def piecewise_exponential(from_min: Array, hazard: Array) -> Duration:
    """A constant hazard, per minute and above 0, from each minute to the next, `(stretch,)`; the last for ever."""
    risen = np.concatenate([[0.0], np.cumsum(hazard[:-1] * np.diff(from_min))])
    reached = -np.log1p(-LEVELS)
    stretch = np.searchsorted(risen, reached, side="right") - 1
    table = from_min[stretch] + (reached - risen[stretch]) / hazard[stretch]
    return Duration(table.reshape(1, 1, 1, -1), np.full((1, 1, 1), 1.0 / float(hazard[-1])))


def lognormal(median_min: float, sigma: float) -> Duration:
    """Lognormal by its median and the standard deviation of its logarithm."""
    table = np.exp(sigma * special.ndtri(LEVELS)) * median_min
    return Duration(table.reshape(1, 1, 1, -1), np.full((1, 1, 1), tail_of(table, sigma)))


def tail_of(table: Array, sigma: float) -> float:
    """Mean excess of a lognormal over the last level of its table: its partial expectation, less that level."""
    last, median = float(table[-1]), float(np.interp(0.5, LEVELS, table))
    beyond = float(special.ndtr(sigma - np.log(last / median) / sigma))
    return median * float(np.exp(sigma**2 / 2)) * beyond / (1.0 - float(LEVELS[-1])) - last


def empirical(samples: Array) -> tuple[Array, float]:
    """Quantiles at LEVELS and the tail's mean excess of a sample of minutes, NaN left out; needs one value."""
    kept = np.sort(samples[~np.isnan(samples)])
    table = _cuts(kept)
    excess = kept[kept > table[-1]] - table[-1]
    return table, float(excess.mean()) if excess.size else float(max(table[-1] - table[-2], 1e-3))


def _cuts(rising: Array) -> Array:
    """What `np.quantile` says at LEVELS of a rising sample, to the last bit, in less time."""
    place = LEVELS * (rising.size - 1)
    low = place.astype(np.int64)
    share, below, above = place - low, rising[low], rising[np.minimum(low + 1, rising.size - 1)]
    step = above - below
    return np.where(share < 0.5, below + step * share, above - step * (1.0 - share))


def stacked(rows: Sequence[tuple[Array, float]], shape: tuple[int, int, int]) -> Duration:
    """Rows of (quantiles, tail) in C order of `(class, block, load)` as one duration."""
    table = np.array([row for row, _ in rows]).reshape(*shape, LEVELS.size)
    return Duration(table, np.array([tail for _, tail in rows]).reshape(shape))


def mean_of(table: Array, tail_min: Array | float) -> Array:
    """Mean minutes of quantiles at LEVELS, `(.., level)`, and the tail's mean excess, `(..)`."""
    return np.asarray(table @ _WEIGHTS + (1.0 - LEVELS[-1]) * (table[..., -1] + tail_min))


def _between(uniform: Array) -> tuple[Index, Array]:
    """The place of the level above each uniform, and how far it lies from the level below to that one."""
    step = uniform * _LEVELS_PER_UNIT
    below = np.minimum(step.astype(np.int64), LEVELS.size - 2)
    return below + 1, np.minimum(step - below, 1.0)


def _tail_log(uniform: Array) -> Array:
    """The logarithm of what is left above each uniform, as a share of what lies above the last level."""
    left = np.maximum(1.0 - uniform, 1e-12) / (1.0 - LEVELS[-1])
    return np.asarray(np.log(np.minimum(left, 1.0)))


def _quantile(lines: Array, tails: Array, at: Index, uniform: Array) -> Array:
    """The inverse transform: `(line, level)`, `(line,)`, `(n,)`, `(n,)` -> `(n,)`."""
    out, beyond = np.empty(uniform.size), np.empty(uniform.size, dtype=np.int64)
    if ready:
        beyond = beyond[: ready[0].quantile(LEVELS, lines.ravel(), at, uniform, _LEVELS_PER_UNIT, out, beyond)]
    else:
        above, share = _between(uniform)
        low = lines[at, above - 1]
        out, beyond = low + share * (lines[at, above] - low), np.flatnonzero(uniform > LEVELS[-1])
    out[beyond] = lines[at[beyond], -1] - tails[at[beyond]] * _tail_log(uniform[beyond])
    return out


def _level(lines: Array, tails: Array, at: Index, minutes: Array) -> Array:
    """The distribution function; the inverse of `_quantile` where that rises."""
    out, beyond = np.empty(minutes.size), np.empty(minutes.size, dtype=np.int64)
    if ready:
        beyond = beyond[: ready[0].level(LEVELS, lines.ravel(), at, minutes, out, beyond)]
    else:
        above = _not_above(lines, at, minutes)
        out, beyond = _inside(lines, at, minutes, above), np.flatnonzero(above >= LEVELS.size)
    excess = np.maximum(minutes[beyond] - lines[at[beyond], -1], 0.0) / np.maximum(tails[at[beyond]], 1e-9)
    out[beyond] = 1.0 - (1.0 - LEVELS[-1]) * np.exp(-excess)
    return out


def _inside(lines: Array, at: Index, minutes: Array, above: Index) -> Array:
    """The distribution function between two quantiles of which the upper one is the first above the minutes."""
    i = np.clip(above, 1, LEVELS.size - 1)
    low = lines[at, i - 1]
    step = np.maximum(lines[at, i] - low, 1e-12)
    inside = LEVELS[i - 1] + np.clip((minutes - low) / step, 0.0, 1.0) * (LEVELS[i] - LEVELS[i - 1])
    return np.where(above == 0, 0.0, inside)


def _not_above(lines: Array, at: Index, minutes: Array) -> Index:
    """How many quantiles of its line are not above each value, `(n,)`; all lines are searched at once, by halves."""
    flat, start = lines.ravel(), at * LEVELS.size
    found = np.zeros(minutes.size, dtype=np.int64)
    for step in 2 ** np.arange(LEVELS.size.bit_length())[::-1]:
        further = found + step
        within = further <= LEVELS.size
        within[within] = flat[start[within] + further[within] - 1] <= minutes[within]
        found = np.where(within, further, found)
    return found
