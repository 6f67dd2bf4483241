"""An alarm by webhook: a POST of JSON that is signed, and bears the same key whenever it is sent again.

    POST /hook
    Content-Type: application/json
    Idempotency-Key: crowded-20261124T133000Z/raised/0/command_centre
    X-Edtwin-Timestamp: 2026-11-24T13:30:02+00:00
    X-Edtwin-Signature: v1=<hex of HMAC-SHA256 of "timestamp.body" with the secret>

A receiver answers 2xx once it has it. It should check the signature and that the timestamp is not old (`verified`).
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import ssl
from urllib.parse import SplitResult, urlsplit

from forecast.alert_log import Step
from forecast.alert_mail import first_line
from forecast.alert_rules import Recipient
from forecast.errors import UndeliveredError
from ingest.clock import Clock

LONGEST_S = 10.0
AGAIN = (408, 425, 429)
"""Answers beside 5xx after which it is tried again."""


class WebhookCarrier:
    """Posts to one recipient."""

    def __init__(self, recipient: Recipient, clock: Clock) -> None:
        self._recipient, self._clock = recipient, clock

    def carry(self, step: Step) -> None:
        """Post the message. Raises UndeliveredError; final where the answer says that no further try would help.

        A redirection is not followed: what is signed for one place is not for another.
        """
        if self._recipient.secret_file is None or self._recipient.webhook is None:
            raise UndeliveredError("has no address or no secret", final=True)
        secret = first_line(self._recipient.secret_file)
        body = json.dumps({"id": step.key, **step.message}, ensure_ascii=False, allow_nan=False).encode()
        stamp = self._clock.now().isoformat()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": step.key,
            "X-Edtwin-Timestamp": stamp,
            "X-Edtwin-Signature": signature(secret, stamp, body),
            "User-Agent": "edtwin",
        }
        try:
            status = self._posted(urlsplit(self._recipient.webhook), body, headers)
        except (OSError, http.client.HTTPException) as error:
            raise UndeliveredError(f"the webhook cannot be reached: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise UndeliveredError(f"the webhook answered {status}", final=status < 500 and status not in AGAIN)

    def _posted(self, to: SplitResult, body: bytes, headers: dict[str, str]) -> int:
        link = self._link(to)
        try:
            link.request("POST", (to.path or "/") + (f"?{to.query}" if to.query else ""), body, headers)
            return link.getresponse().status
        finally:
            link.close()

    def _link(self, to: SplitResult) -> http.client.HTTPConnection:
        host = str(to.hostname)
        if to.scheme == "http":
            return http.client.HTTPConnection(host, to.port, timeout=LONGEST_S)
        ca = self._recipient.ca
        trusted = ssl.create_default_context(cafile=None if ca is None else str(ca))
        return http.client.HTTPSConnection(host, to.port, timeout=LONGEST_S, context=trusted)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What stands in the header for a body sent at a time."""
    return "v1=" + hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def verified(secret: str, stamp: str, body: bytes, shown: str) -> bool:
    """Whether a signature that was shown is that of the body and the time."""
    return hmac.compare_digest(signature(secret, stamp, body), shown)
