"""THE ONE PLACE THAT WIRES the running house: feeds, loop, wall."""

from __future__ import annotations

import threading
from datetime import timedelta

import waitress

from dashboard.app import WallSettings, build_app
from dashboard.house import House
from dashboard.settings import Settings
from forecast.board import Board
from forecast.loop import Loop, Rhythm, Site
from forecast.workers import Workers
from ingest.clock import WallClock
from ingest.sources.feed import Feed

WEB_THREADS = 8
BOARD_S = 2.0
"""A board is made at most this often, however many look at it."""


def serve(house: House, feeds: list[Feed], stop: threading.Event, *, mode: str, rhythm: Rhythm) -> None:
    """Run the house until it is interrupted.

    1. The feeds bring events in.
    2. The loop forecasts; its first turn is at once.
    3. The wall shows what the loop last published.
    """
    workers = Workers(house.settings.workers)
    loop = Loop(house.log, house.archive, _site(house, mode), workers, house.clock, how=house.run(), rhythm=rhythm)
    app = build_app(_Latest(loop).board, _wall(house.settings), house.clock.now)
    try:
        for feed in feeds:  # 1
            feed.start()
        loop.start()  # 2
        _measure_later(loop, house, stop)
        waitress.serve(app.server, host=house.settings.host, port=house.settings.port, threads=WEB_THREADS)  # 3
    finally:
        stop.set()
        loop.stop()
        workers.shutdown(cancel_futures=True)
        for feed in feeds:
            feed.join(5.0)


def _site(house: House, mode: str) -> Site:
    own = house.own_hospital
    return Site(
        house.hospital, tuple(house.scenarios()), mode, spaces=house.hospital.spaces if own else None, own_beds=own
    )


def _wall(settings: Settings) -> WallSettings:
    return WallSettings(refresh_s=settings.refresh_s, language=settings.language)


def _measure_later(loop: Loop, house: House, stop: threading.Event) -> None:
    """Once the first forecast is out, measure how good the last days' would have been."""

    def measure() -> None:
        while not loop.counts.done and not stop.wait(1.0):
            pass
        if not stop.is_set() and house.settings.measure_days:
            loop.measure_past(house.log, house.settings.measure_days)

    threading.Thread(target=measure, name="measure the past", daemon=True).start()


class _Latest:
    """The loop's board, made at most every two seconds of the world's time."""

    def __init__(self, loop: Loop) -> None:
        self._loop, self._wall = loop, WallClock()
        self._lock = threading.Lock()
        self._board: Board | None = None
        self._fresh_until = self._wall.now()

    def board(self) -> Board:
        """The view of this moment, or one that is hardly older."""
        with self._lock:
            now = self._wall.now()
            if self._board is None or now >= self._fresh_until:
                self._board = self._loop.board
                self._fresh_until = now + timedelta(seconds=BOARD_S)
            return self._board
