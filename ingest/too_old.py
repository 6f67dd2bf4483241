"""What comes again though its time is over: left out and counted, so that a file read again brings nothing back.

An event is too old if it happened before the instant from which events are kept (`EventLog.kept_from`) and nothing is
known of what it tells of: a visit that the log still has, since it went on beyond that instant, goes on being told of.
Counts of beds and staff are taken whenever they are of: they name nobody, and the last one stands until the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.bookkeeping import Intake
from ingest.database import registered, rows
from ingest.events import BY_KIND, Cancelled, CensusObserved, VisitEvent
from ingest.hl7_ids import visit_of_target
from ingest.journal_batches import Told, without
from ingest.messages import Messages, SourceMessages

CODE = "too_old"
"""Why such a message is ignored."""
PASSING = tuple(k for k, c in BY_KIND.items() if issubclass(c, VisitEvent | Cancelled | CensusObserved))
"""Kinds of events that are over once they are old."""
Known = Callable[[Set[str]], Set[str]]
"""Which of some visits and ids of events the log has."""
_KNOWN = """
SELECT DISTINCT name FROM event e JOIN asked ON name = e.visit
UNION SELECT DISTINCT name FROM event e JOIN asked ON name = e.event_id
"""


def known_in(cursor: Any, names: Set[str]) -> frozenset[str]:
    """Those of some visits and ids of events that the log has."""
    with registered(cursor, asked=pa.table({"name": pa.array(sorted(names), pa.string())})):
        return frozenset(name for (name,) in rows(cursor, _KNOWN))


def fresh_batch(told: Told, kept_from: datetime, known: Known) -> Told:
    """The batch without what is too old; a visit that it tells of before and after the instant is whole."""
    table = told.table
    old = pc.and_(pc.less(table["occurred_at"], pa.scalar(kept_from)), pc.is_in(table["kind"], pa.array(PASSING)))
    if not pc.any(old).as_py():
        return told
    here = frozenset(table["visit"].filter(pc.invert(old)).to_pylist()) - {None}
    names = [subject(*row) for row in zip(*(table.filter(old)[n].to_pylist() for n in _SUBJECT), strict=True)]
    held = here | known(frozenset().union(*names) - here)
    gone = old.combine_chunks().to_numpy(zero_copy_only=False).copy()
    gone[gone] = [not (about & held) for about in names]
    return without(told, pa.array(gone))


def fresh_messages(messages: Messages, kept_from: datetime, known: Known) -> Messages:
    """The messages without what is too old; one of which nothing is left counts as ignored.

    They are judged one after the other, each by what was known before it: it must not matter how they came together.
    """
    old = [at < kept_from for at in messages.table["occurred_at"].to_pylist()]
    if not any(old):
        return messages
    gone = _gone(messages.table, np.array(old), known)
    stays = messages.table.filter(pa.array(~gone))
    left_out = np.setdiff1d(messages.table["position"].to_numpy()[gone], stays["position"].to_numpy())
    return replace(messages, table=stays, sources=[_less(told, left_out) for told in messages.sources])


_SUBJECT = ("visit", "target", "event_id")


def subject(visit: str | None, target: str | None, event_id: str) -> frozenset[str]:
    """What an event tells of: its visit; of a cancellation, what it strikes and the visit of that."""
    if visit is not None:
        return frozenset({visit})
    if target is None:
        return frozenset({event_id})
    return frozenset(filter(None, (target, visit_of_target(target))))


def _gone(table: pa.Table, old: Any, known: Known) -> Any:
    names = [subject(*row) for row in zip(*(table[name].to_pylist() for name in _SUBJECT), strict=True)]
    passing = np.isin(np.array(table["kind"].to_pylist()), PASSING)
    held = set(known(frozenset().union(*(about for about, is_old in zip(names, old, strict=True) if is_old))))
    gone = np.zeros(len(names), dtype=bool)
    for rows_of_one in _by_record(table["position"].to_numpy()):
        told = [row for row in rows_of_one if not old[row]]
        held.update(*(names[row] for row in told))
        gone[[row for row in rows_of_one if old[row] and passing[row] and not names[row] & held]] = True
    return gone


def _by_record(numbers: Any) -> Sequence[Any]:
    """The rows of each message, in the order of the messages."""
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)


def _less(told: SourceMessages, left_out: Any) -> SourceMessages:
    mine = np.intersect1d(told.numbers, left_out)
    if not mine.size:
        return told
    intake = Intake(read=told.intake.read, ignored=told.intake.ignored + mine.size, rejected=told.intake.rejected)
    return replace(
        told, intake=intake, numbers=np.setdiff1d(told.numbers, mine),
        remarks={**told.remarks, ("ignored", CODE): mine.size},
    )  # fmt: skip
