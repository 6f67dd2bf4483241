"""The default parameters: read from `parameters.toml`, where every number has its unit and its source.

A class of patient is an age band and an acuity; hours of arrival in which the same ways are open are a block; there is
one load class. What the file says is
kept in `Parameters.learned` beside the values, so that a page can show where each number comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field, model_validator

from ingest.configuration import Checked, load
from ingest.events import Acuity, AgeBand
from twin.durations import Duration, exponential, fixed, lognormal
from twin.errors import ParametersError
from twin.fitting import check
from twin.hospital import Hospital, hours_in
from twin.parameters import Parameters, PatientClass, Stream
from twin.pathway import Path

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

DEFAULT = FilePath(__file__).with_name("parameters.toml")
_MINUTES = {"min": 1.0, "h": 60.0, "d": 1440.0}
_HOURS = 24
_PLANNED_HOURS = {"8-11": 1.0}
_WEEKDAYS = (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0)


def _in_hours(span: str) -> str:
    hours_in(span)
    return span


Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Span = Annotated[str, AfterValidator(_in_hours)]
NotNegative = Annotated[float, Field(ge=0)]


def _whole(shares: dict[str, float]) -> dict[str, float]:
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(f"shares must sum to 1, but sum to {sum(shares.values()):g}")
    return shares


def _a_day(shares: tuple[float, ...]) -> tuple[float, ...]:
    if abs(sum(shares) - 100) > 0.5:
        raise ValueError(f"shares of the day must sum to 100 %, but sum to {sum(shares):g}")
    return shares


class Sourced(Checked):
    """What every number says besides its value."""

    unit: str = Field(min_length=1)
    source: str = Field(min_length=1)


class Number(Sourced):
    """One number of 0 or more."""

    value: NotNegative


class ByHour(Sourced):
    """Percentages of the day's arrivals by local hour."""

    value: Annotated[tuple[NotNegative, ...], Field(min_length=24, max_length=24), AfterValidator(_a_day)]


class ByWeekday(Sourced):
    """Factors, Monday first."""

    value: Annotated[tuple[NotNegative, ...], Field(min_length=7, max_length=7)]


class AgeShares(Sourced):
    """Shares of age bands that sum to 1."""

    value: Annotated[dict[AgeBand, Share], AfterValidator(_whole)]


class AcuityShares(Sourced):
    """Shares of acuities that sum to 1."""

    value: Annotated[dict[Acuity, Share], AfterValidator(_whole)]


class Arrivals(Checked):
    """`[arrivals]`."""

    per_day: Number
    hourly: ByHour
    weekday: ByWeekday
    day_cv: Number


class Mix(Checked):
    """`[mix]`."""

    age: AgeShares
    acuity: dict[AgeBand, AcuityShares]


class Wards(Sourced):
    """Names of wards."""

    value: tuple[str, ...]


class Speeds(Sourced):
    """How fast by local hour, compared with other hours."""

    value: Annotated[tuple[Positive, ...], Field(min_length=24, max_length=24)]


class Leaving(Checked):
    """`[leaving]`: the clock of the wards."""

    hours: Speeds
    weekday: ByWeekday
    around_the_clock: Wards

    def speed(self, hospital: Hospital) -> Array:
        """By unit and hour of the week, `(unit, 168)`, with mean 1."""
        week = np.outer(self.weekday.value, self.hours.value).ravel()
        always = [unit.name in self.around_the_clock.value for unit in hospital.units]
        return np.where(np.array(always)[:, None], 1.0, week / week.mean())


class Lasting(Sourced):
    """One of `[durations]`."""

    unit: Literal["min", "h", "d"]
    law: Literal["lognormal", "exponential", "fixed"]
    median: Positive | None = None
    sigma: Positive | None = None
    mean: Positive | None = None
    value: NotNegative | None = None
    by_acuity: dict[Acuity, Positive] = Field(default_factory=dict)
    by_age: dict[AgeBand, Positive] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _of_its_law(self) -> Lasting:
        needs = {"lognormal": {"median", "sigma"}, "exponential": {"mean"}, "fixed": {"value"}}[self.law]
        given = {name for name in ("median", "sigma", "mean", "value") if getattr(self, name) is not None}
        if given != needs:
            raise ValueError(f"{self.law} must have {' and '.join(sorted(needs))}")
        return self

    def duration(self, classes: tuple[PatientClass, ...], acuities: tuple[str, ...]) -> Duration:
        """By class, `(class, 1, 1)`, or the same for all."""
        minutes = _MINUTES[self.unit]
        if self.law == "fixed":
            base = fixed((self.value or 0.0) * minutes)
        elif self.law == "exponential":
            base = exponential((self.mean or 0.0) * minutes)
        else:
            base = lognormal((self.median or 0.0) * minutes, self.sigma or 0.0)
        if not self.by_acuity and not self.by_age:
            return base
        factors = [_of(self.by_acuity, acuities[c.acuity], 1.0) * _of(self.by_age, c.age_band, 1.0) for c in classes]
        scale = np.array(factors)[:, None, None]
        return Duration(base.table * scale[..., None], base.tail_min * scale)


