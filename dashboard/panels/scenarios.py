"""What each scenario would change, against as usual."""

from __future__ import annotations

import re
from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, absent, card, row_head
from dashboard.states import forecast_shown
from dashboard.terms import label
from dashboard.words import UNKNOWN, Reader
from forecast.board import Board, Effect, ScenarioView

ROWS_SHOWN = 4
LEADS_MIN = (240, 480)
"""A narrow screen has room for the last only."""
MEASURES = ("ed_census", "ed_waiting", "ed_boarders")
"""For all three, fewer is better."""


def panel(board: Board, reader: Reader) -> Component:
    """A row a scenario: its sentence, and for each measure and lead the mean difference and its 80 % interval.

    The first scenario is what the others are compared with and has no row. A difference whose interval holds zero
    is shown as uncertain.
    """
    question = reader.say("What if? The difference each would make")
    views = [view for view in board.scenarios if view.effects or _why_not(view, reader)]
    if not views or not forecast_shown(board):
        return card("scenarios", question, absent(reader.say("no scenario has been computed")))
    leads = LEADS_MIN[-1:] if reader.narrow else LEADS_MIN
    measures = [measure for measure in MEASURES if any(e.measure == measure for v in views for e in v.effects)]
    rows = [_row(view, measures, leads, reader) for view in views[:ROWS_SHOWN]]
    table = dmc.Table([_head(measures, leads, reader), dmc.TableTbody(rows)], className="table scenarios-table")
    return card("scenarios", question, table, basis=_rest(views[ROWS_SHOWN:], reader))


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


def _row(view: ScenarioView, measures: Sequence[str], leads: Sequence[int], reader: Reader) -> Component:
    said = reader.choice(view.sentence_fr, view.sentence_en)
    shown = said if reader.narrow else _short(said)
    name = row_head(html.Div(shown, className="said", title=said))
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


def _short(said: str) -> str:
    """The sentence without what stands in brackets, which two lines of the wall have no room for."""
    return re.sub(r"\s*\([^()]*\)", "", said)


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
    if round(effect.high) < 0:
        return "good", "\N{BLACK DOWN-POINTING TRIANGLE}"
    if round(effect.low) > 0:
        return "bad", "\N{BLACK UP-POINTING TRIANGLE}"
    return "unsure", ""


def _rest(views: Sequence[ScenarioView], reader: Reader) -> str | None:
    if not views:
        return None
    return reader.count("and {n} other scenario", "and {n} other scenarios", len(views))
