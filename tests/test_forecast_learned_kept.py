"""What a night learned, kept for who starts again: the same forecast to the last bit, or learned anew and said why."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from forecast import nightly as nightly_module
from forecast.ensemble import Run, ensemble
from forecast.learned_kept import ASIDE, NAME, LearnedKept, Learning
from forecast.nightly import Nightly
from forecast.situation import situation_of
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.events import Arrived, EventId, VisitId
from ingest.log import EventLog, Extract, Position
from tests.histories import NOON, SEED, fingerprint, hospital, log_of, scenarios, state, told
from twin.calibrate import Calibration, calibrate
from twin.described import believed
from twin.hospital import Hospital
from twin.plain_bytes import from_bytes, to_bytes
from twin.site import load_site, site_from

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOON + HOUR


@cache
def learned_of(seed: int) -> Calibration:
    """What is learned at noon from the log of the hospital that a seed makes."""
    return calibrate(state(NOON, seed=seed), hospital(), NOON)


@pytest.fixture
def log() -> EventLog:
    """What was known at noon, in a house whose clock says so."""
    return log_of(told().known(NOON), clock=SimulatedClock(NOON))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The instants at which something is learned anew: what is learned then is what was learned at noon."""
    times: list[datetime] = []

    def learn(_state: Any, _hospital: Hospital, as_of: datetime, **_how: Any) -> Calibration:
        times.append(as_of)
        return replace(learned_of(SEED), as_of=as_of)

    monkeypatch.setattr(nightly_module, "calibrate", learn)
    return times


def starts(log: EventLog, at: datetime = NOON, of: Hospital | None = None, **how: Any) -> tuple[Calibration, bool]:
    """The first look of a house that starts on a log."""
    return Nightly(log, of or hospital(), **how).calibration(state(), at)


# --- the same to the last bit


def check_same_forecast(seed: int) -> None:
    """A house that keeps what it learned and one that learns it anew say the same."""
    fresh = learned_of(seed)
    learning = Learning(fresh, 1.5, 3, ({"what": "beds", "before": 1.25, "now": None},), NOON - DAY)
    back = from_bytes(written(learning), Learning)
    assert replace(back, calibration=fresh) == replace(learning, calibration=fresh)
    assert fingerprint(back.calibration) == fingerprint(fresh)
    assert fingerprint(said_with(back.calibration, seed)) == fingerprint(said_with(fresh, seed))


def written(learning: Learning) -> bytes:
    """As it is kept."""
    return to_bytes(learning, Learning)


def said_with(calibration: Calibration, seed: int) -> object:
    """Two scenarios of a few members, from noon."""
    situation = situation_of(state(NOON, seed=seed), calibration, NOON)
    members = ensemble(situation, scenarios("as_usual", "arrivals_up_20"), Run(members=3, horizon_min=180.0))
    return {name: of.measures for name, of in members.items()}


@pytest.mark.parametrize("seed", [SEED, 11])
def test_the_forecast_from_what_was_kept_is_that_from_what_is_learned_anew_to_the_last_bit(seed: int) -> None:
    check_same_forecast(seed)


