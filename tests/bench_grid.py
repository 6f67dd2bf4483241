"""How long a grid takes: 500 combinations of the catalogue, 200 members each, 24 h, on two processes.

`cpu_s` is what the processes used, with their start: half of it on two idle cores.

    python -m tests.bench_grid
    python -m tests.bench_grid --combinations 500 --members 200 --of learned described --supplies

`learned`: the large congested fabricated hospital (some 230 arrivals a day), as its log has taught; `described`: the
shipped hospital of 220 arrivals a day by its whole path of 70 stages.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from resource import RUSAGE_CHILDREN, getrusage

from dashboard.house import SCHEMAS
from forecast.designs import USUAL, made, survey
from forecast.ensemble import Run
from forecast.grid_store import GridStore
from forecast.grids import run_grid, work_of
from forecast.lever import no_lever
from forecast.outcome_runs import Wanted, fault_of
from forecast.services import services_file
from forecast.situation import Situation, situation_of
from forecast.supplies_further import supplies_further
from forecast.workers import Workers
from ingest.clock import stopwatch
from ingest.database import Database
from twin.calibrate import calibrate
from twin.described import described
from twin.fabricate import FabricatedHospital, World
from twin.hospital import load_hospital
from twin.kernel import warm
from twin.scenarios import catalogue
from twin.site import load_site
from twin.state import State, fold
from twin.supply_file import load_supplies

START = datetime(2025, 9, 1, tzinfo=UTC)
DAYS = 35


def situations(of: str) -> tuple[State, Situation]:
    """The hospital on a Wednesday at 14 h."""
    at = START + timedelta(days=DAYS + 2, hours=12)
    state = fold(State(), World(FabricatedHospital("congested", "large"), START, 5).run_until(at))
    if of == "learned":
        return state, situation_of(state, calibrate(state, load_hospital(), at), at)
    return state, situation_of(state, described(load_site(None), state, at), at)


def took(of: str, combinations: int, members: int, children: int, *, supplies: bool) -> dict[str, object]:
    """Seconds of a grid, after a first small one that makes the processes ready."""
    how, all_of_them = Run(members=members), catalogue()
    state, situation = situations(of)
    able = [one for name, one in all_of_them.items() if name != USUAL and no_lever(situation, one) is None]
    design = survey(able, combinations, seed=1, able=lambda one: fault_of(situation, one, how) is None)
    scenarios, wanted = made(design, all_of_them), Wanted(services_file(), 58)
    if supplies:
        shipped = load_supplies(wards={unit.name for unit in situation.calibration.hospital.wards})
        known = supplies_further(shipped, state, situation, all_of_them[USUAL], how)
        wanted = replace(wanted, further=(known,))
    before = sum(getrusage(RUSAGE_CHILDREN)[:2])
    workers = Workers(children, prepare=warm)
    try:
        with Database.open(None, schemas=SCHEMAS) as database:
            store = GridStore(database)
            small = work_of(situation, design, scenarios, Run(members=2 * children), wanted, known_at=START)
            for _ in range(2):
                run_grid(small, store, START, executor=workers, children=children)
            work = work_of(situation, design, scenarios, how, wanted, known_at=situation.as_of)
            began, ticks = stopwatch(), list[float]()
            whole = run_grid(
                work, store, START, executor=workers, children=children,
                progress=lambda done, _: ticks.append(stopwatch() - began),
            )  # fmt: skip
            seconds = stopwatch() - began
    finally:
        workers.shutdown()
    used = getrusage(RUSAGE_CHILDREN)
    return {
        "of": of, "supplies": supplies, "combinations": len(scenarios), "members": members, "whole": whole,
        "seconds": round(seconds, 1),
        "first_answer_s": round(ticks[1], 1), "path": situation.calibration.path.name, "scenarios": len(able),
        "cpu_s": round(used.ru_utime + used.ru_stime - before, 1), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


def main() -> None:
    """Print one JSON object a hospital."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--combinations", type=int, default=500)
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--children", type=int, default=2)
    parser.add_argument("--of", nargs="+", choices=("learned", "described"), default=["learned", "described"])
    parser.add_argument("--supplies", action="store_true", help="what support services lack is looked at too")
    options = parser.parse_args()
    warm()
    for of in options.of:
        print(
            json.dumps(took(of, options.combinations, options.members, options.children, supplies=options.supplies)),
            flush=True,
        )


if __name__ == "__main__":
    main()
