"""The Board made: one cycle's results and the log's condition turned into what the wall shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from forecast.alert_thresholds import beds_free
from forecast.baselines import History
from forecast.board import (
    EFFECT_MEASURES,
    Board,
    Check,
    Cycle,
    Earlier,
    Effect,
    Fan,
    Feed,
    Moved,
    Now,
    ScenarioView,
    Skill,
    UnitNow,
)
from forecast.calibrated import shares_of
from forecast.helping import helps_most
from forecast.lever import no_lever
from forecast.peaks import peak_ahead
from forecast.situation import Situation
from forecast.values import Array, Forecast, Members, Series, or_none
from twin.arrivals import expected_today
from twin.scenarios import Scenario
from twin.waits import SITUATIONS

FANS = ("ed_census", "ed_boarders", "ed_waiting", "ed_arrivals")
FREE = "beds_free"
EFFECT_LEADS_MIN = (240, 480)
FREE_LEADS_MIN = (60, 120, 240, 480, 720, 1440)
PAST = timedelta(hours=24)
EARLIER = timedelta(hours=6)
ROUNDED = 2
"""Counts of people are means of members, each rounded."""
LONGEST_STAY_MIN = 7 * 24 * 60.0
TOO_MANY = 2.0
"""People for each bed of a ward from which on the counts contradict each other."""
_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@dataclass(frozen=True)
class Made:
    """What a cycle made, for the wall."""

    forecast: Forecast
    situation: Situation
    history: History
    usual: Mapping[str, Series]
    """Climatology by measure at the forecast's leads after 0."""
    earlier: Forecast | None
    scenarios: tuple[Scenario, ...]
    skills: tuple[Skill, ...]
    moved: Moved | None = None
    """Why it is another forecast than an hour ago."""


@dataclass(frozen=True)
class House:
    """What the wall says of the house itself."""

    mode: str
    spaces: int | None
    feed: Feed
    cycle: Cycle
    call: str | None = None


def make_board(made: Made, house: House, now: datetime) -> Board:
    """The wall's view of the last cycle at an instant."""
    hospital = made.situation.calibration.hospital
    usual = made.forecast.scenarios[made.scenarios[0].name]
    there, units = _now(made, usual, house.spaces), _units(made, usual)
    broken, scenarios = checks(there, units), tuple(_scenario(made, s) for s in made.scenarios[1:])
    return Board(
        made_at=now,
        zone=hospital.zone,
        hospital=hospital.name,
        mode=house.mode,
        now=there,
        units=units,
        fans={**{m: _fan(made, m, usual[m], house.spaces) for m in FANS if m in usual}, **_free_fan(made)},
        scenarios=scenarios,
        helps=helps_most(scenarios),
        skills=made.skills,
        feed=_marked(house.feed, broken),
        cycle=house.cycle,
        checks=broken,
        moved=made.moved,
        call=house.call,
        shares=shares_of(made.forecast),
    )


def empty_board(house: House, hospital: str, zone: str, now: datetime) -> Board:
    """The wall's view before the first forecast: nothing is known, nothing is zero."""
    nothing = Now(None, None, None, None, None, None, None, None, house.spaces)
    return Board(now, zone, hospital, house.mode, nothing, (), {}, (), (), house.feed, house.cycle, call=house.call)


def _marked(feed: Feed, broken: Sequence[Check]) -> Feed:
    """The feed, at the least inconsistent where a count cannot be."""
    well = feed.state in ("live", "quiet", "late", "catching_up")
    return replace(feed, state="inconsistent") if broken and well else feed


def _now(made: Made, usual: Mapping[str, Series], spaces: int | None) -> Now:
    s = made.situation
    wait, board = elapsed(s, "triage", "provider"), elapsed(s, "bed")
    stream = s.calibration.parameters.streams[0]
    seen = "ed_waiting" in usual
    return Now(
        present=_whole(usual["ed_census"]),
        waiting=_whole(usual["ed_waiting"]) if seen else None,
        longest_wait_min=float(wait.max()) if seen and wait.size else None,
        boarders=_whole(usual["ed_boarders"]) if "ed_boarders" in usual else None,
        longest_boarding_min=float(board.max()) if board.size else None,
        arrivals_last_hour=_whole(usual["ed_arrivals"]),
        arrivals_today=s.seen_today["emergency"],
        expected_today=expected_today(stream, s.as_of, s.calibration.hospital.zone),
        capacity_spaces=spaces,
    )


def elapsed(situation: Situation, *waits_for: str) -> Array:
    """Minutes that those more likely here than gone have waited, from their arrival or their decision."""
    known = situation.known
    codes = [SITUATIONS.index(name) for name in waits_for]
    chosen = np.isin(known.situation, codes) & (known.p_here >= 0.5)
    return -(known.since_min if waits_for == ("bed",) else known.arrived_min)[chosen]


def _whole(series: Series) -> int | None:
    """The mean at lead 0: how many there are now, the unrecorded exits drawn."""
    value = float(series.mean[0])
    return None if math.isnan(value) else round(value)


def _units(made: Made, usual: Mapping[str, Series]) -> tuple[UnitNow, ...]:
    c = made.situation.calibration
    return tuple(
        UnitNow(
            unit=unit.name,
            name_fr=unit.fr,
            name_en=unit.en,
            beds=unit.places if unit.name in c.beds_known else None,
            census=_whole(usual[f"census:{unit.name}"]),
            free=_whole(usual[f"beds_free:{unit.name}"]) if f"beds_free:{unit.name}" in usual else None,
            free_ahead=_free_ahead(made, usual.get(f"beds_free:{unit.name}")),
        )
        for unit in c.hospital.wards
    )


