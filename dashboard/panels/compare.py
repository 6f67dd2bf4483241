"""Scenarios side by side: each criterion a row, each scenario a column, nothing added up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.compare_words import better_in, digits, judged, judged_said, name_of, with_unit
from dashboard.data_ways import data_ways
from dashboard.parts import Content, absent, heading
from dashboard.terms import label
from dashboard.tidy import Point, Tidy, interval
from dashboard.words import UNKNOWN, Reader
from forecast.compare_view import ChoiceView, CompareView, CriterionView, EffectView

SHAPES = {
    "good": "\N{BLACK CIRCLE}", "bad": "\N{BLACK SQUARE}", "unsure": "\N{WHITE CIRCLE}", "same": "\N{EN DASH}",
}  # fmt: skip
MOST_CHOSEN = 6
_ROOM = 4.0
"""Per cent of a whisker's box that is left free at either end."""


def panel(view: CompareView, reader: Reader) -> Component:
    """Who looks and what is compared; then effects; then what there is to choose from."""
    return html.Section(
        [_chooser(view, reader), _effects_card(view, reader), *_choice_card(view, reader)], className="compare-all"
    )


def address(view: CompareView, reader: Reader, *, point: str | None = None, names: Sequence[str] | None = None) -> str:
    """The page's address with another point of view, or other scenarios."""
    chosen = [one.name for one in view.choices if one.chosen] if names is None else names
    return f"?lang={reader.language}&view={point or view.view}&with={','.join(chosen)}"


# --- choosing -------------------------------------------------------------------------------------------------------


def _chooser(view: CompareView, reader: Reader) -> Component:
    points = [
        html.A(name_of(one, reader), href=address(view, reader, point=one.name),
               className="chip on" if one.name == view.view else "chip", **_current(one.name == view.view))
        for one in view.views
    ]  # fmt: skip
    chosen = [one for one in view.choices if one.chosen]
    names = [one.name for one in chosen]
    on = [_chip(one, address(view, reader, names=[n for n in names if n != one.name]), "\N{CHECK MARK}", reader)
          for one in chosen]  # fmt: skip
    full = len(chosen) >= MOST_CHOSEN
    others = [one for one in view.choices if not one.chosen]
    more = [
        _chip(one, None if full or _why(one, reader) else address(view, reader, names=[*names, one.name]), "+", reader)
        for one in others
    ]  # fmt: skip
    summary = reader.count("{n} other scenario", "{n} other scenarios", len(others))
    hint = [html.P(reader.say("Six are side by side: take one away first."), className="small")] if full else []
    parts = [
        heading(reader.say("Whose point of view?")), html.Div(points, className="chips"),
        heading(reader.say("Which scenarios?")), html.Div(on, className="chips"),
        html.Details([html.Summary(summary), *hint, html.Div(more, className="chips")], open=not chosen),
    ]  # fmt: skip
    return html.Div(parts, className="card compare-chooser")


def _current(on: bool) -> dict[str, Any]:
    return {"aria-current": "true"} if on else {}


def _chip(one: ChoiceView, href: str | None, mark: str, reader: Reader) -> Component:
    said, why = reader.choice(one.fr, one.en), _why(one, reader)
    text: list[Content] = [html.Span(mark, className="mark"), said]
    if why is not None:
        text.append(html.Small(reader.say("not applicable: {why}", why=why)))
    kind = f"chip{' on' if one.chosen else ''}{'' if href else ' off'}"
    return html.A(text, href=href, className=kind) if href else html.Span(text, className=kind)


def _why(one: ChoiceView, reader: Reader) -> str | None:
    return reader.choice(one.why_not_fr, one.why_not_en)


# --- effects --------------------------------------------------------------------------------------------------------


def _shown(view: CompareView) -> list[ChoiceView]:
    return [one for one in view.choices if one.effects]


