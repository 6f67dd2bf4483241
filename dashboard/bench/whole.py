"""Whole ensembles and cycles, in the processes that simulate and on a cluster; the first forecast of a cold start."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from dashboard.bench.cases import learned_hospital
from dashboard.bench.timing import ended_children_s, load, watched
from dashboard.house import processes_of, scenario_catalogue
from dashboard.settings import Settings
from forecast.cluster import Cluster
from forecast.ensemble import Run, ensemble
from forecast.hospitals import Turn, forecasts
from forecast.issue import Times
from forecast.situation import Situation
from ingest.clock import stopwatch
from twin.scenarios import Scenario, pick

HOSPITALS = 3
"""Hospitals of their own among those whose cycles are run; each serves several times, under other luck."""
_TASKS = 200
_LONGEST_START_S = 180.0


def scenarios_of(settings: Settings, count: int) -> list[Scenario]:
    """The first of the wall's scenarios; where they are fewer, the same again an hour later, the last first."""
    found = pick(scenario_catalogue(settings), settings.wall_scenarios)
    later = [replace(scenario.delayed(60.0), name=f"{scenario.name}_later") for scenario in found[::-1]]
    return [*found, *later][:count]


@contextmanager
def processes(settings: Settings) -> Iterator[Executor]:
    """The house's own processes, for as long as the block runs."""
    workers = processes_of(settings)
    try:
        yield workers
    finally:
        workers.shutdown()


def local(settings: Settings, members: int, hospitals: int, days: int) -> dict[str, Any]:
    """The ensemble, cold (the processes start, SimPy serves at first) and warm, and the cycles of many hospitals."""
    with processes(settings) as workers:
        return {
            "ensemble": ensemble_of(workers, learned_hospital(days=days), scenarios_of(settings, 6), members),
            "hospitals": hospitals_of(workers, settings, members, hospitals, days),
        }


def ensemble_of(
    executor: Executor, situation: Situation, scenarios: Sequence[Scenario], members: int
) -> dict[str, Any]:
    """One ensemble of 24 h, twice: what the first takes is told as cold."""
    how = Run(members=members)
    first, second = (watched(lambda: ensemble(situation, scenarios, how, executor=executor)) for _ in ("cold", "warm"))
    return {
        "members": members, "scenarios": len(scenarios), "hours": 24, **second, "seconds_cold": first["seconds"],
    }  # fmt: skip


def hospitals_of(executor: Executor, settings: Settings, members: int, hospitals: int, days: int) -> dict[str, Any]:
    """The cycles of many hospitals: each its forecast under three scenarios, recalibrated and told as quantiles."""
    known = [learned_hospital(seed, days=days) for seed in range(1, 1 + min(HOSPITALS, (hospitals + 1) // 2))]
    scenarios = scenarios_of(settings, 3)
    turns = [_turn(f"hospital {i}", known[i % len(known)], scenarios, Run(members=members, seed=i)) for i in
             range(hospitals)]  # fmt: skip
    done: list[str | None] = []
    took = watched(lambda: done.extend(outcome.fault for outcome in forecasts(turns, executor)))
    return {
        "hospitals": hospitals, "members": members, "scenarios": len(scenarios), **took,
        "failed": sum(fault is not None for fault in done),
    }  # fmt: skip


def _turn(name: str, known: Situation, scenarios: Sequence[Scenario], how: Run) -> Turn:
    """A situation of its own, so that each is sent to those who run it."""
    at = known.as_of
    return Turn(name, replace(known), scenarios, how, Times(at, at, at))


# --- a cluster of this machine -----------------------------------------------------------------------------------


def on_a_cluster(settings: Settings, members: int, days: int) -> dict[str, Any]:
    """The same ensemble on a Dask cluster of as many workers on this machine, and what a task costs there and here."""
    import distributed

    library: Any = distributed
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]:
        logging.getLogger(name).setLevel(logging.ERROR)
    began = stopwatch()
    with library.LocalCluster(
        n_workers=settings.workers, threads_per_worker=1, dashboard_address="127.0.0.1:0", host="127.0.0.1",
        silence_logs=60,
    ) as dask:  # fmt: skip
        cluster = Cluster(str(dask.scheduler_address).replace("tcp://", "dask://"))
        try:
            started = stopwatch() - began
            return {
                "workers": settings.workers,
                "start_seconds": round(started, 2),
                "task_ms": _task_ms(cluster),
                "ensemble": ensemble_of(cluster, learned_hospital(days=days), scenarios_of(settings, 6), members),
            }
        finally:
            cluster.shutdown()


def _task_ms(executor: Executor) -> float:
    """Of a task that does nothing, among many."""
    executor.submit(os.getpid).result()
    began = stopwatch()
    for asked in [executor.submit(os.getpid) for _ in range(_TASKS)]:
        asked.result()
    return round(1e3 * (stopwatch() - began) / _TASKS, 2)


# --- a cold start -------------------------------------------------------------------------------------------------


def cold_start() -> dict[str, Any]:
    """From `edtwin up` in an empty folder to its first forecast: 60 days fabricated, stored and learned before it."""
    with tempfile.TemporaryDirectory(prefix="edtwin-bench-") as folder:
        began, at_load, before = stopwatch(), load(), ended_children_s()
        up = [sys.executable, "-m", "dashboard", "up", "--port", "0", "--data", folder]
        process = subprocess.Popen(up, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, cwd=Path.cwd())
        try:
            seconds = _ready_after(process, began)
        finally:
            process.terminate()
            process.communicate(timeout=60)
    return {
        "seconds": None if seconds is None else round(seconds, 1),
        "processor_s": round(ended_children_s() - before, 1),
        "load": at_load,
    }


def _ready_after(process: subprocess.Popen[str], began: float) -> float | None:
    """When the house says that it is ready; None where it does not in time."""
    assert process.stderr is not None
    place = next((part for line in process.stderr for part in line.split() if part.startswith("http://")), None)
    drain = threading.Thread(target=process.stderr.read, daemon=True)
    drain.start()
    pause = threading.Event()
    while place is not None and process.poll() is None and stopwatch() - began < _LONGEST_START_S:
        if _answers(f"{place}readyz"):
            return stopwatch() - began
        pause.wait(0.2)
    return None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as told:
            return bool(told.status == 200)
    except (urllib.error.URLError, OSError):
        return False
