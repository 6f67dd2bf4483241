"""The law of `model.py` once more, as a loop over packed numbers: compiled by `kernel.py`, or run as it stands.

A row is a patient of the fate; `at` is where a stage's columns begin in `n`, `pool` where a pool's do, `mine` where a
patient's do (`kernel_layout.py`). What SimPy keeps in processes stands in a patient's columns; what it keeps in events
stands in one heap (`kernel_queues.py`), ordered by minute, then by the order in which it was foreseen, with what is
done at the end of an instant after all else. The same happens in the same order as in `model.py`, down to a process
that ends: it leaves an event without effect, which others may meet at that instant. Whatever is not in the law sets a
fault, which ends the run.
"""

from __future__ import annotations

from math import inf

from ingest.events import RANK
from twin.kernel_layout import (
    ASKED,
    ASKS,
    ASKS_AT,
    BODIES,
    BODY,
    CAME,
    CAPACITY,
    CARE,
    CASELOADS,
    CENSUS,
    CHANGE_AT,
    CHANGED,
    CHANGES,
    CHANGES_NOW,
    COME,
    COMERS,
    COMES,
    COMING,
    END,
    ENDS,
    ENDS_TO,
    ENTERING,
    EVENTS,
    FAULT,
    FIRST,
    FREED,
    FREED_AT,
    FREES,
    GAVE_UP,
    GIVES,
    GIVES_AT,
    HEAP,
    HEAP_AT,
    HELD,
    KEEP,
    KEEPS,
    KEPT,
    KEPT_AT,
    KEPT_NOW,
    KINDS,
    LASTED,
    LOOKS,
    LOSES_PATIENCE,
    NEXT,
    NOBODY,
    NOT_KEPT,
    NOT_SEEN,
    ORDER,
    OVER,
    OVERFLOWS,
    PATIENCE,
    PATIENCE_OVER,
    PHASES,
    PLACE,
    PLACED,
    POOL,
    POOLS,
    QUEUE,
    QUEUED,
    QUEUEING,
    QUEUERS,
    QUEUES_INSIDE,
    ROWS,
    SEARCHES,
    SERVE,
    SERVERS,
    SERVES_INSIDE,
    SERVING,
    SET_FREE,
    STARTS,
    STARTS_TO,
    STOP,
    STOPS,
    TAKEN,
    TAKES,
    TELLS_UNIT,
    TIMED,
    WAITS,
    WANTED,
    WANTS,
    WARD,
    WHAT,
    WHERE,
    Minutes,
    Whole,
    part,
)
from twin.kernel_patient import caseload_of, lasting_of, phase_of, step_of, tell, unit_of
from twin.kernel_queues import (
    fault,
    join,
    look,
    pool_of,
    pop,
    push,
    release,
    search_elsewhere,
    take_at_once,
    take_in,
)
from twin.steps import NONE, OF_WARD
from twin.story import NOWHERE

_ARRIVED, _MOVED, _UNSEEN = RANK["Arrived"], RANK["Moved"], RANK["LeftWithoutBeingSeen"]


def simulate(n: Whole, x: Minutes) -> None:
    """Run a member; marks and faults stand in n and x afterwards."""
    for change in range(n[CHANGES]):
        push(n, x, 0.0, x[n[CHANGE_AT] + change], CHANGES_NOW, change)
    _enter(n, x)
    first = n[ORDER] - n[FIRST]
    n[ORDER] += n[ROWS] - n[FIRST]
    while n[FAULT] == 0:
        if _somebody_comes(n, x, first):
            row = n[n[COMERS] + n[NEXT]]
            now, entry = x[n[CAME] + row], COME
            if now >= x[0]:
                return
            n[NEXT] += 1
        else:
            if n[EVENTS] == 0 or x[n[HEAP_AT]] >= x[0]:
                return
            now, event = x[n[HEAP_AT]], n[n[HEAP] + 1]
            row = event // WHAT
            pop(n, x)
            entry = _happen(n, x, now, event % WHAT, row)
        if entry != NOBODY:
            _walk(n, x, now, row, entry)


