"""The whole catalogue in the default hospital: each scenario moves what its sentence says, as it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import pytest

from ingest.events import RANK
from twin import kernel
from twin.defaults import default_parameters
from twin.fate import cast
from twin.hospital import Hospital, load_hospital
from twin.kernel import warm
from twin.luck import CRISIS, RESERVE, Luck, draw_members
from twin.measures import inside
from twin.parameters import Parameters
from twin.pathway import Path, load_path
from twin.present import Present
from twin.scenarios import Scenario, catalogue, pick, scenarios_of
from twin.setting import Setting
from twin.story import Story, Visits

pytestmark = pytest.mark.timeout(600)  # the compiled engine may have to be compiled first

ALL = catalogue()
BUSY, MISSING = 0.97, {"doctor": 1, "nurse": 5, "triage_nurse": 1, "imaging": 2, "porter": 2}
"""Of the default beds, and so many fewer than are on duty by default, so that some wait for each."""
START, FILLING, HOURS = datetime(2026, 2, 6, 11, tzinfo=UTC), timedelta(days=24), 44.0
NOW_MIN = FILLING / timedelta(minutes=1)
"""The hospital fills from nothing; then, on a Monday at noon, the scenario begins."""
HORIZON_MIN = NOW_MIN + HOURS * 60.0
MEMBERS = 20


def busy_hospital() -> Hospital:
    hospital = load_hospital()
    wards = {u.name: round(u.places * BUSY) for u in hospital.wards}
    for roster in hospital.rosters:
        missing = MISSING.get(roster.name, 0)
        fewer = ([max(n - missing, 1) for n in hours] for hours in (roster.weekday, roster.weekend))
        hospital = hospital.with_roster(roster.name, *fewer) if missing else hospital
    return hospital.with_beds(wards)


HOSPITAL = busy_hospital()


class World(NamedTuple):
    """What a member went through."""

    story: Story
    visits: Visits
    victims: int


@cache
def path() -> Path:
    return load_path("full", HOSPITAL)


@cache
def went_through(name: str) -> tuple[World, ...]:
    """Each member under a scenario of the catalogue."""
    [scenario] = pick(ALL, [name])
    return under(scenario, MEMBERS)


def under(scenario: Scenario, members: int) -> tuple[World, ...]:
    """Some members under a scenario that begins when the hospital is full."""
    warm()
    now = START + FILLING
    later = scenario.at(now, HOSPITAL.zone).delayed(NOW_MIN)
    usual = Setting(HOSPITAL.capacities(path().pools, START, HORIZON_MIN))
    setting = later.apply(usual, HOSPITAL, HORIZON_MIN)
    out = []
    for member in range(members):
        luck = luck_of(member, max(RESERVE, setting.demand.victims))
        fate = cast(path(), believed(), luck, Present.of_nobody(), setting.demand, setting.law)
        capacity = setting.capacity_of(HOSPITAL, seed=6, member=member)
        story = kernel.run(capacity, path(), fate, Present.of_nobody(), HORIZON_MIN)
        came = luck.group[story.visit[story.kind == RANK["Arrived"]]] == CRISIS
        out.append(World(story, Visits.of(story, fate.acuity), int(came.sum())))
    return tuple(out)


@cache
def believed() -> Parameters:
    return default_parameters(HOSPITAL, path())


@lru_cache(maxsize=MEMBERS)
def luck_of(member: int, reserve: int) -> Luck:
    """The same under every scenario, so it is drawn once."""
    return draw_members(
        path(), believed(), {member: 0}, seed=6, start=START, horizon_min=HORIZON_MIN, zone=HOSPITAL.zone,
        reserve=reserve,
    )  # fmt: skip


GRID = NOW_MIN + np.arange(0.0, HOURS * 60.0, 15.0)


def census(world: World) -> float:
    """Patients in the department, on average over the window."""
    return float(inside(world.visits.arrived_min, world.visits.departed_min, GRID).mean())


def arrivals(world: World) -> float:
    return float((world.visits.arrived_min >= NOW_MIN).sum())


def boarding(world: World) -> float:
    return float(inside(world.visits.decided_min, world.visits.departed_min, GRID).mean())


def to_triage(world: World) -> float:
    return float(inside(world.visits.arrived_min, world.visits.triaged_min, GRID).mean())


def lying(unit: str) -> Callable[[World], float]:
    """Patients in a unit, on average over the window."""

    def mean(world: World) -> float:
        mine = world.visits.stay_unit == HOSPITAL.unit_code(unit)
        stays = (world.visits.stay_from_min[mine], world.visits.stay_until_min[mine])
        return float(inside(*stays, GRID).mean())

    return mean


def waiting(world: World) -> float:
    until = np.fmin(world.visits.seen_min, world.visits.departed_min)
    return float(inside(world.visits.arrived_min, until, GRID).mean())


def victims(world: World) -> float:
    return float(world.victims)


def told(kind: str, *units: str, until_h: float = HOURS) -> Callable[[World], float]:
    """How many marks of a kind there are in the window, in some units."""

    def count(world: World) -> float:
        story = world.story
        mine = (story.kind == RANK[kind]) & (story.at_min >= NOW_MIN) & (story.at_min < NOW_MIN + 60 * until_h)
        return float((mine & (np.isin(story.unit, [HOSPITAL.unit_code(u) for u in units]) if units else True)).sum())

    return count


class Says(NamedTuple):
    """What a scenario's sentence comes to."""

    measure: Callable[[World], float]
    sign: int


