"""Parameters estimated from the log, with what was excluded and why.

`calibrate` reads the visits of the last weeks as they are known, chooses the path that the log can tell, and learns
its parameters: arrivals by hour of week, classes, durations by class, arrival block and load, routing shares, stays in
wards, how late exits are told. It uses nothing that became known after the instant it is made for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from twin.adapted import Adapted, adapted
from twin.announced import Kept, learn_kept
from twin.contacts import Stretches, busy_stretches, caseload, doctor_slot, steps_of
from twin.durations import Duration, fixed
from twin.history import History, completed, history_of, history_of_visits
from twin.hospital import NO_LIMIT, Hospital
from twin.learned_arrivals import Around, ArrivalProfile, Calendar, learn_arrivals
from twin.learned_days import YEAR_DAYS, Before, came_at
from twin.learned_durations import learn_censored
from twin.learned_path import Learned, Sample, learn_milestones, learn_stay
from twin.learned_report import Account, report_of
from twin.leaving import HOUR_MIN, HOURS_A_WEEK, Timeline, lasted, learn_leaving
from twin.minutes import Minutes
from twin.overflowing import learn_overflow, shares_entered
from twin.parameters import Parameters, Stream
from twin.pathway import Path, load_path
from twin.presence import presence_correlation
from twin.replayed import queue_of, slower
from twin.reporting import Reporting, arrivals_told_after, ended_untold, exits_told, typed_after, with_ends
from twin.settled import (
    BLOCK_HOURS,
    BLOCKS,
    DAY_MIN,
    learning_window,
    load_edges,
    patient_classes,
    settled_sample,
)
from twin.state import State
from twin.story import DESTINATIONS, Array, Visits
from twin.supposed import supposed_roster
from twin.turnover import BedCounts, free_beds, learn_turnover
from twin.unrecorded import Unrecorded, unrecorded
from twin.walks import Walks

Flags = npt.NDArray[np.bool_]

WINDOW_DAYS = 60
"""Days of history that the parameters are learned from."""
STAYS_HALF_LIFE_DAYS = 120.0
"""Days after which a stay in a ward weighs half: long stays and small wards need a year."""
ENOUGH_TOLD = 0.6
"""Share of visits that must tell a milestone for a path to use it."""
_WARD = DESTINATIONS.index("ward")


@dataclass(frozen=True, eq=False)
class Described:
    """What a present needs on a path that nobody learned from a log."""

    walks: Walks
    told: frozenset[str]
    """The milestones of the path that the log tells too."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the twin believes of a hospital from what was known at an instant."""

    as_of: datetime
    hospital: Hospital
    path: Path
    parameters: Parameters
    beds_known: frozenset[str]
    """Wards whose number of beds is known."""
    placed: Array
    """Where those end up who want a ward, unless its patients overflow, `(unit wanted, unit entered)`; rows sum to
    1."""
    goes_elsewhere: Array
    """The share of those who want a unit who enter another ward, whatever for, `(unit,)`."""
    exits: Mapping[str, Reporting]
    """How the exits of each of `EXITS` are told."""
    unrecorded: Mapping[str, Unrecorded]
    """How often triage and first contact are not recorded."""
    typed_after_min: Array
    """Minutes after which a milestone is known, a sample, rising; see `reporting.typed_after`."""
    arrivals_told_after_min: Array
    """Minutes after which an arrival is known, a sample, rising."""
    presence_correlation: float
    """How much those without an exit are here, or are not, together (`presence.py`)."""
    announced: Mapping[str, Kept]
    """How announcements of each of `announced.KINDS` are kept."""
    report: Mapping[str, Any]
    """What was learned, excluded and could not be known, ready for JSON."""
    described: Described | None = None
    """Where the path is the one that a site's file says (`described.py`); None where it was learned."""


