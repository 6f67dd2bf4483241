"""The present drawn for a member: who is here, in which stage, how far.

The log says what was recorded; each member draws what it left out. Whether a visit without an exit has left is drawn
from how exits are told (`reporting.py`), whether it was triaged or seen without a record from how often that happens
(`unrecorded.py`). Which stage it is in is drawn among the futures that its last milestone
leaves open, each weighed by its usual share and by the chance of having lasted this long. What is left of the stage
is the residual of its duration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from ingest.events import RANK, VisitId
from twin.calibrate import Calibration
from twin.demand import pick
from twin.minutes import Minutes
from twin.present import Present
from twin.reporting import EXITS
from twin.settled import BLOCK_HOURS, class_codes
from twin.state import State
from twin.story import NOWHERE, Array, Index
from twin.unrecorded import Unrecorded
from twin.visit import Visit

Flags = npt.NDArray[np.bool_]
Mark = tuple[float, int, int, int, int]

FORGET_AFTER_MIN = 72 * 60.0
"""A visit to the department this old without an exit is a ghost and not looked at."""
SITUATIONS: tuple[str, ...] = ("triage", "provider", "decision", "departure", "bed", "ward")
_TRIAGE, _PROVIDER, _DECISION, _DEPARTURE, _BED, _WARD = range(len(SITUATIONS))
_UNSEEN, _IN_CARE, _DECIDED, _IN_WARD = range(len(EXITS))
_EXIT_SINCE: tuple[Callable[[Visit], datetime | None], ...] = (
    lambda v: v.arrived_at, lambda v: v.seen_at, lambda v: v.decided_at,
)  # fmt: skip
_STREAM = 0x9E50
"""Sets the numbers of the present apart from those of `luck.py`."""


@dataclass(frozen=True, eq=False)
class Known:
    """Those without a recorded exit at an instant, one row each `(patient,)`, minutes from it (negative: before)."""

    ids: tuple[VisitId, ...]
    situation: Index
    since_min: Array
    """The last milestone on record."""
    arrived_min: Array
    """NaN for those who came straight to a ward."""
    acuity: Index
    elderly: Flags
    block: Index
    unit: Index
    """Ward wanted, or the ward they are in; -1 where not known."""
    exit: Index
    """How its exit is told: a place in `EXITS`, since when it counts there, and the group it belongs to."""
    exit_since_min: Array
    exit_group: Index
    p_here: Array
    marks: tuple[tuple[Mark, ...], ...]
    """What happened to each, as in `Story.of`."""

    @property
    def count(self) -> int:
        """Rows."""
        return int(self.situation.size)


@dataclass(frozen=True)
class Future:
    """A stage in which a patient may be: its duration, its share among the futures, and whether it has begun."""

    stage: str
    lasts: str | None
    share: Callable[[Calibration, Index, Index], Array]
    serving: bool = True
    after: str | None = None
    """A duration that is over by now, for the queue for a bed that follows it; nobody queues where beds are free."""


def known_at(state: State, calibration: Calibration, as_of: datetime) -> Known:
    """Who is here as far as the log tells at an instant.

    Patients of a ward that the calibration does not know yet are left out until it does.
    """
    wards = {u.name: code for code, u in enumerate(calibration.hospital.units) if u.ward}
    acuities = {name: code for code, name in enumerate(calibration.hospital.acuities)}
    oldest_at = as_of - timedelta(minutes=FORGET_AFTER_MIN)
    visits = [v for v in state.present(as_of) if (v.arrived_at or as_of) > oldest_at]
    inpatients = [v for v in state.inpatients(as_of) if v.stays[-1].unit in wards]
    rows = [*visits, *inpatients]
    minutes = Minutes(as_of)
    situation = np.array([SITUATIONS.index(v.waits_for) for v in visits] + [_WARD] * len(inpatients), dtype=np.int64)
    starts = [v.arrived_at for v in visits] + [v.stays[-1].from_at for v in inpatients]
    came = [v.arrived_at for v in visits] + [_came_at(v) for v in inpatients]
    wanted = [v.unit_wanted for v in visits] + [v.stays[-1].unit for v in inpatients]
    acuity = np.array([acuities.get(v.acuity or "", NOWHERE) for v in rows], dtype=np.int64)
    unit = np.array([wards.get(name or "", NOWHERE) for name in wanted], dtype=np.int64)
    told = np.array([_exit(v) for v in visits] + [_IN_WARD] * len(inpatients), dtype=np.int64)
    told_since = minutes.of_many([_EXIT_SINCE[_exit(v)](v) for v in visits] + starts[len(visits) :])
    group = np.where(situation == _WARD, unit, acuity + 1)
    return Known(
        ids=tuple(v.visit for v in rows),
        situation=situation,
        since_min=minutes.of_many([v.since_at for v in visits] + starts[len(visits) :]),
        arrived_min=minutes.of_many(starts[: len(visits)] + [None] * len(inpatients)),
        acuity=acuity,
        elderly=np.array([v.age_band == "75+" for v in rows], dtype=bool),
        block=_blocks([at or as_of for at in came], calibration.hospital.zone),
        unit=unit,
        exit=told,
        exit_since_min=told_since,
        exit_group=group,
        p_here=_within_beds(_p_here(calibration, told, told_since, group), unit, situation == _WARD, calibration),
        marks=tuple(map(_marks, range(len(rows)), rows, situation.tolist(), [minutes] * len(rows), unit.tolist())),
    )


def draw_present(known: Known, calibration: Calibration, *, seed: int, member: int) -> Present:
    """The present of one member; equal for equal seed and member."""
    dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, member, _STREAM])))
    uniform = dice.random((known.count, 9))
    here = uniform[:, 0] < known.p_here
    if calibration.path.name != "stay":
        known = _with_unrecorded(known, calibration, uniform[:, 5:])
    cls = _classes(known, calibration, uniform[:, 1])
    unit = _units(known, calibration, cls, uniform[:, 2])
    stage, serving, since, residual = _stages(known, calibration, cls, unit, uniform[:, 3], uniform[:, 4])
    return Present(
        cls=cls, block=known.block, unit=unit, stage=stage, serving=serving, since_min=since,
        arrived_min=known.arrived_min, residual_min=residual, here=here,
        history=tuple(mark for row in np.flatnonzero(here) for mark in known.marks[row]),
    )  # fmt: skip


# --- what the log says --------------------------------------------------------------------------------------------


def _blocks(instants: Sequence[datetime], zone: str) -> Index:
    return np.array([local(at, zone).hour // BLOCK_HOURS for at in instants], dtype=np.int64)


def _exit(visit: Visit) -> int:
    return _DECIDED if visit.decided_at else _IN_CARE if visit.seen_at else _UNSEEN


def _marks(row: int, visit: Visit, situation: int, minutes: Minutes, unit: int) -> tuple[Mark, ...]:
    if situation == _WARD:
        return ((minutes.of(visit.stays[-1].from_at), RANK["EnteredWard"], row, unit, NOWHERE),)
    seen_at = visit.seen_at or visit.decided_at or visit.discharged_at  # who is decided was seen, recorded or not
    told = (
        ("Arrived", visit.arrived_at), ("Triaged", visit.triaged_at),
        ("SeenByProvider", seen_at), ("DecidedToAdmit", visit.decided_at),
    )  # fmt: skip
    return tuple((minutes.of(at), RANK[kind], row, NOWHERE, NOWHERE) for kind, at in told if at is not None)


def _p_here(c: Calibration, told: Index, since: Array, group: Index) -> Array:
    out = np.ones(told.size)
    for code, name in enumerate(EXITS):
        rows = np.flatnonzero(told == code)
        out[rows] = c.exits[name].p_here(-since[rows], group[rows])
    return out


def _came_at(inpatient: Visit) -> datetime:
    """When the block of a stay in a ward is taken: the arrival of those who came from the department."""
    first_ward = sum(stay.ward for stay in inpatient.stays) == 1
    return inpatient.arrived_at if inpatient.arrived_at and first_ward else inpatient.stays[-1].from_at


def _within_beds(p_here: Array, unit: Index, in_ward: Flags, c: Calibration) -> Array:
    """The probabilities with the odds of a ward's patients lowered until no more are expected than it has beds.

    A ward full beyond its beds is more likely a ward whose exits were not told.
    """
    out = p_here.copy()
    for code, ward in enumerate(c.hospital.units):
        mine = in_ward & (unit == code)
        if ward.name in c.beds_known and out[mine].sum() > ward.places:
            out[mine] = _lowered(out[mine], float(ward.places))
    return out


def _lowered(p: Array, total: float) -> Array:
    """The odds times the one factor with which they sum to the total; a certainty is taken as 999 in 1,000."""
    odds = np.minimum(p, 0.999) / (1.0 - np.minimum(p, 0.999))
    low, high = 0.0, 1.0
    for _ in range(40):
        factor = (low + high) / 2
        low, high = (factor, high) if (factor * odds / (1 + factor * odds)).sum() < total else (low, factor)
    return np.asarray(low * odds / (1 + low * odds))


# --- what it leaves out -------------------------------------------------------------------------------------------


def _with_unrecorded(known: Known, c: Calibration, uniform: Array) -> Known:
    """The patients with a triage, then a first contact, that happened to them and was not recorded."""
    triaged = _passed(known, c.unrecorded["triage"], _TRIAGE, "Triaged", uniform[:, :2])
    return _passed(triaged, c.unrecorded["contact"], _PROVIDER, "SeenByProvider", uniform[:, 2:])


def _passed(known: Known, milestone: Unrecorded, before: int, kind: str, uniform: Array) -> Known:
    """Of those in the situation before a milestone, some drawn beyond it: to the next situation, since a drawn time."""
    rows = np.flatnonzero(known.situation == before)
    elapsed, group = -known.arrived_min[rows], known.acuity[rows] + 1
    behind = uniform[rows, 0] >= milestone.p_ahead(elapsed, group)
    situation, since, marks = known.situation.copy(), known.since_min.copy(), list(known.marks)
    for row, age, g in zip(rows[behind], elapsed[behind], group[behind], strict=True):
        came = milestone.came_after(float(age), int(g), float(uniform[row, 1]))
        situation[row], since[row] = before + 1, max(came - age, since[row])
        marks[row] = (*marks[row], (float(since[row]), RANK[kind], int(row), NOWHERE, NOWHERE))
    return replace(known, situation=situation, since_min=since, marks=tuple(marks))


def _classes(known: Known, calibration: Calibration, uniform: Array) -> Index:
    """The class, drawn from those of the same age and hour for a visit that is not triaged yet."""
    cls = class_codes(known.acuity, known.elderly)
    open_rows = (known.situation == _TRIAGE) & (known.acuity < 0)
    usual = calibration.parameters.streams[0].class_share
    old = np.arange(usual.shape[1]) % 2 == 1
    weight = np.where(old[None, :] == known.elderly[open_rows][:, None], usual[known.block[open_rows]], 0.0)
    total = weight.sum(axis=1, keepdims=True)
    found = (total > 0)[:, 0]
    rows = np.flatnonzero(open_rows)[found]
    cls[rows] = pick(weight[found] / total[found], uniform[rows])
    return cls


def _units(known: Known, calibration: Calibration, cls: Index, uniform: Array) -> Index:
    """The ward that a boarder will enter: not always the one wanted; drawn by class where that is not known."""
    boards = known.situation == _BED
    told, untold = np.flatnonzero(boards & (known.unit >= 0)), np.flatnonzero(boards & (known.unit < 0))
    unit = known.unit.copy()
    unit[told] = pick(calibration.placed[known.unit[told]], uniform[told])
    unit[untold] = pick(calibration.parameters.wanted["ward"][cls[untold]], uniform[untold])
    return unit


def _stages(
    known: Known, calibration: Calibration, cls: Index, unit: Index, choice: Array, lasting: Array
) -> tuple[Index, Flags, Array, Array]:
    loads = int(calibration.parameters.load_edges.shape[1]) + 1
    stage = np.zeros(known.count, dtype=np.int64)
    serving = np.ones(known.count, dtype=bool)
    residual = np.zeros((known.count, loads))
    since = known.since_min.copy()
    for code in range(len(SITUATIONS)):
        rows = np.flatnonzero(known.situation == code)
        for future, mine in _chosen(known, calibration, code, rows, cls, unit, choice[rows]):
            elapsed = -_clock(known, calibration, mine)
            stage[mine] = calibration.path.index(future.stage)
            serving[mine] = future.serving
            since[mine] = -elapsed
            residual[mine] = _left(calibration, future, unit, mine, cls, known.block, elapsed, lasting)
    return stage, serving, since, residual


def _clock(known: Known, calibration: Calibration, rows: Index) -> Array:
    """Since when the stages of the rows' situation have lasted: the arrival on the short path, else the milestone."""
    whole = (calibration.path.name == "stay") & (known.situation[rows] != _WARD)
    return np.where(whole, known.arrived_min[rows], known.since_min[rows])


