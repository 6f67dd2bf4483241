"""How tense the house is now, and tomorrow as forecast: each indicator, or what the log would have to tell for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np

from forecast.alert_rules import SiteFacts
from forecast.alert_thresholds import beds_free, with_beds_free
from forecast.baselines import History
from forecast.pages import Indicator, Lacking, Tension
from forecast.situation import Situation
from forecast.tension import INVERTED, bjml, category, level, nedocs, usual_thresholds
from forecast.tension_days import ELDERLY, NIGHT_ENDS_H, DayTold, at_hour, hospitalised_by_day
from forecast.usual import STEP_MIN
from forecast.values import Array, Members
from ingest.clock import local
from twin.state import State
from twin.visit import Visit
from twin.waits import BED

WINDOW = timedelta(days=56)
"""What is usual is that of so long."""
LOAD_H, BEDS_H = 15, 19
"""Local hours at which the load and the free beds are counted."""
NEDOCS_AHEAD_MIN = 480.0
HORIZON_MIN = 1440.0
_STEP = timedelta(minutes=STEP_MIN)
Het = Literal["het1", "het2", "het3", "het4", "het5", "het6"]
Three = tuple[float, float, float]


@dataclass(frozen=True)
class Told:
    """All that the indicators are made from."""

    situation: Situation
    members: Members
    history: History
    days: Mapping[date, DayTold]
    """The past days, whole ones and today."""
    last_day: DayTold
    """The last 24 hours."""
    facts: SiteFacts
    spaces: int | None
    door_to_contact_min: float
    """Of the patient who was seen last."""

    @property
    def as_of(self) -> datetime:
        """The present."""
        return self.situation.as_of

    @property
    def zone(self) -> str:
        """Where it is."""
        return self.situation.calibration.hospital.zone


def told_now(
    state: State, situation: Situation, members: Members, history: History, facts: SiteFacts, spaces: int | None,
    days: Mapping[date, DayTold],
) -> Told:  # fmt: skip
    """What is known at the situation's instant; `days` may be some hours old."""
    as_of = situation.as_of
    recent = [v for v in state.visits.values() if v.arrived_at is not None and v.arrived_at > as_of - timedelta(days=4)]
    last = _the_last_day(recent, as_of)
    seen = [(v.seen_at, v.arrived_at) for v in recent if v.seen_at is not None and v.seen_at <= as_of and v.arrived_at]
    door_min = (max(seen)[0] - max(seen)[1]) / timedelta(minutes=1) if seen else 0.0
    return Told(situation, members, history, days, last, facts, spaces, door_min)


def tension(told: Told) -> Tension:
    """Every indicator, now and ahead."""
    score, worst, lacks = _nedocs(told)
    need = bjml(hospitalised_by_day(told.days), local(told.as_of, told.zone).date())
    offered, missing = _offered(told)
    missed = None if need is None or offered is None else float((offered < need[0]).mean())
    elderly, p_one, elderly_lacks = _elderly(told)
    return Tension(
        indicators=tuple(_indicator(name, told) for name in ("het1", "het2", "het3", "het4", "het5", "het6")),
        nedocs=score, nedocs_category=None if score is None else category(score), nedocs_worst=worst,
        nedocs_lacks=lacks,
        bjml=need[0] if need else None, bjml_years=need[1] if need else 0,
        bjml_offered=None if offered is None else _three(offered), bjml_p_missed=missed,
        bjml_lacks="history" if need is None else missing,
        elderly=elderly, elderly_p=p_one, elderly_lacks=elderly_lacks,
    )  # fmt: skip


def nedocs_ahead(told: Told) -> Array | None:
    """NEDOCS of each member, `(lead, member)`; times as they are now, since members do not tell them.

    None where beds or spaces are not known, or nobody's boarding is told.
    """
    ed_beds, hospital_beds = _beds(told)
    boarders = told.members.measures.get("ed_boarders")
    if ed_beds is None or hospital_beds is None or boarders is None:
        return None
    longest_h = _longest_boarding_min(told.situation) / 60
    return nedocs(
        told.members.measures["ed_census"], boarders, ed_beds=ed_beds, hospital_beds=hospital_beds,
        ventilated=told.facts.ventilated, longest_boarding_h=longest_h,
        last_door_to_bed_h=told.door_to_contact_min / 60,
    )  # fmt: skip


