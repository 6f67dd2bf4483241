"""Where people act on a proposal: one small window over the page of the desk, laid out once.

The buttons of a proposal's card open it (`assets/proposals.js`), which shows the fields that the act needs. Where
nobody signs in it asks who it is, and the house's people say what that person may do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from dashboard.access.acting import acting_person, require
from dashboard.words import LANGUAGES, Reader
from forecast.desk import LONGEST_COMMENT, Desk
from forecast.errors import DeskError, QuestionError
from forecast.people import LONGEST_NAME, People
from forecast.proposals import Proposal
from ingest.clock import Clock
from ingest.errors import EdtwinError
from twin.hospital import Hospital
from twin.scenarios import Scenario
from twin.supply_file import Supplies

ACTS = ("comment", "support", "unsupport", "withdraw", "adopt", "adapt", "decline", "end")
DECISIONS = ("adopt", "adapt", "decline", "end")
"""Those that take a manager."""
UNTIL_H = (8, 24, 72)
"""For how many hours the forecast carries a change, beside for as long as it lasts."""
_AS_LONG_AS_IT_LASTS = "0"
_LONGEST_NAME_OF_ALL = 40


@dataclass(frozen=True)
class DeskDoor:
    """What the window and the page of what-if do at the desk, for the people of a house."""

    desk: Desk
    people: People
    hospital: Hospital
    supplies: Supplies
    clock: Clock

    def propose(self, who: str, words: str, scenario: Scenario, as_of: datetime, varies: str | None = None) -> str:
        """Put a scenario on the desk; what became of it. Raises QuestionError where it is not taken."""
        del as_of
        require("proposer")
        person = acting_person(self.people, who)
        if person is None:
            known = (
                ", ".join(one.fr for one in self.people.everybody),
                ", ".join(one.en for one in self.people.everybody),
            )
            raise QuestionError(f"Dites qui vous êtes : {known[0]}.", f"Say who you are: {known[1]}.")
        try:
            name = self.desk.propose(person, words, scenario.changes, self.hospital, varies=varies)
        except EdtwinError as fault:
            raise QuestionError(
                f"Le bureau ne peut pas le prendre : {fault}", f"The desk cannot take it: {fault}"
            ) from fault
        return name


def proposal_window() -> Component:
    """The window, closed; its words stand in both languages, and the page shows those of its own."""
    fields = [
        _field("who", lambda r: r.say("Who you are (name or function)"),
               dcc.Input(id="talk-who", type="text", maxLength=LONGEST_NAME, autoComplete="off")),
        _field("note", lambda r: r.say("Your words (no patient's name)"),
               dcc.Textarea(id="talk-note", maxLength=LONGEST_COMMENT, rows=3)),
        _field("until", lambda r: r.say("How long does the forecast carry it?"),
               dcc.RadioItems(id="talk-until", options=_durations(), value=_AS_LONG_AS_IT_LASTS)),
        _field("other", lambda r: r.say("Which variation is adopted instead? (its number)"),
               dcc.Input(id="talk-other", type="number", min=1, step=1)),
    ]  # fmt: skip
    buttons = [
        html.Button(_both(lambda r: r.say("Close")), className="talk-close", type="button"),
        html.Button(_both(lambda r: r.say("Confirm")), id="talk-do", className="talk-do", type="button", n_clicks=0),
    ]
    inside = [
        html.Div(id="talk-title", className="desk-title"), *fields,
        html.Div(id="talk-said", className="desk-said", role="status"),
        html.Div(buttons, className="desk-buttons"),
    ]  # fmt: skip
    return html.Div([dcc.Store(id="talk-what"), html.Dialog(inside, id="talk", className="desk")])


def register_proposals(app: Dash, door: DeskDoor | None) -> None:
    """Let the window's button act at the desk."""

    @app.callback(
        Output("talk-said", "children"),
        Input("talk-do", "n_clicks"),
        State("talk-what", "data"),
        State("talk-who", "value"),
        State("talk-note", "value"),
        State("talk-until", "value"),
        State("talk-other", "value"),
        prevent_initial_call=True,
    )
    def act(clicks: Any, what: Any, who: Any, note: Any, until: Any, other: Any) -> str:
        """What became of it, in a sentence that begins with a mark: ✓ where it was done."""
        if not clicks or what is None:
            return ""
        asked = asked_of(what, who, note, until, other)
        if door is None:
            return _failed(asked.reader.say("There is no desk here."))
        return acted(door, asked)


@dataclass(frozen=True)
class Asked:
    """What the window asks for, checked."""

    act: str
    proposal: str
    who: str
    note: str
    until_h: int
    other: int | None
    reader: Reader


