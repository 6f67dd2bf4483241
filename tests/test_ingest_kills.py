"""kill -9 while senders go on: nothing that was acknowledged is lost, nothing is stored or counted twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns import campaign


def test_twenty_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    found = campaign(tmp_path, 20)
    assert (found.lost, found.doubled, found.miscounted) == (0, 0, 0)
    assert found.acknowledged > 100


@pytest.mark.soak
def test_three_hundred_kills(tmp_path: Path) -> None:
    found = campaign(tmp_path, 300, seed=7)
    print(found)
    assert (found.lost, found.doubled, found.miscounted) == (0, 0, 0)


def test_the_campaign_sees_answers_before_the_disk(tmp_path: Path) -> None:
    assert campaign(tmp_path, 3, "answer_before_the_disk").lost > 0


def test_the_campaign_sees_an_offset_in_a_second_transaction(tmp_path: Path) -> None:
    assert campaign(tmp_path, 2, "offset_in_a_second_transaction").miscounted > 0


def test_the_campaign_sees_an_offset_before_the_data(tmp_path: Path) -> None:
    assert campaign(tmp_path, 2, "offset_before_the_data").lost > 0