class Probability(Sourced):
    """One of `[shares]`."""

    value: Share
    by_acuity: dict[Acuity, Share] = Field(default_factory=dict)
    odds_by_age: dict[AgeBand, Positive] = Field(default_factory=dict)
    hours: Span = "0-24"
    """Hours of arrival outside which it is 0."""

    def by_class(self, classes: tuple[PatientClass, ...], acuities: tuple[str, ...]) -> Array:
        """`(class, hour of arrival)`."""
        p = np.array([_of(self.by_acuity, acuities[c.acuity], self.value) for c in classes])
        odds = np.array([_of(self.odds_by_age, c.age_band, 1.0) for c in classes])
        open_hours = np.isin(np.arange(_HOURS), hours_in(self.hours))
        return np.asarray((p * odds / (1.0 - p + p * odds))[:, None] * open_hours)


class Entering(Number):
    """One of `[planned]` and `[requests]`: who or what comes straight to a ward, on an ordinary weekday."""

    enters: str = "planned"
    """The stage of the path."""
    ward: str | None = None
    """Where its name is not the ward's."""
    weekday: Annotated[tuple[NotNegative, ...], Field(min_length=7, max_length=7)] = _WEEKDAYS
    """Factors, Monday first."""
    hours: Annotated[dict[Span, Positive], Field(min_length=1)] = Field(default_factory=lambda: dict(_PLANNED_HOURS))
    """Spans of hours in which they come, and how often in each hour of one compared with the others."""

    def per_hour(self) -> Array:
        """By hour of the week, `(168,)`."""
        weight = np.zeros(_HOURS)
        for span, times in self.hours.items():
            weight[hours_in(span)] = times
        return np.asarray((self.value * np.array(self.weekday)[:, None] * weight / weight.sum()).ravel())


class Wanted(Sourced):
    """One of `[wanted]`: shares of wards by age."""

    by_age: dict[AgeBand, Annotated[dict[str, Share], AfterValidator(_whole)]]


class ParametersFile(Checked):
    """What the file may say."""

    arrivals: Arrivals
    mix: Mix
    planned: dict[str, Entering] = Field(default_factory=dict)
    requests: dict[str, Entering] = Field(default_factory=dict)
    leaving: Leaving | None = None
    durations: dict[str, Lasting]
    shares: dict[str, Probability]
    wanted: dict[str, Wanted]


def default_parameters(hospital: Hospital, path: Path, file: FilePath = DEFAULT) -> Parameters:
    """The parameters of a file for a hospital and a path.

    Raises ConfigurationError with every fault of the file and its line, ParametersError with everything that the
    path needs and the file lacks or contradicts.
    """
    return parameters_from(load(file, ParametersFile), hospital, path, place=str(file))


def parameters_from(told: ParametersFile, hospital: Hospital, path: Path, *, place: str) -> Parameters:
    """The parameters that a file tells; raises ParametersError as `default_parameters` does."""
    if faults := _strangers(told, hospital):
        raise ParametersError([f"{place}: {fault}" for fault in faults])
    classes = _classes(told.mix, hospital)
    block_of_hour, hours = _blocks(told.shares.values())
    parameters = Parameters(
        classes=classes,
        block_of_hour=block_of_hour,
        streams=(
            _emergency(told, path, classes, hospital, hours.size),
            *_planned(told, path, hospital, classes, hours.size),
        ),
        durations={name: fact.duration(classes, hospital.acuities) for name, fact in told.durations.items()},
        shares={name: fact.by_class(classes, hospital.acuities)[:, hours] for name, fact in told.shares.items()},
        wanted={name: _wards(fact, hospital, classes) for name, fact in told.wanted.items()},
        load_edges=np.zeros((hours.size, 0)),
        leaving=told.leaving.speed(hospital) if told.leaving else None,
        learned={"file": place, "facts": told.model_dump(exclude_none=True)},
    )
    check(path, parameters)
    return parameters


