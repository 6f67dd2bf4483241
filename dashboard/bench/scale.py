"""What grows with the hospital: the default one, and ten times as many of everything, side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from dashboard.bench.cases import DAY_MIN, Case, Whole, default_hospital
from dashboard.bench.timing import timed
from forecast.ensemble import MILESTONES, Run
from forecast.workers import keep_memory
from twin.counting import Counting
from twin.kernel import Runs, compiled, compiled_counter
from twin.kernel_tables import Room, aimed, packed
from twin.story import Story

TIMES = 10
_ROUNDS = 3


def scale(members: int, times: int = TIMES) -> dict[str, Any]:
    """Milliseconds of the processor a member takes, step by step and in all, in both hospitals; and their ratios.

    Memory is kept as in the processes that simulate.
    """
    keep_memory()
    rows = {f"times_{n}": _row(default_hospital(n), members) for n in (1, times)}
    one, many = rows["times_1"], rows[f"times_{times}"]
    return {**rows, "ratio": {step: round(many[step] / one[step], 1) for step in one}}


def _row(whole: Whole, members: int) -> dict[str, float]:
    """Drawn for all of them at once, as an ensemble does it; then one after the other. A median of members."""
    some, room = range(members), Room()
    luck = whole.luck(some)
    cases, counting = whole.cases(luck), _counting(whole)
    alone = [_member(case, counting, room) for case in cases]
    steps = {
        "luck": _best_ms(partial(whole.luck, some)) / members,
        "fate": _best_ms(partial(whole.cases, luck)) / members,
        **{step: median(one[step] for one in alone) for step in ("packing", "loop", "measures")},
    }
    events = round(median(one["events"] for one in alone))
    return {**{s: round(ms, 3) for s, ms in steps.items()}, "member": round(sum(steps.values()), 3), "events": events}


def _member(case: Case, counting: Counting, room: Room) -> dict[str, float]:
    """A member packed, run and counted; each step the quickest of some rounds."""
    pack = partial(packed, case.path, case.lot, case.present, DAY_MIN, room)
    given = pack()
    told = Runs(case.path, case.lot, case.present, DAY_MIN, form=compiled()).under(case.capacity)
    return {
        "packing": _best_ms(pack),
        "loop": _best_ms(partial(compiled(), *given), lambda: aimed(given, case.path, case.capacity)),
        "measures": _best_ms(partial(_counted, case, counting, told)),
        "events": float(told.at_min.size),
    }


def _counted(case: Case, what: Counting, told: Story) -> None:
    """As the compiled engine counts."""
    none, no_marks = np.empty(0), np.empty((0, 4), dtype=np.int64)
    marks = np.stack([told.kind, told.visit, told.unit, told.to], axis=1)
    grid_min = Run().lead_min[1:]
    out = np.empty((len(what.names), grid_min.size))
    compiled_counter()(none, no_marks, told.at_min, marks, case.lot.acuity, what.ward_of, grid_min, 0.0, out)


def _counting(whole: Whole) -> Counting:
    hospital = whole.hospital
    return Counting(
        acuities=tuple(hospital.acuities),
        units=tuple(unit.name for unit in hospital.units),
        wards=tuple(unit.name for unit in hospital.wards),
        milestones=MILESTONES[whole.path.name],
    )


def _best_ms(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    tries = []
    for _ in range(_ROUNDS):
        before()
        tries.append(timed(work))
    return 1e3 * float(np.min(tries))
