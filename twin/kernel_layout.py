"""Where everything stands in the two flat sequences that `kernel_loop.py` works on.

All that a run is given and all that it works in stand in `n`, whole numbers, and `x`, minutes: arrays where the loop is
compiled, lists where it is not. Few arguments are what makes compiled parts quick to call. The first places of `n` say
how many there are of everything and where it begins; `kernel_tables.py` packs them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Whole = Any
"""A flat sequence of whole numbers: an array of int64, or a list."""
Minutes = Any
"""A flat sequence of minutes: an array of float64, or a list."""

# --- places in n: the run's own counts, how many there are, and where what begins ----------------------------------

ORDER, EVENTS, MARKS, CENSUS, ENTERING, NEXT, FAULT, FAULT_ROW = range(8)
"""The next order of foreseeing; events in the heap; marks told; the census of the department; how many have still to
enter at the start; the next in COMERS; what went wrong, and with whom."""
ROWS, STOPS, LOADS, CASELOADS, KEEP, FIRST, SERVERS, QUEUERS, COMING, CHANGES, MOST_EVENTS, MOST_MARKS = range(8, 20)
"""KEEP: how many pools a patient may keep. FIRST: the first row of those who come; those here stand before."""
CLOCK_EDGES = 49
"""Bounds of the hours of the wards' clocks; 0 where they have none."""
STEPS, CODES, KINDS, BEDS, HOSTS, STAGE, WANTED, VISIT, SERVING, QUEUEING, COMERS, CHANGED = range(20, 32)
"""What is given in n: `(stage, STEP)`; the pools that stages name, and the pools of beds that wards overflow into; bits
by kind of event; pool by unit; `(unit, HOSTED)`; `(row, stop)`; `(row, stop + 1)`; by row; rows whose stage has begun;
rows that queue, in order; rows that come, in order; `(change, pool and capacity)`."""
BODIES, KEPT_NOW, POOLS, QUEUES, GUESTS, HEAP, TOLD = range(32, 39)
"""What is worked in, in n: `(row, BODY)`; `(row, KEEP)`; `(pool, POOL)`; `(pool, row)`; `(host, row)`; `(event,
HEAPED)`; `(mark, MARK)`."""
HORIZON, LASTS, FREED, PATIENCE, EDGES, PRIORITY, CAME, CHANGE_AT, HEAP_AT, TOLD_AT = range(39, 49)
"""Where in x: the horizon, which is the first; `(row, stop, phase, load)`; `(held stop, phase, caseload)`; `(row,
stop)`; `(row, load - 1)`; by row; by row; by change; by event; by mark."""
CLOCK_EDGE, CLOCK, EARLIER = 50, 51, 52
"""Where in x: by bound of an hour; `(unit, bound)`; how much sooner stays end."""
PHASES, PHASE_EDGE = 53, 54
"""How many phases have durations of their own; where in x the minutes begin at which the next one does."""
FREED_AT = 55
"""Where in n: by `(row, stop)` the row of FREED, -1 for none."""
HEAD = 56

# --- columns -------------------------------------------------------------------------------------------------------

COMES, ASKS_AT, TAKES, ASKS, GIVES_AT, GIVES, KEPT_AT, KEPT, LOSES_PATIENCE, UNIT = range(10)
STARTS, STARTS_TO, FREES, CARE, WANTS, ENDS, ENDS_TO, QUEUES_INSIDE, SERVES_INSIDE, OVERFLOWS, BY_CLOCK = range(10, 21)
STEP = 21
"""A stage: as in `Step`, with lists of pools by where they stand in n and how many they are. Of the pools that it ASKS
for, the first TAKES are kept."""
STOP, WARD, WHERE, ASKED, TIMED, WAITS, HELD, KEEPS, ROAMS = range(9)
BODY = 9
"""A patient: the stop, the ward wanted, the unit; how many of the stage's pools are taken, whether patience counts,
whether a place is waited for; how many pools are held for the stage, and how many kept; whether other wards are asked
for a bed too."""
CAPACITY, TAKEN, LOOKING, QUEUED, QUEUE_AT, INVITED, INVITED_AT, WARD_OF, NOT_SEEN = range(9)
POOL = 9
"""A pool: its places, how many are taken, whether it looks at the end of the instant; its queue and where that is; its
guests, who queue for another ward and may lie here, and where these are; the ward whose beds it is; how many hold a
place in care and still queue for whoever will look after them."""
QUEUE_ROWS = 1
"""Where the rows of a queue stand, after how many they are: so for QUEUED and for INVITED."""
HOSTED = 2
"""What a ward overflows into: where in CODES, and how many."""
HEAPED = 2
"""An event in the heap: the order of foreseeing; what it is and of whom, as what + WHAT * whom."""
MARK = 4
"""A mark: kind, visit, unit, destination."""
IS_LEAVING, TELLS_UNIT, TELLS_WARD = 1, 2, 4
"""Bits of a kind of event."""

# --- what an event is, where a patient goes on, what can go wrong ---------------------------------------------------

LASTED, PLACED, GAVE_UP, SET_FREE, PATIENCE_OVER, CHANGES_NOW, LOOKS, OVER, SEARCHES = range(9)
WHAT = 9
AT_THE_END = 1 << 50
"""Added to the order of what is done after all else of its instant."""
COME, QUEUE, PLACE, SERVE, END, NOBODY = range(6)
IN_THE_PAST, NO_BED, NOT_KEPT, TOO_MUCH = range(1, 5)

_Part = TypeVar("_Part", bound=Callable[..., Any])
PARTS: list[Callable[..., Any]] = []
"""Every function that `simulate` is made of."""


def part(function: _Part) -> _Part:
    """A part of the loop, to be compiled into it."""
    PARTS.append(function)
    return function
