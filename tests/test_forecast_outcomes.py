"""What members come to, by hand and in a hospital; what scenarios ask of the house; the nights of a window."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecast.efforts import Efforts, efforts_of, unit_efforts
from forecast.ensemble import Run, run_chunk
from forecast.outcome_runs import Wanted, fault_of, outcome_chunk
from forecast.outcomes import BREAKS, MARGIN, Told, nights, outcomes
from forecast.services import Service, services_file
from forecast.values import Array, Members
from tests.histories import scenarios, situation
from twin import kernel
from twin.hospital import load_hospital
from twin.scenarios import Scenario, catalogue, pick

HOW = Run(members=4, seed=7)
WINTER = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
PARIS = "Europe/Paris"


def column(*values: float) -> Array:
    return np.array(values, dtype=np.float64)[:, None]


def told(**changed: object) -> Told:
    """One member, five instants half an hour apart."""
    given: dict[str, object] = {
        "lead_min": np.arange(0.0, 121.0, 30.0),
        "measures": {
            "ed_census": column(9, 11, 12, 10, 8), "ed_boarders": column(1, 2, 4, 6, 8),
            "ed_waiting": column(0, 0, 0, 0, 0),
            "census:icu": column(9, 10, 12, 11, 9), "beds_free:icu": column(1, 0, -2, -1, 1),
            "asked:nurse": column(3, 5, 4, 2, 2),
        },
        "tallies": {
            "left_unseen": np.array([2.0]), "planned_admitted": np.array([3.0]), "nights": np.array([4.0]),
            "aged_nights": np.array([1.0]), "wait_p90_min": np.array([90.0]), "wait_p90_min:1": np.array([9.0]),
        },
        "there": {"ed_census": column(10, 10, 10, 10, 10), "asked:nurse": column(3, 3, 3, 3, 3)},
        "usual_beds": {"icu": np.full(5, 10.0)}, "planned_due": np.array([5.0]), "morning_min": 62.0,
        "aged_known": True,
    }  # fmt: skip
    return Told(**(given | changed))  # type: ignore[arg-type]


def test_what_one_member_comes_to_by_hand() -> None:
    found = {name: float(values[0]) for name, values in outcomes(told(), Efforts(8.0, 2.5)).items()}
    assert found == {
        "wait_p90_min": 90.0, "wait_p90_min:1": 9.0, "left_unseen": 2.0, "ed_peak": 12.0, "over_spaces_h": 1.0,
        "boarding_h": 10.0, "boarders_at_8h": 4.0, "nights": 4.0, "aged_nights": 1.0, "staff_over_h": 1.5,
        "staff_over_h:nurse": 1.5, "planned_not_admitted": 2.0, "escalation_beds": 2.0, "beds_free_least": -2.0,
        "effort_bed_h": 8.0, "effort_staff_h": 2.5,
    }  # fmt: skip


def test_what_is_not_told_does_not_exist() -> None:
    measures = {"ed_census": column(1, 2, 3, 4, 5)}
    found = outcomes(told(measures=measures, there={}, usual_beds={}, planned_due=None, morning_min=None), Efforts())
    assert list(found) == ["ed_peak", "effort_bed_h", "effort_staff_h"]
    assert "aged_nights" not in outcomes(told(aged_known=False), Efforts())


def test_others_may_add_outcomes_of_the_same_members() -> None:
    found = outcomes(told(more={"meals_short": np.array([7.0])}), Efforts())
    assert found["meals_short"].tolist() == [7.0]


def test_services_break_or_hold() -> None:
    services = [
        Service("icu", "a", "a", "beds_free:icu", None, 1.0, 0.0),
        Service("spaces", "a", "a", "ed_census", 99.0, None, 0.0),
    ]
    found = outcomes(told(), Efforts(), services)
    assert (found[BREAKS + "icu"][0], found[MARGIN + "icu"][0]) == (30.0, -3.0)
    assert (found[BREAKS + "spaces"][0], found[MARGIN + "spaces"][0]) == (np.inf, 87.0)


# --- nights


def test_the_next_night_of_a_window_of_a_day() -> None:
    assert nights(WINTER, PARIS, 1440.0) == ((540.0, 1020.0),)
    assert nights(WINTER + timedelta(hours=13), PARIS, 1440.0) == ((-240.0, 240.0),), "at 4 h it has begun"
    assert nights(WINTER, PARIS, 600.0) == (), "it ends beyond the window"
    assert len(nights(WINTER, PARIS, 3 * 1440.0)) == 3


def test_a_night_on_which_clocks_change_is_longer() -> None:
    autumn = datetime(2026, 10, 24, 14, 0, tzinfo=UTC)
    [(begins, ends)] = nights(autumn, PARIS, 1440.0)
    assert ends - begins == 540.0


# --- efforts


def test_only_what_is_added_asks_for_something() -> None:
    hospital = load_hospital()
    usual = {
        "bed:medicine": ((0.0, 60),),
        "bed:intensive_care": ((0.0, 17),),
        "doctor": ((0.0, 4),),
        "ventilator": ((0.0, 2),),
    }
    changed = {
        "bed:medicine": ((0.0, 60), (120.0, 70)), "bed:intensive_care": ((0.0, 19), (60.0, 10)),
        "doctor": ((0.0, 5), (600.0, 3)), "ventilator": ((0.0, 4),),
    }  # fmt: skip
    found = efforts_of(hospital, usual, changed, 720.0)
    assert (found.bed_h, found.staff_h) == pytest.approx((100.0 + 2.0, 10.0 + 0.8 + 10.0))
    assert efforts_of(hospital, usual, usual, 720.0) == Efforts()
    assert all(entry.source for entry in unit_efforts().bed.values())


# --- in a hospital


def test_outcomes_are_those_of_the_members_that_a_forecast_has() -> None:
    """What is read from instants is what the ensemble's own members say, scenario by scenario."""
    kernel.warm()
    some = pick(catalogue(), ["as_usual", "winter_peak", "ten_beds_closed", "mass_casualty_20", "earlier_discharges"])
    found = outcome_chunk(situation(), some, HOW, range(4), Wanted(spaces=58))
    whole = run_chunk(situation(), some, HOW, range(4))
    for scenario, outcome in zip(some, found, strict=True):
        measures = whole[scenario.name]
        np.testing.assert_array_equal(outcome["ed_peak"], measures["ed_census"].max(axis=0))
        np.testing.assert_allclose(outcome["boarding_h"], measures["ed_boarders"][1:].sum(axis=0) / 4)


