"""What an instructor puts into an exercise: one inject after the other, from a script or from the page.

    [[inject]]
    at_min = 20
    kind = "victims"
    patients = 30
    over_min = 60
    severity = { "1" = 0.1, "2" = 0.2, "3A" = 0.3, "3B" = 0.2, "4" = 0.2 }

`dashboard/README.md` has the kinds. Raises ConfigurationError with every fault of a script, its line and its value.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from ingest.configuration import Checked, load
from ingest.events import Acuity, UnitId
from twin.fabricated_acts import Absent, Act, BedsClosed, Pool, Surge, Victims

Hours = Annotated[float, Field(ge=0.25, le=72)]
Severity = Annotated[dict[Acuity, Annotated[float, Field(ge=0, le=1)]], Field(min_length=1)]
SEVERE: Mapping[Acuity, float] = {"1": 0.15, "2": 0.25, "3A": 0.25, "3B": 0.2, "4": 0.15}
MILD: Mapping[Acuity, float] = {"2": 0.05, "3A": 0.2, "3B": 0.35, "4": 0.3, "5": 0.1}


class _Inject(Checked):
    """What every inject has: minutes after the exercise's beginning."""

    at_min: Annotated[float, Field(ge=0, le=72 * 60)] = 0.0

    def act(self, seed: int) -> Act | None:
        """What it does to the world; None where it does something else."""
        del seed
        return None


class VictimsInject(_Inject):
    """Victims beside the usual patients."""

    kind: Literal["victims"]
    patients: Annotated[int, Field(ge=1, le=300)]
    over_min: Annotated[float, Field(ge=0, le=1440)] = 60.0
    severity: Severity = Field(default_factory=lambda: dict(SEVERE))

    def act(self, seed: int) -> Act:
        """Each exercise has other victims."""
        return Victims(self.patients, self.over_min, self.severity, seed)


class ArrivalsInject(_Inject):
    """Arrivals times a factor."""

    kind: Literal["arrivals"]
    factor: Annotated[float, Field(ge=0.1, le=5)]
    hours: Hours

    def act(self, seed: int) -> Act:
        """For everybody who comes by themselves."""
        del seed
        return Surge(self.factor, self.hours)


class AbsentInject(_Inject):
    """A share of a pool's people away."""

    kind: Literal["absent"]
    pool: Pool
    share: Annotated[float, Field(ge=0.01, le=1)]
    hours: Hours

    def act(self, seed: int) -> Act:
        """Now, and of the shifts that begin."""
        del seed
        return Absent(self.pool, self.share, self.hours)


class BedsInject(_Inject):
    """Beds of a unit closed."""

    kind: Literal["beds_closed"]
    unit: Literal["medicine", "geriatrics", "surgery", "cardiology", "intensive_care", "uhcd"]
    beds: Annotated[int, Field(ge=1, le=200)]
    hours: Hours

    def act(self, seed: int) -> Act:
        """Free ones at once."""
        del seed
        return BedsClosed(UnitId(self.unit), self.beds, self.hours)


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
