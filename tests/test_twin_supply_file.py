"""What care uses up, from files: the shipped one is whole, a site's takes its place, faults have a line and a rule."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.errors import ConfigurationError
from twin.hospital import load_hospital
from twin.supply_file import DEFAULT, load_supplies

ITEM = """
[item.towels]
service = "linen"
fr = "Serviettes"
en = "Towels"
unit_fr = "serviettes"
unit_en = "towels"
needs = [{ per = "patient_hour", where = "wards", rate = 0.05, source = "counted in March" }]
spread = { day_cv = 0.1, batch = 1.5, source = "set" }
up_to = { count = 300, source = "the linen room" }
deliveries = { at = ["7:00"], source = "the linen room" }
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "supplies.toml"
    file.write_text(text, encoding="utf-8")
    return file


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as found:
        load_supplies(written(tmp_path, text))
    return str(found.value)


def test_the_shipped_file_has_every_service_and_every_kind_with_a_source_for_each_number() -> None:
    supplies = load_supplies()
    assert {s.name for s in supplies.services} >= {
        "catering", "linen", "cleaning", "transport", "pharmacy", "equipment", "oxygen", "blood",
    }  # fmt: skip
    assert {item.kind for item in supplies.items} == {"stock", "meals", "device", "work"}
    assert all(supplies.of_service(s.name) for s in supplies.services)
    text = DEFAULT.read_text(encoding="utf-8")
    tables = re.findall(r"\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}", text[text.index("[item.") :])
    assert len(tables) > 80
    assert [table for table in tables if "source =" not in table] == []


def test_a_site_adds_replaces_and_leaves_out(tmp_path: Path) -> None:
    gone = ITEM.replace("towels]", "gloves]").replace('"linen"', '"linen"\noff = true', 1)
    supplies = load_supplies(written(tmp_path, ITEM + gone))
    names = [item.name for item in supplies.items]
    assert "towels" in names
    assert "gloves" not in names
    towels = supplies.items[supplies.index("towels")]
    assert towels.told.up_to is not None
    assert towels.told.up_to.of(99.0) == 300


def test_a_hospital_without_wards_has_no_need_of_what_only_wards_use(tmp_path: Path) -> None:
    text = 'name = "C"\nzone = "Europe/Paris"\nacuities = ["1", "2", "3", "4", "5"]\n' + ONE_AREA
    hospital = load_hospital(written(tmp_path, text))
    names = {item.name for item in load_supplies().within(hospital).items}
    assert "meals_salt_free" not in names
    assert {"cannulas", "red_cells", "meals_standard"} <= names
    assert len(load_supplies().within(load_hospital()).items) == len(load_supplies().items)


ONE_AREA = """
[units]
boxes = { fr = "Box", en = "Boxes", spaces = 4, treatment = true }
"""


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('"linen"\nfr', '"laundry_shop"\nfr', "must be one of catering, linen"),
        ("rate = 0.05", "rate = -1", "0 or more"),
        ('where = "wards", ', "", "must be ed, wards, hospital or a ward's name"),
        ('per = "patient_hour", where = "wards"', 'per = "arrival", where = "ed"', "where must not be given"),
        ("count = 300", "count = 300, hours = 3", "one of count, hours and times, but has count, hours"),
        ('at = ["7:00"]', 'at = ["25:00"]', "a time of day must be like 7:30, but is '25:00'"),
        ('deliveries = { at = ["7:00"], source = "the linen room" }', "", "must have one of deliveries, kitchen"),
        ('en = "Towels"', 'en = "Towels"\ncolour = "white"', "unknown key"),
        ("day_cv = 0.1", 'day_cv = 0.1, spred = "x"', "unknown key"),
        ("rate = 0.05", 'rate = 0.05, hours = { "6-12" = 2.0 }', "must cover each hour of the day once"),
        ('per = "patient_hour"', 'per = "serving"', "needs per serving do not go with deliveries"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_rule(tmp_path: Path, old: str, new: str, rule: str) -> None:
    assert old in ITEM
    said = refused(tmp_path, ITEM.replace(old, new, 1))
    assert rule in said
    assert "supplies.toml:" in said
    assert "item.towels" in said
