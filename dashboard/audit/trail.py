"""The audit as a running house keeps it: records are handed over at once, and written in groups by one thread.

    trail = Trail(chain, house="live")
    trail.keep(deed)             # a consultation: it is on the disk within a second
    trail.keep(deed, wait=True)  # a change: it is on the disk when this returns, or the audit has a gap

The house never waits for a disk that cannot be written, and never stops for it: what cannot be written is held in
memory and tried again, and what does not fit there is lost and counted. As long as that lasts `gap` says since when,
and the first record that can be written afterwards tells of it.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

from dashboard.audit.chain import Chain, Head
from dashboard.audit.records import Deed
from ingest.clock import Clock, WallClock

logger = logging.getLogger(__name__)

GATHER_S = 0.5
"""So long consultations are gathered before they are written."""
PAUSE_S = 2.0
"""Between two tries at a disk that could not be written."""
LONGEST_WAIT_S = 2.0
"""A change waits so long for its record, and no longer."""
HELD = 10_000
"""Records held in memory."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The audit could not be written: since when, and how many records were lost for good."""

    since: datetime
    lost: int = 0


class Trail:
    """Takes records from all threads. Start it, and stop it at the end."""

    def __init__(
        self, chain: Chain, house: str, clock: Clock | None = None, *, held: int = HELD, pause_s: float = PAUSE_S
    ) -> None:
        self.chain, self._house, self._clock = chain, house, clock or WallClock()
        self._held, self._pause_s = held, pause_s
        self._turn = threading.Condition()
        self._waiting: deque[Deed] = deque()
        self._taken, self._kept = 0, 0
        """How many records were handed over, and how many of these are on the disk or lost."""
        self._hurried = self._stopped = False
        self._thread = threading.Thread(target=self._follow, name="audit", daemon=True)
        self.gap: Gap | None = None
        """What is missing now; None while all is well."""
        self.head = Head()
        """The last record that is on the disk."""

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Write what is there, and end."""
        with self._turn:
            self._stopped = True
            self._turn.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def now(self) -> datetime:
        """The instant of what happens now: the world's, also in a house on another clock."""
        return self._clock.now()

    def keep(self, deed: Deed, *, wait: bool = False) -> None:
        """Record it. With `wait` it is on the disk when this returns, unless that cannot be."""
        with self._turn:
            if len(self._waiting) >= self._held:
                lost = (self.gap.lost if self.gap else 0) + 1
                self.gap = Gap(self.gap.since if self.gap else deed.at, lost)
                return
            self._waiting.append(deed)
            self._taken += 1
            mine, self._hurried = self._taken, self._hurried or wait
            self._turn.notify_all()
            if wait and self.gap is None:
                self._turn.wait_for(lambda: self._kept >= mine or self.gap is not None, LONGEST_WAIT_S)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        is_last = False
        while not is_last:
            with self._turn:
                self._turn.wait_for(lambda: self._waiting or self.gap is not None or self._stopped)
                self._turn.wait_for(lambda: self._hurried or self._stopped, GATHER_S)
                is_last, self._hurried = self._stopped, False
            self._write()
            if self.gap is not None and not is_last:
                with self._turn:
                    self._turn.wait_for(lambda: self._stopped, self._pause_s)

    def _write(self) -> None:
        with self._turn:
            group, gap = list(self._waiting), self.gap
        told = [*group, *([self._of_gap(gap)] if gap else [])]
        if not told:
            return
        try:
            head, kept = self.chain.append(told, self._house)
        except OSError as error:
            self._tell(error)
            return
        with self._turn:
            self.head = head
            for _ in group[:kept]:
                self._waiting.popleft()
            self._kept += min(kept, len(group))
            if kept == len(told):
                # records that were lost while this was written are a gap of their own
                more = (self.gap.lost if self.gap else 0) - (gap.lost if gap else 0)
                self.gap = Gap(self.now(), more) if more else None
            self._turn.notify_all()

    def _of_gap(self, gap: Gap) -> Deed:
        now = self.now()
        told = {"since": gap.since.isoformat(), "until": now.isoformat(), "lost": gap.lost}
        return Deed(at=now, kind="house", what="gap", role="house", outcome="failed", told=told)

    def _tell(self, error: OSError) -> None:
        with self._turn:
            if self.gap is None:
                logger.error("the audit %s cannot be written: %s", self.chain.folder, error.strerror or error)
                self.gap = Gap(self.now())
            self._turn.notify_all()