def _chosen(
    known: Known, c: Calibration, code: int, rows: Index, cls: Index, unit: Index, uniform: Array
) -> list[tuple[Future, Index]]:
    """The futures of a situation, and the rows that each falls to."""
    if not rows.size:
        return []
    futures = futures_of(c, code)
    elapsed = -_clock(known, c, rows)
    weights = np.stack(
        [f.share(c, cls[rows], known.block[rows]) * _likely(known, c, f, unit, rows, cls, elapsed) for f in futures],
        axis=1,
    )
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1.0 / len(futures))
    which = pick(np.divide(weights, total, out=even, where=total > 0), uniform)
    return [(future, rows[which == k]) for k, future in enumerate(futures) if (which == k).any()]


def _likely(
    known: Known, c: Calibration, future: Future, unit: Index, rows: Index, cls: Index, elapsed: Array
) -> Array:
    """The chance of being in a stage after the minutes elapsed, besides its share."""
    if future.after is not None:
        over = 1.0 - c.parameters.durations[future.after].survival(elapsed, cls[rows], known.block[rows])
        return np.where(_full(known, c)[unit[rows]], over, 0.0)
    if not future.serving or future.lasts is None:
        return np.ones(rows.size)
    out = np.empty(rows.size)
    for name, mine in _by_duration(c, future.lasts, unit, rows):
        out[mine] = c.parameters.durations[name].survival(elapsed[mine], cls[rows[mine]], known.block[rows[mine]])
    return out + 1e-9


