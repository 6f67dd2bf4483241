"""The path with codes in place of names, as a run reads it."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.events import RANK
from twin.hospital import BED, CARE
from twin.pathway import Path
from twin.stages import WANTED, WANTED_BED, Stage
from twin.story import DESTINATIONS, NOWHERE

NONE, OF_WARD = -1, -2
"""No unit, pool or event; the bed, or the unit, that the patient wants."""


@dataclass(frozen=True, slots=True)
class Step:
    """One stage: pools, units, events and destinations by code."""

    comes: bool
    takes: tuple[int, ...]
    needs: tuple[int, ...]
    gives: tuple[int, ...]
    asks: bool
    """Does it take or need anything?"""
    patience: bool
    overflows: bool
    """May who queues long enough for the wanted bed lie in another ward?"""
    unit: int
    starts: int
    starts_to: int
    by_clock: bool
    """Does it last as long as the clock of the ward says, where wards have clocks?"""
    frees: bool
    care: int
    """The `care:` pool that it takes: those who look after patients, and so are freed the later the more they have."""
    wants: bool
    ends: int
    ends_to: int


def steps_of(path: Path) -> list[Step]:
    """Every stage of the path, in its order."""
    pools = {pool: code for code, pool in enumerate(path.pools)} | {WANTED_BED: OF_WARD}
    units = {unit: code for code, unit in enumerate(path.units)} | {WANTED: OF_WARD}
    return [_step(stage, pools, units) for stage in path.stages]


def beds_of(path: Path) -> list[int]:
    """The pool of each unit's beds; NONE where the path queues for none."""
    return [path.pools.index(BED + unit) if BED + unit in path.pools else NONE for unit in path.units]


def hosts_of(path: Path) -> list[tuple[int, ...]]:
    """The wards that each unit overflows into, in their order; those alone whose beds the path queues for."""
    beds = beds_of(path)
    return [tuple(c for c in map(path.units.index, hosts) if beds[c] != NONE) for hosts in path.overflow]


def kept_at(path: Path) -> list[tuple[int, ...]]:
    """Pools that a patient keeps when coming to each stage."""
    codes = {pool: code for code, pool in enumerate(path.pools)} | {WANTED_BED: OF_WARD}
    return [tuple(codes[pool] for pool in sorted(situation.kept)) for situation in path.situations]


def _step(stage: Stage, pools: dict[str, int], units: dict[str, int]) -> Step:
    return Step(
        comes=stage.comes is not None,
        takes=tuple(pools[pool] for pool in stage.takes),
        needs=tuple(pools[pool] for pool in stage.needs),
        gives=tuple(pools[pool] for pool in stage.gives),
        asks=bool(stage.asks),
        patience=stage.patience is not None,
        overflows=stage.overflows_after is not None,
        unit=units[stage.unit] if stage.unit else NONE,
        starts=_rank(stage.starts),
        starts_to=_to(stage, stage.starts),
        by_clock=(stage.lasts or "").endswith(f":{WANTED}"),
        frees=stage.frees_after is not None,
        care=next((pools[pool] for pool in stage.takes if pool.startswith(CARE)), NONE),
        wants=stage.wants is not None,
        ends=_rank(stage.ends),
        ends_to=_to(stage, stage.ends),
    )


def _rank(kind: str | None) -> int:
    return RANK[kind] if kind else NONE


def _to(stage: Stage, kind: str | None) -> int:
    """Where an event leads: `to` belongs to Departed, and to LeftWard in a stage without Departed."""
    departs = "Departed" in (stage.starts, stage.ends)
    tells = kind == "Departed" if departs else kind == "LeftWard"
    return DESTINATIONS.index(stage.to) if tells and stage.to else NOWHERE
