"""The page of the model's checks as a component tree: before the first run, all well, one fallen, a run that is on."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from dashboard import __main__ as command
from dashboard.check_words import CHECKS, GROUPS, bound_words, check_words, figure_words
from dashboard.commands import check as check_command
from dashboard.pages.beside import Place, beside
from dashboard.panels import checks
from dashboard.parts import MARKS
from dashboard.words import NBSP, UNKNOWN
from forecast.checks import kept, run_checks
from forecast.pages import ModelChecks
from tests.boards import MADE_AT
from tests.component_trees import FRENCH, READER, texts, with_class
from tests.test_forecast_checks import FALLS, HOLDS, NOTHING, nothing, one, two
from twin.check_values import Check

VIEW = ModelChecks(
    made_at=MADE_AT, zone="Europe/Paris", hospital="CHU", mode="live", ran_at=MADE_AT - timedelta(hours=3),
    version="0.1", checks=(HOLDS, FALLS), done=None, of=9,
)  # fmt: skip


def test_before_the_first_run_it_says_so_and_how_to_make_one() -> None:
    said = texts(checks.panel(replace(VIEW, ran_at=None, version=None, checks=()), READER))
    assert "The model has not been checked here yet." in said
    assert "edtwin check" in said


def test_each_check_says_what_was_measured_what_it_should_be_and_the_verdict() -> None:
    panel = checks.panel(replace(VIEW, checks=(HOLDS,)), READER)
    assert texts(with_class(panel, "holds")[0]) == [
        "Three doctors: mean wait", "Erlang", "11.2 min", "11.4 min ± 1.1 min",
        MARKS["good"], "holds",
    ]  # fmt: skip
    assert "The 1 check holds" in texts(panel)
    assert len(with_class(panel, "checks-plot")) == 1


def test_one_that_does_not_hold_is_said_first() -> None:
    panel = checks.panel(VIEW, READER)
    head = texts(with_class(panel, "checks-head")[0])
    assert head[:2] == [MARKS["bad"], "1 check does not hold"]
    assert "Checked 3 h 00 ago" in head[2].replace(NBSP, " ")
    assert len(with_class(panel, "falls")) == 1


def test_a_run_that_is_on_shows_how_far_it_is() -> None:
    said = texts(checks.panel(replace(VIEW, done=4), READER))
    assert "A run is on: 4 of 9 parts are done." in said
    assert not any("A run is on" in text for text in texts(checks.panel(VIEW, READER)))


def test_the_page_has_its_title_in_both_languages() -> None:
    assert "Is the model right?" in texts(beside(VIEW, READER, Place("checks")))
    assert "Le modèle est-il juste ?" in texts(beside(VIEW, FRENCH, Place("checks")))


def test_every_check_and_group_has_its_words_and_they_differ_by_language() -> None:
    for name in CHECKS:
        assert check_words(name, READER) != check_words(name, FRENCH)
    for title, why in GROUPS.values():
        assert title(READER) != title(FRENCH)
        assert why(READER) != why(FRENCH)
    assert check_words("of another version", READER) == "of another version"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (Check("x", "effects", "share", 0.6, 0.5, 0.0, "at_least"), "at least 50%"),
        (Check("x", "effects", "ratio", 0.2, 0.57, 0.1, "at_most"), "at most 0.67"),
        (Check("x", "extremes", "events", 0.0, 0.0, 0.0), f"0{NBSP}events"),
    ],
)
def test_a_bound_says_which_way(check: Check, said: str) -> None:
    assert bound_words(check, READER) == said


def test_what_is_no_number_is_a_dash() -> None:
    assert figure_words(float("nan"), "min", READER) == UNKNOWN
    assert UNKNOWN in texts(checks.panel(replace(VIEW, checks=(NOTHING,)), READER))


def test_a_curve_is_drawn_beside_what_it_should_be() -> None:
    lines = checks.figure(HOLDS, READER).data
    assert [(line.name, tuple(line.y)) for line in lines] == [("should be", (2.5, 2.5)), ("measured", (2.0, 3.0))]
    assert not checks.figure(FALLS, READER).data


# --- the command ------------------------------------------------------------------------------------------------------


def ran(monkeypatch: pytest.MonkeyPatch, folder: Path, *found: Callable[[], list[Check]], options: str = "") -> int:
    monkeypatch.setattr(check_command, "CHECKED", found)
    monkeypatch.setattr(check_command, "identical_twin", list)
    monkeypatch.setattr(check_command, "run_checks", partial(run_checks, prepare=nothing))
    return command.main(["check", "--data", str(folder), *options.split()])


def test_the_command_prints_and_keeps_a_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, tmp_path / "data", one) == 0
    [line] = capsys.readouterr().out.splitlines()
    assert line.split("  ")[0] == "holds"
    last = kept(tmp_path / "data")
    assert last is not None
    assert last.checks == (HOLDS,)


def test_it_exits_with_1_where_one_does_not_hold(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(monkeypatch, tmp_path, one, two, options="--json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["fallen"] == 2
    assert [c["holds"] for c in told["checks"]] == [True, False, False]
