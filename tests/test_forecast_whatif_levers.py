"""Sliders: those of the hospital, each true of what it changes; questions that cannot be asked say why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from forecast.ensemble import Run, applied_to
from forecast.errors import QuestionError
from forecast.situation import Situation
from forecast.whatif_levers import Lever, Question, levers_of, numbers_of, scenario_of
from tests.histories import situation
from twin.hospital import BED
from twin.scenarios import Scenario, catalogue
from twin.setting import Setting, at

HOW = Run(members=4, horizon_min=360.0)


@cache
def levers() -> dict[str, Lever]:
    return {lever.name: lever for lever in levers_of(situation())}


def asked(values: Mapping[str, float], preset: str | None = None, **numbers: float) -> Scenario:
    return scenario_of(Question(preset, numbers, values), list(levers().values()), catalogue(), situation(), HOW)


def setting(scenario: Scenario) -> Setting:
    return applied_to(situation(), scenario, HOW)


def usual() -> Setting:
    return setting(catalogue()["as_usual"])


# --- which there are


def test_there_are_those_of_the_hospital() -> None:
    kinds = [lever.kind for lever in levers().values()]
    assert {"doctor", "beds", "arrivals", "earlier"} <= set(levers())
    assert kinds == sorted(kinds, key=["staff", "beds", "people", "discharges"].index)
    wards = [lever for lever in levers().values() if lever.name.startswith(BED)]
    assert 1 <= len(wards) <= 4
    assert [lever.now for lever in wards] == sorted((lever.now or 0 for lever in wards), reverse=True)
    assert all(lever.low <= lever.neutral <= lever.high and lever.low < lever.high for lever in levers().values())


def test_a_hospital_of_which_less_is_known_has_fewer() -> None:
    blind = replace(situation().calibration, beds_known=frozenset(),
                    report={**situation().calibration.report, "doctors_known": False})  # fmt: skip
    found = {lever.name for lever in levers_of(replace(situation(), calibration=blind))}
    assert "arrivals" in found
    assert not {"doctor", "beds"} & found
    clockless = replace(blind, parameters=replace(blind.parameters, leaving=None))
    assert "earlier" not in {lever.name for lever in levers_of(replace(situation(), calibration=clockless))}


# --- what they change


def test_each_slider_changes_what_it_says_and_nothing_else() -> None:
    for lever in levers().values():
        value = lever.high if lever.high != lever.neutral else lever.low
        before, after = usual(), setting(asked({lever.name: value}))
        assert changed(before, after) == expected(lever), lever.name
    assert changed(usual(), usual()) == set()


def changed(before: Setting, after: Setting) -> set[str]:
    """What differs: pools without those of who is looked after, and the parts that are no pools."""
    pools = {pool for pool in before.capacity if before.capacity[pool] != after.capacity[pool]}
    parts = {part for part in ("demand", "law") if getattr(before, part) != getattr(after, part)}
    return {pool for pool in pools if not pool.startswith("care:")} | parts


def expected(lever: Lever) -> set[str]:
    if lever.name == "beds":
        largest = max((one for one in levers().values() if one.name.startswith(BED)), key=lambda one: one.now or 0)
        return {largest.pool}
    if lever.pool:
        return {lever.pool}
    return {"law"} if lever.kind == "discharges" else {"demand"}


def test_values_are_what_is_added() -> None:
    more = setting(asked({"doctor": 2}))
    assert at(more.capacity["doctor"], 0.0) == at(usual().capacity["doctor"], 0.0) + 2
    assert setting(asked({"arrivals": 120})).demand != setting(asked({"arrivals": 80})).demand


def test_it_says_what_it_changes_in_both_languages() -> None:
    made = asked({"doctor": 2, "arrivals": 80, "earlier": 120})
    assert made.name == "what_if"
    assert made.sentence("en") == (
        "From now on: Emergency doctors +2, arrivals \N{MINUS SIGN}20\N{NO-BREAK SPACE}%, "
        "wards discharge earlier by 120\N{NO-BREAK SPACE}min."
    )
    assert made.sentence("fr").startswith("Dès maintenant : Médecins urgentistes +2, arrivées ")


def test_it_stands_beside_a_scenario_of_the_catalogue() -> None:
    alone = asked({}, "extra_doctor", number=3.0)
    assert alone == catalogue()["extra_doctor"].with_values({"number": 3})
    both = asked({"arrivals": 120}, "extra_doctor", number=3.0)
    assert both.sentence("en") == f"{alone.sentence('en')} From now on: arrivals +20\N{NO-BREAK SPACE}%."
    assert changed(usual(), setting(both)) == {"doctor", "demand"}
    assert asked({}) == asked({"doctor": 0})
    assert asked({}).changes == {}


def test_the_numbers_of_a_scenario_are_sliders() -> None:
    found = {lever.name: (lever.low, lever.neutral, lever.high) for lever in numbers_of(catalogue()["extra_doctor"])}
    assert found == {"number": (1, 1, 4), "hours": (2, 8, 24)}
    assert numbers_of(catalogue()["as_usual"]) == ()


def test_a_value_between_two_steps_is_the_nearest() -> None:
    assert asked({"arrivals": 118.9}) == asked({"arrivals": 120})
    assert asked({"doctor": 1.4}) == asked({"doctor": 1})


# --- what cannot be asked


@pytest.mark.parametrize(
    ("values", "preset", "numbers", "said"),
    [
        ({"dragons": 1.0}, None, {}, "This hospital has no slider dragons."),
        ({"doctor": 99.0}, None, {}, "Emergency doctors: the value must lie between"),
        ({"arrivals": float("nan")}, None, {}, "but is nan"),
        ({}, "no_such", {}, "There is no scenario no_such."),
        ({}, "extra_doctor", {"number": 40.0}, "doctors: the value must lie between 1 and 4, but is 40."),
        ({}, "extra_doctor", {"dragons": 1.0}, "This hospital has no slider dragons."),
    ],
)
def test_what_is_not_there_or_out_of_range_is_said(
    values: dict[str, float], preset: str | None, numbers: dict[str, float], said: str
) -> None:
    with pytest.raises(QuestionError) as refused:
        asked(values, preset, **numbers)
    assert said in refused.value.en
    assert refused.value.fr
    assert refused.value.fr != refused.value.en


def test_somebody_must_stay() -> None:
    nights = min(there for _, there in usual().capacity["doctor"])
    low = -float(nights)
    wide = {**levers(), "doctor": replace(levers()["doctor"], low=-9.0)}
    with pytest.raises(QuestionError, match=r"Emergency doctors: nobody would be left from \d\d:\d\d on"):
        scenario_of(Question(values={"doctor": low}), list(wide.values()), catalogue(), situation(), HOW)
    if nights > 1:
        kept = scenario_of(Question(values={"doctor": low + 1}), list(wide.values()), catalogue(), situation(), HOW)
        assert kept.changes


def test_a_scenario_and_sliders_that_leave_nobody_together_are_refused() -> None:
    whole: Situation = situation()
    doctors = at(usual().capacity["doctor"], 0.0)
    gone = catalogue()["extra_doctor"]
    fewer = gone.change.capacity[0].model_copy(update={"add": 1 - doctors})
    leaving = replace(gone, name="leaving", change=gone.change.model_copy(update={"capacity": (fewer,)}))
    with pytest.raises(QuestionError, match="This cannot be: a scenario must leave some staff"):
        scenario_of(Question("leaving", values={"doctor": -1.0}), list(levers().values()),
                    {"leaving": leaving}, whole, HOW)  # fmt: skip
