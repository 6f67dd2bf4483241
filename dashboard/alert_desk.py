"""Where a person answers an alarm: one small window over the page of the alerts, laid out once.

The buttons of an alarm's card open it (`assets/desk.js`); what is typed in it survives the page being filled anew.
Where nobody signs in it asks who it is, and believes it.
"""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from dashboard.access.acting import acting_name, require
from dashboard.words import LANGUAGES, Language, Reader
from forecast.alerts import LONGEST_NAME, LONGEST_NOTE, Alerts
from forecast.errors import AlarmError

SNOOZES_MIN = (30, 60, 120, 240)
_WORDS = 40
"""Characters of an alarm's name at the most: its rule's, and an instant."""


def desk() -> Component:
    """The window, closed; its words stand in both languages, and the page shows those of its own."""
    fields = [
        html.Label([*_both(_who), dcc.Input(id="desk-who", type="text", maxLength=LONGEST_NAME, autoComplete="off")]),
        html.Label([*_both(_note), dcc.Input(id="desk-note", type="text", maxLength=LONGEST_NOTE, autoComplete="off")]),
    ]
    buttons = [
        html.Button(_both(_close), className="desk-close", type="button"),
        html.Button(_both(_confirm), id="desk-do", className="desk-do", type="button", n_clicks=0),
    ]
    inside = [
        html.Div(id="desk-title", className="desk-title"),
        *fields,
        html.Div(id="desk-said", className="desk-said", role="status"),
        html.Div(buttons, className="desk-buttons"),
    ]
    return html.Div([dcc.Store(id="desk-what"), html.Dialog(inside, id="desk", className="desk")])


def register_desk(app: Dash, alerts: Alerts | None) -> None:
    """Let the window's button act on the alarms."""

    @app.callback(
        Output("desk-said", "children"),
        Input("desk-do", "n_clicks"),
        State("desk-what", "data"),
        State("desk-who", "value"),
        State("desk-note", "value"),
        prevent_initial_call=True,
    )
    def answer(clicks: Any, what: Any, who: Any, note: Any) -> str:
        """What became of it, in a sentence that begins with a mark: ✓ where it was done."""
        if not clicks or what is None:
            return ""
        reader = Reader(_language(what), "UTC")
        if alerts is None:
            return _failed(reader.say("Nothing is watched here."))
        return answered(alerts, what, who, note, reader)


def answered(alerts: Alerts, what: Any, who: Any, note: Any, reader: Reader) -> str:
    """Do what the page asks. Raises BadRequest where it asks for nonsense: the page is not to be trusted."""
    alarm, act, minutes = what.get("alarm"), what.get("act"), what.get("minutes")
    if not isinstance(alarm, str) or len(alarm) > 2 * _WORDS or act not in ("acknowledge", "snooze"):
        raise BadRequest("what must name an alarm and an act")
    if not isinstance(who, str | None) or not isinstance(note, str | None):
        raise BadRequest("who and note must be texts")
    require("proposer")
    who = acting_name(who or "")
    if not who.strip():
        return _failed(reader.say("Say who you are: name or function."))
    try:
        if act == "acknowledge":
            alerts.acknowledge(alarm, who, note or "")
            return _done(reader.say("Acknowledged. Nobody else is told."))
        if minutes not in SNOOZES_MIN:
            raise BadRequest("minutes must be one of those that are offered")
        alerts.snooze(alarm, who, float(minutes), note or "")
        return _done(reader.say("Snoozed for {duration}.", duration=reader.duration(minutes)))
    except AlarmError as fault:
        if "not on" in str(fault):
            return _failed(reader.say("This alarm is over already."))
        return _failed(reader.say("Too long: shorten what you wrote."))


def _language(what: Any) -> Language:
    asked = what.get("language") if isinstance(what, dict) else None
    found = next((language for language in LANGUAGES if language == asked), None)
    if found is None:
        raise BadRequest("what.language must be a language of the wall")
    return found


def _done(text: str) -> str:
    return f"\N{CHECK MARK} {text}"


def _failed(text: str) -> str:
    return f"\N{BALLOT X} {text}"


def _both(words: Any) -> list[Component]:
    return [html.Span(words(Reader(language, "UTC")), lang=language, className="said-in") for language in LANGUAGES]


def _who(reader: Reader) -> str:
    return reader.say("Who you are (name or function)")


def _note(reader: Reader) -> str:
    return reader.say("Note (no patient's name)")


def _close(reader: Reader) -> str:
    return reader.say("Close")


def _confirm(reader: Reader) -> str:
    return reader.say("Confirm")
