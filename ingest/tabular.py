"""Extracts of a hospital's system, CSV or Parquet, into the log: read, hashed, judged, stored, and accounted for.

`read_extract` makes batches of events of one file; `ingest_extract` stores a file, or the files of a folder in the
order of their names, and returns the account: read = stored + duplicate + ignored + rejected, in rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest import long, rpu, wide
from ingest.batch import NOTHING_READ, Batch, ExtractAccount
from ingest.extract_file import Chunk, digest, extract_files
from ingest.extract_file import chunks as columns_of
from ingest.local_times import ABSENT, Micros, instant_of, micros_of
from ingest.log import Account, EventLog, Extract, Intake, Position
from ingest.long_mapping import LongMapping
from ingest.pseudonyms import Pseudonyms
from ingest.wide_mapping import WideMapping

Mapping = WideMapping | LongMapping


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file covers: from its first arrival (`long`: its first event) to when it was taken; None when empty."""

    first_at: datetime | None
    extracted_at: datetime | None
    digest: str


def scan(
    path: Path, mapping: Mapping, pseudonyms: Pseudonyms, *, extracted_at: datetime | None, now: datetime | None
) -> Scan:
    """Read a file once without storing anything: its faults come out before a row is used.

    When it was taken is `extracted_at`, else what the mapping or the file itself says, else the newest time of its good
    rows that is not after `now`. The digest is keyed, since a short file could be guessed from a plain one.
    """
    stated = extracted_at or mapping.source.extracted_at or _stated_in(path, mapping)
    latest = stated or now
    limit = None if latest is None else micros_of(latest)
    spans = [span for chunk in chunks(path, mapping) if (span := _span(chunk, mapping, limit))]
    first = instant_of(min(start for start, _ in spans)) if spans else None
    newest = instant_of(max(end for _, end in spans)) if spans else None
    return Scan(first, stated or newest, pseudonyms.one("file", digest(path)))


def chunks(path: Path, mapping: Mapping) -> Iterator[Chunk]:
    """The mapped columns of a file of any format, some rows at a time."""
    return rpu.chunks(path, mapping) if mapping.source.format == "rpu" else columns_of(path, mapping)


def _stated_in(path: Path, mapping: Mapping) -> datetime | None:
    micros = rpu.extracted_micros(path, mapping) if mapping.source.format == "rpu" else None
    return None if micros is None else instant_of(micros)


def _span(chunk: Chunk, mapping: Mapping, limit: int | None) -> tuple[int, int] | None:
    """First arrival (or event) and newest time of the rows that make sense, in microseconds."""
    starts, times = _starts_and_times(chunk, mapping, limit)
    newest = [int(at.max()) for at in times if len(at)]
    return (int(starts.min()), max(newest)) if len(starts) else None


def _starts_and_times(chunk: Chunk, mapping: Mapping, limit: int | None) -> tuple[Micros, list[Micros]]:
    if isinstance(mapping, WideMapping):
        visits = wide.read_rows(chunk, mapping)
        good = wide.judge(visits, mapping, limit).good
        columns = [t.at for _, t in wide.named(visits)]
        start = visits.times["arrived"].at
    else:
        events = long.read_rows(chunk, mapping)
        good = long.judge(events, mapping, limit).good
        columns = [t.at for _, t in long.named(events)]
        start = events.at.at
    return start[good], [at[good & (at != ABSENT)] for at in columns]


def read_extract(
    path: Path,
    mapping: Mapping,
    pseudonyms: Pseudonyms,
    *,
    extracted_at: datetime | None = None,
    now: datetime | None = None,
    first: int = 0,
) -> Iterator[Batch]:
    """The events of one file, some rows at a time; numbers are hashed before anything else is made of them.

    `first` is how many rows of the source were read before: positions go on from there. Raises ConfigurationError and
    UnreadableInputError before the first batch.
    """
    scanned = scan(path, mapping, pseudonyms, extracted_at=extracted_at, now=now)
    yield from _batches(path, mapping, pseudonyms, scanned, first)


def _batches(path: Path, mapping: Mapping, pseudonyms: Pseudonyms, scanned: Scan, first: int) -> Iterator[Batch]:
    own = pseudonyms.of_site(mapping.source.site)
    taken = scanned.extracted_at or instant_of(0)
    reader: wide.WideReader | long.LongReader
    if isinstance(mapping, WideMapping):
        reader = wide.WideReader(mapping, own, place=path.name, extracted_at=taken, first=first)
    else:
        reader = long.LongReader(mapping, own, place=path.name, extracted_at=taken, first=first)
    yield from (reader.batch(chunk) for chunk in chunks(path, mapping))


def ingest_extract(
    path: Path,
    mapping: Mapping,
    log: EventLog,
    pseudonyms: Pseudonyms,
    *,
    extracted_at: datetime | None = None,
    now: datetime | None = None,
) -> ExtractAccount:
    """Store a file, or the files of a folder in the order of their names.

    1. Read every file once, so that a fault of any is told before a row of the first is stored.
    2. Store each file batch by batch, each batch with its position and its rejected rows in one transaction.
    3. Declare each extract finished: from then on, what it covers and does not hold was not known then.

    A crash between batches leaves whole batches; the same file again stores the rest. Raises ConfigurationError,
    UnreadableInputError.
    """
    files = extract_files(path)
    scans = [scan(file, mapping, pseudonyms, extracted_at=extracted_at, now=now) for file in files]
    account = NOTHING_READ
    for file, scanned in zip(files, scans, strict=True):
        account = _store(file, mapping, log, pseudonyms, scanned, account)
    return account


def _store(
    file: Path, mapping: Mapping, log: EventLog, pseudonyms: Pseudonyms, scanned: Scan, account: ExtractAccount
) -> ExtractAccount:
    before = log.position(mapping.source.name)
    first = before.offset if before is not None else 0
    extract = _extract(mapping, scanned)
    for batch in _batches(file, mapping, pseudonyms, scanned, first):
        if batch.read:
            first += batch.read
            account = account.with_batch(batch, _append(batch, mapping, log, extract, first, scanned.digest))
    if extract is not None:
        log.finish(extract)
    return account


def _append(
    batch: Batch, mapping: Mapping, log: EventLog, extract: Extract | None, offset: int, detail: str
) -> Account:
    """Store a batch; what became of its rows."""
    return log.append_table(
        batch.table,
        Position(source=mapping.source.name, offset=offset, detail=detail),
        extract=extract,
        complete_visits=isinstance(mapping, WideMapping),
        intake=Intake(read=batch.read, ignored=batch.ignored, rejected=batch.rejected),
    ).account


def _extract(mapping: Mapping, scanned: Scan) -> Extract | None:
    """None for a file in which no row makes sense: it says nothing of any time."""
    if scanned.extracted_at is None:
        return None
    return Extract(
        source=mapping.source.name,
        digest=scanned.digest,
        extracted_at=scanned.extracted_at,
        first_at=scanned.first_at,
    )
