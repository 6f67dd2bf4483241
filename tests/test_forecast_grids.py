"""Grids: run chunk by chunk, kept, cancelled, carried on; what is kept is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from dashboard.house import SCHEMAS
from forecast import grids as module
from forecast.designs import Design, made, pairs
from forecast.ensemble import Run
from forecast.grid_store import KEPT, Grid, GridStore
from forecast.grids import GridWork, grid_chunk, run_grid, work_of
from forecast.outcome_runs import Wanted
from forecast.services import services_file
from forecast.values import Array
from ingest.database import Database
from tests.histories import situation
from twin import kernel
from twin.scenarios import catalogue, pick

CATALOGUE = catalogue()
HOW = Run(members=10, horizon_min=360.0, seed=29_560_920_001)
NOW = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.fixture
def store() -> Iterator[GridStore]:
    with Database.open(None, schemas=SCHEMAS, threads=1) as database:
        yield GridStore(database)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.warm()
    monkeypatch.setattr(module, "CHUNK", 4)


def design() -> Design:
    return pairs(pick(CATALOGUE, ["ten_beds_closed", "winter_peak"]))


def work(how: Run = HOW) -> GridWork:
    wanted = Wanted(services_file(), 58)
    return work_of(situation(), design(), made(design(), CATALOGUE), how, wanted, known_at=situation().as_of)


@cache
def whole() -> dict[str, Array]:
    one = work()
    return grid_chunk(one.situation, one.scenarios, one.how, range(HOW.members), one.wanted)


def kept(store: GridStore) -> dict[str, Array]:
    return store.outcomes(work().grid.grid_id, len(design().combinations))


def same(one: dict[str, Array], other: dict[str, Array], members: int) -> bool:
    """Kept with seven digits."""
    return one.keys() == other.keys() and all(
        np.allclose(values, other[name][:, :members], rtol=1e-6, equal_nan=True) for name, values in one.items()
    )


def test_a_grid_is_run_and_kept_chunk_by_chunk(store: GridStore) -> None:
    told: list[tuple[int, int]] = []
    assert run_grid(work(), store, NOW, progress=lambda done, of: told.append((done, of)))
    assert told == [(0, 10), (4, 10), (8, 10), (10, 10)]
    assert same(kept(store), whole(), 10)
    assert store.kept()[0][1].design == design()


def test_a_grid_that_was_stopped_goes_on_where_it_was(store: GridStore, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[range] = []
    once = module.grid_chunk

    def counted(*given: object) -> dict[str, Array]:
        ran.append(given[3])  # type: ignore[arg-type]
        return once(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "grid_chunk", counted)
    assert not run_grid(work(), store, NOW, stop=lambda: len(ran) >= 1)
    assert same(kept(store), whole(), 4), "what was found stays"
    assert run_grid(work(), store, NOW)
    assert [list(chunk) for chunk in ran] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert same(kept(store), whole(), 10)


def test_more_members_are_added_to_those_that_are_kept(store: GridStore) -> None:
    assert run_grid(work(replace(HOW, members=4)), store, NOW)
    assert run_grid(work(), store, NOW)
    assert same(kept(store), whole(), 10)


def test_on_an_executor_it_is_the_same(store: GridStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.nice", lambda _: 10)
    with ThreadPoolExecutor(2) as threads:
        assert run_grid(work(), store, NOW, executor=threads)
    assert same(kept(store), whole(), 10)


def test_a_cancel_is_heard_between_chunks(store: GridStore) -> None:
    done: list[int] = []
    with ThreadPoolExecutor(1) as threads:
        whole_ = run_grid(
            work(), store, NOW, executor=threads, stop=lambda: bool(done and done[-1] >= 4),
            progress=lambda n, _: done.append(n), children=1,
        )  # fmt: skip
    assert not whole_
    assert 4 <= done[-1] < 10


def test_what_a_grid_is_made_from_names_it(store: GridStore) -> None:
    one = work().grid
    assert one.grid_id == work().grid.grid_id == replace(one, members=99).grid_id
    others = (
        replace(one, seed=8), replace(one, horizon_min=720.0), replace(one, made_from={**one.made_from, "state": "x"}),
        replace(one, as_of=one.as_of + timedelta(minutes=10)),
    )  # fmt: skip
    assert len({one.grid_id, *(other.grid_id for other in others)}) == 5


def test_only_the_last_grids_are_kept(store: GridStore) -> None:
    grids = [replace(work().grid, seed=seed) for seed in range(KEPT + 3)]
    for day, grid in enumerate(grids):
        store.begin(grid, NOW + timedelta(days=day))
        store.put(grid.grid_id, range(2), {"ed_peak": np.ones((4, 2))})
    assert [grid.seed for _, grid in store.kept()] == [grid.seed for grid in reversed(grids)][:KEPT]
    assert store.outcomes(grids[0].grid_id, 4) == {}
    assert store.outcomes(grids[-1].grid_id, 4)["ed_peak"].shape == (4, 2)


def test_infinity_and_what_is_not_there_are_kept_as_they_are(store: GridStore) -> None:
    grid: Grid = work().grid
    values = np.array([[np.inf, np.nan], [1.5, -2.0]])
    store.begin(grid, NOW)
    store.put(grid.grid_id, range(2), {"x": values})
    np.testing.assert_array_equal(store.outcomes(grid.grid_id, 2)["x"], values)
    assert store.done(grid.grid_id) == [range(2)]
