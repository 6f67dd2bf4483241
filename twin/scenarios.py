"""THE SCENARIO CATALOGUE: a name, one sentence in each language, and a pure change over a time window.

A scenario changes a `Setting` (the capacity of pools, and who comes) and never luck: so each patient of the base has
the same luck in every scenario, and differences are paired. `scenarios.toml` is the shipped catalogue; a site writes
its own in a file of the same form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from math import inf
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from ingest.configuration import Checked, load
from ingest.events import Acuity
from twin.arrivals import HEADROOM
from twin.demand import Crisis, Demand
from twin.errors import ScenarioError
from twin.hospital import BED, CARE, Profile, steps
from twin.luck import RESERVE

DEFAULT = FilePath(__file__).with_name("scenarios.toml")
LARGEST_WARDS = "largest wards"
Language = Literal["fr", "en"]


@dataclass(frozen=True)
class Setting:
    """What a run is given besides path, parameters, present and luck."""

    capacity: Mapping[str, Profile]
    demand: Demand = field(default_factory=Demand)
    caseloads: Mapping[str, int] = field(default_factory=dict)
    """How many patients one of a pool looks after at once: with more of them goes more of `care:<pool>`."""


def _whole(severity: dict[Acuity, float]) -> dict[Acuity, float]:
    if abs(sum(severity.values()) - 1) > 1e-6 or min(severity.values()) < 0:
        raise ValueError(f"shares must lie between 0 and 1 and sum to 1, but sum to {sum(severity.values()):g}")
    return severity


class _Window(Checked):
    """Minutes from now; `until_min` left out means to the end."""

    from_min: Annotated[float, Field(ge=0)] = 0.0
    until_min: float | None = None

    @model_validator(mode="after")
    def _ends_after_its_start(self) -> _Window:
        if self.until_min is not None and self.until_min <= self.from_min:
            raise ValueError("until_min must be later than from_min")
        return self

    @property
    def end_min(self) -> float:
        return inf if self.until_min is None else self.until_min


class CapacityChange(_Window):
    """A pool gains or loses places."""

    pool: str
    add: int


class ArrivalsChange(_Window):
    """The arrivals of the first stream, times a factor."""

    factor: Annotated[float, Field(ge=0, le=HEADROOM)]


class CrisisChange(Checked):
    """Victims who come in a short time."""

    patients: Annotated[int, Field(ge=1, le=RESERVE)]
    from_min: Annotated[float, Field(ge=0)] = 0.0
    over_min: Annotated[float, Field(ge=0)]
    severity: Annotated[dict[Acuity, float], Field(min_length=1), AfterValidator(_whole)]


class ScenarioEntry(Checked):
    """One `[scenario.<name>]`."""

    fr: str = Field(min_length=1)
    en: str = Field(min_length=1)
    capacity: tuple[CapacityChange, ...] = ()
    arrivals: tuple[ArrivalsChange, ...] = ()
    crisis: tuple[CrisisChange, ...] = ()


class ScenariosFile(Checked):
    """What a catalogue's file may say."""

    scenario: dict[str, ScenarioEntry]


@dataclass(frozen=True)
class Scenario:
    """A sentence and a pure change."""

    name: str
    change: ScenarioEntry

    def sentence(self, language: Language) -> str:
        """What it says, for the wall."""
        return self.change.fr if language == "fr" else self.change.en

    @property
    def parameters(self) -> dict[str, Any]:
        """The numbers of the change, as plain values."""
        return self.change.model_dump(exclude={"fr", "en"}, exclude_defaults=True, mode="json")

    def delayed(self, by_min: float) -> Scenario:
        """The same change, so much later."""
        if not by_min:
            return self
        kinds = {"capacity": self.change.capacity, "arrivals": self.change.arrivals, "crisis": self.change.crisis}
        later = {kind: tuple(_delayed(change, by_min) for change in changes) for kind, changes in kinds.items()}
        return replace(self, change=self.change.model_copy(update=later))

    def apply(self, setting: Setting, acuities: Sequence[str]) -> Setting:
        """The setting changed; `acuities` are the hospital's levels, by code."""
        capacity, demand = dict(setting.capacity), setting.demand
        for places in self.change.capacity:
            capacity |= _changed(capacity, places, setting.caseloads)
        for arrivals in self.change.arrivals:
            demand = replace(demand, level=_scaled(demand.level, arrivals))
        crises = tuple(_crisis(crisis, acuities) for crisis in self.change.crisis)
        return replace(setting, capacity=capacity, demand=replace(demand, crises=demand.crises + crises))


