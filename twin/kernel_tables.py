"""What a run is given, packed into the two flat arrays of `kernel_layout.py`, and the room it works in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.events import EVENT_CLASSES, RANK
from twin import kernel_layout as layout
from twin.errors import TwinError
from twin.fate import Lot
from twin.hospital import Profile
from twin.kernel_pack import MOST_CHANGES, UNKNOWN, packing
from twin.pathway import Path
from twin.present import Present
from twin.stages import LEAVING
from twin.steps import NONE, Step, beds_of, hosts_of, kept_at, steps_of

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_BITS = {
    layout.IS_LEAVING: LEAVING,
    layout.TELLS_UNIT: frozenset({"Departed", "EnteredWard"}),
    layout.TELLS_WARD: frozenset({"DecidedToAdmit", "BedRequested"}),
}


_NOT_SAID = np.empty(0, dtype=np.bool_)


class Packed(NamedTuple):
    """A run to be done: whole numbers and minutes; after the loop, with its marks in them."""

    n: Index
    x: Array


class Room:
    """Room for one packed run after the other: what is used again is at hand, and need not be given and cleared."""

    def __init__(self) -> None:
        self._n, self._x = np.empty(0, dtype=np.int64), np.empty(0)
        self._told: tuple[Path, Mapping[str, Profile], _Pools] | None = None
        self.holder: object = None
        """Whose run is packed in it."""

    @property
    def whole(self) -> Packed:
        """All the room there is; what is in it may be anything."""
        return Packed(self._n, self._x)

    def holds(self, whole: int, minutes: int) -> bool:
        """Is there room for so many whole numbers and minutes?"""
        return self._n.size >= whole and self._x.size >= minutes

    def grow(self, whole: int, minutes: int) -> None:
        """Make room for twice as many, since the next may need more; what was in it is gone."""
        self._n, self._x = np.empty(2 * whole, dtype=np.int64), np.empty(2 * minutes)

    def of(self, whole: int, minutes: int) -> Packed:
        """So much of it."""
        return Packed(self._n[:whole], self._x[:minutes])

    def pools(self, path: Path, capacity: Mapping[str, Profile]) -> _Pools:
        """Capacities in numbers; those that were asked for last are at hand, since most members have the same."""
        if self._told is None or self._told[0] is not path or self._told[1] is not capacity:
            self._told = path, capacity, _pools(path, capacity)
        return self._told[2]


def packed(path: Path, lot: Lot, present: Present, horizon_min: float, room: Room | None = None) -> Packed:
    """What the runs of a member are given, whatever their capacities; `aimed` makes it ready for one of them.

    Raises TwinError if it is not known when somebody comes or whose turn it would be.
    """
    if not horizon_min > 0:
        raise TwinError(f"a run must go on for some time, but its horizon is {horizon_min:g} min")
    law, place, whole_fate = _law_of(path), room or Room(), lot.fates.whole
    given = (
        law.head, law.whole, len(path.pools), law.hosts.size, whole_fate.stage.shape[1], whole_fate.loads,
        whole_fate.caseloads, whole_fate.phases, present.here, present.serving, present.arrived_min, present.since_min,
        *lot.rows, *lot.freed, *lot.fates.columns, horizon_min,
    )  # fmt: skip
    whole, minutes = packing().pack(*place.whole, *given)
    if not place.holds(whole, minutes):
        place.grow(whole, minutes)
        whole, minutes = packing().pack(*place.whole, *given)
    if whole == UNKNOWN:
        raise TwinError("who comes in a run must have a priority and come at a minute from 0 on, but one has not")
    return place.of(whole, minutes)


def aimed(
    given: Packed, path: Path, capacity: Mapping[str, Profile], rows: Flags | None = None, room: Room | None = None
) -> None:
    """Make ready for a run with these capacities, in which these rows of the fate take part; all where not said.

    Raises TwinError if a pool of the path has no capacity, or if one changes oftener than there is room for.
    """
    told = (room or Room()).pools(path, capacity)
    packing().aim(*given, *told, _law_of(path).hosts, rows is None, _NOT_SAID if rows is None else rows)


class _Pools(NamedTuple):
    """Capacities in numbers."""

    begin: Index
    """The pools at the start, `(pool and POOL,)`, but for where their queues stand."""
    change_min: Array
    """When capacities change, `(change,)`."""
    changed: Index
    """Of which pool, and to what: both of each change, one after the other."""


def _pools(path: Path, capacity: Mapping[str, Profile]) -> _Pools:
    if missing := [pool for pool in path.pools if pool not in capacity]:
        raise TwinError(f"every pool of path {path.name} needs a capacity, but {', '.join(missing)} has none")
    profiles = [capacity[pool] for pool in path.pools]
    changes = [(minute, code, to) for code, profile in enumerate(profiles) for minute, to in profile[1:]]
    if len(changes) > MOST_CHANGES:
        raise TwinError(f"capacities may change {MOST_CHANGES} times in a run, but change {len(changes)} times")
    begin = np.zeros((len(profiles), layout.POOL), dtype=np.int64)
    begin[:, layout.CAPACITY] = [profile[0][1] for profile in profiles]
    begin[:, layout.WARD_OF] = _law_of(path).ward_of
    change_min = np.array([minute for minute, *_ in changes], dtype=np.float64)
    return _Pools(begin.ravel(), change_min, np.array([pair for _, *pair in changes], dtype=np.int64).ravel())


class _Law(NamedTuple):
    """A path in numbers."""

    head: Index
    """The head of its runs, as far as the path says it."""
    whole: Index
    """Behind it: stages, the lists of pools that they and wards name, bits of kinds, pools of beds by unit, and where
    the pools stand that each unit overflows into, and how many."""
    hosts: Index
    """Pools of beds that some ward overflows into."""
    ward_of: Index
    """By pool, the ward whose beds it is."""


@lru_cache(maxsize=8)
def _law_of(path: Path) -> _Law:
    codes: list[int] = []
    inside = zip(path.inside_queueing, path.inside_serving, strict=True)
    steps = [
        _row(step, kept, codes, flags) for step, kept, flags in zip(steps_of(path), kept_at(path), inside, strict=True)
    ]
    kinds = np.zeros(len(EVENT_CLASSES), dtype=np.int64)
    for bit, names in _BITS.items():
        for name in names:
            kinds[RANK[name]] |= bit
    beds = beds_of(path)
    hosts = [[beds[ward] for ward in wards] for wards in hosts_of(path)]
    codes_at = layout.HEAD + layout.STEP * len(steps)
    begin = codes_at + len(codes) + np.cumsum([0, *map(len, hosts)])[:-1]
    rows = np.array(steps, dtype=np.int64)
    rows[:, [layout.ASKS_AT, layout.GIVES_AT, layout.KEPT_AT]] += codes_at
    hosted = np.stack([begin, np.array(list(map(len, hosts)), dtype=np.int64)], axis=1)
    whole: dict[int, Index] = {
        layout.STEPS: rows, layout.CODES: np.array([*codes, *chain(*hosts)], dtype=np.int64), layout.KINDS: kinds,
        layout.BEDS: np.array(beds, dtype=np.int64), layout.HOSTS: hosted,
    }  # fmt: skip
    head = np.zeros(layout.HEAD, dtype=np.int64)
    head[list(whole)] = layout.HEAD + np.cumsum([0, *(values.size for values in whole.values())])[:-1]
    head[layout.KEEP] = sum(len(stage.takes) for stage in path.stages) + 1
    return _Law(
        head=head,
        whole=np.concatenate([values.ravel() for values in whole.values()]),
        hosts=np.unique(np.array([*chain(*hosts)], dtype=np.int64)),
        ward_of=np.array([beds.index(p) if p in beds else NONE for p in range(len(path.pools))], dtype=np.int64),
    )


def _row(step: Step, kept: Sequence[int], codes: list[int], inside: tuple[bool, bool]) -> list[int]:
    """The columns of a stage; its lists of pools are added to the codes."""
    asks_at, asks = len(codes), len(step.takes) + len(step.needs)
    codes += [*step.takes, *step.needs, *step.gives, *kept]
    gives_at = asks_at + asks
    row = [
        step.comes, asks_at, len(step.takes), asks, gives_at, len(step.gives), gives_at + len(step.gives), len(kept),
        step.patience, step.unit, step.starts, step.starts_to, step.frees, step.care, step.wants, step.ends,
        step.ends_to, *inside, step.overflows, step.by_clock,
    ]  # fmt: skip
    return [int(value) for value in row]
