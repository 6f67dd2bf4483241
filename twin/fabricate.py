"""A hospital that does not exist, for learning, testing and showing: a period of it, live, and its oracle.

It obeys a law of its own, apart from the twin's model and richer than it: levels of the day that remember the last,
an epidemic, doctors with several patients each who tire, blood in batches, a morning round, closed beds, outliers.
Everything follows from the seed.

    hospital = FabricatedHospital(kind="congested", size="large")
    period = fabricate(hospital, start=start, days=60, seed=7)     # period.events, .truth, .write_wide_csv(path)
    world = World(hospital, start, seed=7)                         # or step by step:
    history = world.run_until(now)
    for batch in world.live(clock, stop): ...
    floor = oracle(world, members=100, hours=24, seed=1)           # the best forecast there can be
    helped = lived_on(world, hours=24, what=Intervention(doctors=2))   # what two more doctors do, in this very world
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from ingest.clock import Clock
from ingest.columns import to_table
from ingest.events import Arrived, Event, VisitId
from twin.fabricated_announced import announcements
from twin.fabricated_extract import Row, wide_rows, write_csv, write_parquet
from twin.fabricated_hospital import (
    FabricatedHospital,
    FabricationError,
    HospitalKind,
    HospitalSize,
    Intervention,
    LevelShift,
)
from twin.fabricated_house import House, Snapshot
from twin.fabricated_records import Faults, Habits, Names, Silence, truth
from twin.fabricated_stores import Truth
from twin.fabricated_timeline import Fact
from twin.fabricated_world import Progress, World

__all__ = [
    "FabricatedHospital", "Fabrication", "FabricationError", "Faults", "Habits", "HospitalKind", "HospitalSize",
    "Intervention", "LevelShift", "Silence", "Snapshot", "World", "fabricate", "live", "lived_on", "oracle",
]  # fmt: skip


@dataclass(frozen=True)
class Fabrication:
    """A fabricated period: `events` as the feed delivered them (all of them, also those delivered after the end)."""

    hospital: FabricatedHospital
    start_at: datetime
    end_at: datetime
    seed: int
    events: list[Event]
    facts: list[Fact]
    origin_at: datetime
    stores: Truth | None = None
    """What the stores truly held and were asked for, where there are some."""

    def table(self) -> pa.Table:
        """The events in Arrow form."""
        return to_table(self.events)

    @cached_property
    def truth(self) -> list[Event]:
        """What truly happened, complete and in order: the same visits and ids, no delay, nothing missing."""
        return truth(self.facts, self.origin_at, self.seed)

    def wide_rows(self) -> list[Row]:
        """The wide extract, taken after everything was delivered; see `twin/fabricated_extract.py`."""
        names = Names(self.seed)
        ages = {VisitId(names.visit(int(f.key))): f.fields["age"] for f in self.facts if f.kind is Arrived}
        return wide_rows(self.events, ages, self.hospital.zone, self.start_at)

    def write_wide_csv(self, path: Path) -> None:
        """One row a visit, as CSV."""
        write_csv(self.wide_rows(), path)

    def write_parquet(self, path: Path) -> None:
        """One row a visit, as Parquet."""
        write_parquet(self.wide_rows(), path)


def fabricate(
    hospital: FabricatedHospital,
    *,
    start: datetime,
    days: int,
    seed: int,
    faults: Faults | None = None,
    habits: Habits | None = None,
    shift: LevelShift | None = None,
    stores: float = 0.0,
    progress: Progress | None = None,
) -> Fabrication:
    """So many local days of a hospital from `start` on.

    Raises FabricationError if `start` is naive or `days` is less than 1.
    """
    if days < 1:
        raise FabricationError(f"days must be 1 or more, but is {days}")
    world = World(hospital, start, seed, faults=faults, habits=habits, shift=shift, keep_facts=True, stores=stores)
    end_at = _days_later(world.start_at, days, hospital.zone)
    events = world.run_until(end_at, progress) + world.rest()
    if habits is not None and (habits.exits_planned_share or habits.arrivals_announced_share):
        last = max((event.position for event in events), default=0)
        events += announcements(world.facts, world.origin_at, hospital.zone, seed, habits, last)
    return Fabrication(hospital, world.start_at, end_at, seed, events, world.facts, world.origin_at, world.stores_truth)


def live(
    hospital: FabricatedHospital, *, start: datetime, seed: int, clock: Clock, stop: threading.Event
) -> Iterator[list[Event]]:
    """A hospital from `start` on, without end: each event when the clock reaches its `known_at`."""
    return World(hospital, start, seed).live(clock, stop)


def oracle(
    origin: World | Snapshot, *, members: int, hours: float, seed: int, step_min: int = 15
) -> dict[str, np.ndarray]:
    """The hospital's own law run on from its true state with other luck: the floor for scores.

    Gives `ed_census`, `ed_waiting` and `ed_boarders`, each of shape (lead, member), at step_min, 2 step_min .. up to
    `hours` after the origin. The oracle knows the level of the present day, rosters and the date of the epidemic; of
    what has begun it knows how long it has lasted, not when it will end.
    """
    snapshot = origin.snapshot() if isinstance(origin, World) else origin
    leads = int(hours * 60.0 // step_min)
    runs = [_run_on(snapshot, luck, leads, step_min) for luck in np.random.SeedSequence([seed, 3]).spawn(members)]
    measures = ("ed_census", "ed_waiting", "ed_boarders")
    return {name: np.array([[counts[name] for counts in run] for run in runs]).T for name in measures}


def lived_on(
    origin: World | Snapshot, *, hours: float, what: Intervention | None = None, step_min: int = 15
) -> dict[str, np.ndarray]:
    """What happens next in this very hospital, each measure `(lead,)` as in `oracle`, and `arrivals` since the origin;
    with what people do about it, or as it would have been.

    Who comes, and when, is the same in both: arrivals have dice of their own.
    """
    house = House.go_on(origin.snapshot() if isinstance(origin, World) else origin)
    house.timeline.facts, begun = [], house.minute
    if what is not None:
        house.begin(what)
    counts = []
    for lead in range(1, int(hours * 60.0 // step_min) + 1):
        house.run_until(begun + lead * step_min)
        came = sum(fact.kind is Arrived for fact in house.timeline.facts or ())
        counts.append({**house.count_now(), "arrivals": came})
    return {name: np.array([at[name] for at in counts]) for name in counts[0]}


def _run_on(snapshot: Snapshot, luck: np.random.SeedSequence, leads: int, step_min: int) -> list[dict[str, int]]:
    house = House.resume(snapshot, luck)
    counts = []
    for lead in range(1, leads + 1):
        house.run_until(snapshot.minute + lead * step_min)
        counts.append(house.count_now())
    return counts


def _days_later(start_at: datetime, days: int, zone: str) -> datetime:
    """The same time on the wall so many days later: a day may have 23 or 25 hours."""
    return (start_at.astimezone(ZoneInfo(zone)) + timedelta(days=days)).astimezone(UTC)
