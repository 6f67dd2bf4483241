"""Every chart has its figures as a file, and they are those that it draws: read off the picture itself, each chart.

A picture is read as a browser would: the values of its traces, or the places of its pieces, which must lie on one line
with the figures of the table.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from dash.development.base_component import Component

from dashboard import supply_charts, trust_charts, whatif_charts
from dashboard.data_ways import WALL
from dashboard.pages.wall import BELOW, figures_of
from dashboard.panels import checks, compare, feeds, learned, path, robustness, wards
from dashboard.panels import whatif as whatif_panel
from dashboard.tidy import Point, Tidy, as_csv, line
from forecast.whatif_view import StandingView
from tests.boards import off, ordinary
from tests.chart_views import READER, ZONE, table_of
from tests.compare_views import COMPARED, ROBUST
from tests.component_trees import children, texts, with_class
from tests.feed_views import ordinary_feeds
from tests.learned_views import LEARNED
from tests.path_views import PATHS
from tests.supply_views import ordinary_supplies
from tests.test_dashboard_checks import VIEW as CHECKED
from tests.test_dashboard_whatif import answer
from tests.trust_views import ordinary_trust

WALL_CHARTS = list(figures_of(tuple(BELOW)))

# --- reading a picture


def on_a_line(places: Sequence[float], values: Sequence[float | None], within: float = 0.11) -> bool:
    """Whether places in a picture follow from the figures by one scale; both have as many."""
    figures = [value for value in values if value is not None]
    if len(places) != len(figures) or not figures:
        return False
    scale = np.vstack([np.array(figures), np.ones(len(figures))]).T
    fitted, *_ = np.linalg.lstsq(scale, np.array(places), rcond=None)
    return bool(np.abs(scale @ fitted - places).max() < within)


def svg_of(image: Component) -> str:
    return b64decode(str(getattr(image, "src", "")).partition("base64,")[2]).decode()


def dots(svg: str, kinds: Iterable[str] = (r"[\w-]+",)) -> list[float]:
    """Heights of the points of some classes, from left to right within each."""
    found = [re.findall(rf'<circle class="{kind} dot" cx="[\d.]+" cy="([\d.]+)"', svg) for kind in kinds]
    return [float(y) for mine in found for y in mine]


def ends(svg: str, kinds: Iterable[str] = (r"[\w-]+",)) -> list[tuple[float, float]]:
    """Where the intervals of some classes begin and end: (high, low) as heights."""
    found = [re.findall(rf'<path class="{kind} whisker" d="M[\d.]+ ([\d.]+)V([\d.]+)', svg) for kind in kinds]
    return [(float(top), float(foot)) for mine in found for top, foot in mine]


def styled(component: Any, kind: str, name: str) -> list[float]:
    """Per cents of a style of the pieces of a class."""
    return [float(str(piece.style[name]).removesuffix("%")) for piece in with_class(component, kind)]


# --- every chart draws its table


def hours(points: Iterable[datetime | Any], now_at: datetime) -> list[float]:
    return [round((at - now_at) / timedelta(hours=1), 2) for at in points]


def fan_differs(figure: go.Figure, table: Tidy, now_at: datetime) -> list[str]:
    """The traces of a fan whose figures or places are not those of the table."""
    by = {name: [p for p in table.points if p.series == name] for name in dict.fromkeys(p.series for p in table.points)}
    names = {"median": "p50"}
    out = []
    for trace in figure.data:
        told = by[names.get(trace.name, trace.name)]
        x = trace.x if trace.x is not None else [trace.x0 + k * trace.dx for k in range(len(trace.y))]
        places = pytest.approx(hours((p.at for p in told), now_at), abs=0.011)
        if [p.value for p in told] != list(trace.y) or list(x) != places:
            out.append(str(trace.name))
    lines = [shape.y0 for shape in figure.layout.shapes if shape.y0 == shape.y1]
    return out + (["capacity"] if [p.value for p in by.get("capacity", [])] != lines else [])


def later(point: Point) -> Point:
    assert isinstance(point.at, datetime)
    return point._replace(at=point.at + timedelta(minutes=15))


@pytest.mark.parametrize("name", WALL_CHARTS)
def test_a_fan_is_its_table(name: str) -> None:
    board = ordinary()
    figure, table = figures_of(tuple(BELOW))[name](board, READER), table_of(WALL, name)
    assert figure is not None
    assert fan_differs(figure, table, board.made_at) == []
    some = {"fewest"} if name == "free_beds" else {"peak", "earlier"}
    assert {p.series for p in table.points} >= {"observed", "p05", "p50", "p95", "usual", *some}
    points = list(table.points)
    k = next(i for i, p in enumerate(points) if p.series == "p95")
    points[k] = points[k]._replace(value=(points[k].value or 0.0) + 1.0)  # the mutant: one figure is another
    assert fan_differs(figure, replace(table, points=tuple(points)), board.made_at) == ["p95"]
    late = tuple(later(point) if point.series == "observed" else point for point in table.points)
    assert fan_differs(figure, replace(table, points=late), board.made_at) == ["observed"]


def test_the_wards_are_those_of_the_wall_with_all_that_it_has_no_room_for() -> None:
    board, table = ordinary(), table_of(WALL, "wards")
    panel = wards.panel(board, READER)
    taken = [tuple(map(int, text.split(" / "))) for text in texts(panel) if re.fullmatch(r"\d+ / \d+", text)]
    by = {name: [int(v or 0) for v in table.of(name)] for name in ("census", "beds", "free")}
    assert list(zip(by["census"], by["beds"], strict=True)) == taken
    said = texts(panel)
    ahead = {name for name in (p.series for p in table.points) if name.startswith("free_in_")}
    assert {name.partition(":")[2] for name in ahead} == {"", "low", "high"}
    for name in (one for one in ahead if ":" not in one):
        low, high = table.of(f"{name}:low"), table.of(f"{name}:high")
        assert [f"{low_:g}–{high_:g}" in said for low_, high_ in zip(low, high, strict=True)] == [True] * len(low)
    assert not [p for p in wards.wards_data(off()).points if p.value is not None]


FOOT = 190.0
"""Where a picture of trust ends; what is lower than its lowest gain stands there."""


def trust_differs(name: str) -> bool:
    view, table = ordinary_trust(), table_of("trust", name)
    assert view.judged is not None
    found = view.judged.measures[0]
    image = {
        "skill": lambda: trust_charts.skill(found, READER), "covered": lambda: trust_charts.covered(found, READER),
        "bias": lambda: trust_charts.bias(found, READER),
        "shares": lambda: trust_charts.shares(found, view.shares.get(found.measure, {}), READER),
    }[name]()  # fmt: skip
    names = dict.fromkeys(p.series for p in table.points)
    svg, series = svg_of(image), [name for name in names if ":" not in name and name != "aim"]
    if name == "shares":
        heights = [float(h) for h in re.findall(r'<rect class="hist"[^>]* height="([\d.]+)"', svg)]
        return not on_a_line(heights, table.of("simulation"))
    kinds = [f"rival-{k}" for k in range(1, len(series) + 1)] if name == "skill" else [r"[\w-]+"]
    told = [value for one in series for value in table.of(one)]
    low, high = ([v for one in series for v in table.of(f"{one}:{end}")] for end in ("low", "high"))
    whiskers = ends(svg, kinds)
    places = [*dots(svg, kinds), *(top for top, _ in whiskers), *(foot for _, foot in whiskers)]
    figures = [value for value in [*told, *high, *low] if value is not None]
    if len(places) != len(figures):
        return True
    inside = [(y, v) for y, v in zip(places, figures, strict=True) if y < FOOT or v > trust_charts.LOWEST]
    return not on_a_line([y for y, _ in inside], [v for _, v in inside])


@pytest.mark.parametrize("name", ["skill", "covered", "bias", "shares"])
def test_a_chart_of_trust_is_its_table(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not trust_differs(name)

    def moved(series: str, at: Any, values: Iterable[float | None], unit: str) -> list[Any]:
        first, *others = line(series, at, values, unit)
        return [first._replace(value=(first.value or 0.0) + 0.05), *others]

    monkeypatch.setattr("dashboard.trust_charts.line", moved)  # the mutant
    monkeypatch.setattr("dashboard.tidy.line", moved)
    assert trust_differs(name)


def test_a_stock_is_its_table() -> None:
    view = ordinary_supplies()
    for item in [one for one in view.items if one.kind != "meals"]:
        table = supply_charts.stock_data(item, view)
        svg = svg_of(supply_charts.stock(item, view, READER))
        middle = [float(pair.split(",")[1]) for pair in re.findall(r'class="median" points="([^"]+)"', svg)[0].split()]
        bands = re.findall(r'<polygon class="band-\d+" points="([^"]+)"', svg)
        drawn_y = middle + [float(pair.split(",")[1]) for band in bands for pair in band.split()]
        told = list(table.of("p50"))
        for low, high in (("p05", "p95"), ("p10", "p90"), ("p25", "p75")):
            told += [*table.of(low), *reversed(table.of(high))]
        assert on_a_line(drawn_y, told), item.name
        told[3] = (told[3] or 0.0) + 0.2 * (max(v or 0.0 for v in told) or 1.0)  # the mutant
        assert not on_a_line(drawn_y, told)
        assert len(re.findall('class="delivery"', svg)) == len(table.of("delivery"))


def test_messages_are_their_table() -> None:
    view, table = ordinary_feeds(), table_of("feeds", "messages")
    source = view.sources[0]
    panel = feeds.panel(replace(view, sources=(source,)), READER)
    assert on_a_line(styled(panel, "came", "height"), table.of("came"))
    assert on_a_line(styled(panel, "usual-line", "bottom"), table.of("usual"))
    wrong = [(v or 0.0) + (3.0 if k == 5 else 0.0) for k, v in enumerate(table.of("came"))]  # the mutant
    assert not on_a_line(styled(panel, "came", "height"), wrong)
    assert [p.at for p in table.points][: len(source.hours)] == [hour.at for hour in source.hours]


def test_effects_are_their_table() -> None:
    view, table = COMPARED["doctors"](), table_of("compare", "effects")
    shown = [one for one in view.choices if one.effects]
    for criterion in view.criteria:
        told = [
            [p.value for p in table.points if p.at == criterion.name and p.series == f"{one.name}{end}"]
            for one in shown for end in ("", ":low", ":high")
        ]  # fmt: skip
        cells = [
            compare.effect(one.effects.get(criterion.name), criterion, compare.scale_of(criterion, shown), READER)
            for one in shown
        ]  # fmt: skip
        places = []
        figures: list[float | None] = []
        for k, cell in enumerate(cells):
            if with_class(cell, "whisker"):
                mean, low, high = (told[3 * k + j][0] for j in range(3))
                [left], [wide] = styled(cell, "line", "left"), styled(cell, "line", "width")
                places += [*styled(cell, "dot", "left"), left, *([left + wide] if wide > 0.4 else [])]
                figures += [mean, low, *([high] if wide > 0.4 else [])]
        assert not figures or on_a_line(places, figures), criterion.name
    usual = {p.at: p.value for p in table.points if p.series == "as_usual"}
    assert usual == {one.name: one.usual for one in view.criteria}


def test_the_map_is_its_table() -> None:
    view, table = ROBUST["whole"](), table_of("robustness", "map")
    panel = robustness.panel(view, READER)
    cells = [cell for cell in with_class(panel, "cell") if with_class(cell, "level")]
    said = [texts(with_class(cell, "strong")[0])[-1] for cell in cells]
    rows = len(view.rows)
    told = [READER.number(100 * (p.value or 0.0)) for p in table.points if ":" not in p.series]
    assert said[: len(told)] == told
    assert len(told) == rows * len({p.at for p in table.points})
    margins = [v for n in (row.name for row in view.rows) for v in table.of(f"{n}:margin") if v is not None]
    assert len(margins) == len([t for c in cells[: len(told)] for t in texts(c) if t.startswith("margin")])


def test_a_curve_is_its_table() -> None:
    check = next(one for one in CHECKED.checks if one.curve)
    table, figure = checks.curve_data(check), checks.figure(check, READER)
    expected, measured = figure.data
    assert [list(expected.y), list(measured.y)] == [table.of("expected"), table.of("measured")]
    assert list(measured.x) == [p.at for p in table.points if p.series == "measured"]


def test_loads_are_their_table() -> None:
    table, panel = table_of("path", "load"), path.panel(PATHS["learned"](), READER)
    bars = [float(str(i.style["width"]).removesuffix("%")) for bar in with_class(panel, "bar") for i in children(bar)]
    assert bars == [pytest.approx(min(100.0, 100 * (share or 0.0)), abs=0.051) for share in table.of("share")]
    told = [
        f"{READER.number(a, 1)} of {READER.number(t, 1)}"
        for a, t in zip(table.of("asked"), table.of("there"), strict=True)
    ]
    assert [one for one in told if one not in texts(panel)] == []


def bars_of(card: Any) -> list[float]:
    """How full the bars of a card are, in per cent."""
    return [float(bar.children.style["width"].removesuffix("%")) for bar in with_class(card, "bar")]


def test_the_week_and_who_comes_are_their_tables() -> None:
    panel = learned.panel(LEARNED["ordinary"](), READER)
    cells = [cell for k in range(8) for cell in with_class(panel, f"shade-{k}")]
    told = table_of("learned", "arrivals").of("arrivals")
    assert sorted(cell.title for cell in cells) == sorted(READER.number(rate, 1) for rate in told)
    assert len(told) == 168
    shares = [100 * (share or 0.0) for share in table_of("learned", "classes").of("patients")]
    full = [width for card in with_class(panel, "learned-classes") for width in bars_of(card)]
    assert full == pytest.approx(shares, abs=0.05)  # as wide as a tenth of a per cent tells


def test_what_if_carries_the_figures_that_it_draws() -> None:
    told = answer([-9.0] * 5 + [-6.0] * 4 + [0.0], members=1000)
    table = whatif_charts.both_data(told, "ed_waiting")
    both, apart = (make(told, "ed_waiting", READER) for make in (whatif_charts.both, whatif_charts.difference))
    assert both is not None
    assert apart is not None
    band, _, line_, _ = both.data
    assert list(band.y) == [*table.of("usual:p10"), *reversed(table.of("usual:p90"))]
    assert list(line_.y) == table.of("usual:p50")
    assert list(both.data[1].y) == [*table.of("changed:p10"), *reversed(table.of("changed:p90"))]
    assert list(apart.data[1].y) == table.of("difference:mean")
    panel = whatif_panel.told(StandingView("asked", told), "ed_waiting", READER)
    link = with_class(panel, "data-way")[0]
    assert b64decode(link.href.partition("base64,")[2]) == as_csv(table, ZONE)
    assert re.fullmatch(r"whatif-ed_waiting-[\d-]+T\d{4}\.csv", link.download)
    tightening = whatif_panel.told(StandingView("asked", replace(told, members=10)), "ed_waiting", READER)
    assert with_class(tightening, "data-way") == []
