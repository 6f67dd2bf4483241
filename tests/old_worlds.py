"""A small hospital over many months, told fortnight by fortnight, and what its days amounted to, by another way.

Everything is drawn once, as plain rows; what is told to the house is made of them, and so are the figures that it is to
have when the events are gone. Some visits are told by messages, the others by batches.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import mean, median
from zoneinfo import ZoneInfo

import numpy as np

from dashboard.house import House, open_house
from dashboard.settings import Settings
from ingest.clock import SimulatedClock
from ingest.events import (
    Arrived,
    BedsCounted,
    CensusObserved,
    DecidedToAdmit,
    Departed,
    Event,
    EventId,
    LeftWard,
    SeenByProvider,
    StaffOnDuty,
    StockCounted,
    SupplyDelivered,
    Triaged,
    UnitId,
    VisitEvent,
    VisitId,
)
from ingest.journal import Entry
from ingest.log import Position

ZONE = "Europe/Paris"
PARIS = ZoneInfo(ZONE)
BEGIN = datetime(2025, 1, 1, 5, tzinfo=UTC)
WARDS = ("surgery", "geriatrics", "cardiology")
MODES, BANDS, LEVELS = ("own_means", "ambulance", "smur"), ("0-17", "18-74", "75+"), ("2", "3A", "4")
WEEK = timedelta(days=7)
TOLD_EVERY = 2 * WEEK


@dataclass(frozen=True)
class Row:
    """A visit as it was."""

    visit: str
    arrived_at: datetime
    seen_at: datetime
    left_at: datetime | None
    mode: str
    age_band: str
    acuity: str
    ward: str | None = None
    ward_until_at: datetime | None = None


def drawn(weeks: int, a_day: float, seed: int = 1) -> list[Row]:
    """The visits; the last of each month stays in its ward for fifty days, and one in fifty has no exit."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for day in range(weeks * 7):
        for n in range(int(rng.poisson(a_day))):
            at = BEGIN + timedelta(days=day, minutes=int(rng.integers(0, 1440)))
            left = at + timedelta(minutes=int(rng.integers(60, 900)))
            ward = str(rng.choice(WARDS, p=(0.7, 0.2, 0.1))) if rng.random() < 0.3 else None
            lies = timedelta(days=50.0 if day % 30 == 29 else float(rng.uniform(0.5, 9)))
            rows.append(Row(
                f"{day:03d}x{n:02d}visitpseudo"[:16], at, at + timedelta(minutes=30), left,
                str(rng.choice(MODES)), str(rng.choice(BANDS)), str(rng.choice(LEVELS)), ward,
                left + lies if ward else None,
            ))  # fmt: skip
    return [row if k % 50 or row.ward else Row(**{**vars(row), "left_at": None}) for k, row in enumerate(rows)]


def events_of(row: Row) -> Iterator[Event]:
    """What is told of a visit."""

    def of(cls: type[VisitEvent], at: datetime | None, **told: object) -> Iterator[Event]:
        if at is not None:
            event_id = EventId(f"adt/{row.visit}/{cls.__name__}/0")
            yield cls(event_id=event_id, visit=VisitId(row.visit), occurred_at=at, source="adt", **told)  # type: ignore[arg-type]

    yield from of(Arrived, row.arrived_at, mode=row.mode, age_band=row.age_band)
    yield from of(Triaged, row.arrived_at + timedelta(minutes=5), acuity=row.acuity)
    yield from of(SeenByProvider, row.seen_at)
    if row.ward:
        yield from of(DecidedToAdmit, row.left_at and row.left_at - timedelta(minutes=20), unit=UnitId(row.ward))
        yield from of(Departed, row.left_at, to="ward", unit=UnitId(row.ward))
        yield from of(LeftWard, row.ward_until_at, to="home")
    else:
        yield from of(Departed, row.left_at, to="home")


def counts(weeks: int) -> list[Event]:
    """Beds counted once for always, staff and stock each week, deliveries, and what a feed without patients counts."""
    told: list[Event] = []

    def of(cls: type[Event], name: str, at: datetime, **more: object) -> None:
        told.append(cls(event_id=EventId(f"count/{name}/{at:%Y%m%d%H}"), occurred_at=at, source="count", **more))  # type: ignore[arg-type]

    for ward in WARDS:
        of(BedsCounted, f"beds-{ward}", BEGIN, unit=ward, count=20)
    for week in range(weeks):
        at = BEGIN + week * WEEK
        of(StaffOnDuty, "doctor", at, pool="doctor", count=2 + week % 3)
        of(StockCounted, "linen", at, pool="linen_sets", count=100 - week)
        of(SupplyDelivered, "linen", at + timedelta(days=3), pool="linen_sets", count=10)
        of(CensusObserved, "psych", at + timedelta(hours=3), measure="ed_census", unit="elsewhere", count=week)
    return told


