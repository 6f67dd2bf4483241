"""Distribution functions and their inverses once more, as loops: compiled by `kernel.py`, equal to the last bit.

`durations.py` stays the definition: it serves until the loops are compiled, and tells what lies beyond the last level.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


def level(levels: Array, lines: Array, at: Index, minutes: Array, out: Array, late: Index) -> int:
    """Write the probability of no more than each of some minutes, by its line, `(n,)`.

    `lines` has `(line and level,)`. Those beyond the last level are left to be filled: which goes to `late`; how many
    is given back.
    """
    count, last = 0, levels.size
    for k in range(at.size):
        line, value, below, above = at[k] * last, minutes[k], 0, last
        while below < above:
            middle = (below + above) // 2
            if lines[line + middle] <= value:
                below = middle + 1
            else:
                above = middle
        if below == last:
            late[count] = k
            count += 1
        elif below == 0:
            out[k] = 0.0
        else:
            low = lines[line + below - 1]
            share = (value - low) / max(lines[line + below] - low, 1e-12)
            share = min(max(share, 0.0), 1.0)
            out[k] = levels[below - 1] + share * (levels[below] - levels[below - 1])
    return count


def quantile(levels: Array, lines: Array, at: Index, uniform: Array, a_unit: float, out: Array, late: Index) -> int:
    """Write the minutes that each probability belongs to, by its line, `(n,)`; `a_unit` levels lie between 0 and 1.

    Those beyond the last level are left to be filled, as by `level`.
    """
    count, last = 0, levels.size
    for k in range(at.size):
        step = uniform[k] * a_unit
        below = min(int(step), last - 2)
        low = lines[at[k] * last + below]
        out[k] = low + min(step - below, 1.0) * (lines[at[k] * last + below + 1] - low)
        if uniform[k] > levels[last - 1]:
            late[count] = k
            count += 1
    return count


class Loops(NamedTuple):
    """Both, compiled."""

    level: Callable[..., int]
    quantile: Callable[..., int]


ready: list[Loops] = []
"""The compiled loops, once they are there."""
