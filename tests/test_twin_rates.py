"""Rates as the product of a row's and a column's factor."""

from __future__ import annotations

import numpy as np
import pytest

from twin.rates import product_rates

ROWS, COLUMNS = np.array([0.5, 1.0, 2.0]), np.array([1.0, 3.0])
EXPOSED = np.array([[10.0, 400.0], [300.0, 20.0], [50.0, 50.0]]) * 100


def test_factors_are_found_however_unevenly_the_cells_were_seen() -> None:
    counted = EXPOSED * np.outer(ROWS, COLUMNS)
    assert product_rates(counted, EXPOSED, prior=0.0) == pytest.approx(np.outer(ROWS, COLUMNS), rel=1e-3)


def test_the_mean_of_a_row_alone_would_be_wrong() -> None:
    """The mutant: a row's own rate says more of where it was seen than of the row."""
    counted = EXPOSED * np.outer(ROWS, COLUMNS)
    alone = counted.sum(axis=1) / EXPOSED.sum(axis=1)
    assert alone[0] / alone[1] > 2 * ROWS[0] / ROWS[1]


def test_a_column_that_was_hardly_seen_has_the_usual_rate() -> None:
    counted, exposed = np.array([[100.0, 0.0]]), np.array([[1000.0, 1.0]])
    assert product_rates(counted, exposed, prior=5.0)[0, 1] == pytest.approx(0.1, rel=0.05)
