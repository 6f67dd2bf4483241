"""A hospital in a dict, which tells its story in HL7 messages: the reference for what the twin makes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from tests.worlds import DAY

Kind = Literal["arrival", "move", "to_ward", "exit", "leave"]
AREAS, WARDS = {"ED": "boxes", "SAUV": "sauv"}, {"3101": "medicine", "3205": "surgery"}
_TRIGGER = {"arrival": "A04", "move": "A02", "to_ward": "A02", "exit": "A03", "leave": "A03"}
_CANCEL = {"arrival": "A11", "move": "A12", "to_ward": "A12", "exit": "A13", "leave": "A13"}
Row = tuple[datetime | None, datetime | None, str | None, tuple[tuple[str, datetime, datetime | None], ...]]
"""When it arrived, when it left the department and for where, and its stays: unit, from, until."""


@dataclass
class Record:
    """Something that happened to a visit, as it is told by now."""

    kind: Kind
    at: datetime
    code: str
    number: str
    told: int
    """How many messages were sent before the one that tells it as it is."""
    stands: bool = True


@dataclass
class Reference:
    """What the hospital's own system holds, and the messages that it sent; each entry is a minute after the last."""

    visits: dict[str, dict[str, Record]] = field(default_factory=dict)
    merged: dict[str, tuple[int, str]] = field(default_factory=dict)
    cancelled: list[tuple[str, str, int]] = field(default_factory=list)
    """Visit and record of each cancellation, and how many messages were sent before."""
    sent: list[bytes] = field(default_factory=list)

    def now(self) -> datetime:
        """When the next entry is made."""
        return DAY + timedelta(days=1, minutes=len(self.sent))

    def when(self, minute: int) -> datetime:
        """An instant of the day before; no two entries have the same."""
        return DAY + timedelta(minutes=minute, seconds=len(self.sent) % 60, microseconds=100 * (len(self.sent) // 60))

    def tell(self, visit: str, kind: Kind, code: str, minute: int) -> None:
        """Something happened. Visits named N.. have numbered movements, others do not."""
        number = f"M{len(self.sent)}" if visit[0] == "N" else ""
        record = Record(kind, self.when(minute), code, number, len(self.sent))
        self.visits.setdefault(visit, {})[self._key(record)] = record
        self._send(visit, record, _TRIGGER[kind], "INSERT")

    def change(self, visit: str, record: Record, minute: int) -> None:
        """A numbered movement was entered with a wrong time."""
        record.at, record.told, record.stands = self.when(minute), len(self.sent), True
        self._send(visit, record, "Z99", "UPDATE")

    def cancel(self, visit: str, record: Record) -> None:
        """It never happened; once more if that was told before."""
        record.stands = False
        self.cancelled.append((visit, self._key(record), len(self.sent)))
        self._send(visit, record, _CANCEL[record.kind], "CANCEL")

    def cancel_last_move(self, visit: str) -> None:
        """The last move of a visit without numbers never happened, whichever it is."""
        moves = [r for r in self.visits.get(visit, {}).values() if r.kind in ("move", "to_ward") and r.stands]
        if moves:
            max(moves, key=lambda record: record.at).stands = False
        self._append("A12", visit, "", "", "", None, "")

    def cancel_unknown(self, visit: str) -> None:
        """A movement that nobody told never happened."""
        record = Record("move", self.when(0), "ED", f"X{len(self.sent)}", len(self.sent))
        self._send(visit, record, "A12", "CANCEL")

    def merge(self, visit: str, into: str) -> None:
        """A visit goes on under another number."""
        self.merged[visit] = (len(self.sent), into)
        self._append("A42", into, "", "", "", self.now(), f"MRG|||||{visit}")

    def rows(self) -> dict[str, Row]:
        """What each visit amounts to, by the number that merges lead to."""
        groups: dict[str, list[Record]] = {}
        for visit, records in self.visits.items():
            standing = [r for r in records.values() if r.stands and not self._struck_under_another_number(visit, r)]
            groups.setdefault(self._root(visit), []).extend(standing)
        return {visit: _row(records) for visit, records in groups.items() if records}

    def _struck_under_another_number(self, visit: str, record: Record) -> bool:
        """After a merge, a cancellation under the visit's other number means the record of the old one too."""
        if visit not in self.merged:
            return False
        since = max(record.told, self.merged[visit][0])
        return any(
            other != visit and key == self._key(record) and told >= since and self._root(other) == self._root(visit)
            for other, key, told in self.cancelled
        )

    def _root(self, visit: str) -> str:
        path: list[str] = []
        while visit in self.merged:
            if visit in path:
                return max(path[path.index(visit) :], key=lambda member: self.merged[member])
            path.append(visit)
            visit = self.merged[visit][1]
        return visit

    @staticmethod
    def _key(record: Record) -> str:
        """A visit without numbers has one arrival and one exit of each kind, and one move at an instant."""
        if record.number:
            return record.number
        return record.kind if record.kind in ("arrival", "exit", "leave") else f"move {record.at}"

    def _send(self, visit: str, record: Record, trigger: str, action: str) -> None:
        prior = {"move": record.code, "to_ward": "ED"}.get(record.kind, "")
        own = _TRIGGER[record.kind] if action != "INSERT" else ""
        zbe = f"ZBE|{record.number}|{_stamp(record.at)}||{action}|N|{own}" if record.number else ""
        self._append(trigger, visit, record.code, prior, "E", record.at, zbe)

    def _append(
        self, trigger: str, visit: str, code: str, prior: str, group: str, at: datetime | None, extra: str
    ) -> None:
        recorded = _stamp(self.now())
        lines = [
            f"MSH|^~\\&|||||{recorded}||ADT^{trigger}|{len(self.sent)}|P|2.5",
            f"EVN|{trigger}|{recorded}||||{_stamp(at) if at else ''}",
            "PID|1||P1",
            f"PV1|1|{group}|{code}|||{prior}|||||||||||||{visit}",
            extra,
        ]
        self.sent.append("\r".join(line for line in lines if line).encode())


def _row(records: list[Record]) -> Row:
    arrived: datetime | None = None
    left: datetime | None = None
    to: str | None = None
    stays: list[tuple[str, datetime, datetime | None]] = []
    for record in sorted(records, key=lambda r: r.at):
        unit = {**AREAS, **WARDS}[record.code]
        opens = record.kind in ("arrival", "move", "to_ward")
        if record.kind in ("arrival", "move") and stays and stays[-1][0] == unit and stays[-1][2] is None:
            opens = False
        elif stays and stays[-1][2] is None:
            stays[-1] = (*stays[-1][:2], record.at)
        if opens:
            stays.append((unit, record.at, None))
        if record.kind == "arrival":
            arrived = arrived or record.at
        elif record.kind in ("to_ward", "exit"):
            left, to = record.at, "ward" if record.kind == "to_ward" else None
    return arrived, left, to, tuple(stays)


def _stamp(at: datetime) -> str:
    fraction = f".{at.microsecond:06d}" if at.microsecond else ""
    return f"{at:%Y%m%d%H%M%S}{fraction}+0000"
