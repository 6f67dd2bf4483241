"""The audit on the board, on the page of the house, at its start, and at the command."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from dashboard.__main__ import RECORDED, main
from dashboard.audit.chain import files_of
from dashboard.audit.records import Deed
from dashboard.audit.trail import Trail
from dashboard.audit.wiring import begin, set_here, shown_head
from dashboard.panels import about as about_page
from dashboard.panels import banner
from dashboard.probes import answer_metrics
from dashboard.settings import Settings
from dashboard.words import Language, Reader
from ingest.clock import SimulatedClock
from tests.audits import AT, TOUCHES, chain_in, checked, deed, three_months, trail_in, written
from tests.boards import ordinary
from tests.term_views import about

__all__ = ["three_months"]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_gap_stands_on_the_board_and_in_the_figures_and_only_then(language: Language) -> None:
    board = ordinary()
    gap = replace(board, cycle=replace(board.cycle, audit_gap_since=AT))
    said = {"fr": "On ne peut pas enregistrer qui regarde", "en": "cannot be recorded since"}[language]
    reader = Reader(language, board.zone)
    assert [said in str(banner.panel(one, reader)) for one in (board, gap)] == [False, True]
    for is_there in (False, True):
        server = Flask("test")
        answer_metrics(server, {False: lambda: board, True: lambda: gap}[is_there])
        told = server.test_client().get("/metrics").text
        assert ("edtwin_audit_gap_since_timestamp_seconds" in told) is is_there


def test_the_about_page_has_the_last_hash_for_who_notes_it(tmp_path: Path) -> None:
    with trail_in(tmp_path) as trail:
        trail.keep(deed(1), wait=True)
        view = replace(about(), audited=shown_head(trail))
    hash = checked(tmp_path).head.hash
    assert f"2 · {hash}" in str(about_page.panel(view, Reader("en", "UTC")))
    assert hash not in str(about_page.panel(about(), Reader("en", "UTC")))


def test_the_start_says_how_the_house_is_set_and_opens_no_door(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, members=300, kafka_user="secret-user", quarantine_key="ab" * 32)
    with trail_in(tmp_path) as trail:
        trail.stop()
    trail = Trail(chain_in(tmp_path), "live", SimulatedClock(AT))
    begin(trail, settings, mode="live", code="c0de")
    trail.stop()
    one = next(one.deed for one in written(tmp_path) if one.deed.what == "started")
    assert one.told["settings"] == set_here(settings, AT)
    assert one.told["settings"]["members"] == "300"
    assert one.told["settings"]["kafka_user"] == one.told["settings"]["quarantine_key"] == "(set)"
    assert "secret-user" not in json.dumps(dict(one.told))


def test_the_command_prints_by_day_person_and_kind(three_months: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain_in(three_months).append([Deed(at=AT + timedelta(days=1), kind="act", what="proposed", who="otto")], "live")
    data = ("--data", str(three_months), "--json")

    def numbers(*options: str) -> list[int]:
        assert main(["audit", *options, *data]) == 0
        return [one["number"] for one in json.loads(capsys.readouterr().out)["records"]]

    assert len(numbers()) == 28
    assert numbers("--person", "otto") == numbers("--day", "2026-11-06") == numbers("--kind", "act") == [28]
    assert numbers("--person", "viewer", "--last", "2") == [26, 27]
    assert main(["audit", "--data", str(three_months), "--last", "1"]) == 0
    said = capsys.readouterr().out.strip("\n")
    assert re.match(r" +28 2026-11-06 09:00:00 act +otto \(open\), live: proposed$", said)


def test_the_command_verifies(three_months: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["audit", "verify", "--data", str(three_months)]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("whole: 27 records, the last is 27, ")
    TOUCHES["a record changed"](files_of(three_months / "audit"))
    assert main(command) == 2
    said = capsys.readouterr().out
    assert said.startswith("TOUCHED")
    assert "audit-2026-10.jsonl:5: record 13, before it, is not what was written" in said


def test_where_there_is_no_audit_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--data", str(tmp_path)]) == 2
    assert "holds no audit" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_commands_that_read_the_data_are_recorded_with_what_became_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["proposals", "--data", str(tmp_path)]) == 2  # there are no data: nothing was read
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "e.parquet"
    made = ["--days", "1", "--size", "small", "--as", "events", "--out", str(file)]
    assert main(["fabricate", *made]) == 0
    data = ("--data", str(tmp_path / "data"))
    assert main(["ingest", str(file), "--format", "events", *data]) == 0
    assert main(["export", "census", "--out", str(tmp_path / "c.csv"), *data]) == 0
    assert main(["export", "DUPONT", "--out", str(tmp_path / "d.csv"), *data]) == 2
    assert main(["doctor", *data]) == 0
    assert "none touched" in capsys.readouterr().out
    found = [one.deed for one in written(tmp_path / "data")][1:]
    assert [(d.what, d.about, d.outcome, d.role) for d in found] == [
        ("ingest", "", "done", "machine"), ("export", "census", "done", "machine"),
        ("export", "", "refused", "machine"), ("doctor", "", "done", "machine"),
    ]  # fmt: skip
    assert {"export", "ingest", "quarantine", "rebuild"} <= RECORDED
