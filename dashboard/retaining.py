"""When events come to their end: with whole months, at a quiet hour of the night, in a house that is fed.

The journal is written anew and the database made of it, which needs both for itself: a house that runs ends in good
order, does it, and begins again. Senders wait meanwhile, as at any restart.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from _thread import interrupt_main
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from multiprocessing import active_children
from typing import Any

from dashboard.house import House
from dashboard.keeper import EXIT_STATUS
from dashboard.settings import Settings
from ingest.clock import Clock, local
from ingest.log import EventLog
from twin.day_figures import midnight
from twin.memory import KEEP_DAYS, RENEWED

logger = logging.getLogger(__name__)

OPEN = timedelta(days=KEEP_DAYS) + RENEWED
"""A visit whose exit nobody told is on no state's list when nothing was heard of it for so long."""
LOOKED_EVERY_S = 60.0
LATE_DAY = 7
"""Day of the month after which what is due should be over."""
ENDS_WITHIN_S = 5.0
"""How long a process that simulated may take to end."""


@dataclass(frozen=True)
class Limit:
    """The first day of which events are kept, and the instant at which it begins."""

    day: date
    until: datetime


def limit_of(house: House) -> Limit:
    """The limit of the house's settings now, never before one that was reached."""
    now, months, zone = house.clock.now(), house.settings.keep_events_months, house.hospital.zone
    return _later(_limit(now, months, zone), house.log, zone)


def _limit(now: datetime, months: int, zone: str) -> Limit:
    """The beginning of the month that lies so many whole months before the one that runs."""
    here = local(now, zone)
    year, month = divmod(here.year * 12 + here.month - 1 - months, 12)
    day = date(year, month + 1, 1)
    return Limit(day, midnight(day, zone))


def _later(limit: Limit, log: EventLog, zone: str) -> Limit:
    """What is gone is gone, though the setting says otherwise now."""
    reached = log.kept_from
    return limit if reached is None or reached <= limit.until else Limit(local(reached, zone).date(), reached)


def due(house: House) -> bool:
    """Whether there is something of before the limit that was not ended, or not to the last step."""
    span, limit, ended = house.log.span(), limit_of(house), house.log.ended()
    if ended is not None and not ended.is_done:
        return True
    is_new = ended is None or ended.until < limit.until
    return is_new and span is not None and span.first_occurred_at < limit.until


def standing_of(house: House) -> dict[str, Any]:
    """How the end of events stands, for whoever looks after the house; instants in ISO form."""
    kept_from, limit, is_due = house.log.kept_from, limit_of(house), due(house)
    since = local(house.clock.now(), house.hospital.zone).day
    return {
        "kept_from": kept_from.isoformat() if kept_from else None, "until": limit.until.isoformat(), "due": is_due,
        "months": house.settings.keep_events_months, "fed": is_fed(house.settings), "late": is_due and since > LATE_DAY,
    }  # fmt: skip


def is_fed(settings: Settings) -> bool:
    """Whether something feeds the house. One that nothing feeds is a study of a period, and its events stay until a
    person ends them."""
    return bool(settings.mllp_port or settings.kafka_topics or settings.fhir_mapping)


def quiet_hour(settings: Settings) -> int:
    """The local hour before the one at which the house learns."""
    return (settings.learn_at_h - 1) % 24


def is_quiet(settings: Settings, clock: Clock, zone: str) -> bool:
    """Whether it is that hour."""
    return local(clock.now(), zone).hour == quiet_hour(settings)


class QuietHour:
    """Ends a house in good order when the hour has come and something is due; not in the hour in which it began."""

    def __init__(self, house: House, stop: threading.Event, end: Callable[[], None] = interrupt_main) -> None:
        self._house, self._stop, self._end = house, stop, end
        self._began_at = house.clock.now()
        self.came = False
        """It is to begin again, and to end what is due before anything else."""

    def watch(self) -> None:
        """Until the house ends."""
        while not self._stop.wait(LOOKED_EVERY_S):
            self.look()
            if self.came:
                return

    def look(self) -> None:
        """Whether it is time now."""
        house = self._house
        rested = house.clock.now() - self._began_at >= timedelta(hours=1)
        try:
            whole = not house.indexer.missing
            self.came = whole and rested and is_quiet(house.settings, house.clock, house.hospital.zone) and due(house)
        except Exception:
            logger.exception("it cannot be told whether events are to come to their end")
        if self.came:
            logger.warning("events come to their end: the house ends, and begins again when they are gone")
            self._end()


def begin_again() -> int:
    """Start the same command anew in this process; under systemd the status asks it to. Its children end first."""
    for child in active_children():
        child.join(ENDS_WITHIN_S)
    if "NOTIFY_SOCKET" not in os.environ:
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - our own command, as it was given
    return EXIT_STATUS
