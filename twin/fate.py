"""Members' fates: what luck means for each patient who comes, worked out before the run.

Where a patient's stages lead does not depend on the others, so the whole route is known beforehand as a row of stops;
the run only decides when. Durations and patience are inverse transforms of luck, for every load class at once: the run
picks by index and adds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from twin.demand import Demand, People, joined
from twin.durations import Laid
from twin.errors import PresentError
from twin.fate_loop import ready
from twin.law import USUAL, Law, Variants, changed_clocks, factors
from twin.leaving import clocks
from twin.luck import HERE, Luck, Purpose
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present
from twin.routing import Stops, stops_of
from twin.stages import Stage

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Fate:
    """Everything about each patient that does not depend on the others, one row a patient who takes part.

    Those who are here stand first, in the rows of the present; their first stop is the stage they are in.
    """

    visit: Index
    """The row in `Luck`, which is the code of the visit in the story."""
    cls: Index
    block: Index
    priority: Array
    """Acuity code, the middle of the scale where it is not known; the lowest is served first."""
    at_min: Array
    """When the patient comes; NaN for those who are here."""
    stage: Index
    """The stages of the route, `(patient, stop)`; OUT after its end."""
    unit: Index
    """Ward wanted when coming to each stop and after the last, `(patient, stop + 1)`; -1 where none."""
    minutes: Array
    """How long each stop lasts, `(patient, stop, phase and load)`; a stay in a ward that has a clock, by that clock."""
    freed_at: Index
    """Which row of `freed_min` says when a stop frees what it needs, `(patient, stop)`; -1 where that is at its end."""
    freed_min: Array
    """When it does, `(row, phase and caseload)`: few stops have one."""
    patience_min: Array
    """How long the patient queues for it, `(patient, stop)`, or until other wards are asked where the stage overflows;
    NaN where neither ends."""
    edges: Array
    """Census of the department from which the next load class begins, `(block, load - 1)`."""
    acuity: Index
    """Acuity code of every visit of the story, `(visit,)`; -1 where not known or not part of it."""
    clock_edge_min: Array
    """Bounds of the hours of the wards' clocks, `(hour + 1,)`; none where stays are in minutes."""
    clock_min: Array
    """What the clock of each unit shows at them, `(unit, hour + 1)`."""
    leaving_earlier_min: float
    """How much sooner stays end than these clocks say."""
    phase_edge_min: Array = field(default_factory=lambda: np.empty(0))
    """From when on the next phase's durations hold, `(phase - 1,)`."""

    @property
    def phases(self) -> int:
        """How many phases of the run have durations of their own."""
        return int(self.phase_edge_min.size) + 1

    @property
    def loads(self) -> int:
        """How many load classes there are."""
        return int(self.edges.shape[1]) + 1

    @property
    def caseloads(self) -> int:
        """How many caseloads are told apart: 0, 1 .. patients whom each of those who are needed has in care."""
        return int(self.freed_min.shape[1]) // self.phases


@dataclass(frozen=True, eq=False)
class Fates:
    """The fates of some members in the same columns, one member's rows behind another's."""

    whole: Fate
    """Of all of them; `freed_at` and `acuity` go through all members, `visit` is each member's own."""
    row_from: Index
    """Where each member's rows begin, and where the last one's end, `(member + 1,)`; so are the two that follow."""
    visit_from: Index
    freed_from: Index

    @cached_property
    def columns(self) -> tuple[Any, ...]:
        """What a run is given of all of them, one value after the other."""
        of = self.whole
        return (
            of.stage.ravel(), of.unit.ravel(), of.visit, of.freed_at.ravel(), of.minutes.ravel(), of.freed_min.ravel(),
            of.patience_min.ravel(), of.edges.ravel(), of.block, of.priority, of.at_min, of.clock_edge_min,
            of.clock_min.ravel(), of.phase_edge_min, of.leaving_earlier_min,
        )  # fmt: skip

    def lots(self) -> list[Lot]:
        """Each member's part, cut anew: were they kept here, they and the columns would hold one another in memory."""
        bounds = (pairwise(column.tolist()) for column in (self.row_from, self.visit_from, self.freed_from))
        return [Lot(self, *each) for each in zip(*bounds, strict=True)]


