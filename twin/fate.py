"""A member's fate: what luck means for each patient who comes, worked out before the run.

Where a patient's stages lead does not depend on the others, so the whole route is known beforehand as a row of stops;
the run only decides when. Durations and patience are inverse transforms of luck, for every load class at once: the run
picks by index and adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.demand import Demand, People
from twin.errors import PresentError
from twin.leaving import Timeline
from twin.luck import Luck
from twin.parameters import Parameters
from twin.pathway import Path
from twin.present import Present
from twin.routing import OUT, Stops, stops_of
from twin.stages import WANTED, Stage

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


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
    """How long each stop lasts, `(patient, stop, load)`."""
    freed_min: Array
    """When it frees what it needs, `(patient, stop, caseload)`; NaN where that is at its end."""
    patience_min: Array
    """How long the patient queues for it, `(patient, stop)`, or until other wards are asked where the stage overflows;
    NaN where neither ends."""
    edges: Array
    """Census of the department from which the next load class begins, `(block, load - 1)`."""
    acuity: Index
    """Acuity code of every visit of the story, `(visit,)`; -1 where not known or not part of it."""

    @property
    def loads(self) -> int:
        """How many load classes there are."""
        return int(self.edges.shape[1]) + 1

    @property
    def caseloads(self) -> int:
        """How many caseloads are told apart: 0, 1 .. patients whom each of those who are needed has in care."""
        return int(self.freed_min.shape[2])


def cast(path: Path, parameters: Parameters, luck: Luck, present: Present, demand: Demand | None = None) -> Fate:
    """What luck means for those who are here and for those who come under a demand.

    Raises ScenarioError if the demand asks for more patients than luck was drawn for, PresentError if the present
    does not fit the path, RepeatsError if a route leads to a stage more often than its `at_most` allows.
    """
    _check(path, present, luck)
    people = People(path, parameters, luck, present, demand or Demand())
    stops = stops_of(path, parameters, people, luck)
    lasting = _Lasting(path, parameters, people, stops)
    freed = lasting.minutes(luck.freed, lambda stage: stage.frees_after, np.nan, parameters.caseloads(path))
    patience = lasting.minutes(luck.patience, lambda stage: stage.while_queueing, np.nan, parameters.loads)[:, :, 0]
    minutes = lasting.minutes(luck.stage, lambda stage: stage.lasts, 0.0, parameters.loads)
    minutes[: present.count, 0] = present.residual_min
    if parameters.leaving is not None:
        _by_the_wards_clocks(minutes, path, parameters, people, stops, luck)
    _carry_on_holding(freed, present)
    _carry_on_queueing(patience, path, parameters, people, luck, present)
    acuity = np.array([c.acuity for c in parameters.classes], dtype=np.int64)[people.cls]
    everyone = np.full(luck.group.size, -1, dtype=np.int64)
    everyone[people.row] = acuity
    return Fate(
        visit=people.row,
        cls=people.cls,
        block=people.block,
        priority=np.where(acuity < 0, (path.acuities - 1) / 2, acuity).astype(np.float64),
        at_min=people.at_min,
        stage=stops.stage,
        unit=stops.unit,
        minutes=minutes,
        freed_min=freed,
        patience_min=patience,
        edges=parameters.load_edges,
        acuity=everyone,
    )


class _Lasting:
    """Durations at stops, each worked out once for all the stops that have it."""

    def __init__(self, path: Path, parameters: Parameters, people: People, stops: Stops) -> None:
        self.path, self.parameters, self.people, self.stops = path, parameters, people, stops

    def minutes(self, luck: Array, named: Callable[[Stage], str | None], otherwise: float, classes: int) -> Array:
        """Minutes at each stop, `(patient, stop, class)`, where the stage names a duration."""
        out = np.full((*self.stops.stage.shape, classes), otherwise)
        names, code_of = self._codes(named)
        codes = np.where(self.stops.stage == OUT, -1, code_of[self.stops.stage, self.stops.unit[:, :-1]])
        for code, name in enumerate(names):
            row, stop = np.nonzero(codes == code)
            if row.size:
                uniform = luck[self.people.row[row], self.stops.slot[row, stop]]
                duration = self.parameters.durations[name]
                out[row, stop] = duration.at(uniform, self.people.cls[row], self.people.block[row])
        return out

    def _codes(self, named: Callable[[Stage], str | None]) -> tuple[list[str], Index]:
        """Names of durations, and the code of each stage's by the ward wanted, `(stage, unit + 1)`; -1 for none."""
        names: dict[str, int] = {}
        code_of = np.full((len(self.path.stages), len(self.path.units) + 1), -1, dtype=np.int64)
        for k, stage in enumerate(self.path.stages):
            name = named(stage)
            if name is None:
                continue
            told = self.path.by_ward(name)
            if told == (name,):
                code_of[k] = names.setdefault(name, len(names))
                continue
            for ward, one in zip(self.path.wards, told, strict=True):
                code_of[k, self.path.units.index(ward)] = names.setdefault(one, len(names))
        return list(names), code_of


def _by_the_wards_clocks(
    minutes: Array, path: Path, parameters: Parameters, people: People, stops: Stops, luck: Luck
) -> None:
    """Stays in wards, which are learned and drawn on the wards' own clocks, in minutes from when they begin."""
    assert parameters.leaving is not None
    timeline = Timeline(luck.hours.edge_min, luck.hours.hour_of_week)
    by_ward = np.array([stage.lasts is not None and stage.lasts.endswith(f":{WANTED}") for stage in path.stages])
    row, stop = np.nonzero((stops.stage != OUT) & by_ward[stops.stage])
    here = (stop == 0) & (row < people.here)
    start = np.where(here, 0.0, np.nan_to_num(people.at_min[row]) + np.where(stop > 0, parameters.to_ward_min, 0.0))
    unit = stops.unit[row, stop]
    for code in np.unique(unit):
        mine = unit == code
        at = row[mine], stop[mine]
        minutes[at] = timeline.lasting(parameters.leaving[code], start[mine], minutes[at][:, 0])[:, None]


def _carry_on_holding(freed: Array, present: Present) -> None:
    """What a stage needs has been held since it began; it may be free by now (0)."""
    serving = np.flatnonzero(present.serving)
    freed[serving, 0] = np.maximum(freed[serving, 0] + present.since_min[serving, None], 0.0)


def _carry_on_queueing(
    patience: Array, path: Path, parameters: Parameters, people: People, luck: Luck, present: Present
) -> None:
    """Patience, or the search for another ward's bed, counts from the joining of the queue, and has not ended yet."""
    for k, stage in enumerate(path.stages):
        queue = np.flatnonzero((present.stage == k) & ~present.serving)
        if stage.while_queueing and queue.size:
            lasted = np.maximum(-present.since_min[queue], 0.0)
            uniform = luck.patience[queue, path.first_slot[k]]
            duration = parameters.durations[stage.while_queueing]
            patience[queue, 0] = duration.residual(uniform, lasted, people.cls[queue], people.block[queue])[:, 0]


def _check(path: Path, present: Present, luck: Luck) -> None:
    if luck.here != present.count:
        raise PresentError(f"luck was drawn for {luck.here} patients who are here, but there are {present.count}")
    wards = [path.units.index(ward) for ward in path.wards]
    needs = np.array([s.wants for s in path.situations])[present.stage] & present.here
    if lost := np.flatnonzero(needs & ~np.isin(present.unit, wards)).tolist():
        raise PresentError(f"who waits for a bed or is in a ward must have a ward, but row {lost[0]} has none")