def _effects_card(view: CompareView, reader: Reader) -> Component:
    shown = _shown(view)
    question = reader.say("What does each change?")
    if not shown:
        return html.Div([heading(question), absent(_why_nothing(view, reader))], className="card compare-effects")
    body = _cards(view, shown, reader) if reader.narrow else [_table(view, shown, reader)]
    basis = reader.say(
        "{n} of {of} runs on the same luck, from {time}, {hours} h", n=reader.number(view.members),
        of=reader.number(view.of), time=reader.clock(view.as_of or view.made_at), hours=reader.number(view.hours),
    )  # fmt: skip
    note = reader.say(
        "The mark is the mean of the differences, run by run on the same luck; the line holds it 95 times in 100; the "
        "upright line is as usual."
    )
    return html.Div(
        [
            heading(question, basis),
            *body,
            html.P(note, className="small"),
            data_ways("compare", "effects", reader, query=address(view, reader)),
        ],
        className="card compare-effects",
    )


def _why_nothing(view: CompareView, reader: Reader) -> str:
    if view.fault is not None:
        return reader.say("It could not be computed: {fault}", fault=view.fault)
    if view.as_of is None:
        return reader.say("The first forecast is being made.")
    if not any(one.chosen and _why(one, reader) is None for one in view.choices):
        return reader.say("Choose a scenario.")
    return reader.say("The first runs are under way.")


def _table(view: CompareView, shown: Sequence[ChoiceView], reader: Reader) -> Component:
    head = [
        dmc.TableTh(label("criterion", reader.say("Criterion"), reader)),
        dmc.TableTh(label("as_usual", reader.say("As usual"), reader), className="figure"),
        *(dmc.TableTh(reader.choice(one.fr, one.en), className="scenario") for one in shown),
    ]  # fmt: skip
    rows = [_row(criterion, shown, reader) for criterion in view.criteria]
    return dmc.Table([dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(rows)], className="table compare-table")


def _row(criterion: CriterionView, shown: Sequence[ChoiceView], reader: Reader) -> Component:
    scale = scale_of(criterion, shown)
    cells = [dmc.TableTd(effect(one.effects.get(criterion.name), criterion, scale, reader)) for one in shown]
    name = dmc.TableTd(name_of(criterion, reader), className="name")
    return dmc.TableTr([name, dmc.TableTd(_usual(criterion, reader), className="figure"), *cells])


def _usual(criterion: CriterionView, reader: Reader) -> str:
    if criterion.usual is None:
        return UNKNOWN
    return with_unit(reader.number(criterion.usual, digits(criterion.usual)), criterion, reader)


def _cards(view: CompareView, shown: Sequence[ChoiceView], reader: Reader) -> list[Component]:
    """On a telephone: one scenario below the other."""
    out: list[Component] = []
    for one in shown:
        rows = [
            html.Div(
                [html.Div([name_of(criterion, reader), html.Small(_usual_said(criterion, reader))],
                          className="compare-name"),
                 effect(one.effects.get(criterion.name), criterion, scale_of(criterion, shown), reader)],
                className="compare-line",
            )
            for criterion in view.criteria
        ]  # fmt: skip
        out.append(html.Div([html.H3(reader.choice(one.fr, one.en)), *rows], className="compare-scenario"))
    return out


def _usual_said(criterion: CriterionView, reader: Reader) -> str:
    return reader.say("as usual: {value}", value=_usual(criterion, reader))


def scale_of(criterion: CriterionView, shown: Sequence[ChoiceView]) -> tuple[float, float]:
    """What the boxes of a row reach from and to: 0 and every interval in it."""
    found = [one.effects.get(criterion.name) for one in shown]
    ends = [0.0, *(end for one in found if one is not None for end in (one.low, one.high))]
    low, high = min(ends), max(ends)
    return (low, high) if high > low else (-1.0, 1.0)


