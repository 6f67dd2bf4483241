"""The page of supplies kept up to date: made with each cycle's forecast, shown until the next."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from forecast.baselines import History
from forecast.situation import Situation
from forecast.supplies import SuppliesKnown, supplies_known, supplies_outlook
from forecast.supplies_further import SuppliesFurther
from forecast.supplies_told import told_of_each, view_of
from forecast.supplies_view import SuppliesView
from forecast.supply_archive import SupplyArchive
from forecast.values import Forecast
from twin.hospital import Hospital
from twin.scenarios import Scenario
from twin.state import State
from twin.supply_file import Supplies

logger = logging.getLogger(__name__)


class SuppliesDesk:
    """What the last forecast means for support services; a fault here is said on the page and stops nothing else."""

    def __init__(self, supplies: Supplies, hospital: Hospital, mode: str, archive: SupplyArchive | None = None) -> None:
        self._supplies, self._hospital, self._mode, self._archive = supplies, hospital, mode, archive
        self._made: SuppliesView | None = None
        self._known: SuppliesKnown | None = None
        self._fault: str | None = None

    def look(
        self, state: State, history: History, situation: Situation, forecast: Forecast, scenarios: Sequence[Scenario],
        seed: int,
    ) -> None:  # fmt: skip
        """Say what a forecast means for supplies, and keep it."""
        try:
            known = supplies_known(self._supplies, state, history, situation, forecast)
            self._known = known
            outlook = supplies_outlook(known, forecast, scenarios, seed)
            self._made, self._fault = view_of(outlook, forecast.as_of, self._hospital.name, self._mode), None
            if self._archive is not None:
                self._archive.store(told_of_each(outlook), forecast.issued_at)
                self._archive.prune(forecast.issued_at)
        except Exception as fault:
            logger.exception("nothing can be said of supplies")
            self._fault = type(fault).__name__

    def further(self, situation: Situation, seed: int) -> tuple[SuppliesFurther, ...]:
        """Supplies for whoever compares scenarios from the last forecast's instant; none from another one."""
        known = self._known
        return () if known is None or known.as_of != situation.as_of else (SuppliesFurther(known, seed),)

    def view(self, now: datetime) -> SuppliesView:
        """The page at this minute: what it shows changes no faster."""
        minute = now.replace(second=0, microsecond=0)
        made = self._made or SuppliesView(minute, self._hospital.zone, self._hospital.name, self._mode)
        return replace(made, made_at=minute, fault=self._fault)
