"""A real Apache Kafka broker for the tests: one node, on free loopback ports, that can be killed and started again.

`make test` resolves its jars once into `build/kafka` by Maven (`python -m tests.kafka_broker` does it by hand). Where
there is no Java, no Maven or no artifact, the tests that need a broker skip and say which of them is missing.
"""

from __future__ import annotations

import base64
import gc
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from ingest.clock import stopwatch

VERSION = "4.1.0"
USER, PASSWORD = "edtwin", "only-in-tests"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>tests</groupId><artifactId>broker</artifactId><version>1</version>
<dependencies><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version>
</dependency><dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{VERSION}</version>
</dependency></dependencies></project>
"""
JARS = Path(__file__).parents[1] / "build" / "kafka" / f"{VERSION}-{sha256(_POM.encode()).hexdigest()[:8]}"
_JAVA = ("java", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{JARS}/*")
_START_S = 300.0
"""It starts in 3 s; where others take the processors, in minutes. One that dies is noticed at once."""
_RESOLVE_S = 300.0


def missing() -> str | None:
    """What a broker lacks on this machine, in words; None where there is all it needs."""
    if shutil.which("java") is None:
        return "there is no Java to run a Kafka broker"
    if not JARS.exists():
        return f"Kafka's jars are not in build/kafka/{JARS.name}: 'make test' resolves them where there is Maven"
    return None


def resolve() -> str | None:
    """Resolve the jars by Maven, once; what hinders it, in words. They appear whole or not at all."""
    if JARS.exists():
        return None
    if shutil.which("java") is None or shutil.which("mvn") is None:
        return "there is no Java or no Maven"
    JARS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=JARS.parent) as folder:
        draft = Path(folder)
        (draft / "pom.xml").write_text(_POM)
        goal = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={draft / 'jars'}")
        try:
            run = subprocess.run(["mvn", "-q", "-B", *goal], cwd=draft, capture_output=True, timeout=_RESOLVE_S)
        except subprocess.TimeoutExpired:
            return "Maven did not answer in time"
        if run.returncode or not any((draft / "jars").glob("kafka_2.13-*.jar")):
            return "Maven could not resolve Kafka's jars"
        with suppress(OSError):  # another process was first
            (draft / "jars").rename(JARS)
    return None


@dataclass
class Broker:
    """One broker with its folder. `address` speaks plainly, `safe_address` TLS and a password (SASL PLAIN)."""

    folder: Path
    ports: tuple[int, int, int]
    cluster_id: str
    properties: str | None = None
    """Its settings, if not those of `_properties`."""
    process: subprocess.Popen[bytes] | None = None
    topics: Iterator[int] = field(default_factory=count)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.ports[0]}"

    @property
    def safe_address(self) -> str:
        return f"localhost:{self.ports[1]}"

    @property
    def authority(self) -> Path:
        """The certificate that signs the broker's."""
        return self.folder / "broker.pem"

    def format(self) -> None:
        """Make its key, its settings and its storage."""
        self.folder.mkdir(parents=True)
        _make_key(self.folder)
        (self.folder / "server.properties").write_text(self.properties or _properties(self))
        alone = [] if self.properties else ["--standalone"]
        run_java(self.folder, "kafka.tools.StorageTool", "format", *alone, "-t", self.cluster_id,
                 "-c", "server.properties")  # fmt: skip

    def start(self) -> None:
        """Start it and wait until it answers, and until it is surely this one that answers."""
        with (self.folder / "said").open("ab") as said:
            command = [*_JAVA, "kafka.Kafka", "server.properties"]
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=said, stderr=said)
        deadline = stopwatch() + _START_S
        while not self._answers():
            if self.process.poll() is not None or stopwatch() > deadline:
                raise RuntimeError(f"the broker did not start: {(self.folder / 'said').read_text()[-2000:]}")
            threading.Event().wait(0.1)

    def _answers(self) -> bool:
        """The port's owner says the cluster id that was made for it."""
        from kafka.errors import KafkaError

        try:
            with self.admin() as admin:
                return bool(admin.describe_cluster()["cluster_id"] == self.cluster_id)
        except (KafkaError, OSError):
            return False

    def kill(self) -> None:
        """As a power cut would: without a word."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    @contextmanager
    def admin(self) -> Iterator[Any]:
        """A client that makes and removes topics; imported only here, since the import takes half a second."""
        from ingest.sources.kafka_link import Link

        with Link(brokers=(self.address,)).admin() as admin:
            yield admin

    def topic(self, partitions: int = 1, *, name: str | None = None, configs: dict[str, str] | None = None) -> str:
        """A new topic; its name."""
        name = name or f"t{os.getpid()}-{next(self.topics)}"
        topic = {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}
        with self.admin() as admin:
            admin.create_topics({name: topic}, wait_for_metadata=True)
        return name


def _properties(broker: Broker) -> str:
    plain, safe, controller = broker.ports
    jaas = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    return "\n".join(
        f"{name}={value}"
        for name, value in {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAIN",
            "listeners": f"PLAIN://127.0.0.1:{plain},SAFE://localhost:{safe},CONTROLLER://127.0.0.1:{controller}",
            "listener.security.protocol.map": "PLAIN:PLAINTEXT,SAFE:SASL_SSL,CONTROLLER:PLAINTEXT",
            "listener.name.safe.ssl.keystore.location": "broker.p12",
            "listener.name.safe.ssl.keystore.type": "PKCS12",
            "listener.name.safe.ssl.keystore.password": PASSWORD,
            "listener.name.safe.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.safe.plain.sasl.jaas.config": f'{jaas} user_{USER}="{PASSWORD}";',
            "broker.session.timeout.ms": 1500,  # how soon after a kill it may come back
            "broker.heartbeat.interval.ms": 300,
            "log.dirs": "logs",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 1,
            "log.retention.check.interval.ms": 500,
            "log.initial.task.delay.ms": 500,
            "file.delete.delay.ms": 100,
        }.items()
    )


def _make_key(folder: Path) -> None:
    """A key that lasts two days, for localhost alone, and its certificate for those who are to trust it."""
    store = ("-keystore", "broker.p12", "-storetype", "PKCS12", "-storepass", PASSWORD, "-alias", "broker")
    made = ("-genkeypair", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=localhost", "-validity", "2",
            "-ext", "san=dns:localhost")  # fmt: skip
    for command in (made, ("-exportcert", "-rfc", "-file", "broker.pem")):
        subprocess.run(["keytool", *command, *store], cwd=folder, check=True, capture_output=True, timeout=_START_S)


def run_java(folder: Path, *command: str) -> str:
    """One of Kafka's tools, run to its end; what it says."""
    run = subprocess.run([*_JAVA, *command], cwd=folder, check=True, capture_output=True, timeout=_START_S, text=True)
    return run.stdout


