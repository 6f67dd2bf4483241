"""The doors hold against bytes bent by chance, their planted bugs are found, and what was once found stays mended."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.assurance.locks import ROOT
from tests.fuzz import NAMES, options
from tests.fuzz_targets import SCREEN, TARGETS, check_callback, wall
from tests.hl7_hostile import bent

MANY, SOME = 20_000, 200
"""Inputs of a long run and of a short one."""
AT_MOST = 2_000
"""Inputs by which chance must have found a planted bug."""
BY_COVERAGE = 100_000
"""Inputs by which coverage must."""


def found_after(name: str, count: int, seed: int) -> int | None:
    """How many inputs it took to break a guarantee; None where none of them did."""
    target = TARGETS[name]
    given = target.seeds()
    for number, data in enumerate([*given, *bent(np.random.default_rng(seed), count, given, target.signs)]):
        try:
            target.check(data)
        except Exception:
            return number
    return None


def test_every_target_can_be_fuzzed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["fuzz", "hl7", "--seconds", "5"])
    assert (tuple(TARGETS), options().targets, options().seconds) == (NAMES, ["hl7"], 5)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_breaks_a_guarantee(name: str) -> None:
    assert found_after(name, SOME, seed=20_261_127) is None


@pytest.mark.soak
@pytest.mark.parametrize("name", NAMES)
def test_many_bent_inputs_break_no_guarantee(name: str) -> None:
    assert found_after(name, MANY, seed=1) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_planted_bug_is_found(name: str) -> None:
    with TARGETS[name].plant():
        assert found_after(name, AT_MOST, seed=2) is not None


@pytest.mark.soak
@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris is not installed (make fuzz installs it)")
@pytest.mark.parametrize("name", NAMES)
def test_a_planted_bug_is_found_by_coverage(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.fuzz", name, "--planted", "--runs", str(BY_COVERAGE), "--seconds", "300"]
    run = subprocess.run([*command, "--corpus", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stderr[-3000:]
    assert list((tmp_path / name / "found").iterdir()) != []


def test_a_target_that_is_none_is_told() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "hl8"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert re.search(r"must be one of framer, .* but is 'hl8'|atheris is not installed", run.stderr)


# --- what was found


@pytest.mark.parametrize("screen", [3, "screen", [1], True])
def test_a_screen_that_is_no_table_is_a_bad_request(screen: Any) -> None:
    """Found by the callback target: the beat was taken from it before anybody looked whether it is one."""
    call = {
        "output": page_call(),
        "outputs": [_place(name) for name in page_call().strip(".").split("...")],
        "inputs": [{"id": "screen", "property": "data", "value": screen}],
        "state": [{"id": "version", "property": "data", "value": None}],
        "changedPropIds": ["screen.data"],
    }
    assert wall()[1].post("/_dash-update-component", json=call).status_code == 400
    call["inputs"] = [{"id": "screen", "property": "data", "value": SCREEN}]
    assert wall()[1].post("/_dash-update-component", json=call).status_code == 200


def test_who_calls_a_script_of_the_page_is_refused() -> None:
    """Found by the callback target: what runs in the browser was taken for a call that the server answers."""
    call = {
        "output": "screen.data",
        "outputs": {"id": "screen", "property": "data"},
        "inputs": [{"id": "asked", "property": "data", "value": 1}],
        "state": [],
        "changedPropIds": ["asked.data"],
    }
    assert wall()[1].post("/_dash-update-component", json=call).status_code == 400


def page_call() -> str:
    """The call by which a page is filled."""
    names = [str(name) for name in wall()[0].callback_map]
    return next(name for name in names if name.startswith("..") and "beat.children" in name)


def _place(name: str) -> dict[str, str]:
    part, _, what = name.rpartition(".")
    return {"id": part, "property": what}


def test_raw_bodies_are_no_calls() -> None:
    for body in (b"", b"\xff", b"\xff{}", b"\xffnull", b"\x00[", b"\x00{}", b"\x00[[[["):
        check_callback(body)
