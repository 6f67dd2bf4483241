"""What the templates may name: a site's units, pools, resources and items, from a TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from ingest.configuration import Checked, SourceName, load
from ingest.mapping_parts import Source


class PlacesSource(Checked):
    """Where the files come from and how their text is written."""

    name: SourceName
    format: Literal["places"]
    site: str = Field(min_length=1)
    zone: str
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    time_format: str | None = None

    @field_validator("zone")
    @classmethod
    def _zone_exists(cls, zone: str) -> str:
        return Source._zone_exists(zone)

    @field_validator("encoding")
    @classmethod
    def _encoding_exists(cls, encoding: str) -> str:
        return Source._encoding_exists(encoding)


class Names(Checked):
    """The words that may stand in the columns of the same name; any other is a fault of the file."""

    units: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    items: tuple[str, ...] = ()


class PlacesMapping(Checked):
    """How a site's templates are read."""

    source: PlacesSource
    names: Names
    largest: int = Field(default=10_000, gt=0)


def load_places_mapping(path: Path) -> PlacesMapping:
    """The mapping in a TOML file.

    Raises UnreadableInputError if it cannot be read, ConfigurationError with all faults, each with its line.
    """
    return load(path, PlacesMapping)
