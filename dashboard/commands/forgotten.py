"""What follows once the journal was written anew, without a patient or what is too old: all that is made of it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from dashboard.commands.rebuild import make, remove
from dashboard.errors import CommandError
from dashboard.house import DATABASE, JOURNAL
from dashboard.settings import Settings
from ingest.clock import WallClock
from ingest.failpoints import failpoint
from ingest.rewriting import Why, done, is_rewritten, why_rewritten

_to_be_rebuilt = failpoint("erasing: rebuild")
_to_be_changed = failpoint("erasing: change")
_to_mark_backups = failpoint("erasing: backups")
MARK = "holds-erased.json"
"""In the folder of a backup: it was made before somebody was erased, and may hold them until it expires."""
ENDED_MARK = "holds-ended.json"
"""The same of events that came to their end."""
_MARKS = {"erased": MARK, "ended": ENDED_MARK}
ASIDE = (f"{DATABASE}.before-*", f"{DATABASE}*.corrupt-*", f"{JOURNAL}/*.corrupt-*", f"{JOURNAL}/*.whole-*")
"""What rebuilding and mending leave beside the data, the last where somebody was killed within it."""


def finished(settings: Settings, backups: Path | None) -> tuple[str, ...]:
    """Make the database of the new journal, remove every older one, mark the backups: the names of these.

    Also after a process that died within this. Raises CommandError where the journal was not written anew.
    """
    if not is_rewritten(settings.data / JOURNAL):
        raise CommandError(f"nothing in {settings.data} is unfinished: what was begun has changed nothing")
    why = why_rewritten(settings.data / JOURNAL)
    file, fresh = settings.data / DATABASE, settings.data / f"{DATABASE}.fresh"
    remove(fresh)
    _to_be_rebuilt()
    make(settings, fresh)
    _to_be_changed()
    file.with_name(f"{file.name}.wal").unlink(missing_ok=True)
    os.replace(fresh, file)
    _aside(settings)
    _to_mark_backups()
    marked = tuple(_mark(backups or settings.backup_folder, why))
    done(settings.data / JOURNAL)
    return marked


def _aside(settings: Settings) -> None:
    """Remove what was put aside, of the database and of the journal: it knows what is forgotten."""
    for pattern in ASIDE:
        for aside in settings.data.glob(pattern):
            aside.unlink()


def _mark(folder: Path | None, why: Why) -> Iterator[str]:
    """Every backup there is was made before this moment. Who restores one does it again."""
    for backup in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else ():
        if backup.is_dir():
            told = json.dumps({f"{why}_at": WallClock().now().isoformat()})
            (backup / _MARKS[why]).write_text(f"{told}\n", encoding="ascii")
            yield backup.name
