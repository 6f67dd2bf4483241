"""Where what-if is asked: laid out once beside the pages, so that sliders stay where they were put.

`assets/whatif.js` builds the sliders from what the server offers, keeps the question in the page's address, and asks
again while the answer gets better. Whatever comes from there is checked here (`dashboard/whatif_asked.py`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

import plotly.graph_objects as go
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard import whatif_charts
from dashboard.access.acting import acting_name, require
from dashboard.panels import whatif as panel
from dashboard.whatif_asked import Asked, asked_of, named, offered
from dashboard.whatif_words import MEASURES, measure_name
from dashboard.words import LANGUAGES, Reader
from forecast.errors import QuestionError
from forecast.own_scenarios import LONGEST_SENTENCE, LONGEST_WHO, as_toml
from forecast.whatif_ask import Asking, as_view, refusal
from forecast.whatif_queue import Standing
from forecast.whatif_view import AnswerView

_LONGEST_QUERY = 600
_CHART: Any = {"staticPlot": True, "displayModeBar": False}


def whatif_layout(asking: Asking | None) -> Component:
    """The tool, seen on its own page only; its fixed words stand in both languages."""
    title = _title(lambda r: r.say("What would you change?"), id="whatif-title")
    asked = html.Div([title, html.Div(id="whatif-controls")], className="card whatif-ask")
    tabs = html.Div([_tab(measure) for measure in MEASURES], className="whatif-tabs", role="group")
    charts = html.Div(
        [
            tabs,
            html.Div([_swatch("usual", lambda r: r.say("as usual")), _swatch("changed", lambda r: r.say("changed")),
                      html.Span(_both(lambda r: r.say("bands: 8 chances in 10")))], className="key"),
            _graph("whatif-chart"),
            _title(lambda r: r.say("The difference, run by run on the same luck")),
            _graph("whatif-difference"),
        ],
        className="card whatif-charts",
    )  # fmt: skip
    answer = html.Div(html.Div(id="whatif-said"), className="card whatif-top")
    told = [answer, charts, html.Div(id="whatif-table"), _keep(asking)]
    stores = [dcc.Store(id=f"whatif-{name}") for name in ("asked", "wanted", "offer", "state", "built", "heard")]
    tool = html.Div([asked, html.Div(told, className="whatif-told")], className="whatif-tool")
    named: dict[str, Any] = {"aria-labelledby": "whatif-title"}
    return html.Section([*stores, tool], id="whatif", **named)


def _keep(asking: Asking | None) -> Component:
    """Where a question is kept as a scenario, or sent to the desk where there is one."""
    fields = [
        _field("whatif-name", 40, lambda r: r.say("Name (small letters, digits, _)")),
        _field("whatif-fr", LONGEST_SENTENCE, lambda r: r.say("Sentence in French")),
        _field("whatif-en", LONGEST_SENTENCE, lambda r: r.say("Sentence in English")),
        _field("whatif-who", LONGEST_WHO, lambda r: r.say("Who you are (name or function)")),
    ]
    save = html.Button(_both(lambda r: r.say("Save as a scenario")), id="whatif-save", type="button", n_clicks=0)
    send = html.Button(
        _both(lambda r: r.say("Send to the desk")), id="whatif-send", type="button", n_clicks=0,
        hidden=asking is None or asking.desk is None,
    )  # fmt: skip
    said = html.Div(id="whatif-kept", className="whatif-kept", role="status")
    inside = [html.Div(fields, className="whatif-fields"), html.Div([save, send], className="whatif-buttons"), said]
    return html.Details(
        [html.Summary(_both(lambda r: r.say("Keep it, or propose it"))), *inside], className="card whatif-keep"
    )


def register_whatif(app: Dash, asking: Asking | None) -> None:
    """Let the page ask, and keep what was asked."""
    app.clientside_callback(
        ClientsideFunction("whatif", "build"), Output("whatif-built", "data"), Input("whatif-offer", "data")
    )
    app.clientside_callback(
        ClientsideFunction("whatif", "heard"), Output("whatif-heard", "data"), Input("whatif-state", "data")
    )

    @app.callback(Output("whatif-offer", "data"), Input("whatif-wanted", "data"), prevent_initial_call=True)
    def offer(wanted: Any) -> Any:
        """The scenarios and sliders, in the page's language."""
        return no_update if wanted is None else offered(asking, named(wanted))

    @app.callback(_outputs(), Input("whatif-asked", "data"), State("whatif-state", "data"), prevent_initial_call=True)
    def ask(told: Any, state: Any) -> dict[str, Any]:
        """What the question comes to so far; no more than the beat where that is what is shown already."""
        if told is None:
            return dict.fromkeys(_outputs(), no_update)
        return _shown(asking, asked_of(told, asking.zone if asking else "UTC"), state)

    @app.callback(
        Output("whatif-kept", "children"),
        Input("whatif-save", "n_clicks"),
        Input("whatif-send", "n_clicks"),
        State("whatif-asked", "data"),
        State("whatif-name", "value"),
        State("whatif-fr", "value"),
        State("whatif-en", "value"),
        State("whatif-who", "value"),
        State("screen", "data"),
        prevent_initial_call=True,
    )
    def keep(save: Any, send: Any, told: Any, name: Any, fr: Any, en: Any, who: Any, screen: Any) -> Any:
        """What became of it."""
        if told is None or not (save or send):
            return ""
        words = [_text(value) for value in (name, fr, en, who)]
        sent = ctx.triggered_id == "whatif-send"
        return kept(asking, asked_of(told), *words, is_sent=sent, varies=_varied(screen))


