"""Alarms: list what became of them, check a file of rules, set the rules from a budget of false alarms."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from dashboard.commands.calibrate import span_of
from dashboard.commands.said import progress, say
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house, require_data
from dashboard.panels.alerts import setting_words
from dashboard.words import Reader
from forecast.alert_history import Stretch, trials
from forecast.alert_log import AlarmLog, Entry
from forecast.alert_rules import AlertRules, load_rules
from forecast.alert_settings import AlertSettings
from forecast.alert_trials import settings_of_trials
from forecast.ensemble import Run
from forecast.pages import AlertSetting, Measured
from forecast.workers import GENTLY

_READER = Reader("en", "UTC")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin alerts`."""
    command.add_argument("action", choices=("list", "check", "set"), help="what to do")
    command.add_argument("file", nargs="?", type=Path, metavar="ALERTS.toml", help="of check: a file of rules")
    command.add_argument("--days", type=int, default=56, metavar="N", help="of set: days that are forecast again")
    command.add_argument("--members", type=int, help="of set: runs of each ensemble (default 100)")


def run(options: argparse.Namespace) -> None:
    """Do it."""
    if options.action == "check":
        rules = load_rules(options.file or settings_of(options).alerts)
        say(options, _rules_told(rules), lambda: "\n".join(_rule_lines(rules)))
        return
    with open_house(require_data(settings_of(options))) as house:
        (_list if options.action == "list" else _set)(house, options)


def _list(house: House, options: argparse.Namespace) -> None:
    entries = AlarmLog(house.database).entries()
    told = [
        {**asdict(e), "noted_at": e.noted_at.isoformat(), "until": e.until and e.until.isoformat()} for e in entries
    ]
    say(options, {"log": told}, lambda: "\n".join(map(_line, entries)) or "there was no alarm yet")


def _line(entry: Entry) -> str:
    parts = [
        f"{entry.noted_at:%Y-%m-%d %H:%M}",
        entry.alarm,
        entry.what,
        entry.level,
        entry.who or "",
        entry.note or "",
    ]
    said = entry.told.get("en", "") if entry.what == "raised" else ""
    return "  ".join(part for part in (*parts, said) if part)


def _set(house: House, options: argparse.Namespace) -> None:
    """Forecast the last days again, set the rules, keep that, and print it."""
    if options.days < 1:
        raise CommandError(f"--days must be 1 or more, but is {options.days}")
    end = span_of(house).last_occurred_at
    how = Run(options.members or 100, 600.0, 15.0, house.settings.seed)
    stretch = Stretch(end - timedelta(days=options.days), end, how=how, own_beds=house.own_hospital)
    workers = house.workers(gives_way=GENTLY)
    try:
        with progress("issues") as bar:
            found = trials(
                house.log, house.hospital, house.scenarios()[0], house.rules, stretch,
                spaces=house.hospital.spaces if house.own_hospital else None, executor=workers, progress=bar,
            )  # fmt: skip
    finally:
        workers.shutdown()
    made = settings_of_trials(found, house.rules, end)
    AlertSettings(house.database).set(made)
    too_little = [name for name in found if name not in made]
    told = {name: _told(one) for name, one in made.items()}
    say(options, {"set": told, "too_little": too_little}, lambda: "\n".join(_set_lines(made, too_little)))


def _told(setting: AlertSetting) -> dict[str, Any]:
    return {**asdict(setting), "set_at": setting.set_at.isoformat()}


def _set_lines(made: Mapping[str, AlertSetting], too_little: list[str]) -> list[str]:
    lines = []
    for name, one in made.items():
        lines.append(f"{name}: {setting_words(one, _READER)}")
        lines += [f"  {_measured(each)}" for each in (one.own, *one.rivals)]
    return [*lines, *(f"{name}: too few days or events to be set" for name in too_little)]


def _measured(one: Measured) -> str:
    """One row: from which chance on, events seen, false alarms a week, notice."""
    if one.p_alert is None or one.hit_rate is None or one.false_a_week is None:
        return f"{one.name:20} keeps to the budget at no chance"
    rate, low, high = (f"{100 * share:.0f}" for share in one.hit_rate)
    notice = "no notice" if one.notice_min is None else f"{one.notice_min[0]:.0f} min notice"
    return (
        f"{one.name:20} from {one.p_alert:.2f} on: {one.hits} of {one.events} events ({rate} %, {low} to {high}), "
        f"{one.false_a_week[0]:.1f} false a week, {notice}"
    )


def _rules_told(rules: AlertRules) -> dict[str, Any]:
    kinds = {name: "email" if one.email else "webhook" for name, one in rules.recipient.items()}
    return {"rules": list(rules.rule), "recipients": kinds, "told": {n: rules.steps(n) for n in rules.rule}}


def _rule_lines(rules: AlertRules) -> list[str]:
    lines = []
    for name, rule in rules.rule.items():
        bound = f"over {rule.over}" if rule.over is not None else f"under {rule.under}"
        steps = ", then ".join(" and ".join(step) for step in rules.steps(name)) or "nobody"
        lines.append(f"{name}: {rule.measure} {bound}, from {rule.p_alert:g} on; tells {steps}")
    return lines or ["nothing is watched"]
