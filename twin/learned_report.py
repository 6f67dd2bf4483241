"""The account of a calibration, ready for JSON: what was learned, what was left out, what cannot be known.

Every key is explained in `twin/README.md`; the page `/learned` shows it, `edtwin calibrate --json` prints it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np

from twin.adapted import Adapted
from twin.durations import LEVELS
from twin.history import History
from twin.hospital import NO_LIMIT
from twin.learned_arrivals import ArrivalProfile
from twin.learned_checks import DAY_MIN, checks, completeness, verdict_of
from twin.learned_version import model_version
from twin.leaving import HOURS_A_DAY
from twin.parameters import Parameters
from twin.pathway import Path
from twin.settled import class_codes
from twin.story import Array, Visits

FEWEST = 5
"""Visits of a class without which its times are not told: few would be somebody's."""
QUANTILES = (10, 50, 90)


@dataclass(frozen=True, eq=False)
class Account:
    """What a report is made from. `visits` are those of the history, completed; the year's are more."""

    history: History
    visits: Visits
    window: tuple[float, float]
    year: Visits
    year_window: tuple[float, float]
    path: Path
    profile: ArrivalProfile
    parameters: Parameters
    known: Adapted
    ended: Mapping[str, int]
    """Stays in each ward that ended."""


def report_of(a: Account) -> dict[str, Any]:
    """The whole account."""
    v = a.history.visits
    lately = (v.arrived_min >= a.window[0]) & (v.arrived_min < a.window[1])
    untold = np.isnan(v.departed_min) | a.history.untold
    looks = checks(a.history, a.visits, a.window, a.known.hospital, a.parameters.durations)
    fields = completeness(a.history, a.window)
    return {
        "as_of": a.history.minutes.origin.isoformat(),
        "version": model_version(a.parameters),
        "path": a.path.name,
        "days": round((a.window[1] - a.window[0]) / DAY_MIN, 1),
        "visits": int(lately.sum()),
        "year_days": round((a.year_window[1] - a.year_window[0]) / DAY_MIN, 1),
        "year_visits": int(((a.year.arrived_min >= a.year_window[0]) & (a.year.arrived_min < a.year_window[1])).sum()),
        "arrivals_per_day": round(float(a.profile.per_hour.sum() / 7), 1),
        "recent_level": round(a.profile.level, 3),
        "day_cv": round(a.profile.day_cv, 3),
        "come_together": round(a.profile.together, 3),
        "arrivals_per_hour": _rounded(a.profile.per_hour, 2),
        "calendar": _calendar(a.profile),
        "classes": _classes(a.parameters),
        "stay_min": _quantiles((a.visits.departed_min - a.visits.arrived_min)[lately]),
        "durations": list(_durations(a)),
        "recorded_share": {name: round(share, 3) for name, (share, _) in fields.items()},
        "ghost_share": round(float(untold[lately].mean()), 3) if lately.any() else None,
        "shares": {name: round(float(share.mean()), 4) for name, share in a.parameters.shares.items()},
        "wards": list(_wards(a)),
        "ward_stays": dict(a.ended),
        "beds_known": sorted(a.known.beds),
        "beds_held_back": {unit.name: unit.held_back for unit in a.known.hospital.wards if unit.held_back},
        "bed_turnaround_min": _mean_min(a.parameters, "bed_cleaning"),
        "doctors_known": a.known.doctors is not None and not a.known.supposed,
        "doctors_supposed": a.known.doctors if a.known.supposed else None,
        "doctor_caseload": _limit(a.known.hospital.caseloads.get("doctor", NO_LIMIT)),
        "doctor_slot_min": _mean_min(a.parameters, "doctor_slot") if a.known.doctors is not None else None,
        "excluded": _excluded(a),
        "not_known": _not_known(a),
        "checks": looks,
        "names": {unit.name: {"fr": unit.fr, "en": unit.en} for unit in a.known.hospital.units},
        "verdict": verdict_of(looks),
    }


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs between two accounts: what, what it was, what it is; the largest difference first."""
    old, new = dict(_figures(before)), dict(_figures(now))
    found = [
        {"what": name, "before": old.get(name), "now": new.get(name)}
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
    return sorted(found, key=_difference, reverse=True)


def _difference(change: Mapping[str, Any]) -> float:
    if change["before"] is None or change["now"] is None:
        return float("inf")
    before, now = float(change["before"]), float(change["now"])
    return abs(now - before) / max(abs(before), abs(now), 1e-9)


def _figures(report: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The numbers that tell how a hospital works, by name."""
    names = ("arrivals_per_day", "day_cv", "bed_turnaround_min", "doctor_caseload", "doctor_slot_min")
    told = {name: report.get(name) for name in names}
    told |= {f"stay_min:{q}": value for q, value in report.get("stay_min", {}).items()}
    told |= {f"share:{name}": value for name, value in report.get("shares", {}).items()}
    for ward in report.get("wards", ()):
        told |= {
            f"stay_days:{ward['ward']}": (ward["stay_days"] or {}).get("p50"),
            f"beds:{ward['ward']}": ward["beds"],
        }
    return ((name, float(value)) for name, value in told.items() if value is not None)


# --- the parts ------------------------------------------------------------------------------------------------------


