"""What a running house does beside its forecasts, in threads of their own: measuring the past, checking the model,
making backups, and answering commands that find the data held."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dashboard.backups import Backups
from dashboard.downtime_files import DowntimeSheets
from dashboard.house import House
from dashboard.house_socket import Answer
from dashboard.readiness import Readiness
from forecast.backtest_desk import BacktestDesk
from forecast.checks import Checks
from forecast.loop import Loop

logger = logging.getLogger(__name__)

CHECKS_AFTER_S = 600.0
"""So long the house leaves its processors to forecasts before it checks the model; and between two looks."""


class Work:
    """What is done beside the forecasts, in a thread of its own."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self._thread = threading.Thread(target=work, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for its end, if it has begun."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)


def measure_the_past(loop: Loop, house: House, stop: threading.Event, backtests: BacktestDesk) -> None:
    """Once the first forecast is out, measure how good the last days' would have been; then a back-test goes on."""
    while not loop.counts.done and not stop.wait(1.0):
        pass
    settings = house.settings
    try:
        if settings.measure_days and not stop.is_set():
            loop.measure_past(house.log, settings.measure_days)
        if settings.alert_days and not stop.is_set():
            loop.measure_alerts(house.log, settings.alert_days, lambda: not stop.is_set())
    except Exception:
        if not stop.is_set():  # at the end the workers are taken away from under it
            logger.exception("the last days could not be replayed")
    if not stop.is_set():
        backtests.resume()


def keep_backups(backups: Backups, mode: str, stop: threading.Event) -> None:
    """Make hourly backups of a house that takes in what is new; not of a replay or an exercise."""
    if mode in ("live", "fabricated"):
        backups.keep_making(stop)


def write_sheets(sheets: DowntimeSheets, mode: str, stop: threading.Event) -> None:
    """Write the downtime sheets of a house that takes in what is new; a replay's or an exercise's would mislead."""
    if mode in ("live", "fabricated"):
        sheets.keep_writing(stop)


def commands_of(house: House, backups: Backups, readiness: Readiness) -> dict[str, Answer]:
    """What a command of this machine may ask of the running house."""

    def look(_: dict[str, Any]) -> dict[str, Any]:
        standing = backups.standing()
        return {"database": house.said(), "unready": readiness.fault(), "backup_fault": standing.fault}

    return {"backup": lambda asked: backups.make(Path(asked["to"])).as_json(), "look": look}


def check_the_model(checks: Checks, stop: threading.Event) -> None:
    """Once the house has been up for a while, run the checks of the model if their last run is old."""
    while not stop.wait(CHECKS_AFTER_S):
        try:
            if checks.due and not checks.run_beside(stop) and not stop.is_set():
                logger.warning("the checks of the model ended without a result")
        except Exception:
            logger.exception("the model could not be checked")
