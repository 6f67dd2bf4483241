"""How an aggregate feed is read: which column holds the hour, the site and the counts, from a TOML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ingest.configuration import Checked, Fault, parse
from ingest.errors import UnreadableInputError
from ingest.mapping_parts import ExtractMapping, Source, or_column


class CensusSource(Source):
    """Where the counts come from; `lag_min` is how long after its hour a count is published."""

    format: Literal["census"]  # type: ignore[assignment]  # narrower than its base on purpose


class HourColumn(Checked):
    """The hour that a count stands for; `published` is a column that says when it came out."""

    column: str
    published: str | None = None


class SiteColumn(Checked):
    """The site's code, kept as it is where it matches `pattern`, or through `values`, which then lists them all."""

    column: str
    pattern: str = r"[A-Za-z0-9_.-]{1,40}"
    values: Mapping[str, str] = {}


class CountColumn(Checked):
    """A column of whole numbers; `absent` are codes for "no reading"."""

    column: str
    absent: tuple[str, ...] = ()


class MeasureColumn(CountColumn):
    """For one row a count: `column` names the measure, through `values`; `count` is the column of the number."""

    count: str
    values: Mapping[str, str]


class Frozen(Checked):
    """A series that says the same for this long no longer counts anybody."""

    hours: float = Field(default=12.0, gt=0)


Column = Annotated[CountColumn, BeforeValidator(or_column)]
_NAME = r"^[a-z][a-z0-9_:]*$"


class CensusMapping(ExtractMapping):
    """Counts by site and hour: a column a measure (`measures`), or a row a count (`measure`)."""

    source: CensusSource
    time: Annotated[HourColumn, BeforeValidator(or_column)]
    site: Annotated[SiteColumn, BeforeValidator(or_column)]
    measures: Mapping[Annotated[str, Field(pattern=_NAME)], Column] = {}
    measure: MeasureColumn | None = None
    every_min: float = Field(default=60.0, gt=0)
    largest: int = Field(default=100_000, gt=0)
    frozen: Frozen = Frozen()

    def columns(self) -> tuple[str, ...]:
        counts = [column.column for column in self.measures.values()]
        one = [self.measure.column, self.measure.count] if self.measure else []
        named = [self.time.column, self.time.published, self.site.column, *counts, *one]
        return tuple(dict.fromkeys(column for column in named if column is not None))

    def faults(self) -> Iterator[Fault]:
        if bool(self.measures) == (self.measure is not None):
            yield ("measures",), "must be given, or else [measure]: a column a measure, or a row a count", {}
        if self.measure is not None and not self.measure.values:
            yield ("measure", "values"), "must list the measures by name, since only listed words are kept", {}


def load_census_mapping(path: Path) -> CensusMapping:
    """The mapping in a TOML file.

    Raises UnreadableInputError if it cannot be read, ConfigurationError with all faults, each with its line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableInputError(f"{path} cannot be read: {error}") from error
    return parse(text, CensusMapping, place=str(path)).placed(str(path), text)
