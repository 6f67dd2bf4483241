"""The present drawn for members: who is here, in which stage, how far.

The log says what was recorded; each member draws what it left out. Whether a visit without an exit has left is drawn
from how exits are told (`reporting.py`), whether it was triaged or seen without a record from how often that happens
(`unrecorded.py`). Which stage it is in is drawn among the futures that its last milestone
leaves open, each weighed by its usual share and by the chance of having lasted this long. What is left of the stage
is the residual of its duration.

Members are drawn together, as columns with one row for each patient of each member; what one member gets does not
depend on the others.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

from twin.calibrate import Calibration
from twin.demand import pick
from twin.drawn_history import Histories
from twin.drawn_rows import Rows
from twin.durations import Duration
from twin.futures import Future, by_duration, futures_of
from twin.keys import Keys, child, children, keys_of, number
from twin.known import Known
from twin.placed import placed, wanted_unit
from twin.presence import who_is_here
from twin.present import AT_ONCE_MIN, Present
from twin.story import Array, Index
from twin.unrecorded import Unrecorded
from twin.untold_moves import moved_untold
from twin.waits import BED, DECISION, DEPARTURE, PROVIDER, SITUATIONS, TRIAGE, WARD

Flags = npt.NDArray[np.bool_]
_STREAM = 0x9E50
"""Sets the numbers of the present apart from those of `luck.py`."""
_OF_ALL, _OF_PATIENTS = range(2)
"""Places of a member's key."""
_HERE, _CLASS, _UNIT, _FUTURE, _LASTING, _TRIAGED, _TRIAGED_AT, _SEEN, _SEEN_AT, _UNTOLD = range(10)
"""What each of a patient's uniform numbers decides."""
_AT_ONCE = 100
"""Members drawn together: more no longer save time."""
_SAME_IN_ALL = (DEPARTURE, BED, WARD)
"""Situations in which all members agree on how long a stage has lasted."""


def draw_present(known: Known, calibration: Calibration, *, seed: int, member: int) -> Present:
    """The present of one member; equal for equal seed and member."""
    return draw_presents(known, calibration, seed=seed, members=range(member, member + 1))[0]


def draw_presents(known: Known, calibration: Calibration, *, seed: int, members: range) -> list[Present]:
    """The presents of some members, in their order; each is what `draw_present` gives for it, to the last bit."""
    about = _about(known, calibration)
    blocks = (members[first : first + _AT_ONCE] for first in range(0, len(members), _AT_ONCE))
    return [present for block in blocks for present in _drawn(about, seed, block)]


def _drawn(about: _About, seed: int, members: range) -> list[Present]:
    known, c = about.known, about.calibration
    key, score = _dice(seed, members, known.count)
    here = _who_is_here(about, number(key, np.array([_HERE])), score)
    rows, milestones = Rows.of(known, key.ravel(), _LASTING), list[Array]()
    if _draws_milestones(c):
        rows, milestones = _with_unrecorded(about, rows)
    rows = replace(rows, cls=_classes(about, rows), untold_min=_untold(c, rows))
    rows = replace(rows, unit=_units(about, rows), lasting=_without_plans(about, rows))
    rows, moved = moved_untold(known, c, rows, here)
    columns = (rows.cls, *_places(about, rows, here))
    cls, unit, stage, serving, since, residual = (x.reshape(*here.shape, *x.shape[1:]) for x in columns)
    histories = about.histories.of(
        here, [at.reshape(here.shape) for at in milestones], moved, rows.unit.reshape(here.shape)
    )
    return [
        Present(
            cls=cls[i], block=known.block, unit=unit[i], stage=stage[i], serving=serving[i], since_min=since[i],
            arrived_min=known.arrived_min, residual_min=residual[i], here=here[i], history=history,
        )
        for i, history in enumerate(histories)
    ]  # fmt: skip


def _draws_milestones(c: Calibration) -> bool:
    """Are triage and first contact milestones of the path, of which a member may draw that they were not recorded?"""
    if c.described is not None:
        return {"Triaged", "SeenByProvider"} <= c.described.told
    return c.path.name != "stay"


