"""What every suite shares: how Hypothesis behaves, and the table of seconds at the end."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from collections.abc import Iterable

import pytest
from hypothesis import settings

from tests.once import share
from tests.soaks import GoingOn
from twin.kernel import warm

pytest_plugins = ["tests.chromium", "tests.kafka_broker"]

# No deadline: two processes share two cores, and a slow example is not a wrong one. The continuous integration
# draws the same examples every time, so that red means changed; on a desk new ones are tried.
settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
# Hospitals and histories are kept for the tests to come: to look through them again and again for what could go costs a
# twentieth of the time.
gc.set_threshold(200_000, 50, 100)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What `make soak` hands on."""
    parser.addoption("--go-on", action="store_true", help="leave out what has passed with this very code")


def pytest_configure(config: pytest.Config) -> None:
    """A soak that was ended goes on."""
    if config.getoption("--go-on"):
        config.pluginmanager.register(GoingOn())


def pytest_collection_finish() -> None:
    """What was collected stays to the end, and need not be looked through for what could go."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds by file, set-up included, slowest first; printed when more than one file ran."""
    reports = [r for group in terminalreporter.stats.values() for r in group if isinstance(r, pytest.TestReport)]
    seconds = seconds_by_file(reports)
    if len(seconds) < 2:
        return
    terminalreporter.section("seconds by file")
    for file, spent_s in sorted(seconds.items(), key=lambda item: -item[1]):
        terminalreporter.write_line(f"{spent_s:7.1f}  {file}")
    terminalreporter.write_line(f"{sum(seconds.values()):7.1f}  in all, over the processes")


def seconds_by_file(reports: Iterable[pytest.TestReport]) -> dict[str, float]:
    """What the tests of each file took, their set-up and tear-down included."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for report in reports:
        seconds[report.nodeid.split("::")[0]] += report.duration
    return dict(seconds)


@pytest.fixture(scope="session", autouse=True)
def _shared(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is made once a run lies beside the folders of its processes; a process alone keeps nothing."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        share(tmp_path_factory.getbasetemp().parent)


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Whole hospitals are learned and simulated by the compiled loops, as in a house; loading them takes a second."""
    warm()
