"""The queue for doctors lived through once more: the real visits and rosters, with contacts as long as is believed.

What contacts in busy stretches tell of their time (`contacts.py`) leaves out how the law spends it: a contact ends with
care at the latest, it lasts as long as the caseload asks for at its beginning, and doctors are not held by those who
come when nobody waits. So the law is held against the log: everybody comes, is triaged, and stays in care just as it
was; only when a doctor is free is drawn. The time of a contact is then made longer or shorter until the waits that the
law gives are the waits that the log shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from twin import queue_loop
from twin.durations import Duration
from twin.learned_path import Sample
from twin.story import DESTINATIONS, Array, Index

FACTORS = np.array([0.8, 1.0, 1.2, 1.45, 1.75])
"""How many times as long as at first believed a contact may take: those that are tried."""
ENOUGH_VISITS = 16_000
MOST_LIVES = 8
"""The queue is lived through with each until so many visits have been, twice at least and so often at most; the waits
of the law are the mean."""
STRETCH_MIN = 7 * 1440.0
ODD = 1.15
"""How much longer, or shorter, than in the median week contacts may have been in a week for its waits to count in
full."""
WAITED_PRIOR_MIN = 3000.0
"""Minutes waited in all at which what the waits say and what was believed at first weigh alike."""
LONGEST_MIN = 2 * 1440.0
"""A wait counts as no longer than this, as no settled visit's does: who would be seen by nobody ends it."""
_SEED = 0x9E91
_LEFT_UNSEEN = DESTINATIONS.index("left_without_being_seen")

Duty = Sequence[tuple[float, int]]
"""From when on how many doctors are on duty, in order."""


@dataclass(frozen=True, eq=False)
class Queue:
    """Those who waited for a doctor, one row each `(visit,)`, in the order in which they began to wait."""

    ready_min: Array
    """When they began to wait."""
    stopped_min: Array
    """When they were seen, or left unseen."""
    care_min: Array
    """How long they were looked after once seen; of those who left unseen that of another visit."""
    leaves_min: Array
    """When they lose patience, if still unseen by then; later than they were seen in truth."""
    priority: Array
    arrived_min: Array
    block: Index
    duty: Duty

    @property
    def waited_min(self) -> Array:
        """How long they waited in truth."""
        return self.stopped_min - self.ready_min


def queue_of(sample: Sample, patience: Duration, duty: Duty, acuities: int) -> Queue:
    """The queue for the doctors of a settled sample; `patience` says how much longer those would have waited who were
    seen."""
    visits, luck = sample.visits, np.random.Generator(np.random.PCG64(_SEED))
    ready = np.where(np.isnan(visits.triaged_min), visits.arrived_min, visits.triaged_min)
    unseen = visits.to == _LEFT_UNSEEN
    stopped = np.maximum(np.where(unseen, visits.departed_min, visits.seen_min), ready)
    over = np.fmin(np.fmin(visits.decided_min, sample.discharged_min), visits.departed_min)
    care = np.where(unseen, np.nan, np.maximum(over - visits.seen_min, 0.0))
    known = np.flatnonzero(~np.isnan(ready) & ~np.isnan(stopped) & (unseen | ~np.isnan(care)))
    care = _completed(care[known], luck)
    anyone = np.zeros(known.size, dtype=np.int64)
    longer = patience.residual(luck.random(known.size), stopped[known] - ready[known], anyone, anyone)[:, 0]
    leaves = np.where(unseen[known], stopped[known], stopped[known] + longer)
    order = np.argsort(ready[known], kind="stable")
    rows = known[order]
    acuity = visits.acuity[rows]
    return Queue(
        ready_min=ready[rows],
        stopped_min=stopped[rows],
        care_min=care[order],
        leaves_min=leaves[order],
        priority=np.where(acuity < 0, (acuities - 1) / 2, acuity).astype(np.float64),
        arrived_min=visits.arrived_min[rows],
        block=sample.cells.block[rows],
        duty=duty,
    )


