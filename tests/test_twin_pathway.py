"""The path's table: what is shipped, and every fault that it may have."""

from __future__ import annotations

from pathlib import Path as FilePath

import pytest

from ingest.errors import ConfigurationError, UnreadableInputError
from twin.hospital import load_hospital
from twin.pathway import TABLES, load_path
from twin.small_hospitals import QUEUE, WHOLE, small_hospital, small_path


def faults(text: str) -> str:
    with pytest.raises(ConfigurationError) as error:
        small_path(text)
    return str(error.value)


@pytest.mark.parametrize("table", sorted(TABLES))
def test_the_shipped_tables_are_whole(table: str) -> None:
    path = load_path(table, load_hospital())
    assert path.name == table
    assert len(path.situations) == len(path.stages)
    assert sum(stage.comes is not None for stage in path.stages) == 1
    enters = [n for n, s in zip(path.names, path.stages, strict=True) if s.enters]
    others = ["planned_surgery", "ward_imaging", "ward_samples"] if table == "full" else []
    assert enters == ["planned", *others]


def test_the_milestones_path_says_what_it_needs() -> None:
    path = load_path("milestones", small_hospital())
    assert path.pools == ("care:doctor", "doctor", "bed:medicine", "bed:surgery")
    assert set(path.durations) == {
        "to_triage", "to_leaving", "to_contact", "patience", "doctor_slot", "care_admit", "care_home", "bed_search",
        "ward_stay:medicine", "ward_stay:surgery", "bed_cleaning", "to_exit", "to_elsewhere", "overflow_after",
    }  # fmt: skip
    assert set(path.shares) == {"p_lwbs", "p_admit", "p_elsewhere", "p_transfer", "p_died", "p_left"}
    assert path.wanted == ("ward",)


def test_the_stay_path_queues_for_nothing() -> None:
    path = load_path("stay", small_hospital())
    assert path.pools == ()
    assert path.shares == ("p_ward", "p_other", "p_lwbs", "p_ward_followed", "p_died")
    assert {"stay_home", "stay_ward", "stay_other", "stay_lwbs"} <= set(path.durations)


def test_who_is_found_at_a_stage_is_in_a_known_situation() -> None:
    path = load_path("full", load_hospital())
    at = dict(zip(path.names, path.situations, strict=True))
    assert at["imaging"].kept == {"space:boxes"}
    assert at["boarding"].kept == {"space:boxes"}
    assert at["sauv_boarding"].kept == {"space:sauv"}
    assert at["bed_cleaning"].kept == {"wanted bed"}
    inside = dict(zip(path.names, path.inside_queueing, strict=True))
    serving = dict(zip(path.names, path.inside_serving, strict=True))
    assert (inside["ward"], serving["ward"]) == (True, False)
    assert (inside["boarding"], serving["boarding"]) == (True, True)
    assert (inside["planned"], serving["second_ward"]) == (False, False)


def test_slots_count_the_repeats_of_stages() -> None:
    path = small_path(QUEUE.replace('lasts = "service"', 'lasts = "service"\nat_most = 3'))
    assert (path.first_slot, path.slots) == ((0, 3), 4)


def test_all_faults_are_told_at_once_with_their_lines() -> None:
    text = """name = "wrong"
[stage.arrival]
comes = "Arrived"
needs = "doctr"
unit = "box"
lasts = "a"
then = { contact = 0.5, hom = 0.5 }
[stage.contact]
takes = "wanted bed"
lasts = "ward_stay:wanted"
then = { contact_again = 1 }
[stage.contact_again]
then = { contact = 1 }
[stage.alone]
starts = "Departed"
to = "home"
"""
    told = faults(text)
    for expected in (
        "path:4: stage.arrival.needs: unknown pool doctr, likely a typo for doctor",
        "path:5: stage.arrival.unit: unknown unit box, likely a typo for boxes",
        "path:7: stage.arrival.then: unknown stage hom; allowed are",
        "path:9: stage.contact.takes: no ward is wanted yet",
        "path:10: stage.contact.lasts: no ward is wanted yet",
        "path:11: stage.contact.then: no way leads out from here",
        "path:14: stage.alone: no way leads to this stage",
    ):
        assert expected in told, told


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("then = { contact = 1 }", "then = { contact = 0.9 }", "probabilities must sum to 1, but sum to 0.9"),
        ("then = { contact = 1 }", 'then = { contact = 1, home = "rest", ward = "rest" }', '"rest" may stand once'),
        ("then = { contact = 1 }", "then = { contact = 1.5, home = -0.5 }", "between 0 and 1"),
        ('"p_admit"', '"admission"', 'a share must be named "p_.."'),
        ('gives = "wanted bed"\n', "", "wanted bed is never given back"),
        ('gives = "wanted bed"', 'gives = "bed:surgery"', "bed:surgery was not taken before"),
        ('needs = "doctor"', 'takes = "bed:medicine"\nneeds = "doctor"', "bed:medicine is never given back"),
        ('starts = "Departed"\nto = "home"', "", "a way out must say Departed"),
        ('lasts = "to_triage"', 'lasts = "to_triage"\nunknown = 3', "unknown key"),
        ('needs = "doctor"\n', "", "frees_after must stand beside needs and lasts"),
        ('lasts = "to_triage"', 'patience = "patience"', "patience must stand beside takes or needs"),
        ('needs = "doctor"', 'needs = "doctor"\noverflows_after = "t"', "overflows_after must stand beside takes"),
        ('takes = "wanted bed"', 'takes = "wanted bed"\npatience = "p"\noverflows_after = "t"', "not beside patience"),
        ('starts = "Departed"\nto = "home"', 'starts = "Departed"', "must say where to"),
        ('wants = "ward"\n', "", "no ward is wanted yet"),
        ('comes = "Arrived"\n', "", "nobody comes in"),
        ('ends = "LeftWard"', 'ends = "Departed"', "Departed outside the department"),
        ('takes = "wanted bed"', 'takes = "wanted bed"\nwants = "ward"', "another ward is wanted while a bed"),
        ('ends = "Triaged"', 'ends = "Triage"', "ends"),
        ("then = { ward = 1 }", 'then = { ward = 0.5, boarding = "rest" }', "wanted bed is kept already"),
    ],
)  # fmt: skip
def test_each_fault_is_found(old: str, new: str, fault: str) -> None:
    assert old in WHOLE
    assert fault in faults(WHOLE.replace(old, new, 1))


def test_a_stage_reached_in_two_situations_is_a_fault() -> None:
    text = WHOLE.replace("then = { contact = 1 }", "then = { contact = 0.5, ward = 0.5 }", 1)
    told = faults(text)
    assert "stage.ward: is reached by one way with wanted bed kept and by another without" in told


def test_an_unreadable_file_is_said_to_be_so(tmp_path: FilePath) -> None:
    with pytest.raises(UnreadableInputError, match="missing"):
        load_path(tmp_path / "missing.toml", small_hospital())


def test_a_site_loads_its_own_table(tmp_path: FilePath) -> None:
    file = tmp_path / "own.toml"
    file.write_text(QUEUE, encoding="utf-8")
    path = load_path(file, small_hospital())
    assert path.stage("contact").needs == ("doctor",)
    assert path.index("home") == 1
