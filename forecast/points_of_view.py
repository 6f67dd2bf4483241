"""Points of view: which criteria each looks at, and which way is better; nothing adds them up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from forecast.errors import ForecastError
from ingest.configuration import Checked, load

DEFAULT = Path(__file__).with_name("views.toml")
EACH = ":*"
"""Ends the name of a criterion that stands for one an acuity, or one a pool."""
Better = Literal["less", "more"]
Language = Literal["fr", "en"]


class CriterionEntry(Checked):
    """One `[criterion.<name>]`."""

    fr: str = Field(min_length=1, max_length=90)
    en: str = Field(min_length=1, max_length=90)
    unit: str = Field(max_length=20)
    """As it stands behind a figure; "lits|beds" where the languages differ."""
    step: Annotated[float, Field(gt=0)]
    """Differences of less than this count as none."""
    better: Better


class ViewEntry(Checked):
    """One `[view.<name>]`."""

    fr: str = Field(min_length=1, max_length=40)
    en: str = Field(min_length=1, max_length=40)
    criteria: tuple[str, ...] = Field(min_length=1, max_length=12)


class ViewsFile(Checked):
    """What a file of points of view may say."""

    criterion: dict[str, CriterionEntry] = Field(default_factory=dict)
    view: dict[str, ViewEntry] = Field(default_factory=dict)


@dataclass(frozen=True)
class Criterion:
    """One thing that matters, and which way is better."""

    name: str
    fr: str
    en: str
    unit: str
    better: Better
    step: float = 1e-9
    """Differences of less than this count as none, where it is asked which scenario is simply worse."""

    @property
    def sign(self) -> float:
        """By which a value is multiplied so that less is better."""
        return 1.0 if self.better == "less" else -1.0

    def said(self, language: Language) -> str:
        """What it is called."""
        return self.fr if language == "fr" else self.en

    def unit_in(self, language: Language) -> str:
        """Its unit, as it stands behind a figure."""
        fr, _, en = self.unit.partition("|")
        return fr if language == "fr" or not en else en


@dataclass(frozen=True)
class PointOfView:
    """Whose it is, and the names of the criteria that count there, in their order."""

    name: str
    fr: str
    en: str
    criteria: tuple[str, ...]

    def said(self, language: Language) -> str:
        """What it is called."""
        return self.fr if language == "fr" else self.en


@dataclass(frozen=True)
class PointsOfView:
    """Every criterion and every point of view of a site."""

    criteria: Mapping[str, CriterionEntry]
    views: Mapping[str, PointOfView]

    def view(self, name: str) -> PointOfView:
        """The view of this name; raises ForecastError for one that is not there."""
        if name not in self.views:
            raise ForecastError(f"view must be one of {', '.join(self.views)}, but is {name}")
        return self.views[name]

    def chosen(self, names: Iterable[str], there: Sequence[str], called: Mapping[str, Names]) -> list[Criterion]:
        """The criteria of these names that exist where `there` are the names of what is told, in their order.

        `called` names what stands for a star. A name that nothing ever has raises ForecastError; one that does not
        exist here (no such milestone, pool or acuity is told) is left out.
        """
        out: dict[str, Criterion] = {}
        for name in names:
            self._check(name)
            mine = [one for one in there if one == name or (name.endswith(EACH) and one.startswith(name[:-1]))]
            out |= {one: self._named(one, called) for one in mine if one not in out}
        return list(out.values())

    def _check(self, name: str) -> None:
        if name not in self.criteria and _family(name) not in self.criteria:
            near = get_close_matches(name, self.criteria, n=1)
            likely = f", likely a typo for {near[0]}" if near else f"; there are {', '.join(self.criteria)}"
            raise ForecastError(f"unknown criterion {name}{likely}")

    def _named(self, name: str, called: Mapping[str, Names]) -> Criterion:
        entry = self.criteria.get(name) or self.criteria[_family(name)]
        of = name.partition(":")[2]
        fr, en = called.get(of, (of, of))
        return Criterion(name, entry.fr.format(of=fr), entry.en.format(of=en), entry.unit, entry.better, entry.step)


Names = tuple[str, str]
"""What something is called in French and in English."""


def points_of_view(file: Path | None = None) -> PointsOfView:
    """The shipped points of view, and those of a site's file in place of theirs.

    Raises ConfigurationError with every fault of the file and its line; ForecastError where a view names a criterion
    that there is not.
    """
    told = [load(one, ViewsFile) for one in (DEFAULT, file) if one is not None]
    criteria = {name: entry for part in told for name, entry in part.criterion.items()}
    views = {
        name: PointOfView(name, entry.fr, entry.en, entry.criteria)
        for part in told for name, entry in part.view.items()
    }  # fmt: skip
    found = PointsOfView(criteria, views)
    for view in views.values():
        for name in view.criteria:
            try:
                found._check(name)
            except ForecastError as fault:
                raise ForecastError(f"view.{view.name}.criteria: {fault}") from fault
    return found


def _family(name: str) -> str:
    return name.partition(":")[0] + EACH
