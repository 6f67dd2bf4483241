"""What every format of messages gives: a form that may touch the disk, and the events that it tells.

The two steps stand apart because the journal stands between them. `kept` needs the secret of the pseudonyms and is
done at the edge, before anything is written. `read` needs no secret and can be done again from the journal at any
time, with the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingest.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A message as the journal keeps it: pseudonyms and allow-listed fields only."""

    payload: bytes
    control_id: str = ""
    """What the sender calls the message, as a pseudonym where it could name anyone."""
    fault: str | None = None
    """The code of the rule for which it can never be read; the payload is then tokens, sealed, or length and hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message came from: the source, its place there, and when the journal took it."""

    source: str
    position: int
    stored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What became of one message: applied (it told events), ignored by a rule, or rejected for a reason."""

    events: tuple[Event, ...] = ()
    ignored: str | None = None
    rejected: str | None = None
    sentence: str = ""
    """Thing, rule and place in words; never a value that could name anyone."""
    flags: tuple[str, ...] = ()
    """What was doubtful and taken all the same, such as a time in the hour that autumn repeats."""


class Format(Protocol):
    """One format of messages, set up for one site."""

    name: str

    def kept(self, message: bytes) -> Kept:
        """The message as it may touch the disk; never raises, whatever the bytes are."""
        ...

    def read(self, payload: bytes, place: Place) -> Reading:
        """The events of a kept message, a pure function of payload and place; never raises."""
        ...
