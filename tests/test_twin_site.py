"""A site in one file: completed by the shipped defaults, all its faults at once, and only its own."""

from __future__ import annotations

from pathlib import Path as FilePath

import pytest

from ingest.errors import ConfigurationError, UnreadableInputError
from tests.histories import fingerprint
from twin import site as site_module
from twin.defaults import DEFAULT as PARAMETERS
from twin.hospital import DEFAULT as HOSPITAL
from twin.hospital import load_hospital
from twin.pathway import TABLES
from twin.site import load_site, site_from

OWN_PATH = """
[stage.counter]
fr = "Guichet"
en = "Counter"
comes = "Arrived"
needs = "doctor"
starts = "SeenByProvider"
lasts = "talk"
then = { gone = 1.0 }
[stage.gone]
starts = "Departed"
to = "home"
[durations]
talk = { law = "fixed", value = 12, unit = "min", source = "our own count" }
"""


def faults_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        site_from(text, place="site.toml")
    return caught.value.faults


def test_without_a_file_a_site_is_the_shipped_one() -> None:
    site = load_site()
    assert (site.hospital, site.own, site.lacks) == (load_hospital(), frozenset(), ())
    assert site.path is not None
    assert site.path.name == "full"
    assert site.parameters is not None
    assert not site.own_units


def test_the_shipped_files_one_after_the_other_are_a_site() -> None:
    """Any of them, pasted into the file, reads as it does alone."""
    told = [file.read_text(encoding="utf-8") for file in (HOSPITAL, TABLES["full"], PARAMETERS)]
    hospital, stages, parameters = told[0], told[1].replace('name = "full"', ""), told[2]
    whole = site_from(f"{hospital}\n{stages}\n{parameters}")
    shipped = load_site()
    assert whole.hospital == shipped.hospital
    assert whole.path
    assert shipped.path
    assert whole.path.stages == shipped.path.stages
    numbers = [{k: v for k, v in vars(s.parameters).items() if k != "learned"} for s in (whole, shipped)]
    assert fingerprint(numbers[0]) == fingerprint(numbers[1])
    assert whole.own_units
    assert whole.path.name == "own"


def test_what_a_file_leaves_out_is_the_shipped_default() -> None:
    site = site_from('[arrivals.per_day]\nvalue = 110\nunit = "visits/day"\nsource = "our own count"\n[planned]\n')
    shipped = load_site()
    assert site.parameters
    assert shipped.parameters
    assert [stream.name for stream in site.parameters.streams] == ["emergency", "request:imaging", "request:laboratory"]
    half, whole = site.parameters.streams[0].per_hour, shipped.parameters.streams[0].per_hour
    assert half == pytest.approx(whole / 2)
    assert fingerprint(site.parameters.durations) == fingerprint(shipped.parameters.durations)
    assert site.hospital == shipped.hospital
    assert not site.own_units


def test_a_path_of_its_own_is_taken_with_its_own_durations() -> None:
    site = site_from(OWN_PATH)
    assert site.path
    assert site.parameters
    assert (site.path.name, site.path.names) == ("own", ("counter", "gone"))
    assert float(site.parameters.durations["talk"].mean_min().mean()) == pytest.approx(12)


def test_a_shipped_path_is_taken_by_name() -> None:
    site = site_from('path = "stay"')
    assert site.path
    assert site.path.name == "stay"
    assert site.parameters is None
    assert site.lacks[0] == "durations.stay_home: path stay needs it, but it is missing"


FAULTY = """\
nme = "Valmont"
acuities = ["9"]
[units]
boxes = { fr = "Box", en = "Boxes", spaces = -3 }
[durations]
triage = { law = "fixed", value = "long", unit = "min", source = "set" }
[stage.counter]
comes = "Arrived"
need = "doctor"
"""
FAULTS = (
    "site.toml:1: nme: unknown key, likely a typo for name",
    "site.toml:2: acuities.0: must be '1', '2', '3', '3A', '3B', '4' or '5', but is '9'",
    "site.toml:4: units.boxes.spaces: must be 0 or more, but is -3",
    "site.toml:6: durations.triage.value: must be a number, but is 'long'",
    "site.toml:9: stage.counter.need: unknown key, likely a typo for needs; allowed keys are",
)


def all_told(found: tuple[str, ...]) -> bool:
    return len(found) == len(FAULTS) and all(f.startswith(told) for f, told in zip(found, FAULTS, strict=True))


