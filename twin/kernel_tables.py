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
from twin.fate import Fate
from twin.hospital import Profile
from twin.pathway import Path
from twin.present import Present
from twin.stages import LEAVING
from twin.steps import NONE, Step, beds_of, hosts_of, kept_at, steps_of

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_MARKS_A_STOP = 4
"""A patient may arrive, move, start and end at a stop."""
_EVENTS_A_ROW = 2
"""A stage that lasts and what it frees before its end; lost patience besides, one a stop."""
MOST_CHANGES = 2000
"""How often capacities may change in a run, all pools together."""
_BITS = {
    layout.IS_LEAVING: LEAVING,
    layout.TELLS_UNIT: frozenset({"Departed", "EnteredWard"}),
    layout.TELLS_WARD: frozenset({"DecidedToAdmit", "BedRequested"}),
}


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

    def of(self, whole: int, minutes: int) -> Packed:
        """Two arrays of these sizes; what was in them may be anything."""
        if self._n.size < whole:
            self._n = np.empty(2 * whole, dtype=np.int64)
        if self._x.size < minutes:
            self._x = np.empty(2 * minutes)
        return Packed(self._n[:whole], self._x[:minutes])

    def pools(self, path: Path, capacity: Mapping[str, Profile]) -> _Pools:
        """Capacities in numbers; those that were asked for last are at hand, since most members have the same."""
        if self._told is None or self._told[0] is not path or self._told[1] is not capacity:
            self._told = path, capacity, _pools(path, capacity)
        return self._told[2]


def packed(path: Path, fate: Fate, present: Present, horizon_min: float, room: Room | None = None) -> Packed:
    """What the runs of a member are given, whatever their capacities; `aimed` makes it ready for one of them.

    Raises TwinError if it is not known when somebody comes or whose turn it would be.
    """
    if not horizon_min > 0:
        raise TwinError(f"a run must go on for some time, but its horizon is {horizon_min:g} min")
    law, came = _law_of(path), _came(fate, present)
    head, begin = law.head.copy(), layout.HEAD + law.whole.size
    whole, minutes = _whole(head, fate, present, came), _minutes(head, fate, came, horizon_min)
    n_free, x_free = _free(head, path, fate)
    n_given, x_given = _laid_out(head, _sizes(whole), begin), _laid_out(head, _sizes(minutes), 0)
    n, x = (room or Room()).of(_laid_out(head, n_free, n_given), _laid_out(head, x_free, x_given))
    n[: layout.HEAD], n[layout.HEAD : begin] = head, law.whole
    np.concatenate([values.ravel() for values in whole.values()], out=n[begin:n_given])
    np.concatenate([values.ravel() for values in minutes.values()], out=x[:x_given])
    return Packed(n, x)


def _came(fate: Fate, present: Present) -> Array:
    """When everybody comes, or came."""
    here, came = present.count, fate.at_min.copy()
    came[:here] = np.where(np.isnan(present.arrived_min), present.since_min, present.arrived_min)
    if np.isnan(came.sum() + fate.priority.sum()) or (came[here:] < 0).any():
        raise TwinError("who comes in a run must have a priority and come at a minute from 0 on, but one has not")
    return came


def _whole(head: list[int], fate: Fate, present: Present, came: Array) -> dict[int, Index]:
    """Where each patient goes and where those here stand, by the place of the head that says where it begins."""
    serving = (present.here & present.serving).nonzero()[0]
    queueing = (present.here & ~present.serving).nonzero()[0]
    queueing = queueing[np.lexsort((queueing, came[queueing], fate.priority[queueing]))]
    head[layout.ROWS], head[layout.STOPS] = fate.stage.shape
    head[layout.FIRST], head[layout.SERVERS], head[layout.QUEUERS] = present.count, serving.size, queueing.size
    return {
        layout.STAGE: fate.stage, layout.WANTED: fate.unit, layout.VISIT: fate.visit, layout.FREED_AT: fate.freed_at,
        layout.SERVING: serving, layout.QUEUEING: queueing,
    }  # fmt: skip


def _minutes(head: list[int], fate: Fate, came: Array, horizon_min: float) -> dict[int, Array]:
    """When everybody comes, how long everything lasts, and what decides whose turn it is; the horizon first of all."""
    head[layout.LOADS], head[layout.CASELOADS], head[layout.PHASES] = fate.loads, fate.caseloads, fate.phases
    head[layout.CLOCK_EDGES] = fate.clock_edge_min.size
    return {
        layout.HORIZON: np.array([horizon_min]), layout.PHASE_EDGE: fate.phase_edge_min, layout.LASTS: fate.minutes,
        layout.FREED: fate.freed_min, layout.PATIENCE: fate.patience_min, layout.EDGES: fate.edges[fate.block],
        layout.PRIORITY: fate.priority, layout.EARLIER: np.array([fate.leaving_earlier_min]),
        layout.CLOCK_EDGE: fate.clock_edge_min, layout.CLOCK: fate.clock_min, layout.CAME: came,
    }  # fmt: skip


