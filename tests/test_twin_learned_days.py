"""A year kept day by day: added to night by night it is the year read at once, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest

from ingest.events import Arrived, Departed, Event, EventId, VisitId
from ingest.log import EventLog, Extract, Position
from tests.histories import fingerprint, log_of
from twin import history, learned_days, settled
from twin.calibrate import Calibration, calibrate
from twin.hospital import load_hospital
from twin.learned_days import DAY, Before, Days, came_at, midnight
from twin.memory import Memory
from twin.state import State, fold

START = datetime(2025, 9, 1, tzinfo=UTC)
LAST = START + timedelta(days=125, hours=4)
LATE = timedelta(days=62)
"""After which every ninth exit is told: later than days are taken down, and not on the night they are added."""


def event(cls: type[Any], number: int, at: datetime, known_at: datetime, **told: Any) -> Event:
    name = f"v{number:05}"
    made: Event = cls(
        event_id=EventId(f"{name}/{cls.__name__}"), visit=VisitId(name), occurred_at=at, recorded_at=known_at,
        known_at=known_at, source="tests", **told,
    )  # fmt: skip
    return made


@cache
def events() -> tuple[Event, ...]:
    return tuple(sorted(_events(), key=lambda e: (e.known_at or START, e.event_id)))


def _events() -> Iterator[Event]:
    chance = np.random.default_rng(5)
    for number in range(125 * 8):
        came = START + timedelta(hours=3 * number, minutes=float(chance.uniform(0, 100)))
        left = came + timedelta(minutes=float(chance.gamma(3, 60)))
        yield event(Arrived, number, came, came)
        yield event(Departed, number, left, left + (LATE if number % 9 == 0 else timedelta(0)), to="home")


def log(*more: Event) -> EventLog:
    return log_of(events(), *([list(more)] if more else []))


def learned(of: EventLog, days: Days, as_of: datetime) -> Calibration:
    return calibrate(Memory(of).at(as_of), load_hospital(), as_of, before=days.before(as_of))


def night_by_night(of: EventLog, nights: int = 3) -> Calibration:
    days = Days(of)
    found = [learned(of, days, LAST - n * DAY) for n in reversed(range(nights))]
    assert days.added == 1
    return found[-1]


# --- the same to the last bit


def test_a_year_added_to_night_by_night_is_the_year_read_at_once() -> None:
    of = log()
    at_once = Days(of)
    whole = learned(of, at_once, LAST)
    assert at_once.added == 65
    assert fingerprint(night_by_night(of)) == fingerprint(whole)


def test_taken_down_as_known_on_the_night_itself_it_would_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant takes each day down as it is known when it is added; exits are told in the meantime."""
    of = log()

    def as_known_now(self: Days, days: list[datetime]) -> dict[datetime, tuple[object, ...]]:
        state = Memory(of).at(max(days) + timedelta(days=61)) if days else None
        return {d: tuple(learned_days._of_day(state, d)) for d in days} if state else {}

    monkeypatch.setattr(Days, "_read", as_known_now)
    assert fingerprint(night_by_night(of)) != fingerprint(learned(of, Days(of), LAST))


def test_who_starts_again_reads_what_was_kept() -> None:
    of = log()
    kept = Days(of, saves=True)
    kept.before(LAST - DAY)
    again = Days(of)
    found = again.before(LAST)
    assert again.added == 1
    assert found == Days(of).before(LAST) == kept.before(LAST)


# --- what is in it


def test_each_visit_is_there_once_and_the_last_weeks_are_the_states() -> None:
    of = log()
    before = Days(of).before(LAST)
    rows = before.with_recent(Memory(of).at(LAST))
    assert before.until == midnight(LAST) - 60 * DAY
    assert all((at := came_at(v)) is not None and at < before.until for v in before.visits)
    assert sorted(v.visit for v in rows) == sorted({e.visit for e in events() if isinstance(e, Arrived)})


def test_what_is_told_later_than_a_day_is_taken_down_is_not_in_it() -> None:
    by_visit = {v.visit: v for v in Days(log()).before(LAST).visits}
    assert by_visit[VisitId("v00009")].departed_at is None
    assert by_visit[VisitId("v00010")].departed_at is not None


def test_a_year_too_old_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned_days, "YEAR_DAYS", 80)
    days = Days(log())
    days.before(LAST - DAY)
    assert {midnight(v.arrived_at) for v in days.before(LAST).visits if v.arrived_at} == {
        midnight(LAST) - n * DAY for n in range(61, 81)
    }


def test_an_old_extract_that_is_loaded_later_is_read() -> None:
    of = log()
    days = Days(of, saves=True)
    first = days.before(LAST)
    came = START + timedelta(days=20, hours=1)
    old = Extract(source="old", digest="old", extracted_at=came)
    of.append([event(Arrived, 99_999, came, came)], Position(source="old", offset=1), extract=old)
    assert VisitId("v99999") in {v.visit for v in days.before(LAST).visits}
    assert len(days.before(LAST).visits) == len(first.visits) + 1 == len(Days(of).before(LAST).visits)


def test_without_days_that_are_over_there_is_nothing_before() -> None:
    early = START + timedelta(days=50)
    of = log()
    assert Days(of).before(early) == Before(midnight(early) - 60 * DAY)
    state = Memory(of).at(early)
    alone = calibrate(state, load_hospital(), early)
    assert fingerprint(alone) == fingerprint(learned(of, Days(of), early))


# --- lengths of stay are not cut short by the present


def long_stays() -> Iterator[Event]:
    """Twelve days; one visit in four lasts more than a day."""
    chance = np.random.default_rng(9)
    for number in range(12 * 60):
        came = START + timedelta(minutes=24 * number)
        lasts = float(chance.uniform(24, 40) if number % 4 == 0 else chance.uniform(1, 5))
        left = came + timedelta(hours=lasts)
        yield event(Arrived, number, came, came)
        yield event(Departed, number, left, left, to="home")


def longest_tenth(at: datetime) -> float:
    known = [e for e in long_stays() if e.known_at is not None and e.known_at <= at]
    return float(calibrate(fold(State(), known), load_hospital(), at).report["stay_min"]["p90"])


def test_stays_that_still_last_do_not_make_stays_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant learns from everybody who came: of the last two days only the short stays have ended."""
    now = START + timedelta(days=12)
    came = {e.visit: e.occurred_at for e in long_stays() if isinstance(e, Arrived)}
    lasted = [(e.occurred_at - came[e.visit]) / timedelta(minutes=1) for e in long_stays() if isinstance(e, Departed)]
    truth = float(np.quantile(lasted, 0.9))
    assert longest_tenth(now) == pytest.approx(truth, rel=0.015)
    for module in (history, settled):
        monkeypatch.setattr(module, "SETTLED_MIN", 0.0)
    assert longest_tenth(now) < 0.98 * truth
