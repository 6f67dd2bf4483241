"""The command as people use it: what it prints, and what it stores.

Run in this process on a small fabricated hospital; simulation runs here too, but where a whole house is started.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from math import inf
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dashboard import house
from dashboard.commands.fabricate import faults
from dashboard.commands.typed import duration, hours, instant, speed
from dashboard.settings import Settings
from forecast import executors
from forecast.baselines import BASELINES
from forecast.cluster import Cluster
from forecast.errors import ClusterError
from ingest.columns import SCHEMA
from tests.commands import AT, LINE, OWN, START, WIDE, InThisProcess, Run, fabricated, ingested, kept, runs, wrong_beds
from twin.fabricate import Faults, Silence
from twin.fabricated_hospital import FabricationError
from twin.scenarios import DEFAULT as SCENARIOS
from twin.supply_file import DEFAULT as SUPPLIES

TWO = ("--scenario", "as_usual", "--scenario", "arrivals_up_20", "--members", "4", "--hours", "3")


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


# ------------------------------------------------------------------------------------------- fabricate and ingest


def test_ingested_twice_nothing_new_is_stored(run: Run, extract: Path, tmp_path: Path) -> None:
    first = run("ingest", extract, *WIDE, "--data", tmp_path, "--json").json
    again = run("ingest", extract, *WIDE, "--data", tmp_path, "--json").json
    assert first["stored"] == first["read"] > 1000
    assert (again["read"], again["stored"], again["duplicate"]) == (first["read"], 0, first["read"])
    for account in (first, again):
        parts = ("stored", "duplicate", "ignored", "rejected")
        assert account["read"] == sum(account[part] for part in parts)
        assert account["reasons"] == {}


def test_rejected_rows_are_counted_by_reason(run: Run, extract: Path, tmp_path: Path) -> None:
    """An impossible date is bad data: the row is put aside, the others are stored."""
    header, *rows = extract.read_text().splitlines()[:51]
    cells = rows[-1].split(",")
    cells[header.split(",").index("arrived")] = "2026-02-30 10:00"
    (tmp_path / "bad.csv").write_text("\n".join([header, *rows[:-1], ",".join(cells)]))
    said = run("ingest", tmp_path / "bad.csv", *WIDE, "--data", tmp_path)
    assert said.out.splitlines() == [
        "50 rows read = 49 stored + 0 duplicate + 0 ignored + 1 rejected", "  rejected: impossible_date: 1",
    ]  # fmt: skip


def test_a_fabricated_period_as_events_goes_in_without_a_mapping(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "e.parquet"
    made = run(
        "fabricate", "--days", 2, "--size", "small", "--start", START, "--as", "events", "--out", file, "--json"
    ).json
    assert pq.read_schema(file).names == SCHEMA.names
    account = run("ingest", file, "--format", "events", "--data", tmp_path / "d", "--json").json
    assert account["read"] == account["stored"] == made["events"]
    assert len(kept(tmp_path / "d")) == made["events"]


def test_faults_as_people_type_them() -> None:
    told = faults(("silence=10+2", "silence=30+1", "duplicates=0.01", "skew=-3", "frozen=surgery@48"))
    assert told == Faults((Silence(10.0, 2.0), Silence(30.0, 1.0)), 0.01, -3.0, told.frozen_unit, 48.0)
    assert told.frozen_unit == "surgery"
    assert faults(()) == Faults()


@pytest.mark.parametrize(
    "text", ["silence=10", "silence=10+0", "duplicates=x", "duplicates=2", "frost=1", "frozen=moon@1", "skew"]
)
def test_a_fault_that_cannot_be_is_told(text: str) -> None:
    with pytest.raises(FabricationError):
        faults((text,))


# ------------------------------------------------------------------------------------------------------ the twin


def test_calibrate_says_what_was_learned_excluded_and_unknown(run: Run, data: Path) -> None:
    report = run("calibrate", "--data", data, "--at", AT, "--json").json
    assert report["path"] == "milestones"
    assert report["days"] == pytest.approx(11.4, abs=0.2)
    assert 60 < report["arrivals_per_day"] < 130
    assert {"visits", "recorded_share", "shares", "excluded", "not_known", "ghost_share"} <= set(report)
    told = run("calibrate", "--data", data, "--at", AT).out
    assert "beds known: none" in told
    assert "doctors known: no" in told


def test_forecast_has_the_shape_that_is_documented(run: Run, data: Path) -> None:
    told = run("forecast", "--data", data, "--at", AT, *TWO, "--json").json
    assert set(told) == {"issued_at", "as_of", "known_at", "scenarios", "differences", "provenance"}
    assert told["as_of"] == told["known_at"] == "2026-03-16T10:00:00+00:00"
    assert list(told["scenarios"]) == ["as_usual", "arrivals_up_20"]
    assert list(told["differences"]) == ["arrivals_up_20"]
    census = told["scenarios"]["as_usual"]["ed_census"]
    assert set(census) == {"lead_min", "mean", "quantiles", "raw_quantiles"}
    assert census["lead_min"] == [15.0 * step for step in range(13)]
    assert {len(values) for values in (census["mean"], *census["quantiles"].values())} == {13}
    assert {"0.05", "0.1", "0.5", "0.9", "0.95"} <= set(census["quantiles"])
    assert set(told["differences"]["arrivals_up_20"]["ed_census"]) == {"mean", "quantiles"}
    assert {"state_hash", "run", "versions", "path"} <= set(told["provenance"])


def test_a_forecast_made_twice_is_the_same_to_the_byte(run: Run, data: Path) -> None:
    said = [run("forecast", "--data", data, "--at", AT, *TWO, "--json").json for _ in range(2)]
    issued = [told.pop("issued_at") for told in said]
    assert json.dumps(said[0]) == json.dumps(said[1])
    assert issued[0] != issued[1]


def test_another_seed_is_another_forecast(run: Run, data: Path, tmp_path: Path) -> None:
    """The mutant of the test above."""
    (tmp_path / "site.toml").write_text("seed = 2\n")
    said = [
        run("forecast", "--data", data, "--at", AT, *TWO, "--json", *more).json["scenarios"]
        for more in ((), ("--config", tmp_path / "site.toml"))
    ]
    assert said[0] != said[1]


def test_forecast_in_words_gives_differences_and_says_where_there_is_no_lever(run: Run, data: Path) -> None:
    lines = run("forecast", "--data", data, "--at", AT, *TWO, "--scenario", "one_more_doctor").out.splitlines()
    assert lines[0].startswith("as of 2026-03-16 10:00 UTC, from what was known at 2026-03-16 10:00 UTC")
    assert "as_usual" in lines
    assert "arrivals_up_20, the difference it would make" in lines
    assert lines[-1].startswith("one_more_doctor would change nothing here: ")
    assert not any("nan" in line for line in lines)


def test_backtest_has_the_shape_that_is_documented(run: Run, data: Path) -> None:
    period = ("--from", "2026-03-14T06:00Z", "--to", "2026-03-14T18:00Z", "--every", "6h")
    told = run("backtest", "--data", data, *period, "--leads", "1,4", "--members", "4", "--json").json
    assert told["n_issues"] == 3
    assert {"ed_census", "ed_arrivals", "ed_waiting"} <= set(told["measures"])
    assert set(told["measures"]["ed_census"]) == {"60", "240"}
    row = told["measures"]["ed_census"]["240"]
    assert {"n", "mae", "bias", "crps", "coverage_50", "coverage_80", "coverage_95", "baselines", "skill"} <= set(row)
    assert {"skill_ci95", "raw", "weight_of_simulation"} <= set(row)
    assert set(row["baselines"]) == {*BASELINES, "count_model"}
    assert row["n"] == 3


# --------------------------------------------------------------------------------------- scenarios, replay, doctor


def test_scenarios_are_listed_shown_and_checked(run: Run, tmp_path: Path) -> None:
    (listed,) = run("scenarios", "list", "--json").json.values()
    assert [s["name"] for s in listed][:5] == [
        "as_usual", "one_more_doctor", "ten_beds_closed", "arrivals_up_20", "mass_casualty_20",
    ]  # fmt: skip
    assert all(set(s) == {"name", "sentence", "parameters"} for s in listed)
    [shown] = run("scenarios", "show", "arrivals_up_20", "--json").json["scenarios"]
    assert shown == {**listed[3], "changes": {"arrivals": [{"factor": 1.2}]}}
    text = run("scenarios", "show", "epidemic_clusters[clusters=5]").out
    assert text.startswith("epidemic_clusters[clusters=5]: 5 epidemic clusters of 40 people")
    assert "clusters = 5 (1 to 10): clusters" in text
    (tmp_path / "own.toml").write_text(OWN)
    assert run("scenarios", "check", tmp_path / "own.toml").out == "two_nurses: Two more nurses.\n"


def test_replay_sends_everything_in_the_order_in_which_it_became_known(run: Run, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "sent" / "events.jsonl"
    sent = run("replay", "--data", data, "--speed", "max", "--to-file", file, "--json").json["sent"]
    events = [json.loads(line) for line in file.read_text().splitlines()]
    known = [event["known_at"] for event in events]
    assert known == sorted(known)
    assert sorted(e["event_id"] for e in events) == sorted(e.event_id for e in kept(data))
    assert sent == len(events) > 5000


def test_replay_of_a_period_sends_what_became_known_in_it(run: Run, data: Path, tmp_path: Path) -> None:
    period = ("--from", "2026-03-10T00:00Z", "--to", "2026-03-11T00:00Z")
    run("replay", "--data", data, *period, "--speed", "max", "--to-file", tmp_path / "e")
    days = {json.loads(line)["known_at"][:10] for line in (tmp_path / "e").read_text().splitlines()}
    assert days == {"2026-03-10"}


def test_doctor_finds_a_sound_house_well(run: Run, data: Path) -> None:
    told = run("doctor", "--data", data, "--json").json
    assert told["well"]
    assert [f["thing"] for f in told["findings"]] == [
        "installation", "settings", "hospital", "paths", "scenarios", "supplies", "database", "events",
        "backup", "journal", "audit",
    ]  # fmt: skip


NOBODY = "dask://127.0.0.1:1"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executors, "Cluster", partial(Cluster, connect_s=0.3))


@pytest.mark.usefixtures("impatient")
def test_a_command_that_runs_once_needs_the_cluster_that_is_named(run: Run, data: Path) -> None:
    said = run("forecast", "--data", data, "--at", AT, *TWO, "--executor", NOBODY)
    assert (said.status, said.out) == (2, "")
    assert "edtwin forecast: dask://127.0.0.1:1 does not answer as a scheduler" in said.err


@pytest.mark.usefixtures("impatient")
def test_doctor_looks_for_the_cluster(run: Run, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(f'executor = "{NOBODY}"\n')
    said = run("doctor", "--data", tmp_path / "none", "--config", tmp_path / "site.toml")
    assert said.status == 2
    assert f"FAULT cluster: {NOBODY} does not answer as a scheduler" in said.out


@pytest.mark.usefixtures("impatient")
def test_a_house_that_runs_on_goes_over_to_its_own_processes(data: Path) -> None:
    with house.open_house(Settings(data=data, executor=NOBODY)) as opened:
        with pytest.raises(ClusterError):
            opened.workers()
        members = opened.workers(runs_on=True)
        assert members.submit(pow, 3, 2).result() == 9
        assert executors.fault_of(members) == f"{NOBODY} does not answer as a scheduler: OSError"


def test_doctor_tells_every_fault_at_once_and_makes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "h.toml").write_text(wrong_beds().replace("spaces = 6", "spaces = -1"))
    (tmp_path / "site.toml").write_text('hospital = "h.toml"\n')
    said = run("doctor", "--data", tmp_path / "none", "--config", tmp_path / "site.toml")
    assert said.status == 2
    assert f"h.toml:{LINE}: units.uhcd.beds: must be" in said.out
    assert "units.sauv.spaces: must be 0 or more, but is -1" in said.out
    assert said.out.count("FAULT") == 1
    assert not (tmp_path / "none").exists()


# ---------------------------------------------------------------------------------------------------------- words


def test_instants_durations_leads_and_speeds_as_people_type_them() -> None:
    assert instant("2026-03-29T14:00+02:00") == instant("2026-03-29T12:00") == datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert [duration(text) for text in ("90m", "3h", "1.5d")] == [timedelta(hours=h) for h in (1.5, 3, 36)]
    assert hours("4,1,0.25,1") == (15.0, 60.0, 240.0)
    assert (speed("600"), speed("max")) == (600.0, inf)


def test_a_command_loads_no_other_one() -> None:
    """To load all of them takes some seconds; whoever asks for help without naming one waits for that."""
    told = (
        "import sys\nfrom dashboard.__main__ import build_parser\nbuild_parser('backup').parse_args(['backup'])\n"
        "print(sorted(m for m in sys.modules if m.startswith('dashboard.commands.')))"
    )
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert run.stdout == "['dashboard.commands.backup', 'dashboard.commands.said', 'dashboard.commands.typed']\n"


def test_every_example_of_the_command_table_can_be_read() -> None:
    """The README's examples go through the parser; one with an option that does not exist does not."""
    from dashboard.__main__ import build_parser

    table = (Path(SCENARIOS).parents[1] / "README.md").read_text(encoding="utf-8")
    lines = [line for line in examples(table) if line.startswith("edtwin ")]
    assert len(lines) >= 12
    for line in lines:
        build_parser().parse_args(line.split()[1:])
    with pytest.raises(SystemExit):
        build_parser().parse_args(["forecast", "--when", "now"])


