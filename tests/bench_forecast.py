"""How good the forecasts of fabricated hospitals are: as simulated, recalibrated, and weighed with their rivals.

    python -m tests.bench_forecast --days 365 --every 1 --members 200      all three sizes, roomy and congested
    python -m tests.bench_forecast --sizes large --kinds congested --days 60 --every 9 --members 60
    python -m tests.bench_forecast --shift arrivals=1.15@90 --seeds 11 12 13 14 --sizes medium --days 80

60 days are learned, the rest judged, as it was known then; of the 60 days, the last are replayed first as a new house
does. Seeds are drawn from the commit, so that nobody can have tuned to them; `--seeds` names some. What is done is kept
in the folder, so that a campaign that was ended goes on where it was.
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

from dashboard.commands.fabricate import shift as shift_of
from forecast.backtest import Plan, Report, backtest
from forecast.dayblocks import days_of, mean_interval, skill_interval
from forecast.ensemble import Run
from forecast.floor import attained
from forecast.past import LEARNED_AFTER
from forecast.scores import crps_quantiles
from forecast.slices import covered_by_block, ranks, within
from forecast.values import Array, series
from forecast.verify import Pairs
from forecast.workers import GENTLY, Workers
from ingest.clock import WallClock
from ingest.database import Database
from ingest.log import EventLog, Position
from tests.weighed import crps_of, published, without_rivals
from twin.fabricate import FabricatedHospital, HospitalKind, HospitalSize, LevelShift, World, fabricate, oracle
from twin.hospital import load_hospital
from twin.kernel import warm
from twin.scenarios import catalogue

START = datetime(2025, 9, 1, tzinfo=UTC)
LEARNED_DAYS = 60
WARM_UP = timedelta(days=48)
"""Of these days, those that a new house replays so that it can recalibrate."""
MEASURE = "ed_census"
NAMED = ("climatology", "anomaly_persistence")
"""Rivals whose skill is told whether they are the best or not."""
FLOOR_LEADS = (120.0, 240.0)
FLOOR_EVERY = 4
"""The floor is asked for at each so many issues."""
FLOOR_MEMBERS = 100
WEEKS_AFTER = 6
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
    shift: LevelShift | None = None

    @property
    def name(self) -> str:
        return f"{self.kind} {self.size}, seed {self.seed}"

    @property
    def hospital(self) -> FabricatedHospital:
        return FabricatedHospital(kind=self.kind, size=self.size)

    @property
    def plan(self) -> Plan:
        first = START + timedelta(days=LEARNED_DAYS)
        last, how = first + timedelta(days=self.days), Run(members=self.members)
        return Plan(first, last, every=self.every, how=how, warm_up=WARM_UP)

    def run(self, folder: Path) -> Report:
        """Fabricated, loaded as its feed delivered it, and replayed as it was known then."""
        days = LEARNED_DAYS + self.days + 2
        made = fabricate(self.hospital, start=START, days=days, seed=self.seed, shift=self.shift)
        workers = Workers(prepare=warm, gives_way=GENTLY)
        try:
            with Database.open(None) as database:
                log = EventLog(database, WallClock())
                log.append_table(made.table(), Position(source="fabricated", offset=1))
                usual = catalogue()["as_usual"]
                return backtest(log, load_hospital(), usual, self.plan, executor=workers, kept_in=folder)
        finally:
            workers.shutdown()

    def floor(self, of: Pairs) -> Array:
        """The crps of the hospital's own law from its true state, `(pair,)`; NaN of pairs where it is not asked."""
        crps, world = np.full(len(of), np.nan), World(self.hospital, START, self.seed, shift=self.shift)
        for k, as_of in enumerate(self.plan.issue_times[::FLOOR_EVERY]):
            world.run_until(as_of)
            told = oracle(world, members=FLOOR_MEMBERS, hours=FLOOR_LEADS[-1] / 60, seed=k, step_min=60)[MEASURE]
            mine = np.flatnonzero(of.issued_at == np.datetime64(as_of.replace(tzinfo=None), "us"))
            for at in mine[np.isin(of.lead_min[mine], FLOOR_LEADS)]:
                said = series(told[int(of.lead_min[at]) // 60 - 1][None].astype(np.float64)).quantiles
                cuts = np.array([[float(said[level][0]) for level in of.levels]])
                crps[at] = crps_quantiles(cuts, of.observed[at : at + 1], levels=of.levels)[0]
        return crps


def seed_of_commit(kind: str, size: str) -> int:
    """A seed beyond those of development (1-9), drawn from the commit and the hospital."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    return 10 + int.from_bytes(hashlib.sha256(f"{commit}{kind}{size}".encode()).digest()[:4], "big") % 1_000_000


def census(pairs: Pairs) -> Pairs:
    """The pairs that campaigns are judged by."""
    return pairs.taken(np.flatnonzero((pairs.measure == MEASURE) & ~np.isnan(pairs.crps)))


def figures(of: Pairs, zone: str, floor: Array) -> dict[str, Any]:
    """By lead, crps of each make of the forecast and of each rival, coverage, bias, weights; then by hour block."""
    alone = published(without_rivals(of), zone, every=timedelta(days=1), late=LEARNED_AFTER)
    recalibrated, rank = crps_of(alone, of), ranks(of)
    rows = [_row(of, recalibrated, alone, rank, np.flatnonzero(of.lead_min == lead)) for lead in np.unique(of.lead_min)]
    by_block = covered_by_block(of, rank, zone)
    low, high = mean_interval(of.error, days_of(of.issued_at))
    asked = np.flatnonzero(~np.isnan(floor))
    told = (of.rivals["climatology"].crps, of.crps, of.raw_crps, floor)
    usual, ours, raw, least = (_mean(values[asked]) for values in told)
    return {
        "leads": rows, "bias_ci95": [low, high],
        "blocks": {name: list(getattr(by_block, name)) for name in ("mean", "low", "high")},
        "floor": {"n": asked.size, "climatology": usual, "published": ours, "raw": raw, "floor": least,
                  "share": attained(usual, ours, least), "raw_share": attained(usual, raw, least)},
    }  # fmt: skip


def _row(of: Pairs, recalibrated: Array, alone: Array, rank: Array, at: Any) -> dict[str, Any]:
    part, day = of.taken(at), days_of(of.issued_at[at])
    rivals = {name: float(np.nanmean(rival.crps)) for name, rival in part.rivals.items()}
    best = min(rivals, key=rivals.__getitem__)
    inside = (alone[at, 2] <= part.observed) & (part.observed <= alone[at, 6])
    return {
        "lead_h": float(part.lead_min[0]) / 60, "n": len(part), "raw": float(part.raw_crps.mean()),
        "recalibrated": float(np.nanmean(recalibrated[at])), "weighed": float(part.crps.mean()), "rivals": rivals,
        "best": best, "gains": {name: _gain(part.crps, part.rivals[name].crps, day) for name in {best, *NAMED}},
        "raw_over_count_model": _gain(part.raw_crps, part.rivals["count_model"].crps, day),
        "covers": float(within(rank[at]).mean()), "raw_covers": float(part.raw_inside_80.mean()),
        "recalibrated_covers": float(inside.mean()), "bias": float(part.error.mean()),
        "bias_ci95": list(mean_interval(part.error, day)), "raw_bias": float(part.raw_error.mean()),
        "weight_of_simulation": float(part.weight_of_simulation.mean()),
    }  # fmt: skip


def _gain(crps: Array, rival: Array, day: Any) -> list[float]:
    """By how much better than a rival where it spoke, and the 95 % interval, whole days drawn anew."""
    both = np.flatnonzero(~np.isnan(rival))
    value = 1.0 - float(crps[both].mean()) / float(rival[both].mean())
    return [value, *skill_interval(crps[both], rival[both], day[both])]


def by_week(of: Pairs, shifted_at: datetime) -> dict[str, list[float]]:
    """Bias before a level shift and in each week after it, all leads: of what is published, and as simulated."""
    valid = of.issued_at + (of.lead_min * 60e6).astype("timedelta64[us]")
    week = (valid - np.datetime64(shifted_at.replace(tzinfo=None), "us")) // np.timedelta64(7, "D")
    weeks = range(-1, WEEKS_AFTER)
    return {name: [_mean(error[np.maximum(week, -1) == k]) for k in weeks]
             for name, error in (("published", of.error), ("raw", of.raw_error))}  # fmt: skip


def _mean(values: Array) -> float:
    return float(values.mean()) if values.size else float("nan")


def table(name: str, found: Mapping[str, Any]) -> str:
    """The figures of one hospital as they stand in a README."""
    head = (
        f"| {name}: lead | raw | recalibrated | weighed | best rival | better by (95 %) | 80 % covers: raw, weighed "
        "| bias (95 %) | weight of the simulation |\n|---|---|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {row['lead_h']:g} h | {row['raw']:.2f} | {row['recalibrated']:.2f} | {row['weighed']:.2f} "
        f"| {row['rivals'][row['best']]:.2f} {row['best']} | {_told(row['gains'][row['best']])} "
        f"| {100 * row['raw_covers']:.0f} %, {100 * row['covers']:.0f} % "
        f"| {row['bias']:+.1f} ({row['bias_ci95'][0]:+.1f} to {row['bias_ci95'][1]:+.1f}) "
        f"| {row['weight_of_simulation']:.2f} |"
        for row in found["leads"]
    ]
    return "\n".join([head, *lines, "", *verdicts(found)])


def verdicts(found: Mapping[str, Any]) -> list[str]:
    """Each figure that was asked for, as it is."""
    rows, blocks, floor = found["leads"], found["blocks"], found["floor"]
    short = [row for row in rows if row["lead_h"] <= 4]
    against = {name: [_told(row["gains"][name]) for row in short] for name in NAMED}
    worst = min((row["gains"][row["best"]][0], row["lead_h"]) for row in rows)
    raw = {row["lead_h"]: _told(row["raw_over_count_model"]) for row in rows if 2 <= row["lead_h"] <= 8}
    held = [low <= 0.8 <= high for low, high in zip(blocks["low"], blocks["high"], strict=True)]
    covers = ", ".join(f"{100 * row['covers']:.1f}" for row in rows)
    told = ", ".join(
        f"{100 * m:.0f} ({100 * a:.0f} to {100 * b:.0f})" for m, a, b in zip(*blocks.values(), strict=True)
    )
    return [
        *(f"- better than {name} at 1, 2, 4 h by {'; '.join(gains)}" for name, gains in against.items()),
        f"- against the best rival at the worst lead ({worst[1]:g} h): {100 * worst[0]:+.1f} %",
        f"- raw simulation better than the count model: {raw}",
        f"- share of what can be had, 2 and 4 h, {floor['n']} pairs: {floor['share']:.2f} (raw "
        f"{floor['raw_share']:.2f}; crps {floor['published']:.2f}, "
        f"floor {floor['floor']:.2f}, climatology {floor['climatology']:.2f})",
        f"- 80 % holds by lead, by rank: {covers} %",
        f"- by four hours of the day: {told} %; the band holds 80 in {sum(held)} of {len(held)}",
        f"- bias interval, all leads: {found['bias_ci95'][0]:+.2f} to {found['bias_ci95'][1]:+.2f}",
    ]


def _told(gain: Sequence[float]) -> str:
    value, low, high = (100 * x for x in gain)
    return f"{value:+.1f} % ({low:+.0f} to {high:+.0f})"


def judged(one: Campaign, folder: Path) -> dict[str, Any]:
    """One campaign, run or gone on with, and its figures."""
    of = census(one.run(folder).pairs)
    found = figures(of, load_hospital().zone, one.floor(of))
    if one.shift is not None:
        found["by_week"] = by_week(of, START + timedelta(days=one.shift.after_days))
    return found


def shifts(name: str, found: Sequence[Mapping[str, Any]]) -> str:
    """Bias by week around a level shift, the mean over seeds and its standard error."""
    weeks = ["before", *(f"week {k + 1}" for k in range(WEEKS_AFTER))]
    lines = [f"| {name}, bias | {' | '.join(weeks)} |", "|---" * (len(weeks) + 1) + "|"]
    for make in ("raw", "published"):
        each = np.array([one["by_week"][make] for one in found])
        error = each.std(axis=0, ddof=1) / np.sqrt(len(each)) if len(each) > 1 else np.full(each.shape[1], np.nan)
        cells = (f"{m:+.1f} ({e:.1f})" for m, e in zip(each.mean(axis=0), error, strict=True))
        lines.append(f"| {make} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """The campaigns asked for, one after the other; tables on the way, figures kept as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=["roomy", "congested"])
    parser.add_argument("--sizes", nargs="+", default=["small", "medium", "large"])
    parser.add_argument("--days", type=int, default=365, help="days that are judged")
    parser.add_argument("--every", type=float, default=3.0, help="hours from one issue to the next")
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--seeds", type=int, nargs="+", help="instead of one drawn from the commit")
    parser.add_argument("--shift", help="of the level on the way, as `edtwin fabricate` takes it")
    parser.add_argument("--folder", type=Path, default=BUILD, help="where what is done is kept")
    given = parser.parse_args()
    shift = shift_of(given.shift)
    given.folder.mkdir(parents=True, exist_ok=True)
    for size in given.sizes:
        for kind in given.kinds:
            found = []
            for seed in given.seeds or [seed_of_commit(kind, size)]:
                one = Campaign(kind, size, seed, given.days, timedelta(hours=given.every), given.members, shift)
                found.append(judged(one, given.folder))
                file = given.folder / f"{kind}-{size}-{seed}-{given.days}{'-shift' if shift else ''}.json"
                file.write_text(json.dumps(found[-1], indent=1), encoding="utf-8")
                print(table(one.name, found[-1]), flush=True)
            if shift is not None:
                print(shifts(f"{kind} {size}, {given.shift}", found), flush=True)


if __name__ == "__main__":
    main()
