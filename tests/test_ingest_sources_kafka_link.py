"""How Kafka is reached: nothing in the clear beyond this machine, and TLS with a password against a real broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaError

from ingest.errors import LinkError
from ingest.sources import kafka_link
from ingest.sources.kafka_link import Link, host_of
from ingest.sources.kafka_topics import topic_facts
from tests.kafka_broker import LEAKY, PASSWORD, USER, Broker

pytestmark = LEAKY

SASL: dict[str, Any] = {"security": "SASL_SSL", "mechanism": "PLAIN", "user": USER}


@pytest.mark.parametrize("security", ["PLAINTEXT", "SASL_PLAINTEXT"])
@pytest.mark.parametrize("broker", ["kafka:9092", "10.0.0.7:9092", "[2001:db8::1]:9092"])
def test_nothing_is_said_in_the_clear_beyond_this_machine(broker: str, security: Any) -> None:
    more: dict[str, Any] = {"mechanism": "PLAIN", "user": "u", "password_file": Path("p")} if "SASL" in security else {}
    with pytest.raises(LinkError, match=f"but is by {security} to "):
        Link(brokers=("127.0.0.1:9092", broker), security=security, **more)
    Link(brokers=(broker,), security=security, allow_insecure=True, **more)
    Link(brokers=(broker,), security="SSL")


def test_a_broker_that_sends_us_on_into_the_clear_is_refused() -> None:
    """What is checked of the settings is checked again of what the cluster names."""
    with pytest.raises(LinkError, match="beyond this machine"):
        Link(brokers=("localhost:9092",)).check_safe("10.0.0.7")


def test_a_broker_is_a_host_and_a_port() -> None:
    assert [host_of(text) for text in ("kafka:9092", "[::1]:9092")] == ["kafka", "::1"]
    for wrong in ("kafka", "kafka:", ":9092", "kafka:x"):
        with pytest.raises(LinkError, match="must be host:port"):
            host_of(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"security": "TLS"},
        {"security": "SSL", "mechanism": "PLAIN"},
        {"security": "SASL_SSL"},
        {"security": "SASL_SSL", "mechanism": "PLAIN", "user": "u"},
        {"security": "SASL_SSL", "mechanism": "PLAIN", "password_file": Path("p")},
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(LinkError):
        Link(brokers=("127.0.0.1:9092",), **wrong)


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    gone, empty = tmp_path / "gone", tmp_path / "empty"
    empty.touch()
    for password in (gone, empty):
        with pytest.raises(LinkError, match="the password of Kafka cannot be read"):
            Link(brokers=("k:1",), **SASL, password_file=password).settings()
    files: list[dict[str, Any]] = [{"ca_file": gone}, {"cert_file": gone}, {"ca_file": empty}]
    for wrong in files:
        with pytest.raises(LinkError, match="the certificates of Kafka cannot be read"):
            Link(brokers=("k:1",), security="SSL", **wrong).settings()


def test_a_password_is_never_told(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("hunter2\n")
    assert "hunter2" not in repr(Link(brokers=("k:1",), **SASL, password_file=tmp_path / "p"))


def test_tls_and_a_password_reach_a_broker_that_asks_for_them(
    broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And with another authority, name or password they do not."""
    monkeypatch.setattr(kafka_link, "BOOTSTRAP_MS", 1000)
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(f"{PASSWORD}\n")
    wrong.write_text("guessed\n")
    topic = broker.topic()
    safe: dict[str, Any] = {"brokers": (broker.safe_address,), **SASL}
    with Link(**safe, ca_file=broker.authority, password_file=right).admin() as admin:
        assert topic_facts(admin, topic).partitions == 1
    by_address = {**safe, "brokers": (broker.safe_address.replace("localhost", "127.0.0.1"),)}
    for link in (
        Link(**safe, password_file=right),
        Link(**safe, ca_file=broker.authority, password_file=wrong),
        Link(**by_address, ca_file=broker.authority, password_file=right),
    ):
        with pytest.raises(KafkaError), link.admin():
            pass