def examples(text: str) -> Iterator[str]:
    """The last cell of each row of the table of commands, and the lines of shell blocks."""
    in_block = False
    for line in text.splitlines():
        in_block ^= line.startswith("```")
        if line.startswith("| `edtwin"):
            yield line.rstrip(" |").rsplit("| `")[-1].strip("`")
        elif in_block and line.startswith("edtwin "):
            yield line


# ------------------------------------------------------------------------------------------------------ huddle sheets


def test_a_huddle_sheet_of_a_past_instant_is_printed_and_written(run: Run, data: Path, tmp_path: Path) -> None:
    file = tmp_path / "sheets" / "huddle.pdf"
    told = run("huddle", "--data", data, "--at", AT, "--members", "4", "--out", file, "--json").json
    assert file.read_bytes().startswith(b"%PDF")
    assert (told["from_at"], told["until_at"]) == ("2026-03-16T10:00:00Z", "2026-03-17T07:00:00Z")
    assert {line["kind"] for line in told["lines"]} == {"ward", "group", "all"}
    assert told["department"]["usual_peak"] is not None
    said = run("huddle", "--data", data, "--at", AT, "--members", "4", "--language", "en").out
    assert "Huddle sheet · CHU · 16 Mar 2026, 11:00" in said
    assert "All wards" in said


