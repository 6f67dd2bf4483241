"""The compiled engine: the law of `model.py` to the last bit, and nothing but the law."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path as FilePath
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ingest.events import RANK
from tests.random_hospitals import Case, random_case
from twin import kernel, kernel_layout, kernel_loop, kernel_patient, kernel_queues, model
from twin.errors import TwinError
from twin.fate import Lot
from twin.kernel import Loop, Runs, compiled, plain, warm
from twin.small_hospitals import same
from twin.story import Story

CASES, LOOKED_AT, SOAKED = 200, 100, 2000
"""Random cases in this suite; those that each mutant is looked for in; those of the soak."""
RARE = (259,)
"""Further cases: in them it tells whether those who queue for a doctor count among the patients in care."""


COMPILES = pytest.mark.timeout(400)
"""Compiling takes some seconds of a processor, and more on a busy machine."""


def by(form: Loop, case: Case) -> Story:
    return Runs(case.path, Lot.of(case.fate), case.present, case.horizon_min, form=form).under(case.capacity)


def law(case: Case) -> Story:
    return model.run(case.capacity, case.path, case.fate, case.present, case.horizon_min)


@lru_cache(maxsize=CASES + len(RARE))
def told(number: int) -> tuple[Case, Story]:
    """A random case and its story by the law."""
    case = random_case(number)
    return case, law(case)


def unlike(form: Loop, cases: Sequence[int]) -> list[int]:
    """The cases in which a form of the loop tells another story than the law."""
    return [i for i in cases if not same(told(i)[1], by(form, told(i)[0]))]


@COMPILES
def test_compiled_it_tells_the_story_of_the_law_mark_by_mark() -> None:
    assert unlike(compiled(), [*range(CASES), *RARE]) == []


def test_uncompiled_it_tells_the_story_of_the_law_mark_by_mark() -> None:
    assert unlike(plain, range(LOOKED_AT)) == []


@pytest.mark.soak
def test_the_law_holds_in_many_more_cases() -> None:
    assert unlike(compiled(), range(CASES, CASES + SOAKED)) == []


def test_the_random_cases_reach_every_corner_of_the_law() -> None:
    """Else agreement in them would say little."""
    cases, stories = zip(*map(told, range(CASES)), strict=True)
    kinds = np.concatenate([story.kind for story in stories])
    for kind in ("LeftWithoutBeingSeen", "Moved", "EnteredWard", "LeftWard", "DecidedToAdmit", "BedRequested"):
        assert (kinds == RANK[kind]).sum() > 50, kind
    assert sum(case.path.name == "full" for case in cases) >= 10
    assert sum(case.fate.loads > 1 for case in cases) > 50
    assert sum(case.fate.caseloads > 1 for case in cases) > 50
    steps = [np.diff([c for _, c in profile]) for case in cases for profile in case.capacity.values()]
    assert min((s > 0).sum() for s in (np.concatenate(steps), -np.concatenate(steps))) > 200, "capacity rises and falls"
    assert sum(case.fate.clock_edge_min.size > 0 for case in cases) > 40
    assert sum(held_above_capacity(case) for case in cases) > 20
    assert sum(overflows(case, story) for case, story in zip(cases, stories, strict=True)) > 20
    assert sum(np.unique(story.at_min).size < 0.5 * story.at_min.size for story in stories) > 50, "ties"


def overflows(case: Case, story: Story) -> bool:
    """Does somebody lie in another ward than the one wanted?"""
    nobody = replace(case, path=replace(case.path, overflow=((),) * len(case.path.units)))
    return any(case.path.overflow) and not same(story, law(nobody))


def held_above_capacity(case: Case) -> bool:
    """Do more in wards hold beds than there are?"""
    inside = [case.path.names[k] == "ward" for k in case.present.stage]
    held = np.flatnonzero(np.array(inside, dtype=bool) & case.present.serving & case.present.here)
    wards = case.present.unit[held]
    return any((wards == w).sum() > case.capacity[f"bed:{case.path.units[w]}"][0][1] for w in np.unique(wards))


# --- small errors of law, each of which the same check sees

MUTANTS: dict[str, tuple[str, str]] = {
    "priority is ignored": ("for column in (n[PRIORITY], n[CAME]):", "for column in (n[CAME],):"),
    "arrival is ignored among equals": ("for column in (n[PRIORITY], n[CAME]):", "for column in (n[PRIORITY],):"),
    "patience counts from the arrival": (
        "patience = waits if", "patience = max(waits + x[n[CAME] + row] - now, 0.0) if",
    ),
    "patience counts for the first pool alone": (
        "if n[mine + STOP] == stop and n[mine + WAITS] == 1:",
        "if n[mine + STOP] == stop and n[mine + WAITS] == 1 and n[mine + ASKED] == 0:",
    ),
    "a change of capacity comes a minute late": (
        "x[n[CHANGE_AT] + change], CHANGES_NOW", "x[n[CHANGE_AT] + change] + 1.0, CHANGES_NOW",
    ),
    "rising capacity does not move the queue": (
        "        look(n, x, now, pool)\n    return NOBODY", "    return NOBODY",
    ),
    "a request comes before the release of its instant": ("order += AT_THE_END", "order += 0"),
    "a free place is taken whoever else comes at this instant": (
        "if n[EVENTS] > 0 and x[n[HEAP_AT]] <= now:", "if False:",
    ),
    "who comes at this instant does not count": (
        "if n[NEXT] < n[COMING] and x[n[CAME] + n[n[COMERS] + n[NEXT]]] <= now:", "if False:",
    ),
    "a phase begins a moment later": ("x[n[PHASE_EDGE] + phase] <= now", "x[n[PHASE_EDGE] + phase] < now"),
    "what is freed knows of no phases": ("stop * n[PHASES] + phase_of(n, x, now)", "stop * n[PHASES]"),
    "a load class begins one patient later": ("x[edges + load] <= n[CENSUS]", "x[edges + load] < n[CENSUS]"),
    "the caseload ignores how many are on duty": ("- 1) // on_duty, most", "- 1), most"),
    "the caseload counts the patient": ("NOT_SEEN] - 1) // on_duty", "NOT_SEEN]) // on_duty"),
    "who queues for a doctor counts as in care": ("TAKEN] - n[pool + NOT_SEEN] - 1", "TAKEN] - 1"),
    "who left unseen still counts as not seen": (
        "            n[pool + NOT_SEEN] -= 1\n        release", "            pass\n        release",
    ),
    "what a stage frees early is held to its end": ("if freed < lasting:", "if False:"),
    "who gave up is taken in": ("if n[mine + WAITS] == 1:", "if True:"),
    "who left unseen still counts in the department": (
        "if bits & IS_LEAVING != 0:", "if bits & IS_LEAVING != 0 and kind != _UNSEEN:",
    ),
    "who left unseen keeps a box": (
        "for i in range(n[mine + KEEPS]):\n        pool", "for i in range(0):\n        pool",
    ),
    "a stage that has begun takes nothing": ("_keep(n, n[serving + i], n[n[at + ASKS_AT] + j])", "pass"),
    "those who hold a place enter after those who queue": ("begun = i < n[SERVERS]", "begun = i < 0"),
    "guests come before a ward's own patients": (
        "for queue in (pool + QUEUED, pool + INVITED):", "for queue in (pool + INVITED, pool + QUEUED):",
    ),
    "the bed of another ward is given back to the ward wanted": ("n[mine + WARD] = n[pool + WARD_OF]", "pass"),
    "who lies elsewhere still queues for the ward wanted": (
        "    _leave(n, x, pool_of(n, row, OF_WARD, ward) + QUEUED, row, queue)\n", "",
    ),
    "who has a bed is still a guest of other wards": (
        "        _leave(n, x, n[POOLS] + n[n[hosts] + i] * POOL + INVITED, row, queue)\n", "        pass\n",
    ),
    "other wards are asked a minute late": ("push(n, x, now, waits, SEARCHES", "push(n, x, now, waits + 1.0, SEARCHES"),
    "a bed that becomes free looks for no guest": (
        "queued = n[pool + QUEUED] > 0 or n[pool + INVITED] > 0", "queued = n[pool + QUEUED] > 0",
    ),
    "a stay's clock is read when the patient came": (
        "hour = min(_passed(x, edge, last + 1, now), last) - 1", "hour = 0",
    ),
    "the clock is that of the ward wanted first": (
        "n[CLOCK] + n[mine + WARD] * n[CLOCK_EDGES]", "n[CLOCK] + n[n[WANTED] + row * (n[STOPS] + 1)] * n[CLOCK_EDGES]",
    ),
    "the last ward named is asked first": (
        "ROAMS] = 1\n    for i in range(n[hosts + 1]):", "ROAMS] = 1\n    for i in range(n[hosts + 1] - 1, -1, -1):",
    ),
}  # fmt: skip


PARTS = (kernel_layout, kernel_queues, kernel_patient, kernel_loop)
"""The files of the loop's text."""


