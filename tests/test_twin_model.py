"""The model: its law within an instant, its queues, its warm start."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.events import RANK
from tests.small_stories import KIND, MEDICINE, SURGERY, told
from twin import model
from twin.durations import Duration, fixed
from twin.errors import TwinError
from twin.fate import Fate
from twin.model import run
from twin.pathway import Path
from twin.present import Present
from twin.small_hospitals import (
    QUEUE,
    WHOLE,
    Here,
    Member,
    arriving,
    member,
    parameters,
    present,
    same,
    small_hospital,
    small_path,
)
from twin.story import DESTINATIONS, Story


def seen(story: Story) -> list[tuple[float, int]]:
    """(minute, visit) of first contacts."""
    return [(at, visit) for at, kind, visit in told(story) if kind == "SeenByProvider"]


def at_the_door(*at_min: float, service_min: float, acuities: tuple[int, ...] = (), **options: Any) -> Member:
    """Patients who come to one doctor at set minutes; visits are numbered from 0 in their order."""
    path = small_path(QUEUE)
    believed = parameters(path, {"service": fixed(service_min)}, per_hour=30.0)

    def placed(fate: Fate) -> Fate:
        fate = arriving(fate, list(at_min))
        order = np.array(acuities or [2] * len(at_min), dtype=np.float64)
        return replace(fate, visit=np.arange(len(at_min)), priority=order)

    return member(path, believed, hours=4, bend=placed, **options)


def test_one_doctor_sees_patients_one_after_the_other() -> None:
    ran = at_the_door(0.0, 5.0, 30.0, service_min=10.0)
    assert told(ran.story) == [
        (0.0, "Arrived", 0),
        (0.0, "SeenByProvider", 0),
        (5.0, "Arrived", 1),
        (10.0, "Departed", 0),
        (10.0, "SeenByProvider", 1),
        (20.0, "Departed", 1),
        (30.0, "Arrived", 2),
        (30.0, "SeenByProvider", 2),
        (40.0, "Departed", 2),
    ]


def instant_law_holds() -> bool:
    """At 15 the doctor is free and the urgent one is triaged: taken in at the end of the instant, by priority."""
    path, lasting = whole()
    believed = parameters(path, lasting, per_hour=30.0, shares={"p_admit": 0.0}, wanted={"medicine": 1.0})

    def placed(fate: Fate) -> Fate:
        return replace(arriving(fate, [0.0, 3.0, 10.0]), visit=np.arange(3), priority=np.array([2.0, 3.0, 0.0]))

    return seen(member(path, believed, hours=4, bend=placed).story) == [(5.0, 0), (15.0, 2), (25.0, 1)]


def test_release_comes_before_request_and_who_comes_at_that_instant_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert instant_law_holds()
    monkeypatch.setattr(model, "_AT_THE_END", 0)
    assert not instant_law_holds(), "a pool that looks before the instant is over is seen"


@given(
    at=st.lists(st.integers(0, 60), min_size=1, max_size=12).map(sorted),
    acuities=st.lists(st.integers(0, 4), min_size=12, max_size=12),
    doctors=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_nobody_waits_while_a_doctor_is_free_and_nobody_is_overtaken(
    at: list[int], acuities: list[int], doctors: int
) -> None:
    ran = at_the_door(
        *map(float, at), service_min=7.0, acuities=tuple(acuities[: len(at)]), capacity={"doctor": doctors}
    )
    starts = {visit: minute for minute, visit in seen(ran.story)}
    for visit, minute in starts.items():
        busy = sum(
            start < minute < start + 7 or (start == minute and other != visit) for other, start in starts.items()
        )
        assert busy < doctors or busy == doctors - 1 or minute == at[visit]
        overtaken = [
            other
            for other, start in starts.items()
            if start > minute
            and at[other] <= minute
            and (acuities[other], at[other], other) < (acuities[visit], at[visit], visit)
        ]
        assert not overtaken


def test_capacity_that_falls_takes_nobodys_place_and_capacity_that_rises_moves_the_queue() -> None:
    doctors = ((0.0, 2), (5.0, 1), (12.0, 0), (33.0, 2))
    ran = at_the_door(0.0, 1.0, 2.0, 3.0, service_min=10.0, capacity={"doctor": doctors})
    assert seen(ran.story) == [(0.0, 0), (1.0, 1), (11.0, 2), (33.0, 3)]
    assert [at for at, kind, _ in told(ran.story) if kind == "Departed"] == [10.0, 11.0, 21.0, 43.0]


# --- the whole small path ------------------------------------------------------------------------------------------


def whole(**durations: Duration) -> tuple[Path, dict[str, Duration]]:
    lasting = {
        "to_triage": fixed(5),
        "patience": fixed(1000),
        "doctor_slot": fixed(10),
        "care": fixed(40),
        "to_ward": fixed(15),
        "ward_stay:medicine": fixed(600),
        "ward_stay:surgery": fixed(300),
    }
    return small_path(WHOLE), lasting | durations


def one_day(p_admit: float, *at_min: float, capacity: dict[str, int] | None = None, **durations: Duration) -> Member:
    path, lasting = whole(**durations)
    believed = parameters(path, lasting, per_hour=30.0, shares={"p_admit": p_admit}, wanted={"medicine": 1.0})

    def placed(fate: Fate) -> Fate:
        return replace(arriving(fate, list(at_min)), visit=np.arange(len(at_min)))

    return member(path, believed, hours=24, bend=placed, capacity=capacity)


def test_an_admitted_visit_tells_its_whole_story() -> None:
    assert told(one_day(1.0, 0.0).story) == [
        (0.0, "Arrived", 0),
        (5.0, "Triaged", 0),
        (5.0, "SeenByProvider", 0),
        (45.0, "DecidedToAdmit", 0),
        (45.0, "BedRequested", 0),
        (60.0, "Departed", 0),
        (660.0, "LeftWard", 0),
    ]


def test_marks_say_which_ward_and_where_to() -> None:
    story = one_day(1.0, 0.0).story
    units = {KIND[k]: u for k, u in zip(story.kind.tolist(), story.unit.tolist(), strict=True)}
    to = {KIND[k]: t for k, t in zip(story.kind.tolist(), story.to.tolist(), strict=True)}
    assert (units["DecidedToAdmit"], units["Departed"], units["Triaged"], units["LeftWard"]) == (
        MEDICINE,
        MEDICINE,
        -1,
        -1,
    )
    assert (to["Departed"], to["LeftWard"]) == (DESTINATIONS.index("ward"), -1)


def test_the_doctor_is_free_after_the_slot_while_care_goes_on() -> None:
    assert seen(one_day(0.0, 0.0, 0.0).story) == [(5.0, 0), (15.0, 1)]
    assert seen(one_day(0.0, 0.0, 0.0, doctor_slot=fixed(90)).story) == [(5.0, 0), (45.0, 1)], "never past the end"


def test_a_bed_is_queued_for_until_it_is_given_back() -> None:
    ran = one_day(1.0, 0.0, 0.0, capacity={"bed:medicine": 1})
    departed = [at for at, kind, _ in told(ran.story) if kind == "Departed"]
    assert departed == [60.0, 660.0 + 15.0]


def leaves_unseen_after(patience_min: float, bend_min: float = 0.0) -> list[float]:
    """When the second of two patients, triaged at 5, leaves; `bend_min` plants a mutant."""
    path, lasting = whole(patience=fixed(patience_min), doctor_slot=fixed(500), care=fixed(500))
    believed = parameters(path, lasting, per_hour=30.0, shares={"p_admit": 0.0}, wanted={"medicine": 1.0})

    def placed(fate: Fate) -> Fate:
        fate = arriving(fate, [0.0, 0.0])
        return replace(fate, patience_min=fate.patience_min - bend_min)

    ran = member(path, believed, hours=24, bend=placed)
    return [at for at, kind, _ in told(ran.story) if kind == "LeftWithoutBeingSeen"]


def test_patience_counts_from_the_queue_and_not_from_the_arrival() -> None:
    assert leaves_unseen_after(30.0) == [35.0]
    assert leaves_unseen_after(30.0, bend_min=5.0) != [35.0], "patience from the arrival is seen"
    assert leaves_unseen_after(600.0) == [], "who is seen before does not leave"


def test_who_left_unseen_holds_nothing_and_takes_no_doctor() -> None:
    path, lasting = whole(patience=fixed(30), doctor_slot=fixed(100), care=fixed(100))
    believed = parameters(path, lasting, per_hour=30.0, shares={"p_admit": 0.0}, wanted={"medicine": 1.0})

    def placed(fate: Fate) -> Fate:
        fate = arriving(fate, [0.0, 1.0, 90.0])
        return replace(fate, visit=np.arange(3))

    assert seen(member(path, believed, hours=24, bend=placed).story) == [(5.0, 0), (105.0, 2)]


def test_the_load_of_the_department_when_a_stage_starts_chooses_its_length() -> None:
    path = small_path(QUEUE)
    table = np.concatenate([fixed(10).table, fixed(20).table], axis=2)
    believed = parameters(path, {"service": Duration(table, np.zeros((1, 1, 2)))}, per_hour=30.0)
    believed = replace(believed, load_edges=np.array([[2.0]]))

    def placed(fate: Fate) -> Fate:
        return replace(arriving(fate, [0.0, 1.0, 100.0]), visit=np.arange(3))

    ran = member(path, believed, hours=24, capacity={"doctor": 5}, bend=placed)
    left = {visit: at for at, kind, visit in told(ran.story) if kind == "Departed"}
    assert left == {0: 10.0, 1: 21.0, 2: 110.0}, "alone 10 min; 20 min when two are there"


LOOKED_AFTER = """
name = "looked after"
[stage.contact]
comes = "Arrived"
takes = "care:doctor"
needs = "doctor"
starts = "SeenByProvider"
frees_after = "doctor_slot"
lasts = "care"
gives = "care:doctor"
then = { home = 1 }
[stage.home]
starts = "Departed"
to = "home"
"""
BY_CASELOAD = Duration(np.concatenate([fixed(10).table, fixed(30).table], axis=2), np.zeros((1, 1, 2)))
"""A contact takes 10 minutes of a doctor who has no other patient in care, 30 of one who has."""


def looked_after(
    at_min: list[float], *, room: int, doctors: int = 1, slot: Duration = BY_CASELOAD, here: Present | None = None
) -> list[tuple[float, int]]:
    """First contacts where all doctors together look after no more than `room` patients, each for 100 minutes."""
    path = small_path(LOOKED_AFTER)
    believed = parameters(path, {"doctor_slot": slot, "care": fixed(100)}, per_hour=30.0)
    known = here.count if here else 0

    def placed(fate: Fate) -> Fate:
        return fate if here else replace(arriving(fate, at_min), visit=np.arange(len(at_min)) + known)

    capacity = {"doctor": doctors, "care:doctor": room}
    return seen(member(path, believed, hours=24, capacity=capacity, bend=placed, here=here).story)


def test_a_contact_keeps_a_doctor_the_longer_the_more_patients_each_has_in_care() -> None:
    assert looked_after([0.0, 1.0, 2.0], room=9) == [(0.0, 0), (10.0, 1), (40.0, 2)]
    assert looked_after([0.0, 1.0, 2.0], room=9, doctors=2) == [(0.0, 0), (1.0, 1), (10.0, 2)], "half a patient each"
    assert looked_after([0.0, 1.0, 2.0], room=9, slot=fixed(10)) == [(0.0, 0), (10.0, 1), (20.0, 2)]


def test_who_queues_for_a_doctor_is_not_in_care_yet() -> None:
    """Two queue behind the one who is seen at minute 10; a contact that counted them would last 60 minutes."""
    slot = Duration(np.concatenate([fixed(10).table, fixed(30).table, fixed(60).table], axis=2), np.zeros((1, 1, 3)))
    assert looked_after([0.0, 1.0, 2.0, 3.0], room=9, slot=slot)[:3] == [(0.0, 0), (10.0, 1), (40.0, 2)]


def test_who_left_unseen_is_not_counted_as_queueing_any_more() -> None:
    """Else a contact would be as short as if fewer were in care: here the fourth's, with two in care."""
    path = small_path(LOOKED_AFTER.replace('takes = "care:doctor"', 'takes = "care:doctor"\npatience = "patience"'))
    slot = Duration(np.concatenate([fixed(10).table, fixed(30).table, fixed(60).table], axis=2), np.zeros((1, 1, 3)))
    believed = parameters(path, {"doctor_slot": slot, "care": fixed(300), "patience": fixed(30)}, per_hour=30.0)
    at_min = [0.0, 1.0, 5.0, 35.0, 41.0]

    def placed(fate: Fate) -> Fate:
        return replace(arriving(fate, at_min), visit=np.arange(len(at_min)))

    story = member(path, believed, hours=6, capacity={"doctor": 1, "care:doctor": 9}, bend=placed).story
    assert (35.0, "LeftWithoutBeingSeen", 2) in told(story)
    assert seen(story) == [(0.0, 0), (10.0, 1), (40.0, 3)], (
        "60 min with two in care, when the last has left; 30 with one"
    )


