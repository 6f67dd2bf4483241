"""What a batch adds: duplicates, versions, cancellations; in any order, in any parts, any number of times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import keys
from ingest.events import Event, EventId
from tests.logs import (
    AT,
    FEW,
    HOUR,
    MANY,
    MINUTE,
    cancelled,
    content,
    count,
    departed,
    memory_log,
    mutate,
    said,
    standing,
    tell,
)

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


def test_a_superseded_row_is_noted_once_a_batch_and_confirmed_ones_once() -> None:
    log, _ = memory_log()
    for to, minute in (("home", 0), ("home", 3), ("home", 3), ("ward", 5), ("ward", 5)):
        tell(log, departed("v", to, recorded_at=AT + minute * MINUTE, position=minute))  # type: ignore[arg-type]
    assert {name: count(log, name) for name in ("event", "superseded", "confirmed")} == {
        "event": 2,
        "superseded": 1,
        "confirmed": 1,
    }


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


@pytest.mark.soak
@pytest.mark.timeout(3600)
@given(deliveries())
@MANY
def test_soak_deliveries(drawn: tuple[list[Event], list[list[Event]]]) -> None:
    check_delivery(*drawn)