def _free_ahead(made: Made, free: Series | None) -> dict[int, tuple[float, float, float]]:
    if free is None:
        return {}
    return {lead: _three(free, at) for lead in FREE_LEADS_MIN if (at := _at(made.forecast, lead)) is not None}


def _three(series: Series, at: int) -> tuple[float, float, float]:
    low, middle, high = (float(series.quantiles[level][at]) for level in (0.1, 0.5, 0.9))
    return low, middle, high


def _at(forecast: Forecast, lead_min: float) -> int | None:
    found = np.flatnonzero(forecast.lead_min == lead_min)
    return int(found[0]) if found.size else None


def _fan(made: Made, measure: str, series: Series, spaces: int | None) -> Fan:
    forecast, history = made.forecast, made.history
    valid_at = tuple(forecast.as_of + timedelta(minutes=float(lead)) for lead in forecast.lead_min)
    first = max(0, history.now_index - int(PAST / timedelta(minutes=15)))
    past = history.measures.get(measure, np.empty(0))[first : history.now_index + 1]
    members = forecast.members.get(made.scenarios[0].name)
    told = members is not None and measure in members.measures
    peak_at, peak = _peak(members, measure, forecast.as_of) if members and told else (None, None)
    return Fan(
        measure=measure,
        past_at=tuple(history.start_at + timedelta(minutes=15 * (first + i)) for i in range(past.size)),
        past=_values(past),
        valid_at=valid_at,
        quantiles={level: tuple(series.quantiles[level].tolist()) for level in _LEVELS},
        usual=(None, *_values(made.usual[measure].quantiles[0.5]))
        if measure in made.usual
        else (None,) * len(valid_at),
        earlier=_earlier(made, measure),
        capacity=float(spaces) if measure == "ed_census" and spaces else None,
        peak_at=peak_at,
        peak=peak,
    )


def _free_fan(made: Made) -> dict[str, Fan]:
    """Free beds of all wards whose beds are known: a sum, so its quantiles are read from members. What is usual of it,
    and what was said earlier, is kept of single wards only."""
    members = made.forecast.members.get(made.scenarios[0].name)
    values = beds_free(members.measures).get(FREE) if members else None
    if members is None or values is None or np.isnan(values).any():
        return {}
    series = Series(values.mean(axis=1), {level: np.quantile(values, level, axis=1) for level in _LEVELS})
    history = replace(made.history, measures=beds_free(made.history.measures))
    fan = _fan(replace(made, history=history, usual={}, earlier=None), FREE, series, None)
    lead, (low, middle, high) = peak_ahead(-values, members.lead_min)
    lowest = (-high, -middle, -low)
    at = made.forecast.as_of + timedelta(minutes=lead)
    return {FREE: replace(fan, peak=None, peak_at=None, lowest=lowest, lowest_at=at)}


def _values(values: Array) -> tuple[float | None, ...]:
    return tuple(or_none(v) for v in values.tolist())


def _peak(members: Members, measure: str, as_of: datetime) -> tuple[datetime, tuple[float, float, float]]:
    """The highest value ahead of each member, and when: joint, so read from members."""
    lead, three = peak_ahead(members.measures[measure], members.lead_min)
    return as_of + timedelta(minutes=lead), three


def _earlier(made: Made, measure: str) -> Earlier | None:
    """The earlier forecast's view from its issue on, as far as this fan goes."""
    before = made.earlier
    told = before.scenarios[made.scenarios[0].name].get(measure) if before else None
    if before is None or told is None:
        return None
    low, median, high = (tuple(told.quantiles[level].tolist()) for level in (0.1, 0.5, 0.9))
    at = tuple(before.as_of + timedelta(minutes=float(lead)) for lead in before.lead_min)
    return Earlier(before.issued_at, at, low, median, high)


def _scenario(made: Made, scenario: Scenario) -> ScenarioView:
    differences = made.forecast.differences[scenario.name]
    usual = made.forecast.scenarios[made.scenarios[0].name]
    effects = [
        _effect(m, lead, differences[m], float(usual[m].mean[at]), at)
        for m in EFFECT_MEASURES
        if m in differences
        for lead in EFFECT_LEADS_MIN
        if (at := _at(made.forecast, lead)) is not None
    ]
    why_fr, why_en = (no_lever(made.situation, scenario, language) for language in ("fr", "en"))
    shown = tuple(effects) if why_fr is None else ()
    return ScenarioView(
        scenario.name, scenario.sentence("fr"), scenario.sentence("en"), shown, why_fr, why_en,
        can_be_decided=scenario.change.can_be_decided, short_fr=scenario.short("fr"), short_en=scenario.short("en"),
    )  # fmt: skip


def _effect(measure: str, lead_min: int, difference: Series, usual: float, at: int) -> Effect:
    low, high = (float(difference.quantiles[level][at]) for level in (0.1, 0.9))
    return Effect(measure, lead_min, float(difference.mean[at]), low, high, usual)


def checks(now: Now, units: Sequence[UnitNow]) -> tuple[Check, ...]:
    """The counts that cannot be: they come from data that contradict themselves, and mark their tile."""
    found = []
    if now.present is not None and (now.waiting or 0) + (now.boarders or 0) > now.present + ROUNDED:
        found.append(Check("present", "parts_over_whole"))
    if now.longest_boarding_min is not None and now.longest_boarding_min > LONGEST_STAY_MIN:
        found.append(Check("boarders", "stay_too_long"))
    over = [u for u in units if u.beds and u.census is not None and u.census > TOO_MANY * u.beds]
    return (*found, *(Check(f"unit:{unit.unit}", "over_beds") for unit in over))
