"""The loop's views for all who look: each made at most every two seconds, however many ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from forecast.board import Board
from forecast.loop import Loop
from forecast.pages import AlertsView, FeedsView, LearnedView, PathView, QuarantineView
from forecast.pathview import PathViews
from forecast.trust_view import TrustView
from ingest.clock import WallClock

BOARD_S = 2.0
"""A board is made at most this often, however many look at it."""

View = TypeVar("View")


def as_it_is(view: View) -> View:
    """What does not change while the house runs."""
    return view


class Latest:
    """The loop's views, each made at most every two seconds of the world's time."""

    def __init__(self, loop: Loop, paths: PathViews) -> None:
        self._loop, self._paths, self._wall = loop, paths, WallClock()
        self._lock = threading.Lock()
        self._made: dict[str, tuple[datetime, Any]] = {}

    def board(self) -> Board:
        """The view of this moment, or one that is hardly older."""
        return self._fresh("board", lambda: self._loop.board)

    def feeds(self) -> FeedsView:
        """The page of the feeds, so."""
        return self._fresh("feeds", lambda: self._loop.feeds)

    def quarantine(self) -> QuarantineView:
        """The page of the quarantine, so."""
        return self._fresh("quarantine", lambda: self._loop.quarantine)

    def path(self) -> PathView:
        """The page of the path, so."""
        return self._fresh("path", lambda: self._paths.view(self._loop.board, self._loop.calibration))

    def alerts(self) -> AlertsView | None:
        """The page of the alerts, so."""
        return self._fresh("alerts", lambda: self._loop.alerts)

    def trust(self) -> TrustView:
        """The page of trust, so."""
        return self._fresh("trust", lambda: self._loop.trust)

    def learned(self) -> LearnedView:
        """The page of what was learned, so."""
        return self._fresh("learned", lambda: self._loop.learned)

    def _fresh(self, name: str, make: Callable[[], View]) -> View:
        with self._lock:
            now = self._wall.now()
            until, view = self._made.get(name, (now, None))
            if view is None or now >= until:
                view = make()
                self._made[name] = now + timedelta(seconds=BOARD_S), view
            return cast(View, view)
