"""Processes of this machine, as tests and campaigns see them from outside; one that has just ended is no fault."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress

import psutil

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


def is_running(pid: int) -> bool:
    """Whether there is such a process; one that waits to be reaped does not run."""
    return _status(pid) not in (None, psutil.STATUS_ZOMBIE)


def zombies() -> list[int]:
    """Children of this process that are dead and not buried."""
    multiprocessing.active_children()
    return [child.pid for child in psutil.Process().children() if _status(child.pid) == psutil.STATUS_ZOMBIE]


def _status(pid: int) -> str | None:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status()
    return None


def children(pid: int) -> list[int]:
    """The processes that a process has begun and that are still there."""
    return [child.pid for child in psutil.Process(pid).children()]


def resident_mb(*pids: int) -> float:
    """Memory of processes, what they share counted once for each; of one that has just ended, nothing."""
    used = 0
    for pid in pids:
        with suppress(*_GONE):
            used += psutil.Process(pid).memory_info().rss
    return used / 1e6


def cpu_s(*pids: int) -> float:
    """How long processes have kept processors busy; of one that has just ended, nothing."""
    busy = 0.0
    for pid in pids:
        with suppress(*_GONE):
            times = psutil.Process(pid).cpu_times()
            busy += times.user + times.system
    return busy
