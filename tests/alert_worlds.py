"""A small world of alarms: rules of a few lines, chances said by hand, a clock that is moved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forecast.alert_chances import Chance
from forecast.alert_rules import AlertRules
from forecast.alerts import Alerts, Place
from forecast.archive import SCHEMA_SQL
from ingest.clock import SimulatedClock
from ingest.configuration import parse
from ingest.database import Database

NOON = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
"""In Paris."""
MIN = timedelta(minutes=1)
HOSPITAL = Place("Valmont", "Europe/Paris")
RULES = """
tell = [["shift"], ["manager", "hub"]]
[rule.crowded]
fr = "Urgences pleines"
en = "Crowded department"
measure = "ed_census"
over = 60
p_alert = 0.4
p_watch = 0.2
falls_at = 0.5
dwell_min = 30
escalate_min = 15
[mail]
host = "127.0.0.1"
sender = "edtwin@valmont.example"
starttls = false
[recipient.shift]
email = "shift@valmont.example"
[recipient.manager]
email = "manager@valmont.example"
language = "en"
[recipient.hub]
webhook = "http://127.0.0.1:9/hook"
secret_file = "hub.secret"
"""


def rules_of(text: str = RULES) -> AlertRules:
    return parse(text, AlertRules, place="alerts.toml")


def said(p: float, at: datetime, rule: str = "crowded") -> Chance:
    """A forecast that says a chance of the rule."""
    first = (at + 60 * MIN, at + 120 * MIN, at + 240 * MIN)
    return Chance(
        rule, "ed_census", at, at + 480 * MIN, 60.0, True, p, 41.0, first if p else None, (50.0, 58.0, 66.0),
        at + 180 * MIN,
    )  # fmt: skip


class Department:
    """Alarms with their clock; `restart` is a house that ends and begins again."""

    def __init__(self, database: Database, rules: AlertRules, kind: type[Alerts] = Alerts) -> None:
        self.database, self.rules, self.kind = database, rules, kind
        self.clock = SimulatedClock(NOON)
        self.alerts = kind(rules, database, self.clock, HOSPITAL)

    def after(self, minutes: float, p: float | None = None) -> None:
        """So many minutes after noon, and what a forecast says then, if there is one."""
        at = NOON + minutes * MIN
        self.clock.advance_to(at)
        if p is None:
            self.alerts.tick(at)
        else:
            self.alerts.judge({"crowded": said(p, at)}, at)

    def restart(self) -> None:
        self.alerts = self.kind(self.rules, self.database, self.clock, HOSPITAL)

    @property
    def log(self) -> list[str]:
        """The log, a line an entry: minutes after noon, what, the level, who."""
        return [
            " ".join([f"{(e.noted_at - NOON) / MIN:g}", e.what, e.level, *([e.who] if e.who else [])])
            for e in self.alerts.log.entries()
        ]

    @property
    def queued(self) -> list[str]:
        """The messages that were ever queued: minutes, what, to whom."""
        return [f"{(s.noted_at - NOON) / MIN:g} {s.what} {s.recipient}" for s in self.alerts.log.steps()]


@contextmanager
def department(text: str = RULES, path: Path | None = None, kind: type[Alerts] = Alerts) -> Iterator[Department]:
    with Database.open(path, [SCHEMA_SQL], threads=1) as database:
        yield Department(database, rules_of(text), kind)
