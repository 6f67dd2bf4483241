"""The path with codes in place of names."""

from __future__ import annotations

from ingest.events import RANK
from twin.hospital import load_hospital
from twin.pathway import load_path
from twin.steps import NONE, OF_WARD, beds_of, hosts_of, kept_at, steps_of
from twin.story import DESTINATIONS, NOWHERE

PATH = load_path("full", load_hospital())
STEPS = dict(zip(PATH.names, steps_of(PATH), strict=True))


def test_pools_units_events_and_destinations_have_their_codes() -> None:
    box, ward = STEPS["box"], STEPS["ward"]
    assert box.takes == (PATH.pools.index("space:boxes"),)
    assert box.unit == PATH.units.index("boxes")
    assert box.patience
    assert not box.comes
    assert (ward.unit, ward.starts, ward.ends) == (OF_WARD, RANK["Departed"], NONE)
    assert (STEPS["isolated_ward"].ends, STEPS["ward_exit"].starts) == (RANK["LeftWard"], RANK["LeftWard"])
    assert STEPS["boarding"].takes == (OF_WARD,)
    assert STEPS["report"].asks is False
    assert STEPS["laboratory"].unit == NONE
    assert STEPS["boarding"].overflows
    assert not STEPS["planned"].overflows
    assert STEPS["ward"].by_clock
    assert not STEPS["uhcd"].by_clock


def test_the_wards_that_a_unit_overflows_into_stand_in_their_order() -> None:
    hosts = hosts_of(PATH)
    assert [PATH.units[code] for code in hosts[PATH.units.index("geriatrics")]] == [
        "medicine", "neurology", "orthopaedics",
    ]  # fmt: skip
    assert hosts[PATH.units.index("intensive_care")] == hosts[PATH.units.index("boxes")] == ()


def test_where_to_belongs_to_departed_and_else_to_the_exit_from_a_ward() -> None:
    assert STEPS["ward"].starts_to == DESTINATIONS.index("ward")
    assert STEPS["ward"].ends_to == NOWHERE
    assert STEPS["uhcd_home"].starts_to == DESTINATIONS.index("home")
    assert STEPS["discharge"].starts_to == NOWHERE


def test_beds_stand_by_unit_and_what_is_kept_by_stage() -> None:
    beds = beds_of(PATH)
    assert PATH.pools[beds[PATH.units.index("medicine")]] == "bed:medicine"
    assert beds[PATH.units.index("boxes")] == NONE
    kept = dict(zip(PATH.names, kept_at(PATH), strict=True))
    assert kept["bed_cleaning"] == (OF_WARD,)
    assert kept["contact"] == (PATH.pools.index("space:boxes"),)
    assert kept["reception"] == ()