def test_a_huddle_sheet_of_another_form_is_refused(run: Run, data: Path) -> None:
    said = run("huddle", "--data", data, "--out", "huddle.doc")
    assert (said.status, said.err) == (2, "edtwin huddle: --out must be a file .pdf or .xlsx, but is huddle.doc\n")


# ----------------------------------------------------------------------------------------------------------- arrivals


def test_too_short_a_log_to_try_arrivals_is_told(run: Run, data: Path) -> None:
    said = run("backtest", "--data", data, "--arrivals")
    assert said.status == 2
    assert "arrivals can be tried from 28 days after the first on" in said.err


def test_arrivals_are_tried_by_themselves(run: Run, tmp_path: Path) -> None:
    extract, folder = tmp_path / "f.csv", tmp_path / "data"
    days = ("--days", "32", "--seed", "3", "--size", "small", "--start", START)
    assert run("fabricate", *days, "--out", extract).status == 0
    assert run("ingest", extract, *WIDE, "--data", folder).status == 0
    told = run("backtest", "--data", folder, "--arrivals", "--json").json
    assert set(told) == {"first_day", "days", "scores", "skill", "missing"}
    assert set(told["scores"]["hour"]["model"]) == {"mae", "bias", "pinball", "crps"}
    assert set(told["skill"]["day"]) >= {"climatology", "last_week"}
    assert "the model is better by" in run("backtest", "--data", folder, "--arrivals").out


