"""kill -9 while senders go on: nothing that was acknowledged is lost, nothing is stored or counted twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.failpoints import NAMES
from tests.bench_mllp import Timed, burst, rebuilt_per_s, seen_after_ms
from tests.campaigns import Nursery, campaign, deaths_at_failpoints
from tests.journals import OF_AN_ERASURE, OF_MENDING

OURS = {name for name in NAMES if not name.startswith(("cycle", OF_MENDING, *OF_AN_ERASURE))}
"""Failpoints of a house that forecasts nothing; the others are died at in `test_simulated_house.py`."""


def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    found = campaign(tmp_path, 20)
    assert (found.lost, found.doubled, found.miscounted) == (0, 0, 0)
    assert found.acknowledged > 100


def test_a_process_that_dies_at_every_failpoint_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    found, died = deaths_at_failpoints(tmp_path, 2 * len(OURS))
    assert (found.lost, found.doubled, found.miscounted) == (0, 0, 0)
    assert found.acknowledged > 0
    assert set(died) == OURS, "each was reached, and survived"


def test_deaths_at_failpoints_see_answers_before_the_disk(tmp_path: Path) -> None:
    assert deaths_at_failpoints(tmp_path, len(OURS), "answer_before_the_disk")[0].lost > 0


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(5))
def test_five_hundred_kills(tmp_path: Path, hundred: int) -> None:
    """A hundred at a time, so that a soak that was ended goes on; by Kafka there are five hundred more."""
    found = campaign(tmp_path, 100, seed=7 + hundred)
    print(found)
    assert (found.lost, found.doubled, found.miscounted) == (0, 0, 0)


def test_the_campaign_sees_answers_before_the_disk(tmp_path: Path) -> None:
    assert campaign(tmp_path, 3, "answer_before_the_disk").lost > 0


def test_the_campaign_sees_an_offset_in_a_second_transaction(tmp_path: Path) -> None:
    assert campaign(tmp_path, 2, "offset_in_a_second_transaction").miscounted > 0


def test_the_campaign_sees_an_offset_before_the_data(tmp_path: Path) -> None:
    assert campaign(tmp_path, 2, "offset_before_the_data").lost > 0


@pytest.mark.soak
def test_a_burst_loses_nothing_and_the_process_stays_small(tmp_path: Path) -> None:
    """1,000 messages a second for a minute, as far as the machine can send them."""
    came = burst(tmp_path, 60.0)
    print(came)
    assert (came.lost, came.doubled) == (0, 0)
    assert came.grown_mb <= 256


@pytest.mark.soak
def test_messages_are_taken_answered_and_seen_fast_enough(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with Nursery(tmp_path / "a") as nursery:
        nursery.start()
        assert Timed(nursery.port, None, 10.0).run() >= 500
        paced = Timed(nursery.port, 50.0, 20.0)
        paced.run(first=50)
        assert paced.ms(99) <= 200
    (tmp_path / "b").mkdir()
    assert np.percentile(seen_after_ms(tmp_path / "b", 200), 99) <= 5000
    (tmp_path / "c").mkdir()
    assert rebuilt_per_s(tmp_path / "c", 100_000) >= 5000
