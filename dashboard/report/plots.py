"""Charts drawn as SVG by the server: a frame with its axes, and what is put on it; colours are classes of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import floor, isfinite, log10
from xml.sax.saxutils import escape

import numpy as np

from dashboard.svg import text_at

WIDTH = 420.0
LETTER = 13.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 58.0, 22.0, 10.0, 40.0
_TICKS = 5

Number = Callable[[float], str]
"""How a value is written on an axis."""


@dataclass
class Chart:
    """A chart of `width` by `height`: x and y run over the given spans; pieces are drawn in the order they are put.

    A chart that shares a row with more of its kind is less wide, so that its letters are as large on the page. One
    whose axes need no titles has less room for them (`left`, `bottom`).
    """

    x: tuple[float, float]
    y: tuple[float, float]
    height: float = 260.0
    width: float = WIDTH
    left: float = _LEFT
    bottom: float = _BOTTOM
    pieces: list[str] = field(default_factory=list)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the picture; what is outside the spans lies on their edge."""
        across = min(max((x - self.x[0]) / (self.x[1] - self.x[0]), 0.0), 1.0)
        up = min(max((y - self.y[0]) / (self.y[1] - self.y[0]), 0.0), 1.0)
        tall = self.height - self.bottom - _TOP
        return self.left + across * (self.width - self.left - _RIGHT), self.height - self.bottom - up * tall

    def y_axis(self, number: Number, title: str) -> None:
        """Lines across with their values, and what they are of where that has to be said."""
        for value in ticks(*self.y):
            (x0, y), (x1, _) = self.at(self.x[0], value), self.at(self.x[1], value)
            self.pieces.append(f'<line class="grid" x1="{x0:.1f}" y1="{y:.1f}" x2="{x1:.1f}" y2="{y:.1f}"/>')
            self.pieces.append(text_at(x0 - 5, y + 4, number(value), "tick", LETTER, "end"))
        middle = (_TOP + self.height - self.bottom) / 2
        if not title:
            return
        self.pieces.append(
            f'<text class="axis" font-size="{LETTER}" text-anchor="middle" '
            f'transform="translate(12 {middle:.1f}) rotate(-90)">{escape(title)}</text>'
        )

    def x_axis(self, at: Sequence[float], words: Sequence[str], title: str) -> None:
        """Words below, and what they are of where that has to be said."""
        for x, word in zip(at, words, strict=True):
            place, y = self.at(x, self.y[0])
            self.pieces.append(text_at(place, y + 16, word, "tick", LETTER, "middle"))
        if title:
            self.pieces.append(
                text_at((self.left + self.width - _RIGHT) / 2, self.height - 5, title, "axis", LETTER, "middle")
            )

    def level(self, y: float, kind: str) -> None:
        """A line across at a value."""
        (x0, at), (x1, _) = self.at(self.x[0], y), self.at(self.x[1], y)
        self.pieces.append(f'<line class="{kind}" x1="{x0:.1f}" y1="{at:.1f}" x2="{x1:.1f}" y2="{at:.1f}"/>')

    def line(self, xs: Sequence[float], ys: Sequence[float], kind: str) -> None:
        """A line through points; it is broken where a value is not known."""
        for part in _unbroken(xs, ys):
            points = " ".join(f"{x:.1f},{y:.1f}" for x, y in (self.at(*point) for point in part))
            self.pieces.append(f'<polyline class="{kind}" points="{points}"/>')

    def area(self, xs: Sequence[float], low: Sequence[float], high: Sequence[float], kind: str) -> None:
        """What lies between two lines, where both are known."""
        known = [(x, a, b) for x, a, b in zip(xs, low, high, strict=True) if isfinite(a) and isfinite(b)]
        points = [self.at(x, a) for x, a, _ in known] + [self.at(x, b) for x, _, b in reversed(known)]
        if known:
            self.pieces.append(f'<polygon class="{kind}" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')

    def whisker(self, x: float, y: float, low: float, high: float, kind: str, shift: float = 0.0) -> None:
        """A point with its interval, so many letters beside its place; nothing where it is not known."""
        if not isfinite(y):
            return
        place, middle = self.at(x, y)
        place += shift
        if isfinite(low) and isfinite(high):
            (_, top), (_, foot) = self.at(x, high), self.at(x, low)
            self.pieces.append(
                f'<path class="{kind} whisker" d="M{place:.1f} {top:.1f}V{foot:.1f}'
                f'M{place - 3:.1f} {top:.1f}h6M{place - 3:.1f} {foot:.1f}h6"/>'
            )
        self.pieces.append(f'<circle class="{kind} dot" cx="{place:.1f}" cy="{middle:.1f}" r="3.5"/>')

    def bar(self, x0: float, x1: float, y: float, kind: str) -> None:
        """A bar from the foot up to a value."""
        if isfinite(y):
            (left, top), (right, foot) = self.at(x0, y), self.at(x1, self.y[0])
            where = f'x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{foot - top:.1f}"'
            self.pieces.append(f'<rect class="{kind}" {where}/>')

    def svg(self, said: str) -> str:
        """The picture; `said` is what it shows, for who cannot see it."""
        return picture(self.width, self.height, self.pieces, said)


def picture(width: float, height: float, pieces: Sequence[str], said: str) -> str:
    """Pieces as one SVG as broad as its place."""
    title = f"<title>{escape(said)}</title>"
    return f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img">{title}{"".join(pieces)}</svg>'


def ticks(low: float, high: float) -> list[float]:
    """Round values between two, about five."""
    if not high > low:
        return [low]
    rough = (high - low) / _TICKS
    ten = 10.0 ** floor(log10(rough))
    step = next(s * ten for s in (1.0, 2.0, 5.0, 10.0) if s * ten >= rough)
    first = np.ceil(low / step - 1e-9) * step
    return [float(round(value, 10)) for value in np.arange(first, high + step * 1e-6, step)]


def span(values: Sequence[float], *, least: float | None = None, room: float = 0.08) -> tuple[float, float]:
    """From the lowest to the highest known value with some room; `least` is always inside."""
    known = [value for value in values if isfinite(value)] + ([least] if least is not None else [])
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    more = room * (high - low) or 0.5
    return (low if low == least else low - more), high + more


def _unbroken(xs: Sequence[float], ys: Sequence[float]) -> list[list[tuple[float, float]]]:
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if isfinite(y):
            parts[-1].append((x, y))
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]
