"""Where a past instant is forecast afterwards: what the button of the replay asks for (`assets/replay.js`)."""

from __future__ import annotations

from typing import Any, Protocol

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from dashboard.access.acting import require
from forecast.replay_view import Asked

_LONGEST = 600


class Replays(Protocol):
    """What forecasts past instants."""

    def asked(self, query: str) -> Asked:
        """What an address asks for."""

    def forecast(self, asked: Asked) -> bool:
        """Begin with one; False where one is being made, or it cannot be."""


def replay_asks() -> Component:
    """What the page's script writes to; nothing of it is seen."""
    return html.Div([dcc.Store(id="replay-ask"), html.Div(id="replay-said")], hidden=True)


def register_replay(app: Dash, replays: Replays | None) -> None:
    """Let the button act."""

    @app.callback(Output("replay-said", "children"), Input("replay-ask", "data"), prevent_initial_call=True)
    def act(asked: Any) -> str:
        """Whether it was done."""
        return "" if asked is None else acted(replays, asked)


def acted(replays: Replays | None, asked: Any) -> str:
    """Do what the page asks. Raises BadRequest where it asks for nonsense: the page is not to be trusted."""
    query = asked.get("query") if isinstance(asked, dict) else None
    if not isinstance(query, str) or len(query) > _LONGEST:
        raise BadRequest("query must be what an address of the replay asks for")
    require("proposer")
    if replays is None:
        return "nothing to do"
    told = replays.asked(query)
    return "done" if told.fault is None and replays.forecast(told) else "nothing to do"
