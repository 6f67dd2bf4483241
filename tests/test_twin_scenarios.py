"""The catalogue: every sentence is true of its change, and as usual changes nothing."""

from __future__ import annotations

import re
from pathlib import Path as FilePath

import numpy as np
import pytest

from ingest.errors import ConfigurationError
from twin.defaults import default_parameters
from twin.demand import Demand
from twin.durations import exponential, fixed
from twin.errors import ScenarioError
from twin.fate import cast
from twin.hospital import load_hospital
from twin.luck import draw
from twin.pathway import load_path
from twin.present import Present
from twin.scenarios import Scenario, Setting, catalogue, pick
from twin.small_hospitals import START, WHOLE, Member, member, parameters, same, small_hospital, small_path

HOSPITAL = load_hospital()
PATH = load_path("full", HOSPITAL)
ALL = catalogue()
BASE = Setting(HOSPITAL.capacities(PATH.pools, START, 1440.0))


def applied(name: str, base: Setting = BASE) -> Setting:
    return ALL[name].apply(base, HOSPITAL.acuities)


def numbers(name: str) -> list[int]:
    """The numbers of a sentence, which must be the same in both languages."""
    french, english = (re.findall(r"\d+", ALL[name].sentence(language)) for language in ("fr", "en"))
    assert sorted(french) == sorted(english)
    return [int(number) for number in english]


def at(setting: Setting, pool: str, minute: float) -> int:
    return next(count for start, count in reversed(setting.capacity[pool]) if start <= minute)


def changed(setting: Setting) -> set[str]:
    return {pool for pool in BASE.capacity if setting.capacity[pool] != BASE.capacity[pool]}


def test_the_catalogue_has_the_five_scenarios() -> None:
    assert list(ALL) == ["as_usual", "one_more_doctor", "ten_beds_closed", "arrivals_up_20", "mass_casualty_20"]


def test_as_usual_changes_nothing() -> None:
    assert applied("as_usual") == BASE
    assert ALL["as_usual"].parameters == {}


def test_one_more_doctor_is_one_more_at_every_hour_and_nothing_else() -> None:
    setting = applied("one_more_doctor")
    assert numbers("one_more_doctor") == [1]
    assert changed(setting) == {"doctor"}
    assert all(at(setting, "doctor", m) == at(BASE, "doctor", m) + 1 for m in range(0, 1440, 15))
    assert setting.demand == Demand()


def test_ten_beds_are_closed_in_the_largest_ward_and_then_in_the_next() -> None:
    setting = applied("ten_beds_closed")
    assert numbers("ten_beds_closed") == [10]
    assert changed(setting) == {"bed:medicine"}
    assert at(setting, "bed:medicine", 0) == at(BASE, "bed:medicine", 0) - 10
    small = Setting({"bed:a": ((0.0, 6),), "bed:b": ((0.0, 7),), "bed:c": ((0.0, 2),), "doctor": ((0.0, 5),)})
    closed = applied("ten_beds_closed", small).capacity
    assert closed == {"bed:a": ((0.0, 3),), "bed:b": ((0.0, 0),), "bed:c": ((0.0, 2),), "doctor": ((0.0, 5),)}


def test_arrivals_up_20_brings_a_fifth_more_and_keeps_everybody() -> None:
    setting = applied("arrivals_up_20")
    assert numbers("arrivals_up_20") == [20]
    assert changed(setting) == set()
    base, more = arrivals(BASE.demand), arrivals(setting.demand)
    assert base <= more
    assert len(more) / len(base) == pytest.approx(1.2, abs=0.025)


def test_twenty_victims_most_of_them_severe_come_from_30_to_90_minutes() -> None:
    setting = applied("mass_casualty_20")
    assert numbers("mass_casualty_20") == [20, 60, 30]
    assert changed(setting) == set()
    (crisis,) = setting.demand.crises
    assert (crisis.patients, crisis.from_min, crisis.over_min) == (20, 30.0, 60.0)
    severe = sum(share for code, share in crisis.severity.items() if HOSPITAL.acuities[code] in ("1", "2", "3A"))
    assert severe > 0.5
    base, more = arrivals(BASE.demand), arrivals(setting.demand)
    victims = [at_min for row, at_min in more - base]
    assert base <= more
    assert len(victims) == 20
    assert all(30 <= at_min <= 90 for at_min in victims)


def arrivals(demand: Demand, days: int = 20) -> set[tuple[int, float]]:
    """(row of luck, minute) of everyone who comes."""
    believed = default_parameters(HOSPITAL, PATH)
    nobody = Present.of_nobody()
    luck = draw(PATH, believed, 0, seed=2, member=0, start=START, horizon_min=days * 1440.0, zone="UTC")
    fate = cast(PATH, believed, luck, nobody, demand)
    emergency = luck.group[fate.visit] <= 0
    return set(zip(fate.visit[emergency].tolist(), fate.at_min[emergency].tolist(), strict=True))


