"""Members: many runs of the twin from one situation, each under every scenario with the same luck.

A member is one drawing of the present and of luck. Members are run in chunks on a `concurrent.futures` executor; a
chunk runs all scenarios of its members, so that luck is drawn once. What a member gives depends on the situation,
the seed and its number alone, not on chunks, processes or order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecast.situation import Situation
from forecast.values import Array, Members, Packed, packed
from twin import model
from twin.calibrate import Calibration
from twin.capacities_told import as_told
from twin.counting import Counting
from twin.fate import Lot, cast
from twin.fates import Share, cast_for, cast_members_for
from twin.hospital import Profile
from twin.kernel import Runs
from twin.kernel_tables import Room
from twin.luck import RESERVE, Luck, draw_members
from twin.measures import in_the_hour_before
from twin.pathway import Path
from twin.present import AT_ONCE_MIN, Present
from twin.present_draw import draw_presents
from twin.scenarios import Scenario
from twin.setting import Setting
from twin.story import Story

_SECOND_MIN = 1.0 / 60.0
CHUNK = 50
"""Members a task runs: two tenths of a second, so that progress shows and a cancel is heard, and drawn together."""
Progress = Callable[[int, int], None]
"""Called with members done and members asked for."""


@dataclass(frozen=True)
class Run:
    """How an ensemble is run."""

    members: int = 1000
    horizon_min: float = 1440.0
    step_min: float = 15.0
    seed: int = 1
    engine: Literal["compiled", "simpy"] = "compiled"
    """The compiled engine serves once it is there, SimPy until then; or SimPy alone. Both give the same."""

    @property
    def lead_min(self) -> Array:
        """Leads at which measures are taken, 0 (now, as drawn) to the horizon."""
        return np.arange(0.0, self.horizon_min + self.step_min / 2, self.step_min)

    @property
    def until_min(self) -> float:
        """The end of a run: just after the last lead, so that what happens then counts."""
        return self.horizon_min + _SECOND_MIN


def ensemble(
    situation: Situation,
    scenarios: Sequence[Scenario],
    how: Run,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> dict[str, Members]:
    """Every scenario's members, by its name; in this process where no executor is given."""
    chunks = [range(first, min(first + CHUNK, how.members)) for first in range(0, how.members, CHUNK)]
    whole: dict[str, dict[str, Array]] = {scenario.name: {} for scenario in scenarios}
    for chunk, part in zip(chunks, _parts(situation, scenarios, how, chunks, executor), strict=True):
        for name, measures in part.items():
            _put(whole[name], measures, chunk, how)
        if progress is not None:
            progress(chunk.stop, how.members)
    return {name: Members(how.lead_min, measures) for name, measures in whole.items()}


def run_chunk(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, members: range
) -> dict[str, dict[str, Array]]:
    """The members of a chunk: scenario to measure to `(lead, member)`.

    1. Draw the present and the luck of all of them.
    2. Run them under every scenario.
    """
    applied = {scenario.name: applied_to(situation, scenario, how) for scenario in scenarios}
    victims = max((setting.demand.victims for setting in applied.values()), default=0)
    presents, luck = drawn(situation, how, members, reserve=victims)
    return run_drawn(situation, applied, how, members, presents, luck)


def run_drawn(
    situation: Situation, settings: Mapping[str, Setting], how: Run, members: range, presents: Sequence[Present],
    luck: Luck,
) -> dict[str, dict[str, Array]]:  # fmt: skip
    """The same of members whose presents and luck are drawn already, under settings by name.

    1. Work out what their luck means for their patients under every setting.
    2. Run and count one after the other, each under every setting.
    """
    c, applied = situation.calibration, list(settings.values())
    demands, laws = [change.demand for change in applied], [change.law for change in applied]
    shares = cast_members_for(c.path, c.parameters, luck, presents, demands, laws)
    what, room = counting(situation), Room()
    counted = np.empty((len(applied), len(members), len(what.names), how.lead_min.size))
    for place, (member, present, mine) in enumerate(zip(members, presents, shares, strict=True)):
        capacities = [change.capacity_of(c.hospital, seed=how.seed, member=member) for change in applied]
        _run_member(situation, capacities, how, what, room, present, mine, counted[:, place])
    by_lead = np.ascontiguousarray(counted.transpose(0, 2, 3, 1))
    return {
        name: with_what_is_the_same(situation, change, how, what.by_name(of))
        for (name, change), of in zip(settings.items(), by_lead, strict=True)
    }


