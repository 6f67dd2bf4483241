"""Who is signed in, on the server's side: the browser has a number that says nothing.

A session ends when nobody was there for `idle_s` (a page that asks by itself is nobody), after `longest_s` whatever
happens, at sign-out, and when the account is gone or has another role. They are kept in memory under a digest of
their number: who starts the house anew signs in anew; a wall's screen has a token instead.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from dashboard.access.roles import SignedIn
from ingest.clock import stopwatch

IDLE_S, LONGEST_S = 30 * 60.0, 12 * 3600.0
MOST = 10_000


@dataclass(frozen=True)
class _Session:
    who: SignedIn
    holds: Callable[[], bool]
    begun: float
    seen: float


def _for_good() -> bool:
    return True


class Sessions:
    """All who are signed in."""

    def __init__(
        self, idle_s: float = IDLE_S, longest_s: float = LONGEST_S, clock: Callable[[], float] = stopwatch
    ) -> None:
        self._idle_s, self._longest_s, self._clock = idle_s, longest_s, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Session] = OrderedDict()

    def begin(self, who: SignedIn, holds: Callable[[], bool] = _for_good) -> str:
        """Somebody signs in: a new number, whatever the browser had before. `holds`: is it still so?"""
        number, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._known[_digest(number)] = _Session(who, holds, now, now)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return number

    def of(self, number: str, *, is_there: bool) -> SignedIn | None:
        """Who has this number; `is_there` where the request shows that somebody is at the page."""
        key, now = _digest(number), self._clock()
        with self._lock:
            found = self._known.get(key)
            if found is None:
                return None
            is_over = now - found.seen >= self._idle_s or now - found.begun >= self._longest_s
            if is_over or not found.holds():
                del self._known[key]
                return None
            if is_there:
                self._known[key] = replace(found, seen=now)
            return found.who

    def end(self, number: str) -> None:
        """The number is worth nothing any more."""
        with self._lock:
            self._known.pop(_digest(number), None)


def _digest(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()
