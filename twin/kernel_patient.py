"""What the parts of `kernel_loop.py` read of a patient, and the marks that they put down."""

from __future__ import annotations

from ingest.events import RANK
from twin.kernel_layout import (
    ASKS_AT,
    BODIES,
    BODY,
    BY_CLOCK,
    CAPACITY,
    CARE,
    CASELOADS,
    CENSUS,
    CLOCK,
    CLOCK_EDGE,
    CLOCK_EDGES,
    EARLIER,
    EDGES,
    IS_LEAVING,
    KINDS,
    LASTS,
    LOADS,
    MARK,
    MARKS,
    MOST_MARKS,
    NOT_SEEN,
    PHASE_EDGE,
    PHASES,
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
def phase_of(n: Whole, x: Minutes, now: float) -> int:
    """Which durations hold now."""
    phase = 0
    while phase < n[PHASES] - 1 and x[n[PHASE_EDGE] + phase] <= now:
        phase += 1
    return phase


@part
def load_of(n: Whole, x: Minutes, row: int) -> int:
    """How full the department is now, as a load class."""
    load, edges = 0, n[EDGES] + row * (n[LOADS] - 1)
    while load < n[LOADS] - 1 and x[edges + load] <= n[CENSUS]:
        load += 1
    return load


@part
def lasting_of(n: Whole, x: Minutes, now: float, row: int, at: int) -> float:
    """How long the stage lasts from now on; a stay in a ward that has a clock, by that clock."""
    mine = n[BODIES] + row * BODY
    stop = row * n[STOPS] + n[mine + STOP]
    minutes = x[n[LASTS] + (stop * n[PHASES] + phase_of(n, x, now)) * n[LOADS] + load_of(n, x, row)]
    if n[at + BY_CLOCK] == 0 or n[CLOCK_EDGES] == 0:
        return float(minutes)
    lasting = _on_clock(n, x, now, n[CLOCK] + n[mine + WARD] * n[CLOCK_EDGES], minutes)
    return float(max(lasting - x[n[EARLIER]], 0.0))


@part
def _on_clock(n: Whole, x: Minutes, now: float, shown: int, minutes: float) -> float:
    """In how many minutes from now a clock goes on by minutes of its own; at speed 1 beyond the last hour."""
    edge, last = n[CLOCK_EDGE], n[CLOCK_EDGES] - 1
    hour = min(_passed(x, edge, last + 1, now), last) - 1
    share = (now - x[edge + hour]) / (x[edge + hour + 1] - x[edge + hour])
    reached = x[shown + hour] + share * (x[shown + hour + 1] - x[shown + hour]) + minutes
    if reached >= x[shown + last]:
        return float(max(x[edge + last] + (reached - x[shown + last]) - now, 0.0))
    hour = _passed(x, shown, last + 1, reached) - 1
    share = (reached - x[shown + hour]) / (x[shown + hour + 1] - x[shown + hour])
    return float(max(x[edge + hour] + share * (x[edge + hour + 1] - x[edge + hour]) - now, 0.0))


@part
def _passed(x: Minutes, first: int, count: int, value: float) -> int:
    """How many of a rising row are not above a value."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if value < x[first + middle]:
            high = middle
        else:
            low = middle + 1
    return low


@part
def caseload_of(n: Whole, at: int) -> int:
    """How many patients each of those whom the stage needs looks after besides this one."""
    if n[CASELOADS] == 1 or n[at + CARE] == NONE:
        return 0
    needed, care = n[n[at + ASKS_AT] + n[at + TAKES]], n[at + CARE]
    on_duty, most = n[n[POOLS] + needed * POOL + CAPACITY], n[CASELOADS] - 1
    if on_duty <= 0:
        return int(most)
    pool = n[POOLS] + care * POOL
    return int(min((n[pool + TAKEN] - n[pool + NOT_SEEN] - 1) // on_duty, most))


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