@dataclass(eq=False, slots=True)
class Lot:
    """One member's part of fates that were cast together; from where to where in their columns."""

    fates: Fates
    rows: tuple[int, int]
    visits: tuple[int, int]
    freed: tuple[int, int]
    _fate: Fate | None = None

    @classmethod
    def of(cls, fate: Fate) -> Lot:
        """A fate that was cast alone."""
        bounds = (np.array([0, size]) for size in (fate.visit.size, fate.acuity.size, len(fate.freed_min)))
        return Fates(fate, *bounds).lots()[0]

    @property
    def acuity(self) -> Index:
        """As in `Fate`."""
        return self.fates.whole.acuity[slice(*self.visits)]

    @property
    def fate(self) -> Fate:
        """Cut out of the columns when it is asked for, once."""
        if self._fate is None:
            self._fate = self._cut_out()
        return self._fate

    def _cut_out(self) -> Fate:
        of, mine, freed = self.fates.whole, slice(*self.rows), slice(*self.freed)
        return replace(
            of, visit=of.visit[mine], cls=of.cls[mine], block=of.block[mine], priority=of.priority[mine],
            at_min=of.at_min[mine], stage=of.stage[mine], unit=of.unit[mine], minutes=of.minutes[mine],
            freed_at=np.maximum(of.freed_at[mine] - self.freed[0], -1), freed_min=of.freed_min[freed],
            patience_min=of.patience_min[mine], acuity=self.acuity,
        )  # fmt: skip


def cast(
    path: Path, parameters: Parameters, luck: Luck, present: Present, demand: Demand | None = None, law: Law = USUAL
) -> Fate:
    """What a member's luck means for those who are here and for those who come under a demand, by a law.

    Raises ScenarioError if the demand asks for more patients than luck was drawn for, PresentError if the present
    does not fit the path, RepeatsError if a route leads to a stage more often than its `at_most` allows.
    """
    return cast_members(path, parameters, luck, [present], [demand or Demand()], law).lots()[0].fate


def cast_members(
    path: Path, parameters: Parameters, luck: Luck, presents: Sequence[Present],
    demands: Sequence[Demand] = (Demand(),), law: Law = USUAL,
) -> Fates:  # fmt: skip
    """The fates of several members, each as `cast` gives it; routes may have idle stops.

    All who come under one of the demands take part; these have the same crises.
    """
    _check(path, presents, luck)
    people = People(path, parameters, luck, presents, demands)
    variants = Variants(parameters, law, demands[0].crises)
    variant = variants.of(people.at_min, people.crisis)
    stops = stops_of(path, variants.parameters, variant, people, luck)
    lengths = _Lengths(path, parameters, people, stops, luck, law)
    minutes = lengths.of("stage", 0.0)
    phase_edge_min = law.phase_edge_min
    minutes[people.here, 0] = np.tile(joined(presents, "residual_min"), (1, phase_edge_min.size + 1))
    patience, (freed_at, freed) = lengths.of("patience", np.nan)[:, :, 0], lengths.freed()
    _carry_on(freed_at, freed, patience, path, parameters, people, luck, presents)
    acuity = np.array([c.acuity for c in parameters.classes], dtype=np.int64)[people.cls]
    everyone = np.full(luck.group.size, -1, dtype=np.int64)
    everyone[people.row] = acuity
    priority = np.where(acuity < 0, (path.acuities - 1) / 2, acuity).astype(np.float64)
    edge_min, clock_min = _clocks(parameters, luck, law)
    whole = Fate(
        visit=people.row - np.repeat(luck.first[:-1], np.diff(people.first)), cls=people.cls, block=people.block,
        priority=priority, at_min=people.at_min, stage=stops.stage, unit=stops.unit, minutes=minutes,
        freed_at=freed_at, freed_min=freed, patience_min=patience, edges=parameters.load_edges, acuity=everyone,
        clock_edge_min=edge_min, clock_min=clock_min, leaving_earlier_min=parameters.leaving_earlier_min,
        phase_edge_min=phase_edge_min,
    )  # fmt: skip
    held = np.concatenate([[0], np.cumsum((freed_at >= 0).sum(axis=1))])[people.first]
    return Fates(whole, people.first, luck.first, held)


class _Whose(NamedTuple):
    """Patients, one row each: their rows in luck, their classes, their blocks of the day, and whether what they are at
    first has begun."""

    row: Index
    cls: Index
    block: Index
    begun: Flags

    def taken(self, rows: Index) -> _Whose:
        """Those of some rows."""
        return _Whose(self.row[rows], self.cls[rows], self.block[rows], self.begun[rows])


