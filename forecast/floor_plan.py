"""The plan of the floor: which zones there are, in which rows, with how many spaces.

A zone is an area of the department that the site describes or the log tells of. Those whose place the log does not tell
stand in a zone of their stage. Rows are those of the site's file (`floor`); where it has none, the areas follow each
other as on the path.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from forecast.floor_view import BY_STAGE, STAGES, Zone
from twin.hospital import Hospital
from twin.names import area_names
from twin.site import Site

_FIRST = ("triage", "provider")
"""Stages that stand before the areas; the others come after them."""


def plan_of(site: Site, told: Collection[str], met: Collection[str]) -> tuple[Zone, ...]:
    """The zones of a site.

    `told` are the areas of which the log says who is there, `met` the zones in which anybody is or was on the day; an
    area of the site's own that nobody tells of is there too, and says so.
    """
    hospital = site.hospital
    rows = _rows(site, told)
    stages = [BY_STAGE + stage for stage in STAGES if BY_STAGE + stage in met or not told]
    first = [_stage(zone, 0) for zone in stages if zone.removeprefix(BY_STAGE) in _FIRST]
    last = [_stage(zone, max(0, len(rows) - 1)) for zone in stages if zone.removeprefix(BY_STAGE) not in _FIRST]
    areas = [
        _area(name, row, hospital, told, site.own_units or bool(hospital.floor))
        for row, names in enumerate(rows)
        for name in names
    ]
    return (*first, *areas, *last)


def _stage(key: str, row: int) -> Zone:
    return Zone(key, row)


def _area(name: str, row: int, hospital: Hospital, told: Collection[str], is_own: bool) -> Zone:
    fr, en = area_names(name, hospital)
    spaces = next((unit.places for unit in hospital.units if unit.name == name and not unit.ward), None)
    return Zone(name, row, fr, en, spaces if is_own else None, is_told=name in told)


def _rows(site: Site, told: Collection[str]) -> list[list[str]]:
    """The areas row by row: the site's rows, and in a row of their own those that it does not place."""
    placed = [list(row) for row in site.hospital.floor if row]
    others = [name for name in _in_order(site, told) if name not in {name for row in placed for name in row}]
    return [*placed, *([others] if others else [])]


def _in_order(site: Site, told: Collection[str]) -> Sequence[str]:
    """The site's own areas and those that the log tells of, as the path comes to them."""
    own = [unit.name for unit in site.hospital.units if not unit.ward]
    there: Iterable[str] = [*own, *told] if site.own_units else told
    path = [stage.unit for stage in site.path.stages if stage.unit] if site.path else []
    order = {name: at for at, name in enumerate(dict.fromkeys([*path, *own]))}
    return sorted(dict.fromkeys(there), key=lambda name: (order.get(name, len(order)), name))