def asked_of(what: Any, who: Any, note: Any, until: Any, other: Any) -> Asked:
    """What the window asks for. Raises BadRequest where it asks for nonsense: the page is not to be trusted."""
    told = what if isinstance(what, dict) else {}
    name, kind, language = told.get("proposal"), told.get("act"), told.get("language")
    if not isinstance(name, str) or len(name) > _LONGEST_NAME_OF_ALL or kind not in ACTS or language not in LANGUAGES:
        raise BadRequest("what must name a proposal, an act and a language")
    if not isinstance(who, str | None) or not isinstance(note, str | None):
        raise BadRequest("who and note must be texts")
    if until not in (None, _AS_LONG_AS_IT_LASTS, *map(str, UNTIL_H)):
        raise BadRequest("until must be one of those that are offered")
    if other is not None and (isinstance(other, bool) or not isinstance(other, int) or not 0 < other < 10**6):
        raise BadRequest("other must be the number of a proposal")
    return Asked(kind, name, who or "", note or "", int(until or 0), other, Reader(language, "UTC"))


def acted(door: DeskDoor, asked: Asked) -> str:
    """Do it: what became of it, in words."""
    require("manager" if asked.act in DECISIONS else "proposer")
    reader, person = asked.reader, acting_person(door.people, asked.who)
    if person is None:
        known = ", ".join(reader.choice(one.fr, one.en) for one in door.people.everybody)
        return _failed(reader.say("Say who you are. Known here: {people}.", people=known))
    desk, name = door.desk, asked.proposal
    until = door.clock.now() + timedelta(hours=asked.until_h) if asked.until_h else None
    doing: dict[str, Callable[[], None]] = {
        "comment": lambda: desk.comment(person, name, asked.note),
        "support": lambda: desk.support(person, name),
        "unsupport": lambda: desk.support(person, name, withdrawn=True),
        "withdraw": lambda: desk.withdraw(person, name),
        "adopt": lambda: desk.decide(person, name, "adopted", asked.note, door.hospital, until=until),
        "decline": lambda: desk.decide(person, name, "declined", asked.note, door.hospital),
        "adapt": lambda: desk.decide(
            person, name, "adapted", asked.note, door.hospital, until=until, change=_other(desk, asked).scenario.changes
        ),
        "end": lambda: desk.end(person, name),
    }
    try:
        doing[asked.act]()
    except EdtwinError as fault:
        return _failed(_why(fault, reader))
    return f"\N{CHECK MARK} {_done(asked.act, reader)}"


def _other(desk: Desk, asked: Asked) -> Proposal:
    found = desk.proposals.get(f"proposal-{asked.other}")
    if found is None:
        raise DeskError("say the number of the variation that is adopted instead")
    return found


def _done(act: str, reader: Reader) -> str:
    return {
        "comment": reader.say("Your words stand beside it."),
        "support": reader.say("You support it."),
        "unsupport": reader.say("You do not support it any more."),
        "withdraw": reader.say("It is withdrawn; it stays readable."),
        "adopt": reader.say("Adopted: the forecast carries it from the next cycle on."),
        "adapt": reader.say("Adopted with changes: the forecast carries them from the next cycle on."),
        "decline": reader.say("Declined, with your reason."),
        "end": reader.say("Ended: the forecast carries it no longer."),
    }[act]


def _why(fault: EdtwinError, reader: Reader) -> str:
    """A refusal in the reader's language, where it is one of those that people meet; else as it is."""
    said = str(fault)
    known = {
        "say why": reader.say("Say why."),
        "say something": reader.say("Say something."),
        "supports it already": reader.say("Who proposes supports it already."),
        "only its author": reader.say("Only its author may withdraw a proposal."),
        "takes the role manager": reader.say("Only a manager may do this."),
        "already": reader.say("This proposal is decided or withdrawn already."),
        "say the number": reader.say("Say the number of the variation that is adopted instead."),
        "carries nothing": reader.say("The forecast carries nothing of it."),
    }
    return next((words for start, words in known.items() if start in said), said)


def _failed(text: str) -> str:
    return f"\N{BALLOT X} {text}"


def _durations() -> list[Any]:
    named: list[tuple[str, Callable[[Reader], str]]] = [
        (_AS_LONG_AS_IT_LASTS, lambda r: r.say("as long as it lasts")),
        *((str(hours), _hours(hours)) for hours in UNTIL_H),
    ]
    return [{"value": value, "label": html.Span(_both(words))} for value, words in named]


def _hours(hours: int) -> Callable[[Reader], str]:
    return lambda r: r.say("{n} hours", n=str(hours))


def _field(name: str, words: Any, control: Component) -> Component:
    return html.Label([*_both(words), control], className=f"talk-field talk-{name}")


def _both(words: Any) -> list[Component]:
    return [html.Span(words(Reader(language, "UTC")), lang=language, className="said-in") for language in LANGUAGES]
