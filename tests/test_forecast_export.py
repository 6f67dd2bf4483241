"""Exports: columns described and filled, the law of the log, nobody told apart, whole files or none; with mutants."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from dashboard.house import House, open_house
from dashboard.settings import load_settings
from forecast import export_file
from forecast.archive import Archive, CycleRecord
from forecast.export import Source, Table, slices
from forecast.export_file import Form, columns_file, write
from forecast.exports import TABLES
from forecast.past import truth_of_period
from forecast.values import LEVELS, Forecast, Series
from forecast.verify import score
from ingest.clock import WallClock
from ingest.database import Database, naive
from ingest.events import Arrived, Cancelled, Departed, Event, EventId, VisitId
from ingest.log import EventLog, Position
from tests.commands import fabricated, ingested
from twin.calibrate import Calibration, calibrate
from twin.memory import Memory
from twin.state import State, fold, standing

FROM, TO = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC)
LEADS = np.array([0.0, 60.0])
HOUR = timedelta(hours=1)


@dataclass
class World:
    """A small hospital's house, with two forecasts, their scores and an alarm."""

    house: House
    source: Source


def series(middle: float) -> Series:
    return Series(np.array([np.nan, middle]), {q: np.array([np.nan, middle + 10 * (q - 0.5)]) for q in LEVELS})


def forecast(at: datetime) -> Forecast:
    usual, busy = {"ed_census": series(40.0)}, {"ed_census": series(46.0)}
    more = {"arrivals_up_20": {"ed_census": series(6.0)}}
    return Forecast(at, at, at, LEADS, {
        "as_usual": usual, "raw": {"ed_census": series(43.0)}, "rival:persistence": {"ed_census": series(38.0)},
        "arrivals_up_20": busy,
    }, more, {})  # fmt: skip


def filled(database: Database) -> None:
    """Two forecasts, the scores of one, a cycle, an alarm that somebody answered, and a figure of a day."""
    archive = Archive(database)
    for at in (FROM, FROM + HOUR):
        archive.store(forecast(at))
    told = replace(forecast(FROM), scenarios={"as_usual": {"ed_census": series(40.0)}}, differences={})
    came, rule = {"ed_census": np.array([41.0])}, {"persistence": {"ed_census": series(38.0).at([1])}}
    pairs = score(told, came, rule, lead_min=(60.0,), weight_of_simulation=0.5)
    archive.store_scores(pairs, verified_at=TO)
    archive.record_cycle(CycleRecord(FROM, FROM, FROM + HOUR, 3.0, "done"))
    with database.transaction() as cursor:
        cursor.execute(
            "INSERT INTO alarm_log VALUES (1, ?, 'a', 'r', 'acknowledged', 'alert', 'Marie', 'call Mr X', NULL, '{}')",
            [naive(FROM)],
        )
        day = (FROM + timedelta(days=1)).date()
        cursor.execute("INSERT INTO day VALUES (?, 'arrivals', NULL, 'mode', 'pooled', 7.0)", [day])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = ingested(fabricated(tmp_path_factory.mktemp("export")))
    with open_house(load_settings(None, data=folder)) as house:
        filled(house.database)
        span = house.log.span()
        assert span is not None
        end = span.last_occurred_at
        learned: list[Calibration] = []

        def once() -> Calibration:
            if not learned:
                learned.append(calibrate(Memory(house.log).at(end), house.hospital, end, own_beds=True))
            return learned[0]

        yield World(house, Source(house.log, house.database, WallClock().now(), once))


def read(table: Table, world: World, *, pseudonyms: bool = False) -> pa.Table:
    return table.part(world.source, FROM, TO, pseudonyms=pseudonyms)


# --- every table


