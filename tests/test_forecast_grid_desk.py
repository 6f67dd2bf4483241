"""The grid that a page asks for: begun, shown as it comes, stopped; the last one is found again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

import pytest

from dashboard.house import SCHEMAS
from forecast import grid_desk as desk_module
from forecast import grids as grids_module
from forecast.compare_view import RobustnessView
from forecast.ensemble import Run
from forecast.grid_desk import GridDesk
from forecast.grid_store import GridStore
from forecast.points_of_view import points_of_view
from forecast.services import services_file
from forecast.situation import Situation
from forecast.study import Study
from ingest.clock import SimulatedClock
from ingest.database import Database
from tests.histories import NOON, situation
from tests.test_forecast_comparisons import Broken, Here
from twin import kernel
from twin.hospital import load_hospital
from twin.scenarios import catalogue

SOME = {name: catalogue()[name] for name in ("as_usual", "ten_beds_closed", "winter_peak", "escalation_beds")}
STUDY = Study(points_of_view(), services_file(), SOME, load_hospital(), 58)
HOW = Run(horizon_min=360.0, seed=7)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel.warm()
    monkeypatch.setattr(grids_module, "CHUNK", 3)
    monkeypatch.setattr("os.nice", lambda _: 10)


@pytest.fixture
def store() -> Iterator[GridStore]:
    with Database.open(None, schemas=SCHEMAS, threads=1) as database:
        yield GridStore(database)


def desk(
    store: GridStore, source: Callable[[], Situation | None] = situation, workers: Callable[[], Executor] = Here
) -> GridDesk:
    return GridDesk(
        STUDY, store, source, SimulatedClock(NOON), HOW, mode="live", workers=workers, combinations=10, members=6
    )  # fmt: skip


def run(one: GridDesk) -> RobustnessView:
    assert one.start()
    one.join(120.0)
    return one.view("?view=beds")


def test_nothing_runs_until_somebody_says_so(store: GridStore) -> None:
    page = desk(store).view("")
    assert (page.rows, page.done, page.as_of, page.ready) == ((), None, None, True)
    assert store.kept() == []


def test_without_a_present_there_is_nothing_to_run(store: GridStore) -> None:
    one = desk(store, lambda: None)
    assert not one.start()
    assert not one.view("").ready


def test_a_run_shows_the_map_and_what_moves_what(store: GridStore) -> None:
    page = run(desk(store))
    assert (page.combinations, page.members, page.done, page.as_of) == (10, 6, None, NOON)
    assert page.rows[0].name == "as_usual"
    assert {row.name for row in page.rows} == set(SOME)
    assert page.rows[0].first is None
    assert {one.name for one in page.services} >= {"boarding", "beds:medicine", "staff:doctor"}
    assert page.limits["boarding"] == ("most", 10.0, 60.0)
    assert page.limits["staff:doctor"] == ("most", None, 120.0)
    assert page.limits["beds:medicine"] == ("least", 1.0, 60.0)
    assert [one.criterion.name for one in page.moved][:1] == ["boarding_h"]
    assert page.rows[1].name == "ten_beds_closed", "what breaks most stands first"


def test_however_many_look_it_is_summed_up_once_a_point_of_view(
    store: GridStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = desk(store)
    first, summed = run(one), list[str]()
    once = desk_module.shown

    def counted(page: RobustnessView, *rest: Any) -> RobustnessView:
        summed.append(page.view)
        return once(page, *rest)

    monkeypatch.setattr(desk_module, "shown", counted)
    assert one.view("?view=beds") == first
    one._done = 3
    assert [one.view(f"?view={view}").done for view in ("beds", "nurses", "beds", "nurses")] == [3, 3, 3, 3]
    assert summed == ["nurses"]


def test_the_last_grid_is_found_again_by_a_house_that_starts_anew(store: GridStore) -> None:
    before = run(desk(store))
    after = desk(store).view("?view=beds")
    assert after.rows == before.rows
    assert after.begun_at == before.begun_at


def test_a_grid_that_is_stopped_keeps_what_it_found(store: GridStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grids_module, "CHUNK", 1)
    monkeypatch.setattr(grids_module, "AHEAD", 1)
    one = desk(store)
    came = one._came

    def then_stop(*given: object) -> None:
        came(*given)  # type: ignore[arg-type]
        if given[1]:
            one.cancel()

    one._came = then_stop  # type: ignore[assignment, method-assign]
    page = run(one)
    assert 1 <= page.members < 6
    assert page.cancelled
    again = desk(store)
    assert run(again).members == 6, "a new run from the same present goes on"


def test_one_runs_at_a_time_and_nothing_is_stopped_that_does_not_run(store: GridStore) -> None:
    one = desk(store)
    assert not one.cancel()
    one._done = 2
    assert not one.start()


def test_a_fault_is_told(store: GridStore) -> None:
    page = run(desk(store, workers=Broken))
    assert page.fault == "the workers are gone"
    assert page.done is None
