"""What a hospital plans and counts by hand, in CSV templates: beds, rosters, stocks, planned exits, electives ..

A file's header says which template it is (`TEMPLATES`). A file is taken whole or not at all: people fill these in, and
half a roster is worse than none, so every fault is told at once, with its line, column and rule, and nothing is stored.
No fault repeats what the file says.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from ingest.batch import NOTHING_READ, Batch, ExtractAccount
from ingest.columns import to_table
from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.events import (
    ArrivalExpected,
    BedId,
    BedsCounted,
    BedStatusChanged,
    Cancelled,
    DischargePlanned,
    Event,
    EventId,
    ResourceCounted,
    StaffOnDuty,
    StockCounted,
    SupplyDelivered,
    UnitId,
    VisitEvent,
    VisitId,
)
from ingest.extract_file import digest, extract_files
from ingest.local_times import instant_of, read_times
from ingest.log import EventLog, Extract, Intake, Position
from ingest.places_mapping import PlacesMapping
from ingest.pseudonyms import Pseudonyms
from ingest.vocabulary import allowed_values

MOST_ROWS = 200_000
MOST_FAULTS = 20
"""Told at once; more are counted."""
LONGEST_CELL = 100

Row = dict[str, str]
Make = Callable[["Rows", int, Row, EventId], Event]


@dataclass(frozen=True)
class Template:
    """A kind of file: its columns, which of them name what a row speaks of (`key`), when it happens (`at`), and how a
    row becomes an event."""

    name: str
    kind: type[Event]
    columns: tuple[str, ...]
    key: tuple[str, ...]
    at: str
    make: Make
    optional: tuple[str, ...] = ()

    @property
    def times(self) -> tuple[str, ...]:
        return tuple(column for column in self.columns if column in _TIMES)


_TIMES = ("from", "at", "told", "expected")


class Rows:
    """The rows of one file, checked as they are read."""

    def __init__(self, path: Path, template: Template, mapping: PlacesMapping, pseudonyms: Pseudonyms) -> None:
        self.template = template
        self._path, self._mapping = path, mapping
        self._pseudonyms = pseudonyms.of_site(mapping.source.site)
        self.faults: list[str] = []
        self.flags: dict[str, int] = {}
        self.times: dict[str, list[datetime | None]] = {}

    @property
    def source(self) -> str:
        """Each template is a source of its own, so that a file of beds says nothing of rosters."""
        return f"{self._mapping.source.name}.{self.template.name}"

    def fault(self, row: int, column: str, rule: str) -> None:
        self.faults.append(f"{self._path.name}:{row + 2}: {column}: {rule}")

    def read_times(self, rows: Sequence[Row]) -> None:
        """The columns of times as instants; what is no time is a fault."""
        source = self._mapping.source
        for column in self.template.times:
            texts = pa.array([row[column] for row in rows], pa.string())
            times = read_times(texts, zone=source.zone, time_format=source.time_format)
            there = times.present
            self.times[column] = [instant_of(times.at[n]) if there[n] else None for n in range(len(rows))]
            for flag in ("ambiguous", "missing"):
                self.flags[flag] = self.flags.get(flag, 0) + getattr(times, flag)
            for number, at in enumerate(self.times[column]):
                if at is None:
                    self.fault(number, column, "must be a time that exists, such as 2026-03-02 14:00")

    def at(self, row: int, column: str) -> datetime:
        return self.times[column][row] or instant_of(0)

    def count(self, row: int, cells: Row, column: str) -> int:
        text = cells[column]
        if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > self._mapping.largest:
            self.fault(row, column, f"must be a whole number from 0 to {self._mapping.largest}")
            return 0
        return int(text)

    def name(self, row: int, cells: Row, column: str, names: Sequence[str], *, must: bool = True) -> str | None:
        text = cells.get(column, "")
        if text not in names and (text or must):
            self.fault(row, column, f"must be one of {', '.join(names) or '(none: the mapping lists none)'}")
        return text if text in names else None

    def unit(self, row: int, cells: Row, *, must: bool = True) -> UnitId | None:
        unit = self.name(row, cells, "unit", self._mapping.names.units, must=must)
        return None if unit is None else UnitId(unit)

    def pool(self, row: int, cells: Row) -> str:
        return self.name(row, cells, "pool", self._mapping.names.pools) or ""

    def resource(self, row: int, cells: Row) -> str:
        return self.name(row, cells, "resource", self._mapping.names.resources) or ""

    def item(self, row: int, cells: Row) -> str:
        return self.name(row, cells, "item", self._mapping.names.items) or ""

    def bed(self, row: int, cells: Row) -> BedId:
        bed = cells["bed"]
        if not bed or len(bed) > 20 or not all(c.isalnum() or c in "-_./" for c in bed):
            self.fault(row, "bed", "must be a number or code of at most 20 letters, digits, - _ . /")
            return BedId("")
        return BedId(bed)

    def visit(self, row: int, cells: Row) -> VisitId:
        if not cells["visit"]:
            self.fault(row, "visit", "must be given")
            return VisitId("")
        return VisitId(self._pseudonyms.one("visit", cells["visit"]))

    def due(self, row: int) -> datetime:
        expected = self.at(row, "expected")
        if expected < self.at(row, "told") and self.times["expected"][row] is not None:
            self.fault(row, "expected", "must not be before told")
        return expected


def _beds(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    unit, count = rows.unit(row, cells) or UnitId(""), rows.count(row, cells, "open_beds")
    return BedsCounted(event_id=event_id, occurred_at=rows.at(row, "from"), unit=unit, count=count)


def _bed_status(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    unit, bed = rows.unit(row, cells) or UnitId(""), rows.bed(row, cells)
    status = rows.name(row, cells, "status", allowed_values("BedStatusChanged", "status")) or "closed"
    at = rows.at(row, "from")
    return BedStatusChanged(event_id=event_id, occurred_at=at, unit=unit, bed=bed, status=status)  # type: ignore[arg-type]


def _roster(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    pool, count = rows.pool(row, cells), rows.count(row, cells, "count")
    return StaffOnDuty(event_id=event_id, occurred_at=rows.at(row, "from"), pool=pool, count=count)


def _equipment(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    pool, count = rows.resource(row, cells), rows.count(row, cells, "count")
    return ResourceCounted(event_id=event_id, occurred_at=rows.at(row, "from"), pool=pool, count=count)


def _stock(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    item, count = rows.item(row, cells), rows.count(row, cells, "in_stock")
    return StockCounted(event_id=event_id, occurred_at=rows.at(row, "at"), pool=item, count=count)


def _delivery(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    item, count = rows.item(row, cells), rows.count(row, cells, "delivered")
    return SupplyDelivered(event_id=event_id, occurred_at=rows.at(row, "at"), pool=item, count=count)


def _discharge(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    to = rows.name(row, cells, "to", allowed_values("DischargePlanned", "to"), must=False)
    return DischargePlanned(
        event_id=event_id, occurred_at=rows.at(row, "told"), visit=rows.visit(row, cells),
        expected_at=rows.due(row), to=to,  # type: ignore[arg-type]
    )  # fmt: skip


def _elective(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    return ArrivalExpected(
        event_id=event_id, occurred_at=rows.at(row, "told"), visit=rows.visit(row, cells),
        expected_at=rows.due(row), mode="planned", unit=rows.unit(row, cells),
    )  # fmt: skip


def _ambulance(rows: Rows, row: int, cells: Row, event_id: EventId) -> Event:
    mode = rows.name(row, cells, "mode", allowed_values("ArrivalExpected", "mode"))
    return ArrivalExpected(
        event_id=event_id, occurred_at=rows.at(row, "told"), visit=rows.visit(row, cells),
        expected_at=rows.due(row), mode=mode,  # type: ignore[arg-type]
    )  # fmt: skip


_PLAN = ("visit", "told", "expected")
TEMPLATES: tuple[Template, ...] = (
    Template("beds", BedsCounted, ("from", "unit", "open_beds"), ("unit", "from"), "from", _beds),
    Template(
        "bed_status", BedStatusChanged, ("from", "unit", "bed", "status"), ("unit", "bed", "from"), "from", _bed_status
    ),
    Template("roster", StaffOnDuty, ("from", "pool", "count"), ("pool", "from"), "from", _roster),
    Template("equipment", ResourceCounted, ("from", "resource", "count"), ("resource", "from"), "from", _equipment),
    Template("stock", StockCounted, ("at", "item", "in_stock"), ("item", "at"), "at", _stock),
    Template("deliveries", SupplyDelivered, ("at", "item", "delivered"), ("item", "at"), "at", _delivery),
    Template("discharges", DischargePlanned, (*_PLAN, "to"), ("visit",), "told", _discharge, ("cancelled",)),
    Template("electives", ArrivalExpected, (*_PLAN, "unit"), ("visit",), "told", _elective, ("cancelled",)),
    Template("ambulances", ArrivalExpected, (*_PLAN, "mode"), ("visit",), "told", _ambulance, ("cancelled",)),
)


def ingest_places(
    path: Path,
    mapping: PlacesMapping,
    log: EventLog,
    pseudonyms: Pseudonyms,
    *,
    now: datetime,
    extracted_at: datetime | None = None,
) -> ExtractAccount:
    """Store a file, or the .csv files of a folder in the order of their names.

    1. Read and check every file; a fault of any is told before a row of the first is stored.
    2. Store each file in one transaction.

    What begins is known when it begins, or from `extracted_at` (default: now) if that is sooner, so that a roster of
    next week is known today; a plan is known from `extracted_at`. Raises ConfigurationError, UnreadableInputError.
    """
    taken = extracted_at or now
    files = [file for file in extract_files(path) if file == path or file.suffix.lower() == ".csv"]
    if not files:
        raise UnreadableInputError(f"{path} is a folder without .csv files")
    read = [_read(file, mapping, pseudonyms, taken) for file in files]  # 1
    if faults := [fault for rows, _ in read for fault in rows.faults]:
        raise ConfigurationError(_some(faults))
    account = NOTHING_READ
    for file, (rows, events) in zip(files, read, strict=True):  # 2
        if events:
            first_at = min(event.occurred_at for event in events) if extracted_at else None
            extract = Extract(
                source=rows.source, digest=pseudonyms.one("file", digest(file)), extracted_at=taken, first_at=first_at
            )
            account = _store(rows, events, log, extract, account)
    return account


def _some(faults: list[str]) -> list[str]:
    more = len(faults) - MOST_FAULTS
    return faults if more <= 0 else [*faults[:MOST_FAULTS], f"and {more} more"]


def _store(rows: Rows, events: list[Event], log: EventLog, extract: Extract, account: ExtractAccount) -> ExtractAccount:
    before = log.position(rows.source)
    first = before.offset if before else 0
    table = to_table(_placed(events, rows.source, first, extract.extracted_at))
    batch = Batch(table=table, read=len(events), flags={name: n for name, n in rows.flags.items() if n})
    position = Position(source=rows.source, offset=first + len(events), detail=extract.digest)
    became = log.append_table(table, position, extract=extract, intake=Intake(read=len(events)))
    log.finish(extract)
    return account.with_batch(batch, became.account)


def _placed(events: list[Event], source: str, first: int, taken: datetime) -> list[Event]:
    """The events with their source, position and knowledge."""
    out = []
    for number, event in enumerate(events, start=1):
        known = taken if isinstance(event, VisitEvent | Cancelled) else min(event.occurred_at, taken)
        common = {"source": source, "position": first + number, "known_at": known}
        fields = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
        out.append(type(event)(**fields | common))
    return out


def _read(path: Path, mapping: PlacesMapping, pseudonyms: Pseudonyms, taken: datetime) -> tuple[Rows, list[Event]]:
    """The checked rows of a file as events; faults are collected."""
    header, lines = _table(path, mapping)
    template = _template(path, header)
    rows = Rows(path, template, mapping, pseudonyms)
    cells = [dict(zip(header, line, strict=True)) for line in _whole(lines, header, rows)]
    if rows.faults:
        return rows, []
    rows.read_times(cells)
    seen: dict[str, int] = {}
    events = [_event(rows, number, row, taken, seen) for number, row in enumerate(cells)]
    return rows, events


def _event(rows: Rows, number: int, row: Row, taken: datetime, seen: dict[str, int]) -> Event:
    template = rows.template
    if template.at in ("told", "at") and rows.at(number, template.at) > taken:
        rows.fault(number, template.at, "must not be after the file was taken")
    key = "/".join(_key_part(rows, number, row, column) for column in template.key)
    if (earlier := seen.setdefault(key, number)) != number:
        rows.fault(number, template.key[0], f"line {earlier + 2} speaks of the same already")
    # a plan has one event a visit; a count has one for each time
    event_id = EventId(f"{rows.source}/{key}/{template.kind.__name__}/0")
    event = template.make(rows, number, row, event_id)
    if rows.name(number, row, "cancelled", ("yes", "no"), must=False) == "yes":
        target = EventId(event_id)
        return Cancelled(event_id=EventId(f"{target}/Cancelled"), occurred_at=event.occurred_at, target=target)
    return event


def _key_part(rows: Rows, number: int, row: Row, column: str) -> str:
    if column == "visit":
        return rows.visit(number, row) if row[column] else f"line {number}"
    return f"{rows.at(number, column):%Y-%m-%dT%H:%MZ}" if column in _TIMES else row[column]


def _table(path: Path, mapping: PlacesMapping) -> tuple[list[str], list[list[str]]]:
    """Header and lines of a file."""
    encoding = "utf-8-sig" if mapping.source.encoding.lower() in ("utf-8", "utf8") else mapping.source.encoding
    try:
        with path.open(encoding=encoding, newline="") as file:
            lines = list(_bounded(path, csv.reader(file, delimiter=mapping.source.delimiter, strict=True)))
    except OSError as error:
        raise UnreadableInputError(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    except UnicodeError:
        raise UnreadableInputError(
            f"{path} is not {mapping.source.encoding} text; name its encoding under [source]"
        ) from None
    except csv.Error:
        raise UnreadableInputError(f"{path} cannot be read as a table: a quote is not closed") from None
    if not lines:
        raise UnreadableInputError(f"{path} is empty: it has no header")
    return [name.strip() for name in lines[0]], lines[1:]


def _bounded(path: Path, lines: Iterator[list[str]]) -> Iterator[list[str]]:
    for number, line in enumerate(lines):
        if number > MOST_ROWS:
            raise UnreadableInputError(f"{path} must have at most {MOST_ROWS} rows")
        yield [cell.strip() for cell in line]


def _template(path: Path, header: list[str]) -> Template:
    """The template whose columns the header has."""
    for template in TEMPLATES:
        if set(template.columns) <= set(header) <= {*template.columns, *template.optional} and _once(header):
            return template
    shown = "; ".join(f"{t.name}: {', '.join(t.columns)}" for t in TEMPLATES)
    raise ConfigurationError(
        [f"{path.name}:1: the header has {len(header)} columns and is that of no template; they are {shown}"]
    )


def _once(header: list[str]) -> bool:
    return len(set(header)) == len(header)


def _whole(lines: list[list[str]], header: list[str], rows: Rows) -> list[list[str]]:
    for number, line in enumerate(lines):
        if len(line) != len(header):
            rows.fault(number, "row", f"must have {len(header)} cells, but has {len(line)}")
        elif any(len(cell) > LONGEST_CELL for cell in line):
            rows.fault(number, "row", f"must have no cell of more than {LONGEST_CELL} characters")
    return [] if rows.faults else lines
