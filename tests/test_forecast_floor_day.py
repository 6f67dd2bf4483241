"""A day of the floor is the log's truth: who was in which zone and stage, counted otherwise too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from forecast import floor_day
from forecast.floor_day import FloorDay, Piece, areas_told, columns, day_of, usual_stages
from forecast.floor_view import STAGES, Dot, Usual
from ingest.events import (
    Arrived,
    DecidedToAdmit,
    DecidedToDischarge,
    Departed,
    Event,
    Moved,
    SeenByProvider,
    Triaged,
    UnitId,
    VisitId,
)
from tests.histories import NOON, hospital, state
from tests.worlds import at
from twin.history import completed
from twin.measures import measure
from twin.state import State, fold
from twin.visit import Visit

DAY = timedelta(days=1)
WHOLE_DAY = NOON - timedelta(days=4)
"""The beginning of a day that is long over when the state is told."""


def numbered(ids: Iterable[VisitId]) -> Mapping[VisitId, int]:
    return {visit: number for number, visit in enumerate(ids)}


def told(kind: type[Event], visit: str, clock: str, **fields: Any) -> Event:
    when = at(clock)
    made: dict[str, Any] = {"event_id": f"{visit}/{kind.__name__}/{clock}", "occurred_at": when, "known_at": when}
    return kind(**made, **{"visit": VisitId(visit), **fields})


def small() -> State:
    """One who goes home; one who boards in a box; one of whom nothing but the arrival is told."""
    return fold(State(), [
        told(Arrived, "a", "08:00"), told(Triaged, "a", "08:10"), told(Moved, "a", "08:12", unit=UnitId("box")),
        told(SeenByProvider, "a", "08:30"), told(DecidedToDischarge, "a", "09:00"),
        told(Departed, "a", "09:20", to="home"),
        told(Arrived, "b", "08:05"), told(SeenByProvider, "b", "08:40"), told(Moved, "b", "08:40", unit=UnitId("box")),
        told(DecidedToAdmit, "b", "09:30", unit=UnitId("medicine")),
        told(Arrived, "c", "09:50"),
    ])  # fmt: skip


def small_day(*, until: str = "10:00") -> FloorDay:
    return day_of(small(), hospital(), at("08:00"), at(until), at(until), numbered)


def as_told(day: FloorDay) -> list[tuple[int, str, str, int, int | None, int]]:
    return [
        (p.number, STAGES[p.stage], day.zones[p.zone], p.from_min, p.until_min, p.since_min) for p in day.pieces
    ]  # fmt: skip


def test_a_small_morning_piece_by_piece() -> None:
    assert as_told(small_day()) == [
        (0, "triage", "@triage", 0, 10, 0),
        (1, "triage", "@triage", 5, 40, 5),
        (0, "provider", "@provider", 10, 12, 10),
        (0, "provider", "box", 12, 30, 10),
        (0, "decision", "box", 30, 60, 30),
        (1, "decision", "box", 40, 90, 40),
        (0, "departure", "box", 60, 80, 60),
        (1, "bed", "box", 90, None, 90),
        (2, "triage", "@triage", 110, None, 110),
    ]


def test_a_frame_says_who_is_there_and_for_how_long() -> None:
    day = small_day()
    assert day.frame(35) == [Dot("@triage", "triage", 30.0), Dot("box", "decision", 5.0)]
    assert day.frame(120) == [Dot("box", "bed", 30.0), Dot("@triage", "triage", 10.0)]


def test_a_minute_is_rounded_up_at_both_ends() -> None:
    """Who came at 8:00:30 is not there at 8:00 and is at 8:01; the mutant, rounded down, would be there too early."""
    late = [replace(e, occurred_at=e.occurred_at + timedelta(seconds=30)) for e in small().events.values()]
    day = day_of(fold(State(), late), hospital(), at("08:00"), at("10:00"), at("10:00"), numbered)
    assert [len(day.frame(minute)) for minute in (0, 1, 5, 6, 80, 81)] == [0, 1, 1, 2, 2, 1]


def test_a_day_begins_with_those_who_are_there() -> None:
    day = day_of(small(), hospital(), at("09:10"), at("10:00"), at("10:00"), numbered)
    assert as_told(day)[:2] == [(0, "departure", "box", 0, 10, -10), (1, "decision", "box", 0, 20, -30)]


def test_who_is_more_likely_gone_has_left_after_the_usual_stay_and_is_counted() -> None:
    """The one of whom nothing is told is judged gone: as long as others, and not beyond the present."""
    day = day_of(small(), hospital(), at("08:00"), at("10:00"), at("10:00"), numbered, frozenset({VisitId("b")}))
    assert day.likely_gone == 1
    assert [piece.until_min for piece in day.pieces if piece.number == 2] == [120]
    assert [dot.stage for dot in day.frame(120)] == ["bed"]
    assert small_day().likely_gone == 0


@cache
def settled_day() -> FloorDay:
    return day_of(state(), hospital(), WHOLE_DAY, WHOLE_DAY + DAY, NOON, numbered)


def counted_otherwise(minutes: list[int]) -> list[tuple[int, int]]:
    """Those present and those who board, by the measures that forecasts are judged by."""
    history, _ = columns(state(), hospital(), WHOLE_DAY, NOON)
    found = measure(completed(history), np.array(minutes, dtype=float))
    return [(int(n), int(b)) for n, b in zip(found["ed_census"], found["ed_boarders"], strict=True)]


def counted(day: FloorDay, minutes: list[int]) -> list[tuple[int, int]]:
    frames = [day.frame(minute) for minute in minutes]
    return [(len(frame), sum(dot.stage == "bed" for dot in frame)) for frame in frames]


MINUTES = list(range(0, 1441, 7))


def test_every_frame_of_a_fabricated_day_has_the_census_that_is_counted_otherwise() -> None:
    assert max(n for n, _ in counted_otherwise(MINUTES)) > 20
    assert counted(settled_day(), MINUTES) == counted_otherwise(MINUTES)


def test_a_day_that_loses_a_patient_is_seen() -> None:
    """The mutant leaves the longest piece out."""
    day = settled_day()
    longest = max(day.pieces, key=lambda piece: (piece.until_min or day.minutes) - piece.from_min)
    mutant = replace(day, pieces=tuple(piece for piece in day.pieces if piece is not longest))
    assert counted(mutant, MINUTES) != counted_otherwise(MINUTES)


def whole(visit: Visit) -> bool:
    """Nothing of it has to be completed."""
    return bool(visit.triaged_at and visit.seen_at and visit.departed_at and (visit.decided_at or visit.discharged_at))


@pytest.mark.parametrize("minute", [95, 600, 1111])
def test_stages_and_areas_are_those_that_the_visits_tell(minute: int) -> None:
    """Those of whom all is told, one by one, by what they wait for and the last move."""
    when = WHOLE_DAY + timedelta(minutes=minute)
    some = {k: v for k, v in state().visits.items() if whole(v)}
    only = replace(state(), visits=some, lately={}, lately_since=None, endings_kept=None)
    day = day_of(only, hospital(), WHOLE_DAY, WHOLE_DAY + DAY, NOON, numbered)
    areas = areas_told(list(only.visits.values()), hospital())
    assert Counter((dot.zone, dot.stage) for dot in day.frame(minute)) == Counter(where(only, when, areas))


def where(told: State, when: datetime, areas: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    for visit in told.present(when):
        stays = [s for s in visit.stays if s.unit in areas and s.until_at is None]
        yield stays[-1].unit if stays else f"@{visit.waits_for}", visit.waits_for


def test_a_ward_is_no_area_though_a_move_names_it() -> None:
    events = [*small().events.values(), told(Moved, "b", "09:40", unit=UnitId("medicine"))]
    visits = list(fold(State(), events).visits.values())
    assert "medicine" in {unit.name for unit in hospital().wards}
    assert areas_told(visits, hospital()) == ("box",)


def test_the_usual_time_of_a_stage_is_that_of_those_who_ended_it() -> None:
    found = dict(usual_stages(state(), NOON))
    assert set(found) == set(STAGES)
    assert all(0 < usual.median_min < usual.nine_in_ten_min for usual in found.values())
    assert usual_stages(small(), at("10:00")) == ()


def test_a_stage_of_forty_like_patients_lasts_as_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    for n in range(40):
        name = f"v{n}"
        events += [told(Arrived, name, "08:00"), told(Triaged, name, f"08:{n:02d}"), told(Departed, name, "09:59")]
    found = dict(usual_stages(fold(State(), [replace(e, to="home") if isinstance(e, Departed) else e for e in events]),
                              at("10:00")))  # fmt: skip
    assert found["triage"] == Usual(20.0, 35.2)
    monkeypatch.setattr(floor_day, "ENOUGH", 41)
    assert usual_stages(fold(State(), events), at("10:00")) == ()


def test_tiers_are_below_half_above_half_and_above_nine_in_ten() -> None:
    usual = Usual(30.0, 90.0)
    assert [usual.tier(minutes) for minutes in (0.0, 30.0, 31.0, 90.0, 91.0)] == [
        "short", "short", "long", "long", "longest",
    ]  # fmt: skip


def test_a_piece_ends_before_its_end() -> None:
    piece = Piece(0, 0, 0, 5, 7, 5)
    assert [piece.holds(minute) for minute in (4, 5, 6, 7)] == [False, True, True, False]
