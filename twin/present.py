"""A complete present, drawn for each member from what the log says and leaves out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.story import Story

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

AT_ONCE_MIN = 1.0 / 60.0
"""When a stage ends that is over by now: just after it, so that the present is still the present."""


@dataclass(frozen=True, eq=False)
class Present:
    """Those who are here when a run starts, one row each `(patient,)`, minutes from the start (negative: before).

    Row i is visit i of the member's story; patients who come later follow. `stage` is an index in the path's
    stages. `serving` is True where the stage has begun (the patient holds what it needs) and False where the patient
    queues for it. `since_min` is when it began, or when the queueing began.
    """

    cls: Index
    block: Index
    unit: Index
    """Unit wanted or occupied, -1 where none."""
    stage: Index
    serving: npt.NDArray[np.bool_]
    since_min: Array
    arrived_min: Array
    residual_min: Array
    """What is left of the stage, `(patient, load)`; for those who queue its whole length."""
    here: npt.NDArray[np.bool_]
    """False for those who, in this member, had already left; they take no part."""
    history: Story
    """What happened before the start to those who are here."""

    @classmethod
    def of_nobody(cls) -> Present:
        """An empty hospital."""
        code, minute = np.empty(0, dtype=np.int64), np.empty(0)
        flag = np.empty(0, dtype=bool)
        return cls(code, code, code, code, flag, minute, minute, np.empty((0, 1)), flag, Story.of(()))

    @property
    def count(self) -> int:
        """Rows, those who had left included."""
        return int(self.cls.size)
