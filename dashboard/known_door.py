"""`/known`: where people say what is already known, by two taps and without a script.

A form that another site would send is refused: it must bear this house's token, which no other site can read, and a
browser that says where a form comes from must say that it comes from here (403). What cannot be is told on the page,
with what was typed still in it (422), and nothing is kept.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from dashboard.known_words import presets
from dashboard.pages.beside import KNOWN as ADDRESS
from dashboard.pages.beside import ways_of
from dashboard.pages.known import BETWEEN, OTHER, UNDO, Asked, known_page
from dashboard.phone_door import Frame, html_page, language_asked
from dashboard.plain_html import rendered
from dashboard.words import LANGUAGES, Language, Reader
from forecast.errors import QuestionError
from forecast.known_told import Told
from forecast.known_view import KINDS, Kind, KnownView
from ingest.clock import resolve

_NUMBER = re.compile(r"[0-9]{1,6}")
_LONGEST = 200


class Sayings(Protocol):
    """What people know, as the house keeps it."""

    def view(self) -> KnownView:
        """What the page shows."""

    def say(self, who: str, told: Told) -> int:
        """Keep what somebody says; its number. Raises QuestionError."""

    def undo(self, who: str, number: int) -> None:
        """Strike out what was said. Raises QuestionError."""


@dataclass(frozen=True)
class KnownDoor:
    """What the page needs: what people know, and the token of this house, another one each time it starts."""

    sayings: Sayings
    token: str


def answer_known(server: Flask, door: KnownDoor | None, frame: Frame) -> None:
    """Add the page and its two forms; where nothing can be said here, an address that is not there."""
    if door is None:
        return
    page = _Page(door, frame)
    server.add_url_rule(ADDRESS, "known", page.show)
    server.add_url_rule(ADDRESS, "known-say", page.say, methods=["POST"])
    server.add_url_rule(UNDO, "known-undo", page.undo, methods=["POST"])


@dataclass(frozen=True)
class _Page:
    door: KnownDoor
    frame: Frame

    def show(self) -> Response:
        """The page as its address asks for it."""
        told = request.args.get("kind", "")
        kind = next((one for one in KINDS if one == told), None)
        done = request.args.get("done", "")
        asked = Asked(kind, _short("who", request.args.get), done=int(done) if _NUMBER.fullmatch(done) else None)
        return self._page(asked, language_asked(self.frame.language))

    def say(self) -> AnyResponse:
        """Keep what the form says, and lead to the page that tells so."""
        language = self._language()
        if fault := self._foreign(language):
            return fault
        view, asked = self.door.sayings.view(), _typed()
        try:
            number = self.door.sayings.say(asked.who, _told(asked, view, Reader(language, view.zone)))
        except QuestionError as fault_said:
            return self._refused(asked, fault_said, language)
        return _leading(language, asked.who, number)

    def undo(self) -> AnyResponse:
        """Strike out what the form names."""
        language = self._language()
        if fault := self._foreign(language):
            return fault
        who, number = _short("who"), _short("number")
        try:
            if not _NUMBER.fullmatch(number):
                raise QuestionError("Rien n'a ce numéro.", "Nothing has this number.")
            self.door.sayings.undo(who, int(number))
        except QuestionError as fault_said:
            return self._refused(Asked(who=who), fault_said, language)
        return _leading(language, who, int(number))

    def _foreign(self, language: Language) -> Response | None:
        """The answer to a form that does not come from this page; it stays as it was typed."""
        came_from = request.headers.get("Sec-Fetch-Site", "same-origin")
        token = request.form.get("token", "")
        if came_from == "same-origin" and hmac.compare_digest(token.encode(), self.door.token.encode()):
            return None
        said = Reader(language, "UTC").say("This form is not of this page, or is old: tap again.")
        return self._page(replace(_typed(), fault=said), language, 403)

    def _refused(self, asked: Asked, fault: QuestionError, language: Language) -> Response:
        said = Reader(language, "UTC").choice(fault.fr, fault.en)
        return self._page(replace(asked, fault=said), language, 422)

    def _page(self, asked: Asked, language: Language, status: int = 200) -> Response:
        view = self.door.sayings.view()
        reader = Reader(language, view.zone, rem_px=16.0, narrow=True)
        body = rendered(known_page(view, reader, ways_of(reader, view.mode, "known"), asked, self.door.token))
        answer = html_page(self.frame, language, body, title=reader.say("What is already known"), renews=False,
                           themed=ADDRESS.strip("/"))  # fmt: skip
        answer.status_code = status
        return answer

    def _language(self) -> Language:
        return next((one for one in LANGUAGES if one == request.form.get("lang")), self.frame.language)


def _leading(language: Language, who: str, number: int) -> AnyResponse:
    """To the page that tells what was done, so that to load it again does nothing again."""
    return redirect(f"{ADDRESS}?{urlencode({'lang': language, 'who': who, 'done': number})}", code=303)


def _typed() -> Asked:
    told = _short("kind")
    choice = _short("choice")
    name, _, time = choice.partition(BETWEEN)
    kind = next((one for one in KINDS if one == told), None)
    if choice == OTHER:
        return Asked(kind, _short("who"), _short("count"), _short("name"), _short("at"))
    return Asked(kind, _short("who"), _short("count"), name, time)


def _told(asked: Asked, view: KnownView, reader: Reader) -> Told:
    """What the form says, checked as far as it can be here. Raises QuestionError."""
    if asked.kind is None:
        raise QuestionError("Choisissez d'abord ce que l'on sait.", "Choose first what is known.")
    if not _NUMBER.fullmatch(asked.count):
        raise QuestionError(
            "Le nombre doit être un nombre entier : rien n'est retenu.",
            "The number must be a whole one: nothing is kept.",
        )
    return Told(asked.kind, _at(asked, asked.kind, view, reader), int(asked.count), asked.name)


def _at(asked: Asked, kind: Kind, view: KnownView, reader: Reader) -> datetime:
    for name, at, _ in presets(kind, view.made_at, reader):
        if name == asked.at:
            return at
    try:
        typed = datetime.fromisoformat(asked.at)
    except ValueError:
        typed = None
    if typed is None or typed.tzinfo is not None:
        raise QuestionError(
            "L'heure manque ou ne se lit pas : choisissez-la. Rien n'est retenu.",
            "The time is missing or cannot be read: choose one. Nothing is kept.",
        )
    return resolve(typed, view.zone)[0]


def _short(name: str, of: Callable[..., str | None] | None = None) -> str:
    """A field of the form, or of the address, cut where it is too long to be ours."""
    return ((of or request.form.get)(name) or "")[:_LONGEST]
