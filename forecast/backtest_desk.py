"""The back-test that a page asks for: one at a time, beside the forecasts, with its progress; it goes on where it was.

The past is read from the house's own log, in a thread; members run in a process that gives way to all others. What is
done of it is kept (`backtest_store.py`): one that was stopped, or that ended with the house, is asked for again with
the same plan. Its truth was a week old when it was first asked for, so that nothing that comes in later makes it
another.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecast.backtest import Plan, Report, backtest
from forecast.ensemble import Run
from forecast.past import VINTAGE
from forecast.validation_view import DAYS, EVERY_H, MEMBERS, RunAsked, RunView
from forecast.verify import verified_leads
from ingest.clock import Clock, stopwatch
from ingest.errors import EdtwinError
from ingest.log import EventLog
from twin.hospital import Hospital
from twin.scenarios import Scenario

logger = logging.getLogger(__name__)

PAIRS = "pairs.parquet"
"""In the folder of back-tests, what the last one found."""
ASKED = "asked.json"
"""In that folder, the plan of one that is not done."""
SETTLED = VINTAGE + timedelta(days=2)
"""So long before the end of the log it ends: the truth of its last day is a week old by then."""


class _StoppedError(Exception):
    """Somebody said stop."""


@dataclass(frozen=True)
class Subject:
    """What is forecast, and where what is found is put."""

    hospital: Hospital
    as_usual: Scenario
    own_beds: bool
    folder: Path
    tell: Callable[[Report], None]
    """Writes the report, and what it was made of."""


class BacktestDesk:
    """Runs one back-test at a time. `workers` makes what runs its members, which ends with it."""

    def __init__(
        self, log: EventLog, subject: Subject, clock: Clock, how: Run, *, workers: Callable[[], Executor]
    ) -> None:
        self._log, self._subject, self._clock, self._how, self._workers = log, subject, clock, how, workers
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._run = RunView(asked=_read(subject.folder / ASKED))
        self._began: tuple[float, int] | None = None
        self._ended = False
        self.changed_at = clock.now()

    @property
    def run(self) -> RunView:
        """How it does at this moment."""
        return replace(self._run, ready=not self._run.running and self._log.length() > 0)

    # --- what buttons do ----------------------------------------------------------------------------------------

    def start(self, days: int, every_h: int, members: int) -> bool:
        """Begin one over the last days whose truth is settled; False where one runs, or the bounds are not kept."""
        span = self._log.span()
        if span is None or days not in DAYS or every_h not in EVERY_H or members not in MEMBERS:
            return False
        end = min(self._clock.now(), span.last_known_at) - SETTLED
        last = end.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return self._begin(RunAsked(last - timedelta(days=days), last, every_h, members))

    def resume(self) -> bool:
        """Go on with the one that is not done; False where there is none, or it runs."""
        asked = self._run.asked
        return asked is not None and self._begin(asked)

    def cancel(self) -> bool:
        """Let it go within some seconds; what it has done stays. False where none runs."""
        running = self._run.running
        self._stop.set()
        return running

    def end(self, timeout_s: float) -> None:
        """The house ends: let it go; it goes on when the house is up again."""
        self._ended = True
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _begin(self, asked: RunAsked) -> bool:
        with self._lock:
            if self._run.running or self._ended:
                return False
            self._stop.clear()
            self._began = None
            self._changed(RunView(asked=asked, running=True))
            _write(self._subject.folder / ASKED, asked)
            self._thread = threading.Thread(target=self._work, args=(asked,), name="back-test", daemon=True)
            self._thread.start()
            return True

    # --- running ------------------------------------------------------------------------------------------------

    def _work(self, asked: RunAsked) -> None:
        fault: str | None = None
        left: RunAsked | None = asked
        try:
            found = self._found(asked)
            self._subject.tell(found)
            (self._subject.folder / ASKED).unlink(missing_ok=True)
            left = None
        except _StoppedError:
            pass
        except EdtwinError as error:
            fault = str(error)
        except Exception as error:  # the page says so; the house goes on
            if not self._stop.is_set():
                logger.exception("the back-test failed")
                fault = type(error).__name__
        self._changed(RunView(asked=left, fault=fault, done=self._run.done, of=self._run.of))

    def _found(self, asked: RunAsked) -> Report:
        subject, executor = self._subject, self._workers()
        try:
            return backtest(
                self._log, subject.hospital, subject.as_usual, self._plan(asked), executor=executor,
                progress=self._come, kept_in=subject.folder,
            )  # fmt: skip
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    def _plan(self, asked: RunAsked) -> Plan:
        how = replace(self._how, members=asked.members)
        leads = tuple(verified_leads(how.lead_min))
        return Plan(
            asked.first_at, asked.last_at, timedelta(hours=asked.every_h), leads, how, own_beds=self._subject.own_beds
        )

    def _come(self, done: int, of: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        if self._began is None:
            self._began = stopwatch(), done
        began, first = self._began
        each_s = (stopwatch() - began) / (done - first) if done > first else None
        left = None if each_s is None else timedelta(seconds=each_s * (of - done))
        self._changed(replace(self._run, done=done, of=of, left=left))

    def _changed(self, run: RunView) -> None:
        self._run, self.changed_at = run, self._clock.now()


def _write(file: Path, asked: RunAsked) -> None:
    told = {"first_at": asked.first_at.isoformat(), "last_at": asked.last_at.isoformat()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**told, "every_h": asked.every_h, "members": asked.members}), encoding="utf-8")


def _read(file: Path) -> RunAsked | None:
    """The plan of one that is not done; None where there is none, or it cannot be read or keeps no bounds."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        first, last = (datetime.fromisoformat(told[name]) for name in ("first_at", "last_at"))
        asked = RunAsked(first, last, int(told["every_h"]), int(told["members"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    kept = asked.every_h in EVERY_H and asked.members in MEMBERS and first.tzinfo is not None and first < last
    return asked if kept else None
