"""How boarding ends and which wards are told to have been left, as far as visits tell: sums, so that they add up.

What a state tells of it is kept up to date visit by visit, since it is asked for at every instant of a past; times are
whole microseconds, so that the order of the visits does not matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from twin.visit_told import Told

_MINUTE_US = 60_000_000


@dataclass(frozen=True)
class Boarding:
    """Of those who wanted a ward and whose exit is told."""

    min: float
    """For how long those board, on average, who go to a ward."""
    elsewhere_share: float
    """The share that goes to no ward."""


NOT_TOLD = Boarding(0.0, 0.0)


class _Boarded(NamedTuple):
    """Those who wanted a ward: how many went to one, after how long in all, and how many went elsewhere."""

    to_ward: int = 0
    us: int = 0
    elsewhere: int = 0

    def and_one(self, us: int | None, times: int) -> _Boarded:
        if us is None:
            return self._replace(elsewhere=self.elsewhere + times)
        return self._replace(to_ward=self.to_ward + times, us=self.us + times * us)


@dataclass(frozen=True)
class Endings:
    """Of many visits; a visit that has changed is taken out as it was and put in as it is."""

    left: Mapping[str, int] = field(default_factory=dict)
    """How many stays in each ward have ended; wards of which none has are not here."""
    boarded: Mapping[str, _Boarded] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Iterable[Told]) -> Endings:
        """Of visits by what they tell."""
        return cls().changed((), told)

    def changed(self, before: Iterable[Told], now: Iterable[Told]) -> Endings:
        """Of other visits: without those before, which are among them, and with those now."""
        left, boarded = Counter(self.left), dict(self.boarded)
        for visits, times in ((before, -1), (now, 1)):
            for one in visits:
                for ward in one.left:
                    left[ward] += times
                if one.ends is not None:
                    boarded[one.ends.ward] = boarded.get(one.ends.ward, _Boarded()).and_one(one.ends.us, times)
        return Endings(+left, boarded)

    @property
    def followed(self) -> frozenset[str]:
        """The wards of which visits tell that somebody was in them and left."""
        return frozenset(self.left)

    def boarding(self, ward: str | None) -> Boarding:
        """How boarding for a ward ends; `NOT_TOLD` where nobody is told to have gone to one."""
        of = self.boarded.get(ward or "", _Boarded())
        if not of.to_ward:
            return NOT_TOLD
        return Boarding(of.us / of.to_ward / _MINUTE_US, of.elsewhere / (of.to_ward + of.elsewhere))