def mutant(old: str, new: str) -> Loop:
    """The loop's text, uncompiled, with a small error planted."""
    text = "".join(FilePath(str(part.__file__)).read_text(encoding="utf-8") for part in PARTS)
    text = re.sub(r"from __future__.*\n|from twin\.kernel_[^(\n]*(\([^)]*\)|.*\n)", "", text)
    assert text.count(old) >= 1, "the text has changed: plant this error elsewhere"
    module = ModuleType("mutant")
    exec(compile(text.replace("@part\n", "").replace(old, new, 1), "mutant", "exec"), module.__dict__)

    def form(n: Any, x: Any) -> None:
        whole, minutes = n.tolist(), x.tolist()
        module.simulate(whole, minutes)
        n[:], x[:] = whole, minutes

    return form


@pytest.mark.parametrize("error", MUTANTS)
def test_a_small_error_of_law_is_seen(error: str) -> None:
    form = mutant(*MUTANTS[error])
    assert any(differs(form, i) for i in (*range(CASES), *RARE))


def differs(form: Loop, number: int) -> bool:
    """Another story, or one that breaks off."""
    case, story = told(number)
    try:
        return not same(story, by(form, case))
    except (TwinError, IndexError):
        return True


# --- what it lacks, it refuses


def test_a_pool_without_capacity_is_named() -> None:
    case = random_case(3)
    with pytest.raises(TwinError, match=rf"path {case.path.name} needs a capacity, but .* has none"):
        by(compiled(), replace(case, capacity={}))


