"""Walks tell where visits are after their last milestone: every stage between two of them, and how long for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from tests.sites import COUNTER, site
from twin import walks as module
from twin.measures import inside
from twin.parameters import Parameters
from twin.waits import BED, SITUATIONS, WARD
from twin.walks import DAYS, WARM_UP_DAYS, Walks, marked_by, walked, wards_of

Told = tuple[str, str, bool, float, float]


def walks_of(text: str, told: Iterable[str] | None = None) -> Walks:
    s = site(text)
    assert s.path is not None
    assert s.parameters is not None
    return walked(s.hospital, s.path, s.parameters, marked_by(s.path) if told is None else frozenset(told))


def stretches(walks: Walks) -> set[Told]:
    path = site(COUNTER).path
    assert path is not None
    columns = (walks.situation, walks.stage, walks.serving, walks.from_min, walks.until_min)
    return {
        (SITUATIONS[s], path.names[k], serving, round(a, 6), round(b, 6))
        for s, k, serving, a, b in zip(*(column.tolist() for column in columns), strict=True)
        if np.isfinite(b)
    }


def test_each_stage_stands_where_its_milestone_puts_it() -> None:
    """Whoever is there when the run ends is cut short: at most one, here, where few come."""
    whole = {
        ("triage", "door", True, 0.0, 10.0),
        ("decision", "care", True, 0.0, 30.0),
        ("ward", "lies", True, 0.0, 100.0),
        ("ward", "wakes", True, 100.0, 120.0),
    }
    found = stretches(walks_of(COUNTER))
    assert found >= whole
    assert len(found - whole) <= 1


def test_a_milestone_that_the_log_does_not_tell_begins_nothing() -> None:
    assert stretches(walks_of(COUNTER, ["SeenByProvider"])) >= {
        ("triage", "door", True, 0.0, 10.0), ("decision", "care", True, 0.0, 30.0),
    }  # fmt: skip
    silent = stretches(walks_of(COUNTER, []))
    assert ("triage", "care", True, 10.0, 40.0) in silent
    assert not [one for one in silent if one[0] in ("provider", "decision", "bed")]


def test_a_stay_in_a_ward_counts_from_the_entry_of_the_ward() -> None:
    walks = walks_of("")
    lies = walks.situation == WARD
    assert (walks.where[lies] >= 0).all()
    assert (walks.where[~lies] == -1).all()
    assert (walks.from_min >= 0).all()


def test_stretches_are_whole_visits() -> None:
    """In the shipped hospital, those whose stretches were added up are as many as were counted on the way."""
    s, walks = site(), walks_of("")
    assert s.parameters is not None
    assert counted(walks) == pytest.approx(census(walks), rel=0.02)


def test_a_stage_that_is_left_out_is_seen() -> None:
    """The mutant: queues do not count."""
    walks = walks_of("")
    served = np.flatnonzero(walks.serving)
    columns = ("situation", "stage", "serving", "from_min", "until_min", "unit", "where", "acuity")
    lame = replace(walks, **{name: getattr(walks, name)[served] for name in columns})
    assert counted(lame) != pytest.approx(census(walks), rel=0.02)


def counted(walks: Walks) -> float:
    """The mean census of the department, by the length of stretches there."""
    there = walks.situation < WARD
    return float((walks.until_min - walks.from_min)[there].sum()) / ((DAYS - WARM_UP_DAYS) * 1440.0)


def census(walks: Walks) -> float:
    """And by the visits: every hour of the days that are read but the first two, which those before reach into."""
    grid = np.arange((WARM_UP_DAYS + 2) * 1440.0, DAYS * 1440.0, 60.0)
    return float(inside(walks.visits.arrived_min, walks.visits.departed_min, grid).mean())


def test_they_are_walked_once_for_equal_hospitals() -> None:
    s = site()
    assert s.path is not None
    assert s.parameters is not None
    again = walked(s.hospital.with_beds({}), s.path, s.parameters, marked_by(s.path))
    assert again is walks_of("")


def test_which_milestones_and_wards_a_path_knows() -> None:
    whole, counter = site().path, site(COUNTER).path
    assert whole is not None
    assert counter is not None
    assert marked_by(whole) == {"Triaged", "SeenByProvider", "DecidedToAdmit", "DecidedToDischarge"}
    assert marked_by(counter) == {"Triaged", "SeenByProvider", "DecidedToAdmit"}
    assert wards_of(whole) == frozenset(whole.wards)
    assert wards_of(counter) == {"room"}


def test_nobody_comes_and_nothing_is_walked() -> None:
    s = site(COUNTER)
    assert s.path is not None
    assert s.parameters is not None
    empty: Parameters = replace(s.parameters, streams=(replace(s.parameters.streams[0], per_hour=np.zeros(168)),))
    assert module.walked(s.hospital, s.path, empty, marked_by(s.path)).stage.size == 0


def test_who_is_decided_on_stands_between_the_decision_and_the_ward() -> None:
    path, walks = site().path, walks_of("")
    assert path is not None
    names = {path.names[k] for k in np.unique(walks.stage[walks.situation == BED])}
    assert {"boarding", "transport", "uhcd_boarding", "icu_boarding"} <= names
    assert not names & {"triage", "contact", "decision", "discharge", "ward", "uhcd"}
