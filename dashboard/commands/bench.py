"""How fast the twin is on this machine: the engines side by side, what grows with the hospital, whole cycles.

Engines and steps are told in time of the processor, which others on the machine change little; ensembles and cycles
in time of the wall as well, with the load.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from dashboard.bench.tables import text
from dashboard.bench.timing import machine
from dashboard.commands.said import progress, say
from dashboard.commands.typed import settings_of
from dashboard.house import COMPILED
from dashboard.settings import Settings
from twin import kernel

FULL_MEMBERS, FULL_HOSPITALS, FULL_DAYS, FULL_RUNS = 1000, 30, 28, 20
QUICK_MEMBERS, QUICK_HOSPITALS, QUICK_DAYS, QUICK_RUNS = 20, 2, 14, 3
"""Members of an ensemble, hospitals, days learned from, members in each engine."""


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin bench`."""
    command.add_argument("--members", type=int, help=f"runs of each ensemble (default {FULL_MEMBERS})")
    command.add_argument("--quick", action="store_true", help="few members and hospitals, no cold start")


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    settings = settings_of(options)
    kernel.warm(settings.data / COMPILED)
    members = options.members or (QUICK_MEMBERS if options.quick else FULL_MEMBERS)
    told: dict[str, Any] = {"machine": machine(), "quick": options.quick}
    parts = _parts(settings, members, quick=options.quick)
    with progress("measuring") as report:
        for done, part in enumerate(parts):
            report(done, len(parts))
            told |= part()
    told["machine_after"] = machine()
    say(options, told, lambda: text(told))


def _parts(settings: Settings, members: int, *, quick: bool) -> list[Callable[[], Mapping[str, Any]]]:
    """What is measured, one part after the other: each gives its keys."""
    from dashboard.bench import whole
    from dashboard.bench.engines import engines, loop_in_c
    from dashboard.bench.scale import scale
    from dashboard.bench.whatif import whatif

    runs, hospitals = (QUICK_RUNS, QUICK_HOSPITALS) if quick else (FULL_RUNS, FULL_HOSPITALS)
    days = QUICK_DAYS if quick else FULL_DAYS
    parts: list[Callable[[], Mapping[str, Any]]] = [
        lambda: _with_the_default_alone(engines(runs, loop_in_c(), days)),
        lambda: {"scale": scale(runs)},
        lambda: whole.local(settings, members, hospitals, days),
        lambda: {"whatif": whatif(settings, members, days)},
        lambda: {"cluster": whole.on_a_cluster(settings, members, days)},
    ]
    return parts if quick else [lambda: {"cold_start": whole.cold_start()}, *parts]


def _with_the_default_alone(engines: Mapping[str, Any]) -> dict[str, Any]:
    """The tables, and one member of the default hospital in each engine by the names that others read."""
    default = engines["default_hospital"]
    names = ("idiomatic", "simpy", "kernel", "c", "luck")
    return {"engines": engines, **{f"{name}_ms_per_member": default[f"{name}_ms"] for name in names}}
