"""The palettes that charts are drawn with, light and dark, read from the stylesheet: one place for every colour."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

ASSETS = Path(__file__).parent / "assets"
COLOURS = ASSETS / "colours.css"
FONT = '"Segoe UI", Roboto, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'
Theme = Literal["light", "dark"]
"""Light for paper and desk, dark for the wall and the night."""
THEMES: tuple[Theme, ...] = get_args(Theme)

_BLOCK = re.compile(r"(:root[^{]*?)\s*\{([^}]*)\}")
_VARIABLE = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})\s*;")
_SELECTOR: dict[Theme, str] = {"light": ":root", "dark": ':root:not([data-theme="light"])'}


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


def colours_in(css: str, theme: Theme) -> dict[str, str]:
    """Every colour that a stylesheet gives to a theme, by the name of its variable."""
    return dict(_VARIABLE.findall(dict(_BLOCK.findall(css))[_SELECTOR[theme]]))


@cache
def colours(theme: Theme) -> dict[str, str]:
    """Every colour of a theme in `assets/colours.css`, by the name of its variable."""
    return colours_in(COLOURS.read_text(encoding="utf-8"), theme)


@cache
def palette(theme: Theme) -> Palette:
    """The colours that charts of a theme are drawn with."""
    return Palette(**{field.name: colours(theme)[field.name.replace("_", "-")] for field in fields(Palette)})


def asset_address(name: str) -> str:
    """The address of a file of ours, with its content's mark, so that it can be kept for a year."""
    return f"/assets/{name}?m={sha256((ASSETS / name).read_bytes()).hexdigest()[:12]}"
