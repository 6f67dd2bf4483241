"""The analytic count model: a rival of the simulation that knows no queues.

Everybody who is here stays as long after their last milestone as patients like them have stayed (those not seen yet,
in care, decided on; by acuity), given how long ago it was; those who come do so at the learned rates and stay as all
have stayed. The census is then a sum of independent yes and no (who is still here) and a Poisson number (who has come
and is still here), the level of today given what has come since midnight. What it lacks is what a simulation is for:
that patients wait for one another.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np

from forecast.situation import Situation
from forecast.values import Array, Series, series
from twin.arrivals import calendar, day_levels, expected_today
from twin.reporting import EXITS, Reporting
from twin.settled import BLOCKS
from twin.waits import WARD

RIVAL = "count_model"
"""Its name among the baselines, of the census of the department alone."""
DRAWS = 200
STEP_MIN = 15.0
ENOUGH = 50
"""Stays of an acuity that speak for themselves; with fewer, those of all do."""


def with_count_model(
    rivals: Mapping[str, Mapping[str, Series]], situation: Situation, as_of: datetime, lead_min: Array
) -> dict[str, Mapping[str, Series]]:
    """Baselines at leads from an instant with this one beside them; the same for the same situation.

    Where the feed is late the situation is of before the instant, and this rival has as much further to go.
    """
    ahead_min = lead_min + (as_of - situation.as_of) / timedelta(minutes=1)
    draws = census(situation, ahead_min, members=DRAWS, seed=int(situation.as_of.timestamp()))
    return {**rivals, RIVAL: {"ed_census": series(draws)}}


def census(situation: Situation, lead_min: Array, *, members: int, seed: int) -> Array:
    """Draws of the census at each lead, `(lead, member)`: what the model says, as a sample."""
    dice = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0xA7A])))
    p = still_here(situation, lead_min)
    uniform = dice.random((members, p.shape[1]))
    still = (uniform[None] < p[:, None, :]).sum(axis=2)
    come = dice.poisson(_coming(situation, lead_min, _levels(situation, dice, members, float(lead_min.max()))))
    return np.asarray(still + come, dtype=np.float64)


def still_here(situation: Situation, lead_min: Array) -> Array:
    """The probability that each of those in the department is here at each lead, `(lead, patient)`."""
    known, exits = situation.known, situation.calibration.exits
    rows = np.flatnonzero(known.situation != WARD)
    out = np.empty((lead_min.size, rows.size))
    for i, row in enumerate(rows):
        elapsed = -float(known.exit_since_min[row])
        left = stays_beyond(exits[EXITS[known.exit[row]]], int(known.acuity[row]), elapsed)
        gone = np.searchsorted(left, elapsed + lead_min, side="right")
        out[:, i] = known.p_here[row] * (1.0 - gone / left.size if left.size else 0.0)
    return out


def stays_beyond(told: Reporting, acuity: int, elapsed_min: float) -> Array:
    """Stays from a milestone, rising, of those who were here and had gone no further after as long: of an acuity, or of
    all where it has fewer than `ENOUGH`."""
    still = (told.stay > elapsed_min) & (told.moves_on > elapsed_min)
    mine = still & (told.group // BLOCKS == acuity + 1)
    return np.sort(told.stay[mine if mine.sum() >= ENOUGH else still])


def _levels(situation: Situation, dice: np.random.Generator, members: int, horizon_min: float) -> Array:
    """The level of each day that the forecast touches, `(member, day)`."""
    stream, zone = situation.calibration.parameters.streams[0], situation.calibration.hospital.zone
    days = int(calendar(situation.as_of, horizon_min, zone).day[-1]) + 1
    heard = expected_today(stream, situation.as_of, zone) - situation.unheard_today.get(stream.name, 0.0)
    seen = situation.seen_today.get(stream.name, 0)
    uniform = dice.random((members, days))
    return day_levels(uniform, stream.day_cv, seen=seen, expected=max(heard, 0.0), dispersion=stream.dispersion)


def _coming(situation: Situation, lead_min: Array, level: Array) -> Array:
    """How many of those to come are expected to be here at each lead, `(lead, member)`."""
    c = situation.calibration
    stream, hours = c.parameters.streams[0], calendar(situation.as_of, float(lead_min.max()), c.hospital.zone)
    middles = np.arange(STEP_MIN / 2, float(lead_min.max()), STEP_MIN)
    hour = hours.hour_at(middles)
    rate = (hours.expected_of(stream) / np.diff(hours.edge_min))[hour] * STEP_MIN
    stays = np.sort(c.exits["unseen"].stay)
    ago = np.maximum(lead_min[:, None] - middles[None, :], 0.0)
    left = 1.0 - np.searchsorted(stays, ago, side="right") / stays.size
    here = np.where(middles[None, :] < lead_min[:, None], left, 0.0)
    return np.asarray((here * rate) @ level[:, hours.day[hour]].T)
