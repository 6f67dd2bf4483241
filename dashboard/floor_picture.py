"""Pictures of the floor in SVG: a ward's beds by state, and the likely picture as hollow dots.

Each state has a shape beside its colour. A picture carries itself (a data address), so that nothing is fetched.
"""

from __future__ import annotations

from base64 import b64encode

from dashboard.theme import Theme, colours
from forecast.floor_view import BedStrip, Likely

A_ROW = 22
"""Beds in a row of a strip."""
DOTS_A_ROW = 12
_SIZE = 0.78
"""Of a bed or a dot, in its cell of 1."""
MOST_DOTS = 96
"""Dots of a likely picture; what is more is only said."""


def beds(strip: BedStrip, theme: Theme) -> str | None:
    """The beds of a ward by state as an image's address; None where none is told."""
    states = bed_states(strip)
    if not states:
        return None
    shapes = {"occupied": "", "free": "", "cleaning": "", "closed": "", "over": ""}
    for number, state in enumerate(states):
        shapes[state] += _bed(state, number % A_ROW, number // A_ROW)
    rows = (len(states) - 1) // A_ROW + 1
    c = colours(theme)
    ink = {
        "occupied": f'fill="{c["fill"]}"',
        "cleaning": f'fill="none" stroke="{c["usual"]}" stroke-width=".12"',
        "free": f'fill="none" stroke="{c["good"]}" stroke-width=".14"',
        "closed": f'fill="none" stroke="{c["muted"]}" stroke-width=".1"',
        "over": f'fill="{c["bad"]}"',
    }
    drawn = "".join(f'<path {ink[state]} d="{path}"/>' for state, path in shapes.items() if path)
    return _address(drawn, A_ROW, rows)


def bed_states(strip: BedStrip) -> list[str]:
    """One state a bed, occupied ones first; patients without a bed last, as `over`."""
    if strip.occupied is None:
        return []
    if strip.beds is None:
        return ["occupied"] * strip.occupied
    over = max(0, strip.occupied - strip.beds)
    free = max(0, strip.beds - strip.occupied)
    cleaning = min(free, strip.cleaning or 0)
    return [
        *["occupied"] * (strip.occupied - over), *["cleaning"] * cleaning, *["free"] * (free - cleaning),
        *["closed"] * (strip.closed or 0), *["over"] * over,
    ]  # fmt: skip


def likely(told: Likely, theme: Theme) -> str:
    """Hollow dots as an image's address: as many as there are at the least in 9 of 10 cases, dashed up to the most."""
    low, high = (max(0, round(n)) for n in (told.low, told.high))
    c = colours(theme)
    firm = "".join(_circle(n) for n in range(min(low, MOST_DOTS)))
    maybe = "".join(_circle(n) for n in range(min(low, MOST_DOTS), min(high, MOST_DOTS)))
    rows = max(1, (min(high, MOST_DOTS) - 1) // DOTS_A_ROW + 1)
    drawn = (
        f'<g fill="none" stroke="{c["news"]}" stroke-width=".13">{firm}</g>'
        f'<g fill="none" stroke="{c["news"]}" stroke-width=".1" stroke-dasharray=".16 .2">{maybe}</g>'
    )
    return _address(drawn, DOTS_A_ROW, rows)


def _bed(state: str, column: int, row: int) -> str:
    x, y, s = column + 0.11, row + 0.11, _SIZE
    box = f"M{x:.2f} {y:.2f}h{s}v{s}h-{s}z"
    if state == "cleaning":
        return f"{box}M{x:.2f} {y + s:.2f}l{s}-{s}"
    if state == "closed":
        return f"{box}M{x:.2f} {y:.2f}l{s} {s}M{x:.2f} {y + s:.2f}l{s}-{s}"
    if state == "over":
        return f"M{x + s / 2:.2f} {y:.2f}l{s / 2} {s}h-{s}z"
    return box


def _circle(number: int) -> str:
    return f'<circle cx="{number % DOTS_A_ROW + 0.5}" cy="{number // DOTS_A_ROW + 0.5}" r=".36"/>'


def _address(drawn: str, width: int, height: int) -> str:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{drawn}</svg>'
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
