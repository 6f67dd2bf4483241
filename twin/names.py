"""What stages are called on screens: a stage's own names, or those of `names.toml`, or else the words of its name."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path as FilePath
from typing import Literal

from twin.pathway import Path

NAMES = FilePath(__file__).with_name("names.toml")


def stage_name(path: Path, stage: str, language: Literal["fr", "en"]) -> str:
    """The stage's name in a language."""
    row = path.stage(stage)
    own = row.fr if language == "fr" else row.en
    return own or shipped_names().get(stage, {}).get(language) or stage.replace("_", " ").capitalize()


@cache
def shipped_names() -> dict[str, dict[str, str]]:
    """By stage and language, as `names.toml` has them."""
    told: dict[str, dict[str, str]] = tomllib.loads(NAMES.read_text(encoding="utf-8"))["stage"]
    return told
