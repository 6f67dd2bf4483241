"""An exercise's world in a real hospital: acts leave the past alone, move what they say, end, and can be left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forecast.backtest import seed_of as seed_of_an_issue
from forecast.drawn_drill import DrawnDrill, seed_of
from forecast.ensemble import applied_to, drawn
from forecast.values import Array
from ingest.events import Arrived, BedsCounted, EnteredWard, Event, StaffOnDuty, VisitEvent
from tests.histories import NOON, situation
from tests.histories import state as log_state
from twin.changes import (
    AbsenceChange,
    ArrivalsChange,
    CapacityChange,
    CrisisChange,
    DischargeChange,
    DurationChange,
    RouteChange,
    SupplyChange,
    Windowed,
)
from twin.errors import ScenarioError
from twin.fate import cast
from twin.kernel import run
from twin.setting import with_change
from twin.state import fold

BEGUN_MIN = 97.3
UNTIL_MIN = 1440.0
SEVERITY = {"1": 0.2, "2": 0.3, "3A": 0.3, "4": 0.2}
HURT = CrisisChange(patients=30, over_min=45, severity=SEVERITY)
DOCTORS = CapacityChange(pool="doctor", add=2, until_min=480)
EVERY: dict[str, tuple[Windowed, str, int]] = {
    "victims": (HURT, "arrivals", 1),
    "more come": (ArrivalsChange(factor=1.6, until_min=360), "arrivals", 1),
    "fewer of a level come": (ArrivalsChange(factor=0.1, acuity=("2", "3A"), until_min=720), "arrivals", -1),
    "doctors away": (AbsenceChange(pool="doctor", share=0.5, until_min=480), "ed_waiting", 1),
    "doctors added": (DOCTORS, "ed_waiting", -1),
    "doctors taken away": (CapacityChange(pool="doctor", add=-1, until_min=480), "ed_waiting", 1),
    "beds closed": (CapacityChange(pool="bed:medicine", add=-20, until_min=1200), "ed_boarders", 1),
    "beds opened": (CapacityChange(pool="largest wards", add=15, until_min=1200), "ed_boarders", -1),
    "care takes longer": (DurationChange(duration="care_home", factor=1.5), "ed_census", 1),
    "discharges earlier": (DischargeChange(earlier_min=180), "ed_boarders", -1),
    "more are admitted": (RouteChange(share="p_admit", odds=3.0), "ed_boarders", 1),
}  # fmt: skip
"""Acts, each with what it moves, and which way."""
Acts = Mapping[float, Windowed]


def drill(seed: int = 1) -> DrawnDrill:
    return DrawnDrill(situation(), seed_of(seed))


def played(acts: Acts, until_min: float = UNTIL_MIN, world: DrawnDrill | None = None) -> tuple[DrawnDrill, list[Event]]:
    """A world that has been run on with acts at their minutes, and what was heard of it."""
    world, heard = world or drill(), list[Event]()
    for minute in sorted({*np.arange(7.3, until_min, 7.3).tolist(), until_min, *acts}):
        heard += world.go_on(NOON + timedelta(minutes=minute))
        if minute in acts:
            world.act(acts[minute])
    return world, heard


@cache
def done(name: str) -> tuple[DrawnDrill, list[Event]]:
    """A day with one of the acts; only to be looked at."""
    return played({BEGUN_MIN: EVERY[name][0]})


@cache
def undone() -> tuple[DrawnDrill, list[Event]]:
    return played({})


def before(events: Sequence[Event], minute: float) -> list[tuple[object, ...]]:
    """What happened before a minute; the names of counts of beds and staff do not matter."""
    cut = NOON + timedelta(minutes=minute)
    return [(e.kind, e.occurred_at, getattr(e, "visit", None)) for e in events if e.occurred_at < cut]


@pytest.mark.parametrize("name", EVERY)
def test_an_act_leaves_the_past_as_it_was_and_moves_what_it_says(name: str) -> None:
    _, measure, sign = EVERY[name]
    world, heard = done(name)
    assert before(heard, BEGUN_MIN) == before(undone()[1], BEGUN_MIN)
    more = world.lived(world.now_at)[measure] - world.lived(world.now_at, without=(0,))[measure]
    assert sign * float(np.mean(more)) > 0.05
    assert not np.any(more[: int(BEGUN_MIN // 15)])


@pytest.mark.parametrize("name", EVERY)
def test_lived_without_an_act_is_the_world_in_which_it_was_not_done(name: str) -> None:
    world, _ = done(name)
    without, never = world.lived(world.now_at, without=(0,)), undone()[0].lived(undone()[0].now_at)
    assert all(np.array_equal(without[measure], never[measure]) for measure in never)


def test_without_one_of_several_the_others_stay_who_they_are() -> None:
    world, _ = played({60.0: HURT, 90.0: DOCTORS, 200.0: HURT})
    second, _ = played({200.0: HURT}, world=_with_a_crisis_that_was_not())
    assert np.array_equal(
        world.lived(world.now_at, without=(0, 1))["ed_census"], second.lived(second.now_at)["ed_census"]
    )


def _with_a_crisis_that_was_not() -> DrawnDrill:
    """A world in which a crisis has taken its share of luck, and was called off at once."""
    world = drill()
    world.end([world.act(HURT.delayed(30.0))])
    return world


def test_a_world_whose_luck_is_drawn_anew_is_seen_to_have_another_past() -> None:
    """The mutant of the first test."""
    _, heard = played({BEGUN_MIN: DOCTORS}, world=drill(2))
    assert before(heard, BEGUN_MIN) != before(undone()[1], BEGUN_MIN)


def test_clocks_changed_at_the_very_minute_would_touch_the_past_at_times() -> None:
    """The mutant of the quarter of an hour: bounds of wards' clocks that come and go move what lies before by a bit."""
    c, how = situation().calibration, drill()._how
    [present], luck = drawn(situation(), how, range(1))
    usual = applied_to(situation(), None, how)

    def marks(from_min: float) -> Array:
        setting = replace(usual, law=drill()._setting([], ()).law)
        late = with_change(setting, DischargeChange(earlier_min=60.0, from_min=from_min), c.hospital)
        fate = cast(c.path, c.parameters, luck, present, late.demand, late.law)
        return fate.clock_min[:, fate.clock_edge_min <= BEGUN_MIN]

    assert marks(105.0).shape == marks(1e5).shape
    assert np.array_equal(marks(105.0), marks(120.0))
    assert marks(BEGUN_MIN - 0.7).shape != marks(105.0).shape


