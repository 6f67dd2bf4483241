"""Rows of a long extract, one an event, as events.

A row is judged alone: real logs hold events before the registration and after the release, and the state copes. What
depends on the rows before it (the first of its kind in the visit, the how-manieth) goes by the order of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ingest.batch import Batch, Seen, Verdicts, event_ids, events_table, fingerprints, instants
from ingest.extract_file import Chunk
from ingest.extract_values import Words, as_text, read_ages, read_instants, read_words
from ingest.local_times import ABSENT, Mask, Micros, Times, instant_of, micros_of, micros_of_min
from ingest.log import Rejected
from ingest.long_mapping import ActivityEvent, FieldSource, LongMapping
from ingest.pseudonyms import Pseudonyms
from ingest.rejection import rejection
from ingest.vocabulary import allowed_values, fields_of

Piece = dict[str, pa.Array]


@dataclass(frozen=True, slots=True)
class LongRows:
    """Rows read but not yet judged: numbers in clear, the activity, when it happened and was recorded."""

    rows: npt.NDArray[np.int64]
    visits: pa.StringArray
    patients: pa.StringArray | None
    records: pa.StringArray | None
    activities: pa.StringArray
    at: Times
    recorded: Times | None


def read_rows(chunk: Chunk, mapping: LongMapping) -> LongRows:
    """The columns of a chunk as instants and texts."""
    source, keys = mapping.source, mapping.keys

    def text(column: str | None) -> pa.StringArray | None:
        return None if column is None else as_text(chunk.column(column))

    def times(column: str) -> Times:
        return read_instants(chunk.column(column), source)

    recorded = None if mapping.time.recorded is None else times(mapping.time.recorded)
    visits = as_text(chunk.column(keys.visit))
    activities = as_text(chunk.column(mapping.activity.column))
    return LongRows(
        chunk.rows, visits, text(keys.patient), text(keys.record), activities, times(mapping.time.column), recorded
    )


def judge(rows: LongRows, mapping: LongMapping, extracted: int | None) -> Verdicts:
    """Which rule of sense each row breaks first; `extracted` (microseconds) is when the extract was taken."""
    verdicts = Verdicts(len(rows.rows))
    verdicts.break_("missing_key", "the visit has no number", _null(rows.visits))
    if rows.records is not None:
        verdicts.break_("missing_key", "the record has no number", _null(rows.records))
    for name, times in named(rows):
        verdicts.break_("impossible_date", f"{name} is not a time that exists", times.bad)
    verdicts.break_("missing_time", "the event has no time", ~rows.at.present)
    if mapping.activity.unknown == "reject":
        known = pc.is_in(rows.activities, value_set=pa.array(list(mapping.activity.events), pa.string()))
        verdicts.break_("unknown_activity", "the mapping does not name the activity", ~_mask(known))
    for name, times in named(rows):
        if extracted is not None:
            verdicts.break_("in_future", f"{name} is after the extract was taken", times.at > extracted)
    return verdicts


def named(rows: LongRows) -> Iterator[tuple[str, Times]]:
    """Every column of times, with the name that a rejection gives it."""
    yield "time", rows.at
    if rows.recorded is not None:
        yield "recorded", rows.recorded


@dataclass(frozen=True, slots=True)
class _Told:
    """All that the events of a chunk are made of, row by row."""

    rows: LongRows
    visits: pa.StringArray
    fields: Piece
    occurrences: pa.StringArray
    known: Micros


class LongReader:
    """Turns the chunks of one file into batches; remembers, from chunk to chunk, what each visit had."""

    def __init__(
        self, mapping: LongMapping, pseudonyms: Pseudonyms, *, place: str, extracted_at: datetime, first: int = 0
    ) -> None:
        """`place` names the file; `first` is how many rows of the source were read before it."""
        self._mapping = mapping
        self._pseudonyms = pseudonyms
        self._place, self._first = place, first - 1  # the header is row 1
        self._extracted = micros_of(extracted_at)
        self._seen = Seen()
        self._had: dict[str, set[str]] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def batch(self, chunk: Chunk) -> Batch:
        rows = read_rows(chunk, self._mapping)
        visits = self._pseudonyms.array("visit", rows.visits)
        verdicts = judge(rows, self._mapping, self._extracted)
        taken, ignored = self._taken(rows)
        fields = self._fields(chunk, rows, taken & verdicts.good, verdicts)
        ignored_rows = ignored & verdicts.good
        repeated = self._compared(rows, visits, fields, taken & verdicts.good, verdicts)
        good = taken & verdicts.good & ~repeated
        return Batch(
            table=events_table(list(self._pieces(rows, visits, fields, good))),
            read=len(rows.rows) + len(chunk.malformed),
            repeated=int(repeated.sum()),
            ignored=int(ignored_rows.sum()),
            rejected=self._rejected(rows, visits, verdicts, chunk.malformed),
            ignored_by_name=self._names(rows, ignored_rows),
            flags={f: n for f in ("ambiguous", "missing") if (n := sum(getattr(t, f) for _, t in named(rows)))},
        )

    def _taken(self, rows: LongRows) -> tuple[Mask, Mask]:
        """Which rows have an activity that becomes an event, and which do not."""
        names = [name for name, event in self._mapping.activity.events.items() if event.event != "ignore"]
        taken = _mask(pc.is_in(rows.activities, value_set=pa.array(names, pa.string())))
        return taken, ~taken

    def _names(self, rows: LongRows, ignored: Mask) -> dict[str, int]:
        """How often each ignored activity came; one that the mapping does not name has no name here either."""
        named = frozenset(self._mapping.activity.events)
        counts: Counter[str] = Counter()
        for entry in pc.value_counts(rows.activities.filter(pa.array(ignored))).to_pylist():
            name = entry["values"] if entry["values"] in named else "(not in the mapping)"
            counts[name] += entry["counts"]
        return dict(counts)

    def _fields(self, chunk: Chunk, rows: LongRows, wanted: Mask, verdicts: Verdicts) -> Piece:
        """Every field that some activity fills, over all rows: null where a row's activity does not fill it."""
        fields: Piece = {}
        for name, event in self._mapping.activity.events.items():
            here = wanted & _mask(pc.equal(rows.activities, name).fill_null(False))
            for field, source in event.filled().items():
                words = self._words(chunk, rows, event, field, source)
                verdicts.break_("unknown_value", f"{field} is not a value that the mapping names", here & words.bad)
                before = fields.get(field, pa.nulls(len(here), pa.string()))
                fields[field] = pc.if_else(pa.array(here), words.words, before)
        return fields

    def _words(self, chunk: Chunk, rows: LongRows, event: ActivityEvent, field: str, source: FieldSource) -> Words:
        if source.const is not None:
            return Words(pa.repeat(source.const, len(rows.rows)), np.zeros(len(rows.rows), dtype=bool))
        column = chunk.column(source.column)
        allowed = next(allowed_values(kind, field) for kind in event.kinds() if field in fields_of(kind))
        if field == "age_band":
            return read_ages(column, source, allowed, self._mapping.source, rows.at.at)
        return read_words(column, source, allowed, self._mapping.source)

    def _compared(
        self, rows: LongRows, visits: pa.StringArray, fields: Piece, wanted: Mask, verdicts: Verdicts
    ) -> Mask:
        """Marks rows that contradict an earlier row of their record; returns those that repeat one.

        Without record numbers the whole content is the key: the same thing said twice is said once.
        """
        some = np.flatnonzero(wanted)
        content = fingerprints([visits, rows.activities, *(t.at for _, t in named(rows)), *fields.values()])
        keys = content if rows.records is None else fingerprints([visits, rows.records])
        repeats, contradicts = self._seen.compare(keys[some], content[some])
        repeated, contradicting = np.zeros(len(wanted), dtype=bool), np.zeros(len(wanted), dtype=bool)
        repeated[some], contradicting[some] = repeats, contradicts
        verdicts.break_("contradictory", "an earlier row of this file says otherwise of this record", contradicting)
        return repeated

    def _pieces(self, rows: LongRows, visits: pa.StringArray, fields: Piece, good: Mask) -> Iterator[Piece]:
        """The events of the good rows, one piece a kind, in the order of the file within each."""
        kinds = self._kinds(rows, visits, good)
        told = _Told(rows, visits, fields, self._occurrences(rows, visits, kinds, good), self._known(rows))
        for kind in sorted({str(k) for k in kinds[good]}):
            yield self._piece(kind, np.flatnonzero(good & (kinds == kind)), told)

    def _piece(self, kind: str, at: npt.NDArray[np.int64], told: _Told) -> Piece:
        take, name, rows = pa.array(at), self._mapping.source.name, told.rows
        visits = told.visits.take(take)
        piece = {
            "kind": pa.repeat(kind, len(at)),
            "event_id": event_ids(name, visits, kind, told.occurrences.take(take)),
            "occurred_at": instants(rows.at.at[at]),
            "known_at": instants(told.known[at]),
            "source": pa.repeat(name, len(at)),
            "position": pa.array(self._first + rows.rows[at]),
            "visit": visits,
        }
        if rows.recorded is not None:
            piece["recorded_at"] = instants(rows.recorded.at[at])
        if kind == "Arrived" and rows.patients is not None:
            piece["patient"] = self._pseudonyms.array("patient", rows.patients.take(take))
        return piece | {field: told.fields[field].take(take) for field in fields_of(kind) if field in told.fields}

    def _kinds(self, rows: LongRows, visits: pa.StringArray, good: Mask) -> npt.NDArray[np.object_]:
        """The kind of each row's event; `first` and `then` are told apart by what the visit had before."""
        events = self._mapping.activity.events
        kinds = _translated(rows.activities, {name: e.event or e.first or "" for name, e in events.items()})
        later = _translated(rows.activities, {name: e.then for name, e in events.items()})
        numbers = visits.to_numpy(zero_copy_only=False)
        for first in sorted({e.first for e in events.values() if e.first is not None}):
            claims = np.flatnonzero(good & (kinds == first))
            again = pd.Series(numbers[claims]).duplicated().to_numpy()
            had = self._had.setdefault(first, set())
            again = again | np.array([visit in had for visit in numbers[claims]], dtype=bool)
            had.update(numbers[claims])
            turned = claims[again & np.array([later[row] is not None for row in claims], dtype=bool)]
            kinds[turned] = later[turned]
        return kinds

    def _occurrences(
        self, rows: LongRows, visits: pa.StringArray, kinds: npt.NDArray[np.object_], good: Mask
    ) -> pa.StringArray:
        """The record's pseudonym, or how many of its kind the visit had before in the file."""
        if rows.records is not None:
            return self._pseudonyms.array("record", rows.records)
        numbers = visits.to_numpy(zero_copy_only=False)
        occurrences = np.zeros(len(kinds), dtype=np.int64)
        for row in np.flatnonzero(good):
            key = (numbers[row], kinds[row])
            occurrences[row] = self._counts[key]
            self._counts[key] += 1
        return pa.array(occurrences).cast(pa.string())

    def _known(self, rows: LongRows) -> Micros:
        """Recorded, or happened plus the lag of the activity; by the extract at the latest."""
        source = self._mapping.source
        lags = {
            name: micros_of_min(source.lag_min if event.lag_min is None else event.lag_min)
            for name, event in self._mapping.activity.events.items()
        }
        lag = np.array([lags.get(name, 0) for name in rows.activities.to_pylist()], dtype=np.int64)
        known = np.where(rows.at.present, rows.at.at, 0) + lag
        if rows.recorded is not None:
            known = np.where(rows.recorded.at != ABSENT, rows.recorded.at, known)
        return np.minimum(known, self._extracted)

    def _rejected(
        self, rows: LongRows, visits: pa.StringArray, verdicts: Verdicts, malformed: tuple[int, ...]
    ) -> list[Rejected]:
        wrong = [
            rejection(self._place, number, "malformed", "the row has too many or too few cells", {})
            for number in malformed
        ]
        return wrong + [
            rejection(self._place, int(rows.rows[row]), reason, sentence, self._kept(rows, visits, row))
            for row, reason, sentence in verdicts.broken()
        ]

    def _kept(self, rows: LongRows, visits: pa.StringArray, row: int) -> dict[str, str | None]:
        """What may be kept of a rejected row: the pseudonym, its times, an activity that the mapping names."""
        times = {name: instant_of(t.at[row]).isoformat() for name, t in named(rows) if t.at[row] != ABSENT}
        activity = rows.activities[row].as_py()
        listed = activity if activity in self._mapping.activity.events else None
        return {"visit": visits[row].as_py(), "activity": listed, **times}


def _translated(activities: pa.StringArray, by_name: Mapping[str, str | None]) -> npt.NDArray[np.object_]:
    coded = pc.dictionary_encode(activities)
    words = np.array([*(by_name.get(name) for name in coded.dictionary.to_pylist()), None], dtype=object)
    return np.asarray(words[coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)])


def _null(column: pa.StringArray) -> Mask:
    return _mask(column.is_null())


def _mask(column: pa.BooleanArray) -> Mask:
    return np.asarray(column.to_numpy(zero_copy_only=False))
