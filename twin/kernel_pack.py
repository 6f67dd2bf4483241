"""A run's tables written into the two flat arrays of `kernel_layout.py`, by loops: compiled, or as they stand.

`kernel_tables.py` says what they are made of. Members of an ensemble are packed thousands of times a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twin.kernel_layout import (
    BODIES,
    BODY,
    CAME,
    CASELOADS,
    CHANGE_AT,
    CHANGED,
    CHANGES,
    CLOCK,
    CLOCK_EDGE,
    CLOCK_EDGES,
    COMERS,
    COMING,
    EARLIER,
    EDGES,
    FIRST,
    FREED,
    FREED_AT,
    GUESTS,
    HEAD,
    HEAP,
    HEAP_AT,
    HEAPED,
    HORIZON,
    INVITED_AT,
    KEEP,
    KEPT_NOW,
    LASTS,
    LOADS,
    MARK,
    MOST_EVENTS,
    MOST_MARKS,
    ORDER,
    PATIENCE,
    PHASE_EDGE,
    PHASES,
    POOL,
    POOLS,
    PRIORITY,
    QUEUE_AT,
    QUEUEING,
    QUEUERS,
    QUEUES,
    ROWS,
    SERVERS,
    SERVING,
    STAGE,
    STOPS,
    TOLD,
    TOLD_AT,
    VISIT,
    WANTED,
    WARD,
    WHERE,
    part,
)
from twin.steps import NONE

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MOST_CHANGES = 2000
"""How often capacities may change in a run, all pools together."""
UNKNOWN = -1
"""In place of how much room is needed: somebody has no priority, or does not come at a minute from 0 on."""
_MARKS_A_STOP = 4
"""A patient may arrive, move, start and end at a stop."""
_EVENTS_A_ROW = 2
"""A stage that lasts and what it frees before its end; lost patience besides, one a stop."""


def pack(
    n: Index, x: Array, of_path: Index, law: Index, pools: int, hosts: int, stops: int, loads: int, caseloads: int,
    phases: int, here: Flags, serving: Flags, arrived_min: Array, since_min: Array, from_row: int, to_row: int,
    from_freed: int, to_freed: int, stage: Index, unit: Index, visit: Index, freed_at: Index, minutes: Array,
    freed: Array, patience: Array, edges: Array, block: Index, priority: Array, at_min: Array, clock_edge: Array,
    clock: Array, phase_edge: Array, earlier_min: float, horizon_min: float,
) -> tuple[int, int]:  # fmt: skip
    """Write all that a member's runs have in common; how many whole numbers and minutes that needs.

    Where there is less room nothing is written, and nothing that can be used where it gives UNKNOWN. Columns are those
    of `Present` and of `Fates`, row after row, the member's from one to another; `of_path` and `law` are the head and
    what follows it as far as the path says them.
    """
    head, rows, first = of_path.copy(), to_row - from_row, here.size
    a_stop, a_freed = phases * loads, phases * caseloads
    head[ROWS], head[STOPS], head[FIRST] = rows, stops, first
    head[LOADS], head[CASELOADS], head[PHASES], head[CLOCK_EDGES] = loads, caseloads, phases, clock_edge.size
    head[SERVERS] = np.sum(here & serving)
    head[QUEUERS] = np.sum(here) - head[SERVERS]
    head[MOST_EVENTS] = rows * (_EVENTS_A_ROW + stops) + pools + MOST_CHANGES
    head[MOST_MARKS] = rows * (stops * _MARKS_A_STOP + 1)
    given = _lay_out_minutes(head, rows * stops * a_stop, (to_freed - from_freed) * a_freed, clock.size)
    whole = _lay_out_whole(head, HEAD + law.size, pools, hosts)
    if n.size < whole or x.size < given:
        return whole, given
    n[:HEAD], n[HEAD : HEAD + law.size] = head, law
    begin, end = from_row * stops, to_row * stops
    _put(n, head[STAGE], stage[begin:end])
    _put(n, head[WANTED], unit[begin + from_row : end + to_row])
    _put(n, head[VISIT], visit[from_row:to_row])
    for i in range(begin, end):
        n[head[FREED_AT] + i - begin] = max(freed_at[i] - from_freed, -1)
    x[head[HORIZON]], x[head[EARLIER]] = horizon_min, earlier_min
    _put(x, head[PHASE_EDGE], phase_edge)
    _put(x, head[LASTS], minutes[begin * a_stop : end * a_stop])
    _put(x, head[FREED], freed[from_freed * a_freed : to_freed * a_freed])
    _put(x, head[PATIENCE], patience[begin:end])
    _put(x, head[PRIORITY], priority[from_row:to_row])
    _put(x, head[CLOCK_EDGE], clock_edge)
    _put(x, head[CLOCK], clock)
    for row in range(rows):
        for load in range(loads - 1):
            x[head[EDGES] + row * (loads - 1) + load] = edges[block[from_row + row] * (loads - 1) + load]
    if not _all_come(x, head[CAME], head[PRIORITY], arrived_min, since_min, at_min[from_row:to_row]):
        return UNKNOWN, UNKNOWN
    _put_those_here(n, x, head, here, serving)
    return whole, given


@part
def _lay_out_minutes(head: Index, lasts: int, freed: int, clock: int) -> int:
    """Say in the head where in x everything begins, the horizon first of all; where the last ends."""
    rows, stops = head[ROWS], head[STOPS]
    at = _laid(head, HORIZON, 0, 1)
    at = _laid(head, PHASE_EDGE, at, head[PHASES] - 1)
    at = _laid(head, LASTS, at, lasts)
    at = _laid(head, FREED, at, freed)
    at = _laid(head, PATIENCE, at, rows * stops)
    at = _laid(head, EDGES, at, rows * (head[LOADS] - 1))
    at = _laid(head, PRIORITY, at, rows)
    at = _laid(head, EARLIER, at, 1)
    at = _laid(head, CLOCK_EDGE, at, head[CLOCK_EDGES])
    at = _laid(head, CLOCK, at, clock)
    at = _laid(head, CAME, at, rows)
    at = _laid(head, CHANGE_AT, at, MOST_CHANGES)
    at = _laid(head, HEAP_AT, at, head[MOST_EVENTS])
    return _laid(head, TOLD_AT, at, head[MOST_MARKS])


@part
def _lay_out_whole(head: Index, at: int, pools: int, hosts: int) -> int:
    """Say in the head where in n everything begins from a place on; where the last ends."""
    rows, stops = head[ROWS], head[STOPS]
    at = _laid(head, STAGE, at, rows * stops)
    at = _laid(head, WANTED, at, rows * (stops + 1))
    at = _laid(head, VISIT, at, rows)
    at = _laid(head, FREED_AT, at, rows * stops)
    at = _laid(head, SERVING, at, head[SERVERS])
    at = _laid(head, QUEUEING, at, head[QUEUERS])
    at = _laid(head, COMERS, at, rows - head[FIRST])
    at = _laid(head, CHANGED, at, 2 * MOST_CHANGES)
    at = _laid(head, BODIES, at, rows * BODY)
    at = _laid(head, KEPT_NOW, at, rows * head[KEEP])
    at = _laid(head, POOLS, at, pools * POOL)
    at = _laid(head, QUEUES, at, pools * rows)
    at = _laid(head, GUESTS, at, hosts * rows)
    at = _laid(head, HEAP, at, head[MOST_EVENTS] * HEAPED)
    return _laid(head, TOLD, at, head[MOST_MARKS] * MARK)


@part
def _laid(head: Index, name: int, at: int, size: int) -> int:
    """Something begins at a place; where it ends."""
    head[name] = at
    return at + size


@part
def _put(where: Any, at: int, values: Any) -> None:
    where[at : at + values.size] = values


@part
def _all_come(x: Array, came: int, priority: int, arrived_min: Array, since_min: Array, at_min: Array) -> bool:
    """Put down when everybody comes, or came; is that known of all of them, and whose turn it would be?"""
    known, first = True, arrived_min.size
    for row in range(at_min.size):
        at = at_min[row]
        if row < first:
            at = since_min[row] if np.isnan(arrived_min[row]) else arrived_min[row]
        x[came + row] = at
        known = known and not np.isnan(at) and not np.isnan(x[priority + row]) and (row < first or at >= 0.0)
    return known


@part
def _put_those_here(n: Index, x: Array, head: Index, here: Flags, serving: Flags) -> None:
    """Who holds a place, and who queues, as queues are ordered: by priority, then by when they came, then by row."""
    servers = queuers = 0
    for row in range(here.size):
        if here[row] and serving[row]:
            n[head[SERVING] + servers] = row
            servers += 1
        elif here[row]:
            place = head[QUEUEING] + queuers
            while place > head[QUEUEING] and _is_before(x, head, row, n[place - 1]):
                n[place] = n[place - 1]
                place -= 1
            n[place] = row
            queuers += 1


@part
def _is_before(x: Array, head: Index, row: int, other: int) -> bool:
    """Is it one patient's turn before another's who stands in an earlier row?"""
    mine, theirs = x[head[PRIORITY] + row], x[head[PRIORITY] + other]
    return bool(mine < theirs or (mine == theirs and x[head[CAME] + row] < x[head[CAME] + other]))


def aim(
    n: Index, x: Array, begin: Index, change_min: Array, changed: Index, hosts: Index, everybody: bool, rows: Flags
) -> None:
    """Make ready for a run in which these rows take part, or everybody: pools as they begin and as they change.

    `begin` is `(pool and POOL,)`, `changed` of which pool and to what, both of each change; `hosts` are pools that some
    ward overflows into.
    """
    n[ORDER:ROWS] = 0
    n[CHANGES] = change_min.size
    _put(n, n[POOLS], begin)
    _put(x, n[CHANGE_AT], change_min)
    _put(n, n[CHANGED], changed)
    for pool in range(begin.size // POOL):
        n[n[POOLS] + pool * POOL + QUEUE_AT] = n[QUEUES] + n[ROWS] * pool
    for i in range(hosts.size):
        n[n[POOLS] + hosts[i] * POOL + INVITED_AT] = n[GUESTS] + n[ROWS] * i
    n[n[BODIES] : n[KEPT_NOW]] = 0
    for row in range(n[ROWS]):
        mine = n[BODIES] + row * BODY
        n[mine + WARD], n[mine + WHERE] = n[n[WANTED] + row * (n[STOPS] + 1)], NONE
    coming = 0
    for row in range(n[FIRST], n[ROWS]):
        if everybody or rows[row]:
            n[n[COMERS] + coming] = row
            coming += 1
    n[COMING] = coming
    comers = n[n[COMERS] : n[COMERS] + coming]
    comers[:] = comers[np.argsort(x[n[CAME] + comers], kind="mergesort")]


class Packing(NamedTuple):
    """Both, compiled or as they stand."""

    pack: Callable[..., tuple[int, int]]
    aim: Callable[..., None]


ready: list[Packing] = []
"""The compiled loops, once they are there."""
_TEXT = Packing(pack, aim)


def packing() -> Packing:
    """The quickest that are there; both write the same, to the last bit."""
    return ready[0] if ready else _TEXT