def _full(known: Known, c: Calibration) -> Flags:
    """By unit: is nobody expected to find a bed there?"""
    inpatient = known.situation == _WARD
    inside = np.bincount(known.unit[inpatient], weights=known.p_here[inpatient], minlength=len(c.hospital.units))
    return inside > np.array([unit.places for unit in c.hospital.units]) - 1.0


def _left(
    c: Calibration, future: Future, unit: Index, rows: Index, cls: Index, block: Index, elapsed: Array, uniform: Array
) -> Array:
    out = np.zeros((rows.size, int(c.parameters.load_edges.shape[1]) + 1))
    for name, mine in _by_duration(c, future.lasts, unit, rows) if future.lasts else ():
        duration, at = c.parameters.durations[name], rows[mine]
        if future.serving:
            out[mine] = duration.residual(uniform[at], elapsed[mine], cls[at], block[at])
        else:
            out[mine] = duration.at(uniform[at], cls[at], block[at])
    return out


def _by_duration(c: Calibration, lasts: str, unit: Index, rows: Index) -> Sequence[tuple[str, Index]]:
    """The durations behind a name, and the places in `rows` that each is for."""
    if not lasts.endswith(":wanted"):
        return [(lasts, np.arange(rows.size))]
    head = lasts.removesuffix("wanted")
    units = [(code, f"{head}{u.name}") for code, u in enumerate(c.hospital.units) if u.ward]
    return [(name, np.flatnonzero(unit[rows] == code)) for code, name in units]


