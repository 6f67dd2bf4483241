"""Members: many runs of the twin from one situation, each under every scenario with the same luck.

A member is one drawing of the present and of luck. Members are run in chunks on a `concurrent.futures` executor; a
chunk runs all scenarios of its members, so that luck is drawn once. What a member gives depends on the situation,
the seed and its number alone, not on chunks, processes or order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from forecast.situation import Situation
from forecast.values import Array, Members
from twin import model
from twin.fate import Fate, cast
from twin.fates import cast_for
from twin.hospital import Profile
from twin.kernel import Runs
from twin.luck import Luck, draw
from twin.measures import in_the_hour_before, measure
from twin.pathway import Path
from twin.present import Present
from twin.present_draw import AT_ONCE_MIN, draw_present
from twin.scenarios import Scenario, Setting
from twin.story import Story, Visits

_SECOND_MIN = 1.0 / 60.0
CHUNK = 10
"""Members a task runs: some tenths of a second, so that progress shows and a cancel is heard."""
Progress = Callable[[int, int], None]
"""Called with members done and members asked for."""


@dataclass(frozen=True)
class Run:
    """How an ensemble is run."""

    members: int = 200
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
    parts: list[dict[str, dict[str, Array]]] = []
    done = 0
    for chunk, part in zip(chunks, _parts(situation, scenarios, how, chunks, executor), strict=True):
        parts.append(part)
        done += len(chunk)
        if progress is not None:
            progress(done, how.members)
    return {s.name: Members(how.lead_min, _joined([part[s.name] for part in parts])) for s in scenarios}


def run_chunk(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, members: range
) -> dict[str, dict[str, Array]]:
    """The members of a chunk: scenario to measure to `(lead, member)`."""
    applied = {s.name: applied_to(situation, s, how) for s in scenarios}
    columns: dict[str, list[dict[str, Array]]] = {s.name: [] for s in scenarios}
    for member in members:
        for name, values in _member(situation, applied, how, member).items():
            columns[name].append(values)
    return {name: _whole(situation, applied[name], how, of) for name, of in columns.items()}


def _whole(situation: Situation, change: Setting, how: Run, columns: Sequence[dict[str, Array]]) -> dict[str, Array]:
    """The members' columns as `(lead, member)`, with what is the same in all of them: who is gone, and beds."""
    out = {name: np.stack([column[name] for column in columns], axis=1) for name in columns[0]}
    gone = situation.gone
    for name, before in (
        ("ed_arrivals", gone.arrived_min), ("ed_departures", gone.departed_min), ("admissions", gone.to_ward_min),
    ):  # fmt: skip
        out[name] += in_the_hour_before(before, how.lead_min)[:, None]
    for ward, beds in _beds(situation, change, how.lead_min).items():
        out[f"beds_free:{ward}"] = beds[:, None] - out[f"census:{ward}"]
    return out


def applied_to(situation: Situation, scenario: Scenario, how: Run) -> Setting:
    """The scenario's capacities and demand from the situation on."""
    c = situation.calibration
    capacity = c.hospital.capacities(c.path.pools, situation.as_of, how.until_min)
    return scenario.apply(Setting(capacity, caseloads=c.hospital.caseloads), c.hospital.acuities)


def _parts(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, chunks: Sequence[range], executor: Executor | None
) -> Iterator[dict[str, dict[str, Array]]]:
    if executor is None:
        return (run_chunk(situation, scenarios, how, chunk) for chunk in chunks)
    pending = [executor.submit(run_chunk, situation, scenarios, how, chunk) for chunk in chunks]
    return (future.result() for future in pending)


def law_and_engine(situation: Situation, scenarios: Sequence[Scenario], how: Run, member: int) -> tuple[Story, Story]:
    """A member's story under the first scenario: by the law alone, and as it is run beside the other scenarios."""
    c, settings = situation.calibration, [applied_to(situation, s, how) for s in scenarios]
    present, luck = drawn(situation, how, member)
    alone = cast(c.path, c.parameters, luck, present, settings[0].demand)
    share = cast_for(c.path, c.parameters, luck, present, [setting.demand for setting in settings])[0]
    law = model.run(settings[0].capacity, c.path, alone, present, how.until_min)
    return law, _runs(c.path, share.fate, present, how).under(settings[0].capacity, share.rows)


def drawn(situation: Situation, how: Run, member: int) -> tuple[Present, Luck]:
    """What is drawn for a member, whatever the scenario."""
    c = situation.calibration
    present = draw_present(situation.known, c, seed=how.seed, member=member)
    luck = draw(
        c.path, c.parameters, present.count, seed=how.seed, member=member, start=situation.as_of,
        horizon_min=how.until_min, zone=c.hospital.zone, seen_today=situation.seen_today,
    )  # fmt: skip
    return present, luck


def _member(situation: Situation, applied: Mapping[str, Setting], how: Run, member: int) -> dict[str, dict[str, Array]]:
    """A member under each scenario; what is drawn, and what it means, is worked out once for all of them."""
    c = situation.calibration
    present, luck = drawn(situation, how, member)
    shares = cast_for(c.path, c.parameters, luck, present, [change.demand for change in applied.values()])
    runs: dict[int, Runs] = {}
    now = _measured(situation, Visits.of(present.history, shares[0].fate.acuity), how.lead_min[:1])
    out = {}
    for share, (name, change) in zip(shares, applied.items(), strict=True):
        if id(share.fate) not in runs:
            runs[id(share.fate)] = _runs(c.path, share.fate, present, how)
        later = _after_now(Visits.of(runs[id(share.fate)].under(change.capacity, share.rows), share.fate.acuity))
        ahead = _measured(situation, later, how.lead_min[1:])
        out[name] = {measure: np.concatenate([now[measure], ahead[measure]]) for measure in now}
    return out


def _runs(path: Path, fate: Fate, present: Present, how: Run) -> Runs:
    """By SimPy alone where that is asked for; else by the compiled engine once it is there."""
    return Runs(path, fate, present, how.until_min, by_law=how.engine == "simpy")


def _after_now(visits: Visits) -> Visits:
    """Who leaves at the first instant of the run, for a bed that stood free, leaves just after the present."""
    departed = np.where(visits.departed_min == 0.0, AT_ONCE_MIN, visits.departed_min)
    return replace(visits, departed_min=departed)


def _measured(situation: Situation, visits: Visits, lead_min: Array) -> dict[str, Array]:
    """Every measure of those drawn, at some leads; lead 0 is read from the present alone, before anything of the run
    has happened."""
    c = situation.calibration
    return measure(
        visits,
        lead_min,
        acuities=c.hospital.acuities,
        units={unit.name: c.hospital.unit_code(unit.name) for unit in c.hospital.wards},
        milestones=MILESTONES[c.path.name],
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


def _joined(parts: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts], axis=1) for name in parts[0]}


MILESTONES: dict[str, frozenset[str]] = {
    "stay": frozenset(),
    "milestones": frozenset({"SeenByProvider", "DecidedToAdmit"}),
    "full": frozenset({"SeenByProvider", "DecidedToAdmit"}),
}
"""Milestones that each path tells; measures that need others do not exist."""
