"""Members: the same however they are run, paired by luck, beginning at the present."""

from __future__ import annotations

import gc
import resource
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from forecast import ensemble as module
from forecast.ensemble import Run, applied_to, at_leads, drawn, ensemble, run_chunk, run_drawn
from forecast.situation import Gone
from forecast.values import Members, unpacked
from forecast.workers import Workers
from tests.histories import calibration, fingerprint, scenarios, situation
from tests.test_twin_present_draw import counts
from twin import kernel
from twin.hospital import BED
from twin.kernel_tables import Room
from twin.present_draw import draw_present

HOW = Run(members=12, horizon_min=360.0, seed=7)
USUAL, BUSY, SHORT = scenarios("as_usual", "arrivals_up_20", "ten_beds_closed")


@cache
def whole() -> dict[str, Members]:
    return ensemble(situation(), [USUAL, BUSY, SHORT], HOW)


def test_leads_run_from_now_to_the_horizon() -> None:
    assert HOW.lead_min.tolist() == [15.0 * i for i in range(25)]
    assert whole()["as_usual"].measures["ed_census"].shape == (25, 12)
    assert whole()["as_usual"].count == 12


# --- the same however they are run


@pytest.mark.parametrize("chunk", [1, 5, 100])
def test_the_size_of_chunks_changes_no_bit(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", chunk)
    assert fingerprint(ensemble(situation(), [USUAL, BUSY, SHORT], HOW)) == fingerprint(whole())


def test_processes_and_threads_change_no_bit() -> None:
    workers = Workers(1)
    try:
        assert fingerprint(ensemble(situation(), [USUAL, BUSY, SHORT], HOW, executor=workers)) == fingerprint(whole())
    finally:
        workers.shutdown()
    with ThreadPoolExecutor(2) as threads:
        assert fingerprint(ensemble(situation(), [USUAL, BUSY, SHORT], HOW, executor=threads)) == fingerprint(whole())


def test_a_member_is_the_same_alone_and_whatever_scenarios_run_beside_it() -> None:
    alone = run_chunk(situation(), [USUAL], HOW, range(4, 5))["as_usual"]
    for name, values in alone.items():
        np.testing.assert_array_equal(values[:, 0], whole()["as_usual"].measures[name][:, 4])


def test_how_many_victims_luck_is_drawn_for_changes_no_bit() -> None:
    members, settings = range(4), {"as_usual": applied_to(situation(), USUAL, HOW)}
    few, many = (
        run_drawn(situation(), settings, HOW, members, *drawn(situation(), HOW, members, reserve=reserve))["as_usual"]
        for reserve in (0, 100)
    )
    assert few.keys() == many.keys()
    assert all(np.array_equal(few[name], many[name], equal_nan=True) for name in few)


def test_another_seed_gives_other_members() -> None:
    other = run_chunk(situation(), [USUAL], replace(HOW, seed=8), range(1))["as_usual"]["ed_census"]
    assert not np.array_equal(other[:, 0], whole()["as_usual"].measures["ed_census"][:, 0])


def test_progress_counts_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 10)
    told: list[tuple[int, int]] = []
    ensemble(situation(), [USUAL], replace(HOW, horizon_min=15.0), progress=lambda done, of: told.append((done, of)))
    assert told == [(10, 12), (12, 12)]


# --- paired by luck


def processor_s(work: Callable[[], object]) -> float:
    """The least of some turns, so that others on the machine count little."""
    turns = []
    for _ in range(4):
        began = resource.getrusage(resource.RUSAGE_SELF)
        work()
        ended = resource.getrusage(resource.RUSAGE_SELF)
        turns.append(ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime)
    return min(turns)


@pytest.mark.timeout(400)  # the engine may have to be compiled first
def test_members_drawn_together_cost_much_less_than_one_by_one_and_compiled_much_less_than_by_law() -> None:
    """Ratios of one run on one machine, where five and eleven times as much are usual."""
    kernel.warm()
    together, alone = range(20), [range(m, m + 1) for m in range(20)]
    usual, by_law = [USUAL, BUSY, SHORT], replace(HOW, engine="simpy")
    whole_s = processor_s(lambda: run_chunk(situation(), usual, HOW, together))
    assert processor_s(lambda: [run_chunk(situation(), usual, HOW, one) for one in alone]) > 2 * whole_s
    assert processor_s(lambda: run_chunk(situation(), usual, by_law, together)) > 4 * whole_s


