"""How fast the twin is on this machine: milliseconds a member, and a whole cycle."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from dashboard.commands.common import progress, say, settings_of
from dashboard.house import scenario_catalogue, workers_of
from forecast.ensemble import Run, ensemble, run_chunk
from forecast.situation import Situation, situation_of
from ingest.clock import stopwatch
from twin.calibrate import calibrate
from twin.defaults import default_parameters
from twin.fabricate import FabricatedHospital, World
from twin.fate import cast
from twin.hospital import load_hospital
from twin.luck import draw
from twin.model import run as simulate
from twin.pathway import load_path
from twin.present import Present
from twin.scenarios import catalogue, pick
from twin.state import State, fold

_DAYS = 28
_START = datetime(2026, 1, 5, tzinfo=UTC)
_MEMBERS = 20


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin bench`."""
    command.add_argument("--members", type=int, help="runs of each ensemble")


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    settings = settings_of(options)
    with progress("measuring") as report:
        report(0, 3)
        situation = _situation()
        report(1, 3)
        path, full = _path_ms(situation), _full_ms()
        report(2, 3)
        scenarios = pick(scenario_catalogue(settings), settings.wall_scenarios)
        how = Run(members=settings.members)
        workers = workers_of(settings)
        began = stopwatch()
        ensemble(situation, scenarios, how, executor=workers)
        seconds = stopwatch() - began
        workers.shutdown()
    told: dict[str, Any] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}",
        "simpy_ms_per_member": round(path, 1),
        "simpy_full_path_ms_per_member": round(full, 1),
        "ensemble": {"members": how.members, "scenarios": len(scenarios), "hours": 24, "seconds": round(seconds, 1)},
    }
    say(options, told, lambda: "\n".join(f"{name}: {value}" for name, value in told.items()))


def _situation() -> Situation:
    """A large congested hospital at ten in the morning, learned from four weeks."""
    world = World(FabricatedHospital(kind="congested", size="large"), _START, seed=1)
    now = _START + timedelta(days=_DAYS, hours=10)
    state = fold(State(), world.run_until(now))
    return situation_of(state, calibrate(state, load_hospital(), now), now)


def _path_ms(situation: Situation) -> float:
    """One member of 24 h, drawing and counting included, on the learned path."""
    usual = pick(catalogue(), ["as_usual"])
    return 1e3 * median(_timed(partial(run_chunk, situation, usual, Run(), range(m, m + 1))) for m in range(_MEMBERS))


def _full_ms() -> float:
    """One member of 24 h of the default hospital on the full path, from empty."""
    hospital = load_hospital()
    path = load_path("full", hospital)
    parameters = default_parameters(hospital, path)
    capacity = hospital.capacities(path.pools, _START, 1440.0)
    nobody = Present.of_nobody()

    def once(member: int) -> None:
        luck = draw(path, parameters, 0, seed=1, member=member, start=_START, horizon_min=1440.0, zone=hospital.zone)
        simulate(capacity, path, cast(path, parameters, luck, nobody), nobody, 1440.0)

    return 1e3 * median(_timed(partial(once, m)) for m in range(_MEMBERS))


def _timed(work: Callable[[], object]) -> float:
    began = stopwatch()
    work()
    return stopwatch() - began
