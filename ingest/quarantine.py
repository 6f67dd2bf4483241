"""The quarantine: what was rejected, listed by reason, exported, and read again after a mapping was mended.

Nothing leaves it for good. A message that is read again becomes a further record of the journal, so that what was
known before stays as it was, and a rebuild does the same again.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from ingest import journal_batches as batches
from ingest.bookkeeping import Rejection
from ingest.indexer import Indexer
from ingest.journal import Again, Entry, Journal, Record
from ingest.journal_frames import DAYS
from ingest.log import EventLog
from ingest.messages import Readers, read_record
from ingest.seal import SEALED, TOLD

GROUP = 1_000
"""So many are journalled at once."""
COLUMNS = ("record", "source", "place", "reason", "what", "stored_at", "kept")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """What became of rejected messages that were read again: looked at = `taken` + `still_rejected`."""

    taken: int = 0
    still_rejected: Mapping[str, int] = field(default_factory=dict)


def by_reason(log: EventLog) -> dict[tuple[str, str], int]:
    """How many are in the quarantine: (source, reason) to number, most frequent first."""
    counted = Counter((r.source, r.rejected.reason) for r in log.rejections())
    return dict(counted.most_common())


def retry(journal: Journal, indexer: Indexer, log: EventLog, readers: Readers, reason: str | None = None) -> Retried:
    """Read the rejected messages again; those that can be read now are journalled once more, and indexed.

    They are known from now on. `reason`: only those that were rejected for it. Rows of extracts are left out: ingest
    the file again.
    """
    taken: list[Entry] = []
    still: Counter[str] = Counter()
    for record, rejection in quarantined(journal, log, reason):
        reading = read_record(record, readers)
        if reading.rejected is None:
            taken.append(_again(record, rejection))
        else:
            still[reading.rejected] += 1
    for first in range(0, len(taken), GROUP):
        with indexer.turn:
            journal.append(taken[first : first + GROUP])
            indexer.catch_up()
    return Retried(taken=len(taken), still_rejected=dict(still))


def quarantined(journal: Journal, log: EventLog, reason: str | None = None) -> Iterator[tuple[Record, Rejection]]:
    """The rejected messages as they were kept, in the journal's order."""
    wanted = {
        (r.source, r.rejected.position): r for r in log.rejections() if reason is None or r.rejected.reason == reason
    }
    for record in journal.records():
        rejection = wanted.get((record.position.source, record.number))
        if rejection is not None and record.format not in (batches.BATCH, batches.FINISHED, DAYS):
            yield record, rejection


def _again(record: Record, rejection: Rejection) -> Entry:
    told = rejection.rejected
    return Entry(
        format=record.format, source=record.position.source, offset=record.position.offset, payload=record.payload,
        detail=record.position.detail, control_id=record.control_id, fault=record.fault,
        again=Again(number=record.number, reason=told.reason, text=told.text),
    )  # fmt: skip


def export(journal: Journal, log: EventLog, file: TextIO) -> int:
    """Write the quarantine as CSV; how many lines. A cell that a spreadsheet would run begins with an apostrophe."""
    kept = {(r.source, r.rejected.position): _shown(record.payload) for record, r in quarantined(journal, log)}
    sheet = csv.writer(file)
    sheet.writerow(COLUMNS)
    rejections = log.rejections()
    for r in rejections:
        told = r.rejected
        cells = (str(told.position), r.source, told.place, told.reason, told.text, r.stored_at.isoformat())
        sheet.writerow([harmless(cell) for cell in (*cells, kept.get((r.source, told.position), ""))])
    return len(rejections)


def harmless(cell: str) -> str:
    """The cell as a spreadsheet shows it and does not run it."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell


def _shown(payload: bytes) -> str:
    """What may be read of a payload: pseudonyms and allow-listed fields; what is sealed stays so."""
    if payload.startswith(SEALED):
        return f"sealed, {len(payload)} bytes"
    return payload.removeprefix(TOLD).decode("utf-8", "replace").replace("\r", "\\r").replace("\n", "\\n")


def sealed(journal: Journal, number: int) -> bytes | None:
    """The sealed payload of a record; None where there is none."""
    record = next((r for r in journal.records(number - 1) if r.number == number), None) if number > 0 else None
    return record.payload if record is not None and record.payload.startswith(SEALED) else None


def write_private(path: Path, text: str) -> None:
    """A new file that its owner alone can read. Raises OSError where there is one already."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text + "\n", encoding="ascii")
