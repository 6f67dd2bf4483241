"""A soak that was ended goes on with what has not passed, and one that was changed begins anew."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import soaks

PLUGIN = """
import os
from pathlib import Path
from tests.soaks import GoingOn
def pytest_configure(config):
    config.pluginmanager.register(GoingOn(Path("note"), os.environ["CODE"]))
"""
TESTS = """
import os
def test_a(): print("ran a")
def test_b(): print("ran b"); assert "B" in os.environ
def test_c(): print("ran c")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "test_three.py").write_text(TESTS)
    return tmp_path


def ran(folder: Path, code: str = "1", **environment: str) -> tuple[str, int]:
    """The names of the tests that ran, and the status."""
    off = [f"-pno:{name}" for name in ("cacheprovider", "dash", "schemathesis")]
    command = [sys.executable, "-m", "pytest", "-qs", "--tb=no", "-rN", *off, "test_three.py"]
    given = {"PYTHONPATH": str(soaks.ROOT), "CODE": code, "PATH": "", **environment}
    done = subprocess.run(command, cwd=folder, env=given, capture_output=True, text=True, check=False)
    return "".join(re.findall(r"ran ([abc])$", done.stdout, re.MULTILINE)), done.returncode


def test_what_passed_is_left_out_until_all_has_passed(folder: Path) -> None:
    assert ran(folder) == ("abc", 1)
    assert ran(folder) == ("b", 1)
    assert ran(folder, code="2") == ("abc", 1), "something was changed"
    assert ran(folder, B="yes") == ("b", 0)
    assert ran(folder, B="yes") == ("abc", 0), "a new one"


def test_the_digest_is_of_code_and_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(soaks, "ROOT", tmp_path)
    digests = []
    for name in ("ingest/a.py", "tests/b.py", "forecast/c.toml"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("1")
        digests.append(soaks.digest())
    assert len(set(digests)) == 3
    assert soaks.digest() == digests[-1]
