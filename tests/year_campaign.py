"""A year of a million events put to the proof: backed up and restored, made anew, and a house on it killed.

    python -m tests.year_campaign FOLDER [--days 365] [--kills 3]

Prints what it finds: what must be the same, and how long it took beside how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import resource
import socket
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dashboard.__main__ import main as edtwin
from dashboard.house import open_house
from ingest.clock import SimulatedClock, WallClock, stopwatch
from tests.living import Adt, Living, living, load, seconds_until, telling
from tests.years import DAY, FINE, MAPPING, Year, make_year, settings_of, tell
from twin.memory import Memory

VIEWS = 4
"""Instants of the year at which a log made anew is held against the one before."""
LONGEST_S = 600.0


@dataclass(frozen=True)
class Spent:
    """What a command printed, and what it took: seconds of the wall, and of the processor."""

    told: dict[str, Any]
    wall_s: float
    cpu_s: float


def spent_on(*command: str | Path) -> Spent:
    """Run a command of edtwin in this process, which prints JSON."""
    out, began, busy = StringIO(), stopwatch(), _cpu_s()
    with redirect_stdout(out):
        assert edtwin([*map(str, command), "--json"]) == 0
    return Spent(json.loads(out.getvalue()), stopwatch() - began, _cpu_s() - busy)


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def restored(year: Year, where: Path) -> tuple[Spent, Spent]:
    """A backup of the year, and another folder made from it; what each told and took."""
    backup = spent_on("backup", "--data", year.folder, "--to", where / "backups")
    restore = spent_on("restore", where / "backups", "--data", where / "restored")
    return backup, restore


def views_of(folder: Path, instants: Sequence[datetime]) -> list[tuple[int, str, str]]:
    """At each instant: how many events were known, a digest of all columns but when they were stored, the state's."""
    with open_house(settings_of(folder), SimulatedClock(max(instants) + DAY)) as house:
        found = []
        for at in sorted(instants):
            table = house.log.read_table(known_at=at).drop_columns(["stored_at"])
            found.append((table.num_rows, digest_of(table), Memory(house.log).at(at).hash))
        return found


def digest_of(table: pa.Table) -> str:
    """A digest of every value of a table, in the order of its rows."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table.combine_chunks())
    return sha256(sink.getvalue()).hexdigest()


def instants_of(year: Year, days: int, seed: int = 1) -> list[datetime]:
    """A moment after the end of the year, whose last messages are stored then, and instants at random before it."""
    ago = np.random.default_rng(seed).uniform(1, days - 1, VIEWS - 1)
    return [year.until + timedelta(minutes=1), *(year.until - timedelta(days=float(days)) for days in ago)]


def rebuilt(folder: Path) -> Spent:
    """The database of a folder made anew from its journal."""
    return spent_on("rebuild", "--data", folder, "--mllp-mapping", MAPPING)


# --- a house that is killed -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Back:
    """Seconds from the start after a kill until it answered, was ready, and showed a fresh forecast on a live feed; and
    how long it and its children had kept processors busy by then."""

    answers: float
    ready: float
    fresh: float
    cpu_s: float


def kills(year: Year, said: Path, count: int, *options: str | Path) -> list[Back]:
    """A house on the year, killed so many times; how soon it was back each time.

    1. The hospital tells what happened since the year ended, in its time, and goes on as it happens.
    2. The house forecasts; it is killed a while later, and started again at once.
    """
    with socket.create_server(("127.0.0.1", 0)) as ear:
        port = ear.getsockname()[1]
    found: list[Back] = []
    tell(year.folder, year.world, year.until, WallClock().now(), FINE)  # 1
    with telling(Adt(year.world, port)):
        for number in range(count + 1):
            with living(year.folder, said, port, *options) as house:
                back = _back(house)
                if number:
                    found.append(back)
                    print(f"kill {number}: {back}; {load()}", flush=True)
                house.kill()  # 2
    return found


def _back(house: Living) -> Back:
    def is_fresh() -> bool:
        told = house.figures()
        issued = told.get("edtwin_forecast_issued_timestamp_seconds", 0.0)
        return WallClock().now().timestamp() - issued < told.get("edtwin_cycle_every_seconds", 0.0)

    waited: list[tuple[str, Callable[[], bool]]] = [
        ("answers", lambda: bool(house.figures())), ("ready", house.is_ready),
        ("fresh", lambda: house.state() in ("live", "quiet") and is_fresh()),
    ]  # fmt: skip
    waits = seconds_until(waited, LONGEST_S)
    return Back(**waits, cpu_s=house.cpu_s())


def main() -> None:
    """All of it, on a year that is made first."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--kills", type=int, default=3)
    asked = parser.parse_args()
    year = make_year(asked.folder / "data", WallClock().now() - timedelta(hours=3), asked.days)
    print(f"{year.messages:,} messages, {year.rows:,} rows, made in {year.seconds:.0f} s; {load()}", flush=True)
    backup, restore = restored(year, asked.folder)
    print(
        f"backed up in {backup.wall_s:.1f} s, restored in {restore.wall_s:.1f} s, {backup.told['bytes'] / 1e6:.0f} MB"
    )
    instants = instants_of(year, asked.days)
    before = views_of(asked.folder / "restored", instants)
    made = rebuilt(asked.folder / "restored")
    print(f"made anew in {made.wall_s:.0f} s ({made.cpu_s:.0f} s of the processor): {made.told}; {load()}", flush=True)
    print(f"the same views: {views_of(asked.folder / 'restored', instants) == before}", flush=True)
    kills(year, asked.folder / "said", asked.kills)


if __name__ == "__main__":
    main()
