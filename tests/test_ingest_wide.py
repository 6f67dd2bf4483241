"""One row a visit: each value on the event from which it is known, each senseless row rejected with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.columns import SCHEMA, from_table
from ingest.events import Arrived
from tests.extracts import PSEUDONYMS, WIDE, WIDE_HEADER, batches, known, march, read_one, story, visit_of, written

FULL = "7,p1,2026-03-02 10:00,2026-03-02 10:05,2026-03-02 15:00,80,2,W,MED"


def reasons(folder: Path, *rows: str, mapping: str = WIDE) -> list[tuple[str, str]]:
    return [(r.place, r.reason) for r in read_one(written(folder, WIDE_HEADER, *rows), mapping).rejected]


def test_a_row_tells_the_story_of_a_visit(tmp_path: Path) -> None:
    batch = read_one(written(tmp_path, WIDE_HEADER, FULL), WIDE)
    assert story(batch) == [
        ("2", "Arrived", "02 09:00", "age_band=75+"),
        ("2", "Triaged", "02 09:05", "acuity=2"),
        ("2", "Departed", "02 14:00", "to=ward unit=medicine"),
    ]
    assert batch.table.schema == SCHEMA
    assert {e.visit for e in from_table(batch.table)} == {visit_of("7")}  # type: ignore[attr-defined]
    arrived = next(e for e in from_table(batch.table) if isinstance(e, Arrived))
    assert arrived.patient == PSEUDONYMS.one("patient", "p1")
    assert arrived.event_id == f"er/{visit_of('7')}/Arrived/0"


def test_what_is_empty_makes_no_event(tmp_path: Path) -> None:
    rows = ("7,,2026-03-02 10:00,,,,,,", "8,,2026-03-02 10:00,,2026-03-02 11:00,,,F,")
    assert story(read_one(written(tmp_path, WIDE_HEADER, *rows), WIDE)) == [
        ("2", "Arrived", "02 09:00", ""),
        ("3", "Arrived", "02 09:00", ""),
        ("3", "LeftWithoutBeingSeen", "02 10:00", ""),
    ]


def test_a_value_whose_milestone_is_missing_is_known_at_the_next(tmp_path: Path) -> None:
    batch = read_one(written(tmp_path, WIDE_HEADER, "7,,2026-03-02 10:00,,2026-03-02 11:00,,2,R,"), WIDE)
    assert story(batch)[1:] == [("2", "Changed", "02 10:00", "acuity=2"), ("2", "Departed", "02 10:00", "to=home")]
    assert known(batch)["2 Changed"] == march(2, "10:30")
    unfinished = read_one(written(tmp_path, WIDE_HEADER, "7,,2026-03-02 10:00,,,,2,,"), WIDE)
    assert story(unfinished) == [("2", "Arrived", "02 09:00", "")], "not known yet at any milestone"


def test_a_value_may_be_known_later_than_its_milestone(tmp_path: Path) -> None:
    late = WIDE.replace('acuity = "acuity"', 'acuity = { column = "acuity", known_from = "departed" }')
    batch = read_one(written(tmp_path, WIDE_HEADER, FULL), late)
    assert ("2", "Triaged", "02 09:05", "") in story(batch)
    assert ("2", "Changed", "02 14:00", "acuity=2") in story(batch)
    assert known(batch)["2 Changed"] == march(2, "14:30")


def test_known_at_is_recorded_else_lagged_else_the_later_entry(tmp_path: Path) -> None:
    assert known(read_one(written(tmp_path, WIDE_HEADER, FULL), WIDE)) == {
        "2 Arrived": march(2, "09:00"), "2 Triaged": march(2, "09:05"), "2 Departed": march(2, "14:30"),
    }  # fmt: skip
    recorded = WIDE.replace('triaged = "triaged"', 'triaged = { column = "triaged", recorded = "who" }')
    recorded = recorded.replace('patient = "who"\n', "")
    row = FULL.replace("p1", "2026-03-02 10:20")
    batch = read_one(written(tmp_path, WIDE_HEADER, row), recorded)
    assert known(batch)["2 Triaged"] == march(2, "09:20")
    later = WIDE.replace('triaged = "triaged"', 'triaged = { column = "triaged", known_from = "departed" }')
    assert known(read_one(written(tmp_path, WIDE_HEADER, FULL), later))["2 Triaged"] == march(2, "14:30")
    unfinished = read_one(written(tmp_path, WIDE_HEADER, "7,,2026-03-02 10:00,2026-03-02 10:05,,,,,"), later)
    assert known(unfinished)["2 Triaged"] == march(31), "known from the extract alone"


def test_nothing_is_known_later_than_the_extract_that_holds_it(tmp_path: Path) -> None:
    soon = WIDE.replace("2026-03-31T00:00:00Z", "2026-03-02T14:10:00Z")
    assert known(read_one(written(tmp_path, WIDE_HEADER, FULL), soon))["2 Departed"] == march(2, "14:10")


def test_a_decision_may_be_to_admit_or_to_send_home(tmp_path: Path) -> None:
    text = WIDE.replace('triaged = "triaged"', 'decided = "triaged"').replace('acuity = "acuity"\n', "")
    text = text.replace(
        "[destination]", '[decision]\ncolumn = "acuity"\nvalues = {A = "admit", D = "discharge"}\n[destination]'
    )
    rows = (FULL.replace(",2,W", ",A,W"), FULL.replace("7,p1", "8,p2").replace(",2,W,MED", ",D,R,"))
    kinds = [(row, kind) for row, kind, _, _ in story(read_one(written(tmp_path, WIDE_HEADER, *rows), text))]
    assert kinds == [
        ("2", "Arrived"), ("2", "DecidedToAdmit"), ("2", "Departed"),
        ("3", "Arrived"), ("3", "DecidedToDischarge"), ("3", "Departed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",p,2026-03-02 10:00,,,,,,", "missing_key"),
        ("  ,p,2026-03-02 10:00,,,,,,", "missing_key"),
        ("7,p,2026-02-30 10:00,,,,,,", "impossible_date"),
        ("7,p,2026-03-02 10:00,,yesterday,,,,", "impossible_date"),
        ("7,p,,,2026-03-02 10:00,,,,", "missing_arrival"),
        ("7,p,2026-03-02 10:00,,,,6,,", "unknown_value"),
        ("7,p,2026-03-02 10:00,,2026-03-02 11:00,,,X,", "unknown_value"),
        ("7,p,2026-03-02 10:00,,,old,,,", "unknown_value"),
        ("7,p,2026-03-02 10:00,,,-1,,,", "unknown_value"),
        ("7,p,2026-03-02 10:00,,,131,,,", "unknown_value"),
        ("7,p,2026-03-02 10:00,,2026-03-02 09:59,,,,", "before_arrival"),
        ("7,p,2026-03-02 10:00,2026-03-01 10:00,,,,,", "before_arrival"),
        ("7,p,2026-04-02 10:00,,,,,,", "in_future"),
        ("7,p,2026-03-02 10:00,,2026-03-05 10:01,,,,", "stay_over_limit"),
        ("7,p,2026-03-02 10:00", "malformed"),
    ],
)
def test_a_senseless_row_is_rejected_whole_with_the_first_rule_it_breaks(tmp_path: Path, row: str, reason: str) -> None:
    batch = read_one(written(tmp_path, WIDE_HEADER, row, FULL.replace("7,", "9,", 1)), WIDE)
    assert [(r.place, r.reason) for r in batch.rejected] == [("x.csv:row 2", reason)]
    assert {row for row, *_ in story(batch)} == {"3"}, "its neighbour is stored"
    assert batch.read == 2


def test_the_limits_themselves_are_allowed(tmp_path: Path) -> None:
    rows = ("7,p,2026-03-02 10:00,,2026-03-05 10:00,0,,,", "8,p,2026-03-31 02:00,,2026-03-31 02:00,130,,,")
    assert reasons(tmp_path, *rows) == []


def test_a_visit_told_twice_is_stored_once_and_a_contradiction_is_rejected(tmp_path: Path) -> None:
    other = FULL.replace("15:00", "16:00")
    batch = read_one(written(tmp_path, WIDE_HEADER, FULL, FULL, other, FULL), WIDE)
    assert (batch.read, batch.repeated) == (4, 2)
    assert [(r.place, r.reason) for r in batch.rejected] == [("x.csv:row 4", "contradictory")]


def test_a_contradiction_is_seen_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.extract_file._BLOCK_BYTES", 600)
    rows = [FULL.replace("7,", f"{n},", 1) for n in range(100)]
    found = batches(written(tmp_path, WIDE_HEADER, *rows, rows[0], rows[1].replace("15:00", "16:00")), WIDE)
    assert len(found) > 5
    assert sum(b.repeated for b in found) == 1
    assert [(r.place, r.reason) for b in found for r in b.rejected] == [("x.csv:row 103", "contradictory")]
    assert {row for b in found for row in b.table["position"].to_pylist()} == set(range(2, 102))


def test_a_rejected_row_keeps_what_is_allowed_and_no_more(tmp_path: Path) -> None:
    row = "7777,Durand,2026-03-02 10:00,2026-03-02 10:05,2026-03-02 09:00,80,2,R,MED"
    (wrong,) = read_one(written(tmp_path, WIDE_HEADER, row), WIDE).rejected
    assert wrong.text == (
        f"departed is before arrived (visit {visit_of('7777')}; arrived 2026-03-02T09:00:00+00:00; "
        "triaged 2026-03-02T09:05:00+00:00; departed 2026-03-02T08:00:00+00:00; acuity 2; age 75+; "
        "destination home; ward medicine)"
    )


def test_birth_dates_become_bands_on_the_day_of_arrival(tmp_path: Path) -> None:
    born = WIDE.replace('age = { column = "age" }', 'age = { column = "age", holds = "birth_date" }')
    days = {"2008-03-02": "18-74", "2008-03-03": "0-17", "1951-03-02": "75+", "1951-03-03": "18-74", "2026-03-03": None}
    rows = [f"{n},,2026-03-02 10:00,,,{day},,," for n, day in enumerate(days)]
    batch = read_one(written(tmp_path, WIDE_HEADER, *rows), born)
    assert [s for *_, s in story(batch)] == [f"age_band={b}" for b in days.values() if b]
    assert [r.reason for r in batch.rejected] == ["unknown_value"], "born after the arrival"
    assert not any(day in r.text for r in batch.rejected for day in days)


def test_the_night_of_a_clock_change_is_counted(tmp_path: Path) -> None:
    autumn = WIDE.replace("2026-03-31T", "2026-12-31T")
    row = "7,,2026-10-25 01:30,2026-10-25 02:30,2026-10-25 03:30,,,R,"
    batch = read_one(written(tmp_path, WIDE_HEADER, row, "8,,2026-03-29 02:15,,,,,,"), autumn)
    assert batch.flags == {"ambiguous": 1, "missing": 1}
    assert [s[:3] for s in story(batch)] == [
        ("2", "Arrived", "24 23:30"), ("2", "Triaged", "25 00:30"), ("2", "Departed", "25 02:30"),
        ("3", "Arrived", "29 01:15"),
    ]  # fmt: skip


def test_a_reader_that_knew_the_destination_at_arrival_would_be_found_out(tmp_path: Path) -> None:
    """Mutant: with no lag between exit and entry, the exit is known too soon; the check of known times sees it."""

    def exits_wait_for_their_entry(mapping: str) -> bool:
        batch = read_one(written(tmp_path, WIDE_HEADER, FULL), mapping)
        return known(batch)["2 Departed"] == march(2, "14:30")

    assert exits_wait_for_their_entry(WIDE)
    assert not exits_wait_for_their_entry(WIDE.replace("lag_min = 30", "lag_min = 0"))
