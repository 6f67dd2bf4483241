"""The alarm log: what was raised, who was told, who took it on, when it was over. Rows are only ever added.

What stands is a fold of the rows, so a house that starts again, or is replayed, stands where it stood:

    log = AlarmLog(database)
    log.add([Entry(now, "crowded-20261124T1330Z", "crowded", "raised", ...)], [Step(...)])     # all of it, or nothing
    standing = fold(log.entries())
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from forecast.alert_levels import Standing
from forecast.alert_rules import Level
from ingest.database import Database, aware, naive

What = Literal["watched", "raised", "escalated", "acknowledged", "snoozed", "cleared"]
"""`watched`: a level below an alarm was entered, or left for normal."""
Outcome = Literal["queued", "failed", "sent", "dead"]

_ADD = {
    "alarm_log": "INSERT INTO alarm_log BY NAME SELECT * FROM incoming",
    "alarm_delivery": "INSERT INTO alarm_delivery BY NAME SELECT * FROM incoming",
}
_LAST = {
    "alarm_log": "SELECT coalesce(max(number), 0) FROM alarm_log",
    "alarm_delivery": "SELECT coalesce(max(number), 0) FROM alarm_delivery",
}
_ENTRIES = pa.schema(
    [
        ("number", pa.int64()),
        ("noted_at", pa.timestamp("us")),
        ("until", pa.timestamp("us")),
        *((name, pa.string()) for name in ("alarm", "rule", "what", "level", "who", "note", "told")),
    ]
)
_STEPS = pa.schema(
    [
        ("number", pa.int64()),
        ("noted_at", pa.timestamp("us")),
        ("attempt", pa.int32()),
        ("next_at", pa.timestamp("us")),
        *((name, pa.string()) for name in ("key", "alarm", "recipient", "what", "outcome", "error", "message")),
    ]
)


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    noted_at: datetime
    alarm: str
    """Its name: the rule and when it was raised; of a watch, the rule's alone."""
    rule: str
    what: What
    level: Level
    """The rule's level from then on."""
    who: str | None = None
    """Who was told, or who acknowledged or snoozed."""
    note: str | None = None
    until: datetime | None = None
    """Of a snooze: its end."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What was said: sentences, chance, threshold."""


@dataclass(frozen=True)
class Step:
    """One step of a message on its way to a recipient; the last one of a key is how it stands."""

    noted_at: datetime
    key: str
    """The message and its recipient: sent twice, it bears the same."""
    alarm: str
    recipient: str
    what: What
    outcome: Outcome
    attempt: int = 0
    next_at: datetime | None = None
    """When it is tried again; None where it will not be."""
    error: str | None = None
    """Why it was not taken, without addresses or content."""
    message: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Alarm:
    """An alarm that is on."""

    name: str
    rule: str
    raised_at: datetime
    told: Mapping[str, Any]
    steps_told: int = 0
    """How many steps of recipients were told; none where the rule was snoozed, or has nobody to tell."""
    told_at: datetime | None = None
    """When the last of them was."""
    recipients: tuple[str, ...] = ()
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    note: str | None = None


_NOT_LOOKED = Standing()


@dataclass(frozen=True)
class RuleState:
    """How one rule stands."""

    standing: Standing = _NOT_LOOKED
    alarm: Alarm | None = None
    snoozed_until: datetime | None = None


def fold(entries: Iterable[Entry]) -> dict[str, RuleState]:
    """How every rule stands after the entries, in their order."""
    out: dict[str, RuleState] = {}
    for entry in entries:
        out[entry.rule] = after(out.get(entry.rule, RuleState()), entry)
    return out


