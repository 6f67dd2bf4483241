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

import numpy as np
import numpy.typing as npt

from ingest.events import RANK
from twin.alike import group_of
from twin.calibrate import Calibration
from twin.demand import pick
from twin.known import BED, DECISION, DEPARTURE, PROVIDER, SITUATIONS, TRIAGE, WARD, Known
from twin.presence import who_is_here
from twin.present import Present
from twin.settled import class_codes
from twin.story import NOWHERE, Array, Index
from twin.unrecorded import Unrecorded

Flags = npt.NDArray[np.bool_]
AT_ONCE_MIN = 1.0 / 60.0
"""When a stage ends that is over by now: just after it, so that the present is still the present."""
_STREAM = 0x9E50
"""Sets the numbers of the present apart from those of `luck.py`."""


@dataclass(frozen=True)
class Future:
    """A stage in which a patient may be: its duration, its share among the futures, and whether it has begun."""

    stage: str
    lasts: str | None
    share: Callable[[Calibration, Index, Index], Array]
    serving: bool = True
    after: str | None = None
    """A duration that is over by now, for the queue for a bed that follows it; nobody queues where beds are free."""


def draw_present(known: Known, calibration: Calibration, *, seed: int, member: int) -> Present:
    """The present of one member; equal for equal seed and member."""
    dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, member, _STREAM])))
    uniform = dice.random((known.count, 10))
    together = who_is_here(known.p_here, uniform[:, 0], dice.standard_normal(), calibration.presence_correlation)
    here = np.where(known.situation == WARD, uniform[:, 0] < known.p_here, together)
    if calibration.path.name != "stay":
        known = _with_unrecorded(known, calibration, uniform[:, 5:9])
    cls = _classes(known, calibration, uniform[:, 1])
    unit = _units(known, calibration, cls, uniform[:, 2])
    untold_min = _untold(known, calibration, uniform[:, 9])
    stage, serving, since, residual = _stages(known, calibration, cls, unit, untold_min, uniform[:, 3], uniform[:, 4])
    return Present(
        cls=cls, block=known.block, unit=unit, stage=stage, serving=serving, since_min=since,
        arrived_min=known.arrived_min, residual_min=residual, here=here,
        history=tuple(mark for row in np.flatnonzero(here) for mark in known.marks[row]),
    )  # fmt: skip


# --- what it leaves out -------------------------------------------------------------------------------------------


def _with_unrecorded(known: Known, c: Calibration, uniform: Array) -> Known:
    """The patients with a triage, then a first contact, that happened to them and was not recorded."""
    triaged = _passed(known, c.unrecorded["triage"], known.triage_ahead, TRIAGE, "Triaged", uniform[:, :2])
    return _passed(triaged, c.unrecorded["contact"], known.contact_ahead, PROVIDER, "SeenByProvider", uniform[:, 2:])


def _passed(known: Known, milestone: Unrecorded, p_ahead: Array, before: int, kind: str, uniform: Array) -> Known:
    """Of those in the situation before a milestone, some drawn beyond it: to the next situation, since a drawn time."""
    rows = np.flatnonzero(known.situation == before)
    elapsed, group = -known.arrived_min[rows], group_of(known.acuity + 1, known.block)[rows]
    behind = uniform[rows, 0] >= p_ahead[rows]
    situation, since, marks = known.situation.copy(), known.since_min.copy(), list(known.marks)
    for row, age, g in zip(rows[behind], elapsed[behind], group[behind], strict=True):
        came = milestone.came_after(float(age), int(g), float(uniform[row, 1]))
        situation[row], since[row] = before + 1, max(came - age, since[row])
        marks[row] = (*marks[row], (float(since[row]), RANK[kind], int(row), NOWHERE, NOWHERE))
    return replace(known, situation=situation, since_min=since, marks=tuple(marks))


