"""What the board shows, for the API: now, ahead, how good it was, what is on. Nothing can be done here.

What the wall takes away is not told here either: counts of a feed that is off are null, a forecast that is too old or
withheld is refused. Ages are whole minutes and an answer is of its minute, so that who asks every second with the last
ETag is mostly told that there is nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from dashboard.errors import RefusedError
from dashboard.states import forecast_shown, forecast_state, numbers_shown
from forecast.board import Alarm, Board, Feed, UnitNow
from forecast.issue import series_json
from forecast.pages import AlertsView, RuleView
from forecast.trust_view import LeadTrust, TrustView
from forecast.units import unit_of
from forecast.values import Forecast, or_none
from twin.scenarios import likely

V = TypeVar("V")
AGAIN_S = 60
_DIGITS = 4


@dataclass(frozen=True)
class Shown:
    """What the pages show, as the house has it; None of what is not made yet."""

    board: Callable[[], Board | None]
    forecast: Callable[[], Forecast | None]
    trust: Callable[[], TrustView | None]
    alerts: Callable[[], AlertsView | None]


class ApiBoard:
    """Tells what the pages show."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown

    def board(self) -> dict[str, Any]:
        """The wall, whole; raises RefusedError (503) before the first board."""
        board = _there(self._shown.board(), "no board")
        return {
            "made_at": _minute(board.made_at), "zone": board.zone, "hospital": board.hospital, "mode": board.mode,
            "now": _now(board), "units": [_unit(one, board) for one in board.units], "feed": _feed(board.feed),
            "forecast": {
                "state": forecast_state(board), "issued_at": _at(board.cycle.issued_at),
                "age_min": _minutes(board.cycle.age),
            },
            "checks": [{"tile": one.tile, "code": one.code} for one in board.checks],
        }  # fmt: skip

    def forecast(self) -> dict[str, Any]:
        """The forecast that is shown, every measure; raises RefusedError (503) where none is."""
        told, board = self._published()
        return _forecast(told, board.zone, _measures(told))

    def measure(self, measure: str) -> dict[str, Any]:
        """The same of one measure; raises RefusedError (404) for one that it does not have."""
        told, board = self._published()
        there = _measures(told)
        if measure not in there:
            raise RefusedError(404, f"the forecast has no measure {measure}{likely(measure, there)}")
        return _forecast(told, board.zone, {measure: there[measure]})

    def verification(self) -> dict[str, Any]:
        """How good the forecasts were, by measure and lead."""
        view = _there(self._shown.trust(), "no forecast")
        found = view.judged
        return {
            "made_at": _minute(view.made_at), "n_issues": found.n_issues if found else 0,
            "days": found.days if found else 0, "first_at": _at(found.first_at) if found else None,
            "last_at": _at(found.last_at) if found else None, "replayed": found.replayed if found else False,
            "learned_at": _at(view.learned_at), "learned_days": view.learned_days,
            "measures": {
                one.measure: [_lead(at, view.shares.get(one.measure, {})) for at in one.leads]
                for one in (found.measures if found else ())
            },
        }  # fmt: skip

    def alerts(self) -> dict[str, Any]:
        """What is on, and every rule."""
        view = _there(self._shown.alerts(), "nothing watched")
        return {
            "made_at": _minute(view.made_at), "looked_at": _at(view.looked_at), "held": view.held,
            "alarms": [_alarm(one) for one in view.alarms], "rules": [_rule(one) for one in view.rules],
        }  # fmt: skip

    def _published(self) -> tuple[Forecast, Board]:
        board = _there(self._shown.board(), "no board")
        told = _there(self._shown.forecast(), "no forecast")
        if not forecast_shown(board):
            why = "too old to be shown" if forecast_state(board) == "hidden" else "withheld: the data are too old"
            raise RefusedError(503, f"the forecast of {_at(told.issued_at)} is {why}", retry_after_s=AGAIN_S)
        return told, board


def _there(view: V | None, lacks: str) -> V:
    if view is None:
        raise RefusedError(503, f"there is {lacks} yet: ask again in a minute", retry_after_s=AGAIN_S)
    return view


# --- parts ----------------------------------------------------------------------------------------------------------


def _now(board: Board) -> dict[str, Any]:
    shown = numbers_shown(board)
    free = [max(0, one.free) for one in board.units if one.free is not None]
    told = {name: round(value, 1) if isinstance(value, float) else value for name, value in vars(board.now).items()}
    said = {**told, "beds_free": sum(free) if free else None}
    return said if shown else dict.fromkeys(said)


