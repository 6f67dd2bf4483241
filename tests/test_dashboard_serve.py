"""The running house: its port, its boards, and the whole of it started, looked at and ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from flask import Flask

from dashboard.__main__ import main
from dashboard.audit.verify import records_of, verify
from dashboard.errors import CommandError
from dashboard.house import DATABASE
from dashboard.latest import Latest
from dashboard.serve import _listening
from dashboard.settings import Settings
from forecast.board import Board
from forecast.loop import Loop
from forecast.pathview import PathViews
from ingest.clock import SimulatedClock, stopwatch
from ingest.database import Database
from ingest.log import EventLog
from tests.boards import ordinary
from tests.ports import free_port
from twin.site import load_site

ROOT = Path(__file__).parents[1]
AUDIT = {"audit", "audit.anchor"}
LATER = datetime(2100, 1, 1, tzinfo=UTC)

# ------------------------------------------------------------------------------------------------------------ parts


class Boards:
    """A loop that counts how often it is asked for a board."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def board(self) -> Board:
        self.asked += 1
        return ordinary()


def test_many_who_look_at_once_are_given_one_board() -> None:
    boards = Boards()
    latest = Latest(cast(Loop, boards), PathViews(load_site()))
    threads = [threading.Thread(target=latest.board) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert boards.asked == 1


def test_a_port_that_is_taken_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=rf"on 127\.0\.0\.1, port {port}: Address already in use"):
            _listening(Flask("test"), Settings(port=port))


def test_where_the_wall_is_is_said_and_that_nobody_asks_who_looks(capsys: pytest.CaptureFixture[str]) -> None:
    for host, open_to_all in (("127.0.0.1", False), ("0.0.0.0", True)):
        server = _listening(Flask("test"), Settings(host=host, port=0, host_allow_insecure=open_to_all))
        said = capsys.readouterr().err
        server.close()
        assert said.startswith(f"the wall is at http://{host}:")
        assert ":0/" not in said
        assert ("nobody signs in" in said) is open_to_all


# ------------------------------------------------------------------------------------------------- the whole house


