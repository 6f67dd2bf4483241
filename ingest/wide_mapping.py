"""How a wide extract is read: one row a visit, a column for each milestone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ingest.configuration import Checked, Fault
from ingest.mapping_parts import (
    MILESTONES,
    AgeColumn,
    ExtractMapping,
    Keys,
    Milestone,
    TimeColumn,
    ValueColumn,
    or_column,
)
from ingest.vocabulary import allowed_values


class DestinationColumn(ValueColumn):
    """Where the visit went; known when it departed, and no sooner."""

    known_from: Literal["departed"] = "departed"


Time = Annotated[TimeColumn, BeforeValidator(or_column)]
Value = Annotated[ValueColumn, BeforeValidator(or_column)]
Age = Annotated[AgeColumn, BeforeValidator(or_column)]


class Times(Checked):
    """The time columns that the extract has; an arrival is a must."""

    arrived: Time
    triaged: Time | None = None
    seen: Time | None = None
    decided: Time | None = None
    decided_home: Time | None = None
    bed_requested: Time | None = None
    bed_assigned: Time | None = None
    departed: Time | None = None
    left_ward: Time | None = None

    def mapped(self) -> dict[Milestone, TimeColumn]:
        """The milestones that have a column, in the order of a visit."""
        return {m: column for m in MILESTONES if (column := getattr(self, m)) is not None}


class Classes(Checked):
    """What a visit is, column by column."""

    acuity: Value | None = None
    age: Age | None = None
    sex: Value | None = None
    mode: Value | None = None
    complaint: Value | None = None
    unit_wanted: Value | None = None

    def mapped(self) -> dict[str, ValueColumn]:
        return {name: column for name in type(self).model_fields if (column := getattr(self, name)) is not None}


class Limits(Checked):
    """A stay longer than this is an error of the extract, not a stay."""

    stay_h: float = Field(default=72.0, gt=0)
    ward_stay_h: float = Field(default=365.0 * 24, gt=0)


class WideMapping(ExtractMapping):
    """One row a visit."""

    keys: Keys
    times: Times
    classes: Classes = Classes()
    decision: Value | None = None
    destination: Annotated[DestinationColumn, BeforeValidator(or_column)] | None = None
    ward: Value | None = None
    limits: Limits = Limits()

    def values(self) -> dict[str, ValueColumn]:
        """Every column with a value map, by its key in the mapping."""
        others = {"decision": self.decision, "destination": self.destination, "ward": self.ward}
        return self.classes.mapped() | {name: column for name, column in others.items() if column is not None}

    def columns(self) -> tuple[str, ...]:
        times = [c for t in self.times.mapped().values() for c in (t.column, t.recorded)]
        named = [self.keys.visit, self.keys.patient, *times, *(v.column for v in self.values().values())]
        return tuple(dict.fromkeys(column for column in named if column is not None))

    def faults(self) -> Iterator[Fault]:
        mapped = self.times.mapped()
        for milestone, time in mapped.items():
            if time.known_from is not None:
                yield from self._faults_of_later(("times", milestone), milestone, time.known_from)
        for name, column in self.values().items():
            key = ("classes", name) if name in Classes.model_fields else (name,)
            yield from self._faults_of_values(key, name, column)
            yield from self._faults_of_home(key, name, column)

    def _faults_of_later(self, key: tuple[str, ...], milestone: Milestone, later: Milestone) -> Iterator[Fault]:
        if later not in self.times.mapped():
            yield (*key, "known_from"), "must be a milestone that has a column under [times]", later
        elif MILESTONES.index(later) <= MILESTONES.index(milestone):
            yield (*key, "known_from"), f"must be a milestone after {milestone}", later

    def _faults_of_values(self, key: tuple[str, ...], name: str, column: ValueColumn) -> Iterator[Fault]:
        allowed = WIDE_VALUES[name]
        if not allowed and not column.values:
            yield (*key, "values"), "must list the units by name, since only listed words are kept", {}
        for word, value in column.values.items():
            if allowed and value not in allowed:
                yield (*key, "values", word), f"must be one of {', '.join(allowed)}", value

    def _faults_of_home(self, key: tuple[str, ...], name: str, column: ValueColumn) -> Iterator[Fault]:
        mapped = self.times.mapped()
        if column.known_from is not None and column.known_from not in mapped:
            yield (*key, "known_from"), "must be a milestone that has a column under [times]", column.known_from
        elif column.known_from is None and not any(home in mapped for home in HOMES[name]):
            wanted = " or ".join(HOMES[name])
            yield (*key, "column"), f"needs a time for {wanted} under [times], or known_from", {}
        elif name in ("decision", "ward") and column.known_from not in (None, *HOMES[name]):
            yield (*key, "known_from"), f"must be {next(iter(HOMES[name]))}", column.known_from


HOMES: dict[str, dict[Milestone, str]] = {
    "acuity": {"triaged": "acuity"},
    "age": {"arrived": "age_band"},
    "sex": {"arrived": "sex"},
    "mode": {"arrived": "mode"},
    "complaint": {"arrived": "complaint"},
    "unit_wanted": {"decided": "unit", "bed_requested": "unit"},
    "decision": {"decided": "kind"},
    "destination": {"departed": "to"},
    "ward": {"departed": "unit"},
}
"""Where a value belongs: the milestone at which it is known, and the field of that milestone's event."""

LEFT_EARLY = {"left_without_being_seen": "LeftWithoutBeingSeen", "left_during_care": "LeftDuringCare"}
"""Destinations that are kinds of event of their own."""

WIDE_VALUES: dict[str, tuple[str, ...]] = {
    "acuity": allowed_values("Triaged", "acuity"),
    "age": allowed_values("Arrived", "age_band"),
    "sex": allowed_values("Arrived", "sex"),
    "mode": allowed_values("Arrived", "mode"),
    "complaint": allowed_values("Arrived", "complaint"),
    "unit_wanted": (),
    "decision": ("admit", "discharge"),
    "destination": (*allowed_values("Departed", "to"), *LEFT_EARLY),
    "ward": (),
}
"""The words of the vocabulary for each value; empty for places, whose words are the mapping's own."""
