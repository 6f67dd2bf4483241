"""`/sign-in`: a name, a password and a six-digit code, or the token of a wall's screen; `/sign-out` ends both.

A plain page without a script, light enough for a telephone on a slow link. What does not fit is not told apart, and
whoever tries too often waits.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from dashboard.access.accounts import Account, Accounts
from dashboard.access.acting import signed_in
from dashboard.access.addresses import Way
from dashboard.access.cookies import Cookies
from dashboard.access.errors import AccountsError
from dashboard.access.limits import Tries
from dashboard.access.refusals import link, said_page
from dashboard.access.role_words import role_name
from dashboard.access.roles import SignedIn
from dashboard.access.sessions import Sessions
from dashboard.access.table import SIGN_IN, SIGN_OUT
from dashboard.phone_door import language_asked
from dashboard.words import LANGUAGES, Language, Reader
from ingest.clock import Clock

logger = logging.getLogger(__name__)

Told = Callable[[Literal["signed in", "signed out", "sign-in refused"], SignedIn | None], None]
_LONGEST = 400
_CODE = 'inputmode="numeric" autocomplete="one-time-code" maxlength="6"'


@dataclass(frozen=True)
class SignIn:
    """The page, and what it opens."""

    accounts: Accounts
    sessions: Sessions
    cookies: Cookies
    way: Way
    clock: Clock
    """The world's: codes change with it, whatever the house's clock says."""
    language: Language = "fr"
    tries: Tries = field(default_factory=Tries)
    elsewhere: str | None = None
    """Where the hospital's own sign-in is begun; None: there is none."""
    told: Told = lambda what, who: None
    """Hears of who signs in and out, and of each try that did not fit (of nobody)."""

    def answer(self, server: Flask) -> None:
        """Add the page and its forms."""
        server.add_url_rule(SIGN_IN, "sign-in", self.show)
        server.add_url_rule(SIGN_IN, "sign-in-tried", self.tried, methods=["POST"])
        server.add_url_rule(SIGN_OUT, "sign-out", self.out, methods=["POST"])
        server.register_error_handler(AccountsError, unreadable)

    # --- doors of the gate ----------------------------------------------------------------------------------------

    def by_session(self, is_there: bool) -> SignedIn | None:
        """Who the session's number says it is."""
        number = self.cookies.session(request)
        return self.sessions.of(number, is_there=is_there) if number else None

    def by_token(self, _is_there: bool) -> SignedIn | None:
        """The wall whose token a cookie, or a script, shows."""
        scheme, _, told = request.headers.get("Authorization", "").partition(" ")
        token = told.strip() if scheme.lower() == "bearer" else self.cookies.wall(request)
        return self.accounts.wall(token[:_LONGEST], self.way.address_of(request)) if token else None

    # --- pages ----------------------------------------------------------------------------------------------------

    def show(self) -> AnyResponse:
        """The page; whoever is signed in already is told as whom."""
        reader = Reader(language_asked(self.language), "UTC")
        wanted = inside(request.args.get("next", ""))
        if signed_in().role is not None:
            return self._signed(reader, wanted)
        return self._page(reader, wanted)

    def tried(self) -> AnyResponse:
        """Let somebody in, or say that it does not fit."""
        reader, wanted = Reader(self._language(), "UTC"), inside(_typed("next"))
        token, name = _typed("token").strip(), " ".join(_typed("name").split())
        address = self.way.address_of(request)
        wait_s = self.tries.wait_s(name or "token", address)
        if wait_s:
            answer = self._page(reader, wanted, reader.say("Too many tries: wait {n} seconds.", n=wait_s), 429)
            answer.headers["Retry-After"] = str(wait_s)
            return answer
        return self._as_wall(token, address, reader, wanted) if token else self._as(name, address, reader, wanted)

    def out(self) -> AnyResponse:
        """Nobody is signed in here any more."""
        self._end_before()
        self.told("signed out", signed_in())
        answer = redirect(f"{SIGN_IN}?lang={self._language()}", code=303)
        self.cookies.take_all(answer)
        return answer

    def let_in(self, who: SignedIn, wanted: str, holds: Account | None = None) -> AnyResponse:
        """To the page that was wanted, under a new number; whatever was before is worth nothing."""
        self._end_before()
        answer = redirect(wanted, code=303)
        self.cookies.give_session(answer, self.sessions.begin(who, lambda: holds is None or self._holds(who, holds)))
        self.told("signed in", who)
        return answer

    # --- inside ---------------------------------------------------------------------------------------------------

    def _as(self, name: str, address: str, reader: Reader, wanted: str) -> AnyResponse:
        account = self.accounts.knows(name, _typed("password"), _typed("code"), self.clock.now())
        if account is None:
            return self._failed(name, address, reader, wanted)
        self.tries.succeeded(name, address)
        return self.let_in(SignedIn(name, account.role), wanted, account)

    def _as_wall(self, token: str, address: str, reader: Reader, wanted: str) -> AnyResponse:
        wall = self.accounts.wall(token, address)
        if wall is None:
            return self._failed("token", address, reader, wanted)
        self._end_before()
        answer = redirect(wanted, code=303)
        self.cookies.give_wall(answer, token)
        self.told("signed in", wall)
        return answer

    def _failed(self, name: str, address: str, reader: Reader, wanted: str) -> AnyResponse:
        self.tries.failed(name, address)
        self.told("sign-in refused", None)
        return self._page(
            reader, wanted, reader.say("This does not fit. Look at the name, the password and the code."), 401
        )

    def _holds(self, who: SignedIn, account: Account) -> bool:
        """Is it still the same account, with the same role and password?"""
        return self.accounts.file.accounts.get(who.name or "") == account

    def _end_before(self) -> None:
        number = self.cookies.session(request)
        if number:
            self.sessions.end(number)

    def _language(self) -> Language:
        return next((one for one in LANGUAGES if one == request.form.get("lang")), self.language)

    def _page(self, reader: Reader, wanted: str, fault: str = "", status: int = 200) -> Response:
        said = f'<div class="banner bad" role="alert">{escape(fault)}</div>' if fault else ""
        parts = [
            said or self._without_a_role(reader),
            *self._elsewhere(reader, wanted),
            _of_people(reader, wanted),
            _of_walls(reader, wanted),
            _other(reader),
        ]
        return said_page(status, reader.say("Sign in"), "".join(parts), reader.language)

    def _without_a_role(self, reader: Reader) -> str:
        """Who is known to the hospital's own sign-in and is given no role here."""
        name = signed_in().name
        if name is None:
            return ""
        why = reader.say("{name}: your account has no role here. Ask who looks after this house.", name=name)
        return f'<div class="banner bad" role="alert">{escape(why)}</div>'

    def _elsewhere(self, reader: Reader, wanted: str) -> Sequence[str]:
        if self.elsewhere is None:
            return ()
        address = f"{self.elsewhere}?{urlencode({'next': wanted})}"
        return (link(address, reader.say("With the hospital’s account")),)

    def _signed(self, reader: Reader, wanted: str) -> Response:
        signed = signed_in()
        role = role_name(signed.role, reader) if signed.role else ""
        said = reader.say("You are signed in: {name}, {role}.", name=signed.name or "", role=role)
        on, out = link(wanted, reader.say("Go on")), escape(reader.say("Sign out"))
        button = f'{_hidden("lang", reader.language)}<button type="submit">{out}</button>'
        form = f'<form method="post" action="{SIGN_OUT}">{button}</form>'
        return said_page(200, reader.say("Sign in"), f"<p>{escape(said)}</p>{on}{form}", reader.language)


