"""The replay: a past instant as it was known then, what was said, and what came as the replay's clock runs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.panels.now import figures
from dashboard.parts import Content, absent, heading, marked, table
from dashboard.replay_charts import afterwards, chart, other_of
from dashboard.replay_words import (
    Line,
    came_between,
    came_words,
    hour,
    lines,
    most_moved,
    moved_words,
    said_words,
    whole_words,
)
from dashboard.rival_words import measure_name
from dashboard.words import UNKNOWN, Reader
from forecast.replay_address import address, written
from forecast.replay_view import DRAWN, MEASURES, SPEEDS, Asked, Looked, ReplayView, Said

STEPS = (timedelta(days=-1), timedelta(hours=-1), timedelta(hours=1), timedelta(days=1))


def panel(view: ReplayView, reader: Reader) -> Component:
    """Which instant; what was known; what was said, with what came; what moved."""
    parts: list[Component] = [_chooser(view, reader)]
    if view.state != "shown" or view.looked is None:
        parts.append(html.Div(absent(_why_nothing(view, reader)), className="card"))
        return html.Section(parts, className="replay-all", **_told(view, reader))
    parts += [_tiles(view, view.looked, reader), _run(view, reader), *_not_said(view, reader)]
    parts.append(html.Div([_measure(view, measure, reader) for measure in _shown(view)], className="replay-charts"))
    parts += [*_moved(view, reader), _wards(view.looked, reader)]
    return html.Section(parts, className="replay-all", **_told(view, reader))


def _told(view: ReplayView, reader: Reader) -> dict[str, Any]:
    """What the page's script needs: the instants of the clock, the zone, the words of its buttons."""
    told = {
        "state": view.state, "zone": view.zone, "speeds": ",".join(map(str, SPEEDS)), "speed": str(view.asked.speed),
        "default-speed": str(Asked().speed), "language": reader.language,
        "words-at": reader.say("Instant"), "words-vs": reader.say("Compare with"),
        "words-day": reader.say("Hour of the day"), "words-go": reader.say("Show"),
        "words-play": reader.say("Play"), "words-pause": reader.say("Pause"), "words-end": reader.say("To the end"),
        "words-start": reader.say("To the start"), "words-speed": reader.say("Speed"),
        "words-clock": reader.say("Clock"),
        "words-copy": reader.say("Copy the link"), "words-copied": reader.say("Copied"),
        "forecasting": "1" if view.forecasting_at is not None else "",
    }  # fmt: skip
    if view.at is not None and view.to is not None:
        told |= {
            "at": _ms(view.at),
            "end": _ms(view.at + DRAWN),
            "to": _ms(view.to),
            "written": written(view.at, view.zone),
        }
    if view.first_at is not None and view.last_at is not None:
        told |= {"first": written(view.first_at, view.zone), "last": written(view.last_at, view.zone)}
    if view.asked.versus is not None:
        told["vs"] = written(view.asked.versus, view.zone)
    return {f"data-{name}": value for name, value in told.items()}


def _data(name: str, value: str) -> dict[str, Any]:
    return {f"data-{name}": value}


def _ms(at: datetime) -> str:
    return str(round(at.timestamp() * 1000))


# --- which instant --------------------------------------------------------------------------------------------------


def _chooser(view: ReplayView, reader: Reader) -> Component:
    parts: list[Content] = []
    if view.at is not None:
        title = f"{reader.day(view.at)}, {reader.clock(view.at)}"
        steps = html.Div(_steps(view, reader), className="replay-steps")
        parts += [html.Div([heading(title), steps], className="replay-head"),
                  html.Div(id="replay-choose", className="replay-tools")]  # fmt: skip
    else:
        parts.append(heading(reader.say("Which instant?")))
    if view.asked.fault is not None:
        fault = reader.say("Of the address this could not be read: {fault}", fault=view.asked.fault)
        parts.append(marked("warn", fault, "replay-note"))
    if view.looked is not None:
        parts.append(html.P(_rests_on(view.looked, reader), className="small"))
    return html.Div(parts, className="card replay-choose")


def _steps(view: ReplayView, reader: Reader) -> list[Component]:
    assert view.at is not None
    words = (reader.say("1 day back"), reader.say("1 h back"), reader.say("1 h on"), reader.say("1 day on"))
    at = view.at
    return [_step(view, word, at + step, reader) for word, step in zip(words, STEPS, strict=True)]


def _step(view: ReplayView, word: str, at: datetime, reader: Reader) -> Component:
    """A way to another instant, from which the clock starts anew; none beyond the log."""
    inside = view.first_at is not None and view.last_at is not None and view.first_at <= at <= view.last_at
    if not inside:
        return html.Span(word, className="replay-step off")
    asked = replace(view.asked, at=at, to=None)
    return html.A(word, href=address(asked, view.zone, reader.language), className="replay-step")


