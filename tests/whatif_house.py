"""What-if of the small hospital of these suites, with its process, for tests of its page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from forecast.archive import SCHEMA_SQL
from forecast.ensemble import Run
from forecast.own_scenarios import OwnScenarios
from forecast.whatif import Ground
from forecast.whatif_ask import Asking, Desk
from forecast.whatif_moments import Moments
from forecast.whatif_queue import WhatIf
from forecast.whatif_view import WhatIfView
from forecast.workers import Workers
from ingest.clock import SimulatedClock
from ingest.database import Database
from tests.histories import NOON, hospital
from tests.test_forecast_whatif import BY_PAST, ground
from twin.scenarios import catalogue

HOW = Run(members=20, horizon_min=480.0, seed=7)
VIEW = WhatIfView(NOON, "Europe/Paris", "CH", "fabricated")


@contextmanager
def asking_of(ground_of_now: Ground | None = None, desk: Desk | None = None) -> Iterator[Asking]:
    """Something to ask, answered by a process of its own."""
    now = ground_of_now or ground(HOW, BY_PAST)
    child = Workers(1)
    moments = Moments(lambda _: now)
    whatif = WhatIf(child, lambda: now, moments)
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        own = OwnScenarios(database, SimulatedClock(NOON))
        shipped = catalogue()
        whatif.start()
        try:
            yield Asking(whatif, lambda: now, lambda: shipped, own=own, desk=desk, first_at=lambda: NOON)
        finally:
            whatif.stop(60.0)
            child.shutdown()


assert hospital().zone == VIEW.zone
