"""Templates that people fill in: every shipped example is read, a file with a fault is not taken at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.batch import ExtractAccount
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.events import ArrivalExpected, StaffOnDuty
from ingest.log import EventLog
from ingest.mapping import find_mapping
from ingest.places import MOST_FAULTS, TEMPLATES, ingest_places
from ingest.places_mapping import load_places_mapping
from tests.extracts import PSEUDONYMS, march, said, written
from tests.fhirs import line
from twin.state import State, fold

EXAMPLES = Path(__file__).parent.parent / "ingest" / "templates"
MAPPING = load_places_mapping(find_mapping("places"))
NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


@pytest.fixture
def log() -> Iterator[EventLog]:
    with Database.open(None) as database:
        yield EventLog(database, SimulatedClock(NOW))


def ingest(path: Path, log: EventLog, *, extracted_at: datetime | None = None) -> ExtractAccount:
    account = ingest_places(path, MAPPING, log, PSEUDONYMS, now=NOW, extracted_at=extracted_at)
    assert account.read == account.stored + account.duplicate + account.ignored + account.rejected
    return account


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.csv")), ids=lambda path: path.stem)
def test_every_shipped_example_is_read_and_twice_is_nothing_new(example: Path, log: EventLog) -> None:
    rows = len(example.read_text().splitlines()) - 1
    first, again = ingest(example, log), ingest(example, log)
    assert (first.read, first.stored) == (rows, rows)
    assert (again.stored, again.duplicate) == (0, rows)


def test_there_is_an_example_of_every_template_and_a_folder_of_them_is_read(log: EventLog) -> None:
    assert {path.stem for path in EXAMPLES.glob("*.csv")} == {template.name for template in TEMPLATES}
    assert ingest(EXAMPLES, log).stored == len(log.read()) == 30


def test_a_roster_of_next_week_is_known_today_and_counts_when_it_begins(tmp_path: Path, log: EventLog) -> None:
    rows = ["2026-03-02 08:00,doctor,5", "2026-03-09 08:00,doctor,6"]
    ingest(written(tmp_path, "from,pool,count", *rows), log)
    assert [(f"{e.known_at:%d %H:%M}", said(e)) for e in log.read()] == [
        ("02 07:00", "count=5 pool=doctor"), ("02 15:00", "count=6 pool=doctor"),
    ]  # fmt: skip
    state = fold(State(), log.read())
    assert [state.counted(StaffOnDuty, march(day)) for day in (3, 10)] == [{"doctor": 5}, {"doctor": 6}]


def test_plans_change_are_cancelled_and_are_made_again(tmp_path: Path, log: EventLog) -> None:
    header, row = "visit,told,expected,mode,cancelled", "A1,2026-03-02 14:00,2026-03-02 {},smur,{}"
    for hour, (clock, cancelled) in enumerate([("14:20", ""), ("14:40", "no"), ("14:40", "yes"), ("14:50", "no")]):
        ingest(written(tmp_path, header, row.format(clock, cancelled)), log, extracted_at=march(2, f"{16 + hour}:00"))
    views = [log.read(known_at=march(2, f"{16 + hour}:30")) for hour in range(4)]
    assert [line(e)[2] for view in views for e in view if isinstance(e, ArrivalExpected)] == [
        f"expected_at=2026-03-02 13:{minute}:00+00:00 mode=smur" for minute in (20, 40, 40, 50)
    ]
    assert [len(fold(State(), view).visits) for view in views] == [1, 1, 0, 1]


def test_visits_of_plans_are_pseudonyms_of_the_site(tmp_path: Path, log: EventLog) -> None:
    ingest(written(tmp_path, "visit,told,expected,to", "V7,2026-03-02 09:00,2026-03-02 15:00,home"), log)
    (event,) = log.read()
    assert getattr(event, "visit") == PSEUDONYMS.of_site("fabricated").one("visit", "V7")  # noqa: B009
    assert line(event) == ("DischargePlanned", "08:00", "expected_at=2026-03-02 14:00:00+00:00 to=home")


BEDS, PLAN = "from,unit,open_beds", "visit,told,expected,unit"
FAULTS = [
    (BEDS, "2026-02-30 07:00,medicine,28", "x.csv:2: from: must be a time that exists"),
    (BEDS, ",medicine,28", "x.csv:2: from: must be a time that exists"),
    (BEDS, "2026-03-02 07:00,Dupont,28", "x.csv:2: unit: must be one of medicine, geriatrics"),
    (BEDS, "2026-03-02 07:00,medicine,-1", "x.csv:2: open_beds: must be a whole number from 0 to 10000"),
    (BEDS, "2026-03-02 07:00,medicine,many", "x.csv:2: open_beds: must be a whole number"),
    (BEDS, "2026-03-02 07:00,medicine", "x.csv:2: row: must have 3 cells, but has 2"),
    (BEDS, f"2026-03-02 07:00,medicine,{'9' * 101}", "x.csv:2: row: must have no cell of more than 100"),
    ("from,unit,bed,status", "2026-03-02 07:00,medicine,Mme Dupont,closed", "x.csv:2: bed: must be a number or code"),
    ("from,unit,bed,status", "2026-03-02 07:00,medicine,12,broken", "x.csv:2: status: must be one of opened"),
    ("from,pool,count", "2026-03-02 07:00,porter,2", "x.csv:2: pool: must be one of doctor"),
    ("from,resource,count", "2026-03-02 07:00,porter,2", "x.csv:2: resource: must be one of ventilator"),
    (PLAN, ",2026-03-02 09:00,2026-03-03 08:00,surgery", "x.csv:2: visit: must be given"),
    (PLAN, "V1,2026-03-02 09:00,2026-03-01 08:00,surgery", "x.csv:2: expected: must not be before told"),
    (PLAN, "V1,2026-03-05 09:00,2026-03-06 08:00,surgery", "x.csv:2: told: must not be after the file was taken"),
    ("visit,told,expected,mode", "V1,2026-03-02 09:00,2026-03-02 10:00,taxi", "x.csv:2: mode: must be one of"),
    ("visit,told,expected,to,cancelled", "V1,2026-03-02 09:00,2026-03-02 10:00,,maybe", "x.csv:2: cancelled: must be"),
    ("visit,told,expected,age", "V1,2026-03-02 09:00,2026-03-02 10:00,7", "x.csv:1: the header has 4 columns"),
    ("from,unit,open_beds,open_beds", "2026-03-02 07:00,medicine,1,1", "x.csv:1: the header has 4 columns"),
]  # fmt: skip


@pytest.mark.parametrize(("header", "row", "fault"), FAULTS, ids=range(len(FAULTS)))
def test_a_fault_names_line_column_and_rule_and_nothing_is_stored(
    tmp_path: Path, log: EventLog, header: str, row: str, fault: str
) -> None:
    shutil.copy(EXAMPLES / "roster.csv", tmp_path / "a.csv")
    written(tmp_path, header, row)
    with pytest.raises(ConfigurationError) as told:
        ingest(tmp_path, log)
    assert told.value.faults[0].startswith(fault)
    assert len(told.value.faults) == 1
    assert "Dupont" not in str(told.value)
    assert log.length() == 0


def test_all_faults_are_told_at_once_up_to_a_bound(tmp_path: Path, log: EventLog) -> None:
    twice = ["2026-03-02 07:00,medicine,28", "2026-03-02 07:00,surgery,x", "2026-03-02 07:00,medicine,27"]
    with pytest.raises(ConfigurationError) as told:
        ingest(written(tmp_path, BEDS, *twice), log)
    assert [fault.split(": ", 2)[:2] for fault in told.value.faults] == [["x.csv:3", "open_beds"], ["x.csv:4", "unit"]]
    assert told.value.faults[1].endswith("line 2 speaks of the same already")
    many = [f"2026-03-02 07:{n:02d},medicine,x" for n in range(30)]
    with pytest.raises(ConfigurationError) as told:
        ingest(written(tmp_path, BEDS, *many), log)
    assert (len(told.value.faults), told.value.faults[-1]) == (MOST_FAULTS + 1, "and 10 more")


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, log: EventLog) -> None:
    bad = {b"": "is empty", b"\xff\xfe": "is not utf-8", b'from,unit,open_beds\n"2026': "a quote is not closed"}
    for content, words in bad.items():
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(UnreadableInputError, match=words):
            ingest(tmp_path / "x.csv", log)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UnreadableInputError, match="folder without files"):
        ingest(tmp_path / "empty", log)


def test_a_time_in_the_repeated_hour_is_flagged(tmp_path: Path, log: EventLog) -> None:
    account = ingest(written(tmp_path, BEDS, "2025-10-26 02:30,medicine,28"), log)
    assert account.flags == {"ambiguous": 1}
