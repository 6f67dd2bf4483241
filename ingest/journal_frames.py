"""How a record of the journal lies on the disk, and how it is found whole, torn or damaged.

    head: magic, length of the facts, length of the payload, link (16 bytes), CRC-32C of the body, CRC-32C of the head
    body: the facts (JSON), the payload

The link is the SHA-256 of the link before and of this body, cut to 128 bits: a record that was taken out, put in or
moved breaks the chain. The head has a CRC of its own, so that a flipped length is not taken for a torn tail.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, BinaryIO

from crc32c import crc32c

from ingest.bookkeeping import Position

RECORD = b"EDJ1"
ERASED = "edtwin/erased"
"""The format of a record that told of a patient who was erased: it is empty, and counts as ignored."""
ENDED = "edtwin/ended"
"""The format of a record all of which happened too long ago to be kept: it is empty, and counts as ignored."""
EMPTIED = {ERASED: "erased", ENDED: "ended"}
"""Formats of empty records, and why there is nothing in them."""
DAYS = "edtwin/days"
"""The format of a record that holds the figures of days whose events are gone (`ingest/days.py`)."""
OPENING = b"EDJS"
"""The first frame of a segment: what its first number is, and where every source stood."""
LINK_BYTES = 16
FIRST_LINK = bytes(LINK_BYTES)
_HEAD = struct.Struct(f">4sII{LINK_BYTES}sI")
_CHECK = struct.Struct(">I")
HEAD_BYTES = _HEAD.size + _CHECK.size
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """An earlier record that is to be read again from here on, and why it was rejected then."""

    number: int
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record: what came, from where, and when it was journalled.

    `number` counts the records from 1 without gaps and is the journal's own offset. `stored_at` strictly increases.
    """

    number: int
    stored_at: datetime
    format: str
    position: Position
    payload: bytes
    control_id: str = ""
    fault: str | None = None
    again: Again | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be journalled. Without an `offset` it gets the source's next number.

    With `again` it is an earlier record to be read once more; it says nothing of where its source stands.
    """

    format: str
    source: str
    payload: bytes
    offset: int | None = None
    detail: str = ""
    control_id: str = ""
    fault: str | None = None
    again: Again | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What lies between two places of a file, whole and with the right link."""

    magic: bytes
    facts: bytes
    payload: bytes
    link: bytes


class TornError(Exception):
    """The file ends before the frame does."""


class DamageError(Exception):
    """The frame is all there and is not what was written; the text says what is wrong."""


def framed(magic: bytes, facts: bytes, payload: bytes, before: bytes) -> tuple[bytes, bytes]:
    """A frame, and its link, for the frame that follows."""
    link = _linked(before, facts, payload)
    head = _HEAD.pack(magic, len(facts), len(payload), link, crc32c(payload, crc32c(facts)))
    return b"".join((head, _CHECK.pack(crc32c(head)), facts, payload)), link


def read_frame(file: BinaryIO, before: bytes) -> Frame | None:
    """The next frame; None at the end of the file. Raises TornError, DamageError."""
    head = file.read(HEAD_BYTES)
    if not head:
        return None
    if len(head) < HEAD_BYTES or not any(head):
        raise TornError
    if crc32c(head[: _HEAD.size]) != _CHECK.unpack(head[_HEAD.size :])[0]:
        raise DamageError("the checksum of its head is wrong")
    magic, facts_bytes, payload_bytes, link, check = _HEAD.unpack(head[: _HEAD.size])
    body = file.read(facts_bytes + payload_bytes)
    if len(body) < facts_bytes + payload_bytes:
        raise TornError
    if crc32c(body) != check:
        raise DamageError("the checksum of its body is wrong")
    facts, payload = body[:facts_bytes], body[facts_bytes:]
    if link != _linked(before, facts, payload):
        raise DamageError("it does not follow from the record before it")
    return Frame(magic, facts, payload, link)


def _linked(before: bytes, facts: bytes, payload: bytes) -> bytes:
    chained = sha256(before)
    chained.update(len(facts).to_bytes(4, "big"))
    chained.update(facts)
    chained.update(payload)
    return chained.digest()[:LINK_BYTES]


def facts_of(record: Record) -> bytes:
    """What the frame says of a record besides its payload."""
    again = [record.again.number, record.again.reason, record.again.text] if record.again else None
    micros = (record.stored_at - _EPOCH) // _MICROSECOND
    at = record.position
    told = [
        record.number,
        micros,
        record.format,
        at.source,
        at.offset,
        at.detail,
        record.control_id,
        record.fault,
        again,
    ]
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def record_of(frame: Frame) -> Record:
    """The record of a frame."""
    number, micros, form, source, offset, detail, control_id, fault, again = json.loads(frame.facts)
    return Record(
        number=number,
        stored_at=_EPOCH + micros * _MICROSECOND,
        format=form,
        position=Position(source=source, offset=offset, detail=detail),
        payload=frame.payload,
        control_id=control_id,
        fault=fault,
        again=Again(number=again[0], reason=again[1], text=again[2]) if again else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What the first frame of a segment says: where the journal stood before its first record."""

    last: int
    last_stored_at: datetime
    link: bytes
    """Of the last record of the segment before."""
    positions: Sequence[Position]


def start_frame(start: Start) -> tuple[bytes, bytes]:
    """The first frame of a segment, and its link."""
    micros = (start.last_stored_at - _EPOCH) // _MICROSECOND
    facts = json.dumps([start.last, micros, start.link.hex()]).encode()
    told: list[Any] = [[p.source, p.offset, p.detail] for p in start.positions]
    return framed(OPENING, facts, json.dumps(told, ensure_ascii=False).encode(), start.link)


def start_of(file: BinaryIO) -> tuple[Start, bytes]:
    """What a segment begins with, and the link of that frame. Raises TornError, DamageError."""
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if len(head) < HEAD_BYTES:
        raise TornError
    if crc32c(head[: _HEAD.size]) != _CHECK.unpack(head[_HEAD.size :])[0]:
        raise DamageError("the checksum of its head is wrong")
    magic, facts_bytes, *_ = _HEAD.unpack(head[: _HEAD.size])
    if magic != OPENING:
        raise DamageError("it is not the beginning of a segment")
    return _start(file, file.read(HEAD_BYTES + facts_bytes)[HEAD_BYTES:])


def _start(file: BinaryIO, facts: bytes) -> tuple[Start, bytes]:
    try:
        last, micros, link = json.loads(facts)
        before = bytes.fromhex(link)
    except ValueError as error:
        raise DamageError("the facts of its beginning cannot be read") from error
    file.seek(0)
    frame = read_frame(file, before)
    if frame is None:
        raise TornError
    positions = tuple(Position(source=s, offset=o, detail=d) for s, o, d in json.loads(frame.payload))
    return Start(last=last, last_stored_at=_EPOCH + micros * _MICROSECOND, link=before, positions=positions), frame.link
