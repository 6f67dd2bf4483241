"""How good the forecasts are, for who wants to know exactly: words first, then charts, then every figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard import trust_charts
from dashboard.data_ways import data_ways
from dashboard.parts import Content, absent, column_head, heading, row_head
from dashboard.report.serving import ADDRESS, COMMAND, how_to_make, what_it_shows
from dashboard.rival_words import kinds, lead, measure_name, rival_name
from dashboard.terms import label
from dashboard.trust_words import better_said, bias_said, covered_said, made_said
from dashboard.words import UNKNOWN, Reader
from forecast.trust_view import Ends, Judged, LeadTrust, MeasureTrust, TrustView

NARROW_LEADS_MIN = (60, 240, 720, 1440)
"""Leads of the tables on a telephone."""

Cell = Callable[[LeadTrust], Content]


def panel(view: TrustView, reader: Reader) -> Component:
    """What it rests on and where more is told; then measure by measure four questions and a table."""
    top = html.Div([_rests_on(view, reader), _report(view, reader)], className="trust-top")
    found = view.judged
    if found is None:
        return html.Section([top, html.Div(absent(_to_come(view, reader)), className="card")], className="trust-all")
    return html.Section([top, *(_measure(one, view, reader) for one in found.measures)], className="trust-all")


def _to_come(view: TrustView, reader: Reader) -> str:
    if view.measured_days is None:
        return reader.say("being measured: no forecast has met its hour yet")
    done, days = view.measured_days
    return reader.say("being measured, {done} of {days} days", done=str(done), days=str(days))


def _rests_on(view: TrustView, reader: Reader) -> Component:
    said = [*([_judged(view.judged, reader)] if view.judged else []), _learned(view, reader)]
    if view.measured_days is not None and view.judged is not None:
        said.append(_to_come(view, reader))
    told = [html.P(text, className="source-said") for text in said]
    return html.Div([heading(reader.say("What is this known from?")), *told], className="card")


def _judged(found: Judged, reader: Reader) -> str:
    about = {
        "n": reader.number(found.n_issues), "days": reader.number(found.days),
        "first": reader.moment(found.first_at), "last": reader.moment(found.last_at),
    }  # fmt: skip
    if found.replayed:
        return reader.say(
            "From {n} forecasts of {days} days, from {first} to {last}, made again from what was known then: no "
            "published forecast is old enough to be judged, or too few are.", **about,
        )  # fmt: skip
    return reader.say(
        "From {n} forecasts of {days} days, from {first} to {last}, as they were published. Each is judged a week "
        "later, when all is recorded.", **about,
    )  # fmt: skip


def _learned(view: TrustView, reader: Reader) -> str:
    if view.learned_at is None or not view.learned_days:
        return reader.say("Nothing corrects the simulation yet: it is published as it is.")
    return reader.say(
        "Corrections and weights were learned on {moment} from {days} days of forecasts; they are learned anew every "
        "night.", moment=reader.moment(view.learned_at), days=reader.number(view.learned_days),
    )  # fmt: skip


def _report(view: TrustView, reader: Reader) -> Component:
    """The report of the last back-test, or how to have one."""
    question = reader.say("What did the last back-test say?")
    deeper = reader.say("All figures, and a back-test from the page")
    more = html.P(html.A(deeper, href=f"/validation?lang={reader.language}"))
    if view.report_at is None:
        how = html.P([how_to_make(reader), " ", html.Code(COMMAND)])
        return html.Div([heading(question), how, more, html.P(what_it_shows(reader))], className="card trust-report")
    words = reader.say("Open the report of {moment}", moment=reader.moment(view.report_at))
    link = html.A(words, href=f"{ADDRESS}?lang={reader.language}", className="way")
    return html.Div(
        [heading(question), html.P(link), more, html.P(what_it_shows(reader))], className="card trust-report"
    )


# --- one measure ------------------------------------------------------------------------------------------------------


def _measure(found: MeasureTrust, view: TrustView, reader: Reader) -> Component:
    shares = view.shares.get(found.measure, {})
    questions = [
        (reader.say("Better than what usually happens?"), better_said(found, reader),
         [_legend(found, reader), trust_charts.skill(found, reader)], "skill"),
        (reader.say("Do 8 in 10 fall within the 80% interval?"), covered_said(found, reader),
         [trust_charts.covered(found, reader)], "covered"),
        (reader.say("Too high or too low?"), bias_said(found, reader), [trust_charts.bias(found, reader)], "bias"),
        (reader.say("What is it made of?"), made_said(found, shares, reader),
         [trust_charts.shares(found, shares, reader)], "shares"),
    ]  # fmt: skip
    asked = [
        html.Div(
            [
                html.H3(question),
                *(html.P(text) for text in said),
                *drawn,
                data_ways("trust", name, reader, part=found.measure),
            ],
            className="trust-question",
        )
        for question, said, drawn, name in questions
    ]
    parts = [heading(measure_name(found.measure, reader)), html.Div(asked, className="trust-questions")]
    return html.Div([*parts, _table(found, shares, reader)], className="card trust-measure")


def _legend(found: MeasureTrust, reader: Reader) -> Component:
    """What the colours of the rules are."""
    items = [
        html.Span([html.I(className=f"swatch hue-{kind}"), label("rivals", rival_name(name, reader), reader)])
        for name, kind in kinds(found.rivals).items()
    ]
    return html.Div(items, className="key")


def _table(found: MeasureTrust, now: Mapping[int, float], reader: Reader) -> Component:
    """Every figure by lead."""
    leads = [at for at in found.leads if not reader.narrow or at.lead_min in NARROW_LEADS_MIN]

    def word(term: str, text: str) -> Content:
        return label(term, text, reader)

    rows: list[tuple[Content, Cell]] = [
        (reader.say("forecasts that met their truth"), lambda at: reader.number(at.n)),
        (word("crps", reader.say("crps of what is published")), lambda at: _strong(reader.number(at.crps, 2))),
        (word("crps", reader.say("crps of the simulation, as it was")), lambda at: reader.number(at.raw_crps, 2)),
        *[(word("crps", reader.say("crps of “{rival}”", rival=rival_name(name, reader))), _crps_of(name, reader))
          for name in kinds(found.rivals)],
        *[(word("gain", reader.say("error saved against “{rival}”", rival=rival_name(name, reader))),
           _gain_over(name, reader)) for name in kinds(found.rivals)],
        (word("bias", reader.say("mean error, with its interval")),
         lambda at: _figure(at.bias, at.bias_ci95, lambda v: reader.signed(v, 1))),
        (word("coverage", reader.say("inside the 80% interval, with its band")),
         lambda at: _figure(at.covered_80, _share_ends(at.covered_band), reader.percent)),
        (word("share", reader.say("share of the simulation when it was published")),
         lambda at: _known(at.share, reader.percent)),
        (word("share", reader.say("share of the simulation now")),
         lambda at: reader.percent(now.get(at.lead_min, 1.0))),
    ]  # fmt: skip
    head = [column_head(""), *(column_head(lead(at.lead_min, reader), is_figure=True) for at in leads)]
    body = [
        dmc.TableTr([row_head(name), *(dmc.TableTd(c(at), className="figure") for at in leads)]) for name, c in rows
    ]
    note = reader.say(
        "crps: how far the whole forecast lay from what came, in patients; less is better. Intervals hold 95 times in "
        "100, whole days drawn anew; the bands of all hours ahead hold together."
    )
    table = dmc.Table([dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(body)], className="table trust-figures")
    figures = [table, html.P(note, className="small")]
    return html.Details([html.Summary(reader.say("All figures")), *figures]) if reader.narrow else html.Div(figures)


def _crps_of(name: str, reader: Reader) -> Cell:
    return lambda at: _known(at.rival_crps.get(name, float("nan")), lambda v: reader.number(v, 2))


def _gain_over(name: str, reader: Reader) -> Cell:
    nothing = (float("nan"), float("nan"))
    return lambda at: _figure(at.skill.get(name, float("nan")), at.skill_ci95.get(name, nothing), reader.percent)


def _share_ends(ends: Ends) -> Ends:
    """A band of shares, kept between none and all."""
    return max(ends[0], 0.0), min(ends[1], 1.0)


def _known(value: float, words: Callable[[float], str]) -> str:
    return words(value) if isfinite(value) else UNKNOWN


def _figure(value: float, ends: Sequence[float], words: Callable[[float], str]) -> Content:
    """A figure with its interval below it."""
    if not isfinite(value) or not all(map(isfinite, ends)):
        return _known(value, words)
    return [_strong(words(value)), html.Span(f"{words(ends[0])} .. {words(ends[1])}", className="interval")]


def _strong(text: str) -> Component:
    return html.Span(text, className="strong")
