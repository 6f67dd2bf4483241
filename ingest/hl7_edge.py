"""HL7 at the edge: a message as it may touch the disk, made from a list of the fields that are let through.

Whatever is not on the list is dropped: names, addresses, free text, NTE, NK1, IN1, GT1, the results in OBX. What is
on it passes only in its shape: a number becomes a pseudonym, a birth date an age band, a time must be a time, a word
must be one that the settings name or look like a code. A code of a place that does neither becomes a token, the same
each time, so that nothing is lost and nobody is named. Any other value that does not fit leaves a "?".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from unicodedata import normalize

from ingest.formats import Kept
from ingest.hl7_settings import AGE_BANDS, Hl7Settings, field_of
from ingest.hl7_text import Fault, Message, Segment, escaped, split
from ingest.hl7_times import birth_date, moment
from ingest.pseudonyms import NumberKind, Pseudonyms

UNKNOWN = "?"
"""What is kept of a value that does not fit its field."""
UNREADABLE = "ZKF"
"""The segment, one of our own, that is kept of a frame that cannot be split."""
REMARKS = 21
"""The field of MSH that holds what was doubtful at the edge."""

_CODE = re.compile(r"(?:(?:Bed|Lit|Room|Ch) ?)?((?=.*\d)[A-Za-z0-9_.-]{1,10}|[A-Z]{1,4})", re.ASCII)
_CODE_LETTERS, _CODE_DIGITS = 4, 5
_LONGEST_REMEMBERED, _REMEMBERED = 64, 20_000
_WORD = re.compile(r"[A-Z0-9]{1,4}")
_TYPES = frozenset(["ADT", "ORU", "ORM", "OMG", "OML", "OMI", "SIU"])
"""Types of messages that are read; of any other only the fact is kept."""
_EVENT = re.compile(r"[A-Z]\d[0-9A-Z]", re.ASCII)
_VERSION = re.compile(r"2(?:\.\d){1,2}", re.ASCII)
_APPLICATION, _FACILITY, _SENT, _TYPE, _CONTROL, _PROCESSING, _VERSION_ID = 3, 4, 7, 9, 10, 11, 12
Shape = Callable[["Sheet", str, Segment], str]
"""A field as it was written, and the segment it stands in, as it may be kept; a value that is escaped."""


def looks_like_a_code(text: str) -> bool:
    """Whether a text is a code rather than a name or a number of someone: few letters, few digits."""
    found = _CODE.fullmatch(text)
    if found is None:
        return False
    letters, digits = (sum(map(kind, found[1])) for kind in (str.isalpha, str.isdigit))
    return letters <= _CODE_LETTERS and digits <= _CODE_DIGITS


class Hl7Edge:
    """Makes kept messages for one site."""

    def __init__(self, settings: Hl7Settings, pseudonyms: Pseudonyms) -> None:
        self._settings = settings
        self._numbers = pseudonyms.of_site(settings.source.site)
        self._pseudonym = lru_cache(maxsize=_REMEMBERED)(self._numbers.one)

    def kept(self, frame: bytes) -> Kept:
        """The message as it may touch the disk; never raises, whatever the bytes are."""
        message = split(frame)
        if isinstance(message, Fault):
            return self._unreadable(frame, message)
        header = message.first("MSH")
        sheet = Sheet(self, header.text(_SENT) or message.first("EVN").text(2))
        lines = [self._header(header, sheet, message.flags), *self._lines(message, sheet)]
        return Kept(payload="\r".join(lines).encode() + b"\r", control_id=self._control_id(header))

    def _control_id(self, header: Segment) -> str:
        """MSH-10 with its sender (MSH-3, MSH-4): several number their messages alike."""
        if not header.text(_CONTROL).strip():
            return ""
        return self.number("record", "^".join(header.text(field) for field in (_APPLICATION, _FACILITY, _CONTROL)))

    def number(self, kind: NumberKind, number: str) -> str:
        """The pseudonym of a number; "" where there is none."""
        if len(number) > _LONGEST_REMEMBERED:
            return self._numbers.one(kind, number)
        return self._pseudonym(kind, number) if number.strip() else ""

    def code(self, text: str, known: Container[str]) -> str:
        """The code of a place or a test as it is, if it is known or looks like one, else its token."""
        text = normalize("NFC", text)
        if not text or text in known or looks_like_a_code(text):
            return escaped(text)
        return f"u.{self.number('record', f'code {text}')}"

    @property
    def settings(self) -> Hl7Settings:
        return self._settings

    @cached_property
    def tests(self) -> frozenset[str]:
        """Codes and words of tests that are kept as they are."""
        values = self._settings.tests.values
        return frozenset(["imaging", "laboratory", *values, *values.values()])

    def _unreadable(self, frame: bytes, fault: Fault) -> Kept:
        digest = self.number("file", sha256(frame).hexdigest())
        return Kept(payload=f"{UNREADABLE}|{fault.code}|{len(frame)}|{digest}\r".encode(), fault=fault.code)

    def _header(self, header: Segment, sheet: Sheet, flags: tuple[str, ...]) -> str:
        fields = ["MSH", "^~\\&", *[""] * 15, "UNICODE UTF-8", "", "", "~".join(flags)]
        fields[_SENT - 1] = _time(sheet, header.raw(_SENT), header)
        fields[_TYPE - 1] = _message_type(header)
        fields[_CONTROL - 1] = self.number("record", header.text(_CONTROL))
        fields[_PROCESSING - 1] = header.text(_PROCESSING) if header.text(_PROCESSING) in ("P", "T", "D") else ""
        version = header.text(_VERSION_ID)
        fields[_VERSION_ID - 1] = version if _VERSION.fullmatch(version) else ""
        return "|".join(fields).rstrip("|")

    def _lines(self, message: Message, sheet: Sheet) -> Iterator[str]:
        for segment in message.segments:
            shapes = self._shapes.get(segment.name)
            if shapes and not (segment.name == "OBX" and segment.text(3) not in self._settings.observed):
                written = zip(segment.fields[1:], shapes[1:], strict=False)
                fields = (_shaped(sheet, text, segment, shape) for text, shape in written)
                yield "|".join([segment.name, *fields]).rstrip("|")

    @cached_property
    def _shapes(self) -> dict[str, list[Shape | None]]:
        """For each segment that is kept, what each of its fields may hold; None for what is dropped."""
        shapes = {name: dict(fields) for name, fields in KEPT.items()}
        for name in ("destination", "mode", "complaint", "planned"):
            _add(shapes, getattr(self._settings, name).field, self._settings.meanings[name])
        for field in self._settings.acuity.fields:
            _add(shapes, field, self._settings.meanings["acuity"])
        return {name: [fields.get(i) for i in range(max(fields) + 1)] for name, fields in shapes.items()}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One message on its way through the edge, and when it was sent, which is when ages are told."""

    edge: Hl7Edge
    sent: str


