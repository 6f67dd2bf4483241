"""What grows with the hospital: the default one, and ten times as many of everything, side by side."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from dashboard.bench.cases import DAY_MIN, Case, Whole, default_hospital
from dashboard.bench.timing import timed
from forecast.ensemble import Run
from twin.kernel import Runs, compiled
from twin.kernel_tables import aimed, packed
from twin.measures import measure
from twin.story import Story, Visits

TIMES = 10
_ROUNDS = 3
_STEPS = ("luck", "fate", "packing", "loop", "measures")
_MILESTONES = frozenset({"SeenByProvider", "DecidedToAdmit"})


def scale(members: int, times: int = TIMES) -> dict[str, Any]:
    """Milliseconds of the processor a member takes, step by step and in all, in both hospitals; and their ratios."""
    rows = {f"times_{n}": _row(default_hospital(n), members) for n in (1, times)}
    one, many = rows["times_1"], rows[f"times_{times}"]
    return {**rows, "ratio": {step: round(many[step] / one[step], 1) for step in one}}


def _row(whole: Whole, members: int) -> dict[str, float]:
    of_members = [_member(whole, member) for member in range(members)]
    steps = {step: round(median(one[step] for one in of_members), 3) for step in _STEPS}
    return {
        **steps,
        "member": round(median(sum(one[step] for step in _STEPS) for one in of_members), 3),
        "events": round(median(one["events"] for one in of_members)),
    }


def _member(whole: Whole, member: int) -> dict[str, float]:
    """One member, as an ensemble runs it: each step the quickest of some rounds."""
    luck = whole.luck(member)
    case = whole.case(luck)
    given = packed(case.path, case.fate, case.present, DAY_MIN)
    story = _run(case)
    return {
        "luck": _best_ms(partial(whole.luck, member)),
        "fate": _best_ms(partial(whole.case, luck)),
        "packing": _best_ms(partial(packed, case.path, case.fate, case.present, DAY_MIN)),
        "loop": _best_ms(partial(compiled(), *given), lambda: aimed(given, case.path, case.fate, case.capacity)),
        "measures": _best_ms(partial(_measured, whole, case, story)),
        "events": float(story.at_min.size),
    }


def _run(case: Case) -> Story:
    return Runs(case.path, case.fate, case.present, DAY_MIN, form=compiled()).under(case.capacity)


def _measured(whole: Whole, case: Case, story: Story) -> object:
    hospital = whole.hospital
    units = {unit.name: hospital.unit_code(unit.name) for unit in hospital.wards}
    visits = Visits.of(story, case.fate.acuity)
    return measure(visits, Run().lead_min, acuities=hospital.acuities, units=units, milestones=_MILESTONES)


def _best_ms(work: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    tries = []
    for _ in range(_ROUNDS):
        before()
        tries.append(timed(work))
    return 1e3 * float(np.min(tries))
