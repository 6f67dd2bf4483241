"""What a scenario's file may say: the kinds of change, each with its window.

A change says what it changes, by how much, whom it concerns, and when. Minutes count from now; `from_clock` and
`until_clock` name the next local time of day instead ("06:00"), which `at` turns into minutes; `until_min` then counts
from the start.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import inf
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from ingest.clock import local, resolve
from ingest.configuration import Checked
from ingest.events import Acuity
from twin.arrivals import HEADROOM
from twin.luck import MOST_VICTIMS

LARGEST_WARDS, EVERY_WARD, PROFESSION = "largest wards", "every ward", "profession:"
"""Names for several pools: beds, in the largest ward first; beds of each ward; every pool of a profession."""
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_MINUTE = timedelta(minutes=1)

Clock = Annotated[str, Field(pattern=_CLOCK)]
Shares = Annotated[dict[str, Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]


def _whole(severity: dict[Any, float]) -> dict[Any, float]:
    if abs(sum(severity.values()) - 1) > 1e-6 or min(severity.values()) < 0:
        raise ValueError(f"shares must lie between 0 and 1 and sum to 1, but sum to {sum(severity.values()):g}")
    return severity


Whole = AfterValidator(_whole)


class Windowed(Checked):
    """A change that holds from a time to another; `until` left out means to the end."""

    from_min: Annotated[float, Field(ge=0)] = 0.0
    until_min: float | None = None
    from_clock: Clock | None = None
    until_clock: Clock | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> Self:
        if "from_min" in self.model_fields_set and self.from_clock is not None:
            raise ValueError("either from_min or from_clock, not both")
        if self.until_min is not None and self.until_clock is not None:
            raise ValueError("either until_min or until_clock, not both")
        if self.until_min is not None and self.from_clock is None and self.until_min <= self.from_min:
            raise ValueError("until_min must be later than from_min")
        return self

    @property
    def end_min(self) -> float:
        """When it ends, in minutes from now."""
        return inf if self.until_min is None else self.until_min

    def at(self, now: datetime, zone: str) -> Self:
        """The same with its clock times as minutes from an aware instant; each the next one after what is before it."""
        told: dict[str, float] = {}
        if self.from_clock is not None:
            told["from_min"] = _minutes_until(self.from_clock, now, zone)
        start_min = told.get("from_min", self.from_min)
        if self.until_clock is not None:
            begun = now + start_min * _MINUTE
            told["until_min"] = start_min + _minutes_until(self.until_clock, begun, zone)
        elif self.from_clock is not None and self.until_min is not None:
            told["until_min"] = start_min + self.until_min
        return self.model_copy(update=told | {"from_clock": None, "until_clock": None}) if told else self

    def lasts_beyond(self, passed_min: float) -> bool:
        """Is there something left of it after so many minutes?"""
        return self.end_min > passed_min

    def begun(self, passed_min: float) -> Self:
        """What is left of it so long after, in minutes from then."""
        left: dict[str, float] = {"from_min": max(self.from_min - passed_min, 0.0)}
        if self.until_min is not None:
            left["until_min"] = self.until_min - passed_min
        return self.model_copy(update=left)

    def delayed(self, by_min: float) -> Self:
        """The same so much later; a time of day stays as it is."""
        if self.from_clock is not None:
            return self
        later = {"from_min": self.from_min + by_min}
        if self.until_min is not None:
            later["until_min"] = self.until_min + by_min
        return self.model_copy(update=later)


class Of(Windowed):
    """A change that concerns patients of some acuities and ages; all where not said.

    Where patients' acuity or age is not known, a change of some of them does not concern them.
    """

    acuity: tuple[Acuity, ...] = ()
    age: tuple[str, ...] = ()


class CapacityChange(Windowed):
    """A pool gains or loses places: so many (`add`), or times a factor, rounded to the nearest, halves up."""

    pool: str
    add: int | None = None
    factor: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.add is None) == (self.factor is None):
            raise ValueError("either add or factor must be told")
        return self


class AbsenceChange(Windowed):
    """Each of a pool's, or profession's, people on duty is away with a probability: which ones differ by member."""

    pool: str
    share: Annotated[float, Field(ge=0, le=1)]


class ArrivalsChange(Of):
    """Who comes to the department, times a factor; or, where `planned`, who comes by appointment to the wards."""

    factor: Annotated[float, Field(ge=0, le=HEADROOM)]
    planned: bool = False
    wards: tuple[str, ...] = ()
    """Where `planned`: to which wards; to all where not said."""

    @model_validator(mode="after")
    def _fewer_where_planned(self) -> Self:
        if self.planned and self.factor > 1:
            raise ValueError("planned admissions can become fewer, so factor must be 1 or less")
        if self.wards and not self.planned:
            raise ValueError("wards belong to planned = true")
        return self


class CrisisChange(Windowed):
    """Victims who come beside the usual patients: evenly over a time, or as an outbreak rises and falls.

    Of `clusters` groups that fall ill one after the other (`apart_min`), each of so many patients, the n-th patient
    comes `from_min` + a lognormal time (median `median_min`, `dispersion` its factor of one standard deviation) after
    its group's exposure: the curve of an outbreak from a common source (Sartwell 1950, American Journal of Hygiene 51).
    """

    patients: Annotated[int, Field(ge=1, le=MOST_VICTIMS)]
    over_min: Annotated[float, Field(ge=0)] | None = None
    median_min: Annotated[float, Field(gt=0)] | None = None
    dispersion: Annotated[float, Field(gt=1)] = 1.5
    clusters: Annotated[int, Field(ge=1)] = 1
    apart_min: Annotated[float, Field(ge=0)] = 0.0
    severity: Annotated[dict[Acuity, float], Field(min_length=1), Whole]
    age: Annotated[dict[str, float], Field(min_length=1), Whole] | None = None
    """Of which ages; as usual for their acuities where not said."""
    shares: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    """Where the path leads them, where that differs from other patients: probabilities by the path's names."""

    @model_validator(mode="after")
    def _one_curve(self) -> Self:
        if (self.over_min is None) == (self.median_min is None):
            raise ValueError("either over_min or median_min must be told")
        if self.patients * self.clusters > MOST_VICTIMS:
            raise ValueError(f"a crisis may bring {MOST_VICTIMS} patients, but brings {self.patients * self.clusters}")
        return self


