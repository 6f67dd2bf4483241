"""`/api/v1`: what the board of a house shows, its scenarios and its desk over HTTP and JSON, for scripts and notebooks.

    answer_api(server, routes_of(scenarios, runs, desk, board))

The steps of a request, each answered with `{"error": "one sentence"}` where it fails, never with a trace:

1. A body must be of type application/json (415), which also keeps the forms of other sites out, and small (413).
2. It must be JSON (400), and its fields as they must be (422).
3. The route does what it is for, or says why not (403, 404, 409, 422, 429, 503).
4. What is read has an ETag; who sends it again as If-None-Match is told 304 while nothing is new.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from dashboard.access.errors import NotAllowedError
from dashboard.access.role_words import refused_words
from dashboard.api_bodies import read_body
from dashboard.api_document import document_of
from dashboard.api_routes import Route, with_document
from dashboard.errors import RefusedError
from dashboard.words import Reader
from forecast.errors import ForecastError
from twin.errors import TwinError

logger = logging.getLogger(__name__)

PREFIX = "/api/v1"
MEDIA_TYPE = "application/json"
LARGEST_BYTES = 64_000
_NOTHING = "api-nothing"
_METHODS = ("GET", "POST")
_READER = Reader("en", "UTC")


def answer_api(server: Flask, routes: Sequence[Route]) -> None:
    """Add the routes to a server, with their document at `/api/v1/openapi.json`."""
    whole = with_document(list(routes), partial(document_of, prefix=PREFIX))
    for route in whole:
        server.add_url_rule(PREFIX + route.path, f"api-{route.name}", _view(route), methods=[route.method])
    every = [*_METHODS, "PUT", "PATCH", "DELETE"]
    server.add_url_rule("/api/<path:rest>", _NOTHING, partial(_nothing, server), methods=every)


def _view(route: Route) -> Callable[..., Response]:
    def view(**names: str) -> Response:
        try:
            bodies = () if route.body is None else (read_body(_text(), route.body),)
            return _told(route, route.told(*bodies, **names))
        except Exception as fault:
            return _refused(fault)

    return view


def _text() -> bytes:
    """The body's bytes; raises RefusedError for one of another type, RequestEntityTooLarge for one too large."""
    if request.mimetype != MEDIA_TYPE:
        raise RefusedError(415, f"the body must be of type {MEDIA_TYPE}, but is {request.mimetype[:40] or 'of none'}")
    request.max_content_length = LARGEST_BYTES
    return request.get_data(cache=False)


def _told(route: Route, answer: Any) -> Response:
    text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False, allow_nan=False)
    told = Response(text, route.status, mimetype=route.media)
    if route.method == "GET":
        told.add_etag(weak=True)  # a strong one would be of one compression only
        told.make_conditional(request)
    return told


def _refused(fault: Exception) -> Response:
    match fault:
        case RefusedError():
            return _fault(fault.status, str(fault), fault.retry_after_s)
        case NotAllowedError():
            return _fault(403, refused_words(fault, _READER))
        case RequestEntityTooLarge():
            return _fault(413, f"the body must have {LARGEST_BYTES} bytes at most")
        case HTTPException():
            return _fault(fault.code or 400, "the request could not be read")
        case ForecastError() | TwinError():
            return _fault(422, str(fault))
    logger.error("a request to the API failed", exc_info=fault)
    return _fault(500, "this could not be done, by a fault of the house's own")


def _nothing(server: Flask, rest: str) -> Response:
    """What is answered where nothing is: the page of the wall would mislead a script."""
    allowed = [method for method in _METHODS if _is_there(server, method)]
    if not allowed:
        return _fault(404, f"there is nothing at this address; {PREFIX}/openapi.json tells what there is")
    answer = _fault(405, f"{request.method} is not answered here, but {', '.join(allowed)}")
    answer.headers["Allow"] = ", ".join(allowed)
    return answer


def _is_there(server: Flask, method: str) -> bool:
    endpoint, _ = server.url_map.bind("").match(request.path, method=method)
    return endpoint != _NOTHING


def _fault(status: int, why: str, retry_after_s: int | None = None) -> Response:
    told = {"error": " ".join(why.replace("\n", "; ").split())}
    answer = Response(json.dumps(told, ensure_ascii=False), status, mimetype=MEDIA_TYPE)
    if retry_after_s is not None:
        answer.headers["Retry-After"] = str(retry_after_s)
    return answer