@part
def _somebody_comes(n: Whole, x: Minutes, first: int) -> bool:
    """Does somebody come before the next event? `first` is the order in which row 0 would have been foreseen."""
    if n[NEXT] >= n[COMING]:
        return False
    if n[EVENTS] == 0:
        return True
    row = n[n[COMERS] + n[NEXT]]
    at, event_at = x[n[CAME] + row], x[n[HEAP_AT]]
    return bool(at < event_at or (at == event_at and first + row < n[n[HEAP]]))


@part
def _happen(n: Whole, x: Minutes, now: float, what: int, whom: int) -> int:
    """One event; where its patient goes on, or NOBODY."""
    if what == LASTED:
        return END
    if what == PLACED:
        return PLACE
    if what == LOOKS:
        take_in(n, x, now, n[POOLS] + whom * POOL)
    elif what == SET_FREE:
        at = step_of(n, whom)
        _release_needs(n, x, now, whom, at, n[at + ASKS] - n[at + TAKES], n[n[BODIES] + whom * BODY + WARD])
    elif what == PATIENCE_OVER:
        _give_up(n, x, now, whom // n[STOPS], whom % n[STOPS])
    elif what == SEARCHES:
        if _still_wants_a_bed(n, whom // n[STOPS], whom % n[STOPS]):
            search_elsewhere(n, x, now, whom // n[STOPS])
    elif what == GAVE_UP:
        _leave_unseen(n, x, now, whom)
    elif what == CHANGES_NOW:
        pool = n[POOLS] + n[n[CHANGED] + 2 * whom] * POOL
        n[pool + CAPACITY] = n[n[CHANGED] + 2 * whom + 1]
        look(n, x, now, pool)
    return NOBODY


# --- entering ------------------------------------------------------------------------------------------------------


@part
def _enter(n: Whole, x: Minutes) -> None:
    """Those who hold a place first, above capacity if need be; then those who queue, as queues are ordered."""
    serving, queueing = n[SERVING], n[QUEUEING]
    for i in range(n[SERVERS]):
        _found(n, n[serving + i], SERVES_INSIDE)
    for i in range(n[QUEUERS]):
        _found(n, n[queueing + i], QUEUES_INSIDE)
    for i in range(n[SERVERS]):
        at = step_of(n, n[serving + i])
        for j in range(n[at + TAKES]):
            _keep(n, n[serving + i], n[n[at + ASKS_AT] + j])
    goes_on = 0
    for i in range(n[SERVERS]):
        goes_on += _serves_on(n, x, n[serving + i])
    n[ENTERING] = goes_on + n[QUEUERS] + n[COMING]
    for i in range(n[SERVERS] + n[QUEUERS]):
        begun = i < n[SERVERS]
        row = n[serving + i] if begun else n[queueing + i - n[SERVERS]]
        if not begun or n[n[BODIES] + row * BODY + ASKED] == 1:
            n[ENTERING] -= 1
            _walk(n, x, 0.0, row, SERVE if begun else QUEUE)
    n[ENTERING] = 0


@part
def _found(n: Whole, row: int, inside: int) -> None:
    """A patient keeps what is kept at the stage, and may be in the department."""
    at = step_of(n, row)
    for i in range(n[at + KEPT]):
        _keep(n, row, n[n[at + KEPT_AT] + i])
    n[CENSUS] += n[at + inside]


@part
def _keep(n: Whole, row: int, code: int) -> None:
    """Take a place without asking, and keep it."""
    pool = pool_of(n, row, code, n[n[BODIES] + row * BODY + WARD])
    n[pool + TAKEN] += 1
    _kept(n, row, pool)


@part
def _serves_on(n: Whole, x: Minutes, row: int) -> int:
    """Hold what the stage that has begun needs; 1 if it goes on in this run, which ASKED remembers."""
    at, mine = step_of(n, row), n[BODIES] + row * BODY
    free = n[at + FREES] == 1 and _freed_of(n, x, row * n[STOPS], 0, at) <= 0
    if not free:
        for i in range(n[at + TAKES], n[at + ASKS]):
            n[pool_of(n, row, n[n[at + ASKS_AT] + i], n[mine + WARD]) + TAKEN] += 1
        n[mine + HELD] = n[at + ASKS] - n[at + TAKES]
    n[mine + WHERE] = unit_of(n, row, at)
    lasting = lasting_of(n, x, 0.0, row, at)
    n[mine + ASKED] = 1 if n[at + FREES] == 1 or lasting < x[0] else 0
    return int(n[mine + ASKED])


# --- the path ------------------------------------------------------------------------------------------------------


@part
def _walk(n: Whole, x: Minutes, now: float, row: int, entry: int) -> None:
    """The path, stop by stop, until the patient has to wait; `entry` says where in the first."""
    mine = n[BODIES] + row * BODY
    at = step_of(n, row)
    while at >= 0:
        if entry == COME and n[at + COMES] == 1:
            n[CENSUS] += 1
            tell(n, x, now, row, _ARRIVED, NOWHERE, NOWHERE)
        if entry != SERVE and entry != END:
            if entry == PLACE:
                _placed(n, row, at)
            else:
                n[mine + ASKED] = n[mine + TIMED] = 0
            if not _ask(n, x, now, row, at):
                return
            _begin(n, x, now, row, at)
        if entry != END:
            lasting = _lasts(n, x, now, row, at)
            if now + lasting >= x[0]:
                break
            if lasting > 0:
                push(n, x, now, lasting, LASTED, row)
                return
        _end(n, x, now, row, at)
        if n[FAULT] != 0:
            return
        n[mine + STOP] += 1
        entry = COME
        at = step_of(n, row)
    push(n, x, now, 0.0, OVER, row)


@part
def _lasts(n: Whole, x: Minutes, now: float, row: int, at: int) -> float:
    """How long the stage lasts; what it needs may be given back before it is over."""
    mine = n[BODIES] + row * BODY
    stop = row * n[STOPS] + n[mine + STOP]
    lasting = lasting_of(n, x, now, row, at)
    if n[at + FREES] == 1 and n[mine + HELD] > 0:
        freed = _freed_of(n, x, stop, phase_of(n, x, now), at)
        if freed < lasting:
            push(n, x, now, freed, SET_FREE, row)
            n[mine + HELD] = 0
    return float(lasting)


@part
def _freed_of(n: Whole, x: Minutes, stop: int, phase: int, at: int) -> float:
    """When a stop frees what it needs; never, where that is at its end."""
    held = n[n[FREED_AT] + stop]
    return float(x[n[FREED] + (held * n[PHASES] + phase) * n[CASELOADS] + caseload_of(n, at)]) if held >= 0 else inf


@part
def _ask(n: Whole, x: Minutes, now: float, row: int, at: int) -> bool:
    """Take what the stage asks for, one after the other; false while a place is waited for."""
    mine = n[BODIES] + row * BODY
    stop = row * n[STOPS] + n[mine + STOP]
    waits = x[n[PATIENCE] + stop]
    patience = waits if n[at + LOSES_PATIENCE] == 1 else inf
    while n[mine + ASKED] < n[at + ASKS]:
        code = n[n[at + ASKS_AT] + n[mine + ASKED]]
        pool = pool_of(n, row, code, n[mine + WARD])
        if patience <= 0 or not take_at_once(n, x, now, pool):
            n[mine + WAITS] = 1
            join(n, x, pool + QUEUED, row)
            look(n, x, now, pool)
            if n[mine + TIMED] == 0 and now + patience < x[0]:
                push(n, x, now, patience, PATIENCE_OVER, stop)
            n[mine + TIMED] = 1
            if n[at + OVERFLOWS] == 1 and code == OF_WARD and now + waits < x[0]:
                push(n, x, now, waits, SEARCHES, stop)
            return False
        _placed(n, row, at)
    return True


@part
def _placed(n: Whole, row: int, at: int) -> None:
    """One more of the pools that the stage asks for is held: to be kept, or for the stage."""
    mine = n[BODIES] + row * BODY
    asked = n[mine + ASKED]
    if asked < n[at + TAKES]:
        code = n[n[at + ASKS_AT] + asked]
        pool = pool_of(n, row, code, n[mine + WARD])
        _kept(n, row, pool)
        if code == n[at + CARE]:
            n[pool + NOT_SEEN] += 1
    else:
        n[mine + HELD] += 1
    n[mine + ASKED] = asked + 1


@part
def _begin(n: Whole, x: Minutes, now: float, row: int, at: int) -> None:
    """The stage starts: the patient is in its unit."""
    mine, unit, starts = n[BODIES] + row * BODY, unit_of(n, row, at), n[at + STARTS]
    if n[at + CARE] != NONE:
        n[n[POOLS] + n[at + CARE] * POOL + NOT_SEEN] -= 1
    if unit != NONE and unit != n[mine + WHERE]:
        n[mine + WHERE] = unit
        if starts == NONE or n[n[KINDS] + starts] & TELLS_UNIT == 0:
            tell(n, x, now, row, _MOVED, unit, NOWHERE)
    if starts != NONE:
        tell(n, x, now, row, starts, unit, n[at + STARTS_TO])


@part
def _end(n: Whole, x: Minutes, now: float, row: int, at: int) -> None:
    """The stage is over: what it needed and what it gives is free."""
    mine = n[BODIES] + row * BODY
    ward = n[mine + WARD]
    if n[at + WANTS] == 1:
        n[mine + WARD] = n[n[WANTED] + row * (n[STOPS] + 1) + n[mine + STOP] + 1]
    if n[at + ENDS] != NONE:
        tell(n, x, now, row, n[at + ENDS], unit_of(n, row, at), n[at + ENDS_TO])
    _release_needs(n, x, now, row, at, n[mine + HELD], ward)
    n[mine + HELD] = 0
    for i in range(n[at + GIVES]):
        pool = pool_of(n, row, n[n[at + GIVES_AT] + i], n[mine + WARD])
        _give_back(n, row, pool)
        release(n, x, now, pool)


@part
def _release_needs(n: Whole, x: Minutes, now: float, row: int, at: int, held: int, ward: int) -> None:
    """Give back the first of what a stage needs; its beds are those of a ward."""
    first = n[at + ASKS_AT] + n[at + TAKES]
    for i in range(held):
        release(n, x, now, pool_of(n, row, n[first + i], ward))


@part
def _kept(n: Whole, row: int, pool: int) -> None:
    """The pool is kept from now on."""
    mine = n[BODIES] + row * BODY
    n[n[KEPT_NOW] + row * n[KEEP] + n[mine + KEEPS]] = pool
    n[mine + KEEPS] += 1


@part
def _give_back(n: Whole, row: int, pool: int) -> None:
    """The pool is kept no longer."""
    mine, first = n[BODIES] + row * BODY, n[KEPT_NOW] + row * n[KEEP]
    i, last = first, first + n[mine + KEEPS] - 1
    while i <= last and n[i] != pool:
        i += 1
    if i > last:
        fault(n, NOT_KEPT, row)
        return
    while i < last:
        n[i] = n[i + 1]
        i += 1
    n[mine + KEEPS] -= 1


@part
def _leave_unseen(n: Whole, x: Minutes, now: float, row: int) -> None:
    """Leave the queue and the department."""
    mine, at = n[BODIES] + row * BODY, step_of(n, row)
    tell(n, x, now, row, _UNSEEN, NOWHERE, NOWHERE)
    for i in range(n[mine + KEEPS]):
        pool = n[n[KEPT_NOW] + row * n[KEEP] + i]
        if n[at + CARE] != NONE and pool == n[POOLS] + n[at + CARE] * POOL:
            n[pool + NOT_SEEN] -= 1
        release(n, x, now, pool)
    _release_needs(n, x, now, row, at, n[mine + HELD], n[mine + WARD])
    push(n, x, now, 0.0, OVER, row)


@part
def _give_up(n: Whole, x: Minutes, now: float, row: int, stop: int) -> None:
    """Patience is over: if the patient still waits at that stop, the place is given up."""
    mine = n[BODIES] + row * BODY
    if n[mine + STOP] == stop and n[mine + WAITS] == 1:
        n[mine + WAITS] = 0
        push(n, x, now, 0.0, GAVE_UP, row)


@part
def _still_wants_a_bed(n: Whole, row: int, stop: int) -> bool:
    """Does the patient still wait at that stop, for a bed of the ward wanted?"""
    mine = n[BODIES] + row * BODY
    if n[mine + STOP] != stop or n[mine + WAITS] == 0:
        return False
    return bool(n[n[step_of(n, row) + ASKS_AT] + n[mine + ASKED]] == OF_WARD)
