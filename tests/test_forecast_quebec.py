"""The statistical part alone on real counts: better together than the best simple rival, from what was published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from tests import quebec
from tests.quebec import DATA, LEADS, SIMPLE, Period, Readings, figures, forecasts, sites

pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="Quebec's hourly counts are not beside the checkout (../shared/data)"),
    pytest.mark.timeout(900),
]
SITE = "51218097"
WEEK = Period(datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 3, 11, tzinfo=UTC))


@pytest.fixture(scope="module")
def found() -> list[Readings]:
    return list(sites())


@pytest.fixture(scope="module")
def site(found: list[Readings]) -> Readings:
    return next(one for one in found if one.site == SITE)


def test_nearly_all_sites_are_there_and_hours_without_a_reading_stay_so(found: list[Readings]) -> None:
    assert len(found) == 94
    assert all(np.mean(~np.isnan(one.values)) >= 0.9 for one in found)


def test_together_they_are_better_than_the_best_simple_rival(site: Readings) -> None:
    period = Period(
        datetime(2023, 12, 4, tzinfo=UTC), datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 5, 20, tzinfo=UTC)
    )
    found = figures(site, period)
    assert set(found.crps) >= {"combined", *SIMPLE}
    assert found.gain().mean() > 0.01
    assert np.mean(found.gain() > 0) > 0.8
    assert 0.72 < np.mean(found.coverage_80) < 0.86


def test_no_forecast_reads_what_was_not_published(site: Readings, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reading of the hour itself, the mutant, another value of that hour changes what is said."""
    last = round((WEEK.until - site.start_at).total_seconds() / 3600)
    hours = np.arange(site.values.size)

    def blind() -> bool:
        first = forecasts(site, WEEK)
        issue = first.issued_at.max()
        at = round((issue - np.datetime64(site.start_at.replace(tzinfo=None))) / np.timedelta64(1, "h"))
        assert at < last
        other = replace(site, values=np.where(hours >= at, 500.0, site.values))
        mine = first.issued_at == issue
        again = forecasts(other, WEEK)
        return all(
            np.array_equal(rival.quantiles[mine], again.rivals[name].quantiles[mine], equal_nan=True)
            for name, rival in first.rivals.items()
        )

    assert blind()
    monkeypatch.setattr(quebec, "LATE_HOURS", 0)
    assert not blind()


def test_leads_are_the_hours_of_a_day() -> None:
    assert LEADS.tolist() == [60.0 * hour for hour in range(1, 25)]
