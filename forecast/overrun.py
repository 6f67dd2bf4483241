"""Which child is at which task, and since when; an end by force for one that takes too long; a bound to its memory.

A child writes on its own line of a slate before a task and after it: memory that it shares with who owns it, so that
one which hangs, is stopped or is killed says nothing wrong. The owner looks at the slate, and sends SIGTERM to a child
whose task has used up its budget, SIGKILL at one and a half times that, for which no child has an excuse.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import SpawnContext
from pathlib import Path

from ingest.clock import stopwatch

logger = logging.getLogger(__name__)

BUDGET_S = 600.0
"""How long a task may take where nothing else is said: as long as from one forecast to the next."""
BY_FORCE = 1.5
"""Times the budget after which nobody is asked any more."""
MEMORY_BYTES = 2 << 30
"""What a child may ask for in all once it has begun. A task that asks for more is refused; the others never know."""
_NOTHING = 0


@dataclass(frozen=True, slots=True)
class Busy:
    """A child at work: its process, the number of its task, and how long it has been at it."""

    process: int
    task: int
    seconds: float


class Slate:
    """A line for each child of a pool. `take` a line in the child, then write on it."""

    def __init__(self, children: int, context: SpawnContext) -> None:
        self._lines = context.RawArray("d", 3 * children)
        self._taken = context.Value("i", 0)
        self._mine = 0
        self.broken_by_us = False
        """True once a child of the pool was ended by force: what the others were at is begun anew."""

    # --- in the child

    def take(self) -> None:
        """The next line is this process's."""
        with self._taken.get_lock():
            self._mine = 3 * self._taken.value
            self._taken.value += 1
        self._lines[self._mine] = os.getpid()

    def begin(self, task: int) -> None:
        """This process is at a task from now on."""
        self._lines[self._mine + 1] = stopwatch()
        self._lines[self._mine + 2] = task

    def end(self) -> None:
        """This process is at nothing."""
        self._lines[self._mine + 2] = _NOTHING

    # --- with the owner

    def busy(self) -> Iterator[Busy]:
        """Who is at work now."""
        now = stopwatch()
        for place in range(0, len(self._lines), 3):
            process, since, task = self._lines[place : place + 3]
            if task != _NOTHING:
                yield Busy(int(process), int(task), now - since)

    def processes(self) -> set[int]:
        """Those that took a line."""
        return {int(process) for process in self._lines[::3] if process}


def ended_by_force(slate: Slate, budget_s: float, warned: set[int]) -> None:
    """End the children whose tasks have used up their budget; `warned` are the tasks whose children were asked to."""
    for one in slate.busy():
        if one.seconds <= budget_s:
            continue
        slate.broken_by_us = True
        if one.task not in warned:
            warned.add(one.task)
            logger.warning("a simulation takes longer than %.0f s: its process is ended", budget_s)
            _signal(one.process, signal.SIGTERM)
        elif one.seconds > BY_FORCE * budget_s:
            _signal(one.process, signal.SIGKILL)


def clear_away(slate: Slate) -> None:
    """End whoever is left of a pool that broke, and see to it that no dead one is left unburied."""
    for child in multiprocessing.active_children():
        if child.pid in slate.processes():
            child.kill()


def bound_memory(most_bytes: int | None) -> None:
    """No more than that beyond what this process has set apart already: what asks for more fails, and nothing else.

    Libraries reserve far more than they use when they are loaded, so a bound from nothing would say little.
    """
    if most_bytes is None:
        return
    import resource  # not everywhere

    with suppress(OSError, ValueError):  # a limit that is lower already stays
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_set_apart_bytes() + most_bytes, hard))


def _set_apart_bytes() -> int:
    """What the kernel counts as this process's own data now. Raises OSError where it does not say."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _signal(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)
