"""Durations, shares and wards wanted, from a hand-made sample."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from twin.durations import Duration, exponential
from twin.learned_durations import Cells
from twin.learned_path import SHARE_PRIOR, Learned, Sample, learn_milestones, learn_stay
from twin.story import DESTINATIONS, Index, Visits

HOME, WARD, TRANSFER, DIED, LWBS, LEFT = (
    DESTINATIONS.index(d) for d in ("home", "ward", "transfer", "died", "left_without_being_seen", "left_during_care")
)
N = 600
UNITS = 3
NAN = np.full(N, np.nan)


def sample(to: Index, wanted: Index | None = None) -> Sample:
    """N visits, 100 minutes apart: triage after 5, contact after 30, decision after 120, exit after 200 (home 150)."""
    arrived = np.arange(N).astype(np.float64) * 100.0
    left = to == LWBS
    seen = np.where(left, np.nan, arrived + 30.0)
    decided = np.where(to == WARD, arrived + 120.0, np.nan)
    departed = arrived + np.where(to == WARD, 200.0, np.where(left, 60.0, 150.0))
    none, empty = np.empty(0, dtype=np.int64), np.empty(0)
    visits = Visits(
        arrived, arrived + 5.0, seen, decided, departed, to, np.zeros(N, dtype=np.int64), none, none, empty, empty
    )
    zeros = np.zeros(N, dtype=np.int64)
    discharged = np.where(to == HOME, arrived + 140.0, np.nan)
    entered = np.where(to == WARD, 1, -1) if wanted is None else wanted
    return Sample(visits, discharged, entered, entered,
                  Cells(zeros, zeros, zeros, (1, 1, 1)), lambda at: np.zeros(at.size, dtype=np.int64),
                  np.ones(N, dtype=bool), departed)  # fmt: skip


def mixed(**shares: int) -> npt.NDArray[np.int64]:
    """Destinations, so many of each in a hundred; the rest go home."""
    codes = {"ward": WARD, "transfer": TRANSFER, "died": DIED, "lwbs": LWBS, "left": LEFT}
    hundred = [codes[name] for name, n in shares.items() for _ in range(n)]
    among = np.random.default_rng(1).permutation(100)  # so that days resemble one another
    return np.tile(np.array(hundred + [HOME] * (100 - len(hundred)), dtype=np.int64)[among], N // 100)


def median(duration: Duration) -> float:
    zero = np.zeros(1, dtype=np.int64)
    return float(duration.at(np.array([0.5]), zero, zero)[0, 0])


def of(made: Sample, *, doctors: bool = False, beds: bool = False) -> Learned:
    free = np.ones(N)
    return learn_milestones(made, UNITS, doctors=doctors, beds=np.array([False, beds, beds]), free_beds=free, slot=None)


TO = mixed(ward=30, transfer=4, died=2, lwbs=10, left=6)


def test_each_duration_runs_between_its_milestones() -> None:
    found = {name: median(d) for name, d in of(sample(TO)).durations.items()}
    assert found == pytest.approx({
        "to_triage": 5.0, "to_contact": 25.0, "to_leaving": 55.0, "patience": 1e7, "doctor_slot": 0.0,
        "care_home": 110.0, "care_admit": 90.0, "to_exit": 10.0, "bed_search": 80.0,
        "to_elsewhere": 0.0,
    }, rel=0.005)  # fmt: skip


def test_shares_are_those_of_the_sample() -> None:
    shares = {name: float(p[0, 0]) for name, p in of(sample(TO)).shares.items()}
    after = 1 - 0.30 - 0.10
    assert shares == pytest.approx(
        {
            "p_lwbs": 0.10,
            "p_admit": 0.30 / 0.90,
            "p_elsewhere": 0.0,
            "p_transfer": 0.04 / after,
            "p_died": 0.02 / after,
            "p_left": 0.06 / after,
        }
    )


def test_where_doctors_are_known_the_wait_is_a_queue_and_leaving_is_patience() -> None:
    found = of(sample(TO), doctors=True)
    assert median(found.durations["to_contact"]) == 0.0
    assert (found.shares["p_lwbs"] == 0).all()
    waited = 0.9 * N * 25.0 + 0.1 * N * 55.0
    mean = float(found.durations["patience"].mean_min()[0, 0, 0])
    assert mean == pytest.approx(waited / (0.1 * N), rel=0.01)


def test_the_search_for_a_bed_is_that_of_those_who_found_one_free() -> None:
    made = sample(TO)
    boarding = np.where(np.arange(N) % 2 == 0, 20.0, 300.0)
    visits = replace(
        made.visits, departed_min=np.where(TO == WARD, made.visits.decided_min + boarding, made.visits.departed_min)
    )
    made = replace(made, visits=visits, left_min=visits.departed_min)
    free = np.where(np.arange(N) % 2 == 0, 1.0, 0.0)
    beds = np.array([False, True, True])
    queued = learn_milestones(made, UNITS, doctors=False, beds=beds, free_beds=free, slot=None)
    delayed = learn_milestones(made, UNITS, doctors=False, beds=~np.ones(3, dtype=bool), free_beds=free, slot=None)
    assert median(queued.durations["bed_search"]) == pytest.approx(20.0)
    assert float(delayed.durations["bed_search"].mean_min()[0, 0, 0]) > 140.0
    few = learn_milestones(made, UNITS, doctors=False, beds=beds, free_beds=np.zeros(N), slot=None)
    assert median(few.durations["bed_search"]) == pytest.approx(20.0)  # the quickest quarter


def test_who_is_admitted_and_transferred_is_no_boarder_who_finds_a_bed() -> None:
    """One in four of the admitted leaves for another hospital, 300 minutes after the decision."""
    made = sample(mixed(ward=30, transfer=10))
    to = made.visits.to
    decided = np.where(to == HOME, np.nan, made.visits.arrived_min + 120.0)
    departed = np.where(to == TRANSFER, decided + 300.0, made.visits.departed_min)
    visits = replace(made.visits, decided_min=decided, departed_min=departed)
    found = of(replace(made, visits=visits, left_min=departed))
    assert found.shares["p_elsewhere"][0, 0] == pytest.approx(0.25, abs=0.01)
    assert found.shares["p_transfer"][0, 0] == 0.0
    assert median(found.durations["to_elsewhere"]) == pytest.approx(300.0)
    assert median(found.durations["bed_search"]) == pytest.approx(80.0)


def test_patience_wears_out_as_it_does_in_the_log() -> None:
    """Nobody leaves in the first two hours, then half do in each: one hazard for all the wait would be the mutant."""
    chance = np.random.default_rng(4)
    gives_up, seen_after = 120.0 + chance.exponential(60 / np.log(2), N), chance.uniform(0, 600.0, N)
    left = gives_up < seen_after
    made = sample(np.where(left, LWBS, HOME))
    ready = made.visits.arrived_min + 5.0
    seen = np.where(left, np.nan, ready + seen_after)
    departed = np.where(left, ready + gives_up, ready + seen_after + 50.0)
    made = replace(made, visits=replace(made.visits, seen_min=seen, departed_min=departed), left_min=departed)
    patience = of(made, doctors=True).durations["patience"]
    zero = np.zeros(2, dtype=np.int64)
    stays = patience.survival(np.array([115.0, 240.0]), zero, zero)
    assert stays[0] > 0.95
    assert stays[1] == pytest.approx(0.25, abs=0.06)
    alone = exponential(float(patience.mean_min()[0, 0, 0])).survival(np.array([115.0]), zero[:1], zero[:1])
    assert alone[0] < 0.7


def test_exits_that_were_never_told_do_not_say_how_long_it_takes_to_go() -> None:
    """One in two who went home was completed with a departure two hours after the decision; to learn from these is the
    mutant."""
    made = sample(TO)
    untold = (made.visits.to == HOME) & (np.arange(N) % 2 == 0)
    departed = np.where(untold, made.discharged_min + 120.0, made.visits.departed_min)
    told = replace(
        made, visits=replace(made.visits, departed_min=departed), left_min=np.where(untold, np.nan, departed)
    )
    believed = replace(told, left_min=departed)
    to_exit, mutants = (float(of(x).durations["to_exit"].mean_min()[0, 0, 0]) for x in (told, believed))
    assert to_exit == pytest.approx(10.0, rel=0.01)
    assert mutants > 50.0
    of_stay, mutant = (learn_stay(x, UNITS, wards_followed=True).durations["stay_home"] for x in (told, believed))
    assert float(of_stay.mean_min()[0, 0, 0]) == pytest.approx(150.0, rel=0.01)
    assert float(mutant.mean_min()[0, 0, 0]) > 190.0


def test_a_short_log_has_a_length_of_stay_for_each_destination() -> None:
    found = learn_stay(sample(TO), UNITS, wards_followed=True)
    assert {name: median(d) for name, d in found.durations.items()} == pytest.approx(
        {"stay_home": 150.0, "stay_ward": 200.0, "stay_other": 150.0, "stay_lwbs": 60.0}
    )
    shares = {name: float(p[0, 0]) for name, p in found.shares.items()}
    assert shares == pytest.approx(
        {"p_ward": 0.30, "p_other": 0.06, "p_lwbs": 0.10, "p_died": 1 / 3, "p_ward_followed": 1.0}
    )
    assert (learn_stay(sample(TO), UNITS, wards_followed=False).shares["p_ward_followed"] == 0).all()


def test_a_destination_that_nobody_had_lasts_as_long_as_any() -> None:
    found = learn_stay(sample(mixed(ward=30)), UNITS, wards_followed=True)
    assert median(found.durations["stay_other"]) == pytest.approx(150.0, rel=0.01)


def test_wards_wanted_are_those_of_the_admitted() -> None:
    wanted = np.where(TO == WARD, np.where(np.arange(N) % 4 == 0, 2, 1), -1)
    table = of(sample(TO, wanted)).wanted["ward"]
    share = float((wanted == 2).sum() / (wanted > 0).sum())
    assert table[0] == pytest.approx([0.0, 1 - share, share], abs=1e-6)


def test_a_small_cell_is_drawn_towards_its_class_and_that_towards_all() -> None:
    made = sample(TO)
    cls = np.zeros(N, dtype=np.int64)
    cls[:10] = 1
    chosen = np.zeros(N, dtype=bool)
    chosen[:10] = True
    share = replace(made, cells=replace(made.cells, cls=cls, shape=(2, 1, 1))).share(chosen)
    parent = (10 + SHARE_PRIOR * 10 / N) / (10 + SHARE_PRIOR)
    assert share[1, 0] == pytest.approx((10 + SHARE_PRIOR * parent) / (10 + SHARE_PRIOR))
    assert share[0, 0] < 10 / N
