"""A live feed into the log: batches as they come, each stored with its position in one transaction."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ingest.events import Event
from ingest.links import LinkNow
from ingest.log import EventLog, Position

logger = logging.getLogger(__name__)


class Feed:
    """Stores the batches of one source in a thread of its own until it ends or is stopped.

    What comes live is known when it is stored: the time at which the source says it became known is left out. One that
    is not whole tells less than what the log was made of: of what it leaves out nobody is warned.
    """

    def __init__(
        self, log: EventLog, source: str, batches: Iterable[Sequence[Event]], stop: threading.Event, *,
        is_whole: bool = True,
    ) -> None:  # fmt: skip
        self._log, self._source, self._batches, self._stop = log, source, batches, stop
        self._is_whole = is_whole
        self._thread = threading.Thread(target=self.run, name=f"feed {source}", daemon=True)
        self._fault: str | None = None

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for its end, if it has begun."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def fault(self) -> str | None:
        """What ended it before its time, in a sentence; None while all is well."""
        return self._fault

    def links(self) -> Sequence[LinkNow]:
        """How it stands."""
        return [LinkNow(name=self._source, kind="events", is_whole=self._is_whole, fault=self._fault)]

    def run(self) -> None:
        """Every batch that comes, until there is no more or it is stopped; a fault ends the feed and is told."""
        try:
            self._store_all()
        except Exception:  # the wall goes on and shows how old the data are
            self._fault = f"the source {self._source} has failed: nothing more is heard of it"
            logger.exception("%s", self._fault)

    def _store_all(self) -> None:
        last = self._log.position(self._source)
        offset = last.offset if last else 0
        for batch in self._batches:
            if self._stop.is_set():
                return
            if batch:
                offset += len(batch)
                live = [replace(event, known_at=None) for event in batch]
                self._log.append(live, Position(source=self._source, offset=offset))
        logger.info("the source %s has ended", self._source)
