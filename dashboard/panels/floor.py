"""Where the patients are: the plan that `assets/floor.js` draws and plays, then beds and the same in words.

A dot is one patient in a stage: its shape says which stage, its colour and ring how long against what is usual there.
"""

from __future__ import annotations

import json
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import floor_picture as picture
from dashboard.floor_words import (
    beds_said,
    by_stage,
    gone,
    headline,
    longest,
    range_said,
    script_words,
    stage_name,
    zone_name,
)
from dashboard.panels import banner
from dashboard.parts import absent, heading, marked, sentence, table
from dashboard.states import forecast_shown, numbers_shown
from dashboard.words import UNKNOWN, Reader
from forecast.floor_view import STAGES, BedStrip, FloorView, Likely, Stage, Zone

DIMMED = ("late", "catching_up", "inconsistent", "stale")
"""States of the feed in which the plan bears the state's look."""


def panel(view: FloorView, reader: Reader) -> Component:
    """The state of the feed, the plan, what is likely, beds, the same in words."""
    state = view.board.feed.state
    banners = banner.panel(view.board, reader)
    if view.as_of is None:
        why = reader.say("Nothing is known of who is where yet: it comes with the first forecast.")
        return html.Section([banners, html.Div(absent(why), className="card")], className="floor")
    shown = numbers_shown(view.board)
    cards = [_plan(view, reader, shown=shown), _beds(view, reader, shown=shown)]
    told = [_stages(view, reader), _zones(view, reader)] if shown else []
    looks = f"floor feed-{state}" if state in DIMMED else "floor"
    return html.Section([banners, *cards, *told, _note(view, reader)], className=looks)


# --- the plan -------------------------------------------------------------------------------------------------------


def _plan(view: FloorView, reader: Reader, *, shown: bool) -> Component:
    lines: list[Component] = []
    if view.fault is not None:
        text = reader.say("The positions could not be made anew ({fault}).", fault=view.fault)
        lines.append(marked("warn", text))
    if shown:
        now = [sentence(headline(view, reader))]
        now += [html.P(text, className="small") for text in [gone(view, reader)] if text]
        lines.append(html.Div(now, className="floor-now"))
    content = [*lines, _stage(view, reader, shown=shown), _likely(view, reader), _legend(reader)]
    return html.Div(content, className="card floor-card")


def _stage(view: FloorView, reader: Reader, *, shown: bool) -> Component:
    """What the script fills and keeps; it is handed all its words."""
    first, last = view.days or (None, None)
    handed: dict[str, Any] = {
        "data-words": json.dumps(script_words(view, reader), ensure_ascii=False, separators=(",", ":")),
        "data-at": view.as_of.isoformat() if view.as_of else "",
        "data-state": view.board.feed.state if shown else "off",
        "data-tz": view.zone,
        "data-first": first.isoformat() if first else "",
        "data-last": last.isoformat() if last else "",
    }
    return html.Div(id="floor-stage", className="floor-stage", **handed)


def _likely(view: FloorView, reader: Reader) -> Component:
    """Two hours on; hidden until it is asked for."""
    ahead = view.ahead
    if ahead is None or not forecast_shown(view.board):
        return html.Div(absent(reader.say("There is no forecast to look ahead with.")), className="floor-likely")
    at = reader.say("Likely at {time}, not known: a forecast.", time=reader.clock(ahead.valid_at))
    parts = [
        (reader.say("Waiting for triage or a doctor"), ahead.waiting),
        (reader.say("In care or about to leave"), ahead.care),
        (reader.say("Waiting for a ward bed"), ahead.boarders),
    ]
    zones = [_likely_zone(name, told, reader) for name, told in parts]
    limits = reader.say(
        "Which area they will be in, who they will be and how long each will have waited cannot be foreseen: numbers "
        "by stage only, counted run by run."
    )
    said = [
        sentence(at),
        html.Div(zones, className="floor-row"),
        html.P(_present(ahead.present, reader)),
        html.P(limits),
    ]
    return html.Div(said, className="floor-likely")


def _present(present: Likely | None, reader: Reader) -> str:
    if present is None:
        return ""
    return reader.say("In the department in all: {range}.", range=range_said(present, reader))


def _likely_zone(name: str, told: Likely | None, reader: Reader) -> Component:
    if told is None:
        why = reader.say("cannot be foreseen: the log does not tell it")
        return html.Div([html.B(name), absent(why)], className="floor-zone likely")
    said = range_said(told, reader)
    about = reader.say("about {n}", n=reader.number(told.median))
    head = html.Div([html.B(name), html.Span(about, className="floor-count")], className="floor-zone-head")
    alt = f"{name}, {said}"
    dots = html.Img(src=picture.likely(told, reader.theme), alt=alt, className="floor-likely-dots")
    return html.Div([head, dots, html.Span(said, className="small")], className="floor-zone likely")


def _legend(reader: Reader) -> Component:
    shapes = [
        ("round short", reader.say("a patient who waits or is in care")),
        ("square short", reader.say("one who waits for a ward bed")),
        ("diamond short", reader.say("one who is about to leave")),
    ]
    times = [
        ("round short", reader.say("less than the usual half")),
        ("round long", reader.say("longer than half, one ring")),
        ("round longest", reader.say("longer than 9 in 10, two rings")),
        ("round unknown", reader.say("what is usual is not known")),
    ]
    ahead = [(f"{kind} ahead-key", text) for kind, text in (
        ("firm", reader.say("likely to be there")), ("maybe", reader.say("possibly there")))]  # fmt: skip
    rows = [
        (reader.say("Shape: the stage"), shapes),
        (reader.say("Ring: time in this stage"), times),
        (reader.say("In 2 h"), ahead),
    ]
    return html.Div([_keys(title, keys) for title, keys in rows], className="floor-legend")


