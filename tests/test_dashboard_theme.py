"""Colours stand in one stylesheet, and can be read on what they stand on."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

import dashboard
from dashboard.theme import COLOURS, palette

FOLDER = Path(dashboard.__file__).parent
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\((?!0,0,0,0\))|hsla?\(")
_VARIABLE = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{6})")


def coloured_lines(text: str) -> list[str]:
    """Lines that hold a colour of their own."""
    return [line.strip() for line in text.splitlines() if _COLOUR.search(line)]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21, as WCAG 2.1 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_colours_stand_in_one_file() -> None:
    files = [*FOLDER.rglob("*.py"), *FOLDER.glob("assets/*.js"), FOLDER / "assets" / "wall.css"]
    assert {path.name: lines for path in files if (lines := coloured_lines(path.read_text()))} == {}


@pytest.mark.parametrize("line", ['{"color": "#fff"}', "color: rgb(1, 2, 3);", 'fillcolor="hsl(10, 20%, 30%)"'])
def test_a_colour_elsewhere_is_seen(line: str) -> None:
    assert coloured_lines(line)
    assert not coloured_lines('"paper_bgcolor": "rgba(0,0,0,0)"  # number #12 is not a colour'.replace("#12", "12"))


def test_charts_take_the_colours_of_the_stylesheet() -> None:
    written = dict(_VARIABLE.findall(COLOURS.read_text()))
    assert asdict(palette()) == {name: written[name.replace("_", "-")] for name in asdict(palette())}
    assert len(set(asdict(palette()).values())) == len(asdict(palette()))


def test_texts_can_be_read() -> None:
    colours = dict(_VARIABLE.findall(COLOURS.read_text()))
    on_panel = ["text", "muted", "forecast", "good", "warn", "bad", "news", "usual", "earlier", "capacity", "observed"]
    weak = {name: contrast(colours[name], colours["panel"]) for name in on_panel}
    assert {name: ratio for name, ratio in weak.items() if ratio < 7} == {}
    for tone in ("warn", "bad", "news"):
        assert contrast(colours["text"], colours[f"{tone}-ground"]) > 7
    assert contrast(colours["mode-ink"], colours["mode"]) > 7


def test_a_weak_contrast_is_seen() -> None:
    assert contrast("#777777", "#131c2b") < 7
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
