"""Aggregate counts into the log: known when published, accounted for wholly, gaps and frozen runs found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ingest.batch import fingerprints
from ingest.census import CensusAccount, ingest_census
from ingest.census_mapping import CensusMapping, load_census_mapping
from ingest.census_runs import FrozenRun, Gap, Series
from ingest.clock import SimulatedClock
from ingest.configuration import parse
from ingest.database import Database
from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.events import CensusObserved, Event
from ingest.local_times import micros_of
from ingest.log import EventLog
from ingest.mapping import find_mapping
from tests.extracts import PSEUDONYMS, march, written

QUEBEC = Path(__file__).parent.parent.parent / "shared" / "data" / "quebec-ed-hourly"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WIDE = """\
[source]
name = "regional"
format = "census"
site = "region"
zone = "UTC"
lag_min = 45
missing_values = ["", "-"]
[time]
column = "hour"
[site]
column = "where"
[measures]
ed_census = { column = "here", absent = ["-9"] }
ed_waiting = "waiting"
[frozen]
hours = 3
"""
LONG = (
    WIDE.split("[measures]")[0]
    + """\
[measure]
column = "what"
count = "n"
values = { TOT = "ed_census", ATT = "ed_waiting" }
"""
)
HEADER = "hour,where,here,waiting"


@pytest.fixture
def log() -> Iterator[EventLog]:
    with Database.open(None) as database:
        yield EventLog(database, SimulatedClock(NOW))


def mapping(text: str = WIDE) -> CensusMapping:
    return parse(text, CensusMapping, place="m.toml")


def ingest(path: Path, log: EventLog, text: str = WIDE, extracted_at: datetime | None = None) -> CensusAccount:
    account = ingest_census(path, mapping(text), log, PSEUDONYMS, now=NOW, extracted_at=extracted_at)
    assert account.read == account.stored + account.duplicate + account.ignored + account.rejected
    assert account.rejected == sum(account.reasons.values())
    return account


def counts(account: CensusAccount) -> tuple[int, int, int, int, int]:
    return account.read, account.stored, account.duplicate, account.ignored, account.rejected


def lines(events: list[Event]) -> list[tuple[str, str, str | None, int]]:
    return [(f"{e.occurred_at:%d %H:%M}", e.measure, e.unit, e.count) for e in events if isinstance(e, CensusObserved)]


# ------------------------------------------------------------------------------------------------------- the account


def test_a_row_is_a_reading_known_when_it_was_published(tmp_path: Path, log: EventLog) -> None:
    path = written(tmp_path, HEADER, "2026-03-02 10:00,A1,31,7", "2026-03-02 10:00,B2,12,-", "2026-03-02 11:00,A1,,")
    account = ingest(path, log)
    assert counts(account) == (3, 2, 0, 1, 0)
    assert account.ignored_by_name == {"(no reading)": 1}
    assert lines(log.read()) == [
        ("02 10:00", "ed_census", "A1", 31), ("02 10:00", "ed_waiting", "A1", 7), ("02 10:00", "ed_census", "B2", 12),
    ]  # fmt: skip
    assert log.read(known_at=march(2, "10:44")) == []
    assert len(log.read(known_at=march(2, "10:45"))) == 3
    assert counts(ingest(path, log)) == (3, 0, 2, 1, 0)


def test_a_column_may_say_when_it_was_published(tmp_path: Path, log: EventLog) -> None:
    text = WIDE.replace('column = "hour"', 'column = "hour"\npublished = "out"')
    path = written(tmp_path, f"{HEADER},out", "2026-03-02 10:00,A,3,1,2026-03-02 12:10", "2026-03-02 11:00,A,4,1,")
    ingest(path, log, text)
    assert [f"{e.known_at:%H:%M}" for e in log.read()] == ["12:10", "12:10", "11:45", "11:45"]


def test_a_row_a_count_tells_the_same_as_a_column_a_measure(tmp_path: Path, log: EventLog) -> None:
    rows = ["2026-03-02 10:00,A,TOT,31", "2026-03-02 10:00,A,ATT,7", "2026-03-02 10:00,A,BEDS,9"]
    account = ingest(written(tmp_path, "hour,where,what,n", *rows), log, LONG)
    assert counts(account) == (3, 2, 0, 1, 0)
    assert account.ignored_by_name == {"(measure not in the mapping)": 1}
    assert ingest(written(tmp_path, HEADER, "2026-03-02 10:00,A,31,7"), log).duplicate == 1


def test_a_corrected_count_is_known_from_the_file_that_brings_it(tmp_path: Path, log: EventLog) -> None:
    hour = "2026-03-02 10:00,A,{},7"
    ingest(written(tmp_path, HEADER, hour.format(31)), log, extracted_at=march(2, "12:00"))
    ingest(written(tmp_path, HEADER, hour.format(33)), log, extracted_at=march(3))
    then, now = log.read(known_at=march(2, "12:00")), log.read()
    assert [lines(events)[0][3] for events in (then, now)] == [31, 33]


REFUSED = [
    ("2026-02-30 10:00,A,1,1", "impossible_date"), (",A,1,1", "missing_time"),
    ("2026-03-02 10:00,,1,1", "unknown_value"),
    ("2026-03-02 10:00,Dupont Marie,1,1", "unknown_value"), ("2026-03-02 10:00,A,many,1", "unknown_value"),
    ("2026-03-02 10:00,A,-4,1", "unknown_value"), ("2026-03-02 10:00,A,1.5,1", "unknown_value"),
    ("2026-03-02 10:00,A,100001,1", "unknown_value"), ("2027-03-02 10:00,A,1,1", "in_future"),
    ("2026-03-02 10:00,A,1", "malformed"), ("2026-03-01 00:00,Z,2,2", "contradictory"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "reason"), REFUSED, ids=[f"{reason}-{n}" for n, (_, reason) in enumerate(REFUSED)])
def test_a_bad_row_is_rejected_and_the_others_stand(tmp_path: Path, log: EventLog, row: str, reason: str) -> None:
    good = ["2026-03-01 00:00,Z,1,1", "2026-03-01 01:00,Z,-9,3.0", "2026-03-01 00:00,Z,1,1"]
    account = ingest(written(tmp_path, HEADER, *good, row), log)
    assert (account.stored, account.duplicate, account.reasons) == (2, 1, {reason: 1})


@pytest.mark.parametrize(("pattern", "leaks"), [("[0-9]+", False), (".*", True)])
def test_no_rejected_row_repeats_what_it_says(tmp_path: Path, pattern: str, leaks: bool) -> None:
    text = WIDE.replace('"where"', f"\"where\"\npattern = '{pattern}'")
    path = written(tmp_path, HEADER, "2026-03-02 10:00,CanaryZz,many,1")
    with Database.open(tmp_path / "x.duckdb") as database:
        assert ingest(path, EventLog(database, SimulatedClock(NOW)), text).rejected == 1
    held = (tmp_path / "x.duckdb").read_bytes()
    assert (b"CanaryZz" in held) == leaks, "a pattern that lets all through keeps all"


# --------------------------------------------------------------------------------------------------- gaps and freezes


def series(*readings: tuple[str, int, int]) -> Series:
    """Readings as (whose, hour of 2 March, what was said), with hours for steps and 3 h for frozen."""
    hour = 3_600_000_000
    out = Series(hour, 3 * hour)
    at = np.array([micros_of(march(2)) + h * hour for _, h, _ in readings], dtype=np.int64)
    said = fingerprints([np.array([s for _, _, s in readings], dtype=np.int64)])
    out.add(pa.array([name for name, _, _ in readings], pa.string()), at, said)
    return out


def test_gaps_are_found_and_those_of_many_series_told_once() -> None:
    found = series(*[(s, h, h) for s in "AB" for h in (0, 1, 5, 6)], ("A", 8, 8)).gaps()
    assert found == [
        Gap(since=march(2, "02:00"), until=march(2, "05:00"), readings=3, series=2),
        Gap(since=march(2, "07:00"), until=march(2, "08:00"), readings=1, series=1),
    ]
    assert series(("A", 0, 1), ("B", 9, 1)).gaps() == [], "two series have no gap between them"


def test_frozen_runs_are_found_across_one_missing_hour_and_not_across_two() -> None:
    still = [("A", h, 7) for h in (0, 1, 3, 4)] + [("A", h, 8) for h in (5, 6)] + [("A", h, 8) for h in (9, 10)]
    moving = [("B", h, h) for h in range(11)]
    assert series(*still, *moving).frozen() == [
        FrozenRun(series="A", since=march(2, "00:00"), until=march(2, "04:00"), readings=4)
    ]
    assert (series().frozen(), series().gaps()) == ([], [])


def test_a_frozen_run_is_stored_flagged_and_counted_over_all_files(tmp_path: Path, log: EventLog) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    for day, hours in ((2, range(22, 24)), (3, range(2))):
        rows = [f"2026-03-{day:02d} {h:02d}:00,A,5,5" for h in hours]
        written(folder, HEADER, *rows, name=f"{day}.csv")
    account = ingest(folder, log)
    assert (account.stored, account.flags, account.gaps) == (4, {"frozen": 4}, [])
    assert [run.readings for run in account.frozen] == [4]


# ------------------------------------------------------------------------------------------------------------ bad input


def test_every_fault_of_a_mapping_is_told_at_once_with_its_line() -> None:
    text = (
        WIDE.replace('zone = "UTC"', 'zone = "Mars"')
        .replace("hours = 3", "hour = 3")
        .replace("lag_min = 45", "lag_min = -1")
    )
    with pytest.raises(ConfigurationError) as told:
        mapping(text)
    assert [fault.split(": ")[:2] for fault in told.value.faults] == [
        ["m.toml:5", "source.zone"], ["m.toml:6", "source.lag_min"], ["m.toml:16", "frozen.hour"],
    ]  # fmt: skip
    with pytest.raises(ConfigurationError, match="a column a measure, or a row a count"):
        mapping(WIDE.split("[measures]")[0])


def test_a_fault_of_a_file_is_told_before_anything_is_stored(tmp_path: Path, log: EventLog) -> None:
    written(tmp_path, HEADER, "2026-03-02 10:00,A,1,1", name="1.csv")
    written(tmp_path, "hour,where,here,waitng", "2026-03-02 10:00,A,1,1", name="2.csv")
    with pytest.raises(ConfigurationError, match=r"2.csv has 4 columns, but none is 'waiting'; the nearest is"):
        ingest(tmp_path, log)
    (tmp_path / "2.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UnreadableInputError, match="is not utf-8 text"):
        ingest(tmp_path, log)
    assert log.length() == 0


# ----------------------------------------------------------------------------------------------------------- real data


@pytest.mark.skipif(not QUEBEC.exists(), reason="the Québec file is not at ../shared/data")
def test_three_sites_of_a_year_are_accounted_for_wholly(log: EventLog) -> None:
    loaded = load_census_mapping(find_mapping("quebec"))
    first = ingest_census(QUEBEC / "demo_3sites_2024.csv", loaded, log, PSEUDONYMS, now=NOW)
    assert counts(first) == (25077, 24429, 0, 648, 0)
    assert log.length() == 6 * 24429
    hours = 3 * (366 * 24)  # one a site and hour of the year, but the hour that autumn repeats, which comes once
    assert first.flags == {"ambiguous": 3}
    assert first.stored + sum(gap.readings * gap.series for gap in first.gaps) == hours
    again = ingest_census(QUEBEC / "demo_3sites_2024.csv", loaded, log, PSEUDONYMS, now=NOW)
    assert counts(again) == (25077, 0, 24429, 648, 0)


@pytest.mark.skipif(not QUEBEC.exists(), reason="the Québec file is not at ../shared/data")
def test_the_sites_that_froze_for_days_are_found_and_what_is_stored_is_what_the_file_says(
    tmp_path: Path, log: EventLog
) -> None:
    table = pq.read_table(QUEBEC / "quebec_ed_hourly_dev.parquet")
    frozen = table.filter(pc.is_in(table["site_id"], pa.array(["51247617", "51235307"])))
    file = tmp_path / "two.parquet"
    pq.write_table(frozen, file)
    account = ingest_census(file, load_census_mapping(find_mapping("quebec")), log, PSEUDONYMS, now=NOW)
    assert [(run.series, run.readings) for run in account.frozen[:2]] == [("51247617", 229), ("51235307", 232)]
    stored = log.read_table(kinds=["CensusObserved"])
    of_census = stored.filter(pc.equal(stored["measure"], "ed_census"))
    assert pc.sum(of_census["count"]).as_py() == pc.sum(frozen["patients_total"]).as_py()
    lag = pc.subtract(stored["known_at"], stored["occurred_at"])
    assert pc.unique(lag).to_pylist() == [timedelta(minutes=45)]


@pytest.mark.soak
@pytest.mark.timeout(1200)  # a minute on a quiet machine
@pytest.mark.skipif(not QUEBEC.exists(), reason="the Québec file is not at ../shared/data")
def test_105_sites_of_two_years_are_accounted_for_wholly(tmp_path: Path) -> None:
    with Database.open(tmp_path / "q.duckdb") as database:
        log = EventLog(database, SimulatedClock(NOW))
        loaded = load_census_mapping(find_mapping("quebec"))
        account = ingest_census(QUEBEC / "quebec_ed_hourly_dev.parquet", loaded, log, PSEUDONYMS, now=NOW)
    assert counts(account) == (1682729, 1644935, 0, 37794, 0)
    assert replace(account, gaps=(), frozen=()).flags == {"ambiguous": 210, "frozen": 43929}
