"""Many scenarios at once: a design run over members, with progress and cancel, carried on where it was left.

Chunks of members are run under all combinations, so that the present and luck are drawn once for all; what comes out
is kept as outcomes alone. After the first chunk there is a rough answer about every combination, and each one after it
makes it finer. A grid that was cancelled, or whose process ended, goes on with the chunks that are missing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forecast.designs import Design
from forecast.ensemble import Progress, Run
from forecast.grid_store import Grid, GridStore, stacked
from forecast.outcome_runs import Wanted, outcome_chunk
from forecast.remote import code_digest
from forecast.situation import Situation
from forecast.values import Array
from forecast.workers import GENTLY
from twin.learned_version import parameters_hash
from twin.scenarios import Scenario

CHUNK = 20
"""Members a task runs, under every combination: some seconds, so that progress shows and a cancel is heard."""
AHEAD = 2
"""Tasks that wait for each one that runs, so that a cancel leaves little behind."""
Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class GridWork:
    """A grid and what it is run from."""

    grid: Grid
    situation: Situation
    scenarios: Sequence[Scenario]
    how: Run
    wanted: Wanted


def work_of(
    situation: Situation, design: Design, scenarios: Sequence[Scenario], how: Run, wanted: Wanted, *,
    known_at: datetime,
) -> GridWork:  # fmt: skip
    """The work of a design from a situation; `scenarios` are its combinations'."""
    made_from: Mapping[str, Any] = {
        "state": situation.state_hash, "parameters": parameters_hash(situation.calibration.parameters),
        "code": code_digest(), "services": {name: entry.model_dump() for name, entry in wanted.services.items()},
        "spaces": wanted.spaces, "further": [type(one).__name__ for one in wanted.further],
    }  # fmt: skip
    grid = Grid(situation.as_of, known_at, design, made_from, how.members, how.horizon_min, how.seed)
    return GridWork(grid, situation, scenarios, how, wanted)


def run_grid(
    work: GridWork, store: GridStore, begun_at: datetime, *,
    executor: Executor | None = None, progress: Progress | None = None, stop: Stop = lambda: False,
    children: int = 2,
) -> bool:  # fmt: skip
    """Run what is missing of a grid; True once it is whole, False where it was stopped before.

    1. Keep what the grid is; find the chunks that are missing.
    2. Run them, a few at a time; keep each as soon as it is there.
    3. Where it is stopped, what waits is not begun; what runs is let go.
    """
    grid_id = work.grid.grid_id
    store.begin(work.grid, begun_at)  # 1
    had = {chunk.start for chunk in store.done(grid_id)}
    chunks = [range(first, min(first + CHUNK, work.how.members)) for first in range(0, work.how.members, CHUNK)]
    missing = [chunk for chunk in chunks if chunk.start not in had]
    done = work.how.members - sum(map(len, missing))
    _tell(progress, done, work.how.members)
    for chunk, outcomes in _run(work, missing, executor, stop, AHEAD * children):  # 2
        store.put(grid_id, chunk, outcomes)
        done += len(chunk)
        _tell(progress, done, work.how.members)
    return done >= work.how.members  # 3


def _run(work: GridWork, missing: Sequence[range], executor: Executor | None, stop: Stop, at_once: int) -> Any:
    if executor is None:
        for chunk in missing:
            if stop():
                return
            yield chunk, grid_chunk(work.situation, work.scenarios, work.how, chunk, work.wanted)
        return
    left, pending = list(missing), dict[Future[dict[str, Array]], range]()
    try:
        while (left or pending) and not stop():
            while left and len(pending) < at_once:
                chunk = left.pop(0)
                pending[executor.submit(gently, work.situation, work.scenarios, work.how, chunk, work.wanted)] = chunk
            for future in wait(pending, timeout=0.25, return_when=FIRST_COMPLETED).done:
                yield pending.pop(future), future.result()
    finally:
        for future in pending:
            future.cancel()


def grid_chunk(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, members: range, wanted: Wanted
) -> dict[str, Array]:
    """What all combinations come to for some members, by outcome `(combination, member)`."""
    return stacked(outcome_chunk(situation, scenarios, how, members, wanted))


def gently(
    situation: Situation, scenarios: Sequence[Scenario], how: Run, members: range, wanted: Wanted
) -> dict[str, Array]:
    """The same in a process that gives way to forecasts."""
    if os.nice(0) < GENTLY:
        os.nice(GENTLY - os.nice(0))
    return grid_chunk(situation, scenarios, how, members, wanted)


def _tell(progress: Progress | None, done: int, of: int) -> None:
    if progress is not None:
        progress(done, of)