def unreadable(fault: AccountsError) -> Response:
    """Nobody is let in while the file of accounts cannot be read."""
    logger.error("nobody can sign in: %s", fault)
    return Response("nobody can sign in: the accounts cannot be read\n", 503, mimetype="text/plain")


def _of_people(reader: Reader, wanted: str) -> str:
    fields = (
        _field("name", reader.say("Name"), 'autocomplete="username" autocapitalize="none" required')
        + _field("password", reader.say("Password"), 'autocomplete="current-password" required', kind="password")
        + _field("code", reader.say("Six-digit code, if you have one"), _CODE)
    )
    return _form(fields, reader.say("Sign in"), reader, wanted)


def _of_walls(reader: Reader, wanted: str) -> str:
    fields = _field("token", reader.say("Token"), 'autocomplete="off" required', kind="password")
    inside = _form(fields, reader.say("Let this screen show the wall"), reader, wanted)
    words = escape(reader.say("This is a wall’s screen"))
    return f"<details><summary>{words}</summary>{inside}</details>"


def _other(reader: Reader) -> str:
    other = next(one for one in LANGUAGES if one != reader.language)
    address = escape(f"{SIGN_IN}?lang={other}", quote=True)
    return f'<p class="switch"><a href="{address}" lang="{other}">{other.upper()}</a></p>'


def _form(fields: str, button: str, reader: Reader, wanted: str) -> str:
    hidden = _hidden("lang", reader.language) + _hidden("next", wanted)
    return (
        f'<form method="post" action="{SIGN_IN}" class="sign-in">{hidden}{fields}'
        f'<button type="submit">{escape(button)}</button></form>'
    )


def _field(name: str, words: str, more: str, kind: str = "text") -> str:
    return f'<label><span>{escape(words)}</span><input name="{name}" type="{kind}" {more}></label>'


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{escape(value, quote=True)}">'


def _typed(name: str) -> str:
    return request.form.get(name, "")[:_LONGEST]


def inside(address: str) -> str:
    """An address of this house; the wall for one that would lead elsewhere."""
    leads_out = not address.startswith("/") or address.startswith(("//", "/\\")) or not address.isprintable()
    return "/" if leads_out or "\\" in address or address.startswith(SIGN_IN) else address[:_LONGEST]
