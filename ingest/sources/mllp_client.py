"""The sending side of MLLP: each message is sent until its receiver has taken it, or says that it never will."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

from ingest.clock import Clock, WallClock
from ingest.errors import LinkError
from ingest.sources.mllp_frames import Framer, framed

CHUNK_BYTES = 64 * 1024
ANSWER_BYTES = 64 * 1024
TAKEN, REFUSED = ("AA", "CA"), ("AE", "CE")


@dataclass
class Sent:
    """What became of the messages sent: taken, refused for good (AE), and how often one had to be sent again."""

    taken: int = 0
    refused: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long an answer is waited for, and how often a message is sent again before it is given up."""

    answer_s: float = 30.0
    tries: int = 10
    """Of a receiver that has never answered: most likely it is not there."""
    tries_once_known: int = 65
    """Of one that has: ten minutes, in which it may be started again."""
    pause_s: float = 0.5
    """Before the second try; twice as long before each further one, up to `longest_pause_s`."""
    longest_pause_s: float = 10.0


@dataclass
class MllpClient:
    """Sends over one connection, made when it is needed. Close it, or use it in a `with` block."""

    host: str
    port: int
    patience: Patience = field(default_factory=Patience)
    tls: ssl.SSLContext | None = None
    sent: Sent = field(default_factory=Sent)
    clock: Clock = field(default_factory=WallClock)
    _socket: socket.socket | None = None

    def send(self, message: bytes) -> str:
        """Send a message until it is answered for good; the code of that answer.

        1. Connect, if need be; send; wait for the answer.
        2. AR, a broken connection or silence: again, after a pause that grows.

        Raises LinkError when it is given up.
        """
        why, tries = "no try was made", self._tries
        for attempt in range(tries):
            if attempt:
                self.sent.again += 1
                pause_s = min(self.patience.pause_s * 2 ** (attempt - 1), self.patience.longest_pause_s)
                self.clock.sleep_until(self.clock.now() + timedelta(seconds=pause_s), threading.Event())
            try:
                code = self._exchange(message)  # 1
            except (OSError, LinkError) as error:
                self.close()
                why = str(error) or type(error).__name__
                continue  # 2
            if code in TAKEN or code in REFUSED:
                self._count(code)
                return code
            why = f"it answers {code}"
        raise LinkError(f"{self.host}:{self.port} does not take messages: {why} ({tries} tries)")

    @property
    def _tries(self) -> int:
        is_known = self.sent.taken + self.sent.refused > 0
        return self.patience.tries_once_known if is_known else self.patience.tries

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _count(self, code: str) -> None:
        if code in TAKEN:
            self.sent.taken += 1
        else:
            self.sent.refused += 1

    def _exchange(self, message: bytes) -> str:
        with self._connected() as link:
            link.sendall(framed(message))
            return code_in(self._answer(link))

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        if self._socket is None:
            plain = socket.create_connection((self.host, self.port), timeout=self.patience.answer_s)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = self.tls.wrap_socket(plain, server_hostname=self.host) if self.tls else plain
        yield self._socket

    def _answer(self, link: socket.socket) -> bytes:
        framer = Framer(ANSWER_BYTES)
        while data := link.recv(CHUNK_BYTES):
            for answer in framer.feed(data):
                if isinstance(answer, bytes):
                    return answer
        raise LinkError("the connection was closed before the answer")


def code_in(answer: bytes) -> str:
    """The code of an acknowledgement (MSA-1). Raises LinkError for what is none."""
    for segment in answer.split(b"\r"):
        if segment.startswith(b"MSA") and len(segment) > 5:
            return segment.split(segment[3:4])[1].decode("ascii", "replace")
    raise LinkError("the answer is no acknowledgement")