def effect(one: EffectView | None, criterion: CriterionView, scale: tuple[float, float], reader: Reader) -> Component:
    """What a scenario changes of a criterion: the whisker, the mean with its interval, how often it is better."""
    if one is None:
        return html.Div(reader.say("nothing to tell"), className="compared none")
    tone = judged(one, criterion)
    said: list[Content] = [
        html.Span(SHAPES[tone], className="mark"), html.Span(judged_said(tone, reader), className="word")
    ]  # fmt: skip
    if tone == "same":
        return html.Div(html.Div(said, className="compared-head"), className="compared same")
    digit = digits(max(abs(one.low), abs(one.high)))
    mean = with_unit(reader.signed(one.mean, digit), criterion, reader)
    ends = reader.say("{low} to {high}", low=reader.signed(one.low, digit), high=reader.signed(one.high, digit))
    certain = one.low == one.high
    interval = [] if certain else [html.Span(f"({ends})", className="interval")]
    head = html.Div([*said, html.Span(mean, className="strong"), *interval], className="compared-head")
    chance = [] if certain else [html.Div(better_in(one, reader), className="chance")]
    return html.Div([_whisker(one, tone, scale), head, *chance], className=f"compared {tone}")


def _whisker(one: EffectView, tone: str, scale: tuple[float, float]) -> Component:
    """A mark with its interval in a box that reaches as far for every scenario of the row."""
    low, high, mean, zero = (_place(value, scale) for value in (one.low, one.high, one.mean, 0.0))
    parts = [
        html.I(className="zero", style={"left": f"{zero:.2f}%"}),
        html.I(className="line", style={"left": f"{low:.2f}%", "width": f"{max(high - low, 0.4):.2f}%"}),
        html.I(SHAPES[tone], className="dot", style={"left": f"{mean:.2f}%"}),
    ]
    hidden: dict[str, Any] = {"aria-hidden": "true"}
    return html.Div(parts, className="whisker", **hidden)


def effects_data(view: CompareView) -> Tidy:
    """The figures of the whiskers: a series a scenario, its mean difference with the interval; and as usual."""
    usual = [Point(one.name, "as_usual", one.usual, one.unit_en) for one in view.criteria]
    told = [
        point
        for choice in _shown(view)
        for one in view.criteria
        if (found := choice.effects.get(one.name)) is not None
        for point in interval(choice.name, [one.name], [(found.mean, found.low, found.high)], one.unit_en)
    ]
    return Tidy("criterion", (*usual, *told))


def _place(value: float, scale: tuple[float, float]) -> float:
    low, high = scale
    return _ROOM + (100.0 - 2 * _ROOM) * (value - low) / (high - low)


# --- what there is to choose from -----------------------------------------------------------------------------------


def _choice_card(view: CompareView, reader: Reader) -> list[Component]:
    shown = _shown(view)
    if not shown:
        return []
    usual = reader.say("As usual: nothing changes.")
    named = {"": usual, **{one.name: reader.choice(one.fr, one.en) for one in shown}}
    rows = [(usual, view.usual_dominated_by), *((named[one.name], one.dominated_by) for one in shown)]
    open_, closed = [row for row in rows if not row[1]], [row for row in rows if row[1]]
    items = [html.Li([html.Span("\N{BLACK CIRCLE}", className="mark"), said], className="stays") for said, _ in open_]
    items += [
        html.Li([html.Span("\N{WHITE CIRCLE}", className="mark"), said,
                 html.Small(reader.say("better or equal on all that is shown: {other}", other=named[by[0]]))],
                className="falls")
        for said, by in closed
    ]  # fmt: skip
    note = reader.say(
        "Nothing is added up. A scenario is set aside only where another one is at least as good on every criterion of "
        "this point of view, and better on one. Between the others people choose."
    )
    parts = [heading(reader.say("From which to choose?")), html.Ul(items, className="choices"),
             html.P(note, className="small")]  # fmt: skip
    return [html.Div(parts, className="card compare-choice")]
