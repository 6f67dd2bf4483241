"""The catalogue: every sentence is true of its change, and as usual changes nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
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
from twin.pathway import TABLES, load_path
from twin.present import Present
from twin.scenarios import Language, Names, Scenario, carrying, catalogue, pick, scenarios_of
from twin.setting import Setting
from twin.small_hospitals import START, WHOLE, Member, member, parameters, same, small_hospital, small_path

HOSPITAL = load_hospital()
PATH = load_path("full", HOSPITAL)
ALL = catalogue()
NAMES = Names.of([HOSPITAL], [load_path(table, HOSPITAL) for table in TABLES])
SHORT = 48
"""Letters that two lines of a row of the wall hold."""
BASE = Setting(HOSPITAL.capacities(PATH.pools, START, 1440.0))


def applied(name: str, base: Setting = BASE) -> Setting:
    return ALL[name].apply(base, HOSPITAL)


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
    assert list(ALL)[:5] == ["as_usual", "one_more_doctor", "ten_beds_closed", "arrivals_up_20", "mass_casualty_20"]


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
    setting = scenario.apply(base, hospital)
    return member(
        path, believed, hours=24, capacity=dict(setting.capacity), demand=setting.demand, law=setting.law, seed=3
    )


@pytest.mark.parametrize("name", list(ALL))
def test_every_base_patient_keeps_its_luck(name: str) -> None:
    base, other = whole_day(ALL["as_usual"]).fate, whole_day(ALL[name]).fate
    _, mine, theirs = np.intersect1d(base.visit, other.visit, return_indices=True)
    if not any(change.factor < 1 for change in ALL[name].change.arrivals):
        assert mine.size == base.visit.size, "nobody is left out"
    assert np.array_equal(base.at_min[mine], other.at_min[theirs])
    assert np.array_equal(base.cls[mine], other.cls[theirs])
    if not ALL[name].change.routes and not ALL[name].change.durations:
        width = base.stage.shape[1]
        assert np.array_equal(base.stage[mine], other.stage[theirs, :width])
        assert np.array_equal(base.minutes[mine], other.minutes[theirs, :width])


def test_as_usual_tells_the_same_story_to_the_last_bit_and_the_others_do_not() -> None:
    plain = whole_day(Scenario("nothing", ALL["as_usual"].change))
    assert same(plain.story, whole_day(ALL["as_usual"]).story)
    for name in list(ALL)[1:5]:
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
    night = catalogue(own(tmp_path, OWN), names=NAMES)["night"]
    base = Setting({"doctor": ((0.0, 3), (90.0, 6))})
    setting = night.apply(base, HOSPITAL)
    assert setting.capacity == {"doctor": ((0.0, 3), (60.0, 1), (90.0, 4), (120.0, 6))}
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
        catalogue(own(tmp_path, OWN.replace('"doctor"', '"docteur"')), names=NAMES)


# --- numbers that may be set, and scenarios at once -----------------------------------------------------------------


@pytest.mark.parametrize("name", list(ALL))
def test_sentences_tell_every_number_that_may_be_set_or_its_range_cannot_be_read(name: str) -> None:
    scenario, untold = ALL[name], {"median"}
    for language in ("fr", "en"):
        said = scenario.change.fr if language == "fr" else scenario.change.en
        assert set(re.findall(r"{(\w+)}", said)) == set(scenario.values) - untold, language
    assert all(one["low"] <= one["value"] <= one["high"] for one in scenario.parameters.values())


@pytest.mark.parametrize("language", ["fr", "en"])
def test_what_is_short_of_a_sentence_fits_two_lines_of_the_wall(language: Language) -> None:
    """The mutant: the sentence itself, which many a scenario has no room for."""
    assert [name for name, one in ALL.items() if len(one.short(language)) > SHORT] == []
    assert len([name for name, one in ALL.items() if len(one.sentence(language)) > SHORT]) > 5


def test_what_is_short_has_the_numbers_and_without_it_the_sentence_is_told_but_for_brackets(
    tmp_path: FilePath,
) -> None:
    [more, both] = pick(ALL, ["extra_doctor[number=3]", "extra_doctor[number=3]+winter_peak"])
    assert more.short("en") == "More doctors: 3, for 8 h."
    assert both.short("en") == "More doctors: 3, for 8 h. Winter peak: 20 % more arrivals."
    assert carrying(more, [ALL["winter_peak"]]).short("fr") == more.short("fr")
    text = '[scenario.mine]\nfr = "Dix lits (ou plus) fermés."\nen = "Ten beds (or more) closed."\n'
    mine = catalogue(own(tmp_path, text))["mine"]
    assert (mine.short("fr"), mine.short("en")) == ("Dix lits fermés.", "Ten beds closed.")
    with pytest.raises(ConfigurationError, match="short_fr and short_en must be given together"):
        catalogue(own(tmp_path, text + 'short_fr = "Dix lits."\n'))
    with pytest.raises(ConfigurationError, match="a sentence may name its parameters only"):
        catalogue(own(tmp_path, text + 'short_fr = "{n} lits."\nshort_en = "{n} beds."\n'))


def test_other_numbers_make_another_change_sentence_and_name() -> None:
    [five] = pick(ALL, ["epidemic_clusters[clusters=5,size=80]"])
    assert five.name == "epidemic_clusters[clusters=5,size=80]"
    assert five.sentence("en").startswith("5 epidemic clusters of 80 people: 30 % come")
    (crisis,) = five.change.crisis
    assert (crisis.clusters, crisis.patients) == (5, 24)
    assert five.with_values({"clusters": 3, "size": 40}) == ALL["epidemic_clusters"]
    assert ALL["epidemic_clusters"].with_values({}) is ALL["epidemic_clusters"]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("epidemic_clusters[clusters=50]", "clusters must lie between 1 and 10, but is 50"),
        ("epidemic_clusters[cluster=5]", "has no parameter cluster; there are clusters, size"),
        ("one_more_doctor[n=2]", "scenario one_more_doctor has no parameter n: it has none"),
        ("epidemic_clusters[clusters]", "must be told as name=number, but is clusters"),
        ("epidemic_clusters[clusters=five]", "must be told as name=number, but is clusters=five"),
        ("winter_peek[old=5]", "unknown scenario winter_peek, likely a typo for winter_peak"),
        ("as_usual+nothing", "unknown scenario nothing"),
    ],
)
def test_numbers_that_cannot_be_are_refused_in_a_sentence(name: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(says)):
        pick(ALL, [name])


def test_scenarios_add_up() -> None:
    [both] = pick(ALL, ["winter_peak[percent=30]+staff_infected+escalation_beds"])
    alone = pick(ALL, ["winter_peak[percent=30]", "staff_infected", "escalation_beds"])
    step = BASE
    for one in alone:
        step = one.apply(step, HOSPITAL)
    assert both.apply(BASE, HOSPITAL) == step
    assert both.sentence("en") == " ".join(one.sentence("en") for one in alone)


def test_of_the_catalogue_it_is_told_what_people_can_decide() -> None:
    """What befalls a hospital (more arrivals, casualties, staff away, something broken) is nobody's decision."""
    assert {name for name, one in ALL.items() if one.change.can_be_decided} == {
        "one_more_doctor", "extra_doctor", "extra_nurse", "extra_triage", "fast_track", "earlier_discharges",
        "smoothed_discharges", "reverse_triage", "escalation_beds", "uhcd_beds", "bjml_honoured", "faster_cleaning",
        "electives_postponed", "regulated_access",
    }  # fmt: skip


