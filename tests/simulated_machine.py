"""The machine that a simulated house runs on: a disk that forgets, a clock that steps, workers that die."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ingest.clock import SimulatedClock
from ingest.disk import Disk


class SimulatedDisk(Disk):
    """Files of which a crash takes what was not synced, or some bytes of it; it can be full, and refuse to sync."""

    def __init__(self, dice: np.random.Generator) -> None:
        super().__init__(sync=lambda _: None)
        self._dice = dice
        self.full = False
        self.bad_syncs = 0
        self._kept: dict[Path, int] = {}
        self.refused = 0

    def free_bytes(self, folder: Path) -> int:
        return 0 if self.full else 1 << 40

    def write(self, file: BinaryIO, block: bytes) -> None:
        path = Path(file.name)
        self._kept.setdefault(path, path.stat().st_size)
        if self.full:
            self.refused += 1
            super().write(file, block[: int(self._dice.integers(0, len(block) + 1))])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        super().write(file, block)

    def sync(self, file: BinaryIO) -> None:
        if self.bad_syncs:
            self.bad_syncs -= 1
            self.refused += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        path = Path(file.name)
        self._kept[path] = path.stat().st_size

    def sync_folder(self, folder: Path) -> None:
        """Names are kept at once."""

    def crash(self) -> int:
        """Of what was not synced, only a piece from its beginning is left; how many files lost something."""
        torn = 0
        for path, kept in self._kept.items():
            size = path.stat().st_size if path.exists() else 0
            if size > kept:
                torn += 1
                os.truncate(path, kept + int(self._dice.integers(0, size - kept + 1)))
        self._kept.clear()
        return torn


class SteppedClock(SimulatedClock):
    """The house's own: as far from the hospital's as it was last set."""

    def __init__(self, world: SimulatedClock) -> None:
        super().__init__(world.now())
        self._world = world
        self.wrong_by = timedelta(0)

    def now(self) -> datetime:
        return self._world.now() + self.wrong_by


class MortalWorkers(Executor):
    """Runs in this thread, and dies when told to."""

    def __init__(self) -> None:
        self.dead = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.dead:
            future.set_exception(BrokenProcessPool("a worker was killed"))
        else:
            future.set_result(fn(*args, **kwargs))
        return future
