"""What the three fans share: the answer in words, the key, the chart, or why there is none."""

from __future__ import annotations

from datetime import timedelta

import plotly.graph_objects as go
from dash import html
from dash.development.base_component import Component

from dashboard.data_ways import WALL, data_ways, every_file
from dashboard.figures import fan as fan_figure
from dashboard.parts import absent, heading, key, sentence
from dashboard.states import forecast_shown, forecast_state
from dashboard.words import Reader
from forecast.board import Board, Fan
from ingest.clock import local

AHEAD = timedelta(hours=4)
"""How far ahead the sentence looks, to the nearest full hour."""


def words(
    board: Board, reader: Reader, *, name: str, measure: str, question: str, said: str, wide: bool,
    why: str | None = None,
) -> Component:  # fmt: skip
    """The words above one measure's chart, which is called `name`.

    `said` is the sentence to fill with {low}, {high} and {time}; `why` tells why the forecast moved. The title leads to
    the files of all charts; a telephone has the chart's own links.
    """
    found = shown(board, measure)
    if found is None:
        return html.Div([heading(question), absent(_why(board, reader, measure))], className="words")
    lines = [
        heading(question, href=None if reader.narrow else every_file(reader)),
        sentence(likely(found, reader, said)),
    ]
    if wide:
        lines += [sentence(text, "second") for text in (extremes(found, reader), why) if text]
        lines.append(key(found, reader))
    if reader.narrow:
        lines.append(data_ways(WALL, name, reader))
    return html.Div(lines, className="words")


def chart(board: Board, reader: Reader, *, measure: str, wide: bool) -> go.Figure | None:
    """One measure's fan, or None where there is none to show."""
    found = shown(board, measure)
    return None if found is None else fan_figure(found, reader, now_at=board.made_at, wide=wide)


def shown(board: Board, measure: str) -> Fan | None:
    """The measure's fan if there is one and it is not too old."""
    found = board.fans.get(measure)
    return found if found is not None and found.valid_at and forecast_shown(board) else None


def likely(fan: Fan, reader: Reader, said: str) -> str:
    """The 80 % interval some hours ahead, in words."""
    at = speaking_index(fan, reader)
    low, high = (reader.number(fan.quantiles[level][at]) for level in (0.1, 0.9))
    return said.format(low=low, high=high, time=reader.clock(fan.valid_at[at]))


def extremes(fan: Fan, reader: Reader) -> str:
    """One chance in four, and the peak; of what there should be more of, the fewest."""
    at = speaking_index(fan, reader)
    if fan.lowest is not None and fan.lowest_at is not None:
        low, middle, high = (reader.number(value) for value in fan.lowest)
        return reader.say(
            "Fewest: {n} ({low} to {high}) around {time}.", n=middle, low=low, high=high,
            time=reader.clock(fan.lowest_at),
        )  # fmt: skip
    text = reader.say("1 chance in 4 of more than {n}.", n=reader.number(fan.quantiles[0.75][at]))
    if fan.peak is None or fan.peak_at is None:
        return text
    low, middle, high = (reader.number(value) for value in fan.peak)
    peak = reader.say(
        "Peak: {n} ({low} to {high}) around {time}.", n=middle, low=low, high=high, time=reader.clock(fan.peak_at)
    )
    return f"{text} {peak}"


def speaking_index(fan: Fan, reader: Reader) -> int:
    """The valid time that is a full local hour and nearest to four hours after the first."""
    wanted = fan.valid_at[0] + AHEAD

    def distance(index: int) -> tuple[bool, timedelta]:
        at = fan.valid_at[index]
        return local(at, reader.zone).minute != 0, abs(at - wanted)

    return min(range(len(fan.valid_at)), key=distance)


def _why(board: Board, reader: Reader, measure: str) -> str:
    state = forecast_state(board)
    if state == "none":
        return reader.say("the first forecast is being made")
    if state == "withheld" or (state == "hidden" and board.feed.state == "stale"):
        if board.feed.age is None:
            return reader.say("no data")
        return reader.say("withheld: what is known is too old to forecast from")
    if state == "hidden":
        return reader.say("the forecast is too old to be shown")
    unknown = measure not in board.fans
    return reader.say("not in the data received") if unknown else reader.say("no forecast of this measure")