@pytest.mark.timeout(400)  # the engine may have to be compiled first
def test_a_chunk_leaves_nothing_behind_that_only_a_search_for_garbage_would_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Some 20 MB each: a room that holds the runs that hold it, the mutant, is still there."""
    kernel.warm()
    made: list[weakref.ref[Room]] = []

    class Watched(Room):
        def __init__(self) -> None:
            super().__init__()
            made.append(weakref.ref(self))

    monkeypatch.setattr(module, "Room", Watched)
    gc.collect()
    gc.disable()
    try:
        run_chunk(situation(), [USUAL, BUSY], HOW, range(2))
        assert [room() for room in made] == [None]
        room = Watched()
        room.holder = [room]
        del room
        assert made[1]() is not None
    finally:
        gc.enable()


def test_as_usual_twice_differs_by_nothing() -> None:
    again = ensemble(situation(), [USUAL, replace(USUAL, name="again")], HOW)
    assert fingerprint(again["as_usual"].measures) == fingerprint(again["again"].measures)


def test_more_arrivals_are_never_fewer_in_any_member() -> None:
    extra = whole()["arrivals_up_20"].measures["ed_arrivals"] - whole()["as_usual"].measures["ed_arrivals"]
    assert (extra >= 0).all()
    assert extra.sum() > 0


def test_unpaired_luck_is_caught() -> None:
    other = run_chunk(situation(), [BUSY], replace(HOW, seed=8), range(12))["arrivals_up_20"]["ed_arrivals"]
    assert (other - whole()["as_usual"].measures["ed_arrivals"] < 0).any()


def test_closed_beds_are_not_free() -> None:
    setting = applied_to(situation(), SHORT, HOW)
    usual = applied_to(situation(), USUAL, HOW)
    fewer = [pool for pool in usual.capacity if setting.capacity[pool] != usual.capacity[pool]]
    assert fewer
    assert all(pool.startswith(BED) for pool in fewer)
    [ward] = [pool.removeprefix(BED) for pool in fewer]
    now = [whole()[name].measures[f"beds_free:{ward}"][0] for name in ("as_usual", "ten_beds_closed")]
    np.testing.assert_array_equal(now[0] - now[1], np.full(12, 10.0))


# --- beginning at the present


def test_lead_0_is_the_present_as_drawn() -> None:
    for member in range(3):
        present = draw_present(situation().known, calibration(), seed=7, member=member)
        for name in whole():
            measured = whole()[name].measures
            assert counts(present) == tuple(
                int(measured[m][0, member]) for m in ("ed_census", "ed_waiting", "ed_boarders")
            )


def test_what_happened_in_the_last_hour_counts_in_the_first() -> None:
    before = Gone(np.array([-50.0, -10.0]), np.array([-20.0]), np.array([-20.0]))
    with_gone, without = (
        run_chunk(replace(situation(), gone=gone), [USUAL], HOW, range(3))["as_usual"]
        for gone in (before, Gone(np.empty(0), np.empty(0), np.empty(0)))
    )
    more = {name: (with_gone[name] - without[name])[:6, 0].tolist() for name in with_gone if "census" not in name}
    assert more["ed_arrivals"] == [2.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    assert more["ed_departures"] == more["admissions"] == [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]


def test_nobody_is_lost() -> None:
    m = whole()["as_usual"].measures
    hourly = np.arange(4, 25, 4)
    came, left = m["ed_arrivals"][hourly].sum(axis=0), m["ed_departures"][hourly].sum(axis=0)
    np.testing.assert_array_equal(m["ed_census"][24], m["ed_census"][0] + came - left)


def test_capacity_at_a_lead_is_that_of_its_step() -> None:
    leads = np.array([0.0, 15.0, 30.0, 60.0])
    assert at_leads(((0.0, 3), (30.0, 5)), leads).tolist() == [3.0, 3.0, 5.0, 5.0]


def test_beds_held_back_are_free_on_the_wall_though_nobody_gets_them() -> None:
    """Taken off the beds that are counted, the mutant, fewer would be free than the ward's screen says."""
    here = situation()
    ward = next(u for u in here.calibration.hospital.wards if u.name in here.calibration.beds_known)
    kept = here.calibration.hospital.with_held_back({ward.name: ward.held_back + 2})
    fewer = replace(here, calibration=replace(here.calibration, hospital=kept))
    free = [
        run_chunk(of, [USUAL], HOW, range(2))["as_usual"][f"beds_free:{ward.name}"][0] for of in (here, fewer)
    ]  # fmt: skip
    assert free[0].tolist() == free[1].tolist()
    pools = [applied_to(of, USUAL, HOW).capacity[f"{BED}{ward.name}"] for of in (here, fewer)]
    assert pools[1][0][1] == pools[0][0][1] - 2


def test_what_is_sent_by_another_process_loses_nothing() -> None:
    ran = run_chunk(situation(), [USUAL], HOW, range(4))["as_usual"]
    sent = module.sent_chunk(situation(), [USUAL], HOW, range(4))["as_usual"]
    assert sent["ed_census"].dtype == np.int16
    for measure, values in ran.items():
        np.testing.assert_array_equal(unpacked(sent[measure]), values)
