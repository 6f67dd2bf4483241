"""Charts: one measure's past, what is likely to come, and what is usual.

Horizontal places are hours from now, so that the missing and the repeated hour of a clock change stay an hour long;
only the words under the axis are local time. Nothing is interactive: a wall has no mouse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import plotly.graph_objects as go

from dashboard.report.plots import ticks as levels_of
from dashboard.theme import FONT, palette
from dashboard.tidy import Point, Tidy, line, quantile_name
from dashboard.words import Reader
from forecast.board import Fan
from forecast.units import unit_of
from ingest.clock import local

PAST_SHOWN = timedelta(hours=12)
BANDS: tuple[tuple[float, float, str], ...] = (
    (0.05, 0.95, "band_90"),
    (0.1, 0.9, "band_80"),
    (0.25, 0.75, "band_50"),
)
"""Lower level, upper level, and the palette's name of the 90, 80 and 50 % intervals; the widest is drawn first."""

THICK_REM, THIN_REM = 0.2, 0.125
"""Widths of lines, in base letters, so that they grow with the screen."""

ROOM = 1.12
"""Above the highest value, for the words there."""

NEAR_H = 2.0
"""An extreme nearer to now has its word to the right of it: to the left stands that of now."""

EVEN_H = 0.02
"""Places that are off by less than a minute are even."""

Series = Sequence[float | None]


def fan(fan: Fan, reader: Reader, *, now_at: datetime, wide: bool, mark: str | None = None) -> go.Figure:
    """What was (line), what may come (50, 80, 90 % bands and median), what was said earlier, what is usual.

    `wide` charts have room for a tick every three hours and for the word at their peak; of what there should be more
    of, the fewest is marked in its place. `mark` is the word at the instant between past and future, "now" where it is
    left out.
    """
    figure = go.Figure()
    _bands(figure, fan, reader, now_at)
    _ahead(figure, fan, reader, now_at)
    _past(figure, fan, reader, now_at)
    _landmarks(figure, fan, reader, now_at=now_at, wide=wide, mark=mark or reader.say("now"))
    figure.update_layout(_layout(fan, reader, now_at=now_at, wide=wide))
    return figure


def fan_data(fan: Fan, *, now_at: datetime) -> Tidy:
    """What `fan` draws: `observed`, quantiles (`p50`, the median, ..), `usual`, `earlier`, `capacity`, `peak` or
    `fewest`."""
    unit, levels = unit_of(fan.measure), sorted({0.5, *(level for low, high, _ in BANDS for level in (low, high))})
    past_at, past = _shown_past(fan, now_at)
    points = line("observed", past_at, _clean(past), unit)
    for level in levels:
        points += line(quantile_name(level), fan.valid_at, _clean(fan.quantiles[level]), unit)
    points += line("usual", fan.valid_at, _clean(fan.usual), unit)
    earlier_at, earlier = _shown_earlier(fan, now_at)
    points += line("earlier", earlier_at, _clean(earlier), unit)
    points += [] if fan.capacity is None else [Point(None, "capacity", fan.capacity, unit)]
    points += [Point(one.at, one.name, one.value, unit) for one in extremes_of(fan)]
    return Tidy("time", tuple(points))


@dataclass(frozen=True)
class Extreme:
    """The highest value ahead, or, of what there should be more of, the lowest: its middle, and the middle of its
    time."""

    name: Literal["peak", "fewest"]
    at: datetime
    value: float

    def said(self, reader: Reader) -> str:
        """As it stands in a chart that has room for a word."""
        n = reader.number(self.value)
        return reader.say("fewest {n}", n=n) if self.name == "fewest" else reader.say("peak {n}", n=n)


def extremes_of(fan: Fan) -> list[Extreme]:
    """What is marked of a fan: at most one."""
    if fan.lowest is not None and fan.lowest_at is not None:
        return [Extreme("fewest", fan.lowest_at, fan.lowest[1])]
    if fan.peak is not None and fan.peak_at is not None:
        return [Extreme("peak", fan.peak_at, fan.peak[1])]
    return []


def _shown_past(fan: Fan, now_at: datetime) -> tuple[Sequence[datetime], Series]:
    """What was, as far back as it is drawn."""
    first = next((i for i, at in enumerate(fan.past_at) if at >= now_at - PAST_SHOWN), len(fan.past_at))
    return fan.past_at[first:], fan.past[first:]