def _delayed(change: Checked, by_min: float) -> Checked:
    told = {name: getattr(change, name, None) for name in ("from_min", "until_min")}
    return change.model_copy(update={name: minute + by_min for name, minute in told.items() if minute is not None})


def catalogue(*files: FilePath, pools: Iterable[str] | None = None) -> dict[str, Scenario]:
    """Scenarios by name: the shipped ones, then those of the files, which may replace them.

    `pools` are the hospital's, to find misspelt ones. Raises ConfigurationError with every fault of a file and its
    line, ScenarioError for a pool that the hospital does not have.
    """
    found: dict[str, Scenario] = {}
    for file in (DEFAULT, *files):
        told = load(file, ScenariosFile).scenario
        if pools is not None:
            _check_pools(file, told, (*pools, LARGEST_WARDS))
        found |= {name: Scenario(name, entry) for name, entry in told.items()}
    return found


def pick(scenarios: Mapping[str, Scenario], names: Iterable[str]) -> list[Scenario]:
    """Scenarios by name, in the order asked for; raises ScenarioError for a name that is not there."""
    picked = []
    for name in names:
        if name not in scenarios:
            raise ScenarioError(f"unknown scenario {name}{_likely(name, scenarios)}")
        picked.append(scenarios[name])
    return picked


def _check_pools(file: FilePath, told: Mapping[str, ScenarioEntry], pools: Sequence[str]) -> None:
    faults = [
        f"{file}: scenario.{name}.capacity: unknown pool {change.pool}{_likely(change.pool, pools)}"
        for name, entry in told.items()
        for change in entry.capacity
        if change.pool not in pools
    ]
    if faults:
        raise ScenarioError("\n".join(faults))


def _likely(name: str, allowed: Iterable[str]) -> str:
    names = list(allowed)
    near = get_close_matches(name, names, n=1)
    return f", likely a typo for {near[0]}" if near else f"; there are {', '.join(names)}"


def _changed(
    capacity: Mapping[str, Profile], change: CapacityChange, caseloads: Mapping[str, int]
) -> dict[str, Profile]:
    """The profiles that a change touches, changed; a capacity does not fall below 0."""
    if change.pool != LARGEST_WARDS:
        added = {change.pool: change.add, CARE + change.pool: change.add * caseloads.get(change.pool, 0)}
        mine = {pool: add for pool, add in added.items() if pool in capacity}
    else:
        mine = _over_wards(capacity, change)
    return {pool: _raised(capacity[pool], add, change.from_min, change.end_min) for pool, add in mine.items()}


def _over_wards(capacity: Mapping[str, Profile], change: CapacityChange) -> dict[str, int]:
    """How many beds each ward gains or loses: the largest first; a ward cannot lose more than it has."""
    beds = {pool: _at(profile, change.from_min) for pool, profile in capacity.items() if pool.startswith(BED)}
    out: dict[str, int] = {}
    rest = change.add
    for pool in sorted(beds, key=lambda pool: (-beds[pool], pool)):
        out[pool] = max(rest, -beds[pool])
        rest -= out[pool]
    return {pool: add for pool, add in out.items() if add}


def _at(profile: Profile, minute: float) -> int:
    return next(capacity for at, capacity in reversed(profile) if at <= minute)


def _raised(profile: Profile, add: int, from_min: float, until_min: float) -> Profile:
    minutes = sorted({minute for minute, _ in profile} | {m for m in (from_min, until_min) if m < inf})
    return steps(
        (minute, max(0, _at(profile, minute) + (add if from_min <= minute < until_min else 0))) for minute in minutes
    )


def _scaled(level: tuple[tuple[float, float], ...], change: ArrivalsChange) -> tuple[tuple[float, float], ...]:
    minutes = sorted({minute for minute, _ in level} | {m for m in (change.from_min, change.end_min) if m < inf})

    def factor(minute: float) -> float:
        base = next(value for at, value in reversed(level) if at <= minute)
        return base * change.factor if change.from_min <= minute < change.end_min else base

    return tuple((minute, factor(minute)) for minute in minutes)


def _crisis(change: CrisisChange, acuities: Sequence[str]) -> Crisis:
    """With codes for levels; where a hospital has one level 3, it stands for 3A and 3B."""
    severity: dict[int, float] = {}
    for acuity, share in change.severity.items():
        level = acuity if acuity in acuities else acuity[0]
        if level in acuities:
            code = list(acuities).index(level)
            severity[code] = severity.get(code, 0.0) + share
    return Crisis(change.patients, change.from_min, change.over_min, severity)
