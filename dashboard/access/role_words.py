"""What roles are called, what each may do, and why something was refused: in words a nurse understands."""

from __future__ import annotations

from dashboard.access.errors import NotAllowedError
from dashboard.access.roles import Role
from dashboard.words import Reader


def role_name(role: Role, reader: Reader) -> str:
    """What a role is called."""
    return {
        "wall": reader.say("wall screen"), "viewer": reader.say("viewer"), "proposer": reader.say("proposer"),
        "manager": reader.say("manager"), "administrator": reader.say("administrator"),
    }[role]  # fmt: skip


def may_words(role: Role, reader: Reader) -> str:
    """What who has this role may do here."""
    return {
        "wall": reader.say("shows, changes nothing"),
        "viewer": reader.say("looks and asks, changes nothing"),
        "proposer": reader.say("answers alarms, says what is known, proposes"),
        "manager": reader.say("also decides at the desk"),
        "administrator": reader.say("also sees how the house is set"),
    }[role]


def refused_words(fault: NotAllowedError, reader: Reader) -> str:
    """Why it was refused: what it takes, and what one is."""
    if fault.signed.role is None:
        return reader.say("Not done: sign in first.")
    own = role_name(fault.signed.role, reader)
    if fault.least == "anyone" or fault.least == "nobody":
        return reader.say("Not done: nobody may do this here.")
    return reader.say(
        "Not done: this takes the role “{least}”. You are signed in as “{own}”.",
        least=role_name(fault.least, reader), own=own,
    )  # fmt: skip
