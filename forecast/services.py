"""Services, when each counts as broken (a limit on a measure, crossed for so long), and how far from it it stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from forecast.points_of_view import Language, Names
from forecast.values import Array
from ingest.configuration import Checked, load

DEFAULT = Path(__file__).with_name("services.toml")
EACH = ":*"
THERE = "there"


class ServiceEntry(Checked):
    """One `[service.<name>]`."""

    fr: str = Field(min_length=1, max_length=60)
    en: str = Field(min_length=1, max_length=60)
    measure: str
    most: Annotated[float, Field(ge=0)] | Literal["there"] | None = None
    least: Annotated[float, Field(ge=0)] | None = None
    for_min: Annotated[float, Field(ge=0, le=1440)] = 0.0

    @model_validator(mode="after")
    def _one_limit(self) -> ServiceEntry:
        if (self.most is None) == (self.least is None):
            raise ValueError("a service must have either most or least")
        return self


class ServicesFile(Checked):
    """What a file of services may say."""

    service: dict[str, ServiceEntry]


@dataclass(frozen=True)
class Service:
    """A service as it is here: what is measured, its limit, and for how long it must be crossed."""

    name: str
    fr: str
    en: str
    measure: str
    most: float | Literal["there"] | None
    least: float | None
    for_min: float

    def said(self, language: Language) -> str:
        """What it is called."""
        return self.fr if language == "fr" else self.en


def services_file(file: Path | None = None) -> dict[str, ServiceEntry]:
    """The shipped services, and those of a site's file in place of theirs.

    Raises ConfigurationError with every fault of the file and its line.
    """
    told = [load(one, ServicesFile).service for one in (DEFAULT, file) if one is not None]
    return {name: entry for part in told for name, entry in part.items()}


def services_here(
    entries: Mapping[str, ServiceEntry], measures: Mapping[str, Array], there: Mapping[str, Array],
    called: Mapping[str, Names],
) -> list[Service]:  # fmt: skip
    """The services that can be told here: those whose measure exists and whose limit is known."""
    out = []
    for name, entry in entries.items():
        for measure in measures:
            if measure != entry.measure and not _in_family(measure, entry.measure):
                continue
            if entry.most == THERE and measure not in there:
                continue
            of = measure.partition(":")[2]
            fr, en = called.get(of, (of, of))
            own = name.removesuffix("*") + of if name.endswith(EACH) else name
            said = entry.fr.format(of=fr), entry.en.format(of=en)
            out.append(Service(own, *said, measure, entry.most, entry.least, entry.for_min))
    return out


def excess(service: Service, values: Array, there: Mapping[str, Array]) -> Array:
    """How far beyond its limit a service is, `(lead, member)`; above 0 it is crossed. NaN where nothing is told."""
    if service.least is not None:
        return np.asarray(service.least - values)
    if isinstance(service.most, float):
        return np.asarray(values - service.most)
    return np.asarray(values - there[service.measure])


def broken(beyond: Array, lead_min: Array, for_min: float) -> tuple[Array, Array]:
    """When each member breaks, in minutes (inf: never), and its margin, `(member,)` each.

    It breaks at the first instant from which on the limit is crossed for `for_min`; the margin is how much more it
    would have taken at the worst stretch of so long (below 0: how far it went beyond).
    """
    step_min = float(lead_min[1] - lead_min[0]) if lead_min.size > 1 else 1.0
    held = min(round(for_min / step_min) + 1, lead_min.size)
    lasting = np.lib.stride_tricks.sliding_window_view(beyond, held, axis=0).min(axis=-1)
    worst = np.nan_to_num(lasting, nan=-np.inf).max(axis=0)
    crossed = lasting > 0
    first = np.where(crossed.any(axis=0), lead_min[crossed.argmax(axis=0)], np.inf)
    return first, np.where(np.isfinite(worst), -worst, np.nan)


def _in_family(measure: str, pattern: str) -> bool:
    return pattern.endswith(EACH) and measure.startswith(pattern[:-1])
