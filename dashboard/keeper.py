"""Who ends the house when its open database is of no use any more, so that it is opened anew, and mended if need be.

DuckDB refuses everything after a write to its file that failed halfway, until the file is opened anew; a block that is
not what was written is refused as often as it is read. Neither passes by itself. The house ends with status 75, which
whatever runs it takes for a reason to start it again; what it opens then is read through (`mending.py`).

To be started again frees no disk: while there is no room the house stays, and with it the wall.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from dashboard.readiness import Readiness
from ingest.disk import Disk
from ingest.errors import DatabaseLostError

logger = logging.getLogger(__name__)

LOST = "the database is of no use until it is opened anew"
EXIT_STATUS = 75
"""`EX_TEMPFAIL`: try again."""
LOOK_S = 10.0
"""Between two trials of the database, whoever asks."""
ROOM_S = 2.0
"""Between two looks at the disk."""
LONGEST_END_S = 20.0
"""A house that has not ended by then is ended at once."""


def _end() -> None:
    """As a service is ended: the main thread gives everybody the time that they need."""
    os.kill(os.getpid(), signal.SIGTERM)


class Keeper:
    """Hears of an open database that is lost, from any thread, and ends the house."""

    def __init__(
        self,
        data: Path,
        reserve_bytes: int,
        *,
        end: Callable[[], None] = _end,
        at_once: Callable[[int], None] = os._exit,
        disk: Disk | None = None,
    ) -> None:
        self._data, self._reserve_bytes = data, reserve_bytes
        self._end, self._at_once, self._disk = end, at_once, disk or Disk()
        self._called = threading.Event()
        self.fault: str | None = None
        """What DuckDB said; None while all is well."""

    @property
    def said(self) -> str | None:
        """What is missing, in a few words; None while all is well."""
        return None if self.fault is None else LOST

    def hear(self, fault: str) -> None:
        """The database is lost; what is heard later is not."""
        if self.fault is None:
            logger.error("the database is of no use until it is opened anew: %s", fault)
            self.fault = fault
            self.call()

    def call(self) -> None:
        """Whoever keeps looks up at once: the database is lost, or the house ends."""
        self._called.set()

    def keep(self, readiness: Readiness, stop: threading.Event) -> None:
        """Until the house ends: try the database, so that somebody hears; end the house once it is lost."""
        while not stop.is_set() and not self._called.wait(LOOK_S):
            readiness.answer()
        while not stop.is_set() and not self._has_room():
            stop.wait(ROOM_S)
        if not stop.is_set():
            late = threading.Timer(LONGEST_END_S, self._at_once, (EXIT_STATUS,))
            late.daemon = True
            late.start()
            self._end()

    def require_well(self) -> None:
        """Raises DatabaseLostError where it is why the house has ended."""
        if self.fault is not None:
            raise DatabaseLostError(
                f"the database of {self._data} is of no use until it is opened anew: start again ({self.fault})"
            )

    def _has_room(self) -> bool:
        try:
            return self._disk.free_bytes(self._data) >= self._reserve_bytes
        except OSError:
            return True  # whatever is wrong there, waiting mends nothing
