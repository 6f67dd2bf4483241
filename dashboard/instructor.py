"""Where an instructor puts something into an exercise: small forms below the page, laid out once.

What is typed survives the page being filled anew. What is sent is checked as a script's injects are.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any, Protocol

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest

from dashboard.drill_script import KINDS, MILD, SEVERE, AnyInject, inject_of
from dashboard.drill_words import unit_words
from dashboard.words import LANGUAGES, Language, Reader
from ingest.errors import EdtwinError

Words = Callable[[Reader], str]
SEVERITIES = {"severe": SEVERE, "mild": MILD}
UNITS = ("medicine", "geriatrics", "surgery", "cardiology", "intensive_care", "uhcd")


class Instructed(Protocol):
    """An exercise, as its instructor acts on it."""

    def put(self, inject: AnyInject) -> None:
        """Put an inject in, now."""


def instructor_form() -> Component:
    """The forms, seen on the instructor's page only; their words stand in both languages."""
    forms = [
        _form("victims", lambda r: r.say("Victims arrive"), _number("patients", 30, lambda r: r.say("how many")),
              _number("over_min", 60, lambda r: r.say("over how many minutes")), _severity()),
        _form("arrivals", lambda r: r.say("More people come"), _number("factor", 1.5, lambda r: r.say("times as many")),
              _number("hours", 6, lambda r: r.say("for how many hours"))),
        _form("absent", lambda r: r.say("Staff are away"), _choice("pool", {
                  "doctor": lambda r: r.say("doctors"), "triage_nurse": lambda r: r.say("triage nurses")}),
              _number("share", 30, lambda r: r.say("how many in 100")),
              _number("hours", 8, lambda r: r.say("for how many hours"))),
        _form("beds_closed", lambda r: r.say("Beds close"), _choice("unit", {name: _unit(name) for name in UNITS}),
              _number("beds", 10, lambda r: r.say("how many")),
              _number("hours", 12, lambda r: r.say("for how many hours"))),
        _form("outage", lambda r: r.say("The feed falls silent"),
              _number("hours", 2, lambda r: r.say("for how many hours"))),
        _form("end", lambda r: r.say("The exercise is over")),
    ]  # fmt: skip
    title = html.Div(_both(lambda r: r.say("Put something in, now")), className="instructor-title")
    said = html.Div(id="inject-said", className="inject-said", role="status")
    done = dcc.Store(id="inject-done")
    return html.Div([title, said, html.Div(forms, className="inject-forms"), done], id="instructor-form")


FIELDS = {
    "victims": ("patients", "over_min", "severity"), "arrivals": ("factor", "hours"),
    "absent": ("pool", "share", "hours"), "beds_closed": ("unit", "beds", "hours"), "outage": ("hours",), "end": (),
}  # fmt: skip
"""What each form asks for."""


def register_instructor(app: Dash, exercise: Instructed | None) -> None:
    """Let the buttons put injects in; where no exercise is held there are none."""
    if exercise is None:
        return
    buttons = [Input(f"inject-{kind}", "n_clicks") for kind in KINDS]
    fields = {
        f"{kind}-{name}": State(f"inject-{kind}-{name}", "value") for kind, names in FIELDS.items() for name in names
    }

    @app.callback(
        Output("inject-said", "children"), Output("inject-done", "data"), inputs={"clicks": buttons},
        state={"fields": fields, "screen": State("screen", "data"), "before": State("inject-done", "data")},
    )  # fmt: skip
    def put(clicks: Any, fields: Any, screen: Any, before: Any) -> tuple[Any, Any]:
        """What became of it, in a sentence that begins with a mark: ✓ where it was done."""
        known = before if isinstance(before, list) and len(before) == len(KINDS) else [0] * len(KINDS)
        clicked = [kind for kind, now, was in zip(KINDS, clicks, known, strict=True) if (now or 0) != (was or 0)]
        if not clicked:
            return "", clicks
        told = {name: fields.get(f"{clicked[0]}-{name}") for name in FIELDS[clicked[0]]}
        return put_in(exercise, clicked[0], told, _reader(screen)), clicks


def put_in(exercise: Instructed, kind: str, told: dict[str, Any], reader: Reader) -> str:
    """Put one inject in: what became of it, in words. Raises BadRequest where the page asks for nonsense."""
    if kind not in KINDS:
        raise BadRequest("kind must be one of those that are offered")
    try:
        exercise.put(inject_of({"kind": kind, **_whole(told)}))
    except (ValidationError, EdtwinError) as fault:
        return f"\N{BALLOT X} {_why(fault, reader)}"
    done = reader.say("It is in: the world goes on with it.")
    return f"\N{CHECK MARK} {done}"


def _whole(told: dict[str, Any]) -> dict[str, Any]:
    """The fields as a script has them: a severity by its name, a share out of 1."""
    out = dict(told)
    if "severity" in out:
        if out["severity"] not in SEVERITIES:
            raise BadRequest("severity must be one of those that are offered")
        out["severity"] = dict(SEVERITIES[out["severity"]])
    share = out.get("share")
    if isinstance(share, int | float) and isfinite(share):
        out["share"] = share / 100.0
    return out


def _why(fault: Exception, reader: Reader) -> str:
    if isinstance(fault, ValidationError):
        names = ", ".join(dict.fromkeys(str(error["loc"][-1]) for error in fault.errors()))
        return reader.say("This cannot be: look at {names}.", names=names)
    known = {"the exercise is over": reader.say("The exercise is over.")}
    return known.get(str(fault), str(fault))


def _reader(screen: Any) -> Reader:
    language: Language = "fr"
    if isinstance(screen, dict) and screen.get("language") in LANGUAGES:
        language = screen["language"]
    return Reader(language, "UTC")


def _form(kind: str, title: Words, *fields: Component) -> Component:
    button = html.Button(_both(lambda r: r.say("Put it in")), id=f"inject-{kind}", type="button", n_clicks=0)
    named = [_named(kind, field) for field in fields]
    return html.Div([html.Div(_both(title), className="inject-title"), *named, button], className="card inject-form")


def _named(kind: str, field: Any) -> Component:
    control = field.children[-1]
    control.id = f"inject-{kind}-{control.id}"
    return field


def _number(name: str, value: float, words: Words) -> Component:
    return html.Label([*_both(words), dcc.Input(id=name, type="number", value=value, step="any")])


def _choice(name: str, options: dict[str, Words]) -> Component:
    told: list[Any] = [{"value": value, "label": html.Span(_both(words))} for value, words in options.items()]
    return html.Div([dcc.RadioItems(id=name, options=told, value=next(iter(options)))], className="inject-choice")


def _severity() -> Component:
    return _choice("severity", {"severe": lambda r: r.say("mostly severe"), "mild": lambda r: r.say("mostly light")})


def _unit(name: str) -> Words:
    return lambda r: unit_words(name, r)


def _both(words: Words) -> list[Component]:
    return [html.Span(words(Reader(language, "UTC")), lang=language, className="said-in") for language in LANGUAGES]
