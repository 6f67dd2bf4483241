"""`/phone`: the telephone's page as plain HTML, what renews it, and what makes it an application of the telephone.

The page is whole when it comes: no script is needed to read it, and none draws anything. A small one asks for what
stands on it every few seconds (an answer without news is empty) and puts it in its place; `assets/alive.js` greys it,
as the wall, when the server falls silent. The telephone keeps one page alone: that which says that there is no
connection.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from dashboard.access.bar import bar
from dashboard.pages.beside import PHONE as ADDRESS
from dashboard.pages.beside import ways_of
from dashboard.pages.phone import phone
from dashboard.plain_html import rendered
from dashboard.theme import ASSETS, asset_address, colours
from dashboard.words import LANGUAGES, Language, Reader
from forecast.board import Board

STYLES = ("colours.css", "wall.css", "pages.css", "data.css", "terms.css", "phone.css")
SCRIPTS = ("alive.js", "phone.js", "terms.js")
ICONS = (("icon-192.png", "192x192"), ("icon-512.png", "512x512"), ("icon.svg", "any"))
NOT_DASHS = r"phone|known|theme|access"
"""Files of the folder of assets that are not loaded at the end of every page: those whose names begin so."""
RELOAD_S = 60
"""A telephone without scripts asks anew so often."""
_UNKNOWN_ZONE = "UTC"

Shown = Callable[[], tuple[Board | None, str]]
"""The board as it reads at this minute, and a word for it."""


@dataclass(frozen=True)
class Frame:
    """What stands around the page, whatever it shows: the wall's band of an exercise and box of a lost link."""

    above: str
    language: Language
    refresh_s: float


def answer_phone(server: Flask, shown: Shown, frame: Frame) -> None:
    """Add the telephone's page and what belongs to it; and lead a telephone that asks for the house's address to it."""
    fragments = _Fragments(shown)

    def page() -> Response:
        language = language_asked(frame.language)
        said, version = fragments.of(language)
        body = f'<div id="phone">{said}</div>'
        return html_page(frame, language, body, title="edtwin", version=version)

    def board() -> Response:
        said, version = fragments.of(language_asked(frame.language))
        is_known = request.headers.get("If-None-Match", "").strip('W/"') == version
        answer = Response(status=304) if is_known else Response(said, mimetype="text/html")
        answer.set_etag(version, weak=True)
        return answer

    server.add_url_rule(ADDRESS, "phone", page)
    server.add_url_rule(f"{ADDRESS}/board", "phone-board", board)
    _answer_application(server, frame)
    server.before_request(_lead)


def language_asked(usual: Language) -> Language:
    """The language of the address; the house's where it names none."""
    return next((one for one in LANGUAGES if one == request.args.get("lang")), usual)


def is_telephone() -> bool:
    """Whether who asks says that it is one: browsers of telephones say Mobile, those of computers do not."""
    agent = request.headers.get("User-Agent", "")
    return request.headers.get("Sec-CH-UA-Mobile") == "?1" or "Mobi" in agent


def theme_script(following: Sequence[str], turning: Sequence[str] = ()) -> str:
    """What makes a page light or dark before it is painted: those that follow their reader are named, and the addresses
    that the wall's screen turns through; all others are dark."""
    told = f'data-follow="{escape(" ".join(following))}" data-turning="{escape(" ".join(turning))}"'
    return f'<script src="{asset_address("theme.js")}" {told}></script>'


def html_page(
    frame: Frame, language: Language, body: str, *, title: str, version: str = "", renews: bool = True,
    themed: str = "",
) -> Response:  # fmt: skip
    """A page for a telephone around its body; one that `renews` itself asks anew, with a script or without. `themed` is
    its name where it is light or dark as its reader likes; else it is dark."""
    head = [
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f'<meta name="theme-color" content="{colours("dark")["ground"]}">',
        f'<meta name="color-scheme" content="dark{" light" * bool(themed)}">',
        f"<title>{escape(title)}</title>",
        f'<link rel="manifest" href="/manifest.webmanifest?lang={language}">',
        '<link rel="icon" href="/assets/icons/icon.svg" type="image/svg+xml">',
        '<link rel="apple-touch-icon" href="/assets/icons/apple-touch-icon.png">',
        *(f'<link rel="stylesheet" href="{asset_address(name)}">' for name in STYLES),
    ]
    if themed:
        head.append(theme_script([themed]))
    if renews:
        head.append(f'<noscript><meta http-equiv="refresh" content="{RELOAD_S}"></noscript>')
    scripts = "".join(f'<script src="{asset_address(name)}" defer></script>' for name in (SCRIPTS if renews else ()))
    told = f'data-version="{version}" data-refresh-ms="{round(1000 * frame.refresh_s)}"'
    beat = '<div id="beat" hidden></div>' if renews else ""
    around = frame.above if renews else ""
    text = (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>{"".join(head)}</head>\n'
        f'<body class="on-phone" {told}>{around}{bar(language)}{body}{beat}{scripts}</body>\n</html>\n'
    )
    return Response(text, mimetype="text/html")


