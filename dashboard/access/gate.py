"""The gate: every request passes it before anything else is done, and is refused unless the table lets it through.

    gate = Gate(way, [sessions_door, walls_door])   # or OPEN, where nobody signs in
    gate.stand_before(app)

1. A changing request that a page of another site sent is refused (403), also where nobody signs in; so is whoever sends
   what only a trusted proxy may.
2. Who asks is found out and kept for the request: `flask.g.signed_in`.
3. The row of the table is found, for a callback also its own; what has none is refused (403).
4. Whoever has not the role is led to sign in, or told so in a sentence (401, 403).
5. A changing request is made of JSON, but for the forms of plain pages (415).
6. Whoever asks too often is told to wait (429).

The role is asked once more inside whatever changes something (`acting.py`), so that a hole in the one is none in the
house.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dash import Dash
from flask import Response, g, request
from werkzeug.wrappers import Response as AnyResponse

from dashboard.access.addresses import SAFE, Way
from dashboard.access.errors import NotAllowedError
from dashboard.access.limits import ASKS_A_MINUTE, BEGINS_A_MINUTE, Asks
from dashboard.access.refusals import foreign, led_to_sign_in, not_allowed, not_json, not_the_proxy, too_often
from dashboard.access.roles import EVERYBODY, STRANGER, SignedIn
from dashboard.access.table import CALLBACKS, ROUTES, Entry, name_of
from dashboard.headers import CALLBACK_PATH
from dashboard.words import Language

Door = Callable[[bool], SignedIn | None]
"""Finds out who asks; None where it cannot tell. It is told whether the request shows that somebody is there."""


@dataclass(frozen=True)
class Gate:
    """What stands before a house."""

    way: Way = field(default_factory=Way)
    doors: Sequence[Door] = ()
    """None: nobody signs in, and whoever asks may do all."""
    language: Language = "fr"
    proxys_headers: Sequence[str] = ()
    """What only a trusted proxy may send."""
    begins: Asks = field(default_factory=lambda: Asks(BEGINS_A_MINUTE))
    asks: Asks = field(default_factory=lambda: Asks(ASKS_A_MINUTE))

    @property
    def is_open(self) -> bool:
        """Does nobody sign in?"""
        return not self.doors

    def stand_before(self, app: Dash) -> None:
        """Let nothing by that may not pass; to be called before anything else is registered."""
        app.server.before_request(lambda: self.passed(app))
        app.server.register_error_handler(NotAllowedError, lambda fault: self._not_allowed(fault))

    def passed(self, app: Dash) -> AnyResponse | None:
        """The refusal of this request; None where it may pass."""
        g.signed_in = EVERYBODY if self.is_open else STRANGER
        if self.way.is_foreign(request):  # 1
            return foreign()
        if any(name in request.headers for name in self.proxys_headers) and not self.way.is_by_proxy(request):
            return not_the_proxy()
        if self.is_open:
            return None
        rows, asked = rows_of(app)
        g.signed_in = self._who(is_there=bool(rows) and not any(row.is_tick for row in rows))  # 2
        return self._judged(rows, asked)

    def _judged(self, rows: Sequence[Entry], asked: Any) -> AnyResponse | None:
        signed = signed_of_request()
        for row in rows or [_MISSING]:  # 3, 4
            least = row.takes(asked if row.which is not None else None)
            if not signed.may(least):
                return led_to_sign_in(self.language) if signed.role is None else self._refused(signed, least)
        if request.method not in SAFE and not _is_made_well(rows[0]):  # 5
            return not_json()
        return self._limited(signed, begins=any(row.begins for row in rows))  # 6

    def _who(self, *, is_there: bool) -> SignedIn:
        if not self.way.is_ours(request):
            return STRANGER
        found = [one for door in self.doors if (one := door(is_there)) is not None]
        return next((one for one in found if one.role is not None), found[0] if found else STRANGER)

    def _limited(self, signed: SignedIn, *, begins: bool) -> Response | None:
        if signed.name is None:
            return None
        wait_s = max(self.asks.wait_s(signed.name), self.begins.wait_s(signed.name) if begins else 0)
        return too_often(wait_s) if wait_s else None

    def _refused(self, signed: SignedIn, least: Any) -> Response:
        return not_allowed(NotAllowedError(least, signed), self.language)

    def _not_allowed(self, fault: NotAllowedError) -> Response:
        return not_allowed(fault, self.language)


OPEN = Gate()
"""Where nobody signs in."""
_MISSING = Entry("nobody")
"""The row of what is not in the table."""
_MADE_OF = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
_NO_ADDRESS = Entry("wall", body="own")
"""Of an address or a method that is not there: whoever is signed in is told so."""


def signed_of_request() -> SignedIn:
    """Who asks, as this request knows it."""
    found: SignedIn = g.signed_in
    return found


def rows_of(app: Dash) -> tuple[list[Entry], Any]:
    """The rows that a request must satisfy, and what is asked; no row where the table has none."""
    rule = request.url_rule
    if rule is None:
        return [_NO_ADDRESS], None
    method = "GET" if request.method in SAFE else request.method
    row = ROUTES.get((method, rule.rule))
    if row is None:
        return [], None
    if rule.rule != CALLBACK_PATH or method in SAFE:
        return [row], request.view_args
    return _rows_of_callback(app, row)


def _rows_of_callback(app: Dash, row: Entry) -> tuple[list[Entry], Any]:
    """That of the callback too; a body that names none of ours is refused after the gate, as malformed (400)."""
    body = request.get_json(silent=True)
    output = body.get("output") if isinstance(body, dict) else None
    if not isinstance(output, str) or output not in app.callback_map:
        return [row], body
    own = CALLBACKS.get(name_of(output))
    return ([row, own] if own is not None else []), body


def _is_made_well(row: Entry) -> bool:
    return row.body == "own" or request.mimetype == _MADE_OF[row.body]
