"""Figures of days: few people are never told apart, days are local, exits that nobody told are completed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.events import Arrived, EventId, VisitId
from ingest.log import Position
from tests.logs import memory_log
from twin import day_figures as module
from twin.day_figures import FEW, POOLED, day_figures, midnight, pooled

COUNTS = st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 12))


def check(counts: dict[str, int]) -> None:
    """Nobody is lost, and nobody stands alone: a part is told of `FEW` or more, or is all there is."""
    parts = pooled(counts)
    assert sum(parts.values()) == sum(counts.values())
    assert all(n >= FEW or (part == POOLED and len(parts) == 1) for part, n in parts.items())
    assert {part: n for part, n in parts.items() if part != POOLED}.items() <= counts.items()


@given(counts=COUNTS)
def test_no_part_is_of_few_people(counts: dict[str, int]) -> None:
    check(counts)


MUTANTS: dict[str, Callable[[dict[str, int]], dict[str, int]]] = {
    "few are told": lambda counts: counts,
    "few are left out": lambda counts: {part: n for part, n in counts.items() if n >= FEW},
    "the pool is of few": lambda counts: (
        {p: n for p, n in counts.items() if n >= FEW}
        | ({POOLED: sum(few)} if (few := [n for n in counts.values() if 0 < n < FEW]) else {})
    ),
}


PLANTED = {"a": 9, "b": 2, "c": 1}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_check_sees_who_stands_alone(monkeypatch: pytest.MonkeyPatch, mutant: str) -> None:
    monkeypatch.setattr(f"{__name__}.pooled", MUTANTS[mutant])
    with pytest.raises(AssertionError):
        check(PLANTED)


def test_a_day_is_the_local_one_also_where_clocks_change_and_ghosts_have_left() -> None:
    """Six who came in the repeated hour of autumn, and never left by what was told."""
    log, clock = memory_log(datetime(2026, 1, 1, tzinfo=UTC))
    night = datetime(2025, 10, 25, 22, tzinfo=UTC)  # midnight in Paris
    told = [
        Arrived(event_id=EventId(f"s/{n}/Arrived/0"), visit=VisitId(f"{n}"), occurred_at=night + timedelta(hours=n),
                known_at=night + timedelta(hours=n), source="s", mode="ambulance")
        for n in range(-1, 26)
    ]  # fmt: skip
    log.append(told, Position(source="s", offset=1))
    table = day_figures(log, date(2025, 10, 25), date(2025, 10, 28), "Europe/Paris", clock.now())
    arrivals = table.filter(pc.and_(pc.equal(table["measure"], "arrivals"), pc.is_null(table["by"]))).to_pylist()
    assert [(row["day"].day, row["value"]) for row in arrivals] == [(25, 1), (26, 25), (27, 1)]
    assert midnight(date(2025, 10, 27), "Europe/Paris") - night == timedelta(hours=25)
    assert not [row for row in table.to_pylist() if row["measure"] in ("ed_stay_min", "ed_wait_min")]


def test_slices_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    log, clock = memory_log(datetime(2026, 1, 1, tzinfo=UTC))
    told = [
        Arrived(event_id=EventId(f"s/{n}/Arrived/0"), visit=VisitId(f"{n}"), source="s",
                occurred_at=datetime(2025, 6, 1, tzinfo=UTC) + timedelta(hours=7 * n))
        for n in range(100)
    ]  # fmt: skip
    log.append(told, Position(source="s", offset=1))
    whole = day_figures(log, date(2025, 6, 1), date(2025, 7, 1), "UTC", clock.now())
    monkeypatch.setattr(module, "SLICE", timedelta(days=7))
    assert day_figures(log, date(2025, 6, 1), date(2025, 7, 1), "UTC", clock.now()).equals(whole)
    assert day_figures(log, date(2025, 6, 1), date(2025, 6, 1), "UTC", clock.now()).num_rows == 0
