"""Pairs of forecasts and truths as one file, and back: what the last back-test found, beside its report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.values import Array
from forecast.verify import Pairs, RivalScores

_FLAT = ("lead_min", "observed", "error", "absolute_error", "crps", "raw_crps", "raw_error", "raw_half_width",
         "raw_inside_80", "weight_of_simulation")  # fmt: skip
_LEVELS = b"levels"
_INSIDE, _RIVAL = "inside:", "rival:"


def write_pairs(pairs: Pairs, file: Path) -> None:
    """The file whole, or as it was before."""
    columns = {
        "issued_at": pa.array(pairs.issued_at), "measure": pa.array(pairs.measure.tolist(), pa.string()),
        **{name: pa.array(getattr(pairs, name)) for name in _FLAT},
        "quantiles": _lists(pairs.quantiles), "raw_quantiles": _lists(pairs.raw_quantiles),
        **{f"{_INSIDE}{percent}": pa.array(hit) for percent, hit in pairs.inside.items()},
    }  # fmt: skip
    for name, rival in pairs.rivals.items():
        columns |= {
            f"{_RIVAL}{name}:crps": pa.array(rival.crps),
            f"{_RIVAL}{name}:error": pa.array(rival.absolute_error),
            f"{_RIVAL}{name}:quantiles": _lists(rival.quantiles),
        }
    levels = ",".join(f"{level!r}" for level in pairs.levels).encode()
    table = pa.table(columns).replace_schema_metadata({_LEVELS: levels})
    beside = file.with_suffix(".part")
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, beside, compression="zstd")
    beside.replace(file)


def read_pairs(file: Path) -> Pairs | None:
    """The pairs of a file; None where there is none, or it cannot be read."""
    try:
        table = pq.read_table(file)
        levels = tuple(float(level) for level in table.schema.metadata[_LEVELS].decode().split(","))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
    names = dict.fromkeys(n[len(_RIVAL) :].rpartition(":")[0] for n in table.column_names if n.startswith(_RIVAL))
    return Pairs(
        issued_at=table["issued_at"].to_numpy().astype("datetime64[us]"),
        measure=np.array(table["measure"].to_pylist(), dtype=object),
        **{name: table[name].to_numpy() for name in _FLAT},
        inside={
            int(name.removeprefix(_INSIDE)): table[name].to_numpy()
            for name in table.column_names if name.startswith(_INSIDE)
        },
        quantiles=_matrix(table["quantiles"], len(levels)),
        raw_quantiles=_matrix(table["raw_quantiles"], len(levels)),
        levels=levels,
        rivals={
            name: RivalScores(
                table[f"{_RIVAL}{name}:crps"].to_numpy(), table[f"{_RIVAL}{name}:error"].to_numpy(),
                _matrix(table[f"{_RIVAL}{name}:quantiles"], len(levels)),
            )
            for name in names
        },
    )  # fmt: skip


def _lists(values: Array) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])


def _matrix(column: pa.ChunkedArray, levels: int) -> Array:
    flat = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, dtype=np.float64).reshape(-1, levels)
