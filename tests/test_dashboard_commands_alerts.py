"""`edtwin alerts`: the shipped rules checked, a faulty file told line by line, the log listed, rules set and kept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dashboard import mending
from dashboard.__main__ import main
from dashboard.commands import alerts as module
from dashboard.house import DATABASE, SCHEMAS
from forecast.alert_budget import OWN, Trial
from forecast.alert_log import AlarmLog, Entry
from forecast.alert_settings import AlertSettings
from forecast.archive import SCHEMA_SQL as FORECAST_SQL
from ingest.database import Database
from tests.alert_worlds import NOON, RULES
from tests.test_forecast_alert_budget import DAILY, forecaster, trial


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of a small hospital, ingested."""
    folder = tmp_path_factory.mktemp("alerts")
    extract = folder / "f.csv"
    made = [
        "fabricate",
        "--days",
        "2",
        "--seed",
        "3",
        "--size",
        "small",
        "--start",
        "2026-03-01",
        "--out",
        str(extract),
    ]
    assert main(made) == 0
    into = ["--format", "wide", "--mapping", "edtwin_wide", "--data", str(folder / "d")]
    assert main(["ingest", str(extract), *into]) == 0
    return folder / "d"


def test_the_shipped_rules_are_sound_and_tell_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "check", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rules"] == ["crowded", "boarders", "unseen", "short_stay_full", "wards_full"]
    assert told["recipients"] == {}


def test_a_file_of_ones_own_says_who_is_told_in_which_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text(RULES)
    assert main(["alerts", "check", str(tmp_path / "a.toml")]) == 0
    said = "crowded: ed_census over 60.0, from 0.4 on; tells shift, then manager and hub\n"
    assert capsys.readouterr().out == said


FAULTY = """
tell = [["nobody"]]
[rule.full]
fr = "x"
en = "y"
measure = "ed_cencus"
over = "q95"
p_watch = 0.9
[rule.both]
fr = "x"
en = "y"
measure = "ed_census"
over = 3
under = 2
[recipient.far]
webhook = "http://hub.example/x"
[recipient.mail]
email = "a@b.example"
"""


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.toml").write_text(FAULTY)
    assert main(["alerts", "check", str(tmp_path / "a.toml")]) == 2
    said = capsys.readouterr().err
    for part in (
        "a.toml:2: tell: names nobody, who is no recipient", "a.toml:6: rule.full.measure: must be one of ed_census",
        'a.toml:7: rule.full.over: must be a number, "spaces", or a share',
        "rule.full.p_watch: must be p_alert (0.4) or less",
        "rule.both.over: exactly one of over and under", "recipient.far.webhook: must be https beyond this machine",
        "recipient.far.secret_file: must be given for a webhook", "mail: must be given where a recipient has an e-mail",
    ):  # fmt: skip
        assert part in said, part


def test_a_house_with_a_faulty_file_does_not_begin(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.toml").write_text(FAULTY)
    (tmp_path / "c.toml").write_text('alerts = "a.toml"\n')
    assert main(["alerts", "list", "--data", str(data), "--config", str(tmp_path / "c.toml")]) == 2
    assert "rule.full.measure" in capsys.readouterr().err


def test_the_log_is_listed(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Database.open(data / DATABASE, SCHEMAS) as database:
        AlarmLog(database).add(
            [Entry(NOON, "crowded-1", "crowded", "raised", "alert", "shift", told={"en": "4 in 10"})]
        )
    assert main(["alerts", "list", "--data", str(data)]) == 0
    assert capsys.readouterr().out == "2026-11-24 11:00  crowded-1  raised  alert  shift  4 in 10\n"
    assert main(["alerts", "list", "--data", str(data), "--json"]) == 0
    [line] = json.loads(capsys.readouterr().out)["log"]
    assert (line["what"], line["noted_at"], line["told"]) == ("raised", NOON.isoformat(), {"en": "4 in 10"})


def test_rules_that_are_set_are_printed_and_kept(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = trial(forecaster(1.0), DAILY)
    short = whole.part(whole.said_min[0], whole.said_min[48])
    asked: list[Any] = []

    def tried(*given: Any, **_: Any) -> dict[str, Trial]:
        asked.append(given[4])
        return {"crowded": whole, "boarders": short}

    monkeypatch.setattr(module, "trials", tried)
    assert main(["alerts", "set", "--days", "9", "--members", "7", "--data", str(data)]) == 0
    said = capsys.readouterr().out
    assert "At this setting, in 60 days: 0 false alarms a week, 6\xa0h\xa000 notice, 20 of 20 events." in said
    assert "boarders: too few days or events to be set" in said
    assert (asked[0].how.members, (asked[0].last_at - asked[0].first_at).days) == (7, 9)
    with Database.open(data / DATABASE, SCHEMAS) as database:
        assert AlertSettings(database).settings["crowded"].own.name == OWN


def test_days_must_be_given_as_some(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alerts", "set", "--days", "0", "--data", str(data)]) == 2
    assert "--days must be 1 or more, but is 0" in capsys.readouterr().err


def test_a_database_made_anew_keeps_every_table_that_no_journal_holds() -> None:
    """Alarms too: a new table of forecasts that is forgotten here would be lost in a rebuild."""
    made = re.findall(r"CREATE TABLE (\w+)", FORECAST_SQL.read_text(encoding="utf-8"))
    assert set(mending.ARCHIVE) == set(made)
