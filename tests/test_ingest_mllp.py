"""The MLLP server, as senders meet it: answers only for what is on the disk, limits, networks, certificates."""

from __future__ import annotations

import errno
import os
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from ingest.clock import WallClock
from ingest.disk import Disk as HouseDisk
from ingest.errors import LinkError
from ingest.indexer import Indexer, JournalledLog
from ingest.journal import Journal
from ingest.pipeline import Bounds, Pipeline
from ingest.sources.mllp import Limits, Link, MllpServer
from ingest.sources.mllp_client import MllpClient, Patience, code_in
from ingest.sources.mllp_frames import Framer, framed
from ingest.sources.mllp_senders import Senders
from tests.fake_format import FakeHl7, hl7
from tests.journals import tell_before_the_sync
from tests.logs import memory_log

FORM = FakeHl7()


@dataclass
class Disk:
    """A sync that can be held, and that can fail."""

    error: int | None = None
    free: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)

    def sync(self, handle: int) -> None:
        self.reached.set()
        assert self.free.wait(10)
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))


@dataclass
class Served:
    """A server and what stands behind it."""

    server: MllpServer
    journal: Journal
    disk: Disk

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=10)


@contextmanager
def served(
    folder: Path,
    *,
    senders: Senders | None = None,
    limits: Limits | None = None,
    link: Link | None = None,
    bounds: Bounds | None = None,
) -> Iterator[Served]:
    log, disk = memory_log()[0], Disk()
    disk.free.set()
    with Journal.open(folder, log.instants, reserve_bytes=0, disk=HouseDisk(disk.sync)) as journal:
        pipeline = Pipeline(journal, bounds=bounds)
        server = MllpServer(pipeline, FORM, WallClock(), link or Link(port=0), senders, limits=limits)
        pipeline.start()
        server.start()
        try:
            yield Served(server, journal, disk)
        finally:
            disk.free.set()
            server.stop()
            pipeline.stop()


def answers(link: socket.socket, count: int) -> list[str]:
    """The codes of the next answers; fewer where the other side closes."""
    framer = Framer(10_000)
    codes: list[str] = []
    while len(codes) < count and (data := link.recv(4096)):
        codes += [code_in(a) for a in framer.feed(data) if isinstance(a, bytes)]
    return codes


def ask(link: socket.socket, message: bytes) -> str:
    link.sendall(framed(message))
    return answers(link, 1)[0]


def is_closed(link: socket.socket) -> bool:
    try:
        return link.recv(1) == b""
    except ConnectionError:
        return True


# ------------------------------------------------------------------------------------------------------------- answers


def test_many_messages_on_a_connection_are_answered_in_their_order(tmp_path: Path) -> None:
    with served(tmp_path) as s, s.connect() as link:
        link.sendall(b"".join(framed(hl7(n)) for n in range(20)))
        assert answers(link, 20) == ["AA"] * 20
        assert ask(link, hl7(20)) == "AA"
        assert [r.control_id for r in s.journal.records()] == [str(n) for n in range(21)]
        assert s.server.counts["good"] == 21
        assert s.server.connections == 1


def test_a_frame_may_come_byte_by_byte_after_junk(tmp_path: Path) -> None:
    with served(tmp_path) as s, s.connect() as link:
        for byte in b"junk" + framed(hl7(1)):
            link.sendall(bytes([byte]))
        assert answers(link, 1) == ["AA"]
        assert s.server.counts["skipped_bytes"] == 4


def check_answered_after_the_sync(folder: Path) -> None:
    with served(folder) as s, s.connect() as link:
        s.disk.free.clear()
        link.sendall(framed(hl7(1)))
        assert s.disk.reached.wait(10)
        assert select.select([link], [], [], 0.2) == ([], [], [])
        s.disk.free.set()
        assert answers(link, 1) == ["AA"]


def test_nothing_is_answered_before_the_sync(tmp_path: Path) -> None:
    check_answered_after_the_sync(tmp_path)


def test_the_check_sees_an_answer_before_the_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell_before_the_sync(monkeypatch)
    with pytest.raises(AssertionError):
        check_answered_after_the_sync(tmp_path)


def test_a_bad_message_is_kept_and_answered_ae(tmp_path: Path) -> None:
    with served(tmp_path) as s, s.connect() as link:
        assert [ask(link, m) for m in (b"MSH|^~\\&|A|B\rnothing", b"\x00\xff", b"", hl7(1))] == ["AE", "AE", "AE", "AA"]
        assert [r.fault for r in s.journal.records()] == ["malformed", "malformed", "malformed", None]


