"""The answer of what-if: one sentence, how sure it is, and what changes when, measure by measure."""

from __future__ import annotations

from collections.abc import Sequence

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.data_ways import data_here
from dashboard.parts import Content, absent, column_head, heading, marked, row_head
from dashboard.terms import label
from dashboard.whatif_charts import both_data
from dashboard.whatif_words import GOOD_WHEN_MORE, Effect, effects, measure_name, sentence
from dashboard.words import UNKNOWN, Reader
from forecast.whatif_view import FREE, AnswerView, StandingView, WhatIfView

TABLE_LEADS_MIN = (60, 120, 240, 480, 720, 1440)
NARROW_LEADS_MIN = (120, 480, 1440)
ROWS = ("ed_census", "ed_waiting", "ed_boarders", "ed_departures", FREE)
SETTLED = 0.5
"""The mean difference is told well enough once it is known to half a patient."""


def panel(view: WhatIfView, reader: Reader) -> Component:
    """What stands above the sliders: what is asked here, and how far to trust it."""
    said = reader.say(
        "Move a slider or pick a scenario: the same patients with the same luck are run again, and what would change "
        "is shown. It is one answer among several, and never a decision."
    )
    trust = html.A(reader.say("How far to trust it"), href=f"/trust?lang={reader.language}", className="way")
    return html.Section(html.Div([html.P(said), trust], className="card whatif-intro"), className="whatif-head")


def told(standing: StandingView, measure: str, reader: Reader) -> Component:
    """The answer so far; or why there is none yet, or never will be."""
    if standing.answer is not None:
        return _answer(standing.answer, measure, reader)
    why = reader.choice(standing.fault_fr, standing.fault_en)
    if standing.state == "refused":
        return html.Div(marked("warn", why), className="whatif-answer refused", role="alert")
    return html.Div(_waiting(standing, why, reader), className="whatif-answer", role="status")


def _waiting(standing: StandingView, why: str, reader: Reader) -> Component:
    if standing.state == "failed":
        return marked("bad", reader.say("This cannot be answered: {why}", why=why))
    texts = {
        "waking": reader.say("The twin is waking up: the first forecast is being made."),
        "rebuilding": reader.say(
            "This moment is being rebuilt from what was known then: some seconds, a minute at most."
        ),
        "full": reader.say(
            "Too many people are asking at this moment: yours is taken as soon as one of theirs is done."
        ),
    }
    return marked("news", texts.get(standing.state, reader.say("Being run …")))


def _answer(answer: AnswerView, measure: str, reader: Reader) -> Component:
    said = reader.choice(answer.sentence_fr, answer.sentence_en)
    asked = html.P(said, className="whatif-asked")
    if answer.why_en is not None:
        why = reader.say("not applicable: {why}", why=reader.choice(answer.why_fr, answer.why_en))
        return html.Div([asked, marked("warn", why)], className="whatif-answer", role="status")
    told = html.P(sentence(answer, measure, reader), className="whatif-sentence")
    parts = [asked, told, _how_sure(answer, measure, reader)]
    figures = both_data(answer, measure)
    if answer.is_whole and figures.points:
        parts.append(data_here("whatif", measure, figures, answer.as_of, reader))
    return html.Div(parts, className="whatif-answer", role="status")


def _how_sure(answer: AnswerView, measure: str, reader: Reader) -> Component:
    """From how many members; whether more are still coming; how well the mean is known."""
    count = reader.say("{n} of {of} runs", n=reader.number(answer.members), of=reader.number(answer.of))
    state = reader.say("whole") if answer.is_whole else reader.say("still tightening")
    found, parts = answer.measures.get(measure), [f"{count}, {state}"]
    if found is not None and (known := found.error[found.error == found.error]).size:
        parts.append(reader.say("the mean is known to ±{error}", error=reader.number(float(known.max()), 1)))
    of = reader.say("from {moment}", moment=reader.moment(answer.as_of))
    bar = html.Div(html.I(style={"width": f"{100 * answer.members / answer.of:.0f}%"}), className="whatif-bar")
    return html.Div(
        [bar, html.Span(" · ".join([of, *parts]))], className=f"whatif-sure {'' if answer.is_whole else 'on'}"
    )


# --- the table --------------------------------------------------------------------------------------------------------


def table(answer: AnswerView | None, reader: Reader) -> Component:
    """The difference in each measure at each lead: mean, 80 % interval, how often it goes that way."""
    question = reader.say("What would change, and when?")
    if answer is None or answer.why_en is not None:
        return html.Div(
            [heading(question), absent(reader.say("There is no answer yet."))], className="card whatif-table"
        )
    leads = [m for m in (NARROW_LEADS_MIN if reader.narrow else TABLE_LEADS_MIN) if m <= answer.lead_min[-1]]
    head = [column_head(""), *(column_head(reader.lead(lead), is_figure=True) for lead in leads)]
    rows = [_row(answer, measure, leads, reader) for measure in ROWS if measure in answer.measures]
    note = reader.say(
        "The difference that it makes, run by run: the mean, from where to where 8 in 10 lie, and in how many of 100 "
        "runs it goes that way."
    )
    body = dmc.Table([dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(rows)], className="table whatif-effects")
    return html.Div([heading(question), body, html.P(note, className="small")], className="card whatif-table")


def _row(answer: AnswerView, measure: str, leads: Sequence[int], reader: Reader) -> Component:
    cells = [
        dmc.TableTd(_cell(effect, measure, reader), className="figure")
        for effect in effects(answer.measures[measure], answer.lead_min, leads)
    ]
    name = label("difference", measure_name(measure, reader), reader)
    return dmc.TableTr([row_head(name), *cells])


def _cell(effect: Effect, measure: str, reader: Reader) -> Content:
    if not effect.is_known:
        return UNKNOWN
    if effect.is_nothing:
        return html.Div("0", className="effect unsure")
    tone, shape = judged(effect, measure)
    mean = html.Span([html.Span(shape, className="mark"), reader.signed(effect.mean, 1)], className="strong")
    ends = reader.say("{low} to {high}", low=reader.signed(effect.low), high=reader.signed(effect.high))
    share = reader.percent(effect.p_less if effect.mean < 0 else effect.p_more)
    return html.Div([mean, html.Span(ends, className="interval"), html.Span(share, className="interval")],
                    className=f"effect {tone}")  # fmt: skip


def judged(effect: Effect, measure: str) -> tuple[str, str]:
    """Better, worse or neither, by its rounded interval; with the shape of the direction."""
    if round(effect.high) < 0:
        return ("bad" if measure in GOOD_WHEN_MORE else "good"), "\N{BLACK DOWN-POINTING TRIANGLE}"
    if round(effect.low) > 0:
        return ("good" if measure in GOOD_WHEN_MORE else "bad"), "\N{BLACK UP-POINTING TRIANGLE}"
    return "unsure", ""