@pytest.mark.parametrize("name", list(TABLES))
def test_every_table_has_rows_of_its_period_with_its_columns(world: World, name: str) -> None:
    table = TABLES[name]
    found = read(table, world)
    assert found.num_rows > 0
    assert found.column_names == [column.name for column in table.shown(pseudonyms=False)]
    at = found[table.by].to_pylist()
    if found.schema.field(table.by).type == pa.date32():
        at = [datetime.combine(day, time(), UTC) for day in at]
    else:
        assert found.schema.field(table.by).type == pa.timestamp("us", tz="UTC")
    assert all(FROM <= instant < TO for instant in at)
    assert not [f.name for f in found.schema if pa.types.is_floating(f.type) and has_nan(found[f.name])]


def has_nan(column: pa.ChunkedArray) -> bool:
    return any(value is not None and value != value for value in column.to_pylist())


@pytest.mark.parametrize("name", list(TABLES))
def test_parts_are_the_whole(world: World, name: str) -> None:
    table = TABLES[name]
    parts = [table.part(world.source, a, b, pseudonyms=True) for a, b in slices(FROM, TO, timedelta(hours=17))]
    whole = read(table, world, pseudonyms=True)
    key = [(one, "ascending") for one in whole.column_names if one != "count"]
    assert pa.concat_tables(parts).sort_by(key).to_pylist() == whole.sort_by(key).to_pylist()


def test_slices_cover_a_period_once() -> None:
    parts = slices(FROM, FROM + timedelta(hours=40), timedelta(hours=17))
    assert (parts[0][0], parts[-1][1], len(parts)) == (FROM, FROM + timedelta(hours=40), 3)
    assert [a[1] for a in parts[:-1]] == [b[0] for b in parts[1:]]


# --- nobody is told apart


def identities(world: World) -> set[str]:
    """Every pseudonym, and every name of a record, that the log holds."""
    events = world.house.log.read_table()
    return {v for name in ("visit", "patient", "event_id", "target", "into") for v in events[name].to_pylist() if v}


def told_apart(table: pa.Table, who: set[str]) -> set[str]:
    """Columns that hold one of these."""
    return {f.name for f in table.schema if pa.types.is_string(f.type) and who & set(table[f.name].to_pylist())}


@pytest.mark.parametrize("name", list(TABLES))
def test_by_default_no_pseudonym_leaves_the_house(world: World, name: str) -> None:
    who = identities(world)
    assert len(who) > 1000
    assert told_apart(read(TABLES[name], world), who) == set()


def test_where_they_are_asked_for_they_are_those_of_the_log(world: World) -> None:
    """The mutant of the test above: the same look finds them."""
    who = identities(world)
    assert told_apart(read(TABLES["visits"], world, pseudonyms=True), who) == {"visit", "patient"}
    assert told_apart(read(TABLES["events"], world, pseudonyms=True), who) == {"visit", "patient"}


def test_who_answered_an_alarm_is_in_no_file(world: World) -> None:
    rows = read(TABLES["alarms"], world, pseudonyms=True).to_pylist()
    assert [(row["what"], row["level"]) for row in rows] == [("acknowledged", "alert")]
    assert "Marie" not in str(rows)
    assert "Mr X" not in str(rows)


# --- what happened


def test_visits_are_those_of_the_state(world: World) -> None:
    span = world.house.log.span()
    assert span is not None
    state = Memory(world.house.log).at(span.last_known_at)
    parts = ("arrived_at", "acuity", "seen_at", "departed_at", "to")
    expected = {
        v.visit: tuple(getattr(v, part) for part in parts)
        for v in state.visits.values() if v.arrived_at is not None and FROM <= v.arrived_at < TO
    }  # fmt: skip
    rows = read(TABLES["visits"], world, pseudonyms=True).to_pylist()
    came = [row for row in rows if row["arrived_at"] is not None]
    assert {row["visit"]: tuple(row[part] for part in parts) for row in came} == expected
    assert [row["came_at"] for row in rows] == sorted(row["came_at"] for row in rows)