class DurationChange(Of):
    """How long something lasts, times a factor, where it begins in the window; what has begun ends as it would have.

    `duration` is a name of the path's, or the beginning of several that a ward ends ("ward_stay").
    """

    duration: str
    factor: Annotated[float, Field(gt=0)]


class RouteChange(Of):
    """Where the path leads, for those who come in the window; from now on where it starts now, for those here too.

    The odds of a share times a factor, or another `value` in its place.
    """

    share: str
    odds: Annotated[float, Field(gt=0)] | None = None
    value: Annotated[float, Field(ge=0, le=1)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.odds is None) == (self.value is None):
            raise ValueError("either odds or value must be told")
        return self


class DischargeChange(Windowed):
    """When wards let patients go: their clocks times a factor, earlier, or every day alike. In all wards or some."""

    wards: tuple[str, ...] = ()
    factor: Annotated[float, Field(gt=0)] = 1.0
    earlier_min: Annotated[float, Field(ge=0, le=720)] = 0.0
    every_day_alike: bool = False


class SupplyChange(Windowed):
    """What a scenario does to an item, or to all items of a service."""

    item: str | None = None
    service: str | None = None
    factor: Annotated[float, Field(ge=0, le=10)] = 1.0
    """So many times as much is needed."""
    lost_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Of the stock at its beginning."""
    lost: Annotated[int, Field(ge=0)] = 0
    """Units of the stock at its beginning."""
    deliveries: Literal["on_time", "missed", "delayed"] = "on_time"
    """Those due in the window: what a missed one would have brought comes with the next; of meals, not at all."""
    delay_min: Annotated[float, Field(ge=0)] = 0.0
    capacity: Annotated[float, Field(ge=0, le=10)] = 1.0
    """Of work, so many times as much can be done."""

    @model_validator(mode="after")
    def _is_whole(self) -> SupplyChange:
        if (self.item is None) == (self.service is None):
            raise ValueError("item or service must be given, one of them")
        if (self.deliveries == "delayed") != (self.delay_min > 0):
            raise ValueError("delay_min must be given where deliveries are delayed, and only there")
        return self

    def begun(self, passed_min: float) -> SupplyChange:
        """What is left of it so long after: what was lost is lost already."""
        gone = {"lost_share": 0.0, "lost": 0} if passed_min > self.from_min else {}
        return super().begun(passed_min).model_copy(update=gone)


def _minutes_until(clock: str, now: datetime, zone: str) -> float:
    """Minutes from an instant to the next time that a clock shows a local time; a day where it shows it now."""
    hour, minute = map(int, clock.split(":"))
    today = local(now, zone).replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
    at = (resolve(today + timedelta(days=days), zone)[0] for days in range(3))
    return next((then - now) / _MINUTE for then in at if then > now)


KINDS: Mapping[str, type[Windowed]] = {
    "capacity": CapacityChange,
    "absences": AbsenceChange,
    "arrivals": ArrivalsChange,
    "crisis": CrisisChange,
    "durations": DurationChange,
    "routes": RouteChange,
    "discharges": DischargeChange,
    "supplies": SupplyChange,
}
"""Every kind of change, by the key of a scenario's table."""
