"""HL7 messages over MLLP: a server that answers only what is on the disk.

    server = MllpServer(pipeline, hl7, clock, Link(port=2575), Senders(["GAM^CHU@10.1.0.0/16"]))
    server.start()      # the port is taken when this returns

What happens to a message:

1. Framed, within the bounds of `Limits`; what goes beyond is answered AR, and the connection closed.
2. Who sends is looked at: the address when the connection comes, MSH-3 and MSH-4 for each message.
3. `Pipeline.submit`: bounds, pseudonyms, the journal's sync.
4. Answered (`mllp_answers.py`), in the order in which messages came.

A connection that ends before the answer leaves the message with us or not; the sender sends it again, and the log
knows the events already.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.clock import Clock
from ingest.errors import LinkError
from ingest.formats import Format
from ingest.pipeline import Message, Pipeline, Receipt
from ingest.sources.mllp_answers import VERDICTS, Header, Verdict, answer, header_of
from ingest.sources.mllp_frames import VT, Framer, Overlong, framed
from ingest.sources.mllp_senders import Senders

logger = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
CLOSES_S = 1.0
"""How long a connection may take to close."""
TOLD_AT_MOST = 200
LARGE_BYTES = 16 * 1024
"""A message from here on is pseudonymised beside the loop, so that the others need not wait for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one sender, and all of them, may take."""

    frame_bytes: int = 1024 * 1024
    frame_s: float = 30.0
    """From the first byte of a frame to its last."""
    idle_s: float = 600.0
    answer_s: float = 30.0
    """How long a sender may take to fetch its answer."""
    per_peer: int = 10
    in_all: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where it listens; TLS with a certificate, and only for holders of one of `client_ca` where that is given."""

    host: str = "127.0.0.1"
    port: int = 2575
    certificate: Path | None = None
    key: Path | None = None
    client_ca: Path | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A message to be answered: its header, and what becomes of it."""

    header: Header
    receipts: Future[list[Receipt]] | None
    refused: str = ""
    """Why it is answered AR, whatever its receipt says."""


class MllpServer:
    """Listens in a thread of its own, from `start` to `stop`. `counts` says what it has met."""

    def __init__(
        self,
        pipeline: Pipeline,
        form: Format,
        clock: Clock,
        link: Link,
        senders: Senders | None = None,
        *,
        source: str = "mllp",
        limits: Limits | None = None,
    ) -> None:
        self._pipeline, self._form, self._clock, self._link = pipeline, form, clock, link
        self._senders, self._source, self._limits = senders or Senders(), source, limits or Limits()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mllp", daemon=True)
        self._peers: Counter[str] = Counter()
        self._answers = 0
        self._told: set[str] = set()
        self.counts: Counter[str] = Counter()
        """Messages by what was answered, connections and frames refused, bytes skipped."""
        self.port = link.port

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return sum(self._peers.values())

    def start(self) -> None:
        """Take the port and listen. Raises LinkError."""
        self._tls = _tls(self._link)
        self._ear = _ear(self._link)
        self.port = self._ear.getsockname()[1]
        self._thread.start()
        self._ready.wait()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Close every connection and the port."""
        if self._loop is not None and self._ended is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        asyncio.run(self._listen())

    async def _listen(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        served: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            served.add(task)
            task.add_done_callback(served.discard)
            with suppress(asyncio.CancelledError):  # at the end
                await self._serve(reader, writer)

        server = await asyncio.start_server(serve, sock=self._ear, ssl=self._tls, limit=CHUNK_BYTES, backlog=128)
        self._ready.set()
        await self._ended.wait()
        server.close()
        while served:  # again: `asyncio.wait_for` may lose a cancellation that comes as its awaitable is done
            for task in list(served):
                task.cancel()
            await asyncio.wait(served, timeout=2 * CLOSES_S)

    # --- a connection -----------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = str(writer.get_extra_info("peername")[0])
        why_not = self._why_not(peer)
        if why_not:
            self.counts[f"refused:{why_not}"] += 1
            self._tell_once(f"a connection from {peer} was refused: {why_not}")
            await _closed(writer)
            return
        self._peers[peer] += 1
        try:
            await self._converse(reader, writer, peer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            logger.info("the connection from %s has ended: %s", peer, type(error).__name__)
        finally:
            self._peers[peer] -= 1
            self._peers += Counter()  # forget those who have none
            await _closed(writer)

    def _tell_once(self, what: str) -> None:
        """A flood must not fill the log of the process; `counts` has the number."""
        if what not in self._told and len(self._told) < TOLD_AT_MOST:
            self._told.add(what)
            logger.warning("%s (told once)", what)

    def _why_not(self, peer: str) -> str:
        if not self._senders.may_connect(peer):
            return "address"
        if self.connections >= self._limits.in_all:
            return "too_many_connections"
        return "too_many_of_peer" if self._peers[peer] >= self._limits.per_peer else ""

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str) -> None:
        """Read and answer until the sender has gone, is silent for too long, or goes beyond the bounds."""
        framer = Framer(self._limits.frame_bytes)
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        while data := await self._read(reader, framer, began_at):
            was_inside, before = framer.is_inside, framer.skipped_bytes
            found = framer.feed(data)
            self.counts["skipped_bytes"] += framer.skipped_bytes - before
            if found or not was_inside:
                began_at = loop.time()
            if not await self._answer_all(found, writer, peer):
                return
        rest = framer.rest()
        if rest is not None:
            await self._answer_all([rest], writer, peer)

    async def _read(self, reader: asyncio.StreamReader, framer: Framer, began_at: float) -> bytes:
        """What comes next; nothing where the sender has gone or has taken too long."""
        limit_s = self._limits.idle_s
        if framer.is_inside:
            limit_s = began_at + self._limits.frame_s - asyncio.get_running_loop().time()
        try:
            return await asyncio.wait_for(reader.read(CHUNK_BYTES), max(limit_s, 0.0))
        except TimeoutError:
            self.counts["timed_out"] += 1
            return b""

    async def _answer_all(self, found: Sequence[bytes | Overlong], writer: asyncio.StreamWriter, peer: str) -> bool:
        """Keep the messages, then answer each in its turn; False where nothing more may come."""
        received = [await self._received(message, peer) for message in found]
        for one in received:
            text = await self._answered(one)
            if text is not None:
                writer.write(framed(text))
        await asyncio.wait_for(writer.drain(), self._limits.answer_s)
        return not any(isinstance(message, Overlong) for message in found)

    async def _received(self, message: bytes | Overlong, peer: str) -> Received:
        """Steps 2 and 3."""
        content = message.beginning if isinstance(message, Overlong) else message
        header = header_of(content)
        if not self._senders.may_send(peer, *header.sender):
            self.counts["refused:sender"] += 1
            self._tell_once(f"a message from {peer} was refused: its sender is not among those named")
            return Received(header, None, "sender_not_allowed")
        if isinstance(message, Overlong):
            told = self._pipeline.submit_broken(content, self._form, self._source, "frame_too_long")
            return Received(header, told, "frame_too_long")
        if VT in content:
            return Received(header, self._pipeline.submit_broken(content, self._form, self._source, "frame_in_frame"))
        return Received(header, await self._submitted(content))

    async def _submitted(self, content: bytes) -> Future[list[Receipt]]:
        messages = [Message(content)]
        if len(content) < LARGE_BYTES:
            return self._pipeline.submit(messages, self._form, self._source)
        return await asyncio.to_thread(self._pipeline.submit, messages, self._form, self._source)

    async def _answered(self, received: Received) -> bytes | None:
        """Step 4: only when the receipt has come."""
        verdict, reason, number = Verdict.OURS, received.refused, ""
        if received.receipts is not None:
            (receipt,) = await asyncio.wrap_future(received.receipts)
            number = f"{receipt.number or ''}"
            if not received.refused:
                verdict, reason = VERDICTS[receipt.answer], receipt.reason
        self._answers += 1
        self.counts[f"{verdict.name.lower()}"] += 1
        ours = f"edtwin{number or f'-{self._answers}'}"
        return answer(verdict, received.header, now=self._clock.now(), number=ours, reason=reason)


def _ear(link: Link) -> socket.socket:
    family = socket.AF_INET6 if ":" in link.host else socket.AF_INET
    try:
        return socket.create_server((link.host, link.port), family=family, backlog=128)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error
        raise LinkError(f"MLLP cannot be listened for on {link.host}, port {link.port}: {why}") from error


def _tls(link: Link) -> ssl.SSLContext | None:
    """Version 1.2 or later; with `client_ca`, only for who shows a certificate of it."""
    if link.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(link.certificate, link.key)
        if link.client_ca is not None:
            context.load_verify_locations(link.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise LinkError(f"the certificates of MLLP cannot be used: {error.strerror or type(error).__name__}") from error
    return context


async def _closed(writer: asyncio.StreamWriter) -> None:
    """The connection closed, and not only asked to: the loop may end with whoever asked."""
    writer.close()
    with suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), CLOSES_S)
