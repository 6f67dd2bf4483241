"""The last days of a new house, replayed in the background: what it learns from until it has forecasts of its own.

A house without an archive knows neither how good its forecasts are nor how to correct and weigh them. Its history
tells: forecasts are made as they would have been made then, by what was known then, and met by what came.
"""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forecast.backtest import Plan, Report, backtest
from forecast.ensemble import Run
from forecast.verify import verified_leads
from ingest.log import EventLog
from twin.errors import TwinError
from twin.hospital import Hospital
from twin.scenarios import Scenario

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=6)
MEMBERS = 50
RENEWED = timedelta(days=7)
"""How often parameters are learned anew on the way."""
ENDS = timedelta(days=2)
"""So long before the present it ends: what came is told by then, mostly."""


@dataclass(frozen=True)
class Subject:
    """What is forecast."""

    hospital: Hospital
    as_usual: Scenario
    own_beds: bool
    learnable_at: datetime | None = None
    """When the log had taught enough for the first time. Long before, it may tell of who has lain in a ward since."""


class Replayed:
    """`days` is how far a replay that runs has come, and how far it goes; None when none runs."""

    def __init__(self) -> None:
        self.days: tuple[int, int] | None = None

    def run(
        self, log: EventLog, subject: Subject, how: Run, as_of: datetime, days: int, executor: Executor
    ) -> Report | None:
        """Forecasts of as many of the last days as something could be learned before; None, told in the log, where
        there is none."""
        end = as_of - ENDS
        whole = min(days, (end - subject.learnable_at) // timedelta(days=1)) if subject.learnable_at else 0
        if whole < 1:
            logger.info("the last days cannot be replayed: nothing could be learned from the log before them")
            return None
        plan = Plan(
            end - timedelta(days=whole), end, every=EVERY, how=replace(how, members=MEMBERS), recalibrate=RENEWED,
            lead_min=tuple(verified_leads(how.lead_min)), own_beds=subject.own_beds,
        )  # fmt: skip
        self.days = (0, whole)
        try:
            return backtest(log, subject.hospital, subject.as_usual, plan, executor=executor, progress=self._come)
        except TwinError as fault:
            logger.info("the last days cannot be replayed: %s", fault)
            return None
        finally:
            self.days = None

    def _come(self, done: int, of: int) -> None:
        if self.days is not None:
            self.days = (done * self.days[1] // of, self.days[1])