def _rests_on(looked: Looked, reader: Reader) -> str:
    then = looked.then
    heard = reader.moment(then.heard_at) if then.heard_at is not None else UNKNOWN
    return reader.say(
        "From the log as it was known then: the last message was of {heard}, {days} days had been learned from. What "
        "came out later is in nothing of it.", heard=heard, days=reader.number(then.learned_days),
    )  # fmt: skip


def _why_nothing(view: ReplayView, reader: Reader) -> str:
    if view.state == "empty":
        return reader.say("The log is empty: there is no past to replay yet.")
    if view.state == "outside" and view.first_at is not None and view.last_at is not None:
        return reader.say(
            "The log tells of the time from {first} to {last}: choose an instant in it.",
            first=reader.moment(view.first_at), last=reader.moment(view.last_at),
        )  # fmt: skip
    if view.state == "fault":
        return reader.say("This instant could not be read: {fault}", fault=view.fault or "")
    return reader.say("Being read from the log as it was known then; this takes some seconds.")


# --- what was known, what was said ----------------------------------------------------------------------------------


def _tiles(view: ReplayView, looked: Looked, reader: Reader) -> Component:
    """The figures of the wall, as they were known; beside them those of the instant that is compared with."""
    other = figures(view.versus.then.now, reader) if view.versus is not None else []
    tiles = [
        _tile(label, figure, below, other[place][1] if other else None, view, reader)
        for place, (label, figure, below) in enumerate(figures(looked.then.now, reader))
    ]
    return html.Div(tiles, className="replay-now")


def _tile(
    label: Component, figure: str, below: str | Component, other: str | None, view: ReplayView, reader: Reader
) -> Component:
    parts: list[Content] = [html.Div(label, className="label"), html.Div(figure, className="big")]
    parts.append(html.Div(below if figure != UNKNOWN else reader.say("not in the data received"), className="below"))
    if other is not None and view.asked.versus is not None and view.at is not None:
        at = hour(view.asked.versus, view.at, reader)
        parts.append(html.Div(reader.say("{time}: {n}", time=at, n=other), className="below other"))
    return html.Div(parts, className="tile")


def _run(view: ReplayView, reader: Reader) -> Component:
    """Where the page's script puts the clock and its buttons; and what is drawn."""
    said = view.looked.said if view.looked is not None else None
    words = [html.P(_issued(said, reader))] if said is not None else []
    if view.versus is not None and view.asked.versus is not None:
        words.append(html.P(_issued_other(view.versus.said, view.asked.versus, reader)))
    return html.Div(
        [heading(reader.say("What was said, and what came?")), *words,
         html.Div(id="replay-run", className="replay-tools"), _key(view, reader)], className="card replay-run",
    )  # fmt: skip


def _issued(said: Said, reader: Reader) -> str:
    if said.is_made_afterwards:
        return reader.say("Forecast made afterwards, from nothing but what was known then; nobody had seen it.")
    at = reader.moment(said.issued_at)
    if said.is_thinned:
        return reader.say(
            "Forecast as it was published on {moment}; of one that is so old a few hours are kept.", moment=at
        )
    return reader.say("Forecast as it was published on {moment}.", moment=at)


def _issued_other(said: Said | None, at: datetime, reader: Reader) -> str:
    moment = reader.moment(at)
    if said is None:
        return reader.say(
            "Compared with {moment}: no forecast is kept of it. Look at it to have one made.", moment=moment
        )
    return reader.say("Compared with what was said on {moment} (dashed).", moment=reader.moment(said.issued_at))


def _key(view: ReplayView, reader: Reader) -> Component:
    entries = [("observed", reader.say("what came")), ("forecast", reader.say("forecast")),
               ("bands", reader.say("5, 8 and 9 chances in 10")), ("usual", reader.say("usual"))]  # fmt: skip
    if view.versus is not None and view.versus.said is not None and view.asked.versus is not None:
        words = reader.say("as forecast at {time}", time=reader.clock(view.versus.said.issued_at))
        entries.append(("replay-other", words))
    return html.Div([html.Span([html.I(className=f"swatch {name}"), text]) for name, text in entries], className="key")


