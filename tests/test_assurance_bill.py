"""The bill of materials: valid CycloneDX, whole, and the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.assurance.bill import bill, write_bill
from tests.assurance.epoch import SETTING, source_date_epoch
from tests.assurance.locks import ROOT, Pin, runtime_pins

EPOCH = 1_790_000_000
FLASK = Pin("flask", "3.1.3", None, ("a" * 64,), ("edtwin",))
CLICK = Pin("click", "8.5.1", "python_full_version < '3.15'", ("b" * 64, "c" * 64), ("flask",))


def left_out(pins: tuple[Pin, ...], text: str) -> list[str]:
    """The pins that a bill does not hold: package, version and every hash."""
    held = {
        (part["name"], part["version"], tuple(h["content"] for h in part["externalReferences"][0]["hashes"]))
        for part in json.loads(text)["components"]
    }
    return [pin.name for pin in pins if (pin.name, pin.version, tuple(sorted(pin.hashes))) not in held]


def test_the_bill_names_every_locked_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(SETTING, str(EPOCH))
    path = write_bill(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert path.name == "edtwin-0.1.0.cdx.json"
    assert left_out(runtime_pins(), text) == []
    assert text == write_bill(tmp_path / "again").read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_a_bill_without_a_package_is_seen() -> None:
    pins = runtime_pins()
    text = bill(pins[1:], {}, version="1", epoch=EPOCH)
    assert left_out(pins, text) == [pins[0].name]
    forged = text.replace(pins[1].hashes[0], "0" * 64)
    assert left_out(pins[1:], forged) == [pins[1].name]


def test_a_bill_says_who_needs_what_and_under_which_licence() -> None:
    made = json.loads(bill((CLICK, FLASK), {"click": "BSD-3-Clause"}, version="1.2", epoch=EPOCH))
    click, flask = made["components"]
    assert made["metadata"]["component"]["version"] == "1.2"
    assert made["metadata"]["timestamp"] == "2026-09-21T14:13:20+00:00"
    assert made["dependencies"] == [
        {"ref": "click==8.5.1"},
        {"dependsOn": ["flask==3.1.3"], "ref": "edtwin"},
        {"dependsOn": ["click==8.5.1"], "ref": "flask==3.1.3"},
    ]
    assert click["licenses"][0]["license"]["id"] == "BSD-3-Clause"
    assert click["properties"] == [{"name": "edtwin:installed-where", "value": "python_full_version < '3.15'"}]
    assert "licenses" not in flask


def test_a_build_has_the_time_of_its_commit_or_says_that_it_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(SETTING, "12")
    assert source_date_epoch() == 12
    monkeypatch.setenv(SETTING, "noon")
    with pytest.raises(ValueError, match="whole seconds since 1970, but is 'noon'"):
        source_date_epoch()
    monkeypatch.delenv(SETTING)
    if (ROOT / ".git").exists():
        assert source_date_epoch() > EPOCH
    monkeypatch.setattr("tests.assurance.epoch.ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ValueError, match="must be set where there is no git commit"):
        source_date_epoch()
