"""From a forecast to alarms: thresholds of this hospital, chances from members, rivals; and the page of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from forecast.alert_chances import Chance, chance, rival_chance, until_of
from forecast.alert_deliveries import tallies
from forecast.alert_log import Entry
from forecast.alert_rules import Rule
from forecast.alert_settings import AlertSettings
from forecast.alert_thresholds import beds_free, threshold_of
from forecast.alerts import Alerts
from forecast.baselines import History
from forecast.pages import AlarmLine, AlertsView, RuleView
from forecast.situation import Situation
from forecast.values import Array, Forecast, Members, Series

LINES_SHOWN = 60
Rivals = Mapping[str, Mapping[str, Series]]
"""Baseline to measure to its distribution at the leads after 0."""


class Watch:
    """Judges the rules by each forecast, and keeps what was said of them."""

    def __init__(self, alerts: Alerts, settings: AlertSettings, spaces: int | None) -> None:
        self.alerts, self.settings, self._spaces = alerts, settings, spaces

    def look(self, forecast: Forecast, situation: Situation, history: History, rivals: Rivals) -> None:
        """Judge every rule by a forecast that is published; what cannot be judged stays as it is."""
        members = forecast.members.get(next(iter(forecast.scenarios)))
        if members is None:
            return
        hospital, as_of = situation.calibration.hospital, forecast.as_of
        chances = chances_of(self.alerts.rules.rule, members, history, as_of, hospital.zone, self._spaces)
        said = {name: rivals_of(one, forecast.lead_min[1:], rivals) for name, one in chances.items()}
        self.settings.keep(as_of, chances, said)
        wards = {unit.name: (unit.fr, unit.en) for unit in hospital.wards}
        self.alerts.judge(chances, as_of, p_alert=self.settings.p_alert, wards=wards)

    def view(self, now: datetime, *, held: bool) -> AlertsView:
        """The page of the alerts at a moment."""
        alerts = self.alerts
        return AlertsView(
            now, alerts.place.zone, alerts.place.hospital, alerts.place.mode, alerts.alarms,
            tuple(self._rule(name, rule) for name, rule in alerts.rules.rule.items()),
            tuple(self._line(entry) for entry in reversed(alerts.log.entries(LINES_SHOWN))),
            tallies(alerts.rules, alerts.log.steps()), alerts.judged_at, held, alerts.place.sends,
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


def chances_of(
    rules: Mapping[str, Rule], members: Members, history: History, as_of: datetime, zone: str, spaces: int | None
) -> dict[str, Chance]:
    """What members say of each rule; rules whose measure or threshold nothing tells are left out."""
    measures = derived_ahead(members.measures)
    out = {}
    for name, rule in rules.items():
        threshold = threshold_of(rule, history, spaces)
        if threshold is None or rule.measure not in measures:
            continue
        found = chance(
            rule, name, measures[rule.measure], members.lead_min, threshold=threshold, as_of=as_of,
            until=until_of(rule, as_of, zone),
        )  # fmt: skip
        if found is not None:
            out[name] = found
    return out


def rivals_of(found: Chance, lead_min: Array, rivals: Rivals) -> dict[str, float]:
    """What each rival gives to the same, of those that tell the measure."""
    until_min = (found.until - found.as_of) / timedelta(minutes=1)
    return {
        name: rival_chance(
            told[found.measure], lead_min, threshold=found.threshold, is_over=found.is_over, until_min=until_min
        )
        for name, told in rivals.items()
        if found.measure in told
    }


def derived_ahead(measures: Mapping[str, Array]) -> dict[str, Array]:
    """The members' measures, `(lead, member)`, and what is made of them member by member."""
    return {**measures, **beds_free(measures)}
