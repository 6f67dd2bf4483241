"""The keys of events: those that DuckDB makes of the same text, whatever the event says."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import keys
from ingest.columns import SCHEMA, TIME, to_table
from ingest.database import Database, arrow, registered
from ingest.events import CONTENT_FREE_FIELDS, Event
from ingest.keys import keys_of
from ingest.versions import STORED_SCHEMA
from tests.logs import AT, HOUR, cancelled, departed
from tests.strategies import events

NAMES = [field.name for field in SCHEMA if field.name not in CONTENT_FREE_FIELDS]
VALUES = {True: 'epoch_us("{0}")::VARCHAR', False: '"{0}"::VARCHAR'}
PARTS = ", ".join(f"'{name}=' || {VALUES[SCHEMA.field(name).type == TIME].format(name)}" for name in NAMES)
IN_SQL = f"""
SELECT coalesce(target, event_id) AS subject, md5_number_lower(subject) AS subject_key,
       md5_number_lower(concat_ws(chr(31), {PARTS})) AS content_key
FROM given
"""
"""The definition: logs of any age hold these keys."""


def check_keys(some: list[Event]) -> None:
    table = to_table(some).cast(STORED_SCHEMA)
    with Database.open(None, threads=1) as database, registered(database.cursor(), given=table):
        expected = arrow(database.cursor(), IN_SQL)
    assert {name: column.to_pylist() for name, column in keys_of(table).items()} == expected.to_pydict()


@given(st.lists(events(), min_size=1, max_size=12))
@settings(max_examples=15)
def test_the_keys_are_those_that_the_database_makes(some: list[Event]) -> None:
    check_keys(some)


def test_the_check_of_keys_sees_a_field_that_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    check_keys([departed("v")])
    monkeypatch.setattr(keys, "_CONTENT", [name for name in NAMES if name != "to"])
    with pytest.raises(AssertionError):
        check_keys([departed("v")])


def test_a_cancellation_has_the_subject_of_its_target() -> None:
    event = departed("v")
    told = keys_of(to_table([event, cancelled(event)]))
    assert told["subject"].to_pylist() == [event.event_id] * 2
    assert told["subject_key"][0] == told["subject_key"][1]


def test_the_times_of_telling_and_the_source_are_no_content_and_all_else_is() -> None:
    event = departed("v")
    later = replace(event, recorded_at=AT + HOUR, known_at=AT + HOUR, stored_at=AT, source="t", position=9)
    changed = [replace(event, **{f.name: _other(f.name)}) for f in fields(event) if f.name not in CONTENT_FREE_FIELDS]  # type: ignore[arg-type]
    first, same, *others = keys_of(to_table([event, later, *changed]))["content_key"].to_pylist()
    assert first == same
    assert len({first, *others}) == 1 + len(changed)


def _other(name: str) -> object:
    return AT + HOUR if name == "occurred_at" else "ward" if name == "to" else "x"
