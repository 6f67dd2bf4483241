"""HL7 v2 text: bounded first, then split into segments; separators, escapes and character sets.

`split` gives a `Message`, or the `Fault` for which the frame cannot be split. Both cost time linear in the frame's
length: everything is counted before anything is built, and only the fields that are asked for are taken apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

MAX_FRAME_BYTES = 1 << 20
MAX_SEGMENTS = 1_000
MAX_FIELDS = 500
MAX_REPETITIONS = 200
MAX_COMPONENTS = 100

FAULTS: dict[str, str] = {
    "empty_frame": "the frame holds nothing",
    "frame_too_long": f"a frame must have {MAX_FRAME_BYTES} bytes or fewer",
    "framing_inside": "a frame must hold one message, but the bytes that frame messages stand inside it",
    "no_msh": "a message must begin with MSH",
    "two_messages": "a frame must hold one message, but a second MSH stands in it",
    "bad_separators": "the separators of MSH-1 and MSH-2 must be different signs",
    "too_many_segments": f"a message must have {MAX_SEGMENTS} segments or fewer",
    "too_many_fields": f"a segment must have {MAX_FIELDS} fields or fewer",
    "too_many_repetitions": f"a field must have {MAX_REPETITIONS} repetitions or fewer",
    "too_many_components": f"a field must have {MAX_COMPONENTS} components or fewer",
}
"""Every reason for which a frame cannot be split."""

_BOM = b"\xef\xbb\xbf"
_FRAMING = re.compile(rb"[\x0b\x1c]")
_LINES = re.compile(r"[\r\n]+")
_CHARSETS = {
    "UNICODE UTF-8": "utf-8", "UNICODE": "utf-8", "UTF-8": "utf-8", "8859/1": "iso-8859-1", "8859/15": "iso-8859-15",
    "ASCII": "utf-8", "": "utf-8",
}  # fmt: skip
"""MSH-18 as codecs. ASCII and silence are taken as UTF-8, which holds ASCII."""

CHARSET_FLAGS = ("charset_fallback", "unknown_charset")
"""The text was not in the character set that MSH-18 states; MSH-18 names one that we do not know."""


@dataclass(frozen=True, slots=True)
class Separators:
    """The five signs that structure a message."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


STANDARD = Separators()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a frame cannot be split; a code of `FAULTS`."""

    code: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One line of a message. `fields[0]` is its name; fields count from 1 as in the standard, MSH too."""

    fields: tuple[str, ...] = ("",)
    separators: Separators = STANDARD

    @property
    def name(self) -> str:
        return self.fields[0]

    def raw(self, field: int) -> str:
        """A field as it was written; "" where there is none or it is the null of HL7."""
        text = self.fields[field] if field < len(self.fields) else ""
        return "" if text == '""' else text

    def repetitions(self, field: int) -> list[str]:
        """The repetitions of a field as they were written."""
        return self.raw(field).split(self.separators.repetition)

    def text(self, field: int, component: int = 1) -> str:
        """A component of the first repetition of a field, without subcomponents, escapes and blanks around it."""
        return self.component(self.repetitions(field)[0], component)

    def component(self, written: str, component: int) -> str:
        """A component of what was written, without subcomponents, escapes and blanks around it."""
        if not written:
            return ""
        parts = written.split(self.separators.component)
        if component > len(parts):
            return ""
        first = parts[component - 1].split(self.separators.subcomponent, 1)[0]
        return "" if first == '""' else unescaped(first, self.separators).strip(" ")


NOTHING = Segment()


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was split; the first segment is its MSH. `flags` say what was doubtful about its text."""

    segments: tuple[Segment, ...]
    flags: tuple[str, ...] = ()

    def first(self, name: str) -> Segment:
        """The first segment of that name; an empty one where there is none."""
        return next((s for s in self.segments if s.fields[0] == name), NOTHING)

    def all(self, name: str) -> list[Segment]:
        """Every segment of that name."""
        return [s for s in self.segments if s.fields[0] == name]

    def by_patient(self) -> Iterator[Message]:
        """The message once for each of its patients: what stands before the first PID, and that patient's segments."""
        starts = [i for i, s in enumerate(self.segments) if s.fields[0] == "PID"]
        head = self.segments[: starts[0]] if starts else ()
        for start, end in zip(starts, [*starts[1:], len(self.segments)], strict=False):
            yield Message(head + self.segments[start:end], self.flags)


