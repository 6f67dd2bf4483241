"""What brings messages in from outside while the house runs: the journal's writer, the sources, the follower."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dashboard.errors import CommandError
from dashboard.fhir_endpoint import read_token
from dashboard.formats import hl7_format
from dashboard.house import House
from dashboard.settings import Settings
from ingest.fhir import FhirFormat
from ingest.fhir_json import LARGEST_BYTES
from ingest.fhir_mapping import load_fhir_mapping
from ingest.links import LinkNow
from ingest.pipeline import Bounds, Message, Pipeline, Receipt
from ingest.pseudonyms import Pseudonyms
from ingest.seal import Seal
from ingest.sources.mllp import Link, MllpServer
from ingest.sources.mllp_senders import Senders

if TYPE_CHECKING:
    from ingest.sources.kafka import KafkaSource


@dataclass(frozen=True)
class FhirDoor:
    """What `/fhir` needs: the format as the site has it, the token that senders show, and where messages go."""

    told: FhirFormat
    token: bytes
    pipeline: Pipeline

    def receive(self, messages: Sequence[bytes]) -> Sequence[Receipt]:
        """All of them on the disk, or none."""
        return self.pipeline.receive_many([Message(message) for message in messages], self.told, self.told.source)


class Intake:
    """Started and ended with the house.

    1. The follower indexes what is journalled.
    2. The journal's writer takes what sources bring.
    3. The sources listen.

    They end the other way round, so that nothing is acknowledged that is not written.
    """

    def __init__(self, house: House, accept_gap: Sequence[str] = ()) -> None:
        """`accept_gap`: topics of Kafka that go on although records are missing. Raises CommandError, or what is wrong
        with a mapping, a certificate, a sender or a link."""
        self._indexer = house.indexer
        self._pipeline: Pipeline | None = None
        self._mllp: MllpServer | None = None
        self.kafka: Sequence[KafkaSource] = ()
        """The topics that are read; each has its `status`."""
        self._stop = threading.Event()
        settings = house.settings
        self.fhir: FhirDoor | None = None
        if settings.mllp_port or settings.kafka_topics or settings.fhir_mapping is not None:
            pseudonyms = house.pseudonyms()
            bounds = Bounds(message_bytes=LARGEST_BYTES) if settings.fhir_mapping is not None else Bounds()
            self._pipeline = Pipeline(house.journal, bounds=bounds, seal=seal_of(settings, pseudonyms))
            self.fhir = _fhir(settings, self._pipeline, pseudonyms)
            if settings.mllp_port:
                self._mllp = _mllp(house, self._pipeline, pseudonyms)
            if settings.kafka_topics:
                from dashboard.kafka_wiring import sources_of

                self.kafka = sources_of(house, self._pipeline, pseudonyms, accept_gap, self._stop)

    def start(self) -> None:
        """Begin; raises LinkError where a port cannot be had."""
        self._indexer.start()
        if self._pipeline is not None:
            self._pipeline.start()
        if self._mllp is not None:
            self._mllp.start()
            print(f"HL7 messages are taken by MLLP at port {self._mllp.port}", file=sys.stderr, flush=True)
        for source in self.kafka:
            source.start()

    def fault(self) -> str | None:
        """Which topic of Kafka is stopped, and why; None while none is."""
        stopped = (s for s in self.kafka if s.status.state.value == "stopped")
        return next((f"{source.name} is stopped: {source.status.sentence}" for source in stopped), None)

    def links(self) -> Sequence[LinkNow]:
        """How each source stands; what waits for the disk or for the log waits of all of them."""
        if self._pipeline is None:
            return []
        waits = self._indexer.lag + self._pipeline.waiting[0]
        found = [_kafka_now(source, waits) for source in self.kafka]
        if self._mllp is not None:
            found.append(LinkNow(name="mllp", kind="mllp", backlog=waits, connections=self._mllp.connections))
        if self.fhir is not None:
            found.append(LinkNow(name=self.fhir.told.source, kind="fhir", backlog=waits))
        return [replace(link, fault=self._indexer.fault) if self._indexer.fault else link for link in found]

    def join(self, timeout_s: float | None = None) -> None:
        """End."""
        wait_s = 10.0 if timeout_s is None else timeout_s
        self._stop.set()
        for source in self.kafka:
            source.join(wait_s)
        if self._mllp is not None:
            self._mllp.stop(wait_s)
        if self._pipeline is not None:
            self._pipeline.stop(wait_s)
        self._indexer.stop(wait_s)


def _kafka_now(source: KafkaSource, waits: int) -> LinkNow:
    status = source.status
    return LinkNow(
        name=source.name,
        kind="kafka",
        heartbeat_at=status.heard_at,
        down_since=None if status.state.value == "live" else status.since,
        backlog=waits + (status.lag or 0),
        fault=status.sentence if status.state.value == "stopped" else None,
    )


def seal_of(settings: Settings, pseudonyms: Pseudonyms) -> Seal:
    """How what cannot be split is kept."""
    return Seal.of(settings.quarantine_key, pseudonyms.one("record", "seal").encode())


def _fhir(settings: Settings, pipeline: Pipeline, pseudonyms: Pseudonyms) -> FhirDoor | None:
    if settings.fhir_mapping is None or settings.fhir_token is None:
        return None
    told = FhirFormat(load_fhir_mapping(settings.fhir_mapping), pseudonyms)
    return FhirDoor(told, read_token(settings.fhir_token), pipeline)


def _mllp(house: House, pipeline: Pipeline, pseudonyms: Pseudonyms) -> MllpServer:
    settings = house.settings
    _check_open_link(settings)
    assert settings.mllp_mapping is not None
    form = hl7_format(settings.mllp_mapping, pseudonyms)
    return MllpServer(pipeline, form, house.clock, link_of(settings), Senders(settings.mllp_senders))


def link_of(settings: Settings) -> Link:
    """Where MLLP listens."""
    return Link(
        host=settings.mllp_host,
        port=settings.mllp_port,
        certificate=settings.mllp_tls_cert,
        key=settings.mllp_tls_key,
        client_ca=settings.mllp_tls_client_ca,
    )


def _check_open_link(settings: Settings) -> None:
    """Beyond this machine, somebody must be named, or have to show a certificate."""
    if ip_address(settings.mllp_host).is_loopback or settings.mllp_senders:
        return
    raise CommandError(f"mllp_senders must name who may send, because mllp_host {settings.mllp_host} is open to others")
