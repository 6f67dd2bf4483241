"""The analytic count model: a rival of the simulation that knows no queues.

Everybody who is here stays as long as patients like them have stayed, given how long they have been here; those who
come do so at the learned rates and stay so too. The census is then a sum of independent yes and no (who is still here)
and a Poisson number (who has come and is still here), the level of today given what has come since midnight. What it
lacks is what a simulation is for: that patients wait for one another.
"""

from __future__ import annotations

import numpy as np

from forecast.situation import Situation
from forecast.values import Array
from twin.arrivals import calendar, day_levels, expected_today
from twin.known import WARD
from twin.settled import BLOCKS

STEP_MIN = 15.0
ENOUGH = 50
"""Stays of an acuity that speak for themselves; with fewer, those of all do."""


def census(situation: Situation, lead_min: Array, *, members: int, seed: int) -> Array:
    """Draws of the census at each lead, `(lead, member)`: what the model says, as a sample."""
    dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0xA7A])))
    p = still_here(situation, lead_min)
    uniform = dice.random((members, p.shape[1]))
    still = (uniform[None] < p[:, None, :]).sum(axis=2)
    level = _levels(situation, dice, members, float(lead_min.max()))
    come = dice.poisson(_coming(situation, lead_min, level))
    return np.asarray(still + come, dtype=np.float64)


def still_here(situation: Situation, lead_min: Array) -> Array:
    """The probability that each of those in the department is here at each lead, `(lead, patient)`."""
    known = situation.known
    rows = np.flatnonzero(known.situation != WARD)
    out = np.empty((lead_min.size, rows.size))
    for i, row in enumerate(rows):
        stays = _stays(situation, int(known.acuity[row]))
        elapsed = -float(known.arrived_min[row])
        left = stays.size - np.searchsorted(stays, elapsed + np.append(0.0, lead_min), side="right")
        out[:, i] = known.p_here[row] * left[1:] / max(int(left[0]), 1)
    return out


def _stays(situation: Situation, acuity: int | None = None) -> Array:
    """Stays in the department of settled visits, rising: of an acuity, or of all."""
    told = situation.calibration.exits["unseen"]
    mine = told.stay[told.group // BLOCKS == acuity + 1] if acuity is not None else told.stay
    return np.sort(mine if mine.size >= ENOUGH else told.stay)


def _levels(situation: Situation, dice: np.random.Generator, members: int, horizon_min: float) -> Array:
    """The level of each day that the forecast touches, `(member, day)`."""
    stream, zone = situation.calibration.parameters.streams[0], situation.calibration.hospital.zone
    days = int(calendar(situation.as_of, horizon_min, zone).day[-1]) + 1
    expected, seen = expected_today(stream, situation.as_of, zone), situation.seen_today.get(stream.name, 0)
    rows = [
        day_levels(dice.random(days), stream.day_cv, seen=seen, expected=expected, dispersion=stream.dispersion)
        for _ in range(members)
    ]
    return np.array(rows)


def _coming(situation: Situation, lead_min: Array, level: Array) -> Array:
    """How many of those to come are expected to be here at each lead, `(lead, member)`."""
    stream, zone = situation.calibration.parameters.streams[0], situation.calibration.hospital.zone
    hours = calendar(situation.as_of, float(lead_min.max()), zone)
    middles = np.arange(STEP_MIN / 2, float(lead_min.max()), STEP_MIN)
    hour = hours.hour_at(middles)
    rate = stream.per_hour[hours.hour_of_week[hour]] * (STEP_MIN / 60.0)
    stays = _stays(situation)
    ago = lead_min[:, None] - middles[None, :]
    stay = np.where(ago > 0, 1.0 - np.searchsorted(stays, ago.ravel(), side="right").reshape(ago.shape) / stays.size, 0)
    return np.asarray((stay * rate) @ level[:, hours.day[hour]].T)
