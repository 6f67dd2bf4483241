"""The page of trust as a value: what was published beside the simulation and every rival, summed up once an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from forecast.archive import SCHEMA_SQL, Archive
from forecast.record import SKILL_EVERY
from forecast.trust import SHOWN, Trust, judged
from forecast.verify import joined, verify
from ingest.database import Database
from tests.trust_views import FIRST, made, made_pairs

LATE = FIRST + timedelta(days=28)


class Counted(Archive):
    """Counts how often it is asked for pairs."""

    asked = 0

    def pairs(self, *args, **named):  # type: ignore[no-untyped-def]
        """What the archive says."""
        self.asked += 1
        return super().pairs(*args, **named)


@pytest.fixture
def archive() -> Iterator[Counted]:
    with Database.open(None, [SCHEMA_SQL], threads=1) as database:
        yield Counted(database)


def test_figures_are_those_of_the_pairs_for_what_is_published_the_simulation_and_every_rival() -> None:
    pairs = made_pairs()
    verified = verify(pairs)
    assert [one.measure for one in made().measures] == list(SHOWN)
    for one in made().measures:
        for at in one.leads:
            same = verified[one.measure][at.lead_min]
            assert (at.crps, at.raw_crps) == (same.crps, same.raw_crps)
            assert at.rival_crps == {name: rival.crps for name, rival in same.baselines.items()}
            for name, ends in same.skill_ci95.items():
                assert at.skill_ci95[name] == pytest.approx(ends)
            assert at.share == 0.5


def test_it_says_of_how_many_forecasts_and_days_it_speaks() -> None:
    found = made()
    assert (found.n_issues, found.days, found.replayed) == (120, 30, False)
    assert (found.first_at, found.last_at) == (FIRST, FIRST + timedelta(days=30, hours=-6))
    assert found.of("ed_census") is found.measures[0]
    assert found.of("unheard_of") is None


def test_forecasts_that_met_nothing_say_nothing() -> None:
    assert judged([joined([])], replayed=False) is None
    pairs = made_pairs(days=1)
    pairs.crps[:] = np.nan
    assert judged([pairs], replayed=False) is None


def test_it_is_summed_up_once_an_hour_however_often_it_is_looked_at(archive: Counted) -> None:
    trust = Trust(archive)
    for minutes in range(0, 60, 10):
        trust.look(LATE + timedelta(minutes=minutes))
        assert trust.judged is None
    assert archive.asked == len(SHOWN)
    trust.look(LATE + SKILL_EVERY)
    assert archive.asked == 2 * len(SHOWN)


def test_what_the_archive_verified_is_shown(archive: Counted) -> None:
    archive.store_scores(made_pairs(), verified_at=LATE)
    trust = Trust(archive)
    trust.look(LATE)
    assert trust.judged is not None
    assert (trust.judged.days, trust.judged.replayed) == (28, False)


def test_a_replay_stands_in_until_what_was_published_is_of_days_enough_for_intervals(archive: Counted) -> None:
    trust = Trust(archive)
    trust.replayed(made_pairs())
    assert trust.judged is not None
    assert trust.judged.replayed
    few, enough = made_pairs(days=4), made_pairs(days=5)
    archive.store_scores(few, verified_at=LATE)
    trust.look(LATE)
    assert trust.judged.replayed
    archive.store_scores(enough, verified_at=LATE)
    trust.look(LATE + SKILL_EVERY)
    assert not trust.judged.replayed
