"""The page of the replay as plain values; `replay_desk.py` makes them.

What was known at an instant, what was said then, and what came: three values kept apart, so that nothing of the third
can find its way into the first two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from forecast.board import Fan, Now, UnitNow

MEASURES = ("ed_census", "ed_waiting", "ed_boarders")
"""What the replay draws, where the log tells it."""
SPEEDS = (60, 300, 600, 900)
"""How many times as fast as it was."""
TOLD_LEADS_MIN = (60, 120, 240, 480, 720, 1440)
"""Hours ahead that are told in words, where the forecast has them."""
DRAWN = timedelta(hours=24)
"""How far after its instant a replay runs."""


@dataclass(frozen=True)
class Asked:
    """What the page's address asks for."""

    at: datetime | None = None
    """The instant that is looked at; None for the latest."""
    versus: datetime | None = None
    """An instant whose forecast is compared with it."""
    to: datetime | None = None
    """How far the replay's clock has come; None where it has not moved."""
    speed: int = SPEEDS[1]
    fault: str | None = None
    """What of the address could not be read."""


@dataclass(frozen=True)
class Then:
    """What was known at an instant."""

    at: datetime
    now: Now
    units: tuple[UnitNow, ...]
    past_at: tuple[datetime, ...]
    past: Mapping[str, tuple[float | None, ...]]
    """By measure, on `past_at`, as it was known."""
    heard_at: datetime | None
    """When the last of it had become known."""
    learned_days: int


@dataclass(frozen=True)
class Said:
    """A forecast, as it was published or as it is made afterwards from what was known then."""

    issued_at: datetime
    as_of: datetime
    fans: Mapping[str, Fan]
    is_made_afterwards: bool = False
    is_thinned: bool = False
    """Only some hours ahead are kept of it."""
    corrected_days: int = 0


@dataclass(frozen=True)
class Came:
    """What came after an instant: by measure, as known at `known_at`; None for what has not come, or is not told."""

    at: tuple[datetime, ...]
    values: Mapping[str, tuple[float | None, ...]]
    known_at: datetime

    def of(self, measure: str, at: datetime) -> float | None:
        """What came at an instant; None where it is not known."""
        told = self.values.get(measure, ())
        return told[self.at.index(at)] if told and at in self.at else None


@dataclass(frozen=True)
class Looked:
    """One instant of the replay: what was known, and what was said, if anything was."""

    then: Then
    said: Said | None


ReplayState = Literal["empty", "outside", "looking", "shown", "fault"]
"""No log yet; an instant that it does not tell of; being read; there; it could not be read."""


@dataclass(frozen=True)
class ReplayView:
    """The page of the replay, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    state: ReplayState
    asked: Asked
    at: datetime | None = None
    """The instant that is shown; None while the log is empty."""
    first_at: datetime | None = None
    last_at: datetime | None = None
    """From when to when the log can be looked at."""
    looked: Looked | None = None
    versus: Looked | None = None
    came: Came | None = None
    issues: tuple[datetime | None, datetime | None] = (None, None)
    """Of the archive, the last issue before the instant and the first after it."""
    forecasting_at: datetime | None = None
    """The instant that a forecast is being made of; None while none is."""
    ready: bool = True
    """Whether one can be made now."""
    fault: str | None = None
    spaces: int | None = field(default=None)

    @property
    def to(self) -> datetime | None:
        """How far the clock has come: never before the instant, nor beyond what is drawn."""
        if self.at is None:
            return None
        return min(max(self.asked.to or self.at, self.at), self.at + DRAWN)
