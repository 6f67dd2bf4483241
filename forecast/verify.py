"""Forecasts met by what came: scores by measure and lead, beside those of the baselines.

`score` pairs one forecast with the truth at its verified leads, `score_all` many at once; `verify` sums pairs up. What
is scored is what was published, the quantiles, and the baselines in the same way: anybody who has the quantiles can
check the figures, and a forecast scores the same before and after the archive. A pair counts where the measure existed
in both the forecast and the truth; a baseline is compared on the pairs where it, too, had something to say.

Skill is 1 - crps / the baseline's crps. Its 95 % interval comes from drawing whole days of issues anew (with
replacement): forecasts of one day resemble one another, so single pairs would make it too narrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.board import Skill
from forecast.dayblocks import Instants, days_of, skill_interval
from forecast.scores import absolute_error, crps_quantiles, error, inside, mean, skill
from forecast.values import LEVELS, Array, Forecast, Series, or_none
from ingest.database import naive

VERIFIED_LEADS_MIN: tuple[float, ...] = (60.0, 120.0, 240.0, 480.0, 720.0, 1440.0)
INTERVALS: Mapping[int, tuple[float, float]] = {50: (0.25, 0.75), 80: (0.1, 0.9), 95: (0.025, 0.975)}
"""Nominal coverage in percent to the levels of its ends."""


@dataclass(frozen=True)
class RivalScores:
    """A baseline on the same pairs, `(pair,)` each; NaN where it had nothing to say."""

    crps: Array
    absolute_error: Array
    quantiles: Array
    """What it said at the levels of the pairs, `(pair, level)`."""

    def taken(self, at: npt.NDArray[np.int64]) -> RivalScores:
        """On some of the pairs, by index."""
        return RivalScores(self.crps[at], self.absolute_error[at], self.quantiles[at])


@dataclass(frozen=True)
class Pairs:
    """Forecasts met by what came: arrays are `(pair,)`, quantiles `(pair, level)`.

    Scores are NaN where there was nothing to compare, quantiles where nothing was said or what was said is not kept.
    """

    issued_at: Instants
    """UTC, to the microsecond."""
    measure: npt.NDArray[np.object_]
    lead_min: Array
    observed: Array
    error: Array
    """Forecast mean - observed."""
    absolute_error: Array
    """Of the forecast median."""
    crps: Array
    inside: Mapping[int, Array]
    """Nominal coverage in percent to 1 (inside that interval) or 0."""
    raw_crps: Array
    """Of the simulation's own quantiles, before any recalibration; so are the three that follow."""
    raw_error: Array
    raw_half_width: Array
    """Half the width of the 80 % interval."""
    raw_inside_80: Array
    weight_of_simulation: Array
    """Share of the simulation in what was published; the rest is a baseline's."""
    quantiles: Array
    """What was published, `(pair, level)`."""
    raw_quantiles: Array
    """What was simulated, `(pair, level)`; the same where nothing was recalibrated."""
    levels: tuple[float, ...]
    """Of all quantiles here, rising."""
    rivals: Mapping[str, RivalScores]

    def __len__(self) -> int:
        return int(self.lead_min.size)

    def taken(self, at: npt.NDArray[np.int64]) -> Pairs:
        """Some of the pairs, by index."""
        columns = {name: getattr(self, name)[at] for name in _EMPTY}
        inside = {percent: hit[at] for percent, hit in self.inside.items()}
        rivals = {name: rival.taken(at) for name, rival in self.rivals.items()}
        return Pairs(**columns, inside=inside, levels=self.levels, rivals=rivals)


@dataclass(frozen=True)
class RivalVerification:
    """How a baseline did."""

    mae: float
    crps: float


