"""Recalibration: what past verified forecasts say of the next one, carried back onto its members.

A simulation is never quite right about its own errors, and its rivals know things that it does not. For each measure,
lead and block of the local day four things are learned from the forecasts whose truth is known, the recent ones most:

1. by how much the simulation was off on the whole;
2. how much weight it deserves beside its rivals (`forecast/weighting.py`);
3. by how much their combination was off on the whole;
4. how much wider or narrower the 80 % interval of the combination would have had to be to hold eight times in ten.

The first, third and fourth are drawn towards "nothing to correct": an error that may be chance is left alone. Days
resemble one another, so days are counted, not forecasts.

A member says what its rank among the members says in the corrected distribution, so that members keep their order and
their course, and whatever is read from members (peaks, sums, chances to exceed) agrees with the published quantiles.
The members of another scenario move by as much as their partners: paired differences stay the simulation's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from forecast.levelled import FOLLOWERS
from forecast.members import in_order, ranked
from forecast.scores import equal_weight
from forecast.spread import COVERED, credible, daily, factor
from forecast.usual import A_DAY, quarters_of_week, valid_quarters
from forecast.values import Array, Forecast, Members, Series
from forecast.verify import Pairs
from forecast.weighting import Told, combined, heed_of, level_shares, spoken, weights_by_block

Index = npt.NDArray[np.int64]
Rival = TypeVar("Rival")

WINDOW = timedelta(days=240)
"""How far back forecasts are learned from."""
APART = timedelta(hours=5)
"""Forecasts that are learned from lie so far apart: nearer ones tell the same again; all hours come round."""
OFF_HALF_LIFE_DAYS = 14.0
"""Errors on the whole count half as much as those so many days younger: what changed is to be followed."""
SPREAD_HALF_LIFE_DAYS = 60.0
BLOCK_DAYS = 45.0
"""Days of forecasts at which the spread of a block of the day and that of all hours weigh alike."""
NARROWEST_HALF = 0.5
"""Half the width that an interval is taken to have at least, in the unit of the measure."""
BLOCK_HOURS = 6
BLOCKS = 24 // BLOCK_HOURS
_QUARTERS_AN_HOUR = 4
_SLACK = timedelta(minutes=5)
"""A turn may begin a little late."""
_SHARE = "weight_of_simulation"
_LOW, _HIGH = round(0.5 - COVERED / 2, 9), round(0.5 + COVERED / 2, 9)


@dataclass(frozen=True, eq=False)
class At:
    """What is corrected at some leads of one forecast."""

    too_high: Array
    """In the simulation, `(lead,)`."""
    weights: Array
    """Of the simulation and its rivals, `(lead, forecaster)`."""
    off: Array
    """By how much their combination was too high, `(lead,)`."""
    spread: Array
    """The factor on the distance from the mean, `(lead,)`."""

    def marginal(self, told: Array, mean_shares: Array) -> Array:
        """The distribution published, `(lead, n)`, from what forecasters say in order, `(lead, forecaster, n)`."""
        simulated = told[:, :1] - self.too_high[:, None, None]
        whole = combined(np.concatenate([simulated, told[:, 1:]], axis=1), self.weights)
        mean = (whole * mean_shares).sum(axis=1, keepdims=True)
        return np.asarray(mean - self.off[:, None] + self.spread[:, None] * (whole - mean))


@dataclass(frozen=True, eq=False)
class Correction:
    """What is corrected in one measure."""

    lead_min: Array
    """The leads at which forecasts are verified, rising, `(lead,)`."""
    too_high: Array
    """By how much the simulation was too high, by block of the local day of the valid time, `(block, lead)`."""
    spread: Array
    """The factor on the distance of each member from their mean, `(block, lead)`."""
    rivals: tuple[str, ...] = ()
    weights: Array | None = None
    """Of the simulation and the rivals, `(block, lead, forecaster)`; None where all is the simulation's."""
    off: Array | None = None
    """By how much the combination was too high, `(block, lead)`; None where it was not."""

    def at(self, lead_min: Array, hour: Array) -> At:
        """What is corrected for valid times at local hours `(lead,)`.

        Between verified leads, and between the middles of blocks, corrections go over into one another; at lead 0
        there are none.
        """
        alone = np.eye(1, 1 + len(self.rivals))[0]
        known, shape = np.concatenate([[0.0], self.lead_min]), (*self.too_high.shape, alone.size)
        weights = np.broadcast_to(alone, shape) if self.weights is None else self.weights
        off = np.zeros(self.too_high.shape) if self.off is None else self.off
        columns = np.concatenate([np.stack([self.too_high, off, self.spread], axis=-1), weights], axis=-1)
        start = np.broadcast_to([0.0, 0.0, 1.0, *alone], (BLOCKS, 1, 3 + alone.size))
        found = _between(
            np.concatenate([start, columns], axis=1), np.interp(lead_min, known, np.arange(known.size)), hour
        )
        return At(found[:, 0], found[:, 3:], found[:, 1], found[:, 2])

    def members(self, values: Array, lead_min: Array, hour: Array, rivals: Mapping[str, Series]) -> Array:
        """Members `(lead, member)` corrected, for valid times at local hours `(lead,)`; never below 0.

        Each says what its rank says; ties keep the order that they have around. Lead 0 stays as it is.
        """
        order = ranked(values)
        simulated = np.take_along_axis(values, order, axis=1)
        size = values.shape[1]
        told = [simulated, *(_told(rivals.get(name), lead_min.size, size) for name in self.rivals)]
        published = self.at(lead_min, hour).marginal(np.stack(told, axis=1), np.full(size, 1.0 / size))
        corrected = in_order(np.maximum(published, 0.0), order)
        return np.where(lead_min[:, None] > 0, corrected, values)

    def without_simulation(self, lead_min: Array, hour: Array, rivals: Mapping[str, Series]) -> Series:
        """What the rivals say together, for a site that sends counts and knows no patients."""
        levels = tuple(sorted(next(iter(rivals.values())).quantiles))
        nothing = Series(np.full(lead_min.size, np.nan), {q: np.full(lead_min.size, np.nan) for q in levels})
        told = [nothing, *(rivals.get(name, nothing) for name in self.rivals)]
        cuts = np.stack([np.stack([one.quantiles[q] for q in levels], axis=-1) for one in told], axis=1)
        shares = level_shares(levels)
        said = np.maximum(self.at(lead_min, hour).marginal(cuts, shares), 0.0)
        return Series((said * shares).sum(axis=1), {q: said[:, i] for i, q in enumerate(levels)})