def test_together_they_can_be_decided_where_each_can_and_what_is_carried_changes_nothing_of_it(
    tmp_path: FilePath,
) -> None:
    both, mixed, other = pick(ALL, ["extra_doctor+extra_nurse", "extra_doctor+winter_peak", "extra_doctor[number=2]"])
    assert [one.change.can_be_decided for one in (both, mixed, other)] == [True, False, True]
    doctor, peak = ALL["extra_doctor"], ALL["winter_peak"]
    assert [carrying(*pair).change.can_be_decided for pair in ((doctor, [peak]), (peak, [doctor]))] == [True, False]
    mine = own(tmp_path, '[scenario.mine]\nfr = "x"\nen = "x"\narrivals = [{ factor = 0.9 }]\n')
    assert not catalogue(mine)["mine"].change.can_be_decided


def test_what_leaves_no_doctor_at_all_is_refused_with_the_time_and_the_place(tmp_path: FilePath) -> None:
    text = """
[scenario.nobody]
fr = "x"
en = "x"
capacity = [{ pool = "profession:doctor", factor = 0, from_min = 90 }]
"""
    nobody = catalogue(own(tmp_path, text), names=NAMES)["nobody"]
    with pytest.raises(
        ScenarioError, match=r"90 minutes from now it leaves no doctor at all \(doctor, fast_track_doctor"
    ):
        nobody.apply(BASE, HOSPITAL, 1440.0)
    nobody.delayed(1440.0).apply(BASE, HOSPITAL, 1440.0)
    away = text.replace("capacity", "absences").replace("factor = 0", "share = 1")
    with pytest.raises(ScenarioError, match="90 minutes from now it leaves no doctor at all"):
        catalogue(own(tmp_path, away), names=NAMES)["nobody"].apply(BASE, HOSPITAL, 1440.0)