@dataclass(frozen=True)
class Verification:
    """How good the forecasts of one measure at one lead were; NaN where it cannot be said."""

    measure: str
    lead_min: float
    n: int
    left_out: int
    """Pairs in which the measure did not exist, in the forecast or in the truth."""
    mae: float
    bias: float
    crps: float
    coverage: Mapping[int, float]
    baselines: Mapping[str, RivalVerification]
    skill: Mapping[str, float]
    skill_ci95: Mapping[str, tuple[float, float]]
    raw_crps: float
    raw_bias: float
    raw_coverage_80: float
    weight_of_simulation: float

    def as_json(self) -> dict[str, Any]:
        """As printed by `edtwin backtest --json`; NaN becomes null."""
        return {
            "n": self.n,
            "left_out": self.left_out,
            "mae": or_none(self.mae),
            "bias": or_none(self.bias),
            "crps": or_none(self.crps),
            **{f"coverage_{percent}": or_none(share) for percent, share in self.coverage.items()},
            "baselines": {k: {"mae": or_none(r.mae), "crps": or_none(r.crps)} for k, r in self.baselines.items()},
            "skill": {name: or_none(value) for name, value in self.skill.items()},
            "skill_ci95": {name: [or_none(low), or_none(high)] for name, (low, high) in self.skill_ci95.items()},
            "raw": {
                "crps": or_none(self.raw_crps),
                "bias": or_none(self.raw_bias),
                "coverage_80": or_none(self.raw_coverage_80),
            },
            "weight_of_simulation": or_none(self.weight_of_simulation),
        }

    def as_skill(self, *, backtested: bool) -> Skill:
        """As the wall shows it: baselines without a finite skill are left away."""
        known = {name: value for name, value in self.skill.items() if not isnan(value)}
        lead_min = round(self.lead_min)
        return Skill(
            self.measure, lead_min, self.n, self.mae, self.bias, self.crps, self.coverage[80], known, backtested
        )


Verifications = Mapping[str, Mapping[float, Verification]]
"""Measure -> lead in minutes -> verification."""


def as_json(verifications: Verifications, *, n_issues: int) -> dict[str, Any]:
    """The whole as printed by `edtwin backtest --json`: leads are whole minutes, as text."""
    measures = {
        measure: {str(round(lead_min)): found.as_json() for lead_min, found in by_lead.items()}
        for measure, by_lead in verifications.items()
    }
    return {"n_issues": n_issues, "measures": measures}


def as_skills(verifications: Verifications, *, backtested: bool = False) -> tuple[Skill, ...]:
    """What the wall shows; measures and leads without a pair are left away."""
    found = (one for by_lead in verifications.values() for one in by_lead.values() if one.n)
    return tuple(one.as_skill(backtested=backtested) for one in found)


@dataclass(frozen=True)
class Met:
    """One forecast, as usual (its first scenario), and what came."""

    forecast: Forecast
    observed: Mapping[str, Array]
    """Measure -> truth, `(lead,)`; measures that were not observed are not scored."""
    rivals: Mapping[str, Mapping[str, Series]]
    """Baseline -> measure -> distribution, `(lead,)`."""
    raw: Mapping[str, Series] | None = None
    """The simulation's own distribution, over all of the forecast's leads, of the measures in which the published one
    was recalibrated; in the others the two are one."""
    weight_of_simulation: Mapping[str, Array] | float = 1.0
    """One number, or by measure `(lead,)`, 1 where a measure is not named."""


def score(
    forecast: Forecast,
    observed: Mapping[str, Array],
    rivals: Mapping[str, Mapping[str, Series]],
    *,
    lead_min: Sequence[float] = VERIFIED_LEADS_MIN,
    raw: Mapping[str, Series] | None = None,
    weight_of_simulation: Mapping[str, Array] | float = 1.0,
) -> Pairs:
    """One forecast against what came at the given leads, by measure; as `score_all`, what it takes as in `Met`."""
    return score_all([Met(forecast, observed, rivals, raw, weight_of_simulation)], lead_min=lead_min)


def score_all(met: Iterable[Met], *, lead_min: Sequence[float] = VERIFIED_LEADS_MIN) -> Pairs:
    """Forecasts against what came at the given leads: one after the other, each by measure, then by lead.

    Raises ValueError for a lead that a forecast does not have, or arrays of another length.
    """
    rows = [row for one in met for row in _rows(one, lead_min)]
    alike: dict[tuple[Any, ...], list[int]] = {}
    for number, row in enumerate(rows):
        alike.setdefault(row.kind, []).append(number)
    found = joined([_paired([rows[number] for number in mine], lead_min) for mine in alike.values()])
    order = np.argsort(np.array([number for mine in alike.values() for number in mine], dtype=np.int64))
    return found if len(alike) < 2 else found.taken((order[:, None] * len(lead_min) + np.arange(len(lead_min))).ravel())


def _share(weight: Mapping[str, Array] | float, measure: str) -> Array | float:
    return weight if isinstance(weight, float) else weight.get(measure, 1.0)


def verified_leads(lead_min: Array) -> list[float]:
    """Of the leads of a run those at which it is verified, rising."""
    return [lead for lead in VERIFIED_LEADS_MIN if lead in lead_min]


def valid_at(forecast: Forecast, lead_min: Sequence[float] = VERIFIED_LEADS_MIN) -> list[datetime]:
    """The instants for which the forecast speaks, at some leads."""
    return [forecast.as_of + timedelta(minutes=lead) for lead in lead_min]


