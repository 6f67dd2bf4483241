"""Why a scenario moves nothing here, where that is so: no such pool in the path, or nobody knows how large it is."""

from __future__ import annotations

from forecast.situation import Situation
from twin.hospital import BED
from twin.scenarios import LARGEST_WARDS, Language, Scenario

_UNKNOWN: dict[Language, str] = {
    "fr": "Les données ne disent pas combien il y en a : {pool}.",
    "en": "The data do not tell how many there are: {pool}.",
}
_NOT_QUEUED_FOR: dict[Language, str] = {
    "fr": "Ce que disent les données ne permet pas de compter l'attente pour : {pool}.",
    "en": "The data do not tell enough to count the waiting for: {pool}.",
}
_BEDS: dict[Language, str] = {"fr": "lits", "en": "beds"}


def no_lever(situation: Situation, scenario: Scenario, language: Language = "en") -> str | None:
    """Why the scenario has no effect from this situation; None when it has a lever."""
    c = situation.calibration
    for change in scenario.change.capacity:
        beds = change.pool == LARGEST_WARDS or change.pool.startswith(BED)
        queued_for = any(pool.startswith(BED) for pool in c.path.pools) if beds else change.pool in c.path.pools
        known = bool(c.beds_known) if beds else change.pool != "doctor" or c.report["doctors_known"]
        if not (queued_for and known):
            why = _UNKNOWN if queued_for else _NOT_QUEUED_FOR
            return why[language].format(pool=_BEDS[language] if beds else _shown(situation, change.pool, language))
    return None


def _shown(situation: Situation, pool: str, language: Language) -> str:
    """A pool's name in the language, its own name where the hospital gives none."""
    named = {roster.name: {"fr": roster.fr, "en": roster.en} for roster in situation.calibration.hospital.rosters}
    return named.get(pool, {}).get(language, pool)
