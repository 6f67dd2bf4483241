"""The identical twin for a year: what learning costs, and what it costs that exits are hidden."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from dashboard.identical_law import a_law
from forecast.ensemble import Run
from forecast.identical import Outcome, Trial, recover
from forecast.workers import Workers
from twin import kernel
from twin.hospital import load_hospital
from twin.identical import Lived, live

START = datetime(2025, 3, 3, tzinfo=UTC)
FILLING_DAYS, LEARNED_DAYS, JUDGED_DAYS = 14, 60, 365
EVERY = timedelta(hours=11)
"""Every hour of the day comes in turn."""
LEARNED_EVERY = timedelta(days=7)
"""Live it is every night; here nothing changes from one week to the next."""
MEMBERS = 25
WITHIN = {0.0: 1.05, 0.1: 1.12, 0.2: 1.12, 0.4: 1.25}
"""The twin's crps over the oracle's, by the share of exits hidden; asked for at 0 and at 0.2."""
COVERS = {0.0: (0.77, 0.83), 0.1: (0.75, 0.85), 0.2: (0.75, 0.85), 0.4: (0.70, 0.90)}
"""The share that 80 % intervals hold, ends included; asked for at 0."""
LEVEL = 0.01
"""Of the test of uniform ranks, for all leads together."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(4 * 3600)]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers(2, prepare=kernel.warm)
    yield pool
    pool.shutdown()


@cache
def lived() -> Lived:
    return live(a_law(), START, FILLING_DAYS + LEARNED_DAYS + JUDGED_DAYS + 2, seed=1)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.1, 0.4])
def test_a_year_of_the_identical_twin(share: float, workers: Workers) -> None:
    first_at = START + timedelta(days=FILLING_DAYS + LEARNED_DAYS, hours=1)
    trial = Trial(first_at, JUDGED_DAYS, EVERY, share, Run(members=MEMBERS, step_min=60.0), LEARNED_EVERY)
    outcome = recover(lived(), load_hospital(), trial, executor=workers, progress=_told)
    print(json.dumps(outcome.as_json()))
    assert {at.lead_min: at.ratio for at in outcome.leads if at.ratio > WITHIN[share]} == {}
    low, high = COVERS[share]
    assert {at.lead_min: at.closed_80 for at in outcome.leads if not low <= at.closed_80 <= high} == {}
    assert _not_uniform(outcome) == {}
    assert [p.name for p in outcome.parameters if not p.holds] == []


def _told(done: int, of: int) -> None:
    if done % 50 == 0:
        print(f"{done} of {of} issues", flush=True)


def _not_uniform(outcome: Outcome) -> dict[float, float]:
    """Leads at which ranks are not uniform, at the level shared among the leads (Bonferroni)."""
    return {at.lead_min: at.p_uniform for at in outcome.leads if at.p_uniform < LEVEL / len(outcome.leads)}
