"""Weights between forecasters, learned from how they did: a distribution better than the best of them alone.

Several forecasters say quantiles of the same thing. Their combination says at each level the weighted mean of what they
say (Vincent's average), so it keeps the shape of a single forecast, where a mixture of distributions would be wider
than any of them; weights are 0 or more and sum to 1, and those that say nothing are left out. They are the ones with
the least pinball loss over the quantiles of past verified forecasts, recent ones counting more, drawn towards
the skill of each alone for all hours together and then, for each block of the local day, towards those of all hours.

Sources: Thorey, Mallet and Baudin 2017 (weights by the crps); Berrisch and Ziel 2023 (the same, level by level).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from forecast.values import Array

Index = npt.NDArray[np.int64]

HALF_LIFE_DAYS = 90.0
"""A verified forecast counts half as much as one so many days younger."""
STEEP = 16.0
"""What weights are drawn towards falls with this power of the loss of each alone."""
TOWARDS_SKILL = 0.3
"""How hard weights are drawn there: a squared distance of 1 costs as much as this share of the loss."""
TOWARDS_ALL_HOURS = 1.0
LEAST_PAIRS = 20
"""With fewer, weights stay where they are drawn to."""
_TRIES = 60


@dataclass(frozen=True, eq=False)
class Told:
    """What forecasters said of the same past times, and what came."""

    quantiles: Array
    """`(pair, forecaster, level)`; NaN where one had nothing to say."""
    levels: tuple[float, ...]
    observed: Array
    heed: Array
    """How much each pair counts, `(pair,)`."""

    def taken(self, at: Index) -> Told:
        """Some of the pairs."""
        return Told(self.quantiles[at], self.levels, self.observed[at], self.heed[at])


def heed_of(age_days: Array) -> Array:
    """How much forecasts so many days old count."""
    return np.asarray(0.5 ** (age_days / HALF_LIFE_DAYS))


def weights_by_block(told: Told, block: Index, blocks: int) -> Array:
    """The weights `(block, forecaster)` that would have served best, by block of the valid times."""
    every = weights(told, _by_skill(told), TOWARDS_SKILL)
    parts = (told.taken(np.flatnonzero(block == b)) for b in range(blocks))
    return np.array([weights(part, every, TOWARDS_ALL_HOURS) for part in parts])


def weights(told: Told, towards: Array, strength: float) -> Array:
    """The weights `(forecaster,)` with the least pinball loss, drawn towards given ones."""
    whole = np.flatnonzero(~np.isnan(told.quantiles[:, towards > 0]).any(axis=(1, 2)) & ~np.isnan(told.observed))
    if whole.size < LEAST_PAIRS:
        return towards
    loss = _loss(told.taken(whole))
    usual = max(loss(towards)[0], 1e-9)

    def penalised(w: Array) -> tuple[float, Array]:
        value, slope = loss(w)
        off = w - towards
        return value / usual + strength * float(off @ off), slope / usual + 2.0 * strength * off

    found = minimize(  # type: ignore[call-overload]
        penalised, towards, jac=True, method="SLSQP", bounds=[(0.0, 1.0 if t > 0 else 0.0) for t in towards],
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1.0, "jac": np.ones_like}], options={"maxiter": _TRIES},
    )  # fmt: skip
    w = np.maximum(found.x, 0.0)
    return np.asarray(w / w.sum()) if np.isfinite(w).all() and w.sum() > 0 else towards


def combined(quantiles: Array, weight: Array) -> Array:
    """The mean of `(.., forecaster, level)` weighted by `(.., forecaster)`, over those that speak, `(.., level)`."""
    shares = spoken(quantiles, weight)
    return np.asarray((np.where(shares[..., None] > 0, quantiles, 0.0) * shares[..., None]).sum(axis=-2))


def spoken(quantiles: Array, weight: Array) -> Array:
    """The weights of those that speak, sum 1; equal ones where none of them has any. NaN where nobody speaks."""
    speaks = ~np.isnan(quantiles).any(axis=-1)
    mine = np.where(speaks, weight, 0.0)
    total = mine.sum(axis=-1, keepdims=True)
    count = speaks.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(total > 0, mine / total, np.where(count > 0, speaks / count, np.nan)))


def _by_skill(told: Told) -> Array:
    """Weights that fall with the loss of each alone, of those that mostly spoke; all to the first with few pairs."""
    speaks = np.asarray(~np.isnan(told.quantiles).any(axis=2))
    said = speaks.mean(axis=0) if len(speaks) else np.zeros(speaks.shape[1])
    often = said >= max(1e-9, min(0.8, float(said.max())))
    whole = np.flatnonzero(speaks[:, often].all(axis=1) & ~np.isnan(told.observed))
    if whole.size < LEAST_PAIRS:
        return _first(often)
    loss, each = _loss(told.taken(whole)), np.eye(often.size)
    alone = np.array([loss(each[k])[0] if often[k] else np.inf for k in range(often.size)])
    shares = (np.maximum(alone.min(), 1e-9) / np.maximum(alone, 1e-9)) ** STEEP
    return np.asarray(shares / shares.sum())


def _first(often: npt.NDArray[np.bool_]) -> Array:
    """All to the first (the simulation) where it speaks, else to the others alike."""
    alike = often / often.sum() if often.any() else np.full(often.size, 1.0 / often.size)
    return np.asarray(np.eye(often.size)[0] if often[0] or not often.any() else alike)


def level_shares(levels: tuple[float, ...]) -> Array:
    """The probability that each level stands for: half the way to its neighbours, all beyond at the ends; sum 1."""
    at = np.asarray(levels)
    return np.diff(np.concatenate([[0.0], (at[1:] + at[:-1]) / 2, [1.0]]))


def _loss(told: Told) -> Callable[[Array], tuple[float, Array]]:
    """The pinball loss of weights and its slope: over pairs by heed, over levels by the probability each stands for."""
    levels = np.asarray(told.levels)
    share = (told.heed / told.heed.sum())[:, None] * level_shares(told.levels)
    flat = np.nan_to_num(np.moveaxis(told.quantiles, 1, 2)).reshape(-1, told.quantiles.shape[1])

    def loss(w: Array) -> tuple[float, Array]:
        above = told.observed[:, None] - (flat @ w).reshape(share.shape)
        slope = (share * ((above < 0) - levels)).ravel() @ flat
        return float((share * np.maximum(levels * above, (levels - 1.0) * above)).sum()), np.asarray(slope)

    return loss
