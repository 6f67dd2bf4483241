"""A back-test that was ended goes on where it was, to the last bit; nothing stale is ever taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from forecast import backtest as module
from forecast.backtest import Plan, Report, backtest
from forecast.backtest_store import KEEP, BacktestStore, key_of
from forecast.ensemble import Run
from forecast.peaks import peak_ahead, with_peaks
from forecast.simulated import Simulated, issues_of, table_of
from forecast.values import Array, packed, series
from ingest.log import EventLog
from tests.histories import NOON, START, Remembered, fingerprint, hospital, other_log, scenarios, told, whole_log

HOW = Run(members=3, horizon_min=120.0, seed=4)
PLAN = Plan(START + timedelta(days=10, hours=6), START + timedelta(days=12), timedelta(hours=8), (60.0, 120.0), HOW)
[USUAL] = scenarios("as_usual")


@pytest.fixture(autouse=True)
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Memory", Remembered)


class KilledError(Exception):
    """The process ends here."""


def killed_at(issue: int) -> Callable[[int, int], None]:
    def progress(done: int, _: int) -> None:
        if done == issue:
            raise KilledError

    return progress


def of(
    kept_in: Path | None,
    log: EventLog | None = None,
    progress: Callable[[int, int], None] | None = None,
    plan: Plan = PLAN,
) -> Report:
    return backtest(log or whole_log(), hospital(), USUAL, plan, kept_in=kept_in, progress=progress)


@cache
def uninterrupted() -> str:
    return fingerprint(of(None).pairs)


def simulated_by(run: Callable[[], Report], monkeypatch: pytest.MonkeyPatch) -> tuple[str, int]:
    """What a run gives, and how many issues it had to simulate."""
    asked: list[object] = []
    honest = module.members_of

    def counted(*given: object) -> object:
        asked.append(given)
        return honest(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(module, "members_of", counted)
        found = run()
    return fingerprint(found.pairs), len(asked)


def test_killed_and_started_again_it_goes_on_and_gives_the_same_to_the_last_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KilledError):
        of(tmp_path, progress=killed_at(5))
    assert len(PLAN.issue_times) == 6
    assert simulated_by(lambda: of(tmp_path), monkeypatch) == (uninterrupted(), 3), "the first day was done"
    assert simulated_by(lambda: of(tmp_path), monkeypatch) == (uninterrupted(), 0), "and now all of it is"


def test_going_on_without_the_past_as_it_stood_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the rivals begin again with what is known now of the days before."""
    with pytest.raises(KilledError):
        of(tmp_path, progress=killed_at(5))
    honest = BacktestStore.load
    monkeypatch.setattr(BacktestStore, "load", lambda self: (honest(self)[0], {}))
    assert fingerprint(of(tmp_path).pairs) != uninterrupted()


def reuses_for_another_log(kept_in: Path, monkeypatch: pytest.MonkeyPatch, plan: Plan = PLAN) -> bool:
    """The other log is the same up to noon, and tells otherwise of what comes later."""
    of(kept_in, plan=plan)
    return simulated_by(lambda: of(kept_in, other_log(), plan=plan), monkeypatch)[1] == 0


def test_what_was_done_for_another_log_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reuses_for_another_log(tmp_path / "before", monkeypatch), "its truth was taken before the logs part"
    late = replace(PLAN, first_at=NOON - timedelta(hours=3), last_at=NOON - timedelta(hours=3))
    assert not reuses_for_another_log(tmp_path / "sound", monkeypatch, late)
    with monkeypatch.context() as patched:  # the mutant: a key that does not look at the log
        patched.setattr(EventLog, "digest", lambda *_: "")
        assert reuses_for_another_log(tmp_path / "mutant", monkeypatch, late)


def test_what_was_done_by_another_code_or_plan_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(module, "code_digest", lambda: "another")
        assert simulated_by(lambda: of(tmp_path), monkeypatch)[1] == 6
    more = replace(PLAN, how=replace(HOW, members=4))
    keys = {key_of(plan, hospital(), USUAL, "code", "log") for plan in (PLAN, replace(PLAN), more)}
    assert len(keys) == 2


