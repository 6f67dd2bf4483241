"""How fast the twin is on this machine: both engines side by side, what a member takes, and a whole cycle.

Engines and members are told in time of the processor, which others on the machine change little; the ensemble in time
of the wall.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from dashboard.commands.common import progress, say, settings_of
from dashboard.house import COMPILED, scenario_catalogue, workers_of
from dashboard.settings import Settings
from forecast.ensemble import Run, applied_to, drawn, ensemble, run_chunk
from forecast.situation import Situation, situation_of
from ingest.clock import stopwatch
from twin import kernel, model
from twin.calibrate import calibrate
from twin.defaults import default_parameters
from twin.fabricate import FabricatedHospital, World
from twin.fate import Fate, cast
from twin.hospital import Profile, load_hospital
from twin.luck import draw
from twin.pathway import Path, load_path
from twin.present import Present
from twin.scenarios import catalogue, pick
from twin.state import State, fold

_DAYS = 28
_START = datetime(2026, 1, 5, tzinfo=UTC)
_DAY_MIN = 1440.0
_MEMBERS = 20
_ENGINES = {"simpy": model.run, "kernel": kernel.run}


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin bench`."""
    command.add_argument("--members", type=int, help="runs of each ensemble")


@dataclass(frozen=True)
class _Case:
    """What an engine is given."""

    capacity: Mapping[str, Profile]
    path: Path
    fate: Fate
    present: Present


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    settings = settings_of(options)
    kernel.warm(settings.data / COMPILED)
    with progress("measuring") as report:
        report(0, 4)
        situation = _situation()
        report(1, 4)
        engines = {"learned_hospital": _engines(_learned(situation)), "default_hospital": _engines(_default())}
        report(2, 4)
        members = _members_ms(situation)
        report(3, 4)
        told: dict[str, Any] = {
            "machine": f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}",
            "engines": engines,
            **members,
            "ensemble": _ensemble(situation, settings),
        }
    say(options, told, lambda: _text(told))


def _text(told: Mapping[str, Any]) -> str:
    """One line each, the engines as a table."""
    lines = [f"machine: {told['machine']}", "one member of 24 h, the engine alone:"]
    for hospital, row in told["engines"].items():
        cells = [
            f"{engine} {row[f'{engine}_ms']} ms, {row[f'{engine}_events_per_s']:,} events/s" for engine in _ENGINES
        ]
        lines.append(f"  {hospital}, {row['events']} events: {'; '.join(cells)}; ratio {row['ratio']}")
    rest = ((name, value) for name, value in told.items() if name not in ("machine", "engines"))
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in rest)])


def _ensemble(situation: Situation, settings: Settings) -> dict[str, Any]:
    """A whole ensemble in the processes that simulate, cold (they start, SimPy serves at first) and warm."""
    scenarios = pick(scenario_catalogue(settings), settings.wall_scenarios)
    how, workers = Run(members=settings.members), workers_of(settings)
    try:
        began = stopwatch()
        ensemble(situation, scenarios, how, executor=workers)
        cold = stopwatch()
        ensemble(situation, scenarios, how, executor=workers)
        warm = stopwatch()
    finally:
        workers.shutdown()
    return {
        "members": how.members, "scenarios": len(scenarios), "hours": 24, "seconds": round(warm - cold, 2),
        "seconds_cold": round(cold - began, 2),
    }  # fmt: skip


def _situation() -> Situation:
    """A large congested hospital at ten in the morning, learned from four weeks."""
    world = World(FabricatedHospital(kind="congested", size="large"), _START, seed=1)
    now = _START + timedelta(days=_DAYS, hours=10)
    state = fold(State(), world.run_until(now))
    return situation_of(state, calibrate(state, load_hospital(), now), now)


def _learned(situation: Situation) -> list[_Case]:
    """Members of the learned hospital, from its present."""
    c, how = situation.calibration, Run()
    change = applied_to(situation, pick(catalogue(), ["as_usual"])[0], how)
    cases = []
    for member in range(_MEMBERS):
        present, luck = drawn(situation, how, member)
        cases.append(_Case(change.capacity, c.path, cast(c.path, c.parameters, luck, present), present))
    return cases


def _default() -> list[_Case]:
    """Members of the default hospital on the full path, from empty."""
    hospital = load_hospital()
    path, nobody = load_path("full", hospital), Present.of_nobody()
    parameters = default_parameters(hospital, path)
    capacity = hospital.capacities(path.pools, _START, _DAY_MIN)
    lucks = (
        draw(path, parameters, 0, seed=1, member=member, start=_START, horizon_min=_DAY_MIN, zone=hospital.zone)
        for member in range(_MEMBERS)
    )
    return [_Case(capacity, path, cast(path, parameters, luck, nobody), nobody) for luck in lucks]


def _engines(cases: Sequence[_Case]) -> dict[str, Any]:
    """Both engines on the same members, one after the other; packing for the compiled one counts as its time."""
    seconds: dict[str, list[float]] = {engine: [] for engine in _ENGINES}
    events = 0
    for case in cases:
        given = (case.capacity, case.path, case.fate, case.present, _DAY_MIN)
        for engine, by in _ENGINES.items():
            seconds[engine].append(_timed(partial(by, *given)))
        events += kernel.run(*given).at_min.size - case.present.history.at_min.size
    row: dict[str, Any] = {"events": round(events / len(cases))}
    for engine in _ENGINES:
        row[f"{engine}_ms"] = round(1e3 * median(seconds[engine]), 3)
        row[f"{engine}_events_per_s"] = round(row["events"] / median(seconds[engine]))
    return {**row, "ratio": round(median(seconds["simpy"]) / median(seconds["kernel"]), 1)}


def _members_ms(situation: Situation) -> dict[str, float]:
    """One member of the learned hospital, drawing and counting included, in each engine; and what drawing takes."""
    usual, how = pick(catalogue(), ["as_usual"]), Run()
    by_law = replace(how, engine="simpy")
    ways: dict[str, Callable[[int], object]] = {
        "simpy_ms_per_member": lambda m: run_chunk(situation, usual, by_law, range(m, m + 1)),
        "kernel_ms_per_member": lambda m: run_chunk(situation, usual, how, range(m, m + 1)),
        "drawing_ms_per_member": lambda m: drawn(situation, how, m),
    }
    out = {}
    for name, way in ways.items():
        out[name] = round(1e3 * median(_timed(partial(way, member)) for member in range(_MEMBERS)), 2)
    return out


def _timed(work: Callable[[], object]) -> float:
    began = _processor_s()
    work()
    return _processor_s() - began


def _processor_s() -> float:
    """Seconds of the processor that this process has had."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
