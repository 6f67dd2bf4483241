"""The pages of an exercise as plain values: the instructor's, and the debrief. What is not known is None."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from forecast.compare_view import CriterionView, Named


@dataclass(frozen=True)
class InjectView:
    """What was put into the exercise, or is to be."""

    at: datetime
    told: Mapping[str, Any]
    """Its `kind` and its numbers."""
    by: Literal["script", "instructor"]
    number: int = 0
    """By which it can be cancelled while it is to come."""
    fault: str | None = None
    """Why it could not be when its time came; None where it was put in."""


@dataclass(frozen=True)
class OptionView:
    """What the twin said of one course of action at a decision: by criterion the mean of the differences from doing
    nothing, and whether the interval of it is clear of 0."""

    name: str
    fr: str
    en: str
    to_choose: bool
    """Did no other one outdo it on all that the point of view looks at?"""
    is_decision: bool
    effects: Mapping[str, tuple[float, bool]]


@dataclass(frozen=True)
class AdviceView:
    """What the twin would have advised at a decision, from one point of view."""

    as_of: datetime
    hours: float
    members: int
    criteria: tuple[CriterionView, ...]
    options: tuple[OptionView, ...]


@dataclass(frozen=True)
class HappenedView:
    """A measure's mean from a decision on: as it happened, and as it would have without the decision, with the same
    patients and the same luck."""

    measure: str
    with_it: float
    without: float


@dataclass(frozen=True)
class DecisionMade:
    """What players decided."""

    at: datetime
    proposal: int
    words: str
    reason: str
    who: str
    what: Literal["adopted", "adapted", "declined"]
    lacks: tuple[str, ...]
    """Kinds of change that the world of the exercise cannot act on."""
    advice: AdviceView | None
    """None while it is worked out."""
    fault: str | None
    happened: tuple[HappenedView, ...]
    over_min: float
    """How long that is counted over."""
    ended_at: datetime | None = None
    """When it was ended at the desk before its time; then it ended in the world too."""


@dataclass(frozen=True)
class ExerciseView:
    """An exercise, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    begun_at: datetime
    ended_at: datetime | None
    speed: float
    injects: tuple[InjectView, ...]
    scheduled: tuple[InjectView, ...]
    decisions: tuple[DecisionMade, ...]
    silent_until: datetime | None
    counts: Mapping[str, int]
    """The truth, now: what players cannot see during an outage."""
    law: Literal["own", "twin"] = "own"
    """Whose law the world obeys: one of its own, unknown to the twin; or the twin's."""
    held: tuple[str, ...] = ()
    """What was adopted before it began and holds in its world from the beginning on, in its proposers' words."""
    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """What the hospital calls its units and pools, in French and in English."""
    views: tuple[Named, ...] = ()
    view: str = ""
    """The point of view that the advice is told from."""
