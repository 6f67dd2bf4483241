"""What happened to those who are here before a run starts, for many members at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.events import RANK
from twin.known import Known, Mark
from twin.story import DESTINATIONS, NOWHERE, Array, Index, Story
from twin.waits import BED, PROVIDER, TRIAGE

Flags = npt.NDArray[np.bool_]

_TO_WARD = DESTINATIONS.index("ward")
_MILESTONE: dict[int, str] = {TRIAGE: "Triaged", PROVIDER: "SeenByProvider"}
"""What ends a situation."""


@dataclass(frozen=True, eq=False)
class Histories:
    """Marks by patient, and among them room for milestones that a member may draw."""

    story: Story
    """Everything that is on record, by minute and kind, and NaN where there is room: so each member's is nearly in
    order."""
    room: tuple[Index, ...]
    """For each milestone that may be drawn the places in `story` that are kept for it."""
    moves: Index
    """The places kept for exits to a ward."""

    @classmethod
    def about(cls, known: Known, drawn: Sequence[int]) -> Histories:
        """With room for the milestones that end some situations, at each patient who is in it or before it."""
        marks: list[Mark] = []
        for row, situation in enumerate(known.situation.tolist()):
            marks += known.marks[row]
            marks += [(np.nan, RANK[_MILESTONE[end]], row, NOWHERE, NOWHERE) for end in drawn if situation <= end]
            marks += [(np.nan, RANK["Departed"], row, NOWHERE, _TO_WARD)] if situation == BED else []
        story = Story.of(marks).in_order()
        free = np.isnan(story.at_min)
        room = tuple(np.flatnonzero(free & (story.kind == RANK[_MILESTONE[end]])) for end in drawn)
        return cls(story, room, np.flatnonzero(free & (story.kind == RANK["Departed"])))

    def of(self, here: Flags, drawn: Sequence[Array], moved: Array, unit: Index) -> list[Story]:
        """One for each member, of those who are here `(member, patient)`.

        `drawn` says when each milestone was, `moved` when somebody went to the ward `unit`; NaN: not.
        """
        told, out = self.story, []
        for member, present in enumerate(here):
            at = told.at_min.copy()
            for places, at_min in zip(self.room, drawn, strict=True):
                at[places] = at_min[member, told.visit[places]]
            at[self.moves] = moved[member, told.visit[self.moves]]
            to = told.unit.copy()
            to[self.moves] = unit[member, told.visit[self.moves]]
            kept = np.flatnonzero(present[told.visit] & ~np.isnan(at))
            out.append(Story(at[kept], *(column[kept] for column in (told.kind, told.visit, to, told.to))))
        return out
