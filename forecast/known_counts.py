"""What closures and absences make of a count: which steps are to be told of a ward's beds, or of a pool of staff.

A count stands by itself in the log, so all that was said of one ward is told together: at each instant at which one
begins or ends, how many are left of what there would be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twin.hospital import Hospital

SOON = timedelta(seconds=30)
"""A count of staff is told before it begins: so a forecast takes it for the roster's change that it is."""
_MIN = timedelta(minutes=1)


@dataclass(frozen=True)
class Missing:
    """So many less, from one instant until another."""

    count: int
    from_at: datetime
    until: datetime

    def is_on(self, at: datetime) -> bool:
        """Does it hold at an instant?"""
        return self.from_at <= at < self.until


Usual = Callable[[datetime], int]
"""How many there would be at an instant."""


def next_minute(now: datetime) -> datetime:
    """The full minute from which an absence counts that begins now."""
    return (now + SOON).replace(second=0, microsecond=0) + _MIN


def steps(
    missing: Sequence[Missing], usual: Usual, start: datetime, changes: Iterable[datetime] = (), *, always: bool = False
) -> list[tuple[datetime, int]]:
    """What is to be told from `start` on: instants, and how many there are from then on.

    `changes` are the instants at which there would be another number by itself: while something is missing then, it has
    to be said again. With `always` the first is told although nothing is missing at the start.
    """
    ends = {at for one in missing for at in (one.from_at, one.until) if at > start}
    ends |= {at for at in changes if at > start and any(one.is_on(at) for one in missing)}
    first = [start] if always or any(one.is_on(start) for one in missing) else []
    return [(at, max(0, usual(at) - _missing_at(missing, at))) for at in [*first, *sorted(ends)]]


def least(missing: Sequence[Missing], usual: Usual, start: datetime, until: datetime) -> int:
    """How many there are at the least between two instants, by what was said so far."""
    looked = [start, *(at for one in missing for at in (one.from_at, one.until) if start < at < until)]
    return min(usual(at) - _missing_at(missing, at) for at in looked)


def _missing_at(missing: Sequence[Missing], at: datetime) -> int:
    return sum(one.count for one in missing if one.is_on(at))


def roster_of(hospital: Hospital, pool: str, start: datetime, until: datetime) -> tuple[Usual, list[datetime]]:
    """How many a roster has at an instant, and when it changes between two."""
    minutes = (until - start) / _MIN + 1.0
    profile = hospital.capacities((pool,), start, minutes)[pool]
    told = [(start + minute * _MIN, count) for minute, count in profile]

    def usual(at: datetime) -> int:
        return [count for begins, count in told if begins <= at or begins == start][-1]

    return usual, [begins for begins, _ in told[1:]]
