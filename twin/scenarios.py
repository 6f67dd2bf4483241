"""THE SCENARIO CATALOGUE: a name, one sentence in each language, and a pure change over a time window.

A scenario changes a `Setting` (capacities, who comes, how the hospital works) and never luck: so each patient of the
base has the same luck in every scenario, and differences are paired. `scenarios.toml` is the shipped catalogue; a site
writes its own in a file of the same form. Scenarios add up ("winter_peak+eight_beds"), and those with numbers of their
own take others ("epidemic_clusters[clusters=5,size=80]").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cache, reduce
from itertools import chain
from math import inf
from pathlib import Path as FilePath
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from ingest.configuration import Checked, checked, read, tables
from ingest.errors import ConfigurationError
from twin.changes import (
    EVERY_WARD,
    KINDS,
    LARGEST_WARDS,
    PROFESSION,
    AbsenceChange,
    ArrivalsChange,
    CapacityChange,
    CrisisChange,
    DischargeChange,
    DurationChange,
    RouteChange,
    SupplyChange,
    Windowed,
)
from twin.errors import ScenarioError
from twin.hospital import Hospital
from twin.knobs import Knob, in_range, worked_out
from twin.pathway import Path
from twin.setting import Setting, check_staff, with_change
from twin.supply_file import Supplies, load_supplies

DEFAULT = FilePath(__file__).with_name("scenarios.toml")
Language = Literal["fr", "en"]
_BRACKETS = re.compile(r"\s*\([^()]*\)")
_CALLED = re.compile(r"(?P<name>[^\[\]+]+?)(?:\[(?P<values>[^\[\]]*)\])?")


class ScenarioEntry(Checked):
    """One `[scenario.<name>]`: its sentence and its changes."""

    fr: str = Field(min_length=1)
    en: str = Field(min_length=1)
    short_fr: str | None = Field(default=None, min_length=1)
    short_en: str | None = Field(default=None, min_length=1)
    """What it says where there is no room for the sentence."""
    can_be_decided: bool = False
    """People here can do it; else it is something that befalls the hospital."""
    parameters: dict[str, Knob] = Field(default_factory=dict)
    capacity: tuple[CapacityChange, ...] = ()
    absences: tuple[AbsenceChange, ...] = ()
    arrivals: tuple[ArrivalsChange, ...] = ()
    crisis: tuple[CrisisChange, ...] = ()
    durations: tuple[DurationChange, ...] = ()
    routes: tuple[RouteChange, ...] = ()
    discharges: tuple[DischargeChange, ...] = ()
    supplies: tuple[SupplyChange, ...] = ()
    """What it does to support services; patients do not wait for these."""

    @model_validator(mode="after")
    def _short_in_both_languages(self) -> Self:
        if (self.short_fr is None) != (self.short_en is None):
            raise ValueError("short_fr and short_en must be given together, or not at all")
        return self

    @property
    def changes(self) -> tuple[Windowed, ...]:
        """Every change, kind by kind."""
        return tuple(chain.from_iterable(getattr(self, kind) for kind in KINDS))

    def each(self, change: Any) -> ScenarioEntry:
        """The entry with every change made another by a function."""
        return self.model_copy(update={kind: tuple(map(change, getattr(self, kind))) for kind in KINDS})


class ScenariosFile(Checked):
    """What a catalogue's file may say."""

    scenario: dict[str, ScenarioEntry]


