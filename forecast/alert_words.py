"""An alarm in a sentence, in both languages: on screens, in e-mails, in what webhooks send."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from forecast.alert_chances import Chance
from ingest.clock import local

Language = Literal["fr", "en"]
NBSP = "\N{NO-BREAK SPACE}"

_NOUNS: dict[str, tuple[str, str]] = {
    "ed_census": ("présents", "present"),
    "ed_waiting": ("patients pas encore vus", "not yet seen"),
    "ed_boarders": ("patients en attente d'un lit", "waiting for a bed"),
    "ed_arrivals": ("arrivées par heure", "arrivals an hour"),
    "ed_departures": ("départs par heure", "departures an hour"),
    "admissions": ("hospitalisations par heure", "admissions an hour"),
    "beds_free": ("lits libres dans l'hôpital", "beds free in the hospital"),
}  # fmt: skip
"""What is counted, after a number; of other measures, `_noun`."""


def sentence(chance: Chance, zone: str, language: Language, ward: Callable[[str], str] = str) -> str:
    """ "4 in 10 to exceed 60 present before 20:00"; what is over already is said so."""
    what = _quantity(chance, language, ward)
    if is_now(chance):
        return {"fr": f"Dès maintenant {what}", "en": f"Now already {what}"}[language]
    by = clock(chance.until, zone, language)
    day = _day(chance, zone, language)
    odds = odds_of(chance.p, language)
    return {"fr": f"{odds} {_verb(chance, 'fr')} {what} avant {by}{day}",
            "en": f"{odds} {_verb(chance, 'en')} {what} before {by}{day}"}[language]  # fmt: skip


def is_now(chance: Chance) -> bool:
    """Whether the present is beyond the threshold already, and most members say that it lasts."""
    beyond = chance.now > chance.threshold if chance.is_over else chance.now < chance.threshold
    return beyond and chance.p >= 0.5


def odds_of(p: float, language: Language) -> str:
    """ "4 in 10"; below a twentieth and above nineteen, that it is less or more than can be told so."""
    tenths = round(10 * p)
    if p < 0.05:
        return {"fr": "moins d'une chance sur 10", "en": "less than 1 in 10"}[language]
    if p >= 0.95:
        return {"fr": "plus de 9 chances sur 10", "en": "more than 9 in 10"}[language]
    return {"fr": f"{tenths} chance{'s' * (tenths > 1)} sur 10", "en": f"{tenths} in 10"}[language]


def clock(at: datetime, zone: str, language: Language) -> str:
    """The time of day on the hospital's walls."""
    there = local(at, zone)
    if language == "en":
        return f"{there:%H:%M}"
    return f"{there.hour}{NBSP}h{NBSP}{there.minute:02d}" if there.minute else f"{there.hour}{NBSP}h"


def _verb(chance: Chance, language: Language) -> str:
    if chance.is_over:
        return {"fr": "de dépasser", "en": "to exceed"}[language]
    if _is_none(chance):
        return {"fr": "de n'avoir", "en": "to have"}[language]
    return {"fr": "d'avoir", "en": "to have"}[language]


def _is_none(chance: Chance) -> bool:
    """Fewer than one bed is none."""
    return not chance.is_over and chance.threshold == 1 and chance.measure.startswith("beds_free")


def _quantity(chance: Chance, language: Language, ward: Callable[[str], str]) -> str:
    """The threshold with what is counted; where it is over already, that it is."""
    number = f"{chance.threshold:g}".replace(".", "," if language == "fr" else ".")
    if chance.measure == "nedocs":
        return f"NEDOCS {'> ' * is_now(chance)}{number}"
    noun = _noun(chance.measure, language, ward)
    if _is_none(chance):
        one = {"fr": noun.replace("lits libres", "lit libre"), "en": noun.replace("beds", "bed")}[language]
        return {"fr": f"aucun {one}", "en": f"no {one}"}[language]
    if not chance.is_over:
        return {"fr": f"moins de {number} {noun}", "en": f"fewer than {number} {noun}"}[language]
    if is_now(chance):
        return {"fr": f"plus de {number} {noun}", "en": f"more than {number} {noun}"}[language]
    return f"{number} {noun}"


def _noun(measure: str, language: Language, ward: Callable[[str], str]) -> str:
    if measure in _NOUNS:
        return _NOUNS[measure][language == "en"]
    kind, _, of = measure.partition(":")
    name = ward(of)
    fr = {"census": f"patients en {name}", "beds_free": f"lits libres en {name}",
          "wait_min": f"min d'attente au niveau {of}"}  # fmt: skip
    en = {"census": f"patients in {name}", "beds_free": f"beds free in {name}",
          "wait_min": f"min of waiting at level {of}"}  # fmt: skip
    return (fr if language == "fr" else en)[kind]


def _day(chance: Chance, zone: str, language: Language) -> str:
    """Said where the end lies on another day."""
    days = (local(chance.until, zone).date() - local(chance.as_of, zone).date()).days
    if days == 0:
        return ""
    return {"fr": " demain", "en": " tomorrow"}[language] if days == 1 else f" (+{days})"
