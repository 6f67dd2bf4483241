"""A state as bytes and back: equal, and growing on as the first would have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.columns import from_table, to_table
from ingest.events import Event, EventId
from tests.histories import LOOKS, NOON, state, told
from tests.logs import AT, HOUR, cancelled, departed
from tests.strategies import events
from twin import state_snapshot
from twin.state import State, fold
from twin.state_snapshot import from_bytes, made_by, to_bytes
from twin.visit import Visit

IDS = st.sampled_from(["a", "b", "s/1", "'"]).map(EventId)
SOME = st.lists(events(event_id=IDS), max_size=12).map(lambda some: from_table(to_table(some)))
"""Events as a log gives them; few ids, so that they are told again, cancelled and merged."""


def check_round(first: Iterable[Event], later: Iterable[Event]) -> None:
    """What is read back is equal, and stays so when more is told."""
    held = fold(State(), first)
    back = from_bytes(state_snapshot.to_bytes(held))
    assert back is not None
    check_equal(back, held)
    check_equal(fold(back, later), fold(held, later))


def check_equal(back: State, held: State) -> None:
    assert back.hash == held.hash
    assert dict(back.events) == dict(held.events)
    assert dict(back.visits) == dict(held.visits)
    assert back.places == held.places


@given(SOME, SOME)
@settings(max_examples=40)
def test_any_state_comes_back_as_it_was_and_grows_on_as_it_would_have(first: list[Event], later: list[Event]) -> None:
    check_round(first, later)


def test_the_state_of_a_hospital_comes_back_as_it_was_and_grows_on_as_it_would_have() -> None:
    back = from_bytes(to_bytes(state(LOOKS[0])))
    assert back is not None
    check_equal(back, state(LOOKS[0]))
    known = len(told().known(LOOKS[0]))
    check_equal(fold(back, told().known(LOOKS[1])[known:]), state(LOOKS[1]))
    assert LOOKS[0] == NOON


def forgotten(name: str) -> Callable[[State], bytes]:
    """A snapshot that is written without something."""
    return lambda held: to_bytes(replace(held, **{name: getattr(State(), name)}))


@pytest.mark.parametrize("name", ["events", "visits", "digest"])
def test_the_check_sees_a_snapshot_without(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_snapshot, "to_bytes", forgotten(name))
    with pytest.raises(AssertionError):
        check_round([departed("v", known_at=AT)], [])


def test_the_check_sees_a_snapshot_that_forgets_what_cancels_what(monkeypatch: pytest.MonkeyPatch) -> None:
    event = departed("v", known_at=AT)
    told_first, told_later = [cancelled(event, recorded_at=AT + HOUR)], [event]
    check_round(told_first, told_later)
    monkeypatch.setattr(state_snapshot, "_grouped", lambda pairs: {})
    with pytest.raises(AssertionError):
        check_round(told_first, told_later)


def test_a_snapshot_made_by_other_code_or_damaged_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    told = to_bytes(fold(State(), [departed("v", known_at=AT)]))
    assert from_bytes(told[:-100]) is None
    assert from_bytes(b"") is None
    assert from_bytes(told) is not None
    monkeypatch.setattr(state_snapshot, "made_by", lambda: "other code")
    assert from_bytes(told) is None
    assert len(made_by()) == 16


def test_an_empty_state_is_empty_again() -> None:
    back = from_bytes(to_bytes(State()))
    assert back is not None
    check_equal(back, State())


def test_every_field_of_a_visit_but_its_stays_has_a_column_and_stays_come_last() -> None:
    names = [f.name for f in fields(Visit) if f.init]
    assert [*state_snapshot._schema(Visit).names, "stays"] == names