def joined(parts: Sequence[Pairs]) -> Pairs:
    """Several pairs as one; a baseline that one part lacks is NaN there.

    Raises ValueError if parts that hold pairs differ in the levels of their quantiles.
    """
    held = [part for part in parts if len(part)]
    levels = list(dict.fromkeys(part.levels for part in held)) or [LEVELS]
    if len(levels) > 1:
        raise ValueError(f"pairs must share the levels of their quantiles, but have {levels}")
    rivals = dict.fromkeys(name for part in parts for name in part.rivals)
    return Pairs(
        **{name: np.concatenate([getattr(part, name) for part in held] or [none]) for name, none in _EMPTY.items()},
        inside={percent: np.concatenate([_NONE, *(part.inside[percent] for part in held)]) for percent in INTERVALS},
        levels=levels[0],
        rivals={name: _joined_rival([_rival(part, name) for part in held], len(levels[0])) for name in rivals},
    )


def _rival(part: Pairs, name: str) -> RivalScores:
    nothing = np.full(len(part), np.nan)
    return part.rivals.get(name, RivalScores(nothing, nothing, np.full((len(part), len(part.levels)), np.nan)))


def _joined_rival(parts: Sequence[RivalScores], levels: int) -> RivalScores:
    return RivalScores(
        np.concatenate([_NONE, *(part.crps for part in parts)]),
        np.concatenate([_NONE, *(part.absolute_error for part in parts)]),
        np.concatenate([np.empty((0, levels)), *(part.quantiles for part in parts)]),
    )


def verify(pairs: Pairs, *, seed: int = 0, resamples: int = 1000) -> dict[str, dict[float, Verification]]:
    """Scores by measure and lead, both in order of appearance; `seed` is that of the intervals of the skill."""
    found: dict[str, dict[float, Verification]] = {}
    for part in _by_measure_and_lead(pairs):
        one = _verification(part, seed=seed, resamples=resamples)
        found.setdefault(one.measure, {})[one.lead_min] = one
    return found


@dataclass(frozen=True, eq=False)
class _Row:
    """One measure of one forecast, and its rivals, at the leads at which it was met."""

    issued_at: datetime
    measure: str
    observed: Array
    own: Series
    raw: Series | None
    rivals: Mapping[str, Series]
    weight: Array | float

    @property
    def kind(self) -> tuple[Any, ...]:
        """What rows have in common that are scored as one: who speaks, and at which levels."""
        return tuple(self.rivals), *(
            one and tuple(one.quantiles) for one in (self.own, self.raw, *self.rivals.values())
        )


def _rows(met: Met, lead_min: Sequence[float]) -> Iterator[_Row]:
    forecast = met.forecast
    published = forecast.scenarios[next(iter(forecast.scenarios))]
    at = _places(forecast.lead_min, lead_min)
    for measure, own in published.items():
        if measure not in met.observed:
            continue
        observed = np.asarray(met.observed[measure])
        if observed.shape != (len(lead_min),):
            raise ValueError(f"{measure} must be observed at {len(lead_min)} leads, but has shape {observed.shape}")
        raw = met.raw.get(measure) if met.raw else None
        rivals = {name: by_measure[measure] for name, by_measure in met.rivals.items() if measure in by_measure}
        share = _share(met.weight_of_simulation, measure)
        yield _Row(forecast.issued_at, measure, observed, own.at(at), raw and raw.at(at), rivals, share)


def _paired(rows: Sequence[_Row], lead_min: Sequence[float]) -> Pairs:
    """Rows of one kind, one after the other."""
    leads, levels = len(lead_min), tuple(sorted(rows[0].own.quantiles))
    came = np.concatenate([row.observed for row in rows])
    own = _one_after_the_other([row.own for row in rows])
    raw = own if rows[0].raw is None else _one_after_the_other([row.raw for row in rows if row.raw])
    crps, cuts = _crps(own, came), _cuts(own, levels)
    as_published = raw is own
    return Pairs(
        issued_at=np.array([naive(row.issued_at) for row in rows], dtype="datetime64[us]").repeat(leads),
        measure=np.array([row.measure for row in rows], dtype=object).repeat(leads),
        lead_min=np.tile(np.asarray(lead_min, dtype=np.float64), len(rows)),
        observed=came,
        error=error(own.mean, came),
        absolute_error=absolute_error(own.quantiles[0.5], came),
        crps=crps,
        inside={percent: inside(_ends(own, percent), came) for percent in INTERVALS},
        raw_crps=crps if as_published else _crps(raw, came),
        raw_error=error(raw.mean, came),
        raw_half_width=(_ends(raw, 80)[1] - _ends(raw, 80)[0]) / 2,
        raw_inside_80=inside(_ends(raw, 80), came),
        weight_of_simulation=np.concatenate([np.broadcast_to(row.weight, leads) for row in rows]),
        quantiles=cuts,
        raw_quantiles=cuts if as_published else _cuts(raw, levels),
        levels=levels,
        rivals={
            name: _met_by(_one_after_the_other([row.rivals[name] for row in rows]), came, levels)
            for name in rows[0].rivals
        },
    )


