"""What a run is given, packed into the two flat arrays of `kernel_layout.py`, and the room it works in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
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
from twin.steps import NONE, Step, beds_of, kept_at, steps_of

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

_MARKS_A_STOP = 4
"""A patient may arrive, move, start and end at a stop."""
_EVENTS_A_ROW = 2
"""A stage that lasts and what it frees before its end; lost patience besides, one a stop."""
_BITS = {
    layout.IS_LEAVING: LEAVING,
    layout.TELLS_UNIT: frozenset({"Departed", "EnteredWard"}),
    layout.TELLS_WARD: frozenset({"DecidedToAdmit", "BedRequested"}),
}


class Packed(NamedTuple):
    """A run to be done: whole numbers and minutes; after the loop, with its marks in them."""

    n: Index
    x: Array


def packed(capacity: Mapping[str, Profile], path: Path, fate: Fate, present: Present, horizon_min: float) -> Packed:
    """What a member's run is given, ready for the layout.

    Raises TwinError if a pool of the path has no capacity, or if it is not known when somebody comes or whose turn it
    would be.
    """
    if missing := [pool for pool in path.pools if pool not in capacity]:
        raise TwinError(f"every pool of path {path.name} needs a capacity, but {', '.join(missing)} has none")
    if not horizon_min > 0:
        raise TwinError(f"a run must go on for some time, but its horizon is {horizon_min:g} min")
    box = _Box()
    box.minutes[layout.HORIZON] = np.array([horizon_min])
    _put_path(box, path)
    _put_fate(box, path, fate)
    _put_people(box, fate, present)
    _put_pools(box, [capacity[pool] for pool in path.pools], fate.visit.size)
    _leave_room(box, path, fate)
    return box.packed()


class _Box:
    """Numbers by the place of the head that says where they begin, and room to be left."""

    def __init__(self) -> None:
        self.count: dict[int, int] = {}
        self.whole: dict[int, npt.NDArray[np.generic] | int] = {}
        self.minutes: dict[int, npt.NDArray[np.generic] | int] = {}

    def packed(self) -> Packed:
        """One after the other; room is left as it comes."""
        head = np.zeros(layout.HEAD, dtype=np.int64)
        for place, count in self.count.items():
            head[place] = count
        sizes = [sum(map(_size, part.values())) for part in (self.whole, self.minutes)]
        n, x = np.empty(layout.HEAD + sizes[0], dtype=np.int64), np.empty(sizes[1])
        for part, room, at in ((self.whole, n, layout.HEAD), (self.minutes, x, 0)):
            for place, values in part.items():
                head[place] = at
                if not isinstance(values, int):
                    room[at : at + values.size] = values.ravel()
                at += _size(values)
        n[: layout.HEAD] = head
        _begin_at(n, head)
        return Packed(n, x)


def _size(values: npt.NDArray[np.generic] | int) -> int:
    return values if isinstance(values, int) else values.size


def _begin_at(n: Index, head: Index) -> None:
    """Lists within the tables by where they stand in n: pools of stages, queues of pools."""
    steps = n[head[layout.STEPS] : head[layout.CODES]].reshape(-1, layout.STEP)
    steps[:, [layout.ASKS_AT, layout.GIVES_AT, layout.KEPT_AT]] += head[layout.CODES]
    pools = n[head[layout.POOLS] : head[layout.QUEUES]].reshape(-1, layout.POOL)
    pools[:, layout.QUEUE_AT] = head[layout.QUEUES] + head[layout.ROWS] * np.arange(len(pools))


def _put_path(box: _Box, path: Path) -> None:
    steps, codes, kinds, beds = _law_of(path)
    box.whole[layout.STEPS] = steps
    box.whole[layout.CODES] = codes
    box.whole[layout.KINDS], box.whole[layout.BEDS] = kinds, beds


def _put_fate(box: _Box, path: Path, fate: Fate) -> None:
    rows, stops = fate.stage.shape
    box.count[layout.ROWS], box.count[layout.STOPS] = rows, stops
    box.count[layout.LOADS], box.count[layout.CASELOADS] = fate.loads, fate.caseloads
    box.whole[layout.STAGE], box.whole[layout.WANTED], box.whole[layout.VISIT] = fate.stage, fate.unit, fate.visit
    box.minutes[layout.LASTS], box.minutes[layout.FREED] = fate.minutes, fate.freed_min
    box.minutes[layout.PATIENCE], box.minutes[layout.EDGES] = fate.patience_min, fate.edges[fate.block]
    box.minutes[layout.PRIORITY] = fate.priority


def _put_people(box: _Box, fate: Fate, present: Present) -> None:
    """Who is here, who comes and when; and how far each has come at the start."""
    here = present.count
    came = fate.at_min.copy()
    came[:here] = np.where(np.isnan(present.arrived_min), present.since_min, present.arrived_min)
    if np.isnan(came).any() or np.isnan(fate.priority).any() or (came[here:] < 0).any():
        raise TwinError("who comes in a run must have a priority and come at a minute from 0 on, but one has not")
    serving, queueing = (np.flatnonzero(present.here & flags) for flags in (present.serving, ~present.serving))
    queueing = queueing[np.lexsort((queueing, came[queueing], fate.priority[queueing]))]
    coming = here + np.argsort(came[here:], kind="stable")
    box.minutes[layout.CAME], box.count[layout.FIRST] = came, here
    box.whole[layout.SERVING], box.whole[layout.QUEUEING], box.whole[layout.COMERS] = serving, queueing, coming
    box.count[layout.SERVERS], box.count[layout.QUEUERS] = serving.size, queueing.size
    box.count[layout.COMING] = coming.size
    body = np.zeros((fate.visit.size, layout.BODY), dtype=np.int64)
    body[:, layout.WARD], body[:, layout.WHERE] = fate.unit[:, 0], NONE
    box.whole[layout.BODIES] = body


def _put_pools(box: _Box, profiles: Sequence[Profile], rows: int) -> None:
    """Capacities, as they are at the start and as they change; and queues, in which each may stand once."""
    pools = np.zeros((len(profiles), layout.POOL), dtype=np.int64)
    pools[:, layout.CAPACITY] = [profile[0][1] for profile in profiles]
    changes = [(minute, code, to) for code, profile in enumerate(profiles) for minute, to in profile[1:]]
    box.whole[layout.POOLS], box.whole[layout.QUEUES] = pools, rows * len(profiles)
    box.count[layout.CHANGES] = len(changes)
    box.minutes[layout.CHANGE_AT] = np.array([minute for minute, *_ in changes])
    box.whole[layout.CHANGED] = np.array([pair for _, *pair in changes], dtype=np.int64)


def _leave_room(box: _Box, path: Path, fate: Fate) -> None:
    """For pools kept, for events that are foreseen, and for marks: as much as there can be at most."""
    rows, stops = fate.stage.shape
    keep = sum(len(stage.takes) for stage in path.stages) + 1
    events = rows * (_EVENTS_A_ROW + stops) + len(path.pools) + box.count[layout.CHANGES]
    marks = rows * (stops * _MARKS_A_STOP + 1)
    box.count[layout.KEEP], box.count[layout.MOST_EVENTS], box.count[layout.MOST_MARKS] = keep, events, marks
    box.whole[layout.KEPT_NOW] = rows * keep
    box.whole[layout.HEAP], box.minutes[layout.HEAP_AT] = events * layout.HEAPED, events
    box.whole[layout.TOLD], box.minutes[layout.TOLD_AT] = marks * layout.MARK, marks


@lru_cache(maxsize=8)
def _law_of(path: Path) -> tuple[Index, Index, Index, Index]:
    """Stages, the lists of pools that they name, bits of kinds, and pools of beds."""
    codes: list[int] = []
    inside = zip(path.inside_queueing, path.inside_serving, strict=True)
    steps = [
        _row(step, kept, codes, flags) for step, kept, flags in zip(steps_of(path), kept_at(path), inside, strict=True)
    ]
    kinds = np.zeros(len(EVENT_CLASSES), dtype=np.int64)
    for bit, names in _BITS.items():
        for name in names:
            kinds[RANK[name]] |= bit
    return np.array(steps, dtype=np.int64), np.array(codes, dtype=np.int64), kinds, np.array(beds_of(path))


def _row(step: Step, kept: Sequence[int], codes: list[int], inside: tuple[bool, bool]) -> list[int]:
    """The columns of a stage; its lists of pools are added to the codes."""
    asks_at, asks = len(codes), len(step.takes) + len(step.needs)
    codes += [*step.takes, *step.needs, *step.gives, *kept]
    gives_at = asks_at + asks
    row = [
        step.comes, asks_at, len(step.takes), asks, gives_at, len(step.gives), gives_at + len(step.gives), len(kept),
        step.patience, step.unit, step.starts, step.starts_to, step.frees, step.care, step.wants, step.ends,
        step.ends_to, *inside,
    ]  # fmt: skip
    return [int(value) for value in row]