def _nedocs(told: Told) -> tuple[float | None, Three | None, Lacking | None]:
    scores = nedocs_ahead(told)
    if scores is None:
        ed_beds, hospital_beds = _beds(told)
        lacks: Lacking = "spaces" if ed_beds is None else "beds" if hospital_beds is None else "boarding"
        return None, None, lacks
    ahead = scores[told.members.lead_min <= NEDOCS_AHEAD_MIN]
    return round(float(scores[0].mean()), 1), _three(ahead.max(axis=0)), None


def _beds(told: Told) -> tuple[float | None, float | None]:
    c = told.situation.calibration
    known = sum(unit.places for unit in c.hospital.wards if unit.name in c.beds_known)
    return told.facts.ed_beds or told.spaces, told.facts.hospital_beds or known or None


def _longest_boarding_min(situation: Situation) -> float:
    """How long the one who has waited longest for a bed has waited; 0 where nobody does."""
    known = situation.known
    waits = (known.situation == BED) & (known.p_here >= 0.5)
    return float(-known.since_min[waits].min()) if waits.any() else 0.0


# --- HET ------------------------------------------------------------------------------------------------------------


def _indicator(name: Het, told: Told) -> Indicator:
    now, past, ahead, lacks = {
        "het1": _free_beds, "het2": _visits, "het3": _stays, "het4": _rate, "het5": _load, "het6": _elderly_visits,
    }[name](told)  # fmt: skip
    thresholds = told.facts.het.get(name) or usual_thresholds(past, inverted=name in INVERTED)
    cuts = None if ahead is None else _three(ahead)
    found = Indicator(name, None if now is None else round(now, 3), None, cuts, None, lacks)
    if thresholds is None:
        return found
    return replace(
        found, level_now=None if now is None else round(level(now, thresholds), 2),
        level_ahead=None if cuts is None else round(level(cuts[1], thresholds), 2),
    )  # fmt: skip


Parts = tuple[float | None, Array, Array | None, Lacking | None]
"""What an indicator is now, was on past days, will be in each member, and what it lacks."""


def _free_beds(told: Told) -> Parts:
    now, past = _at_hours(told, "beds_free", BEDS_H)
    ahead = _member_at(told, beds_free(told.members.measures).get("beds_free"), BEDS_H)
    return now, past, ahead, "beds" if ahead is None else None


def _load(told: Told) -> Parts:
    now, past = _at_hours(told, "ed_census", LOAD_H)
    return now, past, _member_at(told, told.members.measures["ed_census"], LOAD_H), None


def _visits(told: Told) -> Parts:
    ahead = _next_day(told, "ed_arrivals")
    return (
        float(told.last_day.visits),
        _daily(told, lambda d: d.visits),
        ahead,
        None if ahead is not None else "horizon",
    )


def _rate(told: Told) -> Parts:
    coming, admitted = _next_day(told, "ed_arrivals"), _next_day(told, "admissions")
    ahead = None if coming is None or admitted is None else admitted / np.maximum(coming, 1.0)
    day = told.last_day
    past = _daily(told, lambda d: d.hospitalised / max(d.visits, 1))
    return day.hospitalised / max(day.visits, 1), past, ahead, None if ahead is not None else "horizon"


def _stays(told: Told) -> Parts:
    """Of those hospitalised from the department, in minutes; no member tells whole stays."""
    stays = told.last_day.stays_min
    past = _daily(told, lambda d: float(np.mean(d.stays_min)) if d.stays_min else np.nan)
    return (float(np.mean(stays)) if stays else None), past, None, "simulated"


def _elderly_visits(told: Told) -> Parts:
    """Tomorrow's are tomorrow's visits at the usual share of them."""
    past, coming = _daily(told, lambda d: d.elderly), _next_day(told, "ed_arrivals")
    total = float(_daily(told, lambda d: d.visits).sum())
    if not past.sum() or not total:
        return None, past, None, "ages"
    ahead = None if coming is None else coming * float(past.sum()) / total
    return float(told.last_day.elderly), past, ahead, None if ahead is not None else "horizon"


# --- the minimal need, and the night --------------------------------------------------------------------------------


def _offered(told: Told) -> tuple[Array | None, Lacking | None]:
    """Beds that the next 24 hours offer in each member: those that patients of the department get, and what is left."""
    admitted = _next_day(told, "admissions")
    free = beds_free(told.members.measures).get("beds_free")
    if admitted is None:
        return None, "horizon"
    if free is None:
        return None, "beds"
    return admitted + np.maximum(free[_lead(told, HORIZON_MIN)], 0.0), None