# --- what all members share ---------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _About:
    """What is known, and what follows from it whatever the member."""

    known: Known
    calibration: Calibration
    full: Flags
    """By unit: is nobody expected to find a bed there?"""
    threshold: Array
    """The normal score below which each is here, `(patient,)`."""
    group: Index
    histories: Histories
    reached: dict[int, Array] = field(default_factory=dict)
    """By duration, how much of it each patient has reached where members agree, `(patient, load)`; NaN until asked."""


@lru_cache(maxsize=2)
def _about(known: Known, c: Calibration) -> _About:
    return _About(
        known=known,
        calibration=c,
        full=_full(known, c),
        threshold=special.ndtri(known.p_here),
        group=known.group,
        histories=Histories.about(known, (TRIAGE, PROVIDER) if _draws_milestones(c) else ()),
    )


def _full(known: Known, c: Calibration) -> Flags:
    inpatient = known.situation == WARD
    inside = np.bincount(known.unit[inpatient], weights=known.p_here[inpatient], minlength=len(c.hospital.units))
    return inside > np.array([unit.places - unit.held_back for unit in c.hospital.units]) - 1.0


# --- patients of members ------------------------------------------------------------------------------------------


def _dice(seed: int, members: range, patients: int) -> tuple[Keys, Array]:
    """Of each member a key a patient, `(member, patient)`, and a normal score."""
    of_all, of_patients = children(keys_of(seed, members, _STREAM), _OF_ALL, _OF_PATIENTS)
    keys = child(of_patients[:, None], np.arange(patients))
    return np.asarray(keys), special.ndtri(number(of_all, np.zeros(1, dtype=np.int64)))


def _who_is_here(about: _About, uniform: Array, score: Array) -> Flags:
    """`(member, patient)`: in wards each on their own, in the department more or fewer together."""
    known = about.known
    here = uniform < known.p_here
    department = known.situation != WARD
    here[:, department] = who_is_here(
        about.threshold[department], uniform[:, department], score[:, None], about.calibration.presence_correlation
    )
    return here


# --- what the log leaves out --------------------------------------------------------------------------------------


def _with_unrecorded(about: _About, rows: Rows) -> tuple[Rows, list[Array]]:
    """Those with a triage, then a first contact, that happened to them and was not recorded; and when each did."""
    known, milestone = about.known, about.calibration.unrecorded
    triaged, triage_at = _passed(about, rows, milestone["triage"], known.triage_ahead, TRIAGE, (_TRIAGED, _TRIAGED_AT))
    seen, contact_at = _passed(about, triaged, milestone["contact"], known.contact_ahead, PROVIDER, (_SEEN, _SEEN_AT))
    return seen, [triage_at, contact_at]


def _passed(
    about: _About, rows: Rows, milestone: Unrecorded, p_ahead: Array, before: int, purposes: tuple[int, int]
) -> tuple[Rows, Array]:
    """Of those in the situation before a milestone, some drawn beyond it: to the next situation, since a drawn time.

    And that time by row; NaN for the others.
    """
    waiting = rows.within(before)
    behind = waiting[rows.number(waiting, purposes[0]) >= p_ahead[rows.patient[waiting]]]
    situation, since, came = rows.situation.copy(), rows.since_min.copy(), np.full(rows.patient.size, np.nan)
    for patient in np.unique(rows.patient[behind]):
        mine = behind[rows.patient[behind] == patient]
        age = -float(about.known.arrived_min[patient])
        after = milestone.came_after(age, int(about.group[patient]), rows.number(mine, purposes[1]))
        came[mine] = np.maximum(after - age, since[mine])
    situation[behind], since[behind] = before + 1, came[behind]
    return replace(rows, situation=situation, since_min=since), came


