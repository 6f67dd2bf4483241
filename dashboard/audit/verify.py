"""Reading the audit, and telling whether it is as it was written.

A record that was changed, removed, put in or moved breaks the chain where it stood. What was cut off at the end is
seen by the anchor, and by any hash that was noted elsewhere. What cannot be seen: records cut off that neither the
anchor nor a noted hash knew of yet (those of the last second, or all where the anchor was made anew with the chain).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dashboard.audit.chain import Head, anchor_in, files_of, month_of
from dashboard.audit.records import NOTHING_BEFORE, Written, written_in


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
    for _, _, one in _lines(folder):
        if isinstance(one, Written):
            yield one


def verify(folder: Path, anchor: Path, noted: str | None = None) -> Verified:
    """The whole chain, held against the anchor, and against a hash that was `noted` elsewhere.

    1. Each record holds the hash of the one before it, and its number is the next; also from month to month.
    2. The first one there is is the first of all, or follows a month of which a record says that it expired.
    3. The last one that the anchor tells of is there. So is the one that was noted.
    """
    found = _Walk()
    for path, number, one in _lines(folder):
        found.step(path, number, one)  # 1
    faults = [*found.faults, *found.beginning(), *found.ending(anchor_in(anchor), noted)]  # 2, 3
    return Verified(found.records, found.head, tuple(faults), tuple(found.remarks))


class _Walk:
    """What is known of the chain so far."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.remarks: list[str] = []
        self.records = 0
        self.head = Head()
        self._first: tuple[str, Written] | None = None
        self._hashes: dict[str, int] = {}
        self._expired: dict[str, tuple[int, str]] = {}

    def step(self, path: Path, line: int, one: Written | str) -> None:
        place = f"{path.name}:{line}"
        if isinstance(one, str):
            self.faults.append(f"{place}: {one}")
            return
        if self._first is None:
            self._first = place, one
        elif one.number != self.head.number + 1:
            self.faults.append(f"{place}: its number must be {self.head.number + 1}, but is {one.number}")
        elif one.before != self.head.hash:
            self.faults.append(f"{place}: record {self.head.number}, before it, is not what was written")
        self.records, self.head = self.records + 1, Head(one.number, one.hash)
        self._hashes[one.hash] = one.number
        self._heed(path, one)

    def _heed(self, path: Path, one: Written) -> None:
        told = one.deed.told
        if one.deed.kind != "house":
            return
        if one.deed.what == "month expired":
            self._expired[told["month"]] = told["last"], told["hash"]
        if one.deed.what == "gap":
            self.remarks.append(f"{path.name}: a gap from {told['since']} to {told['until']}, {told['lost']} lost")

    def beginning(self) -> Iterator[str]:
        """What is wrong with where it begins."""
        if self._first is None:
            return
        place, first = self._first
        is_first_of_all = (first.number, first.before) == (1, NOTHING_BEFORE)
        if not is_first_of_all and (first.number - 1, first.before) not in self._expired.values():
            yield f"{place}: the records before {first.number} are missing, and no record says that they expired"

    def ending(self, anchor: Head | None, noted: str | None) -> Iterator[str]:
        """What is wrong with where it ends."""
        if anchor is None:
            if self.records:
                yield "the anchor is missing: what was cut off at the end cannot be told by it"
        elif self._hashes.get(anchor.hash) != anchor.number and not self._has_expired(anchor):
            yield f"record {anchor.number}, of which the anchor tells, is not there as it was written"
        if noted is not None and not any(hash.startswith(noted.lower()) for hash in self._hashes):
            yield f"the record whose hash was noted, {noted[:64]}, is not there"

    def _has_expired(self, anchor: Head) -> bool:
        return (anchor.number, anchor.hash) in self._expired.values() or anchor == Head()


def _lines(folder: Path) -> Iterator[tuple[Path, int, Written | str]]:
    """Each line with its place; what is no record as a sentence."""
    for path in files_of(folder):
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield path, number, _read(path, line)


def _read(path: Path, line: bytes) -> Written | str:
    if not line.endswith(b"\n"):
        return "the line was never finished"
    try:
        one = written_in(line.rstrip(b"\n"))
    except ValueError:
        return "it is no record of the audit"
    month = f"{one.deed.at:%Y-%m}"
    return one if month <= month_of(path) else f"a record of {month} stands in {path.name}"
