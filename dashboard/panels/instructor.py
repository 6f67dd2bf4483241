"""The instructor's page: how the exercise stands, what was put in and what is to come; the forms stand below it."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from dashboard.drill_words import inject_said, measure_said
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
    world = reader.say(
        "The world of this exercise is the fabricated hospital's: it obeys a law of its own, unknown to the twin."
    )
    return html.Div([*parts, facts(told), html.P(world, className="small")], className="card")


def _put_in(view: ExerciseView, reader: Reader) -> Component:
    nothing = absent(reader.say("Nothing was put in yet."))
    listed = _list(view.injects, reader) if view.injects else nothing
    return html.Div([heading(reader.say("What was put in?")), listed], className="card")


def _to_come(view: ExerciseView, reader: Reader) -> Component:
    nothing = absent(reader.say("The script has nothing more."))
    listed = _list(view.scheduled, reader) if view.scheduled else nothing
    return html.Div([heading(reader.say("What will the script put in?")), listed], className="card")


def _list(injects: tuple[InjectView, ...], reader: Reader) -> Component:
    items = [html.Li([html.B(reader.clock(one.at)), " ", inject_said(one.told, reader)]) for one in injects]
    return html.Ul(items, className="timeline")
