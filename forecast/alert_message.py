"""What recipients read of an alarm: a subject and a few lines, in one language; nothing is of a single patient."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from forecast.alert_log import Step
from forecast.alert_words import NBSP, clock, odds_of

Language = Literal["fr", "en"]

_WHAT: dict[str, tuple[str, str]] = {
    "raised": ("ALERTE", "ALERT"),
    "escalated": ("ALERTE sans réponse", "ALERT not answered"),
    "cleared": ("Fin d'alerte", "Alert over"),
}
_MODES = {"fabricated": ("DONNÉES FICTIVES", "FABRICATED DATA"), "replay": ("REJEU", "REPLAY"),
          "exercise": ("EXERCICE", "EXERCISE")}  # fmt: skip
_FOOT = (
    "Prévision d'ensemble, à lire avec l'état et l'âge des données sur l'écran. Ceci n'est pas un dispositif d'alarme\n"
    "médical et ne concerne aucun patient en particulier.",
    "A forecast of the whole: read it with the state and the age of the data on the screen. This is no medical alarm\n"
    "system and speaks of no single patient.",
)


def subject(step: Step, language: Language) -> str:
    """ "[edtwin] ALERT: Crowded department: 4 in 10 to exceed 60 present before 20:00"."""
    one, body = language == "en", step.message
    mode = [_MODES[body["mode"]][one]] if body["mode"] in _MODES else []
    parts = [*mode, _WHAT[step.what][one], body["name"].get(language, body["rule"])]
    said = [] if step.what == "cleared" else [body["said"].get(language, "")]
    joint = f"{NBSP}: " if language == "fr" else ": "
    return "[edtwin] " + joint.join([*parts, *said])


def text(step: Step, language: Language) -> str:
    """The lines below it."""
    body = step.message
    lines = [body["hospital"], "", *_said(body, language), *_note(body, language)]
    return "\n".join([*lines, "", _FOOT[language == "en"], "", body["alarm"]]) + "\n"


def _said(body: Mapping[str, Any], language: Language) -> list[str]:
    said, zone = body["said"], body["zone"]
    if not said:
        return []
    at = clock(datetime.fromisoformat(body["at"]), zone, language)
    if body["what"] == "cleared":
        odds = odds_of(said["p"], language)
        return [{"fr": f"À {at}{NBSP}: {odds}.", "en": f"At {at}: {odds}."}[language]]
    lines = [f"{said[language]}."]
    if said["first"] and not said["is_now"]:
        early, middle, late = (clock(datetime.fromisoformat(one), zone, language) for one in said["first"])
        lines.append(
            {"fr": f"Le plus souvent à partir de {middle} (entre {early} et {late}).",
             "en": f"Most often from {middle} on (between {early} and {late})."}[language]
        )  # fmt: skip
    low, _, high = said["worst"]
    peak = clock(datetime.fromisoformat(said["worst_at"]), zone, language)
    most = said["is_over"]
    lines.append(
        {"fr": f"{'Maximum' if most else 'Minimum'}{NBSP}: entre {low:.0f} et {high:.0f}, vers {peak}.",
         "en": f"{'Highest' if most else 'Lowest'}: between {low:.0f} and {high:.0f}, around {peak}."}[language]
    )  # fmt: skip
    return lines


def _note(body: Mapping[str, Any], language: Language) -> list[str]:
    return [body["note"]] if "note" in body else []
