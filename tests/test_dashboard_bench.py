"""The bench: every figure it promises, taken from a real run; and how it is told."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from dashboard.__main__ import main
from dashboard.bench import engines as module
from dashboard.bench import scale as scaling
from dashboard.bench import whole
from dashboard.bench.cases import default_hospital
from dashboard.bench.engines import InC, engines, rates
from dashboard.bench.scale import scale
from dashboard.bench.tables import text
from dashboard.bench.timing import children_s, processor_s, timed, watched
from dashboard.settings import Settings
from twin import kernel
from twin.kernel import compiled
from twin.kernel_tables import Packed, packed

pytestmark = pytest.mark.timeout(400)  # the compiled engine may have to be compiled first

NO_C = InC(None, "there is no C compiler (cc) here")
LINEAR, STEP = 13.0, 25.0
"""At ten times the hospital a member may take that many times as long, a step of it on a busy machine a little more."""


@pytest.fixture(scope="module", autouse=True)
def warm() -> None:
    kernel.warm()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `edtwin bench --quick --json` prints; the loop in C and the cluster have tests of their own."""
    folder = tmp_path_factory.mktemp("bench")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "loop_in_c", lambda: NO_C)
        patch.setattr(whole, "on_a_cluster", lambda *_: {
            "workers": 2, "task_ms": 3.0, "start_seconds": 2.0,
            "ensemble": {"members": 20, "scenarios": 6, "hours": 24, "seconds": 1.0, "processor_s": None, "load": 1.0,
                         "seconds_cold": 2.0},
        })  # fmt: skip
        out = _printed(patch, ["bench", "--quick", "--json", "--data", str(folder)])
    return dict(json.loads(out))


def _printed(patch: pytest.MonkeyPatch, line: list[str]) -> str:
    said: list[str] = []
    patch.setattr("builtins.print", lambda *words, **_: said.append(" ".join(map(str, words))))
    assert main(line) == 0
    return "\n".join(said)


def test_it_tells_what_it_promises(told: dict[str, Any]) -> None:
    assert {"simpy_ms_per_member", "kernel_ms_per_member", "c_ms_per_member", "ensemble", "quick"} <= set(told)
    row = told["engines"]["default_hospital"]
    assert told["kernel_ms_per_member"] == row["kernel_ms"] > 0
    assert (told["c_ms_per_member"], row["c_missing"], row["kernel_share_of_c"]) == (None, NO_C.why_not, None)
    ran = told["ensemble"]
    assert (ran["members"], ran["scenarios"], ran["hours"]) == (20, 6, 24)
    assert 0 < ran["seconds"] < ran["seconds_cold"]
    many = told["hospitals"]
    assert (many["hospitals"], many["members"], many["scenarios"], many["failed"]) == (2, 20, 3, 0)


def test_the_engines_are_timed_on_a_whole_hospital(told: dict[str, Any]) -> None:
    """Speed is not bought by a thinner hospital: a day of the default one has as many events as it had."""
    row = told["engines"]["default_hospital"]
    assert 2000 < row["events"] < 2700
    assert row["idiomatic_events"] == pytest.approx(row["events"], rel=0.2)
    assert row["kernel_events_per_s"] > 5 * row["simpy_events_per_s"] > 5 * row["idiomatic_events_per_s"]
    assert row["kernel_over_simpy"] == pytest.approx(row["kernel_events_per_s"] / row["simpy_events_per_s"], rel=0.05)


def test_it_is_told_as_tables(told: dict[str, Any]) -> None:
    lines = text(told).splitlines()
    assert lines[0].startswith("machine: ")
    assert [line for line in lines if line and not line.startswith(" ")][1:] == [
        f"one member of 24 h, {told['engines']['default_hospital']['events']} events: "
        "default hospital, full path, from empty",
        f"one member of 24 h, {told['engines']['learned_hospital']['events']} events: "
        "learned hospital (large, congested), from its present",
        "a member of 24 h, step by step, ms of the processor",
        "whole runs",
    ]
    (in_c,) = {line.split("  -  ")[1].strip() for line in lines if line.startswith("  the same loop in C")}
    assert in_c == NO_C.why_not


