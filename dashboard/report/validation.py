"""The page of the validation: the charts and tables of the report, of own forecasts or of the last back-test.

A pure function of its view; charts and tables are those of the report (`charts.py`, `tables.py`), on the dark page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.parts import Content, absent, heading, marked, table
from dashboard.report import charts
from dashboard.report.serving import ADDRESS
from dashboard.report.tables import Rows, cells_rows, measure_rows
from dashboard.report.words import day, different
from dashboard.rival_words import kinds, lead, measure_name, rival_name
from dashboard.theme import Theme, colours
from dashboard.trust_charts import carried
from dashboard.trust_charts import style as trust_style
from dashboard.words import UNKNOWN, Reader
from forecast.record import HEADLINES
from forecast.report import MAIN, WorstDay
from forecast.slices import BLOCK_HOURS, BLOCKS
from forecast.validation_view import (
    DAYS,
    EVERY_H,
    MEMBERS,
    SINCE_DAYS,
    Chosen,
    Corrected,
    RunView,
    Source,
    Validated,
    ValidationView,
)


def panel(view: ValidationView, reader: Reader) -> Component:
    """What is looked at; the charts and tables; the model's checks; the back-test."""
    parts = [_chooser(view, reader)]
    if view.found is None:
        parts.append(html.Div(absent(_why_nothing(view, reader)), className="card"))
    else:
        parts += _judged(view, view.found, reader)
    parts += [_checks(view, reader), _backtest(view, reader)]
    return html.Section(parts, className="validation-all")


def _why_nothing(view: ValidationView, reader: Reader) -> str:
    if view.measuring:
        return reader.say("Being worked out; this takes some seconds.")
    if view.fault is not None:
        return reader.say("It could not be computed: {fault}", fault=view.fault)
    if view.source == "own":
        return reader.say(
            "No forecast of this period has met what came: each is judged a week later. A back-test tells sooner."
        )
    return reader.say("No back-test has been made here yet: begin one below.")


# --- what is looked at ----------------------------------------------------------------------------------------------


def _chooser(view: ValidationView, reader: Reader) -> Component:
    sources: list[tuple[Source, int, str]] = [
        *(("own", days, reader.say("Published, last {n} days", n=reader.number(days))) for days in SINCE_DAYS),
        ("backtest", view.chosen.days, reader.say("Last back-test")),
    ]  # fmt: skip
    from_where = [
        _chip(view, words, source=source, days=days,
              on=source == view.source and (source == "backtest" or days == view.chosen.days), reader=reader)
        for source, days, words in sources
    ]  # fmt: skip
    measures = [
        _chip(view, measure_name(m, reader), measure=m, on=m == view.chosen.measure, reader=reader) for m in HEADLINES
    ]
    said = [] if view.found is None else [html.P(_rests_on(view.found, reader))]
    parts = [heading(reader.say("Which forecasts?")), html.Div(from_where, className="chips"),
             html.Div(measures, className="chips"), *said]  # fmt: skip
    return html.Div(parts, className="card")


def _chip(
    view: ValidationView, words: str, *, on: bool, reader: Reader, measure: str | None = None,
    source: Source | None = None, days: int | None = None,
) -> Component:  # fmt: skip
    chosen = Chosen(
        measure or view.chosen.measure, source or view.source, days or view.chosen.days, view.chosen.run
    )  # fmt: skip
    return _link(chosen, words, on, reader)


def _link(chosen: Chosen, words: str, on: bool, reader: Reader) -> Component:
    run = ",".join(map(str, chosen.run))
    href = f"?lang={reader.language}&measure={chosen.measure}&source={chosen.source}&days={chosen.days}&run={run}"
    now: dict[str, Any] = {"aria-current": "true"} if on else {}
    return html.A(words, href=href, className="chip on" if on else "chip", **now)


def _rests_on(found: Validated, reader: Reader) -> str:
    return reader.say(
        "{n} forecasts from {first} to {last} that met what came.", n=reader.number(found.n_issues),
        first=reader.moment(found.first_at), last=reader.moment(found.last_at),
    )  # fmt: skip


# --- how good they were ---------------------------------------------------------------------------------------------


