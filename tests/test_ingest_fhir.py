"""FHIR Encounters and Locations as events: the story, its corrections, what is refused and why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.fhir import REASONS, FhirFormat
from ingest.fhir_json import MOST_VALUES
from ingest.fhir_kept import MOST_ENTRIES
from ingest.fhir_mapping import FhirMapping
from ingest.log import EventLog, Position
from tests.fhirs import AT, MAPPING, PSEUDONYMS, SEEN, at, been, bundle, encounter, line, read, span, stay, story
from twin.state import State, fold

VISIT = PSEUDONYMS.of_site("example").one("visit", "v1")


# ---------------------------------------------------------------------------------------------------------- the story


def test_a_visit_told_from_arrival_to_ward() -> None:
    told = encounter(
        "finished", "IMP", "18:00",
        statusHistory=[*SEEN, been("in-progress", "10:40", "17:30")],
        classHistory=[span({"class": {"code": "EMER"}}, "10:00", "13:00")],
        period={"start": at("10:00"), "end": at("17:30")},
        priority={"coding": [{"code": "UR"}]},
        hospitalization={"admitSource": {"coding": [{"code": "hosp-trans"}]},
                         "dischargeDisposition": {"coding": [{"code": "home"}]}},
        location=[stay("waiting-room", "10:12"), stay("box-1", "10:35"), stay("medicine-12", "15:00")],
    )  # fmt: skip
    assert story(told) == [
        ("Arrived", "10:00", "mode=ambulance"),
        ("Cancelled", "10:00", "Moved/2"),
        ("Triaged", "10:10", "acuity=2"),
        ("Moved", "10:12", "unit=waiting_room"),
        ("Moved", "10:35", "bed=box-1 unit=majors"),
        ("SeenByProvider", "10:40", ""),
        ("DecidedToAdmit", "13:00", ""),
        ("Departed", "15:00", "to=ward unit=medicine"),
        ("LeftWard", "17:30", "to=home"),
    ]


def test_the_current_status_begins_where_the_history_ends() -> None:
    assert story(encounter("triaged", statusHistory=[been("arrived", "10:00", "10:10")])) == [
        ("Arrived", "10:00", ""), ("Triaged", "10:10", ""),
    ]  # fmt: skip
    assert story(encounter("arrived", period={"start": at("09:58")})) == [("Arrived", "09:58", "")]
    assert story(encounter("arrived")) == [("Arrived", "11:00", "")], "the last change is all that it says"


def test_in_progress_is_a_first_contact_only_after_an_arrival_of_its_own() -> None:
    assert ("SeenByProvider", "10:40", "") in story(encounter("in-progress", statusHistory=SEEN))
    bare = encounter("in-progress", period={"start": at("10:00")})
    assert story(bare) == [("Arrived", "10:00", "")], "a server that knows only in-progress tells no contact"


def test_an_acuity_without_a_triage_is_a_change() -> None:
    told = encounter(period={"start": at("10:00")}, priority={"coding": [{"code": "other"}, {"code": "EM"}]})
    assert story(told) == [("Arrived", "10:00", ""), ("Changed", "10:00", "acuity=1")]


@pytest.mark.parametrize(
    ("code", "seen", "expected"),
    [
        ("home", True, ("Departed", "12:00", "to=home")),
        ("exp", True, ("Departed", "12:00", "to=died")),
        ("snf", True, ("Departed", "12:00", "to=transfer")),
        ("oth", True, ("Departed", "12:00", "")),
        ("aadvice", True, ("LeftDuringCare", "12:00", "")),
        ("aadvice", False, ("LeftWithoutBeingSeen", "12:00", "")),
    ],
)
def test_dispositions(code: str, seen: bool, expected: tuple[str, str, str]) -> None:
    history = [*SEEN, been("in-progress", "10:40", "12:00")] if seen else SEEN
    told = encounter(
        "finished", told="12:01", statusHistory=history, period={"start": at("10:00"), "end": at("12:00")},
        hospitalization={"dischargeDisposition": {"coding": [{"code": code}]}},
    )  # fmt: skip
    assert expected in story(told)


def test_planned_and_reserved_beds_are_a_request_and_a_promise_once_their_time_has_come() -> None:
    told = encounter(
        "in-progress", statusHistory=SEEN,
        location=[stay("surgery", "10:50", status="planned"), stay("medicine-12", "10:55", status="reserved"),
                  stay("box-2", "10:20"), stay("intensive-care", "19:00", status="planned")],
    )  # fmt: skip
    assert [event for event in story(told) if event[1] > "10:40"] == [
        ("DecidedToAdmit", "10:50", "unit=surgery"),
        ("BedRequested", "10:50", "unit=surgery"),
        ("BedAssigned", "10:55", "bed=12 unit=medicine"),
    ]


def test_a_bed_asked_for_is_a_decision_to_admit_at_the_latest() -> None:
    told = encounter("in-progress", statusHistory=SEEN, location=[stay("surgery", "10:50", status="planned")])
    assert [e for e in story(told) if e[1] == "10:50"] == [
        ("DecidedToAdmit", "10:50", "unit=surgery"), ("BedRequested", "10:50", "unit=surgery"),
    ]  # fmt: skip


def test_an_inpatient_enters_a_ward_moves_and_leaves() -> None:
    told = encounter(
        "finished", "IMP", "18:00", statusHistory=[been("planned", "08:00", "09:00")],
        period={"start": at("09:00"), "end": at("17:00")},
        location=[stay("surgery", "09:05"), stay("medicine-12", "12:00")],
    )  # fmt: skip
    assert story(told) == [
        ("EnteredWard", "09:05", "planned=True unit=surgery"),
        ("Cancelled", "09:05", "Moved/1"),
        ("Moved", "12:00", "bed=12 unit=medicine"),
        ("LeftWard", "17:00", ""),
    ]


def test_a_planned_encounter_is_expected() -> None:
    (event,) = read(encounter("planned", "IMP", "08:00", period={"start": "2026-03-09T08:00:00+01:00"})).events
    assert line(event) == ("ArrivalExpected", "08:00", "expected_at=2026-03-09 07:00:00+00:00 mode=planned")


def test_the_patient_of_the_bundle_gives_sex_and_age_band_and_nothing_else() -> None:
    person = {"resourceType": "Patient", "id": "p9", "gender": "female", "birthDate": "1951-03-03"}
    told = encounter(period={"start": at("10:00")}, subject={"reference": "Patient/p9"})
    (event,) = read(bundle("collection", told, person)).events
    assert line(event)[2] == "age_band=18-74 sex=female", "75 tomorrow"
    assert getattr(event, "patient") == PSEUDONYMS.of_site("example").one("patient", "p9")  # noqa: B009


def test_numbers_may_come_from_an_identifier() -> None:
    mapping = FhirMapping.model_validate(MAPPING.model_dump() | {"keys": {"visit_system": "urn:nda"}})
    told = encounter(period={"start": at("10:00")}, identifier=[{"system": "x"}, {"system": "urn:nda", "value": "v1"}])
    (event,) = read(told | {"id": "another"}, mapping).events
    assert event.event_id == f"fhir/{VISIT}/Arrived/0"
    assert read(encounter(), mapping).rejected == "missing_key"


@pytest.mark.parametrize(
    ("location", "status"),
    [
        ({"operationalStatus": {"code": "H"}}, "cleaning"),
        ({"operationalStatus": {"code": "U"}, "status": "active"}, "ready"),
        ({"operationalStatus": {"code": "U"}, "status": "inactive"}, "closed"),
        ({"status": "suspended"}, "blocked"),
    ],
)
def test_a_location_tells_the_status_of_its_bed(location: dict[str, Any], status: str) -> None:
    told = {"resourceType": "Location", "id": "box-1", "meta": {"lastUpdated": at("10:00")}, **location}
    assert story(told) == [("BedStatusChanged", "10:00", f"bed=box-1 status={status} unit=majors")]


# -------------------------------------------------------------------------------------------- told again and corrected


@pytest.fixture
def log() -> Iterator[EventLog]:
    with Database.open(None) as database:
        yield EventLog(database, SimulatedClock(datetime(2026, 3, 2, 20, tzinfo=UTC)))


def told_in_turn(log: EventLog, *messages: dict[str, Any]) -> State:
    """The state after the messages came live, one after the other."""
    before = log.position("fhir")
    for number, message in enumerate(messages, start=before.offset + 1 if before else 1):
        log.append(read(message, place=replace(AT, position=number)).events, Position(source="fhir", offset=number))
    return fold(State(), log.read())


FIRST = encounter("in-progress", told="11:00", statusHistory=SEEN,
                  location=[stay("waiting-room", "10:12"), stay("box-1", "10:35")])  # fmt: skip
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_same_resource_told_again_is_nothing_new(log: EventLog) -> None:
    told_in_turn(log, FIRST)
    length = log.length()
    told_in_turn(log, FIRST, FIRST | {"meta": {"lastUpdated": at("11:05")}})
    assert log.length() == length


def test_a_changed_time_is_a_new_version_and_a_vanished_entry_is_struck(log: EventLog) -> None:
    (visit,) = told_in_turn(log, FIRST).present(NOW)
    assert visit.stays[-1].unit == "majors"
    corrected = encounter("in-progress", told="11:30", location=[stay("waiting-room", "10:14")],
                          statusHistory=[been("arrived", "09:50", "10:40")])  # fmt: skip
    (visit,) = told_in_turn(log, corrected).present(NOW)
    assert (f"{visit.arrived_at:%H:%M}", visit.triaged_at, visit.stays[-1].unit) == ("09:50", None, "waiting_room")


def test_a_reopened_visit_is_here_again(log: EventLog) -> None:
    history = [*SEEN, been("in-progress", "10:40", "11:30")]
    left = encounter("finished", told="11:30", statusHistory=history)
    assert told_in_turn(log, left).present(NOW) == []
    back = encounter("in-progress", told="11:40", statusHistory=[*history, been("finished", "11:30", "11:40")])
    assert len(told_in_turn(log, back).present(NOW)) == 1


def test_an_exit_of_another_kind_takes_the_place_of_the_first(log: EventLog) -> None:
    ended: dict[str, Any] = {"statusHistory": SEEN, "period": {"start": at("10:00"), "end": at("11:30")}}
    gone = [encounter("finished", told=told, **ended, hospitalization={"dischargeDisposition": {"coding": [
        {"code": code}]}}) for told, code in (("11:30", "aadvice"), ("11:40", "home"))]  # fmt: skip
    state = told_in_turn(log, *gone)
    assert [visit.to for visit in state.visits.values()] == ["home"]


@pytest.mark.parametrize("how", ["cancelled", "entered-in-error", "DELETE"])
def test_what_was_entered_in_error_never_was(log: EventLog, how: str) -> None:
    assert len(told_in_turn(log, FIRST).present(NOW)) == 1
    if how == "DELETE":
        gone = {"resourceType": "Bundle", "type": "history", "entry": [
            {"request": {"method": "DELETE", "url": "Encounter/v1"},
             "response": {"lastModified": at("11:20")}}]}  # fmt: skip
    else:
        gone = FIRST | {"status": how, "meta": {"lastUpdated": at("11:20")}}
    state = told_in_turn(log, gone)
    assert state.present(NOW) == []
    assert told_in_turn(log, FIRST).present(NOW) == [], "told late, what was before the deletion changes nothing"
    again = FIRST | {"meta": {"lastUpdated": at("11:50")}}
    assert len(told_in_turn(log, again).present(NOW)) == 1


# ------------------------------------------------------------------------------------------------- ignored and refused


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        ({"resourceType": "Patient", "id": "x"}, "no Encounter or Location"),
        (bundle("collection"), "no Encounter or Location"),
        (encounter(klass="AMB"), "class AMB"),
        (encounter("in-progress", "IMP", location=[stay("box-1", "10:00")]), "inpatient without a ward"),
        (bundle("transaction-response", encounter()), "Bundle of type transaction-response"),
        (bundle("history", {"resourceType": "Parameters"}), "no Encounter or Location"),
        ({"resourceType": "Location", "id": "box-1", "status": "active"}, "Location without a status of its bed"),
        ({"resourceType": "Location", "id": "roof"}, "Location that is no bed of the mapping"),
    ],
)
def test_what_is_ignored_by_rule(message: dict[str, Any], rule: str) -> None:
    assert read(message).ignored == rule


REFUSED: list[tuple[object, str, str]] = [
    (b"\xff{}", "not_utf8", "not UTF-8"),
    (b"", "not_json", "not JSON"),
    (b'{"resourceType": "Encounter",}', "not_json", "from character"),
    (b'{"a": 1, "a": 2}', "not_json", "names a field twice"),
    (b'{"a": NaN}', "not_json", "a number that JSON does not have"),
    (b'{"a": ' + b"9" * 5000 + b"}", "not_json", "more than 40 digits"),
    (b'{"a": "\\ud800"}', "not_utf8", "half of a character"),
    (b"[" * 200_000, "too_deep", "at most 64 levels"),
    (b'{"a":' * 200_000, "too_deep", "at most 64 levels"),
    (b"[" + b"1," * MOST_VALUES + b"1]", "too_many_values", "at most 300000 values"),
    (b" " * 5_000_001, "too_large", "at most 5000000 bytes"),
    (b"[1]", "not_fhir", "no resourceType"),
    (bundle("collection", *[{}] * (MOST_ENTRIES + 1)), "too_many_entries", "at most 1000 entries"),
    (bundle("gathering", encounter()), "unknown_code", "Bundle.type"),
    (encounter("gone-home"), "unknown_code", "Encounter.status"),
    (encounter(klass="INPATIENT"), "unknown_code", "Encounter.class.code"),
    (encounter() | {"class": [{"coding": []}]}, "malformed", "Encounter.class.code"),
    (encounter(statusHistory=[been("here", "10:00")]), "unknown_code", "statusHistory[0].status"),
    (encounter(statusHistory={}), "malformed", "statusHistory"),
    (encounter(location=[stay("cellar", "10:00")]), "unknown_location", "location[0].location"),
    ({k: v for k, v in encounter().items() if k != "id"}, "missing_key", "no number"),
    (encounter(told=None), "missing_arrival", "no time of arrival"),
    (encounter("finished", told=None), "missing_time", "nothing says when"),
    (encounter(period={"start": "2026-03-02"}), "imprecise_time", "only a date"),
    (encounter(period={"start": "2026-02-30T10:00:00Z"}), "impossible_date", "period.start"),
    (encounter(period={"start": "1492-01-01T10:00:00Z"}), "impossible_date", "period.start"),
    (encounter(period={"start": "yesterday"}), "impossible_date", "period.start"),
    (encounter(period={"start": at("23:00")}), "in_future", "after the message came"),
    (encounter(statusHistory=[been("arrived", "10:30", "10:10")]), "before_arrival", "must end after it starts"),
    (encounter(period={"start": at("10:00")}, location=[stay("box-1", "09:00")]), "before_arrival", "tells Moved"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "reason", "words"), REFUSED, ids=[f"{r}-{i}" for i, (_, r, _) in enumerate(REFUSED)]
)
def test_what_is_refused_and_why(message: object, reason: str, words: str) -> None:
    reading = read(message)
    assert (reading.rejected, reading.events) == (reason, ())
    assert words in reading.sentence
    assert reason in REASONS


def test_every_reason_is_met() -> None:
    assert {reason for _, reason, _ in REFUSED} == set(REASONS)


def test_an_unknown_location_may_be_flagged_and_is_known_once_it_is_mapped() -> None:
    told = encounter(period={"start": at("10:00")}, location=[stay("cellar", "10:05")])
    lenient = MAPPING.model_copy(update={"unknown_location": "flag"})
    assert read(told, lenient).flags == ("unknown_location",)
    kept = FhirFormat(MAPPING, PSEUDONYMS).kept(json.dumps(told).encode()).payload
    assert b"cellar" not in kept
    mended = FhirMapping.model_validate(MAPPING.model_dump() | {"locations": {"cellar": "majors"}})
    assert [e.kind for e in FhirFormat(mended, PSEUDONYMS).read(kept, AT).events] == ["Arrived", "Moved", "Cancelled"]


def test_a_local_time_in_the_repeated_hour_is_flagged() -> None:
    place = replace(AT, stored_at=datetime(2026, 10, 26, tzinfo=UTC))
    reading = read(encounter(told=None, period={"start": "2026-10-25T02:30:00"}), place=place)
    assert (reading.flags, reading.events[0].occurred_at.hour) == (("ambiguous",), 0)


# ---------------------------------------------------------------------------------------------------------- robustness

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(
    ["EMER", "arrived", "finished", at("10:00"), "Location/box-1", "Encounter", "Location"]
)  # fmt: skip
NAMES = st.sampled_from(
    ["resourceType", "id", "status", "class", "code", "coding", "period", "start", "end", "location", "reference",
     "statusHistory", "classHistory", "entry", "resource", "request", "method", "url", "meta", "lastUpdated", "type",
     "subject", "priority", "hospitalization", "identifier", "search", "mode", "fullUrl"]
)  # fmt: skip
TREES = st.recursive(LEAVES, lambda t: st.lists(t, max_size=3) | st.dictionaries(NAMES, t, max_size=6), max_leaves=20)


@given(TREES, st.sampled_from(["Encounter", "Location", "Bundle"]))
def test_no_shape_of_json_raises(tree: object, kind: str) -> None:
    told = FhirFormat(MAPPING, PSEUDONYMS)
    for value in (tree, {"resourceType": kind, **(tree if isinstance(tree, dict) else {})}, bundle("batch", tree)):  # type: ignore[arg-type]
        for part in told.parts(json.dumps(value).encode()):
            reading = told.read(told.kept(part).payload, AT)
            assert sum((bool(reading.events), reading.ignored is not None, reading.rejected is not None)) == 1


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_bytes_raise(junk: bytes, cut: int) -> None:
    text = json.dumps(encounter(statusHistory=SEEN)).encode()
    for message in (junk, text[:cut] + junk + text[cut + len(junk) :]):
        read(message)


def test_a_loose_bundle_is_read_entry_by_entry_and_a_transaction_as_a_whole() -> None:
    told = FhirFormat(MAPPING, PSEUDONYMS)
    person = {"resourceType": "Patient", "id": "p", "birthDate": "1940-01-01"}
    good, bad = encounter(period={"start": at("10:00")}, subject={"reference": "Patient/p"}), encounter("gone")
    searched = told.parts(json.dumps(bundle("searchset", person, good, bad)).encode())
    readings = [told.read(told.kept(part).payload, AT) for part in searched]
    assert [reading.rejected for reading in readings] == [None, "unknown_code"]
    assert line(readings[0].events[0])[2] == "age_band=75+"
    assert len(told.parts(json.dumps(bundle("transaction", good, bad)).encode())) == 1
    assert read(bundle("transaction", good, bad)).sentence.startswith("entry 2: Encounter.status")
