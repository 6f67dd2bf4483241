"""A calibration made from what a site says of itself instead of from a history: the twin forecasts from the first hour.

What the site's file says (path, hospital, parameters; the rest as shipped) is believed. How visits stand between two
milestones, how long they stay and how they wait for one another follows from it by the law itself (`walks.py`). How
exits are told is assumed until the log tells it. From the second day on the number of arrivals follows the log.

A site may keep its path for good (`keeps_path`). What needs no milestones is then learned from the log: arrivals with
their holidays, the mix of classes, stays in wards and the hours at which they let go; the rest stays the file's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.events import BedsCounted
from twin.alike import group_of
from twin.announced import learn_kept
from twin.arrivals import calendar
from twin.calibrate import Calibration, Described
from twin.errors import NotEnoughError, TwinError
from twin.hospital import NO_LIMIT, Hospital
from twin.learned_version import model_version
from twin.minutes import Minutes
from twin.parameters import Parameters, Stream
from twin.pathway import Path
from twin.reporting import Reporting, arrivals_told_after, typed_after
from twin.settled import BLOCK_HOURS, BLOCKS, MINIMUM_DAYS
from twin.site import Site
from twin.state import State
from twin.story import DESTINATIONS, Array, Index
from twin.unrecorded import Unrecorded
from twin.visit import Visit
from twin.waits import BEGINS
from twin.walks import Walks, marked_by, walked

ENOUGH_VISITS = 30
"""Visits that have left and none of which tells a milestone: then the log does not tell it."""
NEVER_TOLD_SHARE, WARD_NEVER_TOLD_SHARE = 1 / 12, 1 / 50
"""Of exits from the department, and of those to wards and from them, which are booked: an assumption, in use until a
log tells how its exits are told."""
TOLD_AFTER_MIN = 5.0
NOT_RECORDED_SHARE = 1 / 20
"""Of triages and first contacts: an assumption too."""
LEVEL_CV = 0.5
"""How far the number of arrivals may lie from what a site says: standard deviation of the ratio."""
_FOLLOWS_AFTER = timedelta(days=1)
_LATEST = timedelta(days=14)
_LEVEL_STEPS = 10
_LWBS = DESTINATIONS.index("left_without_being_seen")
_FIELDS = {
    "Triaged": "triaged_at", "SeenByProvider": "seen_at", "DecidedToDischarge": "discharged_at",
    "DecidedToAdmit": "decided_at",
}  # fmt: skip


def described(
    site: Site, state: State, as_of: datetime, *, days: float = 0.0, learned: Calibration | None = None
) -> Calibration:
    """What a site says of itself as a calibration as of an instant; `days` are those that the log has settled by then.

    1. The hospital as the file says it, with the beds that the log counts.
    2. The file's parameters, the arrivals at the level that the log shows; with `learned` (the site keeps its path)
       what the log has taught instead of the file's numbers where that needs no milestones.
    3. Walks: a run of some weeks by the law.
    4. How late and how incompletely exits and milestones are told: assumed, or learned.

    Raises TwinError where the file alone makes no whole.
    """
    if site.path is None or site.parameters is None:
        raise TwinError(f"{site.place} cannot be forecast from alone: {site.lacks[0]}")
    hospital, beds = _hospital(site, state, as_of)
    said, level = site.parameters, 1.0
    if learned is not None:
        said = with_learned(said, hospital, site.path, learned)
    else:
        level = _level(said.streams[0], state, as_of, hospital.zone)
    told = _told(site.path, state)
    walks = walked(hospital, site.path, _at_level(said, max(round(level * _LEVEL_STEPS), 1) / _LEVEL_STEPS), told)
    parameters = _at_level(said, level)
    exits = _exits(walks, hospital, parameters) if learned is None else _recoded(learned, hospital)
    units = len(hospital.units)
    return Calibration(
        as_of=as_of,
        hospital=hospital,
        path=site.path,
        parameters=parameters,
        beds_known=beds,
        placed=np.eye(units),
        goes_elsewhere=np.zeros(units),
        exits=exits,
        unrecorded=_unrecorded(walks) if learned is None else learned.unrecorded,
        typed_after_min=typed_after(exits),
        arrivals_told_after_min=arrivals_told_after(state, as_of - _LATEST),
        presence_correlation=0.0 if learned is None else learned.presence_correlation,
        announced=learn_kept(state, Minutes(as_of), -_LATEST / timedelta(minutes=1), hospital.zone),
        report=_report(site, hospital, parameters, beds, as_of, days, level, learned),
        described=Described(walks, told),
    )


def believed(site: Site, state: State, as_of: datetime, learn: Callable[[], Calibration]) -> Calibration:
    """What the log has taught; what the site says of itself while that is not enough, or where it keeps its path.

    Raises TwinError where there is neither.
    """
    try:
        learned = learn()
    except NotEnoughError as fault:
        try:
            return described(site, state, as_of, days=fault.days)
        except TwinError as lacking:
            raise TwinError(f"{fault}; {lacking}") from fault
    if not site.keeps_path:
        return learned
    return described(site, state, as_of, days=float(learned.report["days"]), learned=learned)


def basis_of(calibration: Calibration) -> Mapping[str, Any] | None:
    """What a forecast of it says of where it comes from: `source`, `days`, `needed`, `level`; None where learned."""
    basis: Mapping[str, Any] | None = calibration.report.get("described")
    return basis


def sentence_of(basis: Mapping[str, Any]) -> str:
    """The same in a sentence."""
    whose = "the site's own description" if basis["source"] == "site" else "the shipped description of a hospital"
    if basis["keeps_path"]:
        return f"forecast on the path of {whose}: arrivals, classes and stays in wards are learned from the log"
    level = f"; arrivals follow the log, {basis['level']:.2f} times what is described" if basis["level"] else ""
    return f"forecast from {whose}: nothing learned yet ({basis['days']:.0f} of {basis['needed']:.0f} days){level}"


# --- the hospital ---------------------------------------------------------------------------------------------------


def _hospital(site: Site, state: State, as_of: datetime) -> tuple[Hospital, frozenset[str]]:
    """With the beds that the log counts; in a shipped hospital wards that a log fills and does not count have no limit.

    And the wards whose number of beds is known.
    """
    wards = {ward.name for ward in site.hospital.wards}
    counted = {unit: beds for unit, beds in state.counted(BedsCounted, as_of, by_feeds=True).items() if unit in wards}
    known = frozenset(wards if site.own_units else counted)
    filled = any(stay.ward for visit in state.visits.values() for stay in visit.stays)
    unknown = dict.fromkeys(wards - known, NO_LIMIT) if filled else {}
    return site.hospital.with_beds({**unknown, **counted}), known


# --- arrivals -------------------------------------------------------------------------------------------------------


def _level(stream: Stream, state: State, as_of: datetime, zone: str) -> float:
    """Arrivals against what the site says: gamma by how far that may be off, given those counted since the second day.

    Who is here when a log begins is told with the arrival, who had left is not: counting begins a day after the first
    arrival of one of whom the log tells that they came and left again.
    """
    arrived = [v.arrived_at for v in state.visits.values() if v.arrived_at and v.arrived_at <= as_of]
    left = [v.arrived_at for v in state.visits.values() if v.arrived_at and v.departed_at and v.to != "ward"]
    since = max(min(left, default=as_of) + _FOLLOWS_AFTER, as_of - _LATEST)
    if since >= as_of:
        return 1.0
    length_min = (as_of - since) / timedelta(minutes=1)
    expected = float(calendar(since, length_min, zone).expected_of(stream).sum())
    shape = LEVEL_CV**-2
    return (shape + sum(at > since for at in arrived)) / (shape + expected)


@lru_cache(maxsize=8)
def _at_level(parameters: Parameters, level: float) -> Parameters:
    first, *others = parameters.streams
    changed = replace(first, per_hour=first.per_hour * level)
    return parameters if level == 1.0 else replace(parameters, streams=(changed, *others))


# --- what the log tells ---------------------------------------------------------------------------------------------


def _told(path: Path, state: State) -> frozenset[str]:
    """The milestones of the path, but for those that none of enough visits tells."""
    left = [visit for visit in state.visits.values() if visit.departed_at is not None]
    untold = {kind for kind in BEGINS if len(left) >= ENOUGH_VISITS and not _any_tells(kind, left)}
    return marked_by(path) - untold


def _any_tells(kind: str, visits: list[Visit]) -> bool:
    return any(getattr(visit, _FIELDS[kind]) is not None for visit in visits)


def _exits(walks: Walks, hospital: Hospital, parameters: Parameters) -> dict[str, Reporting]:
    """How exits are told of each of `EXITS`: stays as walked, told soon, some never."""
    v = walks.visits
    over = np.fmin(v.decided_min, walks.discharged_min)
    never = np.full(v.arrived_min.size, np.nan)
    starts = {
        "unseen": (v.arrived_min, np.fmin(v.seen_min, over)), "in care": (v.seen_min, over),
        "decided": (v.decided_min, never), "discharged": (walks.discharged_min, never),
    }  # fmt: skip
    group = group_of(v.acuity + 1, walks.hour // BLOCK_HOURS)
    never_told = {"decided": WARD_NEVER_TOLD_SHARE}
    out = {
        kind: _assumed(group, start, moves_on, v.departed_min, never_told.get(kind, NEVER_TOLD_SHARE))
        for kind, (start, moves_on) in starts.items()
    }
    return {**out, "ward": _of_wards(hospital, parameters)}


def _assumed(
    group: Index, start_min: Array, moves_on_min: Array, departed_min: Array, never_told_share: float
) -> Reporting:
    rows = np.flatnonzero(~np.isnan(start_min) & ~np.isnan(departed_min))
    after = moves_on_min[rows] - start_min[rows]
    after[_some(rows.size, NOT_RECORDED_SHARE)] = np.inf
    return Reporting(
        group=group[rows],
        stay=departed_min[rows] - start_min[rows],
        delay=_delays(rows.size, never_told_share),
        moves_on=np.where(np.isnan(after), np.inf, after),
    )


def _delays(n: int, never_told_share: float) -> Array:
    """Told soon, but for some that are never told."""
    return np.where(_some(n, never_told_share), np.inf, TOLD_AFTER_MIN)


def _some(n: int, share: float) -> npt.NDArray[np.bool_]:
    """Such a share of them, evenly spread."""
    return np.asarray(np.arange(n) % round(1.0 / share) == 0)


def _of_wards(hospital: Hospital, parameters: Parameters) -> Reporting:
    """Stays in wards as the quantiles of what is described, those beyond them drawn out as their tail is."""
    named = [(code, f"ward_stay:{u.name}") for code, u in enumerate(hospital.units) if u.ward]
    told = [(code, parameters.durations[name]) for code, name in named if name in parameters.durations]
    each = np.linspace(0.0, 1.0, 4 * BLOCKS * 10, endpoint=False) + 0.5 / (4 * BLOCKS * 10)
    zero = np.zeros(each.size, dtype=np.int64)
    stays = [duration.at(each, zero, zero)[:, 0] for _, duration in told]
    block = np.arange(each.size) % BLOCKS
    return Reporting(
        group=np.concatenate([np.empty(0, dtype=np.int64), *(group_of(zero + code, block) for code, _ in told)]),
        stay=np.concatenate([np.empty(0), *stays]),
        delay=_delays(len(told) * each.size, WARD_NEVER_TOLD_SHARE),
        moves_on=np.full(len(told) * each.size, np.inf),
    )


def _unrecorded(walks: Walks) -> dict[str, Unrecorded]:
    v = walks.visits
    group = group_of(v.acuity + 1, walks.hour // BLOCK_HOURS)
    stay = v.departed_min - v.arrived_min
    out = {}
    for name, came in (("triage", v.triaged_min), ("contact", v.seen_min)):
        rows = np.flatnonzero(~np.isnan(stay) & (~np.isnan(came) | (v.to == _LWBS)))
        after = np.where(np.isnan(came), v.departed_min, came)[rows] - v.arrived_min[rows]
        out[name] = Unrecorded(group[rows], after, after + TOLD_AFTER_MIN, stay[rows], NOT_RECORDED_SHARE)
    return out


# --- what was learned, on the site's own path -------------------------------------------------------------------------


def with_learned(said: Parameters, hospital: Hospital, path: Path, learned: Calibration) -> Parameters:
    """The file's parameters with what a log has taught in place of those that need no milestones."""
    there, taught = learned.hospital, learned.parameters
    ended = learned.report["ward_stays"]
    stays = {
        name: taught.durations[name]
        for ward in hospital.wards
        if (name := f"ward_stay:{ward.name}") in path.durations and ended.get(ward.name)
    }
    code_of = {unit.name: code for code, unit in enumerate(there.units)}
    leaving = np.ones((len(hospital.units), said.streams[0].per_hour.size)) if said.leaving is None else said.leaving
    if taught.leaving is not None:
        rows = [
            taught.leaving[code_of[unit.name]] if f"ward_stay:{unit.name}" in stays else mine
            for unit, mine in zip(hospital.units, leaving, strict=True)
        ]
        leaving = np.array(rows)
    return replace(
        said,
        streams=_streams(said, hospital, learned),
        durations={**said.durations, **stays},
        leaving=leaving,
        learned=taught.learned,
    )