@dataclass(frozen=True, eq=False)
class Recalibration:
    """What is corrected, by measure; a measure that is not here stays as simulated."""

    zone: str = "UTC"
    measures: Mapping[str, Correction] = field(default_factory=dict)
    days: int = 0
    """Days of verified forecasts that it was learned from."""

    @property
    def digest(self) -> str:
        """A short name for what was learned: equal where every number of it is."""
        told = hashlib.sha256(f"{self.zone} {self.days}".encode())
        for name, of in self.measures.items():
            numbers = [x for x in (of.lead_min, of.too_high, of.spread, of.weights, of.off) if x is not None]
            told.update(f"{name} {of.rivals}".encode() + b"".join(x.tobytes() for x in numbers))
        return told.hexdigest()[:16]

    def named(
        self, lead_min: Array, as_of: datetime, rivals: Mapping[str, Mapping[str, Series]] | None = None
    ) -> dict[str, Any]:
        """From how many days it was learned, its name, what it corrects; how much of a forecast is the simulation's.

        Ready for JSON; the last by measure and verified lead.
        """
        told, shares = by_measure(rivals or {}), {}
        for measure, of in self.measures.items():
            share = self.simulated_share(measure, lead_min, as_of, told.get(measure))
            at = [(lead, w) for lead, w in zip(lead_min, share, strict=True) if lead in of.lead_min]
            shares[measure] = {f"{lead:g}": round(float(w), 4) for lead, w in at}
        return {"days": self.days, "hash": self.digest, "measures": list(self.measures), _SHARE: shares}

    def one(
        self, measure: str, values: Array, lead_min: Array, as_of: datetime, rivals: Mapping[str, Series] | None = None
    ) -> Array:
        """The members of one measure, `(lead, member)`, corrected for a forecast as of an instant.

        `rivals` is what its rivals said then, over the same leads. A measure that some members lack stays as it is.
        """
        if measure not in self.measures or np.isnan(values).any():
            return values
        return self.measures[measure].members(values, lead_min, self._hour(as_of, lead_min), rivals or {})

    def simulated_share(
        self, measure: str, lead_min: Array, as_of: datetime, rivals: Mapping[str, Series] | None = None
    ) -> Array:
        """The share of the simulation in what is published, `(lead,)`."""
        if measure not in self.measures:
            return np.ones(lead_min.size)
        of = self.measures[measure]
        told = [np.zeros((lead_min.size, 1)), *(_told((rivals or {}).get(n), lead_min.size, 1) for n in of.rivals)]
        return spoken(np.stack(told, axis=1), of.at(lead_min, self._hour(as_of, lead_min)).weights)[:, 0]

    def scenarios(
        self, members: Mapping[str, Members], as_of: datetime, rivals: Mapping[str, Mapping[str, Series]] | None = None
    ) -> dict[str, Members]:
        """All scenarios' members, the first corrected, the others moved with it, member by member.

        `rivals` (rival -> measure -> distribution) is over the leads of the members.
        """
        shift = self.shift(next(iter(members.values())), as_of, rivals)
        return {name: moved_by(shift, of) for name, of in members.items()}

    def shift(
        self, first: Members, as_of: datetime, rivals: Mapping[str, Mapping[str, Series]] | None = None
    ) -> dict[str, Array]:
        """By how much each member of the first scenario is moved, by measure, `(lead, member)`."""
        told = by_measure(rivals or {})
        return {
            m: self.one(m, first.measures[m], first.lead_min, as_of, told.get(m)) - first.measures[m]
            for m in self.measures
        }

    def _hour(self, as_of: datetime, lead_min: Array) -> Array:
        return np.asarray(quarters_of_week(as_of, lead_min, self.zone) % A_DAY / _QUARTERS_AN_HOUR)