def _keys(title: str, keys: list[tuple[str, str]]) -> Component:
    entries = [html.Span([html.I(className=f"floor-dot {kind}"), text]) for kind, text in keys]
    return html.Div([html.B(title), *entries], className="key")


# --- beds -----------------------------------------------------------------------------------------------------------


def _beds(view: FloorView, reader: Reader, *, shown: bool) -> Component:
    question = reader.say("Which beds are free?")
    if not shown:
        why = reader.say("Not known now: no data come in.")
        return html.Div([heading(question), absent(why)], className="card floor-beds")
    if not view.wards:
        why = reader.say("The log tells nothing of wards.")
        return html.Div([heading(question), absent(why)], className="card floor-beds")
    strips = html.Div([_strip(view, strip, reader) for strip in view.wards], className="floor-strips")
    return html.Div([heading(question), strips, _bed_legend(reader)], className="card floor-beds")


def _strip(view: FloorView, strip: BedStrip, reader: Reader) -> Component:
    name, told = reader.choice(strip.fr, strip.en), beds_said(strip, reader)
    of = "" if strip.beds is None else reader.say("{n} beds", n=reader.number(strip.beds))
    head: list[Any] = [html.B(name), html.Span(of, className="muted")]
    if strip.is_doubtful:
        head.append(marked("warn", reader.say("check")))
    source = picture.beds(strip, reader.theme)
    drawn = absent(reader.say("not told")) if source is None else html.Img(src=source, alt=", ".join([name, *told]))
    likely = view.ahead.free.get(strip.unit) if view.ahead and forecast_shown(view.board) else None
    ahead = [] if likely is None else [html.Span(_free_ahead(view, likely, reader), className="ahead")]
    by_state = [] if source is None else [html.Span([html.Span(text) for text in told], className="beds")]
    said = html.Div([*by_state, *ahead], className="floor-strip-said")
    return html.Div([html.Div(head, className="floor-strip-head"), drawn, said], className="floor-strip")


def _free_ahead(view: FloorView, likely: Likely, reader: Reader) -> str:
    assert view.ahead is not None
    at = reader.clock(view.ahead.valid_at)
    free = Likely(*(max(0.0, n) for n in (likely.low, likely.median, likely.high)))
    return reader.say("free at {time}, likely: {range}", time=at, range=range_said(free, reader))


def _bed_legend(reader: Reader) -> Component:
    kinds = [
        ("occupied", reader.say("occupied")), ("free", reader.say("free")),
        ("cleaning", reader.say("being cleaned")), ("closed", reader.say("closed")),
        ("over", reader.say("more patients than beds")),
    ]  # fmt: skip
    keys = [html.Span([html.I(className=f"floor-bed {kind}"), text]) for kind, text in kinds]
    return html.Div(keys, className="key")


# --- the same in words ----------------------------------------------------------------------------------------------


def _stages(view: FloorView, reader: Reader) -> Component:
    """How long, stage by stage; on a telephone without the columns that the ranges make up for."""
    head = [
        reader.say("Stage"), reader.say("now"), reader.say("longest"), reader.say("9 in 10 less than"),
        reader.say("usually half less than"), reader.say("longer than 9 in 10"),
    ]  # fmt: skip
    shown = 4 if reader.narrow else len(head)
    rows = [_stage_row(view, stage, reader)[:shown] for stage in STAGES]
    question = reader.say("How long have they been in this stage?")
    return html.Div([heading(question), table(head[:shown], rows, "floor-table")], className="card floor-told")


def _stage_row(view: FloorView, stage: Stage, reader: Reader) -> list[str]:
    dots = [dot for dot in view.dots if dot.stage == stage]
    usual = view.usual_of(stage)
    row = [stage_name(stage, reader), reader.number(len(dots)), reader.duration(longest(dots))]
    if usual is None:
        return [*row, UNKNOWN, UNKNOWN, UNKNOWN]
    above = sum(view.tier(dot) == "longest" for dot in dots)
    times = [reader.duration(minutes) for minutes in (usual.nine_in_ten_min, usual.median_min)]
    return [*row, *times, reader.number(above)]


def _zones(view: FloorView, reader: Reader) -> Component:
    head = [reader.say("Zone"), reader.say("now"), reader.say("spaces")]
    rows = [_zone_row(view, zone, reader) for zone in view.zones]
    question = reader.say("Who is in which zone?")
    return html.Div([heading(question), table(head, rows, "floor-table")], className="card floor-told")


def _zone_row(view: FloorView, zone: Zone, reader: Reader) -> list[Any]:
    """A zone's name with its stages, how many are there, and its spaces; what is not told is a dash."""
    dots = [dot for dot in view.dots if dot.zone == zone.key]
    count = reader.number(len(dots)) if zone.is_told else UNKNOWN
    said = by_stage(dots, reader) if zone.is_told else reader.say("the log does not tell who is here")
    name = [zone_name(zone, view.zones, reader), *([html.Small(said)] if said and zone.stage is None else [])]
    return [name, count, UNKNOWN if zone.spaces is None else reader.number(zone.spaces)]


def _note(view: FloorView, reader: Reader) -> Component:
    lines = [
        reader.say("A dot is a patient in a stage. It is nobody in particular, and no priority: this is about flows."),
        reader.say(
            "Dots are counted one by one. The wall counts everybody by how likely they are still here, so that it may "
            "differ by a few."
        ),
        reader.say(
            "A day that is played is what the log tells of it now. What was never recorded is completed by the rule by "
            "which forecasts are judged, and the time of an exit that is not on record is estimated."
        ),
    ]
    return html.Div(html.Ul([html.Li(line) for line in lines]), className="card floor-note told")
