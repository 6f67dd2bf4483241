"""What people know already: said on a page, an event in the log, another forecast, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from forecast.ensemble import applied_to
from forecast.errors import QuestionError
from forecast.known_futures import MOST, KnownFutures
from forecast.known_log import KnownLog
from forecast.known_told import Told
from ingest.events import BOARD, ArrivalExpected, BedsCounted, DischargePlanned, Event, EventId, UnitId
from ingest.log import Position
from tests.histories import NOON, calibration, fingerprint, scenarios, state
from tests.known_worlds import HOUR, HOW, House, house
from twin.announced import ARRIVALS, EXITS, learn_kept
from twin.doctors import roster
from twin.minutes import Minutes
from twin.state import fold

WARD = "medicine"
LATE = NOON + 4 * HOUR
MIN = timedelta(minutes=1)


@pytest.fixture
def here() -> Iterator[House]:
    with house() as made:
        yield made


def capacity(measures: dict[str, Any], ward: str = WARD) -> list[float]:
    """Beds of a ward by hour: free and taken."""
    return [float(v) for v in (measures[f"beds_free:{ward}"] + measures[f"census:{ward}"]).mean(axis=1)]


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return fingerprint(one) == fingerprint(other)


# --- the guarantee: form -> event -> forecast, and back ---------------------------------------------------------------


def test_closed_beds_are_no_beds_until_they_open_again_and_undone_it_is_as_before(here: House) -> None:
    before = here.forecast()
    number = here.known.say(here.who, Told("beds_closed", LATE, 2, WARD))
    closed = here.forecast()
    assert np.subtract(capacity(closed), capacity(before)).tolist() == [-2.0] * 4 + [0.0] * 7
    assert closed[f"beds_free:{WARD}"].sum() < before[f"beds_free:{WARD}"].sum()
    here.known.undo(here.who, number)
    assert same(here.forecast(), before)


def test_kept_in_the_notes_alone_no_forecast_would_know_of_it(here: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the second step without the third."""
    monkeypatch.setattr(KnownFutures, "_append", lambda *_: None)
    before = here.forecast()
    here.known.say(here.who, Told("beds_closed", LATE, 2, WARD))
    assert len(here.known.known) == 1
    assert same(here.forecast(), before)


def test_who_is_absent_is_missing_shift_by_shift_also_once_it_has_begun(here: House) -> None:
    usual = on_duty(here)
    number = here.known.say(here.who, Told("staff_absent", LATE, 1, "doctor"))
    here.clock.advance_to(NOON + 10 * MIN)
    ahead = range(0, 600, 30)
    fewer = [usual(10 + minute) - on_duty(here)(minute) for minute in ahead]
    assert fewer == [1 if 10 + minute < 240 else 0 for minute in ahead]
    here.known.undo(here.who, number)
    assert [on_duty(here)(minute) for minute in ahead] == [usual(10 + minute) for minute in ahead]


def on_duty(here: House) -> Any:
    """How many doctors the next forecast has, by minutes from its instant."""
    steps = applied_to(here.situation(), scenarios("as_usual")[0], HOW).capacity["doctor"]
    return lambda minute: [count for at, count in steps if at <= minute][-1]


def test_an_announced_ambulance_comes_and_undone_it_does_not(here: House) -> None:
    before = here.forecast()
    number = here.known.say(here.who, Told("ambulance", NOON + 30 * MIN, 3))
    more = here.forecast()["ed_arrivals"][1].mean() - before["ed_arrivals"][1].mean()
    assert 2.0 < more <= 3.0, "most of three come within the hour, some never"
    here.known.undo(here.who, number)
    assert same(here.forecast(), before)


def test_planned_discharges_empty_the_ward_and_undone_they_do_not(here: House) -> None:
    before = here.forecast()
    number = here.known.say(here.who, Told("discharge", NOON + HOUR, 4, WARD))
    after = here.forecast()
    assert after[f"census:{WARD}"][4].mean() < before[f"census:{WARD}"][4].mean() - 1.0
    here.known.undo(here.who, number)
    assert same(here.forecast(), before)


