"""The hospital's file and its capacity over a run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.configuration import parse
from ingest.errors import ConfigurationError, UnreadableInputError
from twin.errors import TwinError
from twin.hospital import NO_LIMIT, HospitalFile, Unit, load_hospital, steps
from twin.small_hospitals import HOSPITAL, START, small_hospital


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as error:
        parse(text, HospitalFile, place="h.toml")
    return error.value.faults


def test_the_default_hospital_has_a_department_nine_wards_and_its_pools() -> None:
    hospital = load_hospital()
    assert hospital.acuities == ("1", "2", "3A", "3B", "4", "5")
    assert [u.name for u in hospital.wards] == [
        "uhcd", "medicine", "pneumology", "neurology", "geriatrics", "cardiology", "surgery", "orthopaedics",
        "intensive_care",
    ]  # fmt: skip
    assert hospital.spaces == sum(hospital.unit(area).places for area in ("boxes", "fast_track", "sauv"))
    assert {"bed:medicine", "space:boxes", "doctor", "triage_nurse", "imaging"} <= set(hospital.pools)
    assert hospital.units[hospital.unit_code("medicine")].name == "medicine"


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    text = """name = "H"
zone = "Europe/Pari"
acuities = ["1", "7"]
[units]
boxes = { fr = "Box", en = "Boxes", spaces = -2 }
ward  = { fr = "S", en = "W", bed = 3 }
[pools.doctor]
fr = "M"
en = "D"
weekday = { "0-8" = 2, "9-24" = 3 }
[pools.nurse]
fr = "I"
en = "N"
weekday = { "0-24" = -1 }
[pools.clerk]
fr = "A"
en = "C"
weekday = { "0-14" = 1, "12-24" = 1 }
"""
    told = "\n".join(faults(text))
    for expected in (
        "h.toml:2: zone: zone must be the name of a time zone",
        "h.toml:3: acuities.1",
        "h.toml:5: units.boxes.spaces",
        "h.toml:6: units.ward.bed: unknown key, likely a typo for beds",
        "h.toml:10: pools.doctor.weekday: every hour must be given, but 8 h is not",
        "h.toml:14: pools.nurse.weekday: numbers must be 0 or more, but 0-24 h has -1",
        "h.toml:18: pools.clerk.weekday: an hour must be given once, but 12 h, 13 h is given twice",
    ):
        assert expected in told


@pytest.mark.parametrize("wrong", ["8h", "8-8", "24-8", "0-25"])
def test_hours_that_cannot_be_read_are_named(wrong: str) -> None:
    text = HOSPITAL.replace("always = 1", f'weekday = {{ "{wrong}" = 1 }}')
    assert any("hours must be written like" in fault and wrong in fault for fault in faults(text))


def test_a_unit_has_spaces_or_beds_and_a_pool_a_number_or_a_roster() -> None:
    assert any("either spaces" in f for f in faults(HOSPITAL.replace("beds = 4", "beds = 4, spaces = 1")))
    assert any("either always" in f for f in faults(HOSPITAL.replace(", always = 1", "")))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("beds = 4", 'beds = 4, overflow = ["surgeri"]', "overflow of medicine must name other wards (surgery)"),
        ("beds = 4", 'beds = 4, overflow = ["medicine"]', "but names medicine"),
        ("beds = 4", 'beds = 4, overflow = ["boxes"]', "but names boxes"),
        ("beds = 4", 'beds = 4, overflow = ["surgery", "surgery"]', "must name each ward once"),
        ("spaces = 3", 'spaces = 3, overflow = ["surgery"]', "only a ward overflows"),
    ],
)
def test_wards_overflow_into_other_wards(old: str, new: str, fault: str) -> None:
    assert any(fault in told for told in faults(HOSPITAL.replace(old, new)))
    right = parse(HOSPITAL.replace("beds = 4", 'beds = 4, overflow = ["surgery"]'), HospitalFile, place="h").hospital()
    assert right.unit("medicine").overflow == ("surgery",)
    assert right.with_units([right.unit("medicine")]).unit("medicine").overflow == ()


def test_an_unreadable_file_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="missing"):
        load_hospital(tmp_path / "missing.toml")


def test_a_roster_follows_the_local_hours_through_the_week() -> None:
    hospital = small_hospital().with_roster("doctor", [1] * 8 + [3] * 16, [2] * 24)
    friday = datetime(2026, 3, 6, 7, 30, tzinfo=UTC)
    assert hospital.capacity("doctor", friday, 2 * 1440) == ((0.0, 1), (30.0, 3), (990.0, 2))


def test_shifts_may_pass_midnight_and_single_days_have_rosters_of_their_own() -> None:
    told = 'weekday = { "7-14" = 3, "14-21" = 4, "21-7" = 2 }, on.friday = { "0-12" = 1, "12-24" = 0 }'
    [doctor, _] = parse(HOSPITAL.replace("always = 1", told), HospitalFile, place="h").hospital().rosters
    assert doctor.weekday == (2,) * 7 + (3,) * 7 + (4,) * 7 + (2,) * 3
    friday = datetime(2026, 3, 6, tzinfo=UTC)
    assert [doctor.at(friday + timedelta(hours=h)) for h in (11, 12, 24 + 8)] == [1, 0, 3]
    theatre = load_hospital().capacity("theatre", datetime(2026, 3, 6, 5, tzinfo=UTC), 3 * 1440)
    assert [count for _, count in theatre] == [0, 3, 0], "none from Friday afternoon to Monday morning"
    both = HOSPITAL.replace("always = 1", 'always = 1, on.friday = { "0-24" = 1 }')
    assert any("single days" in fault for fault in faults(both))


def test_the_default_staff_have_professions_and_shifts() -> None:
    rosters = {pool.name: pool for pool in load_hospital().rosters}
    assert {rosters[name].profession for name in ("nurse", "triage_nurse")} == {"nurse"}
    assert rosters["ventilator"].profession is None
    for name in ("nurse", "porter", "cleaner", "laboratory"):
        morning, afternoon, night = (rosters[name].weekday[hour] for hour in (8, 15, 23))
        assert night < min(morning, afternoon), name


def test_clocks_that_change_move_the_roster_with_them() -> None:
    paris = load_hospital().with_roster("doctor", [2] * 8 + [5] * 16)
    spring = datetime(2026, 3, 28, 23, 0, tzinfo=UTC)  # midnight in Paris, a night of 23 hours
    autumn = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # midnight in Paris, a day of 25 hours
    assert paris.capacity("doctor", spring, 1440)[:2] == ((0.0, 2), (7 * 60.0, 5))
    assert paris.capacity("doctor", autumn, 1440)[:2] == ((0.0, 2), (9 * 60.0, 5))


def test_beds_do_not_change_over_a_run_and_unknown_pools_are_named() -> None:
    assert small_hospital().capacity("bed:medicine", START, 1440) == ((0.0, 4),)
    with pytest.raises(TwinError, match="but is doctors"):
        small_hospital().capacity("doctors", START, 60)
    with pytest.raises(TwinError, match="but is maternity"):
        small_hospital().unit("maternity")


def test_changes_make_a_new_hospital_and_leave_the_old_one() -> None:
    old = small_hospital()
    new = old.with_beds({"medicine": 9}).with_roster("porter", [1] * 24)
    assert (old.unit("medicine").places, new.unit("medicine").places) == (4, 9)
    assert new.capacity("porter", START, 60) == ((0.0, 1),)
    assert "porter" not in old.pools
    assert old.with_units([Unit("a", True, 3, "a", "a")]).pools == (
        "bed:a",
        "doctor",
        "nurse",
        "care:doctor",
        "care:nurse",
    )
    with pytest.raises(TwinError, match="maternity"):
        old.with_beds({"maternity": 1})


def test_who_looks_after_patients_has_room_for_so_many_each() -> None:
    hospital = small_hospital().with_roster("doctor", [2] * 8 + [3] * 16).with_caseload("doctor", 5)
    assert hospital.caseloads["doctor"] == 5
    night_and_morning = hospital.capacity("care:doctor", START.replace(hour=6), 240)
    assert [capacity for _, capacity in night_and_morning] == [10, 15]
    assert small_hospital().caseloads["doctor"] == NO_LIMIT


def test_steps_leave_out_what_does_not_change() -> None:
    assert steps([(0.0, 2), (15.0, 2), (30.0, 3), (45.0, 2)]) == ((0.0, 2), (30.0, 3), (45.0, 2))
