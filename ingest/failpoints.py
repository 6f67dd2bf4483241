"""Instants at which it would hurt most to die, by name: between what is done and what is said of it.

    written = failpoint("journal written")     # where the module begins
    written()                                  # where the instant is

In a house they do nothing. A test watches them: it may end the process there, and counts how often each was reached, so
that none is believed to be tried that never was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Watcher = Callable[[str], None]
NAMES: list[str] = []
"""Of every failpoint of the modules that are loaded: what it is of, and the instant ("journal: synced, not told")."""
_watchers: list[Watcher] = []


def failpoint(name: str) -> Callable[[], None]:
    """A failpoint of a name that no other has: call it at its instant."""
    assert name not in NAMES, name
    NAMES.append(name)

    def reached() -> None:
        for watcher in _watchers:
            watcher(name)

    return reached


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Inside the block the watcher is called with the name of each failpoint that is reached, in every thread."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)