# ---------------------------------------------------------------------------------------------------------- supplies


def test_supplies_of_a_past_instant_are_told_by_service_with_stocks_that_were_counted(run: Run, tmp_path: Path) -> None:
    file, folder = tmp_path / "f.parquet", tmp_path / "data"
    size = ("--days", "15", "--seed", "3", "--size", "small", "--start", START)
    assert run("fabricate", *size, "--as", "events", "--stores", "--out", file).status == 0
    assert run("ingest", file, "--format", "events", "--data", folder).status == 0
    asked = ("supplies", "--data", folder, "--at", AT, "--members", "4", "--scenario", "arrivals_up_20")
    told = run(*asked, "--json").json
    assert set(told) == {"as_of", "valid_at", "services", "first_out"}
    linen = told["services"]["linen"]["linen_sets"]
    assert (linen["basis"], linen["kind"], list(linen["scenarios"])) == ("counted", "stock", ["arrivals_up_20"])
    assert linen["learned_from"] > 5
    said = run(*asked).out
    assert "Lingerie" in said
    assert "suffit jusqu'à" in said


def test_doctor_finds_a_misspelt_ward_in_a_sites_supplies(run: Run, tmp_path: Path) -> None:
    text = SUPPLIES.read_text(encoding="utf-8").replace(
        'where = "intensive_care", rate = 0.35', 'where = "intensive_car", rate = 1'
    )
    (tmp_path / "own.toml").write_text(text, encoding="utf-8")
    (tmp_path / "site.toml").write_text('supplies = "own.toml"\n')
    said = run("doctor", "--data", tmp_path / "none", "--config", tmp_path / "site.toml")
    assert said.status == 2
    assert "item.sedation.needs: unknown place intensive_car, likely a typo for intensive_care" in said.out


def test_stocks_are_fabricated_as_events_alone(run: Run, tmp_path: Path) -> None:
    said = run("fabricate", "--stores", "--out", tmp_path / "f.csv")
    assert said.status == 2
    assert "--stores must be given with --as events" in said.err
