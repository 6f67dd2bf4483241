"""The pipeline: nobody is told before the disk has it; a group waits for one sync; trouble is said and never raised."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.clock import SimulatedClock
from ingest.disk import Disk as HouseDisk
from ingest.formats import Kept
from ingest.instants import Instants
from ingest.journal import Entry, Journal, Record
from ingest.journal_frames import read_frame, record_of, start_of
from ingest.pipeline import Answer, Bounds, Message, Pipeline, Receipt
from ingest.seal import SEALED, TOLD, Seal, new_pair, opened
from tests.fake_format import FakeFormat, message
from tests.journals import tell_before_the_sync
from tests.logs import AT

FORM = FakeFormat()


class Disk:
    """A sync that can be held, and that can fail."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.free.set()
        self.reached = threading.Event()
        self.error: int | None = None
        self.syncs = 0

    def sync(self, handle: int) -> None:
        self.reached.set()
        assert self.free.wait(10)
        if self.error is not None:
            raise OSError(self.error, os.strerror(self.error))
        self.syncs += 1


@contextmanager
def piped(
    folder: Path, disk: Disk | None = None, *, bounds: Bounds | None = None, seal: Seal | None = None
) -> Iterator[tuple[Pipeline, Journal]]:
    """A running pipeline and its journal."""
    disk = disk or Disk()
    with Journal.open(folder, Instants(SimulatedClock(AT)), reserve_bytes=0, disk=HouseDisk(disk.sync)) as journal:
        pipeline = Pipeline(journal, bounds=bounds, seal=seal)
        pipeline.start()
        try:
            yield pipeline, journal
        finally:
            disk.free.set()
            pipeline.stop()


def on_the_disk(folder: Path) -> list[Record]:
    """What a new process would find."""
    (file,) = folder.glob("*.journal")
    with file.open("rb") as stream:
        _, link = start_of(stream)
        found = []
        while (frame := read_frame(stream, link)) is not None:
            link = frame.link
            found.append(record_of(frame))
        return found


def test_a_message_is_on_the_disk_when_its_receipt_comes(tmp_path: Path) -> None:
    with piped(tmp_path) as (pipeline, _):
        receipt = pipeline.receive(Message(message(1)), FORM, "adt")
        assert receipt == Receipt(answer=Answer.ACCEPTED, control_id="1", number=1, stored_at=AT)
        assert [r.payload for r in on_the_disk(tmp_path)] == [message(1)]


def check_told_after_the_sync(folder: Path) -> None:
    """A receipt does not come while the sync is held."""
    disk = Disk()
    with piped(folder, disk) as (pipeline, _):
        disk.free.clear()
        receipt = pipeline.submit([Message(message(1))], FORM, "adt")
        assert disk.reached.wait(10)
        assert not receipt.done()
        disk.free.set()
        assert receipt.result(10)[0].is_kept


def test_nobody_is_told_before_the_sync(tmp_path: Path) -> None:
    check_told_after_the_sync(tmp_path)


def test_the_check_sees_a_receipt_that_comes_before_the_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tell_before_the_sync(monkeypatch)
    with pytest.raises(AssertionError):
        check_told_after_the_sync(tmp_path)


def test_many_wait_for_one_sync(tmp_path: Path) -> None:
    disk = Disk()
    with piped(tmp_path, disk) as (pipeline, _):
        disk.free.clear()
        first = pipeline.submit([Message(message(0))], FORM, "adt")
        assert disk.reached.wait(10)
        others = [pipeline.submit([Message(message(n))], FORM, "adt") for n in range(1, 200)]
        disk.free.set()
        assert [r.result(10)[0].number for r in [first, *others]] == list(range(1, 201))
    assert disk.syncs == 1 + 2, "the first begins a segment"