def slower(queue: Queue, slot: Duration, limit: int) -> float:
    """How many times as long as believed a contact takes, so that the law's waits are those that came.

    1. In each week the factor at which as many minutes are waited as came.
    2. A week that was odd counts as if its factor were at most so much above, or below, that of the median week.
    3. The factor at which all weeks together have their minutes; drawn towards 1 where few waited.
    """
    waited = float(queue.waited_min.sum())
    if not waited:
        return 1.0
    week, weeks = _weeks(queue.ready_min)
    came = np.bincount(week, queue.waited_min, weeks)
    given = np.array([np.bincount(week, minutes, weeks) for minutes in _waits(queue, slot, limit)])
    usual = float(np.median([_factor(given[:, k], came[k]) for k in range(weeks)]))  # 1
    least, most = (np.array([_minutes(given[:, k], at) for k in range(weeks)]) for at in (usual / ODD, usual * ODD))
    found = _factor(given.sum(axis=1), float(np.clip(came, least, most).sum()))  # 2, 3
    return float(found ** (waited / (waited + WAITED_PRIOR_MIN)))


def _weeks(ready_min: Array) -> tuple[Index, int]:
    """The week of each, and how many there are; all of a length."""
    since, span_min = ready_min - ready_min[0], float(ready_min[-1] - ready_min[0])
    weeks = max(round(span_min / STRETCH_MIN), 1)
    return np.minimum((since * weeks / max(span_min, 1.0)).astype(np.int64), weeks - 1), weeks


def _waits(queue: Queue, slot: Duration, limit: int) -> Iterator[Array]:
    """The minutes that each would wait, with each of FACTORS; the same luck with all of them."""
    luck = np.random.Generator(np.random.PCG64(_SEED))
    anyone = np.zeros(queue.block.size, dtype=np.int64)
    lives = int(np.clip(ENOUGH_VISITS / anyone.size, 2, MOST_LIVES))
    held = [slot.at(luck.random(anyone.size), anyone, queue.block) for _ in range(lives)]
    for factor in FACTORS:
        seen = [np.minimum(relived(queue, factor * one, limit), queue.leaves_min) for one in held]
        yield np.minimum(np.array(seen) - queue.ready_min, LONGEST_MIN).mean(axis=0)


def _factor(given_min: Array, came_min: float) -> float:
    """The factor at which the minutes waited, `(factor,)`, are those that came; within FACTORS."""
    return float(np.exp(np.interp(np.log(came_min + 1.0), _rising(given_min), np.log(FACTORS))))


def _minutes(given_min: Array, factor: float) -> float:
    """The minutes waited at a factor."""
    return float(np.exp(np.interp(np.log(factor), np.log(FACTORS), _rising(given_min))) - 1.0)


def _rising(given_min: Array) -> Array:
    return np.asarray(np.log(np.maximum.accumulate(given_min) + 1.0))


def relived(queue: Queue, held_min: Array, limit: int) -> Array:
    """When each would be seen by the law, `(visit,)`, inf for who leaves before.

    `held_min` is how long each keeps a doctor, `(visit, caseload)`; a doctor looks after `limit` patients at most. From
    one instant to the next at which anything can begin:

    1. Who has left meanwhile has made room; contacts and care are over; free doctors see those with a place in care.
    2. Doctors come and go; who waits outside takes a place that has become free; then whoever comes does.
    3. Free doctors see those who have a place.
    """
    seen = np.empty(queue.ready_min.size)
    duty_min, duty = (np.array(column) for column in zip(*queue.duty, strict=True))
    live = queue_loop.ready[0] if queue_loop.ready else queue_loop.live
    live(
        queue.ready_min, queue.leaves_min, queue.care_min, queue.priority, queue.arrived_min, held_min,
        duty_min.astype(np.float64), duty.astype(np.int64), limit, seen,
    )  # fmt: skip
    return seen


def _completed(care_min: Array, luck: np.random.Generator) -> Array:
    """Whoever was never looked after would have been as long as another."""
    unknown = np.isnan(care_min)
    known = care_min[~unknown]
    drawn = known[(luck.random(care_min.size) * known.size).astype(np.int64)] if known.size else np.zeros(care_min.size)
    return np.where(unknown, drawn, care_min)