def test_the_check_sees_a_calibration_that_comes_back_a_little_another(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounded(learning: Learning) -> bytes:
        kept = replace(learning.calibration, presence_correlation=round(learning.calibration.presence_correlation, 3))
        return to_bytes(replace(learning, calibration=kept), Learning)

    monkeypatch.setitem(globals(), "written", rounded)
    with pytest.raises(AssertionError):
        check_same_forecast(SEED)


def test_so_is_that_of_a_site_that_keeps_its_path() -> None:
    site = site_from('keeps_path = true\n[arrivals.per_day]\nvalue = 60\nunit = "visits/day"\nsource = "us"\n')
    found = believed(site, state(), NOON, lambda: learned_of(SEED))
    assert found.described is not None
    back = from_bytes(to_bytes(found, Calibration), Calibration)
    assert fingerprint(back) == fingerprint(found)
    assert fingerprint(said_with(back, SEED)) == fingerprint(said_with(found, SEED))


def test_a_house_that_starts_again_has_what_learning_anew_would_give() -> None:
    """Learned by the house itself, from the log, and again as of the same instant by one that keeps nothing."""
    log = log_of(told().known(NOON))
    first, learned = starts(log)
    again, learned_again = starts(log, LATER)
    assert (learned, learned_again) == (True, False)
    other, _ = starts(log_of(told().known(NOON)))
    assert fingerprint(again) == fingerprint(first) == fingerprint(other)


# --- when it is used


def test_a_house_that_starts_again_learns_nothing_until_the_next_night(log: EventLog, counted: list[datetime]) -> None:
    starts(log)
    log.append([arrival("new", LATER)], Position(source="adt", offset=1))
    nightly = Nightly(log, hospital())
    assert [nightly.calibration(state(), at)[1] for at in (LATER, LATER + HOUR)] == [False, False]
    assert nightly.view(LATER, "live").at_start == "kept"
    assert nightly.calibration(state(), NOON + DAY)[1]
    assert nightly.view(NOON + DAY, "live").at_start is None
    assert counted == [NOON, NOON + DAY]
    view = Nightly(log, hospital()).view(LATER, "live")
    assert view.learned_at is None, "before its first look it knows of nothing"
    assert nightly.view(NOON + DAY, "live").changed_since == NOON


def test_what_was_learned_before_the_last_night_is_only_what_it_is_compared_with(
    log: EventLog, counted: list[datetime]
) -> None:
    starts(log)
    nightly = Nightly(log, hospital())
    assert nightly.calibration(state(), NOON + DAY)[1]
    assert nightly.view(NOON + DAY, "live").changed_since == NOON


def arrival(name: str, at: datetime, known_at: datetime | None = None) -> Arrived:
    return Arrived(
        event_id=EventId(f"{name}/Arrived/0"), visit=VisitId(name), occurred_at=at, known_at=known_at, source="adt"
    )


def corrected(log: EventLog, _folder: Path) -> dict[str, Any]:
    """An extract brings what had been known before the night."""
    extract = Extract(source="old", digest="x", extracted_at=NOON - HOUR)
    log.append([arrival("late", NOON - DAY, NOON - 2 * HOUR)], Position(source="old", offset=1), extract=extract)
    return {}


def outside(folder: Path, value: float) -> Hospital:
    (folder / "flu.csv").write_text(f"at,value\n2025-01-10,{value}\n", encoding="utf-8")
    return replace(hospital(), outside=(str(folder / "flu.csv"),))


OTHERWISE: dict[str, Callable[[EventLog, Path], dict[str, Any]]] = {
    "beds of the site's own": lambda _log, _folder: {"own_beds": True},
    "what the site says": lambda _log, _folder: {"site": load_site()},
    "another hospital's file": lambda _log, _folder: {"of": replace(hospital(), school_zone="B")},
    "a series from outside": lambda _log, folder: {"of": outside(folder, 2.0)},
    "learned late": corrected,
}


def check_learned_anew(log: EventLog, folder: Path, what: str, counted: list[datetime]) -> None:
    starts(log, of=outside(folder, 1.0))
    assert starts(log, LATER, of=outside(folder, 1.0))[1] is False
    other = {"of": outside(folder, 1.0), **OTHERWISE[what](log, folder)}
    starts(log, LATER, **other)
    assert counted == [NOON, LATER], what


@pytest.mark.parametrize("what", OTHERWISE)
def test_what_is_learned_from_something_else_is_learned_anew(
    log: EventLog, counted: list[datetime], tmp_path: Path, what: str
) -> None:
    check_learned_anew(log, tmp_path, what, counted)


@pytest.mark.parametrize("what", OTHERWISE)
def test_a_house_that_takes_whatever_was_kept_is_seen(
    log: EventLog, counted: list[datetime], tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def any_at_all(kept: LearnedKept, _as_of: datetime) -> Learning | None:
        found = kept._log._database.cursor().execute("SELECT blob FROM snapshot WHERE name = ?", [NAME]).fetchall()
        return from_bytes(found[-1][0], Learning) if found else None

    monkeypatch.setattr(LearnedKept, "read", any_at_all)
    with pytest.raises(AssertionError):
        check_learned_anew(log, tmp_path, what, counted)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"code": "0" * 16}, "it was learned by other code or libraries"),
        ({"machine": "abacus"}, "it was learned on another kind of machine"),
        ({"hospital": "x"}, "the hospital's file or settings were others"),
        ({"outside": "x"}, "the series from outside were others"),
        ({"log": "x"}, "the log held other events of before it"),
    ],
)
def test_why_it_is_not_used_is_said(
    log: EventLog, counted: list[datetime], caplog: pytest.LogCaptureFixture, said: dict[str, str], reason: str
) -> None:
    """As what another version, another machine or another log leaves."""
    starts(log)
    kept = LearnedKept(log, hospital(), own_beds=False, site=None)
    found = kept.read(LATER)
    assert found is not None
    since = NOON + HOUR / 2
    log.save_snapshot(NAME, since, since, to_bytes(found, Learning, {**kept.basis(since), **said}), keep=1)
    nightly = Nightly(log, hospital())
    with caplog.at_level(logging.INFO):
        assert nightly.calibration(state(), LATER)[1]
    assert (nightly.view(LATER, "live").at_start,) == tuple(said)
    assert f"what was learned at {since} is not used: {reason}" in caplog.messages
    assert not any(reason in text for text in caplog.messages[1:])
    assert counted == [NOON, LATER]


