"""A board is drawn once for all who look at it: counted, beside a house that draws it for each of them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from time import process_time
from typing import Any

import pytest

from dashboard import app as application
from dashboard.app import WallSettings, build_app
from dashboard.filled import Fillings
from dashboard.pages.beside import beside
from dashboard.pages.wall import filling
from forecast.board import Board
from tests.boards import MADE_AT, ordinary, overfull
from tests.feed_views import ordinary_feeds
from tests.test_dashboard_app import SCREEN, refresh

VIEWERS = 100


class Counted:
    """A house whose drawings are counted."""

    def __init__(self, patched: pytest.MonkeyPatch, kept: int | None = None) -> None:
        self.board, self.drawn = ordinary(), 0
        lock = threading.Lock()

        def counted(*told: Any) -> Any:
            with lock:
                self.drawn += 1
            return filling(*told)

        patched.setattr(application, "filling", counted)
        if kept is not None:
            patched.setattr(application, "Fillings", lambda: Fillings(kept))
        self.client = build_app(lambda: self.board, WallSettings()).server.test_client

    def renew(self, minute: int) -> None:
        self.board = replace(self.board, made_at=MADE_AT + timedelta(minutes=minute))

    def look(self, viewers: int = VIEWERS, **screen: Any) -> list[dict[str, Any]]:
        """So many viewers, eight at once as in the house, who have seen nothing of it yet."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: refresh(self.client(), {**SCREEN, **screen}), range(viewers)))


def test_a_board_is_drawn_once_for_a_hundred_viewers(monkeypatch: pytest.MonkeyPatch) -> None:
    house = Counted(monkeypatch)
    answers = house.look()
    assert house.drawn == 1
    assert len({json.dumps(answer, sort_keys=True) for answer in answers}) == 1
    assert "Valmont" in json.dumps(answers[0]["slot-header"])
    house.renew(1)
    house.look(8)
    assert house.drawn == 2, "a new board is drawn"
    house.look(8, language="en")
    assert house.drawn == 3, "in the other language too"


def test_a_house_that_keeps_nothing_draws_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    house = Counted(monkeypatch, kept=0)
    house.look(8)
    assert house.drawn == 8


def test_a_hundred_viewers_cost_few_times_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one run, in time of the processor: the mutant, which draws for each, costs a hundred times as much."""
    house, wasteful = Counted(monkeypatch), Counted(monkeypatch, kept=0)

    def cost(of: Counted, minute: int, viewers: int) -> float:
        of.renew(minute)
        began = process_time()
        of.look(viewers)
        return process_time() - began

    cost(house, 1, 1)  # the first also loads what is needed
    alone = min(cost(house, minute, 1) for minute in (2, 3, 4))
    assert cost(house, 5, VIEWERS) < 25 * alone
    assert cost(wasteful, 5, 40) > 25 * alone


def test_another_view_of_the_same_moment_is_drawn() -> None:
    fillings, board, drawn = Fillings(), ordinary(), []

    def draw(text: str) -> Callable[[], dict[str, Any]]:
        def made() -> dict[str, Any]:
            drawn.append(text)
            return {"page": text}

        return made

    assert fillings.of("word", board, draw("first")).parts == {"page": "first"}
    assert fillings.of("word", ordinary(), draw("equal")).parts == {"page": "first"}
    assert fillings.of("word", overfull(), draw("other")).parts == {"page": "other"}
    assert fillings.of("else", board, draw("else")).parts == {"page": "else"}
    assert drawn == ["first", "other", "else"]


def test_the_word_is_another_one_whenever_the_parts_are() -> None:
    words = [Fillings().of(key, None, partial(dict, page=text)).word for key, text in ("1a", "2a", "1b")]
    assert (words[0] == words[1], words[0] == words[2]) == (True, False)


def test_a_fault_reaches_all_who_wait_and_is_not_kept() -> None:
    fillings, begun, go = Fillings(), threading.Event(), threading.Event()

    def fail() -> dict[str, Any]:
        begun.set()
        go.wait(10)
        raise ValueError("no")

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fillings.of, "word", 1, fail)
        assert begun.wait(10)
        second = pool.submit(fillings.of, "word", 1, lambda: {"page": "never"})
        go.set()
        for waiting in (first, second):
            with pytest.raises(ValueError, match="no"):
                waiting.result(10)
    assert fillings.of("word", 1, lambda: {"page": "well"}).parts == {"page": "well"}


def test_the_longest_unused_is_forgotten() -> None:
    fillings, drawn = Fillings(2), []

    def look(word: str) -> None:
        def made() -> dict[str, Any]:
            drawn.append(word)
            return {}

        fillings.of(word, word, made)

    for word in ("a", "b", "a", "c", "a", "b"):
        look(word)
    assert drawn == ["a", "b", "c", "b"]


def test_a_page_beside_the_wall_is_drawn_only_when_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, view = [], ordinary_feeds()

    def counted(*told: Any) -> Any:
        drawn.append(told)
        return beside(*told)

    monkeypatch.setattr(application, "beside", counted)
    client = build_app(_no_board, WallSettings(), pages={"feeds": lambda: view}).server.test_client()
    screen = {**SCREEN, "path": "/feeds", "number": 1}
    version = refresh(client, screen)["version"]["data"]
    for _ in range(5):
        assert refresh(client, screen, version) == {"beat": {"children": "3"}}
    assert len(drawn) == 1, "it used to be drawn at every tick of every viewer"


def _no_board() -> Board | None:
    return None
