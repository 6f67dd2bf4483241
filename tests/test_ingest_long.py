"""One row an event: activities become events, each row judged alone, the first of its kind told from the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.columns import from_table
from ingest.events import Arrived, TestResulted
from tests.extracts import LONG, LONG_HEADER, PSEUDONYMS, batches, known, march, read_one, story, visit_of, written

STAY = (
    "7,1,Came,2026-03-02 10:00,80",
    "7,2,Blood,2026-03-02 10:30,",
    "7,3,Coffee,2026-03-02 10:40,",
    "7,4,Ward,2026-03-02 15:00,",
    "7,5,Ward,2026-03-03 15:00,",
    "7,6,Out,2026-03-05 15:00,",
    "8,7,Came,2026-03-02 11:00,3",
    "8,8,Out,2026-03-02 12:00,",
)
NUMBERED_BY_ORDER = LONG.replace('record = "id"\n', "")


def test_activities_become_the_events_of_the_mapping(tmp_path: Path) -> None:
    batch = read_one(written(tmp_path, LONG_HEADER, *STAY), LONG)
    assert story(batch) == [
        ("2", "Arrived", "02 09:00", "age_band=75+"),
        ("3", "TestResulted", "02 09:30", "test=laboratory"),
        ("5", "Departed", "02 14:00", "to=ward unit=medicine"),
        ("6", "Moved", "03 14:00", "unit=medicine"),
        ("7", "LeftWard", "05 14:00", "to=home"),
        ("8", "Arrived", "02 10:00", "age_band=0-17"),
        ("9", "Departed", "02 11:00", "to=home"),
    ]
    assert (batch.read, batch.ignored, batch.ignored_by_name) == (8, 1, {"Coffee": 1})
    assert known(batch)["3 TestResulted"] == march(2, "09:40")


def test_an_event_is_named_after_its_record(tmp_path: Path) -> None:
    arrived = next(e for e in from_table(read_one(written(tmp_path, LONG_HEADER, *STAY), LONG).table))
    assert isinstance(arrived, Arrived)
    assert arrived.event_id == f"er/{visit_of('7')}/Arrived/{PSEUDONYMS.one('record', '1')}"


def test_an_earlier_row_found_later_renumbers_nothing_where_records_have_numbers(tmp_path: Path) -> None:
    grown = (STAY[0], "7,99,Blood,2026-03-02 10:10,", *STAY[1:])

    def bloods(mapping: str, *rows: str) -> dict[str, str]:
        events = from_table(read_one(written(tmp_path, LONG_HEADER, *rows), mapping).table)
        return {e.event_id: e.occurred_at.strftime("%H:%M") for e in events if isinstance(e, TestResulted)}

    def kept(mapping: str) -> bool:
        return bloods(mapping, *STAY).items() <= bloods(mapping, *grown).items()

    assert kept(LONG)
    assert not kept(NUMBERED_BY_ORDER), "mutant: numbered by order, the old blood test becomes another"


def test_without_record_numbers_events_are_counted_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = ("7,1,Blood,2026-03-02 10:00,", "8,2,Blood,2026-03-02 10:00,", "7,3,Blood,2026-03-02 09:00,")
    events = from_table(read_one(written(tmp_path, LONG_HEADER, *rows), NUMBERED_BY_ORDER).table)
    assert [(e.position, e.event_id.rsplit("/", 1)[1]) for e in events] == [(2, "0"), (3, "0"), (4, "1")]


def test_what_a_visit_had_is_remembered_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_one(written(tmp_path, LONG_HEADER, *STAY), NUMBERED_BY_ORDER)
    monkeypatch.setattr("ingest.extract_file._BLOCK_BYTES", 60)
    cut = batches(written(tmp_path, LONG_HEADER, *STAY), NUMBERED_BY_ORDER)
    assert len(cut) > 3
    ids = {(e.event_id, e.occurred_at) for b in cut for e in from_table(b.table)}
    assert ids == {(e.event_id, e.occurred_at) for e in from_table(whole.table)}


def test_a_row_said_twice_is_stored_once_and_a_contradiction_is_rejected(tmp_path: Path) -> None:
    moved = STAY[0].replace("10:00", "10:01")
    batch = read_one(written(tmp_path, LONG_HEADER, STAY[0], STAY[0], moved), LONG)
    assert batch.repeated == 1
    assert [(r.place, r.reason) for r in batch.rejected] == [("x.csv:row 4", "contradictory")]
    unnumbered = read_one(written(tmp_path, LONG_HEADER, STAY[0], STAY[0], moved), NUMBERED_BY_ORDER)
    assert (unnumbered.repeated, len(unnumbered.rejected), unnumbered.table.num_rows) == (1, 0, 2)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",1,Came,2026-03-02 10:00,80", "missing_key"),
        ("7,,Came,2026-03-02 10:00,80", "missing_key"),
        ("7,1,Came,2026-02-30 10:00,80", "impossible_date"),
        ("7,1,Came,,80", "missing_time"),
        ("7,1,Came,2026-04-30 10:00,80", "in_future"),
        ("7,1,Came,2026-03-02 10:00,800", "unknown_value"),
        ("7,1,Came,2026-03-02 10:00,80,more", "malformed"),
        ("7,1,Dance,2026-03-02 10:00,80", "unknown_activity"),
    ],
)
def test_a_senseless_row_is_rejected_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    strict = LONG.replace('column = "what"', 'column = "what"\nunknown = "reject"')
    batch = read_one(written(tmp_path, LONG_HEADER, row, STAY[6]), strict)
    assert [(r.place, r.reason) for r in batch.rejected] == [("x.csv:row 2", reason)]
    assert [row for row, *_ in story(batch)] == ["3"]


def test_an_activity_without_a_name_in_the_mapping_is_ignored_and_not_repeated(tmp_path: Path) -> None:
    batch = read_one(written(tmp_path, LONG_HEADER, "7,1,Jean Durand called,2026-03-02 10:00,", *STAY[2:3]), LONG)
    assert batch.ignored_by_name == {"(not in the mapping)": 1, "Coffee": 1}
    assert batch.ignored == 2


def test_a_case_may_be_called_like_a_missing_value(tmp_path: Path) -> None:
    missing = LONG.replace("[keys]", 'missing_values = ["NA"]\n[keys]')
    batch = read_one(written(tmp_path, LONG_HEADER, "NA,1,Came,2026-03-02 10:00,NA"), missing)
    assert story(batch) == [("2", "Arrived", "02 09:00", "")]


def test_events_before_the_arrival_are_kept_as_they_came(tmp_path: Path) -> None:
    batch = read_one(written(tmp_path, LONG_HEADER, "7,2,Blood,2026-03-02 09:30,", STAY[0]), LONG)
    assert [kind for _, kind, *_ in story(batch)] == ["TestResulted", "Arrived"]
    assert batch.rejected == []


def test_a_time_recorded_later_is_known_later(tmp_path: Path) -> None:
    recorded = LONG.replace('column = "when"', 'column = "when"\nrecorded = "age"').replace(
        ', age_band = { column = "age" }', ""
    )
    batch = read_one(written(tmp_path, LONG_HEADER, "7,1,Came,2026-03-02 10:00,2026-03-02 12:00"), recorded)
    assert known(batch) == {"2 Arrived": march(2, "11:00")}