def _unit(one: UnitNow, board: Board) -> dict[str, Any]:
    """One ward; of one whose count cannot be, nothing is forecast."""
    shown = numbers_shown(board)
    broken = any(check.tile == f"unit:{one.unit}" for check in board.checks)
    ahead = {} if broken or not forecast_shown(board) else one.free_ahead
    return {
        "unit": one.unit, "fr": one.name_fr, "en": one.name_en, "beds": one.beds,
        "census": one.census if shown else None, "free": one.free if shown else None,
        "free_ahead": {str(lead): [_round(value) for value in three] for lead, three in ahead.items()},
    }  # fmt: skip


def _feed(feed: Feed) -> dict[str, Any]:
    return {
        "state": feed.state, "heard_at": _at(feed.heard_at), "age_min": _minutes(feed.age), "source": feed.source,
        "backlog": feed.backlog, "is_lagging": feed.is_lagging, "silent_units": feed.silent_units,
        "rejected": sum(feed.rejected.values()),
    }  # fmt: skip


def _measures(told: Forecast) -> dict[str, dict[str, Any]]:
    """Every measure of the present situation, and as simulated where that is another."""
    name, measures = next(iter(told.scenarios.items()))
    raw = told.raw.get(name, {})
    out = {}
    for measure, series in measures.items():
        alone = series_json(raw[measure]) if measure in raw else dict.fromkeys(("mean", "quantiles"))
        before = {f"raw_{part}": values for part, values in alone.items()}
        out[measure] = {"unit": unit_of(measure), **series_json(series), **before}
    return out


def _forecast(told: Forecast, zone: str, measures: Mapping[str, Any]) -> dict[str, Any]:
    leads = [float(lead) for lead in told.lead_min]
    return {
        "issued_at": _at(told.issued_at), "as_of": _at(told.as_of), "known_at": _at(told.known_at), "zone": zone,
        "scenario": next(iter(told.scenarios)), "lead_min": leads,
        "valid_at": [_at(told.as_of + timedelta(minutes=lead)) for lead in leads],
        "measures": dict(measures), "parameters": dict(told.provenance),
    }  # fmt: skip


def _lead(at: LeadTrust, now: Mapping[int, float]) -> dict[str, Any]:
    def by_name(values: Mapping[str, float]) -> dict[str, float | None]:
        return {name: _round(value) for name, value in values.items()}

    return {
        "lead_min": at.lead_min, "n": at.n, "crps": _round(at.crps), "raw_crps": _round(at.raw_crps),
        "rival_crps": by_name(at.rival_crps), "skill": by_name(at.skill),
        "skill_ci95": {name: [_round(end) for end in ends] for name, ends in at.skill_ci95.items()},
        "bias": _round(at.bias), "bias_ci95": [_round(end) for end in at.bias_ci95],
        "covered_80": _round(at.covered_80), "covered_band": [_round(end) for end in at.covered_band],
        "share": _round(at.share), "share_now": now.get(at.lead_min, 1.0),
    }  # fmt: skip


def _alarm(one: Alarm) -> dict[str, Any]:
    return {
        "name": one.name, "rule": one.rule, "fr": one.name_fr, "en": one.name_en, "level": one.level,
        "raised_at": _at(one.raised_at), "sentence_fr": one.sentence_fr, "sentence_en": one.sentence_en,
        "p": _round(one.p), "first": None if one.first is None else [_at(at) for at in one.first],
        "worst": [_round(value) for value in one.worst], "worst_at": _at(one.worst_at), "threshold": one.threshold,
        "is_now": one.is_now, "acknowledged_at": _at(one.acknowledged_at), "snoozed_until": _at(one.snoozed_until),
    }  # fmt: skip


def _rule(one: RuleView) -> dict[str, Any]:
    return {
        "name": one.name, "fr": one.name_fr, "en": one.name_en, "level": one.level,
        "p": None if one.p is None else _round(one.p), "p_alert": one.p_alert,
    }  # fmt: skip


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()


def _minute(instant: datetime) -> str:
    return instant.replace(second=0, microsecond=0).isoformat()


def _minutes(age: timedelta | None) -> int | None:
    return None if age is None else max(0, age // timedelta(minutes=1))


def _round(value: float) -> float | None:
    return or_none(value, _DIGITS)
