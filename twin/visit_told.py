"""What each visit tells as plain values, worked out once a visit: instants in microseconds since 1970.

A visit does not change, and is counted anew every quarter of an hour for months: reading its fields again and again
costs more than counting it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from twin.visit import Visit

Index = npt.NDArray[np.int64]

NEVER = int(np.iinfo(np.int64).min)
"""In place of an instant that is not recorded."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S, _SECOND_US = 86_400, 1_000_000
_QUARTER_US = 15 * 60 * _SECOND_US


INSTANTS = np.dtype([(name, "=i8") for name in (
    "arrived", "triaged", "seen", "decided", "departed", "discharged", "triage_known", "contact_known", "exit_known",
    "began",
)])  # fmt: skip
"""Of a visit: `exit_known` is when the exit from the department became known, for who left a ward untold of, when that
was; `began` is the arrival, or the first stay of those who came straight to a ward."""
STAY = np.dtype([
    ("from", "=i8"), ("until", "=i8"), ("end_known", "=i8"), ("ward", "?"), ("direct", "?"), ("untold", "?"),
])  # fmt: skip
"""Of a stay in a unit; `direct` into a ward from outside or from another ward."""
_INSTANTS, _STAY = Struct(f"={INSTANTS.itemsize // 8}q"), Struct("=3q3?")


class Ends(NamedTuple):
    """How boarding ended."""

    ward: str
    """The ward wanted."""
    us: int | None
    """From the decision to the exit, at least 0, of who went to a ward; None for who went elsewhere."""


class Told(NamedTuple):
    """A visit; `wanted` is the ward entered, else the one wanted."""

    instants: bytes
    """One `INSTANTS`, so that those of many are joined at once."""
    to: str | None
    acuity: str | None
    elderly: bool
    wanted: str | None
    asked: str | None
    units: tuple[str, ...]
    """Of its stays."""
    stays: bytes
    """A `STAY` each."""
    left: tuple[str, ...]
    """The wards among them that it left."""
    ends: Ends | None
    """Of who wanted a ward and whose exit is told."""


def told_of(visit: Visit) -> Told:
    """What a visit tells; the same value each time for the same visit."""
    if visit.told is None:
        object.__setattr__(visit, "told", _told(visit))
    told: Told = visit.told
    return told


def all_told(visits: Iterable[Visit]) -> list[Told]:
    """What several tell."""
    return [visit.told or told_of(visit) for visit in visits]


def local_hours(instants_us: Index, zone: str) -> Index:
    """The local hour of the day of some instants; offsets from UTC are whole quarters of an hour."""
    quarter, place = np.unique(instants_us // _QUARTER_US, return_inverse=True)
    return np.array([_hour(at, zone) for at in quarter.tolist()], dtype=np.int64)[place]


@lru_cache(maxsize=100_000)
def _hour(quarter: int, zone: str) -> int:
    return local(datetime.fromtimestamp(quarter * (_QUARTER_US // _SECOND_US), tz=UTC), zone).hour


def micros(instant: datetime | None) -> int:
    """Microseconds since 1970; NEVER for None."""
    if instant is None:
        return NEVER
    since = instant - _EPOCH
    return (since.days * _DAY_S + since.seconds) * _SECOND_US + since.microseconds


def _told(visit: Visit) -> Told:
    v = visit
    entered = next((stay.unit for stay in v.stays if stay.ward), None)
    return Told(
        _INSTANTS.pack(*map(micros, (
            v.arrived_at, v.triaged_at, v.seen_at, v.decided_at, v.departed_at, v.discharged_at, v.triage_known_at,
            v.contact_known_at, v.departure_known_at or v.left_ward_known_at,
            v.arrived_at or (v.stays[0].from_at if v.stays else None),
        ))),
        to=v.to,
        acuity=v.acuity,
        elderly=v.age_band == "75+",
        wanted=entered or v.unit_wanted,
        asked=v.unit_wanted,
        units=tuple(stay.unit for stay in v.stays),
        stays=b"".join(_stay(v, k) for k in range(len(v.stays))),
        left=tuple(stay.unit for stay in v.stays if stay.ward and stay.until_at),
        ends=_ends(v),
    )  # fmt: skip


def _ends(visit: Visit) -> Ends | None:
    if not (visit.departed_at and visit.decided_at and visit.unit_wanted):
        return None
    us = max((visit.departed_at - visit.decided_at) // timedelta(microseconds=1), 0)
    return Ends(visit.unit_wanted, us if visit.to == "ward" else None)


def _stay(visit: Visit, k: int) -> bytes:
    stay = visit.stays[k]
    direct = stay.ward and (visit.arrived_at is None or (k > 0 and visit.stays[k - 1].ward))
    at = map(micros, (stay.from_at, stay.until_at, stay.end_known_at))
    return _STAY.pack(*at, stay.ward, direct, stay.untold)
