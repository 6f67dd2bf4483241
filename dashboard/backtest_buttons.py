"""Where a back-test is begun, stopped and gone on with: what the buttons of the validation ask for."""

from __future__ import annotations

from typing import Any, Protocol

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component
from werkzeug.exceptions import BadRequest

from dashboard.access.acting import require

ACTS = ("start", "cancel", "resume")
_NUMBERS = ("days", "every_h", "members")


class Backtests(Protocol):
    """What runs back-tests."""

    def start(self, days: int, every_h: int, members: int) -> bool:
        """Begin one; False where one runs, or what is asked for is out of bounds."""

    def cancel(self) -> bool:
        """Stop the one that runs; False where none does."""

    def resume(self) -> bool:
        """Go on with the one that is not done; False where there is none."""


def backtest_asks() -> Component:
    """What the page's script writes to; nothing of it is seen."""
    return html.Div([dcc.Store(id="backtest-ask"), html.Div(id="backtest-said")], hidden=True)


def register_backtests(app: Dash, backtests: Backtests | None) -> None:
    """Let the buttons act."""

    @app.callback(Output("backtest-said", "children"), Input("backtest-ask", "data"), prevent_initial_call=True)
    def act(asked: Any) -> str:
        """Whether it was done."""
        return "" if asked is None else acted(backtests, asked)


def acted(backtests: Backtests | None, asked: Any) -> str:
    """Do what the page asks. Raises BadRequest where it asks for nonsense: the page is not to be trusted."""
    what = asked.get("act") if isinstance(asked, dict) else None
    if what not in ACTS:
        raise BadRequest("act must be start, cancel or resume")
    numbers = [asked.get(name) for name in _NUMBERS] if what == "start" else []
    if not all(isinstance(number, int) and not isinstance(number, bool) for number in numbers):
        raise BadRequest("days, every_h and members must be whole numbers")
    require("manager")
    if backtests is None:
        return "nothing to do"
    done = backtests.start(*numbers) if what == "start" else getattr(backtests, what)()
    return "done" if done else "nothing to do"
