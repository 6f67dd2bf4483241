"""THE JOURNAL LOOKED THROUGH EVERY WEEK in the background of a running house, and what was found remembered.

    scrubbed.json     beside the data: when it was last looked through to its end, and which files were damaged

What was found stands on the wall, on the page about this house, at `/metrics` and in `edtwin doctor` until a look finds
the journal whole. A house that starts after a look has found damage makes the file whole from a backup first, where one
holds it (`mending.py`), and looks again soon.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

from forecast.board import Scrubbed
from ingest.clock import Clock
from ingest.disk import bring_to_disk
from ingest.journal import Journal
from ingest.scrub import scrub

logger = logging.getLogger(__name__)

NOTE = "scrubbed.json"
AFTER_S = 600.0
"""A house that starts has something better to do for so long."""
LOOK_S = 60.0
"""Between two looks at whether it is time."""
AGAIN = timedelta(hours=1)
"""After a look that could not be done."""


class Scrubs:
    """Looks through the journal of an open house when it is time. Every `days`; 0: never."""

    def __init__(self, journal: Journal, data: Path, clock: Clock, days: int) -> None:
        self._journal, self._data, self._clock, self._every = journal, data, clock, timedelta(days=days)
        self.last = noted_scrub(data)
        """What the last one found; None before the first."""
        self._failed_at: datetime | None = None
        self._is_first = True

    @property
    def due(self) -> bool:
        """Whether it is time: also soon after the start of a house whose journal was found damaged."""
        now = self._clock.now()
        if not self._every or (self._failed_at is not None and now - self._failed_at < AGAIN):
            return False
        was_damaged = self.last is not None and bool(self.last.faults) and self._is_first
        return self.last is None or was_damaged or now - self.last.at >= self._every

    def keep_looking(self, stop: threading.Event) -> None:
        """Until the house ends."""
        wait_s = AFTER_S
        while not stop.wait(wait_s):
            wait_s = LOOK_S
            if self.due:
                self.look(stop)

    def look(self, stop: threading.Event) -> None:
        """Look through it now, and note what was found. What hinders it is told, and it is tried again later."""
        try:
            found = scrub(self._journal, stop.wait)
            if found is None:
                return
            told = Scrubbed(self._clock.now(), found.records, found.files, found.faults)
            _keep_note(self._data, told)
            self.last, self._failed_at, self._is_first = told, None, False
            for fault in found.faults:
                logger.error("a file of the journal is not what was written: %s", fault)
        except Exception:
            self._failed_at = self._clock.now()
            logger.exception("the journal could not be looked through")


def noted_scrub(data: Path) -> Scrubbed | None:
    """What the last look found; None where there was none, or where its note cannot be read."""
    try:
        told = json.loads((data / NOTE).read_text(encoding="utf-8"))
        return Scrubbed(datetime.fromisoformat(told["at"]), told["records"], told["files"], tuple(told["faults"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep_note(data: Path, told: Scrubbed) -> None:
    """Whole or not at all."""
    fresh = data / f"{NOTE}.fresh"
    with fresh.open("w", encoding="utf-8") as out:
        json.dump(asdict(told) | {"at": told.at.isoformat()}, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(data / NOTE)
    bring_to_disk(data)
