"""How many patients the department will hold."""

from __future__ import annotations

import plotly.graph_objects as go
from dash.development.base_component import Component

from dashboard.panels.outlook import chart, words
from dashboard.words import Reader
from forecast.board import Board, Moved

MEASURE = "ed_census"
WIDE = True
LEAST_MOVE, LEAST_BLOCK = 1.0, 0.5
"""Patients below which a change, and a block of one, is not told: as much may be chance."""


def panel(board: Board, reader: Reader) -> Component:
    """The words on census; its chart has the past, the coming day, what was forecast earlier and what is usual."""
    return words(
        board,
        reader,
        name="census",
        measure=MEASURE,
        question=reader.say("How many patients in the coming hours?"),
        said=reader.text("8 chances in 10 of having {low} to {high} patients at {time}."),
        wide=WIDE,
        why=why(board.moved, reader) if board.moved else None,
    )


def why(moved: Moved, reader: Reader) -> str:
    """Why the forecast is another than an hour ago, the blocks that moved it by half a patient or more named."""
    since = reader.clock(moved.since)
    if abs(moved.now - moved.before) < LEAST_MOVE:
        return reader.say("Hardly moved since {since}.", since=since)
    told = reader.say(
        "Since {since}, {before} → {now} at {time}:", since=since, before=reader.number(moved.before),
        now=reader.number(moved.now), time=reader.clock(moved.valid_at),
    )  # fmt: skip
    blocks = [_block(name, by, moved, reader) for name, by in moved.by.items() if abs(by) >= LEAST_BLOCK]
    return f"{told} {', '.join(blocks)}."


def _block(name: str, by: float, moved: Moved, reader: Reader) -> str:
    """What one block did: what came beside what was expected, or its name; and by how much it moved the forecast."""
    came, expected = (reader.number(n) for n in (moved.arrived, moved.arrivals_expected))
    left, out = (reader.number(n) for n in (moved.left, moved.exits_expected))
    said = {
        "arrivals": reader.say("arrivals")
        if came == expected
        else reader.say("{n} arrivals, not {expected}", n=came, expected=expected),
        "patients": reader.say("patients already here")
        if left == out
        else reader.say("{n} exits, not {expected}", n=left, expected=out),
        "capacity": reader.say("beds and staff"),
        "adopted": reader.say("what was decided at the desk"),
        "learned": reader.say("learned anew"),
        "correction": reader.say("correction by past forecasts"),
    }
    return f"{said[name]} ({reader.signed(by)})"


def figure(board: Board, reader: Reader) -> go.Figure | None:
    """The fan below the words."""
    return chart(board, reader, measure=MEASURE, wide=WIDE)
