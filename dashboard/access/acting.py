"""Who acts, asked inside whatever changes something: the second check, after the gate's.

require("manager")                          # in front of the change
person = acting_person(people, asked.who)   # who signed in; what was typed counts only where nobody signs in
"""

from __future__ import annotations

from dataclasses import replace

from flask import g, has_request_context

from dashboard.access.errors import NotAllowedError
from dashboard.access.roles import STRANGER, Role, SignedIn
from forecast.people import People, Person
from forecast.people import Role as DeskRole


def signed_in() -> SignedIn:
    """Who asks; a stranger where no gate has said."""
    found: SignedIn = g.get("signed_in", STRANGER)
    return found


def require(least: Role) -> None:
    """Raise NotAllowedError where who asks has not the role.

    Outside of a request nobody is asked: who runs a command has the machine.
    """
    if has_request_context() and not signed_in().may(least):
        raise NotAllowedError(least, signed_in())


def acting_name(who: str) -> str:
    """The name of who signed in; where nobody signs in, what is said."""
    return (signed_in().name if has_request_context() else None) or who


def acting_person(people: People, who: str) -> Person | None:
    """Who signed in, called as the house's people call them, with the roles of the sign-in and no other; where nobody
    signs in, whom the house's people know by what is said."""
    signed = signed_in() if has_request_context() else STRANGER
    if signed.name is None:
        return people.named(who)
    named = people.named(signed.name) or Person(signed.name, signed.name, signed.name, frozenset())
    return replace(named, name=signed.name, roles=_at_the_desk(signed))


def _at_the_desk(signed: SignedIn) -> frozenset[DeskRole]:
    desk: tuple[DeskRole, ...] = ("proposer", "manager")
    return frozenset(role for role in desk if signed.may(role))
