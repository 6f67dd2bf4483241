"""What is answered to a message that came by MLLP: which code, in which mode, and the text of the acknowledgement.

| what became of it | original mode | enhanced mode |
|---|---|---|
| on the disk (also when it is a repetition) | AA | CA |
| on the disk with its fault, in the quarantine | AE | CE |
| not kept: our own trouble, or a sender who may not | AR | CR |

In enhanced mode (MSH-15 or MSH-16 is filled) there is one answer a message at most: the accept acknowledgement where
MSH-15 asks for one, else the application's where MSH-16 does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ingest.pipeline import Answer

HEADER_BYTES = 4096
"""The first segment is looked for in so many bytes."""
FIELD_BYTES = 250
SEPARATOR, ENCODING = b"|", b"^~\\&"
_SEGMENT_END = re.compile(rb"[\r\n]")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_CONTROL_ID, _TRIGGER, _PROCESSING, _VERSION, _ACCEPT, _APPLICATION, _CHARSET = 10, 9, 11, 12, 15, 16, 18


class Verdict(Enum):
    """What an answer says, apart from its code."""

    GOOD = "A"
    BAD = "E"
    OURS = "R"


VERDICTS = {
    Answer.ACCEPTED: Verdict.GOOD,
    Answer.REPEATED: Verdict.GOOD,
    Answer.FAULTY: Verdict.BAD,
    Answer.UNAVAILABLE: Verdict.OURS,
}


@dataclass(frozen=True, slots=True)
class Header:
    """The fields of a message's MSH segment by their numbers; an empty one for a message that has none."""

    separator: bytes = SEPARATOR
    encoding: bytes = ENCODING
    fields: tuple[bytes, ...] = ()

    def field(self, number: int) -> bytes:
        """MSH-`number`, cut to what an answer may carry, without control characters; empty where it is absent."""
        value = self.fields[number - 1] if 2 < number <= len(self.fields) else b""
        return _CONTROL.sub(b"", value[:FIELD_BYTES])

    def text(self, number: int) -> str:
        """The same as text."""
        return self.field(number).decode("utf-8", "replace").strip()

    @property
    def sender(self) -> tuple[str, str]:
        """The application and the facility that sent it (MSH-3, MSH-4), first components."""
        return self._first(3), self._first(4)

    @property
    def control_id(self) -> bytes:
        """MSH-10."""
        return self.field(_CONTROL_ID)

    def _first(self, number: int) -> str:
        return self.text(number).split(self.encoding[:1].decode("latin-1"))[0]


def header_of(message: bytes) -> Header:
    """The header of a message, whatever its bytes are."""
    segment = _SEGMENT_END.split(message[:HEADER_BYTES].lstrip(b"\r\n"), maxsplit=1)[0]
    separator = segment[3:4]
    if segment[:3] != b"MSH" or not separator or separator.isalnum():
        return Header()
    fields = segment.split(separator)
    return Header(separator, fields[1] if len(fields) > 1 and fields[1] else ENCODING, (separator, *fields[1:]))


def code_of(verdict: Verdict, header: Header) -> str | None:
    """The code of the answer (HL7 table 0008); None where the sender wants none."""
    accept, application = header.text(_ACCEPT), header.text(_APPLICATION)
    if not accept and not application:
        return f"A{verdict.value}"
    if _wants(accept or "NE", verdict):
        return f"C{verdict.value}"
    if _wants(application or "NE", verdict):
        return f"A{verdict.value}"
    return None


def _wants(condition: str, verdict: Verdict) -> bool:
    """HL7 table 0155; a condition that it does not know is taken as always."""
    match condition.upper():
        case "NE":
            return False
        case "SU":
            return verdict is Verdict.GOOD
        case "ER":
            return verdict is not Verdict.GOOD
    return True


def answer(verdict: Verdict, header: Header, *, now: datetime, number: str, reason: str = "") -> bytes | None:
    """The acknowledgement as a message, with the sender's own separators; None where the sender wants none.

    `number` is our control id. MSA-2 is the control id of what is answered.
    """
    code = code_of(verdict, header)
    if code is None:
        return None
    trigger = header.field(_TRIGGER).split(header.encoding[:1])
    kind = header.encoding[:1].join((b"ACK", trigger[1], b"ACK")) if len(trigger) > 1 and trigger[1] else b"ACK"
    msh = [
        b"MSH", header.encoding, header.field(5), header.field(6), header.field(3), header.field(4),
        now.strftime("%Y%m%d%H%M%S+0000").encode(), b"", kind, number.encode(), header.field(_PROCESSING) or b"P",
        header.field(_VERSION) or b"2.5", b"", b"", b"", b"", b"", header.field(_CHARSET),
    ]  # fmt: skip
    msa = [b"MSA", code.encode(), header.control_id, reason.encode()]
    return b"\r".join(header.separator.join(fields).rstrip(header.separator) for fields in (msh, msa)) + b"\r"