def _judged(view: ValidationView, found: Validated, reader: Reader) -> list[Component]:
    return [
        _skill(found, reader), _covered(found, reader), _said_and_came(found, reader),
        _corrections(view, found, reader), *_worst(found, reader), _all(found, reader),
    ]  # fmt: skip


def _skill(found: Validated, reader: Reader) -> Component:
    named = kinds(found.rivals)
    key = [
        html.Span([html.I(className=f"swatch hue-{kind}"), rival_name(name, reader)]) for name, kind in named.items()
    ]
    chart = _drawn(charts.skill(found.measure.leads, found.rivals, reader), reader)
    note = reader.say(
        "Error saved against each simple forecast. Above the line the twin was better; a whisker "
        "that does not reach the line is not chance (95 times in 100, whole days drawn anew)."
    )
    question = reader.say("Are they better than simple rules?")
    beside = html.Div([html.Div(key, className="key"), html.P(note, className="small")])
    return _card(question, html.Div([html.Div(chart), beside], className="validation-two"))


def _covered(found: Validated, reader: Reader) -> Component:
    ahead = [lead(at.lead_min, reader) for at in found.measure.leads]
    blocks = [f"{b * BLOCK_HOURS}\N{EN DASH}{(b + 1) * BLOCK_HOURS}" for b in range(BLOCKS)]
    left = charts.covered(found.measure.covered_by_lead, ahead, reader.say("hours ahead"), reader)
    right = charts.covered(found.measure.covered_by_block, blocks, reader.say("hour of the day"), reader)
    rows = [
        [reader.say("inside the {n}% interval", n=str(percent)),
         *(reader.percent(at.scores.coverage[percent]) for at in found.measure.leads)]
        for percent in (50, 80, 95)
    ]  # fmt: skip
    cells = _rows(cells_rows(found.measure, blocks, reader), reader.say("By hours ahead and hour of the day"))
    return _card(
        reader.say("Do the intervals hold what they say?"),
        html.Div([html.Div(_drawn(left, reader)), html.Div(_drawn(right, reader))], className="validation-two"),
        _rows((["", *ahead], rows), reader.say("By hours ahead")),
        html.Details([html.Summary(reader.say("By hours ahead and hour of the day")), cells]),
    )


def _said_and_came(found: Validated, reader: Reader) -> Component:
    """The PIT, and for each threshold what was said of it beside how often it came."""
    flat = reader.say("Flat is right; high ends are a forecast too sure of itself, a slope one too high or too low.")
    title = reader.say("Does the truth lie where it is said to?")
    ranks = _drawn(charts.ranks(found.measure.ranks, reader), reader)
    parts = [html.Div([html.H3(title), ranks, html.P(flat, className="small")])]
    ahead = lead(found.thresholds_lead_min, reader)
    for one in found.thresholds:
        title = reader.say("More than {n}, {ahead} ahead", n=reader.number(one.threshold), ahead=ahead)
        said = reader.say("It came in {share} of the hours.", share=reader.percent(one.came))
        parts.append(
            html.Div([html.H3(title), _drawn(charts.reliability(one, reader), reader), html.P(said, className="small")])
        )
    return _card(
        reader.say("When it says 40%, does it come 4 times in 10?"), html.Div(parts, className="validation-two")
    )  # fmt: skip


def _corrections(view: ValidationView, found: Validated, reader: Reader) -> Component:
    """What recalibration did: as simulated, and as published, by hours ahead."""
    head = ["", *(lead(at.lead_min, reader) for at in found.corrected)]

    def row(words: str, cells: Sequence[str]) -> list[str]:
        return [words, *cells]

    def both(raw: str, told: str) -> list[str]:
        return [_arrow(at, raw, told, reader) for at in found.corrected]

    rows = [
        row(reader.say("mean error"), both("raw_bias", "bias")),
        row(reader.say("width of the 80% interval"), both("raw_width_80", "width_80")),
        row(reader.say("inside the {n}% interval", n="80"),
            [_to(_share(at.raw_inside_80, reader), _share(at.inside_80, reader)) for at in found.corrected]),
        row(reader.say("distance of the whole forecast (crps)"), both("raw_crps", "crps")),
        row(reader.say("share of the simulation in it"), [_share(at.share, reader) for at in found.corrected]),
        row(reader.say("share of the simulation now"),
            [_share(view.shares.get(round(at.lead_min), 1.0), reader) for at in found.corrected]),
    ]  # fmt: skip
    said = reader.say("As simulated, and as published. Now corrected by {n} days of forecasts.",
                      n=reader.number(view.corrected_days))  # fmt: skip
    question = reader.say("What does the correction by past forecasts do?")
    return _card(question, html.P(said), _rows((head, rows), question))


