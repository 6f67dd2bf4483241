"""The page of what is already known: one frozen value, which its page shows and which queries nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

Kind = Literal["beds_closed", "staff_absent", "discharge", "ambulance"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class KnownFuture:
    """One thing that somebody has said is going to be."""

    number: int
    kind: Kind
    name_fr: str
    """Of the ward or of the staff, in both languages; empty for an ambulance."""
    name_en: str
    count: int
    said_at: datetime
    at: datetime
    """Until when it lasts; of a discharge and of an ambulance, when it is due."""
    who_fr: str
    who_en: str
    undone_at: datetime | None = None
    is_counted_since: bool = False
    """The hospital's own feed has told a count since: it holds, until this one's end."""

    def is_over(self, now: datetime) -> bool:
        """Has its time passed?"""
        return self.at <= now


@dataclass(frozen=True)
class Choice:
    """A ward, or staff, of which it can be said, and of how many at the most; 0 where nothing can be said of it now."""

    name: str
    fr: str
    en: str
    most: int


@dataclass(frozen=True)
class KnownView:
    """What the page shows."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    choices: dict[Kind, tuple[Choice, ...]]
    """By kind where it can be said; an ambulance comes to the department, which is one choice without a name."""
    people: tuple[tuple[str, str, str], ...]
    """Who may say it: the name that is kept, and what people are called in French and in English."""
    known: tuple[KnownFuture, ...]
    """What was said and is not long over, the last first."""
    is_ready: bool
    """Is there a forecast that could take it?"""