def test_a_message_within_another_is_kept_sealed_and_answered_ae(tmp_path: Path) -> None:
    with served(tmp_path) as s, s.connect() as link:
        assert ask(link, hl7(1) + b"\x0b" + hl7(2)) == "AE"
        assert [r.fault for r in s.journal.records()] == ["frame_in_frame"]


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_our_own_trouble_is_answered_ar_and_the_message_can_come_again(tmp_path: Path, error: int) -> None:
    with served(tmp_path) as s, s.connect() as link:
        s.disk.error = error
        assert [ask(link, hl7(1)), ask(link, hl7(1))] == ["AR", "AR"]
        s.disk.error = None
        assert ask(link, hl7(1)) == "AA"
        assert [r.control_id for r in s.journal.records()] == ["1"]


def test_a_full_queue_is_answered_ar(tmp_path: Path) -> None:
    with served(tmp_path, bounds=Bounds(queue_messages=2)) as s, s.connect() as link:
        s.disk.free.clear()
        link.sendall(framed(hl7(0)))
        assert s.disk.reached.wait(10)
        with s.connect() as other:
            other.sendall(b"".join(framed(hl7(n)) for n in range(1, 5)))
            threading.Timer(0.2, s.disk.free.set).start()
            assert answers(other, 4) == ["AA", "AA", "AR", "AR"]


def test_enhanced_mode_is_answered_with_its_codes_or_not_at_all(tmp_path: Path) -> None:
    def asking(accept: str, number: int) -> bytes:
        return hl7(number).replace(b"|P|2.5\r", f"|P|2.5|||{accept}|NE\r".encode())

    with served(tmp_path) as s, s.connect() as link:
        link.sendall(framed(asking("NE", 1)))
        assert ask(link, asking("AL", 2)) == "CA"
        assert [r.control_id for r in s.journal.records()] == ["1", "2"]


# ------------------------------------------------------------------------------------------------ lost answers, repeats


def test_a_repeated_message_is_answered_aa_and_not_counted_twice(tmp_path: Path) -> None:
    """The answer was lost after the commit; the sender sends again, on a new connection."""
    log, clock = memory_log()
    followed = JournalledLog(log._database, clock)
    with Journal.open(tmp_path, followed.instants, reserve_bytes=0) as journal:
        indexer = Indexer(journal, followed, lambda record: FORM)
        pipeline = Pipeline(journal)
        server = MllpServer(pipeline, FORM, clock, Link(port=0))
        pipeline.start()
        server.start()
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
                link.sendall(framed(hl7(1)))
                journal.wait(journal.last, 10)
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as link:
            assert ask(link, hl7(1)) == "AA"
        server.stop()
        pipeline.stop()
        indexer.catch_up()
        indexer.close()
        account = followed.accounts()["mllp"]
        assert (account.stored, account.duplicate) == (1, account.read - 1)
        assert len(followed.read()) == 1
        assert account.read == journal.last >= 2


# -------------------------------------------------------------------------------------------------------------- limits


def test_a_frame_beyond_the_bound_is_answered_ar_told_of_and_the_connection_closed(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(frame_bytes=1000)) as s, s.connect() as link:
        link.sendall(b"\x0b" + hl7(1) + b"x" * 5000)
        assert answers(link, 1) == ["AR"]
        assert is_closed(link)
        assert [r.fault for r in s.journal.records()] == ["frame_too_long"]
        assert b"xxx" not in next(s.journal.records()).payload


def test_a_frame_that_does_not_end_in_time_is_given_up(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(frame_s=0.1)) as s, s.connect() as link:
        link.sendall(b"\x0bMSH|")
        assert is_closed(link)
        assert s.server.counts["timed_out"] == 1
        assert s.journal.last == 0


def test_a_trickle_of_bytes_does_not_hold_a_frame_open(tmp_path: Path) -> None:
    """Each byte comes in time, the frame does not."""
    with served(tmp_path, limits=Limits(frame_s=0.3)) as s, s.connect() as link:
        link.sendall(b"\x0b")
        beat = threading.Event()
        for _ in range(200):
            if select.select([link], [], [], 0)[0]:
                break
            link.sendall(b"x")
            beat.wait(0.02)
        assert is_closed(link)


def test_a_frame_that_lacks_only_its_cr_is_answered(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(frame_s=0.1)) as s, s.connect() as link:
        link.sendall(framed(hl7(1))[:-1])
        assert answers(link, 1) == ["AA"]
        assert s.journal.last == 1


def test_a_silent_connection_is_closed(tmp_path: Path) -> None:
    with served(tmp_path, limits=Limits(idle_s=0.1)) as s, s.connect() as link:
        assert ask(link, hl7(1)) == "AA"
        assert is_closed(link)


@pytest.mark.parametrize("limits", [Limits(per_peer=2), Limits(in_all=2)])
def test_connections_beyond_the_limit_are_refused_and_the_others_served(tmp_path: Path, limits: Limits) -> None:
    with served(tmp_path, limits=limits) as s, s.connect() as first, s.connect() as second:
        assert [ask(first, hl7(1)), ask(second, hl7(2))] == ["AA", "AA"]
        with s.connect() as third:
            assert is_closed(third)
        assert ask(first, hl7(3)) == "AA"
        first.close()
        while s.server.connections > 1:
            threading.Event().wait(0.01)
        with s.connect() as fourth:
            assert ask(fourth, hl7(4)) == "AA"


