"""Rules set from what was said live, or from a past that is forecast again; nothing is known before its time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from forecast import alert_history
from forecast.alert_budget import OWN, Trial
from forecast.alert_chances import Chance
from forecast.alert_history import Stretch, trials
from forecast.alert_settings import AlertSettings, Said
from forecast.alert_trials import settings_of_trials, trials_of
from forecast.alert_watch import Watch
from forecast.analytic import RIVAL
from forecast.baselines import BASELINES, History
from forecast.ensemble import Run
from forecast.values import Array
from ingest.log import EventLog
from tests.alert_worlds import MIN, RULES, Department, department, rules_of, said
from tests.histories import NOON, Remembered, hospital, other_log, scenarios, whole_log

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BUDGETED = RULES.replace("p_alert = 0.4", "p_alert = 0.4\nfalse_a_week = 1")
DAYS = 40
QUARTER = 15 * MIN


def census(days: int = DAYS) -> Array:
    """Forty at most times; seventy from 15 to 17 h on every second day."""
    quarters = np.arange(days * 96)
    busy = (quarters // 96 % 2 == 0) & (quarters % 96 >= 60) & (quarters % 96 < 68)
    return np.where(busy, 70.0, 40.0)


def history(days: int = DAYS) -> History:
    values = census(days)
    return History(NOON - NOON.hour * HOUR, {"ed_census": values}, "UTC", values.size - 1)


START = NOON - NOON.hour * HOUR


def said_rightly(d: Department, settings: AlertSettings, every: timedelta = 2 * HOUR) -> None:
    """A forecaster that knows four hours ahead; its rival knows nothing."""
    values = census()
    for i in range(int(DAYS * DAY / every)):
        at = START + i * every
        ahead = values[int((at - START) / QUARTER) :][: 4 * 4]
        p = 0.6 if (ahead > 60).any() else 0.1
        settings.keep(at, {"crowded": replace(said(p, at), threshold=60.0)}, {"crowded": {"climatology": 0.2}})


def test_a_trial_joins_what_was_said_with_what_came() -> None:
    at = [START + i * QUARTER for i in range(96)]
    told = [Said(START + i * HOUR, 60.0, 0.1 * (i % 3), {"climatology": 0.5}) for i in range(24)]
    found = trials_of({"crowded": rules_of().rule["crowded"]}, {"crowded": told}, at, {"ed_census": census(1)}, "UTC")
    one = found["crowded"]
    assert (one.onset_min - one.said_min[0]).tolist() == [15 * 60.0]
    assert (one.end_min - one.said_min[0]).tolist() == [17 * 60.0]
    assert set(one.chances) == {OWN, "climatology"}
    assert one.window_min == 480.0


def test_the_threshold_of_an_instant_is_that_of_the_forecast_before_it() -> None:
    at = [START + i * QUARTER for i in range(96)]
    told = [Said(START + i * HOUR, 60.0 if i < 16 else 80.0, 0.1, {}) for i in range(24)]
    busy = np.where(np.arange(96) >= 80, 70.0, 40.0)
    found = trials_of({"crowded": rules_of().rule["crowded"]}, {"crowded": told}, at, {"ed_census": busy}, "UTC")
    assert found["crowded"].onset_min.size == 0, "seventy is over sixty, and not over what counted by then"


def test_rules_are_set_each_night_from_what_was_said_live_and_count_from_then_on() -> None:
    with department(BUDGETED) as d:
        settings = AlertSettings(d.database)
        said_rightly(d, settings)
        watch = Watch(d.alerts, settings, None)
        assert settings.p_alert == {}
        watch._set_anew(history(), START + DAYS * DAY)
        own = settings.settings["crowded"].own
        assert (own.hits, own.events) == (20, 20)
        assert own.notice_min is not None
        assert own.notice_min[0] == pytest.approx(180, abs=61)
        assert settings.p_alert == {"crowded": own.p_alert}
        assert AlertSettings(d.database).settings == settings.settings, "a house that starts again has them"
        [rule] = watch.view(START, held=False).rules
        assert (rule.p_alert, rule.setting) == (own.p_alert, settings.settings["crowded"])


def test_what_was_said_too_short_a_time_sets_nothing_and_keeps_what_was_set() -> None:
    with department(BUDGETED) as d:
        settings = AlertSettings(d.database)
        said_rightly(d, settings)
        watch = Watch(d.alerts, settings, None)
        watch._set_anew(history(), START + DAYS * DAY)
        before = settings.settings
        watch._set_anew(history(), START + 20 * DAY)
        assert settings.settings == before


def test_a_fault_while_rules_are_set_costs_no_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    with department(BUDGETED) as d:
        watch = Watch(d.alerts, AlertSettings(d.database), None)
        monkeypatch.setattr(watch.settings, "said", lambda *_: 1 / 0)
        watch._set_anew(history(), START + DAYS * DAY)


def test_rules_without_a_budget_are_left_alone() -> None:
    whole = Trial(np.empty(0), {OWN: np.empty(0)}, np.empty(0), np.empty(0), np.zeros(0, dtype=bool), 480.0)
    assert settings_of_trials({"crowded": whole}, rules_of(), NOON) == {}


# --- a past that is forecast again

STRETCH = Stretch(NOON - 3 * HOUR, NOON, how=Run(members=4, horizon_min=600.0))


@pytest.fixture
def _remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_history, "Memory", Remembered)


def again(log: EventLog, progress: Callable[[int, int], None] | None = None) -> dict[str, Trial]:
    return trials(log, hospital(), scenarios("as_usual")[0], rules_of(BUDGETED), STRETCH, progress=progress)


@pytest.mark.usefixtures("_remembered")
def test_what_is_said_of_the_past_knows_nothing_of_its_future() -> None:
    """The other log is the same up to noon, and has another future."""
    seen: list[tuple[int, int]] = []
    mine, other = again(whole_log(), lambda *done: seen.append(done))["crowded"], again(other_log())["crowded"]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert mine.chances.keys() == other.chances.keys() == {
        OWN, *BASELINES, RIVAL,
    }  # fmt: skip
    for name, p in mine.chances.items():
        np.testing.assert_array_equal(p, other.chances[name])


@pytest.mark.usefixtures("_remembered")
def test_a_house_that_ends_gives_the_past_up_and_sets_nothing() -> None:
    with department(BUDGETED) as d:
        watch = Watch(d.alerts, AlertSettings(d.database), None)
        asked: list[int] = []

        def go_on() -> bool:
            asked.append(1)
            return len(asked) < 2

        with ThreadPoolExecutor(1) as threads:
            watch.measure(whole_log(), hospital(), scenarios("as_usual")[0], STRETCH, threads, go_on)
        assert (len(asked), watch.settings.settings) == (2, {})


def test_what_a_chance_is_for_is_kept_with_it() -> None:
    with department() as d:
        settings = AlertSettings(d.database)
        found: dict[str, Chance] = {"crowded": said(0.3, NOON)}
        settings.keep(NOON, found, {"crowded": {"persistence": 0.25, "silent": float("nan")}})
        settings.keep(NOON + HOUR, {}, {})
        assert settings.said("crowded", NOON, NOON + DAY) == [Said(NOON, 60.0, 0.3, {"persistence": 0.25})]
