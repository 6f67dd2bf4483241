"""What the fabricated hospital says beforehand: nothing unless asked, and then what comes, nearly when it comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np

from ingest.events import ArrivalExpected, Arrived, DischargePlanned, Event, LeftWard, VisitEvent
from twin.fabricate import FabricatedHospital, Fabrication, Habits, fabricate

START = datetime(2025, 9, 1, tzinfo=UTC)
DAYS = 12
TALKS = Habits(exits_planned_share=0.7, arrivals_announced_share=0.8)


@cache
def period(habits: Habits | None = None) -> Fabrication:
    return fabricate(FabricatedHospital("congested", "small"), start=START, days=DAYS, seed=3, habits=habits)


def happened(kind: type[VisitEvent]) -> dict[str, datetime]:
    return {e.visit: e.occurred_at for e in period(TALKS).truth if isinstance(e, kind)}


def said(kind: type[VisitEvent]) -> list[VisitEvent]:
    return [e for e in period(TALKS).events if isinstance(e, kind)]


def test_unless_asked_nothing_is_said_and_asked_nothing_else_changes() -> None:
    quiet = period().events
    assert not any(isinstance(e, ArrivalExpected | DischargePlanned) for e in quiet)
    assert period(TALKS).events[: len(quiet)] == quiet
    assert period(Habits()).events == quiet
    assert period(TALKS).truth == period().truth


def test_it_is_said_before_it_happens_and_known_when_it_is_said() -> None:
    for kind, fact in ((DischargePlanned, LeftWard), (ArrivalExpected, Arrived)):
        came = happened(fact)
        told: list[Event] = [e for e in said(kind) if e.visit in came]
        assert len(told) > 50
        assert all(e.known_at == e.occurred_at <= came[e.visit] for e in told)  # type: ignore[attr-defined]
    ids = [e.event_id for e in period(TALKS).events]
    positions = [e.position for e in period(TALKS).events]
    assert len(set(ids)) == len(ids)
    assert len(set(positions)) == len(positions)


def test_most_come_nearly_then_and_some_never_or_a_day_later() -> None:
    exits, arrivals = happened(LeftWard), happened(Arrived)
    plans = [e for e in said(DischargePlanned) if isinstance(e, DischargePlanned) and e.visit in exits]
    late = np.array([(exits[e.visit] - e.expected_at) / timedelta(hours=1) for e in plans])
    assert 0.05 < (late > 12).mean() < 0.25
    assert (np.abs(late) < 3).mean() > 0.7
    brought = [e for e in said(ArrivalExpected) if isinstance(e, ArrivalExpected) and e.unit is None]
    never = np.mean([e.visit not in arrivals for e in brought])
    assert 0.02 < never < 0.15
    notice = np.array([(arrivals[e.visit] - e.occurred_at) / timedelta(minutes=1)
                       for e in brought if e.visit in arrivals])  # fmt: skip
    assert 0.15 < (notice > 60).mean() < 0.35
