"""The validation that a page asks for: worked out in a thread beside, once for all, anew when there is more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from urllib.parse import parse_qs

from forecast.archive import Archive
from forecast.backtest_desk import PAIRS, BacktestDesk
from forecast.loop import Site
from forecast.pairs_file import read_pairs
from forecast.record import HEADLINES
from forecast.validation import validated
from forecast.validation_view import DAYS, EVERY_H, MEMBERS, SINCE_DAYS, Chosen, Source, Validated, ValidationView
from forecast.verify import Pairs
from ingest.clock import Clock
from ingest.errors import EdtwinError
from ingest.log import EventLog

logger = logging.getLogger(__name__)

RENEWED = timedelta(hours=1)
"""How often own forecasts are looked at anew."""
_LONGEST = 600
USUAL = Chosen().run
Key = tuple[Source, str, int]


@dataclass(frozen=True)
class Beside:
    """What else the page tells, of the house at this moment."""

    shares: Mapping[str, Mapping[int, float]]
    corrected_days: int
    report_at: datetime | None
    checks: tuple[datetime, int, int] | None


@dataclass(frozen=True)
class _Worked:
    found: Validated | None
    stamp: object
    """Another once there is more to look at."""
    fault: str | None = None


class ValidationDesk:
    """Works out what the page shows, one after the other."""

    def __init__(
        self, log: EventLog, archive: Archive, site: Site, backtests: BacktestDesk, folder: Path, clock: Clock, *,
        beside: Callable[[], Beside],
    ) -> None:  # fmt: skip
        """`folder` is that of the back-tests."""
        self._log, self._archive, self._site, self._clock = log, archive, site, clock
        self._backtests, self._pairs, self._beside = backtests, folder / PAIRS, beside
        self._lock = threading.Lock()
        self._worked: dict[Key, _Worked] = {}
        self._thread: threading.Thread | None = None
        self._changed_at = clock.now()

    def view(self, query: str) -> ValidationView:
        """The page that an address asks for, as far as it is there."""
        chosen, hospital, beside = chosen_of(query), self._site.hospital, self._beside()
        source = chosen.source or self._usual_source()
        key = (source, chosen.measure, chosen.days if source == "own" else 0)
        with self._lock:
            worked = self._worked.get(key)
            if (worked is None or worked.stamp != self._stamp(source)) and self._thread is None:
                self._thread = threading.Thread(target=self._work, args=(key,), name="validation", daemon=True)
                self._thread.start()
        return ValidationView(
            made_at=max(self._changed_at, self._backtests.changed_at), zone=hospital.zone, hospital=hospital.name,
            mode=self._site.mode, chosen=chosen, source=source, measuring=worked is None,
            found=worked.found if worked else None, fault=worked.fault if worked else None, run=self._backtests.run,
            report_at=beside.report_at, checks=beside.checks, shares=beside.shares.get(chosen.measure, {}),
            corrected_days=beside.corrected_days,
        )  # fmt: skip

    def _usual_source(self) -> Source:
        """Own forecasts, unless none was verified and there is a back-test."""
        own = self._worked.get(("own", HEADLINES[0], SINCE_DAYS[0]))
        return "backtest" if own is not None and own.found is None and self._pairs.exists() else "own"

    def _stamp(self, source: Source) -> object:
        if source == "own":
            return self._clock.now().replace(minute=0, second=0, microsecond=0)
        return self._pairs.stat().st_mtime_ns if self._pairs.exists() else None

    def _work(self, key: Key) -> None:
        stamp = self._stamp(key[0])
        try:
            pairs = self._of(key)
            found = validated(pairs, key[1], self._log, self._site.hospital) if pairs is not None else None
            worked = _Worked(found, stamp)
        except EdtwinError as fault:
            worked = _Worked(None, stamp, str(fault))
        except Exception as fault:  # the page says so; the house goes on
            logger.exception("the forecasts could not be judged")
            worked = _Worked(None, stamp, type(fault).__name__)
        with self._lock:
            self._worked[key] = worked
            self._thread, self._changed_at = None, self._clock.now()

    def _of(self, key: Key) -> Pairs | None:
        source, _, days = key
        if source == "backtest":
            return read_pairs(self._pairs)
        now = self._clock.now()
        return self._archive.pairs(now - timedelta(days=days), now)

    def join(self, timeout_s: float) -> None:
        """Wait for the end of what runs."""
        if (thread := self._thread) is not None:
            thread.join(timeout_s)


def chosen_of(query: str) -> Chosen:
    """What an address asks for; what it asks for wrongly is as if it were not there."""
    told = {name: values[0] for name, values in parse_qs(query.lstrip("?")[:_LONGEST]).items()}
    measure = told.get("measure", HEADLINES[0])
    source: Source | None = "own" if told.get("source") == "own" else None
    source = "backtest" if told.get("source") == "backtest" else source
    days = next((days for days in SINCE_DAYS if str(days) == told.get("days")), SINCE_DAYS[0])
    run = next((run for run in product(DAYS, EVERY_H, MEMBERS) if ",".join(map(str, run)) == told.get("run")), USUAL)
    return Chosen(measure if measure in HEADLINES else HEADLINES[0], source, days, run)
