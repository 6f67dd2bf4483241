"""What happened to those who are here before a run starts, for many members at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.events import RANK
from twin.known import PROVIDER, TRIAGE, Known, Mark
from twin.story import NOWHERE, Array, Index, Story

Flags = npt.NDArray[np.bool_]

_MILESTONE: dict[int, str] = {TRIAGE: "Triaged", PROVIDER: "SeenByProvider"}
"""What ends a situation."""


@dataclass(frozen=True, eq=False)
class Histories:
    """Marks by patient, and among them room for milestones that a member may draw."""

    story: Story
    """Everything that is on record, and NaN where there is room."""
    room: tuple[Index, ...]
    """For each milestone that may be drawn the places in `story` that are kept for it."""

    @classmethod
    def about(cls, known: Known, drawn: Sequence[int]) -> Histories:
        """With room for the milestones that end some situations, at each patient who is in it or before it."""
        marks: list[Mark] = []
        for row, situation in enumerate(known.situation.tolist()):
            marks += known.marks[row]
            marks += [(np.nan, RANK[_MILESTONE[end]], row, NOWHERE, NOWHERE) for end in drawn if situation <= end]
        story = Story.of(marks)
        free = np.isnan(story.at_min)
        return cls(story, tuple(np.flatnonzero(free & (story.kind == RANK[_MILESTONE[end]])) for end in drawn))

    def of(self, here: Flags, drawn: Sequence[Array]) -> list[Story]:
        """One for each member, of those who are here `(member, patient)`; when each milestone was drawn, NaN: not."""
        told, out = self.story, []
        for member, present in enumerate(here):
            at = told.at_min.copy()
            for places, at_min in zip(self.room, drawn, strict=True):
                at[places] = at_min[member, told.visit[places]]
            kept = np.flatnonzero(present[told.visit] & ~np.isnan(at))
            out.append(Story(at[kept], *(column[kept] for column in (told.kind, told.visit, told.unit, told.to))))
        return out
