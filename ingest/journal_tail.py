"""Reading the journal on from any record: in order, across its segments, each record held against the one before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ingest.errors import JournalDamagedError
from ingest.journal_frames import DamageError, Record, TornError, read_frame, record_of, start_of


@dataclass(frozen=True, slots=True)
class Segment:
    """A file of the journal: the number before its first record, and where it is."""

    after: int
    path: Path


class Readable(Protocol):
    """What is read of a journal."""

    @property
    def folder(self) -> Path:
        """Where it is."""

    @property
    def last(self) -> int:
        """Number of the last record that is on the disk."""

    def segments(self) -> list[Segment]:
        """The files, in order."""


class Tail:
    """Reads the records after a number, in order, as far as they are on the disk."""

    def __init__(self, journal: Readable, after: int) -> None:
        self._journal, self._after = journal, after
        self._file: BinaryIO | None = None
        self._segment: Segment | None = None
        self._link = b""
        self.number = -1

    def read(self, *, limit: int = 5_000, limit_bytes: int = 16 * 1024 * 1024) -> list[Record]:
        """The next records, none where there are no more; raises JournalDamagedError at one that is not as written."""
        records: list[Record] = []
        size, last = 0, self._journal.last
        while max(self.number, self._after) < last and len(records) < limit and size < limit_bytes:
            record = self._next()
            if record.number > self._after:
                records.append(record)
                size += len(record.payload)
        return records

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _next(self) -> Record:
        if self._file is None:
            self._enter(self._first())
        assert self._file is not None
        assert self._segment is not None
        place = self._file.tell()
        try:
            frame = read_frame(self._file, self._link)
            while frame is None:
                self._enter(self._following())
                place = self._file.tell()
                frame = read_frame(self._file, self._link)
        except TornError:
            raise damaged(self._segment, place, self.number, DamageError("the file ends within it")) from None
        except DamageError as error:
            raise damaged(self._segment, place, self.number, error) from error
        record = record_of(frame)
        if record.number != self.number + 1:
            raise damaged(self._segment, place, self.number, DamageError(f"its number is {record.number}"))
        self._link, self.number = frame.link, record.number
        return record

    def _first(self) -> Segment:
        before = [segment for segment in self._journal.segments() if segment.after <= self._after]
        if not before:
            raise JournalDamagedError(
                f"the journal {self._journal.folder} must hold record {self._after + 1}, but does not"
            )
        return before[-1]

    def _following(self) -> Segment:
        for segment in self._journal.segments():
            if self._segment is not None and segment.after > self._segment.after:
                if segment.after == self.number:
                    return segment
                break
        raise JournalDamagedError(
            f"the journal {self._journal.folder} must hold record {self.number + 1}, but does not"
        )

    def _enter(self, segment: Segment) -> None:
        """Begin to read a segment; it must follow from the one read before."""
        before = self._link if self._segment is not None else None
        self.close()
        self._segment, self._file = segment, segment.path.open("rb")
        try:
            start, link = start_of(self._file)
        except (TornError, DamageError) as error:
            raise damaged(segment, 0, segment.after, error) from error
        if before is not None and start.link != before:
            raise damaged(segment, 0, segment.after, DamageError("it does not follow from the segment before it"))
        self._link, self.number = link, start.last


def damaged(segment: Segment, place: int, before: int, error: Exception) -> JournalDamagedError:
    """What is told of damage: the file, the byte at which the frame begins, the record before it."""
    what = str(error) or "the file ends within it"
    return JournalDamagedError(f"{segment.path} is damaged at byte {place}, in what follows record {before}: {what}")