class _Fragments:
    """What stands on the page, by language; made once for all who look, as long as it is the same."""

    def __init__(self, shown: Shown) -> None:
        self._shown, self._lock = shown, threading.Lock()
        self._made: dict[Language, tuple[str, str, str]] = {}

    def of(self, language: Language) -> tuple[str, str]:
        """The page's inside, and a word that is another one where that is another."""
        board, word = self._shown()
        with self._lock:
            known = self._made.get(language)
            if known is None or known[0] != word:
                said = _inside(board, language)
                known = word, said, sha256(said.encode()).hexdigest()[:16]
                self._made[language] = known
        return known[1], known[2]


def _inside(board: Board | None, language: Language) -> str:
    reader = Reader(language, board.zone if board else _UNKNOWN_ZONE, rem_px=16.0, narrow=True)
    return rendered(phone(board, reader, ways_of(reader, board.mode if board else "")))


def _lead() -> AnyResponse | None:
    """A telephone that asks for the house's address is led to its page, once: that page leads nowhere by itself."""
    if request.path != "/" or request.method != "GET" or not is_telephone():
        return None
    language = {"lang": request.args["lang"]} if request.args.get("lang") in LANGUAGES else {}
    answer = redirect(f"{ADDRESS}?{urlencode(language)}" if language else ADDRESS)
    answer.headers["Vary"] = "User-Agent, Sec-CH-UA-Mobile"
    return answer


# --- the application of a telephone ----------------------------------------------------------------------------------


def _answer_application(server: Flask, frame: Frame) -> None:
    def manifest() -> Response:
        told = json.dumps(_manifest(language_asked(frame.language)), ensure_ascii=False)
        return Response(told, mimetype="application/manifest+json")

    def worker() -> Response:
        pages = "".join(_offline(language) for language in LANGUAGES)
        script = (ASSETS / "phone-worker.js").read_text(encoding="utf-8")
        # another page, another script: so a telephone takes the new page
        return Response(f"{script}// {sha256(pages.encode()).hexdigest()}\n", mimetype="text/javascript")

    def offline() -> Response:
        language = language_asked(frame.language)
        return html_page(frame, language, _offline(language), title="edtwin", renews=False)

    server.add_url_rule("/manifest.webmanifest", "manifest", manifest)
    server.add_url_rule("/phone-worker.js", "phone-worker", worker)
    server.add_url_rule(f"{ADDRESS}/offline", "phone-offline", offline)


def _manifest(language: Language) -> dict[str, object]:
    reader, ground = Reader(language, _UNKNOWN_ZONE), colours("dark")["ground"]
    icons = [
        {"src": f"/assets/icons/{name}", "sizes": sizes, "type": "image/svg+xml" if sizes == "any" else "image/png"}
        for name, sizes in ICONS
    ]
    return {
        "id": ADDRESS, "name": reader.say("edtwin: the emergency department ahead"), "short_name": "edtwin",
        "lang": language, "start_url": f"{ADDRESS}?lang={language}", "scope": "/", "display": "standalone",
        "background_color": ground, "theme_color": ground, "icons": icons,
    }  # fmt: skip


def _offline(language: Language) -> str:
    """Says that there is no connection, and shows nothing of the hospital: what is old must not look new."""
    reader = Reader(language, _UNKNOWN_ZONE)
    why = escape(reader.say("No connection to the house: nothing can be shown."))
    numbers = escape(reader.say("No number is kept on this telephone, so that nothing old looks new."))
    again = escape(reader.say("Try again"))
    return (
        f'<main class="wall phone offline"><h1>{why}</h1><p>{numbers}</p>'
        f'<p><a class="say-it" href="{ADDRESS}?lang={language}">{again}</a></p></main>'
    )