class _Lengths:
    """How long things last at the stops of many patients."""

    def __init__(self, path: Path, parameters: Parameters, people: People, stops: Stops, luck: Luck, law: Law) -> None:
        self._path, self._parameters, self._stops, self._luck, self._law = path, parameters, stops, luck, law
        self._whose = _Whose(people.row, people.cls, people.block, people.group == HERE)

    def of(self, purpose: Purpose, otherwise: float) -> Array:
        """Minutes at each stop, `(patient, stop, phase and class of load)`, where its stage names a duration for the
        purpose; patience is the same in every phase, and told once.

        How long the first stage of those who are here lasts is not worked out: the present says it.
        """
        whose = self._whose if purpose == "stage" else self._whose._replace(begun=np.zeros_like(self._whose.begun))
        if ready and not self._by_phases(purpose):
            return self._by_loop(purpose, otherwise, self._stops, whose)
        _, _, code_of = _durations(self._path, self._parameters, purpose)
        row, stop, code = _codes_at(self._stops, code_of)
        new = np.flatnonzero((stop > 0) | ~whose.begun[row])
        row, stop = row[new], stop[new]
        lasting = self._at(purpose, row, stop, code[new])
        out = np.full((*self._stops.stage.shape, lasting.shape[1]), otherwise)
        out[row, stop] = lasting
        return out

    def freed(self) -> tuple[Index, Array]:
        """Which stops free what they need before their end, and when: `freed_at` and `freed_min` of `Fate`."""
        _, _, code_of = _durations(self._path, self._parameters, "freed")
        stops = self._stops
        row, stop, code = _codes_at(stops, code_of)
        at = np.full(stops.stage.shape, -1, dtype=np.int64)
        at[row, stop] = np.arange(row.size)
        if self._by_phases("freed") or not ready:
            return at, self._at("freed", row, stop, code)
        one_each = Stops(*(column[row, stop][:, None] for column in stops))
        whose = self._whose.taken(row)._replace(begun=np.zeros(row.size, dtype=bool))
        return at, self._by_loop("freed", np.nan, one_each, whose)[:, 0]

    def _by_phases(self, purpose: Purpose) -> bool:
        return purpose != "patience" and bool(self._law.paces)

    def _at(self, purpose: Purpose, row: Index, stop: Index, code: Index) -> Array:
        """Minutes at some stops whose durations have these codes, `(place, phase and class of load)`."""
        laid, names, _ = _durations(self._path, self._parameters, purpose)
        whose, slot = self._whose.taken(row), self._stops.slot[row, stop]
        lasting = laid.at(self._luck.of(purpose, whose.row, slot), code, whose.cls, whose.block)
        if not self._by_phases(purpose):
            return lasting
        return self._by_phase(lasting, names, code, whose.cls, (stop == 0) & whose.begun)

    def _by_loop(self, purpose: Purpose, otherwise: float, stops: Stops, whose: _Whose) -> Array:
        """The same by the compiled loop, but for what lies beyond the last level."""
        laid, _, code_of = _durations(self._path, self._parameters, purpose)
        out, late = np.empty((*stops.stage.shape, laid.loads)), np.empty(stops.stage.size, dtype=np.int64)
        count = ready[0].lengths(
            stops.stage, stops.slot, stops.unit, self._luck.key[whose.row], whose.cls, whose.block, whose.begun,
            self._luck.places[purpose], code_of, *laid.cells, otherwise, out, late,
        )  # fmt: skip
        row, stop = np.divmod(late[:count], stops.stage.shape[1])
        uniform = self._luck.of(purpose, whose.row[row], stops.slot[row, stop])
        code = code_of[stops.stage[row, stop], stops.unit[row, stop]]
        out[row, stop] = laid.at(uniform, code, whose.cls[row], whose.block[row])
        return out

    def _by_phase(self, lasting: Array, names: Sequence[str], code: Index, cls: Index, begun: Flags) -> Array:
        """What begins in each phase lasts times its factor; what has begun is as it was."""
        times = factors(self._law, names, self._parameters.classes)
        factor = np.where(begun, 1.0, times[:, code, cls])
        return np.concatenate([lasting * one[:, None] for one in factor], axis=1)


_NAMED: dict[Purpose, Callable[[Stage], str | None]] = {
    "stage": lambda stage: stage.lasts,
    "freed": lambda stage: stage.frees_after,
    "patience": lambda stage: stage.while_queueing,
}
"""Which duration a stage names for a purpose."""


