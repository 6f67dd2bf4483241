"""How fast the log is: bulk appends, repeated and live appends, reads of a window in a large log, the first state.

    python -m tests.bench_log [--events 10000000] [--threads 1] [--data DIR]

Prints one line a figure: wall time, and time of the processor, which other work on the machine changes less. The log
is made through the log itself, of visits with five events each, 220 a day. To keep it to one core: `taskset -c 0`.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.clock import WallClock, stopwatch
from ingest.columns import SCHEMA, TIME
from ingest.database import Database
from ingest.log import EventLog, Extract, Position
from twin.memory import Memory

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
        "age_band": pc.if_else(pa.array(kind == 0), "18-74", None),
        "acuity": pc.if_else(pa.array(kind == 1), "3", None),
        "to": pc.if_else(pa.array(kind == 4), "home", None),
    }
    arrays = [columns.get(field.name, pa.nulls(len(names), field.type)) for field in SCHEMA]
    return pa.table(arrays, schema=SCHEMA)


def batches(count: int) -> Iterator[pa.Table]:
    for first in range(0, count, BATCH_VISITS):
        yield visits(first, min(BATCH_VISITS, count - first))


def appended_s(log: EventLog, events: int) -> tuple[float, float]:
    """Seconds to store the visits as one extract, their making not counted: of the wall, of the processor."""
    spent, busy, offset = 0.0, 0.0, stands_at(log)
    extract = Extract(source="bench", digest="d", extracted_at=datetime(2200, 1, 1, tzinfo=UTC))
    for table in batches(events // len(PATH)):
        offset += BATCH_VISITS
        position = Position(source="bench", offset=offset)
        started, began = stopwatch(), processor_s()
        log.append_table(table, position, extract=extract, complete_visits=True)
        spent, busy = spent + stopwatch() - started, busy + processor_s() - began
    return spent, busy


def stands_at(log: EventLog) -> int:
    position = log.position("bench")
    return position.offset if position else 0


def spent_ms(work: Callable[[int], object], times: int = 60) -> str:
    """Median and best of some turns, and the processor's time of one on average."""
    spent, busy = [], processor_s()
    for turn in range(times):
        started = stopwatch()
        work(turn)
        spent.append((stopwatch() - started) * 1000)
    busy_ms = (processor_s() - busy) / times * 1000
    return f"{np.median(spent):.1f} ms (best {min(spent):.1f}; processor {busy_ms:.1f})"


def processor_s() -> float:
    """Seconds that this process has kept processors busy, the system's work for it included."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(log: EventLog, events: int) -> Iterator[str]:
    if not log.length():
        spent, busy = appended_s(log, events)
        yield f"append {events:,} events: {spent:.1f} s, {busy / events * 1e6:.2f} us of the processor an event"
    yield from measure_live(log)
    some = min(events, 1_000_000)
    spent, busy = appended_s(log, some)
    yield f"append {some:,} of them again: {spent:.1f} s, {busy / some * 1e6:.2f} us of the processor an event"
    yield from measure_reads(log, events)
    yield from measure_states(log, START + timedelta(days=min(365.0, events / len(PATH) / VISITS_A_DAY)))


def measure_reads(log: EventLog, events: int) -> Iterator[str]:
    days = events / len(PATH) / VISITS_A_DAY
    since = [START + timedelta(days=day) for day in np.random.default_rng(1).uniform(0, days - 2, 100)]
    rows = np.mean([log.read_table(s, s + timedelta(hours=33), s + timedelta(days=2)).num_rows for s in since[:20]])
    for name, read in READS.items():
        yield f"read a window of {rows:.0f} events as {name}: {spent_ms(partial(read, log, since))}"
    known = spent_ms(lambda turn: log.read_versions_table(since[turn], since[turn] + timedelta(minutes=10)))
    yield f"read what became known in 10 minutes: {known}"
    yield f"length: {spent_ms(lambda _: log.length())}, span: {spent_ms(lambda _: log.span(), 3)}"


def measure_live(log: EventLog) -> Iterator[str]:
    live = visits(log.length(), 1000)
    yield f"append nothing after opening: {spent_ms(lambda _: append_live(log, live.slice(0, 0)), 1)}"
    for again in ("", " again"):
        yield f"append 20 live events{again}: {spent_ms(lambda turn: append_live(log, live.slice(turn * 20, 20)))}"
    known_at = pc.add(live["known_at"], pa.scalar(timedelta(minutes=1), pa.duration("us")))
    changed = live.set_column(SCHEMA.names.index("occurred_at"), "occurred_at", known_at)
    changed = changed.set_column(SCHEMA.names.index("known_at"), "known_at", known_at)
    yield f"append 20 changed events: {spent_ms(lambda turn: append_live(log, changed.slice(turn * 20, 20)))}"


def measure_states(log: EventLog, at: datetime) -> Iterator[str]:
    before = at - timedelta(minutes=1)  # a log that is gone on with has the snapshot already
    yield f"the first state, folded: {spent_ms(lambda _: Memory(log).at(before), 3)}"
    Memory(log, saves=True).at(at)
    yield f"the first state, from a snapshot: {spent_ms(lambda _: Memory(log).at(at), 3)}"


def read_table(log: EventLog, since: Sequence[datetime], turn: int) -> object:
    return log.read_table(since[turn], since[turn] + timedelta(hours=33), since[turn] + timedelta(days=2))


def read_events(log: EventLog, since: Sequence[datetime], turn: int) -> object:
    return log.read(since[turn], since[turn] + timedelta(hours=33), since[turn] + timedelta(days=2))


READS: dict[str, Callable[[EventLog, Sequence[datetime], int], object]] = {"table": read_table, "events": read_events}


def append_live(log: EventLog, table: pa.Table) -> None:
    log.append_table(table, Position(source="bench", offset=stands_at(log) + 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, help="keep the log here, and go on with it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = (given.data or Path(folder)) / "bench.duckdb"
        print(
            f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} processors, {given.threads} for the database", flush=True
        )
        with Database.open(path, threads=given.threads) as database:
            for line in measure(EventLog(database, WallClock()), given.events):
                print(line, flush=True)
        print(f"file: {path.stat().st_size / given.events:.0f} bytes an event; load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
