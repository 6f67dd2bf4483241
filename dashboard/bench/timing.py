"""Time as the bench tells it: of the processor, which others on the machine change little, and of the wall."""

from __future__ import annotations

import multiprocessing
import os
import platform
import resource
from collections.abc import Callable
from pathlib import Path

from ingest.clock import stopwatch


def machine() -> str:
    """The machine, and how much others ask of it."""
    return f"{platform.machine()}, {os.cpu_count()} processors, load {load():.1f}"


def load() -> float:
    """The load of the last minute."""
    return round(os.getloadavg()[0], 1)


def processor_s() -> float:
    """Seconds of the processor that this process has had."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def timed(work: Callable[[], object]) -> float:
    """Seconds of the processor that some work takes in this process."""
    began = processor_s()
    work()
    return processor_s() - began


def children_s() -> float | None:
    """Seconds of the processor that the running child processes have had; None where the system does not tell."""
    try:
        return sum(_had_s(child.pid) for child in multiprocessing.active_children() if child.pid)
    except OSError:
        return None


def ended_children_s() -> float:
    """Seconds of the processor that child processes which have ended had, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _had_s(pid: int) -> float:
    fields = Path("/proc", str(pid), "stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watched(work: Callable[[], object]) -> dict[str, float | None]:
    """Seconds of the wall, and of the processor in this process and its children, that some work takes."""
    wall, mine, theirs = stopwatch(), processor_s(), children_s()
    work()
    after = children_s()
    children = 0.0 if theirs is None or after is None else after - theirs
    return {
        "seconds": round(stopwatch() - wall, 2),
        "processor_s": None if after is None else round(processor_s() - mine + children, 2),
        "load": load(),
    }
