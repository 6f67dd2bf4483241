"""The judge of weeks: whether memory, files and threads are flat and cycles are delivered, from samples alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

WARM_DAYS = 2.0
"""Of each life: caches fill, a first night is learned."""
MOST_MB_A_DAY = 1.0
MOST_A_DAY = 0.05
"""Files and threads: one in twenty days is more than flat."""
DELIVERED = 0.999


@dataclass(frozen=True)
class Sample:
    """What was seen of a house at one instant. `at`: its clock, as seconds; `wall_s`: seconds since its life began;
    memory in MB, that of its children apart; `done`, `missed`, `failed`: cycles of this life."""

    life: int
    wall_s: float
    at: float
    rss_mb: float
    files: int
    threads: int
    done: int
    missed: int
    failed: int
    children_mb: float = 0.0
    database_mb: float = 0.0
    journal_mb: float = 0.0


def slope_a_day(samples: Sequence[Sample], what: Callable[[Sample], float]) -> float:
    """How much more a day, as the median over all pairs of samples: what comes and goes does not move it."""
    days = np.array([s.at for s in samples]) / 86400
    values = np.array([what(s) for s in samples], dtype=float)
    thin = slice(None, None, max(len(samples) // 500, 1))
    days, values = days[thin], values[thin]
    first, second = np.triu_indices(len(days), 1)
    apart = days[second] - days[first]
    far = apart > (days[-1] - days[0]) / 4  # pairs close to each other tell of noise
    return float(np.median((values[second] - values[first])[far] / apart[far])) if far.any() else 0.0


def warm(samples: Sequence[Sample], days: float = WARM_DAYS) -> list[list[Sample]]:
    """Each life without its first days; lives that ended sooner are left out."""
    lives = [[s for s in samples if s.life == number] for number in sorted({s.life for s in samples})]
    after = [[s for s in one if s.at - one[0].at >= days * 86400] for one in lives]
    return [one for one in after if len(one) >= 10]


def cycles(samples: Sequence[Sample]) -> tuple[int, int, float]:
    """Cycles delivered, cycles that were due by their own account, and days lived, over all lives; each from its first
    sample on: a first cycle learns, and on a fast clock it misses turns that it would not on the world's."""
    done = due = 0
    days = 0.0
    for number in {s.life for s in samples}:
        mine = [s for s in samples if s.life == number]
        done += mine[-1].done - mine[0].done
        due += _turns(mine[-1]) - _turns(mine[0])
        days += (mine[-1].at - mine[0].at) / 86400
    return done, due, days


def _turns(sample: Sample) -> int:
    return sample.done + sample.missed + sample.failed


LOOKED_AT: dict[str, tuple[Callable[[Sample], float], float, str]] = {
    "memory": (lambda s: s.rss_mb, MOST_MB_A_DAY, "MB"),
    "memory of children": (lambda s: s.children_mb, MOST_MB_A_DAY, "MB"),
    "open files": (lambda s: s.files, MOST_A_DAY, "files"),
    "threads": (lambda s: s.threads, MOST_A_DAY, "threads"),
}


def faults(samples: Sequence[Sample], every: timedelta, warm_days: float = WARM_DAYS) -> list[str]:
    """What is wrong, each in a sentence; nothing where nothing is."""
    wrong: list[str] = []
    for name, (what, most, unit) in LOOKED_AT.items():
        slopes = [(one[0].life, slope_a_day(one, what)) for one in warm(samples, warm_days)]
        wrong += [f"{name} of life {n}: {by:+.2f} {unit} a day, {most:g} at most" for n, by in slopes if by > most]
    done, due, days = cycles(samples)
    expected = days * 86400 / every.total_seconds()
    if done < DELIVERED * max(due, expected - len({s.life for s in samples})):
        wrong.append(f"{done} cycles were delivered of {due} that were due and {expected:.0f} that the days have")
    if not warm(samples, warm_days):
        wrong.append(f"no life was longer than {warm_days:g} days: nothing is known of what grows")
    return wrong


def found(samples: Sequence[Sample], every: timedelta, warm_days: float = WARM_DAYS) -> list[str]:
    """What was seen, in lines."""
    done, due, days = cycles(samples)
    lines = [f"{days:.1f} days in {len({s.life for s in samples})} lives, a cycle every {every}: {done} of {due} done"]
    for one in warm(samples, warm_days):
        told = [f"{name} {slope_a_day(one, what):+.3f} {unit} a day" for name, (what, _, unit) in LOOKED_AT.items()]
        last = one[-1]
        lines.append(
            f"life {last.life}, {(last.at - one[0].at) / 86400:.1f} warm days: {', '.join(told)}; "
            f"at the end {last.rss_mb:.0f} MB, {last.files} files, {last.threads} threads"
        )
    return lines
