"""The sliders of what-if: what can be moved in this hospital, how far, and the scenario that it makes.

Which there are follows from the hospital: a pool that nobody queues for here, or whose size the data do not tell, has
none. A question is checked against them before anything is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from math import isfinite
from typing import Literal

from forecast.ensemble import Run, applied_to
from forecast.errors import QuestionError
from forecast.situation import Situation
from ingest.clock import local
from twin.changes import LARGEST_WARDS, ArrivalsChange, CapacityChange, DischargeChange
from twin.demand import planned_streams
from twin.errors import ScenarioError
from twin.hospital import CARE, Pool
from twin.scenarios import Scenario, ScenarioEntry, composed

NAME = "what_if"
"""The name of a scenario that was put together and not saved."""
BEDS, ARRIVALS, PLANNED, EARLIER = "beds", "arrivals", "planned", "earlier"
"""Sliders that are of no pool."""
MOST = 6
"""How many of staff can be added, or taken away where so many are there."""
MINUS, NBSP = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
WARDS = 4
"""The largest wards, which have sliders of their own."""
BEDS_ADDED, WARD_BEDS_ADDED = 40, 20
Kind = Literal["staff", "beds", "people", "discharges", "number"]


@dataclass(frozen=True)
class Lever:
    """One slider: what it moves, and how far."""

    name: str
    kind: Kind
    fr: str
    en: str
    low: float
    high: float
    step: float = 1.0
    neutral: float = 0.0
    """Where it changes nothing."""
    pool: str = ""
    """What it moves, where that is the capacity of a pool."""
    now: int | None = None
    """How many there are at the moment, where that is known."""

    unit: str = ""
    """What stands behind a value: "%", "min"."""

    def said(self, value: float, *, french: bool) -> str:
        """What a value of it means, as part of a sentence."""
        unit = f"{NBSP}{self.unit}" if self.unit else ""
        sign = "" if self.kind == "discharges" else "+"
        return f"{self.fr if french else self.en} {value - self.neutral:{sign}g}{unit}".replace("-", MINUS)


@dataclass(frozen=True)
class Question:
    """What a viewer asks: a scenario of the catalogue with its numbers, or none, and where the sliders stand."""

    preset: str | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Of the scenario; those left out are as usual."""
    values: Mapping[str, float] = field(default_factory=dict)


def levers_of(situation: Situation) -> tuple[Lever, ...]:
    """The sliders that this hospital has at a moment: staff, beds, who comes, when wards discharge."""
    return (*_staff(situation), *_beds(situation), *_people(situation), *_discharges(situation))


def numbers_of(scenario: Scenario) -> tuple[Lever, ...]:
    """The numbers of a scenario of the catalogue, as sliders."""
    return tuple(
        Lever(name, "number", knob.fr, knob.en, knob.low, knob.high, knob.step, knob.default)
        for name, knob in scenario.change.parameters.items()
    )


def scenario_of(
    question: Question, levers: Sequence[Lever], catalogue: Mapping[str, Scenario], situation: Situation, how: Run
) -> Scenario:
    """The scenario that a question asks for.

    Raises QuestionError for a scenario or a slider that is not there, a value that is out of its range, and a change
    that leaves nobody of the staff: nothing is run.
    """
    preset = _preset(question, catalogue)
    moved = {lever: value for lever, value in _values(question.values, levers) if value != lever.neutral}
    made = _made(preset, moved)
    _check_staff(moved, situation, how)
    try:
        applied_to(situation, made, how)
    except ScenarioError as fault:
        raise QuestionError(f"Ce changement n'est pas possible : {fault}", f"This cannot be: {fault}") from fault
    return made


def _made(preset: Scenario | None, moved: Mapping[Lever, float]) -> Scenario:
    if not moved:
        return preset or Scenario(NAME, ScenarioEntry(fr="Rien ne change.", en="Nothing changes."))
    mine = Scenario(NAME, _entry(moved))
    return mine if preset is None else composed([preset, mine])


def _preset(question: Question, catalogue: Mapping[str, Scenario]) -> Scenario | None:
    if question.preset is None:
        return None
    if question.preset not in catalogue:
        raise QuestionError(f"Le scénario {question.preset} n'existe pas.", f"There is no scenario {question.preset}.")
    found = catalogue[question.preset]
    return found.with_values({lever.name: value for lever, value in _values(question.numbers, numbers_of(found))})


def _values(values: Mapping[str, float], levers: Sequence[Lever]) -> Iterator[tuple[Lever, float]]:
    by_name = {lever.name: lever for lever in levers}
    for name, value in values.items():
        lever = by_name.get(name)
        if lever is None:
            raise QuestionError(f"Cet hôpital n'a pas de réglage {name}.", f"This hospital has no slider {name}.")
        if not isfinite(value) or not lever.low <= value <= lever.high:
            raise QuestionError(
                f"{lever.fr} : la valeur doit être entre {lever.low:g} et {lever.high:g}, mais c'est {value:g}.",
                f"{lever.en}: the value must lie between {lever.low:g} and {lever.high:g}, but is {value:g}.",
            )
        stepped = lever.neutral + round((value - lever.neutral) / lever.step) * lever.step
        yield lever, min(max(stepped, lever.low), lever.high)


