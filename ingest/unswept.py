"""No search for garbage while very much is made that stays.

Python looks for garbage in circles whenever so many things were made, and looks at all there are. Where a house begins,
or a state of half a million things is read, nothing of it is garbage, and the search is a third of the work.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (100_000, 20, 50)
"""A house that runs looks once so many things more are there than were; Python's 700 are for small programs."""
_lock = threading.Lock()
_inside = 0


@contextmanager
def unswept() -> Iterator[None]:
    """In the block nothing looks for garbage in circles, in no thread; blocks may lie within or beside one another.

    What has no circle is given back as ever, so the block should make little that has, and end soon. Where somebody
    had switched the search off, it stays off.
    """
    global _inside
    with _lock:
        _inside += gc.isenabled() or _inside > 0
        counted = _inside > 0
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            _inside -= counted
            if counted and not _inside:
                gc.enable()


@contextmanager
def seldom_swept() -> Iterator[None]:
    """In the block garbage in circles is looked for `SELDOM`: for a process that holds very much that stays."""
    before = gc.get_threshold()
    gc.set_threshold(*SELDOM)
    try:
        yield
    finally:
        gc.set_threshold(*before)
