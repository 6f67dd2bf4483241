"""How a long extract is read: one row an event, a map from the source's activities to kinds of event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from ingest.configuration import Checked, Fault
from ingest.events import BY_KIND, VisitEvent
from ingest.mapping_parts import AgeColumn, ExtractMapping, Keys, or_column
from ingest.vocabulary import allowed_values, fields_of


class LongKeys(Keys):
    """`record` numbers the rows of a log for good, so that a row found again is known again."""

    record: str | None = None


class FieldSource(AgeColumn):
    """A field of an event: a fixed word (`const`), or a column with its value map."""

    column: str = ""
    const: str | None = None


def _or_const(value: object) -> object:
    return {"const": value} if isinstance(value, str) else value


Filled = Annotated[FieldSource, BeforeValidator(_or_const)]


class ActivityEvent(Checked):
    """What a row with this activity is.

    Either `event` names its kind, or `first` names the kind of it in a visit that had no event of that kind so far
    (in the order of the file) and `then` the kind of it in a visit that had one.
    """

    event: str | None = None
    first: str | None = None
    then: str | None = None
    lag_min: float | None = Field(default=None, ge=0)
    acuity: Filled | None = None
    mode: Filled | None = None
    age_band: Filled | None = None
    sex: Filled | None = None
    complaint: Filled | None = None
    unit: Filled | None = None
    test: Filled | None = None
    to: Filled | None = None

    def kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in (self.event, self.first, self.then) if kind is not None)

    def filled(self) -> dict[str, FieldSource]:
        """The fields that are given, by name."""
        return {name: source for name in FIELD_NAMES if (source := getattr(self, name)) is not None}


FIELD_NAMES = ("acuity", "mode", "age_band", "sex", "complaint", "unit", "test", "to")


def _or_event(value: object) -> object:
    return {"event": value} if isinstance(value, str) else value


class Activity(Checked):
    """The column of activities and what each is; "ignore" says that one is left out on purpose."""

    column: str
    unknown: Literal["ignore", "reject"] = "ignore"
    events: Mapping[str, Annotated[ActivityEvent, BeforeValidator(_or_event)]]


class LongTime(Checked):
    """When a row's event happened; `recorded` is a column that says when it was entered."""

    column: str
    recorded: str | None = None


class LongMapping(ExtractMapping):
    """One row an event."""

    keys: LongKeys
    time: Annotated[LongTime, BeforeValidator(or_column)]
    activity: Activity

    def columns(self) -> tuple[str, ...]:
        filled = [s.column for e in self.activity.events.values() for s in e.filled().values() if s.const is None]
        keys = [self.keys.visit, self.keys.patient, self.keys.record]
        named = [*keys, self.time.column, self.time.recorded, self.activity.column, *filled]
        return tuple(dict.fromkeys(column for column in named if column is not None))

    def faults(self) -> Iterator[Fault]:
        for name, event in self.activity.events.items():
            key = ("activity", "events", name)
            if event.event == "ignore":
                continue
            if (event.event is None) == (event.first is None) or (event.first is None) != (event.then is None):
                yield key, "must give `event`, or `first` and `then`", {}
            bad = [kind for kind in event.kinds() if not issubclass(BY_KIND.get(kind, object), VisitEvent)]
            yield from ((key, "must be a kind of visit event or ignore", kind) for kind in bad)
            if not bad:
                yield from _faults_of_fields(key, event)


def _faults_of_fields(key: tuple[str, ...], event: ActivityEvent) -> Iterator[Fault]:
    kinds, filled = event.kinds(), event.filled()
    for name, source in filled.items():
        holders = [kind for kind in kinds if name in fields_of(kind)]
        if not holders:
            yield (*key, name), f"is not a field of {' or '.join(kinds)}", {}
            continue
        allowed = allowed_values(holders[0], name)
        yield from _faults_of_source((*key, name), source, allowed)
    for kind in kinds:
        for name in fields_of(kind, required=True):
            if name not in filled:
                yield key, f"needs `{name}`, without which there is no {kind}", {}


def _faults_of_source(key: tuple[str, ...], source: FieldSource, allowed: tuple[str, ...]) -> Iterator[Fault]:
    if (source.const is None) == (not source.column):
        yield key, "must give either a fixed word or a column", {}
    if source.column and not allowed and not source.values:
        yield (*key, "values"), "must list the words that may be kept", {}
    for value in (*source.values.values(), *((source.const,) if source.const is not None else ())):
        if allowed and value not in allowed:
            yield key, f"must be one of {', '.join(allowed)}", value