def _elderly(told: Told) -> tuple[float | None, float | None, Lacking | None]:
    """Of those who wait for a bed at 8 h as many have been there all night, and are 75 or over, as on past nights.

    Each member has its own number of those who wait; the share is that of the nights that the log tells.
    """
    measure = "ed_boarders" if "ed_boarders" in told.members.measures else "ed_census"
    if not any(day.elderly for day in told.days.values()):
        return None, None, "ages"
    past = _past(told, measure, [at_hour(day, NIGHT_ENDS_H, told.zone) for day in told.days])
    nights = np.array([float(day.elderly_night) for day in told.days.values()])
    known = ~np.isnan(past) if past is not None else np.zeros(0, dtype=bool)
    if past is None or not past[known].sum():
        return None, None, "history"
    share = min(float(nights[known].sum() / past[known].sum()), 1.0)
    there = _member_at(told, told.members.measures[measure], NIGHT_ENDS_H)
    if there is None:
        return None, None, "horizon"
    return round(float(there.mean()) * share, 2), round(float((1 - (1 - share) ** there).mean()), 4), None


# --- reading ---------------------------------------------------------------------------------------------------------


def _daily(told: Told, of: Callable[[DayTold], float]) -> Array:
    """A figure of each whole past day of the window."""
    today, first = local(told.as_of, told.zone).date(), local(told.as_of - WINDOW, told.zone).date()
    return np.array([float(of(day)) for at, day in sorted(told.days.items()) if first < at < today])


def _at_hours(told: Told, measure: str, hour: int) -> tuple[float | None, Array]:
    """A measure the last time that an hour came, and on the days before."""
    today = local(told.as_of, told.zone).date()
    at = [at_hour(today - timedelta(days=i), hour, told.zone) for i in range(int(WINDOW / timedelta(days=1)))]
    found = _past(told, measure, [one for one in at if one <= told.as_of])
    known = np.empty(0) if found is None else found[~np.isnan(found)]
    return (float(known[0]) if known.size else None), known


def _past(told: Told, measure: str, at: list[datetime]) -> Array | None:
    """A measure at some past instants, at the nearest quarter of an hour; NaN outside, None where there is none."""
    values = with_beds_free(told.history.measures).get(measure)
    if values is None:
        return None
    steps = np.array([round((one - told.history.start_at) / _STEP) for one in at], dtype=np.int64)
    seen = (steps >= 0) & (steps <= told.history.now_index)
    return np.where(seen, values[np.where(seen, steps, 0)], np.nan)


def _member_at(told: Told, values: Array | None, hour: int) -> Array | None:
    """Each member's value the next time that a local hour comes; None where the forecast does not reach it."""
    if values is None:
        return None
    today = local(told.as_of, told.zone).date()
    at = next(a for i in range(3) if (a := at_hour(today + timedelta(days=i), hour, told.zone)) > told.as_of)
    lead_min = (at - told.as_of) / timedelta(minutes=1)
    return None if lead_min > told.members.lead_min[-1] + 8 else values[_lead(told, lead_min)]


def _next_day(told: Told, measure: str) -> Array | None:
    """The sum of an hourly measure over the next 24 hours, by member; None where the forecast is shorter."""
    values = told.members.measures.get(measure)
    if values is None or told.members.lead_min[-1] < HORIZON_MIN:
        return None
    total: Array = np.sum([values[_lead(told, 60.0 * hour)] for hour in range(1, 25)], axis=0)
    return total


def _lead(told: Told, lead_min: float) -> int:
    return int(np.abs(told.members.lead_min - lead_min).argmin())


def _the_last_day(visits: Iterable[Visit], as_of: datetime) -> DayTold:
    """The last 24 hours as one day."""
    since = as_of - timedelta(days=1)
    out = DayTold()
    for visit in visits:
        arrived, left = visit.arrived_at, visit.departed_at
        if arrived is None:
            continue
        if since < arrived <= as_of:
            out.visits += 1
            out.elderly += visit.age_band == ELDERLY
        if left is not None and since < left <= as_of and visit.to == "ward":
            out.hospitalised += 1
            out.stays_min.append((left - arrived) / timedelta(minutes=1))
    return out


def _three(values: Array) -> Three:
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9)).tolist()
    return round(low, 3), round(middle, 3), round(high, 3)
