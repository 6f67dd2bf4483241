"""An exercise's world: acts move what they say, end by themselves, and the world can be lived again."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ingest.clock import SimulatedClock
from ingest.events import Arrived, BedsCounted, Event, StaffOnDuty, Triaged, UnitId
from ingest.sources.paced import paced
from twin.fabricate import FabricatedHospital, FabricationError, World
from twin.fabricated_acts import Absent, Act, BedsClosed, FewerStaff, Later, MoreBeds, MoreStaff, Surge, Victims
from twin.fabricated_drill import FabricatedDrill

START = datetime(2026, 3, 2, tzinfo=UTC)
NOON = START + timedelta(hours=36)
HURT = Victims(40, 60, {"1": 0.5, "3B": 0.5})


FIRST: dict[int, timedelta] = {}
"""How long after the beginning a drill was first heard of."""


def drilled() -> FabricatedDrill:
    world = World(FabricatedHospital("congested", "small"), START, 11)
    world.run_until(NOON)
    return FabricatedDrill(world)


def played(drill: FabricatedDrill, hours: float, acts: dict[float, Act] | None = None) -> list[Event]:
    """What the feed delivers over some hours, with acts so many hours after the beginning."""
    left, heard = dict(acts or {}), list[Event]()
    over = NOON + timedelta(hours=hours)
    FIRST.pop(id(drill), None)

    def each() -> bool:
        for at in [at for at in left if NOON + timedelta(hours=at) <= drill.now_at]:
            drill.act(left.pop(at))
        return drill.now_at < over

    class Stepping(SimulatedClock):
        def sleep_until(self, instant: datetime, wake: threading.Event | None = None) -> bool:
            self.advance_to(instant)
            return True

    clock = Stepping(NOON)
    for batch in paced(drill, clock, threading.Event(), each):
        FIRST.setdefault(id(drill), drill.now_at - NOON)
        heard += batch
    return heard


def test_the_world_lived_again_is_the_one_that_was() -> None:
    drill = drilled()
    played(drill, 6, {0.5: HURT, 1.01: MoreStaff("doctor", 2, 3), 2: BedsClosed(UnitId("medicine"), 5, 2)})
    again = drill.lived(drill.now_at)
    assert {name: again[name][-1] for name in ("ed_census", "ed_waiting", "ed_boarders")} == drill.count_now()
    other = drill.lived(drill.now_at, without=(0,))
    assert again["arrivals"][-1] - other["arrivals"][-1] >= 30  # the mutant: another world is seen to be another


def test_victims_come_beside_the_usual_patients() -> None:
    heard = played(drill := drilled(), 4, {0.5: HURT})
    assert len(drill.done) == 1
    told = drill.lived(drill.now_at)["arrivals"] - drill.lived(drill.now_at, without=(0,))["arrivals"]
    assert told[-1] == pytest.approx(40, abs=8)  # others' luck moves a little with the crowd
    assert told[1] == 0
    assert sum(isinstance(e, Arrived) and e.complaint == "trauma" and e.mode == "fire_service" for e in heard) >= 40
    assert sum(isinstance(e, Triaged) and e.acuity == "1" for e in heard) >= 12


@pytest.mark.parametrize(
    ("act", "measure", "sign"),
    [
        (Surge(2.5, 6), "arrivals", 1), (Absent("doctor", 0.7, 8), "ed_waiting", 1),
        (Absent("triage_nurse", 0.9, 8), "ed_waiting", 1), (MoreStaff("doctor", 4, 8), "ed_waiting", -1),
        (MoreBeds(None, 30, 8), "ed_boarders", -1),
    ],
)  # fmt: skip
def test_an_act_moves_what_it_says(act: Act, measure: str, sign: int) -> None:
    drill = drilled()
    played(drill, 8, {0.1: Victims(20, 120, {"2": 0.4, "3B": 0.6}), 0.2: act})
    done, undone = (drill.lived(drill.now_at, without=without)[measure] for without in ((), (1,)))
    assert sign * float(np.mean(done - undone)) > 0.2


def test_what_was_done_ends() -> None:
    act: dict[float, Act] = {
        0.1: BedsClosed(UnitId("medicine"), 6, 2), 0.2: MoreStaff("triage_nurse", 3, 1),
        0.3: Later(MoreStaff("doctor", 5, 1), 30),
    }  # fmt: skip
    heard = played(drilled(), 6, act)
    nurses = [e.count for e in heard if isinstance(e, StaffOnDuty) and e.pool == "triage_nurse"]
    doctors = [e.count for e in heard if isinstance(e, StaffOnDuty) and e.pool == "doctor"]
    assert max(nurses) - nurses[-1] >= 2
    assert max(doctors) - doctors[-1] >= 3
    beds = [e.count for e in heard if isinstance(e, BedsCounted) and e.unit == "medicine"]
    assert beds[-1] - min(beds) >= 1


ENDED: tuple[Act, ...] = (
    Surge(2.5, 8), MoreStaff("doctor", 4, 8), MoreStaff("triage_nurse", 3, 8), MoreBeds(None, 30, 8),
    BedsClosed(None, 10, 8), FewerStaff("doctor", 1, 8), FewerStaff("triage_nurse", 1, 8), Absent("doctor", 0.7, 8),
)  # fmt: skip


@pytest.mark.parametrize("act", ENDED, ids=lambda act: type(act).__name__)
def test_an_act_that_is_ended_ends_once(act: Act) -> None:
    drill = drilled()
    played(drill, 1, {0.1: act})
    drill.end([0])
    drill.end([0])
    played(drill, 10)
    again = drill.lived(drill.now_at)
    assert {name: again[name][-1] for name in ("ed_census", "ed_waiting", "ed_boarders")} == drill.count_now()
    house, undone = drill._world._house, drilled()._world._house
    assert house.ends == {}
    assert house.inflow.more == pytest.approx(undone.inflow.more)
    assert (house.doctors.absent, house.emergency.nurses_absent, house.emergency.nurses_more) == ({}, {}, 0)
    assert _beds(drill) == _beds(drilled())


def _beds(drill: FabricatedDrill) -> int:
    return sum(unit.open - unit.to_close for unit in drill._world._house.wards.units.values())


def test_an_act_that_goes_on_is_not_one_that_was_ended() -> None:
    """The mutant: without the end the world is another."""
    ended, whole = drilled(), drilled()
    played(ended, 1, {0.1: Surge(2.5, 8)})
    played(whole, 1, {0.1: Surge(2.5, 8)})
    ended.end([0])
    played(ended, 6)
    played(whole, 6)
    first = ended.lived(ended.now_at)["arrivals"][:4], whole.lived(whole.now_at)["arrivals"][:4]
    assert np.array_equal(*first)
    assert ended.lived(ended.now_at)["arrivals"][-1] < whole.lived(whole.now_at)["arrivals"][-1] - 5


def test_what_was_to_begin_later_is_called_off() -> None:
    drill, never = drilled(), drilled()
    number = drill.act(Later(Surge(3, 6), 60))
    drill.end([number])
    assert [e.event_id for e in played(drill, 4)] == [e.event_id for e in played(never, 4)]
    begun = drilled()
    begun.act(Later(Surge(3, 6), 60))
    assert len(played(begun, 4)) > len(played(drilled(), 4))


def test_fewer_people_are_so_many_fewer_and_one_stays() -> None:
    drill = drilled()
    before = drill._world._house.doctors.count
    drill.act(FewerStaff("doctor", 1, 4))
    assert drill._world._house.doctors.count == before - 1
    drill.act(FewerStaff("doctor", 20, 4))
    assert drill._world._house.doctors.count == 1


def test_a_silent_feed_tells_all_at_its_end() -> None:
    loud, quiet = drilled(), drilled()
    quiet.silence(2)
    said, late = played(loud, 4), played(quiet, 4)
    assert [e.event_id for e in said] == [e.event_id for e in late]
    assert FIRST[id(loud)] < timedelta(minutes=30)  # the mutant: a feed that is not silent is heard before
    assert timedelta(hours=2) <= FIRST[id(quiet)] < timedelta(hours=2, minutes=30)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Victims(0, 60, {"1": 1}), "patients must be 1 to 300, but is 0"),
        (lambda: Victims(3, 60, {"9": 1}), "but names '9'"),  # type: ignore[dict-item]
        (lambda: Absent("cook", 0.5, 2), "pool must be one of doctor, triage_nurse, but is 'cook'"),  # type: ignore[arg-type]
        (lambda: drilled().act(BedsClosed(UnitId("attic"), 3, 2)), "unit must be one of medicine"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(make: object, said: str) -> None:
    with pytest.raises(FabricationError, match=said):
        make()  # type: ignore[operator]
