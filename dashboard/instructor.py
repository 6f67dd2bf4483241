"""Where an instructor puts something into an exercise, now or later: small forms below the page, laid out once.

What is typed survives the page being filled anew. What is sent is checked as a script's injects are. What is to come
stands on the page with a button that cancels it (`assets/instructor.js`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any, Protocol

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest

from dashboard.access.acting import require
from dashboard.drill_script import KINDS, MILD, SEVERE, AnyInject, inject_of
from dashboard.drill_words import Names, pool_words, unit_words
from dashboard.words import LANGUAGES, Language, Reader
from ingest.errors import EdtwinError

Words = Callable[[Reader], str]
SEVERITIES = {"severe": SEVERE, "mild": MILD}
LATEST_MIN = 72 * 60
"""So far ahead something can be put in."""


class Instructed(Protocol):
    """An exercise, as its instructor acts on it."""

    @property
    def units(self) -> Sequence[str]:
        """Wards whose beds can be closed."""

    @property
    def pools(self) -> Sequence[str]:
        """Pools of staff of whom some can be away."""

    @property
    def names(self) -> Mapping[str, tuple[str, str]]:
        """What the hospital calls them."""

    def put(self, inject: AnyInject) -> None:
        """Put an inject in, now."""

    def plan(self, inject: AnyInject, in_min: float) -> int:
        """Put an inject in later; its number."""

    def cancel(self, number: int) -> None:
        """Do not put in what was to come under a number."""


def instructor_form(exercise: Instructed) -> Component:
    """The forms, seen on the instructor's page only; their words stand in both languages."""
    names = exercise.names
    units = {name: _unit(name, names) for name in exercise.units}
    pools = {name: _pool(name, names) for name in exercise.pools}
    forms = [
        _form("victims", lambda r: r.say("Victims arrive"), _number("patients", 30, lambda r: r.say("how many")),
              _number("over_min", 60, lambda r: r.say("over how many minutes")), _severity()),
        _form("arrivals", lambda r: r.say("More people come"), _number("factor", 1.5, lambda r: r.say("times as many")),
              _number("hours", 6, lambda r: r.say("for how many hours"))),
        _form("absent", lambda r: r.say("Staff are away"), _choice("pool", pools, lambda r: r.say("who is away")),
              _number("share", 30, lambda r: r.say("how many in 100")),
              _number("hours", 8, lambda r: r.say("for how many hours"))),
        _form("beds_closed", lambda r: r.say("Beds close"), _choice("unit", units, lambda r: r.say("where")),
              _number("beds", 10, lambda r: r.say("how many")),
              _number("hours", 12, lambda r: r.say("for how many hours"))),
        _form("outage", lambda r: r.say("The feed falls silent"),
              _number("hours", 2, lambda r: r.say("for how many hours"))),
        _form("end", lambda r: r.say("The exercise is over")),
    ]  # fmt: skip
    title = html.H2(_both(lambda r: r.say("Put something in")), id="instructor-title", className="instructor-title")
    later = _number("inject-later", 0, lambda r: r.say("in how many minutes (0: now)"))
    said = html.Div(id="inject-said", className="inject-said", role="status")
    stores = [dcc.Store(id="inject-done"), dcc.Store(id="inject-cancel")]
    head = html.Div([title, html.Div(later, className="inject-later")], className="inject-head")
    named: dict[str, Any] = {"aria-labelledby": "instructor-title"}
    return html.Section([head, said, html.Div(forms, className="inject-forms"), *stores], id="instructor-form", **named)


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
        Output("inject-said", "children"), Output("inject-done", "data"),
        inputs={"clicks": buttons, "cancel": Input("inject-cancel", "data")},
        state={"fields": fields, "later": State("inject-later", "value"), "screen": State("screen", "data"),
               "before": State("inject-done", "data")},
    )  # fmt: skip
    def put(clicks: Any, cancel: Any, fields: Any, later: Any, screen: Any, before: Any) -> tuple[Any, Any]:
        """What became of it, in a sentence that begins with a mark: ✓ where it was done."""
        told = cancel if isinstance(cancel, dict) else {}
        pressed = [*(now or 0 for now in clicks), told.get("pressed", 0)]
        known = before if isinstance(before, list) and len(before) == len(pressed) else [0] * len(pressed)
        moved = [what for what, now, was in zip((*KINDS, None), pressed, known, strict=True) if now != was]
        if not moved:
            return "", pressed
        kind, reader = moved[0], _reader(screen)
        if kind is None:
            return cancelled(exercise, told.get("number"), reader), pressed
        asked = {name: fields.get(f"{kind}-{name}") for name in FIELDS[kind]}
        return put_in(exercise, kind, asked, reader, later), pressed


def put_in(exercise: Instructed, kind: str, told: dict[str, Any], reader: Reader, in_min: Any = 0) -> str:
    """Put one inject in, now or so many minutes later: what became of it, in words.

    Raises BadRequest where the page asks for nonsense.
    """
    if kind not in KINDS:
        raise BadRequest("kind must be one of those that are offered")
    require("manager")
    later = 0 if in_min is None else in_min
    if isinstance(later, bool) or not isinstance(later, int | float) or not 0 <= later <= LATEST_MIN:
        most = reader.say("It can be put in 0 to {most} minutes from now.", most=reader.number(LATEST_MIN))
        return f"\N{BALLOT X} {most}"
    try:
        inject = inject_of({"kind": kind, **_whole(told)})
        if later:
            exercise.plan(inject, later)
        else:
            exercise.put(inject)
    except (ValidationError, EdtwinError) as fault:
        return f"\N{BALLOT X} {_why(fault, reader)}"
    done = reader.say("It is in: the world goes on with it.")
    planned = reader.say("It comes in {duration}.", duration=reader.duration(later))
    return f"\N{CHECK MARK} {planned if later else done}"


def cancelled(exercise: Instructed, number: Any, reader: Reader) -> str:
    """Cancel what was to come: what became of it, in words. Raises BadRequest for no number."""
    if isinstance(number, bool) or not isinstance(number, int):
        raise BadRequest("number must be that of an inject that is to come")
    require("manager")
    try:
        exercise.cancel(number)
    except EdtwinError:
        late = reader.say("It is in already, or was cancelled.")
        return f"\N{BALLOT X} {late}"
    done = reader.say("It was cancelled.")
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
    if " must be " in str(fault):
        return reader.say("This cannot be: look at {names}.", names=str(fault).partition(" must be ")[0])
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


def _choice(name: str, options: dict[str, Words], words: Words) -> Component:
    told = [dmc.Radio(value=value, label=html.Span(_both(said))) for value, said in options.items()]
    label = html.Span(_both(words))
    group = dmc.RadioGroup(told, id=name, label=label, value=next(iter(options), None))
    return html.Div([group], className="inject-choice")


def _severity() -> Component:
    return _choice("severity", {"severe": lambda r: r.say("mostly severe"), "mild": lambda r: r.say("mostly light")},
                   lambda r: r.say("how badly hurt"))  # fmt: skip


def _unit(name: str, names: Names) -> Words:
    return lambda r: unit_words(name, r, names)


def _pool(name: str, names: Names) -> Words:
    return lambda r: pool_words(name, r, names)


def _both(words: Words) -> list[Component]:
    return [html.Span(words(Reader(language, "UTC")), lang=language, className="said-in") for language in LANGUAGES]
