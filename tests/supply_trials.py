"""Forecasts of supplies on a fabricated hospital, issue by issue as it was known then, against what truly came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.past import Past, grid_start
from forecast.situation import situation_of
from forecast.supplies import SuppliesOutlook, supplies_known, supplies_outlook
from ingest.clock import SimulatedClock
from ingest.columns import to_table
from ingest.database import Database
from ingest.log import EventLog, Position
from twin.calibrate import calibrate
from twin.fabricate import FabricatedHospital, Fabrication, fabricate
from twin.fabricated_hospital import HospitalSize
from twin.fabricated_stores import ITEMS, TICK_MIN
from twin.hospital import load_hospital
from twin.memory import Memory
from twin.scenarios import catalogue
from twin.supply_file import load_supplies

WHICH = ("lasts", "need_4h", "need_24h")
START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass
class Tally:
    """How many truths were told, and how many of them lay in the 80 % interval; on an end, by luck."""

    luck: np.random.Generator = field(default_factory=lambda: np.random.default_rng(5))
    ranks: list[float] = field(default_factory=list)

    def add(self, members: np.ndarray, truth: float) -> None:
        """The share of members below the truth, ties by luck."""
        below, same = np.mean(members < truth), np.mean(members == truth)
        self.ranks.append(float(below + same * self.luck.random()))

    @property
    def n(self) -> int:
        return len(self.ranks)

    @property
    def covered_80(self) -> float:
        ranks = np.array(self.ranks)
        return float(np.mean((ranks >= 0.1) & (ranks <= 0.9)))


@dataclass
class Trial:
    """What came of all issues."""

    lasts: dict[str, Tally]
    """Depletion, by item."""
    need_4h: dict[str, Tally]
    need_24h: dict[str, Tally]

    def pooled(self, which: str, items: Sequence[str] = ITEMS) -> Tally:
        """Of some items at once."""
        whole = Tally()
        for item in items:
            whole.ranks += getattr(self, which)[item].ranks
        return whole


def trial(
    *, seed: int, size: HospitalSize = "small", days: int = 40, first_day: int = 28, every_h: float = 7.0,
    members: int = 200, lean: float = 0.45, kind: str = "congested", used: tuple[float, ...] = (1.0,),
) -> list[Trial]:  # fmt: skip
    """Forecasts from `first_day` on; a depletion is of the stock that truly was there. `used` are mutants' factors."""
    made = fabricate(FabricatedHospital(kind, size), start=START, days=days, seed=seed, stores=lean)  # type: ignore[arg-type]
    out = [Trial(*({item: Tally() for item in ITEMS} for _ in WHICH)) for _ in used]
    with Database.open(None) as database:
        log = EventLog(database, SimulatedClock(made.end_at + timedelta(days=30)))
        log.append_table(to_table(made.events), Position(source="fabricated", offset=len(made.events)))
        at, number = START + timedelta(days=first_day), 0
        memory, past = Memory(log), Past(grid_start(at))
        calibration = calibrate(memory.at(at), load_hospital(), at)
        supplies, scenario = load_supplies(), catalogue()["as_usual"]
        while at <= made.end_at - timedelta(hours=25):
            state = memory.at(at)
            situation = situation_of(state, calibration, at)
            history, _ = past.at(state, situation.known, calibration, at)
            how = Run(members=members, seed=1000 + number)
            forecast = issue(situation, [scenario], how, Times(at, at, at))
            known = supplies_known(supplies, state, history, situation, forecast)
            outlook = supplies_outlook(known, forecast, [scenario], how.seed)
            for of, times in zip(out, used, strict=True):
                _judge(of, outlook, made, at, times)
            at, number = at + timedelta(hours=every_h), number + 1
    return out


def _judge(out: Trial, outlook: SuppliesOutlook, made: Fabrication, at: datetime, used: float) -> None:
    truth = made.stores
    assert truth is not None
    first = int(np.searchsorted(truth.minute, (at - made.origin_at) / timedelta(minutes=1), side="right"))
    needs, stock = np.array(truth.needs[first : first + 96 * 6]), truth.stocks[first - 1]
    for column, name in enumerate(ITEMS):
        row = outlook.known.supplies.index(name)
        run, came = outlook.first, needs[:, column] * used
        total = np.cumsum(came)
        if total[-1] >= stock[column] > 0:
            last = int(np.argmax(total >= stock[column]))
            within = 1.0 - (total[last] - stock[column]) / max(came[last], 1e-9)
            out.lasts[name].add(run.lasts_min[row], (last + within) * TICK_MIN)
        out.need_4h[name].add(run.need[row, :16].sum(axis=0), float(came[:16].sum()))
        out.need_24h[name].add(run.need[row, :96].sum(axis=0), float(came[:96].sum()))