def small(tmp: Path, *events: Event) -> tuple[Database, Source]:
    database = Database.open(tmp / "small.duckdb")
    log = EventLog(database, WallClock())
    log.append(list(events), Position(source="adt", offset=1))
    return database, Source(log, database, WallClock().now(), lambda: pytest.fail("nothing is learned for this"))


def test_what_was_cancelled_is_in_no_table(tmp_path: Path) -> None:
    common: dict[str, Any] = {"source": "adt", "position": 1}
    early_at, later, last = FROM + HOUR, FROM + 3 * HOUR, FROM + 5 * HOUR
    first, other = VisitId("a"), EventId("b/arrival")
    came = [
        Arrived(event_id=EventId(f"{v}/arrival"), occurred_at=early_at, recorded_at=early_at, visit=v, **common)
        for v in (first, VisitId("b"))
    ]  # fmt: skip
    left = Departed(event_id=EventId("a/out"), occurred_at=later, recorded_at=later, visit=first, **common)
    strike = Cancelled(event_id=EventId("x"), occurred_at=last, recorded_at=last, target=other, **common)
    database, source = small(tmp_path, *came, left, strike)
    with database:
        events = TABLES["events"].part(source, FROM, TO, pseudonyms=True)
        visits = TABLES["visits"].part(source, FROM, TO, pseudonyms=True)
        read_as_it_is = source.log.read_table(FROM, TO)["kind"].to_pylist()
        early = TABLES["events"].part(source, FROM, FROM + 2 * HOUR, pseudonyms=True)
    assert [(row["kind"], row["visit"]) for row in events.to_pylist()] == [("Arrived", "a"), ("Departed", "a")]
    assert visits["visit"].to_pylist() == ["a"]
    assert early["visit"].to_pylist() == ["a"]  # though the cancellation came after the period
    assert [kind for kind in read_as_it_is if kind != "Departed"] == ["Arrived", "Arrived", "Cancelled"]  # the mutant


def test_census_is_the_truth_that_forecasts_are_judged_by(world: World) -> None:
    rows = read(TABLES["census"], world).to_pylist()
    times = [FROM + timedelta(minutes=15) * k for k in range(2 * 96)]
    known = min(TO + timedelta(days=7), world.source.known_at)
    truth = truth_of_period(Memory(world.house.log), world.source.learned(), times, known)
    told = {name: [row["value"] for row in rows if row["measure"] == name] for name in truth}
    for name, values in truth.items():
        assert told[name] == [None if v != v else v for v in np.round(values, 4).tolist()], name
    assert {row["unit"] for row in rows if row["measure"] == "ed_arrivals"} == {"patients/h"}


def test_beds_are_people_and_free_beds(world: World) -> None:
    rows = read(TABLES["beds"], world).to_pylist()
    assert len({row["ward"] for row in rows}) > 1
    known = [row for row in rows if row["beds"] is not None]
    assert known
    assert [row for row in known if row["beds"] != row["census"] + row["free"]] == []


# --- what was forecast


def test_forecasts_are_long_and_say_who_told_them(world: World) -> None:
    rows = read(TABLES["forecasts"], world).to_pylist()
    assert len(rows) == 2 * 4 * LEADS.size
    first = {(r["told_by"], r["scenario"]): r for r in rows if r["issued_at"] == FROM and r["lead_min"] == 60}
    assert {who: row["mean"] for who, row in first.items()} == {
        ("edtwin", "as_usual"): 40.0, ("simulation", "as_usual"): 43.0, ("persistence", "as_usual"): 38.0,
        ("edtwin", "arrivals_up_20"): 46.0,
    }  # fmt: skip
    busy = first["edtwin", "arrivals_up_20"]
    assert (busy["p10"], busy["p90"], busy["p975"], busy["more"], busy["more_p90"]) == (42.0, 50.0, 50.75, 6.0, 10.0)
    assert busy["valid_at"] == FROM + HOUR
    assert [row["mean"] for row in rows if row["lead_min"] == 0] == [None] * 8


