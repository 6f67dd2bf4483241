"""What happened to those who are here before a run starts, for many members at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
        told, members = self.story, len(here)
        at, unit_of = np.tile(told.at_min, (members, 1)), np.tile(told.unit, (members, 1))
        for places, at_min in zip(self.room, drawn, strict=True):
            at[:, places] = at_min[:, told.visit[places]]
        at[:, self.moves] = moved[:, told.visit[self.moves]]
        unit_of[:, self.moves] = unit[:, told.visit[self.moves]]
        kept = here[:, told.visit] & ~np.isnan(at)
        _, mark = np.nonzero(kept)
        ints = told.kind[mark], told.visit[mark], unit_of[kept], told.to[mark]
        at_min = at[kept]
        ends = np.cumsum(kept.sum(axis=1)).tolist()
        parts = (slice(*bounds) for bounds in pairwise([0, *ends]))
        return [Story(at_min[mine], *(column[mine] for column in ints)) for mine in parts]
