"""A DAMAGED DATABASE IS SET ASIDE AND MADE ANEW, by itself, where a house is opened. Nothing is deleted.

    edtwin.duckdb.corrupt-20261127T081200Z        the damaged one, as it was, with its log of changes (`.wal`)
    journal/..00.journal.corrupt-20261127T081200Z a damaged file of the journal
    mended.json                                   what was damaged, when, and what could not be kept

The journal is the truth: all that came is made of it once more, and is the same to the last bit. What stands nowhere
else (forecasts, scores, proposals, alarms) is carried over table by table, from the damaged file where that can still
be read and from the newest backup where not; what was lost of it is told on the wall and on the page about this house.

Each step may be the last that a process does: the next one that opens the house goes on with it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from forecast.board import Kept, Mended
from ingest.backup import JOURNAL
from ingest.clock import WallClock
from ingest.database import Database, aware, carry, rows
from ingest.disk import bring_to_disk
from ingest.errors import DatabaseDamagedError, EdtwinError, JournalDamagedError
from ingest.failpoints import failpoint
from ingest.instants import Instants
from ingest.journal import Journal
from ingest.log import EventLog
from ingest.rebuild import require_journalled, require_reached
from ingest.repair import repaired

logger = logging.getLogger(__name__)

ARCHIVE = (
    "issue",
    "forecast",
    "score",
    "cycle",
    "alarm_log",
    "alarm_delivery",
    "alert_chance",
    "alert_setting",
    "own_scenario",
    "proposal_log",
    "known_log",
    "placebo",
    "scenario_grid",
    "scenario_grid_part",
    "supply",
)
"""Tables that are not made of the journal."""
NOTE = "mended.json"
"""Beside the data: what was mended, the last one last."""
REMEMBERED = 20
_STAMP = "%Y%m%dT%H%M%SZ"
_LAST = "SELECT max(ended_at) FROM cycle"
_noted = failpoint("mending: noted, not set aside")
_set_aside = failpoint("mending: set aside, not made")
_made = failpoint("mending: made, not carried over")


@dataclass(frozen=True)
class Place:
    """A house's database, and all that it can be made anew of."""

    file: Path
    schemas: Sequence[Path]
    journal: Path
    make: Callable[[Database], object]
    """Fills an empty database, or goes on filling one, from the journal."""
    backup: Callable[[], tuple[Path, datetime] | None]
    """The database of the newest good backup, and when it was made."""


def opened(place: Place) -> tuple[Database, Mended | None]:
    """The database, every block of it read; what was mended for it, if anything was just now.

    1. Open it and read it through, unless an earlier process began to mend it.
    2. Of a damaged one note that it is, and set it aside.
    3. Make a new one of the journal.
    4. Carry over what stands nowhere else; note what that came to.

    Raises DatabaseDamagedError where there is no journal to make it of, or where the new one is damaged as well,
    RebuildError where the journal does not hold all that it held.
    """
    begun = next((one for one in noted(place.file.parent) if not one.done), None)
    if begun is None:
        try:
            return sound(place.file, place.schemas), None  # 1
        except DatabaseDamagedError as error:
            begun = _begun(place, error)  # 2
    _aside(place.file, begun)
    return _made_anew(place, begun)


def mend_journal(data: Path, copies: Sequence[Path], *, goes_on: bool = False) -> list[Mended]:
    """Make damaged files of the journal whole from copies of it, as far as these can (`ingest/repair.py`); one whose
    end is missing `goes_on` with theirs."""
    now = WallClock().now()
    names = repaired(data / JOURNAL, copies, f"{now:{_STAMP}}", goes_on=goes_on)
    mended = [Mended("journal", now, f"{name}.corrupt-{now:{_STAMP}}", done=True) for name in names]
    for one in mended:
        logger.error("the journal was damaged and is whole again, from a backup: %s", one.aside)
        keep_note(data, one)
    return mended