def calibrate(
    state: State,
    hospital: Hospital,
    as_of: datetime,
    *,
    before: Before | None = None,
    window_days: int = WINDOW_DAYS,
    own_beds: bool = False,
) -> Calibration:
    """The parameters as of an instant, minutes counted from it.

    1. The visits in columns, completed by the one rule of `history.py`.
    2. The hospital as the log tells it: its wards, its beds, its doctors on duty.
    3. The settled visits of the window, their classes, blocks and load classes; what the hours with a queue tell of
       doctors and beds.
    4. Arrivals; then durations, shares and wards wanted of the path that the log can tell.
    5. How late and how incompletely exits and milestones are told.

    `before` are the visits of the year before the last weeks (`Days.before`): the week's profile, holidays and season,
    stays in wards and whatever is seldom are learned from them too, recent weeks weighing more. `own_beds` says that
    the hospital's file is the site's own, so that its beds count where the log tells none.
    Raises TwinError where there is less than a week of settled visits.
    """
    minutes = Minutes(as_of)
    known = adapted(hospital, state, as_of, own_beds=own_beds)
    codes = {unit.name: code for code, unit in enumerate(known.hospital.units)}
    history = history_of(state, minutes, 0.0, known.hospital.acuities, codes, known.hospital.zone)
    window = learning_window(history, window_days)
    visits = completed(history)
    counts = BedCounts.of(state, minutes)
    known, turnaround_min = _beds(history, visits, known, counts, window)
    overflow = learn_overflow(history, visits, known.hospital, known.beds, counts, window[0])
    known = replace(known, hospital=known.hospital.with_overflow(overflow.hosts))
    history = replace(history, wanted=overflow.wanted)
    classes = patient_classes(known.hospital)
    recent = settled_sample(history, visits, window, len(classes), window)
    year = _year(state, before, history, visits, window, codes, known.hospital)
    sample = recent if year.history is history else settled_sample(
        year.history, year.visits, year.window, len(classes), window
    )  # fmt: skip
    path = load_path(_path_for(history, window), known.hospital)
    edges = load_edges(history, visits, window)
    known, slot = _doctors(recent, _staffed(recent, known, path, minutes), minutes)
    learned = _learned(path, sample, known, year.visits, slot, counts)
    durations = {**learned.durations, **_contacts(recent, known, minutes, learned.durations, slot)}
    exits = exits_told(history, visits)
    announced = learn_kept(state, minutes, window[0], known.hospital.zone)
    wards = _wards(year, known.hospital, exits["ward"])
    profile, streams = _streams(year, recent, known.hospital, path)
    parameters = Parameters(
        classes=classes,
        block_of_hour=np.arange(24) // BLOCK_HOURS,
        streams=streams,
        durations={**_others(path, turnaround_min, overflow.after), **durations, **wards.stays},
        shares=learned.shares,
        wanted=learned.wanted,
        load_edges=edges,
        leaving=wards.leaving,
        learned={
            "from": minutes.at(window[0]).isoformat(),
            "until": as_of.isoformat(),
            "visits": int(recent.cells.cls.size),
        },
    )
    return Calibration(
        as_of=as_of,
        hospital=known.hospital,
        path=path,
        parameters=parameters,
        beds_known=known.beds,
        placed=shares_entered(history, history.wanted, len(codes)),
        goes_elsewhere=overflow.goes_elsewhere,
        exits=exits,
        unrecorded={
            "triage": unrecorded(history, visits, history.visits.triaged_min, history.triage_known_min),
            "contact": unrecorded(history, visits, history.visits.seen_min, history.contact_known_min),
        },
        typed_after_min=typed_after(exits),
        announced=announced,
        arrivals_told_after_min=arrivals_told_after(state, minutes.at(window[0])),
        presence_correlation=presence_correlation(history, visits, exits, window[0]),
        report=report_of(
            Account(
                history=history,
                visits=with_ends(history, visits, exits["ward"]),
                window=window,
                year=year.visits,
                year_window=year.window,
                path=path,
                profile=profile,
                parameters=parameters,
                known=known,
                ended=wards.ended,
            )
        ),
    )


@dataclass(frozen=True, eq=False)
class _Year:
    """All visits that are learned from, completed, and their window; without a year before them those of the state."""

    history: History
    visits: Visits
    window: tuple[float, float]
    looked_min: Array
    """Until when it is known what became of each visit."""


def _year(
    state: State, before: Before | None, history: History, visits: Visits, window: tuple[float, float],
    codes: Mapping[str, int], hospital: Hospital,
) -> _Year:  # fmt: skip
    if before is None or not before.visits:
        return _Year(history, visits, window, np.zeros(visits.arrived_min.size))
    rows = before.with_recent(state)
    whole = history_of_visits(rows, history.minutes, 0.0, hospital.acuities, codes, hospital.zone)
    wanted = dict(zip(history.ids, history.wanted.tolist(), strict=True))  # what the overflow of wards has told
    known = zip(whole.ids, whole.wanted.tolist(), strict=True)
    whole = replace(whole, wanted=np.array([wanted.get(visit, unit) for visit, unit in known], dtype=np.int64))
    looked_at = {visit.visit: before.looked_at(at) for visit in before.visits if (at := came_at(visit)) is not None}
    looked = np.array([min(history.minutes.of(looked_at.get(v, history.minutes.origin)), 0.0) for v in whole.ids])
    return _Year(whole, completed(whole), learning_window(whole, YEAR_DAYS), looked)