def free_ports() -> tuple[int, int, int]:
    with ExitStack() as taken:
        ears = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3)]
        first, second, third = (ear.getsockname()[1] for ear in ears)
    return first, second, third


def new_broker(folder: Path) -> Broker:
    """A broker formatted and started, with a cluster id of its own."""
    cluster_id = base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=").replace("-", "A")
    broker = Broker(folder, free_ports(), cluster_id)
    broker.format()
    broker.start()
    return broker


@pytest.fixture(scope="session")
def one_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The broker of this test process, started when first asked for."""
    if why_not := missing():
        pytest.skip(why_not)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # a kept record keeps its traceback, and that a socket
    broker = new_broker(tmp_path_factory.mktemp("kafka") / "broker")
    try:
        yield broker
    finally:
        broker.kill()


@pytest.fixture
def broker(one_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker that runs, even where the test before has killed it; sources end soon after they are told to."""
    from ingest.sources import kafka

    monkeypatch.setattr(kafka, "POLL_MS", 50)
    if one_broker.process is None:
        one_broker.start()
    gc.freeze()  # to look through all that was there before takes two seconds
    yield one_broker
    gc.collect()  # here, under LEAKY, and not in a test of something else
    gc.unfreeze()


LEAKY = pytest.mark.filterwarnings("ignore:unclosed <(socket|ssl):ResourceWarning")
"""For tests that use a broker: kafka-python leaves the sockets of its attempts in vain to the garbage collector."""


if __name__ == "__main__":
    if (hindered := resolve()) is not None:
        print(f"set-up: {hindered}: the tests against a Kafka broker will skip", file=sys.stderr)
