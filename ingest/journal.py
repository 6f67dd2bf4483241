"""THE JOURNAL: everything that came, as it came, on the disk before anyone is told so. The log is made of it.

    journal = Journal.open(folder, log.instants)
    first, second = journal.append([Entry(..), Entry(..)])     # on the disk when it returns
    journal.position("adt")                                    # where the source goes on
    journal.tail(after=41).read()                              # the records from 42 on

A folder of segments, each named by the number before its first record; a record is a frame of
`ingest/journal_frames.py`. What was being written when the process died is cut off at the next opening; a bit that was
flipped is found, and told with its place, and nothing after it is read.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ingest.bookkeeping import Position
from ingest.disk import Disk
from ingest.errors import DatabaseHeldError, JournalDamagedError, JournalWriteError, PositionError, UnreadableInputError
from ingest.failpoints import failpoint
from ingest.instants import NEVER, TICK, Instants
from ingest.journal_frames import (
    FIRST_LINK,
    RECORD,
    Again,
    DamageError,
    Entry,
    Record,
    Start,
    TornError,
    facts_of,
    framed,
    read_frame,
    record_of,
    start_frame,
    start_of,
)
from ingest.journal_tail import Segment, Tail, damaged
from ingest.rewriting import complete

__all__ = ["Again", "Entry", "Journal", "Record", "Tail"]
logger = logging.getLogger(__name__)

SEGMENT_BYTES = 64 * 1024 * 1024
RESERVE_BYTES = 512 * 1024 * 1024
"""Free space below which nothing is taken in any more: the index needs room to be written too."""
SUFFIX = ".journal"
_segment_begun = failpoint("journal: a segment is begun")
_written = failpoint("journal: written, not synced")
_synced = failpoint("journal: synced, not told")


@dataclass(frozen=True, slots=True)
class End:
    """Where a journal ends: its last record, the link that all records lead to, and how long its files are."""

    records: int
    link: bytes
    files: tuple[tuple[Path, int], ...]


class Journal:
    """The journal in a folder; for all threads of one process. Close it, or use it in a `with` block."""

    def __init__(self, folder: Path, instants: Instants, *, segment_bytes: int, reserve_bytes: int, disk: Disk) -> None:
        self.folder = folder
        self._instants, self._disk = instants, disk
        self._segment_bytes, self._reserve_bytes = segment_bytes, reserve_bytes
        self._lock = threading.RLock()
        self._grown = threading.Condition()
        self._positions: dict[str, Position] = {}
        self._segments: list[Segment] = []
        self._file: BinaryIO | None = None
        self._size = 0
        self._link = FIRST_LINK
        self.refuses: str | None = None
        """Why nothing may be appended until a person has put the journal right; None while all is well."""
        self._doubtful = False
        """A write or its sync failed: what lies behind the last good record must go before anything is written."""
        self.last = 0
        """Number of the last record that is on the disk."""
        self.last_stored_at = NEVER
        self.cut_bytes = 0
        """What the opening cut off: a record that was being written when the process died."""

    @classmethod
    def open(
        cls,
        folder: Path,
        instants: Instants,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        reserve_bytes: int = RESERVE_BYTES,
        disk: Disk | None = None,
    ) -> Self:
        """Open the journal of a folder, or begin one.

        1. Take hold of the folder; finish, or undo, a rewriting that a process left unfinished (`ingest/rewriting.py`).
        2. Read the last segment to its end; cut off what is torn.
        3. Views wait from here on for what is not indexed (`Instants.resume` says what is).

        Raises DatabaseHeldError, JournalDamagedError, UnreadableInputError.
        """
        journal = cls(folder, instants, segment_bytes=segment_bytes, reserve_bytes=reserve_bytes, disk=disk or Disk())
        try:
            folder.mkdir(parents=True, exist_ok=True)
            journal._held = _hold(folder)  # 1
            complete(folder)
            journal._recover()  # 2
        except BaseException as error:
            journal.close()
            if isinstance(error, OSError):
                raise UnreadableInputError(f"{folder} cannot be opened: {error.strerror}") from error
            raise
        return journal

    _held: int = -1

    def close(self) -> None:
        """Let go of the folder."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None
            if self._held >= 0:
                os.close(self._held)
                self._held = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- writing ----------------------------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry]) -> list[Record]:
        """Keep the entries, all or none of them; they are on the disk when this returns.

        1. Refuse a position that does not move its source forward, and all where the journal ends before the log.
        2. See that there is a segment to write in, and room.
        3. Give each its number and its instant.
        4. Write them, and wait for the disk once for all of them.
        5. Let readers see them.

        Raises PositionError, JournalWriteError; then nothing was kept, and the sender must not be told otherwise.
        """
        if not entries:
            return []
        with self._lock:
            if self.refuses is not None:
                raise JournalWriteError(self.refuses)
            placed = self._placed(entries)  # 1
            self._make_ready()  # 2
            with self._instants.journalling(len(entries), after=self.last_stored_at) as first:  # 3
                records = [_record(e, p, self.last + n + 1, first + n * TICK) for n, (e, p) in enumerate(placed)]
                link = self._write(records)  # 4
            self._publish(records, link)  # 5
            return records

    def _placed(self, entries: Sequence[Entry]) -> list[tuple[Entry, Position]]:
        stands = {source: position.offset for source, position in self._positions.items()}
        placed = []
        for entry in entries:
            before = stands.get(entry.source, 0)
            offset = before + 1 if entry.offset is None else entry.offset
            if entry.again is None:
                if entry.source in stands and offset <= before:
                    raise PositionError(
                        f"offset of {entry.source} must be beyond {before}, where it stands, but is {offset}"
                    )
                stands[entry.source] = offset
            placed.append((entry, Position(source=entry.source, offset=offset, detail=entry.detail)))
        return placed

    def _make_ready(self) -> None:
        try:
            if self._doubtful:
                self._discard_doubtful()
            free = self._disk.free_bytes(self.folder)
            if free < self._reserve_bytes:
                free_mb, needed_mb = free // 1024**2, self._reserve_bytes // 1024**2
                raise JournalWriteError(
                    f"the disk of {self.folder} must have {needed_mb} MB free, but has {free_mb} MB"
                )
            if self._file is None or self._size >= self._segment_bytes:
                self._begin_segment()
        except OSError as error:
            raise JournalWriteError(f"the journal {self.folder} cannot be written: {error.strerror}") from error

    def _write(self, records: Sequence[Record]) -> bytes:
        assert self._file is not None
        frames, link = [], self._link
        for record in records:
            frame, link = framed(RECORD, facts_of(record), record.payload, link)
            frames.append(frame)
        block = b"".join(frames)
        try:
            self._disk.write(self._file, block)
            _written()
            self._disk.sync(self._file)
        except OSError as error:
            self._doubtful = True
            raise JournalWriteError(f"the journal {self.folder} cannot be written: {error.strerror}") from error
        self._size += len(block)
        _synced()
        return link

    def _publish(self, records: Sequence[Record], link: bytes) -> None:
        with self._grown:
            self._link = link
            self._positions |= {r.position.source: r.position for r in records if r.again is None}
            self.last, self.last_stored_at = records[-1].number, records[-1].stored_at
            self._grown.notify_all()

    def _discard_doubtful(self) -> None:
        """After a failed sync nobody knows what is on the disk: cut back to what was synced, go on in a new file."""
        segment = self._segments[-1]
        if self._file is not None:
            self._file.close()
            self._file = None
        with segment.path.open("r+b") as file:
            file.truncate(self._size)
            self._disk.sync(file)
        self._doubtful = False

    def _begin_segment(self) -> None:
        """A file whose first frame says where the journal and all its sources stand; synced, and its folder too."""
        positions = tuple(self._positions.values())
        start = Start(last=self.last, last_stored_at=self.last_stored_at, link=self._link, positions=positions)
        frame, link = start_frame(start)
        path = self.folder / f"{self.last:020d}{SUFFIX}"
        if self._segments and self._segments[-1].path == path:
            self._file = _appending(path)  # nothing but its beginning is in it
            return
        file = path.open("xb", buffering=0)
        try:
            self._disk.write(file, frame)
            _segment_begun()
            self._disk.sync(file)
            self._disk.sync_folder(self.folder)
        except BaseException as error:
            file.close()
            if isinstance(error, OSError):
                path.unlink(missing_ok=True)
            raise
        if self._file is not None:
            self._file.close()
        self._file, self._size, self._link = file, len(frame), link
        self._segments.append(Segment(self.last, path))

    # --- reading ----------------------------------------------------------------------------------------------------

    def position(self, source: str) -> Position | None:
        """How far a source has been journalled; None before its first record."""
        with self._grown:
            return self._positions.get(source)

    def positions(self) -> dict[str, Position]:
        """How far each source has been journalled."""
        with self._grown:
            return dict(self._positions)

    def tail(self, after: int = 0) -> Tail:
        """A reader of the records after a number."""
        return Tail(self, after)

    def records(self, after: int = 0) -> Iterator[Record]:
        """The records after a number, up to the last that is there now."""
        tail, last = self.tail(after), self.last
        try:
            while max(tail.number, after) < last:
                yield from (record for record in tail.read() if record.number <= last)
        finally:
            tail.close()

    def wait(self, after: int, timeout_s: float) -> bool:
        """Wait until there is a record after the number; False where none came in time."""
        with self._grown:
            return self._grown.wait_for(lambda: self.last > after, timeout_s)

    def segments(self) -> list[Segment]:
        """The files, in order."""
        with self._lock:
            return list(self._segments)

    def end(self) -> End:
        """Where it ends now, at the last record that is on the disk; bytes behind that are no part of it."""
        with self._lock:
            lengths = [segment.path.stat().st_size for segment in self._segments[:-1]] + [self._size]
            paths = [segment.path for segment in self._segments]
            return End(self.last, self._link, tuple(zip(paths, lengths[: len(paths)], strict=True)))

    # --- opening ----------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        self._segments = [Segment(_number(path), path) for path in sorted(self.folder.glob(f"*{SUFFIX}"))]
        while self._segments and not self._recovered(self._segments[-1]):
            self._segments.pop().path.unlink()  # died while it was being begun: nothing was ever kept in it
            self._disk.sync_folder(self.folder)

    def _recovered(self, segment: Segment) -> bool:
        """Where the journal stands after its last segment; False where that has not even its beginning."""
        with segment.path.open("rb") as file:
            try:
                start, link = start_of(file)
            except TornError:
                return False
            except DamageError as error:
                raise damaged(segment, 0, segment.after, error) from error
            self.last, self.last_stored_at, self._link = start.last, start.last_stored_at, link
            self._positions = {p.source: p for p in start.positions}
            whole = self._read_through(segment, file)
        self._cut(segment, whole)
        self._file, self._size = _appending(segment.path), whole
        return True

    def _read_through(self, segment: Segment, file: BinaryIO) -> int:
        """The place after the last whole record."""
        place = file.tell()
        try:
            while (frame := read_frame(file, self._link)) is not None:
                self._publish([record_of(frame)], frame.link)
                place = file.tell()
        except TornError:
            file.seek(place)
            if _zeros_then_more(file):
                raise damaged(segment, place, self.last, DamageError("it is zeros, but more follows")) from None
        except DamageError as error:
            raise damaged(segment, place, self.last, error) from error
        return place

    def _cut(self, segment: Segment, whole: int) -> None:
        torn = segment.path.stat().st_size - whole
        if torn:
            logger.warning("%s ends in a record that was never finished: %d bytes cut off", segment.path.name, torn)
            with segment.path.open("r+b") as file:
                file.truncate(whole)
                self._disk.sync(file)
            self.cut_bytes = torn


def _record(entry: Entry, position: Position, number: int, stored_at: datetime) -> Record:
    return Record(
        number=number, stored_at=stored_at, format=entry.format, position=position, payload=entry.payload,
        control_id=entry.control_id, fault=entry.fault, again=entry.again,
    )  # fmt: skip


def _number(path: Path) -> int:
    try:
        return int(path.stem)
    except ValueError:
        raise JournalDamagedError(f"{path} must be named by a number, as the files of a journal are") from None


def _zeros_then_more(file: BinaryIO) -> bool:
    """True where a head of zeros is not the end: a crash leaves zeros to the end of the file, or nothing."""
    first = file.read(1)
    if first != b"\0":
        return False
    return any(any(block) for block in iter(lambda: file.read(1024 * 1024), b""))


def _hold(folder: Path) -> int:
    held = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(held)
        raise DatabaseHeldError(f"{folder} is held by another process: one process at a time can open it") from None
    return held


def _appending(path: Path) -> BinaryIO:
    return path.open("ab", buffering=0)
