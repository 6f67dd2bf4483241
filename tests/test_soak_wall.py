"""A wall that hangs for a day: two thousand boards, each another one, and what the browser has kept of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, CDPSession, Page

from forecast.board import Board
from tests.boards import MADE_AT, late, ordinary, overfull, stale
from tests.chromium import IN_CHROMIUM
from tests.pictures import opened, served

pytestmark = [
    *IN_CHROMIUM,
    pytest.mark.soak,
]
BOARDS = (ordinary(), overfull(), stale(), late())
DAY, WARM = 4_000, 80
"""Boards of a day, and of what is loaded and compiled at first; of every second one it is only asked if it is news."""
MOST_BYTES, MOST_NODES = 50_000_000, 2_000
PATIENCE_MS = 60_000


class Moving:
    """A board that is another one each time it is asked for."""

    def __init__(self) -> None:
        self.shown = 0

    def __call__(self) -> Board:
        self.shown += 1
        return replace(BOARDS[self.shown % len(BOARDS)], made_at=MADE_AT + timedelta(minutes=self.shown))


def kept(session: CDPSession) -> tuple[int, int]:
    """Bytes of the heap and nodes of the page that are left once the rubbish is out."""
    for _ in range(3):
        session.send("HeapProfiler.collectGarbage")
    told = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
    return int(told["JSHeapUsedSize"]), int(told["Nodes"])


def pass_boards(page: Page, moving: Moving, count: int) -> None:
    until = moving.shown + count
    while moving.shown < until:
        page.wait_for_timeout(500)


@contextmanager
def hung(browser: Browser) -> Iterator[tuple[Page, CDPSession, Moving]]:
    """A wall that asks five times a second."""
    moving = Moving()
    with served(moving, refresh_s=0.2) as (url, _), browser.new_context() as alone:
        page = opened(alone, url)
        page.set_default_timeout(PATIENCE_MS)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        pass_boards(page, moving, WARM)
        yield page, session, moving


def test_a_day_of_boards_leaves_less_than_50_mb_behind(browser: Browser) -> None:
    with hung(browser) as (page, session, moving):
        bytes_before, nodes_before = kept(session)
        pass_boards(page, moving, DAY)
        bytes_after, nodes_after = kept(session)
        print(f"grew by {(bytes_after - bytes_before) / 1e6:.1f} MB and {nodes_after - nodes_before} nodes")
        assert bytes_after - bytes_before < MOST_BYTES
        assert nodes_after - nodes_before < MOST_NODES
        assert page.locator(".tile .big").count() == 6


def test_a_wall_that_keeps_what_it_showed_is_seen(browser: Browser) -> None:
    """The mutant keeps what stood on the wall before."""
    with hung(browser) as (page, session, moving):
        page.evaluate(
            "() => { window.kept = []; setInterval(() => window.kept.push("
            "document.querySelector('.wall').cloneNode(true)), 100) }"
        )
        _, before = kept(session)
        pass_boards(page, moving, 40)
        assert kept(session)[1] - before > MOST_NODES