def _calendar(profile: ArrivalProfile) -> dict[str, Any]:
    effects = profile.effects
    return {
        "holidays_of": effects.place,
        "holidays": {name: round(factor, 3) for name, factor in effects.of_holiday.items()},
        "other_holidays": round(effects.other_holidays, 3),
        "school_zone": effects.school_zone,
        "school_break": round(effects.school_break, 3),
        "summer_break": round(effects.summer_break, 3),
        "outside": [{**asdict(one), "slope": round(one.slope, 4)} for one in profile.outside],
        "season_swing": round(float(np.hypot(*effects.season)), 3),
        "trend_a_year": round(effects.trend, 3),
        "soon": {date.fromordinal(day).isoformat(): round(factor, 3) for day, factor in profile.on_days},
    }


def _classes(parameters: Parameters) -> list[dict[str, Any]]:
    """The mix of those who come, each block of the day weighing by its arrivals."""
    stream = parameters.streams[0]
    by_hour = stream.per_hour.reshape(7, HOURS_A_DAY).sum(axis=0)
    weight = np.bincount(parameters.block_of_hour, by_hour, minlength=stream.class_share.shape[0])
    share = weight @ stream.class_share / max(float(weight.sum()), 1e-9)
    labels = [c.label for c in parameters.classes]
    return [{"class": label, "share": round(float(x), 4)} for label, x in zip(labels, share, strict=True)]


def _durations(a: Account) -> Iterator[dict[str, Any]]:
    """Times as recorded in the last weeks by class, in minutes; those of classes that hardly came are left out."""
    v = a.history.visits
    lately = (v.arrived_min >= a.window[0]) & (v.arrived_min < a.window[1])
    decided = np.where(np.isnan(v.decided_min), a.history.discharged_min, v.decided_min)
    spans = {
        "to_triage": v.triaged_min - v.arrived_min,
        "to_contact": v.seen_min - v.arrived_min,
        "care": decided - v.seen_min,
        "boarding": v.departed_min - v.decided_min,
        "stay": v.departed_min - v.arrived_min,
    }
    code_of = class_codes(v.acuity, a.history.elderly)
    groups = {"all": lately} | {c.label: lately & (code_of == k) for k, c in enumerate(a.parameters.classes)}
    for label, mine in groups.items():
        for name, minutes in spans.items():
            known = minutes[mine & (minutes >= 0)]
            if known.size >= FEWEST:
                yield {"class": label, "what": name, "n": int(known.size), **_quantiles(known)}


def _wards(a: Account) -> Iterator[dict[str, Any]]:
    for code, unit in enumerate(a.known.hospital.units):
        if not unit.ward:
            continue
        known = unit.name in a.known.beds
        duration = a.parameters.durations.get(f"ward_stay:{unit.name}")
        yield {
            "ward": unit.name,
            "beds": unit.places if known else None,
            "held_back": unit.held_back if known else None,
            "ended_stays": a.ended.get(unit.name, 0),
            "stay_days": None if duration is None or not a.ended.get(unit.name) else _days(duration.table[0, 0, 0]),
            "leaves_by_hour": _leaves(a, code),
        }


def _days(table: Array) -> dict[str, float]:
    """Quantiles of a table of minutes, in days."""
    return {f"p{q}": round(float(np.interp(q / 100, LEVELS, table)) / DAY_MIN, 2) for q in QUANTILES}


def _leaves(a: Account, code: int) -> list[float] | None:
    """The share of a ward's exits in each local hour, as the ward's clock has it, `(24,)`."""
    if a.parameters.leaving is None:
        return None
    by_hour = a.parameters.leaving[code].reshape(7, HOURS_A_DAY).sum(axis=0)
    return _rounded(by_hour / by_hour.sum(), 4)


def _excluded(a: Account) -> dict[str, int]:
    """How many visits were left out, by reason; the last two leave out one of their times, not the visit."""
    v, year = a.history.visits, a.year.arrived_min
    order = [v.arrived_min, v.triaged_min, v.seen_min, v.decided_min, v.departed_min]
    backwards = np.zeros(v.arrived_min.size, dtype=bool)
    for earlier, later in pairwise(order):
        backwards |= later < earlier
    lately = (v.arrived_min >= a.window[0]) & (v.arrived_min < a.window[1])
    return {
        "not yet settled (48 h)": int((v.arrived_min >= a.window[1]).sum()),
        "before the learned period": int((year < a.year_window[0]).sum()),
        "exit before arrival": int((lately & (v.departed_min < v.arrived_min)).sum()),
        "steps out of order": int((lately & backwards).sum()),
    }


def _not_known(a: Account) -> list[str]:
    gaps = [] if a.path.name != "stay" else ["waiting, decisions and boarding inside the stay"]
    if a.known.supposed:
        gaps.append("doctors on duty: as many as seem to be there while many wait, and no scenario on them has a lever")
    elif a.known.doctors is None:
        gaps.append("doctors on duty: the wait for first contact is a learned delay, not a queue")
    unknown = [unit.name for unit in a.known.hospital.wards if unit.name not in a.known.beds]
    return [*gaps, f"beds of {', '.join(unknown)}: nobody queues for them"] if unknown else gaps


def _mean_min(parameters: Parameters, name: str) -> float | None:
    duration = parameters.durations.get(name)
    return None if duration is None else round(float(duration.mean_min().mean()), 0)


def _limit(count: int) -> int | None:
    return count if count < NO_LIMIT else None


def _quantiles(minutes: Array) -> dict[str, float | None]:
    known = minutes[~np.isnan(minutes)]
    return {f"p{q}": round(float(np.quantile(known, q / 100)), 0) if known.size else None for q in QUANTILES}


def _rounded(values: Array, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
