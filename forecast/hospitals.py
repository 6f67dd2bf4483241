"""The cycles of many hospitals on one executor: each its own forecast, and a fault of one is no fault of another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

from forecast.calibrated import Recalibration
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.situation import Situation
from forecast.values import Forecast
from ingest.clock import stopwatch
from ingest.errors import EdtwinError
from twin.scenarios import Scenario

AT_ONCE = 2
"""Hospitals whose forecasts are made side by side: while one is put together, another one's members run."""


@dataclass(frozen=True, eq=False)
class Turn:
    """One hospital's turn: what its forecast is made from."""

    hospital: str
    situation: Situation
    scenarios: Sequence[Scenario]
    how: Run
    times: Times
    recalibration: Recalibration | None = None


@dataclass(frozen=True, eq=False)
class Outcome:
    """One hospital's forecast, or why there is none."""

    hospital: str
    forecast: Forecast | None
    fault: str | None
    seconds: float
    """From its beginning to its end, others beside it."""


def forecasts(turns: Sequence[Turn], executor: Executor, *, at_once: int = AT_ONCE) -> Iterator[Outcome]:
    """The outcome of each hospital's turn, in their order, as they come.

    What a hospital is told is what it would be told alone. A fault that a user can mend is told as the hospital's own;
    any other is ours, and raised.
    """
    with ThreadPoolExecutor(at_once, thread_name_prefix="hospital") as side_by_side:
        yield from side_by_side.map(lambda turn: _outcome(turn, executor), turns)


def _outcome(turn: Turn, executor: Executor) -> Outcome:
    began = stopwatch()
    forecast, fault = None, None
    try:
        forecast = issue(
            turn.situation, turn.scenarios, turn.how, turn.times, recalibration=turn.recalibration, executor=executor
        )
    except EdtwinError as error:
        fault = str(error)
    return Outcome(turn.hospital, forecast, fault, stopwatch() - began)
