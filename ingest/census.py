"""Aggregate feeds, counts by site and hour that know no patients, as CensusObserved events.

`ingest_census` stores a file, or the files of a folder in the order of their names, and returns the account in rows:
read = stored + duplicate + ignored + rejected, with the gaps and the frozen runs of the feed. A count is known when it
was published, else `lag_min` after its hour, and by the file that holds it at the latest. A row without any reading is
ignored, and its hour counts as a gap. What is frozen is stored all the same: it is what the feed said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.batch import NOTHING_READ, Batch, ExtractAccount, Seen, Verdicts, events_table, fingerprints, instants
from ingest.census_mapping import CensusMapping, CountColumn
from ingest.census_runs import FrozenRun, Gap, Prints, Series
from ingest.extract_file import Chunk, chunks, digest, extract_files
from ingest.extract_values import as_text, read_instants
from ingest.local_times import ABSENT, Mask, Micros, Times, instant_of, micros_of, micros_of_min
from ingest.log import EventLog, Extract, Intake, Position, Rejected
from ingest.pseudonyms import Pseudonyms
from ingest.rejection import rejection

NO_READING = "(no reading)"
UNNAMED = "(measure not in the mapping)"
_NULL = pa.scalar(None, pa.string())


@dataclass(frozen=True, slots=True, kw_only=True)
class CensusAccount(ExtractAccount):
    """The account of rows, and what is doubtful in the series."""

    gaps: Sequence[Gap] = field(default=())
    frozen: Sequence[FrozenRun] = field(default=())


@dataclass(frozen=True, slots=True)
class Count:
    """One measure of the rows: its name (one for all rows, or one a row), the numbers, where there is one."""

    measure: pa.StringArray | str
    numbers: pa.Int64Array
    bad: Mask

    @property
    def present(self) -> Mask:
        return _mask(self.numbers.is_valid())


@dataclass(frozen=True, slots=True)
class CensusRows:
    """Rows read but not yet judged."""

    rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    at: Times
    published: Times | None
    sites: pa.StringArray
    counts: tuple[Count, ...]

    @property
    def some(self) -> Mask:
        """Rows with a reading, good or bad."""
        return np.asarray(np.any([count.present | count.bad for count in self.counts], axis=0))

    def times(self) -> Iterator[tuple[str, Times]]:
        yield "time", self.at
        if self.published is not None:
            yield "published", self.published


def read_rows(chunk: Chunk, mapping: CensusMapping) -> CensusRows:
    """The columns of a chunk as instants, sites and numbers."""
    source, published = mapping.source, mapping.time.published
    return CensusRows(
        chunk.rows,
        read_instants(chunk.column(mapping.time.column), source),
        None if published is None else read_instants(chunk.column(published), source),
        _sites(chunk, mapping),
        tuple(_counts(chunk, mapping)),
    )


def _sites(chunk: Chunk, mapping: CensusMapping) -> pa.StringArray:
    """The sites' codes; null where the mapping does not name the word or it is not of the pattern."""
    coded = pc.dictionary_encode(as_text(chunk.column(mapping.site.column), mapping.source.missing_values))
    words = coded.dictionary
    if mapping.site.values:
        named = pa.array([mapping.site.values.get(word) for word in words.to_pylist()], pa.string())
    else:
        named = pc.if_else(pc.match_substring_regex(words, f"^(?:{mapping.site.pattern})$"), words, _NULL)
    return named.take(coded.indices)


def _counts(chunk: Chunk, mapping: CensusMapping) -> Iterator[Count]:
    for name, column in mapping.measures.items():
        yield Count(name, *_numbers(chunk, column, mapping))
    if (one := mapping.measure) is not None:
        coded = pc.dictionary_encode(as_text(chunk.column(one.column), mapping.source.missing_values))
        named = pa.array([one.values.get(word) for word in coded.dictionary.to_pylist()], pa.string())
        numbers, bad = _numbers(chunk, CountColumn(column=one.count, absent=one.absent), mapping)
        yield Count(named.take(coded.indices), numbers, bad)


def _numbers(chunk: Chunk, column: CountColumn, mapping: CensusMapping) -> tuple[pa.Int64Array, Mask]:
    """Whole numbers from 0 to the largest; null where absent, or written otherwise, which is bad."""
    text = as_text(chunk.column(column.column), (*mapping.source.missing_values, *column.absent))
    whole = pc.if_else(pc.match_substring_regex(text, r"^\d{1,9}(?:\.0*)?$"), text, _NULL)
    numbers = pc.replace_substring_regex(whole, r"\..*$", "").cast(pa.int64())
    numbers = pc.if_else(pc.less_equal(numbers, mapping.largest), numbers, pa.scalar(None, pa.int64()))
    return numbers, _mask(pc.and_(text.is_valid(), numbers.is_null()))


