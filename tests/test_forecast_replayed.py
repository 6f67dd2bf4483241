"""A new house's last days, replayed: as many as something could be learned before, whatever else the log tells of."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from forecast import replayed
from forecast.ensemble import Run
from forecast.replayed import ENDS, Replayed, Subject
from tests.histories import NOON, START, hospital, scenarios, state, whole_log
from twin.settled import MINIMUM_DAYS, learnable_from

HOW = Run(members=3, horizon_min=60.0, seed=1)


@pytest.fixture
def executor() -> Iterator[Executor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def subject(learnable_at: datetime | None) -> Subject:
    return Subject(hospital(), scenarios("as_usual")[0], own_beds=False, learnable_at=learnable_at)


def test_a_log_that_tells_of_older_ward_stays_is_replayed_from_when_it_had_taught_enough(
    executor: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replayed, "MEMBERS", 3)
    monkeypatch.setattr(replayed, "EVERY", timedelta(days=1))
    enough_at, span = learnable_from(state()), whole_log().span()
    assert enough_at is not None
    assert span is not None
    assert span.first_occurred_at < START - timedelta(days=10), "who lay in a ward when the first visit came"
    replay = Replayed()
    report = replay.run(whole_log(), subject(enough_at), HOW, NOON, 60, executor)
    assert report is not None
    assert report.plan.first_at >= enough_at
    assert report.plan.last_at == NOON - ENDS
    assert report.n_issues == (NOON - ENDS - enough_at) // timedelta(days=1) + 1
    assert replay.days is None
    by_its_first_event = subject(span.first_occurred_at + timedelta(days=MINIMUM_DAYS + 1))
    found = replay.run(whole_log(), by_its_first_event, HOW, NOON, 60, executor)
    assert found is None, "the mutant: nothing could be learned"


def test_a_log_that_has_taught_nothing_yet_is_not_replayed(executor: Executor) -> None:
    for at in (None, NOON - ENDS - timedelta(hours=23)):
        assert Replayed().run(whole_log(), subject(at), HOW, NOON, 60, executor) is None
