"""A year of a hospital with about a million events, told to a house by HL7: its journal and its database.

    python -m tests.years FOLDER [--days 365]

Minutes of work, so only soak tests make one. The hospital is a fabricated one, whose law is not the twin's, larger than
the largest that is shipped: some 310 arrivals a day. Messages are journalled when they became known, by the house's own
pipeline on a simulated clock, and indexed day by day.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from unittest.mock import patch

from dashboard.formats import hl7_format
from dashboard.house import House, open_house
from dashboard.settings import Settings
from ingest.clock import SimulatedClock, WallClock, stopwatch
from ingest.events import Event
from ingest.hl7_render import render
from ingest.pipeline import Bounds, Message, Pipeline
from twin import fabricated_house
from twin.fabricated_hospital import FabricatedHospital, Plant, plant_of
from twin.fabricated_world import World

ROOT = Path(__file__).parents[1]
MAPPING = ROOT / "ingest" / "mappings" / "hl7_edtwin.toml"
LARGER = 1.41
"""Times the largest shipped hospital, so that a year has a million events."""
STEP = timedelta(minutes=20)
"""Messages that became known within so long are journalled with one sync."""
FINE = timedelta(seconds=20)
"""The same for what a house will look at as news: who tells of it late has a late feed."""
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Year:
    """What was made: the folder of data, how much is in it, and the hospital, which goes on."""

    folder: Path
    world: World
    until: datetime
    messages: int
    rows: int
    seconds: float


def settings_of(folder: Path) -> Settings:
    """A house on the folder that reads these messages."""
    return Settings(data=folder, mllp_mapping=MAPPING)


def larger_world(start: datetime, seed: int = 1) -> World:
    """A fabricated hospital with so many times the beds, the staff and the arrivals of the largest one."""
    with patch.object(fabricated_house, "plant_of", lambda hospital: _larger(plant_of(hospital))):
        return World(FabricatedHospital("congested", "large"), start, seed)


def _larger(plant: Plant) -> Plant:
    def more(count: int) -> int:
        return ceil(count * LARGER)

    return replace(
        plant,
        arrivals_per_day=plant.arrivals_per_day * LARGER, boxes=more(plant.boxes), sauv=more(plant.sauv),
        beds={unit: more(beds) for unit, beds in plant.beds.items()},
        doctor_shifts=tuple(shift._replace(people=more(shift.people)) for shift in plant.doctor_shifts),
        triage_nurse_shifts=tuple(shift._replace(people=more(shift.people)) for shift in plant.triage_nurse_shifts),
        imaging_day=more(plant.imaging_day), imaging_night=more(plant.imaging_night),
    )  # fmt: skip


def make_year(folder: Path, until: datetime, days: int = 365) -> Year:
    """Days of the hospital up to an instant, journalled and indexed in a folder that held nothing."""
    began, start = stopwatch(), until - days * DAY
    world = larger_world(start)
    messages, rows = tell(folder, world, start, until, STEP)
    return Year(folder, world, until, messages, rows, stopwatch() - began)


def tell(folder: Path, world: World, since: datetime, until: datetime, step: timedelta) -> tuple[int, int]:
    """What the hospital tells between two instants, journalled step by step and indexed day by day by a house that ends
    then; how many messages that were, and how many rows the log has."""
    messages, clock = 0, SimulatedClock(since)
    with open_house(settings_of(folder), clock) as house:
        while since < until:
            day_ends = min(since + DAY, until)
            messages += _told(house, clock, _steps(world, since, day_ends, step))
            house.indexer.catch_up()
            since = day_ends
        return messages, house.log.length()


def _steps(
    world: World, since: datetime, until: datetime, step: timedelta
) -> Iterator[tuple[datetime, Sequence[Event]]]:
    """What the hospital tells, step by step, each with its end."""
    while since < until:
        since = min(since + step, until)
        yield since, world.run_until(since)


def _told(house: House, clock: SimulatedClock, day: Iterator[tuple[datetime, Sequence[Event]]]) -> int:
    """One day's messages on the disk; how many there were."""
    pipeline = Pipeline(house.journal, bounds=Bounds(queue_messages=10**6, group_messages=10**6))
    form, count = hl7_format(MAPPING, house.pseudonyms()), 0
    for at, events in day:
        messages = [Message(content) for content in render(events)]
        clock.advance_to(at)
        if messages:
            waiting = pipeline.submit(messages, form, "mllp")
            pipeline.write_waiting()
            count += sum(receipt.is_kept for receipt in waiting.result())
    return count


def main() -> None:
    """Make one, and say how long that took."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=int, default=365)
    asked = parser.parse_args()
    year = make_year(asked.folder, WallClock().now().astimezone(UTC), asked.days)
    print(f"{year.messages:,} messages, {year.rows:,} rows in {year.seconds:.0f} s")


if __name__ == "__main__":
    main()
