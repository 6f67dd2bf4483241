"""How a site's FHIR resources are read: its locations, its words for acuity, mode and disposition, from a TOML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from ingest.configuration import Checked, Fault, Judged, SourceName, load
from ingest.mapping_parts import Source
from ingest.vocabulary import allowed_values
from ingest.wide_mapping import LEFT_EARLY

DISPOSITIONS: Mapping[str, str] = {
    "home": "home", "alt-home": "home", "hosp": "home", "other-hcf": "transfer", "long": "transfer", "psy": "transfer",
    "rehab": "transfer", "snf": "transfer", "exp": "died", "aadvice": "left_during_care",
}  # fmt: skip
"""FHIR's own codes of hospitalization.dischargeDisposition; `oth` says nothing."""


class FhirSource(Checked):
    """Where the resources come from; `lag_min` is how long after it happens a milestone is told, for backfills."""

    name: SourceName
    format: Literal["fhir"]
    site: str = Field(min_length=1)
    zone: str
    lag_min: float = Field(default=0.0, ge=0)

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        return Source._zone_exists(zone)


class FhirKeys(Checked):
    """Which number names a visit and a patient: an identifier of that system, else the resource's own id."""

    visit_system: str | None = None
    patient_system: str | None = None


class FhirPlace(Checked):
    """What one Location is: an area of the department, or a ward; `bed` where it is a single bed."""

    unit: str = Field(min_length=1)
    bed: str | None = None
    ward: bool = False


def _or_unit(value: object) -> object:
    return {"unit": value} if isinstance(value, str) else value


Place = Annotated[FhirPlace, BeforeValidator(_or_unit)]


class FhirMapping(Judged):
    """A site's words. What it does not list is not kept."""

    source: FhirSource
    keys: FhirKeys = FhirKeys()
    locations: Mapping[str, Place] = {}
    unknown_location: Literal["reject", "flag"] = "reject"
    acuity: Mapping[str, str] = {}
    mode: Mapping[str, str] = {}
    disposition: Mapping[str, str] = DISPOSITIONS

    def faults(self) -> Iterator[Fault]:
        """Words that the vocabulary does not have."""
        for name, allowed in FHIR_VALUES.items():
            for word, value in getattr(self, name).items():
                if value not in allowed:
                    yield (name, word), f"must be one of {', '.join(allowed)}", value

    def words(self) -> frozenset[str]:
        """Every code of the site that may be kept as it is."""
        return frozenset(word for name in ("locations", *FHIR_VALUES) for word in getattr(self, name))


FHIR_VALUES: dict[str, tuple[str, ...]] = {
    "acuity": allowed_values("Triaged", "acuity"),
    "mode": allowed_values("Arrived", "mode"),
    "disposition": (*allowed_values("Departed", "to"), *LEFT_EARLY),
}


def load_fhir_mapping(path: Path) -> FhirMapping:
    """The mapping in a TOML file.

    Raises UnreadableInputError if it cannot be read, ConfigurationError with all faults, each with its line.
    """
    return load(path, FhirMapping)