def split(frame: bytes) -> Message | Fault:
    """The message in a frame, or why it cannot be split.

    1. Refuse what is too long, empty, or holds the bytes that frame messages.
    2. Find MSH and its separators, which are bytes of ASCII whatever the character set is.
    3. Decode by MSH-18, else by the fallback chain utf-8, 8859-15 with a flag.
    4. Count segments, fields, repetitions and components; refuse what has too many.
    """
    if len(frame) > MAX_FRAME_BYTES:  # 1
        return Fault("frame_too_long")
    body = frame.removeprefix(_BOM).strip(b" \r\n\t\x00")
    if not body:
        return Fault("empty_frame")
    if _FRAMING.search(body):
        return Fault("framing_inside")
    separators = _separators(body)  # 2
    if isinstance(separators, Fault):
        return separators
    text, flags = _decoded(body, separators)  # 3
    lines = _LINES.split(text)
    fault = _over_bounds(lines, separators)  # 4
    if fault is not None:
        return Fault(fault)
    return Message(tuple(_segment(line, separators) for line in lines), flags)


def _separators(body: bytes) -> Separators | Fault:
    if not body.startswith(b"MSH") or len(body) < 4:
        return Fault("no_msh")
    sign = body[3:4]
    written = body[4:9].split(sign, 1)[0].split(b"\r", 1)[0].split(b"\n", 1)[0]
    signs = sign + written[:4] + b"^~\\&"[len(written[:4]) :]
    if len(set(signs)) != 5 or any(not 32 < byte < 127 or chr(byte).isalnum() for byte in signs):
        return Fault("bad_separators")
    return Separators(*signs.decode("ascii"))


def _decoded(body: bytes, separators: Separators) -> tuple[str, tuple[str, ...]]:
    header = re.split(rb"[\r\n]", body, maxsplit=1)[0].split(separators.field.encode(), 18)
    declared = header[17].split(separators.repetition.encode(), 1)[0] if len(header) > 17 else b""
    name = declared.decode("ascii", "replace").strip().upper()
    known = _CHARSETS.get(name)
    try:
        return body.decode(known or "utf-8"), () if known else ("unknown_charset",)
    except UnicodeDecodeError:
        return body.decode("iso-8859-15"), ("charset_fallback",)


def _over_bounds(lines: list[str], separators: Separators) -> str | None:
    if len(lines) > MAX_SEGMENTS:
        return "too_many_segments"
    if any(line.startswith("MSH") and line[3:4] == separators.field for line in lines[1:]):
        return "two_messages"
    for line in lines:
        if line.count(separators.field) >= MAX_FIELDS:
            return "too_many_fields"
        if _most(line, separators.repetition, MAX_REPETITIONS, (separators.field,)) >= MAX_REPETITIONS:
            return "too_many_repetitions"
        within = (separators.field, separators.repetition)
        if _most(line, separators.component, MAX_COMPONENTS, within) >= MAX_COMPONENTS:
            return "too_many_components"
    return None


def _most(line: str, sign: str, limit: int, within: tuple[str, ...]) -> int:
    """How often a sign stands between two others, where it stands most; the whole line is counted first."""
    total = line.count(sign)
    if total < limit:
        return total
    for other in within[1:]:
        line = line.replace(other, within[0])
    return max(part.count(sign) for part in line.split(within[0]))


def _segment(line: str, separators: Separators) -> Segment:
    fields = line.split(separators.field)
    if fields[0] == "MSH":
        fields.insert(1, separators.field)
    return Segment(tuple(fields), separators)


@cache
def _escapes(separators: Separators) -> tuple[re.Pattern[str], dict[str, str]]:
    sign = re.escape(separators.escape)
    signs = {
        "F": separators.field, "S": separators.component, "T": separators.subcomponent,
        "R": separators.repetition, "E": separators.escape, ".br": " ", ".sp": " ",
    }  # fmt: skip
    return re.compile(rf"{sign}([^{sign}]{{0,400}}){sign}"), signs


def unescaped(text: str, separators: Separators = STANDARD) -> str:
    """The text with its escapes replaced: signs, hexadecimal bytes, line breaks as blanks; others are dropped."""
    if separators.escape not in text:
        return text
    pattern, signs = _escapes(separators)
    return pattern.sub(lambda found: _sign(found[1], signs), text)


def _sign(code: str, signs: dict[str, str]) -> str:
    if code[:1] != "X":
        return signs.get(code, "")
    try:
        written = bytes.fromhex(code[1:])
    except ValueError:
        return ""
    try:
        return written.decode("utf-8")
    except UnicodeDecodeError:
        return written.decode("iso-8859-15")


_SPECIAL = re.compile(r"[|^~\\&\x00-\x1f\x7f]")
_ESCAPED = {"|": "\\F\\", "^": "\\S\\", "~": "\\R\\", "\\": "\\E\\", "&": "\\T\\"}


def escaped(text: str) -> str:
    """The text as it may stand in a field under the standard separators; control signs become hexadecimal."""
    return _SPECIAL.sub(lambda found: _ESCAPED.get(found[0], f"\\X{ord(found[0]):02X}\\"), text)
