"""Make a folder of data from a backup: each byte held against what was written, then opened and counted."""

from __future__ import annotations

import argparse
import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dashboard.backup_names import MANIFEST, good_ones
from dashboard.backups import sha256
from dashboard.commands.forgotten import ENDED_MARK
from dashboard.commands.forgotten import MARK as ERASED
from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.house import DATABASE, JOURNAL, SCHEMAS, SECRET
from ingest.backup import State, require_same
from ingest.database import Database
from ingest.errors import AnotherLayoutError, BackupError

_ERASED = "somebody was erased after this backup was made, and may be in it: erase them again (edtwin erase)"
_ENDED = "it holds events that came to their end since: they go with edtwin retain"
_BEGUN = "restore-unfinished"


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin restore`."""
    command.add_argument("source", type=Path, metavar="BACKUP", help="a backup, or a folder of backups: its newest")


def run(options: argparse.Namespace) -> None:
    """Restore into the folder of the settings, which must hold no data.

    1. See that there is nothing there that would be lost.
    2. Copy the backup's files, each held against its digest.
    3. Open and count what was copied.
    4. Put it in its place, the database last: a folder without one holds no data yet.
    """
    data = settings_of(options).data
    place = _backup(options.source)
    manifest = _manifest(place)
    parts = {DATABASE, JOURNAL, *(Path(name).parts[0] for name in manifest["files"])}
    if held := sorted(name for name in parts if (data / name).exists()):  # 1
        raise CommandError(f"{data} must hold no data, but has {' and '.join(held)}: name another folder, or move them")
    begun = data / _BEGUN
    shutil.rmtree(begun, ignore_errors=True)
    try:
        _copy(place, begun, manifest["files"])  # 2
        state = _state(manifest["state"])
        require_same(begun, state, same_version=manifest["versions"]["duckdb"] == version("duckdb"))  # 3
        _put(begun, data)  # 4
    except OSError as error:
        raise CommandError(f"{data} cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(begun, ignore_errors=True)
    layout = _layout(data / DATABASE)
    told = {"backup": str(place), "made_at": manifest["made_at"], "records": state.records, "rows": state.rows}
    erased = [_ERASED] if (place / ERASED).is_file() else []
    ended = [_ENDED] if (place / ENDED_MARK).is_file() else []
    value = told | {"state": state.hash, "layout": layout, "holds_erased": bool(erased), "holds_ended": bool(ended)}
    say(options, value, lambda: "\n".join([*_lines(told, state, data), *([layout] if layout else []), *erased, *ended]))


def _backup(source: Path) -> Path:
    """The backup that was named, or the newest of the folder."""
    if (source / MANIFEST).is_file():
        return source
    kept = good_ones(source)
    if not kept:
        raise CommandError(f"{source} must be a backup or a folder of backups, but holds no {MANIFEST} and no good one")
    return kept[-1].place


def _manifest(place: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
        _state(told["state"]), told["versions"]["duckdb"], told["made_at"]
        if not all(_lies_within(name) for name in told["files"]):
            raise ValueError("a file of it lies elsewhere")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{place / MANIFEST} cannot be read: {type(error).__name__}") from error
    return told


def _lies_within(name: str) -> bool:
    path = Path(name)
    return not path.is_absolute() and ".." not in path.parts


def _state(told: dict[str, Any]) -> State:
    tables = tuple((str(name), int(count), str(digest)) for name, count, digest in told["tables"])
    return State(tables=tables, records=int(told["records"]), link=str(told["link"]))


def _copy(place: Path, begun: Path, files: dict[str, Any]) -> None:
    begun.mkdir(parents=True)
    (begun / JOURNAL).mkdir()  # of a house that had no record yet it has no file
    for name, (size, digest) in files.items():
        source, target = place / name, begun / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not source.is_file():
            raise BackupError(f"{source} is missing: the backup is not whole")
        shutil.copyfile(source, target)
        if (target.stat().st_size, sha256(target)) != (size, digest):
            raise BackupError(f"{source} must have {size} bytes as they were written, but has others")


def _put(begun: Path, data: Path) -> None:
    for part in sorted(begun.iterdir(), key=lambda path: path.name == DATABASE):
        part.rename(data / part.name)


def _layout(file: Path) -> str | None:
    """What is to be said of a database that another version made; None where it is of this one."""
    try:
        Database.open_to_read(file, SCHEMAS).close()
    except AnotherLayoutError as error:
        return str(error)
    return None


def _lines(told: dict[str, Any], state: State, data: Path) -> list[str]:
    lines = [
        f"{data} holds what {told['backup']} held at {told['made_at']}:",
        f"{state.records} records of the journal, {state.rows} rows of the database; state {state.hash}",
    ]
    if not (data / SECRET).exists():
        lines.append(f"put {SECRET} there before the house starts: no backup holds it, and visits are known by it")
    return lines
