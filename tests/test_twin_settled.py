"""Which visits the parameters are learned from, and the class, block and load of each."""

from __future__ import annotations

import numpy as np
import pytest

from tests.histories import NOON, START, calibration, hospital, state
from twin.history import SETTLED_MIN, History, completed, history_of
from twin.minutes import Minutes
from twin.settled import (
    BLOCKS,
    DAY_MIN,
    LOAD_LEVELS,
    LOADS,
    class_codes,
    inside_at,
    learning_window,
    load_edges,
    patient_classes,
    settled_sample,
)

CLASSES = 2 * (1 + len(hospital().acuities))


@pytest.fixture(scope="module")
def history() -> History:
    known = calibration().hospital
    codes = {unit.name: code for code, unit in enumerate(known.units)}
    return history_of(state(), Minutes(NOON), 0.0, known.acuities, codes, known.zone)


def test_the_window_leaves_out_the_first_day_and_what_is_not_settled(history: History) -> None:
    first = float(np.nanmin(history.visits.arrived_min))
    assert first < Minutes(NOON).of(START) + 60
    assert learning_window(history, 60) == (first + DAY_MIN, -SETTLED_MIN)
    assert learning_window(history, 10) == (-10 * DAY_MIN, -SETTLED_MIN)


def test_the_sample_holds_the_settled_visits_of_the_window(history: History) -> None:
    visits, window = completed(history), learning_window(history, 60)
    sample = settled_sample(history, visits, window, CLASSES, window)
    arrived = sample.visits.arrived_min
    assert arrived.size == int(((visits.arrived_min >= window[0]) & (visits.arrived_min < window[1])).sum())
    assert ((arrived >= window[0]) & (arrived < window[1])).all()
    assert not np.isnan(sample.visits.departed_min).any()


def test_loads_are_levels_of_the_census_that_arrivals_met(history: History) -> None:
    visits, window = completed(history), learning_window(history, 60)
    edges = load_edges(history, visits, window)
    assert edges.shape == (BLOCKS, LOADS - 1)
    assert (np.diff(edges, axis=1) >= 0).all()
    cells = settled_sample(history, visits, window, CLASSES, window).cells
    share = np.bincount(cells.load, minlength=LOADS) / cells.load.size
    assert share == pytest.approx(np.diff([0.0, *LOAD_LEVELS, 1.0]), abs=0.1)


def test_the_census_is_that_of_the_department() -> None:
    visits = completed(history_of(state(), Minutes(NOON), 0.0, hospital().acuities, {}, hospital().zone))
    at = np.array([-3000.0, np.nan])
    here = (visits.arrived_min <= -3000.0) & ((visits.departed_min > -3000.0) | np.isnan(visits.departed_min))
    assert inside_at(visits, at)[0] == here.sum()


def test_a_class_is_an_acuity_and_an_age() -> None:
    classes = patient_classes(hospital())
    assert len(classes) == CLASSES
    acuity, elderly = np.array([-1, 0, 5]), np.array([True, False, True])
    found = [classes[code] for code in class_codes(acuity, elderly)]
    assert [(c.acuity, c.age_band) for c in found] == [(-1, "75+"), (0, None), (5, "75+")]