def by_measure(rivals: Mapping[str, Mapping[str, Series]]) -> dict[str, dict[str, Series]]:
    """Rival -> measure -> what it says, the other way round."""
    measures = dict.fromkeys(m for by in rivals.values() for m in by)
    return {m: {name: by[m] for name, by in rivals.items() if m in by} for m in measures}


def simulated_share(forecast: Forecast, lead_min: Sequence[float]) -> dict[str, Array]:
    """The share of the simulation in a forecast, by measure, `(lead,)`; measures that are all its are not here."""
    told = forecast.provenance.get("recalibration", {}).get(_SHARE, {})
    return {m: np.array([by_lead.get(f"{lead:g}", 1.0) for lead in lead_min]) for m, by_lead in told.items()}


def shares_of(forecast: Forecast) -> dict[str, dict[int, float]]:
    """The same by measure and verified lead in minutes; nothing where all is the simulation's."""
    told = forecast.provenance.get("recalibration", {}).get(_SHARE, {})
    return {m: {round(float(lead)): share for lead, share in by_lead.items()} for m, by_lead in told.items()}


def spaced(instants: Sequence[datetime]) -> list[datetime]:
    """Those of rising instants that are learned from: each `APART` or more after the one before it."""
    chosen: list[datetime] = []
    for at in instants:
        if not chosen or at - chosen[-1] >= APART - _SLACK:
            chosen.append(at)
    return chosen


def learn(pairs: Pairs, zone: str) -> Recalibration:
    """What verified forecasts teach, those nearer than `APART` left out; pairs without a truth are passed over."""
    known = ~np.isnan(pairs.observed)
    instants = spaced([at.replace(tzinfo=UTC) for at in np.unique(pairs.issued_at[known]).tolist()])
    chosen = np.array([at.replace(tzinfo=None) for at in instants], dtype="datetime64[us]")
    told = pairs.taken(np.flatnonzero(known & np.isin(pairs.issued_at, chosen)))
    days = np.unique(told.issued_at.astype("datetime64[D]")).size
    measures = dict.fromkeys(told.measure.tolist())
    return Recalibration(
        zone, {m: _correction(told.taken(np.flatnonzero(told.measure == m)), zone) for m in measures}, days
    )


def weighed(rivals: Mapping[str, Rival]) -> dict[str, Rival]:
    """The rivals that are weighed: of two that do the same, the one that follows its level.

    The other one stays a rival to be judged by. While a level changes its weight would hold the forecast back.
    """
    return {name: of for name, of in rivals.items() if FOLLOWERS.get(name) not in rivals}


def _told(series: Series | None, leads: int, size: int) -> Array:
    """A rival's quantiles at the ranks of so many members, `(lead, member)`; NaN where it says nothing."""
    if series is None:
        return np.full((leads, size), np.nan)
    levels = sorted(series.quantiles)
    return equal_weight(np.stack([series.quantiles[q] for q in levels], axis=-1), levels=levels, size=size)


def moved_by(shift: Mapping[str, Array], members: Members) -> Members:
    """Members, or the first of them, each moved by as much as its partner; never below 0."""
    moved = {m: np.maximum(members.measures[m] + by[:, : members.count], 0.0) for m, by in shift.items()}
    return Members(members.lead_min, {**members.measures, **moved})


