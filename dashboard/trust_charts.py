"""The charts of the page of trust, each of one question, carried as pictures in the page's theme."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from dashboard.report.plots import Chart, span
from dashboard.rival_words import kinds, lead
from dashboard.theme import FONT, Theme, colours
from dashboard.tidy import Point, Tidy, interval, line
from dashboard.words import Reader
from forecast.trust_view import Ends, LeadTrust, MeasureTrust
from forecast.units import unit_of

BROAD = 340.0
"""How broad a chart is, in its own letters, so that they are nearly as large as the page's."""
AIM, SHARE = 0.8, "share"
LOWEST = -1.0
"""A gain below it is drawn on the foot of the chart."""
RIVAL_HUES = ("usual", "pool-2", "pool-5", "pool-6", "pool-beds", "pool-3", "pool-4", "muted", "rule-9", "rule-10")
"""The colours of rivals, in the order of the legend."""


def skill(found: MeasureTrust, reader: Reader) -> Component:
    """The gain over each simple rule by lead, with its interval; above 0 the forecast was better."""
    shown = kinds(found.rivals)
    gains = [[_gain(at, name) for name in shown] for at in found.leads]
    low, high = span([max(end, LOWEST) for at in gains for gain in at for end in gain], least=0.0)
    chart = _chart(found.leads, (min(low, -0.05), high), reader)
    chart.y_axis(reader.percent, reader.say("error saved"))
    chart.level(0.0, "zero")
    apart = min(9.0, 0.85 * BROAD / (len(found.leads) + 1) / max(len(shown), 1))
    for place, at in enumerate(gains):
        for number, (kind, gain) in enumerate(zip(shown.values(), at, strict=True)):
            chart.whisker(float(place), *gain, kind, (number - (len(shown) - 1) / 2) * apart)
    return _done(chart, reader.say("Error saved against each simple forecast, by hours ahead"), reader)


def skill_data(found: MeasureTrust) -> Tidy:
    """The figures of `skill`: a series a rule."""
    rows = (
        interval(name, _leads(found), [_gain(at, name) for at in found.leads], SHARE) for name in kinds(found.rivals)
    )
    return Tidy("lead_min", tuple(point for row in rows for point in row))


def covered(found: MeasureTrust, reader: Reader) -> Component:
    """The share within the 80 % interval by lead, with its band; right where that holds 80 %."""
    low, high = span([0.7, 0.9, *(value for at in found.leads for value in (at.covered_80, *at.covered_band))])
    chart = _chart(found.leads, (max(low, 0.0), min(high, 1.0)), reader)
    chart.y_axis(reader.percent, reader.say("truths inside"))
    chart.level(AIM, "aim")
    for place, at in enumerate(found.leads):
        chart.whisker(float(place), at.covered_80, *at.covered_band, _judged(AIM, at.covered_band))
    return _done(chart, reader.say("Share of what came that lay inside the 80% interval"), reader)


def covered_data(found: MeasureTrust) -> Tidy:
    """The figures of `covered`."""
    rows = interval("inside_80", _leads(found), [(at.covered_80, *at.covered_band) for at in found.leads], SHARE)
    return Tidy("lead_min", (*rows, Point(None, "aim", AIM, SHARE)))


def bias(found: MeasureTrust, reader: Reader) -> Component:
    """How much too high on average by lead, with its interval; right where it holds zero."""
    chart = _chart(found.leads, span([-0.5, 0.5, *(v for at in found.leads for v in (at.bias, *at.bias_ci95))]), reader)
    chart.y_axis(lambda value: reader.signed(value, 1), reader.say("too high, patients"))
    chart.level(0.0, "aim")
    for place, at in enumerate(found.leads):
        chart.whisker(float(place), at.bias, *at.bias_ci95, _judged(0.0, at.bias_ci95))
    return _done(chart, reader.say("How much too high the forecasts were on average, by hours ahead"), reader)


def bias_data(found: MeasureTrust) -> Tidy:
    """The figures of `bias`."""
    rows = interval("bias", _leads(found), [(at.bias, *at.bias_ci95) for at in found.leads], unit_of(found.measure))
    return Tidy("lead_min", tuple(rows))


def shares(found: MeasureTrust, now: Mapping[int, float], reader: Reader) -> Component:
    """The simulation's share in what is published now, by lead."""
    chart = _chart(found.leads, (0.0, 1.0), reader)
    chart.y_axis(reader.percent, reader.say("share of the simulation"))
    for place, at in enumerate(found.leads):
        chart.bar(place - 0.3, place + 0.3, now.get(at.lead_min, 1.0), "hist")
    chart.level(0.5, "zero")
    return _done(chart, reader.say("Share of the simulation in what is published, by hours ahead"), reader)


def shares_data(found: MeasureTrust, now: Mapping[int, float]) -> Tidy:
    """The figures of `shares`."""
    told = [now.get(at.lead_min, 1.0) for at in found.leads]
    return Tidy("lead_min", tuple(line("simulation", _leads(found), told, SHARE)))


def _gain(at: LeadTrust, rival: str) -> tuple[float, float, float]:
    nothing = (float("nan"), float("nan"))
    return at.skill.get(rival, float("nan")), *at.skill_ci95.get(rival, nothing)


def _leads(found: MeasureTrust) -> list[float]:
    return [float(at.lead_min) for at in found.leads]


def _judged(aim: float, ends: Ends) -> str:
    """Whether an interval holds what it should; one that is not known takes nothing away."""
    return "off" if ends[0] > aim or ends[1] < aim else "fits"


def _chart(leads: Sequence[LeadTrust], y: tuple[float, float], reader: Reader) -> Chart:
    chart = Chart((-0.5, len(leads) - 0.5), y, height=230.0, width=BROAD)
    words = [lead(at.lead_min, reader) for at in leads]
    chart.x_axis(range(len(leads)), words, reader.say("hours ahead"))
    return chart


def _done(chart: Chart, words: str, reader: Reader) -> Component:
    return carried(chart.svg(words), words, style(reader.theme), "trust-chart")


def carried(svg: str, words: str, styled: str, name: str) -> Component:
    """A picture in the page, which its stylesheet does not reach, with its own; `words` is what it shows."""
    whole = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(
        "</title>", f"</title>{styled}", 1
    )
    uri = f"data:image/svg+xml;base64,{b64encode(whole.encode()).decode()}"
    return html.Img(src=uri, alt=words, className=name)


def style(theme: Theme) -> str:
    """The colours of the charts by the classes of their pieces."""
    c = colours(theme)
    rules = [
        f"text{{font-family:{FONT}}}",
        f".grid{{stroke:{c['line']}}}.zero{{stroke:{c['text']};stroke-width:1.4}}",
        f".aim{{stroke:{c['good']};stroke-width:1.6;stroke-dasharray:6 4}}",
        f".tick{{fill:{c['text']}}}.axis{{fill:{c['muted']}}}.hist{{fill:{c['fill']}}}",
        ".whisker{fill:none;stroke-width:2}",
        *(f".{kind}.whisker{{stroke:{hue}}}.{kind}.dot{{fill:{hue}}}" for kind, hue in _hues(c).items()),
    ]
    return f"<style>{''.join(rules)}</style>"


def _hues(c: Mapping[str, str]) -> dict[str, str]:
    rivals = {f"rival-{number}": c[name] for number, name in enumerate(RIVAL_HUES, start=1)}
    return {"fits": c["good"], "off": c["bad"], "ours": c["forecast"], **rivals}