def test_every_level_that_is_kept_has_its_column() -> None:
    names = {column.name for column in TABLES["forecasts"].columns}
    assert {"p025", "p05", "p10", "p25", "p50", "p75", "p90", "p95", "p975"} <= names
    assert len([name for name in names if name[0] == "p" and name[1:].isdigit()]) == len(LEVELS)


def test_scores_and_those_of_rules_join(world: World) -> None:
    [own] = [row for row in read(TABLES["scores"], world).to_pylist() if row["lead_min"] == 60]
    [rule] = [row for row in read(TABLES["rival_scores"], world).to_pylist() if row["lead_min"] == 60]
    assert (own["observed"], own["error"], own["in_80"]) == (41.0, -1.0, True)
    assert [own[k] == rule[k] for k in ("issued_at", "measure", "lead_min")] == [True] * 3
    assert (rule["rival"], rule["absolute_error"]) == ("persistence", 3.0)
    assert rule["crps"] > own["crps"] > 0


# --- files


@pytest.mark.parametrize("form", ["parquet", "csv"])
@pytest.mark.parametrize("name", list(TABLES))
def test_a_file_is_the_table_and_says_what_it_has(world: World, tmp_path: Path, name: str, form: Form) -> None:
    file, table = tmp_path / f"{name}.{form}", TABLES[name]
    seen: list[tuple[int, int]] = []
    done = write(table, world.source, FROM, TO, file, form, pseudonyms=False, report=lambda a, b: seen.append((a, b)))
    back = pq.read_table(file) if form == "parquet" else pa_csv.read_csv(file)
    assert back.column_names == [column.name for column in table.shown(pseudonyms=False)]
    assert back.num_rows == done.rows == read(table, world).num_rows
    told = json.loads(done.columns_file.read_text())
    assert [(c["name"], bool(c["meaning"])) for c in told["columns"]] == [(name_, True) for name_ in back.column_names]
    assert (told["rows"], told["from"], told["to"]) == (done.rows, FROM.isoformat(), TO.isoformat())
    assert seen[-1][0] == seen[-1][1] == len(slices(FROM, TO, table.every))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([file.name, columns_file(file).name])
    if form == "parquet":
        assert json.loads(back.schema.field(0).metadata[b"edtwin"])["meaning"] == table.columns[0].meaning


def ended_early(folder: Path, world: World) -> list[str]:
    """What is in a folder in which a writing was ended half-way, over a file that was there."""
    file = folder / "events.parquet"
    file.write_bytes(b"before")
    parts = iter([TABLES["events"].read(world.source, FROM, FROM + HOUR)])
    broken = replace(TABLES["events"], read=lambda *_: next(parts), every=HOUR)
    with pytest.raises((StopIteration, RuntimeError)):
        write(broken, world.source, FROM, TO, file, "parquet", pseudonyms=False)
    return sorted(f"{path.name}: {path.read_bytes()[:6]!r}" for path in folder.iterdir())


def test_a_writing_that_is_ended_leaves_what_was_there(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ended_early(tmp_path, world) == ["events.parquet: b'before'"]

    @contextmanager
    def at_once(file: Path) -> Iterator[Path]:
        yield file

    monkeypatch.setattr(export_file, "_in_place_of", at_once)  # the mutant: written where it is to stand
    assert ended_early(tmp_path, world) != ["events.parquet: b'before'"]


def test_no_more_than_a_slice_is_held(world: World, tmp_path: Path) -> None:
    held: list[timedelta] = []
    table = TABLES["events"]

    def reads(source: Source, since: datetime, until: datetime) -> pa.Table:
        held.append(until - since)
        return table.read(source, since, until)

    sliced = replace(table, read=reads, every=6 * HOUR)
    write(sliced, world.source, FROM, TO, tmp_path / "e.csv", "csv", pseudonyms=False)
    assert held == [6 * HOUR] * 8


def test_an_empty_state_has_nothing_standing() -> None:
    assert standing(fold(State(), [])) == []
