"""How far those who are here may be more, or fewer, than expected."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import special

from tests.histories import NOON, calibration, state
from twin import presence
from twin.known import known_at
from twin.odds import shifted
from twin.presence import Flags, presence_correlation, who_is_here
from twin.present_draw import draw_present
from twin.story import Array
from twin.waits import WARD


def test_a_shift_of_the_log_odds_keeps_certainties_and_the_order() -> None:
    p = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    up, down = shifted(p, 1.0), shifted(p, -1.0)
    assert up[[0, -1]] == pytest.approx([0.0, 1.0], abs=1e-6)
    assert (down <= p + 1e-6).all()
    assert (p <= up + 1e-6).all()
    assert shifted(p, 0.0) == pytest.approx(p, abs=1e-6)
    assert np.log(up[2] / (1 - up[2])) == pytest.approx(1.0)


def correlation_found(monkeypatch: pytest.MonkeyPatch, correlation: float) -> float:
    """What is read off 4,000 instants at which 30 visits were open, drawn together with a known correlation."""
    chance = np.random.default_rng(5)

    def opened(*_: object) -> list[tuple[Array, Flags]]:
        draws = [(chance.beta(1.0, 1.0, 30), chance.random(30), float(chance.standard_normal())) for _ in range(4000)]
        return [(p, who_is_here(special.ndtri(p), uniform, score, correlation)) for p, uniform, score in draws]

    monkeypatch.setattr(presence, "_open", opened)
    return presence_correlation(None, None, calibration().exits, -1440.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("correlation", [0.0, 0.05, 0.3])
def test_the_correlation_is_recovered(monkeypatch: pytest.MonkeyPatch, correlation: float) -> None:
    assert correlation_found(monkeypatch, correlation) == pytest.approx(correlation, abs=0.03)


def numbers_here(correlation: float) -> Array:
    """Of a hundred who are here with one chance in five, in each of 4,000 members."""
    chance, p = np.random.default_rng(6), np.full(100, 0.2)
    draws = [(chance.random(100), float(chance.standard_normal())) for _ in range(4000)]
    return np.array(
        [who_is_here(special.ndtri(p), uniform, score, correlation).sum() for uniform, score in draws], dtype=np.float64
    )


def test_members_differ_more_in_how_many_are_here_and_not_in_how_many_on_the_whole() -> None:
    """Drawn each alone, the mutant, they differ by the binomial's variance."""
    alone, together = numbers_here(0.0), numbers_here(0.1)
    assert alone.std() == pytest.approx(4.0, rel=0.05)
    assert together.std() > 2 * alone.std()
    assert together.mean() == pytest.approx(20.0, abs=0.5)


def test_the_present_is_drawn_with_the_correlation_that_was_learned() -> None:
    c = calibration()
    known = known_at(state(), c, NOON)

    def spread(correlation: float) -> float:
        believed = replace(c, presence_correlation=correlation)
        ed = known.situation != WARD
        return float(np.std([draw_present(known, believed, seed=3, member=m).here[ed].sum() for m in range(300)]))

    assert spread(0.5) > 1.3 * spread(0.0)
    assert c.presence_correlation >= 0.0
