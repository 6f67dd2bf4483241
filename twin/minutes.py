"""Aware datetimes to float minutes from an origin and back; the only place that converts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from twin.visit_told import NEVER, micros

Array = npt.NDArray[np.float64]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)
_MINUTE_US = 60e6


@dataclass(frozen=True)
class Minutes:
    """Minutes counted from `origin`, an aware instant; negative before it."""

    origin: datetime

    def of(self, instant: datetime | None) -> float:
        """The instant in minutes; NaN for None."""
        return float("nan") if instant is None else (instant - self.origin) / _MINUTE

    def at(self, minute: float) -> datetime:
        """The instant a number of minutes after the origin."""
        return self.origin + timedelta(minutes=minute)

    def of_many(self, instants: Sequence[datetime | None]) -> Array:
        """Several instants in minutes, `(n,)`."""
        origin, nan = self.origin, float("nan")
        return np.array([nan if at is None else (at - origin) / _MINUTE for at in instants], dtype=np.float64)

    def of_micros(self, instants_us: npt.NDArray[np.int64]) -> Array:
        """Several instants in microseconds since 1970 (`visit_told.NEVER` where there is none: NaN), in minutes."""
        since = (instants_us - micros(self.origin)) / _MINUTE_US
        return np.where(instants_us == NEVER, np.nan, since)

    def hours_of_week(self, first_hour: int, hours: int, zone: str) -> npt.NDArray[np.int64]:
        """The local hour of the week (0 = Monday 0:00) of whole hours since the Unix epoch, `(hours,)`.

        True to the zone on the nights when clocks change: an hour may stand twice or be left out.
        """
        return np.array([_hour_of_week(first_hour + i, zone) for i in range(hours)], dtype=np.int64)

    def epoch_hour(self) -> int:
        """The whole hour since the Unix epoch in which the origin lies."""
        return int((self.origin - _EPOCH) // timedelta(hours=1))

    def past_the_hour(self) -> float:
        """Minutes of the origin past its whole hour."""
        return ((self.origin - _EPOCH) % timedelta(hours=1)) / timedelta(minutes=1)


@lru_cache(maxsize=100_000)
def _hour_of_week(hour: int, zone: str) -> int:
    """Of a whole hour since the Unix epoch."""
    here = local(_EPOCH + timedelta(hours=hour), zone)
    return here.weekday() * 24 + here.hour
