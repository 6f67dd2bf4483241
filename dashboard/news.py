"""`/news/PAGE`: a word that changes whenever what an open page shows does; by it the page knows that we live.

A page asks it every few seconds, and is filled anew only where the word is another one: what is handed to Dash costs a
large page most of a second of its reader's processor, even where nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, request

ADDRESS = "/news"
ENDPOINT = "news"
LONGEST_QUERY = 600

WordOf = Callable[[str, str], str]
"""The word of a page by its name and by what its address asks for."""


def answer_news(server: Flask, word_of: WordOf) -> None:
    """Answer what open pages ask."""

    def news(page: str) -> Response:
        query = request.query_string.decode("utf-8", "replace")
        if len(query) >= LONGEST_QUERY:
            return Response("an address asks for less than that\n", 400, mimetype="text/plain")
        return Response(word_of(page, f"?{query}" if query else ""), mimetype="text/plain")

    server.add_url_rule(f"{ADDRESS}/<page>", ENDPOINT, news)
