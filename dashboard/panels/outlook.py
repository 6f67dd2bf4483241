"""What the fans share: the answer in words, the key, the chart, or why there is none."""

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
from forecast.units import AN_HOUR, BEDS, unit_of
from ingest.clock import local

AHEAD = timedelta(hours=4)
"""How far ahead the sentence looks, to the nearest full hour."""


def words(
    board: Board, reader: Reader, *, name: str, measure: str, question: str, said: str, wide: bool,
    why: str | None = None, unknown: str | None = None,
) -> Component:  # fmt: skip
    """The words above one measure's chart, which is called `name`.

    `said` is the sentence to fill with {low}, {high} and {time}; `why` tells why the forecast moved, `unknown` why
    there is none of this measure. The title leads to the files of all charts; a telephone has the chart's own links.
    """
    found = shown(board, measure)
    if found is None:
        return html.Div([heading(question), absent(_why(board, reader, measure, unknown))], className="words")
    lines = [
        heading(question, href=None if reader.narrow else every_file(reader)),
        sentence(likely(found, reader, said)),
    ]
    told = extremes(found, reader) if wide or reader.narrow else summit(found, reader)
    lines += [sentence(text, "second") for text in (told, why) if text]
    if wide:
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


def summit(fan: Fan, reader: Reader) -> str:
    """The peak with its unit and hour, where there is room for no more; of what there should be more of, the fewest."""
    if fan.lowest is not None and fan.lowest_at is not None:
        n, time = counted(fan.lowest[1], fan.measure, reader), reader.clock(fan.lowest_at)
        return reader.say("Fewest: {n} around {time}.", n=n, time=time)
    if fan.peak is None or fan.peak_at is None:
        return ""
    n, time = counted(fan.peak[1], fan.measure, reader), reader.clock(fan.peak_at)
    return reader.say("Peak: {n} around {time}.", n=n, time=time)


def counted(value: float, measure: str, reader: Reader) -> str:
    """A value of a measure in its unit: "11 patients", "4 beds", "15 an hour"."""
    n, unit = round(value), unit_of(measure)
    if unit == BEDS:
        return reader.count("{n} bed", "{n} beds", n)
    if unit == AN_HOUR:
        return reader.say("{n} an hour", n=reader.number(n))
    return reader.count("{n} patient", "{n} patients", n)


def speaking_index(fan: Fan, reader: Reader) -> int:
    """The valid time that is a full local hour and nearest to four hours after the first."""
    wanted = fan.valid_at[0] + AHEAD

    def distance(index: int) -> tuple[bool, timedelta]:
        at = fan.valid_at[index]
        return local(at, reader.zone).minute != 0, abs(at - wanted)

    return min(range(len(fan.valid_at)), key=distance)


def _why(board: Board, reader: Reader, measure: str, unknown: str | None) -> str:
    state = forecast_state(board)
    if state == "none":
        return reader.say("the first forecast is being made")
    if state == "withheld" or (state == "hidden" and board.feed.state == "stale"):
        if board.feed.age is None:
            return reader.say("no data")
        return reader.say("withheld: what is known is too old to forecast from")
    if state == "hidden":
        return reader.say("the forecast is too old to be shown")
    if measure in board.fans:
        return reader.say("no forecast of this measure")
    return unknown or reader.say("not in the data received")
