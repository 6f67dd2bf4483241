"""A past that is forecast again is published as a house would have: corrected by what its own issues had taught."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from forecast.alert_history import _Published
from forecast.past import LEARNED_AFTER, VINTAGE
from forecast.relearned import Relearned
from forecast.simulated import Lesson
from forecast.values import LEVELS, Array, Members, Series

START = datetime(2025, 3, 3, tzinfo=UTC)
EVERY, DAYS = timedelta(hours=6), 40
LEADS: Array = np.arange(0.0, 601.0, 15.0)
VERIFIED = (60.0, 120.0, 240.0, 480.0)
CAME, TOO_HIGH = 40.0, 10.0


def simulated(seed: int) -> Members:
    """Too high by as much at every lead, and not alike."""
    around = np.random.default_rng(seed).normal(CAME + TOO_HIGH, 3.0, (LEADS.size, 60))
    return Members(LEADS, {"ed_census": around.round()})


@dataclass
class Issue:
    """One instant as a trial has prepared it; nothing but what the correction asks for."""

    as_of: datetime
    lesson: Lesson | None
    lead_min: Array = field(default_factory=lambda: LEADS[1:])

    @property
    def situation(self) -> Any:
        return SimpleNamespace(as_of=self.as_of, calibration=SimpleNamespace(hospital=SimpleNamespace(zone="UTC")))

    @property
    def rivals(self) -> dict[str, dict[str, Any]]:
        """One that speaks of the measure, and says nothing."""
        return {"persistence": {"ed_census": _SILENT}}


_SILENT = Series(np.full(LEADS.size - 1, np.nan), {q: np.full(LEADS.size - 1, np.nan) for q in LEVELS})


def issues(came: float = CAME, *, from_day: int = 0) -> Iterator[Issue]:
    """Every six hours, with a lesson each midnight; `came` from a day on, 40 before."""
    times = [START + i * EVERY for i in range(int(DAYS * timedelta(days=1) / EVERY))]
    valid = sorted({at + timedelta(minutes=lead) for at in times for lead in VERIFIED})
    for at in times:
        if at.hour:
            yield Issue(at, None)
            continue
        told = [one for one in valid if one <= at - LEARNED_AFTER]
        valid = valid[len(told) :]
        since = START + timedelta(days=from_day)
        values = np.array([came if one >= since else CAME for one in told])
        yield Issue(at, Lesson(at, told, {"ed_census": values}))


def settling(too_high: float, *, once: bool = False) -> Iterator[Issue]:
    """The same where truth is told so much too high until it is a week old; `once`: and never again after that."""
    told, last = list[datetime](), START
    for one in issues():
        if one.lesson is not None:
            told += one.lesson.times
            times = [at for at in told if at > (last - LEARNED_AFTER if once else last - VINTAGE)]
            values = np.array([CAME + too_high * (at > one.as_of - VINTAGE) for at in times])
            yield Issue(one.as_of, Lesson(one.as_of, times, {"ed_census": values}))
            last = one.as_of
        else:
            yield one


def off(told: Iterator[Issue]) -> Array:
    """By how much what would have been published was too high at each issue, on the mean of the verified leads."""
    published, at = _Published(LEADS), np.isin(LEADS, VERIFIED)
    return np.array(
        [published.of(one, simulated(k)).measures["ed_census"][at].mean() - CAME for k, one in enumerate(told)]  # type: ignore[arg-type]
    )


def test_a_trial_corrects_what_its_own_issues_showed_to_be_too_high() -> None:
    error = off(issues())
    assert error[:8].mean() == pytest.approx(TOO_HIGH, abs=0.5), "nothing was known of the first two days"
    assert abs(error[-40:].mean()) < 1.0


def test_a_trial_that_learned_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of the test above: members as simulated."""
    monkeypatch.setattr(Relearned, "learn", lambda *_: None)
    assert abs(off(issues())[-40:].mean()) > TOO_HIGH - 1.0


def test_a_trial_knows_no_truth_before_its_time() -> None:
    """Two pasts that part on a day are told alike until two days later."""
    parted = 20
    alike = int((timedelta(days=parted) + LEARNED_AFTER) / EVERY)
    mine, other = off(issues()), off(issues(70.0, from_day=parted))
    np.testing.assert_array_equal(mine[:alike], other[:alike])
    assert (mine[alike + 8 :] != other[alike + 8 :]).all()


def test_truth_that_is_told_again_is_learned_again() -> None:
    """What a house learns from is final but for the last week, so that is what a past forecast again learns from."""
    early = 6.0
    assert abs(off(settling(0.0))[-40:].mean()) < 1.0
    share_of_a_week = 0.35  # of what counts half after 14 days, the week that is not final
    assert abs(off(settling(early))[-40:].mean()) < 1.0 + share_of_a_week * early
    assert off(settling(early, once=True))[-40:].mean() > early - 1.0, "the mutant: told too high for ever"


def test_members_keep_their_order_and_their_present() -> None:
    published = _Published(LEADS)
    for k, one in enumerate(issues()):
        before = simulated(k)
        after = published.of(one, before)  # type: ignore[arg-type]
    mine, raw = after.measures["ed_census"], before.measures["ed_census"]
    np.testing.assert_array_equal(mine[0], raw[0])
    assert (np.diff(mine[8][np.argsort(raw[8], kind="stable")]) >= 0).all()
