"""Roles, and who has signed in.

Each role may do what those before it may: a wall's screen looks, a viewer also asks, a proposer also says and
proposes, a manager also decides, an administrator also sees how the house is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["wall", "viewer", "proposer", "manager", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
Least = Literal["wall", "viewer", "proposer", "manager", "administrator", "anyone", "nobody"]
"""The least role that something takes; `anyone` has not signed in at all, `nobody` may ever."""


@dataclass(frozen=True)
class SignedIn:
    """Who asks, as the whole of a request knows it: `flask.g.signed_in`."""

    name: str | None
    """None where nobody signed in, and where nobody is asked to."""
    role: Role | None
    """None: nobody signed in."""

    def may(self, least: Least) -> bool:
        """Is this enough for what takes that role?"""
        if least in ("anyone", "nobody"):
            return least == "anyone"
        return self.role is not None and ROLES.index(self.role) >= ROLES.index(least)


STRANGER = SignedIn(None, None)
"""Who has not signed in."""
EVERYBODY = SignedIn(None, "administrator")
"""Whoever asks where nobody signs in."""


def is_role(text: str) -> bool:
    """Is it the name of a role?"""
    return text in ROLES
