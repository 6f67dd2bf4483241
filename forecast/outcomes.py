"""What a scenario comes to for each member: one number a criterion, from what is measured along the member.

A criterion that the log, the path or the hospital's file does not tell of does not exist; it is never 0 instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

from forecast.efforts import Efforts
from forecast.services import Service, broken, excess
from forecast.tension_days import NIGHT_ENDS_H, at_hour
from forecast.values import Array
from ingest.clock import local

BREAKS, MARGIN = "break_min:", "margin:"
"""Begin the names of when a service breaks (inf: never) and of its margin."""


@dataclass(frozen=True, eq=False)
class Told:
    """What was measured of the members under one scenario."""

    lead_min: Array
    measures: Mapping[str, Array]
    """By name `(lead, member)`, `asked:<pool>` among them."""
    tallies: Mapping[str, Array]
    """Of the window as a whole, by name `(member,)`."""
    there: Mapping[str, Array]
    """How many there are under the scenario, by measure `(lead, member)`, or `(lead, 1)` where it is one for all."""
    usual_beds: Mapping[str, Array]
    """Beds of each ward as usual, where known, `(lead,)`."""
    planned_due: Array | None
    """Planned patients due in the window as usual, `(member,)`; None where none are planned."""
    morning_min: float | None
    """The next time that it is 8:00 here; None beyond the window."""
    aged_known: bool
    """Does the log tell ages?"""
    more: Mapping[str, Array] = field(default_factory=dict)
    """Further outcomes by name, `(member,)`: what others make of the same members, such as supplies."""

    @property
    def step_h(self) -> float:
        """Between two leads."""
        return float(self.lead_min[1] - self.lead_min[0]) / 60.0


def outcomes(told: Told, efforts: Efforts, services: Sequence[Service] = ()) -> dict[str, Array]:
    """Every outcome that exists, by name `(member,)`, in the order in which they are shown."""
    count = next(iter(told.measures.values())).shape[1]
    found = {
        name: values for part in (_waits(told), _department(told), _night(told), _staff(told), _beds(told))
        for name, values in part
    }  # fmt: skip
    found |= {name: np.full(count, value) for name, value in efforts.as_outcomes().items()}
    return found | dict(told.more) | dict(_services(told, services))


Named = Iterator[tuple[str, Array]]


def _waits(told: Told) -> Named:
    if "ed_waiting" not in told.measures:
        return
    for name, values in told.tallies.items():
        if name.startswith("wait_p90_min"):
            yield name, values
    yield "left_unseen", told.tallies["left_unseen"]


def _department(told: Told) -> Named:
    census, boarders = told.measures["ed_census"], told.measures.get("ed_boarders")
    yield "ed_peak", census.max(axis=0)
    if "ed_census" in told.there:
        crossed = census[1:] > told.there["ed_census"][1:]
        yield "over_spaces_h", crossed.sum(axis=0) * told.step_h
    if boarders is not None:
        yield "boarding_h", boarders[1:].sum(axis=0) * told.step_h
        if told.morning_min is not None:
            yield "boarders_at_8h", boarders[int(np.abs(told.lead_min - told.morning_min).argmin())].copy()


def _night(told: Told) -> Named:
    """Who spent the whole night, of all and of those of 75 and over where ages are told."""
    if told.morning_min is None:
        return
    yield "nights", told.tallies["nights"]
    if told.aged_known:
        yield "aged_nights", told.tallies["aged_nights"]


def _staff(told: Told) -> Named:
    """Hours asked for beyond what is there: of each pool, and of all staff."""
    pools = [name for name in told.measures if name.startswith("asked:")]
    hours = {
        name: np.maximum(told.measures[name][1:] - told.there[name][1:], 0.0).sum(axis=0) * told.step_h
        for name in pools if name in told.there
    }  # fmt: skip
    if hours:
        yield "staff_over_h", np.sum(list(hours.values()), axis=0)
    for name, over in hours.items():
        yield name.replace("asked:", "staff_over_h:"), over


def _beds(told: Told) -> Named:
    if told.planned_due is not None:
        yield "planned_not_admitted", told.planned_due - told.tallies["planned_admitted"]
    known = [ward for ward in told.usual_beds if f"census:{ward}" in told.measures]
    if known:
        beyond = [
            np.maximum(told.measures[f"census:{ward}"] - told.usual_beds[ward][:, None], 0.0) for ward in known
        ]  # fmt: skip
        yield "escalation_beds", np.sum(beyond, axis=0).max(axis=0)
    free = [values for name, values in told.measures.items() if name.startswith("beds_free:")]
    if free:
        yield "beds_free_least", np.sum(free, axis=0).min(axis=0)


def _services(told: Told, services: Sequence[Service]) -> Named:
    for service in services:
        beyond = excess(service, told.measures[service.measure], told.there)
        first, margin = broken(beyond, told.lead_min, service.for_min)
        yield BREAKS + service.name, first
        yield MARGIN + service.name, margin


# --- the night -----------------------------------------------------------------------------------------------------


def nights(as_of: datetime, zone: str, horizon_min: float) -> tuple[tuple[float, float], ...]:
    """Local nights, midnight to 8 h, that end within the window, in minutes from its start."""
    first = local(as_of, zone).date()
    ends = [_night_before(first + timedelta(days=day), as_of, zone) for day in range(2 + int(horizon_min // 1440))]
    return tuple(night for night in ends if 0.0 < night[1] <= horizon_min)


def _night_before(day: date, as_of: datetime, zone: str) -> tuple[float, float]:
    begins, ends = (
        (at_hour(day, hour, zone) - as_of) / timedelta(minutes=1) for hour in (0, NIGHT_ENDS_H)
    )  # fmt: skip
    return begins, ends
