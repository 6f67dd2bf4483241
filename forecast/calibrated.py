"""Recalibration: what past verified forecasts say of the next one, carried back onto its members.

A simulation is never quite right about its own errors. For each measure and lead two things are learned from the
forecasts whose truth is known: by how much they were off on the whole, by time of day, and how much wider their 80 %
interval would have had to be to hold eight times in ten. Both are drawn towards "nothing to correct": an error that
may be chance is left alone, and an interval is never made narrower than the simulation's own.

Members are moved and spread about their mean, so that whatever is read from members (peaks, sums, chances to exceed)
agrees with the published quantiles; the members of another scenario move by as much as their partners, so that paired
differences stay the simulation's. Days resemble one another, so days are counted, not forecasts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from forecast.baselines import quarters_of_week
from forecast.values import Array, Members
from forecast.verify import Pairs

Index = npt.NDArray[np.int64]

WINDOW = timedelta(days=60)
"""How far back forecasts are learned from."""
COVERED = 0.8
"""The share of truths that the interval between the outer deciles has to hold."""
USUAL_DAYS = 14.0
"""Days of forecasts at which what they held and what they should have held weigh alike."""
LEAST_DAYS = 5
"""Fewer days than this tell nothing of the errors on the whole."""
DAYS_ALIKE = 4.0
"""So many days in a row tell as much of the errors on the whole as one that has nothing to do with another."""
NARROWEST_HALF = 0.5
"""Half the width that an interval is taken to have at least, in the unit of the measure."""
WIDENINGS: Array = np.linspace(1.0, 2.5, 151)
BLOCK_HOURS = 6
BLOCKS = 24 // BLOCK_HOURS
_OUTER_DECILE = float(special.ndtri(0.5 + COVERED / 2))
_QUARTERS_AN_HOUR, _QUARTERS_A_DAY = 4, 96


@dataclass(frozen=True, eq=False)
class Correction:
    """What is corrected in one measure."""

    lead_min: Array
    """The leads at which forecasts are verified, rising, `(lead,)`."""
    too_high: Array
    """By how much forecasts were too high, by block of the local day of the valid time, `(block, lead)`."""
    widening: Array
    """The factor on the distance of each member from their mean, `(lead,)`, from 1 up."""

    def members(self, values: Array, lead_min: Array, hour: Array) -> Array:
        """Members `(lead, member)` corrected, for valid times at local hours `(lead,)`; never below 0.

        Between verified leads, and between the middles of blocks, corrections go over into one another; at lead 0 there
        are none. NaN members stay NaN.
        """
        known = np.concatenate([[0.0], self.lead_min])
        by_block = np.array([np.interp(lead_min, known, np.concatenate([[0.0], off])) for off in self.too_high])
        widening = np.interp(lead_min, known, np.concatenate([[1.0], self.widening]))
        mean = np.nanmean(values, axis=1, keepdims=True)
        corrected = mean - _at_hour(by_block, hour)[:, None] + widening[:, None] * (values - mean)
        return np.where(lead_min[:, None] > 0, np.maximum(corrected, 0.0), values)


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
            told.update(name.encode() + of.lead_min.tobytes() + of.too_high.tobytes() + of.widening.tobytes())
        return told.hexdigest()[:16]

    def named(self) -> dict[str, Any]:
        """From how many days it was learned, its name, and what it corrects; ready for JSON."""
        return {"days": self.days, "hash": self.digest, "measures": list(self.measures)}

    def one(self, measure: str, values: Array, lead_min: Array, as_of: datetime) -> Array:
        """The members of one measure, `(lead, member)`, corrected for a forecast as of an instant."""
        if measure not in self.measures or np.isnan(values).all(axis=1).any():
            return values
        hour = quarters_of_week(as_of, lead_min, self.zone) % _QUARTERS_A_DAY / _QUARTERS_AN_HOUR
        return self.measures[measure].members(values, lead_min, hour)

    def scenarios(self, members: Mapping[str, Members], as_of: datetime) -> dict[str, Members]:
        """All scenarios' members, the first corrected, the others moved with it, member by member."""
        first = next(iter(members.values()))
        corrected = {m: self.one(m, first.measures[m], first.lead_min, as_of) for m in self.measures}
        moved = {m: values - first.measures[m] for m, values in corrected.items()}
        return {name: _moved(of, moved) for name, of in members.items()}


