"""What each trigger tells, movement numbers, cancellations, times, and the account of every message."""

from __future__ import annotations

import re

import pytest

from ingest.events import Cancelled, Event
from ingest.hl7 import TRIGGERS, Hl7
from ingest.hl7_reasons import IGNORED, REASONS
from tests.hl7_messages import SETTINGS, adt, events, order_of_tests, place, read, settings, short, stamp, zbe
from tests.worlds import at

NPU = "NPU|3101^^12|"


def test_the_vocabulary_of_a_visit() -> None:
    story = [
        adt("A04", "08:00", "PV2||||||||||||||||||||||||||||||||||||||A", unit="ED^^B12", group="E"),
        adt("A08", "08:10", f"OBX|1|CE|TRIAGE||3||||||F|||{stamp(at('08:05'))}", group="E"),
        adt("A08", "08:12", f"OBX|1|ST|SEEN||||||||F|||{stamp(at('08:11'))}", group="E"),
        adt("A02", "08:20", unit="SAUV", prior="ED", group="E"),
        adt("A14", "09:00", "PV2|3101", unit="SAUV", group="E"),
        adt("A15", "09:30", "PV2|3101^^4", unit="SAUV", group="E"),
        adt("A02", "10:00", unit="3101^^4", prior="SAUV", group="I"),
        adt("A02", "11:00", unit="3205", prior="3101", group="I"),
        adt("A03", "12:00", unit="3205", group="I", pv1="8"),
    ]
    assert short(events(*story)) == [
        "Arrived ambulance 75+ female", "Moved boxes B12", "Changed 75+ female", "Triaged 3A",
        "Changed 75+ female", "SeenByProvider", "Moved sauv", "DecidedToAdmit medicine", "BedAssigned medicine 4",
        "Departed medicine ward", "Moved surgery", "LeftWard home",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (adt("A01", "08:00", unit="3101^R2^4", group="I"), ["EnteredWard medicine R2/4"]),
        (adt("A01", "08:00", unit="ED", group="I"), ["DecidedToAdmit"]),
        (adt("A02", "08:00", unit="3101", group="I"), ["EnteredWard medicine"]),
        (adt("A03", "08:00", unit="ED", pv1="6|3205"), ["Departed surgery ward"]),
        (adt("A03", "08:00", unit="ED", pv1="L"), ["LeftWithoutBeingSeen"]),
        (adt("A03", "08:00", unit="ED", pv1="M"), ["LeftDuringCare"]),
        (adt("A03", "08:00", group="E", pv1="9"), ["Departed died"]),
        (adt("A05", "08:00", f"PV2||||||||{stamp(at('12:00'))}", unit="3101"), ["ArrivalExpected planned"]),
        (adt("A06", "08:00", unit="3101", prior="ED", group="I"), ["Departed medicine ward"]),
        (adt("A06", "08:00", "MRG|P1||||V0", unit="ED", group="I"), ["DecidedToAdmit", "Merged"]),
        (adt("A07", "08:00", unit="ED", prior="3101", group="E"), ["Moved boxes"]),
        (adt("A07", "08:00", unit="3101", group="O"), ["LeftWard"]),
        (adt("A10", "08:00", unit="SAUV"), ["Moved sauv"]),
        (adt("A15", "08:00", "PV2|3101"), ["BedRequested medicine"]),
        (adt("A16", "08:00", group="E"), ["DecidedToDischarge"]),
        (adt("A16", "08:00", f"PV2|||||||||{stamp(at('12:00'))}", group="E"), ["DischargePlanned"]),
        (adt("A20", "08:00", NPU + "H"), ["BedStatusChanged medicine 12 cleaning"]),
        (adt("A20", "08:00", NPU + "C", "NPU|3101^^13|U"),
         ["BedStatusChanged medicine 12 closed", "BedStatusChanged medicine 13 ready"]),
        (adt("A42", "08:00", "MRG|P1||||V0"), ["Merged"]),
        (adt("A08", "08:00", "ZTR|1|2", group="E"), ["Changed 2 75+ female"]),
        (adt("A31", "08:00"), ["Changed 75+ female"]),
    ],
)  # fmt: skip
def test_what_a_trigger_tells(message: bytes, told: list[str]) -> None:
    assert short(read(message)) == told