def _entry(moved: Mapping[Lever, float]) -> ScenarioEntry:
    """The changes of the sliders, with a sentence in both languages."""
    fr, en = (", ".join(lever.said(value, french=french) for lever, value in moved.items()) for french in (True, False))
    by_name = {lever.name: value for lever, value in moved.items()}
    arrivals = [ArrivalsChange(factor=by_name[ARRIVALS] / 100)] if ARRIVALS in by_name else []
    planned = [ArrivalsChange(factor=by_name[PLANNED] / 100, planned=True)] if PLANNED in by_name else []
    return ScenarioEntry(
        fr=f"Dès maintenant : {fr}.", en=f"From now on: {en}.",
        capacity=tuple(CapacityChange(pool=lever.pool, add=round(v)) for lever, v in moved.items() if lever.pool),
        arrivals=(*arrivals, *planned),
        discharges=(DischargeChange(earlier_min=by_name[EARLIER]),) if EARLIER in by_name else (),
    )  # fmt: skip


# --- which there are --------------------------------------------------------------------------------------------------


def _staff(situation: Situation) -> Iterator[Lever]:
    c = situation.calibration
    now = _now(situation)
    for pool in c.hospital.rosters:
        queued_for = pool.name in c.path.pools or CARE + pool.name in c.path.pools
        most = max((*pool.weekday, *pool.weekend))
        if queued_for and most and _is_known(situation, pool):
            low = -float(min(most - 1, MOST))
            yield Lever(pool.name, "staff", pool.fr, pool.en, low, float(MOST), pool=pool.name, now=now.get(pool.name))


def _is_known(situation: Situation, pool: Pool) -> bool:
    return pool.name != "doctor" or bool(situation.calibration.report["doctors_known"])


def _beds(situation: Situation) -> Iterator[Lever]:
    c = situation.calibration
    wards = [u for u in c.hospital.wards if u.name in c.beds_known and u.pool in c.path.pools]
    if not wards:
        return
    total = sum(u.places for u in wards)
    yield Lever(
        BEDS, "beds", "lits des plus grands services", "beds of the largest wards", -float(min(total, BEDS_ADDED)),
        float(BEDS_ADDED), pool=LARGEST_WARDS, now=total,
    )  # fmt: skip
    for ward in sorted(wards, key=lambda u: (-u.places, u.name))[:WARDS]:
        low, high = -float(min(ward.places, WARD_BEDS_ADDED)), float(WARD_BEDS_ADDED)
        yield Lever(ward.pool, "beds", ward.fr, ward.en, low, high, pool=ward.pool, now=ward.places)


def _people(situation: Situation) -> Iterator[Lever]:
    c = situation.calibration
    yield Lever(ARRIVALS, "people", "arrivées", "arrivals", 50.0, 150.0, 5.0, 100.0, unit="%")
    if planned_streams(c.path, c.parameters).any():
        yield Lever(PLANNED, "people", "entrées programmées", "planned admissions", 0.0, 100.0, 10.0, 100.0, unit="%")


def _discharges(situation: Situation) -> Iterator[Lever]:
    """Where the wards' clocks say when patients leave."""
    if situation.calibration.parameters.leaving is not None:
        yield Lever(
            EARLIER, "discharges", "sorties des services plus tôt de", "wards discharge earlier by", 0.0, 240.0, 30.0,
            unit="min",
        )  # fmt: skip


def _now(situation: Situation) -> dict[str, int]:
    c = situation.calibration
    pools = [pool.name for pool in c.hospital.rosters]
    return {name: profile[0][1] for name, profile in c.hospital.capacities(pools, situation.as_of, 1.0).items()}


# --- what may not be --------------------------------------------------------------------------------------------------


def _check_staff(moved: Mapping[Lever, float], situation: Situation, how: Run) -> None:
    """Where somebody is on duty, somebody must stay."""
    staff = {lever: value for lever, value in moved.items() if lever.kind == "staff"}
    usual = applied_to(situation, Scenario("as_it_is", ScenarioEntry(fr="-", en="-")), how).capacity if staff else {}
    for lever, value in staff.items():
        gone = [m for m, there in usual.get(lever.pool, ()) if m < how.until_min and there > 0 and there + value <= 0]
        if gone:
            at = local(situation.as_of + timedelta(minutes=gone[0]), situation.calibration.hospital.zone)
            raise QuestionError(
                f"{lever.fr} : il n'en resterait aucun à partir de {at:%H:%M} ; il doit en rester au moins 1.",
                f"{lever.en}: nobody would be left from {at:%H:%M} on; at least 1 must stay.",
            )