def age_band(born: str, today: str) -> str:
    """The band of the age on a day, both as HL7 writes them; a band stays what it is."""
    if not born or born in AGE_BANDS:
        return born
    birth, day = birth_date(born), birth_date(today)
    if birth is None or day is None or birth > day:
        return UNKNOWN
    years = day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))
    return AGE_BANDS[0] if years < 18 else AGE_BANDS[1] if years < 75 else AGE_BANDS[2]


def _shaped(sheet: Sheet, written: str, segment: Segment, shape: Shape | None) -> str:
    return shape(sheet, written, segment) if shape and written and written != '""' else ""


def _add(shapes: dict[str, dict[int, Shape]], field: str, words: Mapping[str, str]) -> None:
    """Let a field through that the settings name; a field that is on the list already keeps its shape."""
    where = field_of(field)
    shapes.setdefault(where.segment, {}).setdefault(where.field, _word_of(words, where.component))


def _word_of(words: Mapping[str, str], component: int) -> Shape:
    def kept(sheet: Sheet, written: str, segment: Segment) -> str:
        text = segment.component(written.split(segment.separators.repetition, 1)[0], component)
        if not text:
            return ""
        return "^" * (component - 1) + (escaped(text) if text in words or _WORD.fullmatch(text) else UNKNOWN)

    return kept


def _table(*allowed: str) -> Shape:
    def kept(sheet: Sheet, written: str, segment: Segment) -> str:
        text = segment.component(written, 1)
        return text if not text or text in allowed else UNKNOWN

    return kept


def _number(kind: NumberKind) -> Shape:
    def kept(sheet: Sheet, written: str, segment: Segment) -> str:
        return sheet.edge.number(kind, segment.component(written.split(segment.separators.repetition, 1)[0], 1))

    return kept


def _patient(sheet: Sheet, written: str, segment: Segment) -> str:
    """The number of the type that the settings prefer, else the first."""
    numbers = [n for n in written.split(segment.separators.repetition) if segment.component(n, 1)]
    for wanted in sheet.edge.settings.source.patient_types:
        for number in numbers:
            if segment.component(number, 5) == wanted:
                return sheet.edge.number("patient", segment.component(number, 1))
    return sheet.edge.number("patient", segment.component(numbers[0], 1)) if numbers else ""


