"""Which scenario helps most: only what can be decided, only what is sure, the largest of these."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from forecast.board import EFFECT_MEASURES, Effect, Help, ScenarioView
from forecast.helping import helps_most

Rule = Callable[[Iterable[ScenarioView]], Help | None]

BASE = ScenarioView("x", "x", "x", (), can_be_decided=True)


def effect(measure: str, mean: float, *, half: float = 2.0, lead_min: int = 480) -> Effect:
    return Effect(measure, lead_min, mean, mean - half, mean + half, 40.0)


def view(name: str, *effects: Effect, befalls: bool = False) -> ScenarioView:
    return replace(BASE, name=name, effects=effects, can_be_decided=not befalls)


CENSUS, WAITING, BOARDERS = EFFECT_MEASURES
FEWER_COME = view("fewer_come", effect(CENSUS, -20.0), befalls=True)
DOCTOR = view("doctor", effect(CENSUS, -6.0), effect(WAITING, -5.0))
NURSE = view("nurse", effect(CENSUS, -4.0), effect(WAITING, -9.0))
BEDS = view("beds", effect(CENSUS, -8.0, half=9.0), effect(BOARDERS, -5.0))
TRIAGE = view("triage", effect(CENSUS, 0.5), effect(WAITING, -3.0))
SOON = view("soon", effect(CENSUS, -12.0, lead_min=240), effect(CENSUS, -0.1))
SURGE = view("surge", effect(CENSUS, 15.0), befalls=True)

CASES: dict[str, tuple[tuple[ScenarioView, ...], tuple[str, str] | None]] = {
    "the largest sure reduction": ((NURSE, DOCTOR, SURGE), ("doctor", CENSUS)),
    "not the largest that is unsure": ((DOCTOR, BEDS), ("doctor", CENSUS)),
    "not what befalls": ((FEWER_COME, NURSE), ("nurse", CENSUS)),
    "not what is over by the last lead": ((SOON, NURSE), ("nurse", CENSUS)),
    "present before waiting": ((TRIAGE, NURSE), ("nurse", CENSUS)),
    "waiting where none lowers those present": ((BEDS, TRIAGE), ("triage", WAITING)),
    "then those waiting for a bed": ((SOON, BEDS), ("beds", BOARDERS)),
    "of equal ones the first": ((DOCTOR, replace(DOCTOR, name="again")), ("doctor", CENSUS)),
    "none is sure": ((SOON, SURGE, FEWER_COME), None),
    "nothing computed": ((BASE,), None),
}


def wrong(rule: Rule) -> set[str]:
    """The cases in which a rule finds another than it must."""
    out = set()
    for said, (views, wanted) in CASES.items():
        found = rule(views)
        if (None if found is None else (found.scenario, found.effect.measure)) != wanted:
            out.add(said)
    return out


def decided(views: Iterable[ScenarioView]) -> list[ScenarioView]:
    return [replace(one, can_be_decided=True) for one in views]


def surely(views: Iterable[ScenarioView]) -> list[ScenarioView]:
    """The same as if every mean were sure."""
    return [replace(one, effects=tuple(replace(e, high=e.mean) for e in one.effects)) for one in views]


def at_any_lead(views: Iterable[ScenarioView]) -> list[ScenarioView]:
    return [replace(one, effects=tuple(replace(e, lead_min=0) for e in one.effects)) for one in views]


def waiting_first(views: Iterable[ScenarioView]) -> Help | None:
    views = list(views)
    alone = [replace(one, effects=tuple(e for e in one.effects if e.measure == WAITING)) for one in views]
    return helps_most(alone) or helps_most(views)


def test_what_helps_most_follows_the_rule() -> None:
    assert wrong(helps_most) == set()


def test_other_rules_are_seen() -> None:
    """The mutants: one that takes a crisis, one the largest mean though unsure, one any lead, one another order."""
    assert "not what befalls" in wrong(lambda views: helps_most(decided(views)))
    assert "not the largest that is unsure" in wrong(lambda views: helps_most(surely(views)))
    assert "not what is over by the last lead" in wrong(lambda views: helps_most(at_any_lead(views)))
    assert "the largest sure reduction" in wrong(waiting_first)


def test_an_effect_is_as_sure_as_its_rounded_interval_reads() -> None:
    ends = [(-3.0, -0.6), (-3.0, -0.4), (-1.0, 1.0), (0.4, 3.0), (0.6, 3.0)]
    found = [Effect(CENSUS, 480, 0.0, low, high) for low, high in ends]
    assert [one.is_fewer for one in found] == [True, False, False, False, False]
    assert [one.is_more for one in found] == [False, False, False, False, True]