def after(state: RuleState, entry: Entry) -> RuleState:
    """How a rule stands after one more entry; what speaks of an alarm that is not on changes nothing."""
    if entry.what == "watched":
        return replace(state, standing=Standing(entry.level, entry.noted_at))
    if entry.what == "raised":
        names = _names(entry.who)
        new = Alarm(entry.alarm, entry.rule, entry.noted_at, entry.told, int(bool(names)), entry.noted_at, names)
        return replace(state, standing=Standing(entry.level, entry.noted_at), alarm=new)
    alarm = state.alarm
    if alarm is None or alarm.name != entry.alarm:
        return state
    if entry.what == "cleared":
        return RuleState(Standing(entry.level, entry.noted_at), None, state.snoozed_until)
    if entry.what == "acknowledged":
        return replace(
            state,
            alarm=replace(
                alarm, acknowledged_by=entry.who, acknowledged_at=entry.noted_at, note=entry.note or alarm.note
            ),
        )
    if entry.what == "snoozed":
        return replace(state, snoozed_until=entry.until)
    more = tuple(dict.fromkeys((*alarm.recipients, *_names(entry.who))))
    return replace(
        state, alarm=replace(alarm, steps_told=alarm.steps_told + 1, told_at=entry.noted_at, recipients=more)
    )


def _names(who: str | None) -> tuple[str, ...]:
    return tuple(who.split(", ")) if who else ()


class AlarmLog:
    """The log's two tables. Each write is one transaction, and nothing is ever changed or taken away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entries: Sequence[Entry], steps: Sequence[Step] = ()) -> None:
        """Keep entries and the first steps of their messages: all, or nothing."""
        if not entries and not steps:
            return
        with self._database.transaction() as cursor:
            self._insert(cursor, "alarm_log", entries, _ENTRIES)
            self._insert(cursor, "alarm_delivery", steps, _STEPS)

    def entries(self, limit: int | None = None) -> list[Entry]:
        """All entries, or the last ones, in the order in which they were made."""
        rows = self._rows("SELECT * EXCLUDE (number) FROM alarm_log ORDER BY number DESC LIMIT ?", [limit])
        return [Entry(**_read(row, "told", "noted_at", "until")) for row in reversed(rows)]

    def steps(self) -> list[Step]:
        """How every message stands: the last step of each key, the oldest first, with the message of its first."""
        rows = self._rows(
            """SELECT arg_max(noted_at, number) AS noted_at, key, any_value(alarm) AS alarm,
                      any_value(recipient) AS recipient, any_value(what) AS what, arg_max(outcome, number) AS outcome,
                      arg_max(attempt, number) AS attempt, arg_max_null(next_at, number) AS next_at,
                      arg_max_null(error, number) AS error, arg_min(message, number) AS message
               FROM alarm_delivery GROUP BY key ORDER BY min(number)""",
            [],
        )
        return [Step(**_read(row, "message", "noted_at", "next_at")) for row in rows]

    def _insert(self, cursor: Any, table: str, rows: Sequence[Any], schema: pa.Schema) -> None:
        """Number the rows on from the last one: there is one writer at a time."""
        if not rows:
            return
        [(last,)] = cursor.execute(_LAST[table]).fetchall()
        columns = [{"number": number, **_stored(asdict(row))} for number, row in enumerate(rows, start=last + 1)]
        cursor.register("incoming", pa.Table.from_pylist(columns, schema))
        cursor.execute(_ADD[table])
        cursor.unregister("incoming")

    def _rows(self, query: str, values: list[Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._database.cursor().sql(query, params=values).to_arrow_table().to_pylist()
        return found


def _stored(row: dict[str, Any]) -> dict[str, Any]:
    return {
        name: naive(value) if isinstance(value, datetime)
        else json.dumps(value, ensure_ascii=False, allow_nan=False) if isinstance(value, Mapping)
        else value
        for name, value in row.items()
    }  # fmt: skip


def _read(row: dict[str, Any], text: str, *instants: str) -> dict[str, Any]:
    out = dict(row)
    out[text] = json.loads(out[text]) if out[text] else {}
    return out | {name: aware(out[name]) if out[name] is not None else None for name in instants}
