"""`edtwin ingest` of RPU, FHIR, aggregate counts and templates: the account, and what it says of bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboard.house import DATABASE
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.log import EventLog
from ingest.mapping import find_mapping
from tests.commands import Said
from tests.extracts import written
from tests.fhirs import at, bundle, encounter
from tests.test_ingest_rpu import WHOLE, xml

EXAMPLES = Path(__file__).parent.parent / "ingest" / "templates"
HOURS = (
    "ts_local,site_id,stretchers_functional,stretchers_occupied,stretcher_over_24h,stretcher_over_48h,"
    "patients_total,patients_waiting"
)


@pytest.fixture
def ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    data = ("--data", tmp_path / "data")

    def run(file: Path, form: str, mapping: object, *more: object) -> Said:
        return Said(["ingest", file, "--format", form, "--mapping", mapping, *more, *data], capsys)

    return run


def files(folder: Path) -> dict[str, Path]:
    """A good file of each format."""
    resources = folder / "r.json"
    resources.write_text(json.dumps(bundle("collection", encounter(period={"start": at("10:00")}), encounter("gone"))))
    rows = [f"2024-03-02 {h:02d}:00,51221703,20,18,3,1,{40 + h},9" for h in (0, 1, 4)]
    rows.append("2024-03-02 05:00,51221703,,,,,,")
    return {
        "rpu": xml(folder, WHOLE),
        "fhir": resources,
        "census": written(folder, HOURS, *rows, name="h.csv"),
        "places": EXAMPLES / "roster.csv",
    }


MAPPINGS = {"rpu": "rpu", "fhir": "fhir", "census": "quebec", "places": "places"}
ACCOUNTS = {"rpu": (1, 1, 0, 0, 0), "fhir": (2, 1, 0, 0, 1), "census": (4, 3, 0, 1, 0), "places": (5, 5, 0, 0, 0)}


@pytest.mark.parametrize("form", MAPPINGS)
def test_each_format_is_accounted_for_and_twice_is_nothing_new(
    tmp_path: Path, ingest: Callable[..., Said], form: str
) -> None:
    file = files(tmp_path)[form]
    for expected in (ACCOUNTS[form], (ACCOUNTS[form][0], 0, ACCOUNTS[form][1], *ACCOUNTS[form][3:])):
        said = ingest(file, form, MAPPINGS[form], "--json")
        assert said.status == 0, said.err
        account = json.loads(said.out)
        assert tuple(account[name] for name in ("read", "stored", "duplicate", "ignored", "rejected")) == expected
        assert account["rejected"] == sum(account["reasons"].values())


def test_gaps_and_frozen_runs_are_told(tmp_path: Path, ingest: Callable[..., Said]) -> None:
    file = files(tmp_path)["census"]
    account = json.loads(ingest(file, "census", "quebec", "--json").out)
    (gap,) = account["gaps"].pop("longest")
    assert account["gaps"] == {"stretches": 1, "readings": 2}
    assert gap == {
        "since": "2024-03-02T07:00:00+00:00", "until": "2024-03-02T09:00:00+00:00", "readings": 2, "series": 1,
    }  # fmt: skip
    assert account["frozen"] == {"runs": 0, "readings": 0, "longest": []}
    text = ingest(file, "census", "quebec").out
    assert "4 rows read = 0 stored + 3 duplicate + 1 ignored + 0 rejected" in text
    assert "gaps: 2 readings missing, in 1 stretches" in text


@pytest.mark.parametrize("form", MAPPINGS)
@pytest.mark.parametrize("fault", ["unknown key", "another format", "no such file", "unreadable", "wrong column"])
def test_bad_input_is_said_in_a_line_with_status_2_and_nothing_is_stored(
    tmp_path: Path, ingest: Callable[..., Said], form: str, fault: str
) -> None:
    file, mapping = files(tmp_path)[form], tmp_path / "m.toml"
    text = find_mapping(MAPPINGS[form]).read_text()
    if fault == "unknown key":
        text = text.replace("[source]\n", "[source]\nnmae = 1\n", 1)
    if fault == "another format":
        text = text.replace(f'format = "{form}"', 'format = "hl8"')
    mapping.write_text(text)
    if fault == "no such file":
        file = tmp_path / "none"
    if fault == "unreadable":
        file = tmp_path / "x"
        file.write_bytes(b"\x00\xff\xfe\x01" * 10)
    if fault == "wrong column":
        file = tmp_path / "x"
        file.write_text("alpha;beta,gamma\n1;2,3\n")
    said = ingest(file, form, mapping)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("edtwin")
    assert len(said.err.strip().splitlines()) == (8 if (form, fault) == ("census", "wrong column") else 1), said.err
    assert not (tmp_path / "data" / DATABASE).exists() or _rows(tmp_path / "data") == 0


def _rows(data: Path) -> int:
    with Database.open(data / DATABASE) as database:
        return EventLog(database, SimulatedClock(datetime(2027, 1, 1, tzinfo=UTC))).length()


@pytest.mark.parametrize(
    ("form", "mapping"), [("fhir", "quebec"), ("census", "rpu"), ("wide", "places"), ("rpu", "sepsis")]
)
def test_a_mapping_of_another_format_is_one_sentence(
    tmp_path: Path, ingest: Callable[..., Said], form: str, mapping: str
) -> None:
    said = ingest(EXAMPLES, form, mapping)
    assert said.status == 2
    assert said.err.endswith(f"extracts, not for {form}\n")
    assert len(said.err.splitlines()) == 1


def test_an_impossible_date_of_the_command_is_said(tmp_path: Path, ingest: Callable[..., Said]) -> None:
    said = ingest(files(tmp_path)["rpu"], "rpu", "rpu", "--extracted-at", "2026-02-30")
    assert said.status == 2
    assert "an instant must be like 2026-03-29T14:00+02:00, but is '2026-02-30'" in said.err


def test_a_settings_file_turns_fhir_on_as_a_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "edtwin.toml"
    config.write_text('fhir_mapping = "m.toml"\n')
    said = Said(["up", "--config", config, "--data", tmp_path / "d"], capsys)
    assert said.status == 2
    assert "fhir_mapping and fhir_token must be given together, or not at all" in said.err
