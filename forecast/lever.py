"""Why a scenario moves nothing here, where that is so: no such pool in the path, or nobody knows how large it is."""

from __future__ import annotations

from forecast.situation import Situation
from twin.hospital import BED
from twin.scenarios import LARGEST_WARDS, Language, Scenario

_UNKNOWN: dict[Language, str] = {
    "fr": "Les données ne disent pas combien il y en a : {pool}.",
    "en": "The data do not tell how many there are: {pool}.",
}
_BEDS: dict[Language, str] = {"fr": "lits", "en": "beds"}


def no_lever(situation: Situation, scenario: Scenario, language: Language = "en") -> str | None:
    """Why the scenario has no effect from this situation; None when it has a lever."""
    c = situation.calibration
    for change in scenario.change.capacity:
        pool = change.pool
        unknown = not c.beds_known if pool in (LARGEST_WARDS,) or pool.startswith(BED) else _untold(situation, pool)
        if unknown:
            shown = _BEDS[language] if pool == LARGEST_WARDS else pool
            return _UNKNOWN[language].format(pool=shown)
    return scenario.inapplicable(c.path, language=language)


def _untold(situation: Situation, pool: str) -> bool:
    return pool == "doctor" and not situation.calibration.report["doctors_known"]
