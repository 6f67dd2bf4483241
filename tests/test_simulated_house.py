"""The whole house with faults, simulated from seeds: nothing is lost or double, and what is planted is found."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from tests import simulate as command
from tests.planted_faults import BUGS
from tests.simulated_house import POINTS, Trial, simulate

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first

QUICK = Trial(seed=1, days=1, cycle=None, kills=0.3)


def test_a_week_with_faults_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    week = simulate(tmp_path, Trial(seed=1, days=7, cycle=timedelta(hours=12), kills=0.15))
    assert week.wrong == []
    happened = ("killed", "torn", "disk full", "syncs fail", "link down", "clock steps", "answer lost", "cycles done")
    assert [what for what in happened if not week.counts[what]] == [], "it was there to be survived"
    assert {name for name in POINTS if not week.reached[f"died: {name}"]} == set(), "the house died at every failpoint"


def test_a_seed_does_the_same_whenever_it_is_tried(tmp_path: Path) -> None:
    digests = []
    for number, seed in enumerate((3, 3, 4)):
        (folder := tmp_path / str(number)).mkdir()
        digests.append(simulate(folder, Trial(seed=seed, days=0.5, cycle=None, kills=0.3)).digest)
    assert digests[0] == digests[1] != digests[2]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What is wrong where nothing was planted: the same whenever it is tried, so it is tried once."""
    return simulate(tmp_path_factory.mktemp("sound"), QUICK).wrong


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_fault_is_found(bug: str, sound: list[str], tmp_path: Path) -> None:
    assert sound == []
    assert simulate(tmp_path, Trial(**{**vars(QUICK), "bug": bug})).wrong != []


def test_the_command_names_the_seed_that_found_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", "1-3", "--days", "1", "--bug", "taken twice"]) == 1
    assert logging.root.manager.disable == logging.NOTSET, "whoever is tried next in this process is heard"
    told = capsys.readouterr().out
    assert "times in the journal" in told
    assert "the same again: seed=1 days=1 bug='taken twice' commit=" in told


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_year_of_weeks(tmp_path: Path) -> None:
    for seed in range(100, 153):
        (folder := tmp_path / str(seed)).mkdir()
        week = simulate(folder, Trial(seed=seed))
        print(seed, dict(week.counts))
        assert week.wrong == [], f"seed={seed}"
