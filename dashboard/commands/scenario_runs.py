"""Scenarios run from an instant of the log: what each changes, side by side, or many at once."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from dashboard.commands.calibrate import instant_within, learned
from dashboard.commands.said import progress, say
from dashboard.commands.typed import add_executor, instant, settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house, require_data, study_of
from forecast.backtest import seed_of
from forecast.compare import Comparison, Effect, as_json, comparison, outcomes_by_stage, scenarios_json
from forecast.designs import USUAL, Design, made, pairs, random_grid, survey, whole_grid
from forecast.ensemble import Run
from forecast.grid_desk import means
from forecast.grid_store import GridStore
from forecast.grids import GridWork, run_grid, work_of
from forecast.lever import no_lever
from forecast.outcome_runs import Wanted, fault_of
from forecast.points_of_view import Criterion
from forecast.robustness import RobustnessMap, robustness
from forecast.robustness import as_json as map_json
from forecast.sensitivity import Sensitivity, sensitivity
from forecast.situation import Situation, situation_of
from forecast.study import Study, with_numbers
from forecast.supplies_further import supplies_further
from twin.memory import Memory
from twin.scenarios import Scenario, pick

ACTIONS = ("run", "compare", "grid")
GRID_MEMBERS = 200
COMBINATIONS = 500
_TOLD_FIRST = 8
"""Lines of a list that is told as text."""


def add_run_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin scenarios run`, `compare` and `grid`."""
    command.add_argument("--set", action="append", default=[], metavar="K=V", help="run, compare, grid: a number")
    command.add_argument("--at", type=instant, metavar="T", help="from this instant (default: the end of the log)")
    command.add_argument("--known-at", type=instant, metavar="T", help="from what was known then (default: --at)")
    command.add_argument("--members", type=int, help=f"runs of each scenario (grid: {GRID_MEMBERS})")
    command.add_argument("--hours", dest="horizon_h", type=float, metavar="H", help="how long the window is")
    command.add_argument("--view", help="a point of view: its criteria (default: those of all)")
    command.add_argument("--criteria", metavar="A,B", help="criteria in place of a view's")
    command.add_argument(
        "--design", choices=("survey", "pairs", "grid", "random"), default="survey",
        help="grid: each scenario and random pairs, all pairs, every level of the numbers, or random numbers",
    )  # fmt: skip
    command.add_argument(
        "--combinations", type=int, default=COMBINATIONS, metavar="N", help="grid: of a survey or a random design"
    )
    command.add_argument("--steps", type=int, default=3, metavar="N", help="grid: levels of each number")
    add_executor(command)


def run_action(options: argparse.Namespace) -> None:
    """Run what is asked for, and print it."""
    with open_house(require_data(_settings(options))) as house:
        bench = _bench_of(house, options)
        told, text = _grid(bench, options) if options.action == "grid" else _compared(bench, options)
    say(options, told, lambda: "\n".join(text))


def _settings(options: argparse.Namespace) -> Any:
    if options.action == "grid" and options.members is None:
        options.members = GRID_MEMBERS
    return settings_of(options)


@dataclass(frozen=True)
class _Bench:
    """Where scenarios are run."""

    house: House
    study: Study
    situation: Situation
    known_at: datetime
    how: Run
    wanted: Wanted


def _bench_of(house: House, options: argparse.Namespace) -> _Bench:
    at = instant_within(house, options.at)
    known_at = options.known_at or at
    memory = Memory(house.log)
    situation = situation_of(memory.at(known_at), learned(house, memory, min(at, known_at)), at)
    how = replace(house.run(), seed=seed_of(house.settings.seed, at))
    study = study_of(house)
    study.criteria((), view=options.view, names=_listed(options.criteria))  # a typo is told before the work
    [usual] = house.scenarios((USUAL,))
    supplies = supplies_further(house.supplies, memory.at(min(at, known_at)), situation, usual, how)
    return _Bench(house, study, situation, known_at, how, replace(study.wanted, further=(supplies,)))


@contextmanager
def _workers(house: House) -> Iterator[Executor]:
    workers = house.workers()
    try:
        yield workers
    finally:
        workers.shutdown(wait=False, cancel_futures=True)


# --- a few side by side ---------------------------------------------------------------------------------------------


