"""What-if: one question about a moment, answered from members that are drawn already, sooner and sooner told better.

A moment is a situation and how its forecast was made (`Ground`). Of its members the house keeps what they say as usual
(`Session`); a question adds what the same members say under its scenario, and the answer is paired, member by member.
What is told is calibrated as on the wall: the base by past forecasts, a changed member by as much as its partner.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from forecast.calibrated import Recalibration, moved_by
from forecast.ensemble import CHUNK, Run
from forecast.issue import Times, behind_min_of, from_instant
from forecast.lever import no_lever
from forecast.situation import Situation
from forecast.values import Array, Members, Series, from_now, series
from forecast.whatif_draws import Told
from twin.scenarios import Language, Scenario, carrying

STAGES = (50, 200, 500, 1000)
"""Members at which an answer is told, as far as the house has so many."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What a what-if stands on: the situation of a forecast, and all that made one of it."""

    situation: Situation
    times: Times
    how: Run
    """With the seed of that forecast."""
    usual: Scenario
    """As usual, with what was adopted at the desk: every scenario carries that too."""
    recalibration: Recalibration = field(default_factory=Recalibration)
    rivals: Mapping[str, Mapping[str, Series]] = field(default_factory=dict)
    """What they said at the leads after 0, as the forecast was weighed with."""

    @property
    def as_of(self) -> datetime:
        """The moment."""
        return self.times.as_of

    @property
    def behind_min(self) -> float:
        """How long before the moment what is known was complete."""
        return behind_min_of(self.situation, self.how, self.times)

    @property
    def longer(self) -> Run:
        """How members are run: from where what is known is complete."""
        return replace(self.how, horizon_min=self.how.horizon_min + self.behind_min)

    @property
    def key(self) -> str:
        """A name for all that its members depend on."""
        s = self.situation
        told = f"{s.state_hash} {s.as_of} {self.as_of} {s.calibration.as_of} {self.longer} {self.usual.changes}"
        return hashlib.sha256(told.encode()).hexdigest()[:24]

    def begun(self, scenario: Scenario) -> Scenario:
        """The scenario as members run it: it begins at the moment."""
        carries = [] if scenario == self.usual else [self.usual]
        return carrying(scenario, carries).delayed(self.behind_min)

    def chunks(self) -> list[range]:
        """All members, chunk by chunk."""
        return [range(first, min(first + CHUNK, self.how.members)) for first in range(0, self.how.members, CHUNK)]

    def stages(self) -> list[int]:
        """Members at which an answer is told."""
        return sorted({min(stage, self.how.members) for stage in (*STAGES, self.how.members)})


@dataclass(frozen=True)
class Compared:
    """One measure: as usual, changed, and the paired difference between them."""

    usual: Series
    changed: Series
    difference: Series
    p_less: Array
    """Share of members in which it is less than as usual, `(lead,)`."""
    p_more: Array
    error: Array
    """Half the 95 % interval of the mean difference, `(lead,)`: what more members make smaller."""


@dataclass(frozen=True)
class Answer:
    """What a scenario would change, from so many members so far."""

    scenario: Scenario
    as_of: datetime
    lead_min: Array
    measures: Mapping[str, Compared]
    members: int
    of: int
    why_not: Mapping[Language, str] | None = None
    """Why the scenario moves nothing here; None where it has a lever."""

    @property
    def is_whole(self) -> bool:
        """Every member was asked."""
        return self.members >= self.of


class Many:
    """Members that come chunk by chunk, in order: each measure in one array."""

    def __init__(self, of: int) -> None:
        self._of = of
        self._whole: dict[str, Array] = {}
        self.count = 0

    def add(self, told: Told, members: range) -> None:
        """The next chunk; raises ValueError for another."""
        if members.start != self.count:
            raise ValueError(f"members must come in order, from {self.count} on, but from {members.start} on came")
        for name, values in told.items():
            if name not in self._whole:
                self._whole[name] = np.empty((values.shape[0], self._of))
            self._whole[name][:, members.start : members.stop] = values
        self.count = members.stop

    def first(self, count: int, lead_min: Array) -> Members:
        """The first so many of them."""
        return Members(lead_min, {name: values[:, :count] for name, values in self._whole.items()})


class Session:
    """A moment, and what its members say as usual, as far as they have been run."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.usual = Many(ground.how.members)
        self._shown: tuple[Members, Mapping[str, Array]] | None = None

    def next_chunk(self) -> range | None:
        """The first members that have not been run as usual; None where all have."""
        return next((chunk for chunk in self.ground.chunks() if chunk.start >= self.usual.count), None)

    def answer(self, scenario: Scenario, changed: Many, members: int) -> Answer:
        """What the first so many members say, beside all that have been run as usual."""
        g = self.ground
        base, shift = self._published()
        mine = moved_by(shift, from_instant(changed.first(members, g.longer.lead_min), g.behind_min))
        found = {m: _compared(base.measures[m], mine.measures[m]) for m in mine.measures}
        return Answer(scenario, g.as_of, g.how.lead_min, found, members, g.how.members, _why_not(g, scenario))

    def _published(self) -> tuple[Members, Mapping[str, Array]]:
        """The base as it is published, and by how much each of its members was moved for it."""
        if self._shown is None or self._shown[0].count < self.usual.count:
            g = self.ground
            simulated = from_instant(self.usual.first(self.usual.count, g.longer.lead_min), g.behind_min)
            told = {name: {m: from_now(said) for m, said in by.items()} for name, by in g.rivals.items()}
            shift = g.recalibration.shift(simulated, g.as_of, told)
            self._shown = moved_by(shift, simulated), shift
        return self._shown


def _compared(usual: Array, changed: Array) -> Compared:
    """Paired over the members of the change; as usual is told of all that there are."""
    difference = changed - usual[:, : changed.shape[1]]
    spread = difference.std(axis=1, ddof=1) if changed.shape[1] > 1 else np.full(len(changed), np.inf)
    return Compared(
        usual=series(usual), changed=series(changed), difference=series(difference),
        p_less=(difference < 0).mean(axis=1), p_more=(difference > 0).mean(axis=1),
        error=1.96 * spread / np.sqrt(changed.shape[1]),
    )  # fmt: skip


def _why_not(ground: Ground, scenario: Scenario) -> Mapping[Language, str] | None:
    languages: tuple[Language, ...] = ("fr", "en")
    found = {language: no_lever(ground.situation, scenario, language) for language in languages}
    return {language: why for language, why in found.items() if why} or None


Grounds = Callable[[], Ground | None]
"""What gives the ground of now, quickly; None before the first forecast."""
