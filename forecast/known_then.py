"""What was known at an instant, for a page: figures, wards and the last hours, from the log as it was known then.

Everything comes from the state of what had become known by the instant, and from what that state teaches: nothing that
came out later is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan

from forecast.baselines import History
from forecast.board import Now, UnitNow
from forecast.past import Past, grid_start
from forecast.replay_view import MEASURES, Then
from forecast.situation import Situation, situation_of
from forecast.usual import STEP_MIN
from forecast.values import or_none
from forecast.wall import elapsed
from twin.arrivals import expected_today
from twin.calibrate import Calibration
from twin.state import State

PAST_DAYS = 0.5
"""How much of the time before an instant is drawn."""


@dataclass(frozen=True, eq=False)
class KnownThen:
    """An instant as it was known at it, with what a forecast of it needs."""

    then: Then
    state: State
    situation: Situation


def known_then(state: State, calibration: Calibration, at: datetime, spaces: int | None) -> KnownThen:
    """The instant, from the state of what was known at it and what was learned from that."""
    situation = situation_of(state, calibration, at)
    history, measured = Past(grid_start(at, PAST_DAYS)).at(state, situation.known, calibration, at)
    then = Then(
        at=at,
        now=_now(situation, measured, spaces),
        units=_units(situation, measured),
        past_at=tuple(history.start_at + timedelta(minutes=STEP_MIN * i) for i in range(history.now_index + 1)),
        past=_past(history, measured),
        heard_at=state.latest_at,
        learned_days=int(calibration.report["days"]),
    )
    return KnownThen(then, state, situation)


def _now(s: Situation, measured: Mapping[str, float], spaces: int | None) -> Now:
    wait, board = elapsed(s, "triage", "provider"), elapsed(s, "bed")
    zone, waiting = s.calibration.hospital.zone, _whole(measured, "ed_waiting")
    return Now(
        present=_whole(measured, "ed_census"),
        waiting=waiting,
        longest_wait_min=float(wait.max()) if waiting is not None and wait.size else None,
        boarders=_whole(measured, "ed_boarders"),
        longest_boarding_min=float(board.max()) if board.size else None,
        arrivals_last_hour=_whole(measured, "ed_arrivals"),
        arrivals_today=s.seen_today["emergency"],
        expected_today=expected_today(s.calibration.parameters.streams[0], s.as_of, zone),
        capacity_spaces=spaces,
    )


def _units(situation: Situation, measured: Mapping[str, float]) -> tuple[UnitNow, ...]:
    c = situation.calibration
    return tuple(
        UnitNow(
            unit.name, unit.fr, unit.en, unit.places if unit.name in c.beds_known else None,
            _whole(measured, f"census:{unit.name}"), _whole(measured, f"beds_free:{unit.name}"), {},
        )
        for unit in c.hospital.wards
    )  # fmt: skip


def _past(history: History, measured: Mapping[str, float]) -> dict[str, tuple[float | None, ...]]:
    shown = (name for name in MEASURES if name in measured and not isnan(measured[name]))
    return {name: tuple(or_none(v) for v in history.measures[name].tolist()) for name in shown}


def _whole(measured: Mapping[str, float], name: str) -> int | None:
    value = measured.get(name, float("nan"))
    return None if isnan(value) else round(value)
