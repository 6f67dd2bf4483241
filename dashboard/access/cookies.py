"""The two cookies: the number of a session, and the token of a wall's screen.

Where browsers speak TLS their names begin with `__Host-`, so that no other host and no page in the clear can set
them; in the clear, which is this machine alone unless told otherwise, that prefix is not to be had.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Request
from werkzeug.wrappers import Response

WALL_DAYS = 390
"""Browsers keep nothing longer than 400."""
_DAY_S = 86_400


@dataclass(frozen=True)
class Cookies:
    """What a browser is given."""

    is_encrypted: bool

    def session(self, request: Request) -> str | None:
        """The session's number that it shows."""
        return request.cookies.get(self.name("session"))

    def wall(self, request: Request) -> str | None:
        """The wall's token that it shows."""
        return request.cookies.get(self.name("wall"))

    def give_session(self, answer: Response, number: str) -> None:
        """Kept until the browser is closed; the server ends it before."""
        self._take(answer, "wall")
        self._give(answer, "session", number, None)

    def give_wall(self, answer: Response, token: str) -> None:
        """Kept for good."""
        self._take(answer, "session")
        self._give(answer, "wall", token, WALL_DAYS * _DAY_S)

    def take_all(self, answer: Response) -> None:
        """Nothing is left."""
        for what in ("session", "wall"):
            self._take(answer, what)

    def _take(self, answer: Response, what: str) -> None:
        answer.delete_cookie(self.name(what), path="/", secure=self.is_encrypted, httponly=True, samesite="Lax")

    def _give(self, answer: Response, what: str, value: str, max_age_s: int | None) -> None:
        answer.set_cookie(
            self.name(what), value, max_age=max_age_s, path="/", secure=self.is_encrypted, httponly=True,
            samesite="Lax",
        )  # fmt: skip

    def name(self, what: str) -> str:
        """What a cookie of this house is called."""
        return f"__Host-edtwin-{what}" if self.is_encrypted else f"edtwin-{what}"
