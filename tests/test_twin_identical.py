"""A hospital that lives by the twin's own law: what is true of it, what it tells, what is hidden."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from ingest.events import RANK, Arrived, BedsCounted, Departed, Event, LeftDuringCare, LeftWithoutBeingSeen, StaffOnDuty
from tests.histories import hospital
from tests.identical_worlds import FILLING, START, law, lived
from twin.errors import TwinError
from twin.fate import cast
from twin.identical import Lived, TrueState, hidden, live
from twin.luck import draw
from twin.measures import inside
from twin.model import run
from twin.pathway import load_path
from twin.present import Present
from twin.state import State, fold
from twin.story import Visits

LOOKS = tuple(START + FILLING + timedelta(hours=31 * i) for i in range(14))
NOW = np.zeros(1)


@cache
def told() -> list[Event]:
    return lived().events()


def present_of(state: TrueState, member: int = 0) -> Present:
    return state.present(law(), seed=1, member=member)


def counted(state: TrueState) -> float:
    """The census that a member of the oracle starts from."""
    visits = Visits.of(present_of(state).history, np.full(state.cls.size, -1))
    return float(inside(visits.arrived_min, visits.departed_min, NOW)[0])


def in_the_department(state: TrueState) -> int:
    """How many stand in a stage of the department."""
    path = law().path
    return sum(
        (path.inside_serving if serves else path.inside_queueing)[stage]
        for stage, serves in zip(state.stage.tolist(), state.serving.tolist(), strict=True)
    )


def wrongly_placed(believed: Lived) -> int:
    """At how many instants those in the department are not as many as truly came and have not left."""
    states = [believed.true_state(at) for at in LOOKS]
    true = lived().census(LOOKS).tolist()
    return sum({counted(s), in_the_department(s)} != {n} for s, n in zip(states, true, strict=True))


def test_everybody_stands_where_the_story_says() -> None:
    assert wrongly_placed(lived()) == 0
    story = lived().story
    late = replace(story, at_min=np.where(story.kind == RANK["Departed"], story.at_min + 60.0, story.at_min))
    assert wrongly_placed(replace(lived(), story=late)) > 0, "a story whose exits are late is seen"


def test_every_stage_is_met_and_nobody_was_in_it_before_coming() -> None:
    states = [lived().true_state(at) for at in LOOKS]
    names = {law().path.names[k] for s in states for k in s.stage.tolist()}
    assert names >= {"contact_admit", "contact_home", "discharge", "bed_search", "ward", "planned"}
    for s in states:
        assert (s.since_min <= 0).all()
        assert (s.arrived_min <= s.since_min + 1e-9).all()


def test_no_ward_has_more_in_it_than_beds() -> None:
    hospital = law().hospital
    for state in map(lived().true_state, LOOKS):
        holds = np.isin(state.stage, [law().path.index(n) for n in ("ward", "planned", "bed_cleaning")]) & state.serving
        for code, unit in enumerate(hospital.units):
            assert (state.unit[holds] == code).sum() <= unit.places


def test_members_differ_only_in_what_is_left() -> None:
    one, same, other = (present_of(lived().true_state(LOOKS[3]), m) for m in (0, 0, 1))
    assert np.array_equal(one.residual_min, same.residual_min)
    assert not np.array_equal(one.residual_min, other.residual_min)
    assert (one.residual_min >= 0).all()
    for name in ("stage", "serving", "since_min", "unit", "cls"):
        assert np.array_equal(getattr(one, name), getattr(other, name))


def test_the_law_runs_on_from_where_everybody_stands() -> None:
    """Who stands in the department leaves it in the end: the present is one that the model takes."""
    c, at, horizon_min = law(), LOOKS[5], 2 * 1440.0
    present = present_of(lived().true_state(at))
    luck = draw(c.path, c.parameters, present.count, seed=1, member=0, start=at, horizon_min=horizon_min,
                zone=c.hospital.zone)  # fmt: skip
    fate = cast(c.path, c.parameters, luck, present)
    capacity = c.hospital.capacities(c.path.pools, at, horizon_min)
    visits = Visits.of(run(capacity, c.path, fate, present, horizon_min), fate.acuity)
    here = (visits.arrived_min < 0) & (np.arange(visits.arrived_min.size) < present.count)
    assert here.sum() == lived().census([at])[0]
    assert (~np.isnan(visits.departed_min[here])).mean() > 0.7


def test_what_is_told_folds_to_the_true_census() -> None:
    at = LOOKS[8]
    state = fold(State(), [event for event in told() if event.known_at is not None and event.known_at <= at])
    assert len(state.present(at)) == lived().census([at])[0]
    assert state.counted(BedsCounted, at) == {w.name: w.places for w in law().hospital.wards}
    assert {type(e) for e in told()} >= {Arrived, StaffOnDuty, BedsCounted}
    assert {e.age_band for e in told() if isinstance(e, Arrived)} == {"18-74", "75+"}


def test_so_many_exits_are_hidden_and_never_one_to_a_ward() -> None:
    exits = [e for e in told() if isinstance(e, Departed | LeftWithoutBeingSeen | LeftDuringCare)]
    left = hidden(told(), 0.2, seed=1)
    gone = {e.event_id for e in told()} - {e.event_id for e in left}
    assert len(gone) == round(0.2 * len(exits))
    assert all(not (isinstance(e, Departed) and e.to == "ward") for e in exits if e.event_id in gone)
    assert hidden(told(), 0.0, seed=1) == told()
    assert hidden(told(), 0.2, seed=1) == left != hidden(told(), 0.2, seed=2)


def test_more_than_all_other_exits_cannot_be_hidden() -> None:
    with pytest.raises(TwinError, match=r"a share of exits to hide must be at most 0\.8"):
        hidden(told(), 0.95, seed=1)


def test_a_law_of_another_path_is_refused() -> None:
    other = replace(law(), path=load_path("stay", hospital()))
    with pytest.raises(TwinError, match="must have the path milestones, but the law has stay"):
        live(other, START, 1, seed=1)
