"""The pools and the events of `kernel_loop.py`: places and the queues for them, and one heap of what is foreseen."""

from __future__ import annotations

from twin.kernel_layout import (
    AT_THE_END,
    BEDS,
    BODIES,
    BODY,
    CAME,
    CAPACITY,
    COMERS,
    COMING,
    ENTERING,
    EVENTS,
    FAULT,
    FAULT_ROW,
    HEAP,
    HEAP_AT,
    HEAPED,
    HOSTED,
    HOSTS,
    IN_THE_PAST,
    INVITED,
    LOOKING,
    LOOKS,
    MOST_EVENTS,
    NEXT,
    NO_BED,
    ORDER,
    PLACED,
    POOL,
    POOLS,
    PRIORITY,
    QUEUE_ROWS,
    QUEUED,
    ROAMS,
    TAKEN,
    TOO_MUCH,
    WAITS,
    WARD,
    WARD_OF,
    WHAT,
    Minutes,
    Whole,
    part,
)
from twin.steps import NONE, OF_WARD


@part
def pool_of(n: Whole, row: int, code: int, ward: int) -> int:
    """Where the pool of a code stands: the beds of the ward for OF_WARD."""
    if code == OF_WARD:
        code = n[n[BEDS] + ward] if ward >= 0 else NONE
        if code == NONE:
            fault(n, NO_BED, row)
            code = 0
    return int(n[POOLS] + code * POOL)


@part
def fault(n: Whole, what: int, row: int) -> None:
    """The first fault stays."""
    if n[FAULT] == 0:
        n[FAULT], n[FAULT_ROW] = what, row


# --- pools ---------------------------------------------------------------------------------------------------------


@part
def take_at_once(n: Whole, x: Minutes, now: float, pool: int) -> bool:
    """Take a place if one is free, nobody queues, and nothing else can happen at this instant."""
    if n[pool + TAKEN] >= n[pool + CAPACITY] or n[pool + QUEUED] > 0 or n[ENTERING] > 0:
        return False
    if n[EVENTS] > 0 and x[n[HEAP_AT]] <= now:
        return False
    if n[NEXT] < n[COMING] and x[n[CAME] + n[n[COMERS] + n[NEXT]]] <= now:
        return False
    n[pool + TAKEN] += 1
    return True


@part
def release(n: Whole, x: Minutes, now: float, pool: int) -> None:
    """Give a place back."""
    n[pool + TAKEN] -= 1
    look(n, x, now, pool)


