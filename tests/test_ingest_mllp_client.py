"""The sending side: a message is sent until it is taken, or refused for good."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from ingest.errors import LinkError
from ingest.sources.mllp_client import MllpClient, Patience, code_in
from ingest.sources.mllp_frames import Framer, framed
from tests.fake_format import hl7

QUICK = Patience(answer_s=0.3, tries=4, pause_s=0.01)
CLOSE, SILENT = "close", "silent"


@contextmanager
def receiver(*script: str) -> Iterator[tuple[int, list[bytes]]]:
    """A receiver that answers the messages that come, over all connections, as its script says; and what it got."""
    got: list[bytes] = []
    steps = iter(script)
    ear = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        step = next(steps, None)
        while step is not None:
            try:
                link, _ = ear.accept()
            except OSError:
                return
            framer = Framer(10_000)
            with link:
                while step is not None and (data := link.recv(4096)):
                    for message in framer.feed(data):
                        assert isinstance(message, bytes)
                        got.append(message)
                        said, step = step, next(steps, None)
                        if said not in (CLOSE, SILENT):
                            link.sendall(framed(b"MSH|^~\\&\rMSA|" + (said or "").encode() + b"|1\r"))
                        if said == CLOSE:
                            link.close()
                    if link.fileno() < 0:
                        break

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield ear.getsockname()[1], got
    finally:
        ear.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        ear.close()


@pytest.mark.parametrize(
    ("script", "code", "again"),
    [
        (("AA",), "AA", 0),
        (("CA",), "CA", 0),
        (("AE",), "AE", 0),
        (("AR", "AR", "AA"), "AA", 2),
        (("CR", "CE"), "CE", 1),
        ((CLOSE, "AA"), "AA", 1),
        ((SILENT, "AA"), "AA", 1),
    ],
)
def test_a_message_is_sent_until_it_is_answered_for_good(script: tuple[str, ...], code: str, again: int) -> None:
    with receiver(*script) as (port, got), MllpClient("127.0.0.1", port, QUICK) as client:
        assert client.send(hl7(1)) == code
        assert client.sent.again == again
        assert got == [hl7(1)] * len(script)
        assert (client.sent.taken, client.sent.refused) == ((1, 0) if code in ("AA", "CA") else (0, 1))


def test_what_is_never_taken_is_given_up() -> None:
    with (
        receiver(*["AR"] * 9) as (port, got),
        MllpClient("127.0.0.1", port, QUICK) as client,
        pytest.raises(LinkError, match=r"does not take messages: it answers AR \(4 tries\)"),
    ):
        client.send(hl7(1))
    assert len(got) == 4


def test_a_receiver_that_has_answered_is_waited_for_longer_than_one_that_never_did() -> None:
    """It may be started again; the mutant, as patient as with a stranger, gives up on it."""
    patient = Patience(answer_s=0.3, tries=2, tries_once_known=6, pause_s=0.01)
    script = ["AA", *["AR"] * 4, "AA"]
    with receiver(*script) as (port, _), MllpClient("127.0.0.1", port, patient) as client:
        assert [client.send(hl7(n)) for n in (1, 2)] == ["AA", "AA"]
        assert client.sent.again == 4
    hasty = replace(patient, tries_once_known=2)
    with receiver(*script) as (port, _), MllpClient("127.0.0.1", port, hasty) as client:
        client.send(hl7(1))
        with pytest.raises(LinkError, match=r"\(2 tries\)"):
            client.send(hl7(2))


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as ear:
        port = ear.getsockname()[1]
    with MllpClient("127.0.0.1", port, QUICK) as client, pytest.raises(LinkError, match="does not take messages"):
        client.send(hl7(1))


def test_an_answer_that_is_none_is_told() -> None:
    with pytest.raises(LinkError, match="no acknowledgement"):
        code_in(b"MSH|^~\\&\rMSB|AA")
