"""What children are given to do in the tests: little, for ever, or too much.

Beside nothing else, since a child that is given one of these imports the file it stands in.
"""

from __future__ import annotations

import os
import signal
import threading

import numpy as np


def double(value: int) -> int:
    """Twice a value."""
    return 2 * value


def naps(seconds: float) -> float:
    """Waits so long."""
    threading.Event().wait(seconds)
    return seconds


def takes(size: int) -> int:
    """So many bytes of memory."""
    return int(np.empty(size, np.uint8).nbytes)


def spins() -> None:
    """Works for ever."""
    while True:
        pass


def waits_for_ever() -> None:
    """Waits for what nobody gives."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def deadlocks() -> None:
    """Two threads, each of which waits for what the other holds."""
    one, other, both = threading.Lock(), threading.Lock(), threading.Barrier(2)

    def take(first: threading.Lock, second: threading.Lock) -> None:
        with first:
            both.wait()
            second.acquire()

    beside = threading.Thread(target=take, args=(other, one), daemon=True)
    beside.start()
    take(one, other)


def hears_no_term() -> None:
    """Works for ever, and does not end when it is asked to."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    spins()


def stops() -> None:
    """Is stopped where it stands."""
    os.kill(os.getpid(), signal.SIGSTOP)