def _shown_earlier(fan: Fan, now_at: datetime) -> tuple[Sequence[datetime], Series]:
    """What was said earlier, as far back as it is drawn."""
    if fan.earlier is None:
        return (), ()
    told = zip(fan.earlier.valid_at, fan.earlier.median, strict=True)
    shown = [(at, value) for at, value in told if at >= now_at - PAST_SHOWN]
    return [at for at, _ in shown], [value for _, value in shown]


def _bands(figure: go.Figure, fan: Fan, reader: Reader, now_at: datetime) -> None:
    """Each as its lower edge, and its upper one filled down to that."""
    along = _along(hours_from(fan.valid_at, now_at))
    for low, high, colour in BANDS:
        filled = {"fill": "tonexty", "fillcolor": getattr(palette(reader.theme), colour)}
        for level, fill in ((low, {}), (high, filled)):
            y, name = _clean(fan.quantiles[level]), quantile_name(level)
            figure.add_scatter(**along, y=y, mode="lines", line={"width": 0}, name=name, **fill)


def _ahead(figure: go.Figure, fan: Fan, reader: Reader, now_at: datetime) -> None:
    colours, x = palette(reader.theme), hours_from(fan.valid_at, now_at)
    thick, thin = THICK_REM * reader.rem_px, THIN_REM * reader.rem_px
    if any(value is not None for value in fan.usual):
        _line(figure, "usual", x, fan.usual, colour=colours.usual, width=thin, dash="dot")
    _line(figure, "median", x, fan.quantiles[0.5], colour=colours.forecast, width=thick)
    if fan.earlier is not None:
        earlier_at, median = _shown_earlier(fan, now_at)
        hours = hours_from(earlier_at, now_at)
        _line(figure, "earlier", hours, median, colour=colours.earlier, width=thin, dash="dash")


def _past(figure: go.Figure, fan: Fan, reader: Reader, now_at: datetime) -> None:
    past_at, past = _shown_past(fan, now_at)
    width = THICK_REM * reader.rem_px
    _line(figure, "observed", hours_from(past_at, now_at), past, colour=palette(reader.theme).observed, width=width)


def _line(
    figure: go.Figure, name: str, x: Sequence[float], y: Series, *, colour: str, width: float, dash: str = "solid"
) -> None:
    line = {"color": colour, "width": width, "dash": dash}
    figure.add_scatter(**_along(x), y=_clean(y), mode="lines", name=name, line=line)


def _along(x: Sequence[float]) -> dict[str, Any]:
    """Even places by the first and the step, which is far shorter to send than each of them."""
    step = (x[-1] - x[0]) / (len(x) - 1) if len(x) > 1 else 0.0
    even = all(abs(at - (x[0] + k * step)) < EVEN_H for k, at in enumerate(x))
    return {"x0": x[0], "dx": round(step, 4)} if step and even else {"x": list(x)}


def _landmarks(figure: go.Figure, fan: Fan, reader: Reader, *, now_at: datetime, wide: bool, mark: str) -> None:
    """Now, the capacity and the peak or the fewest, each with its word; a small chart has room for the number."""
    colours, thin = palette(reader.theme), THIN_REM * reader.rem_px
    figure.add_vline(x=0, line={"color": colours.text, "width": thin})
    _word(figure, reader, x=0, y=top_of(fan), text=mark, anchor="right", colour=colours.text)
    if fan.capacity is not None:
        figure.add_hline(y=fan.capacity, line={"color": colours.capacity, "width": thin, "dash": "longdash"})
        text = reader.count("{n} space", "{n} spaces", round(fan.capacity))
        right = hours_from(fan.valid_at[-1:] or [now_at], now_at)[0]
        _word(figure, reader, x=right, y=fan.capacity, text=text, anchor="right", colour=colours.capacity)
    for extreme in extremes_of(fan):
        _extreme(figure, extreme, reader, now_at=now_at, wide=wide)


