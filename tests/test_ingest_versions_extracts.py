"""Extracts that overlap and grow: in any order each is shown as it was, and the last is how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Arrived, Cancelled, Event, EventId, VisitId
from tests.logs import AT, FEW, HOUR, MANY, MINUTE, TICK, content, departed, memory_log, mutate, standing, take_in


def test_what_an_earlier_extract_covers_and_does_not_hold_was_not_known_by_then() -> None:
    log, _ = memory_log(AT + 50 * HOUR)
    take_in(log, [], AT + HOUR)
    take_in(log, [departed("v", known_at=AT + MINUTE)], AT + 3 * HOUR)
    assert [e.known_at for e in log.read()] == [AT + HOUR + TICK]


def test_silence_about_another_time_or_of_another_source_or_of_an_unfinished_extract_is_no_proof() -> None:
    log, _ = memory_log(AT + 50 * HOUR)
    take_in(log, [], AT - HOUR)
    take_in(log, [], AT + HOUR, first_at=AT + MINUTE)
    take_in(log, [], AT + HOUR, source="other")
    take_in(log, [], AT + HOUR, first_at=None)
    take_in(log, [departed("v", known_at=AT + MINUTE)], AT + 3 * HOUR)
    assert [e.known_at for e in log.read()] == [AT + MINUTE]


def test_an_extract_proves_that_what_it_holds_was_known_when_it_was_taken() -> None:
    log, _ = memory_log(AT + 50 * HOUR)
    take_in(log, [departed("v", known_at=AT + 5 * HOUR), departed("w")], AT + HOUR)
    assert [e.known_at for e in log.read()] == [AT + HOUR, AT + HOUR]


def test_a_changed_version_is_recorded_and_known_after_the_extract_that_said_otherwise() -> None:
    log, _ = memory_log(AT + 50 * HOUR)
    for hour, to in ((1, "home"), (2, "ward"), (3, "home")):
        told = departed("v", to, recorded_at=AT, known_at=AT)  # type: ignore[arg-type]
        assert take_in(log, [told], AT + hour * HOUR).stored == 1
    assert [(e.recorded_at, e.known_at) for e in log.read_versions(None, AT + 9 * HOUR)] == [
        (AT, AT),
        (AT + HOUR + TICK, AT + HOUR + TICK),
        (AT + 2 * HOUR + TICK, AT + 2 * HOUR + TICK),
    ]
    for hour, to in ((1, "home"), (2, "ward"), (3, "home")):
        told = departed("v", to, recorded_at=AT, known_at=AT)  # type: ignore[arg-type]
        assert take_in(log, [told], AT + hour * HOUR).stored == 0


def test_an_older_month_that_comes_later_is_as_if_it_had_come_first() -> None:
    months = [
        ([departed("old", known_at=AT)], AT + HOUR, AT - HOUR),
        ([departed("new", occurred_at=AT + 2 * HOUR, known_at=AT + 2 * HOUR)], AT + 4 * HOUR, AT + 2 * HOUR),
    ]
    for order in (months, months[::-1]):
        log, _ = memory_log(AT + 50 * HOUR)
        for events, extracted_at, first_at in order:
            take_in(log, events, extracted_at, first_at=first_at)
        assert [e.known_at for e in log.read()] == [AT, AT + 2 * HOUR]


def test_what_a_complete_visit_no_longer_holds_is_cancelled_as_of_the_extract() -> None:
    log, _ = memory_log(AT + 50 * HOUR)
    arrived = Arrived(event_id=EventId("s/v/Arrived/0"), visit=VisitId("v"), occurred_at=AT, known_at=AT, source="s")
    exit_ = departed("v", occurred_at=AT + MINUTE, known_at=AT + MINUTE, position=7)
    other = departed("gone", known_at=AT)
    take_in(log, [arrived, exit_, other], AT + HOUR, complete_visits=True)
    told = take_in(log, [replace(arrived, position=7)], AT + 2 * HOUR, complete_visits=True)
    assert (told.stored, told.cancelled, told.duplicate, told.stored_positions.tolist()) == (0, 1, 1, [7])
    assert [e for e in log.read() if isinstance(e, Cancelled)] == [
        Cancelled(
            event_id=EventId("s/v/Departed/0/Cancelled"), target=exit_.event_id, occurred_at=AT + MINUTE,
            known_at=AT + 2 * HOUR, stored_at=told.stored_at, source="s", position=7,
        )
    ]  # fmt: skip
    assert standing(log.read()).keys() == {arrived.event_id, other.event_id}
    assert standing(log.read(known_at=AT + 2 * HOUR - TICK)).keys() == {e.event_id for e in (arrived, exit_, other)}
    for events, hour in (([arrived, exit_, other], 1), ([arrived], 2)):
        repeated = take_in(log, events, AT + hour * HOUR, complete_visits=True)
        assert (repeated.stored, repeated.cancelled) == (0, 0)
    assert take_in(log, [arrived, exit_], AT + 3 * HOUR, complete_visits=True).versions == 1
    assert exit_.event_id in standing(log.read())
    assert take_in(log, [arrived], AT + 4 * HOUR, complete_visits=True).cancelled == 1
    assert exit_.event_id not in standing(log.read())


HELD = st.lists(st.sampled_from(["home", "ward", "died"]), min_size=1, max_size=6)


def extracts_of(held: Sequence[str]) -> list[tuple[Event, datetime]]:
    """What each extract, taken an hour after the last, holds of one visit."""
    lag = {"home": 0, "ward": 1, "died": 2}
    told = [departed("v", to, known_at=AT + lag[to] * MINUTE) for to in held]  # type: ignore[arg-type]
    return [(event, AT + (hour + 1) * HOUR) for hour, event in enumerate(told)]


def check_extracts(taken: Sequence[tuple[Event, datetime]], order: Sequence[int]) -> None:
    """They show each extract as it was, and end as the last, in whatever order they were ingested."""
    log, _ = memory_log(AT + 50 * HOUR)
    for n in order:
        take_in(log, [taken[n][0]], taken[n][1])
    for event, extracted_at in taken:
        assert [content(e) for e in log.read(known_at=extracted_at)] == [content(event)]
        assert take_in(log, [event], extracted_at).stored == 0


@given(HELD, st.data())
@FEW
def test_overlapping_extracts_in_any_order_show_each_as_it_was(held: list[str], data: st.DataObject) -> None:
    check_extracts(extracts_of(held), data.draw(st.permutations(range(len(held)))))


ORDER_MUTANTS: dict[str, tuple[str, str, str]] = {
    "an older version is known as stated": ("_FLOORS", "WHERE NOT repeated AND", "WHERE false AND"),
    "a later extract holds nothing": (
        "_TOLD_AGAIN",
        "x.extracted_at > $extracted_at",
        "x.extracted_at > $extracted_at AND false",
    ),
}


@pytest.mark.parametrize("name", ORDER_MUTANTS)
def test_the_check_of_extracts_sees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_extracts(extracts_of(["home", "ward"]), [1, 0])
    mutate(monkeypatch, *ORDER_MUTANTS[name])
    with pytest.raises(AssertionError):
        check_extracts(extracts_of(["home", "ward"]), [1, 0])


# ------------------------------------------------------------------------------------ growing, overlapping extracts

Row = dict[str, datetime]
"""When the visit arrived and left, and to where, as the source has it on a day."""
DAYS, WINDOW = 4, 2


@st.composite
def growing(draw: st.DrawFn) -> list[list[Event]]:
    """Daily extracts of the visits of the last days: exits come late, change, and are taken back."""
    visits = draw(st.lists(st.integers(0, 24 * DAYS - 1), min_size=1, max_size=4))
    told = [[draw(st.sampled_from([None, "home", "ward"])) for _ in range(DAYS)] for _ in visits]
    days = []
    for day in range(DAYS):
        taken = AT + timedelta(days=day + 1)
        shown = [(n, h) for n, h in enumerate(visits) if taken - timedelta(days=WINDOW) <= AT + h * HOUR < taken]
        days.append([event for n, hour in shown for event in row(str(n), AT + hour * HOUR, told[n][day], taken)])
    return days


def row(visit: str, arrived_at: datetime, to: str | None, taken: datetime) -> Iterator[Event]:
    yield Arrived(
        event_id=EventId(f"s/{visit}/Arrived/0"), visit=VisitId(visit), occurred_at=arrived_at, known_at=arrived_at,
        source="s",
    )  # fmt: skip
    left_at = arrived_at + HOUR
    if to is not None and left_at <= taken:
        yield departed(visit, to, occurred_at=left_at, known_at=left_at)  # type: ignore[arg-type]


def check_growth(days: Sequence[Sequence[Event]]) -> None:
    """Each view stays as it was made, and shows the extract of its day."""
    log, clock = memory_log()
    views: dict[datetime, list[Event]] = {}
    for day, events in enumerate(days):
        taken = AT + timedelta(days=day + 1)
        clock.advance_to(taken)
        take_in(log, events, taken, first_at=taken - timedelta(days=WINDOW), complete_visits=True)
        for known_at in (taken - timedelta(days=1), taken):
            views.setdefault(known_at, log.read(known_at=known_at))
        held, visits = standing(views[taken]), {getattr(e, "visit", None) for e in events}
        assert {i: c for i, c in held.items() if i.split("/")[1] in visits} == {e.event_id: content(e) for e in events}
    instants = [AT + timedelta(days=day + 1) for day in range(len(days))]
    for known_at in instants:
        assert log.read(known_at=known_at) == views[known_at]
    for taken, events in list(zip(instants, days, strict=True))[::-1]:
        told = take_in(log, events, taken, first_at=taken - timedelta(days=WINDOW), complete_visits=True)
        assert (told.stored, told.cancelled) == (0, 0)


@given(growing())
@FEW
def test_a_growing_extract_ends_as_its_last_file_and_leaves_every_view_as_it_was(days: list[list[Event]]) -> None:
    check_growth(days)


def days_of(*told: str | None) -> list[list[Event]]:
    """Extracts in which one visit's exit is as told on each day."""
    return [list(row("0", AT, to, AT + timedelta(days=day + 1))) for day, to in enumerate(told)]


