"""Who a trusted proxy says is there: the hospital's own sign-in stands before the house, which believes its headers.

They are believed of the proxies that the settings name and of nobody else: who sends them from elsewhere is refused by
the gate, since they can only want to be somebody. A name with a comma is nobody's: two values of one header look so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from dashboard.access.addresses import Way
from dashboard.access.roles import ROLES, Role, SignedIn
from forecast.people import LONGEST_NAME

_BETWEEN = re.compile(r"[,;]")


@dataclass(frozen=True)
class ByProxy:
    """The door of the proxy: names of its headers, and the role of each group."""

    way: Way
    user_header: str
    groups_header: str
    roles: Mapping[str, Role]

    @property
    def headers(self) -> tuple[str, str]:
        """What nobody but a trusted proxy may send."""
        return self.user_header, self.groups_header

    def __call__(self, _is_there: bool) -> SignedIn | None:
        """Who the proxy says it is; without a role where none of the groups has one here."""
        name = _text(request.headers.get(self.user_header, "")).strip()
        is_name = bool(name) and "," not in name and name.isprintable() and len(name) <= LONGEST_NAME
        if not (is_name and self.way.is_by_proxy(request)):
            return None
        groups = _BETWEEN.split(_text(request.headers.get(self.groups_header, "")))
        return SignedIn(name, role_of([group.strip() for group in groups], self.roles))


def role_of(groups: list[str], roles: Mapping[str, Role]) -> Role | None:
    """The highest role of somebody's groups; None where none has one."""
    return max((roles[group] for group in groups if group in roles), key=ROLES.index, default=None)


def _text(header: str) -> str:
    """Headers come as Latin letters; proxies send UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return header