def test_what_has_a_fault_is_kept_with_it(tmp_path: Path) -> None:
    with piped(tmp_path) as (pipeline, journal):
        receipt = pipeline.receive(Message(b"no line"), FORM, "adt")
        assert (receipt.answer, receipt.reason, receipt.is_kept) == (Answer.FAULTY, "malformed", True)
        assert [(r.payload, r.fault) for r in journal.records()] == [(b"???????", "malformed")]


def test_of_what_is_too_long_only_length_and_hash_are_kept(tmp_path: Path) -> None:
    with piped(tmp_path, bounds=Bounds(message_bytes=20), seal=Seal(hash_key=b"k")) as (pipeline, journal):
        receipt = pipeline.receive(Message(b"secret name " * 10, offset=5), FORM, "adt")
        assert (receipt.answer, receipt.reason) == (Answer.FAULTY, "message_too_long")
        (record,) = journal.records()
        assert record.payload.startswith(TOLD + b'{"bytes": 120, "hmac_sha256": "')
        assert record.position.offset == 5


class Failing(FakeFormat):
    """A format with a fault of its own."""

    def kept(self, message: bytes) -> Kept:
        raise RuntimeError("a name")


def test_a_format_that_fails_loses_nothing_and_tells_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    private, public = new_pair()
    with piped(tmp_path, seal=Seal.of(public, b"k")) as (pipeline, journal):
        receipt = pipeline.receive(Message(b"a name"), Failing(), "adt")
        assert (receipt.answer, receipt.reason) == (Answer.FAULTY, "format_failed")
        (record,) = journal.records()
    assert record.payload.startswith(SEALED)
    assert opened(record.payload, private) == b"a name"
    assert "RuntimeError" in caplog.text
    assert "a name" not in caplog.text


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_what_the_disk_refuses_is_not_kept_and_can_be_sent_again(tmp_path: Path, error: int) -> None:
    disk = Disk()
    with piped(tmp_path, disk) as (pipeline, _):
        disk.error = error
        refused = pipeline.receive(Message(message(1)), FORM, "adt")
        assert refused == Receipt(answer=Answer.UNAVAILABLE, control_id="1", reason="journal_unavailable")
        disk.error = None
        assert pipeline.receive(Message(message(1)), FORM, "adt").answer is Answer.ACCEPTED
        assert len(on_the_disk(tmp_path)) <= 1 or len({r.number for r in on_the_disk(tmp_path)}) == 1


def test_trouble_is_told_once_and_when_it_is_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    with piped(tmp_path, disk) as (pipeline, _):
        for error in (errno.ENOSPC, errno.ENOSPC, errno.ENOSPC, None, None):
            disk.error = error
            pipeline.receive(Message(message(1)), FORM, "adt")
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "No space left on device: messages are refused until it can", "",
    ]  # fmt: skip


def test_who_finds_the_queue_full_is_told_or_waits(tmp_path: Path) -> None:
    disk = Disk()
    with piped(tmp_path, disk, bounds=Bounds(queue_messages=2)) as (pipeline, journal):
        disk.free.clear()
        pipeline.submit([Message(message(0))], FORM, "adt")
        assert disk.reached.wait(10)
        waiting = [pipeline.submit([Message(message(n))], FORM, "adt") for n in (1, 2)]
        assert pipeline.waiting == (2, len(message(1)) + len(message(2)))
        full = pipeline.submit([Message(message(3))], FORM, "adt").result(1)[0]
        assert (full.answer, full.reason) == (Answer.UNAVAILABLE, "queue_full")
        threading.Timer(0.05, disk.free.set).start()
        assert pipeline.receive(Message(message(4)), FORM, "adt", wait_s=10).answer is Answer.ACCEPTED
        assert all(w.result(10)[0].is_kept for w in waiting)
        assert [r.control_id for r in journal.records()] == ["0", "1", "2", "4"]