@dataclass(frozen=True)
class Scenario:
    """A sentence and a pure change."""

    name: str
    change: ScenarioEntry
    values: Mapping[str, float] = field(default_factory=dict)
    """The numbers that it has of its own."""
    told: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What its file says, from which other numbers lead to another change."""

    def sentence(self, language: Language) -> str:
        """What it says, for the wall."""
        return self._filled(self.change.fr if language == "fr" else self.change.en, language)

    def short(self, language: Language) -> str:
        """What it says where there is no room for that; without such words, the sentence but what is in brackets."""
        said = self.change.short_fr if language == "fr" else self.change.short_en
        return _BRACKETS.sub("", self.sentence(language)) if said is None else self._filled(said, language)

    def _filled(self, said: str, language: Language) -> str:
        return said.format_map({name: _shown(value, language) for name, value in self.values.items()})

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The numbers that may be set, by name: value, low, high, and what they are."""
        knobs = self.change.parameters.items()
        return {name: {"value": self.values[name], **knob.model_dump(exclude={"default"})} for name, knob in knobs}

    @property
    def changes(self) -> dict[str, Any]:
        """The changes, kind by kind, as plain values."""
        return self.change.model_dump(include=set(KINDS), exclude_defaults=True, mode="json")

    def with_values(self, values: Mapping[str, float]) -> Scenario:
        """The same with other numbers, which its name says from then on.

        Raises ScenarioError for a number that it does not have, that is beyond its range, or that makes no change.
        """
        every = in_range(self.name, self.change.parameters, {**self.values, **values})
        if every == self.values:
            return self
        plain = self.name.partition("[")[0]
        usual = {name: knob.default for name, knob in self.change.parameters.items()}
        other = ",".join(f"{name}={value:g}" for name, value in every.items() if value != usual[name])
        name = f"{plain}[{other}]" if other else plain
        try:
            change = checked(worked_out(self.told, every), ScenarioEntry, "", place=name)
        except ConfigurationError as error:
            raise ScenarioError(str(error)) from error
        return replace(self, name=name, change=change, values=every)

    def delayed(self, by_min: float) -> Scenario:
        """The same change, so much later."""
        return replace(self, change=self.change.each(lambda change: change.delayed(by_min))) if by_min else self

    def begun(self, passed_min: float) -> Scenario:
        """What is left of the change so long after it began; its times of day must be minutes. A crisis that has begun
        is left out: who came is known."""
        kinds = {
            kind: tuple(one.begun(passed_min) for one in getattr(self.change, kind) if one.lasts_beyond(passed_min))
            for kind in KINDS
        }
        kinds["crisis"] = tuple(one for one in kinds["crisis"] if one.from_min > 0 or not passed_min)
        return replace(self, change=self.change.model_copy(update=kinds))

    def at(self, now: datetime, zone: str) -> Scenario:
        """The same with its times of day as minutes from an instant."""
        return replace(self, change=self.change.each(lambda change: change.at(now, zone)))

    def apply(self, setting: Setting, hospital: Hospital, horizon_min: float = inf) -> Setting:
        """The setting changed; what the hospital does not have stays as it is.

        Raises ScenarioError if at some time before the horizon it would leave no doctor or no nurse at work.
        """
        changed = reduce(lambda one, change: with_change(one, change, hospital), self.change.changes, setting)
        check_staff(setting, changed, hospital, horizon_min)
        return changed


@dataclass(frozen=True)
class Names:
    """What scenarios may speak of, by which misspelt names are found."""

    pools: frozenset[str]
    professions: frozenset[str]
    wards: frozenset[str]
    durations: frozenset[str]
    shares: frozenset[str]
    supplies: frozenset[str]
    """Items and services."""

    @classmethod
    def of(cls, hospitals: Iterable[Hospital], paths: Iterable[Path], supplies: Supplies | None = None) -> Names:
        """Those of some hospitals and paths, and of support services; of the shipped ones where none are given."""
        supplies = supplies or load_supplies()
        houses, ways = list(hospitals), list(paths)
        durations = {name for path in ways for name in path.durations}
        return cls(
            pools=frozenset(chain((LARGEST_WARDS, EVERY_WARD), *(house.pools for house in houses))),
            professions=frozenset(PROFESSION + one for house in houses for one in house.professions),
            wards=frozenset(unit.name for house in houses for unit in house.wards),
            durations=frozenset(durations | {name.partition(":")[0] for name in durations}),
            shares=frozenset(chain(*(path.shares for path in ways))),
            supplies=frozenset(chain(*((item.name, item.told.service) for item in supplies.items))),
        )

    def faults(self, scenario: Scenario) -> Iterator[str]:
        """What a scenario speaks of that is not among them."""
        change = scenario.change
        pools = [*(one.pool for one in change.capacity), *(one.pool for one in change.absences)]
        yield from self._unknown("pool", pools, self.pools | self.professions)
        wards = chain(*(one.wards for one in change.arrivals), *(one.wards for one in change.discharges))
        yield from self._unknown("ward", wards, self.wards)
        yield from self._unknown("duration", (one.duration for one in change.durations), self.durations)
        shares = chain((one.share for one in change.routes), *(one.shares for one in change.crisis))
        yield from self._unknown("share", shares, self.shares)
        supplies = (one.item or one.service or "" for one in change.supplies)
        yield from self._unknown("item or service", supplies, self.supplies)

    @staticmethod
    def _unknown(kind: str, told: Iterable[str], known: frozenset[str]) -> Iterator[str]:
        return (f"unknown {kind} {name}{likely(name, sorted(known))}" for name in told if name not in known)


