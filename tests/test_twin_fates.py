"""One fate for several demands: each demand's share of it is the fate that it would have alone."""

from __future__ import annotations

import weakref
from dataclasses import replace

import numpy as np
import pytest

from ingest.unswept import unswept
from tests.random_hospitals import freed_by_stop, random_case
from twin import fates
from twin.demand import Crisis, Demand
from twin.durations import exponential
from twin.errors import ScenarioError
from twin.fate import Fate, Fates, Lot, cast, cast_members
from twin.fates import Share, cast_for, cast_members_for
from twin.kernel import Runs, compiled, plain
from twin.luck import Luck, draw, draw_members
from twin.model import run
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present
from twin.small_hospitals import DELAY, START, Here, parameters, present, same, small_path
from twin.story import Story

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first

HORIZON_MIN = 600.0
USUAL, MORE, FEWER_LATER = Demand(), Demand(((0.0, 1.5),)), Demand(((0.0, 1.0), (200.0, 0.3)))
CRASH, OTHER = (Demand(crises=(Crisis(patients, 30.0, 20.0, {}),)) for patients in (5, 9))
DEMANDS = [USUAL, MORE, CRASH, FEWER_LATER, OTHER, Demand(MORE.level, CRASH.crises)]

World = tuple[Path, Parameters, Luck, Present]


def world() -> World:
    path = small_path(DELAY)
    believed = parameters(path, {"service": exponential(50)}, per_hour=6.0)
    here = present(path, Here("stay", serving=True, since_min=-5, arrived_min=-5, residual_min=12))
    luck = draw(path, believed, 1, seed=3, member=0, start=START, horizon_min=HORIZON_MIN, zone="UTC")
    return path, believed, luck, here


def equal(one: Fate, other: Fate) -> bool:
    """Equal to the last bit, idle stops at the end of routes apart."""
    stops = min(one.stage.shape[1], other.stage.shape[1])
    rows = all(np.array_equal(getattr(one, n), getattr(other, n), equal_nan=True) for n in ("visit", "cls", "block"))
    rest = ("priority", "at_min", "edges", "acuity")
    by_stop = ("stage", "unit", "minutes", "patience_min")
    return (
        rows
        and all(np.array_equal(getattr(one, n), getattr(other, n), equal_nan=True) for n in rest)
        and all(
            np.array_equal(getattr(one, n)[:, :stops], getattr(other, n)[:, :stops], equal_nan=True) for n in by_stop
        )
        and np.array_equal(freed_by_stop(one)[:, :stops], freed_by_stop(other)[:, :stops], equal_nan=True)
        and bool((one.stage[:, stops:] == -1).all() and (other.stage[:, stops:] == -1).all())
    )


def test_a_share_alone_is_the_fate_of_its_demand() -> None:
    path, believed, luck, here = world()
    shares = cast_for(path, believed, luck, here, DEMANDS)
    for demand, share in zip(DEMANDS, shares, strict=True):
        assert equal(share.alone(), cast(path, believed, luck, here, demand))


def test_members_cast_together_have_the_fates_that_each_has_alone() -> None:
    path, believed, _, here = world()
    presents = {2: here, 0: Present.of_nobody(), 7: here}
    given = {"seed": 3, "start": START, "horizon_min": HORIZON_MIN, "zone": "UTC"}
    luck = draw_members(path, believed, {m: p.count for m, p in presents.items()}, **given)  # type: ignore[arg-type]
    together = cast_members_for(path, believed, luck, list(presents.values()), DEMANDS)
    for (number, mine), shares in zip(presents.items(), together, strict=True):
        alone = draw(path, believed, mine.count, member=number, **given)  # type: ignore[arg-type]
        for one, other in zip(shares, cast_for(path, believed, alone, mine, DEMANDS), strict=True):
            assert equal(one.fate, other.fate)
            assert np.array_equal(one.rows, other.rows)
            assert equal(one.alone(), other.alone())


