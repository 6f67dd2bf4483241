"""Learning anew, once a night at a fixed local hour; where that fails the old parameters stay, and it is said.

What was learned is kept in the log: as its account, so that a house that starts again can say what has changed since,
and whole (`learned_kept.py`), so that it need not learn it anew.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from forecast.learned_kept import LearnedKept, Learning
from forecast.pages import LearnedView
from ingest.clock import local, stopwatch
from ingest.errors import EdtwinError
from ingest.log import EventLog
from twin.calibrate import Calibration, calibrate
from twin.described import basis_of, believed, sentence_of
from twin.hospital import Hospital
from twin.learned_days import Days
from twin.learned_report import changes
from twin.site import Site
from twin.state import State

logger = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(hours=1)
"""How long after a failure, or while the log has not taught enough, it is tried again."""
_SNAPSHOT = "twin.learned"
_KEPT = 30


class Nightly:
    """One hospital's parameters, learned anew each night at `hour` of its own time, and at once the first time."""

    def __init__(
        self, log: EventLog, hospital: Hospital, *, hour: int = 4, own_beds: bool = False, site: Site | None = None
    ) -> None:
        """With a `site`, what it says of itself serves while the log has not taught enough."""
        self._log, self._hospital, self._hour, self._own_beds, self._site = log, hospital, hour, own_beds, site
        self._days = Days(log, saves=True)
        self._kept = LearnedKept(log, hospital, own_beds=own_beds, site=site)
        self._last: Learning | None = None
        self._fault: str | None = None
        self._tried_at: datetime | None = None
        self._is_of_start = True
        """What is in use was kept, or learned when the house was started."""

    def calibration(self, state: State, as_of: datetime, *, seen: int | None = None) -> tuple[Calibration, bool]:
        """The parameters as of an instant, and whether they were learned just now.

        A house that starts again takes those that it learned last, as long as they hold. `seen` is the length of the
        log before the state was read from it; None: now. Raises what went wrong only while there are no parameters yet.
        """
        seen = self._log.length() if seen is None else seen
        if self._last is None and self._tried_at is None:
            self._last = self._from_before(as_of)
        if self._last is not None and not self._is_due(self._last, as_of):
            return self._last.calibration, False
        self._tried_at = as_of
        try:
            self._is_of_start, self._last, self._fault = self._last is None, self._learned(state, as_of, seen), None
        except Exception as fault:
            if self._last is None:
                raise
            self._fault = str(fault) if isinstance(fault, EdtwinError) else type(fault).__name__
            logger.exception("nothing could be learned: the parameters of %s stay", self._last.calibration.as_of)
            return self._last.calibration, False
        return self._last.calibration, True

    def view(self, now: datetime, mode: str) -> LearnedView:
        """What the page says of it at a moment."""
        zone, last = self._hospital.zone, self._last
        empty = LearnedView(now, zone, self._hospital.name, mode, next_at=self._next(now), fault=self._fault)
        if last is None:
            return empty
        basis = basis_of(last.calibration)
        if basis is not None and not basis["keeps_path"]:
            return replace(empty, described=basis, next_at=last.calibration.as_of + AGAIN_AFTER)
        return replace(
            empty, learned_at=last.calibration.as_of, seconds=last.seconds, days_added=last.days_added,
            report=last.calibration.report, changes=last.changes, changed_since=last.before_at, described=basis,
            at_start=self._kept.at_start if self._is_of_start else None,
        )  # fmt: skip

    def _from_before(self, as_of: datetime) -> Learning | None:
        """What was learned before this start, where that still holds."""
        found = self._kept.read(as_of)
        if found is not None:
            logger.info("what was learned at %s holds: version %s", found.calibration.as_of,
                        found.calibration.report["version"])  # fmt: skip
        return found

    def _is_due(self, last: Learning, as_of: datetime) -> bool:
        if self._fault is not None and self._tried_at is not None and as_of - self._tried_at < AGAIN_AFTER:
            return False
        if not _is_learned(last.calibration):
            return as_of - last.calibration.as_of >= AGAIN_AFTER
        return last.calibration.as_of < self._latest(as_of)

    def _latest(self, at: datetime) -> datetime:
        """The last time that the hour came, at an instant."""
        there = local(at, self._hospital.zone)
        today = there.replace(hour=self._hour, minute=0, second=0, microsecond=0)
        return (today if today <= there else today - timedelta(days=1)).astimezone(UTC)

    def _next(self, at: datetime) -> datetime:
        there = local(self._latest(at), self._hospital.zone)
        return (there + timedelta(days=1)).astimezone(UTC)

    def _learned(self, state: State, as_of: datetime, seen: int) -> Learning:
        began, basis = stopwatch(), self._kept.basis(as_of)
        before = self._days.before(as_of)
        found = self._believed(
            state, as_of, lambda: calibrate(state, self._hospital, as_of, before=before, own_beds=self._own_beds)
        )
        seconds = stopwatch() - began
        if not _is_learned(found):
            logger.info("%s", sentence_of(basis_of(found) or {}))
            return Learning(found, seconds, 0, (), None)
        logger.info("learned anew in %.1f s: %d days added, version %s", seconds, self._days.added,
                    found.report["version"])  # fmt: skip
        earlier, earlier_at = self._earlier(as_of)
        self._log.save_snapshot(_SNAPSHOT, as_of, as_of, json.dumps(found.report).encode(), keep=_KEPT)
        changed = tuple(changes(earlier, found.report)) if earlier is not None else ()
        return self._kept.save(Learning(found, seconds, self._days.added, changed, earlier_at), basis, seen)

    def _believed(self, state: State, as_of: datetime, learn: Callable[[], Calibration]) -> Calibration:
        return learn() if self._site is None else believed(self._site, state, as_of, learn)

    def _earlier(self, as_of: datetime) -> tuple[Mapping[str, Any] | None, datetime | None]:
        """What was learned the time before, and when: from memory, else from the log."""
        if self._last is not None and _is_learned(self._last.calibration):
            return self._last.calibration.report, self._last.calibration.as_of
        return earlier_report(self._log, as_of)


def _is_learned(calibration: Calibration) -> bool:
    """False while all that a site says of itself is in use."""
    basis = basis_of(calibration)
    return basis is None or bool(basis["keeps_path"])


def earlier_report(log: EventLog, as_of: datetime) -> tuple[Mapping[str, Any] | None, datetime | None]:
    """The last account that the log holds from before an instant, and of when it is."""
    kept = log.latest_snapshot(_SNAPSHOT, as_of - timedelta(microseconds=1))
    return (None, None) if kept is None else (json.loads(kept.blob), kept.at)
