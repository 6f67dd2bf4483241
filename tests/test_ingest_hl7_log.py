"""HL7 events through the log: what the log gives back, as of any instant, is what a fold of the messages is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.events import Event
from ingest.log import EventLog, Intake, Position
from tests.hl7_messages import hl7, place
from tests.hl7_model import AREAS, WARDS, Reference
from tests.worlds import DAY
from twin.state import State, fold

NOON = DAY + timedelta(days=3)


def hospital(seed: int, entries: int) -> Reference:
    """A hospital that told, changed, cancelled and merged by chance."""
    chance, told = np.random.default_rng(seed), Reference()
    for _ in range(entries):
        visit = str(chance.choice(["N1", "N2", "N3", "U1", "U2"]))
        minute, records = int(chance.integers(1_000)), [*told.visits.get(visit, {}).values()]
        match chance.integers(9):
            case 0 | 1:
                told.tell(visit, "arrival", "ED", minute)
            case 2 | 3:
                told.tell(visit, "move", str(chance.choice([*AREAS])), minute)
            case 4:
                told.tell(visit, "to_ward", str(chance.choice([*WARDS])), minute)
            case 5:
                told.tell(visit, "exit", "ED", minute)
            case 6 if records and visit[0] == "N":
                told.change(visit, records[chance.integers(len(records))], minute)
            case 7 if records:
                told.cancel(visit, records[chance.integers(len(records))])
            case 8 if visit[0] == "U":
                told.cancel_last_move(visit)
            case _:
                told.cancel_unknown("N1")
    return told


def readings(messages: Sequence[bytes]) -> list[list[Event]]:
    """The events of each message, at its place, known when it was recorded."""
    form = hl7()
    found = [form.read(form.kept(m).payload, place(n)).events for n, m in enumerate(messages, start=1)]
    return [[replace(event, known_at=event.recorded_at) for event in events] for events in found]


@pytest.mark.parametrize("seed", range(4))
def test_the_log_of_the_messages_in_any_order_and_parts_is_their_fold(seed: int, tmp_path: Path) -> None:
    told = readings(hospital(seed, 120).sent)
    straight = fold(State(), [event for events in told for event in events])
    chance = np.random.default_rng(seed)
    order = chance.permutation([*range(len(told)), *chance.integers(0, len(told), len(told) // 20)]).tolist()
    with Database.open(tmp_path / "log.duckdb") as database:
        log = EventLog(database, SimulatedClock(NOON))
        for n, part in enumerate(np.array_split(order, 7), start=1):
            events = [event for index in part for event in told[index]]
            log.append(events, Position(source="adt", offset=n), intake=Intake(read=len(part)))
        by_winners, by_versions = fold(State(), log.read()), fold(State(), log.read_versions(None, NOON))
    assert dict(by_winners.visits) == dict(by_versions.visits) == dict(straight.visits)
    assert by_winners.hash == by_versions.hash


@pytest.mark.parametrize("seed", range(3))
def test_messages_in_any_order_with_repeats_give_the_same_hash(seed: int) -> None:
    told = readings(hospital(seed, 200).sent)
    chance = np.random.default_rng(seed)
    order = chance.permutation([*range(len(told)), *chance.integers(0, len(told), 10)]).tolist()
    state = State()
    for index in order:
        state = fold(state, told[index])
    assert state.hash == fold(State(), [event for events in told for event in events]).hash
