"""A disk that is full, in the journal's append, in the database's append and in its checkpoint: nothing acknowledged is
lost, senders are told to send again, and the house goes on by itself once there is room."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.full_disks import LONGEST_S, Came, campaign, small_disk

WHY_NOT = "needs root and mount, for a small disk of its own"
LEFT_KB = (0, 20, 50, 100, 300, 1000)
"""At 0 the journal cannot be written; above that messages still fit, and changes or blocks of the database do not."""


def filled(folder: Path, left_kb: tuple[int, ...], wal: str, *mutants: str, until: str = "") -> Came:
    with small_disk(folder, 128) as disk:
        if disk is None:
            pytest.skip(WHY_NOT)
        came = campaign(disk, folder / "told", left_kb, wal, *mutants, until=until)
    print(came)
    return came


def test_a_full_disk_loses_nothing_and_the_house_goes_on(tmp_path: Path) -> None:
    came = filled(tmp_path, (20,), "64KB")
    assert (came.found.lost, came.found.doubled, came.found.miscounted) == (0, 0, 0)
    assert came.bitten["journal"] > 0
    assert came.longest_s < LONGEST_S


@pytest.mark.soak
def test_six_full_disks_at_each_of_three_checkpoints(tmp_path: Path) -> None:
    """The smaller the log of changes may grow, the more often a checkpoint meets the full disk, and the database is
    lost until it is opened anew."""
    bitten: set[str] = set()
    for wal in ("64KB", "1MB", "16MB"):
        (tmp_path / wal).mkdir()
        came = filled(tmp_path / wal, LEFT_KB, wal, until="lost" if wal == "64KB" else "")
        assert (came.found.lost, came.found.doubled, came.found.miscounted) == (0, 0, 0)
        assert came.taken_while_full == 0
        assert came.longest_s < LONGEST_S
        bitten |= {what.partition(":")[0] for what in came.bitten}
    assert bitten == {"journal", "index", "lost"}, "each of the three was met"


@pytest.mark.soak
def test_the_campaign_sees_answers_before_the_disk(tmp_path: Path) -> None:
    assert filled(tmp_path, (0, 0), "64KB", "answer_before_the_disk").found.lost > 0