def test_faults_of_every_part_are_told_at_once_each_with_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant, which gives up at the first part that is wrong, is seen."""
    assert all_told(faults_of(FAULTY))

    class GivesUp(site_module._Faults):
        def settle(self) -> None:
            self.found = self.found[:1]
            super().settle()

    monkeypatch.setattr(site_module, "_Faults", GivesUp)
    assert not all_told(faults_of(FAULTY))


def test_what_does_not_fit_together_is_told_at_once_too() -> None:
    text = OWN_PATH.replace('needs = "doctor"', 'needs = "docter"')
    assert faults_of(text) == ("site.toml:6: stage.counter.needs: unknown pool docter, likely a typo for doctor",)
    text = OWN_PATH.replace("talk = {", "speech = {") + (
        '[wanted.ward]\nunit = "share"\nsource = "set"\n[wanted.ward.by_age]\n'
        '"0-17" = { mars = 1.0 }\n"18-74" = { medicine = 1.0 }\n"75+" = { medicine = 1.0 }\n'
    )
    assert faults_of(text) == (
        "site.toml:19: wanted.ward.by_age.0-17: unknown ward mars",
        "site.toml:13: durations.talk: path own needs it, but it is missing",
    )
    assert faults_of(OWN_PATH.replace("talk = {", "speech = {")) == (
        "site.toml:13: durations.talk: path own needs it, but it is missing",
    )


def test_a_path_is_named_or_held_but_not_both() -> None:
    assert faults_of('path = "whole"') == ("site.toml:1: path: must be one of full, milestones, stay, but is 'whole'",)
    assert faults_of(f'path = "full"\n{OWN_PATH}') == (
        "site.toml:1: path: must not be given where the file has stages of its own ([stage.<name>])",
    )


def test_shipped_defaults_that_do_not_suit_a_site_are_no_fault_of_its_file() -> None:
    """A hospital of today's form with units of its own is read as it always was."""
    site = site_from(
        '[units]\nbay = { fr = "Baie", en = "Bay", spaces = 3 }\nwest = { fr = "O", en = "W", beds = 9 }\n'
    )
    assert [unit.name for unit in site.hospital.units] == ["bay", "west"]
    assert (site.path, site.parameters, site.own_units) == (None, None, True)
    assert "stage.reception.unit: unknown unit reception" in site.lacks[0]


WANTS = """
[stage.counter]
comes = "Arrived"
wants = "ward"
then = { lies = 1.0 }
[stage.lies]
unit = "wanted"
starts = "Departed"
to = "ward"
lasts = "ward_stay:wanted"
ends = "LeftWard"
[durations]
"ward_stay:west" = { law = "exponential", mean = 5, unit = "d", source = "our own count" }
"""
WEST = '[units]\nwest = { fr = "O", en = "W", beds = 9 }\n'


def test_wards_of_its_own_under_a_path_of_its_own_say_which_shares_they_lack() -> None:
    site = site_from(WEST + WANTS)
    assert site.path is not None
    assert site.parameters is None
    assert "wanted.ward.by_age.75+: unknown ward geriatrics" in site.lacks
    assert not [lack for lack in site.lacks if "surgical" in lack]


def test_shipped_shares_that_its_path_never_asks_for_are_no_fault() -> None:
    """Nor are patients by appointment and what wards ask for, where nothing of the path takes them in."""
    site = site_from(WEST + OWN_PATH)
    assert site.lacks == ()
    assert site.parameters is not None
    assert (list(site.parameters.wanted), len(site.parameters.streams)) == ([], 1)


@pytest.mark.parametrize(("text", "keeps"), [("", False), ("keeps_path = true", True), ("keeps_path = false", False)])
def test_a_site_may_keep_its_path(text: str, keeps: bool) -> None:
    assert site_from(text).keeps_path is keeps


def test_whether_it_keeps_it_is_true_or_false() -> None:
    assert faults_of('name = "CH"\nkeeps_path = "yes"') == (
        "site.toml:2: keeps_path: must be true or false, but is 'yes'",
    )


def test_a_file_that_cannot_be_read_is_said(tmp_path: FilePath) -> None:
    with pytest.raises(UnreadableInputError, match="cannot be read"):
        load_site(tmp_path / "missing.toml")
    (tmp_path / "bad.toml").write_text("name =")
    with pytest.raises(ConfigurationError, match=r"bad\.toml: not valid TOML"):
        load_site(tmp_path / "bad.toml")