def test_nobody_new_is_seen_while_the_doctors_have_as_many_as_they_look_after() -> None:
    assert looked_after([0.0, 1.0, 2.0], room=2, slot=fixed(10)) == [(0.0, 0), (10.0, 1), (100.0, 2)]


def test_a_pool_without_capacity_is_named() -> None:
    path, lasting = whole()
    believed = parameters(path, lasting, shares={"p_admit": 0.0}, wanted={"medicine": 1.0})
    fate = member(path, believed, hours=1).fate
    with pytest.raises(TwinError, match="doctor, bed:medicine, bed:surgery has none"):
        run({}, path, fate, present(path), 60.0)


# --- entering the present ------------------------------------------------------------------------------------------


def test_a_warm_start_keeps_holders_above_capacity_and_the_order_of_the_queue() -> None:
    path = small_path(QUEUE)
    believed = parameters(path, {"service": fixed(10)}, classes={4: 0.5, 0: 0.5})
    here = present(
        path,
        Here("contact", serving=False, since_min=-30, arrived_min=-30, residual_min=10, cls=0),
        Here("contact", serving=False, since_min=-5, arrived_min=-50, residual_min=10, cls=1),
        Here("contact", serving=False, since_min=-9, arrived_min=-60, residual_min=10, cls=1),
        Here("contact", serving=True, since_min=-4, arrived_min=-4, residual_min=3),
        Here("contact", serving=True, since_min=-4, arrived_min=-4, residual_min=6),
        Here("contact", serving=True, since_min=-4, arrived_min=-4, residual_min=1, here=False),
        history=((-60.0, RANK["Arrived"], 2, -1, -1),),
    )
    ran = member(path, believed, hours=4, here=here, capacity={"doctor": 1})
    assert told(ran.story)[0] == (-60.0, "Arrived", 2)
    assert seen(ran.story) == [(6.0, 2), (16.0, 1), (26.0, 0)]
    assert [v for _, kind, v in told(ran.story) if kind == "Departed"] == [3, 4, 2, 1, 0]


