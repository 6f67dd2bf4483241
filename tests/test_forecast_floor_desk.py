"""The page of the floor from a cycle: plan, beds, what is likely, days; nobody can be found in any of it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from forecast.board import Check
from forecast.ensemble import Run
from forecast.floor_day import FloorDay
from forecast.floor_desk import FloorDesk, Numbers
from forecast.floor_plan import plan_of
from forecast.floor_view import FloorView, Zone
from forecast.issue import Times, issue
from forecast.situation import Situation, situation_of
from forecast.values import Forecast
from ingest.errors import ConfigurationError
from ingest.events import BedId, BedStatusChanged, EventId, UnitId, VisitId
from tests.boards import ordinary
from tests.floor_views import OWN
from tests.histories import NOON, calibration, hospital, scenarios, state
from twin.site import site_from
from twin.state import State, fold

HOW = Run(members=8, horizon_min=240.0)


@cache
def cycle() -> tuple[Situation, Forecast]:
    situation = situation_of(state(), calibration(), NOON)
    return situation, issue(situation, scenarios("as_usual"), HOW, Times(NOON, NOON, NOON))


def looked(told: State | None = None, key: bytes = b"one") -> FloorDesk:
    site = replace(site_from(""), hospital=hospital())
    desk = FloorDesk(site, key)
    desk.look(told or state(), *cycle())
    return desk


def view(desk: FloorDesk) -> FloorView:
    return desk.view(replace(ordinary(), made_at=NOON))


def read(desk: FloorDesk, day: date | None = None) -> dict[str, Any]:
    found = desk.day(day)
    assert found is not None
    told: dict[str, Any] = json.loads(found)
    return told


def test_now_is_the_end_of_the_last_24_hours() -> None:
    desk = looked()
    shown, day = view(desk), read(desk)
    there = [p for p in day["pieces"] if p[3] <= day["minutes"] and (p[4] < 0 or day["minutes"] < p[4])]
    assert len(shown.dots) == len(there) > 5
    assert (shown.as_of, shown.fault) == (NOON, None)
    assert day["from"] == (NOON - timedelta(days=1)).timestamp()


def test_those_who_are_drawn_are_those_more_likely_here_than_gone() -> None:
    known = cycle()[0].known
    here = int(((known.p_here >= 0.5) & ~np.isnan(known.arrived_min)).sum())
    assert abs(len(view(looked()).dots) - here) <= 1  # who came two days ago is a ghost by the rule


def test_a_day_has_the_hours_of_its_date_and_others_cannot_be_had() -> None:
    desk = looked()
    shown = view(desk)
    assert shown.days is not None
    first, last = shown.days
    assert read(desk, last - timedelta(days=2))["minutes"] == 1440
    assert read(desk, last)["minutes"] == 13 * 60  # noon UTC is 13 h in Paris
    assert desk.day(first - timedelta(days=1)) is None
    assert desk.day(last + timedelta(days=1)) is None
    assert FloorDesk(site_from("")).day(None) is None


def test_a_day_is_made_once_a_cycle() -> None:
    desk, wanted = looked(), NOON.date() - timedelta(days=2)
    first = desk.day(wanted)
    assert desk.day(wanted) is first
    desk.look(state(), *cycle())
    assert desk.day(wanted) is not first
    assert desk.day(wanted) == first


# --- nobody can be found --------------------------------------------------------------------------------------------


def names() -> set[str]:
    """Every pseudonym of the log: visits and patients."""
    visits = state().visits.values()
    return {str(visit.visit) for visit in visits} | {str(visit.patient) for visit in visits if visit.patient}


def found_in(text: str, some: Iterable[str]) -> list[str]:
    return [name for name in some if name in text]


def test_no_visit_and_no_patient_is_in_what_the_page_gets() -> None:
    desk = looked()
    for told in (desk.day(None), desk.day(NOON.date() - timedelta(days=1)), repr(view(desk)).encode()):
        assert told is not None
        assert found_in(told.decode(), names()) == []


def test_a_day_that_names_its_visits_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant numbers visits by themselves."""
    monkeypatch.setattr(Numbers, "of_today", lambda *_: lambda ids: {visit: visit for visit in ids})
    monkeypatch.setattr(FloorDay, "as_json", lambda day: {"pieces": [[p.number] for p in day.pieces]})
    told = looked().day(None)
    assert told is not None
    assert found_in(told.decode(), names())


def test_pieces_are_whole_numbers_alone_and_numbers_have_no_gap() -> None:
    for told in (read(looked()), read(looked(), NOON.date() - timedelta(days=1))):
        assert all(type(number) is int for piece in told["pieces"] for number in piece)
        assert {piece[0] for piece in told["pieces"]} == set(range(len({piece[0] for piece in told["pieces"]})))
        assert set(told) == {"day", "numbers_of", "plan", "usual", "from", "minutes", "zones", "pieces"}


def test_numbers_follow_neither_the_visits_nor_each_other_from_day_to_day() -> None:
    """Another key or another day mixes anew; the order of the visits' names (the mutant) is not kept."""
    ids = [VisitId(f"v{n:03d}") for n in range(50)]
    day = date(2025, 1, 25)
    mixed = Numbers(b"one").of_day(day)(ids)
    assert sorted(mixed.values()) == list(range(50))
    assert list(mixed) != ids
    assert mixed != Numbers(b"two").of_day(day)(ids)
    assert mixed != Numbers(b"one").of_day(day + timedelta(days=1))(ids)


