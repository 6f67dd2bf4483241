"""THE WORLD OF AN EXERCISE, as the exercise sees it, whatever law it obeys: its one face.

    number = world.act(act)                                # begin something now; what was before stays as it was
    world.end([number])                                    # and let it end now
    world.go_on(until)                                     # what is heard of it meanwhile
    world.lived(until)                                     # what happened, counted every 15 minutes
    world.lived(until, without=[number])                   # what would have, had that not been done

What happens follows from where the exercise began and from the acts at their minutes, so the same world lived again
with the same acts is the same to the last patient; without one of them it is the world in which it was not done.

Two are of this form: `twin/fabricated_drill.py`, whose law is its own, and `forecast/drawn_drill.py`, whose law is the
twin's. How a change of the scenario language is done in each is in `drill_acts.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from ingest.events import Event

STEP_MIN = 15.0
"""So often what happened is counted."""
Law = Literal["own", "twin"]
Lived = Mapping[str, npt.NDArray[np.float64]]
"""What happened at every quarter of an hour since the beginning, `(time,)` each."""


class DrillWorld(Protocol):
    """The world of an exercise; acts may come from any thread. What cannot be raises EdtwinError: nothing was done."""

    begun_at: datetime

    @property
    def law(self) -> Law:
        """Of its own, which the twin does not know; or the twin's, which cannot show where the twin errs."""

    @property
    def now_at(self) -> datetime:
        """How far the world has come."""

    @property
    def is_over(self) -> bool:
        """Has it come to the end of what can happen in it?"""

    @property
    def units(self) -> Sequence[str]:
        """Wards whose beds can be closed."""

    @property
    def pools(self) -> Sequence[str]:
        """Pools of staff of whom some can be away."""

    def check(self, act: Any, /) -> None:
        """Raise EdtwinError, with the rule, for an act that cannot be in this world."""

    def act(self, act: Any, /) -> int:
        """Begin an act now; its number."""

    def end(self, numbers: Collection[int]) -> None:
        """Let acts of these numbers end now; one that is over stays as it is."""

    def silence(self, hours: float) -> None:
        """From now on nothing is heard of the world; what happens meanwhile is told at the end, at once."""

    def count_now(self) -> Mapping[str, int]:
        """The truth, now: `ed_census`, `ed_waiting`, `ed_boarders`, as far as they are known."""

    @property
    def is_silent(self) -> bool:
        """Is nothing heard of it at the moment?"""

    def go_on(self, until: datetime) -> list[Event]:
        """Let the world go on; what is to be heard of it since the last time."""

    def lived(self, until: datetime, *, without: Collection[int] = ()) -> Lived:
        """The truth every 15 minutes since the beginning, `(time,)` each: what `count_now` counts, and `arrivals` since
        the beginning; with every act, or but for those of some numbers."""
