"""How good the last forecasts were, so that the reader knows how far to believe the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, absent, card, marked, row_head
from dashboard.terms import label
from dashboard.trust_words import least_gain, made_of, worse
from dashboard.words import UNKNOWN, Reader
from forecast.board import Board, Skill

LEADS_MIN = (60, 120, 240, 480, 720, 1440)
NARROW_LEADS_MIN = (60, 240, 720, 1440)
MEASURE = "ed_census"
SAID_LEAD_MIN = 240
"""The lead of which it is said in words what the forecast is made of."""

Cell = Callable[[Skill], Content]


def panel(board: Board, reader: Reader) -> Component:
    """By lead: mean error, how often the 80 % interval held, the gain over the best simple rule, what it is made of.

    A lead at which a rule was better is greyed; the rule's cell, and a sentence, say so.
    """
    question = reader.say("Can the forecasts be trusted?")
    leads = NARROW_LEADS_MIN if reader.narrow else LEADS_MIN
    found = {s.lead_min: s for s in board.skills if s.measure == MEASURE and s.n > 0 and s.lead_min in leads}
    if not found:
        return card("trust", question, absent(_to_come(board, reader)), ways(reader))
    shares = board.shares.get(MEASURE, {})
    rows: list[tuple[Content, Cell]] = [
        (_word("mean_error", reader.say("Mean error, patients"), reader), lambda skill: reader.number(skill.mae, 1)),
        (_word("coverage", reader.say("80% interval held"), reader), lambda skill: reader.percent(skill.coverage_80)),
        (_word("gain", reader.say("Gain over simple rules"), reader), lambda skill: _gain(skill, reader)),
        (
            _word("share", reader.say("Share of the simulation"), reader),
            lambda skill: reader.percent(shares.get(skill.lead_min, 1.0)),
        ),
    ]
    body = dmc.TableTbody([_row(name, cell, found, leads, reader) for name, cell in rows])
    table = dmc.Table([_head(leads, reader), body], className="table trust-table")
    said = html.Div([html.Span(_said(found, shares, reader)), ways(reader)], className="trust-said")
    return card("trust", question, table, said, basis=_basis(found, board.cycle.corrected_days > 0, reader))


def ways(reader: Reader) -> Component:
    """Where more is told: the page of the forecasts' quality, and the report of the last back-test."""
    links = [(reader.say("figures"), "/trust"), (reader.say("back-test"), "/report")]
    found = [html.A(name, href=f"{path}?lang={reader.language}") for name, path in links]
    return html.Span(found, className="trust-ways")


def _word(term: str, text: str, reader: Reader) -> Content:
    """A row's label, which leads to what it means; the wall's rows lie too close to be hit, there `ways` lead on."""
    return label(term, text, reader) if reader.narrow else text


def _to_come(board: Board, reader: Reader) -> str:
    """Why nothing can be said yet."""
    if board.cycle.measured_days is None:
        return reader.say("being measured: no forecast has met its hour yet")
    done, days = board.cycle.measured_days
    return reader.say("being measured, {done} of {days} days", done=str(done), days=str(days))


def _head(leads: Sequence[int], reader: Reader) -> Component:
    names = [reader.lead(lead) for lead in leads]
    cells = [dmc.TableTh(name, className="figure") for name in names]
    return dmc.TableThead(dmc.TableTr([dmc.TableTh(reader.say("Patients present, forecast at")), *cells]))


def _row(name: Content, cell: Cell, found: Mapping[int, Skill], leads: Sequence[int], reader: Reader) -> Component:
    cells = []
    for lead in leads:
        skill = found.get(lead)
        grey = " grey" if skill is not None and worse(skill) else ""
        content = reader.say("to come") if skill is None else cell(skill)
        cells.append(dmc.TableTd(content, className=f"figure{grey}"))
    return dmc.TableTr([row_head(name), *cells])


def _gain(skill: Skill, reader: Reader) -> Content:
    gain = least_gain(skill)
    if gain is None:
        return UNKNOWN
    if gain < 0:
        return marked("warn", reader.say("worse"))
    return f"+{reader.percent(gain)}"


def _said(found: Mapping[int, Skill], shares: Mapping[int, float], reader: Reader) -> str:
    """What the forecast is made of, and why some of it is greyed."""
    lead = min(found, key=lambda one: abs(one - SAID_LEAD_MIN))
    of = reader.say("At {lead}: {made}.", lead=reader.lead(lead), made=made_of(shares.get(lead, 1.0), reader))
    grey = [reader.say("Grey: a simple rule did better.")] if any(map(worse, found.values())) else []
    return " ".join([of, *grey])


def _basis(found: Mapping[int, Skill], corrects: bool, reader: Reader) -> str:
    most = max(skill.n for skill in found.values())
    text = reader.count("{n} forecast verified", "{n} forecasts verified", most)
    if any(skill.backtested for skill in found.values()):
        return reader.say("{verified}, by replaying the history", verified=text)
    return reader.say("{verified}; they correct those to come", verified=text) if corrects else text
