"""Weeks of a whole house, watched from outside: cycles, memory, files, threads, and how large its files become.

    python -m tests.weeks FOLDER --days 60                    # on a stepped clock, as fast as the machine is
    python -m tests.weeks FOLDER --hours 2 --speed 60         # live, sixty times as fast

A sample is a line of FOLDER/samples.jsonl; a campaign that was ended goes on where it was. At the end it is judged
(`tests/flat.py`): what was found, and what is wrong; the exit status is 1 where something is.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import psutil

from ingest.clock import stopwatch
from tests.flat import Sample, faults, found
from tests.growth import foreseen_bytes, grown_wrong, rows_of
from tests.living import figures_of, load
from tests.processes import children, resident_mb
from tests.test_dashboard_serve import get, wall
from tests.weeks_house import settings_of

ROOT = Path(__file__).parents[1]
SAMPLES = "samples.jsonl"
SAMPLE_S = 5.0
LONGEST_START_S = 900.0
"""A first life fabricates its past, and learns from it."""


@contextmanager
def life(folder: Path, options: list[str]) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A house of `tests.weeks_house` in a process group of its own; ended by a signal, as a system does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "tests.weeks_house", str(folder), "--port", str(port), *options]
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(line, cwd=ROOT, stdout=said, stderr=said, start_new_session=True)
    try:
        yield process, f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0, "the house did not end well"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def samples_of(folder: Path) -> list[Sample]:
    """What was seen so far."""
    file = folder / SAMPLES
    return [Sample(**json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []


def look(folder: Path, process: subprocess.Popen[bytes], place: str, number: int, began: float) -> Sample | None:
    """A sample of a living house; None before its first cycle, or where it does not answer."""
    told = figures_of(get(f"{place}/metrics")[1])
    if not told.get('edtwin_cycles_total{outcome="done"}'):
        return None
    wall(place)
    house = psutil.Process(process.pid)
    cycles = {name: int(told[f'edtwin_cycles_total{{outcome="{name}"}}']) for name in ("done", "missed", "failed")}
    return Sample(
        life=number,
        wall_s=round(stopwatch() - began, 1), at=told["edtwin_board_made_timestamp_seconds"],
        rss_mb=resident_mb(process.pid), children_mb=resident_mb(*children(process.pid)),
        files=house.num_fds(), threads=house.num_threads(), **cycles,
        database_mb=_mb([folder / "data" / "edtwin.duckdb", folder / "data" / "edtwin.duckdb.wal"]),
        journal_mb=_mb(list((folder / "data" / "journal").iterdir())),
    )  # fmt: skip


def _mb(files: list[Path]) -> float:
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6


def live_on(folder: Path, options: list[str], *, until_s: float = float("inf"), until_days: float = 1e9) -> None:
    """A life, from where the one before ended, until so many seconds were lived in all, or days of the clock."""
    before = samples_of(folder)
    number, lived_s = (before[-1].life + 1, _lived_s(before)) if before else (0, 0.0)
    began_at = before[0].at if before else None
    began = stopwatch()
    with life(folder, options) as (process, place), (folder / SAMPLES).open("a") as out:
        while True:
            threading.Event().wait(SAMPLE_S)
            assert process.poll() is None, f"the house ended by itself: {folder / 'said'}"
            sample = look(folder, process, place, number, began)
            if sample is None:
                assert stopwatch() - began < LONGEST_START_S, "no first cycle"
                continue
            began_at = began_at or sample.at
            out.write(json.dumps(asdict(sample)) + "\n")
            out.flush()
            if lived_s + sample.wall_s >= until_s or sample.at - began_at >= until_days * 86400:
                return


def _lived_s(samples: list[Sample]) -> float:
    return sum(max(s.wall_s for s in samples if s.life == n) for n in {s.life for s in samples})


def main() -> int:
    """Live on, judge, tell."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--days", type=float, default=1e9, help="of the house's clock")
    parser.add_argument("--hours", type=float, default=1e9, help="of the world's")
    parser.add_argument("--speed", type=float, help="none: the clock is stepped")
    parser.add_argument("--every-min", type=float, default=10.0)
    parser.add_argument("--judge", action="store_true", help="judge what was seen, and live no further")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    speed = [] if asked.speed is None else ["--speed", str(asked.speed)]
    if not asked.judge:
        options = [*speed, "--every-min", str(asked.every_min)]
        live_on(asked.folder, options, until_s=asked.hours * 3600, until_days=asked.days)
    return _told(asked.folder, timedelta(minutes=asked.every_min))


def _told(folder: Path, every: timedelta) -> int:
    samples, rows = samples_of(folder), rows_of(settings_of(folder).data)
    last, mb = samples[-1], foreseen_bytes(rows) / 1e6
    print("\n".join(found(samples, every)))
    print(f"database {last.database_mb:.1f} MB, foreseen {mb:.1f} MB; journal {last.journal_mb:.1f} MB; {load()}")
    print(rows.of)
    wrong = faults(samples, every) + grown_wrong(last.database_mb, mb)
    print("\n".join(wrong) or "nothing is wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
