"""THE BACKUPS OF A HOUSE: made every hour while it runs, opened and counted before they are named, the oldest let go.

    <folder>/edtwin-20261127T081200Z/backup.json      what it is: its state, and every file with its digest
                                     edtwin.duckdb    all tables, as of one instant
                                     journal/..       the journal, up to a record
                                     fabricated.json, huddle/..

A backup is made under a name that begins with a point, and gets its own once it was held against the house: whatever
bears a name of this form is good. What a house needs and no backup holds: `secret.key`, which must not lie beside what
it protects, and the site's own files of settings.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import threading
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dashboard.backup_names import MANIFEST, NAME, good_ones
from dashboard.backup_view import Backup, Standing
from dashboard.house import FABRICATED, House
from forecast.huddle_desk import FOLDER as HUDDLE
from ingest.backup import State, copy, require_same
from ingest.disk import bring_to_disk
from ingest.errors import BackupError, EdtwinError

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
LATE = timedelta(hours=3)
"""A last good backup older than this is a fault: two were missed."""
AGAIN = timedelta(minutes=10)
"""From one that failed to the next."""
LOOK_S = 30.0
BESIDE = (FABRICATED, f"{HUDDLE}/*.json", "exercises/*.json")
"""Files of the data that neither the journal nor the database holds, and that cannot be made again."""
_BEGUN = ".edtwin-unfinished"


@dataclass(frozen=True)
class Made:
    """What making a backup came to."""

    backup: Backup
    state: State
    bytes: int

    def as_json(self) -> dict[str, Any]:
        """As the command prints it."""
        at = self.backup.made_at.isoformat()
        told = {"backup": str(self.backup.place), "made_at": at, "records": self.state.records}
        return told | {"rows": self.state.rows, "bytes": self.bytes, "state": self.state.hash}


class Backups:
    """Makes the backups of an open house, one at a time; for all threads."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._folder, self._kept = house.settings.backup_folder, house.settings.backup_kept
        self._turn = threading.Lock()
        self._fault: str | None = None
        self._tried_at: datetime | None = None
        self._stop = threading.Event()

    def standing(self) -> Standing:
        """How they stand now."""
        kept = good_ones(self._folder) if self._folder is not None else []
        return Standing(self._folder, kept[-1] if kept else None, len(kept), self._fault, self._tried_at)

    def make(self, folder: Path) -> Made:
        """Make one in a folder. Raises BackupError where it cannot be made or is not what the house holds.

        1. Copy the house, and the files beside it.
        2. Open the copy and hold it against the house.
        3. Say what it is, and bring that to the disk.
        4. Name it; from here on it is good.
        """
        if (why := self._house.journal.refuses) is not None:  # those of before may hold what the journal lacks
            raise BackupError(f"no backup is made: {why}")
        with self._turn:
            begun, at = folder / _BEGUN, self._house.clock.now().replace(microsecond=0)
            shutil.rmtree(begun, ignore_errors=True)
            try:
                return self._made(folder, begun, Backup(folder / f"{at:{NAME}}", at))
            except OSError as error:
                raise BackupError(f"the backup {begun} cannot be written: {error.strerror or error}") from error
            finally:
                shutil.rmtree(begun, ignore_errors=True)

    def _made(self, folder: Path, begun: Path, backup: Backup) -> Made:
        if backup.place.exists():
            raise BackupError(f"{backup.place} is there already: a backup has the second it was made in as its name")
        before = good_ones(folder)
        state = copy(self._house.database, self._house.journal, begun, before=before[-1].place if before else None)  # 1
        _copy_beside(self._house.settings.data, begun)
        require_same(begun, state)  # 2
        size = _describe(begun, state, backup.made_at)  # 3
        begun.rename(backup.place)  # 4
        bring_to_disk(folder)
        return Made(backup, state, size)

    def keep_making(self, stop: threading.Event) -> None:
        """Every hour of the house's clock, until it ends; a fault is told, and tried again later."""
        self._stop = stop
        while self._folder is not None and not stop.is_set():
            if self._is_due(self._folder):
                self._try(self._folder)
            stop.wait(LOOK_S)

    def _is_due(self, folder: Path) -> bool:
        now, kept = self._house.clock.now(), good_ones(folder)
        if self._fault is not None and self._tried_at is not None and now - self._tried_at < AGAIN:
            return False
        return not kept or now - kept[-1].made_at >= EVERY

    def _try(self, folder: Path) -> None:
        try:
            self.make(folder)
            self._fault = None
            for old in good_ones(folder)[: -self._kept]:
                shutil.rmtree(old.place)
        except Exception as error:
            said = str(error) if isinstance(error, EdtwinError) else type(error).__name__
            if said != self._fault and not self._stop.is_set():  # at the end the database is closed under it
                logger.exception("no backup could be made")
            self._fault = said
        self._tried_at = self._house.clock.now()


def _copy_beside(data: Path, place: Path) -> None:
    for pattern in BESIDE:
        for file in sorted(data.glob(pattern)):
            target = place / file.relative_to(data)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, target)


def _describe(place: Path, state: State, made_at: datetime) -> int:
    """3. The manifest, written last; how many bytes the files have."""
    files = {str(file.relative_to(place)): (file.stat().st_size, sha256(file)) for file in _files(place)}
    versions = {"edtwin": version("edtwin"), "duckdb": version("duckdb")}
    told = {"made_at": made_at.isoformat(), "versions": versions, "hash": state.hash, "state": asdict(state)}
    with (place / MANIFEST).open("x", encoding="utf-8") as out:
        json.dump(told | {"files": files}, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    bring_to_disk(place)
    return sum(size for size, _ in files.values())


def _files(place: Path) -> list[Path]:
    return sorted(file for file in place.rglob("*") if file.is_file())


def sha256(file: Path) -> str:
    """The digest of a file's bytes."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
