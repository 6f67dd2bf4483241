"""The situation: all that a forecast is made from, and nothing that became known later."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest

from forecast.baselines import fit
from forecast.ensemble import Run
from forecast.issue import Times, issue
from forecast.past import Past, grid_start
from forecast.situation import midnight_before, situation_of
from ingest.clock import local
from ingest.events import Event
from ingest.log import EventLog
from tests.histories import NOON, calibration, fingerprint, hospital, other_log, scenarios, situation, state, whole_log
from tests.test_twin_memory import ByOccurrence
from tests.worlds import told as mark
from twin.calibrate import calibrate
from twin.memory import Memory
from twin.state import State, fold

HOW = Run(members=3, horizon_min=240.0, seed=5)
STEPS = ("state", "calibration", "situation", "history", "rivals", "forecast")


@cache
def traces(memory: type[Memory], log: Callable[[], EventLog]) -> dict[str, str]:
    """The fingerprint of everything on the way to a forecast at noon."""
    known = memory(log()).at(NOON)
    learned = calibrate(known, hospital(), NOON)
    here = situation_of(known, learned, NOON)
    history, now = Past(grid_start(NOON, days=21)).at(known, here.known, learned, NOON)
    rivals = fit(history, lead_min=[60.0, 240.0]).ahead(NOON, now)
    said = issue(here, scenarios("as_usual", "arrivals_up_20"), HOW, Times(NOON, NOON, NOON))
    made = (known.hash, learned, here, history, rivals, said)
    return {step: fingerprint(value) for step, value in zip(STEPS, made, strict=True)}


@pytest.mark.parametrize("step", STEPS)
def test_another_future_changes_no_bit_on_the_way_to_a_forecast(step: str) -> None:
    assert traces(Memory, whole_log)[step] == traces(Memory, other_log)[step]


@pytest.mark.parametrize("step", STEPS)
def test_reading_what_had_happened_but_was_not_known_is_caught(step: str) -> None:
    assert traces(ByOccurrence, whole_log)[step] != traces(ByOccurrence, other_log)[step]


# --- what is in it


def world(*events: Event) -> State:
    return fold(State(), events)


def moved(event: Event, ago_min: float) -> Event:
    return replace(event, occurred_at=NOON - timedelta(minutes=ago_min), known_at=NOON)


def test_those_who_came_or_left_in_the_last_hour_and_are_gone() -> None:
    gone = situation_of(
        world(
            moved(mark("Arrived", "short", "00:00"), 50),
            moved(mark("Departed", "short", "00:00", to="home"), 10),
            moved(mark("Arrived", "long", "00:00"), 300),
            moved(mark("Departed", "long", "00:00", to="ward", unit="medicine"), 30),
            moved(mark("Arrived", "before", "00:00"), 300),
            moved(mark("Departed", "before", "00:00", to="ward", unit="medicine"), 60),
            moved(mark("Arrived", "here", "00:00"), 20),
        ),
        calibration(),
        NOON,
    ).gone
    assert gone.arrived_min.tolist() == [-50.0]
    assert sorted(gone.departed_min.tolist()) == [-30.0, -10.0]
    assert gone.to_ward_min.tolist() == [-30.0]


def test_arrivals_of_today_are_counted_from_local_midnight() -> None:
    midnight = midnight_before(NOON, "Europe/Paris")
    assert local(midnight, "Europe/Paris").hour == 0
    since = (NOON - midnight) / timedelta(minutes=1)
    came = [moved(mark("Arrived", f"v{ago}", "00:00"), ago) for ago in (since + 1, since, 60.0, 0.0, -1.0)]
    assert situation_of(world(*came), calibration(), NOON).seen_today == {"emergency": 3}


def test_after_an_hour_of_silence_arrivals_meanwhile_are_not_known() -> None:
    c, noon = calibration(), state()
    usual = situation_of(noon, c, NOON).unheard_today["emergency"]
    later = NOON + timedelta(hours=3)
    silent = situation_of(noon, c, later).unheard_today["emergency"]
    assert 0 < usual < 1.0
    assert silent > usual + 2.0


def test_it_names_its_state_and_goes_to_another_process_whole() -> None:
    assert situation().state_hash == state().hash
    assert fingerprint(pickle.loads(pickle.dumps(situation()))) == fingerprint(situation())
    assert np.isfinite(situation().known.p_here).all()
