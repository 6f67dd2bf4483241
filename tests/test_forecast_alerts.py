"""Alarms raised, told, escalated, acknowledged, snoozed and cleared; the same after a restart at any point."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast import alert_levels, alerts
from forecast.alert_levels import Limits, Standing, moved
from forecast.alert_rules import LEVELS
from forecast.errors import AlarmError
from tests.alert_worlds import MIN, NOON, RULES, Department, department, said

LIMITS = Limits(p_watch=0.2, p_alert=0.4, falls_at=0.5, dwell=30 * MIN)
ALARM = f"crowded-{NOON:%Y%m%dT%H%M%SZ}"


def levels(*chances: float, every: timedelta = 10 * MIN, limits: Limits = LIMITS) -> list[str]:
    """The level after each of some chances, a forecast apart."""
    standing, out = Standing(), list[str]()
    for i, p in enumerate(chances):
        standing = moved(standing, p, limits, NOON + i * every)
        out.append(standing.level)
    return out


# --- levels


def test_a_level_rises_at_once_and_falls_only_below_its_share_and_after_a_while() -> None:
    assert levels(0.1, 0.25, 0.45) == ["normal", "watch", "alert"]
    assert levels(0.45, 0.30, 0.30, 0.30, 0.30, 0.30) == ["alert"] * 6, "above half of 0.4 it stays"
    assert levels(0.45, 0.1, 0.1, 0.1) == ["alert", "alert", "alert", "watch"], "not before 30 min; half of 0.2 holds"
    assert levels(0.45, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0) == ["alert"] * 3 + ["normal"] * 4


def flutters(found: list[str]) -> int:
    return sum(a != b for a, b in pairwise(found))


def test_a_chance_about_the_threshold_makes_one_alarm_and_without_hysteresis_or_dwell_many() -> None:
    """The two mutants: a level that is left where it is entered, and one that is left at once."""
    about = [0.42, 0.38] * 12
    assert flutters(levels(*about)) == 0
    assert flutters(levels(*about, limits=replace(LIMITS, falls_at=1.0, dwell=0 * MIN))) > 10
    hovering = [0.42, 0.15] * 12  # below the share at which it is left: the dwell alone holds it
    short = replace(LIMITS, dwell=0 * MIN)
    assert flutters(levels(*hovering)) <= 12 < flutters(levels(*hovering, limits=short))


@given(st.lists(st.floats(0, 1), max_size=30))
def test_no_chance_at_or_above_that_of_an_alarm_is_ever_less_than_one(chances: list[float]) -> None:
    for p, level in zip(chances, levels(*chances), strict=True):
        assert p < LIMITS.p_alert or level == "alert"
        assert LEVELS.index(level) >= (p >= LIMITS.p_watch)


# --- the story of an alarm


def story(d: Department) -> None:
    """A watch, an alarm, nobody answers, the next are told, one takes it on, it is over."""
    d.after(0, 0.25)
    d.after(10, 0.5)
    d.after(20, 0.6)
    d.after(25)  # the fifteen minutes are over, between two forecasts
    d.after(40, 0.5)
    d.alerts.acknowledge("crowded-20261124T111000Z", "Dr  Martin", "two doctors called")
    d.after(70, 0.05)


TOLD = [
    "0 watched watch", "10 raised alert shift", "25 escalated alert manager, hub", "40 acknowledged alert Dr Martin",
    "70 cleared normal",
]  # fmt: skip
SENT = [
    "10 raised shift", "25 escalated manager", "25 escalated hub", "70 cleared shift", "70 cleared manager",
    "70 cleared hub",
]  # fmt: skip


def test_the_story_of_an_alarm_is_in_the_log_and_everybody_is_told_once() -> None:
    with department() as d:
        story(d)
        assert (d.log, d.queued) == (TOLD, SENT)
        assert d.alerts.alarms == ()


@pytest.mark.parametrize("at", range(7))
def test_a_house_that_starts_again_at_any_point_goes_on_as_if_it_had_not(at: int) -> None:
    with department() as d:
        steps = [(0, 0.25), (10, 0.5), (20, 0.6), (25, None), (40, 0.5), None, (70, 0.05)]
        for i, step in enumerate(steps):
            if i == at:
                d.restart()
            if step is None:
                d.alerts.acknowledge("crowded-20261124T111000Z", "Dr Martin")
            else:
                d.after(*step)
        assert (d.log, d.queued) == (TOLD, SENT)


def test_a_house_that_forgets_tells_everybody_again() -> None:
    """The mutant: it starts from nothing instead of from the log."""

    class Forgetful(alerts.Alerts):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            self._states = {}

    with department(kind=Forgetful) as d:
        d.after(0, 0.5)
        d.restart()
        d.after(10, 0.5)
        assert d.log == ["0 raised alert shift", "10 raised alert shift"]
    with department() as d:
        d.after(0, 0.5)
        d.restart()
        d.after(10, 0.5)
        assert d.log == ["0 raised alert shift"]


def test_who_has_it_stops_the_next_ones_from_being_told() -> None:
    with department() as d:
        d.after(0, 0.5)
        d.after(14)
        d.alerts.acknowledge(ALARM, "Dr Martin")
        d.after(60)
        assert d.queued == ["0 raised shift"]
        [shown] = d.alerts.alarms
        assert (shown.acknowledged_by, shown.acknowledged_at, shown.told) == ("Dr Martin", NOON + 14 * MIN, ("shift",))


def test_a_snooze_holds_back_the_next_ones_and_new_alarms_of_the_rule_and_not_the_wall() -> None:
    with department() as d:
        d.after(0, 0.5)
        d.alerts.snooze(ALARM, "Dr Martin", 60)
        d.after(40, 0.0)  # over
        d.after(50, 0.5)  # and on again, within the snooze: on the wall, nobody told
        assert [a.name for a in d.alerts.alarms] == ["crowded-20261124T115000Z"]
        assert d.queued == ["0 raised shift", "40 cleared shift"]
        d.after(59)
        assert len(d.queued) == 2
        d.after(61)  # the snooze is over and it is still on
        d.after(75)
        assert len(d.queued) == 3
        d.after(76)
        assert d.queued[2:] == ["61 escalated shift", "76 escalated manager", "76 escalated hub"]


@pytest.mark.parametrize(
    ("who", "note", "rule"),
    [("", "", "who it is must be said"), ("x" * 61, "", "who it is must be said"), ("Dr", "y" * 201, "a note must be")],
)
def test_an_answer_must_say_who_and_be_short(who: str, note: str, rule: str) -> None:
    with department() as d:
        d.after(0, 0.5)
        with pytest.raises(AlarmError, match=rule):
            d.alerts.acknowledge(ALARM, who, note)
        with pytest.raises(AlarmError, match="at most 720 min, but is 721"):
            d.alerts.snooze(ALARM, "Dr", 721)
        assert d.log == ["0 raised alert shift"]


def test_what_is_over_cannot_be_acknowledged() -> None:
    with department() as d, pytest.raises(AlarmError, match="not on any more"):
        d.alerts.acknowledge(ALARM, "Dr Martin")


def test_a_rule_that_is_no_more_ends_its_alarm() -> None:
    with department() as d:
        d.after(0, 0.5)
        d.rules = d.rules.model_copy(update={"rule": {}})
        d.restart()
        assert d.alerts.alarms == ()
        d.alerts.judge({}, NOON + 10 * MIN)
        assert d.log == ["0 raised alert shift", "10 cleared normal"]


def test_what_is_written_and_not_kept_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log first: a write that fails leaves no alarm that no log knows of; it is raised with the next forecast."""
    with department() as d:
        with monkeypatch.context() as broken:
            broken.setattr(d.alerts.log, "add", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                d.after(0, 0.5)
        assert d.alerts.alarms == ()
        d.after(10, 0.5)
        assert d.log == ["10 raised alert shift"]


def test_another_threshold_from_the_budget_counts_in_place_of_the_files() -> None:
    with department() as d:
        at = NOON
        d.alerts.judge({"crowded": said(0.5, at)}, at, p_alert={"crowded": 0.6})
        assert d.log == ["0 watched watch"]


def test_a_replay_tells_nobody() -> None:
    with department() as d:
        d.alerts.place = replace(d.alerts.place, mode="replay")
        story(d)
        assert (d.log, d.queued) == (TOLD, [])


def test_alarms_come_before_watches_and_the_soonest_first() -> None:
    text = RULES + "".join(
        f'[rule.{name}]\nfr = "{name} fr"\nen = "{name} en"\nmeasure = "ed_census"\nover = 60\n' for name in ("a", "b")
    )
    with department(text) as d:
        soon = replace(said(0.5, NOON, "b"), first=(NOON, NOON + MIN, NOON + 2 * MIN))
        d.alerts.judge({"crowded": said(0.5, NOON), "a": said(0.3, NOON, "a"), "b": soon}, NOON)
        assert [(a.rule, a.level) for a in d.alerts.alarms] == [("b", "alert"), ("crowded", "alert"), ("a", "watch")]
        d.alerts.acknowledge(d.alerts.alarms[0].name, "Dr Martin")
        assert [a.rule for a in d.alerts.alarms] == ["crowded", "b", "a"], "what nobody has comes first"


def test_the_limits_of_a_watch_move_with_those_of_an_alarm() -> None:
    with department() as d:
        rule = d.rules.rule["crowded"]
        assert alert_levels.Limits.of(rule, 0.6) == Limits(0.2 * 0.6 / 0.4, 0.6, 0.5, 30 * MIN)
