"""THE PATH: the table of stages that a visit walks, read from TOML and checked.

A stage, in the order in which things happen: who `comes` queues for what it `takes` and `needs`; when all is held it
`starts`, `lasts`, `ends`, gives back what it `needs` and what it `gives`, and goes on to one of the stages in `then`.
A stage without `then` is a way out. "wanted bed" is a bed of the ward wanted, "wanted" that ward, and a duration named
"ward_stay:wanted" is one duration a ward ("ward_stay:medicine" ..).

Three tables are shipped: `full` (the whole French path), `milestones` and `stay` (what shorter logs can tell).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path as FilePath

from ingest.configuration import load, parse
from ingest.errors import UnreadableInputError
from twin.hospital import BED, Hospital
from twin.pathway_checks import situations_of
from twin.stages import LEAVING, REST, WANTED, WANTED_BED, PathFile, Situation, Stage, is_entry

_HERE = FilePath(__file__).parent
TABLES: dict[str, FilePath] = {
    "full": _HERE / "pathway.toml",
    "milestones": _HERE / "pathway_milestones.toml",
    "stay": _HERE / "pathway_stay.toml",
}
"""The shipped tables by name."""


@dataclass(frozen=True, eq=False)
class Path:
    """A checked table; a stage's code is its index in `stages`."""

    name: str
    names: tuple[str, ...]
    stages: tuple[Stage, ...]
    situations: tuple[Situation, ...]
    """How patients come to each stage."""
    units: tuple[str, ...]
    """The hospital's units by code."""
    wards: tuple[str, ...]
    overflow: tuple[tuple[str, ...], ...]
    """By unit, the wards where its patients may lie instead."""
    acuities: int
    """How many triage levels the hospital has."""

    def index(self, name: str) -> int:
        """A stage's code; raises ValueError if there is none of this name."""
        return self.names.index(name)

    def stage(self, name: str) -> Stage:
        """The stage of this name."""
        return self.stages[self.index(name)]

    @cached_property
    def inside_queueing(self) -> tuple[bool, ...]:
        """By stage: is a patient who queues for it in the department?"""
        return tuple(situation.inside for situation in self.situations)

    @cached_property
    def inside_serving(self) -> tuple[bool, ...]:
        """By stage: is a patient for whom it has started in the department?"""
        return tuple(
            situation.inside and stage.starts not in LEAVING
            for stage, situation in zip(self.stages, self.situations, strict=True)
        )

    @cached_property
    def enters(self) -> tuple[str, ...]:
        """Stages where patients come in from outside."""
        return tuple(n for n, s in zip(self.names, self.stages, strict=True) if is_entry(s))

    @cached_property
    def pools(self) -> tuple[str, ...]:
        """Pools that the path queues for, "wanted bed" as the beds of every ward."""
        asked = _unique(pool for stage in self.stages for pool in stage.asks)
        beds = tuple(BED + ward for ward in self.wards) if WANTED_BED in asked else ()
        return _unique([*(pool for pool in asked if pool != WANTED_BED), *beds])

    @cached_property
    def durations(self) -> tuple[str, ...]:
        """Names of the durations that the parameters must hold."""
        told = (d for s in self.stages for d in (s.while_queueing, s.lasts, s.frees_after) if d)
        return _unique(name for d in told for name in self.by_ward(d))

    @cached_property
    def slots_of_staff(self) -> tuple[str, ...]:
        """Of these, after how long what a stage needs is free again; by caseload where the others are by load."""
        return _unique(s.frees_after for s in self.stages if s.frees_after)

    @cached_property
    def shares(self) -> tuple[str, ...]:
        """Names of the probabilities that the parameters must hold."""
        return _unique(p for s in self.stages for p in s.then.values() if isinstance(p, str) and p != REST)

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """Names of the shares of wards wanted that the parameters must hold."""
        return _unique(s.wants for s in self.stages if s.wants and s.wants not in self.units)

    @cached_property
    def first_slot(self) -> tuple[int, ...]:
        """By stage, the slot of its first visit; `at_most` slots follow each other. Luck is drawn by slot."""
        out = [0]
        for stage in self.stages:
            out.append(out[-1] + stage.at_most)
        return tuple(out[:-1])

    @property
    def slots(self) -> int:
        """How many (stage, repeat) there are."""
        return sum(stage.at_most for stage in self.stages)

    def by_ward(self, duration: str) -> tuple[str, ...]:
        """The names behind a duration's name: itself, or one a ward for "..:wanted"."""
        head, _, tail = duration.rpartition(":")
        return tuple(f"{head}:{ward}" for ward in self.wards) if head and tail == WANTED else (duration,)


def load_path(table: str | FilePath, hospital: Hospital) -> Path:
    """A shipped table by name, or a file, for a hospital.

    Raises ConfigurationError with every fault and its line: an unknown stage, pool or unit, probabilities that do not
    sum to 1, a stage that nobody reaches or leaves, a pool that is never given back, a visit that never departs.
    """
    file = TABLES[table] if isinstance(table, str) else table
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInputError(f"{file} cannot be read: {error}") from error
    table_of_file = shipped_table(file) if isinstance(table, str) else None
    return path_from(text, hospital, place=str(file), table=table_of_file)


@cache
def shipped_table(file: FilePath) -> PathFile:
    """A shipped table, read once a process."""
    return load(file, PathFile)


def path_from(text: str, hospital: Hospital, *, place: str = "path", table: PathFile | None = None) -> Path:
    """The path of a TOML text for a hospital; raises ConfigurationError as `load_path` does.

    `table` is the text's own table where the text holds more than a path (`site.py`).
    """
    table = table or parse(text, PathFile, place=place)
    situations = situations_of(table.stage, hospital, text, place=place)
    return Path(
        name=table.name,
        names=tuple(table.stage),
        stages=tuple(table.stage.values()),
        situations=tuple(situations[name] for name in table.stage),
        units=tuple(unit.name for unit in hospital.units),
        wards=tuple(unit.name for unit in hospital.wards),
        overflow=tuple(unit.overflow for unit in hospital.units),
        acuities=len(hospital.acuities),
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