# --- what is learned ----------------------------------------------------------------------------------------------


def _path_for(history: History, window: tuple[float, float]) -> str:
    """The longest path whose milestones enough visits tell."""
    v = history.visits
    settled = (v.arrived_min >= window[0]) & (v.arrived_min < window[1])
    stayed = settled & ~np.isin(v.to, (DESTINATIONS.index("left_without_being_seen"),))
    seen = (~np.isnan(v.seen_min[stayed])).mean() if stayed.any() else 0.0
    to_ward = settled & (v.to == _WARD)
    decided = (~np.isnan(v.decided_min[to_ward])).mean() if to_ward.any() else 0.0
    return "milestones" if min(seen, decided) >= ENOUGH_TOLD else "stay"


def _staffed(sample: Sample, known: Adapted, path: Path, minutes: Minutes) -> Adapted:
    """The hospital with its doctors: as the log tells, else, on a path that has them, as they seem to be."""
    if known.doctors is not None or "doctor" not in path.pools:
        return known
    grid = steps_of(sample.visits)
    roster = supposed_roster(sample.visits, grid, _local(grid, known, minutes))
    return known.supposing(roster) if roster else known


def _doctors(sample: Sample, known: Adapted, minutes: Minutes) -> tuple[Adapted, Duration | None]:
    """The hospital with how many patients a doctor looks after, and what a contact takes of one; None if not known."""
    busy = _busy(sample, known, minutes)
    looks_after = caseload(busy) if busy else NO_LIMIT
    slot = doctor_slot(busy, looks_after, BLOCKS) if busy else None
    return replace(known, hospital=known.hospital.with_caseload("doctor", looks_after)), slot


def _contacts(
    sample: Sample, known: Adapted, minutes: Minutes, durations: Mapping[str, Duration], slot: Duration | None
) -> dict[str, Duration]:
    """What a contact takes of a doctor, by its name, so that the waits are those that came; nothing if not known."""
    if slot is None or "doctor_slot" not in durations:
        return {}
    hospital, ready = known.hospital, steps_of(sample.visits)
    profile = hospital.capacity("doctor", minutes.at(float(ready[0])), float(ready[-1] - ready[0]) + 2 * DAY_MIN)
    duty = [(float(ready[0]) + minute, count) for minute, count in profile]
    queue = queue_of(sample, durations["patience"], duty, len(hospital.acuities))
    return {"doctor_slot": slot.scaled(slower(queue, slot, hospital.caseloads["doctor"]))}


def _beds(
    history: History, visits: Visits, known: Adapted, counts: BedCounts, window: tuple[float, float]
) -> tuple[Adapted, float]:
    """The hospital with the beds that its wards hold back, and the turnaround of a bed."""
    hours = np.arange(window[0], window[1], HOUR_MIN)
    found = learn_turnover(visits, history.asked, known.hospital, known.beds, counts, hours)
    return replace(known, hospital=known.hospital.with_held_back(found.held_back)), found.turnaround_min


