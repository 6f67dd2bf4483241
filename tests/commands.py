"""The command as people use it, run in this process on a small fabricated hospital."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboard.__main__ import main
from dashboard.house import DATABASE
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.log import EventLog
from twin.scenarios import DEFAULT as SCENARIOS

START = "2026-03-02T00:00Z"
AT = "2026-03-16T10:00Z"
WIDE = ("--format", "wide", "--mapping", "edtwin_wide")
OWN = """
[scenario.two_nurses]
fr = "Deux infirmiers d'accueil de plus."
en = "Two more nurses."
capacity = [{ pool = "triage_nurse", add = 2 }]
"""


class InThisProcess(Executor):
    """An executor that has no processes to start."""

    def __init__(
        self, children: int, *, prepare: Callable[[], None], budget_s: float = 0.0, gives_way: int = 0
    ) -> None:
        self.children, self.prepare = children, prepare

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def fabricated(folder: Path) -> Path:
    """An extract of fifteen days of a small hospital, one row a visit."""
    file = folder / "f.csv"
    size = ("--days", "15", "--seed", "3", "--size", "small")
    assert main(["fabricate", *size, "--start", START, "--out", str(file)]) == 0
    return file


def ingested(extract: Path) -> Path:
    """A folder of data beside an extract, which it holds."""
    folder = extract.with_name("data")
    assert main(["ingest", str(extract), *WIDE, "--data", str(folder)]) == 0
    return folder


class Said:
    """What a command exited with, and what it wrote."""

    def __init__(self, arguments: Sequence[object], capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        try:
            self.status: Any = main([str(a) for a in arguments])
        except SystemExit as end:
            self.status = end.code
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


Run = Callable[..., Said]
"""Called with the arguments of a command."""


def runs(capsys: pytest.CaptureFixture[str]) -> Run:
    """A command is run in this process."""
    return lambda *arguments: Said(list(arguments), capsys)


def kept(folder: Path) -> list[Any]:
    """All versions that a folder's log holds."""
    with Database.open(folder / DATABASE) as database:
        log = EventLog(database, SimulatedClock(datetime(2027, 1, 1, tzinfo=UTC)))
        return log.read_versions(None, datetime(2027, 1, 1, tzinfo=UTC))


SHIPPED = Path(SCENARIOS).with_name("hospital.toml").read_text(encoding="utf-8").splitlines()
LINE = 1 + next(i for i, line in enumerate(SHIPPED) if line.startswith("uhcd "))


def wrong_beds() -> str:
    """The shipped hospital, with fewer than no beds in one of its wards."""
    ward = re.sub(r"beds = \d+", "beds = -3", SHIPPED[LINE - 1])
    return "\n".join([*SHIPPED[: LINE - 1], ward, *SHIPPED[LINE:]])
