"""What a reader of extracts hands to the log: events, and the account of every row read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ingest.columns import SCHEMA, TIME
from ingest.local_times import ABSENT, Mask, Micros
from ingest.log import Account, Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Some rows of an extract as events.

    `table` has the columns of `ingest.columns.SCHEMA`; its `position` is the row that an event comes from.
    `repeated` counts rows that say again what an earlier row of the file said; all rows that are not repeated, ignored
    or rejected made events. `ignored_by_name` counts activities left out, `flags` times in
    the hours of a clock change.
    """

    table: pa.Table
    read: int
    repeated: int = 0
    ignored: int = 0
    rejected: Sequence[Rejected] = ()
    ignored_by_name: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractAccount(Account):
    """What became of the rows of an extract: read = stored + duplicate + ignored + rejected.

    A row is stored if it brought an event, a version or a cancellation that the log did not hold, duplicate if
    everything it says was known. `reasons` counts the rejected by reason, `ignored_by_name` the ignored by activity,
    `flags` the times that fell into the hours of a clock change ("ambiguous", "missing").
    """

    reasons: Mapping[str, int] = field(default_factory=dict)
    ignored_by_name: Mapping[str, int] = field(default_factory=dict)
    flags: Mapping[str, int] = field(default_factory=dict)

    def with_batch(self, batch: Batch, became: Account) -> ExtractAccount:
        """The account after one more batch, of which the log says what became."""
        return replace(
            self,
            read=self.read + became.read,
            stored=self.stored + became.stored,
            duplicate=self.duplicate + became.duplicate,
            ignored=self.ignored + became.ignored,
            rejected=self.rejected + became.rejected,
            reasons=_added(self.reasons, Counter(r.reason for r in batch.rejected)),
            ignored_by_name=_added(self.ignored_by_name, batch.ignored_by_name),
            flags=_added(self.flags, batch.flags),
        )


NOTHING_READ = ExtractAccount(read=0, stored=0, duplicate=0, ignored=0, rejected=0)


def _added(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted((Counter(counts) + Counter(more)).items()))


def events_table(pieces: Sequence[Mapping[str, pa.Array]]) -> pa.Table:
    """Pieces of columns, one piece a kind of event, as one table of events; what a piece lacks is null."""
    if not pieces:
        return SCHEMA.empty_table()
    arrays = [[_filled(piece, column) for column in SCHEMA] for piece in pieces]
    columns = [pa.chunked_array([piece[i] for piece in arrays], column.type) for i, column in enumerate(SCHEMA)]
    return pa.table(columns, schema=SCHEMA)


def _filled(piece: Mapping[str, pa.Array], column: pa.Field) -> pa.Array:
    if column.name in piece:
        return piece[column.name].cast(column.type)
    return pa.nulls(len(piece["event_id"]), column.type)


def instants(at: Micros) -> pa.Array:
    """Microseconds as an Arrow column of instants; null where absent."""
    return pa.array(at, pa.int64(), mask=at == ABSENT).cast(TIME)


def event_ids(source: str, visits: pa.StringArray, kind: str, occurrence: pa.StringArray | str) -> pa.StringArray:
    """`source/visit/kind/occurrence` of each row."""
    last = occurrence if isinstance(occurrence, pa.Array) else pa.scalar(occurrence)
    return pc.binary_join_element_wise(pa.scalar(source), visits, pa.scalar(kind), last, "/")


class Verdicts:
    """Which rule each row breaks first; a row that breaks none is good."""

    def __init__(self, rows: int) -> None:
        self._codes = np.zeros(rows, dtype=np.int16)
        self._rules: list[tuple[str, str]] = [("", "")]

    def break_(self, reason: str, sentence: str, broken: Mask) -> None:
        """Rows that break this rule and none before it."""
        self._rules.append((reason, sentence))
        self._codes[broken & (self._codes == 0)] = len(self._rules) - 1

    @property
    def good(self) -> Mask:
        return np.asarray(self._codes == 0)

    def broken(self) -> list[tuple[int, str, str]]:
        """(row, reason, sentence) of each row that is not good."""
        return [(int(row), *self._rules[self._codes[row]]) for row in np.flatnonzero(self._codes)]


class Seen:
    """The keys of the file so far, each with what was said of it first; 16 bytes a key."""

    def __init__(self) -> None:
        self._keys = np.empty(0, dtype=np.uint64)
        self._contents = np.empty(0, dtype=np.uint64)

    def compare(self, keys: npt.NDArray[np.uint64], contents: npt.NDArray[np.uint64]) -> tuple[Mask, Mask]:
        """Which rows repeat an earlier row of the same key, and which contradict one; the first row of a key stands."""
        distinct, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        said = contents[first]
        at = np.searchsorted(self._keys, distinct)
        old = np.zeros(len(distinct), dtype=bool)
        inside = at < len(self._keys)
        old[inside] = self._keys[at[inside]] == distinct[inside]
        said[old] = self._contents[at[old]]
        self._keys = np.insert(self._keys, at[~old], distinct[~old])
        self._contents = np.insert(self._contents, at[~old], said[~old])
        later = old[inverse] | (np.arange(len(keys)) != first[inverse])
        same = contents == said[inverse]
        return np.asarray(later & same), np.asarray(later & ~same)


_MIX = np.uint64(0x9E3779B97F4A7C15)


def fingerprints(columns: Sequence[npt.NDArray[np.int64] | pa.StringArray]) -> npt.NDArray[np.uint64]:
    """One number a row for the content of several columns; equal content, equal number."""
    total = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        if isinstance(column, np.ndarray):
            hashed = pd.util.hash_array(column)
        else:
            coded = pc.dictionary_encode(column)
            words = pd.util.hash_array(np.array([*coded.dictionary.to_pylist(), ""], dtype=object))
            hashed = words[coded.indices.fill_null(len(words) - 1).to_numpy(zero_copy_only=False)]
        total = total * _MIX + hashed
    return np.asarray(total)