def test_what_was_learned_from_another_log_is_learned_anew(log: EventLog, counted: list[datetime]) -> None:
    """A snapshot that came with a database which is not of these events."""
    starts(log)
    [blob] = blobs(log, NAME)
    other = log_of(told().known(NOON)[:-1])
    other.save_snapshot(NAME, NOON, NOON, blob, keep=1)
    assert starts(other, LATER)[1]


def test_of_what_was_loaded_late_it_is_said_that_events_are_others(log: EventLog, counted: list[datetime]) -> None:
    starts(log)
    corrected(log, Path())
    nightly = Nightly(log, hospital())
    assert nightly.calibration(state(), LATER)[1]
    assert nightly.view(LATER, "live").at_start == "log"


def blobs(log: EventLog, name: str) -> list[bytes]:
    snapshot = log.latest_snapshot(name, NOON + 99 * DAY)
    return [] if snapshot is None else [snapshot.blob]


def test_what_is_damaged_is_set_aside_with_its_reason_and_learned_anew(
    log: EventLog, counted: list[datetime], caplog: pytest.LogCaptureFixture
) -> None:
    starts(log)
    [whole] = blobs(log, NAME)
    for number, bent in enumerate((whole[:-9], whole[:99] + b"?" + whole[100:], b"", b"something else"), start=1):
        log.save_snapshot(NAME, NOON + number * HOUR, NOON + number * HOUR, bent, keep=1)
        caplog.clear()
        again_at = NOON + number * HOUR + HOUR / 2
        nightly = Nightly(log, hospital())
        assert nightly.calibration(state(), again_at)[1]
        assert nightly.view(again_at, "live").at_start == "damaged"
        assert any("is set aside: it is " in text for text in caplog.messages)
        assert blobs(log, ASIDE) == [bent]
        assert starts(log, again_at)[1] is False


def test_of_a_batch_that_came_while_it_was_learned_nothing_is_kept(log: EventLog, counted: list[datetime]) -> None:
    """The state was read before it; what was learned lacks what the log holds."""
    seen = log.length()
    corrected(log, Path())
    Nightly(log, hospital()).calibration(state(), NOON, seen=seen)
    assert blobs(log, NAME) == []


def test_what_cannot_be_kept_is_used_and_said(
    log: EventLog, counted: list[datetime], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def odd(*_given: Any, **_how: Any) -> Calibration:
        return replace(learned_of(SEED), beds_known=["medicine"])  # type: ignore[arg-type]

    monkeypatch.setattr(nightly_module, "calibrate", odd)
    found, learned = starts(log)
    assert (learned, list(found.beds_known), blobs(log, NAME)) == (True, ["medicine"], [])
    assert any(text.startswith("what was learned cannot be kept: ") for text in caplog.messages)


def test_what_a_site_says_before_anything_is_learned_is_not_kept() -> None:
    young = log_of(told().known(NOON - 16 * DAY))
    site = load_site()
    nightly = Nightly(young, site.hospital, site=site)
    assert nightly.calibration(state(NOON - 16 * DAY), NOON - 16 * DAY)[1]
    assert blobs(young, NAME) == []


def test_it_survives_a_database_that_is_closed(tmp_path: Path, counted: list[datetime]) -> None:
    with Database.open(tmp_path / "x.duckdb", threads=1) as database:
        starts(log_of(told().known(NOON), database=database))
    with Database.open(tmp_path / "x.duckdb", threads=1) as database:
        assert starts(EventLog(database, SimulatedClock(LATER)), LATER)[1] is False
