"""Depletion times and needs on hospitals that obey another law: within the 80 % interval 74 to 86 times in 100."""

from __future__ import annotations

import pytest

from tests.supply_trials import WHICH, Tally, trial

pytestmark = [pytest.mark.soak, pytest.mark.timeout(4 * 3600)]


def test_depletion_and_need_lie_in_the_80_percent_interval_74_to_86_times_in_100() -> None:
    pooled = {which: Tally() for which in WHICH}
    for size, seed in (("small", 11), ("medium", 12), ("large", 14), ("small", 15)):
        [found] = trial(seed=seed, size=size, days=44, members=150)  # type: ignore[arg-type]
        for which in WHICH:
            pooled[which].ranks += found.pooled(which).ranks
    told = {which: (tally.n, round(tally.covered_80, 3)) for which, tally in pooled.items()}
    print(told)
    assert all(0.74 <= share <= 0.86 for _, share in told.values()), told
