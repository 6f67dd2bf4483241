"""The same path as one usually writes it in SimPy: the yardstick of the bench, and no law.

A process a patient, a resource with priorities a pool, requests as contexts, every number drawn when it is needed from
one generator. It tells the same marks about the same path and parameters, so what it takes is comparable; its runs are
not those of `model.py`, whose luck is drawn first, and agree with them only in the mean.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from datetime import datetime
from typing import Any

import numpy as np
import simpy

from twin.arrivals import calendar
from twin.durations import LEVELS
from twin.hospital import BED, Profile
from twin.parameters import Parameters, Stream
from twin.pathway import Path
from twin.routing import probabilities
from twin.stages import LEAVING, WANTED, WANTED_BED, Stage

Process = Generator[Any, Any, Any]
_FIRST = -1
"""Priority of who takes a place out of use."""


def run(
    capacity: Mapping[str, Profile],
    path: Path,
    parameters: Parameters,
    *,
    start: datetime,
    zone: str,
    horizon_min: float,
    seed: int,
) -> list[tuple[float, str, int]]:
    """The marks of a run from an empty hospital on: minute, kind, patient."""
    hospital = _Hospital(capacity, path, parameters, np.random.default_rng(seed))
    hours = calendar(start, horizon_min, zone)
    for stream in parameters.streams:
        hospital.env.process(hospital.arrivals(stream, hours.hour_of_week, float(hours.edge_min[1])))
    hospital.env.run(until=horizon_min)
    return hospital.marks


class _Patient:
    """Who is on the way, and what is kept."""

    def __init__(self, number: int, cls: int, block: int, priority: int, ward: int) -> None:
        self.number, self.cls, self.block, self.priority, self.ward = number, cls, block, priority, ward
        self.where: str | None = None
        self.kept: dict[str, Any] = {}


class _Hospital:
    """The hospital, its resources and its processes."""

    def __init__(
        self, capacity: Mapping[str, Profile], path: Path, parameters: Parameters, dice: np.random.Generator
    ) -> None:
        self.env, self.path, self.parameters, self.dice = simpy.Environment(), path, parameters, dice
        self.then = [probabilities(stage, parameters) if stage.then else None for stage in path.stages]
        self.marks: list[tuple[float, str, int]] = []
        self.patients = self.census = 0
        self.pools = {pool: self.resource(capacity[pool]) for pool in path.pools}

    def resource(self, profile: Profile) -> simpy.PriorityResource:
        """A resource with the most places that there ever are; some are taken out of use while there are fewer."""
        most = max(1, *(places for _, places in profile))
        made = simpy.PriorityResource(self.env, capacity=most)
        ends = [minute for minute, _ in profile[1:]] + [float("inf")]
        for (begins, places), until in zip(profile, ends, strict=True):
            for _ in range(most - places):
                self.env.process(self.out_of_use(made, begins, until))
        return made

    def out_of_use(self, pool: simpy.PriorityResource, from_min: float, until_min: float) -> Process:
        """One place fewer for a while."""
        yield self.env.timeout(from_min)
        with pool.request(priority=_FIRST) as request:
            yield request
            yield self.env.timeout(max(until_min - self.env.now, 0.0))

    def arrivals(self, stream: Stream, hour_of_week: Any, first_hour_min: float) -> Process:
        """Patients of a stream, by thinning; the level of each day is drawn at its beginning."""
        most = float(stream.per_hour.max())
        level = self.dice.gamma(stream.day_cv**-2, stream.day_cv**2) if stream.day_cv else 1.0
        while most > 0:
            yield self.env.timeout(self.dice.exponential(60.0 * (1 + stream.together) / (most * level)))
            hour = hour_of_week[min(int((self.env.now - first_hour_min) // 60) + 1, len(hour_of_week) - 1)]
            if self.dice.random() * most < stream.per_hour[hour]:
                for _ in range(1 + (self.dice.random() < stream.together)):
                    self.env.process(self.visit(self.patient(stream, hour % 24), stream.enters))

    def patient(self, stream: Stream, hour: int) -> _Patient:
        """Somebody of a class of the stream."""
        block = int(self.parameters.block_of_hour[hour])
        cls = int(self.dice.choice(len(self.parameters.classes), p=stream.class_share[block]))
        acuity = self.parameters.classes[cls].acuity
        self.patients += 1
        priority = self.path.acuities - 1 if acuity < 0 else 2 * acuity  # the middle of the scale where it is not known
        return _Patient(self.patients, cls, block, priority, stream.unit)

    # --- the path --------------------------------------------------------------------------------------------------

    def visit(self, p: _Patient, enters: str) -> Process:
        """Stage after stage, until one that leads nowhere."""
        at: str | None = enters
        while at is not None:
            stage = self.path.stage(at)
            if stage.comes:
                self.census += 1
                self.tell(p, stage.comes)
            with ExitStack() as held:
                if not (yield from self.hold(p, stage, held)):
                    return
                self.begin(p, stage)
                yield from self.last(p, stage, held)
            self.end(p, stage)
            at = self.next_stage(p, at)

    def hold(self, p: _Patient, stage: Stage, held: ExitStack) -> Generator[Any, Any, bool]:
        """Ask for all that the stage needs, one after the other; false if patience was over before."""
        patience = self.env.timeout(self.minutes(p, stage.patience)) if stage.patience else None
        for name in stage.asks:
            pool = self.pool(p, name)
            request = self.pools[pool].request(priority=p.priority)
            yield request if patience is None else request | patience
            if not request.triggered:
                request.cancel()
                self.tell(p, "LeftWithoutBeingSeen")
                self.give_back(p, *p.kept)
                return False
            if name in stage.takes:
                p.kept[pool] = request
            else:
                held.enter_context(request)
        return True

    def last(self, p: _Patient, stage: Stage, held: ExitStack) -> Process:
        """The stage's time; what it needs may be free before."""
        lasting = self.minutes(p, stage.lasts)
        if stage.frees_after:
            freed = min(self.minutes(p, stage.frees_after), lasting)
            yield self.env.timeout(freed)
            held.close()
            lasting -= freed
        if lasting > 0:
            yield self.env.timeout(lasting)

    def begin(self, p: _Patient, stage: Stage) -> None:
        """The patient is where the stage is."""
        unit = self.path.units[p.ward] if stage.unit == WANTED else stage.unit
        if unit is not None and unit != p.where:
            p.where = unit
            if stage.starts not in ("Departed", "EnteredWard"):
                self.tell(p, "Moved")
        if stage.starts:
            self.tell(p, stage.starts)

    def end(self, p: _Patient, stage: Stage) -> None:
        """What was kept and is given back, what is told, which ward is wanted."""
        gives = [self.pool(p, name) for name in stage.gives]
        if stage.wants in self.path.units:
            p.ward = self.path.units.index(stage.wants)
        elif stage.wants:
            shares = self.parameters.wanted[stage.wants][p.cls]
            p.ward = int(self.dice.choice(len(shares), p=shares))
        if stage.ends:
            self.tell(p, stage.ends)
        self.give_back(p, *gives)

    def give_back(self, p: _Patient, *pools: str) -> None:
        """Places that were kept."""
        for pool in pools:
            self.pools[pool].release(p.kept.pop(pool))

    def next_stage(self, p: _Patient, at: str) -> str | None:
        """Where the stage leads this patient."""
        shares = self.then[self.path.index(at)]
        if shares is None:
            return None
        targets = list(self.path.stage(at).then)
        return targets[0] if len(targets) == 1 else targets[self.dice.choice(len(targets), p=shares[p.cls, p.block])]

    def pool(self, p: _Patient, name: str) -> str:
        """The pool of a name; the beds of the ward wanted."""
        return BED + self.path.units[p.ward] if name == WANTED_BED else name

    def minutes(self, p: _Patient, name: str | None) -> float:
        """How long something lasts, drawn now."""
        if name is None:
            return 0.0
        head, _, tail = name.rpartition(":")
        told = self.parameters.durations[f"{head}:{self.path.units[p.ward]}" if tail == WANTED else name]
        load = bisect_right(self.parameters.load_edges[p.block].tolist(), self.census) if told.loads > 1 else 0
        of_class, of_block = min(p.cls, told.table.shape[0] - 1), min(p.block, told.table.shape[1] - 1)
        uniform = self.dice.random()
        if uniform > LEVELS[-1]:
            tail_min = self.dice.exponential(told.tail_min[of_class, of_block, load])
            return float(told.table[of_class, of_block, load, -1] + tail_min)
        return float(np.interp(uniform, LEVELS, told.table[of_class, of_block, load]))

    def tell(self, p: _Patient, kind: str) -> None:
        """Put down a mark."""
        if kind in LEAVING:
            self.census -= 1
        self.marks.append((self.env.now, kind, p.number))
