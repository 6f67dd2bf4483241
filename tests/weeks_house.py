"""A whole house on a clock of its own, as a process: `python -m tests.weeks_house FOLDER --port N [--speed 60]`.

What `edtwin up` runs on nothing: a fabricated hospital, feed, journal, log, cycles, nightly learning, archive, backups,
downtime sheets, wall. The clock begins where the folder's journal ends. With a speed everything is as in a house, but
so many times as fast. Without one the clock is stepped: the hospital tells what has happened, a cycle runs at its turn,
and the next step begins when that is done; so weeks take as long as the machine needs, and mean the same on any.
"""

from __future__ import annotations

import argparse
import threading
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dashboard import backups, household, serve
from dashboard.commands import up
from dashboard.house import House, open_house
from dashboard.intake import Intake
from dashboard.settings import Settings
from forecast.loop import Loop, Rhythm
from forecast.turns import turn_of
from ingest.clock import SimulatedClock
from ingest.columns import to_table
from ingest.instants import NEVER, Instants
from ingest.journal import Journal
from ingest.links import LinkNow
from ingest.log import Position
from twin.fabricated_world import World

BEGINS = datetime(2026, 1, 5, tzinfo=UTC)
"""When the first life begins, on the house's clock; its past lies before."""
HOSPITAL = Namespace(kind="congested", size="small")
STEP = timedelta(seconds=200)
"""News of so long comes at once: less than what makes a feed late."""


def settings_of(folder: Path, port: int = 0, every_min: float = 10.0) -> Settings:
    """A small hospital with as much past as a house ever holds in memory, so that what grows is a leak."""
    return Settings(
        data=folder / "data", port=port, every_min=every_min, history_days=150, members=20, workers=1, horizon_h=12.0,
        wall_scenarios=("as_usual", "one_more_doctor"), measure_days=0, alert_days=0, huddle_at=("8:00",),
        backup_folder=folder / "backups", backup_kept=3,
    )  # fmt: skip


def goes_on_at(settings: Settings) -> datetime:
    """When the life before ended: the instant of the journal's last record."""
    folder = settings.data / "journal"
    if not folder.is_dir():
        return BEGINS
    with Journal.open(folder, Instants(SimulatedClock(BEGINS)), reserve_bytes=0) as journal:
        return BEGINS if journal.last_stored_at == NEVER else max(BEGINS, journal.last_stored_at)


class Stepped:
    """A feed that moves the clock: what the hospital tells of a step is stored, and a cycle's turn is waited for."""

    def __init__(self, house: House, clock: SimulatedClock, world: World, stop: threading.Event) -> None:
        self._house, self._clock, self._world, self._stop = house, clock, world, stop
        self._thread = threading.Thread(target=self._run, name="steps", daemon=True)
        self.loop: Loop | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end of the step that runs."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def links(self) -> Sequence[LinkNow]:
        """How it stands."""
        return [LinkNow(name=up._SOURCE, kind="events")]

    def fault(self) -> str | None:
        """Why it ended; None while it goes on."""
        return None if self._thread.is_alive() or self._stop.is_set() else "the steps have ended"

    def _run(self) -> None:
        every, log = timedelta(minutes=self._house.settings.every_min), self._house.log
        while not self._stop.is_set():
            before = self._clock.now()
            self._clock.advance_to(before + STEP)
            now = self._clock.now()
            if told := self._world.run_until(now):
                last = log.position(up._SOURCE)
                at = Position(source=up._SOURCE, offset=(last.offset if last else 0) + len(told))
                log.append_table(to_table([replace(event, known_at=None) for event in told]), at)
            if self.loop is not None and turn_of(now, every) != turn_of(before, every):
                self.loop.turn()


def run(settings: Settings, speed: float | None) -> None:
    """Live until a signal; of a stepped clock a day may be a minute, and a backup is made each day."""
    clock = SimulatedClock(goes_on_at(settings), speed=speed or 0.0)
    with ExitStack() as stack:
        stack.enter_context(up.ended_by_signals())
        house = stack.enter_context(open_house(settings, clock))
        stop = threading.Event()
        with clock.held():
            fabricated = up._fabricated(house, HOSPITAL)
            assert fabricated is not None
            feed: Any = up._fabricated_feed(house, fabricated, stop)
        if speed is None:
            feed = Stepped(house, clock, _told_up_to(fabricated.world(), clock.now()), stop)
            stack.enter_context(patch.object(household, "Loop", _stepped_loop(feed)))
            stack.enter_context(patch.object(backups, "LOOK_S", 1.0))
            stack.enter_context(patch.object(backups, "EVERY", timedelta(days=1)))
        rhythm = Rhythm(every=timedelta(minutes=settings.every_min))
        serve.serve(house, [Intake(house), feed], stop, mode="fabricated", rhythm=rhythm)


def _told_up_to(world: World, now: datetime) -> World:
    world.run_until(now)
    return world


def _stepped_loop(feed: Stepped) -> type[Loop]:
    """A loop whose turns the steps bring, in place of the scheduler."""

    class Turned(Loop):
        def start(self) -> None:
            feed.loop = self

    return Turned


def main() -> None:
    """Until it is ended."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--speed", type=float)
    parser.add_argument("--every-min", type=float, default=10.0)
    asked = parser.parse_args()
    settings = settings_of(asked.folder, asked.port, asked.every_min)
    settings.data.mkdir(parents=True, exist_ok=True)
    run(settings, asked.speed)


if __name__ == "__main__":
    main()
