"""A site in sentences, French and English."""

from __future__ import annotations

import pytest

from dashboard.site_words import hours_words, lasting, listed, roster_words, share, told
from dashboard.words import LANGUAGES, NBSP, Language, Reader
from tests.component_trees import FRENCH, READER
from tests.path_views import cramped, learned, shipped
from tests.test_twin_explained import small
from tests.test_twin_flows import whole
from twin.explained import explain
from twin.explanation import Explained, Roster
from twin.hospital import NO_LIMIT
from twin.names import shipped_names, stage_name
from twin.pathway import TABLES, load_path
from twin.site import load_site, site_from
from twin.small_hospitals import small_hospital


def said(explained: Explained | None, reader: Reader) -> dict[str, list[str]]:
    assert explained is not None
    return {s.name: [sentence.replace(NBSP, " ") for sentence in s.sentences] for s in told(explained, reader)}


def test_a_small_site_is_told_from_beginning_to_end() -> None:
    assert said(small(), READER) == {
        "doubts": [
            "Boxes: no stage of the path happens in this unit.",
            "Beds of Surgery: only 11% in use on average. Are so many really there, or does somebody else use them?",
            "Nurses: nobody queues for them, so their number changes nothing.",
        ],
        "hospital": [
            "Small: the emergency department has Boxes (3).",
            "3 of these are treatment spaces.",
            "Behind it stand wards with 6 beds: Medicine (4) and Surgery (2).",
        ],
        "staff": ["Doctors: 1 at all hours.", "Nurses: 2 at all hours."],
        "arrivals": ["48 patients come to the emergency department on an average day."],
        "path": [
            "Arrival, then triage: everyone comes here, 48 a day. It lasts 5 min (half take longer). Then: Seen by a "
            "doctor.",
            "Seen by a doctor: everyone comes here, 48 a day. They wait for: Doctors. Who waits too long leaves "
            "without being seen. It lasts 41 min (half take longer). Then: Goes home 75%, Admission decided 25%.",
            "Admission decided: 25% come here, 12 a day. Then: Boarding: wait for a ward bed.",
            "Boarding: wait for a ward bed: 25% come here, 12 a day. They wait for: a bed of the ward wanted. It lasts "
            "30 min (half take longer). Then: Ward stay.",
            "Ward stay: 25% end here, 12 a day. It lasts 3.3 h (half take longer).",
            "Goes home: 75% end here, 36 a day.",
        ],
        "wards": [
            "Medicine: 9.6 a day enter and stay 3.3 h (half stay longer).",
            "Surgery: 2.4 a day enter and stay 1 h 07 (half stay longer).",
        ],
        "load": [
            "Doctors: 0.3 of 1 in use on average, 33%; 33% from 0 to 4 h.",
            "Beds of Medicine: 1.5 of 4 in use on average, 38%.",
            "Beds of Surgery: 0.2 of 2 in use on average, 11%.",
            "All these beds together: 2 of 6 in use on average, 29%.",
            "These are arrivals x share x duration against what is there (Little's law), without the waits: who waits "
            "holding a space or a bed comes on top.",
        ],
        "no_limit": ["These stages take time but nothing is queued for: Arrival, then triage."],
    }