def judge(rows: CensusRows, extracted: int | None) -> Verdicts:
    """Which rule of sense each row breaks first; `extracted` (microseconds) is when the file was taken."""
    verdicts = Verdicts(len(rows.rows))
    for name, times in rows.times():
        verdicts.break_("impossible_date", f"{name} is not a time that exists", times.bad)
    verdicts.break_("missing_time", "the reading has no time", ~rows.at.present)
    verdicts.break_("unknown_value", "site is not a value that the mapping allows", _mask(rows.sites.is_null()))
    for count in rows.counts:
        name = count.measure if isinstance(count.measure, str) else "count"
        verdicts.break_("unknown_value", f"{name} is not a whole number that the mapping allows", count.bad)
    if extracted is not None:
        verdicts.break_("in_future", "time is after the extract was taken", rows.at.present & (rows.at.at > extracted))
    return verdicts


class CensusReader:
    """Turns the chunks of one file into batches, and remembers the series."""

    def __init__(self, mapping: CensusMapping, series: Series, *, place: str, extracted_at: datetime, first: int = 0):
        """`place` names the file; `first` is how many rows of the source were read before it."""
        self._mapping, self._series = mapping, series
        self._place, self._first = place, first - 1  # the header is row 1
        self._extracted = micros_of(extracted_at)
        self._seen = Seen()

    def batch(self, chunk: Chunk) -> Batch:
        rows = read_rows(chunk, self._mapping)
        verdicts = judge(rows, self._extracted)
        unnamed = self._unnamed(rows) & verdicts.good
        empty = ~rows.some & verdicts.good & ~unnamed
        repeated = self._compared(rows, verdicts, empty | unnamed)
        good = verdicts.good & ~empty & ~unnamed & ~repeated
        self._remember(rows, good)
        left_out = {NO_READING: int(empty.sum()), UNNAMED: int(unnamed.sum())}
        return Batch(
            table=events_table([self._piece(rows, count, good & count.present) for count in rows.counts]),
            read=len(rows.rows) + len(chunk.malformed),
            repeated=int(repeated.sum()),
            ignored=int(empty.sum() + unnamed.sum()),
            rejected=self._rejected(rows, verdicts, chunk.malformed),
            ignored_by_name={name: count for name, count in left_out.items() if count},
            flags={name: n for name in ("ambiguous", "missing") if (n := getattr(rows.at, name))},
        )

    def _unnamed(self, rows: CensusRows) -> Mask:
        """Rows of a measure that the mapping does not name; none where each measure has a column."""
        named = rows.counts[0].measure
        return np.zeros(len(rows.rows), dtype=bool) if isinstance(named, str) else _mask(named.is_null())

    def _compared(self, rows: CensusRows, verdicts: Verdicts, aside: Mask) -> Mask:
        """Marks rows that contradict an earlier row of their site and hour; returns those that repeat one."""
        good = np.flatnonzero(verdicts.good & ~aside)
        keys = fingerprints([_series_of(rows), rows.at.at])
        repeats, contradicts = self._seen.compare(keys[good], _said(rows)[good])
        repeated, contradicting = np.zeros(len(rows.rows), dtype=bool), np.zeros(len(rows.rows), dtype=bool)
        repeated[good], contradicting[good] = repeats, contradicts
        verdicts.break_("contradictory", "an earlier row of this file says otherwise of this hour", contradicting)
        return repeated

    def _remember(self, rows: CensusRows, good: Mask) -> None:
        kept = pa.array(np.flatnonzero(good))
        self._series.add(_series_of(rows).take(kept), rows.at.at[good], _said(rows)[good])

    def _piece(self, rows: CensusRows, count: Count, mask: Mask) -> dict[str, pa.Array]:
        kept = pa.array(np.flatnonzero(mask))
        sites, at = rows.sites.take(kept), rows.at.at[mask]
        named = count.measure
        measures = pa.repeat(named, len(kept)) if isinstance(named, str) else named.take(kept)
        source = pa.scalar(self._mapping.source.name)
        return {
            "kind": pa.repeat("CensusObserved", len(kept)),
            "event_id": pc.binary_join_element_wise(
                source, sites, pa.scalar("CensusObserved"), measures, _written(at), "/"
            ),
            "occurred_at": instants(at),
            "known_at": instants(self._known(rows, mask)),
            "source": pa.repeat(self._mapping.source.name, len(kept)),
            "position": pa.array(self._first + rows.rows[mask]),
            "measure": measures,
            "unit": sites,
            "count": count.numbers.take(kept),
        }

    def _known(self, rows: CensusRows, mask: Mask) -> Micros:
        return np.minimum(known_times(rows, self._mapping)[mask], self._extracted)

    def _rejected(self, rows: CensusRows, verdicts: Verdicts, malformed: tuple[int, ...]) -> list[Rejected]:
        wrong = [rejection(self._place, n, "malformed", "the row has too many or too few cells", {}) for n in malformed]
        return wrong + [
            rejection(self._place, int(rows.rows[row]), reason, sentence, _kept(rows, row))
            for row, reason, sentence in verdicts.broken()
        ]