def test_the_digest_of_a_log_is_that_of_what_was_known() -> None:
    first, later = PLAN.first_at, START + timedelta(days=22)
    assert whole_log().digest(first) == other_log().digest(first)
    assert whole_log().digest(later) != other_log().digest(later)
    assert whole_log().digest(later) != whole_log().digest(first)


def one(day: int = 0) -> Simulated:
    census = np.array([[40.0, 41.0, 39.0], [44.0, np.nan, 38.0]])
    told = {"wait_min:3A": series(census / 7)}
    return Simulated(START + timedelta(days=day), "Europe/Paris", {"ed_census": packed(census)}, told,
                     {"persistence": {"ed_census": series(census)}, "silent": {}}, None)  # fmt: skip


def test_issues_are_read_back_to_the_last_bit() -> None:
    both = [one(), one(1)]
    assert [fingerprint(issue) for issue in issues_of(table_of(both))] == [fingerprint(issue) for issue in both]


def test_a_damaged_store_is_done_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = BacktestStore(tmp_path, "a")
    assert store.load() == ([], {})
    store.save(0, [one()], {"ed_census": np.arange(3.0)})
    store.save(1, [one(1)], {"ed_census": np.arange(4.0)})
    chunks, past = BacktestStore(tmp_path, "a").load()
    assert [len(chunk) for chunk in chunks] == [1, 1]
    assert past["ed_census"].tolist() == [0.0, 1.0, 2.0, 3.0]
    (tmp_path / "a" / "00001.parquet").write_bytes(b"PAR1")
    assert store.load() == ([], {})
    assert "done again" in caplog.text


def test_only_the_latest_stores_stay(tmp_path: Path) -> None:
    for number in range(KEEP + 2):
        BacktestStore(tmp_path, f"k{number}").save(0, [one()], {"ed_census": np.arange(3.0)})
        os.utime(tmp_path / f"k{number}", (number + 1.0, number + 1.0))
    BacktestStore(tmp_path, "newest").save(0, [one()], {"ed_census": np.arange(3.0)})
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted(
        ["newest", *(f"k{number}" for number in range(3, KEEP + 2))]
    )


# --- peaks -----------------------------------------------------------------------------------------------------------


def test_a_peak_is_the_highest_from_now_to_a_lead_and_where_it_stands_first() -> None:
    path = np.array([[3.0, 9.0], [5.0, 2.0], [5.0, np.nan], [4.0, 1.0], [6.0, 1.0]])
    found = with_peaks({"ed_census": path, "x": path}, np.arange(0.0, 75.0, 15.0))
    assert list(found) == ["ed_census", "x", "peak:ed_census", "peak_min:ed_census"]
    assert found["peak:ed_census"][:, 0].tolist() == [3.0, 5.0, 5.0, 5.0, 6.0]
    assert found["peak_min:ed_census"][:, 0].tolist() == [0.0, 15.0, 15.0, 15.0, 60.0]
    assert found["peak:ed_census"][:2, 1].tolist() == [9.0, 9.0]
    assert np.isnan(found["peak:ed_census"][2:, 1]).all()
    assert np.isnan(found["peak_min:ed_census"][2:, 1]).all()


def test_peaks_are_met_by_the_peaks_of_what_came() -> None:
    pairs = of(None).pairs
    highest: Array = pairs.observed[pairs.measure == "peak:ed_census"]
    census: Array = pairs.observed[pairs.measure == "ed_census"]
    assert highest.size == census.size
    assert (highest >= census).all()
    assert (highest > census).any()
    assert told().events


def test_the_peak_ahead_is_read_from_whole_paths_and_the_present_is_none_of_it() -> None:
    path = np.array([[9.0, 9.0, 9.0], [1.0, 4.0, 3.0], [5.0, 2.0, 1.0]])
    lead, three = peak_ahead(path, np.array([0.0, 15.0, 30.0]))
    assert lead == 15.0
    assert three == pytest.approx((3.2, 4.0, 4.8))
    by_lead = np.quantile(path[1:], 0.5, axis=1).max()  # the mutant: the highest of what is likely at each lead
    assert by_lead != three[1]
