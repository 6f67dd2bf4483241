"""What a visit tells as plain values is what its fields say, to the last bit, and belongs to that visit alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any

import numpy as np
import pytest

from ingest.clock import local
from ingest.events import UnitId, VisitId
from twin.minutes import Minutes
from twin.visit import Stay, Visit
from twin.visit_told import INSTANTS, NEVER, STAY, Ends, all_told, local_hours, micros, told_of

NOON = datetime(2026, 3, 28, 12, 0, 0, 123_457, tzinfo=UTC)
MINUTE_US = 60_000_000
ZONES = ("Europe/Paris", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe")
"""Offsets of whole hours, of 45 and of 30 minutes, and a summer time of half an hour."""


def instants(count: int = 500) -> list[datetime]:
    """Some of three years, to the microsecond, clock changes among them."""
    dice = np.random.default_rng(3)
    return [NOON + timedelta(microseconds=int(us)) for us in dice.integers(-47 * 10**12, 47 * 10**12, count)]


def admitted(**told: Any) -> Visit:
    usual = {"arrived_at": NOON, "decided_at": NOON + timedelta(hours=2), "unit_wanted": UnitId("medicine")}
    return Visit(VisitId("v1"), **{**usual, **told})


def of_seconds(instants_us: Any, minutes: Minutes) -> Any:
    """A mutant: as if instants were whole seconds."""
    return (instants_us // 10**6 - micros(minutes.origin) // 10**6) / 60


@pytest.mark.parametrize(
    ("read", "same"), [(lambda us, minutes: minutes.of_micros(us), True), (of_seconds, False)], ids=["", "mutant"]
)
def test_minutes_from_microseconds_are_those_from_instants(read: Callable[..., Any], same: bool) -> None:
    minutes, some = Minutes(NOON), instants()
    told = np.array([micros(at) for at in some])
    assert np.array_equal(read(told, minutes), minutes.of_many(some)) == same


def test_what_is_not_recorded_is_never() -> None:
    assert micros(None) == NEVER
    assert isnan(Minutes(NOON).of_micros(np.array([NEVER]))[0])


@pytest.mark.parametrize("zone", ZONES)
def test_local_hours_are_those_of_the_clock_on_the_wall(zone: str) -> None:
    some = instants()
    found = local_hours(np.array([micros(at) for at in some]), zone)
    assert found.tolist() == [local(at, zone).hour for at in some]
    assert found.tolist() != [at.hour for at in some]


def test_a_visit_is_read_once_and_another_on_its_own() -> None:
    one = admitted()
    later = replace(one, departed_at=NOON + timedelta(hours=5), to="ward")
    assert told_of(one) is told_of(one)
    assert replace(one, decided_at=None).told is None
    assert [told.ends for told in all_told([one, later])] == [None, Ends("medicine", 180 * MINUTE_US)]


def test_every_field_is_told() -> None:
    hour = timedelta(hours=1)
    area = Stay(UnitId("area"), NOON, NOON + hour)
    ward = Stay(UnitId("medicine"), NOON + 3 * hour, NOON + 9 * hour, ward=True, end_known_at=NOON + 10 * hour)
    next_ward = Stay(UnitId("surgery"), NOON + 9 * hour, ward=True, untold=True)
    told = told_of(admitted(age_band="75+", acuity="2", to="ward", stays=(area, ward, next_ward)))
    at = np.frombuffer(told.instants, INSTANTS)[0]
    assert (at["arrived"], at["decided"], at["departed"]) == (micros(NOON), micros(NOON + 2 * hour), NEVER)
    assert (told.to, told.acuity, told.elderly, told.wanted, told.asked) == ("ward", "2", True, "medicine", "medicine")
    assert told.units == ("area", "medicine", "surgery")
    assert told.left == ("medicine",)
    assert np.frombuffer(told.stays, STAY).tolist() == [
        (micros(NOON), micros(NOON + hour), NEVER, False, False, False),
        (micros(NOON + 3 * hour), micros(NOON + 9 * hour), micros(NOON + 10 * hour), True, False, False),
        (micros(NOON + 9 * hour), NEVER, NEVER, True, True, True),
    ]


def test_one_that_is_only_announced_has_begun_never() -> None:
    told = told_of(Visit(VisitId("v2"), expected_at=NOON))
    assert np.frombuffer(told.instants, INSTANTS)["began"].tolist() == [NEVER]
    assert told.ends is None


@pytest.mark.parametrize(("to", "us"), [("ward", 60 * MINUTE_US), ("home", None)])
def test_who_went_to_no_ward_boarded_for_no_time(to: str, us: int | None) -> None:
    assert told_of(admitted(departed_at=NOON + timedelta(hours=3), to=to)).ends == Ends("medicine", us)
