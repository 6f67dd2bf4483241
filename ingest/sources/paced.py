"""What is heard of a world that is run on beside the clock: an exercise's, whatever law it obeys."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Protocol

from ingest.clock import Clock
from ingest.events import Event

PACE = timedelta(seconds=30)
"""So often, of the world's time, the world goes on."""


class Paced(Protocol):
    """A world that can be run on."""

    @property
    def now_at(self) -> datetime:
        """How far it has come."""

    @property
    def is_silent(self) -> bool:
        """Is nothing heard of it at the moment?"""

    def go_on(self, until: datetime) -> list[Event]:
        """Let it go on; what is to be heard of it since the last time."""


def paced(world: Paced, clock: Clock, stop: threading.Event, each: Callable[[], bool]) -> Iterator[list[Event]]:
    """What the feed delivers, as the clock goes on, until `stop`, or until `each` says that it is over.

    `each` is called before the world goes on. What is to be heard of a silent world is told at the end of its silence,
    at once.
    """
    held: list[Event] = []
    while clock.sleep_until(world.now_at + PACE, stop) and not stop.is_set():
        if not each():
            return
        held += world.go_on(clock.now())
        if held and not world.is_silent:
            yield held
            held = []
