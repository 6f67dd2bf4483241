"""A fan as a picture in SVG that the server draws: what was, what is likely to come, what is usual, now, the capacity.

It says what the wall's chart says (`figures.py`), with the same bands and the same places of the hours, to a page that
has no scripts to draw with. Colours are classes of the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import nan

from dashboard.figures import BANDS, PAST_SHOWN, ROOM, extremes_of, hours_from, least_of, ticks, top_of
from dashboard.report.plots import LETTER, Chart
from dashboard.svg import text_at
from dashboard.words import Reader
from forecast.board import Fan

WIDTH, HEIGHT = 372.0, 216.0
"""Of a telephone held upright, in its own points: so letters are as large as they are drawn."""
EVERY_HOURS = 6
_EDGE = 52.0
"""A word that stands nearer to the right edge than this many letters' widths ends at its place."""


def fan_picture(fan: Fan, reader: Reader, *, now_at: datetime, said: str) -> str:
    """The picture of a fan; `said` is what it shows in words, for who cannot see it."""
    ends = [now_at - PAST_SHOWN, fan.valid_at[-1]]
    first, last = hours_from(ends, now_at)
    chart = Chart((first, last), (least_of(fan), top_of(fan) * ROOM), HEIGHT, WIDTH, left=34.0, bottom=22.0)
    chart.y_axis(reader.number, "")
    values, words = ticks(ends[0], ends[1], reader, every_hours=EVERY_HOURS, now_at=now_at)
    chart.x_axis(values, words, "")
    _ahead(chart, fan, now_at)
    _past(chart, fan, now_at)
    _landmarks(chart, fan, reader, now_at)
    return chart.svg(said)


def _ahead(chart: Chart, fan: Fan, now_at: datetime) -> None:
    x = hours_from(fan.valid_at, now_at)
    for low, high, name in BANDS:
        chart.area(x, _known(fan.quantiles[low]), _known(fan.quantiles[high]), name.replace("_", "-"))
    chart.line(x, _known(fan.usual), "usual")
    chart.line(x, _known(fan.quantiles[0.5]), "median")
    if fan.earlier is not None:
        kept = [i for i, at in enumerate(fan.earlier.valid_at) if now_at - PAST_SHOWN <= at <= fan.valid_at[-1]]
        hours = hours_from([fan.earlier.valid_at[i] for i in kept], now_at)
        chart.line(hours, [fan.earlier.median[i] for i in kept], "earlier")


def _past(chart: Chart, fan: Fan, now_at: datetime) -> None:
    shown = [i for i, at in enumerate(fan.past_at) if at >= now_at - PAST_SHOWN]
    chart.line(hours_from([fan.past_at[i] for i in shown], now_at), _known([fan.past[i] for i in shown]), "observed")


def _landmarks(chart: Chart, fan: Fan, reader: Reader, now_at: datetime) -> None:
    """Now, the capacity, and the highest or the lowest value ahead, each with its word."""
    (x, foot), (_, top) = chart.at(0.0, chart.y[0]), chart.at(0.0, chart.y[1])
    chart.pieces.append(f'<line class="now-line" x1="{x:.1f}" y1="{foot:.1f}" x2="{x:.1f}" y2="{top:.1f}"/>')
    _word(chart, x - 3, top + LETTER, reader.say("now"), "now-word", "end")
    if fan.capacity is not None:
        chart.level(fan.capacity, "capacity")
        right, y = chart.at(chart.x[1], fan.capacity)
        spaces = reader.count("{n} space", "{n} spaces", round(fan.capacity))
        _word(chart, right, y - 4, spaces, "capacity-word", "end")
    for extreme in extremes_of(fan):
        hour = (extreme.at - now_at) / timedelta(hours=1)
        place, y = chart.at(hour, extreme.value)
        side = 5.0
        chart.pieces.append(
            f'<path class="peak" d="M{place:.1f} {y - side:.1f}l{side} {side}l-{side} {side}l-{side} -{side}z"/>'
        )
        anchor = "end" if place > WIDTH - _EDGE else "start" if place < x + _EDGE else "middle"
        _word(chart, place, max(y - 9, top + LETTER), extreme.said(reader), "peak-word", anchor)


def _word(chart: Chart, x: float, y: float, words: str, kind: str, anchor: str) -> None:
    chart.pieces.append(text_at(x, y, words, kind, LETTER, anchor))


def _known(values: Sequence[float | None]) -> list[float]:
    return [nan if value is None else value for value in values]
