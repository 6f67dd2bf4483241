"""The pieces that panels are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.terms import label
from dashboard.words import Reader
from forecast.board import Fan

Content = Any
"""What Dash takes as children: a component, a text, or a list of them."""

MARKS = {"good": "\N{BLACK CIRCLE}", "warn": "\N{BLACK UP-POINTING TRIANGLE}", "bad": "\N{BLACK SQUARE}", "news": "i"}
"""A shape for every judgement, so that colour is never the only sign of it."""


def card(name: str, question: str, *content: Content, basis: str | None = None, href: str | None = None) -> Component:
    """A panel with the question it answers as its title; `name` gives it its place, `basis` says what it rests on."""
    return html.Div([heading(question, basis, href=href), *content], className=f"card {name}")


def heading(question: str, basis: str | None = None, *, href: str | None = None) -> Component:
    """A card's first line: the question, which may lead somewhere, and at its end what the answer rests on."""
    said = question if href is None else html.A(question, href=href, className="quiet-link")
    title = dmc.Title(said, order=2, className="question")
    notes = [] if basis is None else [html.Span(basis, className="basis")]
    return html.Div([title, *notes], className="card-head")


def sentence(text: str, tone: str = "") -> Component:
    """The panel's answer in plain words."""
    return dmc.Text(text, className=f"sentence {tone}".strip())


def absent(reason: str) -> Component:
    """Stands where a chart or a table would, and says why there is none."""
    return html.Div([html.Span("\N{EM DASH}", className="dash"), html.Span(reason)], className="absent")


def marked(tone: str, text: str, extra: str = "") -> Component:
    """A text with the shape and the colour of a judgement."""
    shape = html.Span(MARKS[tone], className="mark")
    return html.Span([shape, text], className=f"marked {tone} {extra}".strip())


def facts(named: Iterable[tuple[Content, Content]]) -> Component:
    """Facts one below the other, each with its name."""
    rows = [html.Div([html.Dt(name), html.Dd(said)], className="fact") for name, said in named]
    return html.Dl(rows, className="facts")


def bar(full: float, tone: str = "") -> Component:
    """A bar so full, of 100; what it says stands beside it in figures."""
    hidden: dict[str, Any] = {"aria-hidden": "true"}
    return html.Div(html.Div(style={"width": f"{full:.1f}%"}), className=f"bar {tone}".strip(), **hidden)


def scrolled(inside: Content, name: str, css: str) -> Component:
    """What may be wider than the screen, and is then scrolled by the arrow keys too; `name` is for a screen reader."""
    told: dict[str, Any] = {"role": "group", "aria-label": name}
    return html.Div(inside, className=css, tabIndex=0, **told)


def column_head(text: Content, *, is_figure: bool = False) -> Component:
    """The head of a column; above a column of names without a word of its own there is an empty cell, which heads
    nothing."""
    if not text:
        return dmc.TableTd("")
    return dmc.TableTh(text, className="figure" if is_figure else "", tableProps={"scope": "col"})


def row_head(said: Content) -> Component:
    """The first cell of a row: what the others of it are about."""
    return dmc.TableTh(said, className="name", tableProps={"scope": "row"})


def table(head: Sequence[Content], rows: Sequence[Sequence[Content]], name: str) -> Component:
    """A table whose first column is words and whose others are figures."""
    top = dmc.TableTr([column_head(text, is_figure=k > 0) for k, text in enumerate(head)])
    body = [
        dmc.TableTr([row_head(row[0]), *(dmc.TableTd(cell, className="figure") for cell in row[1:])]) for row in rows
    ]
    return dmc.Table([dmc.TableThead(top), dmc.TableTbody(body)], className=f"table {name}")


def key(fan: Fan, reader: Reader) -> Component:
    """What each line and band of a fan is."""
    entries: list[tuple[str, Content]] = [
        ("observed", reader.say("observed")),
        ("forecast", label("forecast", reader.say("forecast"), reader)),
        ("bands", label("chances", reader.say("5, 8 and 9 chances in 10"), reader)),
        ("usual", label("usual", reader.say("usual"), reader)),
    ]
    if fan.earlier is not None:
        entries.append(("earlier", reader.say("as forecast at {time}", time=reader.clock(fan.earlier.issued_at))))
    items = [html.Span([html.I(className=f"swatch {name}"), text]) for name, text in entries]
    return html.Div(items, className="key")
