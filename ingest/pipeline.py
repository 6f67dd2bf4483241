"""From the bytes of a message to the journal, and what its sender may be told.

    pipeline = Pipeline(journal)
    pipeline.start()
    receipt = pipeline.receive(Message(frame), hl7, "adt")             # a source without positions of its own
    receipts = pipeline.receive_many([Message(value, offset=1041), ..], form, "ed.events[0]")    # one with positions

The steps of one message:

1. Bounds: of what is too long only length and hash are kept.
2. Kept: only pseudonyms and allow-listed fields go on (`Format.kept`); what cannot be split is sealed.
3. Journal: one writer thread takes what waits and brings it to the disk with one sync.
4. Acknowledge: the receipt comes, and only now may the sender be told.
5. Parse, and 6. append: `ingest/indexer.py` follows the journal.

The queue between 2 and 3 is bounded: who finds it full waits, and is told so where it does not get free.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ingest.errors import JournalWriteError, PositionError
from ingest.failpoints import failpoint
from ingest.formats import Format, Kept
from ingest.journal import Entry, Journal, Record
from ingest.seal import Seal

logger = logging.getLogger(__name__)
_kept = failpoint("pipeline: kept, not answered")


class Answer(Enum):
    """What may be said to whoever sent a message."""

    ACCEPTED = "accepted"
    """It is on the disk, and can be read as far as its form goes."""
    FAULTY = "faulty"
    """It is on the disk with its fault, in the quarantine: to send it again would change nothing."""
    REPEATED = "repeated"
    """The source had been journalled beyond this position: it is there already."""
    UNAVAILABLE = "unavailable"
    """It was not kept, by our own trouble: it must be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a message. `number` and `stored_at` are the journal's, None where it was not kept."""

    answer: Answer
    control_id: str = ""
    number: int | None = None
    stored_at: datetime | None = None
    reason: str = ""
    """The fault, or our trouble; never a value that could name anyone."""

    @property
    def is_kept(self) -> bool:
        """True where the sender need not send it again."""
        return self.answer in (Answer.ACCEPTED, Answer.FAULTY, Answer.REPEATED)


@dataclass(frozen=True, slots=True)
class Message:
    """What came. `offset` is the source's own position, which must move forward, and `detail` what else the source
    needs to go on from there; without an offset the source's messages are numbered."""

    content: bytes
    offset: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is taken in at once."""

    message_bytes: int = 1024 * 1024
    queue_messages: int = 10_000
    queue_bytes: int = 64 * 1024 * 1024
    group_messages: int = 1_000
    """At most so many wait for one sync."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Messages that wait for the disk together: all of them are kept, or none."""

    entries: Sequence[Entry]
    receipts: Future[list[Receipt]]

    @property
    def size(self) -> int:
        """Bytes of their payloads."""
        return sum(len(entry.payload) for entry in self.entries)


