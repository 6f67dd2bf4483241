"""HL7 time stamps: `YYYYMMDD[HH[MM[SS[.f]]]][+ZZZZ]` to instants and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

from ingest.clock import resolve

_STAMP = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6})\d*)?)?)?)?([+-]\d{4})?", re.ASCII
)
_FIRST_YEAR, _LAST_YEAR = 1980, 2199


class Moment(NamedTuple):
    """An instant in UTC, and what is doubtful about it."""

    at: datetime
    flags: tuple[str, ...]


def moment(text: str, zone: str) -> Moment | None:
    """The instant that a stamp tells; None where it tells none (impossible, or a year before 1980 or after 2199).

    Without an offset it is local time of the zone: the hour that autumn repeats is its first passage, flagged
    "ambiguous_time"; the hour that spring skips moves forward, flagged "missing_time". A day alone is its midnight,
    flagged "day_only".
    """
    found = _STAMP.fullmatch(text)
    if found is None or not _FIRST_YEAR <= int(found[1]) <= _LAST_YEAR:
        return None
    fraction = int((found[7] or "0").ljust(6, "0"))
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        local = datetime(year, month, day, hour, minute, second, fraction)
        day_only = () if found[4] else ("day_only",)
        if found[8]:
            return Moment(local.replace(tzinfo=_offset(found[8])).astimezone(UTC), day_only)
    except (ValueError, OverflowError):
        return None
    at, flag = resolve(local, zone)
    return Moment(at, (*day_only, f"{flag}_time") if flag else day_only)


def birth_date(text: str) -> datetime | None:
    """The day of birth that a stamp tells, as a local time; None where it tells none."""
    found = _STAMP.fullmatch(text)
    if found is None or int(found[1]) < 1880:
        return None
    try:
        return datetime(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def stamp(at: datetime) -> str:
    """An instant as a stamp in UTC, to the microsecond where it has any."""
    fraction = f".{at.microsecond:06d}" if at.microsecond else ""
    return f"{at.astimezone(UTC):%Y%m%d%H%M%S}{fraction}+0000"


def _offset(text: str) -> timezone:
    size = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    return timezone(-size if text[0] == "-" else size)
