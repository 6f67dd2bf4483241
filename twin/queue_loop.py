"""The queue for doctors lived through, as a loop over what can begin: compiled by `kernel.py`, or run as it stands.

What it does is told by `replayed.relived`. It is lived through tens of times whenever parameters are learned.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.kernel_layout import part

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Heap = Any
"""A list kept as a heap."""


def live(
    ready_min: Array, leaves_min: Array, lasts_min: Array, priority: Array, arrived_min: Array, held_min: Array,
    duty_min: Array, duty: Index, limit: int, seen: Array,
) -> None:  # fmt: skip
    """Write when each would be seen, `(visit,)`, inf for who leaves before; `held_min` is `(visit, caseload)`.

    `leaves_min` is when each loses patience, `lasts_min` how long they are in care; on `duty` from each of `duty_min`
    on are so many doctors, each for `limit` patients.
    """
    outside, inside, impatient = [(0.0, 0.0, 0)], [(0.0, 0.0, 0)], [(0.0, 0)]
    contacts, care = [0.0], [0.0]
    for heap in (outside, inside):
        heap.clear()
    impatient.clear()
    contacts.clear()
    care.clear()
    is_inside, count, doctors, row, change = np.zeros(ready_min.size, dtype=np.bool_), 0, 0, 0, 0
    seen[:] = inf
    while True:
        now = _free_min(outside, inside, contacts, care, doctors)
        if row < ready_min.size:
            now = min(now, ready_min[row])
        if change < duty_min.size:
            now = min(now, duty_min[change])
        if now == inf:
            return
        count = _move_in(now, outside, inside, impatient, is_inside, count, leaves_min, limit * doctors - len(care))
        _let_go(now, contacts)
        _let_go(now, care)
        count = _see(now, inside, contacts, care, is_inside, count, leaves_min, lasts_min, held_min, doctors, seen)
        while change < duty_min.size and duty_min[change] <= now:
            doctors, change = duty[change], change + 1
        count = _move_in(now, outside, inside, impatient, is_inside, count, leaves_min, limit * doctors - len(care))
        while row < ready_min.size and ready_min[row] <= now:
            heappush(outside, (priority[row], arrived_min[row], row))
            row += 1
        count = _move_in(now, outside, inside, impatient, is_inside, count, leaves_min, limit * doctors - len(care))
        count = _see(now, inside, contacts, care, is_inside, count, leaves_min, lasts_min, held_min, doctors, seen)


@part
def _free_min(outside: Heap, inside: Heap, contacts: Heap, care: Heap, doctors: int) -> float:
    """When a doctor or a place that somebody waits for becomes free."""
    free = inf
    if len(inside) > 0 and len(contacts) > 0 and len(contacts) >= doctors:
        free = contacts[0]
    if len(outside) > 0 and len(care) > 0:
        free = min(free, care[0])
    return free


@part
def _let_go(now: float, over: Heap) -> None:
    """Contacts, or care, that are over by now."""
    while len(over) > 0 and over[0] <= now:
        heappop(over)


@part
def _move_in(
    now: float, outside: Heap, inside: Heap, impatient: Heap, is_inside: Flags, count: int, leaves_min: Array, room: int
) -> int:
    """As many from outside as there is room for, once those inside who have left are struck off; how many are inside.

    `room` is what there would be if nobody were inside.
    """
    if len(outside) == 0:
        return count
    while len(impatient) > 0 and impatient[0][0] <= now:
        row = heappop(impatient)[1]
        count -= is_inside[row]
        is_inside[row] = False
    while room > count and len(outside) > 0:
        place = heappop(outside)
        row = place[2]
        if leaves_min[row] > now:
            heappush(inside, place)
            heappush(impatient, (leaves_min[row], row))
            is_inside[row] = True
            count += 1
    return count


@part
def _see(
    now: float, inside: Heap, contacts: Heap, care: Heap, is_inside: Flags, count: int, leaves_min: Array,
    lasts_min: Array, held_min: Array, doctors: int, seen: Array,
) -> int:  # fmt: skip
    """As many of those inside as there are doctors without a contact; how many are inside still."""
    while len(inside) > 0 and len(contacts) < doctors:
        row = heappop(inside)[2]
        count -= is_inside[row]
        is_inside[row] = False
        if leaves_min[row] > now:
            seen[row] = now
            held = held_min[row, min(len(care) // doctors, held_min.shape[1] - 1)]
            heappush(contacts, now + min(held, lasts_min[row]))
            heappush(care, now + lasts_min[row])
    return count


ready: list[Callable[..., None]] = []
"""The compiled loop, once it is there."""
