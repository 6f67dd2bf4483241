"""One row of the path's table, and the situation in which patients come to it."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from ingest.configuration import Checked
from ingest.events import Destination

WANTED = "wanted"
WANTED_BED = "wanted bed"
REST = "rest"
LEAVING = frozenset({"Departed", "LeftWithoutBeingSeen", "LeftDuringCare"})
"""Events after which a visit is no longer in the department."""

Kind = Literal[
    "Arrived", "Triaged", "SeenByProvider", "DecidedToAdmit", "DecidedToDischarge", "BedRequested", "Departed",
    "LeftWithoutBeingSeen", "LeftDuringCare", "EnteredWard", "LeftWard",
]  # fmt: skip


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _probabilities(then: dict[str, float | str]) -> dict[str, float | str]:
    numbers = [p for p in then.values() if not isinstance(p, str)]
    names = [p for p in then.values() if isinstance(p, str)]
    if any(not 0 <= p <= 1 for p in numbers):
        raise ValueError("probabilities must lie between 0 and 1")
    if names.count(REST) > 1:
        raise ValueError('"rest" may stand once')
    if sum(numbers) > 1 + 1e-9 or (then and not names and abs(sum(numbers) - 1) > 1e-9):
        raise ValueError(f"probabilities must sum to 1, but sum to {sum(numbers):g}")
    return then


Names = Annotated[tuple[str, ...], BeforeValidator(_several)]
Then = Annotated[dict[str, float | str], AfterValidator(_probabilities)]


class Stage(Checked):
    """One row of the table; every field may be left out."""

    fr: str | None = None
    """What it is called in French; the shipped stages' names are in `names.toml`."""
    en: str | None = None
    """What it is called in English."""
    enters: bool = False
    """Patients come in from outside here without arriving in the department."""
    comes: Literal["Arrived"] | None = None
    """Marked when a patient comes here, before queueing."""
    takes: Names = ()
    """Pools taken when the stage starts and kept."""
    needs: Names = ()
    """Pools held while the stage lasts."""
    patience: str | None = None
    """A duration; who still queues after it leaves without being seen."""
    overflows_after: str | None = None
    """A duration; who still queues for the wanted bed after it may lie in a ward that the one wanted overflows into."""
    unit: str | None = None
    """Where the patient is from the start on: an area, a ward, or "wanted"."""
    starts: Kind | None = None
    lasts: str | None = None
    """A duration; without it the stage is over at once."""
    frees_after: str | None = None
    """A duration after which what it needs is free again, although the stage may last longer."""
    wants: str | None = None
    """At its end the ward wanted is set: the name of a unit, or of shares in the parameters."""
    ends: Kind | None = None
    to: Destination | None = None
    """Where Departed or LeftWard leads."""
    gives: Names = ()
    """Pools that were kept and are given back at its end."""
    then: Then = Field(default_factory=dict)
    at_most: Annotated[int, Field(ge=1, le=50)] = 1
    """How often a patient may come here; more is an error."""

    @property
    def while_queueing(self) -> str | None:
        """The duration that is counted from the joining of the queue: until patience ends, or a search reaches other
        wards."""
        return self.patience or self.overflows_after

    @property
    def asks(self) -> tuple[str, ...]:
        """Pools that must be held before it starts, in the order in which they are queued for."""
        return self.takes + self.needs

    @model_validator(mode="after")
    def _whole(self) -> Stage:
        if self.frees_after and not (self.needs and self.lasts):
            raise ValueError("frees_after must stand beside needs and lasts")
        if self.patience and not self.asks:
            raise ValueError("patience must stand beside takes or needs")
        if self.overflows_after and (WANTED_BED not in self.takes or self.patience):
            raise ValueError(f'overflows_after must stand beside takes = "{WANTED_BED}", and not beside patience')
        if ("Departed" in (self.starts, self.ends)) and not self.to:
            raise ValueError("a stage with Departed must say where to")
        return self


class Situation(NamedTuple):
    """What holds for everybody who comes to a stage."""

    inside: bool
    """In the department."""
    kept: frozenset[str]
    """Pools taken before and not yet given back."""
    wants: bool
    """The ward wanted is known."""


class PathFile(Checked):
    """What a path's file may say."""

    name: str
    stage: dict[str, Stage] = Field(min_length=1)


def is_entry(stage: Stage) -> bool:
    """Do patients come in from outside here?"""
    return stage.enters or stage.comes is not None
