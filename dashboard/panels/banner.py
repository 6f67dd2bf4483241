"""What the reader must know before believing a number; nothing when all is well."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.parts import marked
from dashboard.states import feed_state, forecast_state
from dashboard.words import Reader
from forecast.board import Board


def panel(board: Board, reader: Reader) -> Component:
    """One line, the feed before the forecast; a failed cycle explains the forecast's age."""
    found = [*_feed(board, reader), *(_forecast(board, reader) or _cycle(board, reader))]
    alerts = [dmc.Alert(marked(tone, text), className=f"banner {tone}", variant="filled") for tone, text in found]
    return html.Div(alerts, className="banners", role="status")


def _feed(board: Board, reader: Reader) -> list[tuple[str, str]]:
    state, age = feed_state(board), board.feed.age
    if age is None or state in ("live", "unknown"):
        return []
    ago = reader.ago(age)
    if state == "late":
        return [("warn", reader.say("LATE FEED: last event {ago}, longer than usual at this hour", ago=ago))]
    seen_at = board.feed.last_event_at or board.made_at - age
    at = reader.clock(seen_at)
    if state == "stale":
        return [("bad", reader.say("LAST KNOWN STATE, {time}: no event since, {ago}", time=at, ago=ago))]
    return [("bad", reader.say("NO MORE DATA since {time}: use the downtime procedure", time=at))]


def _forecast(board: Board, reader: Reader) -> list[tuple[str, str]]:
    state, age = forecast_state(board), board.cycle.age
    if state == "none":
        return [("news", _explained(board, reader.say("The first forecast is being made")))]
    if age is None or state == "fresh":
        return []
    if state == "old":
        return [("warn", _explained(board, reader.say("OLD FORECAST: issued {ago}", ago=reader.ago(age))))]
    withdrawn = reader.say("FORECAST WITHDRAWN: the last one was issued {ago}", ago=reader.ago(age))
    return [("bad", _explained(board, withdrawn))]


def _explained(board: Board, text: str) -> str:
    """The text with the last cycle's fault, where it had one."""
    error = board.cycle.last_error
    return text if error is None else f"{text} ({error})"


def _cycle(board: Board, reader: Reader) -> list[tuple[str, str]]:
    error = board.cycle.last_error
    return [] if error is None else [("warn", reader.say("The last cycle failed: {error}", error=error))]