# --- what it is in the log --------------------------------------------------------------------------------------------


def test_it_is_ordinary_news_of_a_source_of_its_own(here: House) -> None:
    here.known.say(here.who, Told("beds_closed", LATE, 1, WARD))
    here.known.say(here.who, Told("ambulance", NOON + HOUR, 2))
    assert here.log.accounts()[BOARD].stored == 4
    assert [type(event).__name__ for event in here.said()] == [
        "BedsCounted", "ArrivalExpected", "ArrivalExpected", "BedsCounted",
    ]  # fmt: skip


def test_a_view_from_before_does_not_know_of_it_nor_one_from_before_it_was_undone_that_it_was(here: House) -> None:
    here.clock.advance_to(NOON + MIN)
    number = here.known.say(here.who, Told("beds_closed", LATE, 1, WARD))
    here.clock.advance_to(NOON + 10 * MIN)
    here.known.undo(here.who, number)
    assert here.said(NOON) == []
    assert {type(e) for e in here.said(NOON + 5 * MIN)} == {BedsCounted}
    struck = here.state(NOON + 5 * MIN).places != here.state().places
    assert struck
    assert [e for e in here.state().places if e.source == BOARD] == []


def test_what_overlaps_adds_up_and_each_can_be_undone_alone(here: House) -> None:
    whole = capacity(here.forecast())[0]
    first = here.known.say(here.who, Told("beds_closed", NOON + 2 * HOUR, 1, WARD))
    second = here.known.say(here.who, Told("beds_closed", NOON + 5 * HOUR, 2, WARD))
    assert [whole - beds for beds in capacity(here.forecast())] == [3.0] * 2 + [2.0] * 3 + [0.0] * 6
    here.known.undo(here.who, first)
    assert [whole - beds for beds in capacity(here.forecast())] == [2.0] * 5 + [0.0] * 6
    here.clock.advance_to(NOON + HOUR)
    here.known.undo(here.who, second)
    assert [e for e in here.state().places if e.source == BOARD] == []


def test_undone_after_an_earlier_one_is_over_the_beds_are_all_open(here: House) -> None:
    whole = capacity(here.forecast())[0]
    here.known.say(here.who, Told("beds_closed", NOON + HOUR, 1, WARD))
    here.clock.advance_to(NOON + HOUR / 2)
    second = here.known.say(here.who, Told("beds_closed", NOON + 5 * HOUR, 2, WARD))
    here.clock.advance_to(NOON + 2 * HOUR)
    here.known.undo(here.who, second)
    assert here.situation().calibration.hospital.unit(WARD).places - whole == pytest.approx(
        calibration().hospital.unit(WARD).held_back
    )


def test_what_the_feed_counts_later_holds_and_is_told(here: House) -> None:
    here.known.say(here.who, Told("beds_closed", LATE, 1, WARD))
    assert not here.known.counted_since(here.known.known[0])
    here.clock.advance_to(NOON + HOUR)
    count: Event = BedsCounted(
        event_id=EventId("f/1"), occurred_at=NOON + HOUR, unit=UnitId(WARD), count=7, source="f", position=1
    )
    here.log.append([count], Position(source="f", offset=1))
    assert here.known.counted_since(here.known.known[0])
    assert {choice.name: choice.most for choice in here.known.choices()["beds_closed"]}[WARD] == 6


# --- what it must not teach -------------------------------------------------------------------------------------------


