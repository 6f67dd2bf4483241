"""Messages reach the board and cycles come while fifty ask what-if; who asks too much is told so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hammer import hammered, stretch
from tests.living import load

CLIENTS = 50


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_fifty_who_ask_what_if_hold_up_neither_messages_nor_cycles(tmp_path: Path) -> None:
    """P5 with and without them, in one run."""
    with hammered(tmp_path) as (house, port):
        alone = stretch(house, port, clients=0, seconds=120)
        asked = stretch(house, port, clients=CLIENTS, seconds=120)
    print(alone, asked, load(), sep="\n")
    for one in (alone, asked):
        assert (one.missed, one.failed) == (0, 0), "every cycle comes"
        assert one.on_board_p50_s <= 5
        assert set(one.states) <= {"live", "quiet"}
    assert asked.cycles >= alone.cycles - 1
    assert asked.on_board_p99_s <= 4 * alone.on_board_p99_s
    assert asked.answers["page 200 asked"] > 0, "some are answered"
    assert asked.answers["page 200 full"] > 0, "others are told that too many ask"
    assert asked.answers["api 429"] > 0
    assert not [what for what in asked.answers if " 5" in what], "nobody gets a fault"
