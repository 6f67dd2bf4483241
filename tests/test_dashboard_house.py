"""What every command works on: the data held, the hospital, the scenarios, the secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.errors import CommandError
from dashboard.house import DATABASE, SECRET, open_house, require_data
from dashboard.settings import Settings
from ingest.errors import ConfigurationError, DatabaseHeldError, SecretError
from tests.logs import departed, tell
from twin.errors import ScenarioError
from twin.hospital import DEFAULT


def test_an_open_house_has_its_log_archive_hospital_and_scenarios(tmp_path: Path) -> None:
    with open_house(Settings(data=tmp_path, members=7, horizon_h=3.0)) as house:
        assert house.log.span() is None
        assert house.archive.issued_near(house.clock.now()) is None
        assert (house.hospital.name, house.own_hospital) == ("CHU", False)
        assert [s.name for s in house.scenarios()] == list(Settings().wall_scenarios)
        assert [s.name for s in house.scenarios(("arrivals_up_20",))] == ["arrivals_up_20"]
        assert (house.run().members, house.run().horizon_min) == (7, 180.0)


def test_the_data_are_held_until_the_house_is_closed(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with open_house(settings), pytest.raises(DatabaseHeldError), open_house(settings):
        pass
    with open_house(settings):
        pass


def test_what_was_told_is_there_the_next_time(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with open_house(settings) as house:
        tell(house.log, departed("a"))
    with open_house(settings) as house:
        assert house.log.length() == 1


def test_the_secret_is_made_with_the_first_event_and_never_again(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    with open_house(settings) as house:
        first = house.pseudonyms().one("visit", "1")
        assert house.pseudonyms().one("visit", "1") == first
        tell(house.log, departed("a"))
        (tmp_path / SECRET).unlink()
        with pytest.raises(SecretError):
            house.pseudonyms()


def test_a_site_has_its_own_hospital_and_scenarios(tmp_path: Path) -> None:
    (tmp_path / "h.toml").write_text(DEFAULT.read_text(encoding="utf-8").replace('name = "CHU"', 'name = "Valmont"'))
    (tmp_path / "s.toml").write_text('[scenario.mine]\nfr = "x"\nen = "x"\ncapacity = [{ pool = "doctor", add = 1 }]')
    settings = Settings(
        data=tmp_path, hospital=tmp_path / "h.toml", scenarios=tmp_path / "s.toml", wall_scenarios=("as_usual", "mine")
    )
    with open_house(settings) as house:
        assert (house.hospital.name, house.own_hospital) == ("Valmont", True)
        assert [s.name for s in house.scenarios()] == ["as_usual", "mine"]


def test_faults_of_files_are_told_before_the_data_are_touched(tmp_path: Path) -> None:
    (tmp_path / "h.toml").write_text("beds = 1")
    (tmp_path / "s.toml").write_text('[scenario.mine]\nfr = "x"\nen = "x"\ncapacity = [{ pool = "docter", add = 1 }]')
    data = tmp_path / "data"
    for settings, error in (
        (Settings(data=data, hospital=tmp_path / "h.toml"), ConfigurationError),
        (Settings(data=data, scenarios=tmp_path / "s.toml"), ScenarioError),
        (Settings(data=data, wall_scenarios=("as_usual", "no_such")), ScenarioError),
    ):
        with pytest.raises(error), open_house(settings):
            pass
    assert not data.exists()


def test_a_folder_without_data_is_said_so_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no data"):
        require_data(Settings(data=tmp_path / "d"))
    assert not (tmp_path / "d").exists()
    (tmp_path / DATABASE).touch()
    assert require_data(Settings(data=tmp_path)).data == tmp_path
