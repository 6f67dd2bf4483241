"""Who is here as far as the log tells: those without a recorded exit, and how likely each has not left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from ingest.events import BOARD, RANK, VisitId
from twin.alike import group_of
from twin.announced import EXITS as EXITS_PLANNED
from twin.announced import hour_of
from twin.calibrate import Calibration
from twin.history import WARD_SETTLED_MIN, lying_untold, went_untold
from twin.leaving import HOUR_MIN, Timeline, lasted
from twin.minutes import Minutes
from twin.odds import shifted
from twin.parameters import Parameters
from twin.planned_exits import Lying, Plans, plans_of
from twin.reporting import EXITS, p_here_today, usual_of
from twin.settled import BLOCK_HOURS
from twin.state import State
from twin.story import NOWHERE, Array, Index
from twin.unrecorded import Unrecorded
from twin.visit import Visit
from twin.waits import BED, PROVIDER, SITUATIONS, TRIAGE, WARD
from twin.walks import wards_of

Flags = npt.NDArray[np.bool_]
Mark = tuple[float, int, int, int, int]

YOUNG_BOARDER_MIN = 24 * 60.0
_LARGEST_LOG = 20.0
FORGET_AFTER_MIN = 72 * 60.0
"""A visit to the department this old without an exit is a ghost and not looked at."""
_UNSEEN, _IN_CARE, _DECIDED, _DISCHARGED, _IN_WARD = range(len(EXITS))
_EXIT_SINCE: tuple[Callable[[Visit], datetime | None], ...] = (
    lambda v: v.arrived_at, lambda v: v.seen_at, lambda v: v.decided_at, lambda v: v.discharged_at,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class OnOwnPath:
    """What a present on a site's own path needs besides."""

    class_share: Array
    """How likely each is of each class, by what is known of its age and acuity, `(patient, class)`."""
    capacity: Mapping[str, int]
    """Of each pool, at the instant."""
    hour: float
    """The local hour of the day."""


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
    triage_ahead: Array
    contact_ahead: Array
    """How likely a triage, a first contact that is not on record has not happened yet; NaN in wards."""
    ward_clock_min: Array
    """How long a stay in a ward has lasted on the ward's own clock (`leaving.py`); NaN in the department."""
    plans: Plans
    """Exits from wards that are planned."""
    marks: tuple[tuple[Mark, ...], ...]
    """What happened to each, as in `Story.of`."""
    group: Index
    """Its acuity and when it came, as `alike.py` has it."""
    on_own_path: OnOwnPath | None = None
    """What a present on a site's own path needs besides."""

    @property
    def count(self) -> int:
        """Rows."""
        return int(self.situation.size)


def known_at(state: State, calibration: Calibration, as_of: datetime) -> Known:
    """Who is here as far as the log tells at an instant.

    Patients of a ward that the calibration does not know yet are left out until it does.
    """
    lain_in = None if calibration.described is None else wards_of(calibration.path)
    wards = {
        u.name: code for code, u in enumerate(calibration.hospital.units)
        if u.ward and (lain_in is None or u.name in lain_in)
    }  # fmt: skip
    acuities = {name: code for code, name in enumerate(calibration.hospital.acuities)}
    oldest_at = as_of - timedelta(minutes=FORGET_AFTER_MIN)
    untold, elsewhere = _untold(state, wards, as_of)
    gone = {v.visit for v in untold}
    here = [v for v in state.present(as_of, came_after=oldest_at) if v.visit not in gone]
    visits = [_as_told(v, calibration) for v in here]
    inpatients = [*(v for v in state.inpatients(as_of) if v.stays[-1].unit in wards), *untold]
    rows = [*visits, *inpatients]
    minutes = Minutes(as_of)
    situation = np.array([SITUATIONS.index(v.waits_for) for v in visits] + [WARD] * len(inpatients), dtype=np.int64)
    starts = [v.arrived_at for v in visits] + [v.stays[-1].from_at for v in inpatients]
    came = [v.arrived_at for v in visits] + [_came_at(v) for v in inpatients]
    wanted = [v.unit_wanted for v in visits] + [v.stays[-1].unit for v in inpatients]
    acuity = np.array([acuities.get(v.acuity or "", NOWHERE) for v in rows], dtype=np.int64)
    unit = np.array([wards.get(name or "", NOWHERE) for name in wanted], dtype=np.int64)
    told = np.array([_exit(v) for v in visits] + [_IN_WARD] * len(inpatients), dtype=np.int64)
    told_since = minutes.of_many([_EXIT_SINCE[_exit(v)](v) for v in visits] + starts[len(visits) :])
    hour = _hours([at or as_of for at in came], calibration.hospital.zone)
    part = hour // BLOCK_HOURS
    block = calibration.parameters.block_of_hour[hour]
    entered = _blocks([at or as_of for at in starts], calibration.hospital.zone)
    group = np.where(situation == WARD, group_of(unit, entered), group_of(acuity + 1, part))
    arrived = minutes.of_many(starts[: len(visits)] + [None] * len(inpatients))
    left = _left(state, as_of, oldest_at, acuities, calibration)
    p_here = _p_here(calibration, _Exits(told, told_since, group), left)
    p_here = np.concatenate([p_here[: len(rows) - len(untold)],
                             _p_here_untold(calibration, untold, elsewhere, told_since, group)])  # fmt: skip
    p_here = _within_beds(p_here, unit, situation, told_since, calibration)
    ward_clock = _on_ward_clocks(calibration, minutes, situation, unit, minutes.of_many(starts))
    lying = _lying(minutes.of_many(_due(rows, calibration)), situation, unit, ward_clock, p_here)
    return Known(
        ids=tuple(v.visit for v in rows),
        situation=situation,
        since_min=minutes.of_many([v.since_at for v in visits] + starts[len(visits) :]),
        arrived_min=arrived,
        acuity=acuity,
        elderly=np.array([v.age_band == "75+" for v in rows], dtype=bool),
        block=block,
        unit=unit,
        exit=told,
        exit_since_min=told_since,
        exit_group=group,
        p_here=p_here,
        triage_ahead=_ahead(calibration.unrecorded["triage"], TRIAGE, situation, -arrived, acuity, part),
        contact_ahead=_ahead(calibration.unrecorded["contact"], PROVIDER, situation, -arrived, acuity, part),
        ward_clock_min=ward_clock,
        plans=_plans(calibration, lying, minutes),
        marks=tuple(map(_marks, range(len(rows)), rows, situation.tolist(), [minutes] * len(rows), unit.tolist())),
        group=group_of(acuity + 1, part),
        on_own_path=_on_own_path(rows, acuity, block, calibration, as_of),
    )


