"""Forecasts published on a topic of Kafka, as `edtwin forecast --json` prints them; never in the way of a cycle.

publisher = Publisher(link, "edtwin.forecasts", hospital.name, stop)
publisher.start()
publisher.offer(forecast)       # returns at once; only the newest waits
publisher.counts                # published, failed, overtaken; the page of the feeds shows them
"""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import replace

from kafka.errors import KafkaError

from forecast.issue import as_json
from forecast.pages import Published
from forecast.values import Forecast
from ingest.clock import Clock
from ingest.errors import LinkError
from ingest.sources.kafka_link import Link, told
from ingest.sources.kafka_topics import MissingTopicError, topic_facts

logger = logging.getLogger(__name__)

LONGEST_S = 30.0
"""How long one forecast is tried."""
LARGEST_BYTES = 32 * 1024 * 1024
"""Before compression, which takes nine tenths; a broker bounds what is left."""


class Publisher:
    """Publishes in a thread of its own, each forecast once and keyed by the hospital's name."""

    def __init__(self, link: Link, topic: str, hospital: str, stop: threading.Event, clock: Clock) -> None:
        self._link, self._topic, self._hospital, self._stop = link, topic, hospital, stop
        self._clock = clock
        self._changed = threading.Condition()
        self._waiting: Forecast | None = None
        self._thread = threading.Thread(target=self._run, name=f"publish on {topic}", daemon=True)
        self.counts = Published(topic)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for its end, once `stop` is set."""
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout_s)

    def offer(self, forecast: Forecast) -> None:
        """To be published next; one that still waits is overtaken. Never raises and never waits for Kafka."""
        with self._changed:
            if self._waiting is not None:
                self.counts = replace(self.counts, overtaken=self.counts.overtaken + 1)
            self._waiting = forecast
            self._changed.notify_all()

    def _run(self) -> None:
        while (forecast := self._next()) is not None:
            try:
                self._publish(json.dumps(as_json(forecast), ensure_ascii=False, allow_nan=False).encode())
                self._count_taken()
            except Exception as error:  # whatever it is, the next one is tried
                self._tell(error)

    def _next(self) -> Forecast | None:
        """The newest that was offered; None at the end."""
        with self._changed:
            while self._waiting is None and not self._stop.is_set():
                self._changed.wait(0.5)
            forecast, self._waiting = self._waiting, None
            return None if self._stop.is_set() else forecast

    def _publish(self, content: bytes) -> None:
        """Connected anew each time: ten minutes lie between two forecasts."""
        with self._link.admin() as admin:
            topic_facts(admin, self._topic)
        longest_ms = int(LONGEST_S * 1000)
        with self._link.producer(
            compression_type="gzip", max_request_size=LARGEST_BYTES, delivery_timeout_ms=longest_ms, max_block_ms=5_000
        ) as producer:
            producer.send(self._topic, content, key=self._hospital.encode()).get(LONGEST_S)

    def _count_taken(self) -> None:
        counts, now = self.counts, self._clock.now()
        self.counts = replace(counts, published=counts.published + 1, last_at=now, last_error=None)

    def _tell(self, error: Exception) -> None:
        why = str(error) if isinstance(error, LinkError | MissingTopicError) else told(error)
        known = isinstance(error, KafkaError | LinkError | MissingTopicError | OSError)
        counts = self.counts = replace(self.counts, failed=self.counts.failed + 1, last_error=why)
        logger.warning(
            "a forecast was not published on %s: %s (%d published, %d not)", self._topic, why, counts.published,
            counts.failed, exc_info=None if known else error,
        )  # fmt: skip
