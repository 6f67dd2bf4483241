"""`/news/PAGE`: a word that changes whenever what an open page shows does; by it the page knows that we live.

A page asks it every few seconds, and is filled anew only where the word is another one: what is handed to Dash costs a
large page most of a second of its reader's processor, even where nothing has changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, request

ADDRESS = "/news"
ENDPOINT = "news"
SCREEN = "Edtwin-Screen"
"""The header in which a page says what screen it is on, as JSON."""

WordOf = Callable[[dict[str, Any]], str]
"""The word of what a screen shows; raises BadRequest where the page says nonsense of it."""


def answer_news(server: Flask, word_of: WordOf) -> None:
    """Answer what open pages ask; which page it is, and what it asks for, are those of the address."""

    def news(page: str) -> Response:
        query = request.query_string.decode("utf-8", "replace")
        told = {"path": f"/{page}", "query": f"?{query}" if query else ""}
        return Response(word_of({**_screen(), **told}), mimetype="text/plain")

    server.add_url_rule(f"{ADDRESS}/<page>", ENDPOINT, news)


def _screen() -> dict[str, Any]:
    """What the page says of its screen; nothing where that cannot be read."""
    try:
        told = json.loads(request.headers.get(SCREEN, ""))
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
