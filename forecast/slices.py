"""How good some of the pairs were, all scores side by side: by lead, by hour block, by day of the week."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.dayblocks import Band, days_of, mean_interval, share_band, skill_interval
from forecast.scores import below, mean, pinball, pit_quantiles
from forecast.usual import valid_quarters
from forecast.values import Array, or_none
from forecast.verify import INTERVALS, Pairs

Index = npt.NDArray[np.int64]

BLOCK_HOURS = 4
BLOCKS = 24 // BLOCK_HOURS
DAYS_A_WEEK = 7
HOURS_A_WEEK = 168
WITHIN = INTERVALS[80]
"""The ends of the 80 % interval, as ranks."""
RANK_BINS = 10
_DIGITS = 6


@dataclass(frozen=True)
class Slice:
    """Scores of the pairs of one measure that met their truth; NaN where it cannot be said."""

    n: int
    mae: float
    bias: float
    bias_ci95: tuple[float, float]
    crps: float
    width_80: float
    """Mean width of the 80 % interval."""
    coverage: Mapping[int, float]
    """Ends included: of counts more than the nominal share."""
    covered_80: float
    """Of the 80 % interval by ranks: who lies on an end counts by luck."""
    pinball: Mapping[float, float]
    quantile_bias: Mapping[float, float]
    """Share of outcomes below the quantile (ties half) less its level."""
    raw_crps: float
    raw_bias: float
    weight_of_simulation: float
    """Share of the simulation in what was published; the rest is the baselines'."""
    skill: Mapping[str, float]
    skill_ci95: Mapping[str, tuple[float, float]]
    rival_mae: Mapping[str, float]
    rival_crps: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """What `edtwin backtest --json` adds to the scores of a lead."""
        levels = {f"{level:g}": (self.pinball[level], self.quantile_bias[level]) for level in self.pinball}
        return {
            "bias_ci95": [or_none(end, _DIGITS) for end in self.bias_ci95],
            "covered_80_by_rank": or_none(self.covered_80, _DIGITS),
            "width_80": or_none(self.width_80, _DIGITS),
            "pinball": {level: or_none(loss, _DIGITS) for level, (loss, _) in levels.items()},
            "quantile_bias": {level: or_none(off, _DIGITS) for level, (_, off) in levels.items()},
        }


def slice_of(pairs: Pairs, rank: Array, *, seed: int = 0) -> Slice:
    """The scores of pairs; `rank` is what `ranks` says of each."""
    held = np.flatnonzero(~np.isnan(pairs.crps))
    kept, rank = pairs.taken(held), rank[held]
    day, levels = days_of(kept.issued_at), kept.levels
    low, high = (levels.index(end) for end in WITHIN)
    quantiles = kept.quantiles.T
    both = {name: np.where(np.isnan(r.crps), np.nan, kept.crps) for name, r in kept.rivals.items()}
    return Slice(
        n=len(kept),
        mae=mean(kept.absolute_error).value,
        bias=mean(kept.error).value,
        bias_ci95=mean_interval(kept.error, day, seed=seed),
        crps=mean(kept.crps).value,
        width_80=mean(quantiles[high] - quantiles[low]).value,
        coverage={percent: mean(hit).value for percent, hit in kept.inside.items()},
        covered_80=mean(within(rank)).value,
        pinball={p: mean(pinball(q, kept.observed, level=p)).value for p, q in zip(levels, quantiles, strict=True)},
        quantile_bias={p: mean(below(q, kept.observed)).value - p for p, q in zip(levels, quantiles, strict=True)},
        raw_crps=mean(kept.raw_crps).value,
        raw_bias=mean(kept.raw_error).value,
        weight_of_simulation=mean(kept.weight_of_simulation).value,
        skill={name: 1.0 - _ratio(both[name], r.crps) for name, r in kept.rivals.items()},
        skill_ci95={name: skill_interval(both[name], r.crps, day, seed=seed) for name, r in kept.rivals.items()},
        rival_mae={name: mean(r.absolute_error).value for name, r in kept.rivals.items()},
        rival_crps={name: mean(r.crps).value for name, r in kept.rivals.items()},
    )


def ranks(pairs: Pairs, *, seed: int = 0) -> Array:
    """The randomised pit of every pair, `(pair,)`, read from its quantiles as of counts; NaN without a truth."""
    rng = np.random.default_rng(seed)
    return pit_quantiles(pairs.quantiles, pairs.observed, levels=pairs.levels, rng=rng)


def within(rank: Array) -> Array:
    """1 where a rank lies within the 80 % interval, 0 where not, NaN where there is none."""
    return np.where(np.isnan(rank), np.nan, ((rank > WITHIN[0]) & (rank < WITHIN[1])).astype(np.float64))


def rank_shares(rank: Array, day: Index, *, seed: int = 0) -> Band:
    """The share of ranks in each tenth, with a simultaneous band; flat at 0.1 where forecasts are calibrated."""
    known = np.flatnonzero(~np.isnan(rank))
    tenth = np.minimum((rank[known] * RANK_BINS).astype(np.int64), RANK_BINS - 1)
    hit = (tenth[:, None] == np.arange(RANK_BINS)).astype(np.float64)
    group = np.tile(np.arange(RANK_BINS), known.size)
    return share_band(hit.ravel(), group, RANK_BINS, np.repeat(day[known], RANK_BINS), seed=seed)


def hour_of_week(pairs: Pairs, zone: str) -> Index:
    """The local hour of each valid time since Monday 0:00, 0 .. 167."""
    return np.asarray(valid_quarters(pairs.issued_at, pairs.lead_min, zone) // 4, dtype=np.int64) % HOURS_A_WEEK


def covered_by_block(pairs: Pairs, rank: Array, zone: str, *, seed: int = 0) -> Band:
    """The share inside the 80 % interval, by ranks, in each block of four local hours, with a simultaneous band."""
    block = hour_of_week(pairs, zone) % 24 // BLOCK_HOURS
    return share_band(within(rank), block, BLOCKS, days_of(pairs.issued_at), seed=seed)


def _ratio(over: Array, under: Array) -> float:
    total = float(np.nansum(under))
    return float(np.nansum(over)) / total if total > 0 else float("nan")
