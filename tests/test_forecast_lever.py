"""Why a scenario moves nothing here."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from forecast.lever import no_lever
from forecast.situation import Situation, situation_of
from tests.histories import NOON, hospital, scenarios, situation, told
from tests.test_twin_calibrate import short
from twin.calibrate import calibrate
from twin.scenarios import catalogue
from twin.state import State, fold

USUAL, DOCTOR, BEDS, MORE, CRISIS = scenarios(
    "as_usual", "one_more_doctor", "ten_beds_closed", "arrivals_up_20", "mass_casualty_20"
)


@cache
def without(*kinds: str) -> Situation:
    state = fold(State(), [e for e in told().known(NOON) if e.kind not in kinds])
    return situation_of(state, calibrate(state, hospital(), NOON), NOON)


def test_where_beds_and_doctors_are_known_every_scenario_has_a_lever() -> None:
    assert [no_lever(situation(), s) for s in (USUAL, DOCTOR, BEDS, MORE, CRISIS)] == [None] * 5


def test_where_the_log_tells_no_doctors_one_more_moves_nothing() -> None:
    here = without("StaffOnDuty")
    assert no_lever(here, DOCTOR) == "The data do not tell how many there are: Emergency doctors."
    assert no_lever(here, DOCTOR, "fr") == "Les données ne disent pas combien il y en a : Médecins urgentistes."
    assert no_lever(here, BEDS) is None


def test_where_the_log_tells_no_beds_closing_some_moves_nothing() -> None:
    here = without("BedsCounted")
    assert no_lever(here, BEDS) == "The data do not tell how many there are: beds."
    assert no_lever(here, DOCTOR) is None


def test_a_path_that_queues_for_nothing_has_no_such_lever() -> None:
    here = replace(situation(), calibration=short())
    assert [no_lever(here, s) is None for s in (USUAL, DOCTOR, BEDS, MORE, CRISIS)] == [True, False, False, True, True]


def test_what_the_path_does_not_tell_has_no_lever_and_is_named() -> None:
    """The mutant takes every change for one that moves something."""
    here, all_ = situation(), catalogue()
    assert no_lever(here, all_["imaging_down"], "fr") is not None
    assert (
        no_lever(here, all_["fast_track"])
        == "The data do not tell enough to count the waiting for: Doctors of the fast track."
    )
    assert no_lever(here, all_["laboratory_slow"]) is None, "care takes longer instead"
    assert no_lever(here, all_["earlier_discharges"]) is None
    assert no_lever(here, all_["electives_postponed"]) is None
    assert no_lever(here, all_["staff_infected"]) is None
    assert no_lever(here, all_["regulated_access"]) is None
