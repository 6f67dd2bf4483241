"""Stocks against time: the line that is likely, the bands around it, and the deliveries."""

from __future__ import annotations

from datetime import datetime, timedelta

from dash.development.base_component import Component

from dashboard.figures import ticks
from dashboard.report.plots import Chart
from dashboard.supply_words import unit_said
from dashboard.theme import FONT, Theme, colours
from dashboard.tidy import Point, Tidy, line, quantile_name
from dashboard.trust_charts import carried
from dashboard.words import Reader
from forecast.supplies_view import ItemView, SuppliesView

BROAD, TALL = 340.0, 190.0
_BANDS = ((0.05, 0.95, "band-90"), (0.1, 0.9, "band-80"), (0.25, 0.75, "band-50"))
_EVERY_H = 6


def stock(item: ItemView, view: SuppliesView, reader: Reader) -> Component:
    """What is in stock, free or waiting, hour by hour; dashes are deliveries."""
    hours = [(at - view.valid_at[0]) / timedelta(hours=1) for at in view.valid_at]
    top = max(max(item.ahead.stock[0.95]), float(item.full if item.kind == "device" else 0), 1.0)
    chart = Chart((hours[0], hours[-1]), (0.0, top * 1.1), height=TALL, width=BROAD)
    chart.y_axis(reader.number, unit_said(item, reader))
    now_at = view.valid_at[0]
    hours_at, clocks = ticks(now_at, view.valid_at[-1], reader, every_hours=_EVERY_H, now_at=now_at)
    chart.x_axis(hours_at, clocks, "")
    for low, high, kind in _BANDS:
        chart.area(hours, item.ahead.stock[low], item.ahead.stock[high], kind)
    for at in _deliveries(item, view):
        where = (at - view.valid_at[0]) / timedelta(hours=1)
        chart.line([where, where], [0.0, top * 1.1], "delivery")
    chart.line(hours, item.ahead.stock[0.5], "median")
    words = reader.say("{item}: stock by hour", item=reader.choice(item.fr, item.en))
    return carried(chart.svg(words), words, style(reader.theme), "supply-chart")


def stock_data(item: ItemView, view: SuppliesView) -> Tidy:
    """The figures of `stock`: quantiles, and the times of deliveries, which have no value."""
    levels = sorted({0.5, *(level for low, high, _ in _BANDS for level in (low, high))})
    points = [
        point
        for level in levels
        for point in line(quantile_name(level), view.valid_at, item.ahead.stock[level], item.unit_en)
    ]
    due = [Point(at, "delivery", None, item.unit_en) for at in _deliveries(item, view)]
    return Tidy("time", (*points, *due))


def _deliveries(item: ItemView, view: SuppliesView) -> list[datetime]:
    """Those within the chart."""
    return [at for at in item.deliveries if item.kind == "stock" and view.valid_at[0] <= at <= view.valid_at[-1]]


def style(theme: Theme) -> str:
    """The colours of the charts by the classes of their pieces."""
    c = colours(theme)
    return (
        f"<style>text{{font-family:{FONT}}}.grid{{stroke:{c['line']}}}.tick{{fill:{c['text']}}}.axis{{fill:{c['muted']}}}"
        f".band-90{{fill:{c['forecast']};opacity:.18}}.band-80{{fill:{c['forecast']};opacity:.25}}"
        f".band-50{{fill:{c['forecast']};opacity:.35}}"
        f".median{{fill:none;stroke:{c['forecast']};stroke-width:2.5}}"
        f".delivery{{fill:none;stroke:{c['good']};stroke-width:1.6;stroke-dasharray:6 4}}</style>"
    )