# --- ends ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["more come", "doctors away", "beds closed", "care takes longer", "discharges earlier"]
)
def test_an_act_that_is_ended_holds_no_longer(name: str) -> None:
    act = EVERY[name][0]
    world, heard = played({BEGUN_MIN: act}, 300.0)
    world.end([0])
    world, later = played({}, UNTIL_MIN, world=world)
    whole, heard_whole = done(name)
    assert before([*heard, *later], 300.0) == before(heard_whole, 300.0), "it was as it was until then"
    assert [e.occurred_at for e in later] != [e.occurred_at for e in heard_whole[len(heard) :]], "and then it was not"
    assert whole.done[0].ended_min > 300.0 == world.done[0].ended_min


def test_what_was_ended_before_it_began_never_was() -> None:
    world = drill()
    world.end([world.act(DOCTORS.delayed(60.0))])
    world, heard = played({}, world=world)
    assert [e.occurred_at for e in heard] == [e.occurred_at for e in undone()[1]]


# --- what is told ----------------------------------------------------------------------------------------------------


def gone(events: Sequence[Event]) -> set[str]:
    return {e.visit for e in events if isinstance(e, VisitEvent) and e.kind in _EXITS}


_EXITS = ("Departed", "LeftWithoutBeingSeen", "LeftDuringCare")


def test_appointments_that_are_put_off_do_not_come() -> None:
    _, heard = played({BEGUN_MIN: ArrivalsChange(factor=0.0, planned=True)})
    cut = NOON + timedelta(minutes=BEGUN_MIN)
    entered = [e.occurred_at > cut for e in heard if isinstance(e, EnteredWard)]
    usual = [e.occurred_at > cut for e in undone()[1] if isinstance(e, EnteredWard)]
    assert entered.count(False) == usual.count(False)
    assert entered.count(True) < usual.count(True)


def test_everybody_who_comes_leaves_or_is_here() -> None:
    world, heard = played({BEGUN_MIN: HURT, 200.0: DOCTORS})
    came = [e.visit for e in heard if isinstance(e, Arrived)]
    here = drill().count_now()["ed_census"]
    assert len(set(came)) == len(came) == world.lived(world.now_at)["arrivals"][-1]
    assert here + len(came) - len(gone(heard)) == world.count_now()["ed_census"]
    assert here + len(came) - len(gone(heard[:-40])) != world.count_now()["ed_census"]  # the mutant: exits untold
    assert len({e.event_id for e in heard}) == len(heard)
    assert [e.position for e in heard] == list(range(1, len(heard) + 1)), "the account of the feed counts each"
    assert sorted(e.occurred_at for e in heard) == [e.occurred_at for e in heard]


