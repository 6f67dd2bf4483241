"""FHIR messages as they come, straight into the log: what stands behind `/fhir` where there is no journal.

What a message tells is known when it is stored. All messages of a call are stored in one transaction, or none is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingest.clock import Clock
from ingest.errors import EdtwinError
from ingest.events import Event
from ingest.fhir import FhirFormat
from ingest.formats import Place
from ingest.log import EventLog, Intake, Position, Rejected

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What became of a message: whether it is kept for good, its number in the source, and why it is refused."""

    is_kept: bool
    number: int | None = None
    stored_at: datetime | None = None


class FhirIntoLog:
    """Takes messages from any thread, one call after the other."""

    def __init__(self, told: FhirFormat, log: EventLog, clock: Clock) -> None:
        self._told, self._log, self._clock = told, log, clock
        self._turn = threading.Lock()

    def __call__(self, messages: Sequence[bytes]) -> list[Stored]:
        """Store them; where that fails none is kept, and the sender must send them again. Never raises."""
        with self._turn:
            try:
                return self._stored(messages)
            except Exception as error:
                logger.error("FHIR messages could not be stored: %s", _plainly(error))
                return [Stored(is_kept=False)] * len(messages)

    def _stored(self, messages: Sequence[bytes]) -> list[Stored]:
        source, now = self._told.source, self._clock.now()
        before = self._log.position(source)
        first = before.offset if before else 0
        events: list[Event] = []
        rejected: list[Rejected] = []
        ignored = 0
        for number, message in enumerate(messages, start=first + 1):
            place = Place(source=source, position=number, stored_at=now)
            reading = self._told.read(self._told.kept(message).payload, place)
            events.extend(reading.events)
            ignored += reading.ignored is not None
            if reading.rejected is not None:
                where = f"message {number}"
                rejected.append(Rejected(position=number, place=where, reason=reading.rejected, text=reading.sentence))
        position = Position(source=source, offset=first + len(messages))
        intake = Intake(read=len(messages), ignored=ignored, rejected=rejected)
        stored_at = self._log.append(events, position, intake=intake).stored_at
        numbers = range(first + 1, position.offset + 1)
        return [Stored(is_kept=True, number=number, stored_at=stored_at) for number in numbers]


def _plainly(error: Exception) -> str:
    """Our own sentences repeat nothing of a message; of any other error only the type is told."""
    return str(error) if isinstance(error, EdtwinError) else type(error).__name__