def known_times(rows: CensusRows, mapping: CensusMapping) -> Micros:
    """When each reading was out, shape (row,): published where that is said and not before its hour, else the lag."""
    lagged = np.where(rows.at.present, rows.at.at, 0) + micros_of_min(mapping.source.lag_min)
    if rows.published is None:
        return np.asarray(lagged)
    return np.where(rows.published.at >= rows.at.at, rows.published.at, lagged)


def _series_of(rows: CensusRows) -> pa.StringArray:
    """Which series a row belongs to: its site, and its measure where a row is one count."""
    named = rows.counts[0].measure
    if isinstance(named, str):
        return rows.sites
    return pc.binary_join_element_wise(rows.sites, named, "/")


def _said(rows: CensusRows) -> Prints:
    return fingerprints([count.numbers.fill_null(-1).to_numpy(zero_copy_only=False) for count in rows.counts])


def _written(at: Micros) -> pa.StringArray:
    """The instants as text; each distinct one is written once."""
    coded = pc.dictionary_encode(pa.array(at))
    texts = [f"{instant_of(micros):%Y-%m-%dT%H:%MZ}" for micros in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


def _kept(rows: CensusRows, row: int) -> dict[str, str | None]:
    """What may be kept of a rejected row: site, times and numbers that could be read."""
    times = {name: instant_of(t.at[row]).isoformat() for name, t in rows.times() if t.at[row] != ABSENT}
    named = [(c.measure, c.numbers[row]) for c in rows.counts if isinstance(c.measure, str)]
    return {"site": rows.sites[row].as_py(), **times, **{name: str(n) for name, n in named if n.is_valid}}


def _mask(column: pa.BooleanArray) -> Mask:
    return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False))


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a file covers; None when no row makes sense."""

    first_at: datetime | None
    extracted_at: datetime | None
    digest: str


def _scan(
    path: Path, mapping: CensusMapping, pseudonyms: Pseudonyms, extracted_at: datetime | None, now: datetime | None
) -> _Scan:
    """Read a file once without storing anything: its faults come out before a row is used."""
    stated = extracted_at or mapping.source.extracted_at
    latest = stated or now
    spans = [span for chunk in chunks(path, mapping) if (span := _span(chunk, mapping, latest))]
    first = instant_of(min(start for start, _ in spans)) if spans else None
    newest = instant_of(max(end for _, end in spans)) if spans else None
    return _Scan(first, stated or newest, pseudonyms.one("file", digest(path)))


def _span(chunk: Chunk, mapping: CensusMapping, latest: datetime | None) -> tuple[int, int] | None:
    rows = read_rows(chunk, mapping)
    good = judge(rows, None if latest is None else micros_of(latest)).good
    if not good.any():
        return None
    known = known_times(rows, mapping)[good]
    return int(rows.at.at[good].min()), int(known.max() if latest is None else min(known.max(), micros_of(latest)))


def ingest_census(
    path: Path,
    mapping: CensusMapping,
    log: EventLog,
    pseudonyms: Pseudonyms,
    *,
    extracted_at: datetime | None = None,
    now: datetime | None = None,
) -> CensusAccount:
    """Store a file, or the files of a folder in the order of their names.

    1. Read every file once, so that a fault of any is told before a row of the first is stored.
    2. Store each file batch by batch, each batch with its position and its rejected rows in one transaction.
    3. Declare each file finished: from then on, what it covers and does not hold was not known then.
    4. Look through the series of all files for gaps and frozen runs.

    Raises ConfigurationError, UnreadableInputError.
    """
    files = extract_files(path)
    scans = [_scan(file, mapping, pseudonyms, extracted_at, now) for file in files]
    series = Series(micros_of_min(mapping.every_min), micros_of_min(mapping.frozen.hours * 60.0))
    account = NOTHING_READ
    for file, scanned in zip(files, scans, strict=True):
        account = _store(file, mapping, log, series, scanned, account)
    frozen = series.frozen()
    flags = dict(account.flags) | ({"frozen": sum(run.readings for run in frozen)} if frozen else {})
    given = {name: getattr(account, name) for name in ExtractAccount.__dataclass_fields__}
    return replace(CensusAccount(**given), flags=flags, gaps=series.gaps(), frozen=frozen)


def _store(
    file: Path, mapping: CensusMapping, log: EventLog, series: Series, scanned: _Scan, account: ExtractAccount
) -> ExtractAccount:
    source = mapping.source.name
    before = log.position(source)
    first = before.offset if before is not None else 0
    taken = scanned.extracted_at or instant_of(0)
    extract = Extract(source=source, digest=scanned.digest, extracted_at=taken, first_at=scanned.first_at)
    reader = CensusReader(mapping, series, place=file.name, extracted_at=taken, first=first)
    for batch in map(reader.batch, chunks(file, mapping)):
        if batch.read:
            first += batch.read
            position = Position(source=source, offset=first, detail=scanned.digest)
            intake = Intake(read=batch.read, ignored=batch.ignored, rejected=batch.rejected)
            account = account.with_batch(
                batch, log.append_table(batch.table, position, extract=extract, intake=intake).account
            )
    log.finish(extract)
    return account