def test_a_window_before_now_and_one_that_ends_before_it_begins_are_refused(tmp_path: FilePath) -> None:
    for window, says in (("from_min = -5", "0 or more"), ("from_min = 60, until_min = 30", "later than from_min")):
        with pytest.raises(ConfigurationError, match=says):
            catalogue(own(tmp_path, OWN.replace("from_min = 60, until_min = 120", window)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            'durations = [{ duration = "laboratry", factor = 2 }]',
            "unknown duration laboratry, likely a typo for labora",
        ),
        ('routes = [{ share = "p_uhdc", odds = 2 }]', "unknown share p_uhdc, likely a typo for p_uhcd"),
        (
            'absences = [{ pool = "profession:nurze", share = 0.1 }]',
            "unknown pool profession:nurze, likely a typo for pro",
        ),
        ('discharges = [{ wards = ["medecine"], factor = 2 }]', "unknown ward medecine, likely a typo for medicine"),
    ],
)
def test_names_that_the_hospital_does_not_have_are_told(tmp_path: FilePath, change: str, says: str) -> None:
    with pytest.raises(ScenarioError, match=says):
        catalogue(own(tmp_path, f'[scenario.x]\nfr = "x"\nen = "x"\n{change}\n'), names=NAMES)


def test_an_end_of_a_range_that_makes_no_change_is_told_when_the_file_is_read(tmp_path: FilePath) -> None:
    text = """
[scenario.x]
fr = "{n}"
en = "{n}"
arrivals = [{ factor = "= 1 + n" }]
[scenario.x.parameters]
n = { fr = "n", en = "n", default = 1, low = 0, high = 3 }
"""
    with pytest.raises(ConfigurationError, match=r"scenario.x: .*less, but is 4"):
        catalogue(own(tmp_path, text))
    with pytest.raises(ConfigurationError, match="must be a number"):
        catalogue(own(tmp_path, text.replace("1 + n", "1 + m").replace("high = 3", "high = 2")))
    with pytest.raises(ConfigurationError, match="may name its parameters only"):
        catalogue(own(tmp_path, text.replace('en = "{n}"', 'en = "{m}"').replace("high = 3", "high = 2")))


def test_times_of_day_are_the_next_ones_on_the_local_clock_also_when_clocks_change(tmp_path: FilePath) -> None:
    text = """
[scenario.x]
fr = "x"
en = "x"
capacity = [{ pool = "doctor", add = 1, from_clock = "06:00", until_clock = "14:30" }]
"""
    scenario = catalogue(own(tmp_path, text))["x"]
    for now, start_min in (
        (datetime(2026, 3, 2, 12, tzinfo=UTC), 17 * 60.0),
        (datetime(2026, 3, 28, 12, tzinfo=UTC), 16 * 60.0),
        (datetime(2026, 3, 2, 5, tzinfo=UTC), 1440.0),
    ):
        (change,) = scenario.at(now, "Europe/Paris").change.capacity
        assert (change.from_min, change.until_min) == (start_min, start_min + 8.5 * 60)


# --- who is away ------------------------------------------------------------------------------------------------------


def away(share: float, member: int) -> list[int]:
    text = f'[scenario.x]\nfr = "x"\nen = "x"\nabsences = [{{ pool = "nurse", share = {share}, until_min = 2880 }}]'
    [scenario] = scenarios_of(text, place="x").values()
    base = Setting({"nurse": ((0.0, 20),)})
    profile = scenario.apply(base, HOSPITAL).capacity_of(HOSPITAL, seed=1, member=member)["nurse"]
    return [next(n for start, n in reversed(profile) if start <= m) for m in range(0, 2880, 60)]


def test_so_many_are_away_as_is_said_others_in_each_member_and_more_with_a_higher_share() -> None:
    members = np.array([away(0.2, member) for member in range(60)])
    assert members.mean() == pytest.approx(16.0, abs=0.3)
    assert members[:, 0].var() == pytest.approx(20 * 0.2 * 0.8, rel=0.5), "each is away or not by themselves"
    assert (np.array([away(0.4, member) for member in range(60)]) <= members).all()
    assert away(0.0, 3) == [20] * 48
    assert len(set(map(tuple, members.tolist()))) > 50


def test_after_the_window_everybody_is_back() -> None:
    text = '[scenario.x]\nfr = "x"\nen = "x"\nabsences = [{ pool = "nurse", share = 0.9, until_min = 60 }]'
    [scenario] = scenarios_of(text, place="x").values()
    setting = scenario.apply(Setting({"nurse": ((0.0, 20),)}), HOSPITAL)
    profile = setting.capacity_of(HOSPITAL, seed=1, member=0)["nurse"]
    assert profile[-1] == (60.0, 20)
    assert profile[0][1] < 10


def test_scenarios_are_picked_by_name() -> None:
    assert [s.name for s in pick(ALL, ["arrivals_up_20", "as_usual"])] == ["arrivals_up_20", "as_usual"]
    with pytest.raises(ScenarioError, match="unknown scenario as_usul, likely a typo for as_usual"):
        pick(ALL, ["as_usul"])


def test_a_hospital_with_one_level_3_takes_3a_and_3b_for_it() -> None:
    one_level = replace(HOSPITAL, acuities=("1", "2", "3", "4", "5"))
    (crisis,) = ALL["mass_casualty_20"].apply(BASE, one_level).demand.crises
    assert crisis.severity[2] == pytest.approx(0.25 + 0.15)
    assert sum(crisis.severity.values()) == pytest.approx(1.0)