def noted(data: Path) -> list[Mended]:
    """What was mended in a folder of data so far, the last one last."""
    try:
        told = json.loads((data / NOTE).read_text(encoding="utf-8"))
        return [_of_json(one) for one in told]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def keep_note(data: Path, one: Mended) -> None:
    """Note it, in the place of what was noted of the same before; it is on the disk when this returns."""
    others = [other for other in noted(data) if other.aside != one.aside]
    fresh = data / f"{NOTE}.fresh"
    with fresh.open("w", encoding="utf-8") as out:
        json.dump([_as_json(told) for told in (*others, one)][-REMEMBERED:], out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(data / NOTE)
    bring_to_disk(data)


# --- steps ------------------------------------------------------------------------------------------------------------


def sound(file: Path, schemas: Sequence[Path]) -> Database:
    """The database, every block of it read. An empty file is none that DuckDB left: it would be taken for a new one.

    Raises DatabaseDamagedError, and whatever `Database.open` does.
    """
    if file.is_file() and file.stat().st_size == 0:
        raise DatabaseDamagedError(f"{file} is damaged: it is empty")
    database = Database.open(file, schemas=schemas)
    try:
        database.read_through()
    except BaseException:
        database.close()
        raise
    return database


def _begun(place: Place, error: DatabaseDamagedError) -> Mended:
    """2. Noted before anything is moved."""
    if not any(place.journal.glob("*.journal")):
        raise error
    _require_journalled(place)
    now = WallClock().now()
    logger.error("the database is damaged and is made anew: %s", error)
    begun = Mended("database", now, f"{place.file.name}.corrupt-{now:{_STAMP}}", done=False)
    keep_note(place.file.parent, begun)
    _noted()
    return begun


def _require_journalled(place: Place) -> None:
    """As far as it can still be asked: what the journal does not hold cannot be made anew."""
    try:
        with Database.open_as_it_is(place.file) as before:
            log = EventLog(before, WallClock())
            require_journalled(log)
            with Journal.open(place.journal, Instants(WallClock()), reserve_bytes=0) as journal:
                require_reached(log, journal)
    except (DatabaseDamagedError, JournalDamagedError):
        return
    except EdtwinError:
        raise
    except Exception:  # noqa: S110 - a damaged file answers with whatever it likes
        pass


def _aside(file: Path, begun: Mended) -> None:
    """2. The log of changes first: where the file itself stands aside, whatever is in its place is the new one's."""
    aside = file.with_name(begun.aside)
    if not aside.exists() and file.exists():
        wal = _wal(file)
        if wal.exists():
            wal.rename(_wal(aside))
        file.rename(aside)
        bring_to_disk(file.parent)
    _set_aside()


def _made_anew(place: Place, begun: Mended) -> tuple[Database, Mended]:
    database = Database.open(place.file, schemas=place.schemas)
    try:
        place.make(database)  # 3
        _made()
        mended = replace(_carried(place, begun, database), done=True)  # 4
        keep_note(place.file.parent, mended)
    except BaseException:
        database.close()
        raise
    logger.warning("the damaged database is kept as %s; carried over: %s", mended.aside, mended.kept)
    return database, mended


# --- what stands nowhere else -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Held:
    """A database from which tables are carried over: which one it is, and up to when it tells."""

    kept: Kept
    until: datetime | None
    database: Database


def _carried(place: Place, begun: Mended, into: Database) -> Mended:
    """4. Each table from the newest database that gives it; what a process before us had carried is carried again."""
    for name in ARCHIVE:
        rows(into.cursor(), f'DELETE FROM "{name}"')
    left, used = list(ARCHIVE), list[_Held]()
    with _sources(place, begun) as sources:
        for held in sources:
            still = [name for name in left if name in carry(held.database, into, name)]
            used += [held] if len(still) < len(left) else []
            left = still
    if not used:
        return replace(begun, kept="nothing", left=tuple(left))
    return replace(begun, kept=used[-1].kept, kept_until=used[-1].until, left=tuple(left))


@contextmanager
def _sources(place: Place, begun: Mended) -> Iterator[list[_Held]]:
    """What can be opened of the damaged file and of the newest backup, the newest first."""
    aside, backup = place.file.with_name(begun.aside), place.backup()
    with ExitStack() as held:
        found = []
        if (whole := _opened(aside)) is not None:
            found.append(_Held("whole", None, held.enter_context(whole)))
        elif _wal(aside).exists() and (alone := _opened_without_changes(aside)) is not None:
            found.append(_Held("checkpoint", _last_of(alone), held.enter_context(alone)))
        if backup is not None and (copy := _opened(backup[0])) is not None:
            found.append(_Held("backup", backup[1], held.enter_context(copy)))
        yield sorted(found, key=_newest_first)


def _newest_first(held: _Held) -> tuple[bool, bool, float]:
    return held.kept != "whole", held.until is None, -held.until.timestamp() if held.until else 0.0


def _opened(file: Path) -> Database | None:
    try:
        return Database.open_as_it_is(file)
    except EdtwinError:
        return None


def _opened_without_changes(aside: Path) -> Database | None:
    """The file as it was when changes were last brought into it; those since are kept under a name of their own."""
    _wal(aside).rename(aside.with_name(aside.name.replace(".corrupt-", ".wal.corrupt-")))
    return _opened(aside)


def _last_of(database: Database) -> datetime | None:
    """When the last cycle that it knows of ended."""
    try:
        ((last,),) = rows(database.cursor(), _LAST)
    except Exception:
        return None
    return aware(last) if last else None


def _wal(file: Path) -> Path:
    return file.with_name(f"{file.name}.wal")


# --- the note ---------------------------------------------------------------------------------------------------------


def _as_json(one: Mended) -> dict[str, object]:
    until = one.kept_until.isoformat() if one.kept_until else None
    return asdict(one) | {"found_at": one.found_at.isoformat(), "kept_until": until}


def _of_json(told: dict[str, object]) -> Mended:
    until, left = told["kept_until"], told["left"]
    assert isinstance(left, list)
    at = {"found_at": datetime.fromisoformat(str(told["found_at"])), "left": tuple(map(str, left))}
    return Mended(**told | at | {"kept_until": datetime.fromisoformat(str(until)) if until else None})  # type: ignore[arg-type]
