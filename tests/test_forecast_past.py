"""What was: counted by hand, the same step by step as anew, ghosts taken as gone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import pytest

from forecast.past import RENEWED_DAYS, Past, grid_start, truth, truth_of_period
from ingest.events import BedsCounted, Departed, Event, EventId, UnitId
from ingest.log import EventLog
from tests.histories import LOOKS, NOON, NOTHING_MISSING, calibration, log_of, situation, state, told
from tests.worlds import told as mark
from twin.known import known_at
from twin.memory import Memory
from twin.state import State, fold
from twin.turnover import BedCounts
from twin.waits import SITUATIONS

HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
DAYS_TOLD = 365
MEASURES = ("ed_census", "ed_waiting", "ed_boarders")


def hand_made() -> State:
    day = (NOON - datetime(2026, 3, 2, 12, tzinfo=NOON.tzinfo)).days - 8
    return fold(
        State(),
        [
            mark("Arrived", "a", "08:00", day=day),
            mark("SeenByProvider", "a", "08:20", day=day),
            mark("DecidedToAdmit", "a", "10:00", day=day, unit="medicine"),
            mark("Departed", "a", "12:00", day=day, to="ward", unit="medicine"),
            mark("LeftWard", "a", "20:00", day=day, to="home"),
            mark("Arrived", "b", "09:00", day=day),
            mark("SeenByProvider", "b", "10:30", day=day),
            mark("Departed", "b", "11:30", day=day, to="home"),
        ],
    )


def test_the_truth_is_what_one_counts_by_hand() -> None:
    midnight = NOON - timedelta(days=8, hours=12)
    times = [midnight + timedelta(hours=h) for h in (7.9, 8.0, 9.5, 10.5, 11.5, 12.0, 21.0)]
    came = truth(hand_made(), calibration(), times, NOON)
    assert came["ed_census"].tolist() == [0, 1, 2, 2, 1, 0, 0]
    assert came["ed_waiting"].tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert came["ed_boarders"].tolist() == [0, 0, 0, 1, 1, 0, 0]
    assert came["ed_arrivals"].tolist() == [0, 1, 1, 0, 0, 0, 0]
    assert came["admissions"].tolist() == [0, 0, 0, 0, 0, 1, 0]
    assert came["census:medicine"].tolist() == [0, 0, 0, 0, 0, 1, 0]
    beds = calibration().hospital.unit("medicine").places
    assert came["beds_free:medicine"].tolist() == [beds, beds, beds, beds, beds, beds - 1, beds]


@pytest.mark.parametrize("as_now", [False, True], ids=["", "mutant"])
def test_free_beds_are_of_those_that_were_there(as_now: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beds that were closed for a day are missing on that day, whoever looks back on it later."""
    midnight = NOON - timedelta(days=8, hours=12)
    counts = {0: 30, 6: 24, 22: 30}
    told = [
        BedsCounted(
            event_id=EventId(f"beds-{hour}"), occurred_at=midnight + hour * HOUR, unit=UnitId("medicine"), count=count
        )
        for hour, count in counts.items()
    ]
    if as_now:
        monkeypatch.setattr(BedCounts, "at", lambda self, ward, at_min, otherwise: np.full(at_min.size, 30.0))
    times = [midnight + timedelta(hours=h) for h in (3, 8, 13, 21, 23)]
    came = truth(fold(hand_made(), told), calibration(), times, NOON)["beds_free:medicine"]
    assert (came.tolist() == [30, 24, 23, 24, 30]) != as_now


def a_year() -> EventLog:
    """One patient a day, here from eight to noon, for a year of a hospital that nothing else is told of."""
    here = [mark("Arrived", f"v{day}", "08:00", day=day + 1) for day in range(DAYS_TOLD)]
    gone = [mark("Departed", f"v{day}", "12:00", day=day + 1, to="home") for day in range(DAYS_TOLD)]
    events = [event for both in zip(here, gone, strict=True) for event in both]
    return log_of(events)


