"""Which backups a folder holds: by their names, the oldest first."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from dashboard.backup_view import Backup
from ingest.backup import DATABASE

NAME = "edtwin-%Y%m%dT%H%M%SZ"
MANIFEST = "backup.json"
_NAMED = re.compile(r"edtwin-\d{8}T\d{6}Z")


def good_ones(folder: Path) -> list[Backup]:
    """The good backups of a folder, the oldest first."""
    named = sorted(place for place in folder.glob("edtwin-*") if _NAMED.fullmatch(place.name))
    return [Backup(place, _made_at(place)) for place in named if (place / MANIFEST).is_file()]


def newest_first(folder: Path | None) -> list[Backup]:
    """The good backups of a folder, if there is one, the newest first."""
    return good_ones(folder)[::-1] if folder is not None else []


def newest_database(folder: Path | None) -> tuple[Path, datetime] | None:
    """The database of the newest good backup, and when it was made; None where there is none."""
    kept = newest_first(folder)
    return (kept[0].place / DATABASE, kept[0].made_at) if kept else None


def _made_at(place: Path) -> datetime:
    return datetime.strptime(place.name, NAME).replace(tzinfo=UTC)
