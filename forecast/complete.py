"""Up to when what is known is complete: from there a forecast starts, so that it widens by what is not told yet.

Of a feed that is late the newest events are missing. Taken for all there is, they would make the department look
emptier, and the hours ahead surer, than they are. So the forecast starts where nothing is missing any more and runs
through what is missing to now and beyond: who came and left in between is drawn, by every member anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from forecast.board import Feed

LONGEST_BEHIND = timedelta(hours=6)
"""What was known so long ago says hardly more of now than what is usual."""
WORSE = ("catching_up", "stale", "off")
"""Here nothing new is forecast; a first forecast from such data starts now, and is withheld on the wall."""


def complete_at(feed: Feed, as_of: datetime, step: timedelta) -> datetime:
    """Before the instant by a whole number of the forecast's steps; the instant itself where nothing is missing."""
    return as_of - min(-(-_missing(feed) // step), LONGEST_BEHIND // step) * step


def _missing(feed: Feed) -> timedelta:
    """How long a span is not told yet: a silence that is longer than usual, and what is still on the way."""
    nothing = timedelta(0)
    if feed.state in WORSE:
        return nothing
    silent = feed.age if feed.age is not None and feed.age > feed.limit else nothing
    on_the_way = feed.lag if feed.lag is not None and feed.is_lagging else nothing
    return max(silent, on_the_way)
