"""A calibration from what a site says of itself: from the first hour, followed by the log where that can be."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from forecast.ensemble import Run, ensemble
from forecast.situation import situation_of
from ingest.events import DecidedToDischarge
from tests.histories import NOON, START, calibration, fingerprint, scenarios, state, told
from tests.sites import COUNTER, DAY, HOUR, SECOND_DAY, believed_of, site
from twin.calibrate import Calibration
from twin.described import basis_of, believed, described, sentence_of
from twin.errors import NotEnoughError, TwinError
from twin.hospital import NO_LIMIT
from twin.site import site_from
from twin.state import State, fold

HOW = Run(members=10, horizon_min=480.0)


def never() -> Calibration:
    raise NotEnoughError("a calibration needs 7 days", days=3.2, needed=7.0)


@cache
def kept() -> Calibration:
    """The site keeps its path though the log has taught enough."""
    return believed(replace(site(), keeps_path=True), state(NOON), NOON, calibration)


def test_before_anything_was_heard_there_is_a_forecast() -> None:
    c = described(site(), State(), START)
    told = ensemble(situation_of(State(), c, START), scenarios("as_usual"), HOW)["as_usual"].measures
    assert told["ed_census"][0].max() == 0
    assert 5 < told["ed_census"][-1].mean() < 100
    assert {"ed_waiting", "ed_boarders", "census:medicine"} <= set(told)


def test_what_is_said_is_the_sites_own() -> None:
    c = described(site(COUNTER), State(), START)
    assert (c.path.name, c.hospital.unit("room").places, set(c.beds_known)) == ("own", 9, {"room"})
    assert c.parameters is site(COUNTER).parameters


def test_it_says_what_it_is() -> None:
    shipped, own = (basis_of(described(site(text), State(), START, days=3.0)) for text in ("", COUNTER))
    assert own == {"source": "site", "days": 3.0, "needed": 7.0, "level": None, "keeps_path": False}
    assert sentence_of(own) == "forecast from the site's own description: nothing learned yet (3 of 7 days)"
    assert shipped
    assert sentence_of(shipped).startswith("forecast from the shipped description of a hospital: nothing learned yet")
    assert basis_of(calibration()) is None


def test_arrivals_follow_the_log_from_the_second_day_on() -> None:
    """The small hospital has a quarter of the arrivals that the shipped one says."""
    first, third = believed_of(START + 10 * HOUR), believed_of(START + 3 * DAY)
    said = site().parameters
    assert said is not None
    assert first.parameters is said
    came = sum(1 for v in state(START + 3 * DAY).visits.values() if v.arrived_at and v.arrived_at > START + DAY) / 2
    assert a_day(third) == pytest.approx(came, rel=0.15)
    assert a_day(first) > 2 * a_day(third)
    assert (basis_of(third) or {})["level"] == pytest.approx(a_day(third) / a_day(first), abs=0.001)


def a_day(c: Calibration) -> float:
    return float(c.parameters.streams[0].per_hour.sum()) / 7


def test_a_log_that_tells_no_decision_home_begins_nothing_with_it() -> None:
    known = told().known(SECOND_DAY)
    silent = fold(State(), [e for e in known if not isinstance(e, DecidedToDischarge)])
    assert described(site(), silent, SECOND_DAY).described is not None
    heard = [described(site(), s, SECOND_DAY).described for s in (state(SECOND_DAY), silent)]
    assert [d and "DecidedToDischarge" in d.told for d in heard] == [
        any(isinstance(e, DecidedToDischarge) for e in known), False,
    ]  # fmt: skip


def test_nothing_known_later_counts() -> None:
    assert fingerprint(believed_of(SECOND_DAY).parameters) == fingerprint(
        described(site(), fold(State(), told().known(SECOND_DAY)), SECOND_DAY).parameters
    )


def test_exits_are_assumed_to_be_told_mostly() -> None:
    """Who has no exit is here at first, and hardly any more after a day."""
    c = believed_of()
    for kind in ("unseen", "in care", "discharged"):
        group = np.zeros(2, dtype=np.int64)
        soon, late = c.exits[kind].p_here(np.array([1.0, 1440.0]), group)
        assert soon > 0.9
        assert late < 0.5


def test_beds_that_nobody_told_have_no_limit_where_the_log_fills_wards() -> None:
    c = believed_of()
    unknown = [ward for ward in c.hospital.wards if ward.name not in c.beds_known]
    assert {ward.places for ward in unknown} == {NO_LIMIT}
    assert {"medicine", "surgery"} <= c.beds_known


def test_a_site_that_makes_no_whole_says_what_it_lacks() -> None:
    with pytest.raises(TwinError, match=r"site cannot be forecast from alone: durations\.to_triage: path milestones"):
        described(site_from('path = "milestones"'), State(), START)


# --- which of both ----------------------------------------------------------------------------------------------------


def test_what_was_learned_serves_once_there_is_enough() -> None:
    assert believed(site(), state(NOON), NOON, calibration) is calibration()


def test_what_is_described_serves_until_then() -> None:
    c = believed(site(COUNTER), State(), START, never)
    assert (basis_of(c) or {})["days"] == 3.2
    assert c.described is not None


def test_where_there_is_neither_both_reasons_are_said() -> None:
    with pytest.raises(TwinError, match=r"needs 7 days; site cannot be forecast from alone: durations\.to_triage"):
        believed(site_from('path = "milestones"'), State(), START, never)


# --- a path that is kept ----------------------------------------------------------------------------------------------


def test_a_site_that_keeps_its_path_learns_arrivals_stays_and_classes() -> None:
    c, learned, said = kept(), calibration(), site().parameters
    assert said is not None
    assert c.path.name == "full"
    mine, taught = c.parameters.streams[0], learned.parameters.streams[0]
    assert (mine.per_hour == taught.per_hour).all()
    assert (mine.day_cv, mine.together, mine.on_days) == (taught.day_cv, taught.together, taught.on_days)
    stay = "ward_stay:medicine"
    assert c.parameters.durations[stay] is learned.parameters.durations[stay]
    assert c.parameters.durations["laboratory"] is said.durations["laboratory"]
    assert (basis_of(c) or {})["keeps_path"]
    assert sentence_of(basis_of(c) or {}).startswith("forecast on the path of")


def test_classes_are_as_many_as_were_learned_by_acuity_and_age() -> None:
    c, learned = kept(), calibration()
    share = c.parameters.streams[0].class_share
    assert share.sum(axis=1) == pytest.approx(np.ones(share.shape[0]))
    told = learned.parameters.streams[0].class_share.mean(axis=0)
    known = np.array([one.acuity >= 0 for one in learned.parameters.classes])
    for code in range(len(c.hospital.acuities)):
        of = np.array([one.acuity == code for one in learned.parameters.classes])
        mine = np.array([one.acuity == code for one in c.parameters.classes])
        assert share[0, mine].sum() == pytest.approx(told[of].sum() / told[known].sum(), abs=0.02)


def test_its_wards_let_go_when_the_logs_do() -> None:
    c, learned = kept(), calibration()
    assert c.parameters.leaving is not None
    assert learned.parameters.leaving is not None
    ward = c.hospital.unit_code("medicine"), learned.hospital.unit_code("medicine")
    assert (c.parameters.leaving[ward[0]] == learned.parameters.leaving[ward[1]]).all()


def test_how_exits_from_its_wards_are_told_goes_by_its_own_wards() -> None:
    c, learned = kept(), calibration()
    unit = [cal.hospital.unit_code("surgery") for cal in (c, learned)]
    stays = [np.sort(cal.exits["ward"].stay[cal.exits["ward"].group // 6 == u])
             for cal, u in zip((c, learned), unit, strict=True)]  # fmt: skip
    assert stays[0].size > 0
    assert (stays[0] == stays[1]).all()


def test_it_forecasts() -> None:
    c = kept()
    told = ensemble(situation_of(state(NOON), c, NOON), scenarios("as_usual"), HOW)["as_usual"].measures
    assert np.isfinite(told["ed_census"]).all()
    assert c.report["days"] > 7
