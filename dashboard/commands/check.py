"""Check the model by theory, known effects and limits, and its twin; keep the run for the page `/checks`."""

from __future__ import annotations

import argparse

from dashboard.check_words import bound_words, check_words, figure_words
from dashboard.commands.said import progress, say, written
from dashboard.commands.typed import settings_of
from dashboard.identical_law import identical_twin
from dashboard.words import Reader
from forecast.checks import CHECKED, FILE, ChecksRun, as_json, keep, run_checks
from ingest.clock import WallClock

_READER = Reader("en", "UTC")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin check`: those of every command."""


def run(options: argparse.Namespace) -> int:
    """Run them, keep the run beside the data for the page, and print it; 1 where one of them does not hold."""
    folder = settings_of(options).data
    with progress("checking the model") as report:
        found = run_checks(WallClock(), (*CHECKED, identical_twin), report)
    with written(folder / FILE):
        keep(found, folder)
    say(options, as_json(found), lambda: "\n".join(_lines(found)))
    return 1 if found.fallen else 0


def _lines(run: ChecksRun) -> list[str]:
    rows = [
        (
            "holds" if check.holds else "FALLS",
            check_words(check.name, _READER),
            figure_words(check.measured, check.unit, _READER),
            bound_words(check, _READER),
        )
        for check in run.checks
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows]
