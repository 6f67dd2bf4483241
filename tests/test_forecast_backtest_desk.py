"""The back-test that a page begins: within bounds, one at a time, stopped, gone on with; its pairs kept and judged."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast import backtest_desk, validation_desk
from forecast.archive import SCHEMA_SQL, Archive
from forecast.backtest import Plan, Report
from forecast.backtest_desk import ASKED, PAIRS, SETTLED, BacktestDesk, Subject
from forecast.ensemble import Run
from forecast.loop import Site
from forecast.pairs_file import read_pairs, write_pairs
from forecast.validation_desk import Beside, ValidationDesk
from forecast.validation_view import RunView, ValidationView
from forecast.verify import verify
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import EdtwinError
from tests.histories import NOON, hospital, scenarios, whole_log
from tests.trust_views import made_pairs

HOW = Run(members=3, horizon_min=240.0, seed=1)


def here() -> Executor:
    return ThreadPoolExecutor(1)


class Runs:
    """A back-test that counts its issues, and what came of it."""

    def __init__(self, issues: int = 4, fault: Exception | None = None) -> None:
        self.issues, self.fault, self.plans = issues, fault, list[Plan]()
        self.at: Any = lambda done: None

    def __call__(
        self, log: Any, of: Any, usual: Any, plan: Plan, *, executor: Any, progress: Any, kept_in: Path
    ) -> Report:
        self.plans.append(plan)
        if self.fault is not None:
            raise self.fault
        for done in range(1, self.issues + 1):
            self.at(done)
            progress(done, self.issues)
        pairs = made_pairs(days=8)
        return Report(plan, pairs, verify(pairs), self.issues)


def desk(folder: Path, monkeypatch: pytest.MonkeyPatch, runs: Runs) -> BacktestDesk:
    monkeypatch.setattr(backtest_desk, "backtest", runs)
    subject = Subject(
        hospital(), scenarios("as_usual")[0], False, folder, lambda found: write_pairs(found.pairs, folder / PAIRS)
    )
    return BacktestDesk(whole_log(), subject, SimulatedClock(NOON + timedelta(days=3)), HOW, workers=here)


def ended(one: BacktestDesk) -> RunView:
    assert one._thread is not None
    one._thread.join(60.0)
    return one.run


def test_it_ends_where_the_truth_is_settled_and_leaves_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs()
    one = desk(tmp_path, monkeypatch, runs)
    assert not one.run.running
    assert one.start(7, 6, 20)
    run = ended(one)
    assert (run.asked, run.running, run.fault, run.ready) == (None, False, None, True)
    [plan] = runs.plans
    assert plan.last_at <= NOON + timedelta(days=3) - SETTLED
    assert plan.last_at - plan.first_at == timedelta(days=7)
    assert (plan.every, plan.how.members) == (timedelta(hours=6), 20)
    assert (tmp_path / PAIRS).exists()
    assert not (tmp_path / ASKED).exists()


@pytest.mark.parametrize("wrong", [(8, 6, 20), (7, 5, 20), (7, 6, 5000), (0, 0, 0)])
def test_what_is_out_of_bounds_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: tuple[int, int, int]
) -> None:
    assert not desk(tmp_path, monkeypatch, Runs()).start(*wrong)


def test_one_at_a_time_and_it_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, seen = Runs(), list[RunView]()
    one = desk(tmp_path, monkeypatch, runs)

    def look(done: int) -> None:
        assert not one.start(7, 6, 20)
        seen.append(one.run)

    runs.at = look
    assert one.start(7, 6, 20)
    assert ended(one).fault is None
    assert [run.done for run in seen] == [0, 1, 2, 3]
    assert seen[0].left is None
    assert seen[3].left is not None


def test_one_that_is_stopped_goes_on_with_the_same_plan_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = Runs()
    one = desk(tmp_path, monkeypatch, runs)
    assert not one.cancel()
    runs.at = lambda done: one.cancel() if done == 2 else None
    assert one.start(7, 6, 20)
    run = ended(one)
    assert run.asked is not None
    assert run.done == 1
    assert not (tmp_path / PAIRS).exists()
    runs.at = lambda done: None
    again = desk(tmp_path, monkeypatch, runs)
    assert again.run.asked == run.asked
    assert again.resume()
    ended(again)
    assert runs.plans[0] == runs.plans[1], "the same plan, so that what is kept of it counts"
    assert not again.resume(), "it is done"
    (tmp_path / ASKED).write_text('{"first_at": "x"}', encoding="utf-8")
    assert desk(tmp_path, monkeypatch, runs).run.asked is None, "what cannot be read is not gone on with"


def test_the_end_of_the_house_leaves_it_to_be_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs()
    one = desk(tmp_path, monkeypatch, runs)
    runs.at = lambda done: one._stop.set() if done == 1 else None
    assert one.start(7, 6, 20)
    one.end(60.0)
    assert not one.start(7, 6, 20)
    assert desk(tmp_path, monkeypatch, runs).run.asked is not None


def test_a_fault_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = desk(tmp_path, monkeypatch, Runs(fault=EdtwinError("the log holds 3 days, 10 are needed")))
    assert one.start(7, 6, 20)
    assert ended(one).fault == "the log holds 3 days, 10 are needed"


# --- what is kept, and judged ---------------------------------------------------------------------------------------


def test_pairs_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    pairs = made_pairs(days=3)
    write_pairs(pairs, tmp_path / PAIRS)
    again = read_pairs(tmp_path / PAIRS)
    assert again is not None
    assert repr(verify(again)) == repr(verify(pairs))
    np.testing.assert_array_equal(again.quantiles, pairs.quantiles)
    np.testing.assert_array_equal(again.issued_at, pairs.issued_at)
    assert again.levels == pairs.levels
    other = replace(pairs, crps=pairs.crps + 1.0)
    assert repr(verify(again)) != repr(verify(other)), "the mutant"
    (tmp_path / PAIRS).write_bytes(b"half")
    assert read_pairs(tmp_path / PAIRS) is None
    assert read_pairs(tmp_path / "none") is None


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        yield Archive(database)


def test_the_page_judges_the_back_test_and_says_so_while_there_is_nothing_of_its_own(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("forecast.validation._facts", lambda *_: {})
    backtests = desk(tmp_path, monkeypatch, Runs())
    site = Site(hospital(), tuple(scenarios("as_usual")), "fabricated")
    nothing = Beside({"ed_census": {60: 0.5}}, 12, None, None)
    one = ValidationDesk(
        whole_log(), archive, site, backtests, tmp_path, SimulatedClock(NOON), beside=lambda: nothing
    )  # fmt: skip

    def read(query: str) -> ValidationView:
        one.view(query)
        one.join(60.0)
        return one.view(query)

    assert one.view("").measuring
    one.join(60.0)
    page = one.view("")
    assert (page.source, page.found, page.measuring, page.shares) == ("own", None, False, {60: 0.5})
    write_pairs(made_pairs(days=8), tmp_path / PAIRS)
    page = read("")
    assert page.source == "backtest"
    assert page.found is not None
    assert page.found.n_issues == 32
    assert len(page.found.corrected) == 6
    waiting = read("?source=backtest&measure=ed_waiting")
    assert waiting.found is not None
    assert waiting.found.measure.measure == "ed_waiting"
    monkeypatch.setattr(validation_desk, "validated", lambda *_: 1 / 0)
    write_pairs(made_pairs(days=9), tmp_path / PAIRS)
    assert read("?source=backtest").fault == "ZeroDivisionError"