# --- paired luck ----------------------------------------------------------------------------------------------------


def whole_day(scenario: Scenario) -> Member:
    """A day of the small hospital under a scenario."""
    hospital, path = small_hospital(), small_path(WHOLE)
    lasting = {name: exponential(30) for name in path.durations} | {"patience": fixed(10_000)}
    wanted = {"medicine": 0.5, "surgery": 0.5}
    believed = parameters(path, lasting, per_hour=4.0, shares={"p_admit": 0.3}, wanted=wanted, classes={0: 0.5, 4: 0.5})
    base = Setting(hospital.capacities(path.pools, START, 1440.0))
    setting = scenario.apply(base, hospital.acuities)
    return member(path, believed, hours=24, capacity=dict(setting.capacity), demand=setting.demand, seed=3)


@pytest.mark.parametrize("name", list(ALL))
def test_every_base_patient_keeps_its_luck(name: str) -> None:
    base, other = whole_day(ALL["as_usual"]).fate, whole_day(ALL[name]).fate
    where = {visit: row for row, visit in enumerate(other.visit.tolist())}
    rows = [where[visit] for visit in base.visit.tolist()]
    assert np.array_equal(base.at_min, other.at_min[rows])
    assert np.array_equal(base.cls, other.cls[rows])
    width = base.stage.shape[1]
    assert np.array_equal(base.stage, other.stage[rows, :width])
    assert np.array_equal(base.minutes, other.minutes[rows, :width])


def test_as_usual_tells_the_same_story_to_the_last_bit_and_the_others_do_not() -> None:
    plain = whole_day(Scenario("nothing", ALL["as_usual"].change))
    assert same(plain.story, whole_day(ALL["as_usual"]).story)
    for name in list(ALL)[1:]:
        assert not same(plain.story, whole_day(ALL[name]).story), name


# --- a site's own file ----------------------------------------------------------------------------------------------

OWN = """
[scenario.night]
fr = "2 médecins de moins de 60 à 120 minutes."
en = "2 doctors fewer from 60 to 120 minutes."
capacity = [{ pool = "doctor", add = -2, from_min = 60, until_min = 120 }]
arrivals = [{ factor = 0.5, from_min = 60, until_min = 120 }, { factor = 2.0, until_min = 90 }]
"""


def own(tmp_path: FilePath, text: str) -> FilePath:
    file = tmp_path / "own.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_change_holds_in_its_window_and_factors_multiply(tmp_path: FilePath) -> None:
    night = catalogue(own(tmp_path, OWN), pools=HOSPITAL.pools)["night"]
    base = Setting({"doctor": ((0.0, 1), (90.0, 4))})
    setting = night.apply(base, HOSPITAL.acuities)
    assert setting.capacity == {"doctor": ((0.0, 1), (60.0, 0), (90.0, 2), (120.0, 4))}
    assert setting.demand.level == ((0.0, 2.0), (60.0, 1.0), (90.0, 0.5), (120.0, 1.0))


def test_faults_of_a_file_are_told_at_once_with_their_lines(tmp_path: FilePath) -> None:
    wrong = OWN.replace("factor = 0.5", "factor = 5").replace("add = -2", "ad = -2")
    wrong = (
        wrong + '\n[scenario.x]\nfr = "x"\nen = "x"\ncrisis = [{ patients = 0, over_min = 1, severity = { "1" = 2 } }]'
    )
    with pytest.raises(ConfigurationError) as error:
        catalogue(own(tmp_path, wrong))
    told = str(error.value)
    for key in ("night.capacity.0.ad", "night.arrivals.0.factor", "x.crisis.0.patients", "x.crisis.0.severity"):
        assert key in told


def test_a_pool_that_the_hospital_does_not_have_is_named(tmp_path: FilePath) -> None:
    with pytest.raises(ScenarioError, match="unknown pool docteur, likely a typo for doctor"):
        catalogue(own(tmp_path, OWN.replace('"doctor"', '"docteur"')), pools=HOSPITAL.pools)


def test_scenarios_are_picked_by_name() -> None:
    assert [s.name for s in pick(ALL, ["arrivals_up_20", "as_usual"])] == ["arrivals_up_20", "as_usual"]
    with pytest.raises(ScenarioError, match="unknown scenario as_usul, likely a typo for as_usual"):
        pick(ALL, ["as_usul"])


def test_a_hospital_with_one_level_3_takes_3a_and_3b_for_it() -> None:
    (crisis,) = ALL["mass_casualty_20"].apply(BASE, ("1", "2", "3", "4", "5")).demand.crises
    assert crisis.severity[2] == pytest.approx(0.25 + 0.15)
    assert sum(crisis.severity.values()) == pytest.approx(1.0)
