"""Reading the audit, and telling whether it is as it was written.

A record that was changed, removed, put in or moved breaks the chain where it stood. What was cut off at the end is
seen by the anchor, and by any hash that was noted elsewhere. What cannot be seen: records cut off that neither the
anchor nor a noted hash knew of yet (those of the last second, or all where the anchor was made anew with the chain).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashboard.audit.chain import BEGUN_ANEW, Head, anchor_in, files_of, month_of
from dashboard.audit.records import NOTHING_BEFORE, Written, hash_of, written_in

NO_ANCHOR = "the anchor is missing: what was cut off at the end cannot be told by it"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found: the faults, each a sentence with its place, where the chain ends, and what else to know."""

    records: int
    head: Head
    faults: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def is_whole(self) -> bool:
        """Nothing is missing or changed, as far as can be told."""
        return not self.faults


def records_of(folder: Path) -> Iterator[Written]:
    """The records, the oldest first; lines that are none are left out: `verify` tells of them."""
    for path, _, line in _lines(folder):
        if isinstance(one := _read(path, line), Written):
            yield one


def verify(folder: Path, anchor: Path, noted: str | None = None, *, torn_end_is_well: bool = False) -> Verified:
    """The whole chain, held against the anchor, and against a hash that was `noted` elsewhere.

    A last line without an end was being written when its process died: the next record cuts it off, so where
    `torn_end_is_well` it is looked past.

    1. Each record holds the hash of the one before it, and its number is the next; also from month to month.
    2. The first one there is is the first of all, or follows a month of which a record says that it expired.
    3. The last one that the anchor tells of is there. So is the one that was noted.
    """
    found = _Walk(anchor_in(anchor), noted)
    for path, number, line in _lines(folder, torn_end_is_well=torn_end_is_well):
        found.step(path, number, line)  # 1
    faults = [*found.faults, *found.beginning(), *found.ending()]  # 2, 3
    return Verified(found.records, found.head, tuple(faults), tuple(found.remarks))


class _Walk:
    """What is known of the chain so far.

    Most records only have to begin and end as the next one does: what stands between is proved by the hash that the one
    behind it holds, or the anchor. A million of them are looked through in seconds, so that every start can do it.
    """

    def __init__(self, anchor: Head | None, noted: str | None) -> None:
        self._anchor, self._noted = anchor, noted and noted.lower()
        self._is_anchored = self._is_noted = False
        self.faults: list[str] = []
        self.remarks: list[str] = []
        self.records = 0
        self.head = Head()
        self._first: tuple[str, Written] | None = None
        self._expired: dict[str, tuple[int, str]] = {}
        self._believed: tuple[Path, int, bytes] | None = None
        """The last line, where it was not read whole."""

    def step(self, path: Path, number: int, line: bytes) -> None:
        if self._follows(path, line):
            self._believed = path, number, line
            self._count(Head(self.head.number + 1, hash_of(line[:-1])))
        else:
            self._believed = None
            self._read(path, number, line)

    def _follows(self, path: Path, line: bytes) -> bool:
        """Whether it begins and ends as the next record does, of a month that may stand there, and is none of the house
        itself, whose words count."""
        begins, ends = f'{{"n":{self.head.number + 1},"at":"'.encode(), f'"before":"{self.head.hash}"}}\n'.encode()
        month = line[len(begins) : len(begins) + 7]
        is_next = line.startswith(begins) and line.endswith(ends) and month <= month_of(path).encode()
        return self._first is not None and is_next and b'"kind":"house"' not in line

    def _count(self, head: Head) -> None:
        self.records, self.head = self.records + 1, head
        self._is_anchored = self._is_anchored or head == self._anchor
        self._is_noted = self._is_noted or (self._noted is not None and head.hash.startswith(self._noted))

    def _read(self, path: Path, number: int, line: bytes) -> None:
        place, one = f"{path.name}:{number}", _read(path, line)
        if isinstance(one, str):
            self.faults.append(f"{place}: {one}")
            return
        if self._first is None:
            self._first = place, one
        elif one.number != self.head.number + 1:
            self.faults.append(f"{place}: its number must be {self.head.number + 1}, but is {one.number}")
        elif one.before != self.head.hash:
            self.faults.append(f"{place}: record {self.head.number}, before it, is not what was written")
        self._count(Head(one.number, one.hash))
        self._heed(path, one)

    def _heed(self, path: Path, one: Written) -> None:
        told = one.deed.told
        if one.deed.kind != "house":
            return
        try:
            if one.deed.what == "month expired":
                self._expired[told["month"]] = told["last"], told["hash"]
            if one.deed.what == "gap":
                self.remarks.append(f"{path.name}: a gap from {told['since']} to {told['until']}, {told['lost']} lost")
            if one.deed.what == BEGUN_ANEW:
                self.remarks.append(f"{path.name}: begun anew on {told['found_at'][:10]}, after {one.deed.about}")
        except (KeyError, TypeError):
            self.faults.append(f"{path.name}: record {one.number} does not tell what such a record tells")

    def beginning(self) -> Iterator[str]:
        """What is wrong with where it begins."""
        if self._first is None:
            return
        place, first = self._first
        is_first_of_all = (first.number, first.before) == (1, NOTHING_BEFORE)
        if not is_first_of_all and (first.number - 1, first.before) not in self._expired.values():
            yield f"{place}: the records before {first.number} are missing, and no record says that they expired"

    def ending(self) -> Iterator[str]:
        """What is wrong with where it ends."""
        if self._believed is not None:
            path, number, line = self._believed
            if isinstance(said := _read(path, line), str):
                yield f"{path.name}:{number}: {said}"
        anchor = self._anchor
        if anchor is None:
            if self.records:
                yield NO_ANCHOR
        elif not self._is_anchored and not self._has_expired(anchor):
            yield f"record {anchor.number}, of which the anchor tells, is not there as it was written"
        if self._noted is not None and not self._is_noted:
            yield f"the record whose hash was noted, {self._noted[:64]}, is not there"

    def _has_expired(self, anchor: Head) -> bool:
        return (anchor.number, anchor.hash) in self._expired.values() or anchor == Head()


def _lines(folder: Path, *, torn_end_is_well: bool = False) -> Iterator[tuple[Path, int, bytes]]:
    """Each line with its place."""
    files = files_of(folder)
    for path in files:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not (torn_end_is_well and path == files[-1] and not line.endswith(b"\n")):
                    yield path, number, line


def _read(path: Path, line: bytes) -> Written | str:
    """Its record; what is none as a sentence."""
    if not line.endswith(b"\n"):
        return "the line was never finished"
    try:
        one = written_in(line.rstrip(b"\n"))
    except ValueError:
        return "it is no record of the audit"
    month = f"{one.deed.at:%Y-%m}"
    return one if month <= month_of(path) else f"a record of {month} stands in {path.name}"
