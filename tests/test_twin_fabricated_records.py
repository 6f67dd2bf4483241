"""What the fabricated hospital's system keeps: late, missing, misordered, and a feed that fails on request."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from ingest.events import (
    Acuity,
    AgeBand,
    Arrived,
    ComplaintGroup,
    Departed,
    EnteredWard,
    Event,
    LeftWard,
    Mode,
    Moved,
    SeenByProvider,
    Sex,
    Triaged,
    VisitEvent,
)
from twin.fabricate import FabricatedHospital, Fabrication, FabricationError, Faults, Habits, Silence, fabricate
from twin.fabricated_extract import COLUMNS
from twin.fabricated_hospital import MEDICINE, UNITS
from twin.fabricated_records import EXITS

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2025, 1, 6, tzinfo=PARIS)
MEDIUM = FabricatedHospital("roomy", "medium")
PERFECT = Habits(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
LEAVING: tuple[type[VisitEvent], ...] = (LeftWard, *EXITS)
EXIT_KINDS = tuple(kind.__name__ for kind in EXITS)


@cache
def ordinary() -> Fabrication:
    return fabricate(MEDIUM, start=START, days=20, seed=2)


@cache
def few_days(faults: Faults | None = None, habits: Habits | None = None) -> Fabrication:
    return fabricate(FabricatedHospital("roomy", "small"), start=START, days=5, seed=2, faults=faults, habits=habits)


def missing_share(fabrication: Fabrication, *kinds: str) -> float:
    recorded = {event.event_id for event in fabrication.events}
    ids = [event.event_id for event in fabrication.truth if event.kind in kinds]
    return sum(event_id not in recorded for event_id in ids) / len(ids)


def delays_min(fabrication: Fabrication, *kinds: str) -> list[float]:
    true_at = {event.event_id: event.occurred_at for event in fabrication.truth}
    return [
        (event.recorded_at - true_at[event.event_id]).total_seconds() / 60.0
        for event in fabrication.events
        if event.kind in kinds and event.recorded_at is not None
    ]


# --- habits


def test_as_many_are_missing_as_the_habits_say() -> None:
    habits = Habits()
    for kinds, share, within in (
        (EXIT_KINDS, habits.exit_missing_share, 0.02),
        (("Triaged",), habits.triage_missing_share, 0.015),
        (("SeenByProvider",), habits.seen_missing_share, 0.015),
        (("LeftWard",), habits.ward_exit_missing_share, 0.02),
        (("Arrived", "DecidedToAdmit", "EnteredWard", "Moved"), 0.0, 0.0),
    ):
        assert missing_share(ordinary(), *kinds) == pytest.approx(share, abs=within)
    assert missing_share(few_days(habits=PERFECT), *EXIT_KINDS) == 0.0


def test_missing_exits_are_mostly_those_home() -> None:
    recorded = {event.event_id for event in ordinary().events}
    by_destination = {
        to: [event for event in ordinary().truth if isinstance(event, Departed) and event.to == to]
        for to in ("home", "ward")
    }
    lost = {to: sum(e.event_id not in recorded for e in found) / len(found) for to, found in by_destination.items()}
    assert lost["home"] > 2 * lost["ward"]


def test_most_records_are_prompt_and_an_eighth_of_the_exits_hours_late() -> None:
    exits = delays_min(ordinary(), *EXIT_KINDS)
    late = sum(delay > 60 for delay in exits) / len(exits)
    assert 0.07 <= late <= 0.16  # 12 % late, of which a sixth by less than an hour; and some ordinary stragglers
    assert max(exits) > 12 * 60
    prompt = sum(delay > 60 for delay in delays_min(few_days(habits=PERFECT), *EXIT_KINDS))
    assert prompt / len(exits) < 0.03
    arrivals = delays_min(ordinary(), "Arrived")
    assert sorted(arrivals)[int(0.95 * len(arrivals))] < 5


def test_nothing_is_recorded_before_it_happened() -> None:
    assert min(delays_min(ordinary(), *Counter(event.kind for event in ordinary().truth))) >= -0.02


def test_perfect_habits_record_the_truth_and_nothing_else() -> None:
    perfect = few_days(habits=PERFECT)
    told = {(e.event_id, e.occurred_at, e.kind) for e in perfect.events}
    assert told == {(e.event_id, e.occurred_at, e.kind) for e in perfect.truth}
    usual = few_days()
    assert {(e.event_id, e.occurred_at, e.kind) for e in usual.events} != told


def misordered(events: Iterable[Event]) -> list[str]:
    """Visits seen before they were triaged."""
    triaged = {event.visit: event.occurred_at for event in events if isinstance(event, Triaged)}
    return [
        event.visit
        for event in events
        if isinstance(event, SeenByProvider) and event.visit in triaged and event.occurred_at < triaged[event.visit]
    ]


def test_a_few_are_seen_before_triage_and_never_before_arrival() -> None:
    assert 0 < len(misordered(ordinary().events)) < 0.01 * len(ordinary().events)
    assert misordered(ordinary().truth) == []
    arrived = {event.visit: event.occurred_at for event in ordinary().truth if isinstance(event, Arrived)}
    assert all(
        event.occurred_at >= arrived[event.visit] for event in ordinary().events if isinstance(event, SeenByProvider)
    )


def exits_by_hour(events: Iterable[Event]) -> Counter[int]:
    return Counter(event.occurred_at.astimezone(PARIS).hour for event in events if isinstance(event, EXITS))


def test_exits_pile_up_at_the_change_of_shift() -> None:
    typed, true = exits_by_hour(ordinary().events), exits_by_hour(ordinary().truth)
    for hour in (7, 15):
        assert typed[hour] / typed[hour - 1] > 1.3 * true[hour] / true[hour - 1]


def test_identities_are_pseudonyms_and_some_patients_come_again() -> None:
    arrived = [event for event in ordinary().truth if isinstance(event, Arrived)]
    assert all(event.visit[0] == "v" and len(event.visit) == 17 for event in arrived)
    patients = {event.patient for event in arrived}
    assert 0.95 < len(patients) / len(arrived) < 0.995


def test_who_is_inside_at_the_start_is_told_and_nobody_else_from_before() -> None:
    before = [event for event in ordinary().truth if event.occurred_at < START and isinstance(event, VisitEvent)]
    leaves = {e.visit for e in ordinary().truth if isinstance(e, LEAVING)}
    assert {type(event) for event in before} > {Arrived, EnteredWard}
    assert len({event.visit for event in before} & leaves) > 0.9 * len({event.visit for event in before})
    assert not [event for event in before if isinstance(event, LEAVING)]


# --- faults of the feed


SILENCE = Faults(silences=(Silence(from_hour=30, hours=5),))


def known_in(fabrication: Fabrication, from_hour: float, hours: float) -> int:
    begin = START + timedelta(hours=from_hour)
    return sum(
        event.known_at is not None and begin <= event.known_at < begin + timedelta(hours=hours)
        for event in fabrication.events
    )


def test_a_silent_feed_holds_back_and_loses_nothing() -> None:
    silent, usual = few_days(SILENCE), few_days()
    assert known_in(silent, 30, 5) == 0
    assert known_in(usual, 30, 5) > 50
    assert known_in(silent, 35, 0.1) > 50
    assert {event.event_id for event in silent.events} == {event.event_id for event in usual.events}
    assert all(
        a.recorded_at is not None and a.known_at is not None and a.recorded_at <= a.known_at for a in silent.events
    )


def repeats(events: Sequence[Event]) -> float:
    return 1 - len({event.event_id for event in events}) / len(events)


def test_duplicates_are_the_same_event_known_again() -> None:
    doubled = few_days(Faults(duplicates_share=0.05)).events
    assert repeats(doubled) == pytest.approx(0.05 / 1.05, abs=0.01)
    assert repeats(few_days().events) == 0.0
    contents = {(event.event_id, event.occurred_at, event.recorded_at) for event in doubled}
    assert len(contents) == len({event.event_id for event in doubled})


def test_a_skewed_clock_stamps_all_but_what_we_know_ourselves() -> None:
    skewed, usual = few_days(Faults(clock_skew_min=120.0)), few_days()
    assert len(skewed.events) == len(usual.events)
    for wrong, right in zip(skewed.events, usual.events, strict=True):
        assert wrong.event_id == right.event_id
        assert wrong.occurred_at - right.occurred_at == timedelta(hours=2)
        assert wrong.recorded_at is not None
        assert right.recorded_at is not None
        assert wrong.recorded_at - right.recorded_at == timedelta(hours=2)
        assert wrong.known_at == right.known_at


def heard_of(events: Iterable[Event], unit: str, since: datetime) -> int:
    return sum(getattr(event, "unit", None) == unit and event.occurred_at >= since for event in events)


def test_of_a_frozen_unit_nothing_is_heard_from_then_on() -> None:
    frozen = few_days(Faults(frozen_unit=MEDICINE, frozen_from_hour=48.0))
    since = START + timedelta(hours=48)
    assert heard_of(frozen.events, MEDICINE, since) == 0
    assert heard_of(few_days().events, MEDICINE, since) > 5
    assert heard_of(frozen.events, MEDICINE, START) > 0
    assert heard_of(frozen.truth, MEDICINE, since) > 5


def test_faults_that_cannot_be_are_refused() -> None:
    with pytest.raises(FabricationError, match="duplicates_share must be between 0 and 1, but is 2"):
        Faults(duplicates_share=2.0)
    with pytest.raises(FabricationError, match="exit_late_share must be between 0 and 1"):
        Habits(exit_late_share=-0.1)
    with pytest.raises(FabricationError, match="must last more than 0 hours"):
        Faults(silences=(Silence(from_hour=1, hours=0),))


# --- the wide extract


ALLOWED = {
    "sex": get_args(Sex),
    "mode": get_args(Mode),
    "complaint": get_args(ComplaintGroup),
    "acuity": get_args(Acuity),
    "destination": ("home", "ward", "transfer", "died", "left_without_being_seen", "left_during_care"),
    "ward": UNITS,
}
TIMES = ("arrived", "triaged", "seen", "decided", "bed_requested", "departed", "left_ward")


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_extract_has_a_row_for_each_arrival_with_the_words_of_the_vocabulary(tmp_path: Path) -> None:
    ordinary().write_wide_csv(tmp_path / "wide.csv")
    rows = read_csv(tmp_path / "wide.csv")
    assert tuple(rows[0]) == COLUMNS
    arrived = {e.visit for e in ordinary().events if isinstance(e, Arrived) and e.occurred_at >= START}
    assert {row["visit"] for row in rows} == arrived
    assert len(rows) == len(arrived)
    for row in rows:
        assert all(row[name] in ("", *allowed) for name, allowed in ALLOWED.items())
        assert all(datetime.fromisoformat(row[name]).tzinfo is None for name in TIMES if row[name])
        assert 0 <= int(row["age"]) <= 98
        assert (row["departed"] == "") == (row["destination"] == "")


def test_the_extract_keeps_late_exits_at_their_true_time_and_leaves_missing_ones_empty(tmp_path: Path) -> None:
    ordinary().write_wide_csv(tmp_path / "wide.csv")
    rows = {row["visit"]: row for row in read_csv(tmp_path / "wide.csv")}
    late = [
        e
        for e in ordinary().events
        if isinstance(e, Departed) and e.recorded_at is not None and e.recorded_at - e.occurred_at > timedelta(hours=3)
    ]
    assert len(late) > 50
    for event in late:
        if event.visit in rows:
            wall = event.occurred_at.astimezone(PARIS).replace(tzinfo=None)
            assert rows[event.visit]["departed"] == wall.isoformat()
    empty = sum(row["departed"] == "" for row in rows.values()) / len(rows)
    assert empty == pytest.approx(0.10, abs=0.025)


def test_parquet_and_csv_hold_the_same_rows(tmp_path: Path) -> None:
    fabrication = few_days()
    fabrication.write_wide_csv(tmp_path / "wide.csv")
    fabrication.write_parquet(tmp_path / "wide.parquet")
    table = pq.read_table(tmp_path / "wide.parquet").to_pylist()
    assert [{name: value or "" for name, value in row.items()} for row in table] == read_csv(tmp_path / "wide.csv")


def test_the_age_agrees_with_the_band() -> None:
    ages = {row["visit"]: int(row["age"]) for row in few_days().wide_rows()}
    low: dict[AgeBand, int] = {"0-17": 0, "18-74": 18, "75+": 75}
    for event in few_days().events:
        if isinstance(event, Arrived) and event.visit in ages and event.age_band is not None:
            assert ages[event.visit] >= low[event.age_band]


def test_moves_name_zones_and_units() -> None:
    places = {event.unit for event in ordinary().events if isinstance(event, Moved)}
    assert places >= {"box", "sauv", "waiting_room"}
    assert places - {"box", "sauv", "waiting_room", "corridor"} <= set(UNITS)
