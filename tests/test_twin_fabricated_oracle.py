"""The oracle: the fabricated hospital run on from its true state, with other luck, not knowing what is to come."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from ingest.events import LeftWard
from twin.fabricate import FabricatedHospital, Snapshot, World, oracle
from twin.fabricated_house import House
from twin.fabricated_timeline import Timeline

START = datetime(2025, 1, 6, tzinfo=ZoneInfo("Europe/Paris"))
SMALL = FabricatedHospital("congested", "small")


@cache
def world_at_noon() -> World:
    world = World(SMALL, START, 1)
    world.run_until(START + timedelta(days=2, hours=12))
    return world


def test_the_oracle_is_determined_by_its_seed_and_leaves_the_world_as_it_was() -> None:
    before = world_at_noon().count_now()
    one, same, other = (oracle(world_at_noon(), members=5, hours=3, seed=seed) for seed in (1, 1, 2))
    assert set(one) == {"ed_census", "ed_waiting", "ed_boarders"}
    assert all(np.array_equal(one[name], same[name]) for name in one)
    assert not np.array_equal(one["ed_census"], other["ed_census"])
    assert one["ed_census"].shape == (12, 5)
    assert world_at_noon().count_now() == before


def test_the_oracles_spread_grows_with_the_lead() -> None:
    spread = oracle(world_at_noon(), members=40, hours=6, seed=1)["ed_census"].std(axis=1)
    assert 0 < spread[0] < spread[3] < spread[-1]


def ward_exits(snapshot: Snapshot, luck: int) -> set[tuple[int | str, float]]:
    """(visit, minute) of those who leave a ward in the next three hours: all were told so at the morning round."""
    house = House.resume(snapshot, np.random.SeedSequence(luck))
    house.take_facts()
    house.run_until(snapshot.minute + 180.0)
    return {(fact.key, fact.at_min) for fact in house.take_facts() if fact.kind is LeftWard}


def test_the_oracle_does_not_know_when_what_has_begun_will_end(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = world_at_noon().snapshot()
    assert ward_exits(snapshot, 1)
    assert not ward_exits(snapshot, 1) & ward_exits(snapshot, 2)
    monkeypatch.setattr(Timeline, "redraw", lambda self, dice: None)
    assert ward_exits(snapshot, 1) & ward_exits(snapshot, 2)


def test_what_comes_is_one_more_draw_of_the_oracle() -> None:
    hospital = FabricatedHospital("roomy", "small")
    world, inside, pit = World(hospital, START, 3), 0, []
    for issue in range(20):
        world.run_until(START + timedelta(hours=9 * (issue + 1)))
        members = oracle(world, members=19, hours=3, seed=issue, step_min=180)["ed_census"][0]
        world.run_until(START + timedelta(hours=9 * (issue + 1) + 3))
        came = world.count_now()["ed_census"]
        pit.append((members < came).mean() + 0.5 * (members == came).mean())
        inside += np.quantile(members, 0.1) <= came <= np.quantile(members, 0.9)
    assert 12 <= inside <= 20  # 16 expected, and a little more as the bounds belong to the interval
    assert 0.33 < float(np.mean(pit)) < 0.67
