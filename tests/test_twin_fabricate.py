"""The fabricated hospital from outside: determined by its seed, plausible, nobody lost, no bed used twice."""

from __future__ import annotations

import ast
import hashlib
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ingest.clock import SimulatedClock
from ingest.columns import from_table
from ingest.events import (
    Arrived,
    BedsCounted,
    DecidedToAdmit,
    Departed,
    EnteredWard,
    Event,
    LeftWard,
    Moved,
    StaffOnDuty,
    VisitEvent,
)
from twin.fabricate import FabricatedHospital, Fabrication, FabricationError, World, fabricate, live
from twin.fabricated_hospital import BOX, SAUV, UNITS, HospitalKind, plant_of
from twin.fabricated_house import House
from twin.fabricated_records import EXITS

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2025, 1, 6, tzinfo=PARIS)
SMALL = FabricatedHospital("congested", "small")
DAYS = 30


@cache
def period(kind: HospitalKind) -> Fabrication:
    return fabricate(FabricatedHospital(kind, "large"), start=START, days=DAYS, seed=1)


@cache
def small_period(seed: int = 1, days: int = 6) -> Fabrication:
    return fabricate(SMALL, start=START, days=days, seed=seed)


def fingerprint(events: Iterable[Event]) -> str:
    return hashlib.sha256("\n".join(map(repr, events)).encode()).hexdigest()


# --- determined by the seed


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    again = fabricate(SMALL, start=START, days=6, seed=1)
    assert fingerprint(again.events) == fingerprint(small_period().events)
    assert fingerprint(small_period(2).events) != fingerprint(small_period().events)


def test_running_in_odd_steps_gives_the_same_events_as_running_straight() -> None:
    world, events, at = World(SMALL, START, 1), [], START
    while at < small_period().end_at:
        at = min(at + timedelta(minutes=737), small_period().end_at)
        events += world.run_until(at)
    assert fingerprint(events + world.rest()) == fingerprint(small_period().events)


def test_ids_are_unique_and_events_come_in_the_order_in_which_they_are_known() -> None:
    events = small_period().events
    assert len({event.event_id for event in events}) == len(events)
    known = [event.known_at for event in events if event.known_at is not None]
    assert len(known) == len(events)
    assert known == sorted(known)
    assert all(event.known_at == event.recorded_at for event in events)


def test_the_table_holds_the_same_events() -> None:
    events = small_period().events
    assert from_table(small_period().table()) == events


