"""How tense is the house, by the indicators that authorities ask for? Now, and the next 24 hours."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, facts, heading, marked
from dashboard.tension_words import (
    bjml_basis,
    bjml_words,
    category_tone,
    elderly_words,
    het_figure,
    het_name,
    lacks_words,
    level_tone,
    nedocs_words,
)
from dashboard.terms import label
from dashboard.words import UNKNOWN, Reader
from forecast.pages import Indicator, Tension


def card(tension: Tension, reader: Reader) -> Component:
    """HET as a table with levels, then NEDOCS, the minimal need of beds, the night of the elderly."""
    question = reader.say("How tense is the house?")
    return html.Div([heading(question), _het(tension, reader), *_others(tension, reader)], className="card tension")


def _het(tension: Tension, reader: Reader) -> Component:
    head = [reader.say("indicator"), reader.say("last known"), reader.say("next 24 h")]
    rows = [_row(one, reader) for one in tension.indicators]
    total = [
        html.Th(label("het", reader.say("sum of levels"), reader), scope="row"),
        html.Td(reader.number(tension.sum_now, 1)),
        html.Td(reader.number(tension.sum_ahead, 1)),
    ]
    body = html.Tbody([*rows, html.Tr(total, className="total")])
    return html.Table(
        [html.Thead(html.Tr([html.Th(text, scope="col") for text in head])), body], className="tension-table"
    )


def _row(one: Indicator, reader: Reader) -> Component:
    now = [html.Span(het_figure(one, one.now, reader)), *_level(one.level_now, reader)]
    return html.Tr(
        [
            html.Th(label("het", het_name(one.name, reader), reader), scope="row"),
            html.Td(now),
            html.Td(_ahead(one, reader)),
        ]
    )


def _ahead(one: Indicator, reader: Reader) -> list[Component]:
    if one.ahead is None:
        return [html.Small(lacks_words(one.lacks, reader) if one.lacks else UNKNOWN)]
    low, middle, high = (het_figure(one, value, reader) for value in one.ahead)
    between = html.Small(reader.say("{low} to {high}", low=low, high=high))
    return [html.Span(middle), *_level(one.level_ahead, reader), between]


def _level(level: float | None, reader: Reader) -> list[Component]:
    """The level with its shape; 0 normal, above 2 high."""
    if level is None:
        return []
    return [marked(level_tone(level), reader.number(level, 1), "het-level")]


def _others(tension: Tension, reader: Reader) -> list[Component]:
    tone = category_tone(tension.nedocs_category) if tension.nedocs_category else "news"
    score = marked(tone, nedocs_words(tension, reader)) if tension.nedocs is not None else nedocs_words(tension, reader)
    basis = [html.Small(bjml_basis(tension, reader))] if tension.bjml is not None else []
    found: list[tuple[Content, Any]] = [
        (label("nedocs", "NEDOCS", reader), [score]),
        (label("bjml", reader.say("minimal daily need of beds (BJML)"), reader), [bjml_words(tension, reader), *basis]),
        (
            reader.say("75 and over, from the coming midnight to 8:00 in the department"),
            [elderly_words(tension, reader)],
        ),
    ]
    return [facts(found)]
