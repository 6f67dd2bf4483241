"""Routes and lengths of many patients once more, as loops: compiled by `kernel.py`, equal to the last bit.

`routing.py` and `fate.py` stay the definition: they serve until the loops are compiled, and tests hold the two
together. Members of an ensemble are cast thousands of times a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from twin.durations import LEVELS
from twin.keys import Array, Index, Keys, number

Flags = npt.NDArray[np.bool_]

OUT = -1
"""In place of a stage: the visit is over."""
UNCHANGED, BY_CLASS = -2, -1
"""In place of a ward: none is wanted anew at the end of a stage; one is drawn by class."""
_LEVELS, _LAST = LEVELS.size, float(LEVELS[-1])
_LEVELS_PER_UNIT = 200.0


def route(
    enters: Index, wants: Index, key: Keys, kind: Index, cls: Index, then: Index, wanted: Index, first_slot: Index,
    at_most: Index, targets: Index, running: Array, ward: Index, wards: Array, stage: Index, slot: Index, unit: Index,
) -> int:  # fmt: skip
    """Write each patient's stages, slots and wards wanted, as `stops_of` has them; the number of stops of the longest.

    Where there is no room only the number is found; 0 if a route leads to a stage more often than `at_most` allows.
    `then` and `wanted` are the places, by slot, of numbers of each patient's `key`; `running` holds sums of
    probabilities, `(stage, kind, target - 1)`; `ward` says which ward is wanted from a stage's end on, `wards` are sums
    of shares by class where one is drawn.
    """
    longest, room = 0, stage.shape[1]
    times = np.zeros(at_most.size, dtype=np.int64)
    for i in range(enters.size):
        times[:] = 0
        at, goes, stop = enters[i], wants[i], 0
        while at != OUT:
            if times[at] >= at_most[at]:
                return 0
            place = first_slot[at] + times[at]
            times[at] += 1
            if room:
                stage[i, stop], slot[i, stop], unit[i, stop] = at, place, goes
            if ward[at] >= 0:
                goes = ward[at]
            elif ward[at] == BY_CLASS:
                goes, drawn = 0, number(key[i], wanted[place])
                for k in range(wards.shape[2]):
                    goes += wards[at, cls[i], k] <= drawn
            chosen = 0
            if then[place] >= 0:
                drawn = number(key[i], then[place])
                for k in range(running.shape[2]):
                    chosen += running[at, kind[i], k] <= drawn
            at, stop = targets[at, chosen], stop + 1
        longest = max(longest, stop)
        for k in range(stop, room):
            stage[i, k], slot[i, k], unit[i, k] = OUT, 0, goes
        if room:
            unit[i, room] = goes
    return longest


def lengths(
    stage: Index, slot: Index, unit: Index, key: Keys, cls: Index, block: Index, begun: Flags, place_of: Index,
    code_of: Index, first: Index, by_class: Index, by_block: Index, rows: Array, otherwise: float,
    out: Array, late: Index,
) -> int:  # fmt: skip
    """Write minutes `(patient, stop, load)` as `Laid.at` gives them, where a stage names a duration by `code_of`.

    Those beyond the last level are left to be filled: where, and which, goes to `late`; how many is given back.
    """
    count, stops, loads = 0, stage.shape[1], out.shape[2]
    for i in range(stage.shape[0]):
        for k in range(stops):
            code = -1 if stage[i, k] == OUT or (k == 0 and begun[i]) else code_of[stage[i, k], unit[i, k]]
            if code < 0:
                for load in range(loads):
                    out[i, k, load] = otherwise
                continue
            u = number(key[i], place_of[slot[i, k]])
            step = u * _LEVELS_PER_UNIT
            below = min(int(step), _LEVELS - 2)
            share = min(step - below, 1.0)
            place = (first[code] + cls[i] * by_class[code] + block[i] * by_block[code]) * _LEVELS + below
            for load in range(loads):
                low = rows[place, load]
                out[i, k, load] = (rows[place + 1, load] - low) * share + low
            if u > _LAST:
                late[count] = i * stops + k
                count += 1
    return count


class Loops(NamedTuple):
    """Both, compiled."""

    route: Callable[..., int]
    lengths: Callable[..., int]


ready: list[Loops] = []
"""The compiled loops, once they are there."""