def _run_member(
    situation: Situation, capacities: Sequence[Mapping[str, Profile]], how: Run, what: Counting, room: Room,
    present: Present, shares: Sequence[Share], counted: Array,
) -> None:  # fmt: skip
    """Count a member under each scenario, `(scenario, row, lead)`; lead 0 is read from the present alone."""
    runs: dict[int, Runs] = {}
    for one, (share, capacity) in enumerate(zip(shares, capacities, strict=True)):
        if id(share.lot) not in runs:
            runs[id(share.lot)] = _runs(situation.calibration.path, share.lot, present, how, room)
        mine = runs[id(share.lot)]
        counted[one, :, :1] = mine.counted_now(what) if one == 0 else counted[0, :, :1]
        counted[one, :, 1:] = mine.counted(capacity, what, how.lead_min[1:], share.rows)


def with_what_is_the_same(situation: Situation, change: Setting, how: Run, out: dict[str, Array]) -> dict[str, Array]:
    """The members' measures with what is the same in all of them: who is gone, and beds."""
    gone = situation.gone
    for name, before in (
        ("ed_arrivals", gone.arrived_min), ("ed_departures", gone.departed_min), ("admissions", gone.to_ward_min),
    ):  # fmt: skip
        out[name] += in_the_hour_before(before, how.lead_min)[:, None]
    for ward, beds in _beds(situation, change, how.lead_min).items():
        out[f"beds_free:{ward}"] = beds[:, None] - out[f"census:{ward}"]
    return out


def applied_to(situation: Situation, scenario: Scenario | None, how: Run) -> Setting:
    """The scenario's capacities and demand from the situation on; those as usual without one."""
    c = situation.calibration
    usual = c.hospital.capacities(c.path.pools, situation.as_of, how.until_min)
    capacity = {pool: as_told(profile, situation.told_ahead.get(pool, ())) for pool, profile in usual.items()}
    if scenario is None:
        return Setting(capacity)
    return scenario.at(situation.as_of, c.hospital.zone).apply(Setting(capacity), c.hospital, how.until_min)


def reserve_of(applied: Sequence[Setting]) -> int:
    """For how many victims of a crisis luck is drawn, so that all of these settings can be run."""
    return max(RESERVE, *(setting.demand.victims for setting in applied))


def _parts(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, chunks: Sequence[range], executor: Executor | None
) -> Iterator[Mapping[str, Mapping[str, Packed]]]:
    if executor is None:
        return (run_chunk(situation, scenarios, how, chunk) for chunk in chunks)
    pending = [executor.submit(sent_chunk, situation, scenarios, how, chunk) for chunk in chunks]
    return (future.result() for future in pending)


def sent_chunk(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, members: range
) -> dict[str, dict[str, Packed]]:
    """As `run_chunk`, for another process: packed."""
    ran = run_chunk(situation, scenarios, how, members)
    return {name: {m: packed(values) for m, values in measures.items()} for name, measures in ran.items()}


def _put(whole: dict[str, Array], part: Mapping[str, Packed], chunk: range, how: Run) -> None:
    """Put a chunk's members in their places, each measure `(lead, member)`."""
    for measure, values in part.items():
        if measure not in whole:
            whole[measure] = np.empty((values.shape[0], how.members))
        whole[measure][:, chunk.start : chunk.stop] = values


