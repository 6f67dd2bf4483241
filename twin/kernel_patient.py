"""What the parts of `kernel_loop.py` read of a patient, and the marks that they put down."""

from __future__ import annotations

from ingest.events import RANK
from twin.kernel_layout import (
    ASKS_AT,
    BODIES,
    BODY,
    CAPACITY,
    CARE,
    CASELOADS,
    CENSUS,
    EDGES,
    IS_LEAVING,
    KINDS,
    LOADS,
    MARK,
    MARKS,
    MOST_MARKS,
    POOL,
    POOLS,
    STAGE,
    STEP,
    STEPS,
    STOP,
    STOPS,
    TAKEN,
    TAKES,
    TELLS_UNIT,
    TELLS_WARD,
    TOLD,
    TOLD_AT,
    TOO_MUCH,
    UNIT,
    VISIT,
    WARD,
    Minutes,
    Whole,
    part,
)
from twin.kernel_queues import fault
from twin.routing import OUT
from twin.steps import NONE, OF_WARD
from twin.story import NOWHERE

_MOVED = RANK["Moved"]


@part
def load_of(n: Whole, x: Minutes, row: int) -> int:
    """How full the department is now, as a load class."""
    load, edges = 0, n[EDGES] + row * (n[LOADS] - 1)
    while load < n[LOADS] - 1 and x[edges + load] <= n[CENSUS]:
        load += 1
    return load


@part
def caseload_of(n: Whole, at: int) -> int:
    """How many patients each of those whom the stage needs looks after besides this one."""
    if n[CASELOADS] == 1 or n[at + CARE] == NONE:
        return 0
    needed, care = n[n[at + ASKS_AT] + n[at + TAKES]], n[at + CARE]
    on_duty, most = n[n[POOLS] + needed * POOL + CAPACITY], n[CASELOADS] - 1
    if on_duty <= 0:
        return int(most)
    return int(min((n[n[POOLS] + care * POOL + TAKEN] - 1) // on_duty, most))


@part
def step_of(n: Whole, row: int) -> int:
    """Where the patient's stage stands; -1 when the path is over."""
    stop = n[n[BODIES] + row * BODY + STOP]
    if stop >= n[STOPS]:
        return -1
    stage = n[n[STAGE] + row * n[STOPS] + stop]
    return int(n[STEPS] + stage * STEP) if stage != OUT else -1


@part
def unit_of(n: Whole, row: int, at: int) -> int:
    """The unit of a stage, for this patient."""
    return int(n[n[BODIES] + row * BODY + WARD] if n[at + UNIT] == OF_WARD else n[at + UNIT])


@part
def tell(n: Whole, x: Minutes, now: float, row: int, kind: int, unit: int, to: int) -> None:
    """Put down a mark; an exit lowers the census."""
    bits = n[n[KINDS] + kind]
    if n[MARKS] >= n[MOST_MARKS]:
        fault(n, TOO_MUCH, row)
        return
    if bits & IS_LEAVING != 0:
        n[CENSUS] -= 1
    if bits & TELLS_WARD != 0:
        unit = n[n[BODIES] + row * BODY + WARD]
    elif kind != _MOVED and bits & TELLS_UNIT == 0:
        unit = NOWHERE
    x[n[TOLD_AT] + n[MARKS]] = now
    mark = n[TOLD] + n[MARKS] * MARK
    n[mark], n[mark + 1], n[mark + 2], n[mark + 3] = kind, n[n[VISIT] + row], unit, to
    n[MARKS] += 1