def test_a_swap_moves_both_patients() -> None:
    second = ["PID|2||P2^^^H^PI||X^Y||19900101|M", "PV1|2|I|3205^^1||||||||||||||||V2"]
    swapped = events(adt("A17", "08:00", *second, unit="3101^^2", prior="3205", group="I"))
    assert short(swapped) == ["EnteredWard medicine 2", "EnteredWard surgery 1"] or short(swapped)[0].startswith(
        "Moved"
    )
    assert len({event.event_id for event in swapped}) == 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (adt("A01", "08:00", unit="CLINIC", group="O"), "elsewhere"),
        (adt("A09", "08:00", unit="ED"), "departing"),
        (adt("A21", "08:00", unit="3101"), "leave_of_absence"),
        (adt("A40", "08:00", "MRG|P0"), "identity_only"),
        (adt("A44", "08:00", "MRG|P0||A1||V1"), "identity_only"),
        (adt("A54", "08:00"), "no_movement"),
        (adt("A05", "08:00", unit="3101"), "no_expected_time"),
        (adt("A99", "08:00"), "unknown_trigger"),
        (adt("A31", "08:00", visit=""), "identity_only"),
        (adt("A01", "08:00").replace(b"ADT^A01", b"MDM^T02"), "not_read"),
        (adt("A01", "08:00").replace(b"ADT^A01", b"ORU^R01"), "nothing_told"),
        (adt("A01", "08:00", "OBR|1||F1|K|||||||||||||||||||||P").replace(b"ADT^A01", b"ORU^R01"), "not_final"),
    ],
)  # fmt: skip
def test_what_is_ignored_and_by_which_rule(message: bytes, code: str) -> None:
    reading = read(message)
    assert (reading.ignored, reading.rejected, reading.events) == (code, None, ())
    assert reading.sentence == f"{IGNORED[code]} (adt@1)"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", "empty_frame"),
        (b"PID|1", "no_msh"),
        (adt("A01", "08:00", visit=""), "missing_visit"),
        (adt("A02", "08:00", group="E"), "missing_unit"),
        (adt("A01", "08:00", unit=""), "unknown_class"),
        (adt("A20", "08:00", NPU + "Q"), "missing_bed"),
        (adt("Z99", "08:00", unit="ED"), "missing_movement"),
        (adt("Z99", "08:00", "ZBE|1||", unit="ED"), "missing_trigger"),
        (adt("A01", "08:00", unit="ED").replace(b"ADT^A01", b"").replace(b"EVN|A01", b"EVN|"), "missing_trigger"),
        (adt("A01", "08:00", "ZBE|1|20261331000000||INSERT", unit="ED"), "impossible_time"),
        (re.sub(rb"2026\d{10}\+0000", b"", adt("A01", "08:00", unit="ED")), "missing_time"),
        (adt("A17", "08:00", "PID|2", "PID|3", unit="ED"), "too_many_patients"),
    ],
)  # fmt: skip
def test_what_is_rejected_and_why(message: bytes, code: str) -> None:
    reading = read(message)
    assert (reading.rejected, reading.ignored, reading.events) == (code, None, ())
    assert reading.sentence == f"{REASONS[code]} (adt@1)"


def test_the_same_movement_told_twice_is_the_same_event_and_a_changed_one_a_new_version() -> None:
    first = events(adt("A02", "09:00", zbe("M7", "09:00"), unit="SAUV"))
    again = events(adt("A02", "09:00", zbe("M7", "09:00"), unit="SAUV", recorded="11:00"))
    other = events(adt("Z99", "11:00", zbe("M7", "09:10", "UPDATE", "A02"), unit="ED"))
    assert [e.event_id for e in first] == [e.event_id for e in again] == [e.event_id for e in other]
    assert (short(first), short(again), short(other)) == (["Moved sauv"], ["Moved sauv"], ["Moved boxes"])
    assert other[0].occurred_at == at("09:10")


def targets(found: list[Event]) -> list[str]:
    return [event.target.split("/", 2)[2] for event in found if isinstance(event, Cancelled)]


def test_a_movement_is_cancelled_by_its_number_whatever_the_trigger_and_unknown_ones_too() -> None:
    [told] = events(adt("A02", "09:00", zbe("M7", "09:00"), unit="SAUV"))
    for trigger in ("A12", "Z99", "A02"):
        [strike] = events(adt(trigger, "10:00", zbe("M7", "09:00", "CANCEL", "A02"), unit="ED"))
        assert isinstance(strike, Cancelled)
        assert strike.target == told.event_id
        assert strike.event_id == f"{told.event_id}/Cancelled"
        assert strike.occurred_at == told.occurred_at


