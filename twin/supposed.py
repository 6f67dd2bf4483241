"""Doctors that a log does not tell: as many as first contacts ask for while many wait.

Where nobody says how many doctors are on duty, the contacts still show what they can do together: the more patients
wait, the more contacts begin, up to a number an hour that no crowd exceeds. Divided by what a doctor usually sees in an
hour it gives a roster; what one contact then takes is learned as with a roster that was told (`contacts.py`,
`replayed.py`), so that the waits are those that came. The number is a supposition: no page counts these doctors, and a
scenario about them alone has no lever.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from twin.contacts import CONTACTS_PRIOR, STEP_MIN, started_in, waiting_at
from twin.doctors import SATURDAY, Roster
from twin.rates import product_rates
from twin.story import Array, Index, Visits

Flags = npt.NDArray[np.bool_]

HOURS_A_DAY = 24
A_CONTACT_MIN = 30.0
"""What a new patient usually takes of a doctor, all that comes with one included: they see 1.5 to 2.5 an hour."""
MANY_WAIT = 4
"""Patients who wait from which all doctors may be busy; more where contacts ask for more doctors."""
ENOUGH_CONTACTS = 100.0
"""With a crowd, and with one two times as large, for a queue to be believed."""
SEEN_NO_FASTER = 1.5
"""Two times as many and more who wait are seen at most so many times as fast if they queue; were nobody held up by
another, it would be well over twice."""


def supposed_roster(visits: Visits, grid_min: Array, when: Sequence[datetime]) -> Roster | None:
    """How many doctors seem to be on duty by local hour, on weekdays and at weekends; None where nobody queues.

    `visits` are the settled ones; steps begin at `grid_min`, which is `when` in local time.

    1. The steps in which so many wait that all doctors are busy.
    2. With two times as many, contacts must be hardly more often: else those who wait do not queue.
    3. Contacts in those steps by hour: a weekend's factor times the hour's own rate, each drawn towards all.
    """
    waiting, started = waiting_at(visits, grid_min), started_in(visits, grid_min)
    cell = np.array([(at.weekday() >= SATURDAY) * HOURS_A_DAY + at.hour for at in when], dtype=np.int64)
    if not started.any():
        return None
    many = np.maximum(MANY_WAIT, _doctors(started, cell)[cell])
    busy = waiting >= many  # 1
    if not _queues(started, busy, waiting >= 2 * many, cell):  # 2
        return None
    weekday, weekend = _doctors(started[busy], cell[busy]).reshape(2, HOURS_A_DAY)  # 3
    return tuple(weekday.tolist()), tuple(weekend.tolist())


def _queues(started: Array, busy: Flags, crowded: Flags, cell: Index) -> bool:
    """Whether a larger crowd is seen about as fast as a smaller one, at the same hours."""
    fewer = busy & ~crowded
    if min(float(started[crowded].sum()), float(started[fewer].sum())) < ENOUGH_CONTACTS:
        return False
    rate = product_rates(*_by_cell(started[fewer], cell[fewer]), CONTACTS_PRIOR).ravel()
    return float(started[crowded].sum()) < SEEN_NO_FASTER * float(rate[cell[crowded]].sum())


def _doctors(started: Array, cell: Index) -> Index:
    """How many doctors contacts ask for, `(cell,)`, one at least."""
    rates = product_rates(*_by_cell(started, cell), CONTACTS_PRIOR).ravel()
    return np.maximum(np.rint(rates * A_CONTACT_MIN / STEP_MIN), 1.0).astype(np.int64)


def _by_cell(started: Array, cell: Index) -> tuple[Array, Array]:
    """Contacts and steps, `(weekend, hour)` each."""
    counted, steps = np.zeros((2, HOURS_A_DAY)), np.zeros((2, HOURS_A_DAY))
    np.add.at(counted.ravel(), cell, started)
    np.add.at(steps.ravel(), cell, 1.0)
    return counted, steps
