"""The report's charts: each answers one question."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import numpy as np

from dashboard.report.plots import LETTER, WIDTH, Chart, picture, span
from dashboard.rival_words import kinds, lead
from dashboard.svg import rect, text_at
from dashboard.words import Reader
from forecast.dayblocks import Band
from forecast.exceedance import Exceedance
from forecast.report import AtLead, HoursOfWeek, WorstDay
from forecast.values import Array
from ingest.clock import local

NARROW = 330.0
"""Width of a chart of which three stand side by side."""
_MOSTLY = 0.9
_HEAT = 9
"""Colours of a heat map: 0 lowest, 8 highest, 4 in the middle."""


def skill(leads: Sequence[AtLead], rivals: Sequence[str], reader: Reader) -> str:
    """The gain over each rival by lead, with its interval; above 0 the forecast was better."""
    shown = {name: kind for name, kind in kinds(rivals).items() if any(name in at.scores.skill for at in leads)}
    ends = [end for at in leads for name in shown for end in (*at.scores.skill_ci95[name], at.scores.skill[name])]
    low, high = span([max(end, -1.0) for end in ends], least=0.0)
    chart = Chart((-0.5, len(leads) - 0.5), (min(low, -0.05), high))
    chart.y_axis(reader.percent, reader.say("error saved"))
    _lead_axis(chart, leads, reader)
    chart.level(0.0, "zero")
    for number, (name, kind) in enumerate(shown.items()):
        shift = (number - (len(shown) - 1) / 2) * min(9.0, 0.85 * WIDTH / (len(leads) + 1) / len(shown))
        for place, at in enumerate(leads):
            chart.whisker(float(place), at.scores.skill[name], *at.scores.skill_ci95[name], kind, shift)
    return chart.svg(reader.say("Error saved against each simple forecast, by hours ahead"))


def covered(found: Band, words: Sequence[str], title: str, reader: Reader) -> str:
    """The share inside the 80 % interval by group, with the band that holds all at once; right where it holds 80 %."""
    values = [*found.low.tolist(), *found.high.tolist(), *found.mean.tolist(), 0.7, 0.9]
    low, high = span(values)
    chart = Chart((-0.5, len(words) - 0.5), (max(low, 0.0), min(high, 1.0)), height=230.0)
    chart.y_axis(reader.percent, reader.say("truths inside"))
    chart.x_axis(range(len(words)), words, title)
    chart.level(0.8, "aim")
    for place in range(len(words)):
        ends = float(found.low[place]), float(found.high[place])
        fits = isnan(ends[0]) or ends[0] <= 0.8 <= ends[1]
        chart.whisker(float(place), float(found.mean[place]), *ends, "fits" if fits else "off")
    return chart.svg(reader.say("Share of what came that lay inside the 80% interval"))


def ranks(found: Band, reader: Reader) -> str:
    """Where the truth lay in the forecast, in tenths; flat where forecasts are right."""
    high = span([*found.mean.tolist(), *found.high.tolist(), 0.16], least=0.0)[1]
    chart = Chart((0.0, 1.0), (0.0, high), height=230.0)
    chart.y_axis(reader.percent, reader.say("share of truths"))
    tenths = [0.0, 0.25, 0.5, 0.75, 1.0]
    chart.x_axis(tenths, [reader.percent(t) for t in tenths], reader.say("place of the truth in the forecast"))
    for number, share in enumerate(found.mean):
        chart.bar(number / 10 + 0.006, (number + 1) / 10 - 0.006, float(share), "hist")
        ends = float(found.low[number]), float(found.high[number])
        chart.whisker((number + 0.5) / 10, float(share), *ends, "hist-end")
    chart.level(0.1, "aim")
    return chart.svg(reader.say("How often the truth lay in each tenth of the forecast"))


def reliability(found: Exceedance, reader: Reader) -> str:
    """What forecasts said of a threshold beside how often it came; right on the diagonal."""
    chart = Chart((0.0, 1.0), (0.0, 1.0), height=250.0)
    chart.y_axis(reader.percent, reader.say("how often it came"))
    tenths = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    chart.x_axis(tenths, [reader.percent(t) for t in tenths], reader.say("what the forecast said"))
    chart.line([0.0, 1.0], [0.0, 1.0], "aim")
    chart.line([s.p for s in found.said], [s.share for s in found.said], "ours")
    for said in found.said:
        chart.whisker(said.p, said.share, *said.share_ci95, "ours")
    return chart.svg(reader.say("Forecast probability beside how often it came"))


def possible(leads: Sequence[AtLead], reader: Reader) -> str:
    """The mean error by lead beside that of the usual hour and what cannot be undercut."""
    usual = [at.scores.rival_mae.get("climatology", float("nan")) for at in leads]
    ours = [at.scores.mae for at in leads]
    floor = [at.floor_mae if at.floor_mae is not None else float("nan") for at in leads]
    chart = Chart((-0.5, len(leads) - 0.5), span([*usual, *ours, *floor], least=0.0), height=230.0)
    chart.y_axis(lambda value: reader.number(value, 1), reader.say("mean error, patients"))
    _lead_axis(chart, leads, reader)
    places = list(map(float, range(len(leads))))
    chart.area(places, [0.0] * len(leads), floor, "floor")
    for values, kind in ((usual, "rival-1"), (ours, "ours")):
        chart.line(places, values, kind)
        for place, value in enumerate(values):
            chart.whisker(float(place), value, float("nan"), float("nan"), kind)
    return chart.svg(reader.say("Mean error by hours ahead, the usual hour's, and what chance alone leaves"))


def week(found: HoursOfWeek, days: Sequence[str], reader: Reader) -> str:
    """The mean error by local hour of the week as colours, with the strongest written beside."""
    grid = _by_hours(found.error)
    wide = 24 // grid.shape[1]
    most = max(float(np.nanmax(np.abs(grid))), 1e-9) if np.isfinite(grid).any() else 1.0
    left, cell, top = 42.0, (WIDTH - 54.0) / 24, 6.0
    pieces = []
    for row in range(7):
        pieces.append(text_at(left - 6, top + row * 20 + 14, days[row], "tick", LETTER, "end"))
        for place, value in enumerate(grid[row].tolist()):
            kind = "heat-none" if isnan(value) else f"heat-{round((value / most + 1) / 2 * (_HEAT - 1))}"
            pieces.append(rect(left + place * wide * cell, top + row * 20, wide * cell - 1, 19, kind, 2))
    pieces += [
        text_at(left + hour * cell + 4, top + 155, str(hour), "tick", LETTER, "middle") for hour in range(0, 24, 4)
    ]
    pieces.append(text_at(WIDTH / 2, top + 172, reader.say("hour of the day"), "axis", LETTER, "middle"))
    pieces += [rect(WIDTH / 2 - 90 + k * 20, top + 186, 20, 10, f"heat-{k}", 0) for k in range(_HEAT)]
    low = reader.say("too low {value}", value=reader.signed(-most, 1))
    high = reader.say("too high {value}", value=reader.signed(most, 1))
    pieces.append(text_at(WIDTH / 2 - 96, top + 196, low, "tick", LETTER, "end"))
    pieces.append(text_at(WIDTH / 2 + 96, top + 196, high, "tick", LETTER, "start"))
    return picture(WIDTH, top + 206, pieces, reader.say("Mean error by hour of the week"))


def _by_hours(error: Array) -> Array:
    """Day by hours of the day, `(7, ..)`: as many hours together as lie between two forecasts."""
    days = error.reshape(7, 24)
    for together in (1, 2, 3, 4, 6, 8, 12):
        parts = days.reshape(7, -1, together)
        known = ~np.isnan(parts)
        if known.any(axis=2).mean() > _MOSTLY:
            break
    count = known.sum(axis=2)
    return np.where(count > 0, np.nansum(parts, axis=2) / np.maximum(count, 1), np.nan)


def worst(found: WorstDay, reader: Reader, of: str | None = None) -> str:
    """What came on a day, over what had been forecast for each hour; `of` is what is counted, else those present."""
    bands = {level: values.tolist() for level, values in found.quantiles.items()}
    every = [value for values in bands.values() for value in values] + found.observed.tolist()
    hours = _hours(found, reader.zone)
    ends = (min(hours), max(hours)) if len(hours) > 1 else (0.0, 24.0)
    chart = Chart(ends, span(every), width=NARROW)
    chart.y_axis(lambda value: reader.number(value), of or reader.say("patients present"))
    marks = [h for h in range(0, 25, 4) if chart.x[0] <= h <= chart.x[1]]
    chart.x_axis(marks, [str(h) for h in marks], reader.say("hour of the day"))
    for low, high, kind in ((0.1, 0.9, "band-80"), (0.25, 0.75, "band-50")):
        if low in bands and high in bands:
            chart.area(hours, bands[low], bands[high], kind)
    if 0.5 in bands:
        chart.line(hours, bands[0.5], "ours")
    chart.line(hours, found.observed.tolist(), "came")
    return chart.svg(reader.say("What came, over what had been forecast"))


def _hours(found: WorstDay, zone: str) -> list[float]:
    """Hours since the day's local midnight."""
    first = local(found.at[0], zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    return [(at - midnight).total_seconds() / 3600.0 for at in found.at]


def _lead_axis(chart: Chart, leads: Sequence[AtLead], reader: Reader) -> None:
    words = [lead(at.lead_min, reader) for at in leads]
    chart.x_axis(range(len(leads)), words, reader.say("hours ahead"))
