"""The sources of truth read and checked: hazards.toml, asvs.toml, promises.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tests.assurance.locks import ROOT

FOLDER = ROOT / "tests" / "assurance"
TestId = Annotated[str, Field(pattern=r"^test_\w+\.py::test_\w+$")]


class Row(BaseModel):
    """A row is what its file says and nothing more."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Kind = TypeVar("Kind", bound=Row)


class Hazard(Row):
    """Something that may go wrong, and what is done about it."""

    id: Annotated[str, Field(pattern=r"^[A-Z]\d+$")]
    severity: Annotated[int, Field(ge=1, le=5)]
    hazard: Annotated[str, Field(min_length=1)]
    done: str
    status: Literal["tested", "in part", "not built"]
    lacks: str = ""
    tests: tuple[TestId, ...] = ()
    mutants: tuple[TestId, ...] = ()
    figure: str = ""

    @model_validator(mode="after")
    def honest(self) -> Hazard:
        """What is tested names a test and lacks nothing; what is not says what is missing."""
        if self.status == "tested" and (not self.tests or not self.done or self.lacks):
            raise ValueError(f"{self.id} is tested, so it must say what is done, name a test and lack nothing")
        if self.status != "tested" and not self.lacks:
            raise ValueError(f"{self.id} is {self.status}, so it must say what it lacks")
        return self


class Group(Row):
    """Hazards of one kind."""

    name: str
    hazard: tuple[Hazard, ...]


class Promise(Row):
    """What is promised, the figure that is asked for, and the last one measured."""

    id: Annotated[str, Field(pattern=r"^P\d+$")]
    promise: str
    asked: str
    last: str
    source: str = Field(alias="from")
    status: Literal["met", "in part", "not measured", "not built"]
    lacks: str = ""
    tests: tuple[TestId, ...]
    mutants: tuple[TestId, ...]

    @model_validator(mode="after")
    def honest(self) -> Promise:
        """What is met has a figure, a test and a mutant and lacks nothing; what is not says what is missing."""
        if self.status == "met" and (self.lacks or not (self.last and self.tests and self.mutants)):
            raise ValueError(f"{self.id} is met, so it must have a figure, a test and a mutant and lack nothing")
        if self.status != "met" and not self.lacks:
            raise ValueError(f"{self.id} is {self.status}, so it must say what it lacks")
        if (self.status in ("met", "in part")) != bool(self.last):
            raise ValueError(f"{self.id} is {self.status}, which does not go with the figure {self.last!r}")
        return self


@dataclass(frozen=True)
class Requirement:
    """One requirement of the ASVS, and where edtwin stands."""

    number: str
    level: int
    asked: str
    status: str
    tests: tuple[str, ...]
    note: str


STATUSES = ("met", "in part", "not built", "not applicable")


def hazard_groups(path: Path = FOLDER / "hazards.toml") -> tuple[Group, ...]:
    """The hazards by group; raises ValueError with every fault of the file."""
    return tuple(_checked(Group, path, group) for group in _read(path)["group"])


def promises(path: Path = FOLDER / "promises.toml") -> tuple[Promise, ...]:
    """The promises; raises ValueError with every fault of the file."""
    return tuple(_checked(Promise, path, row) for row in _read(path)["promise"])


def chapters(path: Path = FOLDER / "asvs.toml") -> dict[str, tuple[Requirement, ...]]:
    """The ASVS's requirements by chapter; raises ValueError at the first row that cannot be."""
    return {chapter["name"]: tuple(map(requirement, chapter["rows"])) for chapter in _read(path)["chapter"]}


def requirement(row: list[Any]) -> Requirement:
    """A row of asvs.toml; raises ValueError where it says less than its status asks for."""
    number, level, asked, status, tests, note = row
    if status not in STATUSES:
        raise ValueError(f"the status of {number} must be one of {', '.join(STATUSES)}, but is {status!r}")
    if status == "met" and not (tests or note):
        raise ValueError(f"{number} is met, so it must name a test or say where it is written")
    if status != "met" and not note:
        raise ValueError(f"{number} is {status}, so it must say why")
    return Requirement(number, level, asked, status, tuple(tests.split()), note)


def every_hazard() -> Iterator[Hazard]:
    """All hazards, in the file's order."""
    return (hazard for group in hazard_groups() for hazard in group.hazard)


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _checked(kind: type[Kind], path: Path, row: dict[str, Any]) -> Kind:
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        raise ValueError(f"{path.name}: {error}") from None
