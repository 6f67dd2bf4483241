"""Charts: one measure's past, what is likely to come, and what is usual.

Horizontal places are hours from now, so that the missing and the repeated hour of a clock change stay an hour long;
only the words under the axis are local time. Nothing is interactive: a wall has no mouse.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

import plotly.graph_objects as go

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

Series = Sequence[float | None]


def fan(fan: Fan, reader: Reader, *, now_at: datetime, wide: bool, mark: str | None = None) -> go.Figure:
    """What was (line), what may come (50, 80, 90 % bands and median), what was said earlier, what is usual.

    `wide` charts have room for a tick every three hours and for the names of their lines. `mark` is the word at the
    instant between past and future, "now" where it is left out.
    """
    figure = go.Figure()
    _bands(figure, fan, now_at)
    _ahead(figure, fan, reader, now_at)
    _past(figure, fan, reader, now_at)
    top = top_of(fan)
    _landmarks(figure, fan, reader, now_at=now_at, top=top, wide=wide, mark=mark or reader.say("now"))
    figure.update_layout(_layout(fan, reader, now_at=now_at, top=top, wide=wide))
    return figure


def fan_data(fan: Fan, *, now_at: datetime, wide: bool) -> Tidy:
    """What `fan` draws: `observed`, quantiles (`p50`, the median, ..), `usual`, `earlier`, `capacity`, `peak`."""
    unit, levels = unit_of(fan.measure), sorted({0.5, *(level for low, high, _ in BANDS for level in (low, high))})
    past_at, past = _shown_past(fan, now_at)
    points = line("observed", past_at, _clean(past), unit)
    for level in levels:
        points += line(quantile_name(level), fan.valid_at, _clean(fan.quantiles[level]), unit)
    points += line("usual", fan.valid_at, _clean(fan.usual), unit)
    earlier_at, earlier = _shown_earlier(fan, now_at)
    points += line("earlier", earlier_at, _clean(earlier), unit)
    points += [] if fan.capacity is None else [Point(None, "capacity", fan.capacity, unit)]
    points += [] if fan.peak is None or fan.peak_at is None or not wide else [
        Point(fan.peak_at, "peak", fan.peak[1], unit)
    ]  # fmt: skip
    return Tidy("time", tuple(points))


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


def _bands(figure: go.Figure, fan: Fan, now_at: datetime) -> None:
    x = hours_from(fan.valid_at, now_at)
    for low, high, colour in BANDS:
        edge = [*_clean(fan.quantiles[low]), *reversed(_clean(fan.quantiles[high]))]
        figure.add_scatter(
            x=[*x, *reversed(x)],
            y=edge,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=getattr(palette(), colour),
            name=colour,
        )


def _ahead(figure: go.Figure, fan: Fan, reader: Reader, now_at: datetime) -> None:
    colours, x = palette(), hours_from(fan.valid_at, now_at)
    thick, thin = THICK_REM * reader.rem_px, THIN_REM * reader.rem_px
    _line(figure, "usual", x, fan.usual, colour=colours.usual, width=thin, dash="dot")
    _line(figure, "median", x, fan.quantiles[0.5], colour=colours.forecast, width=thick)
    if fan.earlier is not None:
        earlier_at, median = _shown_earlier(fan, now_at)
        hours = hours_from(earlier_at, now_at)
        _line(figure, "earlier", hours, median, colour=colours.earlier, width=thin, dash="dash")


def _past(figure: go.Figure, fan: Fan, reader: Reader, now_at: datetime) -> None:
    past_at, past = _shown_past(fan, now_at)
    width = THICK_REM * reader.rem_px
    _line(figure, "observed", hours_from(past_at, now_at), past, colour=palette().observed, width=width)


def _line(
    figure: go.Figure, name: str, x: Sequence[float], y: Series, *, colour: str, width: float, dash: str = "solid"
) -> None:
    figure.add_scatter(x=x, y=_clean(y), mode="lines", name=name, line={"color": colour, "width": width, "dash": dash})


def _landmarks(
    figure: go.Figure, fan: Fan, reader: Reader, *, now_at: datetime, top: float, wide: bool, mark: str
) -> None:
    """Now, the capacity and the peak, each with its word."""
    colours, thin = palette(), THIN_REM * reader.rem_px
    figure.add_vline(x=0, line={"color": colours.text, "width": thin})
    _word(figure, reader, x=0, y=top, text=mark, anchor="right", colour=colours.text)
    if fan.capacity is not None:
        figure.add_hline(y=fan.capacity, line={"color": colours.capacity, "width": thin, "dash": "longdash"})
        text = reader.count("{n} space", "{n} spaces", round(fan.capacity))
        right = hours_from(fan.valid_at[-1:] or [now_at], now_at)[0]
        _word(figure, reader, x=right, y=fan.capacity, text=text, anchor="right", colour=colours.capacity)
    if fan.peak is not None and fan.peak_at is not None and wide:
        _peak(figure, fan.peak[1], fan.peak_at, reader, now_at)


def _peak(figure: go.Figure, value: float, at: datetime, reader: Reader, now_at: datetime) -> None:
    [x] = hours_from([at], now_at)
    figure.add_scatter(
        x=[x],
        y=[value],
        mode="markers",
        name="peak",
        marker={"symbol": "diamond", "size": 0.8 * reader.rem_px, "color": palette().text},
    )
    text = reader.say("peak {n}", n=reader.number(value))
    _word(figure, reader, x=x, y=value, text=text, anchor="center", colour=palette().text, lift=0.5)


def _word(
    figure: go.Figure, reader: Reader, *, x: float, y: float, text: str, anchor: str, colour: str, lift: float = 0.0
) -> None:
    figure.add_annotation(
        x=x,
        y=y,
        text=text,
        showarrow=False,
        xanchor=anchor,
        yanchor="bottom",
        yshift=lift * reader.rem_px,
        font={"size": reader.rem_px, "color": colour},
        bgcolor=palette().panel,
        borderpad=0,
    )


def _layout(fan: Fan, reader: Reader, *, now_at: datetime, top: float, wide: bool) -> dict[str, object]:
    colours, rem = palette(), reader.rem_px
    ends = [now_at - PAST_SHOWN, fan.valid_at[-1] if fan.valid_at else now_at]
    values, texts = ticks(ends[0], ends[1], reader, every_hours=3 if wide and not reader.narrow else 6, now_at=now_at)
    axis = {"gridcolor": colours.line, "zeroline": False, "fixedrange": True}
    return {
        "xaxis": {**axis, "range": hours_from(ends, now_at), "tickvals": values, "ticktext": texts, "showgrid": False},
        "yaxis": {**axis, "range": [0, top * 1.12], "nticks": 5, "separatethousands": True},
        "showlegend": False,
        "margin": {"l": 2.2 * rem, "r": 1.0 * rem, "t": 0.2 * rem, "b": 1.8 * rem},
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


def hours_from(instants: Sequence[datetime], now_at: datetime) -> list[float]:
    """Where instants lie on the horizontal axis: hours from now, to half a minute, which no screen can tell."""
    return [round((at - now_at) / timedelta(hours=1), 2) for at in instants]


def _clean(values: Series) -> list[float | None]:
    """Short numbers; what is not finite is absent."""
    return [None if value is None or not math.isfinite(value) else round(value, 1) for value in values]
