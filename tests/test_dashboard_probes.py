"""What a monitoring system is told: the board's own figures, instants and not ages, nothing where nothing is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from dashboard import probes
from dashboard.backup_view import Backup, Standing
from dashboard.probes import answer_metrics
from forecast.board import Board
from tests.alert_views import ALARMED
from tests.boards import before_first, fed, ordinary, overfull
from tests.logs import AT

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def asked(board: Board | None, backups: Callable[[], Standing] | None = None) -> Samples:
    """What `/metrics` answers, as Prometheus reads it."""
    server = Flask("test")
    answer_metrics(server, lambda: board, backups)
    told = server.test_client().get("/metrics")
    assert told.status_code == 200
    families = text_string_to_metric_families(told.get_data(as_text=True))
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}


def one(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def names(samples: Samples) -> set[str]:
    return {name for name, _ in samples}


def test_the_figures_are_those_of_the_board() -> None:
    board = overfull()
    told = asked(board)
    cycle, feed = board.cycle, board.feed
    assert cycle.issued_at is not None
    assert one(told, "edtwin_forecast_issued_timestamp_seconds") == cycle.issued_at.timestamp()
    assert one(told, "edtwin_board_made_timestamp_seconds") == board.made_at.timestamp()
    assert one(told, "edtwin_cycles_total", outcome="done") == cycle.done
    assert one(told, "edtwin_cycles_total", outcome="missed") == cycle.missed
    assert one(told, "edtwin_feed_silence_limit_seconds") == feed.limit.total_seconds()
    assert one(told, "edtwin_feed_state", edtwin_feed_state=feed.state) == 1
    assert sum(value for (name, _), value in told.items() if name == "edtwin_feed_state") == 1
    assert one(told, "edtwin_inconsistent_counts") == len(board.checks)
    skill = board.skills[0]
    labels = {"measure": skill.measure, "lead_min": str(skill.lead_min), "backtested": "no"}
    assert one(told, "edtwin_forecast_coverage_80_ratio", **labels) == skill.coverage_80
    assert "process_resident_memory_bytes" in names(told)


def test_alarms_are_counted_by_level_and_whether_somebody_has_them() -> None:
    board = ALARMED["alarms"]()
    told = asked(board)
    counted = {
        (level, who): one(told, "edtwin_alarms", level=level, taken_on=who)
        for level in ("watch", "alert")
        for who in ("yes", "no")
    }
    assert sum(counted.values()) == len(board.alarms) > 0
    taken = [a for a in board.alarms if a.acknowledged_by is not None and a.level == "alert"]
    assert counted["alert", "yes"] == len(taken)
    assert all(value == 0 for (name, _), value in asked(ordinary()).items() if name == "edtwin_alarms")


@pytest.mark.parametrize("board", [lambda: None, before_first])
def test_what_is_not_known_is_left_out_and_never_zero(board: Callable[[], Board | None]) -> None:
    told = asked(board())
    assert one(told, "edtwin_threads") >= 1
    assert not names(told) & {
        "edtwin_forecast_issued_timestamp_seconds", "edtwin_cycle_seconds", "edtwin_forecast_crps",
        "edtwin_engine_disagreements",
    }  # fmt: skip


def test_backups_are_told_by_the_last_good_one_and_not_at_all_where_none_are_made() -> None:
    made = Backup(Path("edtwin-20261127T081200Z"), AT)
    standing = Standing(Path("b"), made, 7, "the disk is full", AT)
    told = asked(None, lambda: standing)
    assert one(told, "edtwin_backup_made_timestamp_seconds") == AT.timestamp()
    assert (one(told, "edtwin_backups_kept"), one(told, "edtwin_backup_failed")) == (7, 1)
    first = asked(None, lambda: Standing(Path("b"), None, 0, None, None))
    assert one(first, "edtwin_backups_kept") == 0
    assert "edtwin_backup_made_timestamp_seconds" not in names(first)
    assert not any("backup" in name for name in names(asked(None, lambda: Standing(None, None, 0, None, None))))


def test_a_zero_in_place_of_what_is_not_known_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant of the test above."""
    honest = probes._of_cycles

    def zeros(cycle: Any) -> Any:
        yield from honest(cycle)
        if cycle.issued_at is None:
            yield probes._gauge("edtwin_forecast_issued_timestamp_seconds", "", 0)

    monkeypatch.setattr(probes, "_of_cycles", zeros)
    with pytest.raises(AssertionError):
        test_what_is_not_known_is_left_out_and_never_zero(before_first)


def test_a_reason_in_any_letters_comes_back_as_it_was() -> None:
    """It is text that a sender may have had a hand in: it must end no line and begin no figure."""
    reason = 'no such "unit"\\\nedtwin_alarms{level="alert"} 9 <script>é\u2028'
    board = replace(ordinary(), feed=replace(fed("live", None), rejected={reason: 3}))
    told = asked(board)
    assert one(told, "edtwin_quarantined_records", reason=reason) == 3
    assert [value for (name, _), value in told.items() if name == "edtwin_alarms"] == [0, 0, 0, 0]