def _varied(screen: Any) -> str | None:
    """The proposal that the page's address says is varied; None where it says none."""
    query = screen.get("query") if isinstance(screen, dict) else None
    number = parse_qs(query.lstrip("?")[:_LONGEST_QUERY]).get("varies", [""])[0] if isinstance(query, str) else ""
    return f"proposal-{number}" if number.isascii() and number.isdigit() and len(number) < 7 else None


def kept(
    asking: Asking | None, asked: Asked, name: str, fr: str, en: str, who: str, *, is_sent: bool,
    varies: str | None = None,
) -> Any:  # fmt: skip
    """Keep the question as a scenario, or send it to the desk: what became of it, in words."""
    reader = asked.reader
    if asking is None:
        return reader.say("What-if is not there.")
    require("proposer")
    try:
        if is_sent:
            name = asking.propose(who, reader.choice(fr or en, en or fr), asked.question, varies)
            number = name.rpartition("-")[2]
            return "\N{CHECK MARK} " + reader.say("It stands on the desk as proposal {n}.", n=number)
        saved = asking.save(name.strip(), fr, en, asked.question, acting_name(who))
    except QuestionError as fault:
        return f"\N{BALLOT X} {reader.choice(fault.fr, fault.en)}"
    done = reader.say(
        "Saved. It can be picked above, and be named in edtwin forecast --scenario {name}.", name=saved.name
    )
    return [html.P(f"\N{CHECK MARK} {done}"), html.P(reader.say("As text for a file of scenarios:")),
            html.Pre(as_toml(saved))]  # fmt: skip


def _shown(asking: Asking | None, asked: Asked, state: Any) -> dict[str, Any]:
    beat = dict.fromkeys(_outputs(), no_update)
    standing, fault = _standing(asking, asked)
    answer = standing.answer
    word = [
        asked.word,
        standing.state,
        answer.members if answer else 0,
        str(answer.as_of) if answer else "",
        str(fault),
    ]
    told = {"n": asked.number, "whole": answer is not None and answer.is_whole, "word": word,
            "failed": fault is not None or standing.state == "failed"}  # fmt: skip
    if isinstance(state, dict) and state.get("word") == word:
        return {**beat, "state": told}
    view = refusal(fault) if fault else as_view(standing)
    said = panel.told(view, asked.measure, asked.reader)
    whole = {"state": told, "said": said}
    if answer is None and not fault:
        return {**beat, **whole}  # the charts of the question before stay until there is an answer
    return {**beat, **whole, **_drawn(view.answer if view.answer and view.answer.why_en is None else None, asked)}


def _drawn(answer: AnswerView | None, asked: Asked) -> dict[str, Any]:
    both = None if answer is None else whatif_charts.both(answer, asked.measure, asked.reader)
    apart = None if answer is None else whatif_charts.difference(answer, asked.measure, asked.reader)
    out: dict[str, Any] = {"table": panel.table(answer, asked.reader)}
    for name, figure in (("chart", both), ("difference", apart)):
        out |= {name: figure or go.Figure(), f"{name}-place": "chart" if figure else "chart none"}
    return out


def _standing(asking: Asking | None, asked: Asked) -> tuple[Standing, QuestionError | None]:
    if asking is None:
        return Standing("waking"), None
    try:
        return asking.ask(asked.viewer, asked.question, asked.moment(asking.zone)), None
    except QuestionError as fault:
        return Standing("failed"), fault


def _outputs() -> dict[str, Output]:
    return {
        "state": Output("whatif-state", "data"),
        "said": Output("whatif-said", "children"),
        "table": Output("whatif-table", "children"),
        "chart": Output("whatif-chart", "figure"),
        "chart-place": Output("place-whatif-chart", "className"),
        "difference": Output("whatif-difference", "figure"),
        "difference-place": Output("place-whatif-difference", "className"),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _graph(name: str) -> Component:
    graph = dcc.Graph(id=name, responsive=True, config=_CHART, className="graph")
    return html.Div(graph, id=f"place-{name}", className="chart none")


def _tab(measure: str) -> Component:
    data: Any = {"data-measure": measure}
    return html.Button(_both(lambda r: measure_name(measure, r)), className="whatif-tab", type="button", **data)


def _field(name: str, longest: int, words: Any) -> Component:
    return html.Label([*_both(words), dcc.Input(id=name, type="text", maxLength=longest, autoComplete="off")])


def _swatch(name: str, words: Any) -> Component:
    return html.Span([html.I(className=f"swatch whatif-{name}"), *_both(words)])


def _title(words: Any, **said: Any) -> Component:
    return html.H2(_both(words), className="question", **said)


def _both(words: Any) -> list[Component]:
    return [html.Span(words(Reader(language, "UTC")), lang=language, className="said-in") for language in LANGUAGES]
