"""How many HL7 messages a second are kept, read, and stored from a file: `python -m tests.bench_hl7`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.hl7_files import ingest_messages
from ingest.hl7_render import render
from ingest.log import EventLog
from tests.hl7_hostile import SHAPES, cost_s, cpu_s, seeds
from tests.hl7_messages import hl7, place
from tests.worlds import at, told

COPIES = 2_000


def per_second(work: Callable[[], object], count: int) -> float:
    """How many of `count` are done in a second of processor time, the best of three."""
    costs = []
    for _ in range(3):
        start = cpu_s()
        work()
        costs.append(cpu_s() - start)
    return count / min(costs)


def main() -> None:
    """Print the figures."""
    form, messages = hl7(), seeds() * COPIES
    payloads = [form.kept(message).payload for message in messages]
    print(f"kept: {per_second(lambda: [form.kept(m) for m in messages], len(messages)):,.0f} messages a second")
    print(f"read: {per_second(lambda: [form.read(p, place()) for p in payloads], len(payloads)):,.0f}")
    events = [told("Moved", f"v{n}", "08:00", unit="boxes") for n in range(10_000)]
    print(f"rendered: {per_second(lambda: list(render(events)), len(events)):,.0f}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.hl7"
        path.write_bytes(b"\n".join(render(events)))
        with Database.open(Path(folder) / "log.duckdb") as database:
            log, start = EventLog(database, SimulatedClock(at("12:00"))), cpu_s()
            ingest_messages(path, "adt", form, log, now=at("12:00"))
            print(f"from a file into the log: {len(events) / (cpu_s() - start):,.0f}")
    costs = {shape: cost_s(form, make((1 << 20) - 1)) for shape, make in SHAPES.items()}
    print(f"the worst frame of 1 MB: {1000 * max(costs.values()):.0f} ms ({max(costs, key=lambda s: costs[s])})")


if __name__ == "__main__":
    main()