def test_an_arrival_and_its_area_are_cancelled_together() -> None:
    arrival = events(adt("A04", "08:00", zbe("M1", "08:00"), unit="ED", group="E"))
    strikes = events(adt("A11", "09:00", zbe("M1", "08:00", "CANCEL", "A04"), unit="ED", group="E"))
    assert [s.target for s in strikes if isinstance(s, Cancelled)] == [e.event_id for e in arrival]


def test_a_movement_changed_into_an_entry_into_a_ward_leaves_no_area_behind() -> None:
    changed = events(adt("Z99", "09:00", zbe("M1", "08:00", "UPDATE", "A04"), unit="3101", group="I"))
    assert short(changed)[0] == "EnteredWard medicine"
    assert targets(changed)[0].endswith("/place")


def test_a_movement_changed_into_one_to_a_clinic_never_happened_for_us() -> None:
    arrival = events(adt("A04", "08:00", zbe("M1", "08:00"), unit="ED", group="E"))
    changed = events(adt("Z99", "09:00", zbe("M1", "08:00", "UPDATE", "A04"), unit="CLINIC", group="O"))
    assert [e.target for e in changed if isinstance(e, Cancelled)] == [e.event_id for e in arrival]


def test_without_numbers_a_cancellation_means_what_the_visit_has_once() -> None:
    assert targets(events(adt("A11", "09:00", unit="ED", group="E"))) == ["arrival", "arrival/place"]
    assert targets(events(adt("A11", "09:00", unit="ED", group="I"))) == ["decision/admit"]
    assert targets(events(adt("A11", "09:00", unit="3101", group="I"))) == ["admission"]
    assert targets(events(adt("A11", "09:00"))) == ["arrival", "arrival/place", "admission"]
    assert targets(events(adt("A13", "09:00", unit="ED"))) == ["departure"]
    assert targets(events(adt("A13", "09:00", unit="3101"))) == ["leaving"]
    assert targets(events(adt("A13", "09:00"))) == ["departure", "leaving"]
    assert targets(events(adt("A25", "09:00"))) == ["decision/discharge", "planned_exit"]
    assert targets(events(adt("A26", "09:00"))) == ["bed/requested", "bed/assigned"]
    assert targets(events(adt("A27", "09:00"))) == ["decision/admit", "expected"]
    assert targets(events(adt("A38", "09:00"))) == ["expected"]
    assert targets(events(adt("A23", "09:00"))) == ["arrival", "arrival/place", "admission", "expected"]


def test_without_a_number_a_move_is_cancelled_by_its_time_else_it_is_the_last() -> None:
    [told] = events(adt("A02", "09:00", unit="SAUV"))
    assert targets(events(adt("A12", "09:00", recorded="10:00"))) == [told.event_id.split("/", 2)[2]]
    assert targets(events(adt("A12", "10:00", evn6=False))) == ["move/*"]
    one, two = (events(adt("A12", clock, evn6=False))[0].event_id for clock in ("10:00", "10:05"))
    assert one != two


def test_orders_and_results() -> None:
    asked = events(order_of_tests("ORM^O01", "NW", "OBR|1|N1||URE^UREA||||||||||||||||||||LAB"))
    assert (short(asked), asked[0].occurred_at) == (["TestOrdered laboratory"], at("08:30"))
    assert targets(events(order_of_tests("OML^O21", "CA"))) == [asked[0].event_id.split("/", 2)[2]]
    result = events(order_of_tests("ORU^R01", "RE", f"OBR|1|N1|F1|URE||||||||||||||||||{stamp(at('09:00'))}||LAB|F"))
    assert (short(result), result[0].occurred_at) == (["TestResulted laboratory"], at("09:00"))
    assert targets(events(order_of_tests("ORU^R01", "RE", "OBR|1|N1|F1|URE|||||||||||||||||||||X"))) == [
        result[0].event_id.split("/", 2)[2]
    ]


def test_appointments_in_a_ward_are_planned_arrivals_until_they_are_cancelled() -> None:
    sch = f"SCH|B7||||||||||^^^{stamp(at('07:30', 3))}"
    booked = events(adt("A01", "08:00", sch, unit="3205", group="I").replace(b"ADT^A01", b"SIU^S12"))
    assert short(booked) == ["ArrivalExpected planned"]
    assert targets(events(adt("A01", "09:00", sch).replace(b"ADT^A01", b"SIU^S15")))[0].startswith("booking/")
    assert read(adt("A01", "08:00", sch, unit="CLINIC").replace(b"ADT^A01", b"SIU^S12")).ignored == "elsewhere"