@part
def look(n: Whole, x: Minutes, now: float, pool: int) -> None:
    """Take in whom there is room for, at the end of this instant."""
    queued = n[pool + QUEUED] > 0 or n[pool + INVITED] > 0
    if queued and n[pool + LOOKING] == 0 and n[pool + TAKEN] < n[pool + CAPACITY]:
        n[pool + LOOKING] = 1
        push(n, x, now, 0.0, LOOKS, (pool - n[POOLS]) // POOL)


@part
def take_in(n: Whole, x: Minutes, now: float, pool: int) -> None:
    """As many as there is room for; those who gave up stand in the queue until they are met here."""
    n[pool + LOOKING] = 0
    for queue in (pool + QUEUED, pool + INVITED):
        while n[queue] > 0 and n[pool + TAKEN] < n[pool + CAPACITY]:
            row = n[n[queue + QUEUE_ROWS]]
            _take_out(n, x, queue, 0)
            mine = n[BODIES] + row * BODY
            if n[mine + WAITS] == 1:
                if n[mine + ROAMS] == 1:
                    _comes_from(n, x, pool, row, queue)
                n[mine + WAITS] = 0
                n[pool + TAKEN] += 1
                push(n, x, now, 0.0, PLACED, row)


@part
def _comes_from(n: Whole, x: Minutes, pool: int, row: int, queue: int) -> None:
    """Who asked other wards too gets a bed of one of them, or of the one wanted, and stands in no other queue."""
    mine = n[BODIES] + row * BODY
    ward = n[mine + WARD]
    hosts = n[HOSTS] + ward * HOSTED
    _leave(n, x, pool_of(n, row, OF_WARD, ward) + QUEUED, row, queue)
    for i in range(n[hosts + 1]):
        _leave(n, x, n[POOLS] + n[n[hosts] + i] * POOL + INVITED, row, queue)
    n[mine + WARD] = n[pool + WARD_OF]
    n[mine + ROAMS] = 0


@part
def search_elsewhere(n: Whole, x: Minutes, now: float, row: int) -> None:
    """Who queues for a bed of a ward may lie in those that it overflows into, asked in its order."""
    mine = n[BODIES] + row * BODY
    hosts = n[HOSTS] + n[mine + WARD] * HOSTED
    n[mine + ROAMS] = 1
    for i in range(n[hosts + 1]):
        pool = n[POOLS] + n[n[hosts] + i] * POOL
        join(n, x, pool + INVITED, row)
        look(n, x, now, pool)


@part
def _before(n: Whole, x: Minutes, one: int, other: int) -> bool:
    """Who comes first in a queue: by priority, then arrival in the hospital, then row."""
    for column in (n[PRIORITY], n[CAME]):
        if x[column + one] != x[column + other]:
            return bool(x[column + one] < x[column + other])
    return one < other


@part
def join(n: Whole, x: Minutes, queue: int, row: int) -> None:
    """Join a queue: that of a pool, or its guests."""
    n[queue] += 1
    _rise(n, x, n[queue + QUEUE_ROWS], n[queue] - 1, row)


@part
def _rise(n: Whole, x: Minutes, base: int, i: int, row: int) -> None:
    """Put a row at a place of a queue, or as far before it as it belongs."""
    while i > 0 and _before(n, x, row, n[base + (i - 1) // 2]):
        n[base + i] = n[base + (i - 1) // 2]
        i = (i - 1) // 2
    n[base + i] = row


@part
def _leave(n: Whole, x: Minutes, queue: int, row: int, taken_from: int) -> None:
    """Stand in a queue no more, unless the row was taken from this one."""
    if queue == taken_from:
        return
    base, i = n[queue + QUEUE_ROWS], 0
    while i < n[queue] and n[base + i] != row:
        i += 1
    if i < n[queue]:
        _take_out(n, x, queue, i)


@part
def _take_out(n: Whole, x: Minutes, queue: int, i: int) -> None:
    """Take out of a queue whoever stands at a place of it."""
    base, size = n[queue + QUEUE_ROWS], n[queue] - 1
    n[queue] = size
    if i == size:
        return
    last, child = n[base + size], 2 * i + 1
    while child < size:
        if child + 1 < size and _before(n, x, n[base + child + 1], n[base + child]):
            child += 1
        if not _before(n, x, n[base + child], last):
            break
        n[base + i] = n[base + child]
        i, child = child, 2 * child + 1
    _rise(n, x, base, i, last)


# --- events --------------------------------------------------------------------------------------------------------


@part
def push(n: Whole, x: Minutes, now: float, delay: float, what: int, whom: int) -> None:
    """Foresee an event; what is done at the end of an instant comes after all else of it."""
    i = n[EVENTS]
    if delay < 0 or i >= n[MOST_EVENTS]:
        fault(n, IN_THE_PAST if delay < 0 else TOO_MUCH, whom)
        return
    at, order = now + delay, n[ORDER]
    if what == LOOKS:
        order += AT_THE_END
    n[ORDER] += 1
    n[EVENTS] += 1
    while i > 0 and _sooner(n, x, at, order, (i - 1) // 2):
        _move(n, x, (i - 1) // 2, i)
        i = (i - 1) // 2
    x[n[HEAP_AT] + i] = at
    n[n[HEAP] + i * HEAPED], n[n[HEAP] + i * HEAPED + 1] = order, what + WHAT * whom


@part
def pop(n: Whole, x: Minutes) -> None:
    """Take the first event out."""
    last = n[EVENTS] - 1
    n[EVENTS] = last
    at, order = x[n[HEAP_AT] + last], n[n[HEAP] + last * HEAPED]
    i, child = 0, 1
    while child < last:
        if child + 1 < last and _sooner(n, x, x[n[HEAP_AT] + child + 1], n[n[HEAP] + (child + 1) * HEAPED], child):
            child += 1
        if _sooner(n, x, at, order, child):
            break
        _move(n, x, child, i)
        i, child = child, 2 * child + 1
    _move(n, x, last, i)


@part
def _sooner(n: Whole, x: Minutes, at: float, order: int, i: int) -> bool:
    """Does an event of this minute and order come before that at a place of the heap?"""
    other = x[n[HEAP_AT] + i]
    return bool(at < other or (at == other and order < n[n[HEAP] + i * HEAPED]))


@part
def _move(n: Whole, x: Minutes, here: int, there: int) -> None:
    """An event from one place of the heap to another."""
    x[n[HEAP_AT] + there] = x[n[HEAP_AT] + here]
    source, target = n[HEAP] + here * HEAPED, n[HEAP] + there * HEAPED
    n[target], n[target + 1] = n[source], n[source + 1]
