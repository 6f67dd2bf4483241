"""What support services will need and when something runs out, service by service, in their own units."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard import supply_charts
from dashboard.data_ways import data_ways
from dashboard.parts import Content, absent, card, heading, marked, table
from dashboard.supply_words import (
    delivery_said,
    known_from,
    lasts_said,
    learned_said,
    range_said,
    risk_said,
    serving_said,
    soon,
    supply_kind,
    unit_said,
)
from dashboard.words import UNKNOWN, Reader
from forecast.supplies_view import Effect, ItemView, ServiceView, SuppliesView

COMMAND = "edtwin ingest stock.csv --format places --mapping places"


def panel(view: SuppliesView, reader: Reader) -> Component:
    """What runs out first and how to feed counts in; then a part for each service."""
    if view.fault is not None:
        wrong = reader.say("What the forecast means for supplies could not be worked out ({fault}).", fault=view.fault)
        return html.Section(html.Div(marked("bad", wrong), className="card"), className="supplies")
    if view.as_of is None:
        return html.Section(
            html.Div(absent(reader.say("No forecast yet: supplies are worked out from it.")), className="card"),
            className="supplies",
        )
    parts = [_service(service, view, reader) for service in view.services]
    return html.Section([_head(view, reader), *parts], className="supplies")


def _head(view: SuppliesView, reader: Reader) -> Component:
    lacking = view.first_out
    if lacking:
        rows = [html.Li(_first(item, view, reader)) for item in lacking[:6]]
        first: Component = html.Ul(rows, className="supplies-first")
    else:
        first = html.P(marked("good", reader.say("No item is likely to lack in the hours to come.")))
    stocks = [item.counted_at is not None for item in view.items if item.kind == "stock"]
    told = reader.say(
        "{n} of {of} stocks are counted. To feed counts and deliveries in:", n=reader.number(sum(stocks)),
        of=reader.number(len(stocks)),
    )  # fmt: skip
    how = html.P([told, " ", html.Code(COMMAND)], className="source-said")
    of = reader.say("From the forecast of {moment}.", moment=reader.moment(view.as_of or view.made_at))
    ways = [html.A(reader.choice(s.fr, s.en), href=f"#{s.name}") for s in view.services]
    return html.Div(
        [
            heading(reader.say("What runs out first?")), first, how,
            html.P(of, className="source-said"), html.Nav(ways, className="supplies-ways"),
        ],
        className="card supplies-head",
    )  # fmt: skip


def _first(item: ItemView, view: SuppliesView, reader: Reader) -> Component:
    tone, words = risk_said(item, view, reader)
    name = html.A(reader.choice(item.fr, item.en), href=f"#{item.name}", className="strong")
    return html.Span([name, " ", marked(tone, words)])


def _service(service: ServiceView, view: SuppliesView, reader: Reader) -> Component:
    items = [_item(item, view, reader) for item in service.items]
    title = html.H2(reader.choice(service.fr, service.en), className="supplies-title")
    return html.Section([title, html.Div(items, className="supplies-items")], id=service.name)


def _item(item: ItemView, view: SuppliesView, reader: Reader) -> Component:
    tone, risk = risk_said(item, view, reader)
    place = reader.choice(item.place_fr, item.place_en)
    content: list[Content] = [html.P(marked(tone, risk), className="supplies-risk")]
    if item.kind == "meals":
        content.append(_servings(item, view, reader))
    else:
        content += [_facts(item, view, reader), supply_charts.stock(item, view, reader)]
        content.append(data_ways("supplies", "stock", reader, part=item.name))
    if item.kind in ("stock", "device"):
        content.append(html.P(known_from(item, view, reader), className="small"))
    if item.kind == "stock":
        content.append(html.P(learned_said(item, reader), className="small"))
    content += _effects(item, view, reader)
    title = reader.choice(item.fr, item.en)
    return html.Div(card("supply-item", title, *content, basis=place or None), id=item.name, className="supply-place")


def _facts(item: ItemView, view: SuppliesView, reader: Reader) -> Component:
    unit, as_of = unit_said(item, reader), view.as_of or view.made_at
    said = []
    if item.kind in ("stock", "device"):
        said.append(supply_kind(item, reader))
    need = range_said(item.need_next, reader)
    said.append(
        reader.say("in use at most in the next 4 h: {range} {unit}", range=need, unit=unit) if item.kind == "device"
        else reader.say("needed in the next 4 h: {range} {unit}", range=need, unit=unit)
    )  # fmt: skip
    if item.kind == "stock":
        said.append(reader.say("at this pace, {lasts}", lasts=lasts_said(item, view, reader)))
        following = next((at for at in item.deliveries), None)
        if following is not None:
            said.append(delivery_said(item, soon(following, as_of, reader), reader))
    return html.Ul([html.Li(text) for text in said], className="supplies-facts")


def _servings(item: ItemView, view: SuppliesView, reader: Reader) -> Component:
    head = [reader.say("serving"), reader.say("ordered"), reader.say("needed"), reader.say("too few")]
    rows = [list(serving_said(one, view, reader)) for one in item.ahead.servings]
    return table(head, rows, "supplies-servings")


def _effects(item: ItemView, view: SuppliesView, reader: Reader) -> list[Component]:
    if not item.effects:
        return []
    head = [reader.say("if .."), reader.say("more needed"), reader.say("short")]
    if item.kind == "stock":
        head.append(reader.say("lasts until"))
    rows = [_effect(one, item, view, reader) for one in item.effects]
    summary = html.Summary(reader.say("What scenarios would change"))
    return [html.Details([summary, table(head, rows, "supplies-effects")])]


def _effect(one: Effect, item: ItemView, view: SuppliesView, reader: Reader) -> list[Content]:
    cells: list[Content] = [
        reader.choice(one.fr, one.en), range_said(one.need_more, reader, signed=True), reader.percent(one.p_short),
    ]  # fmt: skip
    if item.kind == "stock":
        middle = one.lasts_until[1]
        cells.append(soon(middle, view.as_of or view.made_at, reader) if middle else UNKNOWN)
    return [dmc.Text(cell, span=True) if isinstance(cell, str) else cell for cell in cells]