def test_progress_runs_to_one() -> None:
    told: list[float] = []
    fabricate(SMALL, start=START, days=3, seed=1, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


# --- plausible


def stays_min(truth: Iterable[Event]) -> dict[str, np.ndarray]:
    """Minutes from arrival to exit, by where to."""
    arrived: dict[str, datetime] = {}
    stays: dict[str, list[float]] = {}
    for event in truth:
        if isinstance(event, Arrived):
            arrived[event.visit] = event.occurred_at
        elif isinstance(event, EXITS) and event.visit in arrived:
            to = event.to if isinstance(event, Departed) and event.to else event.kind
            stay = (event.occurred_at - arrived[event.visit]).total_seconds() / 60.0
            stays.setdefault(to, []).append(stay)
    return {to: np.array(values) for to, values in stays.items()}


def arrivals_per_day(fabrication: Fabrication) -> np.ndarray:
    days = Counter(
        (event.occurred_at.astimezone(PARIS).date() - START.date()).days
        for event in fabrication.truth
        if isinstance(event, Arrived)
    )
    return np.array([days[day] for day in range(DAYS)])


def changes(truth: Iterable[Event]) -> list[tuple[datetime, int, int]]:
    """(at, change of the census, change of the boarders) in the department."""
    found, boards = [], set()
    for event in truth:
        if isinstance(event, Arrived):
            found.append((event.occurred_at, 1, 0))
        elif isinstance(event, DecidedToAdmit):
            boards.add(event.visit)
            found.append((event.occurred_at, 0, 1))
        elif isinstance(event, EXITS):
            found.append((event.occurred_at, -1, -(event.visit in boards)))
    return found


def census_at(truth: Sequence[Event], instants: Sequence[datetime]) -> np.ndarray:
    """Shape (instant, 2): present and boarders."""
    found = sorted(changes(truth))
    at = np.array([change[0].timestamp() for change in found])
    totals = np.cumsum([[0, 0], *[change[1:] for change in found]], axis=0)
    return np.asarray(totals[np.searchsorted(at, [i.timestamp() for i in instants], side="right")])


def hours_of(fabrication: Fabrication) -> list[datetime]:
    count = int((fabrication.end_at - fabrication.start_at) / timedelta(hours=1))
    return [fabrication.start_at + timedelta(hours=hour) for hour in range(1, count)]


def test_a_roomy_hospital_has_the_published_stays() -> None:
    stays = stays_min(period("roomy").truth)
    count = sum(map(len, stays.values()))
    assert 130 <= np.median(stays["home"]) <= 170  # DREES 2023: 150
    assert 250 <= np.median(stays["ward"]) <= 360  # DREES 2023: 320
    assert 0.16 <= len(stays["ward"]) / count <= 0.24  # about 20 % admitted
    assert 0.76 <= len(stays["home"]) / count <= 0.83
    assert len(stays["LeftWithoutBeingSeen"]) / count < 0.03


def test_a_congested_hospital_boards_for_hours_and_more_leave_unseen() -> None:
    roomy, congested = stays_min(period("roomy").truth), stays_min(period("congested").truth)
    assert np.median(congested["ward"]) > 400
    assert len(congested["LeftWithoutBeingSeen"]) > 3 * len(roomy["LeftWithoutBeingSeen"])
    means = {
        kind: census_at(period(kind).truth, hours_of(period(kind)))[:, 1].mean() for kind in ("roomy", "congested")
    }
    assert means["congested"] > 2 * means["roomy"] > 2


@pytest.mark.parametrize("kind", ["roomy", "congested"])
def test_arrivals_are_as_many_and_as_uneven_as_published(kind: HospitalKind) -> None:
    daily = arrivals_per_day(period(kind))
    assert 205 <= daily.mean() <= 245
    beyond_poisson_cv = np.sqrt(daily.var() / daily.mean() ** 2 - 1 / daily.mean())
    assert 0.05 <= beyond_poisson_cv <= 0.17  # with an epidemic; without one see the test of the inflow
    hours = Counter(e.occurred_at.astimezone(PARIS).hour for e in period(kind).truth if isinstance(e, Arrived))
    by_day = sum(hours[hour] for hour in range(8, 20)) / hours.total()
    assert 0.68 <= by_day <= 0.76  # Alsace 71.5 %, DREES 74 %


def test_the_load_at_15_h_is_that_of_real_departments() -> None:
    for fabrication, high in ((period("roomy"), 0.24), (period("congested"), 0.33)):
        at_15 = [hour for hour in hours_of(fabrication) if hour.astimezone(PARIS).hour == 15]
        share = census_at(fabrication.truth, at_15)[:, 0].mean() / arrivals_per_day(fabrication).mean()
        assert 0.16 <= share <= high


def test_the_hospital_neither_fills_nor_empties_over_the_weeks() -> None:
    present = census_at(period("congested").truth, hours_of(period("congested")))[:, 0]
    first, last = present[: 7 * 24].mean(), present[-7 * 24 :].mean()
    assert 0.5 < last / first < 2.0


# --- nobody lost, no bed used twice


def unbalanced_hours(truth: Sequence[Event], counted: dict[datetime, int]) -> list[datetime]:
    """The hours at which arrived minus left is not the number inside."""
    present = census_at(truth, list(counted))[:, 0]
    return [hour for hour, one in zip(counted, present, strict=True) if one != counted[hour]]


def test_arrived_is_inside_plus_left_at_every_hour() -> None:
    world, counted = World(SMALL, START, 1, keep_facts=True), {}
    for hour in hours_of(small_period()):
        world.run_until(hour)
        counted[hour] = world.count_now()["ed_census"]
    truth = small_period().truth
    assert unbalanced_hours(truth, counted) == []
    lost = [event for event in truth if event is not next(e for e in truth if isinstance(e, Departed))]
    assert unbalanced_hours(lost, counted)


def overfull(truth: Iterable[Event], capacity: Mapping[str, int]) -> list[VisitEvent]:
    """The events after which a zone or unit holds more than it has."""
    where: dict[str, str] = {}
    used: Counter[str] = Counter()
    capacity_now, faults = dict(capacity), list[VisitEvent]()
    for event in truth:
        if isinstance(event, BedsCounted):
            capacity_now[event.unit] = event.count
        elif isinstance(event, VisitEvent) and (place := place_after(event)) is not None:
            used[where.pop(event.visit, "")] -= 1
            used[place] += 1
            where[event.visit] = place
            if used[place] > capacity_now.get(place, 10**6):
                faults.append(event)
    return faults


def place_after(event: VisitEvent) -> str | None:
    match event:
        case Moved() | EnteredWard():
            return event.unit
        case Departed() if event.to == "ward":
            return event.unit
        case LeftWard():
            return "out"
    return "out" if isinstance(event, EXITS) else None


@pytest.mark.parametrize("kind", ["roomy", "congested"])
def test_no_box_and_no_bed_holds_two(kind: HospitalKind) -> None:
    plant = plant_of(FabricatedHospital(kind, "large"))
    capacity: dict[str, int] = {BOX: plant.boxes, SAUV: plant.sauv, **{unit: plant.beds[unit] for unit in UNITS}}
    truth = period(kind).truth
    assert overfull(truth, capacity) == []
    assert overfull((event for event in truth if not isinstance(event, LeftWard)), capacity)


# --- clock changes


def day_lengths_h(fabrication: Fabrication) -> list[float]:
    """Hours between the starts of the day shift."""
    starts = [
        event.occurred_at
        for event in fabrication.truth
        if isinstance(event, StaffOnDuty) and event.pool == "doctor" and event.occurred_at.astimezone(PARIS).hour == 8
    ]
    return [(after - before) / timedelta(hours=1) for before, after in pairwise(starts)]


@pytest.mark.parametrize(("month", "day", "night_h"), [(3, 29, 23), (10, 25, 25)])
def test_the_nights_of_the_clock_change_are_shorter_and_longer(month: int, day: int, night_h: int) -> None:
    fabrication = fabricate(SMALL, start=datetime(2025, month, day, tzinfo=PARIS), days=3, seed=1)
    assert day_lengths_h(fabrication) == [night_h, 24]
    assert fabrication.end_at - fabrication.start_at == timedelta(hours=48 + night_h)


def test_an_hourly_clock_that_knows_no_zone_would_be_seen() -> None:
    blind = fabricate(
        FabricatedHospital("congested", "small", zone="Etc/GMT-1"),
        start=datetime(2025, 3, 29, tzinfo=PARIS),
        days=3,
        seed=1,
    )
    assert day_lengths_h(blind) != [23, 24]


# --- live


def test_live_goes_on_where_history_ended_and_stops_when_told() -> None:
    now = small_period().start_at + timedelta(days=2, hours=5)
    world, stop = World(SMALL, START, 1), threading.Event()
    history, clock = world.run_until(now), SimulatedClock(now, speed=200_000)
    later: list[Event] = []
    for batch in world.live(clock, stop):
        assert batch
        assert all(event.known_at is not None and event.known_at <= clock.now() for event in batch)
        later += batch
        if clock.now() > now + timedelta(days=1):
            stop.set()
    assert fingerprint(history + later) == fingerprint(small_period().events[: len(history + later)])
    assert len(later) > 300


def test_live_from_the_start_yields_the_patients_already_inside_first() -> None:
    stop = threading.Event()
    batches = live(SMALL, start=START, seed=1, clock=SimulatedClock(START), stop=stop)
    first = next(batches)
    assert all(event.occurred_at <= START for event in first)
    assert {"EnteredWard", "Arrived", "BedsCounted", "StaffOnDuty"} >= {first[0].kind}


# --- what cannot be


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: fabricate(SMALL, start=datetime(2025, 1, 6), days=3, seed=1), "start must be aware"),
        (lambda: fabricate(SMALL, start=START, days=0, seed=1), "days must be 1 or more, but is 0"),
        (lambda: FabricatedHospital("crowded", "small"), "kind must be one of roomy, congested, but is 'crowded'"),  # type: ignore[arg-type]
        (lambda: FabricatedHospital("roomy", "small", zone="Paris"), "zone must be an IANA name"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(wrong: object, says: str) -> None:
    with pytest.raises(FabricationError, match=says):
        wrong()  # type: ignore[operator]


# --- apart from the twin's model


def foreign_imports(source: str) -> list[str]:
    """Modules of this project that a fabricated module must not import."""
    modules = [
        name
        for node in ast.walk(ast.parse(source))
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else
            [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        )
    ]  # fmt: skip
    ours = ("ingest.events", "ingest.columns", "ingest.clock", "ingest.errors", "twin.fabricate")
    return [
        m for m in modules if m.split(".")[0] in ("ingest", "twin", "forecast", "dashboard") and not m.startswith(ours)
    ]


def test_the_fabricated_hospital_stands_apart_from_the_twin() -> None:
    files = sorted(Path(House.__module__.replace(".", "/")).parent.resolve().glob("fabricate*.py"))
    assert len(files) > 8
    assert [name for file in files for name in foreign_imports(file.read_text(encoding="utf-8"))] == []
    assert foreign_imports("from twin.luck import Luck") == ["twin.luck"]
