"""What the last night learned, kept in the log's database, so that a house that starts again need not learn it anew.

It is used only where learning anew, as of that night, would give the same to the last bit: by the same code, libraries
and kind of machine, of the same hospital's file, settings and files from outside, and from a log that holds the same
events of before it, none corrected into it since, erased or ended. In doubt it is learned anew, and the reason is told.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from forecast.pages import AtStart
from forecast.remote import code_digest
from ingest.log import EventLog, Snapshot
from twin.calibrate import Calibration
from twin.errors import KeptError
from twin.hospital import Hospital
from twin.plain_bytes import about, digest_of_value, from_bytes, to_bytes
from twin.site import Site

logger = logging.getLogger(__name__)

NAME = "forecast.learned"
"""Of its snapshot in the log."""
ASIDE = "forecast.learned.aside"
"""Of the last one that was damaged."""
_REASONS: Mapping[AtStart, str] = {
    "code": "it was learned by other code or libraries",
    "machine": "it was learned on another kind of machine",
    "hospital": "the hospital's file or settings were others",
    "outside": "the series from outside were others",
    "log": "the log held other events of before it",
}


@dataclass(frozen=True)
class Learning:
    """What was learned at a time, and what came of it."""

    calibration: Calibration
    seconds: float
    days_added: int
    changes: tuple[Mapping[str, Any], ...]
    before_at: datetime | None
    """When what is compared with was learned; None for the first time."""


class LearnedKept:
    """The last learning of one hospital, in its log."""

    def __init__(self, log: EventLog, hospital: Hospital, *, own_beds: bool, site: Site | None) -> None:
        self._log, self._hospital = log, hospital
        self.at_start: AtStart | None = None
        """What became of what was kept when it was last read; None where there was nothing."""
        said = replace(site, place="") if site else None
        self._house = f"{digest_of_value(hospital, Hospital)} {digest_of_value(said, Site | None)} {own_beds}"

    def basis(self, as_of: datetime) -> dict[str, str]:
        """All that what is learned as of an instant depends on, by name: taken before it is learned."""
        return {
            "code": code_digest(),
            "machine": platform.machine(),
            "hospital": self._house,
            "outside": _digest_of_files(self._hospital.outside),
            "log": self._log.digest(as_of),
        }

    def save(self, learning: Learning, basis: Mapping[str, str], seen: int) -> Learning:
        """Keep it; what is given back is what a house that starts again reads, and so what this one goes on with.

        `seen` is the length of the log before it was read for this. Where the log has since learned what should be in
        it, or it holds what cannot be kept, it is not kept, and the house goes on with what it has.
        """
        as_of = learning.calibration.as_of
        if self._log.has_learned(seen, as_of):
            return learning
        try:
            told = to_bytes(learning, Learning, basis)
            kept = from_bytes(told, Learning)
        except KeptError as error:
            logger.error("what was learned cannot be kept: %s", error)
            return learning
        self._log.save_snapshot(NAME, as_of, as_of, told, seen=seen, keep=1)
        return kept

    def read(self, as_of: datetime) -> Learning | None:
        """What was learned last, by an instant; None, with the reason in the log, where it must be learned anew."""
        snapshot = self._log.latest_snapshot(NAME, as_of)
        if snapshot is None:
            self._without_one()
            return None
        try:
            said, now = about(snapshot.blob), self.basis(snapshot.known_at)
            other = next((name for name in _REASONS if said.get(name) != now[name]), None)
            found = None if other else from_bytes(snapshot.blob, Learning)
        except KeptError as error:
            self._put_aside(snapshot, error)
            other, found = "damaged", None
        if other is not None and other in _REASONS:
            logger.info("what was learned at %s is not used: %s", snapshot.known_at, _REASONS[other])
        self.at_start = other or "kept"
        return found

    def _without_one(self) -> None:
        """Nothing is kept, or what is kept lacks what the log has learned since."""
        if self._log.has_snapshot(NAME):
            logger.info("what was learned before is not used: %s", _REASONS["log"])
            self.at_start = "log"

    def _put_aside(self, snapshot: Snapshot, error: KeptError) -> None:
        logger.warning("what was learned at %s is set aside: %s", snapshot.known_at, error)
        self._log.save_snapshot(ASIDE, snapshot.at, snapshot.known_at, snapshot.blob, keep=1)


def _digest_of_files(files: tuple[str, ...]) -> str:
    """A name for what files hold, one that cannot be read as such."""
    digest = sha256()
    for file in files:
        try:
            content = Path(file).read_bytes()
        except OSError:
            content = b"\0unreadable"
        digest.update(f"{len(content)} ".encode() + content)
    return digest.hexdigest()[:16]
