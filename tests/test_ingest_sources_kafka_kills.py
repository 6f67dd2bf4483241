"""Killed with -9 while it reads: nothing lost, nothing double; and the two wrong ways to keep a position are seen."""

from __future__ import annotations

import threading
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests import kafka_child
from tests.kafka_broker import LEAKY, Broker
from tests.kafka_child import READY, Variant, until_ready
from tests.kafka_kills import Found, campaign

pytestmark = LEAKY


def test_ten_kills_lose_nothing_and_double_nothing(broker: Broker, tmp_path: Path) -> None:
    found = campaign(broker, tmp_path, kills=10, seed=1, broker_kills=2)
    assert found == Found(found.sent, lost=0, double=0, in_log=found.sent, met=found.met)
    assert found.met >= 7, "kills must meet a consumer that reads"


@pytest.mark.parametrize(("variant", "harm"), [("split", "double"), ("early", "lost")])
def test_a_position_kept_apart_from_the_data_is_seen(
    broker: Broker, tmp_path: Path, variant: Variant, harm: str
) -> None:
    """The mutants: with the position in a second write after the data, and in one before."""
    found = campaign(broker, tmp_path, kills=3, seed=2, variant=variant)
    assert getattr(found, harm) > 0


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(5))
def test_five_hundred_kills_lose_nothing_and_double_nothing(broker: Broker, tmp_path: Path, hundred: int) -> None:
    """A hundred at a time, so that a soak that was ended goes on."""
    found = campaign(broker, tmp_path, kills=100, seed=3 + hundred, broker_kills=2)
    print(found)
    assert found == Found(found.sent, lost=0, double=0, in_log=found.sent, met=found.met)
    assert found.met >= 65


# --- how a consumer is waited for


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> tuple[Connection, Connection]:
    """Ours, and the consumer's, which may take half a second from step to step."""
    monkeypatch.setattr(kafka_child, "STEP_S", 0.5)
    return Pipe()


def test_a_consumer_is_waited_for_as_long_as_it_makes_steps(pipe: tuple[Connection, Connection]) -> None:
    """Longer in all than any one step may take; a broker that is not reached at first is no fault."""
    ours, theirs = pipe

    def say() -> None:
        for step in ("begun", "opened", "away Kafka is not reached (NodeNotReady)", "opened", READY):
            threading.Event().wait(0.3)
            theirs.send(step)

    threading.Thread(target=say).start()
    until_ready(ours)


@pytest.mark.parametrize(
    ("ends", "fault"),
    [(False, "makes no step after 'begun'"), (True, "has died after 'begun'"), ("stopped a gap", "stopped a gap")],
)
def test_a_consumer_that_hangs_dies_or_is_stopped_is_seen(
    pipe: tuple[Connection, Connection], ends: bool | str, fault: str
) -> None:
    ours, theirs = pipe
    theirs.send("begun")
    if isinstance(ends, str):
        theirs.send(ends)
    elif ends:
        theirs.close()
    with pytest.raises(AssertionError, match=fault):
        until_ready(ours)
