"""The scheduler: turns at whole multiples, late ones missed or waited for, faults that keep the last forecast."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from forecast import backtest, issue, replayed
from forecast import loop as module
from forecast.analytic import RIVAL
from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from forecast.archive import Archive
from forecast.baselines import BASELINES
from forecast.board import Feed, FeedState, Skill
from forecast.engines import Agreement
from forecast.ensemble import Run
from forecast.loop import Loop, Rhythm, Site
from forecast.turns import turn_of
from forecast.values import Forecast
from forecast.wall import FANS
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.log import EventLog
from tests.histories import NOON, START, Remembered, hospital, scenarios, state, whole_log
from tests.sites import site as site_of
from tests.test_forecast_whatif import answered

HOW = Run(members=2, horizon_min=120.0)
SITE = Site(hospital(), tuple(scenarios("as_usual", "arrivals_up_20")), "fabricated")
TEN, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)
NIGHT = START + 11 * DAY


@dataclass
class Bench:
    """A loop with its clock and archive."""

    loop: Loop
    clock: SimulatedClock
    archive: Archive

    def turn_at(self, instant: datetime) -> None:
        self.clock.advance_to(instant)
        self.loop.turn()


@pytest.fixture(autouse=True)
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Memory", Remembered)
    monkeypatch.setattr(backtest, "Memory", Remembered)


@pytest.fixture
def archive() -> Iterator[Archive]:
    with Database.open(None, [FORECAST_SQL], threads=1) as database:
        yield Archive(database)


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def bench(
    archive: Archive, executor: Executor, start: datetime, *, speed: float = 0.0, rhythm: Rhythm | None = None,
    log: EventLog | None = None, kind: type[Loop] = Loop,
) -> Bench:  # fmt: skip
    clock = SimulatedClock(start, speed=speed)
    made = kind(log or whole_log(), archive, SITE, executor, clock, how=HOW, rhythm=rhythm or Rhythm(TEN))
    return Bench(made, clock, archive)


def skills(b: Bench) -> dict[tuple[str, int], Skill]:
    return {(s.measure, s.lead_min): s for s in b.loop.board.skills}


# --- a cycle and what is seen of it


def test_before_the_first_forecast_the_board_knows_nothing(archive: Archive, executor: Executor) -> None:
    board = bench(archive, executor, NOON).loop.board
    assert set(vars(board.now).values()) == {None}
    assert (board.fans, board.units, board.scenarios, board.skills) == ({}, (), (), ())
    cycle = board.cycle
    assert (cycle.issued_at, cycle.age, cycle.seconds, cycle.learned_days, cycle.done) == (None, None, None, None, 0)
    assert (board.mode, board.made_at) == ("fabricated", NOON)


def test_a_cycle_publishes_and_keeps_what_it_said(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NOON)
    b.loop.turn()
    board = b.loop.board
    assert (board.cycle.done, board.cycle.failed, board.cycle.last_error) == (1, 0, None)
    assert board.cycle.issued_at == NOON
    assert set(board.fans) == {"ed_census", "ed_boarders", "ed_waiting", "ed_arrivals", "beds_free"}
    [kept] = archive.forecasts(NOON, NOON + HOUR)
    assert kept.provenance["state_hash"] == state().hash
    assert list(kept.scenarios) == ["as_usual", "arrivals_up_20", *(f"rival:{name}" for name in (*BASELINES, RIVAL))]
    assert [c.status for c in archive.cycles(START)] == ["done"]


def test_a_what_if_from_now_says_what_the_wall_says(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NOON)
    assert b.loop.ground is None
    b.loop.turn()
    ground, [forecast] = b.loop.ground, archive.forecasts(NOON, NOON + HOUR)
    assert ground is not None
    told = answered(ground, SITE.scenarios[1]).measures["ed_census"]
    published = forecast.differences["arrivals_up_20"]["ed_census"]
    assert told.difference.mean == pytest.approx(published.mean, abs=1e-9)
    assert told.usual.mean == pytest.approx(forecast.scenarios["as_usual"]["ed_census"].mean, abs=1e-9)
    other = answered(replace(ground, how=replace(ground.how, seed=1)), SITE.scenarios[1]).measures["ed_census"]
    assert other.usual.mean != pytest.approx(forecast.scenarios["as_usual"]["ed_census"].mean, abs=1e-9)  # other luck


def test_where_the_engines_differ_the_wall_says_so_and_the_law_serves(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differing(*_: object) -> Future[Agreement]:
        told: Future[Agreement] = Future()
        told.set_result(Agreement(compiled=True, checked=3, equal=2))
        return told

    monkeypatch.setattr(issue, "agreement", differing)
    b = bench(archive, executor, NOON)
    b.loop.turn()
    assert (b.loop.board.cycle.checked, b.loop.board.cycle.equal) == (3, 2)
    b.loop.cycle(NOON + HOUR)
    engines = [f.provenance["run"]["engine"] for f in archive.forecasts(NOON, NOON + DAY)]
    assert engines == ["compiled", "simpy"]


def test_after_an_hour_the_board_says_why_the_forecast_moved(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NOON)
    b.loop.turn()
    assert b.loop.board.moved is None
    b.turn_at(NOON + TEN)
    assert b.loop.board.moved is None
    b.turn_at(NOON + HOUR)
    found = b.loop.board.moved
    assert found is not None
    assert found.since == NOON
    assert sum(found.by.values()) == pytest.approx(found.now - found.before)


def test_the_board_ages_while_nothing_is_issued(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NOON)
    b.loop.turn()
    b.clock.advance_to(NOON + 7 * timedelta(minutes=1))
    assert b.loop.board.cycle.age == timedelta(minutes=7)


@pytest.mark.parametrize(
    ("state", "shown"),
    [("live", TEN), ("late", TEN), ("catching_up", 0 * TEN), ("stale", 0 * TEN), ("off", 0 * TEN)],
)
def test_no_new_forecast_is_published_from_what_is_only_the_last_known(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch, state: FeedState, shown: timedelta
) -> None:
    """It is kept in the archive all the same; live and late are the mutants that publish it."""
    b = bench(archive, executor, NOON)
    b.loop.turn()
    monkeypatch.setattr(b.loop, "_feed", lambda now: Feed(state, NOON, now - NOON, TEN))
    b.turn_at(NOON + TEN)
    assert b.loop.board.cycle.issued_at == NOON + shown
    assert len(archive.forecasts(NOON, NOON + HOUR)) == 2


def test_a_cycle_of_a_late_feed_starts_where_the_data_are_complete(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, b = cycle_of_a_late_feed(archive, executor, monkeypatch)
    begins_at = NOON - timedelta(minutes=45)
    assert said.provenance["complete_until"] == begins_at.isoformat()
    assert b.loop.board.cycle.begins_at == begins_at
    assert (b.loop.board.fans["ed_census"].past_at[-1], b.loop.board.fans["ed_census"].valid_at[0]) == (begins_at, NOON)
    assert width_of_now(said, "ed_arrivals") > 0, "who came since is not known"


def test_a_cycle_that_only_stamps_a_late_feed_is_caught(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: its forecast starts from now, as if nothing were missing."""
    monkeypatch.setattr(module, "complete_at", lambda feed, as_of, step: as_of)
    said, _ = cycle_of_a_late_feed(archive, executor, monkeypatch)
    assert width_of_now(said, "ed_arrivals") == 0