def catalogue(*files: FilePath, names: Names | None = None) -> dict[str, Scenario]:
    """Scenarios by name: the shipped ones, then those of the files, which may replace them.

    `names` are what the hospital and the paths have, to find misspelt ones. Raises ConfigurationError with every fault
    of a file and its line, ScenarioError for what neither has.
    """
    found: dict[str, Scenario] = {}
    for file in (DEFAULT, *files):
        told = _shipped() if file == DEFAULT else scenarios_of(read(file), place=str(file))
        if names is not None:
            check_names(told.values(), names, place=str(file))
        found |= told
    return found


@cache
def _shipped() -> dict[str, Scenario]:
    """The shipped ones, read once a process; not to be changed."""
    return scenarios_of(read(DEFAULT), place=str(DEFAULT))


def check_names(scenarios: Iterable[Scenario], names: Names, *, place: str) -> None:
    """Raise ScenarioError for each pool, ward, duration or share that is not there."""
    if faults := [f"{place}: scenario.{one.name}: {fault}" for one in scenarios for fault in names.faults(one)]:
        raise ScenarioError("\n".join(faults))


def scenarios_of(text: str, *, place: str) -> dict[str, Scenario]:
    """The scenarios of a TOML text by name; raises ConfigurationError with every fault and its line."""
    told = tables(text, place=place)
    named = told.get("scenario", {})
    entries = {name: _with_usual(entry) for name, entry in named.items()} if isinstance(named, dict) else named
    file = checked({**told, "scenario": entries}, ScenariosFile, text, place=place)
    found = {}
    for name, entry in file.scenario.items():
        usual = {knob: one.default for knob, one in entry.parameters.items()}
        found[name] = Scenario(name, entry, usual, named[name])
    _check_ends(found.values(), place)
    return found


def pick(scenarios: Mapping[str, Scenario], names: Iterable[str]) -> list[Scenario]:
    """Scenarios by name, in the order asked for: "a", "a[number=5]", or several at once, "a+b[number=5]".

    Raises ScenarioError for a name that is not there, or numbers that cannot be.
    """
    return [composed([_called(scenarios, part) for part in _parts(name)]) for name in names]


def scenario_from(name: str, words: str, change: Mapping[str, Any]) -> Scenario:
    """A scenario of somebody's own words in both languages, and its changes as plain values.

    Raises ScenarioError with every fault of the changes.
    """
    said = _plain(words)
    try:
        return Scenario(name, checked({**change, "fr": said, "en": said}, ScenarioEntry, "", place=name))
    except ConfigurationError as error:
        raise ScenarioError(str(error)) from error


