"""What a kept FHIR resource says, in the words of this house: instants, periods, codes; and the faults of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.clock import resolve
from ingest.fhir_json import FhirFault
from ingest.fhir_mapping import FhirMapping, FhirPlace

EARLY_MIN = 10.0
"""How far a clock may be ahead of ours before what it tells is taken to be in the future."""
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A period with what it holds: a status, a class, or a place."""

    what: str
    start: datetime | None
    end: datetime | None
    place: FhirPlace | None = None

    @property
    def ward(self) -> bool:
        """True for a place that is in a ward."""
        return self.place is not None and self.place.ward


@dataclass(frozen=True)
class Site:
    """A mapping as the reader uses it: each word of the site by itself and by the token that stood for it."""

    mapping: FhirMapping
    tokens: Mapping[str, str] = field(default_factory=dict)

    def word(self, code: str) -> str:
        """The site's word, also where only its token was kept."""
        return self.tokens.get(code, code)


class Resource:
    """One kept resource, asked field by field. Every fault is a FhirFault that names the field and the rule."""

    def __init__(self, kept: Mapping[str, Any], site: Site, latest: datetime) -> None:
        """`latest` is the instant after which nothing can have happened yet."""
        self.kept, self.site = kept, site
        self._name = str(kept.get("resourceType"))
        self._latest = latest + timedelta(minutes=EARLY_MIN)
        self.flags: list[str] = []

    def code(self, *path: str) -> str | None:
        """The code that stands at a place; None where there is none. A token there is a fault."""
        found = self._at(self.kept, path)
        if found is None or (isinstance(found, str) and not found.startswith("~")):
            return found
        raise FhirFault("unknown_code", f"{self._name}.{'.'.join(path)} is not a code that FHIR R4 binds there")

    def words(self, *path: str) -> list[str]:
        """The site's words of a concept that the mapping lists, in their order. Unlisted ones say nothing."""
        codings = self._at(self.kept, (*path, "coding")) or []
        if not isinstance(codings, list):
            raise FhirFault("malformed", f"{self._name}.{'.'.join(path)}.coding must be a list, of a bounded length")
        codes = [coding.get("code") for coding in codings if isinstance(coding, dict)]
        return [self.site.word(code) for code in codes if isinstance(code, str)]

    def instant(self, *path: str, future: bool = False) -> datetime | None:
        """The instant at a place; None where there is none."""
        return self._instant(self._at(self.kept, path), ".".join((self._name, *path)), future)

    def history(self, name: str, *code: str) -> list[Span]:
        """The entries of a history, each with its code and period, in order of their start."""
        found = []
        for number, entry in enumerate(self._list(name)):
            place = f"{self._name}.{name}[{number}]"
            what = self._at(entry, code)
            if not isinstance(what, str) or what.startswith("~"):
                raise FhirFault("unknown_code", f"{place}.{'.'.join(code)} is not a code that FHIR R4 binds there")
            found.append(Span(what, *self._period(entry, place)))
        return _in_order(found)

    def places(self) -> list[Span]:
        """Where the encounter was, is and is to be, in order of the start; `what` is the status of the place."""
        found = []
        for number, entry in enumerate(self._list("location")):
            name = f"{self._name}.location[{number}]"
            status = self._at(entry, ("status",)) or "active"
            if status.startswith("~"):
                raise FhirFault("unknown_code", f"{name}.status is not a code that FHIR R4 binds there")
            place = self._place(self._at(entry, ("location", "reference")), name)
            if place is not None:
                start, end = self._period(entry, name, future=status in ("planned", "reserved"))
                found.append(Span(status, start, end, place))
        return _in_order(found)

    def _place(self, word: Any, name: str) -> FhirPlace | None:
        known = self.site.mapping.locations.get(self.site.word(word)) if isinstance(word, str) else None
        if known is None and self.site.mapping.unknown_location == "reject":
            raise FhirFault("unknown_location", f"{name}.location is not one that the mapping lists")
        if known is None:
            self.flags.append("unknown_location")
        return known

    def _list(self, name: str) -> list[Any]:
        entries = self.kept.get(name, [])
        if not isinstance(entries, list):
            raise FhirFault("malformed", f"{self._name}.{name} must be a list, of a bounded length")
        return entries

    def _period(self, entry: Any, name: str, *, future: bool = False) -> tuple[datetime | None, datetime | None]:
        start, end = (
            self._instant(self._at(entry, ("period", part)), f"{name}.period.{part}", future or part == "end")
            for part in ("start", "end")
        )
        if start is not None and end is not None and end < start:
            raise FhirFault("before_arrival", f"{name}.period must end after it starts")
        return start, end

    def _at(self, value: Any, path: tuple[str, ...]) -> Any:
        for name in path:
            if value is None:
                return None
            if not isinstance(value, Mapping):
                raise FhirFault("malformed", f"{self._name}.{'.'.join(path)} must be inside an object")
            value = value.get(name)
        return value

    def _instant(self, text: Any, name: str, future: bool) -> datetime | None:
        if text is None:
            return None
        if not isinstance(text, str) or text.startswith("~"):
            raise FhirFault("impossible_date", f"{name} is not a time as FHIR writes them")
        if "T" not in text:
            raise FhirFault("imprecise_time", f"{name} must say the hour, but says only a date")
        at = self._resolved(text, name)
        if not _EARLIEST <= at < _LATEST:
            raise FhirFault("impossible_date", f"{name} is not a time that exists")
        if at > self._latest and not future:
            raise FhirFault("in_future", f"{name} is after the message came")
        return at

    def _resolved(self, text: str, name: str) -> datetime:
        """The instant of a text; one without offset is local, and in the hours of a clock change it is flagged."""
        try:
            at = datetime.fromisoformat(text)
            if at.tzinfo is not None:
                return at.astimezone(UTC)
            found, flag = resolve(at, self.site.mapping.source.zone)
        except (ValueError, OverflowError):
            raise FhirFault("impossible_date", f"{name} is not a time that exists") from None
        self.flags.extend([flag] if flag else [])
        return found


def _in_order(spans: list[Span]) -> list[Span]:
    """By start; those without one come last, in their order."""
    return sorted(spans, key=lambda span: span.start or _LATEST)


def first_start(spans: list[Span], *what: str) -> datetime | None:
    """The first start among spans of these kinds (of any if none is named)."""
    return min(_starts(spans, what), default=None)


def last_end(spans: list[Span]) -> datetime | None:
    """The last end."""
    return max((span.end for span in spans if span.end is not None), default=None)


def _starts(spans: list[Span], what: tuple[str, ...]) -> Iterator[datetime]:
    return (span.start for span in spans if span.start is not None and (not what or span.what in what))