def test_those_who_were_here_go_on_under_the_names_of_the_log() -> None:
    heard = undone()[1]
    known = set(situation().known.ids)
    mine = {e.visit for e in heard if isinstance(e, VisitEvent) and not e.visit.startswith("exercise/")}
    assert mine <= known
    assert len(mine) > 30
    assert {e.kind for e in heard if isinstance(e, VisitEvent) and e.visit in known} >= {"Departed", "LeftWard"}


def test_the_log_folds_what_is_told_as_it_does_any_feed() -> None:
    """But for those who had left before it began though nobody said so, the log has who is here, and nobody else."""
    world, heard = done("victims")
    came_after = NOON - timedelta(days=3)
    at_first = len(list(log_state().present(NOON, came_after=came_after))) - drill().count_now()["ed_census"]
    at_last = len(list(fold(log_state(), heard).present(world.now_at, came_after=came_after)))
    assert at_last - world.count_now()["ed_census"] == at_first


@pytest.mark.parametrize(
    ("act", "kind", "counts"),
    [
        (CapacityChange(pool="bed:medicine", add=-5, until_min=120), BedsCounted, [-5, 0]),
        (CapacityChange(pool="bed:medicine", add=4), BedsCounted, [4]),
        (CapacityChange(pool="doctor", add=3, until_min=30), StaffOnDuty, [3, 0]),
    ],
)  # fmt: skip
def test_beds_and_doctors_are_counted_when_they_change(act: Windowed, kind: type, counts: list[int]) -> None:
    world, heard = played({BEGUN_MIN: act}, 240.0)
    usual = [e.count for e in undone()[1] if isinstance(e, kind) and e.occurred_at <= world.now_at]  # type: ignore[attr-defined]
    told = [e.count for e in heard if isinstance(e, kind)]  # type: ignore[attr-defined]
    if kind is BedsCounted:
        medicine = situation().calibration.hospital.unit("medicine").places
        assert [count - medicine for count in told] == counts
    else:
        assert len(told) >= len(usual) + len(counts) - 1
        assert max(told) > max([*usual, 0])


def test_the_run_made_again_further_ahead_is_the_same_run() -> None:
    c, whole = situation().calibration, drill()
    alone = whole._run([], until_min=UNTIL_MIN + 1)
    assert len(whole._tale.told(alone.story, alone.fate, alone.setting.capacity, UNTIL_MIN)) == len(undone()[1])
    law = run(alone.setting.capacity, c.path, alone.fate, whole._present, UNTIL_MIN + 1)
    assert np.array_equal(law.at_min, alone.story.at_min)


def test_its_luck_is_none_of_the_forecasts() -> None:
    forecasts = {seed_of_an_issue(base, NOON + timedelta(days=day)) for base in (1, 999) for day in range(4000)}
    assert {seed_of(base) for base in range(50)}.isdisjoint(forecasts)
    assert max(forecasts) < 2**62 < min(seed_of(base) for base in range(50))
    assert len({seed_of(base) for base in range(50)}) == 50


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (CapacityChange(pool="bed:attic", add=-3), "unit must be one of cardiology, .*, but is 'attic'"),
        (AbsenceChange(pool="cook", share=0.5), "pool must be one of doctor, but is 'cook'"),
        (CapacityChange(pool="triage_nurse", add=1), "do not tell enough to count the waiting for"),
        (DurationChange(duration="imaging", factor=0.5), "The data tell nothing of: this stage of the path"),
        (SupplyChange(item="linen_sets", factor=2), "of supplies the world knows nothing"),
        (CapacityChange(pool="doctor", add=-90), "must leave some staff"),
        (CrisisChange(patients=2000, over_min=60, severity={"2": 1.0}), "may be 1500, but are 2000"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_nothing_was_done(act: Windowed, said: str) -> None:
    world = drill()
    with pytest.raises(ScenarioError, match=said):
        world.act(act)
    assert world.done == ()
    _, heard = played({}, 300.0, world=world)
    assert [e.event_id for e in heard] == [e.event_id for e in undone()[1]][: len(heard)]
