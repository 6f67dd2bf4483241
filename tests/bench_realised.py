"""Does the interval of a realised effect hold the true one? On fabricated histories, whose truth without the change is
known: the very same hospital lives on twice, with what people did and without.

    python -m tests.bench_realised --kind congested --size medium --seeds 11 12 --days 40 --every 11 --members 200
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from forecast.backtest import Plan, backtest, seed_of
from forecast.calibrated import Recalibration, learn
from forecast.ensemble import Run, ensemble
from forecast.promises import PROMISED, foreseen_of
from forecast.realised import Effect, distance, habit, realised
from forecast.situation import situation_of
from forecast.workers import Workers
from ingest.clock import WallClock
from ingest.database import Database
from ingest.log import EventLog, Position
from tests.weighed import without_rivals
from twin.calibrate import calibrate
from twin.fabricate import FabricatedHospital, Intervention, World, lived_on
from twin.hospital import Hospital, load_hospital
from twin.kernel import warm
from twin.memory import Memory
from twin.scenarios import catalogue, pick

START = datetime(2025, 9, 1, tzinfo=UTC)
LEARNED_DAYS = 60
WINDOW_H = 8
LEADS_MIN = (60.0, 120.0, 240.0, 480.0)
DONE = {
    "extra_doctor[number=2,hours=8]": Intervention(doctors=2, hours=8),
    "escalation_beds[delay=0]": Intervention(beds=8),
}
"""What is proposed, and what people then do."""


@dataclass(frozen=True)
class Found:
    """One application of a change."""

    scenario: str
    effect: Effect
    true: float
    """What happened less what would have happened."""

    @property
    def covered(self) -> bool:
        low, _, high = self.effect.effect
        return low <= self.true <= high


def applications(
    kind: str, size: str, seed: int, days: int, every: timedelta, members: int, executor: Workers | None
) -> Iterator[Found]:
    """Each change applied again and again in one hospital, each time as if for the first time."""
    hospital = FabricatedHospital(kind=kind, size=size)  # type: ignore[arg-type]
    world, twin, scenarios = World(hospital, START, seed), load_hospital(), pick(catalogue(), ["as_usual", *DONE])
    first = START + timedelta(days=LEARNED_DAYS)
    with Database.open(None) as database:
        log = EventLog(database, WallClock())
        offset = 1
        calibration, learned_at = None, None
        by_past: Recalibration | None = None
        placebos: dict[str, list[tuple[datetime, float]]] = {}
        memory = Memory(log)
        for k in range(int(timedelta(days=days) / every)):
            as_of = first + k * every
            log.append(world.run_until(as_of), Position(source="fabricated", offset=offset))
            offset += 1
            state = memory.at(as_of)
            if calibration is None or learned_at is None or as_of - learned_at >= timedelta(days=7):
                calibration, learned_at = calibrate(state, twin, as_of), as_of
            if by_past is None:
                by_past = _learned(log, twin, as_of, executor)
            how = Run(members=members, horizon_min=WINDOW_H * 60.0, seed=seed_of(seed, as_of))
            ran = ensemble(situation_of(state, calibration, as_of), scenarios, how, executor=executor)
            ran = by_past.scenarios(ran, as_of)
            snapshot = world.snapshot()
            usual = lived_on(snapshot, hours=WINDOW_H)
            known = as_of - timedelta(days=2, hours=WINDOW_H)
            habits = {m: habit([d for at, d in placebos.get(m, ()) if at <= known]) for m in PROMISED}
            for measure, promise, came in foreseen_of(ran["as_usual"], ran["as_usual"]):
                then = float(usual["arrivals"][-1])
                far = distance(promise, float(usual[measure].mean()), came=came, came_then=then)
                placebos.setdefault(measure, []).append((as_of, far))
            for scenario, what in zip(scenarios[1:], DONE.values(), strict=True):
                happened = lived_on(snapshot, hours=WINDOW_H, what=what)
                for measure, promise, came in foreseen_of(ran["as_usual"], ran[scenario.name]):
                    effect = realised(
                        measure,
                        promise,
                        float(happened[measure].mean()),
                        came=came,
                        came_then=float(happened["arrivals"][-1]),
                        by_habit=habits[measure],
                    )
                    yield Found(scenario.name, effect, float(happened[measure].mean() - usual[measure].mean()))


def _learned(log: EventLog, twin: Hospital, at: datetime, executor: Workers | None) -> Recalibration:
    """What the forecasts of the weeks before teach, those excepted whose truth is not known yet; without rivals."""
    how = Run(members=100, horizon_min=WINDOW_H * 60.0)
    plan = Plan(at - timedelta(days=45), at - timedelta(days=8), every=timedelta(hours=7), how=how, lead_min=LEADS_MIN)
    report = backtest(log, twin, catalogue()["as_usual"], plan, executor=executor)
    learned = learn(without_rivals(report.pairs), twin.zone)
    return replace(learned, measures={m: learned.measures[m] for m in PROMISED if m in learned.measures})


def figures(found: Sequence[Found]) -> list[dict[str, Any]]:
    """By scenario and measure: coverage, width, the true effect and the one that was foreseen."""
    rows = []
    for scenario, measure in dict.fromkeys((one.scenario, one.effect.measure) for one in found):
        mine = [one for one in found if (one.scenario, one.effect.measure) == (scenario, measure)]
        rows.append(
            {
                "scenario": scenario, "measure": measure, "n": len(mine),
                "coverage_80": float(np.mean([one.covered for one in mine])),
                "width": float(np.mean([one.effect.effect[2] - one.effect.effect[0] for one in mine])),
                "true": float(np.mean([one.true for one in mine])),
                "measured": float(np.mean([one.effect.effect[1] for one in mine])),
                "foreseen": float(np.mean([one.effect.foreseen[1] for one in mine])),
            }
        )  # fmt: skip
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="congested")
    parser.add_argument("--size", default="medium")
    parser.add_argument("--seeds", type=int, nargs="+", default=[11])
    parser.add_argument("--days", type=int, default=40)
    parser.add_argument("--every", type=float, default=11.0)
    parser.add_argument("--members", type=int, default=200)
    asked = parser.parse_args()
    found: list[Found] = []
    workers = Workers(prepare=warm)
    try:
        for seed in asked.seeds:
            found += applications(
                asked.kind, asked.size, seed, asked.days, timedelta(hours=asked.every), asked.members, workers
            )
    finally:
        workers.shutdown()
    for row in figures(found):
        print(json.dumps(row))


if __name__ == "__main__":
    main()
