"""Messages that bear the number (MSH-10) of another one, of the same sender, which said something else.

    ids = ControlIds()
    ids.reused(records)        # the numbers of the records among these that do; in the order of the journal

The same message again is a repetition, and changes nothing. With other content one of the two is wrong, or the sender
counts anew: both are kept, since nobody can tell which, and those that came second are counted as doubtful. Only the
last 10,000 records and twelve hours are looked back on, since many senders begin at 1 every day.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from ingest.journal_frames import Record

REUSED = "control_id_reused"
"""The flag of such a message."""
NUMBERED = ("hl7",)
"""Formats whose control id names a message; of the others it names what is told, which may be told anew."""
LOOK_BACK_RECORDS = 10_000
LOOK_BACK = timedelta(hours=12)


class ControlIds:
    """The numbers of the last messages, by source; a function of the records alone, however they are grouped."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], tuple[int, datetime, bytes]] = OrderedDict()

    def reused(self, records: Iterable[Record]) -> frozenset[int]:
        """The numbers of those that bear the number of an earlier one with other content."""
        return frozenset(record.number for record in records if self._is_reused(record))

    def _is_reused(self, record: Record) -> bool:
        if record.format not in NUMBERED or not record.control_id or record.again is not None:
            return False
        key, content = (record.position.source, record.control_id), blake2b(record.payload, digest_size=8).digest()
        before = self._seen.pop(key, None)
        self._seen[key] = record.number, record.stored_at, content
        while len(self._seen) > LOOK_BACK_RECORDS:
            self._seen.popitem(last=False)
        if before is None or not 0 < record.number - before[0] <= LOOK_BACK_RECORDS:
            return False
        return before[2] != content and record.stored_at - before[1] <= LOOK_BACK
