"""What is announced: how it was kept, what is due, and that nobody is counted twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from ingest.events import (
    ArrivalExpected,
    Arrived,
    Changed,
    DischargePlanned,
    EnteredWard,
    Event,
    EventId,
    LeftWard,
    UnitId,
    VisitId,
)
from tests.histories import NOON
from twin.announced import ARRIVALS, EXITS, KINDS, LEADS, PLANNED, Coming, Kept, coming, learn_kept
from twin.demand import Demand, People
from twin.durations import fixed
from twin.luck import Luck, draw_members
from twin.minutes import Minutes
from twin.present import Present
from twin.small_hospitals import QUEUE, START, parameters, small_path
from twin.state import State, fold

DAYS = 20
FROM_MIN = -DAYS * 1440.0
MEDICINE = UnitId("medicine")


def at(minute: float) -> datetime:
    return NOON + timedelta(minutes=minute)


def event(kind: type[Event], visit: str, minute: float, **fields: Any) -> Event:
    """Known when it happens."""
    about: dict[str, Any] = {"visit": VisitId(visit), **fields}
    return kind(
        event_id=EventId(f"{visit}/{kind.__name__}"), occurred_at=at(minute), known_at=at(minute), source="t", **about
    )


def expected(visit: str, said: float, due: float, unit: UnitId | None = None) -> Event:
    return event(ArrivalExpected, visit, said, expected_at=at(due), unit=unit)


def past(n: int = 400, late: float = 10.0, notice: float = 40.0, never_each: int = 10) -> list[Event]:
    """Arrivals of three weeks, every other one announced, always equally late; one in ten announced never comes."""
    events: list[Event] = []
    for i in range(n):
        came = FROM_MIN + (i + 1) * (DAYS * 1440.0 - 3000.0) / n
        if i % never_each:
            events.append(event(Arrived, f"v{i}", came))
        if i % 2 == 0:
            events.append(expected(f"v{i}", came - notice, came - late))
    return events


def kept_of(events: Sequence[Event]) -> dict[str, Kept]:
    return learn_kept(fold(State(), events), Minutes(NOON), FROM_MIN, "UTC")


# --- how it was kept


def test_how_late_who_is_announced_comes_and_how_many_never_do() -> None:
    kept = kept_of(past())[ARRIVALS]
    assert kept.told == 200
    assert np.median(kept.late_min) == 10.0
    assert np.isinf(kept.late_min).mean() == pytest.approx(0.2, abs=0.02)  # one in five of the even ones
    assert kept.a_day == pytest.approx(200 / 18, rel=0.05)


def test_of_who_comes_at_a_lead_so_many_are_announced() -> None:
    kept = kept_of(past(notice=40.0, never_each=400))[ARRIVALS]
    assert kept.announced_share(np.array([0.0, 40.0, 41.0, 500.0]), 12.0) == pytest.approx(
        [0.5, 0.5, 0.0, 0.0], abs=0.07
    )


def test_what_is_announced_at_an_hour_of_the_day_is_told_by_what_happens_at_that_hour() -> None:
    """Exits of the afternoon are planned at ten, those of the evening never: over all hours, the mutant, half are."""
    hour = np.tile([14.0, 22.0], 500)
    kept = Kept(np.zeros(9), np.where(hour == 14.0, 240.0, -1.0), hour, 500, 25.0)
    at_ten, at_noon = (kept.announced_share(np.array([120.0, 240.0, 600.0]), h) for h in (10.0, 12.0))
    assert at_ten == pytest.approx([0.5, 1.0, 0.0], abs=0.03)
    assert at_noon == pytest.approx([1.0, 0.5, 0.0], abs=0.05)


def test_what_has_not_happened_is_drawn_from_what_was_later_than_that() -> None:
    kept = Kept(np.array([-20.0, 0.0, 30.0, 90.0, np.inf]), np.empty(0), np.empty(0), 5, 1.0)
    assert kept.left(15.0).tolist() == [15.0, 45.0, 105.0, np.inf]
    assert kept.left(-60.0).tolist() == [30.0, np.inf]
    assert (kept.left(-60.0) > 0).all()


def test_with_few_announcements_the_assumed_ones_count_and_soon_no_more() -> None:
    none, few, many = (kept_of(past(n, late=120.0))[ARRIVALS] for n in (0, 20, 2000))
    assert (none.told, none.late_min.size) == (0, 20)
    assert np.median(few.late_min) < 60 < np.median(many.late_min)


def test_announcements_under_another_number_are_not_believed_for_long() -> None:
    apart = [replace(e, visit=VisitId(f"x{e.visit}")) if isinstance(e, ArrivalExpected) else e for e in past()]
    kept = kept_of(apart)[ARRIVALS]
    assert np.isinf(kept.left(30.0)).mean() > 0.85
    assert kept.announced_share(np.array([10.0]), 12.0).tolist() == [0.0]


def test_exits_and_planned_patients_are_kinds_of_their_own() -> None:
    events: list[Event] = []
    for i in range(50):
        begun = FROM_MIN + i * 400.0
        events += [
            event(EnteredWard, f"w{i}", begun, unit=MEDICINE, planned=True), event(LeftWard, f"w{i}", begun + 3000.0),
            event(DischargePlanned, f"w{i}", begun + 1500.0, expected_at=at(begun + 2800.0)),
            expected(f"w{i}", begun - 600.0, begun + 15.0, MEDICINE),
        ]  # fmt: skip
    kept = kept_of(events)
    assert set(kept) == set(KINDS)
    assert [kept[kind].told for kind in (EXITS, ARRIVALS, PLANNED)] == [50, 0, 50]
    assert np.median(kept[EXITS].late_min) == 200.0
    assert np.median(kept[PLANNED].late_min) == -15.0
    assert kept[EXITS].announced_share(np.array([1500.0, 1501.0]), 12.0).tolist() == [1.0, 0.0]


def test_a_plan_told_after_the_exit_and_one_still_open_teach_nothing() -> None:
    told = [event(EnteredWard, "w", -9000.0, unit=MEDICINE), event(LeftWard, "w", -8000.0)]
    after = [*told, event(DischargePlanned, "w", -7900.0, expected_at=at(-8000.0))]
    still = [told[0], event(DischargePlanned, "w", -100.0, expected_at=at(60.0))]
    assert [kept_of(events)[EXITS].told for events in (after, still)] == [0, 0]


# --- who is due


def test_who_is_announced_and_not_here_is_due() -> None:
    now = [
        expected("soon", -30.0, 20.0), expected("came", -90.0, -20.0), event(Arrived, "came", -15.0),
        expected("late", -90.0, -20.0), expected("old", -2000.0, -900.0),
        expected("ward", -600.0, 120.0, MEDICINE), expected("tents", -600.0, 120.0, UnitId("tents")),
    ]  # fmt: skip
    state = fold(State(), [*past(), *now])
    kept = kept_of(past()) | {PLANNED: replace(kept_of(past())[ARRIVALS])}
    emergency, ward = coming(state, kept, {MEDICINE: 3}, NOON, "UTC")
    assert (emergency.stream, len(emergency.after_min)) == (0, 2)
    assert (ward.stream, len(ward.after_min)) == (3, 1)
    assert (np.concatenate(emergency.after_min) > 0).all()


def test_when_nothing_is_heard_for_a_day_nobody_is_taken_from_the_others() -> None:
    kept = kept_of(past())
    (silent,) = coming(fold(State(), past()), kept, {}, NOON, "UTC")
    heard = [expected(f"h{i}", -60.0 * i - 30.0, -60.0 * i) for i in range(12)]
    (loud,) = coming(fold(State(), [*past(), *heard]), kept, {}, NOON, "UTC")
    assert silent.unannounced(np.array([5.0, 15.0])).tolist() == [1.0]
    assert loud.unannounced(np.array([5.0, 15.0]))[0] < 0.7


def test_where_nothing_was_ever_announced_nothing_changes() -> None:
    quiet = [e for e in past() if not isinstance(e, ArrivalExpected)]
    assert coming(fold(State(), quiet), kept_of(quiet), {}, NOON, "UTC") == []


# --- in luck

PATH = small_path(QUEUE)
BELIEVED = parameters(PATH, {"service": fixed(10.0)}, per_hour=6.0)


def coming_now(due: Sequence[float], heard: float = 1.0) -> Coming:
    return Coming(
        0,
        tuple(np.array([minute, minute, minute, np.inf]) for minute in due),
        np.where(LEADS <= 60.0, 0.5 * heard, 0.0),
    )


def lucks(members: range, announced: Sequence[Coming]) -> Luck:
    return draw_members(
        PATH, BELIEVED, dict.fromkeys(members, 0), seed=1, start=START, horizon_min=180.0, zone="UTC",
        announced=announced,
    )  # fmt: skip


def in_the_first_hour(luck: Luck) -> float:
    """How many come in a member under the usual level of arrivals."""
    comes = (luck.group == 0) & (luck.mark < 1 / 3) & (luck.at_min < 60.0)
    return float(comes.sum()) / (luck.first.size - 1)


def test_who_is_announced_is_not_counted_twice() -> None:
    """Six an hour, three of them announced an hour before: four are, of whom three come. Beside all others, the mutant,
    nine would come."""
    announced = coming_now([5.0, 20.0, 35.0, 50.0])
    members = range(1500)
    assert in_the_first_hour(lucks(members, [])) == pytest.approx(6.0, abs=0.3)
    assert in_the_first_hour(lucks(members, [announced])) == pytest.approx(6.0, abs=0.3)
    assert in_the_first_hour(lucks(members, [coming_now([5.0, 20.0, 35.0, 50.0], heard=0.0)])) > 8.5


def test_when_they_come_is_known_better_than_of_others() -> None:
    announced = coming_now([20.0] * 8)
    luck = lucks(range(300), [announced])
    at_20 = (luck.at_min == 20.0) & (luck.group == 0) & (luck.mark == 0.0)
    assert at_20.sum() / 300 == pytest.approx(6.0, abs=0.3)


def test_a_member_is_announced_the_same_in_whatever_company() -> None:
    announced = [coming_now([5.0, 20.0, 170.0, 300.0])]
    together, alone = lucks(range(8), announced), lucks(range(5, 6), announced)
    rows = slice(together.first[5], together.first[6])
    for name in ("group", "at_min", "mark", "cls", "key"):
        np.testing.assert_array_equal(getattr(together, name)[rows], getattr(alone, name))


# --- of which class


def share_of_the_first_class(fits: Sequence[bool] | None) -> float:
    """Of those announced who come, where two classes come alike and it is told which are possible."""
    believed = parameters(PATH, {"service": fixed(10.0)}, per_hour=6.0, classes={0: 0.5, 1: 0.5})
    due = Coming(0, (np.array([30.0]),) * 8, np.zeros(LEADS.size), fits=(np.array(fits),) * 8 if fits else ())
    luck = draw_members(
        PATH, believed, dict.fromkeys(range(50), 0), seed=1, start=START, horizon_min=180.0, zone="UTC", announced=[due]
    )
    people = People(PATH, believed, luck, [Present.of_nobody()] * 50, [Demand()])
    of_them = luck.at_min[people.row] == 30.0
    assert of_them.sum() == 400
    return float((people.cls[of_them] == 0).mean())


def test_who_is_announced_is_of_a_class_that_fits_what_is_told_and_else_of_the_usual_mix() -> None:
    """The mutant knows of no class: half are of each."""
    assert share_of_the_first_class([True, False]) == 1.0
    assert share_of_the_first_class([False, True]) == 0.0
    assert share_of_the_first_class(None) == pytest.approx(0.5, abs=0.08)
    assert share_of_the_first_class([False, False]) == pytest.approx(0.5, abs=0.08)


def test_what_is_told_beforehand_of_acuity_and_age_is_heard() -> None:
    state = fold(State(), [*past(), expected("a", -30.0, 20.0), expected("b", -30.0, 25.0),
                           event(Changed, "a", -25.0, acuity="2")])  # fmt: skip
    [due] = coming(state, kept_of(past()), {}, NOON, "UTC", lambda v: np.array([v.acuity == "2", True]))
    assert [fits.tolist() for fits in due.fits] == [[True, True], [False, True]]
    [untold] = coming(fold(State(), past()), kept_of(past()), {}, NOON, "UTC", lambda _: np.array([True]))
    assert untold.fits == ()