def test_today_a_patient_keeps_the_number_from_cycle_to_cycle() -> None:
    numbers, day = Numbers(b"one"), date(2025, 1, 25)
    first = dict(numbers.of_today(day)([VisitId("a"), VisitId("b")]))
    second = dict(numbers.of_today(day)([VisitId("c"), VisitId("b"), VisitId("a")]))
    assert {k: second[k] for k in first} == first
    assert second[VisitId("c")] == 2
    assert list(numbers.of_today(day + timedelta(days=1))([VisitId("c")]).values()) == [0]


# --- ahead, beds, plan ----------------------------------------------------------------------------------------------


def test_the_likely_picture_is_counted_run_by_run() -> None:
    ahead, (_, forecast) = view(looked()).ahead, cycle()
    assert ahead is not None
    at = int(np.flatnonzero(forecast.lead_min == 120.0)[0])
    members = forecast.members["as_usual"].measures
    care = members["ed_census"][at] - members["ed_waiting"][at] - members["ed_boarders"][at]
    assert ahead.care is not None
    assert ahead.care.low >= care.min() >= 0
    assert ahead.care.high <= care.max()
    assert ahead.valid_at == NOON + timedelta(hours=2)
    assert ahead.waiting is not None
    assert ahead.waiting.median == pytest.approx(forecast.scenarios["as_usual"]["ed_waiting"].quantiles[0.5][at], abs=1)
    assert set(ahead.free) == {u.name for u in hospital().wards if f"beds_free:{u.name}" in members}


def test_what_is_not_measured_is_not_foreseen() -> None:
    situation, forecast = cycle()
    members = forecast.members["as_usual"]
    less = {name: values for name, values in members.measures.items() if name != "ed_boarders"}
    desk = looked()
    desk.look(state(), situation, replace(forecast, members={"as_usual": replace(members, measures=less)}))
    ahead = view(desk).ahead
    assert ahead is not None
    assert (ahead.boarders, ahead.care) == (None, None)
    desk.look(state(), situation, replace(forecast, members={}))
    assert view(desk).ahead is None


def bed(name: str, status: Any) -> BedStatusChanged:
    return BedStatusChanged(
        event_id=EventId(f"bed/{name}"), occurred_at=NOON - timedelta(hours=1), known_at=NOON - timedelta(hours=1),
        unit=UnitId("medicine"), bed=BedId(name), status=status,
    )  # fmt: skip


def test_beds_are_told_by_the_states_that_the_log_names_and_else_not_told() -> None:
    told = fold(state(), [bed("1", "cleaning"), bed("2", "closed"), bed("3", "blocked"), bed("4", "occupied")])
    board = ordinary()
    unit = replace(board.units[0], unit="medicine", beds=30, census=27, free=3)
    other = replace(unit, unit="surgery")
    shown = looked(told).view(replace(board, units=(unit, other), checks=(Check("unit:surgery", "over_beds"),)))
    first, second = shown.wards
    assert (first.cleaning, first.closed, first.is_doubtful) == (1, 2, False)
    assert (second.cleaning, second.closed, second.is_doubtful) == (None, None, True)


def test_beds_of_the_sites_own_that_are_not_open_are_closed() -> None:
    desk = FloorDesk(site_from(OWN))
    desk.look(state(), *cycle())
    unit = replace(ordinary().units[0], unit="medicine", beds=26, census=20, free=6)
    assert desk.view(replace(ordinary(), units=(unit,))).wards[0].closed == 4


def test_the_plan_has_the_rows_of_the_sites_file_and_says_what_is_not_told() -> None:
    zones = plan_of(site_from(OWN), ("boxes", "corridor"), ("boxes", "@triage", "@bed"))
    assert [(zone.key, zone.row, zone.is_told) for zone in zones] == [
        ("@triage", 0, True), ("waiting_room", 0, False), ("sauv", 0, False), ("boxes", 1, True),
        ("fast_track", 1, False), ("imaging", 1, False), ("corridor", 2, True), ("@bed", 2, True),
    ]  # fmt: skip
    boxes, corridor = (next(zone for zone in zones if zone.key == key) for key in ("boxes", "corridor"))
    assert (boxes.fr, boxes.spaces) == ("Box", 18)
    assert (corridor.fr, corridor.en, corridor.spaces) == ("Couloir", "Corridor", None)


def test_without_a_plan_areas_follow_the_path_and_without_areas_there_are_stages() -> None:
    zones = plan_of(site_from(""), ("sauv", "waiting_room", "zulu"), ())
    assert [zone.key for zone in zones] == ["waiting_room", "sauv", "zulu"]
    assert zones[0].spaces is None  # the shipped hospital is not this one
    alone = [zone.key for zone in plan_of(site_from(""), (), ())]
    assert alone == ["@triage", "@provider", "@decision", "@departure", "@bed"]
    assert Zone("@bed", 0).stage == "bed"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ('[["boxes", "medicine"]]', "floor must name areas with spaces (waiting_room, boxes"),
        ('[["boxes"], ["boxes"]]', "floor must name each area once, but names boxes more than once"),
    ],
)
def test_a_plan_that_cannot_be_is_told_with_its_line(rows: str, said: str) -> None:
    text = OWN.replace('[["waiting_room", "sauv"], ["boxes", "fast_track", "imaging"]]', rows)
    with pytest.raises(ConfigurationError) as found:
        site_from(text)
    assert said in str(found.value)
    assert "site:3: floor" in str(found.value)


def test_a_fault_keeps_the_last_positions_and_says_so() -> None:
    desk = looked()
    desk.look(None, *cycle())  # type: ignore[arg-type]
    shown = view(desk)
    assert (shown.fault, shown.as_of, len(shown.dots) > 5) == ("AttributeError", NOON, True)
    assert view(FloorDesk(site_from(""))).as_of is None
