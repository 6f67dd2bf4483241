"""The judge of weeks sees what leaks and what is missed, and says nothing of a house that is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from ingest.clock import SimulatedClock
from tests.flat import Sample, cycles, faults, slope_a_day, warm
from tests.growth import Rows, foreseen_bytes, grown_wrong
from tests.journals import line, opened
from tests.weeks_house import BEGINS, goes_on_at, settings_of

EVERY = timedelta(minutes=10)
DAY_S = 86400.0


def weeks(days: float = 30, life: int = 1, begins_at: float = 0.0, seed: int = 1) -> list[Sample]:
    """A house that is well: memory comes and goes by night, files and threads by the hour, every cycle is done."""
    dice, out = np.random.default_rng(seed), []
    for hour in range(int(days * 24) + 1):
        noise, begun = float(dice.normal(0, 15)), 200 * (1 - np.exp(-hour / 6))  # warm after some hours
        night = 60.0 if hour % 24 == 4 else 0.0
        out.append(
            Sample(
                life=life,
                wall_s=hour * 10.0,
                at=begins_at + hour * 3600,
                rss_mb=800 + begun + noise + night,
                files=40 + int(dice.integers(0, 6)),
                threads=25 + int(dice.integers(0, 3)),
                done=hour * 6 + 1,
                missed=0,
                failed=0,
            ),
        )
    return out


def test_a_house_that_is_well_is_flat() -> None:
    for seed in range(5):
        assert faults(weeks(seed=seed), EVERY) == []


def leaks(what: str, a_day: float) -> Callable[[Sample], Sample]:
    return lambda s: replace(s, **{what: getattr(s, what) + type(getattr(s, what))(a_day * s.at / DAY_S)})


@pytest.mark.parametrize(
    ("what", "a_day", "said"),
    [
        ("rss_mb", 2.0, "memory"),
        ("children_mb", 2.0, "memory of children"),
        ("files", 0.5, "open files"),
        ("threads", 0.5, "threads"),
    ],
)
def test_a_leak_is_seen(what: str, a_day: float, said: str) -> None:
    found = faults([leaks(what, a_day)(s) for s in weeks()], EVERY)
    assert len(found) == 1
    assert found[0].startswith(f"{said} of life 1: +")


def test_cycles_that_are_missed_failed_or_never_due_are_seen() -> None:
    """The mutant counts only what the house says of itself: a loop that stands still says that none was due."""
    well = weeks(10)
    assert faults([replace(s, missed=s.done // 500) for s in well], EVERY) != []
    assert faults([replace(s, failed=s.done // 500) for s in well], EVERY) != []
    assert faults([replace(s, done=min(s.done, 700)) for s in well], EVERY) != []
    stuck = [replace(s, done=min(s.done, 700)) for s in well]
    done, due, _ = cycles(stuck)
    assert done == due, "by its own account alone it would be well"


def test_turns_that_a_first_cycle_misses_on_a_fast_clock_do_not_count() -> None:
    assert faults([replace(s, missed=s.missed + 20) for s in weeks(10)], EVERY) == []


def test_lives_are_judged_apart_and_counted_together() -> None:
    second = weeks(10, life=2, begins_at=10 * DAY_S, seed=2)
    both = [*weeks(10), *[replace(s, rss_mb=s.rss_mb + 300) for s in second]]
    assert faults(both, EVERY) == [], "what a new life holds from its beginning is no leak"
    assert cycles(both)[:2] == (1440 * 2, 1440 * 2)
    assert len(warm(both)) == 2


def test_too_short_a_life_proves_nothing_and_says_so() -> None:
    assert faults(weeks(1.5), EVERY) == ["no life was longer than 2 days: nothing is known of what grows"]


def test_a_slope_is_that_of_a_line_whatever_comes_and_goes() -> None:
    line = [replace(s, rss_mb=3.0 * s.at / DAY_S + (500.0 if n % 7 == 0 else 0.0)) for n, s in enumerate(weeks(20))]
    assert slope_a_day(line, lambda s: s.rss_mb) == pytest.approx(3.0, abs=0.3)


def test_a_database_that_outgrows_its_rows_is_seen() -> None:
    rows = Rows({"event": 200_000, "whole": 20_000, "thin": 0})
    foreseen_mb = foreseen_bytes(rows) / 1e6
    assert 130 < foreseen_mb < 150
    assert grown_wrong(1.15 * foreseen_mb, foreseen_mb) == grown_wrong(0.85 * foreseen_mb, foreseen_mb) == []
    assert grown_wrong(1.25 * foreseen_mb, foreseen_mb) != []
    assert grown_wrong(0.75 * foreseen_mb, foreseen_mb) != []


def test_a_campaign_that_was_ended_goes_on_where_its_journal_ends(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert goes_on_at(settings) == BEGINS
    later = BEGINS + timedelta(days=3, minutes=7)
    with opened(settings.data / "journal", SimulatedClock(later)) as journal:
        (last,) = journal.append([line(1)])
    assert goes_on_at(settings) == last.stored_at >= later