def _untold(state: State, wards: Mapping[str, int], as_of: datetime) -> tuple[list[Visit], list[float]]:
    """Those who lie in a ward by the rule of `history.py`, though nobody said that they went there.

    And of each how likely who wanted that ward goes to none.
    """
    open_ = [v for v in state.touching(as_of) if v.decided_at and v.decided_at <= as_of and not _over(v, as_of)]
    gone = [v for v in (v.as_of(as_of) for v in open_) if went_untold(v, as_of) and v.unit_wanted in wards]
    if not gone:
        return [], []
    endings = state.endings
    lain_in = endings.followed
    gone = [v for v in sorted(gone, key=lambda v: v.visit) if v.unit_wanted in lain_in]
    lying = [lying_untold(v, endings.boarding(v.unit_wanted).min, lain_in) for v in gone]
    young = [v for v in lying if as_of - v.stays[-1].from_at <= timedelta(minutes=WARD_SETTLED_MIN)]
    there = [v for v in young if v.stays[-1].unit in wards]
    return there, [endings.boarding(v.unit_wanted).elsewhere_share for v in there]


def _p_here_untold(
    c: Calibration, untold: Sequence[Visit], elsewhere: Sequence[float], since_min: Array, group: Index
) -> Array:
    """The probability that they, who stand last, lie there still, as no exit from a ward was told of them.

    They may have gone to no ward, unless a move to another one was told.
    """
    first = since_min.size - len(untold)
    gone, told = c.exits["ward"].usual(-since_min[first:], group[first:])
    away = np.array([e if v.stays[-1].untold else 0.0 for v, e in zip(untold, elsewhere, strict=True)])
    quiet = (1.0 - away) * (1.0 - gone * told) + away
    return np.asarray((1.0 - away) * (1.0 - gone) / np.maximum(quiet, 1e-9))


_FIELD = {
    "Triaged": "triaged_at", "SeenByProvider": "seen_at", "DecidedToAdmit": "decided_at",
    "DecidedToDischarge": "discharged_at",
}  # fmt: skip


def _as_told(visit: Visit, c: Calibration) -> Visit:
    """The visit without milestones that a site's own path does not mark."""
    if c.described is None:
        return visit
    unknown = {name: None for kind, name in _FIELD.items() if kind not in c.described.told and getattr(visit, name)}
    return replace(visit, **unknown) if unknown else visit  # type: ignore[arg-type]


def _on_own_path(
    rows: Sequence[Visit], acuity: Index, block: Index, c: Calibration, as_of: datetime
) -> OnOwnPath | None:
    if c.described is None:
        return None
    now = c.hospital.capacities(c.path.pools, as_of, 1.0)
    return OnOwnPath(
        class_share=_class_share(rows, acuity, block, c.parameters),
        capacity={pool: profile[0][1] for pool, profile in now.items()},
        hour=hour_of(as_of, c.hospital.zone),
    )


