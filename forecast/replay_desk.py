"""The replay that a page asks for: any past instant, read from the log as it was known then, in a thread beside.

A view never waits: an instant that has not been looked at yet is said to be looked at, and is there some seconds later.
What is known then, and what came, are read by different ways; the first never sees more of the log than had become
known by its instant.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forecast.archive import Archive
from forecast.ensemble import Run
from forecast.forecast_then import forecast_then
from forecast.known_then import KnownThen, known_then
from forecast.loop import Site
from forecast.past import VINTAGE
from forecast.replay_address import asked_for
from forecast.replay_store import ReplayStore
from forecast.replay_told import came_after, said_of
from forecast.replay_view import DRAWN, Asked, Came, Looked, ReplayState, ReplayView, Said
from ingest.clock import Clock
from ingest.errors import EdtwinError
from ingest.log import EventLog
from twin.calibrate import Calibration, calibrate
from twin.described import believed
from twin.learned_days import Days
from twin.memory import Memory
from twin.state import State

logger = logging.getLogger(__name__)

SHOWN_FOR = timedelta(hours=1)
"""So long after its issue a forecast is still the one that was shown, as on the wall."""
RENEWED = timedelta(minutes=15)
"""How old what came may be while more of it is still coming."""
KEPT = 64
"""Instants that are kept at hand."""
WAITING = 8
"""Instants that may wait to be read; what was asked for longest ago is let go first."""
_FIRST_AGO = timedelta(hours=24)


@dataclass(frozen=True)
class _Read:
    """One instant as it was read, or why it could not be."""

    looked: Looked | None = None
    came: Came | None = None
    issues: tuple[datetime | None, datetime | None] = (None, None)
    fault: str | None = None
    seen: int = 0
    """How long the log was."""


class ReplayDesk:
    """Reads instants one after the other, and forecasts one at a time. `workers` makes what runs it."""

    def __init__(
        self, log: EventLog, archive: Archive, site: Site, store: ReplayStore, clock: Clock, how: Run, *,
        workers: Callable[[], Executor],
    ) -> None:  # fmt: skip
        self._log, self._archive, self._site, self._store = log, archive, site, store
        self._clock, self._how, self._workers = clock, how, workers
        self._then, self._came, self._days = Memory(log), Memory(log), Days(log)
        self._lock = threading.Lock()
        self._read: OrderedDict[datetime, _Read] = OrderedDict()
        self._wanted: OrderedDict[datetime, None] = OrderedDict()
        self._reader: threading.Thread | None = None
        self._forecasts: threading.Thread | None = None
        self._forecasting_at: datetime | None = None
        self._forecast_fault: tuple[datetime, str] | None = None
        self._using = threading.Lock()
        """Held by whoever reads the memories."""
        self._ended = False
        self._changed_at = clock.now()

    # --- the page -----------------------------------------------------------------------------------------------

    def view(self, query: str) -> ReplayView:
        """The page that an address asks for, as far as it is there."""
        hospital, asked = self._site.hospital, asked_for(query, self._site.hospital.zone)
        span = self._log.span()
        page = ReplayView(
            made_at=self._changed_at, zone=hospital.zone, hospital=hospital.name, mode=self._site.mode, state="empty",
            asked=asked, forecasting_at=self._forecasting_at, ready=self._forecasting_at is None,
            spaces=self._site.spaces,
        )  # fmt: skip
        if span is None:
            return page
        first, last = span.first_occurred_at, min(self._clock.now(), span.last_known_at)
        page = replace(page, at=_at(asked, last), first_at=first, last_at=last)
        instants = [page.at, *([asked.versus] if asked.versus else [])]
        if any(at is None or not first <= at <= last for at in instants):
            return replace(page, state="outside")
        return self._with_what_is_read(page, [at for at in instants if at is not None])

    def _with_what_is_read(self, page: ReplayView, instants: list[datetime]) -> ReplayView:
        read = [self._find(at) for at in instants]
        faults = [one.fault for one in read if one is not None and one.fault]
        if faults:
            return replace(page, state="fault", fault=faults[0])
        state: ReplayState = "shown" if all(read) else "looking"
        mine, other = read[0], read[1] if len(read) > 1 else None
        failed = self._forecast_fault
        fault = failed[1] if failed is not None and failed[0] in instants else None
        if mine is None:
            return replace(page, state=state, fault=fault)
        return replace(
            page, state=state, fault=fault, looked=mine.looked, came=mine.came, issues=mine.issues,
            versus=other.looked if other is not None else None,
        )  # fmt: skip

    def _find(self, at: datetime) -> _Read | None:
        """What was read of an instant; where nothing was, or it is no longer true, it is asked for."""
        with self._lock:
            found = self._read.get(at)
            if found is not None:
                self._read.move_to_end(at)
            if found is None or self._is_old(at, found):
                self._want(at)
            return found

    def _is_old(self, at: datetime, found: _Read) -> bool:
        """More of what came may have come, or the log may have learned more of before the instant."""
        if found.came is not None and found.came.known_at < at + DRAWN + VINTAGE and self._renewable(found.came):
            return True
        return self._log.length() != found.seen and self._log.has_learned(found.seen, at)

    def _renewable(self, came: Came) -> bool:
        return self._clock.now() - came.known_at >= RENEWED

    def _want(self, at: datetime) -> None:
        if self._ended:
            return
        self._wanted[at] = None
        self._wanted.move_to_end(at)
        while len(self._wanted) > WAITING:
            self._wanted.popitem(last=False)
        if self._reader is None:
            self._reader = threading.Thread(target=self._read_all, name="replay", daemon=True)
            self._reader.start()

    # --- reading ------------------------------------------------------------------------------------------------

    def _read_all(self) -> None:
        """Whatever is wanted, the newest wish first."""
        while True:
            with self._lock:
                if not self._wanted or self._ended:
                    self._reader = None
                    return
                at = next(reversed(self._wanted))
            read = self._reading(at)
            with self._lock:
                self._wanted.pop(at, None)
                self._read[at] = read
                self._read.move_to_end(at)
                while len(self._read) > KEPT:
                    self._read.popitem(last=False)
                self._changed_at = self._clock.now()

    def _reading(self, at: datetime) -> _Read:
        seen = self._log.length()
        try:
            with self._using:
                known = self._known(at)
                said = self._said(known)
                calibration, now = known.situation.calibration, self._clock.now()
                came = came_after(self._came, calibration, at, now, told_of=said)
            return _Read(Looked(known.then, said), came, self._archive.issues_beside(at), seen=seen)
        except EdtwinError as fault:
            return _Read(fault=str(fault), seen=seen)
        except Exception as fault:  # the page says so; the house goes on
            if not self._ended:
                logger.exception("a past instant could not be read")
            return _Read(fault=type(fault).__name__, seen=seen)

    def _known(self, at: datetime) -> KnownThen:
        """An instant from the log as known at it, and no later."""
        state = self._then.at(at)
        return known_then(state, self._learned(state, at), at, self._site.spaces)

    def _learned(self, state: State, at: datetime) -> Calibration:
        site, before = self._site, self._days.before(at)

        def learn() -> Calibration:
            return calibrate(state, site.hospital, at, before=before, own_beds=site.own_beds)

        return learn() if site.described is None else believed(site.described, state, at, learn)

    def _said(self, known: KnownThen) -> Said | None:
        """What was published by then; else what was made of it afterwards."""
        at, spaces = known.then.at, self._site.spaces
        published = self._archive.issued_by(at, within=SHOWN_FOR)
        if published is not None:
            return said_of(published, known.then, spaces)
        made = self._store.of(at, self._log.digest(at))
        return None if made is None else said_of(made, known.then, spaces, is_made_afterwards=True)

    # --- forecasting --------------------------------------------------------------------------------------------

    def forecast(self, asked: Asked) -> bool:
        """Forecast the instant that is asked for, as it was known then; False where one is made, or it cannot be."""
        span = self._log.span()
        at = _at(asked, min(self._clock.now(), span.last_known_at)) if span is not None else None
        with self._lock:
            if at is None or span is None or self._ended or self._forecasting_at is not None:
                return False
            if not span.first_occurred_at <= at <= min(self._clock.now(), span.last_known_at):
                return False
            self._forecasting_at, self._forecast_fault = at, None
            self._changed_at = self._clock.now()
            self._forecasts = threading.Thread(target=self._forecast, args=(at,), name="forecast then", daemon=True)
            self._forecasts.start()
            return True

    def asked(self, query: str) -> Asked:
        """What an address asks for."""
        return asked_for(query, self._site.hospital.zone)

    def _forecast(self, at: datetime) -> None:
        fault: str | None = None
        try:
            with self._using:
                known = self._known(at)
            executor = self._workers()
            try:
                made = forecast_then(known, self._archive, self._site.scenarios[0], self._how, executor)
            finally:
                executor.shutdown(wait=False, cancel_futures=True)
            self._store.keep(made, self._log.digest(at))
        except EdtwinError as error:
            fault = str(error)
        except Exception as error:  # the page says so; the house goes on
            if not self._ended:
                logger.exception("a past instant could not be forecast")
            fault = type(error).__name__
        with self._lock:
            self._forecast_fault = (at, fault) if fault else None
            self._read.pop(at, None)
            self._forecasting_at, self._changed_at = None, self._clock.now()

    def stop(self, timeout_s: float) -> None:
        """Begin nothing more, and wait for what runs."""
        with self._lock:
            self._ended = True
            running = [thread for thread in (self._reader, self._forecasts) if thread is not None]
        for thread in running:
            thread.join(timeout_s)


def _at(asked: Asked, last_at: datetime) -> datetime:
    """The instant that is asked for; else a day before the end of the log, at the full hour."""
    return asked.at or (last_at - _FIRST_AGO).replace(minute=0, second=0, microsecond=0)
