"""The checks of the model, run one after the other; their last run is kept beside the data, for a page to show."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import Any

from forecast.ensemble import Progress
from forecast.pages import ModelChecks
from forecast.workers import GENTLY
from ingest.clock import Clock
from twin import kernel
from twin.check_bounds import conservation, extremes, restart
from twin.check_effects import effects
from twin.check_theory import by_priority, by_the_hour, several_doctors, without_queues
from twin.check_values import Check, Curve
from twin.learned_version import code_hash

Checking = Callable[[], list[Check]]
Prepare = Callable[[], None]
CHECKED: tuple[Checking, ...] = (
    several_doctors, by_priority, without_queues, by_the_hour, effects, conservation, extremes, restart,
)  # fmt: skip
"""What is checked, in the order in which it is shown."""
FILE = "checks.json"
OLD = timedelta(days=7)
"""A run that is older is made anew by the house."""
_LOOK_S = 0.5


@dataclass(frozen=True)
class ChecksRun:
    """A whole run: when, by which code of the twin, and what it found."""

    ran_at: datetime
    version: str
    checks: tuple[Check, ...]

    @property
    def fallen(self) -> tuple[Check, ...]:
        """Those that do not hold."""
        return tuple(check for check in self.checks if not check.holds)


def run_checks(
    clock: Clock,
    checked: Sequence[Checking] = CHECKED,
    progress: Progress | None = None,
    *,
    prepare: Prepare = kernel.warm,
) -> ChecksRun:
    """Run them here, once `prepare` is done: with the compiled engine."""
    prepare()
    found: list[Check] = []
    for done, check in enumerate(checked, start=1):
        found += check()
        if progress is not None:
            progress(done, len(checked))
    return ChecksRun(clock.now(), code_hash(), tuple(found))


# --- kept -------------------------------------------------------------------------------------------------------------


def as_json(run: ChecksRun) -> dict[str, Any]:
    """Plain values; what is not a number is null."""
    checks = [{**asdict(c), "measured": c.measured if c.measured == c.measured else None, "holds": c.holds}
              for c in run.checks]  # fmt: skip
    return {"ran_at": run.ran_at.isoformat(), "version": run.version, "fallen": len(run.fallen), "checks": checks}


def keep(run: ChecksRun, folder: Path) -> None:
    """Put the run beside the data, whole or not at all."""
    file = folder / FILE
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(as_json(run), ensure_ascii=False, allow_nan=False), encoding="utf-8")
    os.replace(beside, file)


def kept(folder: Path) -> ChecksRun | None:
    """The last run; None where there is none, or its file tells of checks in another form."""
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return ChecksRun(datetime.fromisoformat(told["ran_at"]), told["version"], tuple(map(_check, told["checks"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _check(told: dict[str, Any]) -> Check:
    values = {name: value for name, value in told.items() if name != "holds"}
    curve = values.pop("curve")
    measured = values.pop("measured")
    return Check(
        **values,
        measured=float("nan") if measured is None else measured,
        curve=None if curve is None else Curve(**{name: tuple(line) for name, line in curve.items()}),
    )


# --- run by the house -------------------------------------------------------------------------------------------------


class Checks:
    """The checks of a house: run in a process of their own when the last run is old, and shown on a page."""

    def __init__(
        self, folder: Path, clock: Clock, checked: Sequence[Checking] = CHECKED, *, prepare: Prepare = kernel.warm
    ) -> None:
        """`prepare` makes the process ready."""
        self._prepare = prepare
        self._folder, self._clock, self._checked = folder, clock, tuple(checked)
        self._done: int | None = None

    @property
    def due(self) -> bool:
        """Is there no run, or one of other code, or an old one?"""
        last = kept(self._folder)
        return last is None or last.version != code_hash() or self._clock.now() - last.ran_at > OLD

    def run_beside(self, stop: threading.Event) -> bool:
        """Run them in a process that gives way to all others; false where it was stopped, or ended without a result."""
        context = get_context("spawn")
        hears, tells = context.Pipe(duplex=False)
        process = context.Process(target=_work, args=(tells, self._checked, self._prepare), daemon=True)
        process.start()
        tells.close()
        self._done, found = 0, []
        try:
            while self._done < len(self._checked):
                if stop.is_set():
                    return False
                if hears.poll(_LOOK_S):
                    found += hears.recv()
                    self._done += 1
            keep(ChecksRun(self._clock.now(), code_hash(), tuple(found)), self._folder)
            return True
        except EOFError:
            return False
        finally:
            self._done = None
            process.terminate()
            process.join()

    def view(self, zone: str, hospital: str, mode: str) -> ModelChecks:
        """The page at this moment."""
        last = kept(self._folder)
        return ModelChecks(
            made_at=self._clock.now(), zone=zone, hospital=hospital, mode=mode,
            ran_at=last.ran_at if last else None, version=last.version if last else None,
            checks=last.checks if last else (), done=self._done, of=len(self._checked),
        )  # fmt: skip


def _work(tells: Connection, checked: Sequence[Checking], prepare: Prepare) -> None:
    """What the process does: tell the findings of each check as soon as they are there."""
    signal(SIGINT, SIG_IGN)
    os.nice(GENTLY)
    prepare()
    for check in checked:
        tells.send(check())
