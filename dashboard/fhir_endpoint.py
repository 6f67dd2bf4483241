"""`/fhir`: where a FHIR server sends Encounters and Locations as they change (a Subscription of type rest-hook).

    answer_fhir(server, FhirFormat(mapping, pseudonyms), receive, read_token(path))

The steps of a request, each answered with an OperationOutcome where it fails:

1. The bearer token is compared in constant time (401).
2. The media type must be JSON (415), the body within bounds (413).
3. A loose Bundle becomes one message an entry; `receive` keeps them, and only then may anything be answered (503).
4. What can be said of the messages already is said: 200 where one is read or ignored, 422 where none is, 400 where
   it is not FHIR at all. They are kept either way: to send them again would change nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ingest.clock import Clock
from ingest.errors import SecretError
from ingest.fhir import FhirFormat
from ingest.fhir_json import LARGEST_BYTES
from ingest.formats import Place, Reading

MEDIA_TYPES = ("application/fhir+json", "application/json")
SHORTEST_TOKEN = 32
MOST_ISSUES = 20
RETRY_AFTER_S = 5
_UNREADABLE = frozenset(
    ("not_json", "not_utf8", "not_fhir", "too_large", "too_deep", "too_many_values", "too_many_entries")
)


class Receipt(Protocol):
    """What whoever keeps the messages says of one: kept for good or not, its number, and since when."""

    @property
    def is_kept(self) -> bool:
        """True where the sender need not send it again."""

    @property
    def number(self) -> int | None:
        """Its place in the source."""

    @property
    def stored_at(self) -> datetime | None:
        """When it was kept."""


Receive = Callable[[Sequence[bytes]], Sequence[Receipt]]
"""Keeps all of some messages, or none, and returns when they are on the disk; never raises."""


def read_token(path: Path) -> bytes:
    """The token in a file that its owner alone may read. Raises SecretError."""
    try:
        mode, token = path.stat().st_mode, path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(f"the token {path} cannot be read: {type(error).__name__}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretError(
            f"the token {path} must be readable by its owner alone (mode 0600), but has mode {mode & 0o777:04o}"
        )
    if len(token) < SHORTEST_TOKEN or " " in token:
        raise SecretError(f"the token {path} must be one word of {SHORTEST_TOKEN} characters or more")
    return token.encode()


def answer_fhir(server: Flask, told: FhirFormat, receive: Receive, token: bytes, clock: Clock) -> None:
    """Add `/fhir` to a server."""
    expected = hashlib.sha256(token).digest()

    def fhir(kind: str = "", number: str = "") -> Response:
        try:
            return _answered(told, receive, expected, clock)
        except RequestEntityTooLarge:
            return _outcome(413, _issue("too-costly", f"a message may have at most {LARGEST_BYTES} bytes"))
        except HTTPException as error:
            return _outcome(error.code or 400, _issue("processing", "the request could not be read"))

    server.add_url_rule("/fhir", "fhir", fhir, methods=["GET", "POST"])
    # R4 sends a changed resource as an update of itself; where it is put changes nothing
    server.add_url_rule("/fhir/<kind>/<number>", "fhir_put", fhir, methods=["PUT", "POST"])


def _answered(told: FhirFormat, receive: Receive, expected: bytes, clock: Clock) -> Response:
    if request.method == "GET":
        answer = _outcome(405, _issue("not-supported", "resources are sent here, and not given out"))
        answer.headers["Allow"] = "POST"
        return answer
    if not _may(request.headers.get("Authorization", ""), expected):  # 1
        answer = _outcome(401, _issue("login", "a bearer token is needed"))
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if request.mimetype not in MEDIA_TYPES and request.content_length != 0:  # 2
        return _outcome(415, _issue("not-supported", f"the content must be of type {MEDIA_TYPES[0]}"))
    request.max_content_length = LARGEST_BYTES
    message = request.get_data(cache=False)
    if not message.strip():
        return _outcome(
            200, _issue("informational", "a notification without content; nothing is fetched", "information")
        )
    messages = told.parts(message)  # 3
    receipts = receive(messages)
    if not all(receipt.is_kept for receipt in receipts):
        answer = _outcome(503, _issue("transient", "the message could not be kept; send it again"))
        answer.headers["Retry-After"] = str(RETRY_AFTER_S)
        return answer
    return _said(told, messages, receipts, clock.now())  # 4


def _may(authorization: str, expected: bytes) -> bool:
    """Digests are compared, so that the time tells nothing of the token, nor of its length."""
    scheme, _, given = authorization.partition(" ")
    digest = hashlib.sha256(given.strip().encode()).digest()
    return hmac.compare_digest(digest, expected) and scheme.lower() == "bearer"


def _said(told: FhirFormat, messages: Sequence[bytes], receipts: Sequence[Receipt], now: datetime) -> Response:
    """What is wrong with the messages, as far as it can be said now; they are kept with it."""
    readings = [
        told.read(
            told.kept(message).payload,
            Place(source=told.source, position=receipt.number or 0, stored_at=receipt.stored_at or now),
        )
        for message, receipt in zip(messages, receipts, strict=True)
    ]
    refused = [(number, reading) for number, reading in enumerate(readings, start=1) if reading.rejected]
    issues = [_issue_of(number, reading, len(readings)) for number, reading in refused[:MOST_ISSUES]]
    kept = f"{len(readings)} kept, {len(refused)} of them not understood"
    if len(refused) < len(readings):
        return _outcome(200, _issue("informational", kept, "information"), *issues)
    unreadable = all(reading.rejected in _UNREADABLE for reading in readings)
    return _outcome(400 if unreadable else 422, *issues)


def _issue_of(number: int, reading: Reading, of: int) -> dict[str, Any]:
    code = "structure" if reading.rejected in _UNREADABLE else "invalid"
    where = f"entry {number}: " if of > 1 else ""
    return _issue(code, f"{where}{reading.rejected}: {reading.sentence}")


def _issue(code: str, diagnostics: str, severity: str = "error") -> dict[str, Any]:
    return {"severity": severity, "code": code, "diagnostics": diagnostics}


def _outcome(status: int, *issues: dict[str, Any]) -> Response:
    body = {"resourceType": "OperationOutcome", "issue": list(issues)}
    return Response(json.dumps(body), status, mimetype=MEDIA_TYPES[0])
