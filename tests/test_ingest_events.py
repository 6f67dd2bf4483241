"""The vocabulary: frozen values that refuse what the words do not allow."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from datetime import UTC, datetime
from typing import Any, get_type_hints

import pytest

from ingest.errors import EdtwinError, EventError
from ingest.events import (
    BY_KIND,
    COMMON_FIELDS,
    CONTENT_FREE_FIELDS,
    EVENT_CLASSES,
    RANK,
    Acuity,
    Arrived,
    BedStatusChanged,
    Cancelled,
    Changed,
    Departed,
    Event,
    SupplyEvent,
    Triaged,
    VisitEvent,
    VisitId,
    choices,
)

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
VISIT = VisitId("v")
COMMON: dict[str, Any] = {"event_id": "s/1", "occurred_at": AT, "source": "adt[3]", "position": 48211}


def test_every_kind_is_listed_once_under_its_name() -> None:
    assert {cls.__name__ for cls in EVENT_CLASSES} == subclasses(Event) - {VisitEvent.__name__, SupplyEvent.__name__}
    assert [*BY_KIND] == [cls.__name__ for cls in EVENT_CLASSES]
    assert sorted(RANK.values()) == list(range(len(EVENT_CLASSES)))
    assert Arrived(**COMMON, visit=VISIT).kind == "Arrived"


def subclasses(cls: type[Event]) -> set[str]:
    """Names of all classes below one; a class with slots is made twice."""
    return {name for sub in cls.__subclasses__() for name in {sub.__name__, *subclasses(sub)}}


def test_a_visit_arrives_before_it_departs_within_one_instant() -> None:
    story = [
        "Arrived",
        "Triaged",
        "SeenByProvider",
        "DecidedToAdmit",
        "BedRequested",
        "BedAssigned",
        "Departed",
        "LeftWard",
    ]
    assert sorted(story, key=RANK.__getitem__) == story


@pytest.mark.parametrize("cls", EVENT_CLASSES)
def test_every_field_is_a_time_a_count_a_yes_or_no_or_text_and_means_one_thing_in_all_kinds(cls: type[Event]) -> None:
    assert tuple(f.name for f in fields(cls))[: len(COMMON_FIELDS)] == COMMON_FIELDS
    assert cls.__doc__
    for other in EVENT_CLASSES:
        own, theirs = ({f.name: choices_of(c, f.name) for f in fields(c)} for c in (cls, other))
        assert {n: v for n, v in own.items() if n in theirs} == {n: v for n, v in theirs.items() if n in own}


def choices_of(cls: type[Event], name: str) -> tuple[str, ...]:
    return choices(get_type_hints(cls)[name])


WRONG: list[tuple[type[Event], dict[str, Any], str]] = [
    (
        Triaged,
        {"visit": "v", "acuity": "7"},
        r"acuity must be one of 1, 2, 3, 3A, 3B, 4, 5, but is '7' \(adt\[3\]@48211\)",
    ),
    (Arrived, {"visit": "v", "mode": "broom"}, "mode must be one of own_means, ambulance, .* but is 'broom'"),
    (Arrived, {"visit": "v", "age_band": "75"}, "age_band must be one of"),
    (Departed, {"visit": "v", "to": ""}, "to must be one of home, ward, transfer, died, but is ''"),
    (BedStatusChanged, {"unit": "u", "bed": "b", "status": "lost"}, "status must be one of opened, .*, but is 'lost'"),
    (Changed, {"visit": "v", "sex": "F"}, "sex must be one of female, male, but is 'F'"),
]


@pytest.mark.parametrize(("cls", "values", "told"), WRONG)
def test_a_value_that_the_words_do_not_allow_is_refused_with_its_place(
    cls: type[Event], values: dict[str, Any], told: str
) -> None:
    with pytest.raises(EventError, match=told):
        cls(**COMMON, **values)
    assert issubclass(EventError, EdtwinError)


def test_absent_is_none() -> None:
    assert Triaged(**COMMON, visit=VISIT).acuity is None
    assert Departed(**COMMON, visit=VISIT, to=None) == Departed(**COMMON, visit=VISIT)


def test_an_event_is_a_value() -> None:
    event = Departed(**COMMON, visit=VISIT, to="home")
    with pytest.raises(FrozenInstanceError):
        event.to = "ward"  # type: ignore[misc]
    assert replace(event, to="ward") != event == replace(event)
    assert len({event, replace(event)}) == 1
    with pytest.raises(EventError):
        replace(event, to="moon")  # type: ignore[arg-type]


def test_the_content_is_what_happened_and_when_not_how_it_came() -> None:
    assert "occurred_at" not in CONTENT_FREE_FIELDS
    assert set(COMMON_FIELDS) - CONTENT_FREE_FIELDS == {"occurred_at"}
    assert {f.name for f in fields(Cancelled)} - set(COMMON_FIELDS) == {"target"}


def test_choices_are_those_of_a_literal_or_of_a_literal_or_none() -> None:
    assert choices(Acuity) == choices(Acuity | None) == ("1", "2", "3", "3A", "3B", "4", "5")
    assert choices(str) == choices(int | None) == choices(datetime) == ()