def _met_by(rival: Series, came: Array, levels: tuple[float, ...]) -> RivalScores:
    return RivalScores(_crps(rival, came), absolute_error(rival.quantiles[0.5], came), _cuts(rival, levels))


def _one_after_the_other(parts: Sequence[Series]) -> Series:
    """Series with the same levels as one."""
    mean = np.concatenate([part.mean for part in parts])
    return Series(mean, {q: np.concatenate([part.quantiles[q] for part in parts]) for q in parts[0].quantiles})


def _ends(series: Series, percent: int) -> tuple[Array, Array]:
    low, high = INTERVALS[percent]
    return series.quantiles[low], series.quantiles[high]


def _by_measure_and_lead(pairs: Pairs) -> list[Pairs]:
    """The pairs of each measure and lead, in order of appearance."""
    keys = list(zip(pairs.measure.tolist(), pairs.lead_min.tolist(), strict=True))
    code = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    codes = np.array([code[key] for key in keys], dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(1, len(code)))
    return [pairs.taken(part) for part in np.split(order, starts)] if keys else []


def _verification(pairs: Pairs, *, seed: int, resamples: int) -> Verification:
    """Of pairs that share a measure and a lead."""
    kept = pairs.taken(np.flatnonzero(~np.isnan(pairs.crps)))
    compared = {name: kept.taken(np.flatnonzero(~np.isnan(scores.crps))) for name, scores in kept.rivals.items()}
    both = {name: (part.crps, part.rivals[name].crps) for name, part in compared.items()}
    return Verification(
        measure=str(pairs.measure[0]),
        lead_min=float(pairs.lead_min[0]),
        n=len(kept),
        left_out=len(pairs) - len(kept),
        mae=mean(kept.absolute_error).value,
        bias=mean(kept.error).value,
        crps=mean(kept.crps).value,
        coverage={percent: mean(hit).value for percent, hit in kept.inside.items()},
        baselines={
            name: RivalVerification(mean(part.rivals[name].absolute_error).value, mean(part.rivals[name].crps).value)
            for name, part in compared.items()
        },
        skill={name: skill(ours, theirs) for name, (ours, theirs) in both.items()},
        skill_ci95={
            name: skill_interval(*both[name], days_of(part.issued_at), seed=seed, resamples=resamples)
            for name, part in compared.items()
        },
        raw_crps=mean(kept.raw_crps).value,
        raw_bias=mean(kept.raw_error).value,
        raw_coverage_80=mean(kept.raw_inside_80).value,
        weight_of_simulation=mean(kept.weight_of_simulation).value,
    )


def _crps(series: Series, came: Array) -> Array:
    """The crps of what is said, from all the levels that it has."""
    own = tuple(sorted(series.quantiles))
    return crps_quantiles(_cuts(series, own), came, levels=own)


def _cuts(series: Series, levels: tuple[float, ...]) -> Array:
    """Its quantiles, `(lead, level)`; NaN at a level that it does not have."""
    none = np.full(series.mean.shape, np.nan)
    return np.stack([series.quantiles.get(level, none) for level in levels], axis=-1)


def _places(have: Array, want: Sequence[float]) -> npt.NDArray[np.int64]:
    missing = [lead_min for lead_min in want if lead_min not in have]
    if missing:
        raise ValueError(f"the forecast must have the leads that are verified, but lacks {missing} min")
    return np.array([int(np.flatnonzero(have == lead_min)[0]) for lead_min in want], dtype=np.int64)


_NONE: Array = np.empty(0)
_EMPTY: Mapping[str, npt.NDArray[Any]] = {
    "issued_at": np.empty(0, dtype="datetime64[us]"),
    "measure": np.empty(0, dtype=object),
    **dict.fromkeys(("lead_min", "observed", "error", "absolute_error", "crps"), _NONE),
    **dict.fromkeys(("raw_crps", "raw_error", "raw_half_width", "raw_inside_80"), _NONE),
    "weight_of_simulation": _NONE,
    **dict.fromkeys(("quantiles", "raw_quantiles"), np.empty((0, len(LEVELS)))),
}
"""No pair: the columns and their types."""