def learn(pairs: Pairs, zone: str) -> Recalibration:
    """What verified forecasts teach; pairs without a truth are passed over."""
    told = pairs.taken(np.flatnonzero(~np.isnan(pairs.raw_error)))
    days = np.unique(told.issued_at.astype("datetime64[D]")).size
    measures = dict.fromkeys(told.measure.tolist())
    return Recalibration(
        zone, {m: _correction(told.taken(np.flatnonzero(told.measure == m)), zone) for m in measures}, days
    )


def _moved(members: Members, by: Mapping[str, Array]) -> Members:
    moved = {m: np.maximum(members.measures[m] + shift, 0.0) for m, shift in by.items()}
    return Members(members.lead_min, {**members.measures, **moved})


def _correction(pairs: Pairs, zone: str) -> Correction:
    leads = np.unique(pairs.lead_min)
    found = [_at_lead(pairs.taken(np.flatnonzero(pairs.lead_min == lead)), zone) for lead in leads]
    return Correction(leads, np.array([off for off, _ in found]).T, np.array([widening for _, widening in found]))


def _at_lead(pairs: Pairs, zone: str) -> tuple[Array, float]:
    """How much too high by block, `(block,)`, and the widening, of pairs that share a measure and a lead."""
    _, day = np.unique(pairs.issued_at.astype("datetime64[D]"), return_inverse=True)
    block = _blocks(pairs, zone)
    off = np.full(BLOCKS, _credible(_daily(pairs.raw_error, day)))
    for b in np.unique(block):
        mine = block == b
        off[b] += _credible(_daily(pairs.raw_error[mine] - off[b], day[mine]))
    return off, _widening(np.abs(pairs.raw_error - off[block]) / np.maximum(pairs.raw_half_width, NARROWEST_HALF), day)


def _widening(distance: Array, day: Index) -> float:
    """The least factor with which intervals hold `COVERED` of the truths, `distance` half-widths from their middle.

    The share held is drawn towards that of intervals that are right, as if by `USUAL_DAYS` days of them.
    """
    held = np.array([_daily((distance <= s).astype(np.float64), day).sum() for s in WIDENINGS])
    right = 2.0 * special.ndtr(_OUTER_DECILE * WIDENINGS) - 1.0
    share = (held + USUAL_DAYS * right) / (np.unique(day).size + USUAL_DAYS)
    enough = np.flatnonzero(share >= COVERED - 1e-9)
    return float(WIDENINGS[enough[0] if enough.size else -1])


def _daily(values: Array, day: Index) -> Array:
    """The mean of each day that has one."""
    count = np.bincount(day)
    total = np.bincount(day, weights=values)
    return np.asarray(total[count > 0] / count[count > 0])


def _credible(by_day: Array) -> float:
    """The mean of days as far as it is not chance: less its variance / itself, 0 at least (James and Stein 1961)."""
    if by_day.size < LEAST_DAYS:
        return 0.0
    mean, variance = float(by_day.mean()), float(by_day.var(ddof=1)) * DAYS_ALIKE / by_day.size
    return mean * max(0.0, 1.0 - variance / mean**2) if mean else 0.0


def _blocks(pairs: Pairs, zone: str) -> Index:
    """The block of the local day of each valid time."""
    if not len(pairs):
        return np.empty(0, dtype=np.int64)
    first = pairs.issued_at.min()
    minutes = (pairs.issued_at - first) / np.timedelta64(1, "m") + pairs.lead_min
    origin = first.astype("datetime64[us]").astype(datetime).replace(tzinfo=UTC)
    quarter = quarters_of_week(origin, minutes, zone) % _QUARTERS_A_DAY
    return np.asarray(quarter // (_QUARTERS_AN_HOUR * BLOCK_HOURS), dtype=np.int64)


def _at_hour(by_block: Array, hour: Array) -> Array:
    """`(block, lead)` read at local hours, `(lead,)`: a block's own in its middle, going over to the next."""
    place = (hour / BLOCK_HOURS - 0.5) % BLOCKS
    before = place.astype(np.int64) % BLOCKS
    share, lead = place - np.floor(place), np.arange(hour.size)
    return np.asarray((1 - share) * by_block[before, lead] + share * by_block[(before + 1) % BLOCKS, lead])