def _extreme(figure: go.Figure, extreme: Extreme, reader: Reader, *, now_at: datetime, wide: bool) -> None:
    [x] = hours_from([extreme.at], now_at)
    figure.add_scatter(
        x=[x],
        y=[extreme.value],
        mode="markers",
        name=extreme.name,
        marker={"symbol": "diamond", "size": 0.8 * reader.rem_px, "color": palette(reader.theme).text},
    )
    text = extreme.said(reader) if wide else reader.number(extreme.value)
    near = x < NEAR_H
    _word(
        figure, reader, x=x, y=extreme.value, text=text, anchor="left" if near else "center",
        colour=palette(reader.theme).text, lift=0.5, aside=0.4 * near,
    )  # fmt: skip


def _word(
    figure: go.Figure, reader: Reader, *, x: float, y: float, text: str, anchor: str, colour: str, lift: float = 0.0,
    aside: float = 0.0,
) -> None:  # fmt: skip
    """A word at a place, so many base letters above it and to its right."""
    figure.add_annotation(
        x=x,
        y=y,
        text=text,
        showarrow=False,
        xanchor=anchor,
        yanchor="bottom",
        xshift=aside * reader.rem_px,
        yshift=lift * reader.rem_px,
        font={"size": reader.rem_px, "color": colour},
        bgcolor=palette(reader.theme).panel,
        borderpad=0,
    )


def _layout(fan: Fan, reader: Reader, *, now_at: datetime, wide: bool) -> dict[str, object]:
    colours, rem = palette(reader.theme), reader.rem_px
    ends = [now_at - PAST_SHOWN, fan.valid_at[-1] if fan.valid_at else now_at]
    every_hours = 6 if reader.narrow else 3 if wide else 12
    values, texts = ticks(ends[0], ends[1], reader, every_hours=every_hours, now_at=now_at)
    top = top_of(fan)
    # the word at now would stand on the topmost value of a small chart
    levels = {"nticks": 5} if wide else {"tickvals": [y for y in levels_of(least_of(fan), top) if y < 0.9 * top]}
    axis = {"gridcolor": colours.line, "zeroline": False, "fixedrange": True}
    return {
        "xaxis": {**axis, "range": hours_from(ends, now_at), "tickvals": values, "ticktext": texts, "showgrid": False},
        "yaxis": {**axis, "range": [least_of(fan), top * ROOM], **levels, "separatethousands": True},
        "showlegend": False,
        "margin": {"l": 2.2 * rem, "r": 1.0 * rem, "t": 0.8 * rem, "b": 1.8 * rem},
        "font": {"family": FONT, "size": rem, "color": colours.muted},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "separators": reader.separators,
        "template": "none",
    }


def ticks(
    first: datetime, last: datetime, reader: Reader, *, every_hours: int, now_at: datetime
) -> tuple[list[float], list[str]]:
    """Places (hours from now) and words of the full local hours that `every_hours` divides."""
    # a tick too near the corner would stand on the vertical axis's words
    full = (first + timedelta(minutes=30)).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    count = max(0, math.floor((last - full) / timedelta(hours=1)) + 1)
    hours = [full + timedelta(hours=i) for i in range(count)]
    shown = [at for at in hours if local(at, reader.zone).hour % every_hours == 0]
    return hours_from(shown, now_at), [reader.clock(at) for at in shown]


def top_of(fan: Fan) -> float:
    """The highest value drawn; at least 4, so that an empty department is not a storm of halves."""
    earlier = fan.earlier.median if fan.earlier else ()
    drawn: list[float | None] = [*fan.past, *fan.quantiles[0.95], *fan.usual, *earlier, fan.capacity]
    return max([4.0, *(value for value in drawn if value is not None and math.isfinite(value))])


def least_of(fan: Fan) -> float:
    """The lowest value drawn, and never above 0: more beds may be taken than there are."""
    drawn: list[float | None] = [*fan.past, *fan.quantiles[0.05]]
    return min([0.0, *(value for value in drawn if value is not None and math.isfinite(value))])


def hours_from(instants: Sequence[datetime], now_at: datetime) -> list[float]:
    """Where instants lie on the horizontal axis: hours from now, to half a minute, which no screen can tell."""
    return [round((at - now_at) / timedelta(hours=1), 2) for at in instants]


def _clean(values: Series) -> list[float | None]:
    """Short numbers; what is not finite is absent."""
    return [None if value is None or not math.isfinite(value) else round(value, 1) for value in values]
