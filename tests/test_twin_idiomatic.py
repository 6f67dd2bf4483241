"""The yardstick of the bench: another run than the law's, of the same hospital, path and parameters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from dashboard.bench.cases import DAY_MIN, START, Whole, default_hospital
from ingest.events import RANK
from twin import idiomatic, model

RUNS = 30
NAMES = {rank: kind for kind, rank in RANK.items()}
Marks = Sequence[tuple[float, str]]


def told(whole: Whole, seed: int) -> list[tuple[float, str, int]]:
    return idiomatic.run(
        whole.capacity, whole.path, whole.parameters, start=START, zone=whole.hospital.zone, horizon_min=DAY_MIN,
        seed=seed,
    )  # fmt: skip


def by_the_law(whole: Whole, member: int) -> list[tuple[float, str]]:
    [case] = whole.cases(whole.luck(range(member, member + 1)))
    story = model.run(case.capacity, case.path, case.lot.fate, case.present, DAY_MIN)
    return [(float(at), NAMES[int(kind)]) for at, kind in zip(story.at_min, story.kind, strict=True)]


def a_day(runs: Sequence[Marks]) -> dict[str, float]:
    """How often each kind is told in a run, on average, and how many are inside at noon and at the end."""
    counts = Counter(kind for run in runs for _, kind in run)
    leave = ("Departed", "LeftWithoutBeingSeen")
    inside = {
        f"inside at {minute:g}": sum(
            (kind == "Arrived") - (kind in leave) for run in runs for at, kind in run if at <= minute
        )
        for minute in (720.0, DAY_MIN)
    }
    return {name: count / len(runs) for name, count in (counts | Counter(inside)).items()}


def apart(one: dict[str, float], other: dict[str, float]) -> list[str]:
    """What differs by more than a tenth and three patients."""
    both = {name: (one.get(name, 0.0), other.get(name, 0.0)) for name in one.keys() | other.keys()}
    return sorted(name for name, (mine, others) in both.items() if abs(mine - others) > 3 + 0.1 * mine)


@pytest.fixture(scope="module")
def lawful() -> dict[str, float]:
    return a_day([by_the_law(default_hospital(), member) for member in range(RUNS)])


def test_in_the_mean_a_day_is_that_of_the_law(lawful: dict[str, float]) -> None:
    usual = a_day([[mark[:2] for mark in told(default_hospital(), seed)] for seed in range(RUNS)])
    assert {"Arrived", "Moved", "Departed", "DecidedToAdmit", "EnteredWard", "inside at 720"} <= set(usual)
    assert apart(lawful, usual) == []


def test_a_day_of_another_hospital_is_told_apart(lawful: dict[str, float]) -> None:
    """The mutant: two doctors fewer."""
    whole = default_hospital()
    fewer = tuple((minute, max(count - 2, 1)) for minute, count in whole.capacity["doctor"])
    short = replace(whole, capacity={**whole.capacity, "doctor": fewer})
    assert "SeenByProvider" in apart(lawful, a_day([[m[:2] for m in told(short, seed)] for seed in range(8)]))


def test_the_same_seed_tells_the_same_run_and_another_another() -> None:
    whole = default_hospital()
    assert told(whole, 3) == told(whole, 3)
    assert told(whole, 3) != told(whole, 4)


def test_places_out_of_use_are_nobodys() -> None:
    """No doctor until noon: nobody is seen before, and somebody is after."""
    whole = default_hospital()
    late = dict(whole.capacity) | dict.fromkeys(("doctor", "fast_track_doctor"), ((0.0, 0), (720.0, 5)))
    seen = [at for at, kind, _ in told(replace(whole, capacity=late), 1) if kind == "SeenByProvider"]
    assert seen
    assert np.min(seen) >= 720.0
