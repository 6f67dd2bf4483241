"""The charts of the replay: what was forecast at an instant, and what came, as far as the replay's clock has come.

The figure of a chart is a pure function of the page's view. What came after the clock is in none of its lines: it is
kept apart (`afterwards`), for the page's script to draw when the clock gets there.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import plotly.graph_objects as go

from dashboard.figures import PAST_SHOWN, THICK_REM, THIN_REM, fan, ticks
from dashboard.theme import colours, palette
from dashboard.words import Reader
from forecast.board import Fan
from forecast.replay_view import DRAWN, ReplayView

CAME = "came"
"""The name of the line of what came: the page's script looks for it."""
_OTHER_SHADE = 0.28
"""The band of what is compared with lets the other one be seen through it."""
_HOUR = timedelta(hours=1)


def chart(view: ReplayView, measure: str, reader: Reader) -> go.Figure | None:
    """The fans of the instants that are compared, and what came by the clock; None where nothing was said or came."""
    mine, other = fan_of(view, measure), other_of(view, measure)
    if view.at is None or view.to is None or view.looked is None or mine is None:
        return None
    figure = fan(mine, reader, now_at=view.at, wide=True, mark=reader.clock(view.at))
    if other is not None:
        _other(figure, other, reader, view.at)
    x, y = came(view, measure, until=view.to)
    figure.add_scatter(
        x=x, y=y, mode="lines", name=CAME,
        line={"color": palette(reader.theme).observed, "width": THICK_REM * reader.rem_px},
    )  # fmt: skip
    clock = (view.to - view.at) / _HOUR
    line = {"color": colours(reader.theme)["news"], "width": THIN_REM * reader.rem_px, "dash": "dot"}
    figure.add_vline(x=clock, line=line, name="clock")
    _widen(figure, view, mine, other, reader)
    return figure


def fan_of(view: ReplayView, measure: str) -> Fan | None:
    """What was said of a measure; where nothing was, the hours before alone."""
    looked = view.looked
    if looked is None or measure not in looked.then.past:
        return None
    if looked.said is not None and measure in looked.said.fans:
        return looked.said.fans[measure]
    nothing: dict[float, tuple[float, ...]] = dict.fromkeys((0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95), ())
    return Fan(measure, looked.then.past_at, looked.then.past[measure], (), nothing, ())


def other_of(view: ReplayView, measure: str) -> Fan | None:
    """What was said of it at the instant that is compared with."""
    said = view.versus.said if view.versus is not None else None
    return said.fans.get(measure) if said is not None else None


def came(view: ReplayView, measure: str, *, until: datetime) -> tuple[list[float], list[float]]:
    """What came up to an instant: hours after the one that is looked at, and values; nothing while that is no later."""
    if view.came is None or view.at is None or until <= view.at:
        return [], []
    told = zip(view.came.at, view.came.values.get(measure, ()), strict=False)
    known = [(at, value) for at, value in told if value is not None and at <= until]
    return [round((at - view.at) / _HOUR, 3) for at, _ in known], [round(value, 1) for _, value in known]


def afterwards(view: ReplayView, measure: str) -> str:
    """All that came, as the page's script reads it."""
    x, y = came(view, measure, until=view.at + DRAWN) if view.at is not None else ([], [])
    return json.dumps({"x": x, "y": y})


def _other(figure: go.Figure, other: Fan, reader: Reader, at: datetime) -> None:
    shades, x = palette(reader.theme), [round((valid - at) / _HOUR, 3) for valid in other.valid_at]
    low, middle, high = (_rounded(other.quantiles[level]) for level in (0.1, 0.5, 0.9))
    figure.add_scatter(
        x=[*x, *reversed(x)], y=[*low, *reversed(high)], mode="lines", line={"width": 0}, fill="toself",
        fillcolor=colours(reader.theme)["other-band"], opacity=_OTHER_SHADE, name="other band",
    )  # fmt: skip
    line = {"color": shades.capacity, "width": THICK_REM * reader.rem_px, "dash": "dash"}
    figure.add_scatter(x=x, y=middle, mode="lines", line=line, name="other")


def _rounded(values: tuple[float, ...]) -> list[float | None]:
    return [None if value != value else round(value, 1) for value in values]


def _widen(figure: go.Figure, view: ReplayView, mine: Fan, other: Fan | None, reader: Reader) -> None:
    """The axes hold both fans, and what came; what is still to come changes nothing of them."""
    assert view.at is not None
    first = view.at - PAST_SHOWN
    ends_at = [one.valid_at[-1] for one in (mine, other) if one is not None and one.valid_at]
    last = max([view.at + DRAWN, *ends_at])
    if other is not None and other.valid_at:
        first = min(first, max(other.valid_at[0], view.at - 2 * PAST_SHOWN))
    every = 6 if last - first <= timedelta(hours=38) else 12
    values, texts = ticks(first, last, reader, every_hours=every, now_at=view.at)
    ends = [(first - view.at) / _HOUR, (last - view.at) / _HOUR]
    figure.update_xaxes(range=ends, tickvals=values, ticktext=texts)
    tops = [value for one in (mine, other) if one is not None for value in (*one.quantiles[0.95], *one.past)]
    known = [value for value in tops if value is not None and value == value]
    figure.update_yaxes(range=[0, 1.3 * max([4.0, mine.capacity or 0.0, *known])])
