"""The Arrow form of the vocabulary: nothing is lost, nothing strange gets in."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.columns import REQUIRED, SCHEMA, TIME, check, columns_of, from_table, to_table
from ingest.errors import EventError
from ingest.events import (
    COMMON_FIELDS,
    EVENT_CLASSES,
    Arrived,
    BedsCounted,
    EnteredWard,
    Event,
    EventId,
    UnitId,
    VisitId,
)
from tests.strategies import events

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def arrived(**changed: object) -> Arrived:
    return replace(Arrived(event_id=EventId("s/1"), occurred_at=AT, visit=VisitId("v"), source="s"), **changed)  # type: ignore[arg-type]


def with_column(table: pa.Table, name: str, values: list[object]) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, SCHEMA.field(place), pa.array(values, SCHEMA.field(place).type))


def test_the_columns_are_the_kind_then_the_common_fields_then_those_of_the_classes() -> None:
    named = [f.name for cls in EVENT_CLASSES for f in fields(cls)]
    assert SCHEMA.names == ["kind", *dict.fromkeys(named)]
    assert SCHEMA.names[1 : 1 + len(COMMON_FIELDS)] == list(COMMON_FIELDS)


def test_times_counts_and_yes_or_no_have_a_type_of_their_own() -> None:
    typed = {f.name: f.type for f in SCHEMA if f.type != pa.string()}
    times = dict.fromkeys(["occurred_at", "recorded_at", "known_at", "stored_at", "expected_at"], TIME)
    assert typed == times | {"position": pa.int64(), "count": pa.int64(), "planned": pa.bool_()}
    assert columns_of(BedsCounted)["count"] == pa.int64()


@given(st.lists(events(), max_size=15))
@settings(max_examples=60)
def test_events_come_back_as_they_were(some: list[Event]) -> None:
    table = to_table(some)
    assert table.schema == SCHEMA
    assert from_table(table) == some


@pytest.mark.parametrize("cls", EVENT_CLASSES)
@given(data=st.data())
@settings(max_examples=5)
def test_each_kind_comes_back(cls: type[Event], data: st.DataObject) -> None:
    some = data.draw(st.lists(events(cls), min_size=1, max_size=5))
    assert from_table(to_table(some)) == some


@given(st.lists(events(), max_size=10))
@settings(max_examples=20)
def test_a_table_comes_back_as_it_was(some: list[Event]) -> None:
    table = to_table(some)
    assert to_table(from_table(table)).equals(table)


def test_what_comes_back_is_aware_and_utc_and_of_plain_values() -> None:
    paris = AT.astimezone(timezone(timedelta(hours=1)))
    (event,) = from_table(to_table([arrived(occurred_at=paris)]))
    assert event.occurred_at == AT
    assert event.occurred_at.tzinfo is UTC
    assert {type(getattr(event, name)) for name in ("event_id", "source", "visit")} == {str}
    assert type(event.position) is int


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(EventError, match=r"known_at must have a time zone, but is 2026-03-02 08:00:00 \(s@0\)"):
        to_table([arrived(known_at=AT.replace(tzinfo=None))])


STRANGE: list[tuple[str, object, str]] = [
    ("kind", "Sneezed", "kind must be one of Arrived, .*, but is 'Sneezed'"),
    ("kind", None, "kind must be one of Arrived, .*, but is None"),
    ("mode", "broom", r"mode must be one of own_means, .*, but is 'broom' \(Arrived, s@0\)"),
    ("visit", None, r"visit must be given, but is None \(Arrived, s@0\)"),
    ("event_id", None, "event_id must be given"),
    ("occurred_at", None, "occurred_at must be given"),
    ("source", None, "source must be given"),
    ("acuity", "3", r"acuity must not be given, but is '3' \(Arrived, s@0\)"),
    ("count", 4, "count must not be given, but is 4"),
]


@pytest.mark.parametrize(("name", "value", "told"), STRANGE)
def test_a_table_that_is_not_of_the_vocabulary_is_refused(name: str, value: object, told: str) -> None:
    table = with_column(to_table([arrived()]), name, [value])
    with pytest.raises(EventError, match=told):
        check(table)
    with pytest.raises(EventError, match=told):
        from_table(table)


def test_a_table_without_a_column_or_with_another_type_is_refused() -> None:
    table = to_table([arrived()])
    for wrong in (table.drop_columns("bed"), table.select(SCHEMA.names[::-1]), with_other_zone(table)):
        with pytest.raises(EventError, match="must have the columns"):
            check(wrong)


def with_other_zone(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("occurred_at")
    return table.set_column(place, "occurred_at", table["occurred_at"].cast(pa.timestamp("us", "Europe/Paris")))


def test_an_empty_table_is_of_the_vocabulary() -> None:
    assert from_table(to_table([])) == []


def test_absent_is_none_and_not_false_or_empty() -> None:
    common = {"occurred_at": AT, "visit": VisitId("v"), "unit": UnitId(""), "source": "s"}
    some = [
        EnteredWard(event_id=EventId(f"s/{n}"), planned=planned, **common)  # type: ignore[arg-type]
        for n, planned in enumerate((None, False, True))
    ]
    back = from_table(to_table(some))
    assert [e.planned for e in back if isinstance(e, EnteredWard)] == [None, False, True]
    assert [e.unit for e in back if isinstance(e, EnteredWard)] == ["", "", ""]


def test_a_form_that_loses_microseconds_would_be_seen() -> None:
    some = [arrived(occurred_at=AT.replace(microsecond=1))]
    table = to_table(some)
    place = table.schema.get_field_index("occurred_at")
    coarse = table["occurred_at"].cast(pa.timestamp("ms", "UTC"), safe=False).cast(TIME)
    assert from_table(table.set_column(place, "occurred_at", coarse)) != some


def test_required_columns_are_those_that_every_event_has() -> None:
    assert {"kind", "event_id", "occurred_at", "source", "position"} == REQUIRED
