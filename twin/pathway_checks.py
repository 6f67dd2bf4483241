"""Is a path whole? Every fault of its table at once, each with its line.

Everybody who comes to a stage must come in the same situation (inside the department or not, keeping the same pools):
so what a patient who is found there holds can be told from the stage alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from ingest.configuration import _line_of, _lines_of_keys
from ingest.errors import ConfigurationError
from twin.hospital import Hospital
from twin.stages import LEAVING, REST, WANTED, WANTED_BED, Situation, Stage, is_entry

Fault = tuple[str, str, str]
"""Stage, key, what is wrong."""
_ENTERED = Situation(inside=True, kept=frozenset(), wants=False)
_ENTERED_WARD = Situation(inside=False, kept=frozenset(), wants=True)


def situations_of(stages: dict[str, Stage], hospital: Hospital, text: str, *, place: str) -> dict[str, Situation]:
    """In which situation patients come to each stage; raises ConfigurationError with every fault of the table."""
    ways = {name: [target for target in stage.then if target in stages] for name, stage in stages.items()}
    situations, astray = _situations(stages, ways)
    faults = [*_unknown(stages, hospital), *astray, *_dead_ends(ways, situations)]
    if faults:
        raise ConfigurationError(_located(faults, text, place))
    return situations


def _located(faults: list[Fault], text: str, place: str) -> list[str]:
    lines = _lines_of_keys(text)
    keys = [("stage", stage, *([key] if key else [])) for stage, key, _ in faults]
    return [
        f"{place}:{_line_of(key, lines)}: {'.'.join(key)}: {rule}"
        for key, (_, _, rule) in zip(keys, faults, strict=True)
    ]


def _unknown(stages: dict[str, Stage], hospital: Hospital) -> Iterator[Fault]:
    """Names that stand for nothing."""
    pools = (*hospital.pools, WANTED_BED)
    units = (*(unit.name for unit in hospital.units), WANTED)
    for name, stage in stages.items():
        for target, p in stage.then.items():
            if target not in stages:
                yield name, "then", f"unknown stage {target}{_likely(target, stages)}"
            if isinstance(p, str) and p != REST and not p.startswith("p_"):
                yield name, "then", f'a share must be named "p_..", a number or "rest", but is {p!r}'
        for key in ("takes", "needs", "gives"):
            for pool in getattr(stage, key):
                if pool not in pools:
                    yield name, key, f"unknown pool {pool}{_likely(pool, pools)}"
        if stage.unit is not None and stage.unit not in units:
            yield name, "unit", f"unknown unit {stage.unit}{_likely(stage.unit, units)}"
        if set(stage.gives) & set(stage.needs):
            yield name, "gives", "what a stage needs is given back by itself"
    if not any(is_entry(stage) for stage in stages.values()):
        yield next(iter(stages)), "", 'nobody comes in: one stage must say comes = "Arrived" or enters = true'


def _situations(stages: dict[str, Stage], ways: dict[str, list[str]]) -> tuple[dict[str, Situation], list[Fault]]:
    """Walk every way from every entry; the situation in which each stage is come to, and what is wrong on the way."""
    found: dict[str, Situation] = {}
    faults: dict[Fault, None] = {}
    todo = [(n, _ENTERED if s.comes else _ENTERED_WARD) for n, s in stages.items() if is_entry(s)]
    seen = set(todo)
    while todo:
        name, situation = todo.pop()
        before = found.setdefault(name, situation)
        for fault in _differs(name, before, situation):
            faults[fault] = None
        found[name] = before._replace(wants=before.wants and situation.wants)
        after, wrong = _after(name, stages[name], situation)
        faults |= dict.fromkeys(wrong)
        following = {(target, after) for target in ways[name]} - seen
        seen |= following
        todo += sorted(following, key=lambda pair: pair[0])
    unreached = [(name, "", "no way leads to this stage") for name in stages if name not in found]
    return found, [*faults, *unreached]


def _differs(name: str, one: Situation, other: Situation) -> Iterator[Fault]:
    if one.inside != other.inside:
        yield name, "", "is reached both from inside the department and from outside it"
    for pool in sorted(one.kept ^ other.kept):
        yield name, "", f"is reached by one way with {pool} kept and by another without"


def _after(name: str, stage: Stage, before: Situation) -> tuple[Situation, list[Fault]]:
    """The situation in which a patient goes on from a stage."""
    faults: list[Fault] = [(name, "takes", f"{p} is kept already") for p in stage.takes if p in before.kept]
    kept = before.kept | set(stage.takes)
    faults += [(name, "gives", f"{p} was not taken before") for p in stage.gives if p not in kept]
    faults += _without_ward(name, stage, before)
    if stage.patience and not before.inside:
        faults.append((name, "patience", "only who is in the department can leave it"))
    inside = before.inside
    for key, kind in (("starts", stage.starts), ("ends", stage.ends)):
        if kind in LEAVING and not inside:
            faults.append((name, key, f"{kind} outside the department"))
        inside = inside and kind not in LEAVING
    if stage.wants and WANTED_BED in kept - set(stage.gives):
        faults.append((name, "wants", "another ward is wanted while a bed of the former is kept"))
    kept -= set(stage.gives)
    if not stage.then:
        faults += [(name, "gives", f"{pool} is never given back") for pool in sorted(kept)]
        if inside:
            faults.append((name, "starts", "ends in the department: a way out must say Departed"))
    return Situation(inside, kept, before.wants or stage.wants is not None), faults


def _without_ward(name: str, stage: Stage, before: Situation) -> Iterator[Fault]:
    told = {
        "takes": WANTED_BED in stage.takes,
        "needs": WANTED_BED in stage.needs,
        "unit": stage.unit == WANTED,
        "lasts": (stage.lasts or "").endswith(f":{WANTED}"),
    }
    if not before.wants:
        yield from ((name, key, "no ward is wanted yet") for key, needed in told.items() if needed)


def _dead_ends(ways: dict[str, list[str]], situations: dict[str, Situation]) -> Iterator[Fault]:
    """Stages from which no way leads out."""
    leads_out = {name for name, targets in ways.items() if not targets}
    while grown := {n for n, targets in ways.items() if n not in leads_out and leads_out & set(targets)}:
        leads_out |= grown
    yield from ((name, "then", "no way leads out from here") for name in situations if name not in leads_out)


def _likely(name: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    near = get_close_matches(name, names, n=1)
    return f", likely a typo for {near[0]}" if near else f"; allowed are {', '.join(names)}"
