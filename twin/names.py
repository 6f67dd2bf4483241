"""What stages and areas are called on screens: own names, those of `names.toml`, or else the words of the name."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path as FilePath
from typing import Literal

from twin.hospital import Hospital
from twin.pathway import Path

NAMES = FilePath(__file__).with_name("names.toml")


def stage_name(path: Path, stage: str, language: Literal["fr", "en"]) -> str:
    """The stage's name in a language."""
    row = path.stage(stage)
    own = row.fr if language == "fr" else row.en
    return own or shipped_names().get(stage, {}).get(language) or _words(stage)


def area_names(area: str, hospital: Hospital) -> tuple[str, str]:
    """The names of an area of the department in French and in English: the site's own, or else shipped ones."""
    for unit in hospital.units:
        if unit.name == area and not unit.ward:
            return unit.fr, unit.en
    shipped = shipped_names("area").get(area, {})
    return shipped.get("fr", _words(area)), shipped.get("en", _words(area))


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


@cache
def shipped_names(what: Literal["stage", "area"] = "stage") -> dict[str, dict[str, str]]:
    """By name and language, as `names.toml` has them."""
    told: dict[str, dict[str, str]] = tomllib.loads(NAMES.read_text(encoding="utf-8"))[what]
    return told
