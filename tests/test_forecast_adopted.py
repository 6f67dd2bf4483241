"""What was adopted is in the forecast until it ends or the feed tells it; what it did is told once that is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from forecast.adopted import WITHOUT, Adopted
from forecast.archive import SCHEMA_SQL
from forecast.calibrated import Recalibration
from forecast.desk import Desk
from forecast.ensemble import Run, applied_to, ensemble
from forecast.issue import Times
from forecast.people import Person
from forecast.placebos import Placebos
from forecast.proposals import Note
from forecast.situation import situation_of
from ingest.clock import SimulatedClock
from ingest.database import SCHEMA_SQL as INGEST_SQL
from ingest.database import Database
from ingest.events import BedsCounted, EventId, StaffOnDuty, UnitId
from tests.histories import LOOKS, NOON, calibration, hospital, scenarios, situation, state
from twin.pathway import TABLES, load_path
from twin.scenarios import Names, Scenario
from twin.state import State, fold

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first

MARY = Person("mary", "Mary", "Mary", frozenset({"proposer", "manager"}))
USUAL, DOCTOR = scenarios("as_usual", "one_more_doctor")
HOW = Run(members=60, horizon_min=720.0, seed=6)
TIMES = Times(NOON, NOON, NOON)
MORE = {"arrivals": [{"factor": 2.0, "until_min": 480}], "capacity": [{"pool": "doctor", "add": 2, "until_min": 480}]}


class Place:
    """A desk with one adopted change."""

    def __init__(self, file: Path, change: dict[str, object]) -> None:
        self.clock = SimulatedClock(NOON)
        names = Names.of([hospital()], [load_path(table, hospital()) for table in TABLES])
        self.database = Database.open(file, schemas=(INGEST_SQL, SCHEMA_SQL))
        self.desk = Desk(self.database, self.clock, names, horizon_min=1440.0, zone=hospital().zone)
        self.name = self.desk.propose(MARY, "twice as many", change, hospital())
        self.desk.decide(MARY, self.name, "adopted", "to see", hospital())
        self.adopted = Adopted(self.desk)

    def carried(self, wall: Sequence[Scenario], of: State, now: datetime) -> tuple[Scenario, ...]:
        return self.adopted.scenarios(wall, of, now, hospital(), 720.0)

    def foresee(self) -> None:
        self.adopted.foresee(
            situation(), state(), HOW, TIMES, USUAL, recalibration=Recalibration(), rivals={}, executor=None
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "desk.duckdb", MORE)


def test_every_scenario_of_the_wall_carries_it_and_one_more_is_without(place: Place) -> None:
    carried = place.carried((USUAL, DOCTOR), state(), NOON)
    assert [one.name for one in carried] == ["as_usual", WITHOUT, "one_more_doctor"]
    assert carried[0].sentence("fr") == USUAL.sentence("fr")
    assert [len(one.change.changes) for one in carried] == [2, 0, 3]
    assert carried[1].sentence("en") == "Without what was adopted: twice as many"
    ran = ensemble(situation(), carried, HOW)
    census = {name: of.measures["ed_arrivals"][-17].mean() for name, of in ran.items()}
    assert census["as_usual"] > 1.5 * census[WITHOUT]
    plain = ensemble(situation(), [USUAL], HOW)["as_usual"].measures["ed_census"]
    assert np.array_equal(ran[WITHOUT].measures["ed_census"], plain), "on the same luck, to the last bit"


def test_after_its_end_nothing_is_carried(place: Place) -> None:
    later = NOON + timedelta(hours=8)
    assert place.carried((USUAL, DOCTOR), state(), later) == (USUAL, DOCTOR)
    half = place.carried((USUAL,), state(), NOON + timedelta(hours=4))[0]
    assert [change.until_min for change in half.change.changes] == [240.0, 240.0]


def told(at_min: float, kind: type[BedsCounted] | type[StaffOnDuty]) -> State:
    at = NOON + timedelta(minutes=at_min)
    place = {"unit": UnitId("medicine")} if kind is BedsCounted else {"pool": "doctor"}
    event = kind(event_id=EventId(f"told/{kind.__name__}"), occurred_at=at, known_at=at, source="t", count=5, **place)
    return fold(state(), [event])


def test_what_the_feed_tells_after_the_decision_is_not_counted_twice(place: Place, tmp_path: Path) -> None:
    """Mutants add the eight beds to those that were counted since, and the two doctors to those told for later."""
    now = NOON + timedelta(hours=1)
    beds = Place(tmp_path / "beds.duckdb", {"capacity": [{"pool": "bed:medicine", "add": 8}]})
    assert beds.carried((USUAL,), told(30, BedsCounted), now) == (USUAL,)
    assert len(beds.carried((USUAL,), told(-30, BedsCounted), now)[0].change.capacity) == 1
    ahead = place.carried((USUAL,), told(180, StaffOnDuty), now)[0]
    assert [change.until_min for change in ahead.change.capacity] == [120.0]
    assert [change.until_min for change in ahead.change.arrivals] == [420.0]


def test_doctors_are_carried_on_though_the_feed_has_counted_some_since(place: Place) -> None:
    """A forecast takes doctors from the roster, which does not know of the two: to drop them would lose them."""
    now = NOON + timedelta(hours=1)
    carried = place.carried((USUAL,), told(30, StaffOnDuty), now)[0]
    assert [change.until_min for change in carried.change.capacity] == [420.0]
    counted, plain = (
        applied_to(situation_of(of, calibration(), now), None, HOW).capacity["doctor"]
        for of in (told(30, StaffOnDuty), state())
    )
    assert counted == plain


def test_it_is_foreseen_once_over_its_window_and_measured_when_the_truth_is_settled(place: Place) -> None:
    place.foresee()
    place.foresee()
    assert [row["what"] for row in place.desk.exported()] == ["proposed", "adopted", "promised"]
    promise = place.desk.proposals[place.name].promise
    assert promise is not None
    assert promise["window_min"] == 480.0
    assert promise["came"] is None, "the change moves arrivals itself"
    said = promise["measures"]["ed_census"]
    assert len(said["without"]) == len(said["with"]) == HOW.members
    assert np.mean(said["with"]) > np.mean(said["without"]) + 3
    place.adopted.measure(state(LOOKS[-3]), calibration(), NOON + timedelta(hours=49))
    assert place.desk.proposals[place.name].state == "adopted", "its exits are not told yet"
    place.clock.advance_to(LOOKS[-1])
    place.adopted.measure(state(LOOKS[-1]), calibration(), LOOKS[-1])
    done = place.desk.proposals[place.name]
    assert done.state == "measured"
    [census, *_] = done.effects
    low, _, high = census.effect
    assert low < 0 < high, "nobody did anything in this history: chance explains what came"
    assert census.foreseen[1] > 3
    assert not census.as_foreseen
    place.adopted.measure(state(LOOKS[-1]), calibration(), LOOKS[-1])
    assert sum(row["what"] == "measured" for row in place.desk.exported()) == 1


def test_two_that_hold_at_once_are_each_foreseen_beside_the_other(tmp_path: Path) -> None:
    both = Place(tmp_path / "desk.duckdb", MORE)
    second = both.desk.propose(MARY, "a doctor", {"capacity": [{"pool": "doctor", "add": 1}]}, hospital())
    both.desk.decide(MARY, second, "adopted", "too", hospital(), until=NOON + timedelta(hours=2))
    both.foresee()
    first, other = (both.desk.proposals[name].promise for name in (both.name, second))
    assert first is not None
    assert other is not None
    assert other["window_min"] == 120.0, "it is carried for two hours"
    assert other["came"] is not None
    assert np.mean(other["measures"]["ed_census"]["without"]) > 0
    alone = Place(tmp_path / "alone.duckdb", {"capacity": [{"pool": "doctor", "add": 1, "until_min": 120}]})
    alone.foresee()
    promise = alone.desk.proposals[alone.name].promise
    assert promise is not None
    assert np.mean(other["came"]) > 1.5 * np.mean(promise["came"]), "with the other change, twice as many come"


def test_windows_without_a_change_are_kept_a_few_times_a_day_settled_and_taught(tmp_path: Path) -> None:
    place = Place(tmp_path / "desk.duckdb", MORE)
    placebos = Placebos(place.database)
    adopted = Adopted(place.desk, placebos)
    usual = ensemble(situation(), [USUAL], HOW)["as_usual"]
    for minutes in (0, 10, 350, 360, 370):
        adopted.watch(usual, NOON + timedelta(minutes=minutes))
    assert [one.as_of for one in placebos.pending()] == [NOON, NOON + timedelta(hours=6)]
    assert placebos.habits() == {}
    adopted.measure(state(LOOKS[-2]), calibration(), LOOKS[-2])
    assert [one.as_of for one in placebos.pending()] == [NOON + timedelta(hours=6)], "its truth is not settled yet"
    found = placebos.habits()
    assert set(found) == {"ed_census", "ed_waiting", "ed_boarders"}
    assert all(one.windows == 1 and 0.5 < one.scale < 2.0 for one in found.values())


def test_a_decision_that_cannot_be_carried_any_more_is_left_out_and_does_not_stop_the_forecasts(tmp_path: Path) -> None:
    """By day two doctors fewer are possible; at night nobody would be left. The mutant lets the cycle fail."""
    fewer = {"capacity": [{"pool": "profession:doctor", "add": -6, "until_min": 4000}]}
    place = Place(tmp_path / "desk.duckdb", MORE)
    name = place.desk.propose(MARY, "fewer", {"arrivals": [{"factor": 0.9}]}, hospital())
    place.desk.decide(MARY, name, "adopted", "try", hospital())
    place.desk._keep(Note(NOON, "proposal-9", "proposed", "mary", "none", {"change": fewer, "signed": False}))
    place.desk._keep(Note(NOON, "proposal-9", "adopted", "mary", "x", {"until": None, "change": fewer}))
    carried = place.carried((USUAL, DOCTOR), state(), NOON)
    assert [len(one.change.changes) for one in carried] == [3, 0, 4]
    assert list(place.adopted.faults) == ["proposal-9"]
    assert "leaves no doctor at all" in place.adopted.faults["proposal-9"]
