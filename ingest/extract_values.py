"""Words of a file as words of the vocabulary; whatever the mapping does not name is not kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ingest.local_times import ABSENT, Mask, Micros, Times, read_times
from ingest.mapping_parts import AgeColumn, Source, ValueColumn

_OLDEST_YEARS = 130.0
_NULL = pa.scalar(None, pa.string())


@dataclass(frozen=True, slots=True)
class Words:
    """One column of words, shape (row,): null where absent; `bad` where something unknown was written."""

    words: pa.StringArray
    bad: Mask

    @property
    def present(self) -> Mask:
        return np.asarray(self.words.is_valid().to_numpy(zero_copy_only=False))


def as_text(column: pa.Array, missing: Sequence[str] = ()) -> pa.StringArray:
    """The column as trimmed text; null where it is blank, not a number, or a word for a missing value.

    Numbers of visits and patients know no such word: a case may well be called NA.
    Whole numbers that a file keeps as floats lose their ".0".
    """
    if pa.types.is_floating(column.type):
        column = _without_point(column)
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    absent = pc.is_in(text, value_set=pa.array(["", *missing], pa.string()))
    return pc.if_else(absent, _NULL, text)


def _without_point(column: pa.Array) -> pa.Array:
    numbers = pc.if_else(pc.is_finite(column), column, pa.scalar(None, column.type))
    whole = pc.all(pc.equal(numbers, pc.floor(numbers))).as_py() in (True, None)
    return numbers.cast(pa.int64(), safe=False) if whole else numbers


def read_instants(column: pa.Array, source: Source) -> Times:
    """A column of times as the source writes them."""
    written = column if pa.types.is_temporal(column.type) else as_text(column, source.missing_values)
    return read_times(written, zone=source.zone, time_format=source.time_format)


def read_words(column: pa.Array, mapped: ValueColumn, allowed: Sequence[str], source: Source) -> Words:
    """A column through its value map; without one, the vocabulary's own words."""
    known = dict(mapped.values) or {word: word for word in allowed}
    absent = frozenset(mapped.absent)
    return _translated(as_text(column, source.missing_values), absent, known.get)


def read_ages(column: pa.Array, mapped: AgeColumn, allowed: Sequence[str], source: Source, at: Micros) -> Words:
    """A column of ages as bands. `at`, shape (row,), is when a birth date is compared with: the day of arrival."""
    if mapped.holds == "band":
        return read_words(column, mapped, allowed, source)
    if mapped.holds == "years":
        return _translated(
            as_text(column, source.missing_values), frozenset(mapped.absent), lambda word: _band_of(word, source)
        )
    return _of_birth_dates(column, source, at)


def _translated(text: pa.StringArray, absent: frozenset[str], translate: Callable[[str], str | None]) -> Words:
    """Each distinct word is translated once; null of a word that is there says that it is unknown."""
    coded = pc.dictionary_encode(text)
    words = coded.dictionary.to_pylist()
    translated = [None if word in absent else translate(word) for word in words]
    unknown = [t is None and word not in absent for word, t in zip(words, translated, strict=True)]
    bad = pa.array(unknown, pa.bool_()).take(coded.indices).fill_null(False)
    return Words(pa.array(translated, pa.string()).take(coded.indices), bad.to_numpy(zero_copy_only=False))


def _band_of(word: str, source: Source) -> str | None:
    try:
        return band(float(word.replace(source.decimal, ".")))
    except ValueError:
        return None


def band(years: float) -> str | None:
    """The age band of an age; None for an age that nobody has."""
    if not 0 <= years <= _OLDEST_YEARS:
        return None
    return "0-17" if years < 18 else "18-74" if years < 75 else "75+"


def _of_birth_dates(column: pa.Array, source: Source, at: Micros) -> Words:
    born = read_instants(column, source.model_copy(update={"zone": "UTC"}))
    both = born.present & (at != ABSENT)
    years = completed_years(born.at[both], _local(at[both], source.zone))
    bands = np.full(len(at), None, dtype=object)
    bands[both] = [band(float(y)) for y in years]
    bad = born.bad.copy()
    bad[both] |= np.array([b is None for b in bands[both]], dtype=bool)
    return Words(pa.array(bands, pa.string()), bad)


def _local(at: Micros, zone: str) -> Micros:
    index = pd.DatetimeIndex(at.view("datetime64[us]")).tz_localize("UTC").tz_convert(zone)
    return np.asarray(index.tz_localize(None).asi8)


def completed_years(born: Micros, at: Micros) -> npt.NDArray[np.int64]:
    """Birthdays passed between two local days, shape (row,)."""
    start, end = (pd.DatetimeIndex(micros.view("datetime64[us]")) for micros in (born, at))
    before = (end.month * 100 + end.day) < (start.month * 100 + start.day)
    return np.asarray(end.year - start.year - before.astype(np.int64), dtype=np.int64)
