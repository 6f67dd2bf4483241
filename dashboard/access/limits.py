"""How often somebody may try to sign in, and how often ask.

Tries: five in a minute by account and address, twenty by address, thirty by account. Who used them up waits a minute,
then two, four, to a quarter of an hour; a quiet quarter of an hour begins anew. Asking: an open page asks by itself
each `refresh_s`, and sliders of what-if ask as they move, so that sixty a minute would stop the wall. What begins or
changes something has that figure; all else has one that only a script reaches.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from math import ceil, inf

from ingest.clock import stopwatch

MINUTE_S = 60.0
FIRST_WAIT_S, LONGEST_WAIT_S = 60.0, 900.0
TRIES: Mapping[str, int] = {"account and address": 5, "address": 20, "account": 30}
"""Failed tries in a minute."""
BEGINS_A_MINUTE, ASKS_A_MINUTE = 60, 1200
"""By person."""
MOST_KNOWN = 10_000
"""Of so many counted at a time the oldest is forgotten: memory is bounded whoever asks."""


@dataclass
class _Counted:
    at: deque[float] = field(default_factory=deque)
    wait_s: float = FIRST_WAIT_S
    until: float = -inf


class Tries:
    """Failed tries to sign in."""

    def __init__(self, clock: Callable[[], float] = stopwatch) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._known: OrderedDict[Hashable, _Counted] = OrderedDict()

    def wait_s(self, account: str, address: str) -> int:
        """Seconds until another try is heard; 0: now."""
        now = self._clock()
        with self._lock:
            found = (self._known.get(key) for key in _keys(account, address))
            return max((ceil(one.until - now) for one in found if one is not None and one.until > now), default=0)

    def failed(self, account: str, address: str) -> None:
        """One more that did not fit."""
        now = self._clock()
        with self._lock:
            for key in _keys(account, address):
                _count(_of(self._known, key), now, TRIES[key[0]])

    def succeeded(self, account: str, address: str) -> None:
        """Whoever it was is let in: their failures are forgotten, those of the address stay."""
        with self._lock:
            self._known.pop(("account and address", account.casefold(), address), None)
            self._known.pop(("account", account.casefold(), ""), None)


class Asks:
    """What each person asked in the last minute."""

    def __init__(self, most: int, clock: Callable[[], float] = stopwatch) -> None:
        self._most, self._clock, self._lock = most, clock, threading.Lock()
        self._known: OrderedDict[Hashable, _Counted] = OrderedDict()

    def wait_s(self, who: str) -> int:
        """Count one more; seconds until it is answered, 0: now."""
        now = self._clock()
        with self._lock:
            one = _of(self._known, who)
            _forget(one, now)
            if len(one.at) >= self._most:
                return ceil(one.at[0] + MINUTE_S - now)
            one.at.append(now)
            return 0


def _keys(account: str, address: str) -> tuple[tuple[str, str, str], ...]:
    name = account.casefold()
    return ("account and address", name, address), ("address", "", address), ("account", name, "")


def _count(one: _Counted, now: float, most: int) -> None:
    _forget(one, now)
    one.at.append(now)
    if now - one.until > LONGEST_WAIT_S:
        one.wait_s = FIRST_WAIT_S
    if len(one.at) >= most:
        one.until, one.wait_s = now + one.wait_s, min(2 * one.wait_s, LONGEST_WAIT_S)
        one.at.clear()


def _forget(one: _Counted, now: float) -> None:
    while one.at and one.at[0] <= now - MINUTE_S:
        one.at.popleft()


def _of(known: OrderedDict[Hashable, _Counted], key: Hashable) -> _Counted:
    one = known.setdefault(key, _Counted())
    known.move_to_end(key)
    while len(known) > MOST_KNOWN:
        known.popitem(last=False)
    return one
