"""What is answered where the gate lets nobody by: a page to who opens one, one sentence in JSON to who asks for data.

A page's script is told in both languages and shows the reader's (`assets/access.js`); the API has English.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from urllib.parse import urlencode

from flask import Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from dashboard.access.errors import NotAllowedError
from dashboard.access.role_words import refused_words
from dashboard.access.table import SIGN_IN
from dashboard.phone_door import Frame, html_page, language_asked
from dashboard.theme import asset_address
from dashboard.words import LANGUAGES, Language, Reader

Words = Callable[[Reader], str]


def foreign() -> Response:
    """To what a page of another site sent."""
    return _data(403, lambda r: r.say("Not done: it was sent by a page of another site."))


def not_json() -> Response:
    """To a change that is not made of what it must be."""
    return _data(415, lambda r: r.say("Not done: it was not sent by a page of this house."))


def not_the_proxy() -> Response:
    """To who says what only a trusted proxy may."""
    return _data(403, lambda r: r.say("Not done: it did not come by the hospital's own sign-in."))


def too_often(wait_s: int) -> Response:
    """To who asks too often."""
    answer = _data(429, lambda r: r.say("Too often: wait {n} seconds.", n=wait_s))
    answer.headers["Retry-After"] = str(wait_s)
    return answer


def not_allowed(fault: NotAllowedError, usual: Language) -> Response:
    """To who has not the role."""

    def why(reader: Reader) -> str:
        return refused_words(fault, reader)

    return _page(403, why, language_asked(usual)) if opens_a_page() else _data(403, why)


def led_to_sign_in(usual: Language) -> AnyResponse:
    """To who has not signed in, or no longer is."""
    if opens_a_page() and request.method == "GET":
        wanted = request.full_path.rstrip("?")
        return redirect(f"{SIGN_IN}?{urlencode({'lang': language_asked(usual), 'next': wanted})}", code=303)
    answer = _data(401, lambda r: r.say("You are not signed in, or no longer: sign in again."))
    answer.headers["WWW-Authenticate"] = 'Bearer realm="edtwin"'
    return answer


def opens_a_page() -> bool:
    """Is it asked by somebody who will read the answer as a page?"""
    return "text/html" in request.headers.get("Accept", "")


def said_page(status: int, title: str, body: str, language: Language) -> Response:
    """A plain page of one card."""
    style = f'<link rel="stylesheet" href="{asset_address("access.css")}">'
    inside = (
        f'{style}<main class="phone access-page"><section class="card"><h1>{escape(title)}</h1>{body}</section></main>'
    )
    answer = html_page(Frame("", language, 5.0), language, inside, title=title, renews=False)
    answer.status_code = status
    return answer


def _page(status: int, why: Words, language: Language) -> Response:
    reader = Reader(language, "UTC")
    wall = link(f"/?lang={language}", reader.say("To the wall"))
    other = link(f"{SIGN_IN}?lang={language}", reader.say("Sign in as somebody else"))
    return said_page(status, reader.say("Not for you"), f"<p>{escape(why(reader))}</p>{wall}{other}", language)


def link(address: str, words: str) -> str:
    """A way from a plain page, for a thumb."""
    return f'<a class="say-it" href="{escape(address, quote=True)}">{escape(words)}</a>'


def _data(status: int, why: Words) -> Response:
    told = {language: why(Reader(language, "UTC")) for language in LANGUAGES}
    both = {} if request.path.startswith("/api/") else told
    return Response(json.dumps({"error": told["en"], **both}, ensure_ascii=False), status, mimetype="application/json")
