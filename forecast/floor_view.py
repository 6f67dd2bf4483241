"""The values of the page of the floor: zones with their patients, beds by state, a day to play, what is likely ahead.

Nothing here names a patient or a visit: a patient of a day is a number that is good for that day alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, get_args

from forecast.board import Board

Stage = Literal["triage", "provider", "decision", "departure", "bed"]
"""What a patient in the department waits for next."""
STAGES: tuple[Stage, ...] = get_args(Stage)
BY_STAGE = "@"
"""Begins the name of a zone of those whose place the log does not tell: `@provider`."""
Tier = Literal["short", "long", "longest", "unknown"]
"""Time in a stage: below its median, above it, above what 9 in 10 stay below; unknown where nothing is usual yet."""
TIERS: tuple[Tier, ...] = get_args(Tier)


@dataclass(frozen=True)
class Usual:
    """How long a stage usually lasts, in minutes: the median, and what 9 in 10 stay below."""

    median_min: float
    nine_in_ten_min: float

    def tier(self, elapsed_min: float) -> Tier:
        """Where so long lies."""
        if elapsed_min > self.nine_in_ten_min:
            return "longest"
        return "long" if elapsed_min > self.median_min else "short"


@dataclass(frozen=True)
class Zone:
    """A part of the plan: an area of the department, or those of a stage whose place is not told."""

    key: str
    """The area's name in the log, or `@` and a stage."""
    row: int
    """In which row of the plan it stands, from the entrance on."""
    fr: str = ""
    en: str = ""
    """An area's names."""
    spaces: int | None = None
    """Of an area, where the site says how many."""
    is_told: bool = True
    """False for an area of the site of which the log never says who is there."""

    @property
    def stage(self) -> Stage | None:
        """The stage of those in it, where it is no area."""
        return next((stage for stage in STAGES if self.key == BY_STAGE + stage), None)


@dataclass(frozen=True)
class Dot:
    """One patient at an instant: in which zone and stage, since how many minutes in this stage."""

    zone: str
    stage: Stage
    elapsed_min: float


@dataclass(frozen=True)
class BedStrip:
    """The beds of a ward by what the log knows; None where it does not tell."""

    unit: str
    fr: str
    en: str
    beds: int | None
    """Open and staffed."""
    occupied: int | None
    free: int | None
    cleaning: int | None = None
    closed: int | None = None
    is_doubtful: bool = False
    """The counts contradict each other."""


@dataclass(frozen=True)
class Likely:
    """How many are likely in a part of the department or free in a ward: 10, 50 and 90 %."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Ahead:
    """The likely picture at an instant to come, from the published forecast; None where it does not tell."""

    valid_at: datetime
    issued_at: datetime
    waiting: Likely | None
    care: Likely | None
    """All others in the department who do not wait for a ward bed, counted run by run."""
    boarders: Likely | None
    present: Likely | None
    free: dict[str, Likely]
    """Free beds by ward."""


@dataclass(frozen=True)
class FloorView:
    """The page of the floor, whole."""

    made_at: datetime
    board: Board
    """The wall's, of the same moment: the state of the feed, the age of the forecast."""
    as_of: datetime | None = None
    """Of when the positions are; None before the first cycle."""
    zones: tuple[Zone, ...] = ()
    dots: tuple[Dot, ...] = ()
    likely_gone: int = 0
    """Without an exit on record, and more likely gone than here: taken to have left after as long as is usual."""
    usual: tuple[tuple[Stage, Usual], ...] = ()
    wards: tuple[BedStrip, ...] = ()
    ahead: Ahead | None = None
    days: tuple[date, date] | None = None
    """The first and the last local day that can be played."""
    fault: str | None = None
    """Why the positions could not be made anew."""

    @property
    def zone(self) -> str:
        """Where its readers are."""
        return self.board.zone

    @property
    def hospital(self) -> str:
        """Whose it is."""
        return self.board.hospital

    @property
    def mode(self) -> str:
        """ "live", "replay", "fabricated" or "exercise"."""
        return self.board.mode

    def usual_of(self, stage: Stage) -> Usual | None:
        """How long a stage usually lasts."""
        return dict(self.usual).get(stage)

    def tier(self, dot: Dot) -> Tier:
        """How long a patient has been in the stage against what is usual there."""
        usual = self.usual_of(dot.stage)
        return "unknown" if usual is None else usual.tier(dot.elapsed_min)
