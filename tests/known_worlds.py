"""A house to which people say what they know: the log of the small hospital at noon, and its forecasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from forecast.ensemble import Run, run_chunk
from forecast.known_futures import KnownFutures
from forecast.people import ANYBODY, Person
from forecast.situation import Situation, situation_of
from ingest.clock import SimulatedClock
from ingest.database import SCHEMA_SQL as INGEST_SQL
from ingest.database import Database
from ingest.events import BOARD, BedsCounted, Event
from ingest.log import EventLog
from tests.histories import NOON, calibration, log_of, scenarios, state, told
from twin.state import State, fold

HOW = Run(members=60, horizon_min=600.0, step_min=60.0)
HOUR = timedelta(hours=1)
STAFF, MANAGER = ANYBODY.everybody


@dataclass
class House:
    """What people say is known in it, and what its forecasts make of that."""

    log: EventLog
    database: Database
    clock: SimulatedClock
    known: KnownFutures

    @property
    def who(self) -> Person:
        """Anybody of it."""
        return STAFF

    def again(self) -> KnownFutures:
        """After a restart."""
        return KnownFutures(self.log, self.database, self.clock, calibration, self.state)

    def said(self, known_at: datetime | None = None) -> list[Event]:
        """What the log holds of what was said, as it was known at an instant."""
        return [event for event in self.log.read(known_at=known_at) if event.source == BOARD]

    def state(self, known_at: datetime | None = None) -> State:
        """What is known, with what was said."""
        return fold(state(), self.said(known_at))

    def situation(self) -> Situation:
        """As a forecast of this moment takes it."""
        return situation_of(self.state(), calibration(), self.clock.now())

    def forecast(self) -> dict[str, Any]:
        """The next forecast: every measure, `(lead, member)`."""
        return dict(run_chunk(self.situation(), scenarios("as_usual"), HOW, range(HOW.members))["as_usual"])


@contextmanager
def house() -> Iterator[House]:
    """The house at noon, of whose log the counts of beds are here: all else is in `state`."""
    counts = [event for event in told().known(NOON) if isinstance(event, BedsCounted)]
    with Database.open(None, [INGEST_SQL, FORECAST_SQL], threads=1) as database:
        clock = SimulatedClock(NOON)
        log = log_of(counts, database=database, clock=clock)
        made = House(log, database, clock, None)  # type: ignore[arg-type]
        made.known = made.again()
        yield made
