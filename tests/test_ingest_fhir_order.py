"""Versions of a resource in any order and repeated, and Bundles of every type: the same visits come out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from ingest.events import Event
from tests.fhirs import AT, SEEN, at, been, bundle, encounter, read, stay
from twin.state import State, fold

START: dict[str, Any] = {"period": {"start": at("10:00")}}
ENDED: dict[str, Any] = {"period": {"start": at("10:00"), "end": at("11:40")}}
VERSIONS: list[dict[str, Any]] = [
    encounter("arrived", told="10:02", **START),
    encounter("in-progress", told="10:41", statusHistory=SEEN, location=[stay("waiting-room", "10:12")], **START),
    encounter("in-progress", told="10:50", statusHistory=SEEN,
              location=[stay("waiting-room", "10:14"), stay("box-1", "10:45"), stay("box-2", "10:48")], **START),
    encounter("in-progress", told="11:00", statusHistory=SEEN,
              location=[stay("waiting-room", "10:14"), stay("box-1", "10:45")], **START),
    encounter("finished", told="11:41", statusHistory=[*SEEN, been("in-progress", "10:40", "11:40")],
              location=[stay("waiting-room", "10:14"), stay("box-1", "10:45")],
              hospitalization={"dischargeDisposition": {"coding": [{"code": "home"}]}}, **ENDED),
]  # fmt: skip
LAST = [("10:00", "10:10", "10:40", "11:40", "home", [("waiting_room", "10:14"), ("majors", "10:45")])]


def clock(at_: datetime | None) -> str | None:
    return None if at_ is None else f"{at_:%H:%M}"


def visits(events: list[Event]) -> list[tuple[Any, ...]]:
    """What the visits amount to, without what depends on when we were told."""
    return [
        (clock(v.arrived_at), clock(v.triaged_at), clock(v.seen_at), clock(v.departed_at), v.to,
         [(s.unit, clock(s.from_at)) for s in v.stays])
        for v in fold(State(), events).visits.values()
    ]  # fmt: skip


def told(messages: list[dict[str, Any]]) -> list[Event]:
    """The events of messages that come live, one a second."""
    out: list[Event] = []
    for second, message in enumerate(messages):
        stored_at = datetime(2026, 3, 2, 20, tzinfo=UTC) + timedelta(seconds=second)
        place = replace(AT, position=second + 1, stored_at=stored_at)
        out.extend(replace(event, known_at=stored_at) for event in read(message, place=place).events)
    return out


def test_versions_in_any_order_and_repeated_end_as_the_last_one_says() -> None:
    for order in permutations(VERSIONS):
        assert visits(told([*order, order[0], order[2]])) == LAST


def test_without_the_time_of_change_the_order_would_decide() -> None:
    bare = [{k: v for k, v in version.items() if k != "meta"} for version in VERSIONS]
    assert any(visits(told(list(order))) != LAST for order in permutations(bare))


STATUS = {"resourceType": "Parameters", "parameter": [{"name": "status", "valueCode": "active"}]}


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("transaction", []),
        ("batch", []),
        ("collection", []),
        ("searchset", []),
        ("history", []),
        ("message", [{"resourceType": "MessageHeader", "eventCoding": {"code": "x"}}]),
        ("history", [STATUS]),
        ("history", [{"resourceType": "SubscriptionStatus", "status": "active"}]),
        ("subscription-notification", [{"resourceType": "SubscriptionStatus", "status": "active"}]),
    ],
)
def test_bundles_of_every_type_tell_the_same(kind: str, before: list[dict[str, Any]]) -> None:
    alone, bundled = read(VERSIONS[-1]), read(bundle(kind, *before, VERSIONS[-1]))
    assert bundled.events == alone.events
    assert visits(list(alone.events)) == LAST


def test_a_transaction_may_name_its_entries_by_addresses_of_its_own() -> None:
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient", "id": "p", "gender": "male"}},
        {"fullUrl": "urn:uuid:2", "resource": {"resourceType": "Location", "id": "box-1"}},
        {"fullUrl": "urn:uuid:3", "resource": encounter(
            subject={"reference": "urn:uuid:1"}, **START,
            location=[{"location": {"reference": "urn:uuid:2"}, "period": {"start": at("10:05")}}])},
    ]  # fmt: skip
    message = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    events = read(message).events
    assert [(e.kind, getattr(e, "sex", None), getattr(e, "unit", None)) for e in events] == [
        ("Arrived", "male", None), ("Moved", None, "majors"), ("Cancelled", None, None),
    ]  # fmt: skip


@pytest.mark.parametrize("first", [STATUS, {"resourceType": "SubscriptionStatus", "type": "heartbeat"}])
def test_a_notification_without_resources_is_ignored(first: dict[str, Any]) -> None:
    assert read(bundle("history", first)).ignored == "no Encounter or Location"
