"""What is doubtful in hourly series: hours that nobody counted, and counts that no longer move.

A *gap* is a stretch between two readings of a series in which readings are due and missing; stretches that several
series miss together are told once. A *frozen run* is a stretch in which a series says the same over and over; one
missing reading inside does not end it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.local_times import Mask, Micros, instant_of

Codes = npt.NDArray[np.int64]
Prints = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Readings from `since` up to before `until` are missing in as many `series` at once."""

    since: datetime
    until: datetime
    readings: int
    series: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenRun:
    """`series` says the same in `readings` readings, the first at `since` and the last at `until`."""

    series: str
    since: datetime
    until: datetime
    readings: int


class Series:
    """The readings of a feed as they come in, 24 bytes each; looked through at the end."""

    def __init__(self, every_us: int, frozen_us: int) -> None:
        self._every, self._frozen = every_us, frozen_us
        self._names: dict[str, int] = {}
        self._parts: list[tuple[Codes, Micros, Prints]] = []

    def add(self, series: pa.StringArray, at: Micros, said: Prints) -> None:
        """More readings: whose, when, and a fingerprint of what was said; all of shape (n,)."""
        coded = series.dictionary_encode()
        local = [self._names.setdefault(name, len(self._names)) for name in coded.dictionary.to_pylist()]
        codes = np.array([*local, 0], dtype=np.int64)[coded.indices.to_numpy()]
        self._parts.append((codes, at, said))

    def gaps(self) -> list[Gap]:
        """The longest first; those of one length in order of time."""
        codes, at, _ = self._sorted()
        step = np.diff(at)
        missing = np.flatnonzero((np.diff(codes) == 0) & (step > 1.5 * self._every))
        spans = np.stack([at[missing] + self._every, at[missing + 1]], axis=1) if len(missing) else np.empty((0, 2))
        distinct, counts = np.unique(spans, axis=0, return_counts=True)
        found = [
            Gap(since=instant_of(a), until=instant_of(b), readings=max(1, round((b - a) / self._every)), series=int(n))
            for (a, b), n in zip(distinct.tolist(), counts.tolist(), strict=True)
        ]
        return sorted(found, key=lambda gap: (-gap.readings, gap.since))

    def frozen(self) -> list[FrozenRun]:
        """The longest first."""
        codes, at, said = self._sorted()
        if not len(codes):
            return []
        ends = np.flatnonzero(np.append(~self._goes_on(codes, at, said), True))
        starts = np.append(0, ends[:-1] + 1)
        long = at[ends] - at[starts] + self._every >= self._frozen
        names = list(self._names)
        runs = [
            FrozenRun(series=names[codes[a]], since=instant_of(at[a]), until=instant_of(at[b]), readings=int(b - a) + 1)
            for a, b in zip(starts[long].tolist(), ends[long].tolist(), strict=True)
        ]
        return sorted(runs, key=lambda run: (run.since - run.until, run.since, run.series))

    def _goes_on(self, codes: Codes, at: Micros, said: Prints) -> Mask:
        """Which readings, shape (n - 1,), are followed by one of their series that says the same in time."""
        near = np.diff(at) <= 2.5 * self._every
        return np.asarray((np.diff(codes) == 0) & near & (said[1:] == said[:-1]))

    def _sorted(self) -> tuple[Codes, Micros, Prints]:
        parts = self._parts or [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint64))]
        codes, at, said = (np.concatenate([part[i] for part in parts]) for i in range(3))
        order = np.lexsort((at, codes))
        return codes[order], at[order], said[order]