def _streams(said: Parameters, hospital: Hospital, learned: Calibration) -> tuple[Stream, ...]:
    """Emergency arrivals as learned; those by appointment at the hours that the file says, as many as were learned."""
    first, *others = said.streams
    taught = learned.parameters.streams[0]
    emergency = replace(
        first,
        per_hour=taught.per_hour, day_cv=taught.day_cv, together=taught.together, on_days=taught.on_days,
        class_share=_mix(said, learned),
    )  # fmt: skip
    came = {learned.hospital.units[s.unit].name: float(s.per_hour.sum()) for s in learned.parameters.streams[1:]}
    planned = [stream for stream in others if stream.name.startswith("planned:")]
    said_of = {
        unit: sum(float(s.per_hour.sum()) for s in planned if s.unit == unit) for unit in {s.unit for s in planned}
    }
    factor = {
        unit: came[hospital.units[unit].name] / total
        for unit, total in said_of.items()
        if total > 0 and hospital.units[unit].name in came
    }
    rest = [
        replace(s, per_hour=s.per_hour * factor[s.unit]) if s in planned and s.unit in factor else s for s in others
    ]
    return (emergency, *rest)


def _mix(said: Parameters, learned: Calibration) -> Array:
    """The shares of acuities and of the old as learned over the whole day, divided as the file divides each."""
    file, log = said.streams[0].class_share, learned.parameters.streams[0].class_share.mean(axis=0)
    kind_of = [(one.acuity, one.age_band == "75+") for one in said.classes]
    taught = {
        (one.acuity, one.age_band == "75+"): share
        for one, share in zip(learned.parameters.classes, log.tolist(), strict=True)
        if one.acuity >= 0
    }
    total = np.zeros_like(file)
    for kind in set(kind_of):
        mine = np.array([other == kind for other in kind_of])
        total[:, mine] = file[:, mine].sum(axis=1, keepdims=True)
    factor = np.array([taught.get(kind, 0.0) for kind in kind_of])
    out = np.divide(file * factor, total, out=np.zeros_like(file), where=total > 0)
    whole = out.sum(axis=1, keepdims=True)
    return np.where(whole > 0, out / np.where(whole > 0, whole, 1.0), file)


