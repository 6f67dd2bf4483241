"""How soon a what-if question is answered: of a moment that nobody has drawn anything of, and of one that is drawn."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

from dashboard.bench.cases import learned_hospital
from dashboard.bench.timing import children_s, load, processor_s
from dashboard.house import COMPILED, scenario_catalogue
from dashboard.settings import Settings
from forecast.ensemble import Run
from forecast.issue import Times
from forecast.situation import Situation
from forecast.whatif import Ground
from forecast.whatif_levers import Question, levers_of, scenario_of
from forecast.whatif_queue import WhatIf
from forecast.workers import Workers
from ingest.clock import stopwatch
from twin.kernel import warm
from twin.scenarios import Scenario

_LOOK_S = 0.002
_LONGEST_S = 300.0
ASKED: tuple[tuple[str, Question], ...] = (
    ("one more doctor", Question(values={"doctor": 1.0})),
    ("20 % more arrivals, 10 beds fewer", Question(values={"arrivals": 120.0, "beds": -10.0})),
    ("wards discharge two hours earlier", Question(values={"earlier": 120.0})),
    ("epidemic clusters", Question("epidemic_clusters")),
)


def whatif(settings: Settings, members: int, days: int) -> dict[str, Any]:
    """Seconds from the question to each stage of its answer, in a process of its own as the house has it."""
    catalogue, situation = scenario_catalogue(settings), learned_hospital(days=days)
    child = Workers(1, prepare=partial(warm, settings.data / COMPILED))
    try:
        child.submit(warm, settings.data / COMPILED).result()
        cold = _answered(child, _ground(situation, catalogue, members, 1), situation, catalogue, drawn=False)
        drawn = _answered(child, _ground(situation, catalogue, members, 2), situation, catalogue, drawn=True)
    finally:
        child.shutdown()
    [first, *_] = cold
    return {"members": members, "cold": first, "drawn": drawn, "load": load()}


def _ground(situation: Situation, catalogue: dict[str, Scenario], members: int, seed: int) -> Ground:
    at = situation.as_of
    return Ground(situation, Times(at, at, at), Run(members=members, seed=seed), catalogue["as_usual"])


def _answered(
    child: Workers, ground: Ground, situation: Situation, catalogue: dict[str, Scenario], *, drawn: bool
) -> list[dict[str, Any]]:
    """Each question, one after the other; `drawn`: asked once its moment's members have been run as usual."""
    engine = WhatIf(child, lambda: ground)
    engine.start()
    try:
        if drawn:
            engine.ask("bench", catalogue["as_usual"])
            _until(engine, catalogue["as_usual"], ground.how.members)
        levers = levers_of(situation)
        made = [(name, scenario_of(q, levers, catalogue, situation, ground.how)) for name, q in ASKED]
        return [_timed(engine, name, scenario, ground) for name, scenario in (made if drawn else made[:1])]
    finally:
        engine.stop(_LONGEST_S)


def _timed(engine: WhatIf, name: str, scenario: Scenario, ground: Ground) -> dict[str, Any]:
    began, before, mine = stopwatch(), children_s(), processor_s()
    out: dict[str, Any] = {"asked": name}
    for stage in ground.stages():
        _until(engine, scenario, stage)
        out[f"{stage}_s"] = round(stopwatch() - began, 3)
    after = children_s()
    had = None if before is None or after is None else round(after - before + processor_s() - mine, 2)
    return out | {"processor_s": had}


def _until(engine: WhatIf, scenario: Scenario, members: int) -> None:
    """Wait for an answer from so many members; raises what the engine says went wrong."""
    began, pause = stopwatch(), threading.Event()
    while stopwatch() - began < _LONGEST_S:
        standing = engine.ask("bench", scenario)
        if standing.fault is not None:
            raise standing.fault
        if standing.answer is not None and standing.answer.members >= members:
            return
        pause.wait(_LOOK_S)
    raise TimeoutError(f"no answer from {members} members within {_LONGEST_S:g} s")
