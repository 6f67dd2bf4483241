"""Whether the house can do its work: sources run, the log takes a write and gives it back, a forecast is there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from ingest.clock import Clock
from ingest.log import EventLog

logger = logging.getLogger(__name__)

_NAME = "readyz"
_AGO = timedelta(days=40_000)
"""The trial is known from so long ago that no batch of events can make it untrue."""
_ASKED_EVERY = timedelta(seconds=2)


class Readiness:
    """Tried anew at most every two seconds of the clock, however many ask."""

    def __init__(
        self,
        log: EventLog,
        has_forecast: Callable[[], bool],
        clock: Clock,
        *,
        stopped: Callable[[], str | None] = lambda: None,
    ) -> None:
        """`stopped` says which source is stopped until a person decides."""
        self._log, self._has_forecast, self._clock, self._stopped = log, has_forecast, clock, stopped
        self._lock = threading.Lock()
        self._fault: str | None = None
        self._tried_at = clock.now() - _ASKED_EVERY

    def fault(self) -> str | None:
        """What is missing, in a few words; None when the house is ready."""
        if (stopped := self._stopped()) is not None:
            return stopped
        if not self._has_forecast():
            return "no forecast yet"
        return self.answer()

    def answer(self) -> str | None:
        """What the log answers to a write and a read, whatever else is there; waits for it as every writer does."""
        with self._lock:
            if self._clock.now() - self._tried_at >= _ASKED_EVERY:
                self._fault, self._tried_at = self._tried(), self._clock.now()
            return self._fault

    def _tried(self) -> str | None:
        at = self._clock.now()
        told = at.isoformat().encode()
        try:
            self._log.save_snapshot(_NAME, at, at - _AGO, told, keep=1)
            kept = self._log.latest_snapshot(_NAME, at - _AGO)
        except Exception:  # whatever hinders the log is what is asked for here
            logger.exception("the log takes no write")
            return "the log takes no write"
        return None if kept is not None and kept.blob == told else "the log does not give back what was written"
