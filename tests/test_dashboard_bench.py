"""The bench: both engines on the same members, and how it is told."""

from __future__ import annotations

import pytest

from dashboard.commands import bench
from twin import kernel

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_MEMBERS", 3)
    kernel.warm()


def test_the_engines_are_timed_on_a_whole_hospital() -> None:
    """Speed is not bought by a thinner hospital: a day of the default one has as many events as it had."""
    row = bench._engines(bench._default())
    assert 2000 < row["events"] < 2700
    assert row["ratio"] > 3, "the compiled engine serves"
    assert row["ratio"] == pytest.approx(row["kernel_events_per_s"] / row["simpy_events_per_s"], rel=0.05)


def test_it_is_told_in_a_line_each() -> None:
    row = {"events": 10, "simpy_ms": 2.0, "simpy_events_per_s": 5000, "kernel_ms": 0.1, "kernel_events_per_s": 100000}
    told = {"machine": "m", "engines": {"default_hospital": {**row, "ratio": 20.0}}, "kernel_ms_per_member": 3.0}
    assert bench._text(told).splitlines() == [
        "machine: m",
        "one member of 24 h, the engine alone:",
        "  default_hospital, 10 events: simpy 2.0 ms, 5,000 events/s; kernel 0.1 ms, 100,000 events/s; ratio 20.0",
        "kernel_ms_per_member: 3.0",
    ]