def _classes(about: _About, rows: Rows) -> Index:
    """The class, drawn from those of the same age and hour for a visit that is not triaged yet."""
    known, cls = about.known, rows.cls.copy()
    if known.on_own_path is not None:
        return pick(known.on_own_path.class_share[rows.patient], rows.number(np.arange(cls.size), _CLASS))
    waiting = rows.within(TRIAGE)
    open_rows = waiting[known.acuity[rows.patient[waiting]] < 0]
    usual = about.calibration.parameters.streams[0].class_share
    old = np.arange(usual.shape[1]) % 2 == 1
    elderly = known.elderly[rows.patient[open_rows]]
    weight = np.where(old[None, :] == elderly[:, None], usual[rows.block[open_rows]], 0.0)
    total = weight.sum(axis=1, keepdims=True)
    found = (total > 0)[:, 0]
    cls[open_rows[found]] = pick(weight[found] / total[found], rows.number(open_rows[found], _CLASS))
    return cls


def _units(about: _About, rows: Rows) -> Index:
    """The ward that a boarder will enter: not always the one wanted; drawn by class where that is not known."""
    c, unit, boards = about.calibration, rows.unit.copy(), rows.within(BED)
    told, untold = boards[unit[boards] >= 0], boards[unit[boards] < 0]
    if c.described is not None:
        unit[untold] = wanted_unit(about.known, c, about.full, rows, untold, rows.number(untold, _UNIT))
        return unit
    unit[untold] = pick(c.parameters.wanted["ward"][rows.cls[untold]], rows.number(untold, _UNIT))
    unit[told] = pick(c.placed[rows.unit[told]], rows.number(told, _UNIT))
    return unit


def _untold(c: Calibration, rows: Rows) -> Array:
    """For how many minutes back a decision on each may have been taken that is not typed in yet."""
    delays, out, mine = c.typed_after_min, np.zeros(rows.patient.size), rows.within(DECISION)
    if delays.size:
        out[mine] = delays[(rows.number(mine, _UNTOLD) * delays.size).astype(np.int64)]
    return out


def _without_plans(about: _About, rows: Rows) -> Array:
    """The numbers that draw what is left of stays, where part of the exits to come is planned by others."""
    plans, patients = about.known.plans, about.known.count
    if not (plans.left or plans.lowered):
        return rows.lasting
    lasting = rows.lasting.reshape(-1, patients).copy()
    for row in plans.lowered:
        lasting[:, row] = plans.unplanned(row, lasting[:, row])
    return lasting.ravel()


def _as_planned(about: _About, rows: Rows, mine: Index, left: Array) -> Array:
    """What is left of stays in wards, where an exit is planned as such plans are kept."""
    plans = about.known.plans
    if not plans.left:
        return left
    out, place = left.copy(), np.full(rows.patient.size, -1)
    place[mine] = np.arange(mine.size)
    by_member = place.reshape(-1, about.known.count)
    for row in plans.left:
        at = by_member[:, row]
        drawn = plans.drawn(row, rows.lasting[mine[at]])
        out[at] = np.where(np.isnan(drawn), out[at, 0], drawn)[:, None]
    return out


def _places(about: _About, rows: Rows, here: Flags) -> tuple[Index, Index, Flags, Array, Array]:
    """Unit, stage, whether it has begun, since when, and what is left of it by load class, one row each."""
    if about.calibration.described is None:
        return rows.unit, *_stages(about, rows)
    future = rows.number(np.arange(rows.patient.size), _FUTURE)
    where = placed(about.known, about.calibration, about.full, rows, here, future)
    as_known = np.flatnonzero(about.known.situation[rows.patient] == WARD)
    left = where.left_min.copy()
    planned = _as_planned(about, rows, as_known, left[as_known])
    left[as_known] = np.where(where.by_clock[as_known, None], planned, left[as_known])
    return where.unit, where.stage, where.serving, where.since_min, left


# --- in which stage, and how far ----------------------------------------------------------------------------------


def _stages(about: _About, rows: Rows) -> tuple[Index, Flags, Array, Array]:
    """Stage, whether it has begun, since when, and what is left of it by load class, one row each."""
    c, n = about.calibration, rows.patient.size
    stage, serving = np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool)
    residual, since = np.zeros((n, c.parameters.loads)), rows.since_min.copy()
    for code in range(len(SITUATIONS)):
        for future, mine in _chosen(about, rows, code):
            elapsed = -_clock(about, rows, code, mine)
            lasted = np.maximum(elapsed - rows.untold_min[mine], 0.0)
            if code == WARD:
                lasted = rows.ward_clock_min[mine]
            stage[mine], serving[mine], since[mine] = c.path.index(future.stage), future.serving, -elapsed
            as_known = bool((about.known.situation[rows.patient[mine]] == code).all())
            left = _left(about, rows, future, mine, lasted, same_in_all=code in _SAME_IN_ALL and as_known)
            if code == WARD and as_known:
                left = _as_planned(about, rows, mine, left)
            at_once = AT_ONCE_MIN if future.serving else 0.0
            residual[mine] = np.maximum(left - rows.untold_min[mine, None], at_once)
    return stage, serving, since, residual