def _between(by_block: Array, place: Array, hour: Array) -> Array:
    """`(block, lead, column)` at places among the leads and local hours, `(lead,)`: a block's own in its middle."""
    block = (hour / BLOCK_HOURS - 0.5) % BLOCKS
    b, lead = block.astype(np.int64) % BLOCKS, np.minimum(place.astype(np.int64), by_block.shape[1] - 2)
    after, further = (block - np.floor(block))[:, None], (place - lead)[:, None]

    def at(which: Index) -> Array:
        return np.asarray((1 - further) * by_block[which, lead] + further * by_block[which, lead + 1])

    return np.asarray((1 - after) * at(b) + after * at((b + 1) % BLOCKS))


def _correction(pairs: Pairs, zone: str) -> Correction:
    leads = np.unique(pairs.lead_min)
    latest = pairs.issued_at.max()
    pairs = replace(pairs, rivals=weighed(pairs.rivals))
    found = [_at_lead(pairs.taken(np.flatnonzero(pairs.lead_min == lead)), latest, zone) for lead in leads]
    too_high, weights, off, spread = (np.stack(column, axis=1) for column in zip(*found, strict=True))
    return Correction(leads, too_high, spread, tuple(pairs.rivals), weights, off)


def _at_lead(pairs: Pairs, latest: np.datetime64, zone: str) -> tuple[Array, Array, Array, Array]:
    """Of pairs that share a measure and a lead, by block: how much too high, weights, how much off, spread.

    1. How much the simulation was too high.
    2. Weights between the simulation, so corrected, and its rivals.
    3. How much their combination was off.
    4. Its spread, for all hours together, then by block beside that.
    """
    age = (latest - pairs.issued_at) / np.timedelta64(1, "D")
    block = _blocks(pairs, zone)
    _, day = np.unique(pairs.issued_at.astype("datetime64[D]"), return_inverse=True)
    recent = 0.5 ** (age / OFF_HALF_LIFE_DAYS)
    too_high = _off_by_block(pairs.raw_error, block, day, recent)  # 1
    told = np.stack(
        [pairs.raw_quantiles - too_high[block][:, None], *(r.quantiles for r in pairs.rivals.values())], axis=1
    )
    weights = weights_by_block(Told(told, pairs.levels, pairs.observed, heed_of(age)), block, BLOCKS)  # 2
    said = combined(told, weights[block])
    mean = said @ level_shares(pairs.levels)
    off = _off_by_block(mean - pairs.observed, block, day, recent)  # 3
    distance = _distance(said, mean, pairs.observed + off[block], pairs.levels)
    spread = _spread_by_block(distance, block, day, 0.5 ** (age / SPREAD_HALF_LIFE_DAYS))  # 4
    return too_high, weights, off, spread


def _off_by_block(error: Array, block: Index, day: Index, heed: Array) -> Array:
    """The error on the whole, and what blocks have of their own beside it, as far as it is not chance, `(block,)`."""
    known = ~np.isnan(error)
    off = np.full(BLOCKS, credible(*daily(error[known], day[known], heed[known])))
    for b in np.unique(block[known]):
        mine = known & (block == b)
        off[b] += credible(*daily(error[mine] - off[b], day[mine], heed[mine]))
    return off


def _spread_by_block(distance: Array, block: Index, day: Index, heed: Array) -> Array:
    known = ~np.isnan(distance)
    every = factor(distance[known], day[known], heed[known])
    spread = np.full(BLOCKS, every)
    for b in np.unique(block[known]):
        mine = known & (block == b)
        spread[b] *= factor(distance[mine] / every, day[mine], heed[mine], BLOCK_DAYS)
    return spread


def _distance(said: Array, mean: Array, observed: Array, levels: tuple[float, ...]) -> Array:
    """How far from the mean what came lay, in distances of the end of the interval on its side."""
    low, high = (said[:, int(np.argmin(np.abs(np.asarray(levels) - level)))] for level in (_LOW, _HIGH))
    away = observed - mean
    half = np.where(away > 0, high - mean, mean - low)
    return np.asarray(np.abs(away) / np.maximum(half, NARROWEST_HALF))


def _blocks(pairs: Pairs, zone: str) -> Index:
    """The block of the local day of each valid time."""
    quarter = valid_quarters(pairs.issued_at, pairs.lead_min, zone) % A_DAY
    return np.asarray(quarter // (_QUARTERS_AN_HOUR * BLOCK_HOURS), dtype=np.int64)