MOVES = {
    "one_more_doctor": Says(waiting, -1),
    "ten_beds_closed": Says(boarding, +1),
    "arrivals_up_20": Says(arrivals, +1),
    "mass_casualty_20": Says(victims, +1),
    "earlier_discharges": Says(told("LeftWard", until_h=24), +1),
    "smoothed_discharges": Says(told("LeftWard", until_h=24), -1),
    "reverse_triage": Says(told("LeftWard"), +1),
    "escalation_beds": Says(boarding, -1),
    "ward_closed": Says(boarding, +1),
    "electives_postponed": Says(told("EnteredWard"), -1),
    "uhcd_beds": Says(boarding, -1),
    "faster_cleaning[percent=50]": Says(boarding, -1),
    "targets_met": Says(boarding, -1),
    "bjml_honoured": Says(boarding, -1),
    "winter_peak": Says(arrivals, +1),
    "heat_wave": Says(arrivals, +1),
    "neighbour_closed": Says(arrivals, +1),
    "regulated_access": Says(arrivals, -1),
    "epidemic_clusters": Says(victims, +1),
    "mass_casualty": Says(victims, +1),
    "staff_infected": Says(waiting, +1),
    "extra_doctor[number=2]": Says(waiting, -1),
    "extra_nurse[number=4,hours=24]": Says(waiting, -1),
    "extra_triage": Says(to_triage, -1),
    "fast_track": Says(lying("fast_track"), +1),
    "ventilators_short[missing=16,need=100,loan=72]": Says(lying("intensive_care"), +1),
    "imaging_down[hours=24]": Says(census, +1),
    "laboratory_slow": Says(census, +1),
    "porters_short": Says(census, +1),
    "it_outage": Says(census, +1),
}


def interval(differences: Sequence[float]) -> tuple[float, float]:
    """Of the mean, 95 % (Student's t with nineteen degrees of freedom)."""
    values = np.array(differences)
    half = 2.093 * values.std(ddof=1) / len(values) ** 0.5
    return float(values.mean() - half), float(values.mean() + half)


def differences(name: str, measure: Callable[[World], float]) -> list[float]:
    pairs = zip(went_through(name), went_through("as_usual"), strict=True)
    return [measure(changed) - measure(usual) for changed, usual in pairs]


def test_every_scenario_of_the_catalogue_is_looked_at() -> None:
    support = {name for name, one in ALL.items() if one.change.supplies}
    assert {name.partition("[")[0] for name in MOVES} | {"as_usual"} | support == set(ALL)
    assert not support & set(MOVES), "these are looked at where supplies are (test_forecast_supplies.py)"


@pytest.mark.parametrize("name", list(MOVES))
def test_a_scenario_moves_what_its_sentence_says(name: str) -> None:
    low, high = interval(differences(name, MOVES[name].measure))
    assert (low > 0) if MOVES[name].sign > 0 else (high < 0), f"{name}: {low:.2f} to {high:.2f}"


def test_the_same_check_is_red_for_a_change_of_the_other_sign() -> None:
    """The mutant closes beds where the sentence opens them."""
    _, high = interval(differences("ward_closed[beds=8]", MOVES["escalation_beds"].measure))
    assert high > 0


def test_a_scenario_without_a_change_moves_nothing_at_all() -> None:
    for measure in (census, arrivals, boarding, waiting, to_triage, victims):
        assert differences("as_usual+as_usual", measure) == [0.0] * MEMBERS


def test_a_change_after_the_end_moves_nothing_at_all() -> None:
    text = f"""
[scenario.late]
fr = "x"
en = "x"
absences = [{{ pool = "doctor", share = 0.5, from_min = {HORIZON_MIN} }}]
durations = [{{ duration = "laboratory", factor = 3, from_min = {HORIZON_MIN} }}]
routes = [{{ share = "p_uhcd", odds = 0.5, from_min = {HORIZON_MIN} }}]
arrivals = [{{ factor = 2, age = ["75+"], from_min = {HORIZON_MIN} }}]
"""
    [scenario] = scenarios_of(text, place="late").values()
    assert [census(world) for world in under(scenario, 3)] == [census(world) for world in went_through("as_usual")[:3]]
