"""Rules judged by the scheduler: raised, acknowledged, cleared in a replay; held while the feed is stale."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pytest

from forecast import loop as module
from forecast.alert_settings import AlertSettings
from forecast.alert_watch import Watch
from forecast.alerts import Alerts, Place
from forecast.analytic import RIVAL
from forecast.archive import SCHEMA_SQL, Archive
from forecast.baselines import BASELINES
from forecast.board import Feed, FeedState
from forecast.ensemble import Run
from forecast.loop import Loop, Rhythm, Site
from ingest.clock import SimulatedClock
from ingest.database import Database
from tests.alert_worlds import rules_of
from tests.histories import NOON, Remembered, hospital, scenarios, whole_log

HOUR, TEN = timedelta(hours=1), timedelta(minutes=10)
SITE = Site(hospital(), tuple(scenarios("as_usual")), "replay")
RULES = """
[rule.crowded]
fr = "Urgences pleines"
en = "Crowded department"
measure = "ed_census"
over = "p80"
within_h = 2
p_alert = 0.5
p_watch = 0.3
dwell_min = 20
[rule.never]
fr = "Jamais"
en = "Never"
measure = "ed_census"
over = 100000
[rule.unknown]
fr = "Inconnu"
en = "Unknown"
measure = "beds_free:nowhere"
under = 1
[rule.spaces]
fr = "Plus de places"
en = "No spaces"
measure = "ed_census"
over = "spaces"
"""


@dataclass
class Bench:
    loop: Loop
    clock: SimulatedClock
    watch: Watch

    def turn_at(self, hours: float) -> None:
        self.clock.advance_to(NOON + hours * HOUR)
        self.loop.turn()
        assert self.loop.counts.last_error is None


@pytest.fixture(autouse=True)
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Memory", Remembered)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as database, ThreadPoolExecutor(1) as threads:
        yield bench_of(database, threads)


def bench_of(database: Database, executor: Executor) -> Bench:
    clock = SimulatedClock(NOON)
    alerts = Alerts(rules_of(RULES), database, clock, Place("Valmont", "Europe/Paris", "replay"))
    watch = Watch(alerts, AlertSettings(database), None)
    how = Run(members=16, horizon_min=180.0)
    made = Loop(whole_log(), Archive(database), SITE, executor, clock, how=how, rhythm=Rhythm(TEN), watch=watch)
    return Bench(made, clock, watch)


def test_in_a_replay_an_alarm_is_raised_acknowledged_and_cleared(bench: Bench) -> None:
    """From a Sunday noon on; the chances come from the members of the cycles, the clock is the replay's."""
    alarm = None
    for step in range(30):
        bench.turn_at(step)
        shown = [a for a in bench.loop.board.alarms if a.level == "alert"]
        if shown and alarm is None:
            [alarm] = shown
            bench.watch.alerts.acknowledge(alarm.name, "Dr Martin")
            assert bench.loop.board.alarms[0].acknowledged_by == "Dr Martin"
        if alarm is not None and not shown:
            break
    assert alarm is not None
    log = bench.watch.alerts.log.entries()
    mine = [e for e in log if e.alarm == alarm.name]
    assert [e.what for e in mine] == ["raised", "acknowledged", "cleared"]
    assert mine[0].noted_at < mine[2].noted_at <= bench.clock.now()
    assert mine[0].told["p"] >= 0.5 > mine[2].told["p"]
    assert {e.rule for e in log} == {"crowded"}


def test_what_nothing_tells_has_no_sentence_and_what_never_comes_is_calm(bench: Bench) -> None:
    bench.turn_at(0)
    view = bench.loop.alerts
    assert view is not None
    told = {rule.name: (rule.level, rule.p, rule.sentence_en is not None) for rule in view.rules}
    assert told["never"] == ("normal", 0.0, True)
    assert told["unknown"] == told["spaces"] == ("normal", None, False)
    assert (view.looked_at, view.held, view.sends) == (NOON, False, False)


def test_every_chance_is_kept_with_what_the_rivals_said(bench: Bench) -> None:
    bench.turn_at(0)
    bench.turn_at(1)
    said = bench.watch.settings.said("crowded", NOON, NOON + 2 * HOUR)
    assert [one.as_of for one in said] == [NOON, NOON + HOUR]
    assert set(said[0].rivals) == {*BASELINES, RIVAL}
    assert all(0 <= p <= 1 for one in said for p in (one.p, *one.rivals.values()))


@pytest.mark.parametrize(("state", "judged"), [("live", 2), ("stale", 1), ("off", 1), ("catching_up", 1)])
def test_what_is_only_the_last_known_raises_and_clears_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, state: FeedState, judged: int
) -> None:
    """Live is the mutant that judges again."""
    bench.turn_at(0)
    monkeypatch.setattr(bench.loop, "_feed", lambda now: Feed(state, NOON, now - NOON, TEN))
    bench.turn_at(1)
    assert len(bench.watch.settings.said("crowded", NOON, NOON + 2 * HOUR)) == judged
    view = bench.loop.alerts
    assert view is not None
    assert view.held == (judged == 1)
