"""Alarms: rules judged by each forecast, raised and cleared, told step by step, taken on by a person.

    alerts = Alerts(load_rules(None), database, clock, zone="Europe/Paris", hospital="..", mode="live")
    alerts.judge(chances, as_of)                     # after each forecast: levels move, alarms are raised and cleared
    alerts.acknowledge(alarm, "Dr Martin", "..")     # from the page; snooze() likewise
    alerts.tick(now)                                 # between forecasts: who did not answer is followed by the next

What stands is a fold of the alarm log (`alert_log.py`): each change is first written, whole, with the messages that it
sends, and then believed. A house that starts again stands where it stood and sends nothing twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from forecast.alert_chances import Chance
from forecast.alert_levels import Limits, moved
from forecast.alert_log import AlarmLog, Entry, RuleState, Step, What, after, fold
from forecast.alert_rules import AlertRules, Level
from forecast.alert_words import is_now, sentence
from forecast.board import Alarm
from forecast.errors import AlarmError
from ingest.clock import Clock
from ingest.database import Database

LONGEST_SNOOZE = timedelta(hours=12)
LONGEST_NAME, LONGEST_NOTE = 60, 200
_LANGUAGES: tuple[Literal["fr", "en"], ...] = ("fr", "en")


@dataclass(frozen=True)
class Place:
    """Whose alarms they are."""

    hospital: str
    zone: str
    mode: str = "live"
    """In a "replay" or an "exercise" nobody is told: it would be believed."""

    @property
    def sends(self) -> bool:
        """Whether anybody is told."""
        return self.mode not in ("replay", "exercise")


Wards = Mapping[str, tuple[str, str]]
"""A ward's name in the log to its names in French and in English."""


