"""RPU files in XML, the national schema (OSCOUR: ETABLISSEMENT, then PASSAGES with a PATIENT each), read as a stream.

No document type is allowed, hence no entity can be declared; depth, texts and the size of the file are bounded. Only
the elements that are named here are looked at; names, towns and free text are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from ingest.errors import UnreadableInputError

LARGEST_BYTES = 512 << 20
DEEPEST = 16
LONGEST_TEXT = 200
_READ_BYTES = 1 << 16
HEAD = ("FINESS", "EXTRACT")
"""What the file says of itself, for all its passages."""
RECORDS = ("PATIENT", "RPU")
"""The element of one passage; the outer one where one is in the other."""

Record = Mapping[str, str] | None
"""The fields of a passage, or None for one that says a field twice or at undue length."""


class _Broken(Exception):
    """The bound that a file breaks, in words."""


class _Passages:
    """Collects passages as the parser comes by them."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._fields = frozenset(fields)
        self.head: dict[str, str] = {}
        self.records: list[Record] = []
        self._depth, self._inside = 0, 0
        self._record: dict[str, str] = {}
        self._sound = True
        self._field: str | None = None
        self._text: list[str] = []

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise _Broken(f"is more than {DEEPEST} elements deep")
        name = _local(tag)
        if name in RECORDS and not self._inside:
            self._inside, self._record, self._sound = self._depth, {}, True
        wanted = self._fields if self._inside else HEAD
        self._field, self._text = (name if name in wanted else None), []

    def data(self, text: str) -> None:
        if self._field is not None:
            self._text.append(text[: LONGEST_TEXT + 1])
            if sum(map(len, self._text)) > LONGEST_TEXT:
                self._field, self._sound = None, False

    def end(self, tag: str) -> None:
        if self._field is not None and self._field == _local(tag):
            self._keep(self._field, "".join(self._text).strip())
        if self._inside == self._depth:
            self.records.append({**self.head, **self._record} if self._sound else None)
            self._inside = 0
        self._field = None
        self._depth -= 1

    def close(self) -> None:
        """Nothing is left to do at the end."""

    def _keep(self, field: str, text: str) -> None:
        holder = self._record if self._inside else self.head
        if holder.get(field, text) != text:
            self._sound = False
        holder[field] = text

    def taken(self) -> list[Record]:
        """The passages since the last call."""
        records, self.records = self.records, []
        return records


def _local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1].upper()


def is_xml(path: Path) -> bool:
    """True for a file that begins as XML does. Raises OSError."""
    with path.open("rb") as file:
        start = file.read(64)
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") or start.startswith(
        (b"\xff\xfe<", b"\xfe\xff")
    )


def passages(path: Path, fields: tuple[str, ...]) -> Iterator[tuple[Mapping[str, str], list[Record]]]:
    """What the file says of itself so far, and some passages at a time, each with what was said of all.

    Raises UnreadableInputError for what is not XML, breaks off, declares a document type or breaks a bound; OSError.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise UnreadableInputError(f"{path} must have at most {LARGEST_BYTES >> 20} MB; cut it in parts")
    target = _Passages(fields)
    parser = DefusedXMLParser(target=target, forbid_dtd=True)
    try:
        with path.open("rb") as file:
            while block := file.read(_READ_BYTES):
                parser.feed(block)
                if target.records:
                    yield target.head, target.taken()
            parser.close()
    except ParseError as error:
        line = error.position[0]
        raise UnreadableInputError(f"{path} is not whole XML: it breaks off or is malformed at line {line}") from None
    except DefusedXmlException:
        raise UnreadableInputError(f"{path} declares a document type or an entity, which is refused") from None
    except _Broken as broken:
        raise UnreadableInputError(f"{path} {broken}, which is refused") from None
    except (LookupError, ValueError):
        raise UnreadableInputError(f"{path} is of an encoding that cannot be read") from None
    yield target.head, target.taken()
