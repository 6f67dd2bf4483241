"""What-if: the cycle's members and what is published of them; cheap once drawn; told better and better."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from dashboard.bench.timing import timed
from forecast import ensemble as ensemble_module
from forecast import whatif as module
from forecast import whatif_draws as draws_module
from forecast.calibrated import Correction, Recalibration
from forecast.ensemble import Run, ensemble, run_chunk
from forecast.issue import Times, issue
from forecast.values import Array, Forecast, Series
from forecast.whatif import Answer, Ground, Many, Session
from forecast.whatif_draws import MOMENTS, NotKeptError, Told, as_usual, begin, chosen, under
from tests.histories import NOON, scenarios, situation
from twin import kernel, present_draw
from twin.changes import CapacityChange
from twin.scenarios import Scenario, carrying

HOW = Run(members=14, horizon_min=360.0, seed=7)
USUAL, BUSY, SHORT, DOCTOR = scenarios("as_usual", "arrivals_up_20", "ten_beds_closed", "one_more_doctor")
LEADS = HOW.lead_min
BY_PAST = Recalibration(
    "Europe/Paris",
    {"ed_census": Correction(np.array([60.0, 360.0]), np.full((4, 2), 1.5), np.full((4, 2), 1.3))},
    days=30,
)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 5)
    monkeypatch.setattr(module, "STAGES", (5, 10))


def ground(how: Run = HOW, by_past: Recalibration = BY_PAST, behind_min: float = 0.0) -> Ground:
    as_of = NOON + np.timedelta64(int(behind_min), "m").astype("timedelta64[us]").item()
    return Ground(situation(), Times(as_of, as_of, as_of), how, USUAL, by_past)


def answered(g: Ground, scenario: Scenario, members: int | None = None) -> Answer:
    """The answer from so many members, in this process."""
    session = _as_usual(g)
    changed = Many(g.how.members)
    for chunk in g.chunks():
        changed.add(under(g.key, g.begun(scenario), chunk), chunk)
    return session.answer(scenario, changed, members or g.how.members)


def _as_usual(g: Ground) -> Session:
    session = Session(g)
    begin(g.key, g.situation, g.longer, g.begun(g.usual))
    for chunk in g.chunks():
        session.usual.add(as_usual(g.key, chunk), chunk)
    return session


@cache
def cycle(behind_min: float = 0.0) -> Forecast:
    g = ground(behind_min=behind_min)
    return issue(situation(), [USUAL, BUSY, SHORT, DOCTOR], HOW, g.times, recalibration=BY_PAST)


def same(told: Series, published: Series) -> bool:
    pairs = [(told.mean, published.mean), *((told.quantiles[q], published.quantiles[q]) for q in told.quantiles)]
    return all(np.allclose(one, other, rtol=0, atol=1e-9, equal_nan=True) for one, other in pairs)


# --- the cycle's members


def differs(told: Told | Mapping[str, Array], cycles: Told | Mapping[str, Array]) -> list[str]:
    """Measures in which the members are not those of the cycle to the last bit."""
    return [m for m in told if not np.array_equal(told[m], cycles[m], equal_nan=True)]


@pytest.mark.parametrize("scenario", [USUAL, BUSY, SHORT, DOCTOR], ids=lambda s: s.name)
def test_members_are_those_of_the_cycle_to_the_last_bit(scenario: Scenario) -> None:
    ran = ensemble(situation(), [USUAL, BUSY, SHORT, DOCTOR], HOW)
    g, changed = ground(), Many(HOW.members)
    begin(g.key, g.situation, g.longer, USUAL)
    for chunk in g.chunks():
        changed.add(under(g.key, scenario, chunk), chunk)
    told = changed.first(HOW.members, LEADS).measures
    assert differs(told, chosen(ran[scenario.name].measures)) == []
    assert {"ed_census", "beds_free"} < set(told)
    other = ensemble(situation(), [scenario], replace(HOW, seed=8))[scenario.name]  # other luck is seen
    assert "ed_census" in differs(told, chosen(other.measures))


@pytest.mark.parametrize("behind_min", [0.0, 45.0])
def test_what_is_told_is_what_the_wall_says(behind_min: float) -> None:
    told, published = answered(ground(behind_min=behind_min), BUSY), cycle(behind_min)
    for measure in ("ed_census", "ed_waiting", "ed_departures"):
        found = told.measures[measure]
        assert same(found.usual, published.scenarios["as_usual"][measure])
        assert same(found.changed, published.scenarios["arrivals_up_20"][measure])
        assert same(found.difference, published.differences["arrivals_up_20"][measure])
    raw = answered(ground(by_past=Recalibration(), behind_min=behind_min), BUSY)  # not corrected is seen
    assert not same(raw.measures["ed_census"].usual, published.scenarios["as_usual"]["ed_census"])


def test_what_was_adopted_is_in_both() -> None:
    adopted = replace(ground(), usual=carrying(USUAL, [SHORT]))
    with_it, without = (answered(g, BUSY).measures["beds_free"] for g in (adopted, ground()))
    assert with_it.usual.mean[0] == pytest.approx(without.usual.mean[0] - 10)  # the beds of the change are gone
    assert with_it.difference.mean[0] == 0
    only_base = with_it.usual.mean[0] - without.changed.mean[0]  # the mutant: the question without what was adopted
    assert only_base == pytest.approx(-10)


def test_the_base_is_that_of_all_members_from_the_first_answer_on() -> None:
    first, whole = answered(ground(), BUSY, 5), answered(ground(), BUSY)
    assert (first.members, first.of, first.is_whole, whole.is_whole) == (5, 14, False, True)
    assert ground().stages() == [5, 10, 14]
    assert same(first.measures["ed_census"].usual, whole.measures["ed_census"].usual)
    assert not same(first.measures["ed_census"].changed, whole.measures["ed_census"].changed)


# --- what it says


def test_a_scenario_that_changes_nothing_moves_nothing() -> None:
    null = Scenario("null", USUAL.change.model_copy(update={"capacity": (CapacityChange(pool="doctor", add=0),)}))
    for found in answered(ground(), null).measures.values():
        assert not found.difference.mean.any()
        assert not found.p_less.any()
        assert not found.p_more.any()
    assert answered(ground(), BUSY).measures["ed_census"].p_more.max() > 0.8


def test_more_members_make_the_mean_surer() -> None:
    few, whole = (answered(ground(), BUSY, n).measures["ed_census"] for n in (5, 14))
    assert few.error[-1] > whole.error[-1] > 0
    assert abs(few.difference.mean[-1] - whole.difference.mean[-1]) < few.error[-1] + whole.error[-1]


def test_where_there_is_no_lever_it_says_why() -> None:
    why = answered(ground(), SHORT).why_not
    stay = ground()
    assert why is None or set(why) == {"fr", "en"}
    unknown = replace(stay.situation.calibration, beds_known=frozenset())
    blind = replace(stay, situation=replace(stay.situation, calibration=unknown))
    told = answered(blind, SHORT).why_not
    assert told is not None
    assert "how many there are" in told["en"]


# --- what is kept


def test_moments_are_let_go_and_can_be_begun_again() -> None:
    g = ground()
    begin(g.key, g.situation, g.how, USUAL)
    kept = under(g.key, BUSY, range(2))
    for i in range(MOMENTS):
        begin(f"other {i}", g.situation, g.how, USUAL)
    with pytest.raises(NotKeptError):
        under(g.key, BUSY, range(2))
    begin(g.key, g.situation, g.how, USUAL)
    assert differs(under(g.key, BUSY, range(2)), kept) == []


def test_members_come_in_order() -> None:
    with pytest.raises(ValueError, match="from 0 on, but from 50 on came"):
        Many(60).add({}, range(50, 60))


def test_keys_tell_grounds_apart() -> None:
    keys = {g.key for g in (ground(), ground(replace(HOW, seed=8)), ground(behind_min=15.0))}
    assert len(keys) == 3
    assert ground().key == ground().key


# --- what a question costs


def test_a_question_draws_nothing_where_all_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []
    real = present_draw.draw_presents

    def counted(*args: Any, members: range, **kwargs: Any) -> Any:
        drawn.append(members.start)
        return real(*args, members=members, **kwargs)

    monkeypatch.setattr(ensemble_module, "draw_presents", counted)
    g = ground()
    session = _as_usual(g)
    assert drawn == [0, 5, 10]  # ahead of the question
    for chunk in g.chunks():
        under(g.key, BUSY, chunk)
    assert drawn == [0, 5, 10]
    begin("other", g.situation, g.longer, USUAL)
    under("other", BUSY, range(5))  # a moment that nothing is drawn of
    assert drawn == [0, 5, 10, 0]
    assert session.next_chunk() is None


def test_beyond_those_kept_luck_is_drawn_again_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    g = ground()
    _as_usual(g)
    kept = [under(g.key, BUSY, chunk) for chunk in g.chunks()]
    monkeypatch.setattr(draws_module, "LUCK_KEPT", 0)
    begin(g.key, g.situation, g.longer, USUAL)
    again = [under(g.key, BUSY, chunk) for chunk in (*g.chunks(), *g.chunks())]
    assert [differs(one, other) for one, other in zip(again, [*kept, *kept], strict=True)] == [[]] * 6


def test_a_crisis_larger_than_the_reserve_is_run_on_luck_of_its_own() -> None:
    crisis = scenarios("mass_casualty")[0].with_values({"victims": 200.0})
    g = ground()
    _as_usual(g)
    told = Many(HOW.members)
    for chunk in g.chunks():
        told.add(under(g.key, crisis, chunk), chunk)
    ran = ensemble(situation(), [USUAL, crisis], HOW)[crisis.name]
    assert differs(told.first(HOW.members, LEADS).measures, chosen(ran.measures)) == []


def test_a_question_costs_a_part_of_a_cycle() -> None:
    kernel.warm()
    try:
        how = replace(HOW, members=40, horizon_min=1440.0)
        g = ground(how)
        begin(g.key, g.situation, how, USUAL)
        as_usual(g.key, range(40))
        question = least_s(lambda: under(g.key, BUSY, range(40)))
        cycle_s = least_s(lambda: run_chunk(g.situation, [USUAL, BUSY], how, range(40)))
    finally:
        kernel._fast[:], kernel._counter[:] = [], []
    assert question < 0.75 * cycle_s


def least_s(work: Callable[[], object]) -> float:
    """Of the processor, the least of some tries."""
    return min(timed(work) for _ in range(4))
