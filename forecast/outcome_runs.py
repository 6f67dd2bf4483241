"""Members run for what they come to: many scenarios at once, of whom outcomes are kept and no trajectory.

The present and the luck of some members are drawn once for all scenarios; scenarios that bring the same patients
share their fates, so they are run side by side, a handful at a time, and what has been run is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from forecast.efforts import Efforts, efforts_of
from forecast.ensemble import Run, applied_to, at_leads, counting, drawn, reserve_of, with_what_is_the_same
from forecast.outcomes import Told, nights, outcomes
from forecast.services import ServiceEntry, services_here
from forecast.situation import Situation
from forecast.tension_days import ELDERLY as AGED_BAND
from forecast.values import Array, Members
from twin.arrivals import HEADROOM
from twin.asked import asked, staffed
from twin.counting import Counting
from twin.demand import Demand, planned_streams
from twin.errors import ScenarioError
from twin.fates import Share, cast_members_for
from twin.hospital import BED, Profile
from twin.kernel import Runs
from twin.kernel_tables import Room
from twin.kernel_tallies import AGED, PLANNED
from twin.luck import MOST_VICTIMS, RESERVE, Luck
from twin.present import Present
from twin.scenarios import Scenario
from twin.setting import Setting
from twin.story import Index
from twin.tallies import Tallying

AT_ONCE = 25
"""Scenarios whose fates are held at once."""
Outcomes = dict[str, Array]
"""By name, `(member,)`."""


class Further(Protocol):
    """What others make of the same members, such as supplies; a value that can be sent to another process."""

    def of(self, scenario: Scenario, told: Members, members: range) -> tuple[Outcomes, Outcomes]:
        """Of the members of a chunk, by their numbers, under a scenario: further measures, `(lead, member)` by name, of
        which services may break, and further outcomes, `(member,)` by name, which may be criteria."""


@dataclass(frozen=True)
class Wanted:
    """What is to be known besides the criteria: services that may break; the department's treatment spaces, where the
    hospital's file is the site's own; and what others make of the members."""

    services: Mapping[str, ServiceEntry] = field(default_factory=dict)
    spaces: int | None = None
    further: tuple[Further, ...] = ()


def outcome_chunk(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, members: range, wanted: Wanted
) -> list[Outcomes]:
    """What each scenario, in its place, comes to for the members of a chunk.

    1. Draw the present and the luck of all of them.
    2. For some scenarios at a time that bring much the same patients: cast the fates, run them all, and keep what each
       member comes to.
    """
    applied = [applied_to(situation, scenario, how) for scenario in scenarios]
    found: dict[int, Outcomes] = {}
    for reserve, places in _by_reserve(applied):
        whole = _Whole.of(situation, how, members, wanted, reserve)
        for batch in _batches(applied, places):
            told = whole.run([applied[place] for place in batch], [scenarios[place] for place in batch])
            found |= dict(zip(batch, told, strict=True))
    return [found[place] for place in range(len(scenarios))]


def fault_of(situation: Situation, scenario: Scenario, how: Run) -> str | None:
    """Why a scenario cannot be run from a situation: it would leave no staff, or bring too many; None where it can."""
    try:
        demand = applied_to(situation, scenario, how).demand
    except ScenarioError as fault:
        return f"{scenario.name}: {fault}"
    starts = {0.0, *(minute for minute, _ in demand.level), *(level.from_min for level in demand.some)}
    most = max(_level_at(demand, minute) for minute in starts)
    if most > HEADROOM:
        return f"{scenario.name}: arrivals must be changed by a factor from 0 to {HEADROOM:g}, but by {most:.3g}"
    if demand.victims > MOST_VICTIMS:
        return f"{scenario.name}: crises may bring {MOST_VICTIMS} patients, but bring {demand.victims}"
    return None


def _level_at(demand: Demand, minute: float) -> float:
    """The highest factor on anybody's arrival in the department at a minute."""
    found = next((factor for start, factor in reversed(demand.level) if start <= minute), 1.0)
    for level in demand.some:
        if not level.planned and level.from_min <= minute < level.until_min:
            found *= max(level.factor, 1.0) if not level.who.everybody else level.factor
    return found


