"""Tiny extracts: a mapping and some rows in a line each, read into events."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ingest.batch import Batch
from ingest.columns import from_table
from ingest.events import COMMON_FIELDS, Event
from ingest.mapping import parse_mapping
from ingest.pseudonyms import Pseudonyms
from ingest.tabular import read_extract

PSEUDONYMS = Pseudonyms(bytes(range(32)), "north")
WIDE = """\
[source]
name = "er"
format = "wide"
site = "north"
zone = "Europe/Paris"
extracted_at = 2026-03-31T00:00:00Z
[keys]
visit = "no"
patient = "who"
[times]
arrived = "came"
triaged = "triaged"
departed = { column = "left", lag_min = 30 }
[classes]
age = { column = "age" }
acuity = "acuity"
[destination]
column = "to"
values = { R = "home", W = "ward", F = "left_without_being_seen" }
[ward]
column = "ward"
values = { MED = "medicine" }
"""
WIDE_HEADER = "no,who,came,triaged,left,age,acuity,to,ward"
LONG = """\
[source]
name = "er"
format = "long"
site = "north"
zone = "Europe/Paris"
extracted_at = 2026-03-31T00:00:00Z
[keys]
visit = "no"
record = "id"
[time]
column = "when"
[activity]
column = "what"
[activity.events]
Came = { event = "Arrived", age_band = { column = "age" } }
Blood = { event = "TestResulted", test = "laboratory", lag_min = 10 }
Ward = { first = "Departed", then = "Moved", to = "ward", unit = "medicine" }
Out = { first = "Departed", then = "LeftWard", to = "home" }
Coffee = "ignore"
"""
LONG_HEADER = "no,id,what,when,age"


def march(day: int, clock: str = "00:00") -> datetime:
    """A UTC instant in March 2026; Paris is one hour ahead until the 29th."""
    hours, minutes = clock.split(":")
    return datetime(2026, 3, day, int(hours), int(minutes), tzinfo=UTC)


def written(folder: Path, header: str, *rows: str, name: str = "x.csv") -> Path:
    """A CSV file of a header and rows."""
    path = folder / name
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def batches(path: Path, mapping: str) -> list[Batch]:
    """What a file becomes; positions are the numbers of its rows."""
    return list(read_extract(path, parse_mapping(mapping), PSEUDONYMS, first=1))


def read_one(path: Path, mapping: str) -> Batch:
    """The only batch of a small file."""
    (batch,) = batches(path, mapping)
    return batch


def story(batch: Batch) -> list[tuple[str, ...]]:
    """Each event as (visit's place in the batch, kind, UTC clock or day and clock, what it says), in order of time."""
    events = sorted(from_table(batch.table), key=lambda e: (e.position, e.occurred_at, e.kind))
    return [(str(e.position), e.kind, e.occurred_at.strftime("%d %H:%M"), said(e)) for e in events]


def said(event: Event) -> str:
    """The fields of an event that are its own and not absent."""
    left_out = {*COMMON_FIELDS, "visit", "patient"}
    names = [name for cls in type(event).__mro__ for name in getattr(cls, "__slots__", ()) if name not in left_out]
    return " ".join(f"{n}={v}" for n in sorted(names) if (v := getattr(event, n)) is not None)


def known(batch: Batch) -> dict[str, datetime | None]:
    """When each event was known, by visit's row and kind."""
    return {f"{e.position} {e.kind}": e.known_at for e in from_table(batch.table)}


def visit_of(number: str) -> str:
    return PSEUDONYMS.one("visit", number)
