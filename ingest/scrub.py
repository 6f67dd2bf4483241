"""A LOOK THROUGH THE WHOLE JOURNAL while the house runs: every record of every file read from the disk, and checked.

    found = scrub(journal, pause)      # gently: three quarters of the time it rests

Opening a house reads the last file of its journal alone, so a bit that flips in an older one would wait for the day on
which the log has to be made anew. Nothing is changed here: a file that is damaged is told, and those behind it are
looked at all the same, each from its own beginning.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from ingest.clock import stopwatch
from ingest.errors import JournalDamagedError
from ingest.journal_tail import Readable, Segment, Tail

AT_ONCE = 200
"""Records between two rests, some milliseconds' worth."""
RESTS = 3.0
"""A rest is so many times as long as what was read before it took."""

Rest = Callable[[float], bool]
"""Waits so many seconds; True where the house ends."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look through the journal came to."""

    records: int
    """Those that were read and are as they were written."""
    files: int
    faults: tuple[str, ...]
    """Of each damaged file a sentence, with the byte and the record before it."""


def scrub(journal: Readable, rest: Rest) -> Found | None:
    """Read the journal from the disk, up to the record that is the last now; None where the house ended meanwhile.

    1. Let the system forget what it holds of a file in memory: what is on the disk is asked.
    2. Read its records in their order, each held against its checksums and against the record before it.
    3. The next file must go on from there. Behind a damaged file it is read from its own beginning.
    """
    segments, last = journal.segments(), journal.last
    records, faults = 0, list[str]()
    tail = Tail(journal, 0)
    try:
        for segment, following in zip(segments, [*segments[1:], None], strict=True):
            until = following.after if following else last
            try:
                _forget(segment)  # 1
                while max(tail.number, segment.after) < until:
                    began = stopwatch()
                    records += len(tail.read(limit=min(AT_ONCE, until - max(tail.number, segment.after))))  # 2, 3
                    if rest(RESTS * (stopwatch() - began)):
                        return None
            except (JournalDamagedError, OSError) as error:
                faults.append(_told(error, segment))
                tail.close()
                tail = Tail(journal, until)
    finally:
        tail.close()
    return Found(records, len(segments), tuple(faults))


def _told(error: Exception, segment: Segment) -> str:
    is_unread = isinstance(error, OSError)
    return f"{segment.path} cannot be read: {error.strerror}" if is_unread else str(error)  # type: ignore[attr-defined]


def _forget(segment: Segment) -> None:
    if not hasattr(os, "posix_fadvise"):
        return
    handle = os.open(segment.path, os.O_RDONLY)
    try:
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
