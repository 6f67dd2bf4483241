"""A mapping says what it means, or all that is wrong with it, each with its line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ingest.census_mapping import load_census_mapping
from ingest.configuration import parse
from ingest.errors import ConfigurationError, UnreadableInputError
from ingest.fhir_mapping import load_fhir_mapping
from ingest.long_mapping import LongMapping
from ingest.mapping import SHIPPED, find_mapping, load_mapping, parse_mapping
from ingest.mapping_parts import MILESTONES, Source
from ingest.places_mapping import load_places_mapping
from ingest.rejection import REASONS
from ingest.wide_mapping import WIDE_VALUES, Limits, WideMapping

WIDE = """\
[source]
name = "er"
format = "wide"
site = "north"
zone = "Europe/Paris"
[keys]
visit = "no"
[times]
arrived = "came"
departed = { column = "left", lag_min = 30 }
"""
LONG = """\
[source]
name = "er"
format = "long"
site = "north"
zone = "Europe/Paris"
[keys]
visit = "no"
[time]
column = "when"
[activity]
column = "what"
[activity.events]
Came = "Arrived"
"""


OTHERS: dict[str, Any] = {"fhir": load_fhir_mapping, "census": load_census_mapping, "places": load_places_mapping}


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_mapping(text, place="m.toml")
    return list(caught.value.faults)


def of_extracts() -> list[Path]:
    """The shipped mappings that are for extracts; those of messages have tests of their own."""
    stated = re.compile(r'^format = "(wide|long)"', re.MULTILINE)
    return sorted(path for path in SHIPPED.glob("*.toml") if stated.search(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", of_extracts(), ids=lambda path: path.stem)
def test_the_shipped_mappings_are_sound(path: Path) -> None:
    stated = tomllib.loads(path.read_text())["source"]["format"]
    assert OTHERS.get(stated, load_mapping)(path).source.format == stated


def test_a_shipped_mapping_is_found_by_its_name_and_any_other_by_its_path(tmp_path: Path) -> None:
    assert find_mapping("sepsis") == SHIPPED / "sepsis.toml"
    own = tmp_path / "own.toml"
    own.write_text(WIDE)
    assert find_mapping(str(own)) == own
    with pytest.raises(UnreadableInputError, match=r"nor one of the shipped mappings edtwin_wide, .*sepsis"):
        find_mapping("nobody")


def test_a_bare_text_is_a_column() -> None:
    mapping = parse_mapping(WIDE)
    assert isinstance(mapping, WideMapping)
    assert list(mapping.times.mapped()) == ["arrived", "departed"]
    assert mapping.columns() == ("no", "came", "left")
    assert mapping.times.arrived.lag_min is None


def test_a_bare_text_is_a_kind_of_event() -> None:
    mapping = parse_mapping(LONG)
    assert isinstance(mapping, LongMapping)
    assert mapping.activity.events["Came"].kinds() == ("Arrived",)
    assert mapping.columns() == ("no", "when", "what")


def test_all_faults_come_at_once_each_with_its_line() -> None:
    text = WIDE.replace("Europe/Paris", "Mars/Olympus").replace('visit = "no"', 'visits = "no"') + "lag = 3\n"
    told = faults(text)
    assert len(told) == 4, told
    assert any(t.startswith("m.toml:5: source.zone: must be an IANA zone") for t in told)
    assert any(t.startswith("m.toml:7: keys.visits: unknown key, likely a typo for visit") for t in told)
    assert any("keys.visit: is missing" in t for t in told)
    assert any(t.startswith("m.toml:11: times.lag: unknown key") for t in told)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('[classes.acuity]\ncolumn = "c"\n', "m.toml:12: classes.acuity.column: needs a time for triaged"),
        ('[classes.acuity]\ncolumn = "c"\nknown_from = "seen"\n', "m.toml:13: classes.acuity.known_from: must be"),
        ('[classes.sex]\ncolumn = "c"\n[classes.sex.values]\nF = "woman"\n', "m.toml:14: classes.sex.values.F: must"),
        ('[ward]\ncolumn = "c"\n', "m.toml:11: ward.values: must list the units by name"),
        ('[ward]\ncolumn = "c"\nvalues = {a = "a"}\nknown_from = "arrived"\n', "ward.known_from: must be departed"),
        ('[destination]\ncolumn = "c"\nknown_from = "arrived"\n', "m.toml:13: destination.known_from: must be"),
        ('[destination]\ncolumn = "c"\nvalues = {R = "away"}\n', "destination.values.R: must be one of home, ward"),
        ('triaged = { column = "t", known_from = "arrived" }\n', "triaged.known_from: must be a milestone after tri"),
        ('triaged = { column = "t", known_from = "seen" }\n', "triaged.known_from: must be a milestone that has"),
        ("[limits]\nstay_h = -1\n", "m.toml:12: limits.stay_h: must be more than 0, but is -1"),
    ],
)  # fmt: skip
def test_a_wide_mapping_that_contradicts_itself_is_told(more: str, told: str) -> None:
    found = faults(WIDE + more)
    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            'Went = "Vanished"\n',
            "m.toml:14: activity.events.Went: must be a kind of visit event or ignore, but is 'Vanished'",
        ),
        ('Went = "BedsCounted"\n', "must be a kind of visit event or ignore"),
        ('Went = { event = "Departed", then = "LeftWard" }\n', "must give `event`, or `first` and `then`"),
        ('Went = { first = "Departed", to = "home" }\n', "must give `event`, or `first` and `then`"),
        ('Went = { event = "Departed", to = "away" }\n', "activity.events.Went.to: must be one of home, ward"),
        ('Went = { event = "Departed", acuity = "1" }\n', "activity.events.Went.acuity: is not a field of Departed"),
        ('Went = "Moved"\n', "needs `unit`, without which there is no Moved"),
        ('Went = { event = "Moved", unit = { column = "u" } }\n', "must list the words that may be kept"),
    ],
)
def test_a_long_mapping_that_contradicts_itself_is_told(more: str, told: str) -> None:
    found = faults(LONG + more)
    assert len(found) == 1, found
    assert told in found[0]


@pytest.mark.parametrize("text", [WIDE, LONG], ids=["wide", "long"])
def test_no_feed_bears_the_name_of_what_people_say_on_the_pages(text: str) -> None:
    [fault] = faults(text.replace('name = "er"', 'name = "board"'))
    assert fault.startswith("m.toml:2: source.name: ")
    assert "must not be board" in fault
    parse_mapping(text.replace('name = "er"', 'name = "boards"'), place="m.toml")


def test_a_check_that_stops_at_the_first_fault_would_be_found_out() -> None:
    """Mutant: the model alone, without the rules between fields, lets a contradiction pass."""

    class Lenient(WideMapping):
        def faults(self):  # type: ignore[no-untyped-def]
            return iter(())

    wrong = WIDE + '[ward]\ncolumn = "c"\n'
    assert parse(wrong, Lenient, place="m.toml").ward is not None
    assert len(faults(wrong)) == 1


def test_the_stated_format_must_be_the_mappings_own() -> None:
    with pytest.raises(UnreadableInputError, match="is for wide extracts, not for long"):
        parse_mapping(WIDE, expected="long")


def test_an_unreadable_mapping_and_bad_toml_are_told(tmp_path: Path) -> None:
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
    assert "not valid TOML" in faults("[source\n")[0]


def test_an_extract_time_must_say_its_offset() -> None:
    told = faults(WIDE.replace("[keys]", "extracted_at = 2026-03-01T06:00:00\n[keys]"))
    assert "must say its offset" in told[0]


# ------------------------------------------------------------------------------------------------- the README's word


def readme() -> str:
    """The section on extracts."""
    text = (SHIPPED.parent / "README.md").read_text(encoding="utf-8")
    return text[text.index("## Extracts") : text.index("## Sources")]


def test_the_examples_of_the_readme_are_sound() -> None:
    wide, long = re.findall(r"```toml\n(.*?)```", readme(), flags=re.DOTALL)[:2]
    assert isinstance(parse_mapping(wide), WideMapping)
    assert isinstance(parse_mapping(LONG[: LONG.index("[keys]")] + long), LongMapping)


@pytest.mark.parametrize(
    "name", [*REASONS, *MILESTONES, *WIDE_VALUES, *Source.model_fields, *Limits.model_fields, "known_from", "recorded"]
)
def test_the_readme_tells_every_key_and_every_reason(name: str) -> None:
    assert re.search(rf"\b{name}\b", readme()), f"{name} is not told"
