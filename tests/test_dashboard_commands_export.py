"""`edtwin export` as people use it: listed, written, refused in a sentence, and beside a house that runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from dashboard.house import open_house
from dashboard.settings import load_settings
from forecast.exports import TABLES
from tests.commands import Run, fabricated, ingested, kept, runs

PERIOD = ("--from", "2026-03-10T00:00Z", "--to", "2026-03-12T00:00Z")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ingested(fabricated(tmp_path_factory.mktemp("exported")))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runs(capsys)


def undescribed(told: Any) -> list[str]:
    """Columns without a type or a meaning."""
    return [c["name"] for table in told["tables"] for c in table["columns"] if not (c["type"] and c["meaning"])]


def test_the_list_tells_every_column_and_needs_no_data(run: Run, tmp_path: Path) -> None:
    told = run("export", "--list", "--json", "--data", tmp_path / "nothing").json
    assert [table["table"] for table in told["tables"]] == list(TABLES)
    assert undescribed(told) == []
    told["tables"][0]["columns"][0]["meaning"] = ""
    assert undescribed(told) == ["kind"]  # the mutant
    text = run("export", "--list").out
    assert [c.name for table in TABLES.values() for c in table.columns if f"  {c.name} " not in text] == []
    assert "only with --pseudonyms" in text


@pytest.mark.parametrize("name", ["visits", "census", "beds"])
def test_a_table_is_written_and_told(run: Run, data: Path, tmp_path: Path, name: str) -> None:
    file = tmp_path / "new" / f"{name}.parquet"
    told = run("export", name, *PERIOD, "--out", file, "--data", data, "--json").json
    table = pq.read_table(file)
    assert (told["table"], told["rows"], told["format"], told["pseudonyms"]) == (name, table.num_rows, "parquet", False)
    assert (told["from"], told["to"]) == ("2026-03-10T00:00:00+00:00", "2026-03-12T00:00:00+00:00")
    described = json.loads(Path(told["columns_file"]).read_text())
    assert [c["name"] for c in described["columns"]] == table.column_names
    assert table.num_rows > 100


def test_all_there_is_comes_where_no_period_is_named(run: Run, data: Path, tmp_path: Path) -> None:
    whole = run("export", "events", "--out", tmp_path / "e.csv", "--data", data)
    assert whole.status == 0, whole.err
    assert whole.out.startswith(f"{len(kept(data)):,} rows of events in")  # an extract that nothing was corrected in
    lines = (tmp_path / "e.csv").read_text().splitlines()
    assert len(lines) - 1 == int(whole.out.split(" ")[0].replace(",", ""))
    assert "visit" not in lines[0].replace('"', "").split(",")
    named = run("export", "events", "--out", tmp_path / "p.csv", "--pseudonyms", "--data", data)
    assert named.status == 0
    assert "visit" in (tmp_path / "p.csv").read_text().splitlines()[0]


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "no table": ((), "say which table, one of events, visits"),
    "a typo": (("visit", "--out", "v.csv"), "unknown table visit, likely a typo for visits; --list tells"),
    "nowhere": (("visits",), "say where with --out FILE, which ends in .parquet or .csv"),
    "no form": (("visits", "--out", "v.xlsx"), ".parquet or .csv, or --format say which, but is v.xlsx"),
    "two forms": (("visits", "--out", "v.csv", "--format", "parquet"), "--out must end as --format says, .parquet"),
    "backwards": (("visits", "--out", "v.csv", "--from", "2026-03-12", "--to", "2026-03-10"), "--from must lie before"),
    "elsewhere": (("visits", "--out", "v.csv", "--from", "2027-03-12"), "--from must lie before --to, 2026-03-"),
    "later": (("visits", "--out", "v.csv", "--from", "2027-03-12", "--to", "2027-04-01"), "visits must be asked for"),
    "not yet": (("scores", "--out", "s.csv"), "there is nothing of scores in"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(REFUSED))
def test_what_cannot_be_is_one_sentence_and_no_file(
    run: Run, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments, says = REFUSED[case]
    said = run("export", *arguments, "--data", data)
    assert said.status == 2
    assert says in said.err
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    said = run("export", "visits", *PERIOD, "--out", tmp_path / "file" / "v.csv", "--data", data)
    assert (said.status, "cannot be written" in said.err) == (2, True)


def test_beside_a_house_that_runs_it_says_who_holds_the_data(run: Run, data: Path, tmp_path: Path) -> None:
    with open_house(load_settings(None, data=data)):
        said = run("export", "visits", "--out", tmp_path / "v.csv", "--data", data)
    assert said.status == 2
    assert "is held by" in said.err
    assert "/api/v1" in said.err
    assert list(tmp_path.iterdir()) == []
