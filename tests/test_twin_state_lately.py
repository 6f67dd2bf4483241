"""What a state has at hand along a log that goes on: every visit that was not long over, how boarding ended, and when
it last heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ingest.events import Event
from tests.histories import NOON, told
from tests.worlds import at, day_of_visits
from twin import state as module
from twin.boarding import Endings
from twin.state import State, fold, latest_of
from twin.visit import Visit
from twin.visit_told import all_told

KEPT = timedelta(days=2)
EVERY = timedelta(hours=11)
LOOKS = tuple(NOON - timedelta(days=10) + k * EVERY for k in range(20))


def along() -> Iterator[tuple[datetime, State]]:
    state, so_far = State(), 0
    for look in LOOKS:
        known = told().known(look)
        state, so_far = fold(state, known[so_far:]), len(known)
        yield look, state


def whole(state: State) -> State:
    """The same with nothing at hand, so that all of it is looked at."""
    return replace(state, lately={}, lately_since=None)


def overlooked(looks: Iterator[tuple[datetime, State]]) -> int:
    """How many visits were not at hand that should have been, or not as they are."""
    return sum(
        not visit.over_before(look - KEPT) and visit not in state.touching(look - KEPT)
        for look, state in looks
        for visit in state.visits.values()
    )


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATELY", KEPT)
    monkeypatch.setattr(module, "_SORTED_EVERY", timedelta(hours=20))


def test_who_is_here_is_the_same_as_if_all_visits_were_looked_at() -> None:
    few = 0
    for look, state in along():
        for as_of in (look, look - timedelta(hours=30), look - timedelta(days=4)):
            assert state.present(as_of) == whole(state).present(as_of)
            assert state.inpatients(as_of) == whole(state).inpatients(as_of)
        few += len(state.touching(look)) < 0.8 * len(state.visits)
    assert few > 5, "most are not looked at"


def test_every_visit_that_was_not_over_is_at_hand() -> None:
    assert overlooked(along()) == 0


def _without_stays(visit: Visit, instant: datetime) -> bool:
    ended_at = visit.departed_at or visit.left_ward_at
    return ended_at is not None and ended_at < instant


def _as_sorted_out(state: State, *_: object) -> tuple[object, datetime | None]:
    """As it was the first time, whatever came since."""
    return (state.lately, state.lately_since) if state.lately_since else module._not_over(state.visits, LOOKS[0] - KEPT)


@pytest.mark.parametrize(("part", "mutant"), [("over_before", _without_stays), ("_lately", _as_sorted_out)])
def test_what_is_not_at_hand_is_found_out(
    part: str, mutant: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    true = Visit.over_before
    monkeypatch.setattr(Visit if part == "over_before" else module, part, mutant)
    looks = list(along())
    monkeypatch.setattr(Visit, "over_before", true)
    assert overlooked(iter(looks)) > 0


def wrongly_added_up(looks: Iterator[tuple[datetime, State]]) -> int:
    """At how many looks what is said of boarding and of wards left is not what all visits say, added up anew."""
    return sum(state.endings != Endings.of(all_told(state.visits.values())) for _, state in looks)


def test_how_boarding_ended_is_as_if_all_visits_were_added_up_anew() -> None:
    assert wrongly_added_up(along()) == 0
    *_, (_, last) = along()
    assert last.endings.followed
    assert any(last.endings.boarding(ward).min > 0 for ward in last.endings.followed)


def test_visits_that_are_not_taken_out_as_they_were_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant adds what has changed to what it was before."""
    true = Endings.changed
    monkeypatch.setattr(Endings, "changed", lambda self, _, now: true(self, (), now))
    looks = list(along())
    monkeypatch.setattr(Endings, "changed", true)
    assert wrongly_added_up(iter(looks)) > 0


def newer(event: Event, known_at: datetime) -> Event:
    """Another version, recorded later."""
    return replace(event, recorded_at=at("23:00"), known_at=known_at)


def test_when_it_last_heard_is_that_of_the_events_that_it_holds() -> None:
    """Also where the last is replaced by a version that was known before: taken as the highest ever, the mutant."""
    for _, state in along():
        assert state.latest_at == latest_of(state.events.values())
    day = fold(State(), day_of_visits())
    last = max(day.events.values(), key=lambda e: e.known_at or e.occurred_at)
    changed = fold(day, [newer(last, at("05:00"))])
    assert changed.latest_at == latest_of(changed.events.values())
    assert (changed.latest_at or NOON) < (day.latest_at or NOON), "the mutant"
