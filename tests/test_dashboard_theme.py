"""Colours stand in one stylesheet, light and dark, and can be read on what they stand on; charts have those alone."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from plotly.utils import PlotlyJSONEncoder

import dashboard
from dashboard import figures, whatif_charts
from dashboard.app import WallSettings, build_app
from dashboard.pages.beside import BESIDE, Place, beside
from dashboard.pages.wall import filling
from dashboard.theme import COLOURS, THEMES, Theme, colours, colours_in, palette
from dashboard.words import Reader
from tests.boards import ordinary
from tests.examples import PAGES
from tests.test_dashboard_whatif import answer

FOLDER = Path(dashboard.__file__).parent
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b|rgba?\((?!0,0,0,0\))|hsla?\(")
_PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")
LINES = ("observed", "forecast", "usual", "earlier", "capacity")
DRAW = {"floor", "supplies", "trust", "validation", "checks", "path", "replay"}
"""Pages that hold charts or pictures drawn by the server."""


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


def drawn_colours(told: object) -> set[str]:
    """Every colour in what is drawn, and in the pictures that it carries."""
    text = json.dumps(told, cls=PlotlyJSONEncoder)
    pictures = [b64decode(found).decode() for found in _PICTURE.findall(text)]
    return {colour for part in (text, *pictures) for colour in re.findall(r"#[0-9a-fA-F]{6}", part)}


def pages_drawn(theme: Theme) -> Iterator[tuple[str, set[str]]]:
    """Each page's colours as it is drawn for a reader with a theme; the wall, and the charts of what-if, too."""
    reader = Reader("en", "Europe/Paris", theme=theme)
    yield "wall", drawn_colours(list(filling(ordinary(), reader).figures.values()))
    told = answer([-3.0, -2.0, 1.0])
    charts = [draw(told, "ed_waiting", reader) for draw in (whatif_charts.both, whatif_charts.difference)]
    yield "whatif charts", drawn_colours(charts)
    for name in set(BESIDE) - {"data"}:  # links to files alone
        example = "exercise" if BESIDE[name].of_exercises else "ordinary"
        yield name, drawn_colours(beside(PAGES[name].view(example), reader, Place(name)))


def test_colours_stand_in_one_file() -> None:
    sheets = [path for path in FOLDER.glob("assets/*.css") if path != COLOURS]
    files = [*FOLDER.rglob("*.py"), *FOLDER.glob("assets/*.js"), *sheets]
    assert {path.name: lines for path in files if (lines := coloured_lines(path.read_text()))} == {}


@pytest.mark.parametrize("line", ['{"color": "#fff"}', "color: rgb(1, 2, 3);", 'fillcolor="hsl(10, 20%, 30%)"'])
def test_a_colour_elsewhere_is_seen(line: str) -> None:
    assert coloured_lines(line)
    assert not coloured_lines('"paper_bgcolor": "rgba(0,0,0,0)"  # number #12 is not a colour'.replace("#12", "12"))


def only_in_one(css: str) -> set[str]:
    """The colours that one theme has and the other lacks."""
    return set(colours_in(css, "light")) ^ set(colours_in(css, "dark"))


def test_both_themes_have_the_same_colours_by_name() -> None:
    css = COLOURS.read_text()
    assert only_in_one(css) == set()
    assert len(colours("light")) > 40
    assert colours("light") != colours("dark")


@pytest.mark.parametrize("theme", THEMES)
def test_a_colour_that_one_theme_lacks_is_seen(theme: Theme) -> None:
    css = COLOURS.read_text()
    missing = css.replace(f"--earlier: {colours(theme)['earlier']};", "")
    assert missing != css
    assert only_in_one(missing) == {"earlier"}


@pytest.mark.parametrize("theme", THEMES)
def test_charts_take_the_colours_of_the_stylesheet(theme: Theme) -> None:
    told = asdict(palette(theme))
    assert told == {name: colours(theme)[name.replace("_", "-")] for name in told}
    assert len(set(told.values())) == len(told)


@pytest.mark.parametrize("theme", THEMES)
def test_texts_can_be_read(theme: Theme) -> None:
    found = colours(theme)
    on_panel = ("text", "muted", "greyed", "good", "warn", "bad", "news", "mode-text", *LINES)
    weak = {name: contrast(found[name], found["panel"]) for name in on_panel}
    assert {name: ratio for name, ratio in weak.items() if ratio < 7} == {}
    for ground in ("ground", "zone", "box"):
        assert min(contrast(found[name], found[ground]) for name in ("text", "muted", "news", "warn")) > 7
    for tone in ("warn", "bad", "news"):
        assert contrast(found["text"], found[f"{tone}-ground"]) > 7
    for ink, ground in (("mode-ink", "mode"), ("mode-ink", "mode-stripe"), ("lost-ink", "lost"), ("ink", "paper")):
        assert contrast(found[ink], found[ground]) > 7


@pytest.mark.parametrize("theme", THEMES)
def test_marks_can_be_told_from_what_they_stand_on(theme: Theme) -> None:
    found = colours(theme)
    pools = [name for name in found if name.startswith(("pool-", "rule-")) and name != "pool-none"]
    weak = {name: contrast(found[name], found["panel"]) for name in (*pools, "fill", "way", *LINES)}
    assert {name: ratio for name, ratio in weak.items() if ratio < 3} == {}
    assert min(contrast(found[line], found[f"band-{band}"]) for line in LINES for band in (80, 90)) > 3
    assert contrast(found["forecast"], found["band-50"]) > 2.9
    assert contrast(found["text"], found["fill"]) < 21, "what is usual is seen on a bar"


def test_a_weak_contrast_is_seen() -> None:
    assert contrast("#777777", "#131c2b") < 7
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


# --- what is drawn ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES)
def test_all_that_is_drawn_has_the_colours_of_the_theme(theme: Theme) -> None:
    drawn = dict(pages_drawn(theme))
    mine = set(colours(theme).values())
    assert {name: found - mine for name, found in drawn.items() if found - mine} == {}
    assert {name for name, found in drawn.items() if found} == {"wall", "whatif charts", *DRAW}


def test_a_drawing_that_does_not_follow_the_theme_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "palette", lambda _: palette("dark"))  # the mutant
    drawn = dict(pages_drawn("light"))
    strange = {name for name, found in drawn.items() if found - set(colours("light").values())}
    assert strange == {"wall", "replay"}
    assert {name for name in DRAW if drawn[name] <= set(colours("dark").values())} == set()


# --- before the first paint ------------------------------------------------------------------------------------------


def test_the_script_of_the_theme_stands_before_everything_that_is_painted() -> None:
    client = build_app(ordinary, WallSettings(rotation=("wall", "alerts"))).server.test_client()
    head = client.get("/alerts").text.partition("</head>")[0]
    [script] = re.findall(r"<script[^>]*></script>", head)
    assert head.index(script) < head.index('rel="stylesheet"')
    assert "defer" not in script
    assert "async" not in script
    assert 'data-turning="/ /alerts"' in script
    followed = re.findall(r'data-follow="([^"]*)"', script)[0].split()
    assert followed == [name for name, page in BESIDE.items() if not page.of_exercises]
    assert "theme.js" not in client.get("/phone").text