def _arrow(at: Corrected, raw: str, told: str, reader: Reader) -> str:
    return _to(*(reader.number(getattr(at, name), 1) for name in (raw, told)))


def _to(before: str, after: str) -> str:
    return f"{before} \N{RIGHTWARDS ARROW} {after}"


def _share(value: float, reader: Reader) -> str:
    return reader.percent(value) if isfinite(value) else UNKNOWN


def _worst(found: Validated, reader: Reader) -> list[Component]:
    if not found.worst:
        return []
    question = reader.say("What were the worst days, and what was different?")
    ahead = lead(found.worst[0].lead_min, reader)
    said = reader.say("For each hour what had been forecast {ahead} before, and what came.", ahead=ahead)
    days = html.Div([_worst_day(one, found, reader) for one in found.worst], className="validation-two")
    return [_card(question, html.P(said, className="small"), days)]


def _worst_day(one: WorstDay, found: Validated, reader: Reader) -> Component:
    times = one.crps / one.usual_crps if one.usual_crps > 0 else float("nan")
    said = reader.say("Error {times} times the usual; {bias} patients on average.", times=reader.number(times, 1),
                      bias=reader.signed(one.bias, 1))  # fmt: skip
    why = html.Ul([html.Li(sentence) for sentence in different(one.facts, reader)])
    drawn = (
        [_drawn(charts.worst(one, reader, _counted(found, reader)), reader)] if len(one.at) > 1 else []
    )  # a point by itself is no line
    return html.Div([html.H3(day(one.facts.day, reader)), *drawn, html.P(said), why])


def _counted(found: Validated, reader: Reader) -> str | None:
    """What stands at the axis of a day; those present where nothing else is said."""
    return None if found.measure.measure == MAIN else reader.say("patients")


def _all(found: Validated, reader: Reader) -> Component:
    words = reader.say("All figures")
    return html.Details([html.Summary(words), _rows(measure_rows(found.measure, reader), words)], className="card")


# --- the model, and the back-test -----------------------------------------------------------------------------------


def _checks(view: ValidationView, reader: Reader) -> Component:
    way = html.A(reader.say("Model checks"), href=f"/checks?lang={reader.language}", className="way")
    if view.checks is None:
        said: Content = reader.say("The model has not been checked here yet.")
    else:
        at, of, fallen = view.checks
        told = {"moment": reader.moment(at), "of": reader.number(of), "n": reader.number(fallen)}
        if fallen:
            said = marked("bad", reader.say("On {moment} {n} of {of} checks did not hold.", **told))
        else:
            said = marked("good", reader.say("On {moment} all {of} checks held.", **told))
    simple = html.A(reader.say("How good are the forecasts?"), href=f"/trust?lang={reader.language}", className="way")
    return _card(reader.say("Is the model right?"), html.P(said), html.P([way, " \N{MIDDLE DOT} ", simple]))


def _backtest(view: ValidationView, reader: Reader) -> Component:
    run = view.run
    parts: list[Content] = [html.P(reader.say(
        "A back-test makes the forecasts of past days again, each from what was known at its time, beside the house's "
        "own forecasts, which go first. It ends nine days before now, so that what came is known for good."
    ))]  # fmt: skip
    if run.fault is not None:
        parts.append(marked("bad", reader.say("It could not be computed: {fault}", fault=run.fault)))
    if run.running:
        parts += [_progress(run, reader), _acts(("cancel", reader.say("Stop")))]
    else:
        parts += [*_unfinished(run, reader), _choices(view, reader),
                  _acts(("start", reader.say("Begin a back-test")), ready=run.ready, run=view.chosen.run)]  # fmt: skip
    return _card(reader.say("What would it have forecast?"), *parts, *_report(view, reader))


