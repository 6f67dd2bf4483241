"""Files of events: what is written is read, what is not one is refused, and what is in twice is stored once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.columns import SCHEMA, from_table, to_table
from ingest.errors import EventError, UnreadableInputError
from ingest.eventfile import ingest_events, read_events, write_events
from tests.logs import AT, HOUR, departed, memory_log

EVENTS = [
    departed("a", occurred_at=AT, known_at=AT + HOUR),
    departed("b", "ward", occurred_at=AT + HOUR, known_at=AT + 2 * HOUR),
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_events(to_table(EVENTS), tmp_path / "e.parquet")
    assert from_table(read_events(tmp_path / "e.parquet")) == EVENTS


def test_the_order_of_columns_and_other_columns_do_not_matter(tmp_path: Path) -> None:
    table = to_table(EVENTS).select(list(reversed(SCHEMA.names))).append_column("more", pa.array([1, 2]))
    pq.write_table(table, tmp_path / "e.parquet")
    assert from_table(read_events(tmp_path / "e.parquet")) == EVENTS


def test_a_file_is_stored_once_and_events_stay_known_when_they_were(tmp_path: Path) -> None:
    write_events(to_table(EVENTS), tmp_path / "e.parquet")
    log, _ = memory_log(AT + 10 * HOUR)
    first = asdict(ingest_events(tmp_path / "e.parquet", log))
    again = asdict(ingest_events(tmp_path / "e.parquet", log))
    assert first == {"read": 2, "stored": 2, "duplicate": 0, "ignored": 0, "rejected": 0}
    assert again == {"read": 2, "stored": 0, "duplicate": 2, "ignored": 0, "rejected": 0}
    assert [e.known_at for e in log.read_versions(None, AT + 10 * HOUR)] == [AT + HOUR, AT + 2 * HOUR]


def test_an_empty_file_is_nothing_read(tmp_path: Path) -> None:
    write_events(SCHEMA.empty_table(), tmp_path / "e.parquet")
    log, _ = memory_log()
    assert ingest_events(tmp_path / "e.parquet", log).read == 0
    assert log.positions() == {}


def test_what_is_not_such_a_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("not Parquet")
    pq.write_table(to_table(EVENTS).drop_columns(["visit", "kind"]), tmp_path / "less.parquet")
    wrong = to_table(EVENTS).drop_columns(["occurred_at"]).append_column("occurred_at", pa.array(["x", "y"]))
    pq.write_table(wrong, tmp_path / "type.parquet")
    for name, clear in (
        ("text", "cannot be read as Parquet"),
        ("nothing", "cannot be read as Parquet"),
        ("less", "lacks kind, visit"),
        ("type", "column of another type"),
    ):
        with pytest.raises(UnreadableInputError, match=clear) as told:
            read_events(tmp_path / f"{name}.parquet")
        assert "\n" not in str(told.value)


def test_a_word_that_the_vocabulary_does_not_hold_stores_nothing(tmp_path: Path) -> None:
    table = to_table(EVENTS)
    at = table.column_names.index("kind")
    write_events(table.set_column(at, "kind", pa.array(["Departed", "Vanished"])), tmp_path / "e.parquet")
    log, _ = memory_log()
    with pytest.raises(EventError):
        ingest_events(tmp_path / "e.parquet", log)
    assert log.length() == 0
