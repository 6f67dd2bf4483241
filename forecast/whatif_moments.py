"""Moments of the past to ask what-if about: each made once, on demand, as it was known then, and kept for a while.

What was learned, what past forecasts taught and what rivals said are all as of the moment: nothing that came out
later is looked at. Made in a thread of its own, one at a time, since a large log is read for some seconds.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from forecast.analytic import with_count_model
from forecast.archive import Archive
from forecast.backtest import seed_of
from forecast.baselines import fit
from forecast.ensemble import Run
from forecast.errors import ForecastError, QuestionError
from forecast.issue import Times
from forecast.past import Past, grid_start
from forecast.record import HEADLINES, Record
from forecast.retold import Learn
from forecast.situation import situation_of
from forecast.whatif import Ground
from ingest.clock import local
from ingest.errors import EdtwinError
from ingest.log import EventLog
from twin.memory import Memory
from twin.scenarios import Scenario
from twin.settled import learnable_from

logger = logging.getLogger(__name__)

KEPT = 3
"""Moments that are kept, the one asked about longest ago let go."""
WAITING = 4
"""Moments that may wait to be made."""
AFTER_THE_FIRST = timedelta(days=1)
"""A log tells who is here only from so long after its beginning on."""


@dataclass(frozen=True)
class PastGrounds:
    """Makes the ground of a moment from what was known at it."""

    log: EventLog
    archive: Archive
    zone: str
    usual: Scenario
    how: Run
    """With the base's seed."""
    learn: Learn

    def __call__(self, at: datetime) -> Ground:
        """The ground of a moment; raises EdtwinError where the log does not know enough by then."""
        self.check(at)
        state = Memory(self.log).at(at)
        calibration = self.learn(state, at)
        situation = situation_of(state, calibration, at)
        history, now = Past(grid_start(at)).at(state, situation.known, calibration, at)
        shown = replace(history, measures={m: v for m, v in history.measures.items() if m in HEADLINES})
        fitted = fit(shown, lead_min=self.how.lead_min[1:])
        rivals = with_count_model(fitted.ahead(at, now, history), situation, at, fitted.lead_min)
        by_past = Record(self.archive).recalibration(at, self.zone, since=learnable_from(state))
        how = replace(self.how, seed=seed_of(self.how.seed, at))
        return Ground(situation, Times(at, at, at), how, self.usual, by_past, rivals)

    def check(self, at: datetime) -> None:
        """Raises QuestionError for a moment of which the log cannot know who was here."""
        span = self.log.span()
        if span is None:
            raise QuestionError("Le journal est vide.", "The log is empty.")
        first, last = span.first_occurred_at + AFTER_THE_FIRST, span.last_known_at
        if not first <= at <= last:
            begin, end, told = (f"{local(instant, self.zone):%Y-%m-%d %H:%M}" for instant in (first, last, at))
            raise QuestionError(
                f"Le moment doit être entre {begin} et {end}, mais c'est {told}.",
                f"The moment must lie between {begin} and {end}, but is {told}.",
            )


class Moments:
    """The grounds of past moments: asked for, made, kept."""

    def __init__(self, make: Callable[[datetime], Ground], *, kept: int = KEPT) -> None:
        self._make, self._kept = make, kept
        self._lock = threading.Lock()
        self._made: OrderedDict[datetime, Ground | EdtwinError] = OrderedDict()
        self._waiting: list[datetime] = []
        self._thread: threading.Thread | None = None

    def at(self, at: datetime) -> Ground | None:
        """The ground of a moment; None while it is being made, which begins now if nobody has asked before.

        Raises what went wrong in the making, QuestionError where too many wait.
        """
        with self._lock:
            found = self._made.get(at)
            if isinstance(found, EdtwinError):
                raise found
            if found is not None:
                self._made.move_to_end(at)
            elif at not in self._waiting:
                self._begin(at)
            return found

    def _begin(self, at: datetime) -> None:
        if len(self._waiting) >= WAITING:
            raise QuestionError(
                f"{len(self._waiting)} autres moments sont déjà en préparation : réessayez dans une minute.",
                f"{len(self._waiting)} other moments are being made already: try again in a minute.",
            )
        self._waiting.append(at)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="what-if moments", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        """Make what waits, the first first; ends where nothing waits."""
        while (at := self._next()) is not None:
            found = self._outcome(at)
            with self._lock:
                self._made[at] = found
                self._waiting.remove(at)
                while len(self._made) > self._kept:
                    self._made.popitem(last=False)

    def _next(self) -> datetime | None:
        with self._lock:
            if not self._waiting:
                self._thread = None
                return None
            return self._waiting[0]

    def _outcome(self, at: datetime) -> Ground | EdtwinError:
        try:
            return self._make(at)
        except EdtwinError as fault:
            return fault
        except Exception as fault:
            logger.exception("the moment %s could not be made", at)
            return ForecastError(type(fault).__name__)