def _clock(about: _About, rows: Rows, code: int, mine: Index) -> Array:
    """Since when the stages of the rows' situation have lasted: the arrival on the short path, else the milestone."""
    whole = about.calibration.path.name == "stay" and code != WARD
    return (rows.arrived_min if whole else rows.since_min)[mine]


def _chosen(about: _About, rows: Rows, code: int) -> list[tuple[Future, Index]]:
    """The futures of a situation, and the rows that each falls to."""
    mine = rows.within(code)
    if not mine.size:
        return []
    futures = futures_of(about.calibration, code)
    if len(futures) == 1:
        as_known = about.known.situation[rows.patient[mine]] == code
        return [(futures[0], some) for some in (mine[as_known], mine[~as_known]) if some.size]
    elapsed = -_clock(about, rows, code, mine)
    cls, block = rows.cls[mine], rows.block[mine]
    shares = [f.share(about.calibration, cls, block) * _likely(about, rows, f, mine, elapsed) for f in futures]
    weights = np.stack(shares, axis=1)
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1.0 / len(futures))
    which = pick(np.divide(weights, total, out=even, where=total > 0), rows.number(mine, _FUTURE))
    return [(future, mine[which == k]) for k, future in enumerate(futures) if (which == k).any()]


def _likely(about: _About, rows: Rows, future: Future, mine: Index, elapsed: Array) -> Array:
    """The chance of being in a stage after the minutes elapsed, besides its share."""
    durations = about.calibration.parameters.durations
    if future.after is not None:
        over = 1.0 - durations[future.after].survival(elapsed, rows.cls[mine], rows.block[mine])
        return np.where(about.full[rows.unit[mine]], over, 0.0)
    if not future.serving or future.lasts is None:
        return np.ones(mine.size)
    out = np.empty(mine.size)
    for name, some in by_duration(about.calibration, future.lasts, rows.unit[mine]):
        at = mine[some]
        out[some] = durations[name].survival(elapsed[some], rows.cls[at], rows.block[at])
    return out + 1e-9


def _left(about: _About, rows: Rows, future: Future, mine: Index, lasted: Array, *, same_in_all: bool) -> Array:
    """What is left of a stage after the minutes it has lasted, `(row, load)`; the whole of one that has not begun."""
    c = about.calibration
    out = np.zeros((mine.size, c.parameters.loads))
    for name, some in by_duration(c, future.lasts, rows.unit[mine]) if future.lasts else ():
        duration, at = c.parameters.durations[name], mine[some]
        uniform, cls, block = rows.lasting[at], rows.cls[at], rows.block[at]
        if not future.serving:
            out[some] = duration.at(uniform, cls, block)
            continue
        reached = _reached(about, duration, rows, at, lasted[some], same_in_all=same_in_all)
        out[some] = duration.beyond(reached, uniform, lasted[some], cls, block)
    return out


def _reached(about: _About, duration: Duration, rows: Rows, at: Index, lasted: Array, *, same_in_all: bool) -> Array:
    """As `Duration.reached`; where members agree, worked out once a patient."""
    patient, cls, block = rows.patient[at], rows.cls[at], rows.block[at]
    if not same_in_all:
        return duration.reached(lasted, cls, block)
    unknown = np.full((about.known.count, duration.loads), np.nan)
    once = about.reached.setdefault(id(duration), unknown)
    new = np.flatnonzero(np.isnan(once[patient, 0]))
    one, first = np.unique(patient[new], return_index=True)
    if one.size:
        once[one] = duration.reached(lasted[new[first]], cls[new[first]], block[new[first]])
    return once[patient]
