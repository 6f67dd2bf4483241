"""Killed with -9 while it reads: nothing lost, nothing double; and the two wrong ways to keep a position are seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kafka_broker import LEAKY, Broker
from tests.kafka_child import Variant
from tests.kafka_kills import Found, campaign

pytestmark = LEAKY


def test_twenty_kills_lose_nothing_and_double_nothing(broker: Broker, tmp_path: Path) -> None:
    found = campaign(broker, tmp_path, kills=20, seed=1, broker_kills=2)
    assert found == Found(found.sent, lost=0, double=0, in_log=found.sent, met=found.met)
    assert found.met >= 15, "kills must meet a consumer that reads"


@pytest.mark.parametrize(("variant", "harm"), [("split", "double"), ("early", "lost")])
def test_a_position_kept_apart_from_the_data_is_seen(
    broker: Broker, tmp_path: Path, variant: Variant, harm: str
) -> None:
    """The mutants: with the position in a second write after the data, and in one before."""
    found = campaign(broker, tmp_path, kills=3, seed=2, variant=variant)
    assert getattr(found, harm) > 0


@pytest.mark.soak
def test_three_hundred_kills_lose_nothing_and_double_nothing(broker: Broker, tmp_path: Path) -> None:
    found = campaign(broker, tmp_path, kills=300, seed=3, broker_kills=4)
    print(found)
    assert found == Found(found.sent, lost=0, double=0, in_log=found.sent, met=found.met)
    assert found.met >= 200