def composed(scenarios: Sequence[Scenario]) -> Scenario:
    """All of several scenarios at once, under a name and a sentence made of theirs; one of them that nobody can decide
    makes that of all."""
    if len(scenarios) == 1:
        return scenarios[0]
    entries = [scenario.change for scenario in scenarios]
    kinds = {kind: tuple(chain.from_iterable(getattr(entry, kind) for entry in entries)) for kind in KINDS}
    said = {
        key: " ".join(_plain(say(s, language)) for s in scenarios)
        for language in get_args(Language)
        for key, say in ((language, Scenario.sentence), (f"short_{language}", Scenario.short))
    }
    decided = all(entry.can_be_decided for entry in entries)
    name = "+".join(scenario.name for scenario in scenarios)
    return Scenario(name, ScenarioEntry(**said, **kinds, can_be_decided=decided))


_SAID = ("fr", "en", "short_fr", "short_en", "can_be_decided")
"""What is told of a scenario beside its changes."""


def carrying(scenario: Scenario, more: Sequence[Scenario]) -> Scenario:
    """The scenario with others' changes beside its own; what else is told of it stays its own."""
    if not any(one.change.changes for one in more):
        return scenario
    whole = composed([scenario, *more]).change
    own = {name: getattr(scenario.change, name) for name in _SAID}
    return replace(scenario, change=whole.model_copy(update=own))


def _plain(sentence: str) -> str:
    """A sentence in which nothing is to be filled in any more."""
    return sentence.replace("{", "{{").replace("}", "}}")


def _parts(name: str) -> list[str]:
    """The names that are joined by a plus; one within brackets is part of a number."""
    return re.split(r"\+(?![^\[]*\])", name)


def _called(scenarios: Mapping[str, Scenario], name: str) -> Scenario:
    match = _CALLED.fullmatch(name)
    if name in scenarios or match is None or match["name"] not in scenarios:
        plain = name if match is None else match["name"]
        if name not in scenarios:
            raise ScenarioError(f"unknown scenario {plain}{likely(plain, scenarios)}")
        return scenarios[name]
    return scenarios[match["name"]].with_values(values_of((match["values"] or "").split(",")))


def values_of(told: Iterable[str]) -> dict[str, float]:
    """Numbers by name, from "name=number" each; raises ScenarioError for what is not of that form."""
    out = {}
    for one in filter(None, (part.strip() for part in told)):
        name, equals, number = one.partition("=")
        try:
            out[name.strip()] = float(number)
        except ValueError:
            equals = ""
        if not equals:
            raise ScenarioError(f"a number of a scenario must be told as name=number, but is {one}")
    return out


def _with_usual(entry: Any) -> Any:
    """An entry with its sums worked out from its usual numbers; as it stands where these are not as they must be."""
    knobs = entry.get("parameters", {}) if isinstance(entry, dict) else None
    if not isinstance(knobs, dict):
        return entry
    usual = {name: knob["default"] for name, knob in knobs.items() if _tells_default(knob)}
    try:
        return worked_out(entry, usual)
    except ScenarioError:
        return entry


def _tells_default(knob: Any) -> bool:
    return isinstance(knob, dict) and isinstance(knob.get("default"), int | float)


def _check_ends(scenarios: Iterable[Scenario], place: str) -> None:
    """Raise ConfigurationError where a number at an end of its range makes no change, or a sentence names none."""
    faults = []
    for scenario in scenarios:
        try:
            for name, knob in scenario.change.parameters.items():
                for end in (knob.low, knob.high):
                    scenario.with_values({name: end})
            for language in get_args(Language):
                scenario.sentence(language), scenario.short(language)
        except ScenarioError as error:
            faults.append(f"{place}: scenario.{scenario.name}: {error}")
        except (KeyError, IndexError, ValueError) as error:
            faults.append(f"{place}: scenario.{scenario.name}: a sentence may name its parameters only, not {error}")
    if faults:
        raise ConfigurationError(faults)


def likely(name: str, allowed: Iterable[str]) -> str:
    """What was probably meant, or what there is."""
    names = list(allowed)
    near = get_close_matches(name, names, n=1)
    return f", likely a typo for {near[0]}" if near else f"; there are {', '.join(names)}"


def _shown(value: float, language: Language) -> str:
    shown = f"{value:g}"
    return shown.replace(".", ",") if language == "fr" else shown
