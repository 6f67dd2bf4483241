"""From a forecast to alarms: thresholds of this hospital, chances from members, rivals; and the page of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any

from forecast.alert_ahead import Rivals, chances_of, rivals_of
from forecast.alert_deliveries import tallies
from forecast.alert_history import Stretch, trials
from forecast.alert_log import Entry
from forecast.alert_rules import Rule
from forecast.alert_settings import AlertSettings, Said
from forecast.alert_trials import settings_of_trials, trials_of
from forecast.alerts import Alerts
from forecast.baselines import History
from forecast.pages import AlarmLine, AlertsView, RuleView, Tension
from forecast.situation import Situation
from forecast.tension import BJML_YEARS
from forecast.tension_days import DayTold, days_told
from forecast.tension_now import nedocs_ahead, tension, told_now
from forecast.usual import STEP_MIN
from forecast.values import Array, Forecast
from ingest.log import EventLog
from twin.hospital import Hospital
from twin.scenarios import Scenario
from twin.state import State

LINES_SHOWN = 60
SET_EVERY, SET_FROM = timedelta(days=1), timedelta(days=84)
"""How often rules are set anew, and from how long a past."""
DAYS_EVERY = timedelta(hours=1)
SET_STEP = timedelta(minutes=30)
"""Of what was said, what is this far apart is enough."""
logger = logging.getLogger(__name__)


class _GivenUpError(Exception):
    """The house ends."""


class Watch:
    """Judges the rules by each forecast, and keeps what was said of them."""

    def __init__(self, alerts: Alerts, settings: AlertSettings, spaces: int | None) -> None:
        self.alerts, self.settings, self._spaces = alerts, settings, spaces
        self._set_at: datetime | None = None
        self._days_at: datetime | None = None
        self._days: dict[date, DayTold] = {}
        self._tension: Tension | None = None

    def look(self, forecast: Forecast, situation: Situation, history: History, rivals: Rivals, state: State) -> None:
        """Judge every rule by a forecast that is published; what cannot be judged stays as it is."""
        members = forecast.members.get(next(iter(forecast.scenarios)))
        if members is None:
            return
        hospital, as_of = situation.calibration.hospital, forecast.as_of
        told = told_now(state, situation, members, history, self.alerts.rules.site, self._spaces,
                        self._past_days(state, as_of))  # fmt: skip
        score = nedocs_ahead(told)
        more = {} if score is None else {"nedocs": score}
        chances = chances_of(self.alerts.rules.rule, members, history, as_of, hospital.zone, self._spaces, more)
        said = {name: rivals_of(one, forecast.lead_min[1:], rivals) for name, one in chances.items()}
        self.settings.keep(as_of, chances, said)
        wards = {unit.name: (unit.fr, unit.en) for unit in hospital.wards}
        self.alerts.judge(chances, as_of, p_alert=self.settings.p_alert, wards=wards)
        self._tension = tension(told)
        if self._set_at is None or as_of - self._set_at >= SET_EVERY:
            self._set_at = as_of
            self._set_anew(history, as_of)

    def _past_days(self, state: State, as_of: datetime) -> dict[date, DayTold]:
        """What each day was that the log tells; read anew once an hour."""
        if self._days_at is None or as_of - self._days_at >= DAYS_EVERY:
            self._days_at = as_of
            since = as_of - timedelta(days=366 * (BJML_YEARS + 1))
            self._days = days_told(state.visits.values(), self.alerts.place.zone, since)
        return self._days

    def _set_anew(self, history: History, as_of: datetime) -> None:
        """Set the rules that have a budget from what was said live, once that is enough; until then what was set from
        a past that was forecast again stays. It must not cost a cycle: what goes wrong is logged."""
        since = as_of - SET_FROM
        budgeted = {name: rule for name, rule in self.alerts.rules.rule.items() if rule.false_a_week is not None}
        try:
            said = {name: _thinned(self.settings.said(name, since, as_of)) for name in budgeted}
            at, measures = _since(history, since)
            found = trials_of(budgeted, said, at, measures, self.alerts.place.zone)
            self.settings.set(settings_of_trials(found, self.alerts.rules, as_of))
        except Exception:
            logger.exception("the rules of alarms could not be set anew")

    def measure(
        self, log: EventLog, hospital: Hospital, usual: Scenario, stretch: Stretch, executor: Executor,
        go_on: Callable[[], bool],
    ) -> None:  # fmt: skip
        """Set the rules that have a budget from a past that is forecast again; given up where it may not go on.

        Raises TwinError where too little history comes before it.
        """

        def heard(_done: int, _of: int) -> None:
            if not go_on():
                raise _GivenUpError

        rules = self.alerts.rules
        with suppress(_GivenUpError):
            found = trials(log, hospital, usual, rules, stretch, spaces=self._spaces, executor=executor, progress=heard)
            self.settings.set(settings_of_trials(found, rules, stretch.last_at))

    def view(self, now: datetime, *, held: bool) -> AlertsView:
        """The page of the alerts at a moment."""
        alerts = self.alerts
        return AlertsView(
            now, alerts.place.zone, alerts.place.hospital, alerts.place.mode, alerts.alarms,
            tuple(self._rule(name, rule) for name, rule in alerts.rules.rule.items()),
            tuple(self._line(entry) for entry in reversed(alerts.log.entries(LINES_SHOWN))),
            tallies(alerts.rules, alerts.log.steps()), alerts.judged_at, held, alerts.place.sends, self._tension,
        )  # fmt: skip

    def _rule(self, name: str, rule: Rule) -> RuleView:
        told = self.alerts.told(name)
        return RuleView(
            name, rule.fr, rule.en, self.alerts.state(name).standing.level, told.get("fr"), told.get("en"),
            told.get("p"), self.settings.p_alert.get(name, rule.p_alert), rule.false_a_week,
            self.settings.settings.get(name),
        )  # fmt: skip

    def _line(self, entry: Entry) -> AlarmLine:
        rule = self.alerts.rules.rule.get(entry.rule)
        fr, en = (rule.fr, rule.en) if rule else (entry.rule, entry.rule)
        told: Mapping[str, Any] = entry.told
        return AlarmLine(
            entry.noted_at, fr, en, entry.what, entry.level, entry.who, entry.note, told.get("fr"), told.get("en"),
            entry.until,
        )  # fmt: skip


def _thinned(said: Sequence[Said]) -> list[Said]:
    """At most one in each stretch of `SET_STEP`."""
    kept: list[Said] = []
    for one in said:
        if not kept or one.as_of - kept[-1].as_of >= SET_STEP:
            kept.append(one)
    return kept


def _since(history: History, since: datetime) -> tuple[list[datetime], dict[str, Array]]:
    """The instants of the past from one on, and its measures at them."""
    step = timedelta(minutes=STEP_MIN)
    first = max(0, -((history.start_at - since) // step))
    at = [history.start_at + i * step for i in range(first, history.now_index + 1)]
    return at, {name: values[first : history.now_index + 1] for name, values in history.measures.items()}