def _busy(sample: Sample, known: Adapted, minutes: Minutes) -> Stretches | None:
    """The stretches in which all doctors are busy; None where the doctors on duty are not known."""
    if known.doctors is None:
        return None
    decided = np.where(np.isnan(sample.visits.decided_min), sample.discharged_min, sample.visits.decided_min)
    grid = steps_of(sample.visits)
    when = _local(grid, known, minutes)
    block = np.array([at.hour // BLOCK_HOURS for at in when], dtype=np.int64)
    return busy_stretches(sample.visits, decided, grid, when, known.doctors, block)


def _local(grid_min: Array, known: Adapted, minutes: Minutes) -> list[datetime]:
    return [local(minutes.at(float(minute)), known.hospital.zone) for minute in grid_min]


def _learned(
    path: Path, sample: Sample, known: Adapted, visits: Visits, slot: Duration | None, counts: BedCounts
) -> Learned:
    units = len(known.hospital.units)
    if path.name == "stay":
        return learn_stay(sample, units, wards_followed=bool((~np.isnan(visits.stay_until_min)).any()))
    beds = np.array([unit.name in known.beds for unit in known.hospital.units])
    held_back = np.append([unit.held_back for unit in known.hospital.units], 0)[sample.asked]
    free = free_beds(visits, known.hospital, counts, sample.asked, sample.visits.decided_min) - held_back
    return learn_milestones(sample, units, doctors=slot is not None, beds=beds, free_beds=free, slot=slot)


def _others(path: Path, turnaround_min: float, overflow_after: Duration) -> dict[str, Duration]:
    told = {"bed_cleaning": fixed(turnaround_min), "overflow_after": overflow_after}
    return {name: duration for name, duration in told.items() if name in path.durations}


@dataclass(frozen=True, eq=False)
class _Wards:
    """What was learned of the wards: stays, on each ward's own clock; and from how many that ended."""

    stays: Mapping[str, Duration]
    leaving: Array
    ended: Mapping[str, int]


def _wards(year: _Year, hospital: Hospital, told: Reporting) -> _Wards:
    """Stays in each ward, those that still last counted as such; a ward without one takes those of all."""
    history, from_min = year.history, year.window[0]
    v = history.visits
    ended = ~np.isnan(v.stay_until_min)
    until = np.where(ended, v.stay_until_min, year.looked_min[v.stay_visit])
    begun = history.stay_ward & ~history.stay_untold & (v.stay_from_min >= from_min) & (v.stay_from_min < 0)
    chosen = begun & ~ended_untold(history, told, begun & ~ended, until)
    timeline = Timeline.of(history.minutes, from_min, HOUR_MIN, hospital.zone)
    weight = 0.5 ** (-v.stay_from_min / (STAYS_HALF_LIFE_DAYS * DAY_MIN))
    leaving = np.ones((len(hospital.units), HOURS_A_WEEK))
    stays, counts = {}, {}
    for unit in hospital.wards:
        code = hospital.unit_code(unit.name)
        mine = chosen & (v.stay_unit == code)
        counts[unit.name] = int((mine & ended).sum())
        source = mine if counts[unit.name] else chosen
        start, end, over = v.stay_from_min[source], until[source], ended[source]
        leaving[code] = learn_leaving(timeline, start, end, over)
        minutes = lasted(timeline, leaving, np.full(start.size, code), start, end)
        learned = learn_censored(minutes, over, weight[source]) if over.any() else fixed(1e6)
        stays[f"ward_stay:{unit.name}"] = learned
    return _Wards(stays, leaving, counts)


def _streams(year: _Year, recent: Sample, hospital: Hospital, path: Path) -> tuple[ArrivalProfile, tuple[Stream, ...]]:
    history = year.history
    calendar = Calendar.of(history.minutes, year.window[0], 0.0, hospital.zone)
    around = Around(hospital.holidays, hospital.school_zone, hospital.outside, hospital.zone, history.minutes.at(0.0))
    profile = learn_arrivals(calendar, history.visits.arrived_min, around)
    classes = recent.cells.shape[0]
    mix = _mix(recent, classes)
    streams = [Stream("emergency", path.enters[0], profile.per_hour, mix, profile.day_cv, profile.together,
                      on_days=profile.on_days)]  # fmt: skip
    anyone = np.zeros((BLOCKS, classes))
    anyone[:, 0] = 1.0
    v = history.visits
    for unit in hospital.wards:
        code = hospital.unit_code(unit.name)
        came = v.stay_from_min[history.stay_direct & (v.stay_unit == code)]
        if calendar.counts(came).sum() > 0:
            rate = learn_arrivals(calendar, came, replace(around, outside=()))
            streams.append(
                Stream(f"planned:{unit.name}", "planned", rate.per_hour, anyone, unit=code, on_days=rate.on_days)
            )
    return profile, tuple(streams)


def _mix(sample: Sample, classes: int) -> Array:
    """Share of each class by block, each block drawn towards the whole day."""
    cells = sample.cells
    overall = np.bincount(cells.cls, minlength=classes) / cells.cls.size
    rows = [np.bincount(cells.cls[cells.block == b], minlength=classes) + 50 * overall for b in range(cells.shape[1])]
    table = np.array(rows)
    return np.asarray(table / table.sum(axis=1, keepdims=True))
