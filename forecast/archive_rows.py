"""Forecasts and scores as the rows that the archive keeps, and back; NaN stays NaN in forecasts, is null in scores."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forecast.values import LEVELS, Array, Forecast, Series
from forecast.verify import INTERVALS, Pairs, RivalScores
from ingest.database import aware, naive

RIVAL = "rival:"
"""Begins the name of the scenario under which the archive keeps what a baseline told with a forecast."""
RAW = "raw"
"""The scenario under which the archive keeps the first one as simulated, where what was published is another."""
OWN = "own"
"""What was published itself, among what was told with it."""
_FLOATS = pa.list_(pa.float64())


def issue_table(forecast: Forecast, *, thinned: bool) -> pa.Table:
    """What the rows of a forecast share: one row."""
    return pa.table(
        {
            **{name: [naive(getattr(forecast, name))] for name in ("issued_at", "as_of", "known_at")},
            "lead_min": pa.array([forecast.lead_min], _FLOATS),
            "levels": pa.array([_levels(forecast)], _FLOATS),
            "provenance": [json.dumps(forecast.provenance)],
            "thinned": [thinned],
        }
    )


def forecast_table(forecast: Forecast) -> pa.Table:
    """One row a scenario and measure.

    Raises ValueError if the series differ in levels or leads, or a difference has no scenario and measure.
    """
    named = [(scenario, measure) for scenario, measures in forecast.scenarios.items() for measure in measures]
    levels = _levels(forecast)
    values = [forecast.scenarios[scenario][measure] for scenario, measure in named]
    changes = [forecast.differences.get(scenario, {}).get(measure) for scenario, measure in named]
    if sum(map(len, forecast.differences.values())) != sum(change is not None for change in changes):
        raise ValueError("each paired difference must be of a scenario and measure that the forecast has")
    shape = (len(levels), forecast.lead_min.size)
    return pa.table(
        {
            "issued_at": [naive(forecast.issued_at)] * len(named),
            "place": pa.array(range(len(named)), pa.int32()),
            "scenario": [scenario for scenario, _ in named],
            "measure": [measure for _, measure in named],
            "mean": _lists([series.mean for series in values]),
            "quantiles": _nested([_matrix(series, levels, shape) for series in values]),
            "difference_mean": _lists([None if change is None else change.mean for change in changes]),
            "difference_quantiles": _nested(
                [None if change is None else _matrix(change, levels, shape) for change in changes]
            ),
        }
    )


def _levels(forecast: Forecast) -> tuple[float, ...]:
    """The levels of the first series; `_matrix` holds the others to them."""
    return tuple(next(series for measures in forecast.scenarios.values() for series in measures.values()).quantiles)


def _matrix(series: Series, levels: Sequence[float], shape: tuple[int, int]) -> Array:
    if tuple(series.quantiles) != tuple(levels):
        raise ValueError(f"all series must have the levels {tuple(levels)}, but one has {tuple(series.quantiles)}")
    rows = np.stack(list(series.quantiles.values()))
    if rows.shape != shape or series.mean.shape != shape[1:]:
        raise ValueError(f"all series must have {shape[1]} leads, but one has {series.mean.shape} and {rows.shape}")
    return rows


def _lists(rows: Sequence[Array | None]) -> pa.Array:
    """Vectors as one column; null where None."""
    present = [row for row in rows if row is not None]
    flat = np.concatenate(present) if present else np.empty(0)
    return pa.ListArray.from_arrays(_offsets(rows), flat)


def _nested(rows: Sequence[Array | None]) -> pa.Array:
    """Matrices as one column of lists of lists; null where None."""
    inner = _lists([line for row in rows if row is not None for line in row])
    return pa.ListArray.from_arrays(_offsets(rows), inner)


def _offsets(rows: Sequence[Array | None]) -> pa.Array:
    """Where each list begins, and the end; a null offset makes a null list."""
    ends = np.cumsum([0] + [0 if row is None else len(row) for row in rows])
    absent = np.array([row is None for row in rows] + [False])
    return pa.array(ends.astype(np.int32), mask=absent)


def forecasts_of(issues: pa.Table, rows: pa.Table) -> list[Forecast]:
    """The values behind rows that are ordered by issue and place."""
    by_issue: dict[datetime, list[int]] = {}
    for index, issued_at in enumerate(rows["issued_at"].to_pylist()):
        by_issue.setdefault(issued_at, []).append(index)
    columns = {name: rows[name].combine_chunks() for name in rows.column_names}
    return [_forecast(issue, columns, by_issue.get(issue["issued_at"], [])) for issue in issues.to_pylist()]


def _forecast(issue: Mapping[str, Any], columns: Mapping[str, pa.Array], indices: Iterable[int]) -> Forecast:
    scenarios: dict[str, dict[str, Series]] = {}
    differences: dict[str, dict[str, Series]] = {}
    for index in indices:
        scenario, measure = columns["scenario"][index].as_py(), columns["measure"][index].as_py()
        for into, mean, quantiles in (
            (scenarios, columns["mean"][index], columns["quantiles"][index]),
            (differences, columns["difference_mean"][index], columns["difference_quantiles"][index]),
        ):
            if mean.is_valid:
                into.setdefault(scenario, {})[measure] = _series(mean, quantiles, issue["levels"])
    return Forecast(
        issued_at=aware(issue["issued_at"]),
        as_of=aware(issue["as_of"]),
        known_at=aware(issue["known_at"]),
        lead_min=np.array(issue["lead_min"], dtype=np.float64),
        scenarios=scenarios,
        differences=differences,
        provenance=json.loads(issue["provenance"]),
    )


def _series(mean: pa.ListScalar, quantiles: pa.ListScalar, levels: Sequence[float]) -> Series:
    cuts = quantiles.values.flatten().to_numpy(zero_copy_only=False).reshape(len(levels), -1)
    return Series(mean.values.to_numpy(zero_copy_only=False), dict(zip(levels, cuts, strict=True)))


_SCORES = (
    "observed", "error", "absolute_error", "crps", "raw_crps", "raw_error", "raw_half_width", "raw_inside_80",
)  # fmt: skip


def score_table(pairs: Pairs, verified_at: datetime) -> pa.Table:
    """One row a pair."""
    rivals = pairs.rivals
    return pa.table(
        {
            "issued_at": pairs.issued_at,
            "measure": pa.array(pairs.measure, pa.string()),
            "lead_min": pairs.lead_min,
            **{name: _null_for_nan(getattr(pairs, name)) for name in _SCORES},
            **{f"in_{percent}": _null_for_nan(hit).cast(pa.bool_()) for percent, hit in pairs.inside.items()},
            "weight_of_simulation": pairs.weight_of_simulation,
            "rival_crps": _maps({name: scores.crps for name, scores in rivals.items()}, len(pairs)),
            "rival_absolute_error": _maps({name: scores.absolute_error for name, scores in rivals.items()}, len(pairs)),
            "verified_at": [naive(verified_at)] * len(pairs),
        }
    )


def pairs_of(table: pa.Table) -> Pairs:
    """The pairs behind rows of scores, each with `told`: the forecast's quantiles, its simulation's and its rivals'.

    Quantiles are NaN where the forecast is no longer kept, or was told at other levels than the last one.
    """
    crps, errors = _by_name(table["rival_crps"]), _by_name(table["rival_absolute_error"])
    levels, told = _told(table)
    nothing = np.full((len(table), len(levels)), np.nan)
    return Pairs(
        issued_at=table["issued_at"].to_numpy().astype("datetime64[us]"),
        measure=np.array(table["measure"].to_pylist(), dtype=object),
        lead_min=_nan_for_null(table["lead_min"]),
        **{name: _nan_for_null(table[name]) for name in _SCORES},
        inside={percent: _nan_for_null(table[f"in_{percent}"].cast(pa.float64())) for percent in INTERVALS},
        weight_of_simulation=_nan_for_null(table["weight_of_simulation"]),
        quantiles=told.get(OWN, nothing),
        raw_quantiles=_simulated(table, told.get(OWN, nothing), told.get(RAW, nothing)),
        levels=levels,
        rivals={name: RivalScores(crps[name], errors[name], told.get(RIVAL + name, nothing)) for name in crps},
    )


def _simulated(table: pa.Table, own: Array, raw: Array) -> Array:
    """What was simulated is kept by itself only where it is not what was published."""
    alike = _nan_for_null(table["crps"]) == _nan_for_null(table["raw_crps"])
    apart = ~np.isnan(raw).all(axis=1) | ~(alike | np.isnan(_nan_for_null(table["crps"])))
    return np.where(apart[:, None], raw, own)


def _told(table: pa.Table) -> tuple[tuple[float, ...], dict[str, Array]]:
    """The levels of the last forecast; name to what was told under it, `(pair, level)`."""
    named = table["levels"].to_pylist()
    levels = next((tuple(found) for found in reversed(named) if found), LEVELS)
    same = np.array([found is not None and tuple(found) == levels for found in named], dtype=bool)
    if not same.any():
        return levels, {}
    maps = table["told"].combine_chunks().filter(pa.array(same))
    rows, names, quantiles = _entries(maps)
    cuts = quantiles.flatten().to_numpy(zero_copy_only=False).reshape(-1, len(levels))
    found = {name: np.full((len(table), len(levels)), np.nan) for name in names.dictionary.to_pylist()}
    for code, own in enumerate(found.values()):
        chosen = names.indices.to_numpy() == code
        own[np.flatnonzero(same)[rows[chosen]]] = cuts[chosen]
    return levels, found


def _maps(by_name: Mapping[str, Array], size: int) -> pa.Array:
    """Columns by name `(pair,)` as one column of maps from name to value."""
    ends = np.arange(size + 1, dtype=np.int32) * len(by_name)
    values = np.stack(list(by_name.values()), axis=1).ravel() if by_name else np.empty(0)
    return pa.MapArray.from_arrays(pa.array(ends), pa.array(list(by_name) * size, pa.string()), _null_for_nan(values))


def _by_name(column: pa.ChunkedArray) -> dict[str, Array]:
    """One column of maps as columns by name, NaN where a row lacks the name."""
    if not len(column):
        return {}
    maps = column.combine_chunks()
    rows, names, items = _entries(maps)
    values = items.to_numpy(zero_copy_only=False)
    found = {name: np.full(len(maps), np.nan) for name in names.dictionary.to_pylist()}
    for code, own in enumerate(found.values()):
        chosen = names.indices.to_numpy() == code
        own[rows[chosen]] = values[chosen]
    return found


def _entries(maps: pa.MapArray) -> tuple[npt.NDArray[np.int64], pa.DictionaryArray, pa.Array]:
    """The entries of a column of maps: the row of each, its name, its value."""
    ends = maps.offsets.to_numpy()
    inside = slice(ends[0], ends[-1])
    return np.repeat(np.arange(len(maps)), np.diff(ends)), maps.keys[inside].dictionary_encode(), maps.items[inside]


def _null_for_nan(values: Array) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _nan_for_null(column: pa.ChunkedArray) -> Array:
    return np.asarray(column.to_numpy(), dtype=np.float64)
