"""The checks of the model as a run: kept, read again, run in a process of their own, stopped."""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forecast.checks import CHECKED, FILE, Checking, Checks, ChecksRun, as_json, keep, kept, run_checks
from ingest.clock import SimulatedClock
from twin.check_values import Check, Curve
from twin.learned_version import code_hash

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
CURVE = Curve((0.0, 1.0), (2.0, 3.0), (2.5, 2.5))
HOLDS = Check("mmc_wait", "theory", "min", 11.2, 11.4, 1.1, source="Erlang", curve=CURVE)
FALLS = Check("run_on", "restart", "standard errors", 9.0, 0.0, 3.0)
NOTHING = Check("no_doctors", "extremes", "patients", float("nan"), 0.0, 0.0)


def one() -> list[Check]:
    return [HOLDS]


def two() -> list[Check]:
    return [FALLS, NOTHING]


def never_ends() -> list[Check]:
    threading.Event().wait()
    return []


def dies() -> list[Check]:
    os._exit(3)


def nothing() -> None:
    """Prepares nothing: these checks need no engine."""


def checks(folder: Path, *checked: Checking) -> Checks:
    return Checks(folder, clock(), checked or CHECKED, prepare=nothing)


def clock() -> SimulatedClock:
    return SimulatedClock(NOW)


def test_a_run_finds_what_each_check_finds_and_says_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    found = run_checks(clock(), (one, two), lambda done, of: told.append((done, of)), prepare=nothing)
    assert found.checks[:2] == (HOLDS, FALLS)
    assert [c.name for c in found.fallen] == ["run_on", "no_doctors"]
    assert found.ran_at == NOW
    assert told == [(1, 2), (2, 2)]


def test_a_run_is_kept_whole_and_read_again(tmp_path: Path) -> None:
    run = ChecksRun(NOW, "1.0", (HOLDS, FALLS))
    keep(run, tmp_path)
    assert kept(tmp_path) == run
    assert os.listdir(tmp_path) == [FILE]
    assert as_json(ChecksRun(NOW, "1.0", (NOTHING,)))["checks"][0]["measured"] is None
    json.dumps(as_json(ChecksRun(NOW, "1.0", (NOTHING,))), allow_nan=False)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ran_at": "yesterday"}', '{"ran_at": 3}'])
def test_a_file_that_cannot_be_read_is_no_run(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert kept(tmp_path) is None
    assert checks(tmp_path).due


def test_a_run_of_another_form_is_no_run(tmp_path: Path) -> None:
    keep(ChecksRun(NOW, "1.0", (HOLDS,)), tmp_path)
    told = json.loads((tmp_path / FILE).read_text())
    told["checks"][0]["colour"] = "red"
    (tmp_path / FILE).write_text(json.dumps(told))
    assert kept(tmp_path) is None


def test_it_is_due_before_the_first_after_a_week_and_with_other_code(tmp_path: Path) -> None:
    house, now = checks(tmp_path), code_hash()
    assert house.due
    for ran_at, by, due in ((NOW, now, False), (NOW - timedelta(days=8), now, True), (NOW, "0.0", True)):
        keep(ChecksRun(ran_at, by, ()), tmp_path)
        assert house.due is due


def test_before_the_first_run_the_page_knows_of_none(tmp_path: Path) -> None:
    view = checks(tmp_path, one, two).view("Europe/Paris", "CHU", "live")
    assert (view.ran_at, view.checks, view.done, view.of, view.made_at) == (None, (), None, 2, NOW)


def test_the_house_runs_them_in_a_process_of_their_own(tmp_path: Path) -> None:
    house = checks(tmp_path, one, two)
    assert house.run_beside(threading.Event())
    view = house.view("Europe/Paris", "CHU", "live")
    assert [c.name for c in view.checks] == ["mmc_wait", "run_on", "no_doctors"]
    assert (view.ran_at, view.done) == (NOW, None)
    assert not house.due


def test_while_a_run_is_on_the_page_shows_the_last_and_how_far_it_is(tmp_path: Path) -> None:
    keep(ChecksRun(NOW - timedelta(days=9), "0.9", (HOLDS,)), tmp_path)
    house, stop = checks(tmp_path, one, never_ends), threading.Event()
    thread = threading.Thread(target=house.run_beside, args=(stop,))
    thread.start()
    waits = threading.Event()
    while house.view("UTC", "CHU", "live").done != 1:
        waits.wait(0.05)
    assert house.view("UTC", "CHU", "live").checks == (HOLDS,)
    stop.set()
    thread.join(20)
    assert not thread.is_alive()
    assert house.view("UTC", "CHU", "live").done is None


def test_a_process_that_dies_leaves_the_last_run(tmp_path: Path) -> None:
    keep(ChecksRun(NOW, "0.9", (HOLDS,)), tmp_path)
    house = checks(tmp_path, one, dies)
    assert not house.run_beside(threading.Event())
    assert [c.name for c in house.view("UTC", "CHU", "live").checks] == ["mmc_wait"]


def test_every_kind_is_checked() -> None:
    assert {check.__name__ for check in CHECKED} == {
        "several_doctors", "by_priority", "without_queues", "by_the_hour", "effects", "conservation", "extremes",
        "restart",
    }  # fmt: skip
