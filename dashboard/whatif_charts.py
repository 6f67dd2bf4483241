"""The charts of what-if: as usual against the change, and the paired difference below it."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import plotly.graph_objects as go

from dashboard.figures import ticks
from dashboard.theme import FONT, palette
from dashboard.theme import colours as colours_of
from dashboard.tidy import Tidy, line, quantile_name
from dashboard.words import Reader
from forecast.units import BEDS, unit_of
from forecast.whatif_view import FREE, AnswerView, Array, ComparedView, Curve

THICK_REM, THIN_REM = 0.2, 0.125
CHANGED_SHADE = 0.28
"""The change's band, in the colour of what is not as usual, lets the other one be seen through it."""
_HOURS = 60.0


def both(answer: AnswerView, measure: str, reader: Reader) -> go.Figure | None:
    """As usual (blue, 80 % band) and changed (amber, 80 % band); None where the measure does not exist here.

    Where nothing changes there is one band: two on each other have a colour that means nothing.
    """
    found = _known(answer, measure)
    if found is None:
        return None
    figure, colours, x = go.Figure(), palette(reader.theme), answer.lead_min / _HOURS
    of_the_change = colours_of(reader.theme)["other-band"]
    _band(figure, x, found.usual, colours.band_80)
    if not _alike(found.usual, found.changed):
        _band(figure, x, found.changed, of_the_change, CHANGED_SHADE)
    _line(figure, x, found.usual.quantiles[0.5], colours.forecast, THICK_REM * reader.rem_px)
    _line(figure, x, found.changed.quantiles[0.5], colours.capacity, THICK_REM * reader.rem_px, dash="dash")
    top = float(np.nanmax([found.usual.quantiles[0.95], found.changed.quantiles[0.95], np.full(x.size, 4.0)]))
    low = float(np.nanmin([found.usual.quantiles[0.05], found.changed.quantiles[0.05], np.zeros(x.size)]))
    return _laid(figure, answer, reader, [low * 1.05, top * 1.08])


def difference(answer: AnswerView, measure: str, reader: Reader) -> go.Figure | None:
    """Mean of the paired differences and the interval that holds eight in ten of them; the line is no difference."""
    found = _known(answer, measure)
    if found is None:
        return None
    figure, colours, x = go.Figure(), palette(reader.theme), answer.lead_min / _HOURS
    of_the_change = colours_of(reader.theme)["other-band"]
    _band(figure, x, found.difference, of_the_change, CHANGED_SHADE)
    _line(figure, x, found.difference.mean, colours.capacity, THICK_REM * reader.rem_px)
    figure.add_hline(y=0, line={"color": colours.text, "width": THIN_REM * reader.rem_px})
    low, high = found.difference.quantiles[0.1], found.difference.quantiles[0.9]
    ends = [min(-2.0, float(np.nanmin(low)) * 1.1), max(2.0, float(np.nanmax(high)) * 1.1)]
    return _laid(figure, answer, reader, ends)


def both_data(answer: AnswerView, measure: str) -> Tidy:
    """What `both` and `difference` draw: 10, 50 and 90 % as usual and changed; of the difference, mean and band."""
    found = _known(answer, measure)
    if found is None:
        return Tidy("time", ())
    at = [answer.as_of + timedelta(minutes=float(lead)) for lead in answer.lead_min]
    told = [
        (f"{name}:{quantile_name(level)}", curve.quantiles[level])
        for name, curve, levels in (
            ("usual", found.usual, (0.1, 0.5, 0.9)), ("changed", found.changed, (0.1, 0.5, 0.9)),
            ("difference", found.difference, (0.1, 0.9)),
        )
        for level in levels
    ] + [("difference:mean", found.difference.mean)]  # fmt: skip
    unit = BEDS if measure == FREE else unit_of(measure)
    return Tidy("time", tuple(p for name, values in told for p in line(name, at, np.round(values, 1).tolist(), unit)))


def _known(answer: AnswerView, measure: str) -> ComparedView | None:
    found = answer.measures.get(measure)
    return found if found is not None and np.isfinite(found.usual.mean).any() else None


def _alike(one: Curve, other: Curve) -> bool:
    """Do both have the same band?"""
    return all(np.array_equal(one.quantiles[q], other.quantiles[q], equal_nan=True) for q in (0.1, 0.9))


def _band(figure: go.Figure, x: Array, told: Curve, colour: str, shade: float = 1.0) -> None:
    low, high = (np.round(told.quantiles[q], 1).tolist() for q in (0.1, 0.9))
    at = x.tolist()
    figure.add_scatter(
        x=[*at, *reversed(at)], y=[*low, *reversed(high)], mode="lines", line={"width": 0}, fill="toself",
        fillcolor=colour, opacity=shade,
    )  # fmt: skip


def _line(figure: go.Figure, x: Array, y: Array, colour: str, width: float, dash: str = "solid") -> None:
    line = {"color": colour, "width": width, "dash": dash}
    figure.add_scatter(x=x.tolist(), y=np.round(y, 1).tolist(), mode="lines", line=line)


def _laid(figure: go.Figure, answer: AnswerView, reader: Reader, ends: list[float]) -> go.Figure:
    colours, rem = palette(reader.theme), reader.rem_px
    last = answer.as_of + timedelta(minutes=float(answer.lead_min[-1]))
    every = 6 if reader.narrow else 3
    values, texts = ticks(answer.as_of, last, reader, every_hours=every, now_at=answer.as_of)
    axis = {"gridcolor": colours.line, "zeroline": False, "fixedrange": True}
    figure.update_layout(
        xaxis={**axis, "range": [0, float(answer.lead_min[-1]) / _HOURS], "tickvals": values, "ticktext": texts,
               "showgrid": False},
        yaxis={**axis, "range": ends, "nticks": 5, "separatethousands": True},
        showlegend=False,
        margin={"l": 2.4 * rem, "r": 1.0 * rem, "t": 0.3 * rem, "b": 1.8 * rem},
        font={"family": FONT, "size": rem, "color": colours.muted},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", separators=reader.separators, template="none",
    )  # fmt: skip
    return figure
