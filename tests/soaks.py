"""A soak that was ended goes on: what has passed with this very code is not run again.

`make soak` hands on `--go-on`. Each test that passes is written down at once; once all have, the note is removed.
Whatever is changed, in the code or in the tests, begins a soak anew.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_CODE = ("ingest", "twin", "forecast", "dashboard", "tests")


class GoingOn:
    """Writes down what has passed, and leaves it out. `folder` is where the note is kept."""

    def __init__(self, folder: Path = ROOT / "build" / "soak", code: str | None = None) -> None:
        self._note = folder / f"{code or digest()}.passed"

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what has passed."""
        passed = set(self._note.read_text(encoding="utf-8").splitlines()) if self._note.is_file() else set()
        left_out = [item for item in items if item.nodeid in passed]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if item.nodeid not in passed]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down what passes, at once."""
        if report.when == "call" and report.passed:
            self._note.parent.mkdir(parents=True, exist_ok=True)
            with self._note.open("a", encoding="utf-8") as note:
                note.write(f"{report.nodeid}\n")

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Everything has passed: the next soak is a new one. What is asked of one process of several says nothing."""
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) and not _is_a_worker(session.config):
            self._note.unlink(missing_ok=True)


def digest() -> str:
    """Of everything that a soak depends on in this folder."""
    found = hashlib.sha256()
    for file in sorted(path for folder in _CODE for path in (ROOT / folder).rglob("*") if path.suffix != ".pyc"):
        if file.is_file():
            found.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return found.hexdigest()[:16]


def _is_a_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")
