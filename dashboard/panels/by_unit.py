"""What is likely at an hour, unit by unit: in words or as quantiles, with the hours to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, card, heading, scrolled, sentence, table
from dashboard.terms import label
from dashboard.words import UNKNOWN, Reader
from forecast.by_unit_view import QUANTILES, ByUnitView, Likely, UnitRow

HOURS_SHOWN = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24)


def panel(view: ByUnitView, reader: Reader) -> Component:
    """The hours, then the department, free beds, and people in the wards."""
    department = [row for row in view.rows if row.kind == "department"]
    free = [row for row in view.rows if row.counted == "free"]
    patients = [row for row in view.rows if row.counted == "patients"]
    time = reader.clock(view.at)
    parts = [
        _head(view, reader),
        card("unit-department", reader.say("How many in the department at {time}?", time=time),
             _table(department, view, reader)),
    ]  # fmt: skip
    if free:
        parts.append(
            card("unit-free", reader.say("How many beds free at {time}?", time=time), _free(free, view, reader))
        )
    if patients:
        question = reader.say("How many patients in the wards at {time}?", time=time)
        parts.append(card("unit-patients", question, _table(patients, view, reader)))
    return html.Section(parts, className="by-unit")


def _head(view: ByUnitView, reader: Reader) -> Component:
    said = reader.say(
        "From {n} runs of the forecast issued at {time}. Of units together the runs are added up one by one: means add "
        "up, intervals do not.", n=reader.number(view.members), time=reader.clock(view.issued_at),
    )  # fmt: skip
    return html.Div(
        [heading(reader.say("At which hour?")), _hours(view, reader), _forms(view, reader), html.P(said)],
        className="card unit-head",
    )


def _hours(view: ByUnitView, reader: Reader) -> Component:
    """The hours to choose from; the next morning first, for which managers ask."""
    chosen = [(reader.lead(60 * n), str(n), at) for n, at in view.hours.items() if n in HOURS_SHOWN]
    if view.morning_at is not None:
        time = reader.say("at {time}", time=reader.clock(view.morning_at))
        chosen = [(time, "morning", view.morning_at), *chosen]
    links = [_way(name, f"at={asked}&form={view.form}", view.at == at, reader) for name, asked, at in chosen]
    called: dict[str, Any] = {"aria-label": reader.say("Hours to choose from")}
    return html.Nav(links, className="unit-hours", **called)


def _forms(view: ByUnitView, reader: Reader) -> Component:
    hour = next((str(n) for n, at in view.hours.items() if at == view.at), "morning")
    links = [
        _way(reader.say("in words"), f"at={hour}&form=words", view.form == "words", reader),
        _way(reader.say("as quantiles"), f"at={hour}&form=quantiles", view.form == "quantiles", reader),
    ]
    sheet = html.A(reader.say("Huddle sheet"), href=f"/huddle?lang={reader.language}", className="unit-way")
    called: dict[str, Any] = {"aria-label": reader.say("How it is told")}
    return html.Nav([*links, sheet], className="unit-hours", **called)


def _way(name: str, asked: str, is_here: bool, reader: Reader) -> Component:
    if is_here:
        mark: dict[str, Any] = {"aria-current": "true"}
        return html.Span(name, className="unit-way here", **mark)
    return html.A(name, href=f"?lang={reader.language}&{asked}", className="unit-way")


def _free(rows: Sequence[UnitRow], view: ByUnitView, reader: Reader) -> Component:
    """Free beds: what is likely at the hour, and how many stay free until then."""
    whole = rows[-1]
    said = reader.say(
        "At least {sure} beds free at {time} with 9 chances in 10, {likely} with 7 in 10.", time=reader.clock(view.at),
        sure=reader.number(whole.at_hour.sure), likely=reader.number(whole.at_hour.likely),
    )  # fmt: skip
    until = reader.say("At least, until then")
    head: list[Content] = [
        *_columns(view, reader),
        label("at_least", reader.say("At least, 9 in 10"), reader),
        label("at_least", reader.say("7 in 10"), reader),
        label("at_least", until, reader),
    ]
    body = [
        [*_cells(row, view, reader), reader.number(row.at_hour.sure), reader.number(row.at_hour.likely),
         UNKNOWN if row.throughout is None else reader.number(row.throughout.sure)]
        for row in rows
    ]  # fmt: skip
    name = reader.say("Free beds, unit by unit")
    return html.Div([sentence(said), scrolled(table(head, body, "unit-table"), name, "unit-scroll")])


def _table(rows: Sequence[UnitRow], view: ByUnitView, reader: Reader) -> Component:
    told = table(_columns(view, reader), [_cells(row, view, reader) for row in rows], "unit-table")
    return scrolled(told, reader.say("Patients, unit by unit"), "unit-scroll")


def _columns(view: ByUnitView, reader: Reader) -> list[Content]:
    first: list[Content] = [reader.say("Unit"), label("mean", reader.say("Mean"), reader)]
    if view.form == "words":
        return [*first, label("chances", reader.say("8 chances in 10"), reader)]
    return [*first, *(label("chances", reader.percent(level), reader) for level in QUANTILES)]


def _cells(row: UnitRow, view: ByUnitView, reader: Reader) -> list[Content]:
    name = reader.choice(row.fr, row.en)
    told = name if row.beds is None else f"{name} ({reader.count('{n} bed', '{n} beds', row.beds)})"
    called: Content = html.Span(told, className="strong") if row.kind in ("group", "all") else told
    return [called, reader.number(row.at_hour.mean, 1), *_spread(row.at_hour, view, reader)]


def _spread(of: Likely, view: ByUnitView, reader: Reader) -> list[Content]:
    if view.form == "words":
        low, high = (reader.number(of.quantiles[level]) for level in (0.1, 0.9))
        return [reader.say("{low} to {high}", low=low, high=high)]
    return [reader.number(of.quantiles[level], 1) for level in QUANTILES]
