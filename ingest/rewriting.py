"""The journal written anew: each record as it was, or changed; what was there before is not left beside it.

Nothing but the end of something that may no longer be kept is a reason for it: of a patient (`ingest/erasure.py`), or
of what happened too long ago (`ingest/retention.py`); the mark says which. A record keeps its number, its instant and
its place in its source, so that whatever counts records, positions or instants still fits.

1. Every segment is written anew beside the old one, chained from the first record on, and synced.
2. The mark is put down, and synced with the folder: from here on the new ones are the journal.
3. Each takes the place of the old one of its name.

A process that dies before 2 has changed nothing: what it began is removed at the next opening. One that dies after it
is finished at the next opening. The mark stays until the database is made anew (`done`): until then it still holds what
the journal no longer does.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Literal

from ingest.disk import bring_to_disk
from ingest.errors import RebuildError
from ingest.failpoints import failpoint
from ingest.journal_frames import (
    RECORD,
    DamageError,
    Record,
    TornError,
    facts_of,
    framed,
    read_frame,
    record_of,
    start_frame,
    start_of,
)
from ingest.journal_tail import Segment, damaged

MARK = "rewritten"
FRESH = ".fresh"
Why = Literal["erased", "ended"]
"""What may no longer be kept: a patient, or what happened too long ago."""
Change = Callable[[Record], Record]
_segment_begins = failpoint("rewriting: segment")
_synced = failpoint("rewriting: sync")
_to_be_marked = failpoint("rewriting: mark")
_marked = failpoint("rewriting: marked")
_to_be_replaced = failpoint("rewriting: replace")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """How many records there are, and how many of them are no longer what they were."""

    records: int
    changed: int


def rewrite(folder: Path, segments: list[Segment], change: Change, why: Why = "erased") -> Rewritten:
    """Steps 1 and 2, for whoever holds the journal and writes nothing more to it: close it then, and open it again.

    Raises JournalDamagedError; RebuildError where an earlier one is not done.
    """
    if is_rewritten(folder):
        raise RebuildError(f"{folder} was written anew, and its database must be made anew first")
    done, link = Rewritten(0, 0), None
    try:
        for segment in segments:
            _segment_begins()
            with segment.path.open("rb") as old, segment.path.with_suffix(f".journal{FRESH}").open("wb") as new:
                done, link = _segment(segment, old, new, link, change, done)
                _synced()
                new.flush()
                os.fsync(new.fileno())
    except Exception:
        discard(folder)
        raise
    _to_be_marked()
    _put_mark(folder, why)
    _marked()
    return done


def complete(folder: Path) -> None:
    """Step 3, or the removal of what was never marked; for whoever holds the journal and has not read it yet."""
    if not is_rewritten(folder):
        discard(folder)
        return
    for fresh in sorted(folder.glob(f"*{FRESH}")):
        _to_be_replaced()
        fresh.replace(fresh.with_suffix(""))
    bring_to_disk(folder)


def is_rewritten(folder: Path) -> bool:
    """The journal was written anew, and the database has yet to be made of it."""
    return (folder / MARK).exists()


def why_rewritten(folder: Path) -> Why:
    """For what reason it was."""
    return "ended" if (folder / MARK).read_bytes() == b"ended" else "erased"


def done(folder: Path) -> None:
    """The database was made anew."""
    (folder / MARK).unlink(missing_ok=True)
    bring_to_disk(folder)


def discard(folder: Path) -> None:
    """Remove what was begun and never marked."""
    for fresh in folder.glob(f"*{FRESH}"):
        fresh.unlink()


def _segment(
    segment: Segment, old: BinaryIO, new: BinaryIO, before: bytes | None, change: Change, done: Rewritten
) -> tuple[Rewritten, bytes]:
    try:
        start, old_link = start_of(old)
        frame, link = start_frame(start if before is None else replace(start, link=before))
        new.write(frame)
        while (found := read_frame(old, old_link)) is not None:
            old_link = found.link
            record = record_of(found)
            kept = change(record)
            frame, link = framed(RECORD, facts_of(kept), kept.payload, link)
            new.write(frame)
            done = Rewritten(done.records + 1, done.changed + (kept != record))
    except (TornError, DamageError) as error:
        raise damaged(segment, old.tell(), done.records, error) from error
    return done, link


def _put_mark(folder: Path, why: Why) -> None:
    with (folder / MARK).open("xb") as file:
        file.write(why.encode())
        file.flush()
        os.fsync(file.fileno())
    bring_to_disk(folder)
