"""The desk at work: who may do what, what is kept, and what the forecast carries of it.

    desk = Desk(database, clock, names, horizon_h=24)
    name = desk.propose(person, "Two more nurses tonight", change, hospital, signed=False)
    desk.support(other, name); desk.comment(other, name, "and a porter")
    desk.decide(manager, name, "adopted", "worth trying", until=tomorrow)
    desk.carried(now)                                           # what the forecast carries from then on

Raises DeskError for what a person may not do, or what cannot be done any more, and ScenarioError for a change that
cannot be run; then nothing is kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from forecast.errors import DeskError
from forecast.people import Person
from forecast.proposals import Note, Proposal, fold
from ingest.clock import Clock
from ingest.database import Database, aware, naive
from twin.hospital import Hospital
from twin.scenarios import Names, Scenario, check_names, composed, scenario_from
from twin.setting import Setting

LONGEST_WORDS, LONGEST_COMMENT = 300, 1000
MOST_OPEN = 40
"""Proposals that may stand open: each is run in every cycle."""
_SCHEMA = pa.schema(
    [
        ("number", pa.int64()),
        ("noted_at", pa.timestamp("us")),
        *((name, pa.string()) for name in ("proposal", "what", "who", "words", "told")),
    ]
)
_ADD = "INSERT INTO proposal_log BY NAME SELECT * FROM incoming"
_ALL = "SELECT * EXCLUDE (number) FROM proposal_log ORDER BY number"
_LAST = "SELECT coalesce(max(number), 0) FROM proposal_log"


class Desk:
    """Proposals, kept in the database; safe to use from several threads."""

    def __init__(self, database: Database, clock: Clock, names: Names, *, horizon_min: float, zone: str) -> None:
        self._database, self._clock, self._names = database, clock, names
        self._horizon_min, self._zone = horizon_min, zone
        self._lock = threading.RLock()
        self._notes = self._read()

    @property
    def proposals(self) -> dict[str, Proposal]:
        """All that were ever made, by name, as they stand; the oldest first."""
        with self._lock:
            return fold(self._notes)

    @property
    def changed_at(self) -> datetime | None:
        """When something last happened at it; None before."""
        with self._lock:
            return self._notes[-1].noted_at if self._notes else None

    def carried(self, now: datetime, *, but: str | None = None) -> list[Scenario]:
        """What the forecast carries at an instant: the rest of every change that holds, but that of one proposal."""
        found = (one.carried_at(now) for name, one in self.proposals.items() if name != but)
        return [scenario for scenario in found if scenario is not None]

    # --- what people do -----------------------------------------------------------------------------------------

    def propose(
        self, who: Person, words: str, change: Mapping[str, Any], hospital: Hospital, *, signed: bool = False,
        varies: str | None = None,
    ) -> str:  # fmt: skip
        """Put a proposal on the desk; its name.

        1. The person may, says something, and there is room.
        2. The change is one that can be run in this hospital now.
        3. It is kept.
        """
        self._may(who, "proposer")  # 1
        words = _said(words, LONGEST_WORDS, "say in words what you propose")
        with self._lock:
            there = self.proposals
            if varies is not None and varies not in there:
                raise DeskError(f"there is no proposal {varies} to vary")
            if sum(one.state == "open" for one in there.values()) >= MOST_OPEN:
                raise DeskError(f"{MOST_OPEN} proposals stand open: decide or withdraw one first")
            name = f"proposal-{len(there) + 1}"
            self._check(scenario_from(name, words, change), hospital)  # 2
            told = {"change": dict(change), "signed": signed, "varies": varies}
            self._keep(Note(self._clock.now(), name, "proposed", who.name, words, told))  # 3
        return name

    def comment(self, who: Person, name: str, words: str) -> None:
        """Say something of a proposal, also after it was decided."""
        self._may(who, "proposer")
        words = _said(words, LONGEST_COMMENT, "say something")
        with self._lock:
            self._found(name)
            self._keep(Note(self._clock.now(), name, "commented", who.name, words))

    def support(self, who: Person, name: str, *, withdrawn: bool = False) -> None:
        """Support an open proposal, once, or not any more; whose it is does not support it."""
        self._may(who, "proposer")
        with self._lock:
            one = self._open(name)
            if one.author == who.name:
                raise DeskError("who proposes supports it already")
            if withdrawn == (who.name in one.supporters):
                self._keep(Note(self._clock.now(), name, "unsupported" if withdrawn else "supported", who.name))

    def withdraw(self, who: Person, name: str) -> None:
        """Take one's own open proposal back; it stays readable."""
        with self._lock:
            if self._open(name).author != who.name:
                raise DeskError("only its author may withdraw a proposal")
            self._keep(Note(self._clock.now(), name, "withdrawn", who.name))

    def decide(
        self, who: Person, name: str, what: Literal["adopted", "adapted", "declined"], reason: str,
        hospital: Hospital, *, until: datetime | None = None, change: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Adopt, adapt (with another change) or decline, with a reason; up to when the forecast carries it.

        Times of day in the change become times from now.
        """
        self._may(who, "manager")
        reason = _said(reason, LONGEST_COMMENT, "say why")
        with self._lock:
            one, now = self._open(name), self._clock.now()
            if (what == "adapted") != (change is not None):
                raise DeskError("a proposal is adapted by another change, and by nothing else")
            if until is not None and until <= now:
                raise DeskError("the end must lie in the future")
            decided = scenario_from(name, one.words, change) if change is not None else one.scenario
            told: dict[str, Any] = {"until": until.isoformat() if until else None}
            if what != "declined":
                self._check(decided, hospital)
                told["change"] = decided.at(now, self._zone).changes
            self._keep(Note(now, name, what, who.name, reason, told))

    def end(self, who: Person, name: str) -> None:
        """Let the forecast carry an adopted change no longer."""
        self._may(who, "manager")
        with self._lock:
            one, now = self._found(name), self._clock.now()
            if one.carried_at(now) is None:
                raise DeskError(f"the forecast carries nothing of {name}")
            self._keep(Note(now, name, "ended", who.name))

    # --- what the twin does ---------------------------------------------------------------------------------------

    def promised(self, name: str, told: Mapping[str, Any]) -> None:
        """Keep what is foreseen of an adopted change."""
        self._keep(Note(self._clock.now(), name, "promised", None, "", told))

    def measured(self, name: str, told: Mapping[str, Any]) -> None:
        """Keep what a change did."""
        self._keep(Note(self._clock.now(), name, "measured", None, "", told))

    def exported(self) -> list[dict[str, Any]]:
        """Every row, as plain values."""
        with self._lock:
            return [asdict(note) | {"noted_at": note.noted_at.isoformat()} for note in self._notes]

    # --- inside -----------------------------------------------------------------------------------------------------

    def _check(self, scenario: Scenario, hospital: Hospital) -> None:
        """Raise DeskError or ScenarioError for a change that cannot be run here and now."""
        if not scenario.change.changes:
            raise DeskError("a proposal must change something: choose at least one lever")
        check_names([scenario], self._names, place="the desk")
        now = self._clock.now()
        usual = Setting(hospital.capacities(hospital.pools, now, self._horizon_min))
        whole = composed([*self.carried(now), scenario.at(now, self._zone)])
        whole.apply(usual, hospital, self._horizon_min)

    def _may(self, who: Person, role: Literal["proposer", "manager"]) -> None:
        if not who.may(role):
            raise DeskError(f"this takes the role {role}, which {who.en} does not have")

    def _found(self, name: str) -> Proposal:
        there = self.proposals
        if name not in there:
            raise DeskError(f"there is no proposal {name}")
        return there[name]

    def _open(self, name: str) -> Proposal:
        one = self._found(name)
        if one.state != "open":
            raise DeskError(f"{name} is {one.state} already")
        return one

    def _keep(self, note: Note) -> None:
        with self._lock, self._database.transaction() as cursor:
            [(last,)] = cursor.execute(_LAST).fetchall()
            row = asdict(note) | {
                "number": last + 1, "noted_at": naive(note.noted_at),
                "told": json.dumps(dict(note.told), ensure_ascii=False, allow_nan=False),
            }  # fmt: skip
            cursor.register("incoming", pa.Table.from_pylist([row], _SCHEMA))
            cursor.execute(_ADD)
            cursor.unregister("incoming")
            self._notes.append(note)

    def _read(self) -> list[Note]:
        rows = self._database.cursor().sql(_ALL).to_arrow_table().to_pylist()
        return [Note(**row | {"noted_at": aware(row["noted_at"]), "told": json.loads(row["told"])}) for row in rows]


def _said(words: str, longest: int, ask: str) -> str:
    """Words without blanks around them; raises DeskError where there are none, or too many."""
    plain = " ".join(words.split())
    if not plain:
        raise DeskError(ask)
    if len(plain) > longest:
        raise DeskError(f"at most {longest} characters, but these are {len(plain)}")
    return plain
