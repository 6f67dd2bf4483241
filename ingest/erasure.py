"""One patient erased: what the log knows them by, and what becomes of the journal's records that tell of them.

    found = known_as(database, pseudonym)
    rewrite(journal.folder, journal.segments(), Eraser(found, readers).change)

A record that tells of nobody else keeps its number, instant and place, and is empty. A batch of an extract loses the
rows. A message that tells of others too (a bundle, two patients who change beds) cannot be taken apart without its
sender's system: the patient's numbers in it become chance ones, other ones in every message, which lead to nobody and
link nothing.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingest import journal_batches as batches
from ingest.bookkeeping import Intake
from ingest.database import Database, rows
from ingest.events import Event
from ingest.journal_frames import DAYS, EMPTIED, ERASED, Record
from ingest.messages import Readers, read_record
from ingest.pseudonyms import PSEUDONYM_BYTES

_VISITS = "SELECT DISTINCT visit FROM event WHERE visit IS NOT NULL AND (patient = $name OR visit = $name)"
_MERGED = """SELECT DISTINCT visit, "into" FROM event WHERE kind = 'Merged'"""
_EVENTS = """
SELECT DISTINCT event_id FROM event
WHERE patient = $name OR list_contains($visits, visit) OR list_contains($visits, "into")
"""
_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Known:
    """The names under which the log knows a patient."""

    pseudonym: str
    visits: frozenset[str]
    events: frozenset[str]
    """Ids of the events that tell of them."""

    @property
    def names(self) -> frozenset[str]:
        """What must be found nowhere afterwards."""
        return self.visits | {self.pseudonym}

    def has(self, event: Event) -> bool:
        """Does an event tell of them? A cancellation does where it strikes what does."""
        told = {getattr(event, name, None) for name in ("visit", "into", "patient")}
        return bool(told & self.names) or not self.events.isdisjoint((event.event_id, getattr(event, "target", "")))


def known_as(database: Database, pseudonym: str) -> Known:
    """What the log knows of a patient, or of a visit, by the pseudonym; visits that were merged are one patient's."""
    cursor = database.cursor()
    visits = with_merged(cursor, {str(visit) for (visit,) in rows(cursor, _VISITS, name=pseudonym)})
    events = rows(cursor, _EVENTS, name=pseudonym, visits=sorted(visits))
    return Known(pseudonym, frozenset(visits), frozenset(str(event) for (event,) in events))


def with_merged(cursor: Any, visits: set[str]) -> set[str]:
    """The visits, and all those that were found to be one with them."""
    merged = [{str(one), str(into)} for one, into in rows(cursor, _MERGED)]
    before = -1
    while len(visits) > before:
        before = len(visits)
        visits = visits.union(*(pair for pair in merged if pair & visits))
    return visits


class Eraser:
    """Changes records, and counts what it did."""

    def __init__(self, known: Known, readers: Readers) -> None:
        self._known, self._readers = known, readers
        self._named = _named(known.names)
        self.emptied = self.rows = self.blurred = 0
        """Records that are empty now; rows that batches lost; messages of several patients."""

    def change(self, record: Record) -> Record:
        """The record without the patient. Raises ReaderMissingError where no setting says how it is read."""
        detail = record.position.detail
        if self._named.search(detail.encode()):
            record = replace(record, position=replace(record.position, detail=self._blurred(detail.encode()).decode()))
        if record.format in (batches.FINISHED, DAYS, *EMPTIED):
            return record
        return self._batch(record) if record.format == batches.BATCH else self._message(record)

    def _message(self, record: Record) -> Record:
        events = read_record(record, self._readers).events
        mine = [event for event in events if self._known.has(event)]
        is_named = any(self._named.search(text) for text in (record.payload, record.control_id.encode()))
        if not mine and not is_named:
            return record
        if len(mine) == len(events) or not any(getattr(event, "visit", None) for event in events if event not in mine):
            self.emptied += 1
            return replace(record, format=ERASED, payload=b"", control_id="", fault=None, again=None)
        self.blurred += 1
        control_id = self._blurred(record.control_id.encode()).decode()
        return replace(record, payload=self._blurred(record.payload), control_id=control_id)

    def _batch(self, record: Record) -> Record:
        told = batches.batch_of(record)
        mine = self._mine(told.table)
        intake = self._intake(told.intake)
        if not pc.any(mine).as_py() and intake == told.intake:
            return record
        self.rows += pc.sum(mine).as_py() or 0
        kept = batches.without(replace(told, intake=intake), mine)
        return replace(record, payload=batches.batch_entry(kept).payload)

    def _mine(self, table: pa.Table) -> pa.ChunkedArray:
        names, events = pa.array(sorted(self._known.names)), pa.array(sorted(self._known.events), pa.string())
        found = [pc.is_in(table[name], names) for name in ("visit", "into", "patient")]
        found += [pc.is_in(table[name], events) for name in ("event_id", "target")]
        mine = found[0]
        for one in found[1:]:
            mine = pc.or_(mine, one)
        return mine

    def _intake(self, intake: Intake | None) -> Intake | None:
        """With the texts of what was rejected blank where they name the patient."""
        if intake is None:
            return None
        rejected = [replace(r, text="") if self._named.search(r.text.encode()) else r for r in intake.rejected]
        return replace(intake, rejected=rejected)

    def _blurred(self, text: bytes) -> bytes:
        return self._named.sub(lambda found: secrets.token_hex(PSEUDONYM_BYTES)[: len(found[0])].encode(), text)


def holding(folder: Path, names: Iterable[str]) -> list[Path]:
    """The files of a folder, and of all in it, that have one of the names in their bytes or in their own name."""
    named = _named(names)
    longest = max(map(len, names)) + 1
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path for path in found if named.search(path.name.encode()) or _has(path, named, longest)]


def held_in(folder: Path, names: Set[str]) -> list[Path]:
    """As `holding`, for many names of one alphabet: every word of the files is looked up."""
    if not names:
        return []
    shortest, longest = min(map(len, names)), max(map(len, names))
    word = re.compile(rb"(?<![A-Za-z0-9])[A-Za-z0-9]{%d,%d}(?![A-Za-z0-9])" % (shortest, longest))
    known = {name.encode() for name in names}
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [
        path for path in found if any(not known.isdisjoint(word.findall(block)) for block in _blocks(path, longest))
    ]


def _has(path: Path, named: re.Pattern[bytes], longest: int) -> bool:
    return any(named.search(block) for block in _blocks(path, longest))


def _blocks(path: Path, longest: int) -> Iterator[bytes]:
    """What a file holds, block by block, each behind the end of the one before."""
    with path.open("rb") as file:
        tail = b""
        while block := file.read(_BLOCK):
            yield tail + block
            tail = block[-longest:]


def _named(names: Iterable[str]) -> re.Pattern[bytes]:
    """A name as a word of its own: one that another begins with is another."""
    either = b"|".join(re.escape(name.encode()) for name in sorted(names))
    return re.compile(rb"(?<![A-Za-z0-9])(?:%s)(?![A-Za-z0-9])" % either)