def test_a_late_exit_was_not_known_before_and_a_removed_one_is_known_until() -> None:
    check_growth(days_of(None, "home"))
    check_growth(days_of("home", None))


GROWTH_MUTANTS: dict[str, tuple[str, str, str, tuple[str | None, ...]]] = {
    "silence proves nothing": (
        "_FLOORS",
        "x.extracted_at < $extracted_at",
        "x.extracted_at < $extracted_at AND false",
        (None, "home"),
    ),
    "a removed event stays": ("_MISSING", "WHERE", "WHERE false AND", ("home", None)),
    "what was held is not found": ("_HELD", "visit IN", "false AND visit IN", ("home", None)),
}


@pytest.mark.parametrize("name", GROWTH_MUTANTS)
def test_the_check_of_growth_sees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    statement, right, wrong, told = GROWTH_MUTANTS[name]
    mutate(monkeypatch, statement, right, wrong)
    with pytest.raises(AssertionError):
        check_growth(days_of(*told))


# -------------------------------------------------------------------------------------------------- the same, for long


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(HELD, st.data())
@MANY
def test_soak_extracts(held: list[str], data: st.DataObject) -> None:
    check_extracts(extracts_of(held), data.draw(st.permutations(range(len(held)))))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(growing())
@MANY
def test_soak_growth(days: list[list[Event]]) -> None:
    check_growth(days)