class Pipeline:
    """Steps 1 to 4, for all threads. `start` it, and `stop` it: what waits is then still written."""

    def __init__(self, journal: Journal, *, bounds: Bounds | None = None, seal: Seal | None = None) -> None:
        self._journal, self._bounds, self._seal = journal, bounds or Bounds(), seal or Seal()
        self._changed = threading.Condition()
        self._waiting: deque[Waiting] = deque()
        self._messages = self._bytes = 0
        self._stopped = False
        self._trouble = ""
        """What the journal last said when it could not be written; told once, and when it is over."""
        self._writer = threading.Thread(target=self._write_all, name="journal writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Take no more, write what waits, end."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._writer.ident is not None:
            self._writer.join(timeout_s)

    @property
    def waiting(self) -> tuple[int, int]:
        """How many messages wait for the disk, and how many bytes they have."""
        with self._changed:
            return self._messages, self._bytes

    def receive(self, message: Message, form: Format, source: str, *, wait_s: float = 5.0) -> Receipt:
        """Keep a message; it is on the disk when this returns, unless the receipt says otherwise. Never raises.

        `wait_s`: how long to wait for room in the queue.
        """
        return self.submit([message], form, source, wait_s=wait_s).result()[0]

    def receive_many(
        self, messages: Sequence[Message], form: Format, source: str, *, wait_s: float = 5.0
    ) -> list[Receipt]:
        """As `receive`, for messages in their order. Either all of them are on the disk, or none (`UNAVAILABLE`), so
        that the source stands after the last of them or where it stood; those that were there already apart."""
        return self.submit(messages, form, source, wait_s=wait_s).result()

    def submit(
        self, messages: Sequence[Message], form: Format, source: str, *, wait_s: float = 0.0
    ) -> Future[list[Receipt]]:
        """Steps 1 and 2, and a place in the queue; the receipts come when the messages are on the disk."""
        waiting = Waiting([self._entry(message, form, source) for message in messages], Future())
        if not self._enqueue(waiting, wait_s):
            _refuse(waiting, "stopped" if self._stopped else "queue_full")
        return waiting.receipts

    def submit_broken(self, content: bytes, form: Format, source: str, fault: str) -> Future[list[Receipt]]:
        """As `submit`, for what the source knows to be no message: it is sealed, with its fault."""
        kept = Kept(payload=self._seal.kept(content), fault=fault)
        waiting = Waiting([_entry_of(kept, Message(b""), form, source)], Future())
        if not self._enqueue(waiting, 0.0):
            _refuse(waiting, "queue_full")
        return waiting.receipts

    def _entry(self, message: Message, form: Format, source: str) -> Entry:
        return _entry_of(self._kept(message.content, form), message, form, source)

    def _kept(self, content: bytes, form: Format) -> Kept:
        if len(content) > self._bounds.message_bytes:  # 1
            return Kept(payload=self._seal.told(content), fault="message_too_long")
        try:
            return form.kept(content)  # 2
        except Exception as error:  # a format never raises; should one, its message is kept all the same, and unseen
            logger.error("the format %s has failed on a message: %s", form.name, type(error).__name__)
            return Kept(payload=self._seal.kept(content), fault="format_failed")

    def _enqueue(self, waiting: Waiting, wait_s: float) -> bool:
        with self._changed:
            if not self._changed.wait_for(lambda: self._stopped or self._has_room(), wait_s) or self._stopped:
                return False
            self._waiting.append(waiting)
            self._count(waiting, 1)
            return True

    def _has_room(self) -> bool:
        return self._messages < self._bounds.queue_messages and self._bytes < self._bounds.queue_bytes

    def _count(self, waiting: Waiting, sign: int) -> None:
        self._messages += sign * len(waiting.entries)
        self._bytes += sign * waiting.size
        self._changed.notify_all()

    # --- the writer's thread ----------------------------------------------------------------------------------------

    def write_waiting(self) -> int:
        """Bring what waits, or comes next, to the disk, in this thread; how much that was, nothing at the end."""
        group = self._next_group()
        try:
            if group:
                self._write(group)
        except Exception:
            logger.exception("the journal writer has failed")
            for waiting in group:
                _refuse(waiting, "writer_failed")
        return len(group)

    def _write_all(self) -> None:
        while self.write_waiting():
            pass

    def _next_group(self) -> list[Waiting]:
        """What waits now; empty at the end."""
        group: list[Waiting] = []
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._stopped)
            while self._waiting and sum(len(w.entries) for w in group) < self._bounds.group_messages:
                group.append(self._waiting.popleft())
                self._count(group[-1], -1)
        return group

    def _write(self, group: list[Waiting]) -> None:
        try:
            records = iter(self._journal.append([entry for waiting in group for entry in waiting.entries]))  # 3
        except PositionError as error:
            self._apart(group, error)
        except JournalWriteError as error:
            self._tell(str(error))
            for waiting in group:
                _refuse(waiting, "journal_unavailable")
        else:
            self._tell("")
            _kept()
            for waiting in group:
                waiting.receipts.set_result([_receipt(next(records)) for _ in waiting.entries])  # 4

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            logger.error("%s: messages are refused until it can", trouble)
        elif self._trouble and not trouble:
            logger.warning("the journal can be written again")
        self._trouble = trouble

    def _apart(self, group: list[Waiting], error: PositionError) -> None:
        """Somewhere in the group a source does not go forward; the others must not suffer for it."""
        if len(group) > 1:
            for waiting in group:
                self._write([waiting])
            return
        logger.warning("%s", error)
        self._write_what_is_new(group[0])

    def _write_what_is_new(self, waiting: Waiting) -> None:
        stands = {source: position.offset for source, position in self._journal.positions().items()}
        new = []
        for entry in waiting.entries:
            if entry.offset is None or entry.offset > stands.get(entry.source, entry.offset - 1):
                new.append(entry)
                stands[entry.source] = entry.offset or stands.get(entry.source, 0) + 1
        inner = Waiting(new, Future())
        self._write([inner])
        written = iter(inner.receipts.result())
        told = {id(entry): next(written) for entry in new}
        waiting.receipts.set_result([told.get(id(entry), _repeated(entry)) for entry in waiting.entries])


def _entry_of(kept: Kept, message: Message, form: Format, source: str) -> Entry:
    return Entry(
        format=form.name, source=source, payload=kept.payload, offset=message.offset, detail=message.detail,
        control_id=kept.control_id, fault=kept.fault,
    )  # fmt: skip


def _receipt(record: Record) -> Receipt:
    return Receipt(
        answer=Answer.FAULTY if record.fault else Answer.ACCEPTED,
        control_id=record.control_id,
        number=record.number,
        stored_at=record.stored_at,
        reason=record.fault or "",
    )


def _repeated(entry: Entry) -> Receipt:
    return Receipt(answer=Answer.REPEATED, control_id=entry.control_id, reason="position_behind")


def _refuse(waiting: Waiting, reason: str) -> None:
    if not waiting.receipts.done():
        waiting.receipts.set_result(
            [Receipt(answer=Answer.UNAVAILABLE, control_id=e.control_id, reason=reason) for e in waiting.entries]
        )