def test_in_french_too() -> None:
    found = said(shipped().explained, FRENCH)
    assert "Médecins urgentistes : 4 de 0 à 8 h, 5 de 8 à 10 h, 6 de 10 à 24 h." in found["staff"]
    assert next(told for told in found["path"] if told.startswith("Examen médical")) == (
        "Examen médical : 82 % passent ici, 180 par jour. On y attend : Médecins urgentistes. Qui attend trop "
        "longtemps part sans être vu. "
        "L'étape dure 15 min (plus longtemps une fois sur deux). Ensuite : Prélèvement 44 %, "
        "Décision médicale 32 %, Brancardage vers l'imagerie 19 %, Avis spécialisé 5 %."
    )
    assert found["doubts"][0] == (
        "Lits (Neurologie) : 99 % occupés même si personne n'attendait jamais. Les attentes seront longues."
    )
    assert "Salles d'imagerie : il en faudrait 152 %" in " ".join(said(cramped().explained, FRENCH)["doubts"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_hole_is_left_open_in_any_sentence(language: Language) -> None:
    """Of every example, learned ones too; a hole left open, the mutant, is seen."""
    reader = Reader(language, "Europe/Paris")
    sentences = [
        s
        for view in (shipped, learned, cramped)
        for section in said(view().explained, reader).values()
        for s in section
    ]
    assert len(sentences) > 100
    assert [s for s in sentences if "{" in s or "nan" in s.lower().split()] == []
    assert "{" in READER.text("{n} at all hours")


def test_a_night_that_goes_on_past_midnight_is_one_stretch() -> None:
    night = [4] * 8 + [7] * 12 + [4] * 4
    assert hours_words(night, READER) == "7 from 8 to 20 h, 4 from 20 to 8 h"
    assert hours_words([2] * 24, READER) == "2 at all hours"
    assert hours_words([1] * 8 + [2] * 16, READER) == "1 from 0 to 8 h, 2 from 8 to 24 h"


def test_a_weekend_and_a_caseload_are_said_where_they_matter() -> None:
    pool = Roster("doctor", "Médecins", "Doctors", (2,) * 24, (1,) * 24, caseload=5)
    assert roster_words(pool, READER) == (
        "Doctors: 2 at all hours; at weekends 1 at all hours. Each looks after 5 patients at once."
    )


def test_lengths_of_time_as_one_speaks_of_them() -> None:
    minutes = (0.6, 35.4, 130, 544, 1440, 2160, 6600)
    assert [lasting(m, READER).replace(NBSP, " ") for m in minutes] == [
        "1 min", "35 min", "2 h 10", "9.1 h", "24 h", "1.5 days", "4.6 days",
    ]  # fmt: skip


def test_shares_are_as_fine_as_they_are_small() -> None:
    parts = (1.0, 0.984, 0.0994, 0.002, 0.0004, 0.00000001, 0.0)
    assert [share(part, READER) for part in parts] == ["100%", "98%", "9.9%", "0.2%", "0.04%", "0.01%", "0%"]


def test_lists() -> None:
    assert [listed(parts, READER) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_where_patients_of_a_full_ward_lie_is_said() -> None:
    found = said(shipped().explained, READER)
    assert "When it is full, patients of General surgery may lie in Orthopaedics." in found["hospital"]
    boarding = next(sentence for sentence in found["path"] if sentence.startswith("Boarding"))
    assert "Who still waits after 1 h 29 may lie in another ward." in boarding


def test_what_is_not_known_is_said() -> None:
    path, believed = whole()
    hospital = small_hospital().with_beds({"medicine": NO_LIMIT}).with_held_back({"surgery": 1})
    found = said(explain(hospital, path, believed), READER)
    assert "Nobody says how many beds these wards have: Medicine." in found["hospital"]
    assert "Beds that nobody gets though patients wait for them: Surgery (1)." in found["hospital"]
    assert found["no_limit"][0] == "Beds of Medicine: nobody says how many there are, so nobody queues for them."
    unknown = explain(small_hospital().with_beds({"medicine": NO_LIMIT, "surgery": NO_LIMIT}), path, believed)
    beds = [sentence for sentence in said(unknown, READER)["no_limit"] if sentence.startswith("Beds")]
    assert beds == ["Beds of Medicine and Surgery: nobody says how many there are, so nobody queues for them."]


def test_where_nothing_is_counted_no_load_is_spoken_of() -> None:
    path, believed = whole()
    hospital = small_hospital().with_beds({"medicine": NO_LIMIT, "surgery": NO_LIMIT})
    assert "load" in said(explain(hospital, path, believed), READER), "doctors are"
    nobody = hospital.with_roster("doctor", [NO_LIMIT] * 24)
    assert "load" not in said(explain(nobody, path, believed), READER)


def test_who_is_supposed_is_said_and_stands_in_no_roster() -> None:
    path, believed = whole()
    hospital = small_hospital().with_roster("doctor", [1] * 8 + [3] * 16, supposed=True)
    found = said(explain(hospital, path, believed), READER)
    told = [sentence for sentence in found["staff"] if "doctor" in sentence.lower()]
    assert told == ["Doctors: nobody says how many there are; patients are seen as if there were 1 to 3."]
    assert not any("doctor" in sentence.lower() for sentence in (*found["load"], *found.get("no_limit", ())))


def unnamed() -> set[str]:
    """Stages of the shipped paths that have no name of their own in a language."""
    paths = [load_path(name, load_site().hospital) for name in TABLES]
    return {stage for path in paths for stage in path.names if set(shipped_names().get(stage, {})) != set(LANGUAGES)}


def test_every_shipped_stage_has_a_name_and_a_site_s_own_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unnamed() == set()
    monkeypatch.setitem(shipped_names(), "triage", {"fr": "Tri"})
    assert unnamed() == {"triage"}
    own = '[stage.desk]\nfr = "Guichet"\ncomes = "Arrived"\nstarts = "Departed"\nto = "home"\n'
    path = site_from(own).path
    assert path is not None
    assert (stage_name(path, "desk", "fr"), stage_name(path, "desk", "en")) == ("Guichet", "Desk")
