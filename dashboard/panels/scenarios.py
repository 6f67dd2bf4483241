"""What each scenario would change, against as usual."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, absent, card, row_head
from dashboard.states import forecast_shown
from dashboard.terms import label, spaced
from dashboard.words import UNKNOWN, Reader
from forecast.board import EFFECT_MEASURES, Board, Effect, ScenarioView

ROWS_SHOWN = 4
LEADS_MIN = (240, 480)
"""A narrow screen has room for the last only."""
STAR = "\N{BLACK STAR}"
"""Stands where the scenario that helps most is told, and at its row."""


def panel(board: Board, reader: Reader) -> Component:
    """A row a scenario: its sentence, and for each measure and lead the mean difference and its 80 % interval.

    The first scenario is what the others are compared with and has no row. A difference whose interval holds zero
    is shown as uncertain. Above them stands in words which one helps most, of those that people here can decide.
    """
    question = reader.say("What if? The difference each would make")
    views = [view for view in board.scenarios if view.effects or _why_not(view, reader)]
    if not views or not forecast_shown(board):
        return card("scenarios", question, absent(reader.say("no scenario has been computed")))
    leads = LEADS_MIN[-1:] if reader.narrow else LEADS_MIN
    measures = [measure for measure in EFFECT_MEASURES if any(e.measure == measure for v in views for e in v.effects)]
    first = next((view for view in views if board.helps and view.name == board.helps.scenario), None)
    rows = [_row(view, measures, leads, reader, is_first=view is first) for view in _shown(views, first)]
    table = dmc.Table([_head(measures, leads, reader), dmc.TableTbody(rows)], className="table scenarios-table")
    return card("scenarios", question, *_said(first, board, reader), table, basis=_rest(views[ROWS_SHOWN:], reader))


def _shown(views: Sequence[ScenarioView], first: ScenarioView | None) -> Sequence[ScenarioView]:
    """As many as there is room for, in their order; the one that helps most is among them."""
    shown = views[:ROWS_SHOWN]
    return shown if first is None or first in shown else [*shown[:-1], first]


def _said(first: ScenarioView | None, board: Board, reader: Reader) -> list[Component]:
    """Which scenario helps most, and what comes with it in place of as usual; nothing where none can be decided."""
    if first is None or board.helps is None:
        if not any(view.can_be_decided and view.effects for view in board.scenarios):
            return []
        none = dmc.Text(reader.say("No scenario computed clearly helps."))
        return [html.Div(none, className="helps unsure")]
    name = [
        html.Span(STAR, className="star"),
        html.Span(label("helps_most", reader.say("What helps most:"), reader), className="label"),
        " ",
        html.B(_called(first, reader)),
    ]
    what = dmc.Text(_beside(board.helps.effect, board, reader), className="helped")
    return [html.Div([dmc.Text(name), " ", what], className="helps")]


def _beside(effect: Effect, board: Board, reader: Reader) -> str:
    """The value with the scenario beside the one as usual, and the interval of their difference."""
    usual = effect.usual
    said = {
        "ed_census": reader.text("At {time}, {n} present instead of {usual} (8 in 10: {low} to {high})."),
        "ed_waiting": reader.text("At {time}, {n} waiting instead of {usual} (8 in 10: {low} to {high})."),
        "ed_boarders": reader.text("At {time}, {n} waiting for a bed instead of {usual} (8 in 10: {low} to {high})."),
    }[effect.measure]
    return said.format(
        time=reader.clock((board.cycle.issued_at or board.made_at) + timedelta(minutes=effect.lead_min)),
        n=reader.number(None if usual is None else usual + effect.mean), usual=reader.number(usual),
        low=reader.signed(effect.low), high=reader.signed(effect.high),
    )  # fmt: skip


def _head(measures: Sequence[str], leads: Sequence[int], reader: Reader) -> Component:
    names = {
        "ed_census": label("census", reader.say("Present"), reader),
        "ed_waiting": label("waiting", reader.say("Waiting"), reader),
        "ed_boarders": label("boarders", reader.say("Waiting for a bed"), reader),
    }
    groups = [dmc.TableTh(names[m], className="figure group", tableProps={"colSpan": len(leads)}) for m in measures]
    times = [
        dmc.TableTh(reader.lead(lead), className=f"figure{' group' if i == 0 else ''}")
        for _ in measures
        for i, lead in enumerate(leads)
    ]
    first = dmc.TableTh(label("scenario", reader.say("Scenario"), reader), tableProps={"rowSpan": 2})
    return dmc.TableThead([dmc.TableTr([first, *groups]), dmc.TableTr(times)])


def _row(
    view: ScenarioView, measures: Sequence[str], leads: Sequence[int], reader: Reader, *, is_first: bool
) -> Component:
    star = [html.Span(STAR, className="star")] if is_first else []
    name = row_head(html.Div([*star, _called(view, reader)], className="said", title=_sentence(view, reader)))
    why_not = _why_not(view, reader)
    if why_not is not None:
        span = {"colSpan": max(1, len(measures) * len(leads))}
        why = reader.say("not applicable: {why}", why=why_not)
        return dmc.TableTr([name, dmc.TableTd(why, className="why", tableProps=span)])
    found = {(effect.measure, effect.lead_min): effect for effect in view.effects}
    cells = [
        dmc.TableTd(_effect(found.get((m, lead)), reader), className=f"figure{' group' if i == 0 else ''}")
        for m in measures
        for i, lead in enumerate(leads)
    ]
    return dmc.TableTr([name, *cells])


def _called(view: ScenarioView, reader: Reader) -> str:
    """The sentence on a telephone, and what is short of it on the wall, where it has two lines."""
    short = reader.choice(view.short_fr, view.short_en)
    return _sentence(view, reader) if reader.narrow or short is None else spaced(short, reader)


def _sentence(view: ScenarioView, reader: Reader) -> str:
    return spaced(reader.choice(view.sentence_fr, view.sentence_en), reader)


def _why_not(view: ScenarioView, reader: Reader) -> str | None:
    """Why the scenario has no lever here, in the reader's language; None when it has."""
    return reader.choice(view.inapplicable_fr, view.inapplicable_en)


def _effect(effect: Effect | None, reader: Reader) -> Content:
    if effect is None:
        return UNKNOWN
    tone, shape = _judged(effect)
    digits = 0 if abs(effect.mean) >= 10 else 1
    mean = html.Span([html.Span(shape, className="mark"), reader.signed(effect.mean, digits)], className="strong")
    interval = reader.say("{low} to {high}", low=reader.signed(effect.low), high=reader.signed(effect.high))
    return html.Div([mean, html.Span(interval, className="interval")], className=f"effect {tone}")


def _judged(effect: Effect) -> tuple[str, str]:
    """Fewer with 9 chances in 10, more with 9 in 10, or neither: as the rounded interval reads."""
    if effect.is_fewer:
        return "good", "\N{BLACK DOWN-POINTING TRIANGLE}"
    if effect.is_more:
        return "bad", "\N{BLACK UP-POINTING TRIANGLE}"
    return "unsure", ""


def _rest(views: Sequence[ScenarioView], reader: Reader) -> str | None:
    if not views:
        return None
    return reader.count("and {n} other scenario", "and {n} other scenarios", len(views))