class Alerts:
    """One hospital's alarms; safe to be called from several threads."""

    def __init__(self, rules: AlertRules, database: Database, clock: Clock, place: Place) -> None:
        self.rules, self.place = rules, place
        self._log, self._clock = AlarmLog(database), clock
        self._lock = threading.RLock()
        self._states = fold(self._log.entries())
        self._told: dict[str, dict[str, Any]] = {}
        self.chances: dict[str, Chance] = {}
        self.judged_at: datetime | None = None

    # --- after a forecast -----------------------------------------------------------------------------------------

    def judge(
        self,
        chances: Mapping[str, Chance],
        now: datetime,
        *,
        p_alert: Mapping[str, float] | None = None,
        wards: Wards | None = None,
    ) -> None:
        """Move every rule's level by what a forecast says of it; rules that it says nothing of stay as they are.

        1. What each rule says, in words.
        2. Levels move; alarms of rules that are no more are cleared.
        3. Whoever is due to be told next is told.
        """
        with self._lock:
            self.chances, self.judged_at = dict(chances), now
            self._told |= {name: self._words(chance, wards or {}) for name, chance in chances.items()}  # 1
            for name, chance in chances.items():  # 2
                self._move(name, chance, (p_alert or {}).get(name), now)
            for name in set(self._states) - set(self.rules.rule):
                self._clear(name, "normal", now, "the rule is no more")
            self.tick(now)  # 3

    def tick(self, now: datetime) -> None:
        """Tell the next step of recipients where nobody acknowledged in time, or a snooze is over."""
        with self._lock:
            for name, state in list(self._states.items()):
                if self._is_next_due(name, state, now):
                    self._tell_next(name, state, now)

    def _move(self, name: str, chance: Chance, p_alert: float | None, now: datetime) -> None:
        state, rule = self.state(name), self.rules.rule[name]
        standing = moved(state.standing, chance.p, Limits.of(rule, p_alert), now)
        if standing.level == state.standing.level:
            return
        if standing.level == "alert":
            self._raise(name, state, now)
        elif state.alarm is not None:
            self._clear(name, standing.level, now)
        else:
            self._write(Entry(now, name, name, "watched", standing.level, told=self._told[name]))

    def _raise(self, name: str, state: RuleState, now: datetime) -> None:
        """A new alarm; of a snoozed rule nobody is told before the snooze is over."""
        snoozed = state.snoozed_until is not None and now < state.snoozed_until
        steps = self.rules.steps(name)
        first = steps[0] if steps and not snoozed else ()
        alarm = f"{name}-{now:%Y%m%dT%H%M%SZ}"
        entry = Entry(now, alarm, name, "raised", "alert", who=", ".join(first) or None, told=self._told[name])
        self._write(entry, first)

    def _clear(self, name: str, level: Level, now: datetime, note: str | None = None) -> None:
        """Over; whoever was told of it is told."""
        alarm = self.state(name).alarm
        if alarm is None:
            return
        told = self._told.get(name, dict(alarm.told))
        self._write(Entry(now, alarm.name, name, "cleared", level, note=note, told=told), alarm.recipients)

    def _is_next_due(self, name: str, state: RuleState, now: datetime) -> bool:
        alarm, quiet_until = state.alarm, state.snoozed_until
        if alarm is None or alarm.acknowledged_at is not None or alarm.steps_told >= len(self.rules.steps(name)):
            return False
        if quiet_until is not None and now < quiet_until:
            return False
        if alarm.steps_told == 0:
            return True
        since = max(at for at in (alarm.told_at, quiet_until, alarm.raised_at) if at is not None)
        return now - since >= timedelta(minutes=self.rules.rule[name].escalate_min)

    def _tell_next(self, name: str, state: RuleState, now: datetime) -> None:
        if state.alarm is None:
            return
        nth = state.alarm.steps_told
        who = self.rules.steps(name)[nth]
        told = self._told.get(name, dict(state.alarm.told))
        self._write(Entry(now, state.alarm.name, name, "escalated", "alert", who=", ".join(who), told=told), who, nth)

    # --- by a person ----------------------------------------------------------------------------------------------

    def acknowledge(self, alarm: str, who: str, note: str = "") -> None:
        """Somebody has taken it on: nobody else is told. Raises AlarmError where it is not on, or nobody is named."""
        with self._lock:
            self._write(self._by_person(alarm, "acknowledged", who, note))

    def snooze(self, alarm: str, who: str, minutes: float, note: str = "") -> None:
        """Tell nobody of this rule for a while; it stays on the wall. Raises AlarmError as `acknowledge`."""
        span = timedelta(minutes=minutes)
        if not timedelta(0) < span <= LONGEST_SNOOZE:
            most = LONGEST_SNOOZE / timedelta(minutes=1)
            raise AlarmError(f"a snooze must be more than 0 and at most {most:g} min, but is {minutes:g}")
        with self._lock:
            self._write(self._by_person(alarm, "snoozed", who, note, self._clock.now() + span))

    def _by_person(self, alarm: str, what: What, who: str, note: str, until: datetime | None = None) -> Entry:
        found = next((s for s in self._states.values() if s.alarm is not None and s.alarm.name == alarm), None)
        if found is None or found.alarm is None:
            raise AlarmError("this alarm is not on any more")
        name, text = " ".join(who.split()), " ".join(note.split())
        if not name or len(name) > LONGEST_NAME:
            raise AlarmError(f"who it is must be said in 1 to {LONGEST_NAME} characters")
        if len(text) > LONGEST_NOTE:
            raise AlarmError(f"a note must be {LONGEST_NOTE} characters or less, but is {len(text)}")
        return Entry(self._clock.now(), alarm, found.alarm.rule, what, "alert", name, text or None, until)

    # --- what stands ----------------------------------------------------------------------------------------------

    def state(self, name: str) -> RuleState:
        """How a rule stands."""
        return self._states.get(name, RuleState())

    @property
    def log(self) -> AlarmLog:
        """What became of every alarm."""
        return self._log

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """What is on, the worst first, and of these the one that begins soonest."""
        with self._lock:
            found = [self._shown(name, state) for name, state in self._states.items() if name in self.rules.rule]
        return tuple(sorted((one for one in found if one), key=_urgency))

    def told(self, name: str) -> Mapping[str, Any]:
        """What was last said of a rule; nothing before the first forecast of a house that started again."""
        return self._told.get(name, {})

    def _shown(self, name: str, state: RuleState) -> Alarm | None:
        alarm, standing = state.alarm, state.standing
        told = self._told.get(name) or (dict(alarm.told) if alarm else {})
        if standing.level == "normal" or standing.since is None or not told:
            return None
        rule = self.rules.rule[name]
        shown = Alarm(
            alarm.name if alarm else name, name, rule.fr, rule.en, standing.level,
            alarm.raised_at if alarm else standing.since, told["fr"], told["en"], told["p"],
            _three(told["first"]), tuple(told["worst"]), _instant(told["worst_at"]), told["threshold"], told["is_now"],
        )  # fmt: skip
        return shown if alarm is None else _taken_on(shown, state)

    # --- writing --------------------------------------------------------------------------------------------------

    def _write(self, entry: Entry, recipients: Sequence[str] = (), nth: int = 0) -> None:
        """Keep an entry and the messages that it sends, then stand by it."""
        sent = [self._message(entry, one, nth) for one in recipients if one in self.rules.recipient]
        self._log.add([entry], sent if self.place.sends else [])
        self._states[entry.rule] = after(self.state(entry.rule), entry)

    def _message(self, entry: Entry, recipient: str, nth: int) -> Step:
        """What is sent; nothing in it is of a single patient."""
        rule = self.rules.rule.get(entry.rule)
        body = {
            "alarm": entry.alarm, "rule": entry.rule, "what": entry.what, "level": entry.level,
            "at": entry.noted_at.isoformat(), "hospital": self.place.hospital, "mode": self.place.mode,
            "zone": self.place.zone, "name": {"fr": rule.fr, "en": rule.en} if rule else {},
            **({"note": entry.note} if entry.note else {}),
            "said": dict(entry.told),
        }  # fmt: skip
        key = f"{entry.alarm}/{entry.what}/{nth}/{recipient}"
        return Step(
            entry.noted_at, key, entry.alarm, recipient, entry.what, "queued", next_at=entry.noted_at, message=body
        )

    def _words(self, chance: Chance, wards: Wards) -> dict[str, Any]:
        """A chance as it is said and kept."""
        said: dict[str, Any] = {
            language: sentence(chance, self.place.zone, language, _naming(wards, i))
            for i, language in enumerate(_LANGUAGES)
        }
        return said | {
            "measure": chance.measure, "p": round(chance.p, 4), "threshold": chance.threshold,
            "is_over": chance.is_over, "is_now": is_now(chance), "until": chance.until.isoformat(),
            "first": [at.isoformat() for at in chance.first] if chance.first else None,
            "worst": [round(value, 2) for value in chance.worst], "worst_at": chance.worst_at.isoformat(),
        }  # fmt: skip


def _naming(wards: Wards, language: int) -> Callable[[str], str]:
    return lambda ward: wards.get(ward, (ward, ward))[language]


def _taken_on(shown: Alarm, state: RuleState) -> Alarm:
    alarm = state.alarm
    if alarm is None:
        return shown
    return replace(
        shown, acknowledged_by=alarm.acknowledged_by, acknowledged_at=alarm.acknowledged_at, note=alarm.note,
        snoozed_until=state.snoozed_until, told=alarm.recipients,
    )  # fmt: skip


def _urgency(alarm: Alarm) -> tuple[bool, bool, datetime, str]:
    return (
        alarm.level != "alert", alarm.acknowledged_at is not None,
        alarm.first[1] if alarm.first else alarm.worst_at, alarm.rule,
    )  # fmt: skip


def _three(texts: Sequence[str] | None) -> tuple[datetime, datetime, datetime] | None:
    if texts is None:
        return None
    early, middle, late = (_instant(text) for text in texts)
    return early, middle, late


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