@contextmanager
def told(data: Path, rows: Sequence[Row], weeks: int) -> Iterator[tuple[House, SimulatedClock]]:
    """The house to which all of it was told, each fortnight's events at its end."""
    clock = SimulatedClock(BEGIN)
    everything = sorted([e for row in rows for e in events_of(row)] + counts(weeks), key=lambda e: e.occurred_at)
    with open_house(settings_of(data), clock) as house:
        for number in range(1, weeks // 2 + 1):
            until = BEGIN + number * TOLD_EVERY
            clock.advance_to(until)
            tell(house, [e for e in everything if until - TOLD_EVERY <= e.occurred_at < until], number)
        yield house, clock


def told_at(instant: datetime) -> datetime:
    """When the house is told of it."""
    return BEGIN + -(-(instant - BEGIN) // TOLD_EVERY) * TOLD_EVERY


def tell(house: House, events: Sequence[Event], number: int) -> None:
    """Every third visit by messages, the others, and counts, in a batch."""
    messages = [e for e in events if is_by_message(e)]
    batch = [e for e in events if not is_by_message(e)]
    if messages:
        house.journal.append([as_message(e) for e in messages])
        house.indexer.catch_up()
    house.log.append(batch, Position(source="er", offset=number))


def is_by_message(event: Event) -> bool:
    """Whether an event comes by a message."""
    return isinstance(event, VisitEvent) and int(event.visit[:3]) % 3 == 0


def as_message(event: Event) -> Entry:
    """An event in the house's own vocabulary, as it is journalled."""
    value = {"version": 1, "numbers": "pseudonyms", "kind": event.kind}
    own = [
        f.name for f in fields(event) if f.name not in ("known_at", "stored_at", "source", "position", "recorded_at")
    ]
    for name in own:
        if (found := getattr(event, name)) is not None:
            value[name] = found.isoformat() if isinstance(found, datetime) else found
    return Entry(format="event_json", source="adt", payload=json.dumps(value).encode())


def settings_of(data: Path) -> Settings:
    """Of a house on a small disk."""
    return Settings(data=data, disk_reserve_mb=0)


# ------------------------------------------------------------------------------------------------- figures, another way


def figures(rows: Sequence[Row], weeks: int, first: date, last: date) -> dict[tuple[object, ...], float]:
    """What the days of [first, last) amount to, counted visit by visit; nothing is said of exits that nobody told."""
    out: dict[tuple[object, ...], float] = {}
    days = [first + timedelta(days=k) for k in range((last - first).days)]

    def on(at: datetime | None) -> date | None:
        return at.astimezone(PARIS).date() if at else None

    for day in days:
        came = [r for r in rows if on(r.arrived_at) == day]
        left = [r for r in rows if on(r.left_at) == day]
        out[day, "arrivals", None, None, None] = len(came)
        out[day, "admissions", None, None, None] = sum(1 for r in left if r.ward)
        for name in ("mode", "age_band", "acuity"):
            parts(out, (day, "arrivals", None, name), [getattr(r, name) for r in came])
        parts(out, (day, "entries", None, "unit"), [r.ward for r in left if r.ward])
        parts(out, (day, "exits", None, "unit"), [str(r.ward) for r in rows if r.ward and on(r.ward_until_at) == day])
        lasted(out, (day, "ed_stay_min", None, None), [minutes(r.arrived_at, r.left_at) for r in left if r.left_at])
        lasted(out, (day, "ed_wait_min", None, None), [minutes(r.arrived_at, r.seen_at) for r in came])
        for hour in (0, 6, 12, 18):
            at = datetime(day.year, day.month, day.day, hour, tzinfo=PARIS)
            lying = [r.ward for r in rows if r.ward and r.left_at and r.left_at <= at < (r.ward_until_at or at)]
            out[day, "inpatients", hour, None, None] = len(lying)
            parts(out, (day, "census", hour, "unit"), [str(ward) for ward in lying])
            if hour == 12 and at >= BEGIN:
                out |= {(day, "beds", hour, "unit", ward): 20.0 for ward in WARDS}
    for event in counts(weeks):
        if isinstance(event, CensusObserved) and on(event.occurred_at) in days:
            out[on(event.occurred_at), "observed:ed_census", None, "unit", "elsewhere"] = event.count
    return out


UNTOLD = ("departures", "ed_census")
"""Measures in which the rule has a part for exits that nobody told."""


def parts(out: dict[tuple[object, ...], float], of: tuple[object, ...], each: Sequence[str]) -> None:
    """The parts, smallest together until they are five people; written again here, so that two ways can differ."""
    left = sorted(Counter(each).items(), key=lambda one: (one[1], one[0]))
    together = 0
    while left and (left[0][1] < 5 or 0 < together < 5):
        together += left.pop(0)[1]
    out |= {(*of, part): count for part, count in left} | ({(*of, "pooled"): together} if together else {})


def lasted(out: dict[tuple[object, ...], float], of: tuple[object, ...], each: Sequence[float]) -> None:
    """Mean, median and 90 % quantile, of enough people."""
    if len(each) >= 5:
        out[(*of, "mean")] = round(mean(each))
        out[(*of, "p50")] = round(median(each))
    if len(each) >= 20:
        at = 0.9 * (len(each) - 1)
        low = sorted(each)[int(at)]
        out[(*of, "p90")] = round(low + (at - int(at)) * (sorted(each)[int(at) + 1] - low))


def minutes(start: datetime, end: datetime) -> float:
    """Between two instants."""
    return (end - start) / timedelta(minutes=1)


def by_measure(found: dict[tuple[object, ...], float]) -> dict[str, int]:
    """How many figures there are of each measure."""
    out = defaultdict[str, int](int)
    for _, measure, *_ in found:
        out[str(measure)] += 1
    return dict(out)
