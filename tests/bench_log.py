"""How fast the log is: bulk appends, repeated and live appends, reads of a window in a large log.

    python -m tests.bench_log [--events 10000000] [--data DIR]

Prints one line a figure. The log is made through the log itself, of visits with five events each, 220 a day.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from ingest.clock import WallClock, stopwatch
from ingest.columns import SCHEMA, TIME
from ingest.database import Database
from ingest.log import EventLog, Extract, Position

START = datetime(2000, 1, 1, tzinfo=UTC)
PATH = ("Arrived", "Triaged", "SeenByProvider", "DecidedToDischarge", "Departed")
AFTER_MIN = np.array([0, 10, 60, 150, 170])
VISITS_A_DAY = 220
BATCH_VISITS = 20_000


def visits(first: int, count: int) -> pa.Table:
    """The events of some visits, in the order of an extract: visit by visit."""
    number = np.repeat(np.arange(first, first + count), len(PATH))
    kind = np.tile(np.arange(len(PATH)), count)
    minute = number * (1440 / VISITS_A_DAY) + AFTER_MIN[kind]
    occurred = pa.array((minute * 60e6).astype("int64") + int(START.timestamp() * 1e6)).cast(TIME)
    visit = [f"{n * 2654435761 % 2**64:016x}" for n in range(first, first + count)]
    names = [f"{v}/{k}/0" for v in visit for k in PATH]
    columns = {
        "kind": pa.array(PATH).take(pa.array(kind)),
        "event_id": pa.array([f"bench/{name}" for name in names]),
        "occurred_at": occurred,
        "known_at": occurred,
        "source": pa.array(["bench"] * len(names)),
        "position": pa.array(number + 1),
        "visit": pa.array(visit).take(pa.array(np.repeat(np.arange(count), len(PATH)))),
        "age_band": pa.array(["18-74"]).take(pa.array(np.where(kind == 0, 0, None))),
        "acuity": pa.array(["3"]).take(pa.array(np.where(kind == 1, 0, None))),
        "to": pa.array(["home"]).take(pa.array(np.where(kind == 4, 0, None))),
    }
    arrays = [columns.get(field.name, pa.nulls(len(names), field.type)) for field in SCHEMA]
    return pa.table(arrays, schema=SCHEMA)


def batches(count: int) -> Iterator[pa.Table]:
    for first in range(0, count, BATCH_VISITS):
        yield visits(first, min(BATCH_VISITS, count - first))


def appended_s(log: EventLog, events: int) -> float:
    """Seconds to store the visits as one extract, their making not counted."""
    spent, offset = 0.0, stands_at(log)
    extract = Extract(source="bench", digest="d", extracted_at=datetime(2200, 1, 1, tzinfo=UTC))
    for table in batches(events // len(PATH)):
        offset += BATCH_VISITS
        position = Position(source="bench", offset=offset)
        started = stopwatch()
        log.append_table(table, position, extract=extract, complete_visits=True)
        spent += stopwatch() - started
    return spent


def stands_at(log: EventLog) -> int:
    position = log.position("bench")
    return position.offset if position else 0


def median_ms(work: Callable[[int], object], times: int = 30) -> float:
    spent = []
    for turn in range(times):
        started = stopwatch()
        work(turn)
        spent.append(stopwatch() - started)
    return float(np.median(spent)) * 1000


def measure(log: EventLog, events: int) -> Iterator[str]:
    spent = appended_s(log, events)
    yield f"append {events:,} events: {spent:.1f} s, {spent / events * 1e6:.2f} us an event"
    some = min(events, 1_000_000)
    spent = appended_s(log, some)
    yield f"append {some:,} of them again: {spent:.1f} s, {spent / some * 1e6:.2f} us an event"
    days = events / len(PATH) / VISITS_A_DAY
    windows = np.random.default_rng(1).uniform(0, days - 2, 200)
    since = [START + timedelta(days=day) for day in windows]
    rows = np.mean([log.read_table(s, s + timedelta(hours=33), s + timedelta(days=2)).num_rows for s in since[:20]])
    for name, read in (("table", log.read_table), ("events", log.read)):
        spent = median_ms(
            lambda turn, read=read: read(s := since[turn], s + timedelta(hours=33), s + timedelta(days=2))
        )
        yield f"read a window of {rows:.0f} events as {name}: {spent:.1f} ms"
    spent = median_ms(lambda turn: log.read_versions_table(since[turn], since[turn] + timedelta(minutes=10)))
    yield f"read what became known in 10 minutes: {spent:.1f} ms"
    live = visits(events // len(PATH), 1000)
    spent = median_ms(lambda turn: append_live(log, live.slice(turn * 20, 20)))
    yield f"append 20 live events: {spent:.1f} ms"
    yield f"length: {median_ms(lambda _: log.length()):.1f} ms, span: {median_ms(lambda _: log.span(), 3):.1f} ms"


def append_live(log: EventLog, table: pa.Table) -> None:
    log.append_table(table, Position(source="bench", offset=stands_at(log) + 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.duckdb"
        print(
            f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, {given.threads} for the database", flush=True
        )
        with Database.open(path, threads=given.threads) as database:
            for line in measure(EventLog(database, WallClock()), given.events):
                print(line, flush=True)
        print(f"file: {path.stat().st_size / given.events:.0f} bytes an event; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