def test_the_trigger_of_msh_wins_over_that_of_evn() -> None:
    reading = read(adt("A04", "08:00", unit="ED").replace(b"EVN|A04", b"EVN|A01"))
    assert (reading.events[0].kind, reading.flags) == ("Arrived", ("triggers_differ",))
    assert read(adt("A04", "08:00", unit="ED").replace(b"ADT^A04", b"ADT")).events[0].kind == "Arrived"


def test_local_times_go_through_the_sites_zone_and_doubtful_ones_are_flagged() -> None:
    def told(local: str) -> tuple[str, tuple[str, ...]]:
        reading = read(adt("A04", "08:00", f"ZBE|1|{local}||INSERT", unit="ED"))
        return reading.events[0].occurred_at.isoformat(), reading.flags

    assert told("20260302080000") == ("2026-03-02T07:00:00+00:00", ())
    assert told("20261025023000") == ("2026-10-25T00:30:00+00:00", ("ambiguous_time",))
    assert told("20270328023000") == ("2027-03-28T01:30:00+00:00", ("missing_time",))
    assert told("20261025023000+0100") == ("2026-10-25T01:30:00+00:00", ())
    assert told("20260302") == ("2026-03-01T23:00:00+00:00", ("day_only",))


def test_text_that_is_not_in_its_character_set_is_flagged_after_the_edge_too() -> None:
    message = adt("A04", "08:00", unit="ED").replace(b"DUPONT", b"L\xe9")
    assert read(message).flags == ("charset_fallback",)
    assert read(message.replace(b"|P|2.5", b"|P|2.5||||||8859/1")).flags == ()


def test_a_unit_that_nobody_named_is_kept_by_its_code_or_a_token_and_flagged() -> None:
    code, name = read(adt("A02", "08:00", unit="UF77")), read(adt("A02", "08:00", unit="Salle Martin"))
    assert short(code) == ["Moved UF77"]
    assert re.fullmatch(r"Moved u\.[a-z2-7]{16}", short(name)[0])
    assert code.flags == name.flags == ("unmapped_unit",)
    assert short(read(adt("A02", "09:00", unit="Salle Martin"))) == short(name)


def test_words_that_nobody_named_are_absent_and_flagged() -> None:
    reading = read(adt("A03", "08:00", unit="ED", pv1="XX"))
    assert (short(reading), reading.flags) == (["Departed"], ("unmapped_destination",))


def test_the_units_of_zbe_are_read_from_component_10() -> None:
    assert short(events(adt("A02", "09:00", zbe("M7", "09:00", unit="3205"), prior="3101"))) == ["Moved surgery"]


def test_a_sender_may_number_movements_for_all_its_visits() -> None:
    wide = settings(SETTINGS.replace("zone =", 'movement_numbers = "sender"\nzone ='))
    ids = {
        Hl7(wide).read(adt("A02", "09:00", zbe("M7", "09:00"), unit="ED", visit=v), place()).events[0].event_id
        for v in ("V1", "V2")
    }
    assert ids == {"adt//movement/M7"}


def test_what_was_made_up_for_training_is_left_out_where_the_settings_say_so() -> None:
    strict = Hl7(settings(SETTINGS.replace("zone =", 'processing = ["P"]\nzone =')))
    told = adt("A02", "09:00", unit="ED")
    assert strict.read(told.replace(b"|P|2.5", b"|T|2.5"), place()).ignored == "not_production"
    assert short(strict.read(told, place())) == short(strict.read(told.replace(b"|P|2.5", b"||2.5"), place()))


def test_every_trigger_of_the_table_is_accounted_for_with_next_to_nothing_in_the_message() -> None:
    for trigger in [*TRIGGERS, "Z99", "A98"]:
        for group in ("E", "I", "O", "P", ""):
            reading = read(adt(trigger, "08:00", group=group))
            became = [bool(reading.events), reading.ignored is not None, reading.rejected is not None]
            assert sum(became) == 1, trigger


def test_reading_is_a_function_of_payload_and_place() -> None:
    payload = adt("A04", "08:00", unit="ED")
    assert Hl7(settings()).read(payload, place(3)) == Hl7(settings()).read(payload, place(3))
