"""HL7 in files: messages one after the other, in batches (FHS, BHS, BTS, FTS) or bare, into frames and into the log.

Every MSH is a message. What stands under a batch header without an MSH is a frame too, so that it is counted and told
why it cannot be read. Counts in BTS and FTS that are not those of the file are flagged.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ingest.batch import NOTHING_READ, Batch, ExtractAccount
from ingest.columns import to_table
from ingest.errors import UnreadableInputError
from ingest.events import Event
from ingest.formats import Format, Place, Reading
from ingest.hl7_text import MAX_FRAME_BYTES
from ingest.log import EventLog, Intake, Position, Rejected

BATCH_MESSAGES = 2_000
"""Messages stored in one transaction."""
_CHUNK_BYTES = 1 << 20
_ENDS = re.compile(rb"[\r\n]+")
_ENVELOPE = (b"FHS", b"BHS", b"BTS", b"FTS")


@dataclass
class Envelope:
    """What the batch headers and trailers of a file say; `flags` counts what does not add up."""

    flags: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    """Messages since the last batch header or trailer."""
    batches: int = 0
    open: bool = False

    def line(self, line: bytes) -> None:
        """Take in a header or a trailer."""
        name, stated = line[:3], line[4:].split(line[3:4] or b"|", 1)[0].strip()
        if name == b"BHS":
            self.close()
            self.open, self.messages = True, 0
        elif name == b"BTS":
            self._check(stated, self.messages, "batch_count_differs")
            self.batches, self.messages, self.open = self.batches + 1, 0, False
        elif name == b"FTS":
            self.close()
            self._check(stated, max(self.batches, 1), "file_count_differs")

    def close(self) -> None:
        """The batch ends without its trailer, if one is open."""
        if self.open:
            self.flags["batch_without_trailer"] += 1
            self.batches, self.open = self.batches + 1, False

    def _check(self, stated: bytes, found: int, flag: str) -> None:
        if stated and stated != str(found).encode():
            self.flags[flag] += 1


def frames(file: BinaryIO, envelope: Envelope) -> Iterator[bytes]:
    """The messages of a file, one at a time; `envelope` is told of the batches on the way.

    The bytes of MLLP around a message are taken off. A message over the limit comes cut just beyond it, and is refused
    for it.
    """
    lines: list[bytes] = []
    size = 0
    for line in _lines(file):
        if line[:3] in _ENVELOPE or line[:3] == b"MSH":
            yield from _joined(lines, envelope)
            lines, size = [], 0
        if line[:3] in _ENVELOPE:
            envelope.line(line)
        elif size <= MAX_FRAME_BYTES:
            lines.append(line)
            size += len(line) + 1
    yield from _joined(lines, envelope)
    envelope.close()


def _joined(lines: Sequence[bytes], envelope: Envelope) -> Iterator[bytes]:
    if lines:
        envelope.messages += 1
        yield b"\r".join(lines)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines that hold anything; one that never ends is cut beyond the limit of a frame."""
    rest = b""
    while chunk := file.read(_CHUNK_BYTES):
        *whole, rest = _ENDS.split(rest + chunk)
        rest = rest[: 2 * MAX_FRAME_BYTES]
        yield from filter(None, map(_bare, whole))
    if last := _bare(rest):
        yield last


def _bare(line: bytes) -> bytes:
    line = line.removeprefix(b"\xef\xbb\xbf").removeprefix(b"\x0b").removesuffix(b"\x1c")
    return line if line.strip() else b""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A file, and how many of its messages came before."""

    name: str
    before: int

    def of(self, message: int) -> str:
        """The place of a message, in words; 1 is the first after those."""
        return f"{self.name}:message {self.before + message}"


def hl7_files(path: Path) -> list[Path]:
    """The file, or the HL7 files of a folder and of its folders, in the order of their names.

    Raises UnreadableInputError where there is none.
    """
    if path.is_file():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.is_file() and p.suffix.lower() in (".hl7", ".out", ".txt", ".msg"))
    if not found:
        raise UnreadableInputError(f"{path} must hold files that end with .hl7, .msg, .out or .txt, but holds none")
    return found


def ingest_messages(path: Path, source: str, form: Format, log: EventLog, *, now: datetime) -> ExtractAccount:
    """Store the messages of a file, or of a folder's; read = stored + duplicate + ignored + rejected, in messages.

    What they tell is taken to have been known when it was recorded in the hospital's system, and by now at the latest.
    """
    account = NOTHING_READ
    for file in hl7_files(path):
        envelope, before = Envelope(), account.read
        try:
            with file.open("rb") as opened:
                for batch in _batches(frames(opened, envelope)):
                    place = Numbered(file.name, account.read - before)
                    account = _store(batch, place, source, form, log, now, account)
        except OSError as error:
            raise UnreadableInputError(f"{file} cannot be read: {error.strerror or error}") from error
        account = replace(account, flags=dict(sorted((Counter(account.flags) + envelope.flags).items())))
    return account


def _batches(messages: Iterator[bytes]) -> Iterator[list[bytes]]:
    while batch := list(islice(messages, BATCH_MESSAGES)):
        yield batch


def _store(
    messages: Sequence[bytes],
    place: Numbered,
    source: str,
    form: Format,
    log: EventLog,
    now: datetime,
    account: ExtractAccount,
) -> ExtractAccount:
    """1. Keep and read each message at its place. 2. Store events, rejections and position together."""
    before = log.position(source)
    first = before.offset if before is not None else 0
    readings = {  # 1
        position: form.read(form.kept(message).payload, Place(source=source, position=position, stored_at=now))
        for position, message in enumerate(messages, start=first + 1)
    }
    batch = _batch(readings, place, first, now)
    appended = log.append_table(  # 2
        batch.table,
        Position(source=source, offset=first + len(messages)),
        intake=Intake(read=batch.read, ignored=batch.ignored, rejected=batch.rejected),
    )
    return account.with_batch(batch, appended.account)


def _batch(readings: dict[int, Reading], place: Numbered, first: int, now: datetime) -> Batch:
    events = [_known(event, now) for reading in readings.values() for event in reading.events]
    rejected = [
        Rejected(position=p, place=place.of(p - first), reason=reading.rejected, text=_without_place(reading.sentence))
        for p, reading in readings.items()
        if reading.rejected is not None
    ]
    ignored = Counter(reading.ignored for reading in readings.values() if reading.ignored is not None)
    return Batch(
        table=to_table(events),
        read=len(readings),
        ignored=ignored.total(),
        rejected=rejected,
        ignored_by_name=ignored,
        flags=Counter(flag for reading in readings.values() for flag in reading.flags),
    )


def _without_place(sentence: str) -> str:
    """The place in the source changes when a file is read again; its place in the file does not."""
    return sentence.rpartition(" (")[0]


def _known(event: Event, now: datetime) -> Event:
    return replace(event, known_at=min(event.recorded_at or event.occurred_at, now))
