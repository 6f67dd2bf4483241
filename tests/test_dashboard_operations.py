"""What whoever looks after a house is given: a unit that may no more than it must, and a runbook that lacks nothing."""

from __future__ import annotations

import ast
import re
import shutil
import socket
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from dashboard import probes, readiness
from dashboard.commands import doctor
from dashboard.panels import banner
from dashboard.readiness import Readiness
from dashboard.supervisor import FED, READY, feed_watchdog, tell_systemd
from forecast.alert_rules import load_rules
from forecast.board import FeedState
from ingest import errors
from tests.logs import memory_log

ROOT = Path(__file__).parents[1]
FOLDERS = ("ingest", "twin", "forecast", "dashboard")
OPERATIONS = ROOT / "dashboard" / "operations"
RUNBOOK = (OPERATIONS / "RUNBOOK.md").read_text(encoding="utf-8")
UNIT = (OPERATIONS / "edtwin.service").read_text(encoding="utf-8")

# --- the runbook ----------------------------------------------------------------------------------------------------


def calls(file: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))


def said_by(file: Path, *names: str, of: str | None = None, nth: int = 0) -> list[str]:
    """The constant texts that a file hands to functions of these names."""
    found = []
    for call in calls(file):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        whose = getattr(getattr(call.func, "value", None), "id", None)
        if name in names and (of is None or whose == of) and len(call.args) > nth:
            text = call.args[nth]
            found += [text.value] if isinstance(text, ast.Constant) and isinstance(text.value, str) else []
    return found


def pieces(text: str) -> list[str]:
    """What stands between that which is filled in."""
    found = (piece.strip(" :,;()“”") for piece in re.split(r"\{\w+\}|%[\d.]*[sdf]|[;“]", text))
    return [piece for piece in found if piece]


def core(text: str) -> str:
    """The longest piece of a text: as it is looked for in the log."""
    return max(pieces(text), key=len, default="")


@cache
def sayings() -> dict[str, list[str]]:
    """All that a house says of itself, by where it is said."""
    code = [f for folder in FOLDERS for f in sorted((ROOT / folder).rglob("*.py")) if "logger." in f.read_text("utf-8")]
    lines = [t for f in code for t in said_by(f, "warning", "error", "exception", "critical", of="logger")]
    critical = said_by(ROOT / "dashboard" / "logs.py", "critical")
    ready = [n.value for n in ast.walk(ast.parse(Path(readiness.__file__).read_text())) if isinstance(n, ast.Constant)]
    looked = said_by(Path(doctor.__file__), "_looked_at", "Finding")
    classes = [n for n, of in vars(errors).items() if isinstance(of, type) and issubclass(of, errors.EdtwinError)]
    page = (ROOT / "dashboard" / "README.md").read_text(encoding="utf-8")
    watched = page.split("| what | when |")[1].split("\n\n")[0]
    return {
        "feed": list(get_args(FeedState)),
        "banner": [pieces(text)[0] for text in said_by(Path(banner.__file__), "say") if text != "Downtime sheet"],
        "alarms": list(load_rules(None).rule),
        "readyz": ["ready, but", *(t for t in map(str, ready) if re.fullmatch(r"(no|the log) .*[a-z]", t))],
        "doctor": looked,
        "errors": [name for name in classes if name != "EdtwinError"],
        "log": [core(text) for text in [*lines, *critical] if core(text)],
        "metrics": re.findall(r"^\| ([\w ]+) \|", watched, re.MULTILINE),
    }  # fmt: skip


def missing(runbook: str) -> list[str]:
    """What is said and not in the runbook; states, rules and the like as words of their own."""
    found = []
    for kind, texts in sayings().items():
        for text in texts:
            whole = f"`{text}`" if kind in ("feed", "alarms", "doctor", "errors") else text
            found += [] if whole in runbook else [f"{kind}: {text}"]
    return found


def test_the_runbook_has_an_entry_for_all_that_the_house_says_of_itself() -> None:
    least = {"feed": 7, "banner": 15, "alarms": 5, "readyz": 4, "doctor": 10, "errors": 15, "log": 45, "metrics": 9}
    assert {kind for kind, n in least.items() if len(sayings()[kind]) < n} == set(), "as many as there were at least"
    assert missing(RUNBOOK) == []


@pytest.mark.parametrize(
    "lost", ["`stale`", "`crowded`", "`JournalDamagedError`", "the log takes no write", "`backup`"]
)
def test_an_entry_that_is_missing_is_seen(lost: str) -> None:
    assert missing(RUNBOOK.replace(lost, "..")) != []