def test_a_run_needs_a_horizon() -> None:
    with pytest.raises(TwinError, match="its horizon is 0 min"):
        by(compiled(), replace(random_case(3), horizon_min=0.0))


def test_who_comes_at_no_minute_is_refused() -> None:
    case = random_case(3)
    for minute in (np.nan, -1.0):
        fate = replace(case.fate, at_min=np.where(np.isnan(case.fate.at_min), np.nan, minute))
        with pytest.raises(TwinError, match="come at a minute from 0 on"):
            by(compiled(), replace(case, fate=fate))


def test_what_would_happen_before_now_is_refused() -> None:
    """As SimPy does."""
    case = random_case(3)
    spoilt = replace(case, capacity={p: (*profile, (-5.0, 9)) for p, profile in case.capacity.items()})
    with pytest.raises(TwinError, match="before now"):
        by(compiled(), spoilt)
    with pytest.raises(ValueError, match="Negative delay"):
        law(spoilt)


def test_a_bed_of_no_ward_is_refused() -> None:
    for case in (c for c in map(random_case, range(30)) if c.path.name == "whole" and wants_a_bed(c)):
        nowhere = replace(case, fate=replace(case.fate, unit=np.full_like(case.fate.unit, -1)))
        with pytest.raises(TwinError, match=r"row [0-9]+ of the fate: a bed of the ward wanted"):
            by(compiled(), nowhere)
        return
    pytest.fail("nobody wanted a bed")


def wants_a_bed(case: Case) -> bool:
    return bool((law(case).kind == RANK["BedRequested"]).any())


@COMPILES
def test_until_it_is_compiled_the_law_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    case, story = told(5)
    monkeypatch.setattr(kernel, "_fast", [])
    assert not kernel.ready()
    assert same(kernel.run(case.capacity, case.path, case.fate, case.present, case.horizon_min), story)
    warm()
    assert kernel.ready()
    assert same(kernel.run(case.capacity, case.path, case.fate, case.present, case.horizon_min), story)


@COMPILES
def test_it_is_kept_where_told(tmp_path: FilePath) -> None:
    case, story = told(5)
    assert same(by(compiled(tmp_path / "kept"), case), story)
    assert list((tmp_path / "kept").rglob("*.nbi"))


@COMPILES
def test_one_process_at_a_time_compiles_and_the_others_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_fast", [])
    with kernel._alone(kernel._BESIDE):
        other = threading.Thread(target=warm)
        other.start()
        other.join(0.5)
        assert not kernel.ready()
    other.join()
    assert kernel.ready()


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(tmp_path: FilePath) -> None:
    full = tmp_path / "full"
    full.write_text("a file where a folder should be")
    kept: Any = compiled(tmp_path / "folder")
    assert kept.stats.cache_path is not None
    for nowhere in (full, None):
        form: Any = compiled(nowhere)
        assert form.stats.cache_path is None
