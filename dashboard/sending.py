"""A recorded period sent to another system as it would have come: HL7 messages over MLLP, each acknowledged."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dashboard.errors import CommandError
from ingest.clock import Clock
from ingest.events import Event
from ingest.sources.mllp_client import MllpClient
from ingest.sources.replay import Recording


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who takes the messages; over TLS where the authority of its certificate is named."""

    host: str
    port: int
    authority: Path | None = None
    certificate: Path | None = None

    @classmethod
    def of(cls, text: str, *, authority: Path | None = None, certificate: Path | None = None) -> Self:
        """From `host:port` or `[address]:port`. Raises CommandError."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) < 65536:
            raise CommandError(f"--to-mllp must be like 127.0.0.1:2575, but is {text!r}")
        return cls(host.strip("[]"), int(port), authority, certificate)

    def tls(self) -> ssl.SSLContext | None:
        """Who the receiver must be, and what we show; None for plain text. Raises CommandError."""
        if self.authority is None:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.authority))
            if self.certificate is not None:
                context.load_cert_chain(self.certificate)
        except (OSError, ssl.SSLError) as error:
            raise CommandError(f"the certificates cannot be used: {error.strerror or error}") from error
        return context


def send_mllp(
    recording: Recording, clock: Clock, receiver: Receiver, render: Callable[[Event], bytes | None]
) -> dict[str, int]:
    """Send each event when it became known; how many were sent, refused (AE), sent again, and have no message.

    Raises LinkError where the receiver does not take one after many tries.
    """
    unsaid = 0
    with MllpClient(receiver.host, receiver.port, tls=receiver.tls()) as client:
        for batch in recording.deliver(clock, threading.Event()):
            for event in batch:
                message = render(event)
                if message is None:
                    unsaid += 1
                else:
                    client.send(message)
    sent = client.sent
    return {"sent": sent.taken, "refused": sent.refused, "again": sent.again, "without_message": unsaid}
