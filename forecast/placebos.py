"""Windows in which nobody did anything: how far what came then lay from what was foreseen.

Some are kept each day, as a promise without a change, and settled once their truth is known. What they teach
(`realised.Habit`) widens and moves the intervals of real effects, so that these are no more certain than they may be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from forecast.realised import Habit, habit
from ingest.database import Database, aware, naive, rows

EVERY = timedelta(hours=6)
WINDOW = timedelta(hours=8)
TAUGHT = timedelta(days=60)
"""Those of so many days teach; older ones are let go."""
MEMBERS = 200
_ADD = "INSERT INTO placebo VALUES (?, ?, NULL)"
_SETTLE = "UPDATE placebo SET distances = ? WHERE as_of = ?"
_PENDING = "SELECT as_of, told FROM placebo WHERE distances IS NULL ORDER BY as_of"
_TAUGHT = "SELECT distances FROM placebo WHERE distances IS NOT NULL ORDER BY as_of"
_LAST = "SELECT max(as_of) FROM placebo"
_FORGET = "DELETE FROM placebo WHERE as_of < ?"


@dataclass(frozen=True)
class Pending:
    """A window whose truth is not known yet."""

    as_of: datetime
    told: Mapping[str, Any]


class Placebos:
    """The windows of a house, in its database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_due(self, now: datetime) -> bool:
        """Is it time for another one?"""
        [(last,)] = rows(self._database.cursor(), _LAST)
        return last is None or now - aware(last) >= EVERY

    def keep(self, as_of: datetime, told: Mapping[str, Any]) -> None:
        """Keep one, and let the oldest go."""
        with self._database.transaction() as cursor:
            cursor.execute(_ADD, [naive(as_of), json.dumps(dict(told), allow_nan=False)])
            cursor.execute(_FORGET, [naive(as_of - TAUGHT)])

    def pending(self) -> Iterator[Pending]:
        """Those that are not settled, the oldest first."""
        return (Pending(aware(at), json.loads(told)) for at, told in rows(self._database.cursor(), _PENDING))

    def settle(self, one: Pending, distances: Mapping[str, float]) -> None:
        """Say how far what came lay from what was foreseen, by measure."""
        with self._database.transaction() as cursor:
            cursor.execute(_SETTLE, [json.dumps(dict(distances), allow_nan=False), naive(one.as_of)])

    def habits(self) -> dict[str, Habit]:
        """What they teach, by measure."""
        told = [json.loads(text) for (text,) in rows(self._database.cursor(), _TAUGHT)]
        return {m: habit([one[m] for one in told if m in one]) for m in dict.fromkeys(m for one in told for m in one)}