def cycle_of_a_late_feed(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> tuple[Forecast, Bench]:
    """What it says, and the loop; the feed has been silent for 40 minutes."""
    b = bench(archive, executor, NOON)
    monkeypatch.setattr(b.loop, "_feed", lambda now: Feed("late", NOON, 4 * TEN, TEN))
    b.loop._how = replace(HOW, members=20)
    b.loop.turn()
    [said] = archive.forecasts(NOON, NOON + HOUR)
    return said, b


def width_of_now(said: Forecast, measure: str) -> float:
    """Of the interval that holds 8 in 10, at lead 0."""
    quantiles = said.scenarios["as_usual"][measure].quantiles
    return float(quantiles[0.9][0] - quantiles[0.1][0])


def test_a_log_that_cannot_be_read_is_off_on_the_wall(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = bench(archive, executor, NOON)

    def broken(_now: datetime) -> Feed:
        raise OSError

    monkeypatch.setattr(b.loop._feeds, "feed", broken)
    assert (b.loop.board.feed.state, b.loop.board.feed.fault) == ("off", "the log cannot be read")


def test_parameters_are_learned_anew_after_a_day(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NIGHT)
    for at in (NIGHT, NIGHT + HOUR, NIGHT + DAY):
        b.turn_at(at)
    learned = [f.provenance["calibrated_as_of"] for f in archive.forecasts(NIGHT, NIGHT + 2 * DAY)]
    assert learned == [NIGHT.isoformat(), NIGHT.isoformat(), (NIGHT + DAY).isoformat()]


def test_what_was_forecast_is_verified_once_its_truth_is_a_week_old(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NIGHT)
    for at in (NIGHT, NIGHT + HOUR):
        b.turn_at(at)
    assert not skills(b)
    b.turn_at(NIGHT + 7 * DAY + 2 * HOUR)
    pairs = archive.pairs(NIGHT, NIGHT + DAY)
    scored = set(zip(pairs.issued_at.tolist(), pairs.lead_min.tolist(), strict=True))
    assert {(at.replace(tzinfo=NIGHT.tzinfo) - NIGHT, lead) for at, lead in scored} == {
        (timedelta(0), 60.0), (timedelta(0), 120.0), (HOUR, 60.0),
    }  # fmt: skip
    shown = skills(b)
    assert shown["ed_census", 60].n == 2
    assert set(shown["ed_census", 60].skill) == {*BASELINES, RIVAL}
    judged = b.loop.trust.judged
    assert judged is not None
    assert (judged.n_issues, judged.replayed) == (2, False)
    census = judged.of("ed_census")
    assert census is not None
    assert set(census.leads[0].rival_crps) == {*BASELINES, RIVAL}
    assert not shown["ed_census", 60].backtested


def test_until_then_a_replay_of_the_last_days_stands_in(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_few_members(*given: Any, **options: Any) -> backtest.Report:
        log, site, usual, plan = given
        return backtest.backtest(log, site, usual, replace(plan, how=replace(plan.how, members=3)), **options)

    monkeypatch.setattr(replayed, "backtest", with_few_members)
    b = bench(archive, executor, NOON)
    b.loop.turn()
    b.loop.measure_past(whole_log(), 1)
    shown = skills(b)
    assert set(shown) == {(m, lead) for m in FANS for lead in (60, 120)}
    assert all(s.backtested and s.n == 5 for s in shown.values())
    assert b.loop.board.cycle.issued_at == NOON
    b.turn_at(NOON + TEN)
    assert b.loop.board.cycle.corrected_days == 2  # the day's issues begin on one and end on the next
    view, board = b.loop.trust, b.loop.board
    assert view.judged is not None
    assert (view.judged.n_issues, view.judged.replayed) == (5, True)
    assert (view.learned_at, view.learned_days) == (NOON + TEN, 2)
    assert view.shares == board.shares
    assert set(board.shares["ed_census"]) == {60, 120}


def test_a_history_too_short_to_replay_is_left_alone(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NIGHT - 2 * DAY)
    b.loop.measure_past(whole_log(), 1)  # before the first cycle
    b.loop.turn()
    b.loop.measure_past(whole_log(), 10)
    assert b.loop.board.skills == ()


# --- faults


def test_too_little_history_is_a_failed_cycle_with_its_sentence(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, START + 5 * DAY)
    b.loop.turn()
    cycle = b.loop.board.cycle
    assert (cycle.done, cycle.failed, cycle.issued_at) == (0, 1, None)
    assert (cycle.last_error or "").startswith("a calibration needs 7 days")
    assert [(c.status, c.error) for c in archive.cycles(START)] == [("failed", cycle.last_error)]
    b.turn_at(NIGHT)
    assert (b.loop.board.cycle.done, b.loop.board.cycle.last_error) == (1, None)


def test_a_failed_cycle_keeps_the_last_forecast_with_its_age(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = bench(archive, executor, NIGHT)
    b.loop.turn()
    before = b.loop.board
    monkeypatch.setattr(module, "issue", lambda *_, **__: 1 / 0)
    b.turn_at(NIGHT + TEN)
    after = b.loop.board
    assert (after.fans, after.units) == (before.fans, before.units)
    assert (after.cycle.done, after.cycle.failed, after.cycle.last_error) == (1, 1, "ZeroDivisionError")
    assert (after.cycle.issued_at, after.cycle.age) == (NIGHT, TEN)


# --- turning


class Stub(Loop):
    """Notes when its cycles are, and takes a while of the world's time for each."""

    takes_s = 0.0

    def cycle(self, as_of: datetime) -> None:
        self.__dict__.setdefault("seen", []).append(as_of)
        threading.Event().wait(self.takes_s)


class Slow(Stub):
    takes_s = 0.8


def turned(archive: Archive, executor: Executor, kind: type[Loop], *, wait: bool, wall_s: float) -> Bench:
    """A loop left to turn for some of the world's seconds, half a second a turn."""
    b = bench(archive, executor, NOON + TEN / 2, speed=1200.0, rhythm=Rhythm(TEN, wait=wait), kind=kind)
    b.loop.start()
    threading.Event().wait(wall_s)
    b.loop.stop()
    return b


def turns(b: Bench) -> list[int]:
    return [turn_of(at, TEN) - turn_of(NOON, TEN) for at in vars(b.loop)["seen"]]


def test_cycles_come_at_once_and_then_at_whole_multiples(archive: Archive, executor: Executor) -> None:
    b = turned(archive, executor, Stub, wait=False, wall_s=2.0)
    assert turns(b) == list(range(len(turns(b))))
    assert len(turns(b)) >= 4
    first, *rest = vars(b.loop)["seen"]
    assert first - (NOON + TEN / 2) < TEN / 2
    past_the_turn = [(at - NOON) % TEN for at in rest]
    assert sorted(past_the_turn)[len(past_the_turn) // 2] < TEN / 4


def test_a_turn_that_comes_during_a_cycle_is_missed_and_counted(archive: Archive, executor: Executor) -> None:
    b = turned(archive, executor, Slow, wait=False, wall_s=2.5)
    assert b.loop.counts.missed >= 1
    kept = [c.status for c in archive.cycles(START)]
    assert kept.count("missed") == b.loop.counts.missed
    assert kept.count("done") == b.loop.counts.done == len(turns(b))
    assert turns(b) != list(range(len(turns(b))))


def test_with_wait_the_clock_stands_still_and_no_turn_is_missed(archive: Archive, executor: Executor) -> None:
    b = turned(archive, executor, Slow, wait=True, wall_s=3.0)
    assert b.loop.counts.missed == 0
    assert turns(b) == list(range(len(turns(b))))
    assert len(turns(b)) >= 2


def test_counting_every_waking_as_a_turn_is_caught(
    archive: Archive, executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Loop, "_is_due", lambda self: True)
    assert turned(archive, executor, Slow, wait=True, wall_s=2.0).loop.counts.missed > 0


def test_woken_twice_within_a_turn_it_cycles_once(archive: Archive, executor: Executor) -> None:
    b = bench(archive, executor, NOON, kind=Stub)
    for after in (timedelta(0), TEN / 3, TEN, TEN * 1.5, 3 * TEN):
        b.turn_at(NOON + after)
    assert turns(b) == [0, 1, 3]
    assert b.loop.counts.missed == 0


def test_the_wall_says_why_members_do_not_run_on_their_cluster(archive: Archive, executor: Executor) -> None:
    clock, faults = SimulatedClock(NIGHT), ["dask://far:8786 has no workers"]
    loop = Loop(whole_log(), archive, SITE, executor, clock, how=HOW, rhythm=Rhythm(TEN), elsewhere=lambda: faults[0])
    assert loop.board.cycle.cluster_fault == "dask://far:8786 has no workers"
    assert bench(archive, executor, NIGHT).loop.board.cycle.cluster_fault is None


# --- a house whose log is young -------------------------------------------------------------------------------------


def young(archive: Archive, executor: Executor, *, described: bool = True) -> Bench:
    """A house that begins with its log, two hours in."""
    made = bench(archive, executor, START + 2 * HOUR)
    site = replace(SITE, described=site_of("")) if described else SITE
    made.loop = Loop(whole_log(), archive, site, executor, made.clock, how=HOW, rhythm=Rhythm(TEN))
    return made


def test_a_young_house_forecasts_from_its_description_and_then_from_its_log(
    archive: Archive, executor: Executor
) -> None:
    """Nobody does anything for it; what its rivals cannot say yet is not there, and the wall is told why."""
    b = young(archive, executor)
    told = []
    for instant in (START + 2 * HOUR, START + 2 * DAY, NIGHT):
        b.turn_at(instant)
        board = b.loop.board
        assert board.fans["ed_census"].quantiles[0.5]
        told.append((board.cycle.failed, board.cycle.path, (board.cycle.described or {}).get("days")))
        if instant < NIGHT:
            assert (b.loop.learned.report, b.loop.learned.described) == (None, board.cycle.described)
            assert board.skills == ()
    assert told == [(0, "full", 0.0), (0, "full", 0.0), (0, "milestones", None)]
    assert b.loop.learned.report is not None
    assert b.loop.learned.described is None


def test_a_young_house_without_a_description_has_none(archive: Archive, executor: Executor) -> None:
    b = young(archive, executor, described=False)
    b.turn_at(START + 2 * DAY)
    assert b.loop.board.cycle.failed == 1
    assert "needs 7 days" in (b.loop.board.cycle.last_error or "")