def _time(sheet: Sheet, written: str, segment: Segment, component: int = 1) -> str:
    text = segment.component(written.split(segment.separators.repetition, 1)[0], component)
    return text if not text or moment(text, sheet.edge.settings.source.zone) else UNKNOWN


def _start(sheet: Sheet, written: str, segment: Segment) -> str:
    """The start in the fourth component of a timing quantity."""
    time = _time(sheet, written, segment, component=4)
    return f"^^^{time}" if time else ""


def _age(sheet: Sheet, written: str, segment: Segment) -> str:
    return age_band(segment.component(written, 1), sheet.sent)


def _unit_code(sheet: Sheet, text: str) -> str:
    return sheet.edge.code(text, sheet.edge.settings.units.by_code)


def _spot(sheet: Sheet, written: str, segment: Segment) -> str:
    """Point of care, room, bed, and the status of the location."""
    written = written.split(segment.separators.repetition, 1)[0]
    unit, room, bed, status = (segment.component(written, component) for component in (1, 2, 3, 5))
    kept = [
        _unit_code(sheet, unit),
        sheet.edge.code(room, ()),
        sheet.edge.code(bed, ()),
        "",
        status if status in _STATUSES else "",
    ]
    return "^".join(kept).rstrip("^")


def _responsible(sheet: Sheet, written: str, segment: Segment) -> str:
    """The code of a unit in component 10 of its name, else in component 3."""
    written = written.split(segment.separators.repetition, 1)[0]
    code = segment.component(written, 10) or segment.component(written, 3)
    return "^" * 9 + _unit_code(sheet, code) if code else ""


def _test(sheet: Sheet, written: str, segment: Segment) -> str:
    return sheet.edge.code(segment.component(written, 1), sheet.edge.tests)


def _event_code(sheet: Sheet, written: str, segment: Segment) -> str:
    text = segment.component(written, 1)
    return text if not text or _EVENT.fullmatch(text) else UNKNOWN


def _class(sheet: Sheet, written: str, segment: Segment) -> str:
    text = segment.component(written, 1)
    return text if not text or _WORD.fullmatch(text) or text in sheet.edge.settings.units.classes else UNKNOWN


def _bed_status(sheet: Sheet, written: str, segment: Segment) -> str:
    text = segment.component(written, 1)
    return text if not text or _WORD.fullmatch(text) or text in sheet.edge.settings.bed_statuses else UNKNOWN


def _observation(sheet: Sheet, written: str, segment: Segment) -> str:
    return escaped(segment.component(written, 1))


def _level(sheet: Sheet, written: str, segment: Segment) -> str:
    text = segment.component(written, 1)
    known = (
        sheet.edge.settings.observed.get(segment.text(3)) == "acuity" and text in sheet.edge.settings.meanings["acuity"]
    )
    return escaped(text) if known or not text else UNKNOWN


def _message_type(header: Segment) -> str:
    kind, event = header.text(_TYPE, 1), header.text(_TYPE, 2)
    return f"{kind if kind in _TYPES else UNKNOWN}^{event if not event or _EVENT.fullmatch(event) else UNKNOWN}"


_STATUSES = ("ASSIGNED", "REQUESTED")
_RECORD, _VISIT = _number("record"), _number("visit")

KEPT: Mapping[str, Mapping[int, Shape]] = {
    "EVN": {1: _event_code, 2: _time, 6: _time},
    "PID": {3: _patient, 7: _age, 8: _table("F", "M", "O", "U", "A", "N"), 18: _VISIT},
    "PV1": {2: _class, 3: _spot, 6: _spot, 19: _VISIT, 37: _spot, 44: _time, 45: _time},
    "PV2": {1: _spot, 8: _time, 9: _time},
    "MRG": {1: _patient, 3: _VISIT, 5: _VISIT},
    "ZBE": {
        1: _RECORD, 2: _time, 4: _table("INSERT", "UPDATE", "CANCEL"), 5: _table("Y", "N"), 6: _event_code,
        7: _responsible, 8: _responsible,
    },
    "NPU": {1: _spot, 2: _bed_status},
    "ORC": {1: _class, 2: _RECORD, 3: _RECORD, 9: _time},
    "OBR": {2: _RECORD, 3: _RECORD, 4: _test, 22: _time, 24: _class, 25: _class},
    "OBX": {3: _observation, 5: _level, 11: _class, 14: _time},
    "SCH": {1: _RECORD, 2: _RECORD, 11: _start},
    "AIL": {3: _spot, 6: _time},
    "AIS": {4: _time},
}  # fmt: skip
"""THE ALLOW-LIST: every field that is kept, in what shape. The settings add the fields of words that they name."""
