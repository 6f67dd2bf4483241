"""A site explained: its path stage by stage with numbers, the load on whatever is queued for, what is doubtful.

Offered load is arrivals x share x duration (Little's law): how many of a pool would be in use on average if nobody
ever waited for anything. Against the capacity it says whether a pool can keep up at all: above 100 % the queue grows
without end, and from about 90 % on waits are long. Waits while something is held (a box, while a ward bed is searched)
come on top, so the true load is higher. It is no forecast: those come from runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from twin.explanation import (
    ABOVE,
    NEARLY_FULL,
    OUT,
    WARDS,
    Asked,
    Doubt,
    DoubtKind,
    Explained,
    Load,
    Place,
    PoolKind,
    Roster,
    Stay,
    Step,
    Way,
)
from twin.flows import HOURS_A_DAY, Flows, flows_of, per_hour
from twin.hospital import BED, CARE, NO_LIMIT, SPACE, Hospital, Pool, Unit
from twin.names import stage_name
from twin.parameters import Parameters
from twin.pathway import Path
from twin.stages import LEAVING, WANTED, WANTED_BED, Stage, is_entry

Array = npt.NDArray[np.float64]

DAY_MIN = 1440.0
HARDLY_USED = 0.3
BUSY_HOURS = 4
"""Length of the stretch of the day in which staff have most to do, in hours."""
BUSY = 1.1
"""Load of that stretch from which it is said."""
AT_ONCE_MIN = 0.5
"""What lasts no longer than that in the median is over at once."""
NEVER_ENDS_MIN = 200 * DAY_MIN
LEFT_UNSEEN = "LeftWithoutBeingSeen"


def _enters(stage: Stage) -> Literal["", "arrives", "planned", "asked"]:
    """How patients, or what wards ask for, come in here from outside."""
    if not stage.enters:
        return "arrives" if stage.comes else ""
    return "planned" if stage.starts == "EnteredWard" else "asked"


def explain(hospital: Hospital, path: Path, parameters: Parameters, *, learned: bool = False) -> Explained:
    """What a site says, or a log has taught (`learned`), worked out."""
    flows = flows_of(path, parameters)
    came = [(float(stream.per_hour.sum()) / 7, _enters(path.stage(stream.enters))) for stream in parameters.streams]
    arrivals = sum(a_day for a_day, how in came if how == "arrives")
    hospital = _told_of(hospital, path) if learned else hospital
    zones = zones_of(flows)
    steps = tuple(_step(flows, code, zones[code], arrivals) for code in range(len(path.stages)))
    loads = loads_of(hospital, flows)
    supposed = [pool for pool in hospital.rosters if pool.supposed]
    return Explained(
        name=hospital.name,
        treatment_spaces=hospital.spaces,
        places=tuple(_place(unit) for unit in hospital.units),
        rosters=tuple(_roster(pool) for pool in hospital.rosters if pool.told),
        asked=tuple(_asked(hospital)),
        arrivals_a_day=arrivals,
        planned_a_day=sum(a_day for a_day, how in came if how == "planned"),
        steps=steps,
        stays=tuple(_stays(flows)),
        loads=loads,
        no_limit=tuple(load.pool for load in loads if load.there is None and not _is_supposed(hospital, load.pool)),
        supposed=tuple((p.name, min(p.weekday + p.weekend), max(p.weekday + p.weekend)) for p in supposed),
        doubts=tuple(_doubts(hospital, flows, () if learned else steps, loads)),
        learned=learned,
    )


def _told_of(hospital: Hospital, path: Path) -> Hospital:
    """The hospital without the areas and the staff of which a learned path tells nothing."""
    used = {stage.unit for stage in path.stages}
    units = [u for u in hospital.units if u.ward or u.name in used or u.pool in path.pools]
    rosters = tuple(r for r in hospital.rosters if {r.name, CARE + r.name} & set(path.pools))
    return replace(hospital.with_units(units), rosters=rosters)


def _place(unit: Unit) -> Place:
    places = unit.places if unit.places < NO_LIMIT else None
    return Place(unit.name, unit.fr, unit.en, unit.ward, places, unit.held_back, unit.overflow)


def _roster(pool: Pool) -> Roster:
    caseload = pool.caseload if pool.caseload < NO_LIMIT else None
    return Roster(pool.name, pool.fr, pool.en, pool.weekday, pool.weekend, caseload)


def _asked(hospital: Hospital) -> Iterator[Asked]:
    yield Asked(WANTED_BED, "wanted", "", "")
    yield from (Asked(unit.pool, kind_of(unit.pool), unit.fr, unit.en) for unit in hospital.units)
    for pool in hospital.rosters:
        yield from (Asked(name, kind_of(name), pool.fr, pool.en) for name in (pool.name, CARE + pool.name))


# --- the path ---------------------------------------------------------------------------------------------------


def _step(flows: Flows, code: int, zone: str, arrivals: float) -> Step:
    path, stage = flows.path, flows.path.stages[code]
    visits, left = flows.visits(code), float(flows.after[code].sum())
    ways = [
        Way(target, float(gone.sum()) / left if left else 0.0, float(gone.sum()))
        for target, gone in zip(stage.then, flows.went[code], strict=True)
    ]
    name = path.names[code]
    kept = path.situations[code].kept
    return Step(
        name=name,
        fr=stage_name(path, name, "fr"),
        en=stage_name(path, name, "en"),
        zone=zone,
        a_day=visits,
        share=visits / arrivals if arrivals else 0.0,
        queues_for=stage.asks,
        lasts_min=_lasts(flows, code, stage),
        enters=_enters(stage),
        overflows_after_min=flows.median_min(code, stage.overflows_after) if stage.overflows_after else None,
        leaves_unseen=stage.patience is not None,
        ways=tuple(ways),
        is_turning=len(ways) == 1 and not (stage.lasts or stage.asks or stage.unit or is_entry(stage)),
        is_limited=bool(stage.asks) or any(pool == WANTED_BED or pool.startswith(BED) for pool in kept),
        is_unseen=stage.starts == LEFT_UNSEEN and not stage.then,
    )


def _lasts(flows: Flows, code: int, stage: Stage) -> float | None:
    median = flows.median_min(code, stage.lasts) if stage.lasts else None
    return median if median is not None and median >= AT_ONCE_MIN else None


def zones_of(flows: Flows) -> tuple[str, ...]:
    """Where each stage happens: its own unit, or where most of those who come to it come from."""
    path = flows.path
    zones: dict[int, str] = {code: _own_zone(stage) for code, stage in enumerate(path.stages) if _own_zone(stage)}
    while missing := [code for code in range(len(path.stages)) if code not in zones]:
        found = {code: zone for code in missing if (zone := _from(flows, code, zones))}
        zones |= found or {missing[0]: ABOVE}
    return tuple(zones[code] for code in range(len(path.stages)))


def _own_zone(stage: Stage) -> str:
    if stage.unit is not None:
        return WARDS if stage.unit == WANTED else stage.unit
    if not stage.then and (stage.starts in LEAVING or stage.ends in LEAVING):
        return OUT
    return ABOVE if stage.comes or stage.enters else ""


def _from(flows: Flows, code: int, zones: Mapping[int, str]) -> str:
    """The zone from which most come to a stage, of those that are known."""
    came: dict[str, float] = {}
    for before, stage in enumerate(flows.path.stages):
        for target, gone in zip(stage.then, flows.went[before], strict=True):
            if flows.path.index(target) == code and before in zones:
                came[zones[before]] = came.get(zones[before], 0.0) + float(gone.sum()) + 1e-9
    return max(came, key=lambda zone: came[zone]) if came else ""


def _stays(flows: Flows) -> Iterator[Stay]:
    """By ward, all stages that are in it taken together."""
    for ward in flows.path.wards:
        code = flows.path.units.index(ward)
        parts: list[tuple[str, Array]] = []
        for came, stage in zip(flows.came, flows.path.stages, strict=True):
            if stage.lasts and stage.unit in (WANTED, ward):
                name = next((n for n in flows.path.by_ward(stage.lasts) if n.endswith(f":{ward}")), stage.lasts)
                parts.append((name, came[:, :, code] if stage.unit == WANTED else came.sum(axis=2)))
        median = flows.median_of(parts)
        if median is not None and median < NEVER_ENDS_MIN:
            yield Stay(ward, sum(float(part.sum()) for _, part in parts), median)


# --- the load ---------------------------------------------------------------------------------------------------


def loads_of(hospital: Hospital, flows: Flows) -> tuple[Load, ...]:
    """The load of every pool that the path queues for."""
    held = _held(flows)
    return tuple(_load(hospital, flows, pool, held[pool]) for pool in flows.path.pools)


def _held(flows: Flows) -> dict[str, Array]:
    """By pool, how many of it those who come a day in each block hold on average, `(block,)`."""
    path = flows.path
    out = {pool: np.zeros(flows.parameters.blocks) for pool in path.pools}
    for code, (stage, situation) in enumerate(zip(path.stages, path.situations, strict=True)):
        lasts, slot = flows.mean_min(code, stage.lasts), flows.mean_min(code, stage.frees_after or stage.lasts)
        for pools, minutes in ((situation.kept | set(stage.takes), lasts), (set(stage.needs), slot)):
            for pool in pools:
                _add(out, flows, pool, flows.came[code] * minutes / DAY_MIN)
    return out


def _add(out: dict[str, Array], flows: Flows, pool: str, held: Array) -> None:
    if pool != WANTED_BED:
        out[pool] += held.sum(axis=(0, 2))
        return
    for ward in flows.path.wards:
        out[BED + ward] += held[:, :, flows.path.units.index(ward)].sum(axis=0)


def _load(hospital: Hospital, flows: Flows, pool: str, held: Array) -> Load:
    asked: float | None = float(held.sum())
    there = there_by_hour(hospital, pool)
    if asked and _never_ends(flows, pool):
        asked = None
    kind = kind_of(pool)
    limited = bool(there.max() < NO_LIMIT) and not _is_supposed(hospital, pool)
    busiest = _busiest(flows.parameters, held, there) if limited and kind == "staff" else None
    return Load(pool, kind, asked, float(there.mean()) if limited else None, busiest)


def _is_supposed(hospital: Hospital, pool: str) -> bool:
    return any(roster.supposed for roster in hospital.rosters if roster.name == pool.removeprefix(CARE))


def _never_ends(flows: Flows, pool: str) -> bool:
    duration = flows.parameters.durations.get(f"ward_stay:{pool.removeprefix(BED)}")
    return pool.startswith(BED) and duration is not None and float(duration.table[..., 0].min()) > NEVER_ENDS_MIN


def kind_of(pool: str) -> PoolKind:
    """What a pool is, from its name."""
    kinds: dict[str, PoolKind] = {BED: "beds", SPACE: "spaces", CARE: "care"}
    return next((kind for head, kind in kinds.items() if pool.startswith(head)), "staff")


def there_by_hour(hospital: Hospital, pool: str) -> Array:
    """How many there are of a pool by local hour of the day, the mean of the week, `(24,)`."""
    for unit in hospital.units:
        if unit.pool == pool:
            return np.full(HOURS_A_DAY, float(max(unit.places - unit.held_back, 0)))
    roster = next(r for r in hospital.rosters if r.name == pool.removeprefix(CARE))
    here = (5.0 * np.array(roster.weekday) + 2.0 * np.array(roster.weekend)) / 7.0
    return here * (roster.caseload if pool.startswith(CARE) else 1)


def _busiest(parameters: Parameters, held: Array, there: Array) -> tuple[int, int, float] | None:
    """The hours with most to do for those who are there, were everybody served in the hour of their coming."""
    came = per_hour(parameters)
    of_block = np.bincount(parameters.block_of_hour, weights=came, minlength=parameters.blocks)
    block = parameters.block_of_hour
    work = held[block] * np.divide(came, of_block[block], out=np.zeros(HOURS_A_DAY), where=of_block[block] > 0)
    around = np.arange(HOURS_A_DAY)[:, None] + np.arange(BUSY_HOURS)[None, :]
    asked, here = work[around % HOURS_A_DAY].sum(axis=1) * HOURS_A_DAY, there[around % HOURS_A_DAY].sum(axis=1)
    if not asked.any() or (here <= 0).any():
        return None
    first = int(np.argmax(asked / here))
    return first, (first + BUSY_HOURS) % HOURS_A_DAY, float(asked[first] / here[first])


# --- what is doubtful -------------------------------------------------------------------------------------------


def _doubts(hospital: Hospital, flows: Flows, steps: tuple[Step, ...], loads: tuple[Load, ...]) -> Iterator[Doubt]:
    """The gravest first."""
    full = [load for load in loads if (load.share or 0.0) >= NEARLY_FULL]
    for load in sorted(full, key=lambda load: -(load.share or 0.0)):
        yield Doubt(_fullness(hospital, load, loads), load.pool, load.share)
    yield from (Doubt("nobody_there", load.pool) for load in loads if load.there == 0 and load.asked)
    for load in loads:
        if load.busiest and load.busiest[2] >= BUSY and load not in full:
            yield Doubt("busy_hours", load.pool, load.busiest[2], load.busiest[:2])
    yield from (Doubt("never_ends", load.pool) for load in loads if load.asked is None)
    yield from (Doubt("stage_never", step.name) for step in steps if step.a_day <= 0)
    yield from _unused(hospital, flows, loads)


def _fullness(hospital: Hospital, load: Load, loads: tuple[Load, ...]) -> DoubtKind:
    """What it means that a pool is full: a ward may be relieved by those that it overflows into."""
    if (load.share or 0.0) <= 1:
        return "nearly_full"
    hosts = next((unit.overflow for unit in hospital.units if unit.pool == load.pool), ())
    pools = {load.pool, *(BED + host for host in hosts)}
    together = [other for other in loads if other.pool in pools]
    asked = sum(other.asked or 0.0 for other in together)
    there = sum(other.there if other.there is not None else float("inf") for other in together)
    return "spills_over" if asked <= there else "overloaded"


def _unused(hospital: Hospital, flows: Flows, loads: tuple[Load, ...]) -> Iterator[Doubt]:
    """What nobody is sent to or queues for."""
    sent = {load.pool: load for load in loads}
    visited = {stage.unit for stage in flows.path.stages}
    for unit in hospital.units:
        load = sent.get(unit.pool)
        if unit.ward and load and load.asked == 0:
            yield Doubt("ward_never", unit.name)
        elif not unit.ward and unit.name not in visited and load is None:
            yield Doubt("unit_never", unit.name)
        elif unit.ward and load and load.share is not None and load.share < HARDLY_USED:
            yield Doubt("hardly_used", load.pool, load.share)
    for roster in hospital.rosters:
        asked = [sent[pool] for pool in (roster.name, CARE + roster.name) if pool in sent]
        if not any(load.asked for load in asked) and roster.told:
            yield Doubt("pool_never", roster.name)
