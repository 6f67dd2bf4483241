"""The desk: what people propose, what others say of it, what is decided, what it then did. Rows are only ever added.

A proposal is words and levers (a scenario). It stands without its author's name until it is decided, unless they sign;
so do comments. What stands is a fold of the rows:

    proposed -> (commented, supported, varied by others) -> adopted | adapted | declined, by a manager with a reason
    adopted or adapted -> promised (what the twin foresees with it and without it) -> measured (what it did)
    proposed -> withdrawn, by its author
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from forecast.desk_view import State
from forecast.realised import Effect, effect_of
from twin.scenarios import Scenario, scenario_from

What = Literal[
    "proposed", "commented", "supported", "unsupported", "adopted", "adapted", "declined", "withdrawn", "promised",
    "measured", "ended",
]  # fmt: skip


@dataclass(frozen=True)
class Note:
    """One row of the desk's log."""

    noted_at: datetime
    proposal: str
    what: What
    who: str | None = None
    """Who did it; None for what the twin did."""
    words: str = ""
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Comment:
    """What somebody said of a proposal."""

    at: datetime
    who: str
    words: str


@dataclass(frozen=True)
class Decision:
    """What a manager decided, and why."""

    at: datetime
    who: str
    what: Literal["adopted", "adapted", "declined"]
    reason: str
    until: datetime | None = None
    """Up to when the forecast carries what was adopted."""


@dataclass(frozen=True)
class Proposal:
    """A proposal as it stands."""

    name: str
    proposed_at: datetime
    author: str
    signed: bool
    words: str
    scenario: Scenario
    """What it would change; what was adopted, where that is another."""
    varies: str | None = None
    """The proposal that it is a variation of."""
    comments: tuple[Comment, ...] = ()
    supporters: frozenset[str] = frozenset()
    decision: Decision | None = None
    withdrawn_at: datetime | None = None
    promise: Mapping[str, Any] | None = None
    """What was foreseen when it was adopted, as it is kept."""
    effects: tuple[Effect, ...] = ()
    measured_at: datetime | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.decision is None:
            return "open"
        if self.decision.what == "declined":
            return "declined"
        return "measured" if self.measured_at is not None else "adopted"

    @property
    def shows_names(self) -> bool:
        """May the names of those who spoke be shown?"""
        return self.decision is not None

    @property
    def shows_author(self) -> bool:
        """May the author's name be shown?"""
        return self.signed or self.shows_names

    def carried_at(self, now: datetime) -> Scenario | None:
        """What the forecast carries of it at an instant: the rest of its change, in minutes from then; None if nothing.

        What was to begin later begins later; what has ended is left out.
        """
        decision = self.decision
        if decision is None or decision.what == "declined" or (decision.until is not None and now >= decision.until):
            return None
        if now < decision.at:
            return None
        passed_min = (now - decision.at) / timedelta(minutes=1)
        rest = self.scenario.begun(passed_min)
        return rest if rest.change.changes else None


def fold(notes: Iterable[Note]) -> dict[str, Proposal]:
    """Every proposal after the rows, in their order, the oldest first."""
    out: dict[str, Proposal] = {}
    for note in notes:
        if note.what == "proposed":
            out[note.proposal] = _proposed(note)
        elif note.proposal in out:
            out[note.proposal] = after(out[note.proposal], note)
    return out


def after(one: Proposal, note: Note) -> Proposal:
    """A proposal after one more row."""
    match note.what:
        case "commented":
            return replace(one, comments=(*one.comments, Comment(note.noted_at, str(note.who), note.words)))
        case "supported":
            return replace(one, supporters=one.supporters | {str(note.who)})
        case "unsupported":
            return replace(one, supporters=one.supporters - {str(note.who)})
        case "withdrawn":
            return replace(one, withdrawn_at=note.noted_at)
        case "adopted" | "adapted" | "declined":
            return _decided(one, note)
        case "ended":
            return replace(one, decision=replace(one.decision, until=note.noted_at)) if one.decision else one
        case "promised":
            return replace(one, promise=note.told)
        case "measured":
            effects = tuple(effect_of(told) for told in note.told["effects"])
            return replace(one, effects=effects, measured_at=note.noted_at)
    return one


def _proposed(note: Note) -> Proposal:
    told = note.told
    return Proposal(
        name=note.proposal, proposed_at=note.noted_at, author=str(note.who), signed=bool(told.get("signed")),
        words=note.words, scenario=scenario_from(note.proposal, note.words, told["change"]), varies=told.get("varies"),
    )  # fmt: skip


def _decided(one: Proposal, note: Note) -> Proposal:
    until = note.told.get("until")
    decision = Decision(
        note.noted_at, str(note.who), note.what, note.words,  # type: ignore[arg-type]
        datetime.fromisoformat(until) if until else None,
    )  # fmt: skip
    change = note.told.get("change")
    scenario = scenario_from(one.name, one.words, change) if change else one.scenario
    return replace(one, decision=decision, scenario=scenario)
