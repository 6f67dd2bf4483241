"""What campaigns on living houses reckon with: figures read, delays reckoned, a year that is held against itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingest import indexer
from ingest.events import Arrived
from ingest.messages import read_messages
from tests.hammer import on_board_s
from tests.living import figures_of
from tests.year_campaign import instants_of, rebuilt, restored, views_of
from tests.years import Year, larger_world, tell
from twin.fabricated_hospital import FabricatedHospital
from twin.fabricated_world import World


def test_figures_are_read_by_name_and_labels() -> None:
    text = '# HELP a b\nedtwin_threads 26.0\nedtwin_cycles_total{outcome="done"} 8.0\nx_seconds 1.795777200001988e+09\n'
    assert figures_of(text) == {
        "edtwin_threads": 26.0, 'edtwin_cycles_total{outcome="done"}': 8.0, "x_seconds": 1795777200.001988
    }  # fmt: skip
    assert figures_of("") == {}


def test_a_message_is_on_the_board_when_something_stored_after_its_answer_was_heard_of() -> None:
    acknowledged = [(0.0, 0.1), (1.0, 1.1), (2.0, 2.1)]
    seen = [(0.5, 0.05), (1.5, 1.05), (2.5, 2.05), (3.0, 2.9)]
    assert on_board_s(acknowledged, seen) == [1.5, 1.5, 1.0]
    assert on_board_s(acknowledged, seen[:3]) == [1.5, 1.5], "what nothing was heard after is left out"


def test_a_board_that_lags_is_seen() -> None:
    """The mutant's board hears of everything ten seconds late."""
    acknowledged = [(float(n), n + 0.01) for n in range(30)]
    for late_s, delay in ((0.0, 1.5), (10.0, 11.5)):
        seen = [(n + 0.5 + late_s, float(n)) for n in range(31)]
        assert on_board_s(acknowledged, seen) == pytest.approx([delay] * 30)


def test_a_log_made_anew_is_held_against_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The campaign on a year, on two days; the mutant's events are known when they are indexed."""
    start = datetime(2026, 3, 2, tzinfo=UTC)
    until = start + timedelta(days=2)
    world = World(FabricatedHospital("roomy", "small"), start, 1)
    messages, rows = tell(tmp_path / "data", world, start, until, timedelta(hours=2))
    year = Year(tmp_path / "data", world, until, messages, rows, 0.0)
    backup, restore = restored(year, tmp_path)
    assert (backup.told["rows"], backup.told["records"]) == (restore.told["rows"], messages)
    instants = instants_of(year, 2)
    before = views_of(tmp_path / "restored", instants)
    assert before[-1][0] == rows == messages > 1000
    assert rebuilt(tmp_path / "restored").told["rows"] == rows
    assert views_of(tmp_path / "restored", instants) == before
    monkeypatch.setattr(indexer, "read_messages", _known_now)
    rebuilt(tmp_path / "restored")
    assert views_of(tmp_path / "restored", instants) != before


def _known_now(*given: Any) -> Any:
    told = read_messages(*given)
    at = told.table.schema.get_field_index("known_at")
    field = told.table.schema.field("known_at")
    last = pa.array([told.journalled.stored_at] * told.table.num_rows, field.type)
    object.__setattr__(told, "table", told.table.set_column(at, field, last))
    return told


def test_the_year_is_of_a_hospital_of_a_thousand_visits_in_three_days() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    told = larger_world(start).run_until(start + timedelta(days=3))
    came = {event.visit for event in told if isinstance(event, Arrived)}
    assert 750 < len(came) < 1250
