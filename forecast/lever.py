"""Why a scenario moves nothing here, where that is so: the path has nothing of the kind, or nobody knows how much."""

from __future__ import annotations

from forecast.situation import Situation
from twin.calibrate import Calibration
from twin.changes import (
    EVERY_WARD,
    LARGEST_WARDS,
    PROFESSION,
    AbsenceChange,
    ArrivalsChange,
    CapacityChange,
    DischargeChange,
    DurationChange,
    RouteChange,
    Windowed,
)
from twin.demand import planned_streams
from twin.hospital import BED
from twin.law import Pace
from twin.scenarios import Language, Scenario

_UNKNOWN: dict[Language, str] = {
    "fr": "Les données ne disent pas combien il y en a : {what}.",
    "en": "The data do not tell how many there are: {what}.",
}
_NOT_QUEUED_FOR: dict[Language, str] = {
    "fr": "Ce que disent les données ne permet pas de compter l'attente pour : {what}.",
    "en": "The data do not tell enough to count the waiting for: {what}.",
}
_NOT_TOLD: dict[Language, str] = {
    "fr": "Les données ne disent rien de : {what}.",
    "en": "The data tell nothing of: {what}.",
}
_BEDS: dict[Language, str] = {"fr": "lits", "en": "beds"}
_WHAT: dict[Language, dict[type[Windowed], str]] = {
    "fr": {
        ArrivalsChange: "l'âge ou la gravité, ou les entrées programmées",
        DurationChange: "cette étape du parcours",
        RouteChange: "ce choix du parcours",
        DischargeChange: "l'heure des sorties des services",
    },
    "en": {
        ArrivalsChange: "age or acuity, or planned admissions",
        DurationChange: "this stage of the path",
        RouteChange: "this choice of the path",
        DischargeChange: "when wards discharge",
    },
}
Why = tuple[dict[Language, str], str]


def no_lever(situation: Situation, scenario: Scenario, language: Language = "en") -> str | None:
    """Why the scenario has no effect from this situation; None when one of its changes has a lever, or it has none."""
    found = [_missing(situation.calibration, change, language) for change in scenario.change.changes]
    if not found or None in found:
        return None
    template, what = next(why for why in found if why is not None)
    return template[language].format(what=what)


def missing(situation: Situation, change: Windowed, language: Language = "en") -> str | None:
    """Why one change has no effect from this situation; None where it has a lever."""
    why = _missing(situation.calibration, change, language)
    return None if why is None else why[0][language].format(what=why[1])


def _missing(c: Calibration, change: Windowed, language: Language) -> Why | None:
    """What a change lacks here; None where it has a lever."""
    match change:
        case CapacityChange() | AbsenceChange():
            return _of_pool(c, change.pool, language)
        case ArrivalsChange():
            there = _concerns_anybody(c, change)
        case DurationChange():
            there = any(Pace(change.duration, 1.0).of(name) for name in c.path.durations)
        case RouteChange():
            there = change.share in c.path.shares
        case DischargeChange():
            there = c.parameters.leaving is not None
        case _:
            there = True
    return None if there else (_NOT_TOLD, _WHAT[language][type(change)])


def _of_pool(c: Calibration, pool: str, language: Language) -> Why | None:
    beds = pool in (LARGEST_WARDS, EVERY_WARD) or pool.startswith(BED)
    mine = c.hospital.professions.get(pool.removeprefix(PROFESSION), ()) if pool.startswith(PROFESSION) else (pool,)
    if beds:
        queued_for, known = any(name.startswith(BED) for name in c.path.pools), bool(c.beds_known)
    else:
        queued_for = any(name in c.path.pools for name in mine)
        known = "doctor" not in mine or bool(c.report["doctors_known"])
    if queued_for and known:
        return None
    return (_UNKNOWN if queued_for else _NOT_QUEUED_FOR), _BEDS[language] if beds else _shown(c, pool, language)


def _concerns_anybody(c: Calibration, change: ArrivalsChange) -> bool:
    if change.planned:
        return bool(planned_streams(c.path, c.parameters).any())
    ages, acuities = {one.age_band for one in c.parameters.classes}, {one.acuity for one in c.parameters.classes}
    return (not change.age or bool(ages & set(change.age))) and (not change.acuity or acuities != {-1})


def _shown(c: Calibration, pool: str, language: Language) -> str:
    """A pool's name in the language, its own name where the hospital gives none."""
    named = {roster.name: {"fr": roster.fr, "en": roster.en} for roster in c.hospital.rosters}
    return named.get(pool, {}).get(language, pool)
