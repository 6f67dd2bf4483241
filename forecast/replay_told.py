"""Forecasts and truths as the replay shows them: fans by measure, and what came on a grid."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from forecast.archive_rows import RIVAL
from forecast.board import Fan
from forecast.past import VINTAGE, truth
from forecast.replay_view import DRAWN, MEASURES, TOLD_LEADS_MIN, Came, Said, Then
from forecast.usual import STEP_MIN
from forecast.values import Array, Forecast, Series, or_none
from twin.calibrate import Calibration
from twin.memory import Memory

_STEP = timedelta(minutes=STEP_MIN)
_USUAL = f"{RIVAL}climatology"
_LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def said_of(forecast: Forecast, then: Then, spaces: int | None, *, is_made_afterwards: bool = False) -> Said:
    """A forecast of the archive, its first scenario, over the hours before `then` as they were known."""
    told = forecast.scenarios[next(iter(forecast.scenarios))]
    usual = forecast.scenarios.get(_USUAL, {})
    fans = {m: _fan(m, forecast, told[m], usual.get(m), then, spaces) for m in MEASURES if m in told}
    corrected = forecast.provenance.get("recalibration", {})
    return Said(
        forecast.issued_at, forecast.as_of, {m: fan for m, fan in fans.items() if fan is not None},
        is_made_afterwards=is_made_afterwards, is_thinned=bool(forecast.lead_min.size and forecast.lead_min[0] > 0),
        corrected_days=int(corrected.get("days", 0)),
    )  # fmt: skip


def _fan(
    measure: str, forecast: Forecast, told: Series, usual: Series | None, then: Then, spaces: int | None
) -> Fan | None:
    """None where no member has the measure."""
    if np.isnan(told.mean).all():
        return None
    valid_at = tuple(forecast.as_of + timedelta(minutes=float(lead)) for lead in forecast.lead_min)
    return Fan(
        measure=measure,
        past_at=then.past_at,
        past=then.past.get(measure, (None,) * len(then.past_at)),
        valid_at=valid_at,
        quantiles={level: tuple(told.quantiles[level].tolist()) for level in _LEVELS},
        usual=(None,) * len(valid_at) if usual is None else _values(usual.quantiles[0.5]),
        capacity=float(spaces) if measure == "ed_census" and spaces else None,
    )


def came_after(
    memory: Memory, calibration: Calibration, at: datetime, now: datetime, *, told_of: Said | None = None
) -> Came:
    """What came in the hours after an instant, a week later, or as it is known now; None for what has not come yet.

    On a grid, and at the hours that are told of a forecast in words.
    """
    grid = {at + i * _STEP for i in range(DRAWN // _STEP + 1)}
    leads = TOLD_LEADS_MIN if told_of is not None else ()
    grid |= {valid for lead in leads if told_of and (valid := told_of.as_of + timedelta(minutes=lead)) >= at}
    times = sorted(grid)
    known_at = min(times[-1] + VINTAGE, now)
    state = memory.at(known_at)
    told_until = min(known_at, state.latest_at or known_at)
    told = times[: bisect_right(times, told_until)]
    came: Mapping[str, Array] = truth(state, calibration, told, known_at) if told else {}
    rest = (None,) * (len(times) - len(told))
    values = {m: (*_values(came[m]), *rest) for m in MEASURES if m in came}
    return Came(tuple(times), {m: v for m, v in values.items() if any(one is not None for one in v)}, known_at)


def _values(values: Array) -> tuple[float | None, ...]:
    return tuple(or_none(v) for v in values.tolist())
