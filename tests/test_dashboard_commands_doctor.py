"""`edtwin doctor` explains the site: in both languages, as numbers, as a picture, and faults in plain words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dashboard.__main__ import main
from tests.path_views import CRAMPED, OTHER_WARDS


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Settings that name the site's file `s.toml`."""
    (tmp_path / "edtwin.toml").write_text('hospital = "s.toml"\nlanguage = "en"\n')
    return tmp_path / "edtwin.toml"


def doctor(capsys: pytest.CaptureFixture[str], *options: object, data: Path) -> tuple[int, str]:
    status = main(["doctor", "--data", str(data / "none"), *map(str, options)])
    return status, capsys.readouterr().out


def test_the_shipped_site_is_told_in_french_unless_asked_otherwise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, french = doctor(capsys, data=tmp_path)
    assert status == 0
    assert "\nLe parcours, étape par étape\n" in french
    assert "ok    paths: full (70 stages)" in french
    _, english = doctor(capsys, "--language", "en", data=tmp_path)
    assert "\nThe path, stage by stage\n  - Registration: everyone comes here, 220 a day." in english


def test_a_site_s_own_numbers_are_told_and_its_doubts_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, config: Path
) -> None:
    (tmp_path / "s.toml").write_text(CRAMPED)
    status, out = doctor(capsys, "--config", config, data=tmp_path)
    assert status == 0
    assert out.index("What is unusual or doubtful") < out.index("The hospital")
    assert "Volunteers: nobody queues for them, so their number changes nothing." in out
    assert "260 patients come to the emergency department on an average day." in out


def test_json_holds_the_sentences_and_the_numbers_behind_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, config: Path
) -> None:
    (tmp_path / "s.toml").write_text(CRAMPED)
    _, out = doctor(capsys, "--config", config, "--json", data=tmp_path)
    site: dict[str, Any] = json.loads(out)["site"]
    assert set(site) == {"arrivals_a_day", "planned_a_day", "sections", "stages", "stays", "loads", "doubts"}
    assert site["arrivals_a_day"] == 260
    assert site["sections"][0]["name"] == "doubts"
    stages = {stage["name"]: stage for stage in site["stages"]}
    assert stages["decision"]["waits_for"] == ["doctor"]
    assert sum(way["share"] for way in stages["decision"]["then"]) == pytest.approx(1, abs=1e-3)
    loads = {load["pool"]: load for load in site["loads"]}
    assert loads["imaging"]["share"] == pytest.approx(loads["imaging"]["asked"] / 1, rel=0.01)
    assert {"kind": "pool_never", "about": "volunteer", "share": None, "hours": None} in site["doubts"]


def test_the_path_is_drawn_into_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _ = doctor(capsys, "--picture", tmp_path / "out" / "path.svg", data=tmp_path)
    assert status == 0
    assert (tmp_path / "out" / "path.svg").read_text(encoding="utf-8").startswith("<svg ")


def test_a_site_that_is_not_whole_says_what_to_add_and_is_no_fault(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, config: Path
) -> None:
    (tmp_path / "s.toml").write_text(OTHER_WARDS)
    status, out = doctor(capsys, "--config", config, data=tmp_path)
    assert status == 0
    assert "ok    paths: milestones (18 stages), stay (12 stages); the site is not explained whole" in out
    assert "stage.reception.unit: unknown unit reception" in out


def test_faults_of_a_site_are_told_once_each_with_its_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, config: Path
) -> None:
    (tmp_path / "s.toml").write_text(
        CRAMPED.replace("value = 260", 'value = "many"').replace("always = 1", "always = -1")
    )
    status, out = doctor(capsys, "--config", config, data=tmp_path)
    assert status == 2
    assert "s.toml:3: arrivals.per_day.value: must be a number, but is 'many'" in out
    assert "s.toml:25: pools.imaging.always: must be 0 or more, but is -1" in out
    assert out.count("FAULT") == 1
