"""A site in one TOML file: its hospital and, if need be, its own path and its own parameters.

The file holds what `hospital.toml`, a table of stages and `parameters.toml` hold, side by side; whatever it leaves
out is the shipped default:

| it says | that is |
|---|---|
| `name`, `zone`, `acuities`, `[units]`, `[pools]` | the hospital, each as a whole; pools one by one on a shipped path |
| `floor` | where the areas lie, row by row, for the plan |
| `path` | a shipped path by its name: `full`, `milestones` or `stay` |
| `[stage.<name>]` | a path of its own, instead |
| `keeps_path = true` | forecasts walk this path for good, also once a log has taught another |
| `[arrivals]`, `[mix]`, `[durations]`, `[shares]`, `[wanted]` | parameters, entry by entry |
| `[planned]`, `[requests]`, `[leaving]` | who comes by appointment, what wards ask for, when they let go: as a whole |

Every fault of the file is told at once, with its line. What the file does not say cannot be its fault: where shipped
parameters do not suit the site's own wards, the site is read all the same, and `lacks` says what it should add.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any, TypeVar

from ingest.configuration import checked, line_of, tables
from ingest.errors import ConfigurationError, UnreadableInputError
from twin.defaults import DEFAULT as PARAMETERS
from twin.defaults import ParametersFile, parameters_from
from twin.errors import ParametersError
from twin.hospital import DEFAULT as HOSPITAL
from twin.hospital import Hospital, HospitalFile
from twin.parameters import Parameters
from twin.pathway import TABLES, Path, path_from, shipped_table
from twin.pathway_checks import _likely
from twin.stages import PathFile

PATH = "path"
"""The key that names a shipped path."""
KEEPS_PATH = "keeps_path"
"""The key that says that forecasts walk the file's path for good."""
OWN_PATH = "own"
"""The name of a path that the site's file holds."""
_HOSPITAL = tuple(HospitalFile.model_fields)
_PARAMETERS = tuple(ParametersFile.model_fields)
_BY_ENTRY = frozenset({"arrivals", "mix", "durations", "shares", "wanted"})
"""Sections of which a site may give single entries; it gives the others whole."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Site:
    """What a site says of itself, completed by the shipped defaults."""

    place: str
    hospital: Hospital
    path: Path | None
    """None where a shipped path does not suit the hospital."""
    parameters: Parameters | None
    """None where there is no path, or shipped parameters do not suit the hospital."""
    own: frozenset[str]
    """The sections that the site's file holds."""
    lacks: tuple[str, ...] = ()
    """What it would have to add to be whole, one sentence each."""
    keeps_path: bool = False
    """True where forecasts walk its path for good, also once a log has taught another."""

    @property
    def own_units(self) -> bool:
        """True where the units are the site's own, so that their beds and spaces count."""
        return "units" in self.own