@lru_cache(maxsize=12)
def _durations(path: Path, parameters: Parameters, purpose: Purpose) -> tuple[Laid, list[str], Index]:
    """The durations that stages name for a purpose, their names, and which each has by the ward wanted, `(stage, unit +
    1)`; -1 for none."""
    names, code_of = _codes(path, _NAMED[purpose])
    loads = {"stage": parameters.loads, "freed": parameters.caseloads(path), "patience": 1}[purpose]
    durations = [parameters.durations[name] for name in names]
    laid = Laid([d.at_load(0) for d in durations] if purpose == "patience" else durations, loads)
    return laid, names, code_of


def _codes_at(stops: Stops, code_of: Index) -> tuple[Index, Index, Index]:
    """The stops that have a duration: of which patient, which stop, and the duration's code."""
    named = np.append((code_of >= 0).any(axis=1), False)[stops.stage]  # OUT is the last
    row, stop = np.nonzero(named)
    code = code_of[stops.stage[row, stop], stops.unit[row, stop]]
    there = np.flatnonzero(code >= 0)
    return row[there], stop[there], code[there]


def _codes(path: Path, named: Callable[[Stage], str | None]) -> tuple[list[str], Index]:
    """Names of durations, and the code of each stage's by the ward wanted, `(stage, unit + 1)`; -1 for none."""
    names: dict[str, int] = {}
    code_of = np.full((len(path.stages), len(path.units) + 1), -1, dtype=np.int64)
    for k, stage in enumerate(path.stages):
        name = named(stage)
        if name is None:
            continue
        told = path.by_ward(name)
        if told == (name,):
            code_of[k] = names.setdefault(name, len(names))
            continue
        for ward, one in zip(path.wards, told, strict=True):
            code_of[k, path.units.index(ward)] = names.setdefault(one, len(names))
    return list(names), code_of


def _clocks(parameters: Parameters, luck: Luck, law: Law) -> tuple[Array, Array]:
    """The bounds of the run's hours and what the wards' clocks show at them; stays in wards are minutes of these."""
    if parameters.leaving is None:
        return np.empty(0), np.empty((0, 0))
    if law.discharging:
        return changed_clocks(luck.hours, parameters.leaving, law.discharging, float(luck.hours.edge_min[-1]))
    return luck.hours.edge_min, clocks(luck.hours.edge_min, luck.hours.hour_of_week, parameters.leaving)


def _carry_on(
    freed_at: Index, freed: Array, patience: Array, path: Path, parameters: Parameters, people: People, luck: Luck,
    presents: Sequence[Present],
) -> None:  # fmt: skip
    """What a stage needs has been held since it began, and may be free by now (0); patience, or the search for a bed of
    another ward, counts from the joining of the queue, and has not ended yet."""
    since, serving = joined(presents, "since_min"), joined(presents, "serving")
    stage, lasted = people.enters[people.here], np.maximum(-since, 0.0)
    frees = np.flatnonzero(serving & np.array([one.frees_after is not None for one in path.stages])[stage])
    held = freed_at[people.here[frees], 0]
    frees, held = frees[held >= 0], held[held >= 0]
    freed[held] = np.maximum(freed[held] + since[frees, None], 0.0)
    for k in (k for k, one in enumerate(path.stages) if one.while_queueing):
        queue = np.flatnonzero((stage == k) & ~serving)
        row = people.here[queue]
        uniform = luck.of("patience", people.row[row], np.full(row.size, path.first_slot[k]))
        duration = parameters.durations[str(path.stages[k].while_queueing)]
        patience[row, 0] = duration.residual(uniform, lasted[queue], people.cls[row], people.block[row])[:, 0]


def _check(path: Path, presents: Sequence[Present], luck: Luck) -> None:
    counts = [present.count for present in presents]
    if luck.here.tolist() != counts:
        raise PresentError(f"luck was drawn for {luck.here.tolist()} patients who are here, but there are {counts}")
    wards = [path.units.index(ward) for ward in path.wards]
    needs = np.array([s.wants for s in path.situations])[joined(presents, "stage")] & joined(presents, "here")
    if lost := np.flatnonzero(needs & ~np.isin(joined(presents, "unit"), wards)).tolist():
        row = lost[0] - int(np.sum(counts[: np.searchsorted(np.cumsum(counts), lost[0], side="right")]))
        raise PresentError(f"who waits for a bed or is in a ward must have a ward, but row {row} has none")
