"""TOML into checked values: every fault at once, each with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import Field

from ingest.configuration import Checked, load, parse
from ingest.errors import ConfigurationError, UnreadableInputError


class Unit(Checked):
    name: str
    capacity_beds: int = Field(ge=0)
    open_share: float = 1.0


class House(Checked):
    zone: str
    unit: tuple[Unit, ...] = ()
    limits: dict[str, float] = Field(default_factory=dict)
    main: Unit | None = None


GOOD = """
zone = "Europe/Paris"
[[unit]]
name = "medicine"
capacity_beds = 30
[[unit]]
name = "surgery"
capacity_beds = 20
[limits]
stay_h = 72
"""


def test_a_file_is_read_into_a_frozen_value(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_text(GOOD, encoding="utf-8")
    house = load(file, House)
    assert house == parse(GOOD, House, place="text")
    assert [u.capacity_beds for u in house.unit] == [30, 20]
    assert house.limits == {"stay_h": 72.0}
    with pytest.raises(ValueError, match="frozen"):
        house.zone = "UTC"  # type: ignore[misc]


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as told:
        parse(text, House, place="house.toml")
    assert str(told.value).splitlines() == list(told.value.faults)
    return told.value.faults


def test_all_faults_are_told_at_once_each_with_its_line() -> None:
    text = (
        '\n# a house\n[[unit]]\nname = "m"\ncapacity_beds = 3\n[[unit]]\nname = 5\ncapacity_beds = -2\nopen_shore = 1\n'
    )
    assert faults_of(text) == (
        "house.toml:1: zone: is missing",
        'house.toml:7: unit.1.name: must be a text in "quotes", but is 5',
        "house.toml:8: unit.1.capacity_beds: must be 0 or more, but is -2",
        "house.toml:9: unit.1.open_shore: unknown key, likely a typo for open_share; "
        "allowed keys are name, capacity_beds, open_share",
    )


def test_an_unknown_key_comes_with_the_likely_one_and_the_allowed() -> None:
    (fault,) = faults_of('zone = "UTC"\n[main]\nname = "m"\ncapacity_bed = 1\ncapacity_beds = 1\n')
    assert fault.startswith(
        "house.toml:4: main.capacity_bed: unknown key, likely a typo for capacity_beds; allowed keys are"
    )
    (fault,) = faults_of('zone = "UTC"\nzon = 1\n')
    assert fault == "house.toml:2: zon: unknown key, likely a typo for zone; allowed keys are zone, unit, limits, main"


def test_what_is_not_toml_is_one_fault() -> None:
    (fault,) = faults_of("zone = \n")
    assert fault.startswith("house.toml: not valid TOML: ")


def test_a_file_that_cannot_be_read_is_told_with_its_path(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes('zone = "été"'.encode("latin-1"))
    for path in (tmp_path / "absent.toml", tmp_path, latin):
        with pytest.raises(UnreadableInputError, match=f"^{path} cannot be read: "):
            load(path, House)


def test_keys_in_quotes_and_dotted_keys_have_their_line() -> None:
    (fault,) = faults_of('zone = "UTC"\n\nlimits."stay h" = "long"\n')
    assert fault.startswith("house.toml:3: limits.stay h: must be a number")
    (fault,) = faults_of('zone = "UTC"\nmain.name = "m"\nmain.capacity_beds = "many"\n')
    assert fault.startswith("house.toml:3: main.capacity_beds: must be a whole number")