def _class_share(rows: Sequence[Visit], acuity: Index, block: Index, parameters: Parameters) -> Array:
    """The usual mix of the block, as far as age and acuity allow; else as far as the acuity does, else all of it."""
    usual = parameters.streams[0].class_share[block]
    of_acuity = np.array([one.acuity for one in parameters.classes])
    of_age = np.array([one.age_band or "" for one in parameters.classes])
    ages = np.array([row.age_band or "" for row in rows])
    same_acuity = (acuity[:, None] < 0) | (of_acuity[None, :] == acuity[:, None])
    same_age = (ages[:, None] == "") | (of_age[None, :] == ages[:, None])
    out = usual.copy()
    for allowed in (same_acuity, same_acuity & same_age):
        within = np.where(allowed, usual, 0.0)
        total = within.sum(axis=1, keepdims=True)
        out = np.where(total > 0, within / np.where(total > 0, total, 1.0), out)
    return out


def _on_ward_clocks(c: Calibration, minutes: Minutes, situation: Index, unit: Index, start_min: Array) -> Array:
    out = np.full(situation.size, np.nan)
    rows = np.flatnonzero(situation == WARD)
    if rows.size and c.parameters.leaving is not None:
        timeline = Timeline.of(minutes, float(start_min[rows].min()), HOUR_MIN, c.hospital.zone)
        out[rows] = lasted(timeline, c.parameters.leaving, unit[rows], start_min[rows], np.zeros(rows.size))
    elif rows.size:
        out[rows] = -start_min[rows]
    return out


def _due(rows: Sequence[Visit], c: Calibration) -> list[datetime | None]:
    """When exits are planned; before a feed's plans were learned from, only what people say on the pages counts."""
    learned = bool(c.announced[EXITS_PLANNED].told)
    return [v.leaves_at if learned or v.leaves_from == BOARD else None for v in rows]


def _lying(due_min: Array, situation: Index, unit: Index, clock_min: Array, p_here: Array) -> Lying:
    rows = np.flatnonzero(situation == WARD)
    return Lying(rows, unit[rows], clock_min[rows], due_min[rows], p_here[rows])


def _plans(c: Calibration, lying: Lying, minutes: Minutes) -> Plans:
    named = {code: f"ward_stay:{u.name}" for code, u in enumerate(c.hospital.units) if u.ward}
    stays = {code: c.parameters.durations[name] for code, name in named.items() if name in c.parameters.durations}
    lying = lying.within(list(stays))
    return plans_of(lying, c.announced[EXITS_PLANNED], stays, c.parameters.leaving, minutes, c.hospital.zone)


def _hours(instants: Sequence[datetime], zone: str) -> Index:
    return np.array([local(at, zone).hour for at in instants], dtype=np.int64)


def _blocks(instants: Sequence[datetime], zone: str) -> Index:
    return _hours(instants, zone) // BLOCK_HOURS


def _exit(visit: Visit) -> int:
    if visit.decided_at:
        return _DECIDED
    return _DISCHARGED if visit.discharged_at else _IN_CARE if visit.seen_at else _UNSEEN


def _marks(row: int, visit: Visit, situation: int, minutes: Minutes, unit: int) -> tuple[Mark, ...]:
    if situation == WARD:
        return ((minutes.of(visit.stays[-1].from_at), RANK["EnteredWard"], row, unit, NOWHERE),)
    seen_at = visit.seen_at or visit.decided_at or visit.discharged_at  # who is decided was seen, recorded or not
    told = (
        ("Arrived", visit.arrived_at), ("Triaged", visit.triaged_at),
        ("SeenByProvider", seen_at), ("DecidedToAdmit", visit.decided_at),
    )  # fmt: skip
    return tuple((minutes.of(at), RANK[kind], row, NOWHERE, NOWHERE) for kind, at in told if at is not None)


def _ahead(milestone: Unrecorded, before: int, situation: Index, age_min: Array, acuity: Index, block: Index) -> Array:
    """Whether a milestone is ahead of those in the department, beside all who are there."""
    rows = np.flatnonzero(situation != WARD)
    group, on_record = group_of(acuity + 1, block)[rows], situation[rows] > before
    out = np.full(situation.size, np.nan)
    out[rows] = milestone.p_ahead_today(age_min[rows], group, on_record)
    return out


@dataclass(frozen=True, eq=False)
class _Exits:
    """Visits in columns as `reporting.py` looks at them: a place in `EXITS`, since when it counts there, the group."""

    kind: Index
    since_min: Array
    group: Index