def _by_reserve(applied: Sequence[Setting]) -> Iterator[tuple[int, list[int]]]:
    """Places of scenarios by how many victims luck is drawn for: few know a large crisis, and the others go without."""
    large = [place for place, setting in enumerate(applied) if setting.demand.victims > RESERVE]
    usual = [place for place in range(len(applied)) if place not in set(large)]
    return ((reserve_of([applied[place] for place in places]), places) for places in (usual, large) if places)


def _batches(applied: Sequence[Setting], places: Sequence[int]) -> Iterator[list[int]]:
    """Some places at a time that are run together: those with one law and one crisis stand side by side."""
    alike: dict[object, list[int]] = {}
    for place in places:
        setting = applied[place]
        alike.setdefault((setting.law, repr(setting.demand.crises)), []).append(place)
    order = [place for group in alike.values() for place in group]
    return (order[first : first + AT_ONCE] for first in range(0, len(order), AT_ONCE))


@dataclass(frozen=True, eq=False)
class _Whole:
    """What is the same for all scenarios of some members."""

    situation: Situation
    how: Run
    wanted: Wanted
    members: range
    presents: Sequence[Present]
    luck: Luck
    usual: Setting
    counting: Counting
    tallying: Tallying

    @classmethod
    def of(cls, situation: Situation, how: Run, members: range, wanted: Wanted, reserve: int) -> _Whole:
        presents, luck = drawn(situation, how, members, reserve=reserve)
        hospital = situation.calibration.hospital
        tallying = Tallying(
            tuple(hospital.acuities), how.horizon_min, nights(situation.as_of, hospital.zone, how.horizon_min)
        )
        usual = applied_to(situation, None, how)
        return cls(situation, how, wanted, members, presents, luck, usual, counting(situation), tallying)

    def run(self, applied: Sequence[Setting], asked_for: Sequence[Scenario]) -> list[Outcomes]:
        """What the members come to under each of some settings."""
        c, leads = self.situation.calibration, self.how.lead_min
        demands, laws = [setting.demand for setting in applied], [setting.law for setting in applied]
        shares = cast_members_for(c.path, c.parameters, self.luck, self.presents, demands, laws)
        scenarios, members, pools = len(applied), len(self.presents), len(staffed(c.path))
        counted = np.empty((scenarios, len(self.counting.names), leads.size, members))
        work = np.empty((scenarios, pools, leads.size, members))
        tallied = np.empty((scenarios, len(self.tallying.names), members))
        room = Room()
        there = np.empty_like(work)
        for m, (member, present, mine) in enumerate(zip(self.members, self.presents, shares, strict=True)):
            capacities = [s.capacity_of(c.hospital, seed=self.how.seed, member=member) for s in applied]
            there[:, :, :, m] = [self._there(capacity) for capacity in capacities]
            for s, (counts, tallies, load) in enumerate(self._member(m, present, mine, capacities, room)):
                counted[s, :, :, m], tallied[s, :, m], work[s, :, :, m] = counts, tallies, load
        each = zip(applied, asked_for, counted, tallied, work, there, strict=True)
        return [self._outcomes(setting, *of) for setting, *of in each]

    def _member(
        self,
        member: int,
        present: Present,
        shares: Sequence[Share],
        capacities: Sequence[Mapping[str, Profile]],
        room: Room,
    ) -> Iterator[tuple[Array, Array, Array]]:
        """Counts `(row, lead)`, tallies `(row,)` and work asked `(pool, lead)` of a member under each setting."""
        path, leads = self.situation.calibration.path, self.how.lead_min
        by_lot: dict[int, tuple[Runs, Index]] = {}
        for share, capacity in zip(shares, capacities, strict=True):
            lot = share.lot
            if id(lot) not in by_lot:
                runs = Runs(path, lot, present, self.how.until_min, by_law=self.how.engine == "simpy", room=room)
                by_lot[id(lot)] = runs, self._kinds(member, share)
            runs, kinds = by_lot[id(lot)]
            ahead, tallies = runs.tallied(
                capacity, self.counting, leads[1:], self.tallying, kinds, share.rows
            )  # fmt: skip
            yield np.hstack([runs.counted_now(self.counting), ahead]), tallies, asked(path, share, leads)

    def _kinds(self, member: int, share: Share) -> Index:
        """Of each visit whether it is of 75 or over, and whether it comes by appointment."""
        c = self.situation.calibration
        aged = np.array([one.age_band == AGED_BAND for one in c.parameters.classes])
        out = self._by_appointment[self.luck.first[member] : self.luck.first[member + 1]] * PLANNED
        out[share.fate.visit] |= aged[share.fate.cls] * AGED
        return out

    def _there(self, capacity: Mapping[str, Profile]) -> Array:
        """How many there are of each pool of staff or equipment, `(pool, lead)`."""
        pools, leads = staffed(self.situation.calibration.path), self.how.lead_min
        return np.array([at_leads(capacity[pool], leads) for pool in pools]).reshape(len(pools), leads.size)

    def _outcomes(
        self, setting: Setting, scenario: Scenario, counted: Array, tallied: Array, work: Array, staff: Array
    ) -> Outcomes:
        c, leads = self.situation.calibration, self.how.lead_min
        pools = staffed(c.path)
        measures = with_what_is_the_same(self.situation, setting, self.how, self.counting.by_name(counted))
        measures |= {f"asked:{pool}": load for pool, load in zip(pools, work, strict=True)}
        known = c.hospital.told
        there = {f"asked:{pool}": count for pool, count in zip(pools, staff, strict=True) if pool in known}
        if self.wanted.spaces:
            there["ed_census"] = np.full((leads.size, 1), float(self.wanted.spaces))
        more: Outcomes = {}
        for further in self.wanted.further:
            series, single = further.of(scenario, Members(leads, measures), self.members)
            measures, more = {**measures, **series}, {**more, **single}
        told = Told(
            lead_min=leads, measures=measures, tallies=dict(zip(self.tallying.names, tallied, strict=True)),
            there=there, usual_beds=self._usual_beds(), planned_due=self._due(),
            morning_min=self.tallying.nights_min[0][1] if self.tallying.nights_min else None,
            aged_known=any(one.age_band == AGED_BAND for one in c.parameters.classes), more=more,
        )  # fmt: skip
        services = services_here(self.wanted.services, measures, there, {})
        return outcomes(told, self._efforts(setting), services)

    def _efforts(self, setting: Setting) -> Efforts:
        hospital = self.situation.calibration.hospital
        return efforts_of(hospital, self.usual.capacity, setting.capacity, self.how.horizon_min)

    @cached_property
    def _by_appointment(self) -> npt.NDArray[np.bool_]:
        """Who comes by appointment, of the rows of luck."""
        c = self.situation.calibration
        return np.append(planned_streams(c.path, c.parameters), [False, False])[self.luck.group]

    def _usual_beds(self) -> dict[str, Array]:
        c = self.situation.calibration
        known = [unit for unit in c.hospital.wards if unit.name in c.beds_known and unit.pool in self.usual.capacity]
        return {u.name: at_leads(self.usual.capacity[BED + u.name], self.how.lead_min) + u.held_back for u in known}

    def _due(self) -> Array | None:
        """How many come by appointment in the window, whatever the scenario."""
        if not self._by_appointment.any():
            return None
        comes = self._by_appointment & (self.luck.at_min <= self.how.horizon_min)
        return np.add.reduceat(comes.astype(np.float64), self.luck.first[:-1])
