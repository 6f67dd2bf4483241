"""How the backups of a house stand, in plain values: for the page about the house and for who watches over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Backup:
    """A good backup: where it is, and when the house was as it says."""

    place: Path
    made_at: datetime


@dataclass(frozen=True)
class Standing:
    """How backups stand: where they are made by themselves, the last good one, how many, and the last fault."""

    folder: Path | None
    last: Backup | None
    kept: int
    fault: str | None
    tried_at: datetime | None
    """When this house last tried to make one."""
