"""How good the last forecasts were, so that the reader knows how far to believe the next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import dash_mantine_components as dmc
from dash.development.base_component import Component

from dashboard.parts import Content, absent, card, marked
from dashboard.words import UNKNOWN, Reader
from forecast.board import Board, Skill

LEADS_MIN = (60, 120, 240, 480, 720, 1440)
NARROW_LEADS_MIN = (60, 240, 720, 1440)
MEASURE = "ed_census"

Cell = Callable[[Skill], Content]


def panel(board: Board, reader: Reader) -> Component:
    """By lead: mean error, how often the 80 % interval held, and the gain over two simple rivals.

    A lead at which a rival was better is greyed, and the rival's cell says so.
    """
    question = reader.say("Can the forecasts be trusted?")
    leads = NARROW_LEADS_MIN if reader.narrow else LEADS_MIN
    found = {s.lead_min: s for s in board.skills if s.measure == MEASURE and s.n > 0 and s.lead_min in leads}
    if not found:
        return card("trust", question, absent(_to_come(board, reader)))
    rows: list[tuple[str, Cell]] = [
        (reader.say("Mean error, patients"), lambda skill: reader.number(skill.mae, 1)),
        (reader.say("80% interval held"), lambda skill: reader.percent(skill.coverage_80)),
        (reader.say("Gain over “nothing moves”"), lambda skill: _gain(skill, "persistence", reader)),
        (reader.say("Gain over “as usual”"), lambda skill: _gain(skill, "climatology", reader)),
    ]
    body = dmc.TableTbody([_row(name, cell, found, leads, reader) for name, cell in rows])
    table = dmc.Table([_head(leads, reader), body], className="table trust-table")
    return card("trust", question, table, basis=_basis(found, board.cycle.corrected_days > 0, reader))


def _to_come(board: Board, reader: Reader) -> str:
    """Why nothing can be said yet."""
    if board.cycle.measured_days is None:
        return reader.say("being measured: no forecast has met its hour yet")
    done, days = board.cycle.measured_days
    return reader.say("being measured, {done} of {days} days", done=str(done), days=str(days))


def worse(skill: Skill) -> bool:
    """Whether a rival was the better forecast at this lead."""
    return any(value < 0 for value in skill.skill.values())


def _head(leads: Sequence[int], reader: Reader) -> Component:
    names = [reader.lead(lead) for lead in leads]
    cells = [dmc.TableTh(name, className="figure") for name in names]
    return dmc.TableThead(dmc.TableTr([dmc.TableTh(reader.say("Patients present, forecast at")), *cells]))


def _row(name: str, cell: Cell, found: Mapping[int, Skill], leads: Sequence[int], reader: Reader) -> Component:
    cells = []
    for lead in leads:
        skill = found.get(lead)
        grey = " grey" if skill is not None and worse(skill) else ""
        content = reader.say("to come") if skill is None else cell(skill)
        cells.append(dmc.TableTd(content, className=f"figure{grey}"))
    return dmc.TableTr([dmc.TableTd(name, className="name"), *cells])


def _gain(skill: Skill, rival: str, reader: Reader) -> Content:
    gain = skill.skill.get(rival)
    if gain is None:
        return UNKNOWN
    if gain < 0:
        return marked("warn", reader.say("worse"))
    return f"+{reader.percent(gain)}"


def _basis(found: Mapping[int, Skill], corrects: bool, reader: Reader) -> str:
    most = max(skill.n for skill in found.values())
    text = reader.count("{n} forecast verified", "{n} forecasts verified", most)
    if any(skill.backtested for skill in found.values()):
        return reader.say("{verified}, by replaying the history", verified=text)
    return reader.say("{verified}; they correct those to come", verified=text) if corrects else text
