"""The page of the desk as plain values. Names that are not to be shown yet are None."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forecast.compare_view import ChoiceView, CriterionView, Named

State = Literal["open", "adopted", "declined", "withdrawn", "measured"]
"""Where a proposal stands."""
Three = tuple[float, float, float]
"""1 in 10 below, the middle, 1 in 10 above."""


@dataclass(frozen=True)
class DoneView:
    """What a change did to a measure's mean over its window."""

    measure: str
    observed: float
    without: Three
    """What would have come without it."""
    effect: Three
    foreseen: Three
    tells: bool
    """Is its interval clear of 0?"""


@dataclass(frozen=True)
class CommentView:
    """What somebody said."""

    at: datetime
    who: Named | None
    words: str


@dataclass(frozen=True)
class DecisionView:
    """What was decided."""

    at: datetime
    who: Named
    what: Literal["adopted", "adapted", "declined"]
    reason: str
    until: datetime | None
    carried: bool
    """Does the forecast carry it now?"""
    fault: str | None = None
    """Why it cannot, where it should."""


@dataclass(frozen=True)
class ProposalView:
    """A proposal on its card."""

    name: str
    number: int
    proposed_at: datetime
    author: Named | None
    words: str
    changes: tuple[tuple[str, str], ...]
    """Each in French and in English."""
    state: State
    supporters: int
    comments: tuple[CommentView, ...] = ()
    varies: int | None = None
    """The number of the proposal that it varies."""
    variations: tuple[int, ...] = ()
    """Numbers of open variations of it."""
    decision: DecisionView | None = None
    choice: ChoiceView | None = None
    """What the twin says of it, where it stands open."""
    effects: tuple[DoneView, ...] = ()
    """What it did, once that was measured."""
    window_min: float | None = None
    """How long its effect is looked at, once it was adopted."""


@dataclass(frozen=True)
class DeskView:
    """The page of the desk, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    proposals: tuple[ProposalView, ...] = ()
    """The open ones first, the newest first among them."""
    views: tuple[Named, ...] = ()
    view: str = ""
    """The point of view that is shown."""
    criteria: tuple[CriterionView, ...] = ()
    as_of: datetime | None = None
    hours: float = 24.0
    members: int = 0
    of: int = 0
    deciders: tuple[Named, ...] = ()
    """Who may decide."""
    fault: str | None = None
