"""Where a grid is begun and stopped: what the buttons of the robustness map ask for (`assets/grid.js`)."""

from __future__ import annotations

from typing import Any, Protocol

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from dashboard.access.acting import require

ACTS = ("start", "cancel")


class Grids(Protocol):
    """What runs grids."""

    def start(self) -> bool:
        """Begin one; False where one runs."""

    def cancel(self) -> bool:
        """Stop the one that runs; False where none does."""


def grid_asks() -> Component:
    """What the page's script writes to; nothing of it is seen."""
    return html.Div([dcc.Store(id="grid-ask"), html.Div(id="grid-said")], hidden=True)


def register_grid(app: Dash, grids: Grids | None) -> None:
    """Let the buttons act on the grids."""

    @app.callback(Output("grid-said", "children"), Input("grid-ask", "data"), prevent_initial_call=True)
    def act(asked: Any) -> str:
        """Whether it was done."""
        return "" if asked is None else acted(grids, asked)


def acted(grids: Grids | None, asked: Any) -> str:
    """Do what the page asks. Raises BadRequest where it asks for nonsense: the page is not to be trusted."""
    what = asked.get("act") if isinstance(asked, dict) else None
    if what not in ACTS:
        raise BadRequest("act must be start or cancel")
    require("proposer")
    done = grids is not None and (grids.start() if what == "start" else grids.cancel())
    return "done" if done else "nothing to do"
