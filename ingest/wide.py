"""Rows of a wide extract, one a visit, as events.

A row is stored whole or rejected whole. Each value goes on the event of the milestone from which it is known; when it
is known at another milestone than the one it belongs to, on a `Changed` event there. The file says of each row only
what stands in it now: nothing is known sooner than the mapping allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.batch import Batch, Seen, Verdicts, event_ids, events_table, fingerprints, instants
from ingest.extract_file import Chunk
from ingest.extract_values import Words, as_text, read_ages, read_instants, read_words
from ingest.local_times import ABSENT, Mask, Micros, Times, instant_of, micros_of, micros_of_min
from ingest.log import Rejected
from ingest.mapping_parts import MILESTONES, AgeColumn, Milestone, TimeColumn
from ingest.pseudonyms import Pseudonyms
from ingest.rejection import rejection
from ingest.wide_mapping import HOMES, LEFT_EARLY, WIDE_VALUES, WideMapping

_FIELDS = {"age": "age_band"}
KINDS: dict[Milestone, str] = {
    "arrived": "Arrived",
    "triaged": "Triaged",
    "seen": "SeenByProvider",
    "decided": "DecidedToAdmit",
    "decided_home": "DecidedToDischarge",
    "bed_requested": "BedRequested",
    "bed_assigned": "BedAssigned",
    "departed": "Departed",
    "left_ward": "LeftWard",
}
_DECISIONS = {"admit": "DecidedToAdmit", "discharge": "DecidedToDischarge"}
_NONE = pa.scalar(None, pa.string())
Piece = dict[str, pa.Array]


@dataclass(frozen=True, slots=True)
class WideRows:
    """Rows read but not yet judged: visit and patient numbers in clear, times by milestone, words by name."""

    rows: np.ndarray[tuple[int], np.dtype[np.int64]]
    visits: pa.StringArray
    patients: pa.StringArray | None
    times: Mapping[Milestone, Times]
    recorded: Mapping[Milestone, Times]
    words: Mapping[str, Words]


def read_rows(chunk: Chunk, mapping: WideMapping) -> WideRows:
    """The columns of a chunk as instants and words."""
    source, mapped = mapping.source, mapping.times.mapped()

    def times(column: str) -> Times:
        return read_instants(chunk.column(column), source)

    at = {milestone: times(time.column) for milestone, time in mapped.items()}
    recorded = {m: times(time.recorded) for m, time in mapped.items() if time.recorded is not None}
    words = {
        name: read_ages(chunk.column(column.column), column, WIDE_VALUES[name], source, at["arrived"].at)
        if isinstance(column, AgeColumn)
        else read_words(chunk.column(column.column), column, WIDE_VALUES[name], source)
        for name, column in mapping.values().items()
    }
    patients = None if mapping.keys.patient is None else as_text(chunk.column(mapping.keys.patient))
    return WideRows(chunk.rows, as_text(chunk.column(mapping.keys.visit)), patients, at, recorded, words)


def judge(rows: WideRows, mapping: WideMapping, extracted: int | None) -> Verdicts:
    """Which rule of sense each row breaks first; `extracted` (microseconds) is when the extract was taken."""
    verdicts = Verdicts(len(rows.rows))
    verdicts.break_("missing_key", "the visit has no number", rows.visits.is_null().to_numpy(zero_copy_only=False))
    for name, times in named(rows):
        verdicts.break_("impossible_date", f"{name} is not a time that exists", times.bad)
    arrived = rows.times["arrived"]
    verdicts.break_("missing_arrival", "the visit has no arrival", ~arrived.present)
    for name, words in rows.words.items():
        verdicts.break_("unknown_value", f"{name} is not a value that the mapping names", words.bad)
    for name, times in rows.times.items():
        verdicts.break_("before_arrival", f"{name} is before arrived", times.present & (times.at < arrived.at))
    for name, times in named(rows):
        if extracted is not None:
            verdicts.break_("in_future", f"{name} is after the extract was taken", times.at > extracted)
    _judge_stays(rows, mapping, verdicts)
    return verdicts


def _judge_stays(rows: WideRows, mapping: WideMapping, verdicts: Verdicts) -> None:
    stays: tuple[tuple[Milestone, Milestone, float], ...] = (
        ("arrived", "departed", mapping.limits.stay_h),
        ("departed", "left_ward", mapping.limits.ward_stay_h),
    )
    for start, end, limit_h in stays:
        if start in rows.times and end in rows.times:
            first, last = rows.times[start], rows.times[end]
            long = first.present & last.present & (last.at - first.at > limit_h * 3_600_000_000)
            verdicts.break_("stay_over_limit", f"{end} is more than {limit_h:g} h after {start}", long)


def named(rows: WideRows) -> Iterator[tuple[str, Times]]:
    """Every column of times, with the name that a rejection gives it."""
    yield from rows.times.items()
    for milestone, times in rows.recorded.items():
        yield f"{milestone}.recorded", times


class WideReader:
    """Turns the chunks of one file into batches."""

    def __init__(
        self, mapping: WideMapping, pseudonyms: Pseudonyms, *, place: str, extracted_at: datetime, first: int = 0
    ) -> None:
        """`place` names the file; `first` is how many rows of the source were read before it."""
        self._mapping = mapping
        self._pseudonyms = pseudonyms
        self._place, self._first = place, first - 1  # the header is row 1
        self._extracted = micros_of(extracted_at)
        self._seen = Seen()

    def batch(self, chunk: Chunk) -> Batch:
        rows = read_rows(chunk, self._mapping)
        visits = self._pseudonyms.array("visit", rows.visits)
        patients = None if rows.patients is None else self._pseudonyms.array("patient", rows.patients)
        verdicts = judge(rows, self._mapping, self._extracted)
        repeated = self._compared(rows, visits, patients, verdicts)
        good = verdicts.good & ~repeated
        events = _Events(rows, visits, patients, self._mapping, self._extracted, self._first, good)
        return Batch(
            table=events_table([piece for piece in events.pieces() if len(piece["event_id"])]),
            read=len(rows.rows) + len(chunk.malformed),
            repeated=int(repeated.sum()),
            rejected=self._rejected(rows, visits, verdicts, chunk.malformed),
            flags=_flags(rows),
        )

    def _compared(
        self, rows: WideRows, visits: pa.StringArray, patients: pa.StringArray | None, verdicts: Verdicts
    ) -> Mask:
        """Marks rows that contradict an earlier row of their visit; returns those that repeat one."""
        good = np.flatnonzero(verdicts.good)
        content = [times.at for _, times in named(rows)] + [words.words for words in rows.words.values()]
        content += [] if patients is None else [patients]
        repeats, contradicts = self._seen.compare(fingerprints([visits])[good], fingerprints(content)[good])
        repeated, contradicting = np.zeros(len(rows.rows), dtype=bool), np.zeros(len(rows.rows), dtype=bool)
        repeated[good], contradicting[good] = repeats, contradicts
        verdicts.break_("contradictory", "an earlier row of this file says otherwise of this visit", contradicting)
        return repeated

    def _rejected(
        self, rows: WideRows, visits: pa.StringArray, verdicts: Verdicts, malformed: tuple[int, ...]
    ) -> list[Rejected]:
        wrong = [
            rejection(self._place, number, "malformed", "the row has too many or too few cells", {})
            for number in malformed
        ]
        return wrong + [
            rejection(self._place, int(rows.rows[row]), reason, sentence, _kept(rows, visits, row))
            for row, reason, sentence in verdicts.broken()
        ]


def _kept(rows: WideRows, visits: pa.StringArray, row: int) -> dict[str, str | None]:
    """What may be kept of a rejected row: the pseudonym, the times and the words that could be read."""
    times = {name: instant_of(t.at[row]).isoformat() for name, t in named(rows) if t.at[row] != ABSENT}
    words = {name: w.words[row].as_py() for name, w in rows.words.items() if w.words[row].is_valid}
    return {"visit": visits[row].as_py(), **times, **words}


def _flags(rows: WideRows) -> dict[str, int]:
    counts = {
        "ambiguous": sum(times.ambiguous for _, times in named(rows)),
        "missing": sum(times.missing for _, times in named(rows)),
    }
    return {flag: count for flag, count in counts.items() if count}


class _Events:
    """The events of the good rows, one piece a kind."""

    def __init__(
        self,
        rows: WideRows,
        visits: pa.StringArray,
        patients: pa.StringArray | None,
        mapping: WideMapping,
        extracted: int,
        first: int,
        good: Mask,
    ) -> None:
        self._keep = np.flatnonzero(good)
        keep = pa.array(self._keep)
        self._mapping = mapping
        self._extracted = extracted
        self._position = first + rows.rows[self._keep]
        self._visits = visits.take(keep)
        self._patients = None if patients is None else patients.take(keep)
        self._at = {m: times.at[self._keep] for m, times in rows.times.items()}
        self._recorded = {m: times.at[self._keep] for m, times in rows.recorded.items()}
        self._words = {name: words.words.take(keep) for name, words in rows.words.items()}
        self._known = self._known_times()
        self._own, self._changed = self._placed()

    def pieces(self) -> Iterator[Piece]:
        """Every event of the rows; the events of a kind stand together."""
        for milestone in self._mapping.times.mapped():
            present = self._at[milestone] != ABSENT
            for kind, mask in self._kinds(milestone, present):
                yield self._piece(kind, milestone, "0", mask, self._fields(kind, milestone))
        for milestone, columns in self._changed.items():
            some = np.any([column.is_valid().to_numpy(zero_copy_only=False) for column in columns.values()], axis=0)
            yield self._piece("Changed", milestone, milestone, some, columns)

    def _kinds(self, milestone: Milestone, present: Mask) -> Iterator[tuple[str, Mask]]:
        """The kinds of event that a milestone may be, and which rows are which."""
        if milestone == "decided" and "decision" in self._words:
            yield from ((kind, present & _is(self._words["decision"], word)) for word, kind in _DECISIONS.items())
            return
        early = np.zeros(len(present), dtype=bool)
        if milestone == "departed" and "destination" in self._words:
            for word, kind in LEFT_EARLY.items():
                those = present & _is(self._words["destination"], word)
                early |= those
                yield kind, those
        yield KINDS[milestone], present & ~early

    def _fields(self, kind: str, milestone: Milestone) -> Piece:
        if kind in LEFT_EARLY.values() or kind == "DecidedToDischarge":
            return {}
        if kind == "Departed":
            return self._departure()
        fields = dict(self._own.get(milestone, {}))
        if kind == "Arrived" and self._patients is not None:
            fields["patient"] = self._patients
        return fields

    def _departure(self) -> Piece:
        """Where the visit went; a ward is named only for those who went to one."""
        to = self._words.get("destination")
        unit = self._words.get("ward")
        fields: Piece = {} if to is None else {"to": to}
        if unit is not None:
            elsewhere = pc.not_equal(to, "ward").fill_null(False) if to is not None else pa.scalar(False)
            fields["unit"] = pc.if_else(elsewhere, _NONE, unit)
        return fields

    def _piece(self, kind: str, milestone: Milestone, occurrence: str, mask: Mask, fields: Piece) -> Piece:
        rows = pa.array(np.flatnonzero(mask))
        visits, name = self._visits.take(rows), self._mapping.source.name
        common = {
            "kind": pa.repeat(kind, len(rows)),
            "event_id": event_ids(name, visits, kind, occurrence),
            "occurred_at": instants(self._at[milestone][mask]),
            "known_at": instants(self._known[milestone][mask]),
            "source": pa.repeat(name, len(rows)),
            "position": pa.array(self._position[mask]),
            "visit": visits,
        }
        if milestone in self._recorded:
            common["recorded_at"] = instants(self._recorded[milestone][mask])
        return common | {field: column.take(rows) for field, column in fields.items()}

    def _known_times(self) -> dict[Milestone, Micros]:
        """When each milestone was known: recorded, or happened plus lag; entered later where the mapping says so.

        A time entered at a milestone that the row does not have is known from the extract; so is everything by then.
        Later milestones come first, since a time may be entered at one of them.
        """
        mapped, known = self._mapping.times.mapped(), dict[Milestone, Micros]()
        for milestone in reversed(list(mapped)):
            at = self._entered(milestone, mapped[milestone])
            later = mapped[milestone].known_from
            if later is not None:
                entered = np.where(self._at[later] != ABSENT, known[later], self._extracted)
                at = np.maximum(at, entered)
            known[milestone] = np.minimum(at, self._extracted)
        return known

    def _entered(self, milestone: Milestone, time: TimeColumn) -> Micros:
        lag_min = self._mapping.source.lag_min if time.lag_min is None else time.lag_min
        lagged = np.where(self._at[milestone] != ABSENT, self._at[milestone], 0) + micros_of_min(lag_min)
        recorded = self._recorded.get(milestone)
        return lagged if recorded is None else np.where(recorded != ABSENT, recorded, lagged)

    def _placed(self) -> tuple[dict[Milestone, Piece], dict[Milestone, Piece]]:
        """Each value at its milestone: on that milestone's own event, or on a `Changed` event.

        Where the milestone has no time in a row, the value goes to the next one that has.
        """
        own: dict[Milestone, Piece] = {}
        changed: dict[Milestone, Piece] = {}
        for name, column in self._mapping.classes.mapped().items():
            left = self._words[name]
            for milestone in self._from(name, column.known_from):
                here = pa.array(self._at[milestone] != ABSENT)
                placed = pc.if_else(here, left, _NONE)
                left = pc.if_else(here, _NONE, left)
                if milestone in HOMES[name]:
                    own.setdefault(milestone, {})[HOMES[name][milestone]] = placed
                elif placed.null_count < len(placed):
                    field = "unit" if name == "unit_wanted" else _FIELDS.get(name, name)
                    changed.setdefault(milestone, {})[field] = placed
        return own, changed

    def _from(self, name: str, known_from: Milestone | None) -> list[Milestone]:
        """The milestones at which a value may be known, soonest first."""
        mapped = list(self._mapping.times.mapped())
        start = known_from or next(home for home in HOMES[name] if home in mapped)
        return [m for m in mapped if MILESTONES.index(m) >= MILESTONES.index(start)]


def _is(words: pa.StringArray, word: str) -> Mask:
    return np.asarray(pc.equal(words, word).fill_null(False).to_numpy(zero_copy_only=False))