# --- linear in the hospital


def grows_too_fast(found: Mapping[str, Any]) -> list[str]:
    steps = ("loop", "luck", "fate", "packing", "measures")
    return [step for step in ("member", *steps) if found["ratio"][step] > (LINEAR if step == "member" else STEP)]


def test_a_member_costs_no_more_than_the_hospital_grows() -> None:
    found = scale(3)
    assert found["times_10"]["events"] == pytest.approx(10 * found["times_1"]["events"], rel=0.15)
    assert grows_too_fast(found) == []


def test_what_grows_with_the_square_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: packing that looks at every pair of patients."""

    def by_pairs(path: Any, lot: Any, present: Any, horizon_min: float, room: Any) -> Packed:
        for _ in range(30):
            (lot.fate.priority[:, None] < lot.fate.priority).sum()
        return packed(path, lot, present, horizon_min, room)

    monkeypatch.setattr(scaling, "packed", by_pairs)
    assert grows_too_fast(scale(2)) == ["member", "packing"]


def test_ten_times_the_hospital_has_ten_times_of_everything() -> None:
    one, ten = default_hospital(1), default_hospital(10)
    assert [u.places for u in ten.hospital.units] == [10 * u.places for u in one.hospital.units]
    for many, few in zip(ten.hospital.rosters, one.hospital.rosters, strict=True):
        assert many.weekday == tuple(10 * n for n in few.weekday)
        assert many.weekend == tuple(10 * n for n in few.weekend)
    assert [s.per_hour.sum() for s in ten.parameters.streams] == pytest.approx(
        [10 * s.per_hour.sum() for s in one.parameters.streams]
    )


# --- parts


def test_rates_are_events_over_time() -> None:
    row = {"events": 2000, "idiomatic_events": 1000, "idiomatic_ms": 50.0, "simpy_ms": 10.0, "python_ms": 20.0,
           "kernel_ms": 0.5, "c_ms": 0.4}  # fmt: skip
    assert rates(row) == {
        "idiomatic_events_per_s": 20_000, "simpy_events_per_s": 200_000, "python_events_per_s": 100_000,
        "kernel_events_per_s": 4_000_000, "c_events_per_s": 5_000_000, "kernel_over_simpy": 20.0,
        "kernel_share_of_c": 0.8,
    }  # fmt: skip


def test_an_engine_that_does_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of the table: its time would be no time of a run."""
    monkeypatch.setattr(module, "compiled", lambda: lambda n, x: None)
    lazy = engines(2, NO_C, 14)["default_hospital"]["kernel_ms"]
    monkeypatch.setattr(module, "compiled", compiled)
    assert lazy < 0.2 * engines(2, NO_C, 14)["default_hospital"]["kernel_ms"]


def test_time_of_the_processor_is_that_of_work_and_not_of_waiting() -> None:
    assert timed(lambda: sum(range(2_000_000))) > 5 * timed(lambda: None) >= 0.0
    assert processor_s() > 0.0
    assert children_s() is None or children_s() == pytest.approx(0.0, abs=60.0)
    assert set(watched(lambda: None)) == {"seconds", "processor_s", "load"}


def test_six_scenarios_are_the_walls_and_the_same_later() -> None:
    names = [s.name for s in whole.scenarios_of(Settings(), 6)]
    assert names == [*Settings().wall_scenarios, "mass_casualty_20_later"]
    assert [s.name for s in whole.scenarios_of(Settings(), 3)] == list(Settings().wall_scenarios[:3])


def test_a_house_that_does_not_start_has_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    assert whole.cold_start()["seconds"] is None


def test_what_if_is_timed_of_a_new_moment_and_of_a_drawn_one(told: dict[str, Any]) -> None:
    found = told["whatif"]
    assert found["members"] == 20
    rows = [found["cold"], *found["drawn"]]
    assert [row["asked"] for row in rows][:2] == ["one more doctor"] * 2
    assert all(row["20_s"] > 0 for row in rows)
    assert "what-if of a new moment: one more doctor" in text(told)
