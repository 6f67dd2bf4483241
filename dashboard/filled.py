"""What a page is filled with, made once for all who look at the same of it.

Drawing a board takes many times as long as sending it, and a hundred screens ask within the same seconds. What was made
is kept as plain JSON, by the word that says what a page shows and by the view that it was made of. Views are made anew
every few seconds, and mostly read as before: what they are filled with says whether there is news.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from plotly.utils import PlotlyJSONEncoder

WORD_LENGTH = 16
KEPT = 24
"""Fillings kept: the last board in both languages on some screens, and the pages beside it."""


@dataclass(frozen=True)
class Filled:
    """What a page is filled with."""

    parts: dict[str, Any]
    word: str
    """Another one whenever the parts are."""


@dataclass(frozen=True)
class _Made:
    of: object
    filled: Future[Filled]


class Fillings:
    """The newest fillings, the longest unused of which are forgotten."""

    def __init__(self, kept: int = KEPT) -> None:
        self._kept, self._lock = kept, threading.Lock()
        self._made: OrderedDict[str, _Made] = OrderedDict()

    def of(self, word: str, view: object, make: Callable[[], dict[str, Any]]) -> Filled:
        """What `make` gives for a view shown as a word says; who asks while it is being made waits for that.

        A fault of `make` is raised to all who wait, and nothing is kept.
        """
        with self._lock:
            found = self._made.get(word)
            mine = found is None or not _same(found.of, view)
            if found is None or mine:
                found = self._made[word] = _Made(view, Future())
            self._made.move_to_end(word)
            while len(self._made) > self._kept:
                self._made.popitem(last=False)
        if mine:
            self._make(word, found, make)
        return found.filled.result()

    def _make(self, word: str, found: _Made, make: Callable[[], dict[str, Any]]) -> None:
        try:
            text = json.dumps(make(), cls=PlotlyJSONEncoder)
            found.filled.set_result(Filled(json.loads(text), sha256(text.encode()).hexdigest()[:WORD_LENGTH]))
        except BaseException as fault:
            with self._lock:
                if self._made.get(word) is found:
                    del self._made[word]
            found.filled.set_exception(fault)


def _same(one: object, other: object) -> bool:
    """Whether two views say the same; views that hold arrays are told apart by which they are."""
    if one is other:
        return True
    try:
        return bool(one == other)
    except ValueError:
        return False
