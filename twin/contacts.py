"""What first contacts tell of the doctors: how long each takes of one, and how many patients one looks after at once.

A log tells when a first contact begins and never how long it keeps a doctor. What can be read is the rate of contacts
while somebody waits: then every doctor is busy, so doctor-minutes on duty per contact is the effective time of a
contact, all that keeps doctors from the next one included (their other patients, reviews, a place that is not free).
The more patients a doctor already has in care, the longer that is; and from some number on hardly any contact begins
until one of them has been decided on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
from scipy import stats

from twin.doctors import Roster, on_duty_at
from twin.durations import LEVELS, Duration
from twin.hospital import NO_LIMIT
from twin.measures import inside, waiting_until
from twin.rates import product_rates
from twin.story import Array, Index, Visits

Flags = npt.NDArray[np.bool_]

STEP_MIN = 10.0
MANY_WAIT_SHARE = 0.5
"""Waiting patients per doctor on duty from which all of them are taken to be busy."""
HARDLY_ANY = 1.0 / 3.0
"""Share of the usual rate of contacts below which a doctor is taken to have as many patients as one looks after."""
ENOUGH_EXPECTED = 20.0
"""Contacts to be expected at the usual rate in the steps that show a limit, for it to be believed."""
FEWEST_AT_ONCE = 3
"""A doctor looks after so many patients at least."""
STEPS_A_STRETCH = 3
"""Steps over which contacts are counted to see how much they differ: longer than a contact."""
ENOUGH_STRETCHES = 100
"""Such stretches that are needed to learn a shape."""
HIGHEST_SHAPE = 4.0
CONTACTS_PRIOR = 10.0
"""Contacts at which a block's, or a number of patients', own rate and that of all weigh alike."""


@dataclass(frozen=True, eq=False)
class Stretches:
    """The learned period in steps of ten minutes, `(step,)` each: only those in which all doctors are busy."""

    doctors: Array
    """On duty."""
    in_care_each: Index
    """Patients whom each of them has seen and not yet decided on, at the beginning of the step; whole ones."""
    started: Array
    """First contacts in the step."""
    block: Index
    step: Index
    """Number of the step within the period."""

    @property
    def doctor_min(self) -> Array:
        """Minutes of doctors in each step."""
        return self.doctors * STEP_MIN

    @property
    def per_min(self) -> float:
        """The usual rate: contacts per doctor-minute."""
        return float(self.started.sum() / max(self.doctor_min.sum(), 1.0))


def busy_stretches(
    visits: Visits, decided_min: Array, grid_min: Array, when: Sequence[datetime], doctors: Roster, block: Index
) -> Stretches:
    """The steps in which at least half a patient a doctor waits, so that all doctors are busy.

    `visits` are the settled ones and `decided_min` when each was decided on, to be admitted or sent home. Steps begin
    at `grid_min`, which is `when` in local time and belongs to `block`.
    """
    on_duty = np.array([on_duty_at(doctors, at) for at in when], dtype=np.float64)
    unseen = np.isnan(visits.seen_min)
    over = np.where(unseen, np.nan, np.where(np.isnan(decided_min), visits.departed_min, decided_min))
    waiting = inside(_ready(visits), waiting_until(visits), grid_min)
    busy = (waiting >= MANY_WAIT_SHARE * on_duty) & (on_duty > 0)
    in_care = inside(visits.seen_min, over, grid_min)
    return Stretches(
        doctors=on_duty[busy],
        in_care_each=(in_care[busy] // on_duty[busy]).astype(np.int64),
        started=inside(visits.seen_min, visits.seen_min + STEP_MIN, grid_min + STEP_MIN)[busy],
        block=block[busy],
        step=np.flatnonzero(busy),
    )


def steps_of(visits: Visits) -> Array:
    """Minutes at which the steps of a period begin, `(step,)`."""
    ready = _ready(visits)
    return np.arange(np.nanmin(ready), np.nanmax(ready), STEP_MIN)


def caseload(busy: Stretches) -> int:
    """How many patients a doctor looks after at once; NO_LIMIT where the contacts do not show that there is one.

    The fewest from which on contacts begin at less than a third of the usual rate.
    """
    for count in range(FEWEST_AT_ONCE, int(busy.in_care_each.max(initial=0)) + 1):
        above = busy.in_care_each >= count
        expected = busy.doctor_min[above].sum() * busy.per_min
        if expected >= ENOUGH_EXPECTED and busy.started[above].sum() < HARDLY_ANY * expected:
            return count
    return NO_LIMIT


def doctor_slot(busy: Stretches, limit: int, blocks: int) -> Duration | None:
    """The effective minutes of a doctor for a first contact; None if nobody waited.

    Gamma, `(1, block, caseload)`: the last axis is how many patients each doctor has in care already, from 0.
    A rate is the product of a block's and a caseload's, each drawn towards all the more the less it has seen. The
    shape is that of all.
    """
    if not busy.started.any():
        return None
    counts = int(min(limit, busy.in_care_each.max() + 1))
    each = np.minimum(busy.in_care_each, counts - 1)
    open_to_more = busy.in_care_each < limit
    at, shape = (busy.block[open_to_more], each[open_to_more]), (blocks, counts)
    contacts, doctor_min = (_summed(x[open_to_more], at, shape) for x in (busy.started, busy.doctor_min))
    slots = 1.0 / product_rates(contacts, doctor_min, CONTACTS_PRIOR)
    shape_of_slot = _shape(busy, open_to_more, 1.0 / slots[busy.block, each])
    return _gamma(shape_of_slot, slots)


def _shape(busy: Stretches, chosen: Flags, per_min: Array) -> float:
    """The shape of a gamma slot, from how much less contacts differ than by chance alone.

    The number of renewals in a stretch of `t` mean slots has a variance over its mean of 1/k + (1 - 1/k^2) / (6 t)
    (Cox 1962, "Renewal Theory", 4.5); several doctors' sum has the same. Only whole stretches of steps that follow one
    another are counted; a few of them show nothing, and are taken for exponential.
    """
    stretch, size = np.unique(busy.step[chosen] // STEPS_A_STRETCH, return_counts=True)
    whole = np.isin(busy.step // STEPS_A_STRETCH, stretch[size == STEPS_A_STRETCH]) & chosen
    group = np.unique(busy.step[whole] // STEPS_A_STRETCH, return_inverse=True)[1]
    expected = np.bincount(group, (busy.doctor_min * per_min)[whole])
    if expected.size < ENOUGH_STRETCHES:
        return 1.0
    came = np.bincount(group, busy.started[whole])
    index = float(((came - expected) ** 2).sum() / expected.sum())
    slots = float(STEPS_A_STRETCH * STEP_MIN * per_min[whole].mean())
    return float(np.clip(_shape_of(index, slots), 1.0, HIGHEST_SHAPE))


def _shape_of(index: float, slots: float) -> float:
    """The shape at which x + (1 - x^2) / (6 slots) = index, x = 1 / shape."""
    a = 1.0 / (6.0 * slots)
    left = 1.0 - 4.0 * a * (index - a)
    x = (1.0 - np.sqrt(max(left, 0.0))) / (2.0 * a)
    return float(1.0 / max(x, 1.0 / HIGHEST_SHAPE))


def _gamma(shape: float, means: Array) -> Duration:
    """Gamma by its mean, `(block, caseload)`; the tail is the mean excess over the last level."""
    table = stats.gamma.ppf(LEVELS, shape) / shape
    beyond = stats.gamma.sf(table[-1] * shape, shape + 1.0) / (1.0 - LEVELS[-1]) - table[-1]
    return Duration(table * means[None, :, :, None], beyond * means[None, :, :])


def _ready(visits: Visits) -> Array:
    return np.where(np.isnan(visits.triaged_min), visits.arrived_min, visits.triaged_min)


def _summed(values: Array, at: tuple[Index, Index], shape: tuple[int, int]) -> Array:
    out = np.zeros(shape)
    np.add.at(out, at, values)
    return out
