"""The huddle sheet: when it is due, what it reads from members, that sums and flows agree with what was published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from forecast import ward_flows as flows_module
from forecast.board import Feed, Skill
from forecast.ensemble import Run
from forecast.errors import ForecastError
from forecast.huddle import at_least, changes, due, make_sheet, next_morning
from forecast.issue import Times, issue
from forecast.sheet import LIKELY, SURE, Sheet
from forecast.values import Members, Series
from forecast.wall import Made
from forecast.ward_flows import COMING, FLOWS, Span, counted, ward_flows
from ingest.clock import local
from ingest.events import RANK
from tests.histories import NOON, scenarios, situation
from tests.huddle_sheets import UNTIL_AT, ordinary
from twin.hospital import Unit
from twin.kernel import warm
from twin.story import DESTINATIONS, NOWHERE, Story, Visits
from twin.waits import BED

HOURS = ("8:00", "13:00", "18:00")
PARIS = "Europe/Paris"
HOW = Run(members=40)
EVENING = NOON + timedelta(hours=7)
FEED = Feed("live", NOON, timedelta(minutes=3), timedelta(minutes=5))


@pytest.fixture(autouse=True, scope="module")
def _compiled() -> None:
    warm()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@cache
def made(when: datetime = EVENING, *, behind_min: float = 0.0) -> Made:
    """The forecast of an evening with boarders; or of a feed that is late, which begins so long before."""
    usual = scenarios("as_usual")
    forecast = issue(situation(when - timedelta(minutes=behind_min)), usual, HOW, Times(when, when, when))
    return Made(forecast, situation(when - timedelta(minutes=behind_min)), None, {}, None, tuple(usual), ())  # type: ignore[arg-type]  # no past is needed


def sheet(when: datetime = EVENING, **how: float) -> Sheet:
    return make_sheet(made(when, **how), FEED, when, when, mode="live")


def members(**how: float) -> Members:
    return made(**how).forecast.members["as_usual"]


# --- when


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-11-24T08:00+01:00", "2026-11-24T08:00+01:00"),
        ("2026-11-24T09:59+01:00", "2026-11-24T08:00+01:00"),
        ("2026-11-24T10:00+01:00", None),
        ("2026-11-24T07:59+01:00", None),
        ("2026-11-24T13:10+01:00", "2026-11-24T13:00+01:00"),
        ("2026-03-29T08:05+02:00", "2026-03-29T08:00+02:00"),
        ("2026-10-25T08:05+01:00", "2026-10-25T08:00+01:00"),
    ],
)
def test_the_last_huddle_hour_is_due_for_two_hours_also_when_clocks_have_changed(now: str, told: str | None) -> None:
    assert due(at(now), PARIS, HOURS) == (at(told) if told else None)


def test_an_hour_that_stands_twice_is_due_the_first_time_and_one_that_is_left_out_when_it_would_have_come() -> None:
    twice = [due(at("2026-10-25T00:00Z") + timedelta(minutes=10 * n), PARIS, ("2:30",)) for n in range(3, 15)]
    assert set(twice) == {at("2026-10-25T02:30+02:00")}
    assert due(at("2026-03-29T01:40Z"), PARIS, ("2:30",)) == at("2026-03-29T03:30+02:00")


def test_a_huddle_late_in_the_evening_is_still_due_after_midnight() -> None:
    assert due(at("2026-11-25T00:10+01:00"), PARIS, ("23:30",)) == at("2026-11-24T23:30+01:00")


@pytest.mark.parametrize(
    ("now", "hours"),
    [("2026-11-24T08:00+01:00", 24), ("2026-03-28T18:00+01:00", 13), ("2026-10-24T18:00+02:00", 15)],
)
def test_the_next_morning_is_by_the_clock_on_the_wall(now: str, hours: int) -> None:
    assert next_morning(at(now), PARIS) - at(now) == timedelta(hours=hours)


# --- at least so many beds


def test_at_least_n_is_the_largest_n_that_so_many_members_have() -> None:
    ten = np.arange(10.0)  # nine of ten have 1 or more, seven of ten 3 or more
    assert (at_least(ten, SURE), at_least(ten, LIKELY)) == (1, 3)
    assert at_least(np.array([2.9, 2.9]), SURE) == 2
    rng = np.random.default_rng(4)
    for values in rng.poisson(4.0, (20, 137)).astype(float):
        n = at_least(values, SURE)
        assert (values >= n).mean() >= SURE
        assert (values >= n + 1).mean() < SURE


def test_beds_of_a_group_are_summed_member_by_member_and_never_from_quantiles() -> None:
    told, of = sheet(NOON), made(NOON).forecast.members["as_usual"]
    wards = {line.en: line for line in told.lines if line.kind == "ward"}
    group = next(line for line in told.lines if line.kind == "group")
    names = ["Cardiology", "Geriatrics", "General medicine"]
    measures = [of.measures[f"beds_free:{ward.name}"] for ward in _wards() if ward.en in names]
    until = int(np.flatnonzero(of.lead_min == (told.until_at - NOON) / timedelta(minutes=1))[0])
    together = np.maximum(np.stack(measures), 0).sum(axis=0)[: until + 1]
    assert group.free is not None
    assert group.free.throughout_sure == at_least(together.min(axis=0), SURE)
    assert group.free.end_likely == at_least(together[-1], LIKELY)
    assert group.free.p_none == (together.min(axis=0) <= 0).mean()
    apart = [free for name in names if (free := wards[name].free) is not None]
    numbers = ("throughout_sure", "throughout_likely", "end_sure", "end_likely")
    summed = [sum(getattr(free, number) for free in apart) for number in numbers]  # the mutant
    assert summed != [getattr(group.free, number) for number in numbers]


def _wards() -> Sequence[Unit]:
    return made().situation.calibration.hospital.wards


def test_means_add_up_from_wards_to_all() -> None:
    told = sheet()
    wards = [line for line in told.lines if line.kind == "ward"]
    frees = [line.free for line in wards if line.free is not None]
    whole = told.all
    assert whole.free is not None
    assert whole.free.now == pytest.approx(sum(f.now for f in frees))
    assert whole.free.end_mean == pytest.approx(sum(f.end_mean for f in frees))
    for flow in FLOWS:
        assert getattr(whole.flow, flow) == pytest.approx(sum(getattr(line.flow, flow) for line in wards))
    assert whole.flow.net.mean == pytest.approx(whole.flow.inflow - whole.flow.outflow)
    assert whole.decided == pytest.approx(sum(line.decided for line in wards))
    assert whole.flow.net.low != pytest.approx(sum(line.flow.net.low for line in wards))  # ends do not


def as_if_no_ward_were_told() -> Made:
    """The same evening of a log that says only afterwards to which ward each went."""
    here = made().situation
    boards = here.known.situation == BED
    unknown = replace(here.known, unit=np.where(boards, NOWHERE, here.known.unit))
    return replace(made(), situation=replace(here, known=unknown))


def test_who_waits_for_a_bed_is_in_the_line_of_a_ward_or_told_beside_them() -> None:
    told = sheet()
    assert told.department.ward_not_told == 0.0 < told.all.decided
    untold = make_sheet(as_if_no_ward_were_told(), FEED, EVENING, EVENING, mode="live")
    assert untold.all.decided == 0.0
    assert untold.department.ward_not_told == pytest.approx(told.all.decided)


# --- flows


@pytest.mark.parametrize("behind_min", [0.0, 45.0])
def test_flows_are_those_of_the_published_members_ward_by_ward(behind_min: float) -> None:
    told = made(behind_min=behind_min)
    until_min = (sheet(behind_min=behind_min).until_at - EVENING) / timedelta(minutes=1)
    longer = replace(HOW, horizon_min=HOW.horizon_min + behind_min)
    span = Span(behind_min, behind_min + until_min)
    found = ward_flows(told.situation, told.scenarios[0].delayed(behind_min), longer, span)
    net = found[:COMING].sum(axis=0) - found[COMING:].sum(axis=0)
    assert np.array_equal(net, _grown(members(behind_min=behind_min), until_min))
    assert found[FLOWS.index("known")].sum() > 0
    other = replace(longer, seed=HOW.seed + 1)  # the mutant: members of another forecast
    wrong = ward_flows(told.situation, told.scenarios[0].delayed(behind_min), other, span)
    assert not np.array_equal(wrong[:COMING].sum(axis=0) - wrong[COMING:].sum(axis=0), net)


def _grown(of: Members, until_min: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """By how much the census of each ward is larger at the end, `(ward, member)`."""
    end = int(np.flatnonzero(of.lead_min == until_min)[0])
    return np.stack([of.measures[f"census:{w.name}"][end] - of.measures[f"census:{w.name}"][0] for w in _wards()])


def test_chunks_and_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    span = Span(0.0, 600.0)
    whole = ward_flows(made().situation, made().scenarios[0], HOW, span)
    monkeypatch.setattr(flows_module, "CHUNK", 7)
    assert np.array_equal(ward_flows(made().situation, made().scenarios[0], HOW, span), whole)


def test_each_kind_of_flow_is_told_from_the_story() -> None:
    kinds, ward = RANK, DESTINATIONS.index("ward")
    story = Story.of([
        (-60, kinds["Arrived"], 0, -1, -1), (-5, kinds["DecidedToAdmit"], 0, 1, -1),
        (10, kinds["Departed"], 0, 1, ward),
        (-60, kinds["Arrived"], 1, -1, -1), (5, kinds["DecidedToAdmit"], 1, 1, -1),
        (20, kinds["Departed"], 1, 1, ward),
        (5, kinds["Arrived"], 2, -1, -1), (30, kinds["Departed"], 2, 2, ward),
        (15, kinds["EnteredWard"], 3, 1, -1), (40, kinds["Moved"], 3, 2, -1), (50, kinds["LeftWard"], 3, -1, -1),
        (-500, kinds["EnteredWard"], 4, 2, -1), (200, kinds["LeftWard"], 4, -1, -1),
    ])  # fmt: skip
    told = counted(Visits.of(story, np.zeros(5, dtype=np.int64)), [1, 2], Span(0.0, 100.0))
    assert dict(zip(FLOWS, told.tolist(), strict=True)) == {
        "known": [1, 0], "here": [1, 0], "to_come": [0, 1], "planned": [1, 0], "moved_in": [0, 1], "moved_out": [1, 0],
        "left": [0, 1],
    }  # fmt: skip


# --- the department


def test_departures_are_what_arrivals_and_census_leave_and_those_of_the_members() -> None:
    d = sheet().department
    until = int((sheet().until_at - EVENING) / timedelta(minutes=15))
    left = members().measures["ed_departures"][4 : until + 1 : 4].sum(axis=0)
    assert d.departures is not None
    assert d.arrivals is not None
    assert d.departures.mean == pytest.approx(left.mean())
    assert d.net.mean == pytest.approx(d.arrivals.mean - d.departures.mean)


def test_the_peak_is_read_from_members_not_from_means() -> None:
    d, until = sheet().department, int((sheet().until_at - EVENING) / timedelta(minutes=15))
    census = members().measures["ed_census"][1 : until + 1]
    assert d.peak.median == np.quantile(census.max(axis=0), 0.5)
    assert d.peak.median >= census.mean(axis=1).max()
    assert EVENING < d.peak.at <= sheet().until_at
    assert local(sheet().until_at, PARIS).hour == 8


def test_between_whole_hours_flows_begin_later_and_the_sheet_says_from_when() -> None:
    late = make_sheet(made(), FEED, EVENING, EVENING + timedelta(minutes=31), mode="live")
    assert late.from_at == EVENING + timedelta(minutes=30)
    assert late.flows_from_at == EVENING + timedelta(hours=1)
    assert late.until_at == sheet().until_at


def test_a_forecast_that_does_not_reach_is_refused_with_a_sentence() -> None:
    with pytest.raises(ForecastError, match="does not reach beyond"):
        make_sheet(made(), FEED, EVENING, EVENING + timedelta(hours=25), mode="live")


def test_the_sheet_says_how_far_to_believe_it() -> None:
    usual = {"ed_census": Series(np.empty(0), {0.5: np.linspace(20.0, 29.5, 96)})}
    skills = tuple(Skill("ed_census", lead, 9, 0, 0, 0, 0, {"climatology": s}) for lead, s in ((60, 0.5), (720, 0.1)))
    told = make_sheet(replace(made(), usual=usual, skills=skills), FEED, EVENING, EVENING, mode="live")
    assert (told.standing.skill, told.standing.skill_lead_min, told.standing.members) == (0.1, 720, 40)
    assert told.department.usual_peak == pytest.approx(20 + 0.1 * ((12 * 4) - 1))
    assert sheet(behind_min=45.0).standing.complete_until == EVENING - timedelta(minutes=45)


# --- what changed


def test_numbers_of_hours_ahead_are_compared_only_where_both_look_to_the_same_end() -> None:
    before = replace(ordinary(), due_at=ordinary().due_at - timedelta(hours=5))
    same = {c.what for c in changes(before, ordinary())}
    assert {"peak", "sure", "likely", "end", "free", "present"} <= same
    assert "foreseen" not in same
    morning = replace(ordinary(), from_at=UNTIL_AT, until_at=UNTIL_AT + timedelta(days=1))
    other = {c.what: c for c in changes(ordinary(), morning)}
    assert not {"peak", "sure", "likely", "end"} & set(other)
    free = ordinary().all.free
    assert free is not None
    assert (other["foreseen"].before, other["foreseen"].now) == (free.end_mean, free.now)


def test_the_wards_that_changed_most_are_named() -> None:
    lines = list(ordinary().lines)
    was = lines[3].free
    assert was is not None
    lines[3] = replace(lines[3], free=replace(was, now=was.now + 4))
    [one] = [c for c in changes(ordinary(), replace(ordinary(), lines=tuple(lines))) if c.what == "ward_free"]
    assert (one.en, round(one.by)) == ("Geriatrics", 4)
