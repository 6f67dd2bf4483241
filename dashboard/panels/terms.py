"""Every word that the pages use, with what it means, how it is made here, and whose definition it is."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.parts import card, heading
from dashboard.terms import Term, grouped
from dashboard.words import Reader


def panel(reader: Reader) -> Component:
    """A card for each group of terms; a term's name is its place in the page, where labels lead."""
    cards = [
        card("terms", title, html.Dl([_entry(term, reader) for term in found], className="terms-list"))
        for title, found in grouped(reader).items()
    ]
    return html.Section([_head(reader), *cards], className="terms-cards")


def _head(reader: Reader) -> Component:
    said = reader.say("On every page a tap on a dotted word shows what it means.")
    return html.Div([heading(reader.say("Which words are used here?")), html.P(said)], className="card")


def _entry(term: Term, reader: Reader) -> Component:
    how = [html.B(reader.say("How it is made here")), html.Span(term.how)]
    source = [html.B(reader.say("Source")), html.Cite(term.source)]
    lines = [html.P(term.meaning), html.P(how, className="how")]
    if term.source:
        lines.append(html.P(source, className="how"))
    return html.Div([html.Dt(term.title), html.Dd(lines)], id=term.name, className="term-entry")
