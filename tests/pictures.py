"""Pages served on loopback for chromium to look at."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from playwright.sync_api import BrowserContext, Page
from waitress.server import create_server

from dashboard.app import Pages, WallSettings, build_app
from dashboard.floor_days import Day, answer_floor
from dashboard.instructor import Instructed
from dashboard.known_door import KnownDoor
from dashboard.report.serving import answer_report
from forecast.board import Board
from forecast.whatif_ask import Asking
from tests.chromium import HEIGHT, WIDTH, page_of

CALL = "5999"
LONGEST_MS = 90_000
SCREENS = {"wall": (WIDTH, HEIGHT), "4k": (3840, 2160), "phone": (390, 844)}
_PORTS: list[int] = []
"""On which this process has served: what chromium has compiled it knows by its address."""


@contextmanager
def served(
    get_board: Callable[[], Board | None],
    pages: Pages | None = None,
    *,
    call: str | None = None,
    asking: Asking | None = None,
    exercise: Instructed | None = None,
    known: KnownDoor | None = None,
    report: Path | None = None,
    day: Day | None = None,
    refresh_s: float = 1.0,
    rotation: tuple[str, ...] = (),
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The wall on a free loopback port: its address, and what to call to kill the server."""
    settings = WallSettings(
        refresh_s=refresh_s, downtime_call=call, is_exercise=exercise is not None, rotation=rotation, rotation_s=2.0
    )
    app = build_app(get_board, settings, pages=pages, asking=asking, exercise=exercise, known=known)
    if report is not None:
        answer_report(app.server, report)
    if day is not None:
        answer_floor(app.server, day)
    with running(app.server) as (url, kill):
        yield url, kill


@contextmanager
def running(app: Flask) -> Iterator[tuple[str, Callable[[], None]]]:
    """The application on a free loopback port, one that there was before if it can be: its address, and what to call to
    kill its server."""
    server = create_server(app, sockets=[_bound()], threads=8)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()

    def close() -> None:
        """In the server's own thread: one that closes sockets under its poll breaks it, and leaves answers open."""
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()

    def kill() -> None:
        if not thread.is_alive():
            return
        server.task_dispatcher.shutdown()
        server.trigger.pull_trigger(close)
        thread.join(LONGEST_MS / 1000)
        assert not thread.is_alive(), "the server did not end"

    try:
        yield f"http://127.0.0.1:{server.effective_port}/", kill
    finally:
        kill()


def _bound() -> socket.socket:
    """On the first port of those before that is free again, or on a new one."""
    for port in _PORTS:
        if found := _at(port):
            return found
    new = _at(0)
    assert new is not None, "there is no free port"
    _PORTS.append(new.getsockname()[1])
    return new


def _at(port: int) -> socket.socket | None:
    """A socket on a port; None where somebody else is."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
    except OSError:
        made.close()
        return None
    return made


def opened(context: BrowserContext, url: str, *, width: int = WIDTH, height: int = HEIGHT) -> Page:
    """A page whose panels and charts, if it has any, are drawn."""
    page = page_of(context, width, height)
    page.goto(url)
    page.wait_for_selector("#wall.wall", timeout=LONGEST_MS)
    for chart in page.locator(".chart:not(.none)").all():
        chart.locator(".main-svg").first.wait_for(timeout=LONGEST_MS)
    return page