# ------------------------------------------------------------------------------------------------------------- senders


def test_who_is_not_named_is_refused(tmp_path: Path) -> None:
    with served(tmp_path, senders=Senders(["GAM^OTHER@127.0.0.1"])) as s, s.connect() as link:
        assert ask(link, hl7(1)) == "AR"
        assert s.journal.last == 0


def test_who_comes_from_elsewhere_may_not_connect(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with served(tmp_path, senders=Senders(["@10.0.0.0/8"])) as s:
        for _ in range(5):
            with s.connect() as link:
                assert is_closed(link)
        assert s.server.counts["refused:address"] == 5
    assert caplog.text.count("was refused: address") == 1


# ------------------------------------------------------------------------------------------------------------ the port


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with served(tmp_path) as s:
        again = MllpServer(Pipeline(s.journal), FORM, WallClock(), Link(port=s.server.port))
        with pytest.raises(LinkError, match=f"MLLP cannot be listened for on 127.0.0.1, port {s.server.port}"):
            again.start()


def test_the_end_closes_connections_and_port(tmp_path: Path) -> None:
    with served(tmp_path) as s, s.connect() as link:
        assert ask(link, hl7(1)) == "AA"
        s.server.stop()
        assert is_closed(link)
        with pytest.raises(ConnectionError):
            s.connect()


# ----------------------------------------------------------------------------------------------------------------- TLS


@dataclass
class Papers:
    """Two authorities, and files of what they issued."""

    folder: Path
    ours: trustme.CA
    theirs: trustme.CA

    def link(self, *, clients: bool = True) -> Link:
        issued = self.ours.issue_cert("127.0.0.1")
        certificate, authority = self.folder / "server.pem", self.folder / "ca.pem"
        issued.private_key_and_cert_chain_pem.write_to_path(str(certificate))
        self.ours.cert_pem.write_to_path(str(authority))
        return Link(port=0, certificate=certificate, key=certificate, client_ca=authority if clients else None)

    def client(self, shown: trustme.CA | None, trusted: trustme.CA | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        (trusted or self.ours).configure_trust(context)
        if shown is not None:
            shown.issue_cert("gam.example").configure_cert(context)
        return context


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"), trustme.CA(), trustme.CA())


def test_over_tls_with_a_certificate_messages_are_taken(tmp_path: Path, papers: Papers) -> None:
    with served(tmp_path, link=papers.link()) as s:
        with MllpClient("127.0.0.1", s.server.port, tls=papers.client(papers.ours)) as client:
            assert [client.send(hl7(n)) for n in range(3)] == ["AA"] * 3
        assert s.journal.last == 3


def _without(papers: Papers) -> ssl.SSLContext | None:
    return papers.client(None)


def _of_another_authority(papers: Papers) -> ssl.SSLContext | None:
    return papers.client(papers.theirs)


def _trusting_another(papers: Papers) -> ssl.SSLContext | None:
    return papers.client(papers.ours, papers.theirs)


def _of_old(papers: Papers) -> ssl.SSLContext | None:
    context = papers.client(papers.ours)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
    return context


def _in_plain(papers: Papers) -> ssl.SSLContext | None:
    return None


@pytest.mark.parametrize("how", [_without, _of_another_authority, _trusting_another, _of_old, _in_plain])
@pytest.mark.filterwarnings("ignore:ssl:DeprecationWarning")
def test_who_shows_no_certificate_of_ours_is_not_served(
    tmp_path: Path, papers: Papers, how: Callable[[Papers], ssl.SSLContext | None]
) -> None:
    with served(tmp_path, link=papers.link()) as s:
        patience = Patience(tries=1, answer_s=5)
        with MllpClient("127.0.0.1", s.server.port, patience, tls=how(papers)) as client, pytest.raises(LinkError):
            client.send(hl7(1))
        with MllpClient("127.0.0.1", s.server.port, tls=papers.client(papers.ours)) as client:
            assert client.send(hl7(2)) == "AA"
        assert [r.control_id for r in s.journal.records()] == ["2"]


def test_without_client_ca_the_certificate_of_the_server_is_enough(tmp_path: Path, papers: Papers) -> None:
    with (
        served(tmp_path, link=papers.link(clients=False)) as s,
        MllpClient("127.0.0.1", s.server.port, tls=papers.client(None)) as client,
    ):
        assert client.send(hl7(1)) == "AA"


def test_certificates_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    link = Link(port=0, certificate=tmp_path / "x.pem", key=tmp_path / "x.pem")
    server = MllpServer(Pipeline(None), FORM, WallClock(), link)  # type: ignore[arg-type]
    with pytest.raises(LinkError, match="the certificates of MLLP cannot be used"):
        server.start()
