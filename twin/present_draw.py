"""The present drawn for a member: who is here, in which stage, how far.

The log says what was recorded; each member draws what it left out. Whether a visit without an exit has left is drawn
from how exits are told (`reporting.py`). Which stage it is in is drawn among the futures that its last milestone
leaves open, each weighed by its usual share and by the chance of having lasted this long. What is left of the stage
is the residual of its duration.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from ingest.events import RANK, VisitId
from twin.calibrate import Calibration
from twin.demand import pick
from twin.minutes import Minutes
from twin.present import Present
from twin.settled import BLOCK_HOURS, class_codes
from twin.state import State
from twin.story import NOWHERE, Array, Index
from twin.visit import Visit

Flags = npt.NDArray[np.bool_]
Mark = tuple[float, int, int, int, int]

FORGET_AFTER_MIN = 72 * 60.0
"""A visit to the department this old without an exit is a ghost and not looked at."""
SITUATIONS: tuple[str, ...] = ("triage", "provider", "decision", "departure", "bed", "ward")
_TRIAGE, _PROVIDER, _DECISION, _DEPARTURE, _BED, _WARD = range(len(SITUATIONS))
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
    lasts: str
    share: Callable[[Calibration, Index, Index], Array]
    serving: bool = True


def known_at(state: State, calibration: Calibration, as_of: datetime) -> Known:
    """Who is here as far as the log tells at an instant."""
    visits = [v for v in state.present(as_of) if as_of - (v.arrived_at or as_of) < timedelta(minutes=FORGET_AFTER_MIN)]
    inpatients = state.inpatients(as_of)
    minutes = Minutes(as_of)
    codes = {unit.name: code for code, unit in enumerate(calibration.hospital.units)}
    rows = [*visits, *inpatients]
    here = [*(_situation(v) for v in visits), *(_WARD for _ in inpatients)]
    began = [v.since_at if s != _WARD else v.stays[-1].from_at for v, s in zip(rows, here, strict=True)]
    starts = [v.arrived_at if s != _WARD else v.stays[-1].from_at for v, s in zip(rows, here, strict=True)]
    acuities = {name: code for code, name in enumerate(calibration.hospital.acuities)}
    situation = np.array(here, dtype=np.int64)
    since = minutes.of_many(began)
    arrived = minutes.of_many([v.arrived_at if s != _WARD else None for v, s in zip(rows, here, strict=True)])
    acuity = np.array([acuities.get(v.acuity or "", NOWHERE) for v in rows], dtype=np.int64)
    unit = np.array([codes.get(_unit(v, s) or "", NOWHERE) for v, s in zip(rows, here, strict=True)], dtype=np.int64)
    return Known(
        ids=tuple(v.visit for v in rows),
        situation=situation,
        since_min=since,
        arrived_min=arrived,
        acuity=acuity,
        elderly=np.array([v.age_band == "75+" for v in rows], dtype=bool),
        block=_blocks([at or as_of for at in starts], calibration.hospital.zone),
        unit=unit,
        p_here=_p_here(calibration, situation, since, arrived, acuity, unit),
        marks=tuple(map(_marks, range(len(rows)), rows, here, [minutes] * len(rows), unit.tolist())),
    )


def draw_present(known: Known, calibration: Calibration, *, seed: int, member: int) -> Present:
    """The present of one member; equal for equal seed and member."""
    dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, member, _STREAM])))
    uniform = dice.random((known.count, 5))
    here = uniform[:, 0] < known.p_here
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


def _situation(visit: Visit) -> int:
    return SITUATIONS.index(visit.waits_for)


def _unit(visit: Visit, situation: int) -> str | None:
    return visit.stays[-1].unit if situation == _WARD else visit.unit_wanted


def _marks(row: int, visit: Visit, situation: int, minutes: Minutes, unit: int) -> tuple[Mark, ...]:
    if situation == _WARD:
        return ((minutes.of(visit.stays[-1].from_at), RANK["EnteredWard"], row, unit, NOWHERE),)
    told = (
        ("Arrived", visit.arrived_at), ("Triaged", visit.triaged_at),
        ("SeenByProvider", visit.seen_at), ("DecidedToAdmit", visit.decided_at),
    )  # fmt: skip
    return tuple((minutes.of(at), RANK[kind], row, NOWHERE, NOWHERE) for kind, at in told if at is not None)


def _p_here(c: Calibration, situation: Index, since: Array, arrived: Array, acuity: Index, unit: Index) -> Array:
    out = np.ones(situation.size)
    for chosen, reporting, elapsed, group in (
        (situation == _BED, c.decided, -since, acuity + 1),
        (situation == _WARD, c.wards, -since, unit),
        (situation < _BED, c.undecided, -arrived, acuity + 1),
    ):
        out[chosen] = reporting.p_here(elapsed[chosen], group[chosen])
    return out


# --- what it leaves out -------------------------------------------------------------------------------------------


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
    """The ward wanted, drawn from the class's where a boarder's is not known."""
    rows = np.flatnonzero((known.situation == _BED) & (known.unit < 0))
    unit = known.unit.copy()
    unit[rows] = pick(calibration.parameters.wanted["ward"][cls[rows]], uniform[rows])
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
        [
            f.share(c, cls[rows], known.block[rows]) * _lasts_longer(c, f, unit, rows, cls, known.block, elapsed)
            for f in futures
        ],
        axis=1,
    )
    total = weights.sum(axis=1, keepdims=True)
    even = np.full_like(weights, 1.0 / len(futures))
    which = pick(np.divide(weights, total, out=even, where=total > 0), uniform)
    return [(future, rows[which == k]) for k, future in enumerate(futures) if (which == k).any()]


def _lasts_longer(
    c: Calibration, future: Future, unit: Index, rows: Index, cls: Index, block: Index, elapsed: Array
) -> Array:
    if not future.serving:
        return np.ones(rows.size)
    out = np.empty(rows.size)
    for name, mine in _by_duration(c, future, unit, rows):
        out[mine] = c.parameters.durations[name].survival(elapsed[mine], cls[rows[mine]], block[rows[mine]])
    return out + 1e-9


def _left(
    c: Calibration, future: Future, unit: Index, rows: Index, cls: Index, block: Index, elapsed: Array, uniform: Array
) -> Array:
    loads = int(c.parameters.load_edges.shape[1]) + 1
    out = np.empty((rows.size, loads))
    for name, mine in _by_duration(c, future, unit, rows):
        duration, at = c.parameters.durations[name], rows[mine]
        if future.serving:
            out[mine] = duration.residual(uniform[at], elapsed[mine], cls[at], block[at])
        else:
            out[mine] = duration.at(uniform[at], cls[at], block[at])
    return out


def _by_duration(c: Calibration, future: Future, unit: Index, rows: Index) -> Sequence[tuple[str, Index]]:
    """The durations behind a future's name, and the places in `rows` that each is for."""
    if not future.lasts.endswith(":wanted"):
        return [(future.lasts, np.arange(rows.size))]
    head = future.lasts.removesuffix("wanted")
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


def _for_a_bed(c: Calibration) -> list[Future]:
    return [Future("boarding", "to_ward", _certain, serving=not c.beds_known)]


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
