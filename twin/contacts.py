"""What first contacts tell of the doctors: how long each takes of one, and how many patients one looks after at once.

A log tells when a first contact begins and never how long it keeps a doctor. What can be read is the rate of contacts
while somebody waits: then every doctor is busy, so doctor-minutes on duty per contact is the effective time of a
contact, all that keeps doctors from the next one included (their other patients, reviews, a place that is not free).
The more patients a doctor already has in care, the longer that is; and from some number on hardly any contact begins
until one of them has been decided on. How long all of it takes in the end is read off the waits: `replayed.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

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
    busy = (waiting_at(visits, grid_min) >= MANY_WAIT_SHARE * on_duty) & (on_duty > 0)
    in_care = inside(visits.seen_min, over, grid_min)
    return Stretches(
        doctors=on_duty[busy],
        in_care_each=(in_care[busy] // on_duty[busy]).astype(np.int64),
        started=started_in(visits, grid_min)[busy],
        block=block[busy],
    )


def waiting_at(visits: Visits, grid_min: Array) -> Array:
    """How many wait for a doctor, triaged or not recorded as such, `(step,)`."""
    return inside(_ready(visits), waiting_until(visits), grid_min)


def started_in(visits: Visits, grid_min: Array) -> Array:
    """First contacts in each step, `(step,)`."""
    return inside(visits.seen_min, visits.seen_min + STEP_MIN, grid_min + STEP_MIN)


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

    Exponential, `(1, block, caseload)`: the last axis is how many patients each doctor has in care already, from 0.
    A rate is the product of a block's and a caseload's, each drawn towards all the more the less it has seen.
    """
    if not busy.started.any():
        return None
    counts = int(min(limit, busy.in_care_each.max() + 1))
    each = np.minimum(busy.in_care_each, counts - 1)
    open_to_more = busy.in_care_each < limit
    at, shape = (busy.block[open_to_more], each[open_to_more]), (blocks, counts)
    contacts, doctor_min = (_summed(x[open_to_more], at, shape) for x in (busy.started, busy.doctor_min))
    slots = 1.0 / product_rates(contacts, doctor_min, CONTACTS_PRIOR)
    return Duration(-np.log1p(-LEVELS) * slots[None, :, :, None], slots[None, :, :])


def _ready(visits: Visits) -> Array:
    return np.where(np.isnan(visits.triaged_min), visits.arrived_min, visits.triaged_min)


def _summed(values: Array, at: tuple[Index, Index], shape: tuple[int, int]) -> Array:
    out = np.zeros(shape)
    np.add.at(out, at, values)
    return out
