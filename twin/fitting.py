"""Do parameters fit a path? Everything that is missing or contradicts itself, at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from twin.errors import ParametersError
from twin.parameters import HOURS_OF_WEEK, Parameters
from twin.pathway import Path
from twin.routing import probabilities

_SLACK = 1e-6


def check(path: Path, parameters: Parameters) -> None:
    """Raises ParametersError with every duration, share or stream that a path needs and the parameters lack.

    1. Every name that the path uses is there, in its shape.
    2. Probabilities lie between 0 and 1 and sum to 1 for each class and block.
    3. Wards wanted are wards; streams enter where patients come in.
    """
    faults = [*_missing(path, parameters), *_streams(path, parameters)]
    faults += faults or [*_routes(path, parameters), *_wards(path, parameters)]
    if faults:
        raise ParametersError(list(dict.fromkeys(faults)))


def _missing(path: Path, parameters: Parameters) -> Iterator[str]:
    classes, blocks, loads = len(parameters.classes), parameters.blocks, parameters.loads
    for name in path.durations:
        if name not in parameters.durations:
            yield f"durations.{name}: path {path.name} needs it, but it is missing"
            continue
        shape = parameters.durations[name].table.shape[:3]
        last = parameters.caseloads(path) if name in path.slots_of_staff else loads
        if any(have not in (1, want) for have, want in zip(shape, (classes, blocks, last), strict=True)):
            yield f"durations.{name}: must be by {(classes, blocks, last)} or 1, but is by {shape}"
    for kind, names, shape in (
        ("shares", path.shares, (classes, blocks)),
        ("wanted", path.wanted, (classes, len(path.units))),
    ):
        table = getattr(parameters, kind)
        for name in names:
            if name not in table:
                yield f"{kind}.{name}: path {path.name} needs it, but it is missing"
            elif table[name].shape != shape:
                yield f"{kind}.{name}: must have shape {shape}, but has {table[name].shape}"


def _streams(path: Path, parameters: Parameters) -> Iterator[str]:
    for stream in parameters.streams:
        where = f"streams.{stream.name}"
        if stream.enters not in path.enters:
            yield f"{where}: must enter at one of {', '.join(path.enters)}, but enters at {stream.enters}"
            continue
        situation = path.situations[path.index(stream.enters)]
        if situation.wants and not (0 <= stream.unit < len(path.units) and path.units[stream.unit] in path.wards):
            yield f"{where}: enters at {stream.enters}, so its unit must be a ward, but is {stream.unit}"
        if stream.per_hour.shape != (HOURS_OF_WEEK,) or (stream.per_hour < 0).any() or stream.day_cv < 0:
            yield f"{where}: arrivals must be {HOURS_OF_WEEK} rates of 0 or more and day_cv 0 or more"
        if not np.allclose(stream.class_share.sum(axis=1), 1.0, atol=_SLACK) or (stream.class_share < 0).any():
            yield f"{where}: shares of classes must sum to 1 in each block"


def _routes(path: Path, parameters: Parameters) -> Iterator[str]:
    for name, stage in zip(path.names, path.stages, strict=True):
        if not stage.then:
            continue
        p = probabilities(stage, parameters)
        if (p < -_SLACK).any() or not np.allclose(p.sum(axis=2), 1.0, atol=_SLACK):
            told = ", ".join(
                f"{target} {p[..., i].min():.3g} to {p[..., i].max():.3g}" for i, target in enumerate(stage.then)
            )
            yield f"stage.{name}.then: probabilities must lie between 0 and 1 and sum to 1, but are {told}"


def _wards(path: Path, parameters: Parameters) -> Iterator[str]:
    wards = [path.units.index(ward) for ward in path.wards]
    for name in path.wanted:
        share = parameters.wanted[name]
        if (share < 0).any() or not np.allclose(share.sum(axis=1), 1.0, atol=_SLACK):
            yield f"wanted.{name}: shares must sum to 1 for each class"
        if (np.delete(share, wards, axis=1) > 0).any():
            yield f"wanted.{name}: only wards can be wanted ({', '.join(path.wards)})"