def law_and_engine(situation: Situation, scenarios: Sequence[Scenario], how: Run, member: int) -> tuple[Story, Story]:
    """A member's story under the first scenario: by the law alone, and as it is run beside the other scenarios."""
    c, settings = situation.calibration, [applied_to(situation, s, how) for s in scenarios]
    [present], luck = drawn(situation, how, range(member, member + 1), reserve=reserve_of(settings))
    alone = cast(c.path, c.parameters, luck, present, settings[0].demand, settings[0].law)
    demands, laws = [setting.demand for setting in settings], [setting.law for setting in settings]
    share = cast_for(c.path, c.parameters, luck, present, demands, laws)[0]
    capacity = settings[0].capacity_of(c.hospital, seed=how.seed, member=member)
    law = model.run(capacity, c.path, alone, present, how.until_min)
    return law, _runs(c.path, share.lot, present, how, Room()).under(capacity, share.rows)


def drawn(situation: Situation, how: Run, members: range, *, reserve: int = RESERVE) -> tuple[list[Present], Luck]:
    """What is drawn for some members, whatever the scenario: the same for each, whoever else is drawn."""
    presents = draw_presents(situation.known, situation.calibration, seed=how.seed, members=members)
    return presents, luck_of(situation, how, members, presents, reserve=reserve)


def luck_of(
    situation: Situation, how: Run, members: range, presents: Sequence[Present], *, reserve: int = RESERVE
) -> Luck:
    """The luck of members whose presents are drawn, with a reserve of so many victims."""
    c = situation.calibration
    return draw_members(
        c.path, c.parameters, {member: here.count for member, here in zip(members, presents, strict=True)},
        seed=how.seed, start=situation.as_of, horizon_min=how.until_min, zone=c.hospital.zone,
        seen_today=situation.seen_today, unheard_today=situation.unheard_today, announced=situation.announced,
        reserve=reserve,
    )  # fmt: skip


def _runs(path: Path, lot: Lot, present: Present, how: Run, room: Room) -> Runs:
    """By SimPy alone where that is asked for; else by the compiled engine once it is there."""
    return Runs(path, lot, present, how.until_min, by_law=how.engine == "simpy", room=room)


def counting(situation: Situation) -> Counting:
    """Every measure that the path tells; who leaves at the first instant, for a bed that stood free, does so just after
    the present."""
    c = situation.calibration
    return Counting(
        acuities=tuple(c.hospital.acuities),
        units=tuple(unit.name for unit in c.hospital.units),
        wards=tuple(unit.name for unit in c.hospital.wards),
        milestones=milestones_of(c),
        at_once_min=AT_ONCE_MIN,
    )


def _beds(situation: Situation, change: Setting, lead_min: Array) -> dict[str, Array]:
    """Beds of each ward whose number is known, at each lead; those that nobody queues for stay as they are."""
    c = situation.calibration
    known = [unit for unit in c.hospital.wards if unit.name in c.beds_known]
    whole = {u.name: at_leads(change.capacity.get(u.pool, ((0.0, u.places),)), lead_min) for u in known}
    return {u.name: whole[u.name] + (u.held_back if u.pool in change.capacity else 0) for u in known}


def at_leads(profile: Profile, lead_min: Array) -> Array:
    """A capacity at each lead."""
    minutes, counts = zip(*profile, strict=True)
    return np.array(counts, dtype=np.float64)[np.searchsorted(minutes, lead_min, side="right") - 1]


MILESTONES: dict[str, frozenset[str]] = {
    "stay": frozenset(),
    "milestones": frozenset({"SeenByProvider", "DecidedToAdmit"}),
    "full": frozenset({"SeenByProvider", "DecidedToAdmit"}),
}
"""Milestones that each shipped path tells; measures that need others do not exist."""


def milestones_of(c: Calibration) -> frozenset[str]:
    """Those of a calibration's path: of a described one, as far as the log tells them too."""
    return MILESTONES[c.path.name] if c.described is None else c.described.told & MILESTONES["full"]