def _left(state: State, as_of: datetime, oldest_at: datetime, acuities: Mapping[str, int], c: Calibration) -> _Exits:
    """The visits to the department that came lately and whose exit is on record."""
    gone = [
        _as_told(v, c)
        for v in state.touching(oldest_at)
        if v.arrived_at and v.arrived_at > oldest_at and _over(v, as_of)
    ]
    gone.sort(key=lambda v: v.visit)
    kind = np.array([_exit(v) for v in gone], dtype=np.int64)
    acuity = np.array([acuities.get(v.acuity or "", NOWHERE) for v in gone], dtype=np.int64)
    return _Exits(
        kind=kind,
        since_min=Minutes(as_of).of_many([_EXIT_SINCE[k](v) for k, v in zip(kind, gone, strict=True)]),
        group=group_of(acuity + 1, _blocks([v.arrived_at or as_of for v in gone], c.hospital.zone)),
    )


def _over(visit: Visit, as_of: datetime) -> bool:
    left_at = visit.departed_at or visit.left_ward_at
    return left_at is not None and left_at <= as_of


def _p_here(c: Calibration, open_: _Exits, left: _Exits) -> Array:
    """Of those without an exit on record, in the department beside those who have left it, and in wards."""
    out = np.ones(open_.kind.size)
    ward = open_.kind == _IN_WARD
    out[ward] = c.exits["ward"].p_here(-open_.since_min[ward], open_.group[ward])
    kind, since, group = (np.concatenate([of[~ward], more]) for of, more in (
        (open_.kind, left.kind), (open_.since_min, left.since_min), (open_.group, left.group)))  # fmt: skip
    told = np.arange(kind.size) >= int((~ward).sum())
    usual = usual_of(c.exits, kind, -since, group)
    out[~ward] = p_here_today(kind, -since, group, told, usual)[~told]
    return out


def _came_at(inpatient: Visit) -> datetime:
    """When the block of a stay in a ward is taken: the arrival of those who came from the department."""
    first_ward = sum(stay.ward for stay in inpatient.stays) == 1
    return inpatient.arrived_at if inpatient.arrived_at and first_ward else inpatient.stays[-1].from_at


def _within_beds(p_here: Array, unit: Index, situation: Index, told_since: Array, c: Calibration) -> Array:
    """The probabilities, as far as beds allow: nobody leaves for a bed that is not there.

    1. A ward full beyond its beds is more likely a ward whose exits were not told: the odds of its patients to be
       there are lowered until no more are expected than it has beds.
    2. No more boarders can have gone to a ward untold than it may have beds to spare (by one standard deviation of
       how many are there), but for those who left for another ward or hospital: the odds of the others to be here are
       raised. Only of those who were decided on within a day; of older ones hardly any is here.
    3. Those who did go there lie there too: with them no more are expected than the ward has beds.
    """
    out = p_here.copy()
    boards = (situation == BED) & (-told_since < YOUNG_BOARDER_MIN)
    for code, ward in enumerate(c.hospital.units):
        if ward.name not in c.beds_known:
            continue
        inside, boarders = (who & (unit == code) for who in (situation == WARD, boards))
        if out[inside].sum() > ward.places:
            out[inside] = _summing_to(out[inside], float(ward.places))
        gone, there = float((1.0 - out[boarders]).sum()), out[inside]
        to_spare = max(ward.places - ward.held_back - float(there.sum()), 0.0) + float(
            np.sqrt(max((there * (1.0 - there)).sum(), 0.0))
        )
        may_be = to_spare + _goes_elsewhere(c, code) * gone
        if gone > may_be:
            out[boarders] = _summing_to(out[boarders], int(boarders.sum()) - may_be)
        came = (1.0 - _goes_elsewhere(c, code)) * float((1.0 - out[boarders]).sum())
        if out[inside].sum() + came > ward.places:
            out[inside] = _summing_to(out[inside], max(ward.places - came, 0.0))
    return out


def _goes_elsewhere(c: Calibration, ward: int) -> float:
    """The share of those who want a ward that leave for another one, or for another hospital."""
    transferred = c.parameters.shares.get("p_elsewhere")
    other_hospital = float(transferred.mean()) if transferred is not None else 0.0
    return 1.0 - (1.0 - other_hospital) * (1.0 - float(c.goes_elsewhere[ward]))


def _summing_to(p: Array, total: float) -> Array:
    """The odds times the one factor with which they sum to the total; a certainty is taken as 999 in 1,000."""
    p = np.clip(p, 0.001, 0.999)
    low, high = -_LARGEST_LOG, _LARGEST_LOG
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if shifted(p, middle).sum() < total else (low, middle)
    return shifted(p, low)