def _not_said(view: ReplayView, reader: Reader) -> list[Component]:
    """Where no forecast is kept: that it is so, the nearest that is, and the button that has one made."""
    if view.looked is None or view.looked.said is not None:
        return []
    parts: list[Content] = [html.P(reader.say("No forecast is kept that was shown at this instant."))]
    ways = [
        html.A(reader.say("The one of {moment}", moment=reader.moment(at)), className="way",
               href=address(replace(view.asked, at=at, to=None), view.zone, reader.language))
        for at in view.issues if at is not None
    ]  # fmt: skip
    if ways:
        parts.append(html.Div(ways, className="replay-ways"))
    if view.forecasting_at is not None:
        parts.append(html.P(_forecasting(view, reader), role="status"))
    if view.fault is not None:
        parts.append(marked("bad", reader.say("It could not be computed: {fault}", fault=view.fault), "replay-note"))
    button = html.Button(
        reader.say("Forecast it now as it was known then"), className="replay-act", type="button",
        disabled=not view.ready,
    )  # fmt: skip
    return [html.Div([*parts, button], className="card replay-none")]


def _forecasting(view: ReplayView, reader: Reader) -> str:
    assert view.forecasting_at is not None
    if view.forecasting_at == view.at:
        return reader.say("Being forecast beside the house's own forecasts, which go first.")
    return reader.say("Another instant is being forecast: {moment}.", moment=reader.moment(view.forecasting_at))


# --- measure by measure ---------------------------------------------------------------------------------------------


def _shown(view: ReplayView) -> list[str]:
    return [m for m in MEASURES if view.looked is not None and m in view.looked.then.past]


def _measure(view: ReplayView, measure: str, reader: Reader) -> Component:
    found, figure = lines(view, measure), chart(view, measure, reader)
    parts: list[Content] = [heading(measure_name(measure, reader))]
    if figure is not None:
        graph = dcc.Graph(figure=figure, config={"staticPlot": True, "responsive": True}, className="replay-graph")
        parts.append(html.Div(graph, className="replay-chart", **_data("afterwards", afterwards(view, measure))))
    if found:
        parts.append(html.Ul([_line(view, line, reader) for line in found], className="replay-lines"))
        parts += _whole(view, found, reader)
    return html.Div(parts, className="card replay-measure")


def _line(view: ReplayView, line: Line, reader: Reader) -> Component:
    """What was said of an hour; what came stands beside it once the clock is there."""
    assert view.at is not None
    tone, came = came_words(line, reader)
    parts: list[Content] = [html.Span(said_words(line, reader, view.at))]
    if line.other is not None and view.asked.versus is not None:
        low, high = reader.number(line.other[0]), reader.number(line.other[2])
        parts.append(html.Span(reader.say("or {low} to {high}", low=low, high=high), className="other"))
    parts.append(_later(view, line.valid_at, marked(tone, came), reader))
    return html.Li(parts)


def _later(view: ReplayView, at: datetime, shown: Component, reader: Reader) -> Component:
    """Hidden until the clock has come to an instant."""
    assert view.to is not None
    return html.Span(shown, className="replay-came", hidden=at > view.to, **_data("valid", _ms(at)))


def _whole(view: ReplayView, found: Sequence[Line], reader: Reader) -> list[Component]:
    """How it went as a whole, once the clock has come to the last hour that is known."""
    words = whole_words(found, reader)
    last = max((line.valid_at for line in found if line.came is not None), default=None)
    return [] if words is None or last is None else [html.P(_later(view, last, html.B(words), reader))]


def _moved(view: ReplayView, reader: Reader) -> list[Component]:
    """What moved between the two instants."""
    if view.versus is None or view.asked.versus is None:
        return []
    said = []
    for measure in _shown(view):
        line = most_moved(lines(view, measure)) if other_of(view, measure) is not None else None
        if line is not None:
            tone, came = came_words(line, reader)
            said.append(html.Li([
                html.B(measure_name(measure, reader)), " ", moved_words(line, view, reader), " ",
                _later(view, line.valid_at, marked(tone, came), reader),
            ]))  # fmt: skip
    between = came_between(view, reader)
    parts: list[Content] = [html.P(between)] if between is not None else []
    parts.append(html.Ul(said) if said else absent(reader.say("Of one of the two no forecast is kept.")))
    return [html.Div([heading(reader.say("What moved between the two?")), *parts], className="card replay-moved")]


def _wards(looked: Looked, reader: Reader) -> Component:
    units = looked.then.units
    question = reader.say("Where were beds free?")
    if not units:
        return html.Div([heading(question), absent(reader.say("no ward in the data received"))], className="card")
    head = [reader.say("Unit"), reader.say("Patients"), reader.say("Beds"), reader.say("Free")]
    rows = [
        [reader.choice(u.name_fr, u.name_en), reader.number(u.census), reader.number(u.beds), reader.number(u.free)]
        for u in units
    ]
    return html.Div([heading(question), table(head, rows, "replay-wards")], className="card")