def load_site(file: FilePath | None = None) -> Site:
    """The site of a file, or the shipped one.

    Raises UnreadableInputError if it cannot be read, ConfigurationError with every fault of it, each with its line.
    """
    if file is None:
        return _shipped_site()
    try:
        return site_from(file.read_text(encoding="utf-8"), place=str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInputError(f"{file} cannot be read: {error}") from error


@cache
def _shipped_site() -> Site:
    """Read once a process: whoever opens a house asks for it several times."""
    return site_from("", place="the shipped site")


def site_from(text: str, *, place: str = "site") -> Site:
    """The site of a TOML text.

    1. Each part is checked as a file of its own would be; keys that belong to none are faults.
    2. Where the hospital is sound, the path is checked against it, then the parameters against both.
    3. All faults of what the text says are told at once; what only shipped defaults lack is kept as such.
    """
    told = tables(text, place=place)
    faults = _Faults(_unknown(told, text, place))
    house = faults.of(lambda: checked(_with_shipped(told, _HOSPITAL, HOSPITAL), HospitalFile, text, place=place))
    whole = _with_shipped(told, _PARAMETERS, PARAMETERS)
    numbers = faults.of(lambda: checked(whole, ParametersFile, text, place=place))
    row = {"name": OWN_PATH, "stage": told.get("stage")}
    stages = faults.of(lambda: checked(row, PathFile, text, place=place)) if "stage" in told else None
    hospital = house.hospital() if house else None
    path, parameters = None, None
    if hospital and (stages or "stage" not in told):
        path = faults.of(lambda: _path(told, stages, text, hospital, place), blame=stages is not None)
    if hospital and path and numbers:
        parameters = faults.of(lambda: _parameters(numbers, hospital, path, told, text, place))
    faults.settle()
    assert hospital is not None
    return Site(place, hospital, path, parameters, frozenset(told), tuple(faults.lacks), told.get(KEEPS_PATH) is True)


class _Faults:
    """What was found wrong so far, and what is only lacking."""

    def __init__(self, found: list[str]) -> None:
        self.found, self.lacks = found, list[str]()

    def of(self, make: Callable[[], T], *, blame: bool = True) -> T | None:
        """What `make` gives, or None; its faults are the text's, or (without `blame`) of what the text lacks."""
        try:
            return make()
        except ConfigurationError as error:
            (self.found if blame else self.lacks).extend(error.faults)
        except _LacksError as error:
            self.found += error.faults
            self.lacks += error.lacks
        return None

    def settle(self) -> None:
        """Raises ConfigurationError with all faults, if there are any."""
        if self.found:
            raise ConfigurationError(list(dict.fromkeys(self.found)))


class _LacksError(Exception):
    """Parameters that do not fit: which of it is the text's fault, and what it only lacks."""

    def __init__(self, faults: list[str], lacks: list[str]) -> None:
        self.faults, self.lacks = faults, lacks
        super().__init__("\n".join([*faults, *lacks]))


def _unknown(told: Mapping[str, Any], text: str, place: str) -> list[str]:
    allowed = (*_HOSPITAL, PATH, KEEPS_PATH, "stage", *_PARAMETERS)
    faults = [
        f"{place}:{line_of((key,), text)}: {key}: unknown key{_likely(key, allowed)}"
        for key in told
        if key not in allowed
    ]
    if not isinstance(told.get(KEEPS_PATH, False), bool):
        where = f"{place}:{line_of((KEEPS_PATH,), text)}: {KEEPS_PATH}"
        faults.append(f"{where}: must be true or false, but is {told[KEEPS_PATH]!r}")
    where = f"{place}:{line_of((PATH,), text)}: {PATH}"
    if PATH in told and "stage" in told:
        faults.append(f"{where}: must not be given where the file has stages of its own ([stage.<name>])")
    elif PATH in told and told[PATH] not in TABLES:
        faults.append(f"{where}: must be one of {', '.join(TABLES)}, but is {told[PATH]!r}")
    return faults


def _with_shipped(told: Mapping[str, Any], keys: tuple[str, ...], file: FilePath) -> dict[str, Any]:
    """The part of a text that has these keys, completed by a shipped file."""
    shipped = _shipped(file)
    return {
        key: shipped.get(key, {}) | told[key] if _by_entry(key, told) else told.get(key, shipped.get(key))
        for key in keys
        if key in told or key in shipped
    }


def _by_entry(key: str, told: Mapping[str, Any]) -> bool:
    """Pools too where the path is a shipped one, which queues for all of the shipped ones."""
    entries = key in _BY_ENTRY or (key == "pools" and "stage" not in told)
    return entries and isinstance(told.get(key), dict)


@cache
def _shipped(file: FilePath) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _path(told: Mapping[str, Any], stages: PathFile | None, text: str, hospital: Hospital, place: str) -> Path:
    """The site's own path, or the shipped one that it names."""
    if stages is not None:
        return path_from(text, hospital, place=place, table=stages)
    file = TABLES.get(str(told.get(PATH)), TABLES["full"])
    text, place = file.read_text(encoding="utf-8"), f"the shipped path {file.name}"
    return path_from(text, hospital, place=place, table=shipped_table(file))


def _parameters(
    numbers: ParametersFile, hospital: Hospital, path: Path, told: Mapping[str, Any], text: str, place: str
) -> Parameters:
    """The parameters; raises _LacksError where they do not fit."""
    numbers = _of_use(numbers, hospital, path, told)
    try:
        return parameters_from(numbers, hospital, path, place=place)
    except ParametersError as error:
        named = [*dict.fromkeys([*(f.removeprefix(f"{place}: ") for f in error.faults), *_missing(numbers, path)])]
        own = [fault for fault in named if _is_told(fault, told)]
        faults = [f"{place}:{line_of(_key(fault), text)}: {fault}" for fault in own]
        raise _LacksError(faults, [fault for fault in named if fault not in own]) from error


def _of_use(numbers: ParametersFile, hospital: Hospital, path: Path, told: Mapping[str, Any]) -> ParametersFile:
    """Without shipped numbers that nothing of the site's asks for: they may name wards and stages that it lacks."""
    wards = {ward.name for ward in hospital.wards}
    own = told.get("wanted", {})
    changed: dict[str, Any] = {
        "wanted": {name: fact for name, fact in numbers.wanted.items() if name in own or name in path.wanted}
    }
    for kind in ("planned", "requests"):
        if kind not in told:
            entering = getattr(numbers, kind).items()
            changed[kind] = {name: one for name, one in entering if one.enters in path.enters}
    if numbers.leaving and "leaving" not in told:
        always = numbers.leaving.around_the_clock
        kept = always.model_copy(update={"value": tuple(ward for ward in always.value if ward in wards)})
        changed["leaving"] = numbers.leaving.model_copy(update={"around_the_clock": kept})
    return numbers.model_copy(update=changed)


def _missing(numbers: ParametersFile, path: Path) -> list[str]:
    """What the path needs by name and the numbers lack; told beside what else is wrong."""
    needed = (("durations", path.durations), ("shares", path.shares), ("wanted", path.wanted))
    return [
        f"{kind}.{name}: path {path.name} needs it, but it is missing"
        for kind, names in needed
        for name in names
        if name not in getattr(numbers, kind)
    ]


def _key(fault: str) -> tuple[str, ...]:
    """The place that a fault of the parameters names: `durations.triage: ..`."""
    return tuple(fault.partition(": ")[0].split("."))


def _is_told(fault: str, told: Mapping[str, Any]) -> bool:
    """Is it about what the site's file says (or what its own path asks for), not about shipped defaults?"""
    section, *rest = _key(fault)
    here = told.get(section)
    if section == "planned":
        return here is not None
    if fault.endswith("is missing"):
        return "stage" in told
    return bool(rest and isinstance(here, dict) and rest[0] in here)
