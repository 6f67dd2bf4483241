"""Days of a whole house on a stepped clock, broken off and gone on with: every cycle comes, files are as foreseen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.flat import cycles, faults, found
from tests.growth import foreseen_bytes, grown_wrong, rows_of
from tests.living import load
from tests.weeks import live_on, samples_of
from tests.weeks_house import settings_of

EVERY = timedelta(hours=1)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_days_of_a_house_are_gone_on_with_after_it_was_broken_off(tmp_path: Path) -> None:
    """Two lives of three days; sixty days are `make soak-weeks`."""
    for days in (3.0, 6.0):
        live_on(tmp_path, ["--every-min", "60"], until_days=days)
    samples, rows = samples_of(tmp_path), rows_of(settings_of(tmp_path).data)
    print("\n".join(found(samples, EVERY, 1.0)), rows, load(), sep="\n")
    done, due, days = cycles(samples)
    assert days > 5.5
    assert done == due
    assert [what for what in faults(samples, EVERY, 1.0) if not what.startswith("memory")] == [], "days tell no slope"
    assert grown_wrong(samples[-1].database_mb, foreseen_bytes(rows) / 1e6) == []
