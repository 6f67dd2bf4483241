"""What could not be read, why, and how it is mended. Nothing on this page could name anyone."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import absent, card, marked
from dashboard.reason_words import command, doubt_words, mend_words, reason_words
from dashboard.words import Reader
from forecast.pages import QuarantineView, ReasonView

ON_A_PAGE = 8
PLACES_SHOWN = 3
DOUBTS_SHOWN = 12


def panel(view: QuarantineView, reader: Reader, number: int) -> Component:
    """A card a reason, the most frequent first; `number` is which page of them, the last where there are fewer."""
    if not view.reasons:
        nothing = absent(reader.say("Nothing waits: every message could be read."))
        empty = html.Div(nothing, className="card reasons-head")
        return html.Section([empty, *_doubts(view, reader)], className="reasons")
    pages = -(-len(view.reasons) // ON_A_PAGE)
    here = min(number, pages)
    shown = view.reasons[(here - 1) * ON_A_PAGE : here * ON_A_PAGE]
    head = html.Div([_total(view, reader), _export(reader)], className="card reasons-head")
    cards = [_card(reason, reader) for reason in shown]
    below = [*_turning(here, pages, reader), *(_doubts(view, reader) if here == pages else [])]
    return html.Section([head, *cards, *below], className="reasons")


def _total(view: QuarantineView, reader: Reader) -> Component:
    text = reader.count("{n} message could not be read and waits here", "{n} messages could not be read and wait here",
                        view.total)  # fmt: skip
    return dmc.Title(marked("warn", text), order=2, className="question")


def _export(reader: Reader) -> Component:
    kept = reader.say("Nothing is lost. Keep a list of all of them with this command:")
    return html.P([kept, " ", html.Code("edtwin quarantine export --out quarantine.csv")], className="source-said")


def _card(view: ReasonView, reader: Reader) -> Component:
    said = reader.say("{source}: first {first}, last {last}", source=view.source,
                      first=reader.moment(view.first_at), last=reader.moment(view.last_at))  # fmt: skip
    places = ", ".join(view.places[:PLACES_SHOWN])
    mend = command(view, reader)
    content = [
        html.Div([html.B(reader.number(view.count)), html.Span(reason_words(view.reason, reader))], className="what"),
        html.Div(said, className="source-said"),
        html.Div([html.Span(mend_words(view, reader)), *_code(mend)], className="source-advice"),
        html.Div(
            [reader.say("Rule {code}; for example {places}", code=view.reason, places=places)], className="places"
        ),
    ]
    return html.Div(content, className="card reason")


def _doubts(view: QuarantineView, reader: Reader) -> list[Component]:
    """What was taken all the same, on the last page: nobody waits for it, and somebody should know."""
    if not view.doubts:
        return []
    question = reader.say("What was taken although something of it is doubtful?")
    rows = [
        html.Div(
            [
                html.B(reader.number(doubt.count)),
                html.Span(doubt_words(doubt.code, reader)),
                html.Small(reader.say("{source}, rule {code}", source=doubt.source, code=doubt.code)),
            ],
            className="what doubt",
        )
        for doubt in view.doubts[:DOUBTS_SHOWN]
    ]
    return [card("reasons-head doubts", question, *rows)]


def _code(command: str | None) -> list[Component]:
    return [] if command is None else [html.Code(command)]


def _turning(here: int, pages: int, reader: Reader) -> list[Component]:
    if pages == 1:
        return []
    links = [
        html.A(text, href=f"?lang={reader.language}&page={number}")
        for text, number in ((reader.say("previous"), here - 1), (reader.say("next"), here + 1))
        if 1 <= number <= pages
    ]
    told = reader.say("page {n} of {of}", n=here, of=pages)
    return [html.Nav([*links, html.Span(told)], className="turning")]