def test_outcomes_do_not_depend_on_what_runs_beside() -> None:
    alone = outcome_chunk(situation(), scenarios("winter_peak"), HOW, range(2, 4), Wanted(services_file(), 58))[0]
    names = ["mass_casualty_20", "winter_peak", "as_usual", "epidemic_clusters[clusters=5,size=80]", "staff_infected"]
    beside = outcome_chunk(situation(), pick(catalogue(), names), HOW, range(4), Wanted(services_file(), 58))[1]
    assert alone.keys() == beside.keys()
    for name, values in alone.items():
        np.testing.assert_array_equal(values, beside[name][2:], err_msg=name)


def test_what_cannot_be_run_is_said_before() -> None:
    def fault(name: str) -> str | None:
        return fault_of(situation(), pick(catalogue(), [name])[0], HOW)

    assert fault("winter_peak") is None
    assert "by a factor from 0 to 3" in str(fault("winter_peak[percent=60]+winter_peak[percent=60,old=50]"))
    assert "epidemic_clusters" in str(fault("+".join(["epidemic_clusters[clusters=10,size=200]"] * 8)))


class Kitchen:
    """Meals for who is in the department: what others may make of the members."""

    def of(self, scenario: Scenario, told: Members, members: range) -> tuple[dict[str, Array], dict[str, Array]]:
        short = np.maximum(told.measures["ed_census"] - 30.0, 0.0)
        assert short.shape[1] == len(members)
        return {"unmet:meals": short}, {"supplies_short:meals": short.sum(axis=0) * len(scenario.name) ** 0}


def test_others_may_make_measures_that_break_and_outcomes_that_are_criteria() -> None:
    """Where supplies' shortages come in: by name, nothing else is changed."""
    some, wanted = scenarios("as_usual", "mass_casualty_20"), Wanted(services_file(), 58)
    plain = outcome_chunk(situation(), some, HOW, range(4), wanted)
    fed = outcome_chunk(situation(), some, HOW, range(4), replace(wanted, further=(Kitchen(),)))
    for without, with_meals in zip(plain, fed, strict=True):
        assert with_meals.keys() - without.keys() == {
            "supplies_short:meals", BREAKS + "supplies:meals", MARGIN + "supplies:meals",
        }  # fmt: skip
        for name, values in without.items():
            np.testing.assert_array_equal(values, with_meals[name], err_msg=name)
    assert fed[1]["supplies_short:meals"].sum() > fed[0]["supplies_short:meals"].sum()
