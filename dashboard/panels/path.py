"""The path of a patient through the hospital, drawn and told, with what is asked of everything that is queued for."""

from __future__ import annotations

from base64 import b64encode

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.data_ways import data_ways
from dashboard.parts import absent, marked
from dashboard.path_picture import Legend, Sketch, sketch
from dashboard.site_words import Section, pool_name, share, told
from dashboard.tidy import Point, Tidy, known
from dashboard.words import Reader
from forecast.pages import PathView
from twin.explanation import NEARLY_FULL, Explained, Load

LARGEST = 1.3
"""How much larger than a letter of the page those of a small picture may be."""
SMALLEST = 0.8
HIGHEST_REM = 41.0
"""What is left of a wide screen below the header, above the legend."""
_SIDE = ("doubts", "arrivals", "wards", "hospital", "staff", "no_limit")
"""Sections beside the load; the path itself stands last, over the whole breadth."""


def panel(view: PathView, reader: Reader) -> Component:
    """Where it all comes from, the picture, its colours; then load and sentences."""
    head = [html.P(_source(view, reader), className="source-said")]
    if view.explained is None:
        lacks = [html.Li(fault) for fault in view.lacks]
        said = absent(reader.say("The shipped path does not suit this hospital. Its file would have to add:"))
        return html.Section([html.Div([*head, said, html.Ul(lacks)], className="card")], className="path")
    drawn = html.Div([*head, _picture(view, view.explained, reader), _legend(view.explained, reader)], className="card")
    sections = {section.name: section for section in told(view.explained, reader)}
    side = [_section(sections[name]) for name in _SIDE if name in sections]
    if "load" in sections:
        side.insert(1 if "doubts" in sections else 0, _loads(view, view.explained, sections["load"], reader))
    beside = html.Div(side, className="path-told")
    return html.Section([drawn, beside, _section(sections["path"], wide=True)], className="path")


def _source(view: PathView, reader: Reader) -> str:
    if view.source == "learned" and view.learned_at is not None:
        return reader.say(
            "Numbers learned from {n} visits of the last weeks, as known at {moment}.",
            n=reader.number(view.learned_visits), moment=reader.moment(view.learned_at),
        )  # fmt: skip
    if view.source == "site":
        return reader.say("Nothing is learned yet: this is what the site's own file says.")
    return reader.say("Nothing is learned yet: this is the hospital that edtwin comes with.")


def _picture(view: PathView, explained: Explained, reader: Reader) -> Component:
    notes = {zone: _now(people, reader) for zone, people in (view.now or {}).items()}
    drawn = sketch(explained, reader, narrow=reader.narrow, note=notes)
    uri = f"data:image/svg+xml;base64,{b64encode(drawn.svg.encode()).decode()}"
    words = reader.say("The path as a picture; the same is told stage by stage below.")
    broadest = {} if reader.narrow else {"maxWidth": f"{_scale(drawn) * drawn.width:.1f}rem"}
    return html.Img(src=uri, alt=words, className="path-picture", style=broadest)


def _now(people: int, reader: Reader) -> str:
    return reader.say("{n} now", n=reader.number(people))


def _scale(drawn: Sketch) -> float:
    """How large the letters of a picture may be, so that one sees it whole, and can read it."""
    return min(LARGEST, max(SMALLEST, HIGHEST_REM / drawn.height))


def _legend(explained: Explained, reader: Reader) -> Component:
    shown = Legend.of(explained).shown(explained, reader)
    hues = [html.Span([html.I(className=f"hue {hue}"), text]) for hue, text in shown]
    wide = reader.say("the wider, the more patients go this way; %: of those who leave the stage")
    ways = [
        html.Span([html.I(className="hue-way"), wide]),
        html.Span([html.I(className="hue-unseen"), reader.say("leaves because the wait is too long")]),
    ]
    return html.Div([html.B(reader.say("The colour of a box says what is waited for:")), *hues, *ways], className="key")


def _section(section: Section, *, wide: bool = False) -> Component:
    items = [html.Li(sentence) for sentence in section.sentences]
    tone = "warn" if section.name == "doubts" else None
    title = marked(tone, section.title) if tone else section.title
    content = [dmc.Title(title, order=2, className="question"), html.Ul(items)]
    return html.Div(content, className=f"card told {section.name}{' wide' if wide else ''}")


def _loads(view: PathView, explained: Explained, section: Section, reader: Reader) -> Component:
    rows = [_load(view, explained, load, reader) for load in _loaded(explained)]
    notes = [html.P(sentence, className="small") for sentence in section.sentences[len(rows) :]]
    ways = data_ways("path", "load", reader)
    content = [dmc.Title(section.title, order=2, className="question"), *rows, *notes, ways]
    return html.Div(content, className="card told load")


def load_data(view: PathView) -> Tidy:
    """The figures of the bars: what is asked of each pool, what there is, the share, and people there now."""
    loads = _loaded(view.explained) if view.explained else []
    told = [
        (load.pool, name, value, unit)
        for load in loads
        for name, value, unit in (
            ("asked", load.asked, ""), ("there", load.there, ""), ("share", load.share, "share"),
            ("now", _there_now(view, load), "patients"),
        )
    ]  # fmt: skip
    return Tidy("pool", tuple(Point(pool, name, known(value), unit) for pool, name, value, unit in told))


def _loaded(explained: Explained) -> list[Load]:
    """Those that a bar is drawn for."""
    return [load for load in explained.loads if load.share is not None]


def _there_now(view: PathView, load: Load) -> int | None:
    """How many people are in a ward now."""
    return (view.now or {}).get(load.pool.rpartition(":")[2]) if load.kind == "beds" else None


def _load(view: PathView, explained: Explained, load: Load, reader: Reader) -> Component:
    """A bar: how much of what is there is asked for, and how many are there now."""
    part = load.share or 0.0
    tone = "over" if part > 1 else "near" if part >= NEARLY_FULL else ""
    name = pool_name(explained, load.pool, reader)
    there_now = _there_now(view, load)
    figures = reader.say("{asked} of {there}", asked=reader.number(load.asked, 1), there=reader.number(load.there, 1))
    more = [] if there_now is None else [html.Small(_now(there_now, reader))]
    bar = html.Div(html.I(style={"width": f"{min(100.0, 100 * part):.1f}%"}), className=f"bar {tone}")
    title = html.Span(name[:1].upper() + name[1:], className="name")
    return html.Div([title, bar, html.B(share(part, reader)), html.Span([figures, *more])], className="load-row")