def _progress(run: RunView, reader: Reader) -> Component:
    assert run.asked is not None
    share = run.done / run.of if run.of else 0.0
    days = run.asked.days
    said = reader.say("day {n} of {of}", n=reader.number(int(share * days)), of=reader.number(days))
    if not run.of:
        said = reader.say("the past is being read, {days} days are to come", days=reader.number(days))
    if run.left is not None:
        said = reader.say("{day}, about {duration} left", day=said, duration=reader.span(run.left))
    bar = html.Div(html.I(style={"width": f"{100 * share:.1f}%"}), className="bar")
    return html.Div([bar, html.Span(said)], className="robust-progress", role="status")


def _unfinished(run: RunView, reader: Reader) -> list[Content]:
    if run.asked is None:
        return []
    said = reader.say(
        "The one from {first} to {last} was stopped before its end; what it has done is kept.",
        first=reader.moment(run.asked.first_at), last=reader.moment(run.asked.last_at),
    )  # fmt: skip
    return [html.P(said), _acts(("resume", reader.say("Go on with it")), ready=run.ready)]


def _acts(*acts: tuple[str, str], ready: bool = True, run: tuple[int, int, int] | None = None) -> Component:
    told = _data("run", ",".join(map(str, run))) if run is not None else {}
    buttons = [
        html.Button(words, className="backtest-act", type="button", disabled=not ready, **_data("act", act), **told)
        for act, words in acts
    ]
    return html.Div(buttons, className="backtest-acts")


def _data(name: str, value: str) -> dict[str, Any]:
    return {f"data-{name}": value}


def _choices(view: ValidationView, reader: Reader) -> Component:
    """What may be chosen of a back-test, within bounds."""
    asked = (
        (reader.say("Days"), DAYS), (reader.say("Hours between forecasts"), EVERY_H),
        (reader.say("Runs of each"), MEMBERS),
    )  # fmt: skip
    parts: list[Component] = []
    for place, (words, values) in enumerate(asked):
        chips = []
        for value in values:
            days, every_h, members = (value if k == place else was for k, was in enumerate(view.chosen.run))
            run = (days, every_h, members)
            on = value == view.chosen.run[place]
            chips.append(_link(replace(view.chosen, source=view.source, run=run), reader.number(value), on, reader))
        parts.append(html.Div([html.Span(words), *chips], className="chips"))
    return html.Div(parts, className="backtest-choices")


def _report(view: ValidationView, reader: Reader) -> list[Content]:
    if view.report_at is None:
        return []
    words = reader.say("Open the report of {moment}", moment=reader.moment(view.report_at))
    ways: list[Any] = [
        html.A(words, href=f"{ADDRESS}?lang={reader.language}", className="way"), " \N{MIDDLE DOT} ",
        html.A("HTML", href=f"{ADDRESS}.html", className="way", download="edtwin-backtest.html"), " \N{MIDDLE DOT} ",
        html.A("JSON", href=f"{ADDRESS}.json", className="way", download="edtwin-backtest.json"),
    ]  # fmt: skip
    return [html.P(ways, className="validation-report")]


# --- pieces ---------------------------------------------------------------------------------------------------------


def _card(question: str, *parts: Content) -> Component:
    return html.Div([heading(question), *parts], className="card")


def _rows(told: Rows, name: str) -> Component:
    """A table that can be moved sideways where the page is narrow, by keyboard too."""
    focus: Mapping[str, Any] = {"tabIndex": 0, "aria-label": name, "role": "region"}
    return html.Div(table(*told, "validation-rows"), className="validation-table", **focus)


def _drawn(svg: str, reader: Reader) -> Component:
    """A chart of the report in the page's theme; what it shows is its title."""
    said = svg.partition("<title>")[2].partition("</title>")[0]
    return carried(svg, said, style(reader.theme), "validation-chart")


def style(theme: Theme) -> str:
    """The colours of the report's charts in a theme of the pages."""
    c = colours(theme)
    rules = [
        "polyline{fill:none;stroke-width:2.4;stroke-linejoin:round}",
        f"polyline.ours{{stroke:{c['forecast']}}}polyline.came{{stroke:{c['observed']}}}polyline.aim{{fill:none}}",
        f".hist-end.whisker{{stroke:{c['text']}}}.hist-end.dot{{fill:{c['text']}}}",
        f".band-50{{fill:{c['band-50']}}}.band-80{{fill:{c['band-80']}}}",
    ]
    return trust_style(theme).replace("</style>", "".join(rules) + "</style>")
