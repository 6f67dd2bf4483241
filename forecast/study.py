"""What comparing scenarios needs besides the situation: what counts here, what it is called, which scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from forecast.errors import ForecastError
from forecast.outcome_runs import Wanted
from forecast.points_of_view import Criterion, Names, PointsOfView
from forecast.services import ServiceEntry
from twin.hospital import Hospital
from twin.scenarios import Scenario
from twin.supply_file import Supplies


@dataclass(frozen=True)
class Study:
    """A site's points of view and services, its catalogue, and its hospital."""

    points_of_view: PointsOfView
    services: Mapping[str, ServiceEntry]
    catalogue: Mapping[str, Scenario]
    hospital: Hospital
    spaces: int | None
    """Treatment spaces, where the hospital's file is the site's own."""
    supplies: Supplies | None = None
    """Its support services, where they are looked at too."""

    @property
    def wanted(self) -> Wanted:
        """What is to be known of members."""
        return Wanted(self.services, self.spaces)

    @property
    def called(self) -> dict[str, Names]:
        """What pools and units are called, by name."""
        pools = {pool.name: (pool.fr, pool.en) for pool in self.hospital.rosters}
        units = {unit.name: (unit.fr, unit.en) for unit in self.hospital.units}
        services = self.supplies.services if self.supplies is not None else ()
        return pools | units | {one.name: (one.fr, one.en) for one in services}

    def criteria(self, there: Sequence[str], *, view: str | None = None, names: Iterable[str] = ()) -> list[Criterion]:
        """Those named; else those of a view; else those of every view. Only what exists here.

        Raises ForecastError for a view or a criterion that there is not.
        """
        asked = list(names)
        if not asked:
            views = self.points_of_view.views.values() if view is None else [self.points_of_view.view(view)]
            asked = [name for one in views for name in one.criteria]
        return self.points_of_view.chosen(asked, there, self.called)


def with_numbers(names: Sequence[str], numbers: Sequence[str], catalogue: Mapping[str, Scenario]) -> list[str]:
    """Scenarios by name with numbers of their own, from "name=value" each: put to every scenario that has one.

    Raises ForecastError for a number that none of them has.
    """
    told = dict(_number(one) for one in numbers)
    lost = [number for number in told if not any(number in _has(name, catalogue) for name in names)]
    if lost:
        there = sorted({number for name in names for number in _has(name, catalogue)})
        has = f"; there are {', '.join(there)}" if there else ": they have none"
        raise ForecastError(f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} no number {lost[0]}{has}")
    return ["+".join(_with(part, told, catalogue) for part in name.split("+")) if told else name for name in names]


def _with(name: str, told: Mapping[str, str], catalogue: Mapping[str, Scenario]) -> str:
    mine = [f"{number}={value}" for number, value in told.items() if number in _has(name, catalogue)]
    return f"{name}[{','.join(mine)}]" if mine else name


def _has(name: str, catalogue: Mapping[str, Scenario]) -> list[str]:
    return [number for part in name.split("+") if part in catalogue for number in catalogue[part].parameters]


def _number(told: str) -> tuple[str, str]:
    name, equals, value = told.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise ForecastError(f"a number must be set as name=value, but is {told!r}")
    return name.strip(), value.strip()
