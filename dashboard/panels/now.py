"""The department now, in figures that are read from four metres."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import marked
from dashboard.states import is_begun_before, numbers_shown
from dashboard.terms import label
from dashboard.words import NBSP, UNKNOWN, Reader
from forecast.board import Board, Now

TILES = ("present", "waiting", "longest_wait", "boarders", "arrivals", "arrivals_today")
"""The tiles, in their order, as checks name them."""
_NOTHING = Now(None, None, None, None, None, None, None, None, None)


def panel(board: Board, reader: Reader) -> Component:
    """Present, waiting, longest wait, boarders, arrivals of the last hour and of today.

    What the log does not hold is a dash with the reason; when the feed has long been silent all of them are.
    """
    now = board.now if numbers_shown(board) else _NOTHING
    broken = {check.tile for check in board.checks} if numbers_shown(board) else set()
    stamp, check = _stamp(board, reader), reader.say("check")
    why = reader.say("no data") if now is _NOTHING else reader.say("not in the data received")
    tiles = figures(now, reader)
    no_wait = reader.say("nobody waits") if now.waiting == 0 else why
    drawn = [
        _tile(
            called,
            figure,
            below,
            no_wait if name == "longest_wait" else why,
            stamp=check if name in broken else stamp,
            is_broken=name in broken,
        )
        for name, (called, figure, below) in zip(TILES, tiles, strict=True)
    ]
    return html.Section(drawn, className=f"now {board.feed.state}")


def figures(now: Now, reader: Reader) -> list[tuple[Component, str, str | Component]]:
    """Each tile's label, which leads to what it means, its figure, and what stands below it."""
    found = [
        ("census", reader.say("Present"), reader.number(now.present), _spaces(now, reader)),
        ("waiting", reader.say("Waiting"), reader.number(now.waiting), reader.say("not yet seen")),
        ("wait", reader.say("Longest wait"), reader.duration(now.longest_wait_min), reader.say("since arrival")),
        ("boarders", reader.say("Waiting for a bed"), reader.number(now.boarders), _boarding(now, reader)),
        ("arrivals", reader.say("Arrivals"), reader.number(now.arrivals_last_hour), reader.say("in the last hour")),
        ("arrivals", reader.say("Arrivals today"), reader.number(now.arrivals_today), _usual(now, reader)),
    ]
    return [(label(term, text, reader), figure, below) for term, text, figure, below in found]


def _stamp(board: Board, reader: Reader) -> str | None:
    """What every number is, where it is not simply so."""
    heard_at, begins_at = board.feed.heard_at, board.cycle.begins_at
    begun_before = is_begun_before(board.cycle) and begins_at is not None
    if board.feed.state == "stale" and heard_at is not None:
        known_at = min(heard_at, begins_at) if begun_before and begins_at is not None else heard_at
        return reader.say("LAST KNOWN {time}", time=reader.clock(known_at))
    if board.feed.state == "catching_up":
        return reader.say("provisional")
    if begun_before and begins_at is not None:
        return reader.say("data of {time}", time=reader.clock(begins_at))
    return None


def _tile(
    name: Component, figure: str, below: str | Component, why: str, *, stamp: str | None, is_broken: bool
) -> Component:
    """A number with its label; the doubt about a known one stands where else its comment does."""
    known = figure != UNKNOWN
    said = marked("warn", stamp, "stamp") if stamp else below
    content = [
        dmc.Text(name, className="label"),
        html.Div(_with_small_units(figure), className="big"),
        html.Div(said if known else why, className="below"),
    ]
    kind = "tile" if known else "tile unknown"
    return dmc.Paper(content, className=f"{kind} doubtful" if known and is_broken else kind, radius="md")


def _with_small_units(figure: str) -> list[Component]:
    """ "2 h 10" with a small h, so that the figures stand out."""
    return [html.Span(part, className="" if part[0].isdigit() else "unit") for part in figure.split(NBSP)]


def _spaces(now: Now, reader: Reader) -> str | Component:
    if now.capacity_spaces is None or now.present is None:
        return reader.say("spaces not stated")
    text = reader.count("{n} space", "{n} spaces", now.capacity_spaces)
    if now.present > now.capacity_spaces:
        return marked("bad", reader.say("{spaces}: {n} too many", spaces=text, n=now.present - now.capacity_spaces))
    return text


def _boarding(now: Now, reader: Reader) -> str:
    if now.boarders == 0:
        return reader.say("nobody waits")
    if now.longest_boarding_min is None:
        return reader.say("since when is not known")
    return reader.say("longest {duration}", duration=reader.duration(now.longest_boarding_min))


def _usual(now: Now, reader: Reader) -> str:
    if now.expected_today is None or now.arrivals_today is None:
        return reader.say("usual not yet learned")
    return reader.say("usually {n} by this time", n=reader.number(now.expected_today))
