"""How good the forecasts of fabricated hospitals are: as simulated, recalibrated, and weighed with their rivals.

    python -m tests.bench_forecast --days 365 --every 1 --members 200      all three sizes, roomy and congested
    python -m tests.bench_forecast --sizes large --kinds congested --days 60 --every 9 --members 60

60 days are learned, the rest judged, as it was known then. Seeds are drawn from the commit, so that nobody can have
tuned to them; `--seed` names one. What is done is kept in the folder, so that a campaign that was ended goes on where
it was.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from forecast.backtest import Plan, Report, backtest
from forecast.dayblocks import skill_interval
from forecast.ensemble import Run
from forecast.past import VINTAGE
from forecast.values import Array
from forecast.verify import Pairs
from forecast.workers import Workers
from ingest.clock import WallClock
from ingest.database import Database
from ingest.log import EventLog, Position
from tests.weighed import crps_of, published, without_rivals
from twin.fabricate import FabricatedHospital, HospitalKind, HospitalSize, fabricate
from twin.hospital import load_hospital
from twin.kernel import warm
from twin.scenarios import catalogue

START = datetime(2025, 9, 1, tzinfo=UTC)
LEARNED_DAYS = 60
WARM_UP = timedelta(days=48)
"""Of these days, those that a new house replays so that it can recalibrate."""
MEASURE = "ed_census"
BUILD = Path(__file__).parent.parent / "build" / "bench_forecast"


@dataclass(frozen=True)
class Campaign:
    """One hospital, and how long and how often it is forecast."""

    kind: HospitalKind
    size: HospitalSize
    seed: int
    days: int
    every: timedelta
    members: int

    @property
    def name(self) -> str:
        return f"{self.kind} {self.size}, seed {self.seed}"

    @property
    def plan(self) -> Plan:
        first = START + timedelta(days=LEARNED_DAYS)
        last, how = first + timedelta(days=self.days), Run(members=self.members)
        return Plan(first, last, every=self.every, how=how, warm_up=WARM_UP)

    def run(self, folder: Path) -> Report:
        """Fabricated, loaded as its feed delivered it, and replayed as it was known then."""
        hospital = FabricatedHospital(kind=self.kind, size=self.size)
        made = fabricate(hospital, start=START, days=LEARNED_DAYS + self.days + 2, seed=self.seed)
        workers = Workers(prepare=warm)
        try:
            with Database.open(None) as database:
                log = EventLog(database, WallClock())
                log.append_table(made.table(), Position(source="fabricated", offset=1))
                usual = catalogue()["as_usual"]
                return backtest(log, load_hospital(), usual, self.plan, executor=workers, kept_in=folder)
        finally:
            workers.shutdown()


def seed_of_commit(kind: str, size: str) -> int:
    """A seed beyond those of development (1-9), drawn from the commit and the hospital."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    return 10 + int.from_bytes(hashlib.sha256(f"{commit}{kind}{size}".encode()).digest()[:4], "big") % 1_000_000


def figures(pairs: Pairs, zone: str) -> list[dict[str, Any]]:
    """By lead: crps of each make of the forecast and of each rival, coverage, bias, and the simulation's weight."""
    of = pairs.taken(np.flatnonzero((pairs.measure == MEASURE) & ~np.isnan(pairs.crps)))
    alone = published(without_rivals(of), zone, every=timedelta(days=1), late=VINTAGE)
    recalibrated = crps_of(alone, of)
    return [_row(of, recalibrated, alone, np.flatnonzero(of.lead_min == lead)) for lead in np.unique(of.lead_min)]


def _row(of: Pairs, recalibrated: Array, alone: Array, at: Any) -> dict[str, Any]:
    part = of.taken(at)
    rivals = {name: float(np.nanmean(rival.crps)) for name, rival in part.rivals.items()}
    best = min(rivals, key=rivals.__getitem__)
    day = part.issued_at.astype("datetime64[D]")
    both = np.flatnonzero(~np.isnan(part.rivals[best].crps))
    low, high = skill_interval(part.crps[both], part.rivals[best].crps[both], day[both], seed=0)
    bias = _interval(part.error, day)
    inside = (alone[at, 2] <= part.observed) & (part.observed <= alone[at, 6])
    return {
        "lead_h": float(part.lead_min[0]) / 60, "n": len(part), "raw": float(part.raw_crps.mean()),
        "recalibrated": float(recalibrated[at].mean()), "weighed": float(part.crps.mean()), "rivals": rivals,
        "best": best, "gain": 1.0 - float(part.crps[both].mean()) / float(part.rivals[best].crps[both].mean()),
        "gain_ci95": [low, high],
        "covers": float(part.inside[80].mean()), "raw_covers": float(part.raw_inside_80.mean()),
        "recalibrated_covers": float(inside.mean()), "bias": float(part.error.mean()), "bias_ci95": bias,
        "raw_bias": float(part.raw_error.mean()), "weight_of_simulation": float(part.weight_of_simulation.mean()),
    }  # fmt: skip


def _interval(error: Array, day: Any) -> list[float]:
    """The 95 % interval of the mean error, whole days drawn anew."""
    _, number = np.unique(day, return_inverse=True)
    total, count = np.bincount(number, weights=error), np.bincount(number)
    draws = np.random.default_rng(0).multinomial(count.size, np.full(count.size, 1 / count.size), size=1000)
    return [float(q) for q in np.quantile((draws @ total) / (draws @ count), (0.025, 0.975))]


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The figures of one hospital as they stand in a README."""
    head = (
        f"| {name}: lead | raw | recalibrated | weighed | best rival | better by (95 %) | 80 % covers: raw, weighed "
        "| bias (95 %) | weight of the simulation |\n|---|---|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {row['lead_h']:g} h | {row['raw']:.2f} | {row['recalibrated']:.2f} | {row['weighed']:.2f} "
        f"| {row['rivals'][row['best']]:.2f} {row['best']} | {100 * row['gain']:+.1f} % "
        f"({100 * row['gain_ci95'][0]:+.0f} to {100 * row['gain_ci95'][1]:+.0f}) "
        f"| {100 * row['raw_covers']:.0f} %, {100 * row['covers']:.0f} % "
        f"| {row['bias']:+.1f} ({row['bias_ci95'][0]:+.1f} to {row['bias_ci95'][1]:+.1f}) "
        f"| {row['weight_of_simulation']:.2f} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def main() -> None:
    """The campaigns asked for, one after the other; tables on the way, figures kept as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=["roomy", "congested"])
    parser.add_argument("--sizes", nargs="+", default=["small", "medium", "large"])
    parser.add_argument("--days", type=int, default=365, help="days that are judged")
    parser.add_argument("--every", type=float, default=3.0, help="hours from one issue to the next")
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--seed", type=int, help="instead of one drawn from the commit")
    parser.add_argument("--folder", type=Path, default=BUILD, help="where what is done is kept")
    given = parser.parse_args()
    for size in given.sizes:
        for kind in given.kinds:
            seed = seed_of_commit(kind, size) if given.seed is None else given.seed
            one = Campaign(kind, size, seed, given.days, timedelta(hours=given.every), given.members)
            rows = figures(one.run(given.folder).pairs, load_hospital().zone)
            given.folder.mkdir(parents=True, exist_ok=True)
            file = given.folder / f"{kind}-{size}-{seed}-{given.days}.json"
            file.write_text(json.dumps(rows, indent=1), encoding="utf-8")
            print(table(one.name, rows), flush=True)


if __name__ == "__main__":
    main()
