"""Walks: where visits are that walk a site's own path, stage by stage, from a run of some weeks by the law itself.

A log tells milestones; a path may have many stages between two of them. Where somebody is whose last milestone was so
long ago is read off visits that walked the path: of those who were as far, after as long, each stands in a stage,
queues for it or is in it, and has been there for so long. So a stage weighs by how many come to it and by how long it
lasts, queues included, and nobody is put where the way from the milestone does not lead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from ingest.events import RANK
from twin.fate import cast
from twin.hospital import Hospital
from twin.luck import draw
from twin.model import _Patient, _Run
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present
from twin.stages import WANTED, Stage
from twin.steps import Step
from twin.story import NOWHERE, Array, Index, Story, Visits
from twin.waits import BEGINS, TRIAGE, WARD

Flags = npt.NDArray[np.bool_]

START = datetime(2024, 1, 1, tzinfo=UTC)
"""A Monday."""
WARM_UP_DAYS, DAYS = 14, 42
"""Days of the run, of which the first fill an empty hospital and are not read."""
_JOINS, _BEGINS, _ENDS, _LEAVES = range(4)
_GONE = -1
_DAY_MIN = 1440.0
_SEED = 1


@dataclass(frozen=True, eq=False)
class Walks:
    """Stretches of visits, in each of which one queues for a stage or is in it, one row each `(stretch,)`.

    `from_min` and `until_min` count from the milestone that the situation began with (in a ward: from the entry).
    """

    situation: Index
    stage: Index
    serving: Flags
    from_min: Array
    until_min: Array
    unit: Index
    """The ward wanted; -1 where none."""
    where: Index
    """The ward that the patient lies in; -1 in the department."""
    acuity: Index
    begun_hour: Index
    """The local hour of the day at which the situation began."""
    visits: Visits
    """The visits of the run after its warm-up, one row each."""
    discharged_min: Array
    """Their decisions to send home."""
    hour: Index
    """And the local hour of their arrival."""


def marked_by(path: Path) -> frozenset[str]:
    """The milestones that the path marks somewhere."""
    marks = {kind for stage in path.stages for kind in (stage.starts, stage.ends) if kind}
    return frozenset(BEGINS) & marks


def wards_of(path: Path) -> frozenset[str]:
    """The wards in which the path lets patients lie: all of them where a stage is in the ward wanted."""
    named = {stage.unit for stage in path.stages if stage.unit}
    return frozenset(path.wards) if WANTED in named else frozenset(path.wards) & named


@lru_cache(maxsize=4)
def walked(hospital: Hospital, path: Path, parameters: Parameters, told: frozenset[str]) -> Walks:
    """The walks of a hospital in which milestones that are not `told` are heard of by nobody; equal for equal sites."""
    horizon_min = DAYS * _DAY_MIN
    nobody = Present.of_nobody()
    drawn = draw(path, parameters, 0, seed=_SEED, member=0, start=START, horizon_min=horizon_min, zone=hospital.zone)
    fate = cast(path, parameters, drawn, nobody)
    run = _Traced(hospital.capacities(path.pools, START, horizon_min), path, fate, nobody, horizon_min)
    story = run.story()
    rows = [stretch for row, trace in enumerate(run.traces) for stretch in _Walk(path, told).of(row, trace)]
    rows = [stretch for stretch in rows if stretch.until_min > stretch.from_min]
    acuity = fate.acuity[fate.visit]
    whole = np.flatnonzero(_arrived(story, fate.acuity.size) >= WARM_UP_DAYS * _DAY_MIN)
    return Walks(
        situation=np.array([s.situation for s in rows], dtype=np.int64),
        stage=np.array([s.stage for s in rows], dtype=np.int64),
        serving=np.array([s.serving for s in rows], dtype=bool),
        from_min=np.array([s.from_min for s in rows], dtype=np.float64),
        until_min=np.array([s.until_min for s in rows], dtype=np.float64),
        unit=np.array([s.unit for s in rows], dtype=np.int64),
        where=np.array([s.where for s in rows], dtype=np.int64),
        acuity=np.array([acuity[s.row] for s in rows], dtype=np.int64),
        begun_hour=drawn.hours.hour_of_day_at(np.array([s.begun_min for s in rows], dtype=np.float64)),
        visits=_some(Visits.of(_heard(story, told), fate.acuity), whole),
        discharged_min=_first(_heard(story, told), "DecidedToDischarge", fate.acuity.size)[whole],
        hour=drawn.hours.hour_of_day_at(_arrived(story, fate.acuity.size)[whole]),
    )


def _heard(story: Story, told: frozenset[str]) -> Story:
    """The story without the milestones that nobody hears of."""
    silent = [RANK[kind] for kind in BEGINS if kind not in told]
    kept = np.flatnonzero(~np.isin(story.kind, silent))
    return Story(story.at_min[kept], *(of[kept] for of in (story.kind, story.visit, story.unit, story.to)))


def _first(story: Story, kind: str, visits: int) -> Array:
    out = np.full(visits, np.nan)
    mine = np.flatnonzero(story.kind == RANK[kind])[::-1]
    out[story.visit[mine]] = story.at_min[mine]
    return out


def _arrived(story: Story, visits: int) -> Array:
    return _first(story, "Arrived", visits)


def _some(visits: Visits, rows: Index) -> Visits:
    none, empty = np.empty(0, dtype=np.int64), np.empty(0)
    return Visits(
        visits.arrived_min[rows], visits.triaged_min[rows], visits.seen_min[rows], visits.decided_min[rows],
        visits.departed_min[rows], visits.to[rows], visits.acuity[rows], none, none, empty, empty,
    )  # fmt: skip


# --- the run, traced ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Trace:
    """Something that happened to a patient at a stage."""

    at_min: float
    what: int
    stage: int
    unit: int
    where: int


class _Traced(_Run):
    """A run by the law that also puts down who came to which stage when."""

    def story(self) -> Story:
        """The story, and beside it the traces of every row."""
        self.traces: list[list[_Trace]] = [[] for _ in self.priority]
        return super().story()

    def queue(self, p: _Patient, step: Step):  # type: ignore[no-untyped-def]
        """As the law queues."""
        self._trace(p, _JOINS)
        return (yield from super().queue(p, step))

    def begin(self, p: _Patient, step: Step) -> None:
        """As the law begins a stage."""
        super().begin(p, step)
        self._trace(p, _BEGINS)

    def end(self, p: _Patient, step: Step) -> None:
        """As the law ends one."""
        super().end(p, step)
        self._trace(p, _ENDS)

    def leave_unseen(self, p: _Patient, step: Step) -> None:
        """As the law lets somebody go."""
        super().leave_unseen(p, step)
        self._trace(p, _LEAVES)

    def _trace(self, p: _Patient, what: int) -> None:
        self.traces[p.row].append(_Trace(self.env.now, what, self.stage[p.row][p.stop], p.unit, p.where))


# --- the stretches of one visit -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stretch:
    row: int
    situation: int
    stage: int
    serving: bool
    from_min: float
    until_min: float
    unit: int
    where: int
    begun_min: float


class _Walk:
    """Follows one visit along its traces."""

    def __init__(self, path: Path, told: frozenset[str]) -> None:
        self._path, self._told = path, told
        self._situation, self._since, self._where = _GONE, 0.0, NOWHERE

    def of(self, row: int, traces: list[_Trace]) -> Iterator[_Stretch]:
        """Its stretches, those that were on at the end included: in wards as if they went on for ever."""
        for trace, after in zip(traces, [*traces[1:], None], strict=True):
            self._pass(trace)
            if trace.what in (_ENDS, _LEAVES) or self._situation == _GONE:
                continue
            until = after.at_min if after else np.inf if self._situation == WARD else DAYS * _DAY_MIN
            if self._situation == WARD or trace.at_min >= WARM_UP_DAYS * _DAY_MIN:
                yield _Stretch(
                    row, self._situation, trace.stage, trace.what == _BEGINS, trace.at_min - self._since,
                    until - self._since, trace.unit, self._where, self._since,
                )  # fmt: skip

    def _pass(self, trace: _Trace) -> None:
        """What the trace makes of the situation."""
        stage = self._path.stages[trace.stage]
        if trace.what == _LEAVES:
            self._situation = _GONE
        if trace.what in (_JOINS, _BEGINS) and stage.comes and self._situation == _GONE:
            self._reach(TRIAGE, trace)
        marked = stage.starts if trace.what == _BEGINS else stage.ends if trace.what == _ENDS else None
        if marked in self._told and BEGINS[marked] > self._situation != _GONE:
            self._reach(BEGINS[marked], trace)
        elif marked == "EnteredWard" or (marked == "Departed" and stage.to == "ward"):
            self._reach(WARD, trace)
        elif marked in ("Departed", "LeftWard", "LeftWithoutBeingSeen", "LeftDuringCare"):
            self._situation = _GONE
        elif trace.what == _BEGINS and self._situation == WARD and self._moves(stage, trace):
            self._reach(WARD, trace)

    def _moves(self, stage: Stage, trace: _Trace) -> bool:
        return stage.unit is not None and trace.where not in (self._where, NOWHERE)

    def _reach(self, situation: int, trace: _Trace) -> None:
        self._situation, self._since = situation, trace.at_min
        self._where = trace.where if situation == WARD else NOWHERE
