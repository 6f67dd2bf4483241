"""The version of a model: a short name for what was learned and for the code that it was learned and is run by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy.typing as npt

from twin.code import TWIN, digest_of
from twin.parameters import Parameters


def model_version(parameters: Parameters) -> str:
    """Equal where every number of the parameters is, and every line of the twin's code."""
    return hashlib.sha256(f"{parameters_hash(parameters)} {code_hash()}".encode()).hexdigest()[:12]


def parameters_hash(parameters: Parameters) -> str:
    """A short name for what was learned: equal where every number of it is."""
    digest = hashlib.sha256(repr(parameters.classes).encode())
    for name, array in _arrays_of(parameters):
        digest.update(name.encode() + array.tobytes())
    return digest.hexdigest()[:16]


@cache
def code_hash() -> str:
    """A digest of the twin's code and tables, as they stood when first asked for; without the fabricated hospital."""
    files = (path for kind in ("*.py", "*.toml") for path in TWIN.glob(kind))
    kept = [path for path in files if not path.name.startswith("fabricat")]
    return digest_of(kept)


def _arrays_of(parameters: Parameters) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    yield "blocks", parameters.block_of_hour
    yield f"loads, wards left {parameters.leaving_earlier_min!r} sooner", parameters.load_edges
    if parameters.leaving is not None:
        yield "leaving", parameters.leaving
    for stream in parameters.streams:
        told = f"{stream.name} {stream.enters} {stream.day_cv!r} {stream.together!r} {stream.unit} {stream.on_days!r}"
        yield told, stream.per_hour
        yield "classes", stream.class_share
    for name in sorted(parameters.durations):
        yield name, parameters.durations[name].table
        yield "tail", parameters.durations[name].tail_min
    for table in (parameters.shares, parameters.wanted):
        yield from sorted(table.items())
