"""The instructor's page: how the exercise stands, what was put in and what is to come; the forms stand below it."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.drill_words import inject_said, measure_said, world_said
from dashboard.parts import absent, facts, heading, marked
from dashboard.words import Reader
from forecast.exercise_view import ExerciseView, InjectView


def panel(view: ExerciseView, reader: Reader) -> Component:
    """The state of the exercise, what was put in, what is to come."""
    return html.Section(
        [_state(view, reader), _put_in(view, reader), _to_come(view, reader)], className="exercise-page"
    )


def _state(view: ExerciseView, reader: Reader) -> Component:
    truth = reader.say("what truly is so, also while the feed is silent")
    parts = [heading(reader.say("Where does it stand?"), truth)]
    if view.ended_at is not None:
        parts.append(marked("news", reader.say("The exercise ended at {time}.", time=reader.clock(view.ended_at))))
    if view.silent_until is not None:
        silent = reader.say("The feed is silent until {time}.", time=reader.clock(view.silent_until))
        parts.append(marked("warn", silent))
    told = [
        (reader.say("Began"), reader.moment(view.begun_at)),
        (reader.say("Has lasted"), reader.span(view.made_at - view.begun_at)),
        (reader.say("Speed"), reader.say("{n} times", n=reader.number(view.speed, 1))),
        *((measure_said(name, reader), reader.number(count)) for name, count in view.counts.items()),
    ]
    return html.Div([*parts, facts(told), html.P(world_said(view.law, reader), className="small")], className="card")


def _put_in(view: ExerciseView, reader: Reader) -> Component:
    nothing = absent(reader.say("Nothing was put in yet."))
    items = [_line(one, view, reader, *_why_not(one, reader)) for one in view.injects]
    listed = html.Ul(items, className="timeline") if items else nothing
    return html.Div([heading(reader.say("What was put in?")), listed], className="card")


def _to_come(view: ExerciseView, reader: Reader) -> Component:
    nothing = absent(reader.say("Nothing more is to come."))
    items = [_line(one, view, reader, _cancel(one, reader)) for one in view.scheduled]
    listed = html.Ul(items, className="timeline") if items else nothing
    return html.Div([heading(reader.say("What is to come?")), listed], className="card")


def _line(one: InjectView, view: ExerciseView, reader: Reader, *more: Component) -> Component:
    said = inject_said(one.told, reader, view.names)
    return html.Li([html.B(reader.clock(one.at)), html.Span(said, className="said"), *more])


def _why_not(one: InjectView, reader: Reader) -> list[Component]:
    return [marked("warn", reader.say("it could not be: {fault}", fault=one.fault))] if one.fault else []


def _cancel(one: InjectView, reader: Reader) -> Component:
    """A button for each that is to come; `assets/instructor.js` hears it."""
    number: Any = {"data-number": one.number}
    return html.Button(reader.say("Cancel"), type="button", className="inject-cancel", **number)