def _recoded(learned: Calibration, hospital: Hospital) -> dict[str, Reporting]:
    """How exits are told, the wards by the codes of the site's own hospital."""
    codes = {unit.name: code for code, unit in enumerate(hospital.units)}
    code_of = np.array([codes.get(unit.name, -1) for unit in learned.hospital.units])
    ward = learned.exits["ward"]
    unit = code_of[ward.group // BLOCKS]
    kept = np.flatnonzero(unit >= 0)
    mine = Reporting(
        group_of(unit[kept], ward.group[kept] % BLOCKS), ward.stay[kept], ward.delay[kept], ward.moves_on[kept]
    )
    return {**learned.exits, "ward": mine}


# --- the account ------------------------------------------------------------------------------------------------------


def _report(
    site: Site, hospital: Hospital, parameters: Parameters, beds: frozenset[str], as_of: datetime, days: float,
    level: float, learned: Calibration | None,
) -> dict[str, Any]:  # fmt: skip
    basis = {
        "source": "site" if site.own - {"name", "zone"} else "shipped",
        "days": round(days, 1),
        "needed": MINIMUM_DAYS,
        "level": None if level == 1.0 else round(level, 3),
        "keeps_path": learned is not None,
    }
    said = {
        "as_of": as_of.isoformat(),
        "version": model_version(parameters),
        "path": site.path.name if site.path else "",
        "described": basis,
        "arrivals_per_day": round(float(parameters.streams[0].per_hour.sum()) / 7, 1),
        "doctors_known": True,
        "doctors_supposed": None,
        "beds_known": sorted(beds),
        "names": {unit.name: {"fr": unit.fr, "en": unit.en} for unit in hospital.units},
    }
    nothing = {"days": 0.0, "visits": 0}
    return {**(learned.report if learned else nothing), **said}
