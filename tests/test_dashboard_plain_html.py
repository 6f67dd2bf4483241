"""Panels as plain HTML: what a component is written as, that texts are escaped, and what needs a script."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
import pytest
from dash import dcc, html

from dashboard.plain_html import Markup, rendered

ZONE: Any = {"data-zone": "UTC"}
ZONED = html.Header([], **ZONE)
CASES = [
    (html.Div("a", className="card", id="x"), '<div class="card" id="x">a</div>'),
    (html.Div(["a", html.B("b"), None, 3]), "<div>a<b>b</b>3</div>"),
    (html.A("w", href="/a?b=1&c=2", lang="fr"), '<a href="/a?b=1&amp;c=2" lang="fr">w</a>'),
    (html.Span("s", hidden=True), "<span hidden>s</span>"),
    (html.Span("s", hidden=False, title="t"), '<span title="t">s</span>'),
    (ZONED, '<header data-zone="UTC"></header>'),
    (dmc.Title("q", order=2, className="question"), '<h2 class="question">q</h2>'),
    (dmc.Text("t", className="sentence"), '<p class="sentence">t</p>'),
    (dmc.Paper("p", className="tile", radius="md"), '<div class="tile">p</div>'),
    (dmc.Badge("m", className="mode", size="xl"), '<span class="mode">m</span>'),
    (dmc.Alert("a", className="banner bad"), '<div class="banner bad" role="alert">a</div>'),
    (dmc.Table(dmc.TableTbody(dmc.TableTr(dmc.TableTd("1")))), "<table><tbody><tr><td>1</td></tr></tbody></table>"),
    (dmc.TableTh("g", tableProps={"colSpan": 2}), '<th colspan="2">g</th>'),
    (Markup("<svg></svg>"), "<svg></svg>"),
]


@pytest.mark.parametrize(("component", "written"), CASES)
def test_a_component_is_written_as_what_the_browser_would_have_made_of_it(component: object, written: str) -> None:
    assert rendered(component) == written


def test_a_bar_is_as_full_as_its_value_and_never_fuller() -> None:
    assert '<rect width="40" height="1"/>' in rendered(dmc.Progress(value=40, className="bar"))
    assert '<rect width="100" height="1"/>' in rendered(dmc.Progress(value=300, className="bar full"))


def test_what_people_wrote_stays_text() -> None:
    evil = '<script>alert("1")</script>'
    assert "<script" not in rendered(html.P(evil))
    assert rendered(html.A("a", title='x" onclick="y')) == '<a title="x&quot; onclick=&quot;y">a</a>'


def test_what_needs_a_script_cannot_stand_on_a_page_without_any() -> None:
    for component in (dcc.Graph(), dmc.Select(data=[])):
        with pytest.raises(TypeError, match="must be of plain components, but has dash_"):
            rendered(html.Div(component))
