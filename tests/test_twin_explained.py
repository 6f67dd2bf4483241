"""The load on what is queued for, by hand and in runs; what is doubtful, each doubt from the site that deserves it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.path_views import CRAMPED
from tests.test_twin_flows import whole
from twin import explained as explained_module
from twin.durations import fixed
from twin.explained import explain, there_by_hour
from twin.explanation import OUT, WARDS, Doubt, Explained, Load
from twin.hospital import NO_LIMIT
from twin.measures import HOUR_MIN
from twin.site import Site, site_from
from twin.small_hospitals import WHOLE, member, parameters, small_hospital, small_path


def of(text: str) -> Explained:
    return whole_of(site_from(text))


def whole_of(site: Site) -> Explained:
    assert site.path
    assert site.parameters
    return explain(site.hospital, site.path, site.parameters)


def small(**changed: float) -> Explained:
    path, believed = whole()
    durations = {**believed.durations, **{name.replace("__", ":"): fixed(v) for name, v in changed.items()}}
    return explain(small_hospital(), path, replace(believed, durations=durations))


def asked(explained: Explained) -> dict[str, float]:
    return {load.pool: load.asked for load in explained.loads if load.asked is not None}


# --- the load


BY_HAND = {
    "doctor": 48 * 10 / 1440,
    "bed:medicine": 12 * 0.8 * (30 + 200) / 1440,
    "bed:surgery": 12 * 0.2 * (30 + 100) / 1440,
}


def test_load_is_arrivals_times_share_times_duration() -> None:
    """A doctor is held for the slot only; a bed from the way there to the end of the stay."""
    assert asked(small()) == pytest.approx(BY_HAND, rel=0.01)


def test_a_load_that_forgets_what_is_kept_from_stage_to_stage_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant counts a bed only in the stage that takes it."""
    held = explained_module._held

    def forgets(flows: object) -> object:
        path = flows.path  # type: ignore[attr-defined]
        bare = tuple(situation._replace(kept=frozenset()) for situation in path.situations)
        return held(replace(flows, path=replace(path, situations=bare)))  # type: ignore[type-var, arg-type]

    monkeypatch.setattr(explained_module, "_held", forgets)
    assert asked(small()) != pytest.approx(BY_HAND, rel=0.01)


def test_runs_without_limits_use_as_much_as_is_asked() -> None:
    """Little's law on the twin itself: the mean number in the wards of a run in which nobody waits for a bed."""
    path, believed = whole()
    days = 60
    free = dict.fromkeys(path.pools, NO_LIMIT)
    visits = member(path, believed, hours=24 * days, capacity=free).visits
    ends = np.where(np.isnan(visits.stay_until_min), days * 24 * HOUR_MIN, visits.stay_until_min)
    in_wards = float((ends - visits.stay_from_min).sum()) / (days * 24 * HOUR_MIN)
    told = asked(explain(small_hospital(), path, believed))
    with_way = 12 * 30 / 1440
    assert in_wards == pytest.approx(told["bed:medicine"] + told["bed:surgery"] - with_way, rel=0.1)


def test_a_roster_is_averaged_over_the_week_and_held_against_its_busiest_hours() -> None:
    explained = of("")
    [doctors] = [load for load in explained.loads if load.pool == "doctor"]
    assert doctors.there == pytest.approx((8 * 4 + 2 * 5 + 10 * 6 + 4 * 6) / 24)
    assert doctors.share == pytest.approx(0.66, abs=0.02)
    assert doctors.busiest is not None
    assert doctors.busiest[:2] == (7, 11)
    assert doctors.busiest[2] > (doctors.share or 0)


def test_beds_held_back_are_not_there() -> None:
    hospital = small_hospital().with_held_back({"medicine": 3})
    assert there_by_hour(hospital, "bed:medicine").tolist() == [1.0] * 24


# --- the path


def test_every_stage_says_where_it_is_who_comes_and_what_follows() -> None:
    explained = of("")
    zones = {step.name: step.zone for step in explained.steps}
    assert (zones["laboratory"], zones["imaging"], zones["ward"], zones["home"]) == ("boxes", "imaging", WARDS, OUT)
    decision = explained.step("decision")
    assert decision.queues_for == ("doctor",)
    assert sum(way.share for way in decision.ways) == pytest.approx(1)
    assert sum(way.a_day for way in decision.ways) == pytest.approx(decision.a_day)
    assert explained.arrivals_a_day == pytest.approx(220)
    assert explained.planned_a_day == pytest.approx((5.0 * 5 + 4.5 * 5 + 4 * 5) / 7)
    ways_out = [step for step in explained.steps if not step.ways]
    left = sum(step.a_day for step in ways_out if step.enters != "asked")
    assert {step.name for step in ways_out if step.enters != "asked"} == {
        "home", "transfer", "died", "uhcd_cleaning", "icu_cleaning", "isolation_cleaning", "bed_cleaning",
    }  # fmt: skip
    asked = {step.name: step.a_day for step in ways_out if step.enters == "asked"}
    assert asked == pytest.approx({"ward_imaging": 55 * 5.7 / 7, "ward_samples": 30 * 6.6 / 7})
    assert left == pytest.approx(explained.arrivals_a_day + explained.planned_a_day)