def cast_together() -> tuple[Path, list[Present], Fates]:
    path, believed, _, here = world()
    presents = {0: here, 2: Present.of_nobody(), 7: here}
    luck = draw_members(
        path, believed, {m: p.count for m, p in presents.items()}, seed=3, start=START, horizon_min=HORIZON_MIN,
        zone="UTC",
    )  # fmt: skip
    return path, list(presents.values()), cast_members(path, believed, luck, list(presents.values()))


def test_a_member_runs_from_the_columns_of_all_as_from_its_own() -> None:
    path, presents, fates_of_all = cast_together()
    capacity, lots = dict.fromkeys(path.pools, ((0.0, 2),)), fates_of_all.lots()

    def told(lot: Lot, present: Present) -> Story:
        return Runs(path, lot, present, HORIZON_MIN, form=plain).under(capacity)

    for lot, mine in zip(lots, presents, strict=True):
        assert same(told(lot, mine), told(Lot.of(lot.fate), mine))
        assert same(told(lot, mine), run(capacity, path, lot.fate, mine, HORIZON_MIN))
    another = replace(lots[2], rows=lots[0].rows)  # the mutant
    assert not same(told(another, presents[2]), told(lots[2], presents[2]))


@pytest.mark.parametrize("kept", [False, True])  # those that keep their lots are the mutant
def test_fates_that_nobody_has_any_more_are_given_back_at_once(kept: bool) -> None:
    """Large arrays that waited for whatever looks for circles would be asked for anew with every chunk of members."""
    *_, fates_of_all = cast_together()
    lots = fates_of_all.lots()
    if kept:
        fates_of_all.__dict__["lots_kept"] = lots
    there = weakref.ref(fates_of_all)
    with unswept():
        del fates_of_all, lots
        assert (there() is None) != kept


def test_demands_without_a_crisis_share_one_fate() -> None:
    path, believed, luck, here = world()
    shares = cast_for(path, believed, luck, here, DEMANDS)
    assert len({id(share.fate) for share in shares}) == 2
    assert len({id(share.fate) for share in cast_for(path, believed, luck, here, [USUAL, MORE])}) == 1


def test_a_share_that_takes_everybody_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    path, believed, luck, here = world()
    monkeypatch.setattr(
        fates, "_take_part", lambda of, *_: [np.ones(lot.fate.visit.size, dtype=bool) for lot in of.lots()]
    )
    shares = cast_for(path, believed, luck, here, [USUAL, MORE])
    assert not equal(shares[0].alone(), cast(path, believed, luck, here, USUAL))


def test_a_level_that_no_luck_was_drawn_for_is_refused() -> None:
    path, believed, luck, here = world()
    with pytest.raises(ScenarioError, match="factor from 0 to 3"):
        cast_for(path, believed, luck, here, [USUAL, Demand(((0.0, 4.0),))])
    with pytest.raises(ScenarioError, match="factor from 0 to 3"):
        cast_for(path, believed, luck, here, [MORE, Demand(((0.0, -1.0),))])


def test_a_run_of_some_rows_is_the_run_of_those_alone_in_both_engines() -> None:
    for number in range(30):
        case = random_case(number)
        rows = np.random.default_rng(number).random(case.fate.visit.size) < 0.6
        rows[: case.present.count] = True
        law = run(case.capacity, case.path, Share(Lot.of(case.fate), rows).alone(), case.present, case.horizon_min)
        for form in (None, compiled()):
            runs = Runs(case.path, Lot.of(case.fate), case.present, case.horizon_min, by_law=form is None, form=form)
            for _ in range(2):
                assert same(runs.under(case.capacity, rows), law), "also when it is run again"
            other = dict.fromkeys(case.path.pools, ((0.0, 1),))
            everybody = run(other, case.path, case.fate, case.present, case.horizon_min)
            assert same(runs.under(other), everybody), "under other capacities"
