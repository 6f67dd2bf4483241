"""How a Kafka cluster is reached: brokers, TLS, passwords; what is not safe is refused before a byte is sent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from ingest.errors import LinkError
from ingest.hosts import is_this_machine

Security = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
CLIENT = "edtwin"
BOOTSTRAP_MS = 3_000
KNOCK_S = 2.0
REQUEST_MS = 5_000


@dataclass(frozen=True, kw_only=True)
class Link:
    """A cluster and how to speak to it.

    | field | what it is |
    |---|---|
    | `brokers` | `host:port`, one or more |
    | `security` | without TLS (`PLAINTEXT`, `SASL_PLAINTEXT`) only to this machine, unless `allow_insecure` |
    | `ca_file` | certificates that sign the brokers'; None: those the system trusts |
    | `cert_file`, `key_file` | our own certificate and its key, where the brokers ask for one |
    | `mechanism`, `user`, `password_file` | for SASL; the password is the file's first line |
    """

    brokers: tuple[str, ...]
    security: Security = "PLAINTEXT"
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    mechanism: Mechanism | None = None
    user: str = ""
    password_file: Path | None = None
    allow_insecure: bool = False

    def __post_init__(self) -> None:
        if self.security not in get_args(Security):
            raise LinkError(f"the security of Kafka must be one of {', '.join(get_args(Security))}")
        for broker in self.brokers:
            self.check_safe(host_of(broker))
        if self.is_sasl != (self.mechanism is not None):
            raise LinkError(f"a SASL mechanism of Kafka goes with SASL_SSL or SASL_PLAINTEXT, not with {self.security}")
        if self.is_sasl and not (self.user and self.password_file):
            raise LinkError("SASL of Kafka needs a user and a file with the password")

    @property
    def is_sasl(self) -> bool:
        """True where a user and a password are asked for."""
        return self.security.startswith("SASL")

    @property
    def is_encrypted(self) -> bool:
        """True where nobody on the way can read."""
        return self.security.endswith("SSL")

    def check_safe(self, host: str) -> None:
        """Raises LinkError for a host that would be spoken to in the clear beyond this machine."""
        if not (self.is_encrypted or self.allow_insecure or is_this_machine(host)):
            raise LinkError(
                f"Kafka must be spoken to by SSL or SASL_SSL beyond this machine (or with kafka_allow_insecure), "
                f"but is by {self.security} to {host}"
            )

    def settings(self) -> dict[str, Any]:
        """What all clients have in common. Raises LinkError where a file cannot be read."""
        common: dict[str, Any] = {
            "bootstrap_servers": list(self.brokers), "client_id": CLIENT, "security_protocol": self.security,
            "bootstrap_timeout_ms": BOOTSTRAP_MS, "request_timeout_ms": REQUEST_MS,
        }  # fmt: skip
        if self.is_encrypted:
            common["ssl_context"] = self._context()
        if self.is_sasl:
            common |= {"sasl_mechanism": self.mechanism, "sasl_plain_username": self.user,
                       "sasl_plain_password": self._password()}  # fmt: skip
        return common

    def _context(self) -> ssl.SSLContext:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert_file:
                context.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            raise LinkError(f"the certificates of Kafka cannot be read: {error.strerror or error}") from error
        return context

    def _password(self) -> str:
        assert self.password_file is not None
        try:
            return self.password_file.read_text(encoding="utf-8").splitlines()[0]
        except (OSError, UnicodeDecodeError, IndexError) as error:
            raise LinkError(f"the password of Kafka cannot be read from {self.password_file}") from error

    def knock(self) -> None:
        """Raises OSError where none of the brokers takes a connection: soon, where a client would try for seconds."""
        for broker in self.brokers[:-1]:
            with suppress(OSError):
                _knock(broker)
                return
        _knock(self.brokers[-1])

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """A client that asks the cluster about itself; raises KafkaError or OSError where it is not reached."""
        self.knock()
        with _made(KafkaAdminClient, self.settings()) as admin:
            for broker in admin.describe_cluster()["brokers"]:  # where we shall be sent on to
                self.check_safe(broker["host"])
            yield admin

    @contextmanager
    def consumer(self, **settings: Any) -> Iterator[KafkaConsumer]:
        """A client that reads; raises KafkaError where the cluster is not reached."""
        consumer = _made(KafkaConsumer, self.settings() | settings)
        try:
            yield consumer
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)

    @contextmanager
    def producer(self, **settings: Any) -> Iterator[KafkaProducer]:
        """A client that writes each record once, on all replicas; raises KafkaError or OSError where there is none."""
        self.knock()
        safe = {"acks": "all", "enable_idempotence": True, "allow_auto_create_topics": False}
        producer = _made(KafkaProducer, self.settings() | safe | settings)
        try:
            yield producer
        finally:
            producer.close(timeout=2)


def _made(client: Any, settings: Mapping[str, Any]) -> Any:
    """A client. One that does not reach its cluster raises and leaves its thread behind: it is ended here."""
    made = client.__new__(client)
    try:
        made.__init__(**settings)
    except BaseException:
        if (inner := getattr(made, "_client", None)) is not None:
            inner.close()
        raise
    return made


def _knock(broker: str) -> None:
    host, port = host_of(broker), int(broker.rpartition(":")[2])
    socket.create_connection((host, port), timeout=KNOCK_S).close()


def host_of(broker: str) -> str:
    """The host of `host:port`; an IPv6 address stands in brackets. Raises LinkError for anything else."""
    host, _, port = broker.rpartition(":")
    if not host or not port.isdigit():
        raise LinkError(f"a Kafka broker must be host:port, but is {broker}")
    return host.removeprefix("[").removesuffix("]")


def told(error: Exception) -> str:
    """An error of Kafka by its kind: its text may hold what a record says."""
    return type(error).__name__.removesuffix("Error")
