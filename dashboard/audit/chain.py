"""The files of the audit: a month each, in a folder of their own, written by one process after another.

The chain runs on from month to month, so that a month that is missing is seen. Beside it stands the anchor, in the
folder of the data: number and hash of the last record that is on the disk. Several processes may write (a house that
runs, an exercise, a command): each takes the folder's lock for a group of records, and reads where the chain ends.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dashboard.audit.records import NOTHING_BEFORE, Deed, line_of, written_in
from dashboard.audit.records import hash_of as hash_of
from ingest.disk import bring_to_disk

logger = logging.getLogger(__name__)

NAMED = re.compile(r"audit-(\d{4}-\d{2})\.jsonl")
ANCHOR = "audit.anchor"
LOCK = "audit.lock"
BEGUN_ANEW = "begun anew"
"""What the first record of a chain says that takes the place of a damaged one."""
_BLOCK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain ends."""

    number: int = 0
    hash: str = NOTHING_BEFORE


class Chain:
    """The chain in a folder; its anchor may be elsewhere. `months` are kept beside the one that is written."""

    def __init__(self, folder: Path, anchor: Path, months: int) -> None:
        self.folder, self.anchor, self._months = folder, anchor, months

    def append(self, deeds: Sequence[Deed], house: str) -> tuple[Head, int]:
        """Write records behind the last one; where the chain ends then, and how many of them are on the disk.

        1. Take the lock; read where the chain ends; cut off what a process that died left unfinished.
        2. Open the month that it is; the first record of a month says which month was before it.
        3. Write, and wait for the disk once; what a failed write may have left is cut off.
        4. Put the anchor down, and remove months that are too old, each told by a record. What hinders this is
           logged and done by a later group: the records are there, and must not be written twice.

        Raises OSError; then none of them was kept.
        """
        with self.locked():
            return self.put(deeds, house)

    def put(self, deeds: Sequence[Deed], house: str) -> tuple[Head, int]:
        """As `append`, for who holds the lock already."""
        kept, head = 0, self._end()  # 1
        for month, group in _by_month(deeds, self._last_month()):  # 2
            try:
                head = self._write(month, self._opening(month, group), head, house)  # 3
            except OSError:
                if not kept:
                    raise
                break
            kept += len(group)
        try:
            self._put_anchor(head)  # 4
            head = self._expired(head, deeds[-1].at, house)
        except OSError as error:
            logger.warning("the audit's anchor or an old month cannot be changed: %s", error.strerror or error)
        return head, kept

    def head(self) -> Head:
        """Where the chain ends now."""
        with self.locked():
            return self._end()

    def files(self) -> list[Path]:
        """The months, the oldest first."""
        return files_of(self.folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """The folder's lock: nobody else writes within the block."""
        self.folder.mkdir(parents=True, exist_ok=True)
        held = os.open(self.folder / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            yield
        finally:
            os.close(held)

    # --- inside ---------------------------------------------------------------------------------------------------

    def _end(self) -> Head:
        for path in reversed(self.files()):
            self._cut(path)
            line = _last_line(path)
            if line:
                try:
                    return Head(written_in(line).number, hash_of(line))
                except ValueError:
                    return Head(_anchored(self.anchor).number, hash_of(line))  # told by `verify`, and gone on after
        return Head()

    def _cut(self, path: Path) -> None:
        """A line without an end was being written when its process died: nobody was told that it was kept."""
        size = path.stat().st_size
        whole = _whole(path, size)
        if whole < size:
            logger.warning("%s ends in a record that was never finished: %d bytes cut off", path.name, size - whole)
            os.truncate(path, whole)

    def _last_month(self) -> str:
        found = self.files()
        return month_of(found[-1]) if found else ""

    def _opening(self, month: str, deeds: Sequence[Deed]) -> Sequence[Deed]:
        """The records of a group, behind that which opens their month where it is new; a chain that is begun anew says
        first why."""
        before = self._last_month()
        if month == before or (not before and deeds[0].what == BEGUN_ANEW):
            return deeds
        told = {"month": month, "month_before": before or None}
        return [Deed(at=deeds[0].at, kind="house", what="month opened", role="house", told=told), *deeds]

    def _write(self, month: str, deeds: Sequence[Deed], head: Head, house: str) -> Head:
        lines, at = [], head
        for deed in deeds:
            line = line_of(deed, at.number + 1, at.hash, house)
            lines.append(line)
            at = Head(at.number + 1, hash_of(line))
        self._keep(self.folder / f"audit-{month}.jsonl", b"".join(line + b"\n" for line in lines))
        return at

    def _keep(self, path: Path, block: bytes) -> None:
        is_new = not path.exists()
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(handle).st_size
            try:
                left = memoryview(block)
                while left:
                    left = left[os.write(handle, left) :]
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if is_new:
            bring_to_disk(self.folder)

    def _put_anchor(self, head: Head) -> None:
        """Whole or not at all; behind the records, so that it never tells of one that is not there."""
        self.anchor.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.anchor.with_name(f"{self.anchor.name}.new")
        with fresh.open("w", encoding="ascii") as file:
            json.dump({"number": head.number, "hash": head.hash}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self.anchor)

    def _expired(self, head: Head, now: datetime, house: str) -> Head:
        """The record comes before the removal: a month that is gone without one was taken."""
        for path in self.files()[:-1]:
            if _months_between(month_of(path), now) <= self._months:
                break
            line = _last_line(path)
            try:
                told = {"month": month_of(path), "last": written_in(line).number, "hash": hash_of(line)}
            except ValueError:  # damaged: it stays until the next start sets it aside
                break
            deed = Deed(at=now, kind="house", what="month expired", role="house", told=told)
            head = self._write(self._last_month(), [deed], head, house)
            self._put_anchor(head)
            path.unlink()
        return head


def files_of(folder: Path) -> list[Path]:
    """The months of a folder, the oldest first."""
    return sorted(path for path in folder.glob("audit-*.jsonl") if NAMED.fullmatch(path.name))


def month_of(path: Path) -> str:
    """The month of a file, such as 2026-11."""
    found = NAMED.fullmatch(path.name)
    assert found is not None
    return found[1]


def _anchored(path: Path) -> Head:
    return anchor_in(path) or Head()


def anchor_in(path: Path) -> Head | None:
    """What the anchor says; None where there is none, or none that can be read."""
    try:
        told = json.loads(path.read_text(encoding="ascii"))
        return Head(int(told["number"]), str(told["hash"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _by_month(deeds: Sequence[Deed], last: str) -> Iterator[tuple[str, list[Deed]]]:
    """Groups by month, in order; a clock that was set back does not open a month that is past."""
    groups: list[tuple[str, list[Deed]]] = []
    for deed in deeds:
        last = max(last, f"{deed.at.astimezone(UTC):%Y-%m}")
        if not groups or groups[-1][0] != last:
            groups.append((last, []))
        groups[-1][1].append(deed)
    yield from groups


def _months_between(month: str, now: datetime) -> int:
    year, number = (int(part) for part in month.split("-"))
    return 12 * (now.year - year) + now.month - number


def _whole(path: Path, size: int) -> int:
    """Where the last whole line ends."""
    with path.open("rb") as file:
        while size:
            start = max(0, size - _BLOCK)
            file.seek(start)
            found = file.read(size - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            size = start
    return 0


def _last_line(path: Path) -> bytes:
    """The last line of a file whose lines are whole; nothing of an empty one."""
    size = path.stat().st_size
    start = _whole(path, max(0, size - 1))
    with path.open("rb") as file:
        file.seek(start)
        return file.read().rstrip(b"\n")
