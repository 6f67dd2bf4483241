"""What a batch adds: duplicates, versions, cancellations, extracts; in any order, in any parts, any number of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import keys, versions
from ingest.events import Arrived, Cancelled, Event, EventId, VisitId
from tests.logs import (
    AT,
    HOUR,
    MINUTE,
    TICK,
    cancelled,
    content,
    count,
    departed,
    memory_log,
    said,
    standing,
    take_in,
    tell,
)

FEW, MANY = settings(max_examples=4), settings(max_examples=200)
"""An example takes half a second here: a few at each run, many in the soak."""

# ------------------------------------------------------------------------------------------ messages, one by one


def test_the_same_id_with_the_same_content_is_a_duplicate_whatever_the_times() -> None:
    log, clock = memory_log()
    first = departed("v", recorded_at=AT)
    assert tell(log, first).stored == 1
    clock.advance_to(AT + HOUR)
    again = replace(first, recorded_at=AT + HOUR, known_at=AT + HOUR, position=9)
    told = tell(log, again)
    assert (told.stored, told.duplicate, told.versions) == (0, 1, 0)
    assert [e.position for e in log.read()] == [0]


def test_the_same_id_with_another_content_is_a_new_version_and_the_one_recorded_last_wins() -> None:
    log, _ = memory_log()
    tell(log, departed("v", "home", recorded_at=AT))
    told = tell(log, departed("v", "ward", recorded_at=AT + HOUR))
    assert (told.stored, told.versions) == (1, 1)
    tell(log, departed("v", "died", recorded_at=AT + MINUTE))
    assert [content(e) for e in log.read()] == [content(departed("v", "ward"))]
    assert log.length() == 3


def test_of_two_versions_recorded_at_once_the_later_in_the_source_wins() -> None:
    first, second = departed("v", "home", recorded_at=AT, position=1), departed("v", "ward", recorded_at=AT, position=2)
    for order in ([first, second], [second, first]):
        log, _ = memory_log()
        tell(log, *order)
        assert [content(e) for e in log.read()] == [content(departed("v", "ward"))]


def test_without_recorded_at_the_one_told_last_wins() -> None:
    log, clock = memory_log()
    for told in (departed("v", "home"), departed("v", "ward"), departed("v", "home")):
        tell(log, told)
        clock.advance_to(clock.now() + MINUTE)
    assert log.length() == 3
    assert [content(e) for e in log.read()] == [content(departed("v", "home"))]


def test_a_version_in_one_batch_with_its_predecessor_is_told_after_it() -> None:
    log, _ = memory_log()
    told = tell(log, departed("v", "ward", recorded_at=AT + HOUR), departed("v", "home", recorded_at=AT))
    assert (told.stored, told.versions) == (2, 1)
    assert [content(e) for e in log.read()] == [content(departed("v", "ward"))]


def test_what_is_told_again_after_its_cancellation_stands_again() -> None:
    log, _ = memory_log()
    event = departed("v", recorded_at=AT)
    tell(log, event)
    tell(log, cancelled(event, recorded_at=AT + HOUR))
    assert standing(log.read()) == {}
    assert tell(log, replace(event, recorded_at=AT + 2 * HOUR)).versions == 1
    assert standing(log.read()) == {event.event_id: content(event)}
    assert tell(log, event, cancelled(event, recorded_at=AT + HOUR)).stored == 0
    assert tell(log, cancelled(event, recorded_at=AT + 3 * HOUR)).stored == 1
    assert standing(log.read()) == {}


def test_a_cancellation_may_come_before_its_target() -> None:
    log, _ = memory_log()
    event = departed("v", recorded_at=AT)
    tell(log, cancelled(event, recorded_at=AT + HOUR))
    tell(log, event)
    assert standing(log.read()) == {}


STATEMENTS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from(["home", "ward", "cancelled"]),
        st.integers(0, 5).map(lambda n: AT + n * MINUTE),
    ),
    max_size=6,
)


def statements(drawn: Sequence[tuple[str, str, datetime]]) -> list[Event]:
    """Messages as a source sends them: each at its position, some recorded in the same minute."""
    told: list[Event] = []
    for position, (visit, what, at) in enumerate(drawn):
        if what == "cancelled":
            told.append(cancelled(departed(visit), recorded_at=at, position=position))
        else:
            told.append(departed(visit, what, recorded_at=at, position=position))  # type: ignore[arg-type]
    return told


def expected(told: Sequence[Event]) -> dict[EventId, tuple[object, ...]]:
    """Every message kept: the highest of each event stands, if no cancellation is higher."""
    highest: dict[EventId, Event] = {}
    for event in sorted(told, key=said):
        highest[event.event_id] = event
    return standing(highest.values())


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[list[Event], list[list[Event]]]:
    """Messages, and the batches in which they come: in any order, some more than once."""
    told = statements(draw(STATEMENTS))
    again = draw(st.lists(st.sampled_from(told), max_size=3)) if told else []
    order = draw(st.permutations([*told, *again]))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=4)))
    return told, [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


def check_delivery(told: Sequence[Event], batches: Sequence[Sequence[Event]]) -> None:
    log, clock = memory_log()
    for batch in batches:
        tell(log, *batch)
        clock.advance_to(clock.now() + MINUTE)
    assert standing(log.read()) == expected(told)
    assert len(log.read()) == len({e.event_id for e in told})
    length = log.length()
    for batch in batches:
        assert tell(log, *batch).stored == 0
    assert log.length() == length


@given(deliveries())
@FEW
def test_any_order_any_parts_and_any_repetition_amount_to_the_same(
    drawn: tuple[list[Event], list[list[Event]]],
) -> None:
    check_delivery(*drawn)


def home_ward_home(*order: int) -> list[list[Event]]:
    """Three messages recorded one after the other, told in another order."""
    told = statements([("v", to, AT + n * MINUTE) for n, to in enumerate(("home", "ward", "home"))])
    return [[told[n]] for n in order]


def check_order(*order: int) -> None:
    batches = home_ward_home(*order)
    check_delivery([event for batch in batches for event in batch], batches)


def test_a_version_that_comes_late_does_not_hide_what_was_true_again_afterwards() -> None:
    check_order(0, 2, 1)


MUTANTS: dict[str, tuple[str, str, str, tuple[int, ...]]] = {
    "a log that compares with the last told": (
        "_JUDGED",
        '(l.version_at, l."position") <=',
        "(t.as_of, 0) <=",
        (1, 0, 1, 0),
    ),
    "a log that forgets repetitions": ("_INSERT_CONFIRMED", "j.repeated", "false", (0, 2, 1)),
    "a log that tells nothing again": (
        "_TOLD_AGAIN",
        "WHERE NOT EXISTS",
        "WHERE false AND NOT EXISTS",
        (0, 2, 1),
    ),
    "a log in which all versions win": ("_INSERT_SUPERSEDED", "OR high.sequence > $after", "AND false", (0, 1)),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_the_check_of_a_delivery_sees(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    statement, right, wrong, order = MUTANTS[name]
    mutate(monkeypatch, statement, right, wrong)
    with pytest.raises(AssertionError):
        check_order(*order)


def test_the_check_of_a_delivery_sees_a_log_that_ignores_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "said", lambda table: pa.chunked_array([["same"] * table.num_rows]))
    with pytest.raises(AssertionError):
        check_order(0, 1)


def mutate(monkeypatch: pytest.MonkeyPatch, statement: str, right: str, wrong: str) -> None:
    text: str = getattr(versions, statement)
    assert right in text
    monkeypatch.setattr(versions, statement, text.replace(right, wrong))


# ---------------------------------------------------------------------------------------------------- extracts


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


def test_a_superseded_row_is_noted_once_a_batch_and_confirmed_ones_once() -> None:
    log, _ = memory_log()
    for to, minute in (("home", 0), ("home", 3), ("home", 3), ("ward", 5), ("ward", 5)):
        tell(log, departed("v", to, recorded_at=AT + minute * MINUTE, position=minute))  # type: ignore[arg-type]
    assert {name: count(log, name) for name in ("event", "superseded", "confirmed")} == {
        "event": 2,
        "superseded": 1,
        "confirmed": 1,
    }


# -------------------------------------------------------------------------------------------------- the same, for long


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(deliveries())
@MANY
def test_soak_deliveries(drawn: tuple[list[Event], list[list[Event]]]) -> None:
    check_delivery(*drawn)


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
