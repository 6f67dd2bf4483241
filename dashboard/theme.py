"""The palette that charts are drawn with, read from the stylesheet: one place for every colour."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

COLOURS = Path(__file__).parent / "assets" / "colours.css"
FONT = '"Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'

_VARIABLE = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\s*;")


@dataclass(frozen=True)
class Palette:
    """What each colour means; the names are those of the stylesheet's variables."""

    panel: str
    text: str
    muted: str
    line: str
    observed: str
    forecast: str
    band_50: str
    band_80: str
    band_90: str
    earlier: str
    usual: str
    capacity: str


@cache
def colours() -> dict[str, str]:
    """Every colour of `assets/colours.css` by the name of its variable."""
    return dict(_VARIABLE.findall(COLOURS.read_text(encoding="utf-8")))


@cache
def palette() -> Palette:
    """The colours that charts are drawn with."""
    return Palette(**{field.name: colours()[field.name.replace("_", "-")] for field in fields(Palette)})
