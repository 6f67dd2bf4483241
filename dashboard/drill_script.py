"""What an instructor puts into an exercise: one inject after the other, from a script or from the page.

    [[inject]]
    at_min = 20
    kind = "victims"
    patients = 30
    over_min = 60
    severity = { "1" = 0.1, "2" = 0.2, "3A" = 0.3, "3B" = 0.2, "4" = 0.2 }

`dashboard/README.md` has the kinds. An inject is a change of the scenario language: which wards and pools there
are, the world of the exercise knows. Raises ConfigurationError with every fault of a script, its line and its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter

from ingest.configuration import Checked, load
from ingest.events import Acuity
from twin.arrivals import HEADROOM
from twin.changes import AbsenceChange, ArrivalsChange, CapacityChange, CrisisChange, Windowed
from twin.hospital import BED

Hours = Annotated[float, Field(ge=0.25, le=72)]
Name = Annotated[str, Field(min_length=1, max_length=80)]


def _some(severity: dict[Any, float]) -> dict[Any, float]:
    if not sum(severity.values()) > 0:
        raise ValueError("severity must have a share above 0")
    return severity


Severity = Annotated[dict[Acuity, Annotated[float, Field(ge=0, le=1)]], Field(min_length=1), AfterValidator(_some)]
SEVERE: Mapping[Acuity, float] = {"1": 0.15, "2": 0.25, "3A": 0.25, "3B": 0.2, "4": 0.15}
MILD: Mapping[Acuity, float] = {"2": 0.05, "3A": 0.2, "3B": 0.35, "4": 0.3, "5": 0.1}


class _Inject(Checked):
    """What every inject has: minutes after the exercise's beginning."""

    at_min: Annotated[float, Field(ge=0, le=72 * 60)] = 0.0

    def changes(self) -> tuple[Windowed, ...]:
        """What it does to the world, from now on; nothing where it does something else."""
        return ()


class VictimsInject(_Inject):
    """Victims beside the usual patients."""

    kind: Literal["victims"]
    patients: Annotated[int, Field(ge=1, le=300)]
    over_min: Annotated[float, Field(ge=0, le=1440)] = 60.0
    severity: Severity = Field(default_factory=lambda: dict(SEVERE))

    def changes(self) -> tuple[Windowed, ...]:
        """Shares as they are meant, whatever they sum to."""
        total = sum(self.severity.values())
        severity = {acuity: share / total for acuity, share in self.severity.items()}
        return (CrisisChange(patients=self.patients, over_min=float(self.over_min), severity=severity),)


class ArrivalsInject(_Inject):
    """Arrivals times a factor."""

    kind: Literal["arrivals"]
    factor: Annotated[float, Field(ge=0.1, le=5)]
    hours: Hours

    def changes(self) -> tuple[Windowed, ...]:
        """For everybody who comes by themselves; a change knows no more than so many times as many."""
        until_min, first = self.hours * 60.0, min(self.factor, HEADROOM)
        rest = (self.factor / first,) if self.factor > first else ()
        return tuple(ArrivalsChange(factor=factor, until_min=until_min) for factor in (first, *rest))


class AbsentInject(_Inject):
    """A share of a pool's people away."""

    kind: Literal["absent"]
    pool: Name
    share: Annotated[float, Field(ge=0.01, le=1)]
    hours: Hours

    def changes(self) -> tuple[Windowed, ...]:
        """Now, and of the shifts that begin."""
        return (AbsenceChange(pool=self.pool, share=self.share, until_min=self.hours * 60.0),)


class BedsInject(_Inject):
    """Beds of a unit closed."""

    kind: Literal["beds_closed"]
    unit: Name
    beds: Annotated[int, Field(ge=1, le=200)]
    hours: Hours

    def changes(self) -> tuple[Windowed, ...]:
        """Free ones at once."""
        return (CapacityChange(pool=BED + self.unit, add=-self.beds, until_min=self.hours * 60.0),)


class OutageInject(_Inject):
    """The feed falls silent; what happened is told at its end, at once."""

    kind: Literal["outage"]
    hours: Hours


class EndInject(_Inject):
    """The exercise is over."""

    kind: Literal["end"]


Inject = Annotated[
    VictimsInject | ArrivalsInject | AbsentInject | BedsInject | OutageInject | EndInject, Field(discriminator="kind")
]
AnyInject = VictimsInject | ArrivalsInject | AbsentInject | BedsInject | OutageInject | EndInject
KINDS = ("victims", "arrivals", "absent", "beds_closed", "outage", "end")
_ONE: TypeAdapter[AnyInject] = TypeAdapter(Inject)


class _Script(Checked):
    """A script of injects."""

    inject: Annotated[tuple[Inject, ...], Field(min_length=1)]


def load_script(path: Path) -> tuple[AnyInject, ...]:
    """The injects of a script, the earliest first."""
    return tuple(sorted(load(path, _Script).inject, key=lambda one: one.at_min))


def inject_of(told: Mapping[str, Any]) -> AnyInject:
    """One inject from plain values; raises pydantic's ValidationError."""
    return _ONE.validate_python(told)


def plain(inject: AnyInject) -> dict[str, Any]:
    """As it is kept."""
    return inject.model_dump(mode="json")
