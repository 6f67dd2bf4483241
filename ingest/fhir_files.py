"""Files of FHIR JSON into the log: `.json` holds one resource or Bundle, `.ndjson` and `.jsonl` one a line.

The account is in messages: a resource, an entry of a loose Bundle, any other Bundle as a whole. A message is stored,
duplicate, ignored or rejected as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from ingest.batch import NOTHING_READ, Batch, ExtractAccount
from ingest.columns import to_table
from ingest.errors import UnreadableInputError
from ingest.events import Cancelled, Event
from ingest.extract_file import extract_files
from ingest.fhir import REASONS, FhirFormat
from ingest.fhir_json import LARGEST_BYTES, FhirFault, bounded
from ingest.fhir_mapping import FhirMapping
from ingest.formats import Place, Reading
from ingest.log import EventLog, Intake, Position, Rejected
from ingest.pseudonyms import Pseudonyms

LINES = (".ndjson", ".jsonl")
BATCH_MESSAGES = 2_000


@dataclass(frozen=True, slots=True)
class Message:
    """A message, and where in the file it stands."""

    place: str
    text: bytes


def ingest_fhir(
    path: Path,
    mapping: FhirMapping,
    log: EventLog,
    pseudonyms: Pseudonyms,
    *,
    now: datetime,
    extracted_at: datetime | None = None,
) -> ExtractAccount:
    """Store a file, or the .json, .ndjson and .jsonl files of a folder in the order of their names.

    1. Look at every file, so that one that cannot be read is told before a message of the first is stored.
    2. Store the messages in batches, each with its position and its rejected messages in one transaction.

    An event is known when its resource says that it was changed last, else `lag_min` after it happened; and by
    `extracted_at` (default: now) at the latest. Raises UnreadableInputError.
    """
    files = fhir_files(path)
    for file in files:  # 1
        check(file)
    told, account = FhirFormat(mapping, pseudonyms), NOTHING_READ
    before = log.position(mapping.source.name)
    first = before.offset if before else 0
    messages = (part for file in files for message in messages_of(file) for part in _parts(message, told))
    while some := list(islice(messages, BATCH_MESSAGES)):  # 2
        batch = _batch(some, told, mapping, first, extracted_at or now)
        first += batch.read
        intake = Intake(read=batch.read, ignored=batch.ignored, rejected=batch.rejected)
        position = Position(source=mapping.source.name, offset=first)
        account = account.with_batch(batch, log.append_table(batch.table, position, intake=intake).account)
    return account


def fhir_files(path: Path) -> list[Path]:
    """The file, or those of a folder that hold FHIR. Raises UnreadableInputError where there is none."""
    files = extract_files(path)
    if path.is_dir():
        files = [file for file in files if file.suffix.lower() in (".json", *LINES)]
    if not files:
        raise UnreadableInputError(f"{path} is a folder without .json, .ndjson or .jsonl files")
    return files


def check(file: Path) -> None:
    """Raises UnreadableInputError for a file that cannot be opened, or whose only message is not JSON within bounds."""
    for message in messages_of(file):
        if file.suffix.lower() not in LINES:
            try:
                bounded(message.text)
            except FhirFault as fault:
                raise UnreadableInputError(f"{file}: {fault.sentence}") from None
        return


def messages_of(file: Path) -> Iterator[Message]:
    """The messages of a file, one at a time; one that is too large comes cut, and is rejected for its size."""
    try:
        with file.open("rb") as opened:
            if file.suffix.lower() in LINES:
                yield from _lines(opened, file.name)
            else:
                yield Message(file.name, opened.read(LARGEST_BYTES + 1))
    except OSError as error:
        raise UnreadableInputError(f"{file} cannot be read: {error.strerror or type(error).__name__}") from None


def _lines(file: BinaryIO, name: str) -> Iterator[Message]:
    number = 0
    while line := file.readline(LARGEST_BYTES + 1):
        number += 1
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(LARGEST_BYTES)
        if line.strip():
            yield Message(f"{name}:line {number}", line)


def _parts(message: Message, told: FhirFormat) -> Iterable[Message]:
    parts = told.parts(message.text)
    if len(parts) == 1:
        return [Message(message.place, parts[0])]
    return [Message(f"{message.place}:entry {number}", part) for number, part in enumerate(parts, start=1)]


@dataclass
class _Counts:
    events: list[Event] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    flags: Counter[str] = field(default_factory=Counter)


def _batch(
    messages: list[Message], told: FhirFormat, mapping: FhirMapping, first: int, extracted_at: datetime
) -> Batch:
    counts = _Counts()
    for position, message in enumerate(messages, start=first + 1):
        place = Place(source=mapping.source.name, position=position, stored_at=extracted_at)
        reading = told.read(told.kept(message.text).payload, place)
        _count(reading, message, position, counts)
    lag = timedelta(minutes=mapping.source.lag_min)
    return Batch(
        table=to_table([_known(event, lag, extracted_at) for event in counts.events]),
        read=len(messages),
        ignored=counts.ignored.total(),
        rejected=counts.rejected,
        ignored_by_name=counts.ignored,
        flags=counts.flags,
    )


def _count(reading: Reading, message: Message, position: int, counts: _Counts) -> None:
    counts.events.extend(reading.events)
    counts.flags.update(reading.flags)
    if reading.ignored is not None:
        counts.ignored[reading.ignored] += 1
    if reading.rejected is not None:
        assert reading.rejected in REASONS, reading.rejected
        counts.rejected.append(
            Rejected(position=position, place=message.place, reason=reading.rejected, text=reading.sentence)
        )


def _known(event: Event, lag: timedelta, extracted_at: datetime) -> Event:
    """A resource without a time of change takes something back when the file says so, and not before."""
    unsaid = extracted_at if isinstance(event, Cancelled) else event.occurred_at + lag
    return replace(event, known_at=min(event.recorded_at or unsaid, extracted_at))