# --- the futures that each situation leaves open --------------------------------------------------------------------


def futures_of(c: Calibration, situation: int) -> list[Future]:
    """The stages of the calibration's path in which a patient of this situation may be."""
    if situation == _WARD:
        return [Future("ward", "ward_stay:wanted", _certain)]
    if c.path.name == "stay":
        return [
            Future("stay_home", "stay_home", _rest("p_ward", "p_other", "p_lwbs")),
            *(Future(f"stay_{to}", f"stay_{to}", _share(f"p_{to}")) for to in ("ward", "other", "lwbs")),
        ]
    return _OF_MILESTONES[situation](c)


def _after_triage(c: Calibration) -> list[Future]:
    if c.report["doctors_known"]:
        return [
            Future("contact_admit", "care_admit", _share("p_admit"), serving=False),
            Future("contact_home", "care_home", _rest("p_admit"), serving=False),
        ]
    return [Future("waiting", "to_contact", _rest("p_lwbs")), Future("leaving", "to_leaving", _share("p_lwbs"))]


def _for_a_bed(_: Calibration) -> list[Future]:
    return [
        Future("bed_search", "bed_search", _certain),
        Future("boarding", None, _certain, serving=False, after="bed_search"),
    ]


def _certain(_: Calibration, cls: Index, block: Index) -> Array:
    return np.ones(cls.size)


def _share(name: str) -> Callable[[Calibration, Index, Index], Array]:
    return lambda c, cls, block: c.parameters.shares[name][cls, block]


def _rest(*names: str) -> Callable[[Calibration, Index, Index], Array]:
    return lambda c, cls, block: 1.0 - sum((c.parameters.shares[n][cls, block] for n in names), np.zeros(cls.size))


_OF_MILESTONES: dict[int, Callable[[Calibration], list[Future]]] = {
    _TRIAGE: lambda _: [Future("arrival", "to_triage", _certain)],
    _PROVIDER: _after_triage,
    _DECISION: lambda _: [
        Future("contact_admit", "care_admit", _share("p_admit")),
        Future("contact_home", "care_home", _rest("p_admit")),
    ],
    _DEPARTURE: lambda _: [Future("discharge", "to_exit", _certain)],
    _BED: _for_a_bed,
}
