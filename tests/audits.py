"""Audits to look at: chains of three months, each way of touching their files, a trail that writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from dashboard.audit.chain import ANCHOR, Chain
from dashboard.audit.records import Deed, Written, line_of
from dashboard.audit.trail import Trail
from dashboard.audit.verify import Verified, records_of, verify
from ingest.clock import SimulatedClock

AT = datetime(2026, 11, 5, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).parents[1]


def deed(number: int, at: datetime = AT) -> Deed:
    return Deed(at=at + number * MINUTE, kind="page", what=f"page {number}", who="Anna Nõmm", role="viewer")


def chain_in(folder: Path, months: int = 12) -> Chain:
    return Chain(folder / "audit", folder / ANCHOR, months)


def checked(folder: Path, noted: str | None = None) -> Verified:
    return verify(folder / "audit", folder / ANCHOR, noted)


def written(folder: Path) -> list[Written]:
    return list(records_of(folder / "audit"))


@pytest.fixture
def three_months(tmp_path: Path) -> Path:
    """Thirty records of three months, written in groups."""
    chain = chain_in(tmp_path)
    for month in (9, 10, 11):
        start = AT.replace(month=month)
        for first in (0, 4):
            chain.append([deed(n, start) for n in range(first, first + 4)], "live")
    return tmp_path


Touch = Callable[[list[Path]], object]


def removed(files: list[Path]) -> None:
    for path in files:
        path.unlink()


def lines_in(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def edited(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    path.write_bytes(b"".join(change(lines_in(path))))


def forged(lines: list[bytes]) -> list[bytes]:
    """One put in behind the third, holding its hash, as whoever knows the form would."""
    before = sha256(lines[2].rstrip(b"\n")).hexdigest()
    number = json.loads(lines[2])["n"] + 1
    return [*lines[:3], line_of(deed(3, AT), number, before, "live") + b"\n", *lines[3:]]


def chained_anew(files: list[Path]) -> None:
    """The whole of a file's tail made anew behind a record that is changed: the chain holds again."""
    lines = lines_in(files[-1])
    made, before = [lines[0]], sha256(lines[0].rstrip(b"\n")).hexdigest()
    for line in lines[1:]:
        told = json.loads(line) | {"before": before, "who": "somebody else"}
        made.append(json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        before = sha256(made[-1].rstrip(b"\n")).hexdigest()
    files[-1].write_bytes(b"".join(made))


TOUCHES: dict[str, Touch] = {
    "a record changed": lambda f: edited(f[1], lambda x: [*x[:3], x[3].replace(b"Anna", b"Otto"), *x[4:]]),
    "the last record of all changed": lambda f: edited(f[2], lambda x: [*x[:-1], x[-1].replace(b"Anna", b"Otto")]),
    "a record removed": lambda f: edited(f[1], lambda x: [*x[:3], *x[4:]]),
    "the first record of all removed": lambda f: edited(f[0], lambda x: x[1:]),
    "a record put in": lambda f: edited(f[1], forged),
    "two records changed about": lambda f: edited(f[1], lambda x: [*x[:3], x[4], x[3], *x[5:]]),
    "a record put in twice": lambda f: edited(f[1], lambda x: [*x[:3], x[3], x[3], *x[4:]]),
    "cut off at the end": lambda f: edited(f[2], lambda x: x[:-1]),
    "cut off within a line": lambda f: f[2].write_bytes(f[2].read_bytes()[:-9]),
    "the last month removed": lambda f: f[2].unlink(),
    "a month in the middle removed": lambda f: f[1].unlink(),
    "the first month removed": lambda f: f[0].unlink(),
    "a month under another name": lambda f: f[2].rename(f[2].with_name("audit-2026-10b.jsonl")),
    "a month put before its time": lambda f: f[2].replace(f[1]),
    "the end chained anew": chained_anew,
    "a line that is none": lambda f: edited(f[1], lambda x: [*x[:3], b"{}\n", *x[3:]]),
    "all removed": removed,
    "the anchor removed": lambda f: (f[0].parents[1] / ANCHOR).unlink(),
}  # fmt: skip


@contextmanager
def trail_in(folder: Path, **more: Any) -> Iterator[Trail]:
    trail = Trail(chain_in(folder), "live", SimulatedClock(AT), pause_s=0.01, **more)
    trail.start()
    try:
        yield trail
    finally:
        trail.stop()