def test_all_who_are_in_care_count_before_any_contact_goes_on() -> None:
    """Who enters first must not find the doctors with fewer patients than they have."""
    path = small_path(LOOKED_AFTER)
    slot = Duration(np.concatenate([fixed(10).table, fixed(30).table], axis=2), np.zeros((1, 1, 2)))
    believed = parameters(path, {"doctor_slot": slot, "care": fixed(100)}, per_hour=0.0)
    people = [Here("contact", serving=True, since_min=-20, arrived_min=-20, residual_min=80)] * 3
    queued = Here("contact", serving=False, since_min=-5, arrived_min=-5, residual_min=100)
    here = present(path, *people, queued)
    capacity = {"doctor": 3, "care:doctor": 9}
    alone = member(path, believed, hours=24, capacity=capacity, here=here)
    assert [visit for _, visit in seen(alone.story)] == [3]
    assert seen(alone.story)[0][0] == 0.0, "0.67 patients each besides one's own: all three are free after 10 of 20"
    full = member(path, believed, hours=24, capacity={"doctor": 1, "care:doctor": 9}, here=here)
    assert seen(full.story)[0][0] == 10.0, "two each besides one's own: all are busy for 10 of 30 minutes more"


def test_a_doctor_who_may_be_free_by_now_is_free() -> None:
    """The slot lasts 10 min and care 40: of two in care, the one seen 12 min ago holds no doctor any more."""
    path, lasting = whole()
    believed = parameters(path, lasting, shares={"p_admit": 0.0}, wanted={"medicine": 1.0})
    here = present(
        path,
        Here("contact", serving=True, since_min=-12, arrived_min=-20, residual_min=28),
        Here("contact", serving=True, since_min=-4, arrived_min=-20, residual_min=36),
        Here("contact", serving=False, since_min=-1, arrived_min=-9, residual_min=40),
        Here("contact", serving=False, since_min=-2, arrived_min=-7, residual_min=40),
    )
    assert seen(member(path, believed, hours=4, here=here).story) == [(6.0, 2), (16.0, 3)]


def test_who_is_in_a_ward_keeps_the_bed_and_who_boards_waits_for_it() -> None:
    path, lasting = whole()
    believed = parameters(path, lasting, shares={"p_admit": 1.0}, wanted={"medicine": 1.0})
    here = present(
        path,
        Here("ward", serving=True, since_min=-900, arrived_min=-1000, residual_min=120, unit=MEDICINE),
        Here("boarding", serving=False, since_min=-30, arrived_min=-400, residual_min=15, unit=MEDICINE),
        Here("boarding", serving=False, since_min=-30, arrived_min=-400, residual_min=15, unit=SURGERY),
    )
    ran = member(path, believed, hours=12, here=here, capacity={"bed:medicine": 1})
    assert [(at, v) for at, kind, v in told(ran.story) if kind == "Departed"] == [(15.0, 2), (135.0, 1)]


def test_the_small_hospital_has_the_wards_the_tests_count_on() -> None:
    assert [unit.name for unit in small_hospital().units][1:] == ["medicine", "surgery"]
    assert same(one_day(1.0, 0.0).story, one_day(1.0, 0.0).story)