# --- what is doubtful


def doubts(explained: Explained) -> dict[tuple[str, str], float | None]:
    return {(doubt.kind, doubt.about): doubt.share for doubt in explained.doubts}


NEARLY_FULL = ("medicine", "pneumology", "neurology", "geriatrics", "cardiology", "surgery", "orthopaedics")


def test_the_shipped_hospital_is_nearly_full_and_nothing_else() -> None:
    found = doubts(of(""))
    assert set(found) == {("nearly_full", f"bed:{w}") for w in NEARLY_FULL}


def test_a_cramped_winter_is_overloaded_and_has_volunteers_whom_nobody_waits_for() -> None:
    found = doubts(of(CRAMPED))
    assert (found["overloaded", "bed:medicine"] or 0) > 1
    assert (found["overloaded", "imaging"] or 0) > 1
    assert ("pool_never", "volunteer") in found
    gravest = next(iter(of(CRAMPED).doubts))
    assert gravest.kind == "overloaded"


OVERFLOWS = """
[units]
boxes = { fr = "Box", en = "Boxes", spaces = 3 }
medicine = { fr = "M", en = "M", beds = 1, overflow = ["surgery"] }
surgery = { fr = "C", en = "S", beds = 2 }
"""


def test_a_ward_that_is_relieved_by_another_spills_over_rather_than_being_overloaded() -> None:
    path, believed = whole()
    hospital = site_from(OVERFLOWS).hospital
    found = doubts(explain(hospital, path, believed))
    assert found["spills_over", "bed:medicine"] == pytest.approx(BY_HAND["bed:medicine"], rel=0.01)
    cramped = doubts(explain(hospital.with_beds({"surgery": 0}), path, believed))
    assert ("overloaded", "bed:medicine") in cramped


def test_too_few_at_the_busiest_hours_is_said_though_the_day_would_do() -> None:
    roster = 'weekday = { "0-8" = 9, "8-16" = 4, "16-24" = 8 }'
    found = [d for d in of(f'[pools.doctor]\nfr = "M"\nen = "D"\n{roster}\n{OTHERS}').doubts if d.about == "doctor"]
    assert [doubt.kind for doubt in found] == ["busy_hours"]
    assert found[0].hours == (8, 12)


OTHERS = "".join(
    f'[pools.{name}]\nfr = "x"\nen = "x"\nalways = 9\n'
    for name in ("reception_clerk", "triage_nurse", "specialist", "imaging")
)


def test_nobody_there_is_said() -> None:
    nobody = OTHERS.replace("always = 9", "always = 0", 1)
    found = doubts(of(f'[pools.doctor]\nfr = "M"\nen = "D"\nalways = 9\n{nobody}'))
    assert ("nobody_there", "reception_clerk") in found


def test_a_ward_that_nobody_is_sent_to_a_unit_of_no_stage_and_too_many_beds_are_said() -> None:
    path, believed = whole()
    hospital = small_hospital().with_beds({"surgery": 90})
    nobody = replace(believed, wanted={"ward": believed.wanted["ward"] * np.array([[0, 0, 1]]) * 5})
    found = doubts(explain(hospital, path, nobody))
    assert {("ward_never", "medicine"), ("unit_never", "boxes"), ("pool_never", "nurse")} <= set(found)
    assert ("hardly_used", "bed:surgery") in found


def test_a_stage_that_nobody_comes_to_and_stays_that_never_end_are_said() -> None:
    path, believed = whole()
    none = replace(believed, shares={"p_admit": np.zeros((1, 1))})
    assert ("stage_never", "boarding") in doubts(explain(small_hospital(), path, none))
    assert ("never_ends", "bed:medicine") in doubts(small(ward_stay__medicine=1e6))


def test_a_log_that_tells_nothing_of_a_stage_or_of_areas_raises_no_doubt() -> None:
    path, believed = whole()
    none = replace(believed, shares={"p_admit": np.zeros((1, 1))})
    learned = explain(small_hospital(), path, none, learned=True)
    assert {doubt.kind for doubt in learned.doubts} == {"ward_never"}
    assert [place.name for place in learned.places] == ["medicine", "surgery"]
    assert [roster.name for roster in learned.rosters] == ["doctor"]


def test_what_has_no_limit_is_said_and_has_no_share() -> None:
    path, believed = whole()
    explained = explain(small_hospital().with_beds({"medicine": NO_LIMIT}), path, believed)
    assert explained.no_limit == ("bed:medicine",)
    assert Load("bed:medicine", "beds", 3.0, None).share is None


def test_a_calm_site_has_no_doubt() -> None:
    hospital = small_hospital().with_units(small_hospital().wards)
    path = small_path(WHOLE, hospital)
    lasting = dict(whole()[1].durations)
    believed = parameters(
        path, lasting, per_hour=2.0, shares={"p_admit": 0.5}, wanted={"medicine": 0.6, "surgery": 0.4}
    )
    calm = explain(hospital.with_beds({"medicine": 4}), path, believed)
    assert [d for d in calm.doubts if d != Doubt("pool_never", "nurse")] == []
