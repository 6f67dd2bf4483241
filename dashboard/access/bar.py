"""The bar over every page: who is signed in, as what, and the way out. Nothing where nobody signs in.

It also hides what this person may not begin (`table.hidden_from`): the server refuses it all the same.
"""

from __future__ import annotations

from html import escape

from dashboard.access.acting import signed_in
from dashboard.access.role_words import may_words, role_name
from dashboard.access.roles import SignedIn
from dashboard.access.table import SIGN_OUT, hidden_from
from dashboard.theme import asset_address
from dashboard.words import Language, Reader


def bar(language: Language) -> str:
    """The bar of who asks, as HTML."""
    signed = signed_in()
    if signed.name is None or signed.role is None:
        return ""
    reader = Reader(language, "UTC")
    barred = hidden_from(signed.role)
    called = escape(reader.say("Who is signed in"))
    hides = f"<style>{barred} {{ display: none !important; }}</style>" if barred else ""
    return (
        f'<link rel="stylesheet" href="{asset_address("access.css")}">'
        f'<script src="{asset_address("access.js")}"></script>{hides}'
        f'<section id="signed-in" aria-label="{called}" data-role="{signed.role}">'
        f"{_who(signed, reader)}{_out(signed, reader)}</section>"
        '<div id="refused" role="alert" popover="manual"></div>'
    )


def _who(signed: SignedIn, reader: Reader) -> str:
    assert signed.role is not None
    role = escape(role_name(signed.role, reader))
    may = escape(may_words(signed.role, reader))
    return f'<span class="who"><b>{escape(signed.name or "")}</b> · {role}</span> <span class="may">{may}</span>'


def _out(signed: SignedIn, reader: Reader) -> str:
    """A wall's screen hangs there: nobody signs it out in passing, but on the page of the sign-in."""
    if signed.role == "wall":
        return ""
    words = escape(reader.say("Sign out"))
    button = f'<button type="submit">{words}</button>'
    language = f'<input type="hidden" name="lang" value="{reader.language}">'
    return f'<form method="post" action="{SIGN_OUT}">{language}{button}</form>'
