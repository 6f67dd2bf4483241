"""Pieces of a picture in SVG: texts that fit their boxes, rectangles, smooth lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

_SLIM, _BROAD = frozenset("iljtfrI.,:;'!|()· "), frozenset("mwMW%@—")


def breadth_of(text: str) -> float:
    """How broad a text is, in its own letters' size; rather too much than too little."""
    return sum(0.32 if c in _SLIM else 0.92 if c in _BROAD else 0.7 if c.isupper() else 0.58 for c in text)


def fitted(name: str, width: float, height: float, letter: float, detail: str) -> tuple[float, list[str]]:
    """The largest letters in which a name fits, and its lines."""
    size = letter
    while True:
        lines = _lines(name, width / size)
        tall = size * 1.12 * (len(lines) + bool(detail))
        widest = max(breadth_of(line) for line in [*lines, detail]) * size
        if (tall <= height - 0.2 and widest <= width) or size < 0.5 * letter:
            return size, lines
        size *= 0.96


def _lines(text: str, width: float) -> list[str]:
    lines: list[str] = []
    for word in text.split():
        if lines and breadth_of(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(word)
    return lines


def text_at(x: float, y: float, text: str, kind: str, size: float, anchor: str) -> str:
    """A line of text of a class; `anchor` says whether it starts at the point, or has its middle there."""
    where = f'x="{x:.2f}" y="{y:.2f}" font-size="{size:.3f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {where}>{escape(text)}</text>'


def rect(x: float, y: float, width: float, height: float, kind: str, round_by: float) -> str:
    """A rectangle of a class with round corners."""
    where = f'x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" rx="{round_by}"'
    return f'<rect class="{kind}" {where}/>'


def curve(points: Sequence[tuple[float, float]], *, down: bool) -> str:
    """A smooth line through points that leaves and comes straight along the way."""
    out = [f"M{points[0][0]:.2f} {points[0][1]:.2f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        if down:
            middle = (y0 + y1) / 2
            out.append(f"C{x0:.2f} {middle:.2f} {x1:.2f} {middle:.2f} {x1:.2f} {y1:.2f}")
        else:
            middle = (x0 + x1) / 2
            out.append(f"C{middle:.2f} {y0:.2f} {middle:.2f} {y1:.2f} {x1:.2f} {y1:.2f}")
    return "".join(out)