def _free(head: list[int], path: Path, fate: Fate) -> tuple[dict[int, int], dict[int, int]]:
    """Room for what a run is aimed at, for pools kept, for events foreseen, and for marks: for what there can be."""
    rows, stops = fate.stage.shape
    events = rows * (_EVENTS_A_ROW + stops) + len(path.pools) + MOST_CHANGES
    marks = rows * (stops * _MARKS_A_STOP + 1)
    head[layout.MOST_EVENTS], head[layout.MOST_MARKS] = events, marks
    return {
        layout.COMERS: rows - head[layout.FIRST], layout.CHANGED: 2 * MOST_CHANGES,
        layout.BODIES: rows * layout.BODY, layout.KEPT_NOW: rows * head[layout.KEEP],
        layout.POOLS: len(path.pools) * layout.POOL, layout.QUEUES: len(path.pools) * rows,
        layout.GUESTS: _law_of(path).hosts.size * rows, layout.HEAP: events * layout.HEAPED,
        layout.TOLD: marks * layout.MARK,
    }, {layout.CHANGE_AT: MOST_CHANGES, layout.HEAP_AT: events, layout.TOLD_AT: marks}  # fmt: skip


def _sizes(parts: Mapping[int, Index] | Mapping[int, Array]) -> dict[int, int]:
    return {place: values.size for place, values in parts.items()}


def _laid_out(head: list[int], sizes: Mapping[int, int], at: int) -> int:
    """Writes into the head where each begins, one after the other from a place on; where the last ends."""
    for place, size in sizes.items():
        head[place] = at
        at += size
    return at


def aimed(
    given: Packed, path: Path, fate: Fate, capacity: Mapping[str, Profile], rows: Flags | None = None,
    room: Room | None = None,
) -> None:  # fmt: skip
    """Make ready for a run with these capacities, in which these rows of the fate take part; all where not said.

    Raises TwinError if a pool of the path has no capacity, or if one changes oftener than there is room for.
    """
    n, x = given
    head = n[: layout.HEAD].tolist()
    n[layout.ORDER : layout.ROWS] = 0
    _set_pools(n, x, head, path, (room or Room()).pools(path, capacity))
    body = n[head[layout.BODIES] : head[layout.KEPT_NOW]].reshape(-1, layout.BODY)
    body[:] = 0
    body[:, layout.WARD], body[:, layout.WHERE] = fate.unit[:, 0], NONE
    came = x[head[layout.CAME] : head[layout.CHANGE_AT]]
    first = head[layout.FIRST]
    coming = np.arange(first, came.size) if rows is None else first + np.flatnonzero(rows[first:])
    coming = coming[np.argsort(came[coming], kind="stable")]
    n[head[layout.COMERS] : head[layout.COMERS] + coming.size] = coming
    n[layout.COMING] = coming.size


def _set_pools(n: Index, x: Array, head: Sequence[int], path: Path, told: _Pools) -> None:
    """Capacities, as they are at the start and as they change; and empty queues, in which each row may stand once."""
    pools = n[head[layout.POOLS] : head[layout.QUEUES]].reshape(-1, layout.POOL)
    pools[:] = told.begin
    pools[:, layout.QUEUE_AT] = head[layout.QUEUES] + head[layout.ROWS] * np.arange(len(pools))
    hosts = _law_of(path).hosts
    pools[hosts, layout.INVITED_AT] = head[layout.GUESTS] + head[layout.ROWS] * np.arange(hosts.size)
    changes, at, changed = told.change_min.size, head[layout.CHANGE_AT], head[layout.CHANGED]
    n[layout.CHANGES] = changes
    x[at : at + changes] = told.change_min
    n[changed : changed + 2 * changes] = told.changed


class _Pools(NamedTuple):
    """Capacities in numbers."""

    begin: Index
    """The pools at the start, `(pool, POOL)`, but for where their queues stand."""
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
    return _Pools(begin, change_min, np.array([pair for _, *pair in changes], dtype=np.int64).ravel())


class _Law(NamedTuple):
    """A path in numbers."""

    head: list[int]
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
    head = [0] * layout.HEAD
    _laid_out(head, _sizes(whole), layout.HEAD)
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
