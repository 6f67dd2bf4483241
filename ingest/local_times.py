"""Columns of written times as instants: parsed all at once, local times resolved through their zone.

The rule is that of `ingest.clock.resolve`: the repeated hour of autumn is its first passage, the hour that spring
skips moves forward by the gap, and both are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ingest.clock import resolve

Micros = npt.NDArray[np.int64]
"""Microseconds since 1970 in UTC; ABSENT where there is no time."""
Mask = npt.NDArray[np.bool_]

ABSENT = np.iinfo(np.int64).min
_ISO = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?$"
_ISO_OFFSET = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)$"
_EARLIEST, _LATEST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000 for year in (1900, 2200))


@dataclass(frozen=True, slots=True)
class Times:
    """One column of instants, shape (row,): `at` ABSENT where empty or impossible; `bad` where something impossible
    was written; `ambiguous` and `missing` count the local times that fell into the hours of a clock change."""

    at: Micros
    bad: Mask
    ambiguous: int = 0
    missing: int = 0

    @property
    def present(self) -> Mask:
        return np.asarray(self.at != ABSENT)


def read_times(column: pa.Array, *, zone: str, time_format: str | None = None) -> Times:
    """A column of texts or timestamps as instants; null and blank are absent.

    Texts are ISO 8601, kept to the microsecond, unless `time_format` (strptime) says otherwise. A text that says its
    offset needs no zone. Years before 1900 and from 2200 on are impossible.
    """
    if pa.types.is_temporal(column.type):
        return _of_timestamps(column, zone)
    text = _trimmed(column)
    written = text.is_valid().to_numpy(zero_copy_only=False)
    local, instants = _by_format(text, time_format) if time_format else _by_iso(text)
    resolved, ambiguous, missing = localise(local, zone)
    return _checked(np.where(instants != ABSENT, instants, resolved), written, ambiguous, missing)


def _of_timestamps(column: pa.Array, zone: str) -> Times:
    written = column.is_valid().to_numpy(zero_copy_only=False)
    aware = pa.types.is_timestamp(column.type) and column.type.tz is not None
    at = _micros(column.cast(pa.timestamp("us", "UTC" if aware else None), safe=False))
    resolved, ambiguous, missing = (at, 0, 0) if aware else localise(at, zone)
    return _checked(resolved, written, ambiguous, missing)


def _checked(at: Micros, written: Mask, ambiguous: int, missing: int) -> Times:
    good = (at >= _EARLIEST) & (at < _LATEST)
    return Times(np.where(good, at, ABSENT), written & ~good, ambiguous, missing)


def localise(local: Micros, zone: str) -> tuple[Micros, int, int]:
    """Local times (microseconds since a local 1970) as UTC; how many were ambiguous, how many missing.

    The few in the hours of a clock change go one by one through `resolve`; all others have one reading only.
    """
    within = np.where((local >= _EARLIEST) & (local < _LATEST), local, ABSENT)
    index = pd.DatetimeIndex(within.view("datetime64[us]"))
    at = index.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").asi8.copy()
    flags = {"ambiguous": 0, "missing": 0}
    for row in np.flatnonzero((at == ABSENT) & (within != ABSENT)):
        instant, flag = resolve(index[int(row)].to_pydatetime(), zone)
        at[row] = micros_of(instant)
        if flag is not None:
            flags[flag] += 1
    return at, flags["ambiguous"], flags["missing"]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def micros_of_min(minutes: float) -> int:
    """Minutes as whole microseconds."""
    return timedelta(minutes=minutes) // timedelta(microseconds=1)


def instant_of(micros: int) -> datetime:
    """The aware instant of microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=int(micros))


def _trimmed(column: pa.Array) -> pa.StringArray:
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _by_iso(text: pa.StringArray) -> tuple[Micros, Micros]:
    """Local times and instants; each text is at most one of them."""
    local = _matching(text, _ISO)
    if local.null_count == text.null_count:
        return _parsed(local, None), np.full(len(text), ABSENT)
    return _parsed(local, None), _parsed(_matching(text, _ISO_OFFSET), "UTC")


def _matching(text: pa.StringArray, pattern: str) -> pa.StringArray:
    return pc.if_else(pc.match_substring_regex(text, pattern), text, pa.scalar(None, pa.string()))


def _parsed(text: pa.StringArray, zone: str | None) -> Micros:
    """Arrow parses a whole column fast or not at all; a column with an impossible date goes through pandas."""
    try:
        return _micros(text.cast(pa.timestamp("us", zone)))
    except pa.ArrowInvalid:
        return _by_pandas(text, "ISO8601", zone is not None)


def _by_format(text: pa.StringArray, time_format: str) -> tuple[Micros, Micros]:
    absent = np.full(len(text), ABSENT)
    if "%z" in time_format:
        return absent, _by_pandas(text, time_format, True)
    return _by_pandas(text, time_format, False), absent


def _by_pandas(text: pa.StringArray, time_format: str, aware: bool) -> Micros:
    parsed = pd.to_datetime(pd.Series(text.to_pandas()), format=time_format, errors="coerce", utc=aware)
    plain = parsed.dt.tz_localize(None) if aware else parsed
    return np.asarray(plain.to_numpy("datetime64[us]").view(np.int64))


def _micros(timestamps: pa.TimestampArray) -> Micros:
    return np.asarray(timestamps.cast(pa.int64()).fill_null(int(ABSENT)).to_numpy(zero_copy_only=False))
