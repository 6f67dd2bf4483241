"""The desk of proposals for the API: who spoke is not told before a proposal is decided, unless its author signs.

Who signed in is who acts, whatever the body says. Where nobody signs in it is who the body says, and the house's people
say what that person may do; for the same reason the log is exported without the names that its pages do not show. Who
supports a proposal is counted, and never named.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from dashboard.access.acting import acting_person, require
from dashboard.api_bodies import CommentBody, DecisionBody, EndBody, ProposalBody, SupportBody
from dashboard.errors import RefusedError
from dashboard.proposal_window import DeskDoor
from forecast.change_words import changes_said
from forecast.errors import DeskError
from forecast.people import Person, Role
from forecast.proposals import Proposal
from forecast.realised import Effect
from twin.errors import ScenarioError
from twin.scenarios import Scenario, pick

T = TypeVar("T")


class ApiDesk:
    """What may be read of the desk and done there. `catalogue` gives the scenarios that can be proposed by name."""

    def __init__(self, door: DeskDoor, catalogue: Callable[[], Mapping[str, Scenario]]) -> None:
        self._door, self._catalogue = door, catalogue

    # --- read -------------------------------------------------------------------------------------------------------

    def proposals(self) -> dict[str, Any]:
        """Every proposal, the oldest first."""
        return {"proposals": [self._told(one) for one in self._door.desk.proposals.values()]}

    def proposal(self, name: str) -> dict[str, Any]:
        """One proposal; raises RefusedError (404) where there is none of the name."""
        return self._told(self._found(name))

    def export(self) -> str:
        """Every row of the log, a line of JSON each, without the names that are not shown."""
        there = self._door.desk.proposals
        rows = (shown(row, there[row["proposal"]]) for row in self._door.desk.exported())
        return "".join(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n" for row in rows)

    # --- done -------------------------------------------------------------------------------------------------------

    def propose(self, asked: ProposalBody) -> dict[str, Any]:
        """Put a proposal on the desk."""
        person = self._person(asked.who, "proposer")
        change = self._change(asked.scenario, asked.change) or {}
        name = _done(
            lambda: self._door.desk.propose(
                person, asked.words, change, self._door.hospital, signed=asked.signed, varies=asked.varies
            )
        )
        return self.proposal(name)

    def comment(self, asked: CommentBody, name: str) -> dict[str, Any]:
        """Say something of a proposal."""
        self._found(name)
        person = self._person(asked.who, "proposer")
        _done(lambda: self._door.desk.comment(person, name, asked.words))
        return self.proposal(name)

    def support(self, asked: SupportBody, name: str) -> dict[str, Any]:
        """Support an open proposal, or no longer. Its author supports it already: a refusal would name them."""
        one, person = self._open(name), self._person(asked.who, "proposer")
        if person.name != one.author:
            _done(lambda: self._door.desk.support(person, name, withdrawn=asked.withdrawn))
        return self.proposal(name)

    def decide(self, asked: DecisionBody, name: str) -> dict[str, Any]:
        """Decide on an open proposal."""
        self._open(name)
        person, change = self._person(asked.who, "manager"), self._change(asked.scenario, asked.change)
        _done(
            lambda: self._door.desk.decide(
                person, name, asked.what, asked.reason, self._door.hospital, until=asked.until, change=change
            )
        )
        return self.proposal(name)

    def end(self, asked: EndBody, name: str) -> dict[str, Any]:
        """Let the forecast carry an adopted change no longer; raises RefusedError (409) where it carries none."""
        person, one = self._person(asked.who, "manager"), self._found(name)
        if one.carried_at(self._door.clock.now()) is None:
            raise RefusedError(409, f"the forecast carries nothing of {name}")
        _done(lambda: self._door.desk.end(person, name))
        return self.proposal(name)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _person(self, who: str, role: Role) -> Person:
        require(role)
        person = acting_person(self._door.people, who)
        if person is None:
            known = ", ".join(one.name for one in self._door.people.everybody)
            raise RefusedError(422, f"who: must be one of {known}, but is {who}")
        if not person.may(role):
            raise RefusedError(403, f"this takes the role {role}, which {person.en} does not have")
        return person

    def _found(self, name: str) -> Proposal:
        found = self._door.desk.proposals.get(name)
        if found is None:
            raise RefusedError(404, f"there is no proposal {name}")
        return found

    def _open(self, name: str) -> Proposal:
        one = self._found(name)
        if one.state != "open":
            raise RefusedError(409, f"{name} is {one.state} already")
        return one

    def _change(self, scenario: str | None, change: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        return change if scenario is None else pick(self._catalogue(), [scenario])[0].changes

    def _told(self, one: Proposal) -> dict[str, Any]:
        at = one.decision.at if one.decision else one.proposed_at
        said = changes_said(one.scenario, self._door.hospital, self._door.supplies, at)
        return {
            "name": one.name, "proposed_at": one.proposed_at.isoformat(),
            "author": self._named(one.author) if one.shows_author else None,
            "signed": one.signed, "words": one.words, "change": one.scenario.changes,
            "said": [{"fr": fr, "en": en} for fr, en in said],
            "state": one.state, "supporters": len(one.supporters), "varies": one.varies,
            "comments": [
                {"at": c.at.isoformat(), "who": self._named(c.who) if one.shows_names else None, "words": c.words}
                for c in one.comments
            ],
            "decision": self._decision(one), "effects": [_effect(effect) for effect in one.effects],
        }  # fmt: skip

    def _decision(self, one: Proposal) -> dict[str, Any] | None:
        d = one.decision
        if d is None:
            return None
        return {
            "at": d.at.isoformat(), "who": self._named(d.who), "what": d.what, "reason": d.reason,
            "until": d.until.isoformat() if d.until else None,
            "carried": one.carried_at(self._door.clock.now()) is not None,
        }  # fmt: skip

    def _named(self, name: str) -> dict[str, str]:
        person = self._door.people.named(name)
        return {"name": name, "fr": person.fr if person else name, "en": person.en if person else name}


def shown(row: Mapping[str, Any], one: Proposal) -> dict[str, Any]:
    """A row of the log, with the name of who did it where that may be told."""
    match row["what"]:
        case "proposed" | "withdrawn":
            tells = one.shows_author
        case "commented":
            tells = one.shows_names
        case "supported" | "unsupported":
            tells = False
        case _:
            tells = True
    return dict(row) if tells else {**row, "who": None}


def _done(act: Callable[[], T]) -> T:
    """What it gives; what the desk refuses is the request's fault."""
    try:
        return act()
    except (DeskError, ScenarioError) as fault:
        raise RefusedError(422, str(fault)) from None


def _effect(one: Effect) -> dict[str, Any]:
    return {
        "measure": one.measure, "observed": one.observed, "without": list(one.without), "effect": list(one.effect),
        "foreseen": list(one.foreseen), "tells": one.tells,
    }  # fmt: skip