def _strangers(told: ParametersFile, hospital: Hospital) -> list[str]:
    """Wards and acuities that the hospital does not have."""
    wards = {unit.name for unit in hospital.wards}
    named = {f"wanted.{n}.by_age.{age}": set(s) for n, w in told.wanted.items() for age, s in w.by_age.items()}
    named["leaving.around_the_clock"] = set(told.leaving.around_the_clock.value) if told.leaving else set()
    for kind, entering in (("planned", told.planned), ("requests", told.requests)):
        named |= {f"{kind}.{name}": {one.ward or name} for name, one in entering.items()}
    faults = [f"{at}: unknown ward {ward}" for at, names in named.items() for ward in sorted(names - wards)]
    acuities = {f"mix.acuity.{age}": set(fact.value) for age, fact in told.mix.acuity.items()}
    return faults + [
        f"{at}: unknown acuity {acuity}; the hospital has {', '.join(hospital.acuities)}"
        for at, names in acuities.items()
        for acuity in sorted(names - set(hospital.acuities))
    ]


def _of(table: Mapping[AgeBand, float] | Mapping[Acuity, float], key: str | None, otherwise: float) -> float:
    return float(dict[str | None, float](table).get(key, otherwise))  # type: ignore[arg-type]


def _classes(mix: Mix, hospital: Hospital) -> tuple[PatientClass, ...]:
    return tuple(
        PatientClass(f"{age} {acuity}", acuity=hospital.acuities.index(acuity), age_band=age)
        for age in mix.age.value
        for acuity in mix.acuity[age].value
    )


def _blocks(shares: Iterable[Probability]) -> tuple[Index, Index]:
    """The block of each hour of arrival, `(24,)`, and an hour of each block."""
    spans = sorted({share.hours for share in shares})
    is_open = np.array([np.isin(np.arange(_HOURS), hours_in(span)) for span in spans]).T
    _, hours, block_of_hour = np.unique(is_open, axis=0, return_index=True, return_inverse=True)
    return block_of_hour.reshape(-1).astype(np.int64), hours.astype(np.int64)


def _emergency(
    told: ParametersFile, path: Path, classes: tuple[PatientClass, ...], hospital: Hospital, blocks: int
) -> Stream:
    facts, acuities = told.arrivals, hospital.acuities
    share = [told.mix.age.value[c.age_band] * told.mix.acuity[c.age_band].value[acuities[c.acuity]] for c in classes]  # type: ignore[index]
    by_hour = np.array(facts.hourly.value) / sum(facts.hourly.value)
    by_day = np.array(facts.weekday.value) / np.mean(facts.weekday.value)
    return Stream(
        name="emergency",
        enters=next(name for name, stage in zip(path.names, path.stages, strict=True) if stage.comes),
        per_hour=(facts.per_day.value * by_day[:, None] * by_hour[None, :]).ravel(),
        class_share=np.tile(np.array(share) / sum(share), (blocks, 1)),
        day_cv=facts.day_cv.value,
    )


def _planned(
    told: ParametersFile, path: Path, hospital: Hospital, classes: tuple[PatientClass, ...], blocks: int
) -> tuple[Stream, ...]:
    """Streams straight to the wards, where the path lets anybody come that way; of the usual age and mix of acuity."""
    share = np.array([told.mix.age.value[c.age_band] for c in classes])  # type: ignore[index]
    return tuple(
        Stream(
            name=f"{kind}:{name}",
            enters=one.enters,
            per_hour=one.per_hour(),
            class_share=np.tile(share / share.sum(), (blocks, 1)),
            unit=hospital.unit_code(one.ward or name),
        )
        for kind, entering in (("planned", told.planned), ("request", told.requests))
        for name, one in entering.items()
        if any(stage.enters for stage in path.stages)
    )


def _wards(fact: Wanted, hospital: Hospital, classes: tuple[PatientClass, ...]) -> Array:
    """`(class, unit)`."""
    names = [unit.name for unit in hospital.units]
    return np.array([[fact.by_age[c.age_band].get(name, 0.0) for name in names] for c in classes])  # type: ignore[index]
