"""Messages on their way: each once to each recipient, tried again with growing pauses, given up in the end and said.

A message is queued in the transaction that raises its alarm, and marked as sent once its recipient has taken it. A
house that ends between the two sends it once more with the same key, by which the receiver knows it again: a webhook
gets it as `Idempotency-Key`, an e-mail as its `Message-ID`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from forecast.alert_log import AlarmLog, Step
from forecast.alert_rules import AlertRules
from forecast.alerts import Alerts
from forecast.errors import UndeliveredError
from forecast.pages import RecipientView
from ingest.clock import Clock

logger = logging.getLogger(__name__)

PAUSES = tuple(timedelta(seconds=s) for s in (15, 60, 240, 900, 3600))
"""After each try that failed; after as many tries and one more it is given up."""
LOOK_S = 2.0


class Carrier(Protocol):
    """A way to a recipient."""

    def carry(self, step: Step) -> None:
        """Deliver the message, bearing its key. Raises UndeliveredError, final or not."""


def due(steps: Sequence[Step], now: datetime) -> list[Step]:
    """Those to be tried now."""
    return [s for s in steps if s.outcome in ("queued", "failed") and s.next_at is not None and s.next_at <= now]


def tried(step: Step, now: datetime, fault: UndeliveredError | None) -> Step:
    """The step after one more try."""
    attempt = step.attempt + 1
    done = replace(step, noted_at=now, attempt=attempt, message={})
    if fault is None:
        return replace(done, outcome="sent", next_at=None, error=None)
    if fault.final or attempt > len(PAUSES):
        return replace(done, outcome="dead", next_at=None, error=str(fault))
    return replace(done, outcome="failed", next_at=now + PAUSES[attempt - 1], error=str(fault))


def deliver(log: AlarmLog, carriers: Mapping[str, Carrier], now: datetime) -> int:
    """Try all that is due; how many were taken. A recipient that is no more gets nothing, and that is said."""
    taken = 0
    for step in due(log.steps(), now):
        carrier, fault = carriers.get(step.recipient), None
        try:
            if carrier is None:
                raise UndeliveredError("is no recipient any more", final=True)
            carrier.carry(step)
        except UndeliveredError as error:
            fault = error
            logger.warning("a message to %s was not taken: %s", step.recipient, error)
        log.add([], [tried(step, now, fault)])
        taken += fault is None
    return taken


class Postman:
    """Delivers in a thread of its own, so that a recipient that hangs holds up no forecast; tells whom to tell next."""

    def __init__(self, alerts: Alerts, carriers: Mapping[str, Carrier], clock: Clock, stop: threading.Event) -> None:
        self._alerts, self._carriers, self._clock, self._stop = alerts, carriers, clock, stop
        self._thread = threading.Thread(target=self._run, name="tell of alarms", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for its end, once `stop` is set."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def turn(self) -> None:
        """Who is due to be told next, and what is due to be sent."""
        now = self._clock.now()
        self._alerts.tick(now)
        if self._alerts.place.sends:
            deliver(self._alerts.log, self._carriers, now)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                self.turn()
            except Exception:  # whatever it is, the next message is tried
                logger.exception("alarms could not be told")


def tallies(rules: AlertRules, steps: Sequence[Step]) -> tuple[RecipientView, ...]:
    """What became of the messages to each recipient of the file."""
    return tuple(
        _tally(name, "email" if one.email else "webhook", [s for s in steps if s.recipient == name])
        for name, one in rules.recipient.items()
    )


def _tally(name: str, kind: str, steps: Sequence[Step]) -> RecipientView:
    count = {outcome: sum(s.outcome == outcome for s in steps) for outcome in ("sent", "dead")}
    errors = [s.error for s in sorted(steps, key=lambda s: s.noted_at) if s.error]
    waiting = len(steps) - sum(count.values())
    return RecipientView(
        name, "email" if kind == "email" else "webhook", count["sent"], waiting, count["dead"],
        errors[-1] if errors else None,
    )  # fmt: skip