def test_the_truth_of_a_year_is_all_there() -> None:
    log, span = a_year(), a_year().span()
    assert span is not None
    first = span.first_occurred_at + timedelta(hours=1)
    times = [first + timedelta(days=day, hours=h) for day in range(DAYS_TOLD) for h in (0, 5)]
    came = truth_of_period(Memory(log), calibration(), times, span.last_known_at + timedelta(days=9))["ed_census"]
    assert came.reshape(-1, 2).tolist() == [[1, 0]] * DAYS_TOLD
    at_once = truth(Memory(log).at(times[-1]), calibration(), times, times[-1])["ed_census"]
    assert at_once[: DAYS_TOLD // 2].sum() == 0, "the mutant: a state holds some months only"


def test_the_instants_asked_for_need_no_grid() -> None:
    odd = [NOON - timedelta(days=8, minutes=37), NOON - timedelta(days=8, minutes=4)]
    both = truth(state(), calibration(), odd, NOON)
    for i, at in enumerate(odd):
        alone = truth(state(), calibration(), [at], NOON)
        assert {m: v[0] for m, v in alone.items() if v[0] == v[0]} == {m: v[i] for m, v in both.items() if v[i] == v[i]}


def test_some_days_later_the_log_tells_what_was() -> None:
    last = state(LOOKS[-1])
    came = truth(last, calibration(), list(LOOKS[:4]), LOOKS[-1])
    for measure in MEASURES:
        true = np.array([t[measure] for t in told().truth[:4]])
        assert np.abs(came[measure] - true).mean() <= 3.5


def test_where_clerks_miss_nothing_the_log_tells_it_exactly() -> None:
    last = state(LOOKS[-1], NOTHING_MISSING)
    came = truth(last, calibration(NOTHING_MISSING), list(LOOKS[:5]), LOOKS[-1])
    for measure in MEASURES:
        assert np.abs(came[measure] - [t[measure] for t in told(NOTHING_MISSING).truth[:5]]).max() <= 1


def open_exits(at: datetime) -> float:
    return float(len([v for v in state(at).present(at) if at - (v.arrived_at or at) < timedelta(days=3)]))


def test_exits_still_to_be_told_are_taken_as_told() -> None:
    errors, naive = [], []
    for look, true in zip(LOOKS, told().truth, strict=True):
        here = situation(look)
        _, now = Past(grid_start(look, days=3)).at(state(look), here.known, calibration(), look)
        errors.append(now["ed_census"] - true["ed_census"])
        naive.append(open_exits(look) - true["ed_census"])
    assert abs(np.mean(errors)) < 2.0
    assert np.mean(np.abs(errors)) < 4.0
    assert np.mean(naive) > 20  # the mutant: whoever has no exit is here


# --- step by step


def followed(past: Past, looks: Iterable[datetime]) -> dict[str, np.ndarray]:
    for look in looks:
        history, _ = past.at(state(look), situation(look).known, calibration(), look)
    return dict(history.measures)


def test_step_by_step_is_the_same_as_anew_where_all_is_told_at_once() -> None:
    habits = NOTHING_MISSING
    first = grid_start(LOOKS[0], days=10)
    steps, anew = Past(first), Past(first)
    for look in LOOKS:
        known = known_at(state(look, habits), calibration(habits), look)
        history, now = steps.at(state(look, habits), known, calibration(habits), look)
    again, now_again = anew.at(state(look, habits), known, calibration(habits), look)
    assert now == pytest.approx(now_again, nan_ok=True)
    settled = slice(0, -RENEWED_DAYS * 96)
    for measure in MEASURES:
        np.testing.assert_array_equal(history.measures[measure][settled], again.measures[measure][settled])


def test_the_latest_days_are_counted_anew_and_older_ones_stay_as_they_were_known() -> None:
    past = Past(grid_start(LOOKS[0], days=10))
    before = followed(past, LOOKS[:1])["ed_census"]
    after = followed(past, LOOKS[1:])["ed_census"]
    kept = before.size - RENEWED_DAYS * 96
    np.testing.assert_array_equal(before[:kept], after[:kept])
    assert after.size == before.size + int((LOOKS[-1] - LOOKS[0]) / QUARTER)
    assert not np.array_equal(before[-8:], after[before.size - 8 : before.size])


def test_the_present_may_lie_off_the_grid() -> None:
    look = LOOKS[0]
    past = Past(look - timedelta(days=3, minutes=4))
    history, now = past.at(state(look), situation(look).known, calibration(), look)
    assert look - history.as_of == timedelta(minutes=4)
    whole, at_look = Past(look - timedelta(days=3)).at(state(look), situation(look).known, calibration(), look)
    assert whole.as_of == look
    assert now == pytest.approx(at_look, nan_ok=True)
    assert at_look == pytest.approx(whole.now, nan_ok=True)


def test_the_grid_starts_so_many_days_before_in_whole_steps() -> None:
    assert grid_start(NOON, days=10) == NOON - timedelta(days=10)
    assert (NOON - grid_start(NOON)) % QUARTER == timedelta(0)


# --- moves to a ward that nobody told of


def ward_censuses(events: Iterable[Event]) -> tuple[float, float, float]:
    """People in wards: as expected now by the twin, as its rivals count them now, and the truth of some days ago."""
    held, c, now_at = fold(State(), events), calibration(NOTHING_MISSING), LOOKS[-1]
    known = known_at(held, c, now_at)
    _, now = Past(grid_start(now_at, days=3)).at(held, known, c, now_at)
    came = truth(held, c, list(LOOKS[:3]), now_at)
    wards = [f"census:{u.name}" for u in c.hospital.wards]
    expected = known.p_here[known.situation == SITUATIONS.index("ward")].sum()
    gone = (1.0 - known.p_here)[known.situation == SITUATIONS.index("bed")].sum()
    return expected + gone, sum(now[w] for w in wards), float(sum(came[w].mean() for w in wards))


def test_moves_to_wards_that_nobody_told_are_known_to_the_twin_its_rivals_and_the_truth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the rule, the mutant, who went to a ward without a word lies nowhere."""
    events = told(NOTHING_MISSING).known(LOOKS[-1])
    moves = [e for e in events if isinstance(e, Departed) and e.to == "ward"]
    lost = {e.event_id for e in moves[::3] if e.occurred_at < LOOKS[0] - timedelta(days=2)}
    kept = [e for e in events if e.event_id not in lost]
    whole = ward_censuses(events)
    for with_all, with_some in zip(whole, ward_censuses(kept), strict=True):
        assert with_some == pytest.approx(with_all, rel=0.05)
    monkeypatch.setattr("twin.history.went_untold", lambda *_: False)
    monkeypatch.setattr("twin.known.went_untold", lambda *_: False)
    for with_all, with_none in zip(whole, ward_censuses(kept), strict=True):
        assert with_none < 0.93 * with_all