@contextmanager
def running(tmp_path: Path, *options: str | Path, command: str = "up") -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """`edtwin up`, or another command that serves, in a process group of its own, on a free port.

    Whatever happens, nothing of it is left behind.
    """
    port = free_port()
    line = [sys.executable, "-m", "dashboard", command, "--port", str(port), *map(str, options)]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(line, cwd=ROOT, stderr=said, stdout=said, start_new_session=True)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def get(url: str, body: Any = None) -> tuple[int, str]:
    """Status and text of an answer; 0 where nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(url, data, {"Content-Type": "application/json"}), timeout=5) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except HTTPError as error:
        return error.code, error.read().decode()
    except (URLError, OSError):
        return 0, ""


def wait_for(come: Callable[[], bool], process: subprocess.Popen[bytes], at_most_s: float) -> None:
    """Until it has come; fails when the process ends before or the time is over."""
    deadline = stopwatch() + at_most_s
    while not come():
        assert process.poll() is None, "the house ended"
        assert stopwatch() < deadline, "it did not come in time"
        threading.Event().wait(0.2)


def wall(place: str) -> dict[str, Any]:
    """What a page is sent for its first tick."""
    dependencies = json.loads(get(f"{place}/_dash-dependencies")[1])
    (output,) = [found["output"] for found in dependencies if "beat" in found["output"]]
    body = {
        "output": output,
        "outputs": [{"id": i, "property": p} for i, p in (o.split(".") for o in output.strip(".").split("..."))],
        "inputs": [{"id": "screen", "property": "data", "value": SCREEN}],
        "state": [{"id": "version", "property": "data", "value": None}],
        "changedPropIds": ["screen.data"],
    }
    status, text = get(f"{place}/_dash-update-component", body)
    assert status == 200
    return cast(dict[str, Any], json.loads(text)["response"])


SCREEN = {"tick": 1, "language": "en", "rem_px": 20, "narrow": False}


def ends(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    """The signal goes to the whole group, as Ctrl-C in a terminal does; the end comes within seconds, without noise."""
    os.killpg(process.pid, how)
    assert process.wait(20) == 0


def kept(data: Path) -> list[Any]:
    with Database.open(data / DATABASE) as database:
        return EventLog(database, SimulatedClock(LATER)).read_versions(None, LATER)


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """Settings for a house that is quick to show something."""
    file = tmp_path / "quick.toml"
    file.write_text(
        "members = 4\nworkers = 1\nhistory_days = 14\nmeasure_days = 0\nalert_days = 0\nhorizon_h = 6\n"
        'wall_scenarios = ["as_usual", "arrivals_up_20"]\n'
    )
    return file


def test_the_house_lives_forecasts_ends_and_goes_on(tmp_path: Path, quick: Path) -> None:
    """Started on nothing: a hospital is made, a forecast comes; ended by Ctrl-C; its log is there for the next time."""
    with running(tmp_path, "--size", "small", "--config", quick, "--data", tmp_path / "d") as (process, place):
        wait_for(lambda: get(f"{place}/healthz") == (200, "ok\n"), process, 60)
        assert get(f"{place}/readyz")[0] in (200, 503)
        wait_for(lambda: get(f"{place}/readyz") == (200, "ready\n"), process, 60)
        assert 'edtwin_cycles_total{outcome="done"} ' in get(f"{place}/metrics")[1]
        # a board stands for two seconds, and one may have been asked for just before
        wait_for(lambda: wall(place)["wall"]["className"].endswith("forecast-fresh"), process, 60)
        page = wall(place)
        assert len(page["chart-census"]["figure"]["data"]) > 3
        assert "FABRICATED" in json.dumps(page).upper()
        floor = json.loads(get(f"{place}/floor/day.json")[1])
        assert len(floor["pieces"]) > 50
        assert {"box", "waiting_room"} <= {zone["key"] for zone in floor["plan"]}
        assert main(["forecast", "--data", str(tmp_path / "d")]) == 2, "the data are held"
        assert main(["backup", "--data", str(tmp_path / "d"), "--to", str(tmp_path / "b")]) == 0, "the house makes it"
        wait_for(lambda: get(f"{place}/downtime/sheet.pdf")[0] == 200, process, 60)
        ends(process, signal.SIGINT)
    said = (tmp_path / "said").read_text().splitlines()
    audited = list(records_of(tmp_path / "d" / "audit"))
    started, last = audited[1], audited[-1]
    assert said == [
        f"the wall is at {place}/ (Ctrl-C ends)",
        f"the audit begins with record 2, {started.hash}", f"the audit ends with record {last.number}, {last.hash}",
    ]  # fmt: skip
    deeds = [(one.deed.kind, one.deed.what) for one in audited]
    assert (deeds[1], deeds[-1], deeds.count(("page", "wall"))) == (("house", "started"), ("house", "ended"), 1)
    assert ("page", "floor") in deeds
    assert verify(tmp_path / "d" / "audit", tmp_path / "d" / "audit.anchor", last.hash).is_whole
    assert len(kept(tmp_path / "d")) > 1000
    assert (tmp_path / "d" / "fabricated.json").exists()
    assert main(["restore", str(tmp_path / "b"), "--data", str(tmp_path / "e")]) == 0
    assert (tmp_path / "e" / "fabricated.json").exists(), "the wall must not take it for a hospital"
    restored, before = kept(tmp_path / "e"), kept(tmp_path / "d")
    assert restored == before[: len(restored)]
    assert len(restored) > 1000


def test_a_replay_lives_in_a_sandbox_and_leaves_its_source_alone(tmp_path: Path, quick: Path) -> None:
    source, extract = tmp_path / "source", tmp_path / "f.csv"
    start = datetime(2026, 3, 2, tzinfo=UTC)
    since = (start + timedelta(days=12, hours=8)).isoformat()
    assert (
        main(["fabricate", "--days", "14", "--size", "small", "--start", start.isoformat(), "--out", str(extract)]) == 0
    )
    wide = ["--format", "wide", "--mapping", "edtwin_wide"]
    assert main(["ingest", str(extract), *wide, "--data", str(source)]) == 0
    before = kept(source)
    options: list[str | Path] = ["--replay", source, "--from", since, "--speed", "300", "--wait", "--config", quick]
    with running(tmp_path, *options, "--data", tmp_path / "d") as (process, place):
        wait_for(lambda: get(f"{place}/readyz")[0] == 200, process, 60)
        page = wall(place)
        assert "REPLAY" in json.dumps(page).upper()
        assert "14 March 2026" in json.dumps(page["slot-header"])
        assert {path.name.split("-")[0] for path in (tmp_path / "d").iterdir()} == {"sandbox", *AUDIT}
        ends(process, signal.SIGTERM)
    assert {path.name for path in (tmp_path / "d").iterdir()} == AUDIT  # who looked outlives the sandbox
    assert {one.house for one in records_of(tmp_path / "d" / "audit")} == {"replay"}
    assert kept(source) == before
