"""The parts that both kinds of mapping are made of: the source, the columns, and how faults are told."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, field_validator

from ingest.configuration import Checked, Judged, SourceName

ExtractFormat = Literal["wide", "long", "rpu"]
"""An RPU is a wide extract of which the columns are known; see `rpu.py`."""
Milestone = Literal[
    "arrived", "triaged", "seen", "decided", "decided_home", "bed_requested", "bed_assigned", "departed", "left_ward"
]
MILESTONES: tuple[Milestone, ...] = get_args(Milestone)
"""In the order of a visit; `decided` is the decision to admit unless [decision] says otherwise."""

AgeHolds = Literal["years", "birth_date", "band"]


class Source(Checked):
    """Where the extract comes from and how its text is written."""

    name: SourceName
    format: ExtractFormat
    site: str = Field(min_length=1)
    zone: str
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: str = Field(default=".", min_length=1, max_length=1)
    time_format: str | None = None
    missing_values: tuple[str, ...] = ("",)
    lag_min: float = Field(default=0.0, ge=0)
    extracted_at: datetime | None = None

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError("must be an IANA zone such as Europe/Paris") from error
        return zone

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, encoding: str) -> str:
        try:
            "".encode(encoding)
        except LookupError as error:
            raise ValueError("must be an encoding such as utf-8 or iso-8859-15") from error
        return encoding

    @field_validator("extracted_at")
    @classmethod
    def _extracted_at_is_aware(cls, instant: datetime | None) -> datetime | None:
        if instant is not None and instant.tzinfo is None:
            raise ValueError("must say its offset, such as 2026-03-01T06:00:00Z")
        return instant


class Keys(Checked):
    """The columns that say who: hashed before anything else happens to them."""

    visit: str
    patient: str | None = None


def or_column(value: object) -> object:
    """A bare text stands for `{ column = text }`."""
    return {"column": value} if isinstance(value, str) else value


class TimeColumn(Checked):
    """When a milestone happened, and from when that is known.

    `recorded` is a column that says when it was entered; else it is known `lag_min` after it happened. `known_from`
    is a later milestone at which the time itself is entered.
    """

    column: str
    recorded: str | None = None
    lag_min: float | None = Field(default=None, ge=0)
    known_from: Milestone | None = None


class ValueColumn(Checked):
    """A class or a place: the file's words for the vocabulary's; `absent` are words for "not said"."""

    column: str
    values: Mapping[str, str] = {}
    absent: tuple[str, ...] = ()
    known_from: Milestone | None = None


class AgeColumn(ValueColumn):
    """An age in years, a birth date (dropped at once to the band on the day of arrival), or the band itself."""

    holds: AgeHolds = "years"


class ExtractMapping(Judged):
    """What both formats have."""

    source: Source
    _place: str = PrivateAttr(default="mapping")
    _text: str = PrivateAttr(default="")

    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Every column that is read, once each."""

    def placed(self, place: str, text: str) -> Self:
        """The same mapping, which remembers where it was read."""
        self._place, self._text = place, text
        return self

    def where(self, column: str) -> str:
        """`file:line` of the first mention of a column."""
        quoted = (f'"{column}"', f"'{column}'")
        lines = enumerate(self._text.splitlines(), start=1)
        return f"{self._place}:{next((n for n, line in lines if any(q in line for q in quoted)), 1)}"