def test_nothing_is_learned_from_how_it_was_kept(here: House) -> None:
    """Who is announced on the page comes under another number: learned from, every such word would seem a lie."""
    before = learn_kept(state(), Minutes(NOON + 96 * HOUR), -(30 * 24 * 60.0), "UTC")
    here.known.say(here.who, Told("ambulance", NOON + HOUR, 5))
    here.known.say(here.who, Told("discharge", NOON + HOUR, 2, WARD))
    here.known.say(here.who, Told("staff_absent", LATE, 1, "doctor"))
    after = learn_kept(here.state(), Minutes(NOON + 96 * HOUR), -(30 * 24 * 60.0), "UTC")
    assert fingerprint(after) == fingerprint(before)
    assert roster(here.state(), "doctor", NOON + 5 * HOUR, "UTC") == roster(state(), "doctor", NOON + 5 * HOUR, "UTC")
    as_a_feed = [replace(e, source="feed") for e in here.said()]
    taught = learn_kept(fold(state(), as_a_feed), Minutes(NOON + 96 * HOUR), -(30 * 24 * 60.0), "UTC")
    assert (taught[ARRIVALS].told, taught[EXITS].told) != (before[ARRIVALS].told, before[EXITS].told)


def test_a_silent_feed_stays_silent(here: House) -> None:
    here.clock.advance_to(NOON + 2 * HOUR)
    here.known.say(here.who, Told("ambulance", NOON + 3 * HOUR))
    assert here.state().latest_at == state().latest_at


# --- what cannot be ---------------------------------------------------------------------------------------------------

REFUSED = {
    "an unknown ward": (Told("beds_closed", LATE, 1, "atlantis"), "not known here"),
    "a ward's name for staff": (Told("staff_absent", LATE, 1, WARD), "not known here"),
    "a thousand beds": (Told("beds_closed", LATE, 1000, WARD), "must be 1 to"),
    "no bed": (Told("beds_closed", LATE, 0, WARD), "but is 0"),
    "a thousand doctors": (Told("staff_absent", LATE, 1000, "doctor"), "must be 1 to"),
    "too many ambulances": (Told("ambulance", LATE, MOST + 1), f"1 to {MOST}"),
    "a time that is over": (Told("beds_closed", NOON - HOUR, 1, WARD), "must lie ahead"),
    "an ambulance of an hour ago": (Told("ambulance", NOON - HOUR), "must lie ahead"),
    "a time too far ahead": (Told("discharge", NOON + 25 * HOUR, 1, WARD), "next 24 hours"),
    "nobody there": (Told("discharge", LATE, 1, "atlantis"), "not known here"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_told_and_nothing_is_kept(here: House, name: str) -> None:
    asked, why = REFUSED[name]
    with pytest.raises(QuestionError, match=why) as fault:
        here.known.say(here.who, asked)
    assert fault.value.fr != fault.value.en
    assert (here.said(), here.known.known) == ([], [])


def test_what_is_undone_cannot_be_undone_again(here: House) -> None:
    number = here.known.say(here.who, Told("ambulance", LATE))
    here.known.undo(here.who, number)
    for what in (number, 99):
        with pytest.raises(QuestionError, match="undone already"):
            here.known.undo(here.who, what)


def test_no_two_are_put_on_one_patient(here: House) -> None:
    here.known.say(here.who, Told("discharge", LATE, 2, WARD))
    here.known.say(here.who, Told("discharge", LATE, 2, WARD))
    planned = [event.visit for event in here.said() if isinstance(event, DischargePlanned)]
    assert len(set(planned)) == 4


# --- nothing is lost --------------------------------------------------------------------------------------------------


def test_what_was_noted_when_the_house_died_is_in_the_log_after_its_restart(
    here: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as dying:
        dying.setattr(KnownFutures, "_append", lambda *_: None)
        here.known.say(here.who, Told("ambulance", LATE, 2))
    assert here.said() == []
    again = here.again()
    assert [event.expected_at for event in here.said() if isinstance(event, ArrivalExpected)] == [LATE, LATE]
    assert [(one.number, one.told) for one in again.known] == [(1, Told("ambulance", LATE, 2))]
    here.again()
    assert len(here.said()) == 2, "and only once"


def test_it_is_still_known_after_a_restart_by_whom_and_until_when(here: House) -> None:
    number = here.known.say(here.who, Told("staff_absent", LATE, 1, "doctor"))
    [one] = here.again().known
    assert (one.number, one.said.who, one.told.at, one.undone) == (number, here.who.name, LATE, None)
    here.again().undo(here.who, number)
    assert [note.what for note in KnownLog(here.database).notes] == ["said", "undone"]