def _classes(known: Known, calibration: Calibration, uniform: Array) -> Index:
    """The class, drawn from those of the same age and hour for a visit that is not triaged yet."""
    cls = class_codes(known.acuity, known.elderly)
    open_rows = (known.situation == TRIAGE) & (known.acuity < 0)
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
    boards = known.situation == BED
    told, untold = np.flatnonzero(boards & (known.unit >= 0)), np.flatnonzero(boards & (known.unit < 0))
    unit = known.unit.copy()
    unit[told] = pick(calibration.placed[known.unit[told]], uniform[told])
    unit[untold] = pick(calibration.parameters.wanted["ward"][cls[untold]], uniform[untold])
    return unit


def _untold(known: Known, calibration: Calibration, uniform: Array) -> Array:
    """For how many minutes back a decision on each may have been taken that is not typed in yet, `(patient,)`."""
    delays, out = calibration.typed_after_min, np.zeros(known.count)
    rows = np.flatnonzero(known.situation == DECISION)
    if delays.size:
        out[rows] = delays[(uniform[rows] * delays.size).astype(np.int64)]
    return out


def _stages(
    known: Known, calibration: Calibration, cls: Index, unit: Index, untold_min: Array, choice: Array, lasting: Array
) -> tuple[Index, Flags, Array, Array]:
    stage = np.zeros(known.count, dtype=np.int64)
    serving = np.ones(known.count, dtype=bool)
    residual = np.zeros((known.count, calibration.parameters.loads))
    since = known.since_min.copy()
    for code in range(len(SITUATIONS)):
        rows = np.flatnonzero(known.situation == code)
        for future, mine in _chosen(known, calibration, code, rows, cls, unit, choice[rows]):
            elapsed = -_clock(known, calibration, mine)
            lasted = known.ward_clock_min[mine] if code == WARD else np.maximum(elapsed - untold_min[mine], 0.0)
            stage[mine] = calibration.path.index(future.stage)
            serving[mine] = future.serving
            since[mine] = -elapsed
            left = _left(calibration, future, unit, mine, cls, known.block, lasted, lasting)
            at_once = AT_ONCE_MIN if future.serving else 0.0
            residual[mine] = np.maximum(left - untold_min[mine, None], at_once)
    return stage, serving, since, residual


def _clock(known: Known, calibration: Calibration, rows: Index) -> Array:
    """Since when the stages of the rows' situation have lasted: the arrival on the short path, else the milestone."""
    whole = (calibration.path.name == "stay") & (known.situation[rows] != WARD)
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
    inpatient = known.situation == WARD
    inside = np.bincount(known.unit[inpatient], weights=known.p_here[inpatient], minlength=len(c.hospital.units))
    return inside > np.array([unit.places - unit.held_back for unit in c.hospital.units]) - 1.0


def _left(
    c: Calibration, future: Future, unit: Index, rows: Index, cls: Index, block: Index, elapsed: Array, uniform: Array
) -> Array:
    out = np.zeros((rows.size, c.parameters.loads))
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
    if situation == WARD:
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
        Future("bed_search", "bed_search", _rest("p_elsewhere")),
        Future("boarding", None, _rest("p_elsewhere"), serving=False, after="bed_search"),
        Future("elsewhere", "to_elsewhere", _share("p_elsewhere")),
    ]


def _certain(_: Calibration, cls: Index, block: Index) -> Array:
    return np.ones(cls.size)


def _share(name: str) -> Callable[[Calibration, Index, Index], Array]:
    return lambda c, cls, block: c.parameters.shares[name][cls, block]


def _rest(*names: str) -> Callable[[Calibration, Index, Index], Array]:
    return lambda c, cls, block: 1.0 - sum((c.parameters.shares[n][cls, block] for n in names), np.zeros(cls.size))


_OF_MILESTONES: dict[int, Callable[[Calibration], list[Future]]] = {
    TRIAGE: lambda _: [Future("arrival", "to_triage", _certain)],
    PROVIDER: _after_triage,
    DECISION: lambda _: [
        Future("contact_admit", "care_admit", _share("p_admit")),
        Future("contact_home", "care_home", _rest("p_admit")),
    ],
    DEPARTURE: lambda _: [Future("discharge", "to_exit", _certain)],
    BED: _for_a_bed,
}
