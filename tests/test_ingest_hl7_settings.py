"""A site's settings: checked when they are read, and told in the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ingest.errors import ConfigurationError
from ingest.hl7_reasons import IGNORED, REASONS
from ingest.hl7_settings import Hl7Settings, Hl7Source, field_of, load_settings, parse_settings
from ingest.mapping import SHIPPED
from tests.hl7_messages import SETTINGS, settings

README = (Path(__file__).parents[1] / "ingest" / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("\n## HL7\n") : README.index("\n## Sources\n")]


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("hl7*.toml")), ids=lambda path: path.stem)
def test_the_shipped_settings_are_sound(path: Path) -> None:
    assert load_settings(path).source.format == "hl7"


def test_the_example_of_the_readme_is_sound() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", SECTION, flags=re.DOTALL)
    assert set(parse_settings(example).model_fields_set) == set(Hl7Settings.model_fields)


@pytest.mark.parametrize("name", [*Hl7Settings.model_fields, *Hl7Source.model_fields, *IGNORED, *REASONS])
def test_the_readme_tells_every_key_rule_and_reason(name: str) -> None:
    assert re.search(rf"\b{name}\b", SECTION), f"{name} is not told"


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_settings(text, place="m.toml")
    return list(caught.value.faults)


def test_every_fault_is_told_with_its_line() -> None:
    wrong = SETTINGS.replace("Europe/Paris", "Paris").replace('"PV1-36"', '"PV1"') + "unknown = 1\n"
    found = "\n".join(faults(wrong))
    assert "m.toml:6: source.zone: must be an IANA zone such as Europe/Paris, but is 'Paris'" in found
    assert 'must be a field such as "PV1-36" or "ZTR-3.2", but is \'PV1\'' in found
    assert "mode.unknown: unknown key" in found


def test_a_word_must_be_one_of_the_vocabulary_and_a_code_one_place() -> None:
    assert "acuity.values.1: must be one of 1, 2, 3, 3A, 3B, 4, 5, but is '9'" in faults(
        SETTINGS.replace('"1" = "1"', '"1" = "9"')
    )[0]  # fmt: skip
    both = SETTINGS.replace('SAUV = "sauv"', '"3101" = "boxes"')
    assert "units.areas.3101: must not be a code of a ward too" in faults(both)[0]


def test_without_values_the_words_are_the_vocabularys_own() -> None:
    plain = parse_settings(SETTINGS[: SETTINGS.index("[acuity]")])
    assert plain.meanings["destination"]["died"] == "died"
    assert settings().meanings["destination"] == {
        "8": "home", "6": "ward", "7": "transfer", "9": "died",
        "L": "left_without_being_seen", "M": "left_during_care",
    }  # fmt: skip


def test_a_field_is_a_segment_a_number_and_a_component() -> None:
    assert (field_of("PV1-36"), field_of("ZTR-3.2")) == (("PV1", 36, 1), ("ZTR", 3, 2))
    for text in ("PV1", "PV1-0", "pv1-3", "PV1-3.", "PV1-3-2"):
        with pytest.raises(ValueError, match="must be a field"):
            field_of(text)