def test_the_queue_is_bounded_in_bytes_too(tmp_path: Path) -> None:
    disk = Disk()
    with piped(tmp_path, disk, bounds=Bounds(queue_bytes=30)) as (pipeline, _):
        disk.free.clear()
        pipeline.submit([Message(message(0))], FORM, "adt")
        assert disk.reached.wait(10)
        answers = [pipeline.submit([Message(message(n))], FORM, "adt") for n in range(1, 5)]
        assert [a.done() for a in answers] == [False, False, True, True]


def test_messages_with_offsets_are_kept_all_or_none(tmp_path: Path) -> None:
    disk = Disk()
    batch = [Message(message(n), offset=n) for n in range(10, 15)]
    with piped(tmp_path, disk) as (pipeline, journal):
        disk.error = errno.ENOSPC
        assert {r.answer for r in pipeline.receive_many(batch, FORM, "t[0]")} == {Answer.UNAVAILABLE}
        assert journal.position("t[0]") is None
        disk.error = None
        assert {r.answer for r in pipeline.receive_many(batch, FORM, "t[0]")} == {Answer.ACCEPTED}
        assert [r.position.offset for r in journal.records()] == [10, 11, 12, 13, 14]


def test_what_was_journalled_before_is_told_as_a_repetition(tmp_path: Path) -> None:
    with piped(tmp_path) as (pipeline, journal):
        pipeline.receive_many([Message(message(n), offset=n) for n in (1, 2, 3)], FORM, "t[0]")
        told = pipeline.receive_many([Message(message(n), offset=n) for n in (2, 3, 4, 5)], FORM, "t[0]")
        assert [r.answer.name for r in told] == ["REPEATED", "REPEATED", "ACCEPTED", "ACCEPTED"]
        assert [r.position.offset for r in journal.records()] == [1, 2, 3, 4, 5]


def test_a_source_that_stands_still_does_not_hinder_the_others(tmp_path: Path) -> None:
    disk = Disk()
    with piped(tmp_path, disk) as (pipeline, journal):
        pipeline.receive(Message(message(1), offset=1), FORM, "still")
        disk.free.clear()
        disk.reached.clear()
        held = pipeline.submit([Message(message(0))], FORM, "x")
        assert disk.reached.wait(10)
        group = [pipeline.submit([Message(message(2), offset=n)], FORM, name) for name, n in (("still", 1), ("go", 1))]
        disk.free.set()
        assert [w.result(10)[0].answer.name for w in (held, *group)] == ["ACCEPTED", "REPEATED", "ACCEPTED"]
        assert [r.position.source for r in journal.records()] == ["still", "x", "go"]


def test_after_the_end_nothing_is_taken_and_what_waited_is_written(tmp_path: Path) -> None:
    with piped(tmp_path) as (pipeline, journal):
        waiting = [pipeline.submit([Message(message(n))], FORM, "adt") for n in range(50)]
        pipeline.stop()
        assert all(w.result(1)[0].is_kept for w in waiting)
        late = pipeline.receive(Message(message(99)), FORM, "adt")
        assert (late.answer, late.reason) == (Answer.UNAVAILABLE, "stopped")
        assert journal.last == 50


def test_a_fault_of_the_writer_is_told_to_who_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Journal, entries: list[Entry]) -> list[Record]:
        raise RuntimeError("ours")

    with piped(tmp_path) as (pipeline, _):
        with monkeypatch.context() as patched:
            patched.setattr(Journal, "append", fail)
            refused = pipeline.receive(Message(message(1)), FORM, "adt")
        assert (refused.answer, refused.reason) == (Answer.UNAVAILABLE, "writer_failed")
        assert pipeline.receive(Message(message(1)), FORM, "adt").is_kept


def test_what_is_no_message_is_sealed_with_its_fault(tmp_path: Path) -> None:
    with piped(tmp_path) as (pipeline, journal):
        (receipt,) = pipeline.submit_broken(b"a name", FORM, "adt", "frame_in_frame").result(10)
        assert (receipt.answer, receipt.reason) == (Answer.FAULTY, "frame_in_frame")
        (record,) = journal.records()
        assert b"a name" not in record.payload
