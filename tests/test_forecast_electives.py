"""The list of planned patients, end to end: from the file that a hospital sends to the forecast of a ward."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np

from forecast.ensemble import Run, run_chunk
from forecast.situation import Situation, situation_of
from ingest.events import ArrivalExpected, EnteredWard, Event, EventId, UnitId, VisitId
from tests.histories import NOON, NOTHING_MISSING, hospital, told
from twin.announced import PLANNED
from twin.calibrate import Calibration, calibrate
from twin.scenarios import catalogue
from twin.state import State, fold

SURGERY = UnitId("surgery")
FRIDAY = NOON - timedelta(hours=46)
"""When Monday's list is sent; the forecast is of Sunday noon."""
HOW = Run(members=60, horizon_min=1440.0)


def announced(visit: str, said: datetime, due: datetime, unit: UnitId) -> Event:
    return ArrivalExpected(
        event_id=EventId(f"list/{visit}"), visit=VisitId(visit), occurred_at=said, known_at=said, source="list",
        expected_at=due, unit=unit, mode="planned",
    )  # fmt: skip


@cache
def past() -> tuple[Event, ...]:
    """Three weeks in which everybody who came by appointment had been on a list two days before."""
    events = told(NOTHING_MISSING).known(NOON)
    came = [e for e in events if isinstance(e, EnteredWard) and e.planned]
    hour = timedelta(hours=1)
    return (*events, *(announced(e.visit, e.occurred_at - 46 * hour, e.occurred_at, e.unit) for e in came))


@cache
def learned() -> Calibration:
    return calibrate(fold(State(), past()), hospital(), NOON)


def monday(patients: int) -> Situation:
    """Sunday noon, with so many on Monday's list for surgery and three for medicine."""
    names = [(f"s{i}", SURGERY) for i in range(patients)] + [(f"m{i}", UnitId("medicine")) for i in range(3)]
    due = NOON + timedelta(hours=20)
    state = fold(State(), [*past(), *(announced(name, FRIDAY, due, unit) for name, unit in names)])
    return situation_of(state, learned(), NOON)


def in_surgery(situation: Situation) -> float:
    """People who lie there, or want to, a day ahead: those who wait for its beds are not in it."""
    usual = catalogue()["as_usual"]
    return float(np.mean(run_chunk(situation, [usual], HOW, range(HOW.members))[usual.name][f"census:{SURGERY}"][-1]))


def test_a_list_of_twenty_fills_the_ward_and_a_list_of_nobody_does_not() -> None:
    """The mutant does not read the list: the ward's forecast is the same whatever stands on it."""
    beds = {u.name: u.places for u in learned().hospital.wards}[SURGERY]
    assert beds > 0
    none, six, twenty = (in_surgery(monday(n)) for n in (0, 6, 20))
    assert none + 2 < six < twenty, "ten fill it already"
    unread = [in_surgery(replace(monday(n), announced=())) for n in (0, 20)]
    assert unread[0] == unread[1]
    assert none < unread[0]


def test_a_list_that_came_on_friday_is_heard_on_sunday() -> None:
    """Judged by what was said in the last day alone, the mutant, the unannounced come beside the whole list."""
    [surgery] = [c for c in monday(3).announced if learned().parameters.streams[c.stream].name == f"planned:{SURGERY}"]
    assert learned().announced[PLANNED].told > 50
    assert surgery.unannounced(np.array([19 * 60.0, 21 * 60.0]))[0] < 0.35
    [silent] = [
        c
        for c in situation_of(fold(State(), past()), learned(), NOON).announced
        if learned().parameters.streams[c.stream].name == f"planned:{SURGERY}"
    ]
    assert silent.unannounced(np.array([19 * 60.0, 21 * 60.0]))[0] > 0.5
