"""The hospitals that the bench runs, and what an engine is given of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from forecast.ensemble import Run, applied_to, drawn
from forecast.situation import Situation, situation_of
from twin.calibrate import calibrate
from twin.defaults import default_parameters
from twin.fabricate import FabricatedHospital, World
from twin.fate import Lot, cast_members
from twin.hospital import Hospital, Profile, load_hospital
from twin.luck import Luck, draw_members
from twin.parameters import Parameters
from twin.pathway import Path, load_path
from twin.present import Present
from twin.scenarios import catalogue, pick
from twin.state import State, fold

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY_MIN = 1440.0
_DAYS = 28
_NOBODY = Present.of_nobody()


@dataclass(frozen=True)
class Case:
    """What an engine is given for a member of 24 h."""

    capacity: Mapping[str, Profile]
    path: Path
    lot: Lot
    present: Present


@dataclass(frozen=True, eq=False)
class Whole:
    """A hospital on the full path, from empty: as many times the default one as asked for."""

    hospital: Hospital
    path: Path
    parameters: Parameters
    capacity: Mapping[str, Profile]

    def luck(self, members: range) -> Luck:
        """The luck of some members."""
        return draw_members(
            self.path, self.parameters, dict.fromkeys(members, 0), seed=1, start=START, horizon_min=DAY_MIN,
            zone=self.hospital.zone,
        )  # fmt: skip

    def cases(self, luck: Luck) -> list[Case]:
        """What their luck means in it."""
        presents = [_NOBODY] * (luck.first.size - 1)
        fates = cast_members(self.path, self.parameters, luck, presents)
        return [Case(self.capacity, self.path, lot, _NOBODY) for lot in fates.lots()]


@cache
def default_hospital(times: int = 1) -> Whole:
    """The default hospital; or one with so many times its arrivals, places, beds, staff and equipment."""
    shipped = load_hospital()
    path = load_path("full", shipped)
    parameters = default_parameters(shipped, path)
    hospital = _times(shipped, times)
    grown = replace(
        parameters,
        streams=tuple(replace(s, per_hour=s.per_hour * times) for s in parameters.streams),
        load_edges=parameters.load_edges * times,
    )
    return Whole(hospital, path, grown, hospital.capacities(path.pools, START, DAY_MIN))


def _times(hospital: Hospital, times: int) -> Hospital:
    many = hospital.with_beds({unit.name: unit.places * times for unit in hospital.units})
    for pool in hospital.rosters:
        many = many.with_roster(pool.name, [n * times for n in pool.weekday], [n * times for n in pool.weekend])
    return many


@cache
def learned_hospital(seed: int = 1, *, days: int = _DAYS) -> Situation:
    """A large congested hospital at ten in the morning, learned from some weeks."""
    world = World(FabricatedHospital(kind="congested", size="large"), START, seed=seed)
    now = START + timedelta(days=days, hours=10)
    state = fold(State(), world.run_until(now))
    return situation_of(state, calibrate(state, load_hospital(), now), now)


def members_of(situation: Situation, count: int) -> Sequence[Case]:
    """Members of a learned hospital, from its present."""
    c, how = situation.calibration, Run()
    change = applied_to(situation, pick(catalogue(), ["as_usual"])[0], how)
    presents, luck = drawn(situation, how, range(count))
    fates = cast_members(c.path, c.parameters, luck, presents)
    return [Case(change.capacity, c.path, lot, present) for lot, present in zip(fates.lots(), presents, strict=True)]
