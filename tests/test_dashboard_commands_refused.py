"""Bad input on the command line: one clear sentence, and nothing stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard import house
from dashboard.house import DATABASE, SECRET
from ingest.database import Database
from tests.commands import LINE, OWN, WIDE, InThisProcess, Run, fabricated, ingested, kept, runs, wrong_beds
from twin.scenarios import DEFAULT as SCENARIOS


@pytest.fixture(autouse=True)
def simulated_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "Workers", InThisProcess)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fabricated(tmp_path_factory.mktemp("extract"))


@pytest.fixture(scope="module")
def data(extract: Path) -> Path:
    """The extract ingested. To be read only."""
    return ingested(extract)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    return runs(capsys)


@pytest.fixture
def folder(tmp_path: Path, extract: Path) -> Path:
    """Files that are not as they must be."""
    mapping = (Path(SCENARIOS).parents[1] / "ingest" / "mappings" / "edtwin_wide.toml").read_text(encoding="utf-8")
    (tmp_path / "column.toml").write_text(mapping.replace('arrived = "arrived"', 'arrived = "came"'))
    (tmp_path / "key.toml").write_text(mapping.replace("[keys]", "[kees]"))
    (tmp_path / "site.toml").write_text("membres = 50\n")
    (tmp_path / "beds.toml").write_text('hospital = "h.toml"\n')
    (tmp_path / "h.toml").write_text(wrong_beds())
    (tmp_path / "shares.toml").write_text(SCENARIOS.read_text(encoding="utf-8").replace('"1" = 0.2', '"1" = 0.5'))
    (tmp_path / "pool.toml").write_text(OWN.replace("triage_nurse", "triage_nurze"))
    (tmp_path / "junk.csv").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "f.csv").write_bytes(extract.read_bytes())
    return tmp_path


BAD = [
    ("ingest f.csv --format wide --mapping column.toml", "none is 'came'"),
    ("ingest f.csv --format wide --mapping key.toml", "kees: unknown key"),
    ("ingest f.csv --format wide --mapping nowhere", "neither a file nor one of the shipped mappings"),
    ("ingest f.csv --format wide", "needs --mapping"),
    ("ingest f.csv --format long --mapping edtwin_wide", "for wide extracts, not for long"),
    ("ingest f.csv --format events", "cannot be read as Parquet"),
    ("ingest junk.csv --format wide --mapping edtwin_wide", "not utf-8 text"),
    ("ingest nothing.csv --format wide --mapping edtwin_wide", "does not exist"),
    ("forecast --config site.toml", "site.toml:1: membres: unknown key, likely a typo for members"),
    ("forecast --config nowhere.toml", "cannot be read"),
    (
        "ingest f.csv --format wide --mapping edtwin_wide --config beds.toml",
        f"h.toml:{LINE}: units.uhcd.beds: must be",
    ),
    ("scenarios check shares.toml", "sum to 1, but sum to 1.3"),
    ("scenarios check pool.toml", "unknown pool triage_nurze, likely a typo for triage_nurse"),
    ("scenarios check", "needs a TOML file"),
    ("scenarios show one_mor_doctor", "likely a typo for one_more_doctor"),
    ("forecast --at 2026-02-30", "an instant must be like"),
    ("forecast --members few", "invalid int value: 'few'"),
    ("forecast", "holds no data: load an extract"),
    ("calibrate", "holds no data"),
    ("backtest --leads 1,none", "leads must be hours"),
    ("backtest --every 0m", "a duration must be like"),
    ("replay --to-file e --speed fast", "a speed must be a number above 0"),
    ("fabricate --days 1 --out f.txt", "--out must end in .csv or .parquet"),
    ("fabricate --days 0 --out g.csv", "days must be 1 or more"),
    ("fabricate --days 1 --faults frozen=moon --out g.csv", "a frozen unit must be one of"),
    ("up --replay nothing", "a replay needs --from"),
    ("up --replay nothing --from 2026-03-10", "--format must say what it is"),
    ("up --replay f.csv --from 2026-03-10 --speed max --format wide --mapping edtwin_wide", "--speed in numbers"),
    ("dance", "invalid choice: 'dance'"),
]


@pytest.mark.parametrize(("line", "clear"), BAD, ids=[line for line, _ in BAD])
def test_bad_input_is_one_clear_error_and_stores_nothing(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, line: str, clear: str
) -> None:
    monkeypatch.chdir(folder)
    said = run(*line.split(), *(() if line == "dance" else ("--data", "d")))
    assert (said.status, said.out) == (2, "")
    assert clear in said.err
    assert "Traceback" not in said.err
    assert said.err.startswith("edtwin")
    assert len(said.err.strip().splitlines()) <= 2
    assert not (folder / "d" / DATABASE).exists() or kept(folder / "d") == []
    assert not list(folder.glob("d/sandbox-*"))


def test_a_fault_of_the_house_is_not_told_as_bad_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of the test above: what the user cannot mend must not look as if it were."""

    def broken(options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("dashboard.commands.scenarios.run", broken)
    with pytest.raises(ZeroDivisionError):
        run("scenarios", "list")


def test_a_database_held_by_another_is_said_so(run: Run, data: Path) -> None:
    with Database.open(data / DATABASE):
        said = run("calibrate", "--data", data)
    assert said.status == 2
    assert "is held by" in said.err
    assert run("calibrate", "--data", data).status == 0


def test_a_log_with_another_secret_is_not_added_to(run: Run, extract: Path, tmp_path: Path) -> None:
    """A new secret would give every visit a second name."""
    run("ingest", extract, *WIDE, "--data", tmp_path)
    (tmp_path / SECRET).unlink()
    said = run("ingest", extract, *WIDE, "--data", tmp_path)
    assert said.status == 2
    assert "secret" in said.err


@pytest.mark.parametrize(
    ("options", "clear"),
    [
        (("forecast", "--at", "2030-01-01"), "--at must lie within the log"),
        (("forecast", "--at", "2020-01-01"), "--at must lie within the log"),
        (("forecast", "--scenario", "one_more_docter"), "likely a typo for one_more_doctor"),
        (("forecast", "--members", "1"), "members: must be 2 or more"),
        (("backtest",), "--from must be given where the log holds less than 60 days"),
        (("backtest", "--from", "2026-03-15", "--to", "2026-03-14"), "--to must not be before --from"),
        (("backtest", "--from", "2026-03-15", "--leads", "48"), "leads must be multiples of 15 min up to 1440"),
        (("replay", "--from", "2026-06-01", "--to-file", "e"), "nothing became known"),
    ],
)
def test_what_the_log_cannot_give_is_told(run: Run, data: Path, options: tuple[str, ...], clear: str) -> None:
    said = run(*options, "--data", data)
    assert (said.status, said.out) == (2, "")
    assert clear in said.err


@pytest.mark.parametrize("since", ["2020-01-01", "2030-01-01"])
def test_a_replay_starts_within_what_is_replayed(run: Run, data: Path, tmp_path: Path, since: str) -> None:
    said = run("up", "--replay", data, "--from", since, "--data", tmp_path / "d")
    assert said.status == 2
    assert "--from must lie within what is replayed, from 2026-03-0" in said.err
    assert list((tmp_path / "d").iterdir()) == []
