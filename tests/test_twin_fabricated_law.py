"""The parts of the fabricated hospital's law: chance, the inflow alone, the timeline."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from ingest.events import Arrived
from twin.fabricated_chance import Dice, gamma_of_normal
from twin.fabricated_facts import ACUITIES, DAY_MIN, EPIDEMIC_EVERY_DAYS, Delay
from twin.fabricated_hospital import UNITS, FabricatedHospital, plant_of
from twin.fabricated_patients import Epidemics, Inflow, Visit, is_off_day
from twin.fabricated_timeline import Timeline

SEASON_DAYS = 180


def dice(seed: int = 1) -> Dice:
    return Dice(np.random.SeedSequence(seed))


# --- chance


def test_the_rest_of_a_delay_is_distributed_as_the_delays_that_lasted_as_long() -> None:
    delay, elapsed = Delay(60.0, 0.5), 80.0
    drawn = np.array([dice_.lognormal(*delay) for dice_ in [dice()] for _ in range(60_000)])
    lasted = drawn[drawn > elapsed] - elapsed
    die = dice(2)
    rest = np.array([die.lognormal_rest(*delay, elapsed) for _ in range(len(lasted))])
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(rest, share) == pytest.approx(np.quantile(lasted, share), rel=0.06)
    memoryless_mistake = drawn[: len(lasted)]
    assert np.quantile(memoryless_mistake, 0.5) != pytest.approx(np.quantile(lasted, 0.5), rel=0.06)


def test_the_rest_of_a_delay_far_in_its_tail_is_finite_and_not_negative() -> None:
    die = dice()
    rests = [die.lognormal_rest(10.0, 0.3, elapsed) for elapsed in (0.0, 1e-9, 100.0, 1e6) for _ in range(50)]
    assert all(0.0 <= rest < 1e3 for rest in rests)


def test_the_gamma_level_has_mean_one_and_its_variation() -> None:
    die = dice()
    levels = np.array([gamma_of_normal(die.normal(), 0.08) for _ in range(40_000)])
    assert levels.mean() == pytest.approx(1.0, abs=0.003)
    assert levels.std() == pytest.approx(0.08, rel=0.03)


def test_choices_come_in_their_shares() -> None:
    die = dice()
    counted = Counter(die.choice({"a": 3.0, "b": 1.0}) for _ in range(8_000))
    assert counted["a"] / 8_000 == pytest.approx(0.75, abs=0.02)


# --- the inflow alone


class Door:
    """Arrivals without a hospital behind them."""

    def __init__(self, seed: int) -> None:
        self.timeline = Timeline(datetime(2025, 1, 6, tzinfo=UTC), "UTC")
        self.epidemics = Epidemics(dice(seed), 4)
        self.visits: list[tuple[float, Visit, str]] = []
        self.inflow = Inflow(self.timeline, dice(seed + 100), dice(seed + 200), self.epidemics, 220.0, self.arrive)
        self.timeline.read_wall_clock()
        self.hour()

    def arrive(self, visit: Visit) -> None:
        self.visits.append((self.timeline.now, visit, self.inflow.acuity_of(visit)))

    def hour(self, _: object = None) -> None:
        if self.timeline.read_wall_clock():
            self.inflow.new_day()
        self.inflow.next_group()
        self.timeline.at(self.timeline.hour_ends, self.hour)


@cache
def door() -> Door:
    door = Door(1)
    door.timeline.run_until(SEASON_DAYS * DAY_MIN)
    return door


def daily() -> np.ndarray:
    return np.bincount([int(at // DAY_MIN) for at, _, _ in door().visits], minlength=SEASON_DAYS)[:SEASON_DAYS]


def heights() -> np.ndarray:
    return np.array([door().epidemics.now((day + 0.5) * DAY_MIN)[0] for day in range(SEASON_DAYS)])


def test_days_vary_by_8_to_10_percent_beyond_poisson_and_remember_a_little() -> None:
    calm = daily()[heights() == 0]
    beyond_poisson_cv = np.sqrt(calm.var() / calm.mean() ** 2 - 1 / calm.mean())
    assert 0.075 <= beyond_poisson_cv <= 0.115
    weekday = np.arange(SEASON_DAYS) % 7
    level = daily() / np.array([daily()[weekday == day].mean() for day in range(7)])[weekday]
    assert 0.05 < np.corrcoef(level[:-1], level[1:])[0, 1] < 0.6


def test_mondays_are_eleven_percent_higher() -> None:
    weekday = np.arange(SEASON_DAYS) % 7
    ratio = daily()[weekday == 0].mean() / daily()[weekday != 0].mean()
    assert 1.05 <= ratio <= 1.17


def test_each_block_of_days_has_an_epidemic_with_more_and_older_patients() -> None:
    height, blocks = heights(), SEASON_DAYS // EPIDEMIC_EVERY_DAYS
    full = height == 1
    assert all(
        full[block * EPIDEMIC_EVERY_DAYS : (block + 1) * EPIDEMIC_EVERY_DAYS].sum() >= 6 for block in range(blocks)
    )
    assert 1.10 <= daily()[full].mean() / daily()[height == 0].mean() <= 1.30
    old = {True: [0, 0], False: [0, 0]}
    for at, visit, _ in door().visits:
        counts = old[bool(height[min(int(at // DAY_MIN), SEASON_DAYS - 1)] == 1)]
        counts[0] += visit.age_band == "75+"
        counts[1] += 1
    assert old[True][0] / old[True][1] > 1.15 * old[False][0] / old[False][1]


def test_patients_are_mixed_as_published() -> None:
    visits = door().visits
    share = {
        name: Counter(getattr(visit, name) for _, visit, _ in visits) for name in ("age_band", "mode", "complaint")
    }
    part = {name: {key: n / len(visits) for key, n in counted.items()} for name, counted in share.items()}
    assert part["age_band"]["75+"] == pytest.approx(0.15, abs=0.02)
    assert part["mode"]["own_means"] == pytest.approx(0.73, abs=0.03)
    assert part["mode"]["ambulance"] == pytest.approx(0.165, abs=0.02)
    assert part["complaint"]["trauma"] == pytest.approx(0.29, abs=0.03)
    acuities = Counter(acuity for _, _, acuity in visits)
    shares = [acuities[acuity] / len(visits) for acuity in ACUITIES]
    assert shares == pytest.approx([0.01, 0.08, 0.15, 0.30, 0.33, 0.13], abs=0.03)


def test_the_old_are_more_urgent_and_come_by_ambulance() -> None:
    def urgent(band: str) -> float:
        chosen = [acuity for _, visit, acuity in door().visits if visit.age_band == band]
        return sum(acuity in ("1", "2", "3A") for acuity in chosen) / len(chosen)

    assert urgent("75+") > 1.7 * urgent("18-74") > 1.7 * urgent("0-17")


def test_some_arrive_together() -> None:
    times = [at for at, _, _ in door().visits]
    together = sum(before == after for before, after in pairwise(times)) / len(times)
    assert 0.03 < together < 0.09


# --- timeline and plant


def test_things_happen_in_order_and_equal_times_in_the_order_in_which_they_were_planned() -> None:
    timeline = Timeline(datetime(2025, 1, 6, tzinfo=UTC), "UTC")
    told: list[str] = []
    for minute, name in ((5.0, "c"), (1.0, "a"), (1.0, "b"), (9.0, "later")):
        timeline.at(minute, told.append, name)
    timeline.run_until(5.0)
    assert told == ["a", "b", "c"]
    assert timeline.now == 5.0


def test_a_redrawn_timeline_moves_delays_and_leaves_fixed_times() -> None:
    timeline = Timeline(datetime(2025, 1, 6, tzinfo=UTC), "UTC")
    told: list[str] = []
    timeline.at(30.0, told.append, "fixed")
    timeline.after(Delay(1e-3, 0.1), told.append, "soon", dice())
    timeline.now = 20.0
    timeline.redraw(dice(2))
    timeline.run_until(30.0)
    assert told == ["soon", "fixed"]


def test_facts_are_noted_only_where_somebody_reads_them() -> None:
    timeline = Timeline(datetime(2025, 1, 6, tzinfo=UTC), "UTC")
    timeline.note(Arrived, 1)
    timeline.facts, noted = None, timeline.facts
    timeline.note(Arrived, 2)
    assert noted is not None
    assert [fact.key for fact in noted] == [1]


def test_a_holiday_is_an_off_day() -> None:
    timeline = Timeline(datetime(2025, 7, 14, tzinfo=UTC), "UTC")
    timeline.read_wall_clock()
    assert timeline.weekday == 0
    assert is_off_day(timeline)


def test_a_congested_hospital_has_fewer_beds_and_doctors_and_a_large_one_more() -> None:
    def size(kind: str, size: str) -> tuple[int, int]:
        plant = plant_of(FabricatedHospital(kind, size))  # type: ignore[arg-type]
        return sum(plant.beds[unit] for unit in UNITS), sum(s.hours * s.people for s in plant.doctor_shifts)

    for name in ("small", "medium", "large"):
        assert size("congested", name) < size("roomy", name)
    assert size("roomy", "small") < size("roomy", "medium") < size("roomy", "large")
