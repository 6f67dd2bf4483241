"""How many patients will wait to be seen."""

from __future__ import annotations

from dash.development.base_component import Component

from dashboard.panels.outlook import words
from dashboard.words import Reader
from forecast.board import Board

MEASURE = "ed_waiting"


def panel(board: Board, reader: Reader) -> Component:
    """Those who have come and have not met a practitioner yet, now and ahead."""
    return words(
        board,
        reader,
        name="waiting",
        measure=MEASURE,
        question=reader.say("How many will wait to be seen?"),
        said=reader.text("8 chances in 10: {low} to {high} at {time}."),
        wide=False,
    )