def test_each_entry_says_what_to_do() -> None:
    rows = [line for line in RUNBOOK.splitlines() if line.startswith("|") and not line.startswith("|---")]
    assert all(all(cell.strip() for cell in row.strip("|").split("|")) for row in rows)
    commands = set(re.findall(r"edtwin ([a-z-]+)", RUNBOOK)) - {"edtwin"}
    from dashboard.__main__ import build_parser

    known = {name for action in build_parser()._subparsers._group_actions for name in action.choices}  # type: ignore[union-attr]
    assert {name for name in commands if name in known} >= {"doctor", "backup", "restore", "rebuild", "alerts"}


# --- the unit -------------------------------------------------------------------------------------------------------

MUST = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "PrivateDevices": "yes", "CapabilityBoundingSet": "", "RestrictSUIDSGID": "yes", "RestrictNamespaces": "yes",
    "LockPersonality": "yes", "SystemCallArchitectures": "native", "SystemCallFilter": "@system-service",
    "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6", "LimitCORE": "0", "UMask": "0077",
    "StateDirectoryMode": "0700", "Restart": "on-failure", "Type": "notify", "KillSignal": "SIGTERM",
    "RestartPreventExitStatus": "2",
}  # fmt: skip


def faults_of(unit: str) -> list[str]:
    """What a unit may that it need not, or lacks."""
    told = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    found = [name for name, value in MUST.items() if told.get(name) != value]
    found += [name for name in ("MemoryMax", "TasksMax", "WatchdogSec") if not told.get(name)]
    return found + (["root"] if told.get("User", "root") == "root" else [])


def test_the_unit_may_no_more_than_it_must() -> None:
    assert faults_of(UNIT) == []
    for name in MUST:
        assert faults_of(re.sub(rf"^{name}=.*$", "", UNIT, flags=re.MULTILINE)) == [name]
    assert faults_of(UNIT.replace("User=edtwin", "User=root")) == ["root"]


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    if (tool := shutil.which("systemd-analyze")) is None:
        pytest.skip("there is no systemd-analyze here")
    file = tmp_path / "edtwin.service"
    here = UNIT.replace("/opt/edtwin/.venv/bin/edtwin", "/bin/true").replace("=edtwin\n", "=root\n")
    file.write_text(here)
    look = [tool, "verify", "--man=no", str(file)]
    assert "edtwin" not in subprocess.run(look, capture_output=True, text=True, check=False).stderr
    file.write_text(here.replace("ProtectSystem=strict", "ProtectSystem=very"))
    assert "protect system" in subprocess.run(look, capture_output=True, text=True, check=False).stderr, "the mutant"


def test_what_the_unit_runs_is_what_is_installed_and_its_files_are_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "edtwin" in project["project"]["scripts"]
    assert "ExecStart=/opt/edtwin/.venv/bin/edtwin up --config " in UNIT
    assert "operations/*" in project["tool"]["setuptools"]["package-data"]["*"]


# --- the watchdog ---------------------------------------------------------------------------------------------------


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """Who listens where systemd would, and the environment in which it starts a service."""
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(place))
        ear.settimeout(5)
        yield ear, {"NOTIFY_SOCKET": str(place)}


def test_it_is_told_what_the_house_says(systemd: tuple[socket.socket, dict[str, str]]) -> None:
    ear, environment = systemd
    tell_systemd(READY, environment)
    assert ear.recv(100) == b"READY=1"
    tell_systemd(READY, {})
    tell_systemd(READY, {"NOTIFY_SOCKET": "/nowhere/at/all"})


def fed(ear: socket.socket, environment: dict[str, str], readiness: Readiness) -> bool:
    """Whether the watchdog hears anything within a second."""
    stop = threading.Event()
    ear.settimeout(1)
    thread = threading.Thread(target=feed_watchdog, args=(readiness, stop, environment), daemon=True)
    thread.start()
    try:
        return ear.recv(100) == FED.encode()
    except TimeoutError:
        return False
    finally:
        stop.set()


def test_the_watchdog_starves_when_the_log_is_stuck_and_not_when_it_only_refuses(
    systemd: tuple[socket.socket, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ear, environment = systemd
    log, clock = memory_log()
    assert fed(ear, environment, Readiness(log, lambda: False, clock)), "before there is a forecast too"
    with monkeypatch.context() as full:

        def refuses(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        full.setattr(log, "save_snapshot", refuses)
        assert fed(ear, environment, Readiness(log, lambda: True, clock)), "a full disk is not mended by a restart"
    released = threading.Event()
    with monkeypatch.context() as stuck:
        stuck.setattr(log, "save_snapshot", lambda *_, **__: released.wait(10))
        assert not fed(ear, environment, Readiness(log, lambda: True, clock))
        released.set()


def test_metrics_to_watch_are_those_that_are_told() -> None:
    source = Path(probes.__file__).read_text(encoding="utf-8")
    named = set(re.findall(r"edtwin_\w+", (ROOT / "dashboard" / "README.md").read_text(encoding="utf-8")))
    told = {name for name in named if name.removesuffix("_total") in source}
    assert named - told <= {"edtwin_wide", "edtwin_feed_state"}
