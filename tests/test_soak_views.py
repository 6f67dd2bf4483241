"""Ten thousand orders of the same events, and a thousand instants that are looked at while they are the present."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ingest.clock import SimulatedClock
from ingest.events import Event
from ingest.log import EventLog
from tests.journals import house, let_events_be_known, taken_in
from tests.logs import AT
from tests.test_ingest_hl7_log import hospital, readings
from tests.test_ingest_rebuild import story
from tests.test_twin_state import corrected_day, last_told
from twin import state as module
from twin.state import State, fold

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1_800)]
ORDERS, INSTANTS = 10_000, 1_000
FEW = 40
"""For mutants: what they do wrong is met at once."""


# --- the same events in any order ------------------------------------------------------------------------------------


def in_every_order(told: list[Event], orders: int, seed: int) -> set[str]:
    """The hashes of the state after events in orders drawn at random, one in ten told twice, in one to six parts."""
    chance, hashes = np.random.default_rng(seed), set[str]()
    for _ in range(orders):
        again = chance.integers(0, len(told), len(told) // 10 + 1)
        order = chance.permutation([*range(len(told)), *again])
        state = State()
        for part in np.array_split(order, chance.integers(1, 7)):
            state = fold(state, [told[index] for index in part])
        hashes.add(state.hash)
    return hashes


def test_ten_thousand_orders_of_the_same_events_give_the_same_state() -> None:
    day, told = corrected_day(), [event for events in readings(hospital(7, 60).sent) for event in events]
    assert in_every_order(day, ORDERS - ORDERS // 10, 1) == {fold(State(), day).hash}
    assert in_every_order(told, ORDERS // 10, 2) == {fold(State(), told).hash}


def test_a_fold_that_keeps_the_last_told_is_seen_among_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_take", last_told)
    assert len(in_every_order(corrected_day(), FEW, 1)) > 1


# --- every view that was had can be had again ------------------------------------------------------------------------


def seen_at(log: EventLog, known_at: datetime) -> tuple[bytes, str]:
    """Every column of every row, and the hash of the state, as known at an instant."""
    table = log.read_table(known_at=known_at).drop_columns(["stored_at"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as out:
        out.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes(), fold(State(), log.read_versions(None, known_at)).hash


def live(folder: Path, instants: int, seed: int) -> tuple[dict[datetime, int], list[datetime]]:
    """What a house that lives saw at instants drawn at random, and those at which it sees something else at its end."""
    chance, clock, seen = np.random.default_rng(seed), SimulatedClock(AT), dict[datetime, int]()
    left = story(seed, 2 * instants)
    with house(folder, clock) as h:
        while len(seen) < instants:
            clock.advance_to(clock.now() + timedelta(seconds=float(chance.uniform(0.001, 90))))
            size = int(chance.integers(0, 5))
            if left[:size]:
                h.journal.append(left[:size])
            left = left[size:]
            if chance.random() < 0.1:
                taken_in(h, clock.now(), *map(str, chance.integers(0, 5, 3)), offset=len(seen) + 1_000)
            h.indexer.catch_up()
            clock.advance_to(clock.now() + timedelta(seconds=float(chance.uniform(0.001, 5))))
            seen[clock.now()] = hash(seen_at(h.log, clock.now()))
        return seen, [at for at, before in seen.items() if hash(seen_at(h.log, at)) != before]


def test_a_thousand_views_are_the_same_at_the_end_and_in_a_log_made_anew(tmp_path: Path) -> None:
    seen, changed = live(tmp_path, INSTANTS, 3)
    assert len(seen) == INSTANTS
    assert len(set(seen.values())) > INSTANTS / 2, "they are views of much that happened"
    assert changed == []
    with house(tmp_path) as again:
        again.indexer.catch_up()
        assert [at for at, before in seen.items() if hash(seen_at(again.log, at)) != before] == []


def test_a_log_that_knows_earlier_than_it_was_told_is_seen_among_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant lets what comes be known from an instant that was looked at already."""
    let_events_be_known(monkeypatch, lambda told: AT + timedelta(minutes=1))
    assert live(tmp_path, FEW, 3)[1] != []
