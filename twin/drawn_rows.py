"""The patients of several members in columns, as they are being drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from twin.keys import Keys, number
from twin.known import Known
from twin.settled import class_codes
from twin.story import Array, Index


@dataclass(frozen=True, eq=False)
class Rows:
    """The patients of some members, one row each, the first member's first `(row,)`."""

    patient: Index
    """The row in `Known`."""
    situation: Index
    since_min: Array
    arrived_min: Array
    block: Index
    cls: Index
    unit: Index
    ward_clock_min: Array
    """How long a stay in a ward has lasted on the ward's clock."""
    untold_min: Array
    """For how many minutes back a decision may have been taken that is not typed in yet."""
    key: Keys
    """From which all numbers for each come."""
    lasting: Array
    """The number that draws what is left of a stage."""

    @classmethod
    def of(cls, known: Known, key: Keys, lasting: int) -> Rows:
        """As the log has it, for as many members as there are keys for; `lasting` is the place of that number."""
        patient = np.tile(np.arange(known.count), key.size // max(known.count, 1))
        classes = class_codes(known.acuity, known.elderly)
        return cls(
            patient, known.situation[patient], known.since_min[patient], known.arrived_min[patient],
            known.block[patient], classes[patient], known.unit[patient],
            known.ward_clock_min[patient], np.zeros(patient.size), key,
            number(key, np.array([lasting])),
        )  # fmt: skip

    def number(self, rows: Index, place: int) -> Array:
        """The numbers of some rows at one place of their keys."""
        return np.asarray(number(self.key[rows], np.array([place])))

    def within(self, situation: int) -> Index:
        """The rows that are in a situation."""
        return np.flatnonzero(self.situation == situation)

    def some(self, rows: Index) -> Rows:
        """Some of them alone."""
        return Rows(*(getattr(self, f.name)[rows] for f in fields(self)))
