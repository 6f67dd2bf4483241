"""Who comes to each ward and who leaves it over a span: counted from the stories of a published forecast's own members.

A member depends on the situation, the seed and its number alone, so running it again gives the forecast's own; what
measures do not keep (was the admission decided already, was it planned) is read from the story.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from forecast.ensemble import CHUNK, Run, applied_to, drawn, reserve_of
from forecast.situation import Situation
from forecast.values import Array
from twin.fates import cast_members_for
from twin.kernel import Runs
from twin.kernel_tables import Room
from twin.present import AT_ONCE_MIN, Present
from twin.scenarios import Scenario
from twin.story import Story, Visits

Flags = npt.NDArray[np.bool_]

FLOWS = ("known", "here", "to_come", "planned", "moved_in", "moved_out", "left")
"""What is counted, in this order; the first five come to a ward, the others leave it."""
COMING = 5


@dataclass(frozen=True)
class Span:
    """From when to when, in minutes from the situation; who moves just at its beginning is not of it."""

    from_min: float
    until_min: float


def ward_flows(
    situation: Situation, scenario: Scenario, how: Run, span: Span, *, executor: Executor | None = None
) -> Array:
    """How many of each flow each ward has in the span, `(flow, ward, member)`; wards in the hospital's order."""
    chunks = [range(first, min(first + CHUNK, how.members)) for first in range(0, how.members, CHUNK)]
    if executor is None:
        return np.concatenate([flows_of(situation, scenario, how, span, chunk) for chunk in chunks], axis=2)
    pending = [executor.submit(flows_of, situation, scenario, how, span, chunk) for chunk in chunks]
    return np.concatenate([task.result() for task in pending], axis=2)


def flows_of(situation: Situation, scenario: Scenario, how: Run, span: Span, members: range) -> Array:
    """The same of some members."""
    c = situation.calibration
    change = applied_to(situation, scenario, how)
    presents, luck = drawn(situation, how, members, reserve=reserve_of([change]))
    shares = cast_members_for(c.path, c.parameters, luck, presents, [change.demand], [change.law])
    wards = [code for code, unit in enumerate(c.hospital.units) if unit.ward]
    out = np.empty((len(FLOWS), len(wards), len(members)))
    room = Room()
    for place, (member, present, [share]) in enumerate(zip(members, presents, shares, strict=True)):
        runs = Runs(c.path, share.lot, present, how.until_min, by_law=how.engine == "simpy", room=room)
        capacity = change.capacity_of(c.hospital, seed=how.seed, member=member)
        told = _after_the_present(runs.under(capacity, share.rows), present)
        out[:, :, place] = counted(Visits.of(told, share.lot.acuity), wards, span)
    return out


def _after_the_present(story: Story, present: Present) -> Story:
    """What the run tells of its first instant happens just after the present, as where the census is counted."""
    run = np.arange(story.at_min.size) >= present.history.at_min.size  # what was before stands first
    return replace(story, at_min=np.where(run & (story.at_min == 0.0), AT_ONCE_MIN, story.at_min))


def counted(visits: Visits, wards: Sequence[int], span: Span) -> Array:
    """The flows of one story, `(flow, ward)`; `wards` are codes of units."""
    ward = np.isin(visits.stay_unit, wards)
    unit, visit = visits.stay_unit[ward], visits.stay_visit[ward]
    came, went = visits.stay_from_min[ward], visits.stay_until_min[ward]
    follows = visit[1:] == visit[:-1] if visit.size else np.empty(0, dtype=bool)  # stays stand visit by visit, in order
    first, last = ~np.append(False, follows)[: visit.size], ~np.append(follows, False)[: visit.size]
    coming, leaving = _within(came, span), _within(went, span)
    told = [coming & first & kind for kind in _kinds(visits, visit)]
    told += [coming & ~first, leaving & ~last, leaving & last]
    place = np.searchsorted(wards, unit)
    return np.stack([np.bincount(place[one], minlength=len(wards)) for one in told]).astype(np.float64)


def _kinds(visits: Visits, visit: npt.NDArray[np.int64]) -> tuple[Flags, ...]:
    """Of each stay: from the department with a decision from before the situation, without one, yet to arrive; none of
    these: planned."""
    arrived, decided = visits.arrived_min[visit], visits.decided_min[visit]
    planned, known = np.isnan(arrived), decided <= 0
    to_come = ~planned & (arrived > 0)
    return ~planned & known, ~planned & ~known & ~to_come, to_come, planned


def _within(at_min: Array, span: Span) -> Flags:
    return np.asarray((at_min > span.from_min) & (at_min <= span.until_min))