def _compared(bench: _Bench, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    scenarios = _named(bench.study, options)
    _check(bench, scenarios)
    able = [one for one in scenarios if no_lever(bench.situation, one) is None]
    with _workers(bench.house) as workers, progress("members") as report:
        *_, found = outcomes_by_stage(
            bench.situation, able, bench.how, bench.wanted, executor=workers, progress=report
        )  # fmt: skip
    there = list(next(iter(found.values())))
    told = comparison(found, bench.study.criteria(there, view=options.view, names=_listed(options.criteria)))
    lines = [_head(bench, told.members), *_text(told, bench, scenarios, choose=options.action == "compare")]
    return _about(bench) | {"scenarios": scenarios_json(bench.situation, scenarios)} | as_json(told), lines


def _named(study: Study, options: argparse.Namespace) -> list[Scenario]:
    """What all are compared with, and those named."""
    if not options.names:
        raise CommandError(f"scenarios {options.action} needs the name of a scenario")
    if options.action == "compare" and len(options.names) < 2:
        raise CommandError("scenarios compare needs the names of two scenarios at least")
    names = with_numbers(options.names, options.set, study.catalogue)
    return pick(study.catalogue, dict.fromkeys([USUAL, *names]))


def _about(bench: _Bench) -> dict[str, Any]:
    return {
        "as_of": bench.situation.as_of.isoformat(), "known_at": bench.known_at.isoformat(),
        "hours": bench.how.horizon_min / 60, "seed": bench.how.seed, "path": bench.situation.calibration.path.name,
    }  # fmt: skip


def _head(bench: _Bench, members: int) -> str:
    c, at = bench.situation.calibration, bench.situation.as_of
    return (
        f"from {at:%Y-%m-%d %H:%M} UTC, {bench.how.horizon_min / 60:g} h, {members} members on the same luck, "
        f"path {c.path.name}"
    )


def _text(told: Comparison, bench: _Bench, scenarios: Sequence[Scenario], *, choose: bool) -> Iterator[str]:
    for scenario in scenarios[1:]:
        yield f"\n{scenario.name}: {scenario.sentence('en')}"
        why = no_lever(bench.situation, scenario)
        if why is not None:
            yield f"  changes nothing here: {why}"
            continue
        for criterion in told.criteria:
            yield "  " + _line(
                criterion, told.usual_values[criterion.name], told.effects[scenario.name][criterion.name]
            )
    if choose:
        yield "\nto choose from (nothing is added up): " + ", ".join(told.to_choose_from)
        for name, by in told.dominated_by.items():
            if by:
                yield f"  not {name}: {by[0]} is better or equal on all"


def _line(criterion: Criterion, usual: float, one: Effect) -> str:
    unit = f" {criterion.unit_in('en')}" if criterion.unit_in("en") else ""
    if one.n == 0:
        return f"{criterion.en}: nothing to tell"
    change = f"{one.mean:+.1f} ({one.ci95[0]:+.1f} to {one.ci95[1]:+.1f})" if one.mean or one.sure else "no change"
    return (
        f"{criterion.en}: {usual:.1f} to {one.value:.1f}{unit}, {change}; better in {100 * one.p_better:.0f} % of runs"
    )


# --- many at once ---------------------------------------------------------------------------------------------------


def _grid(bench: _Bench, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    design = _design(bench, options)
    scenarios = made(design, bench.study.catalogue)
    _check(bench, scenarios)
    work = work_of(bench.situation, design, scenarios, bench.how, bench.wanted, known_at=bench.known_at)
    store = GridStore(bench.house.database)
    with _workers(bench.house) as workers, progress("members") as report:
        run_grid(
            work, store, bench.house.clock.now(), executor=workers, progress=report,
            children=bench.house.settings.workers,
        )  # fmt: skip
    found = store.outcomes(work.grid.grid_id, len(design.combinations))
    criteria = bench.study.criteria(list(found), view=options.view, names=_listed(options.criteria))
    moved = {c.name: sensitivity(design, means(found[c.name])) for c in criteria}
    mapped = robustness(design.names, found)
    told = _about(bench) | {
        "grid": work.grid.grid_id, "design": design.as_json(), "robustness": map_json(mapped),
        "sensitivity": {name: [one.as_json() for one in by] for name, by in moved.items()},
        "outcomes": {c.name: [round(float(v), 4) if v == v else None for v in means(found[c.name])] for c in criteria},
    }  # fmt: skip
    return told, [_grid_head(bench, work, mapped), *_map_text(mapped), *_moved_text(criteria, moved)]


def _design(bench: _Bench, options: argparse.Namespace) -> Design:
    names = with_numbers(options.names, options.set, bench.study.catalogue)
    scenarios = pick(bench.study.catalogue, names) if names else _with_lever(bench)
    match options.design:
        case "pairs":
            return pairs(scenarios)
        case "grid":
            return whole_grid(scenarios, steps=options.steps)
        case "random":
            return random_grid(scenarios, options.combinations - 1, seed=bench.how.seed)
    able = partial(_able, bench)
    return survey(scenarios, options.combinations, seed=bench.how.seed, able=able)


def _able(bench: _Bench, scenario: Scenario) -> bool:
    return fault_of(bench.situation, scenario, bench.how) is None


def _check(bench: _Bench, scenarios: Sequence[Scenario]) -> None:
    """Before anything is run or kept: can each of them be run?"""
    faults = [fault for one in scenarios if (fault := fault_of(bench.situation, one, bench.how)) is not None]
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise CommandError(f"{faults[0]}{more}")


def _with_lever(bench: _Bench) -> list[Scenario]:
    """Every scenario of the catalogue that can change something here."""
    return [
        one for name, one in bench.study.catalogue.items()
        if name != USUAL and no_lever(bench.situation, one) is None
    ]  # fmt: skip


def _grid_head(bench: _Bench, work: GridWork, mapped: RobustnessMap) -> str:
    return f"{_head(bench, mapped.members)}, {len(work.scenarios)} combinations, grid {work.grid.grid_id}"


def _map_text(mapped: RobustnessMap) -> Iterator[str]:
    yield "\nwhat breaks first, where it would not as usual (members in 100)"
    for row in sorted(mapped.rows[1:], key=lambda row: -row.p_any)[:_TOLD_FIRST]:
        if row.first is not None:
            after = row.cells[row.first].after_min
            when = f", after {after / 60:.1f} h" if after is not None else ""
            yield f"  {row.name}: {row.first}{when} ({100 * row.p_first:.0f}; anything {100 * row.p_any:.0f})"


def _moved_text(criteria: Sequence[Criterion], moved: Mapping[str, Sequence[Sensitivity]]) -> Iterator[str]:
    yield "\nwhat moves what most"
    for criterion in criteria:
        sure = [one for one in moved[criterion.name] if one.sure][:3]
        if sure:
            told = ", ".join(f"{one.variable} {one.effect:+.1f} ({100 * one.variance_share:.0f} %)" for one in sure)
            yield f"  {criterion.en}: {told}"


def _listed(told: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in told.split(",") if part.strip()) if told else ()
