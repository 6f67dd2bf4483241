"""The table of engines: one member of 24 h, the same in each, in time of the processor.

The compiled loop and the loop in C are timed alone, on what was packed before; packing, the drawing of luck and its
casting into fates, which all engines but the first need, are told apart.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from dashboard.bench.cases import DAY_MIN, START, Case, Whole, default_hospital, learned_hospital, members_of
from dashboard.bench.timing import timed
from forecast.ensemble import Run, drawn
from forecast.situation import Situation
from twin import idiomatic, kernel_c, model
from twin.errors import TwinError
from twin.fate import cast_members
from twin.kernel import Loop, compiled, plain
from twin.kernel_tables import Packed, Room, aimed, packed
from twin.story import Story

ENGINES = ("idiomatic", "simpy", "python", "kernel", "c")
"""From the way one usually writes it in SimPy to C."""

PLAIN = 5
"""Members that the loop's text runs uncompiled."""
_ROUNDS = 3
"""How often each compiled engine runs a member: the quickest counts."""


@dataclass(frozen=True)
class InC:
    """The loop in C, or why there is none."""

    loop: Loop | None
    why_not: str | None = None


def loop_in_c() -> InC:
    """The kernel's own text made into C and compiled, in a folder that is gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix="edtwin-bench-") as folder:
            return InC(kernel_c.built(Path(folder)))
    except TwinError as missing:
        return InC(None, str(missing))


def engines(members: int, in_c: InC, days: int) -> dict[str, Any]:
    """Both hospitals' tables."""
    whole, some = default_hospital(), range(members)
    luck = whole.luck(some)
    default = _table(whole.cases(luck), in_c)
    ways = [partial(_idiomatic, whole, member) for member in some]
    situation = learned_hospital(days=days)
    learned = _table(members_of(situation, members), in_c)
    return {
        "default_hospital": _told(
            {
                **default,
                "idiomatic_ms": _ms(ways),
                "idiomatic_events": round(sum(len(way()) for way in ways) / len(ways)),
                "luck_ms": _each_ms(partial(whole.luck, some), members),
                "fate_ms": _each_ms(partial(whole.cases, luck), members),
            }
        ),
        "learned_hospital": _told({**learned, **_drawing(situation, members)}),
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **rates(row)}


def _idiomatic(whole: Whole, seed: int) -> list[tuple[float, str, int]]:
    zone = whole.hospital.zone
    return idiomatic.run(
        whole.capacity, whole.path, whole.parameters, start=START, zone=zone, horizon_min=DAY_MIN, seed=seed
    )


def _drawing(situation: Situation, members: int) -> dict[str, float]:
    """Of a learned hospital the present is drawn too."""
    c, how, some = situation.calibration, Run(), range(members)
    presents, luck = drawn(situation, how, some)
    return {
        "luck_ms": _each_ms(partial(drawn, situation, how, some), members),
        "fate_ms": _each_ms(partial(cast_members, c.path, c.parameters, luck, presents), members),
    }


def _table(cases: Sequence[Case], in_c: InC) -> dict[str, Any]:
    """The law, the compiled loop, the same loop in C and as Python, on the same members."""
    ready = [_ready(case) for case in cases]
    return {
        "events": round(sum(_events(case) for case in cases) / len(cases)),
        "simpy_ms": _ms([partial(_by_law, case) for case in cases]),
        "python_ms": _alone_ms(plain, cases[:PLAIN], ready[:PLAIN], 1),
        "packing_ms": _packing_ms(cases),
        "kernel_ms": _alone_ms(compiled(), cases, ready, _ROUNDS),
        "c_ms": _alone_ms(in_c.loop, cases, ready, _ROUNDS) if in_c.loop else None,
        "c_missing": in_c.why_not,
    }


def _by_law(case: Case) -> Story:
    return model.run(case.capacity, case.path, case.lot.fate, case.present, DAY_MIN)


def _events(case: Case) -> int:
    """Marks of the run, without those of before."""
    return int(_by_law(case).at_min.size - case.present.history.at_min.size)


def _ready(case: Case) -> Packed:
    return _aimed(packed(case.path, case.lot, case.present, DAY_MIN), case)


def _aimed(given: Packed, case: Case) -> Packed:
    aimed(given, case.path, case.capacity)
    return given


def _packing_ms(cases: Sequence[Case]) -> float:
    """Packed and aimed in room that is there already, as in an ensemble."""
    room = Room()
    return _ms([partial(lambda c: _aimed(packed(c.path, c.lot, c.present, DAY_MIN, room), c), case) for case in cases])


def _alone_ms(loop: Loop, cases: Sequence[Case], ready: Sequence[Packed], rounds: int) -> float:
    """The loop alone, of each member the quickest of some rounds."""
    seconds = []
    for case, given in zip(cases, ready, strict=True):
        tries = []
        for _ in range(rounds):
            aimed(given, case.path, case.capacity)
            tries.append(timed(partial(loop, *given)))
        seconds.append(min(tries))
    return round(1e3 * median(seconds), 3)


def _each_ms(work: Callable[[], object], members: int) -> float:
    """Milliseconds a member of what is done for all of them at once: the quickest of some rounds."""
    return round(1e3 * min(timed(work) for _ in range(_ROUNDS)) / members, 3)


def _ms(ways: Sequence[Callable[[], object]]) -> float:
    """Milliseconds of the processor, the median."""
    return round(1e3 * median(map(timed, ways)), 3)


def rates(row: dict[str, Any]) -> dict[str, Any]:
    """Events a second of each engine of a row, and what that is of the law's and of C's."""
    told = {f"{name}_events_per_s": _rate(row, name) for name in ENGINES if row.get(f"{name}_ms")}
    kernel = told["kernel_events_per_s"]
    in_c = told.get("c_events_per_s")
    return {
        **told,
        "kernel_over_simpy": round(kernel / told["simpy_events_per_s"], 1),
        "kernel_share_of_c": round(kernel / in_c, 2) if in_c else None,
    }


def _rate(row: dict[str, Any], name: str) -> int:
    events = row["idiomatic_events"] if name == "idiomatic" else row["events"]
    return round(1e3 * events / row[f"{name}_ms"])
