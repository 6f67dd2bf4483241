"""Kafka as people use it: settings, a period replayed on a topic, a hospital streamed, a gap accepted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from dashboard import formats
from dashboard.__main__ import main
from dashboard.commands import feed
from dashboard.commands.feed import SENT, _stream
from dashboard.commands.up import Fabricated
from dashboard.house import DATABASE, House, open_house
from dashboard.intake import Intake
from dashboard.kafka_wiring import link_of
from dashboard.settings import Settings, load_settings
from ingest.clock import SimulatedClock
from ingest.database import Database
from ingest.errors import ConfigurationError, LinkError
from ingest.event_json import EventJson
from ingest.events import Event
from ingest.formats import Place
from ingest.log import EventLog
from tests.fake_format import hl7
from tests.kafka_broker import LEAKY, Broker
from tests.kafka_journals import sent_messages
from tests.test_dashboard_intake import Fake
from tests.test_ingest_sources_kafka import made_anew, send, until
from tests.test_ingest_sources_kafka_out import LATE, records_of
from twin.fabricate import World

pytestmark = LEAKY


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days of a small hospital. To be read only."""
    folder = tmp_path_factory.mktemp("kafka-command")
    made = ["--days", "2", "--size", "small", "--start", "2026-03-02", "--as", "events", "--out", f"{folder}/e.parquet"]
    assert main(["fabricate", *made]) == 0
    assert main(["ingest", f"{folder}/e.parquet", "--format", "events", "--data", f"{folder}/d"]) == 0
    return folder / "d"


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The exit status of a command and what it says last, on whichever stream."""

    def run(*arguments: object) -> tuple[int, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return status, (out or err).strip()

    return run


def test_a_period_is_replayed_on_a_topic_event_by_event(
    broker: Broker, data: Path, told: Callable[..., tuple[int, str]]
) -> None:
    topic = broker.topic(partitions=3)
    to = f"{broker.address}/{topic}"
    status, said = told("replay", "--speed", "max", "--to-kafka", to, "--data", data, "--json")
    with Database.open(data / DATABASE) as database:
        log = EventLog(database, SimulatedClock(LATE.now()))
        events = {event.event_id for event in log.read_versions(None, LATE.now())}
    assert (status, json.loads(said)) == (0, {"sent": len(events), "without_message": 0})
    form, place = EventJson(None), Place(source="k", position=0, stored_at=LATE.now())
    assert {e.event_id for r in records_of(broker, topic) for e in form.read(r.value, place).events} == events


def test_a_replay_that_cannot_be_sent_says_why_in_one_sentence(
    data: Path, told: Callable[..., tuple[int, str]]
) -> None:
    replay = ("replay", "--speed", "max", "--data", data, "--to-kafka")
    assert told(*replay, "127.0.0.1:1/t") == (
        2,
        "edtwin replay: Kafka is not reached at 127.0.0.1:1: ConnectionRefused",
    )
    assert told(*replay, "127.0.0.1:9092")[1].endswith(
        "must be named like 127.0.0.1:9092/ed.events, but is 127.0.0.1:9092"
    )
    status, said = told(*replay, "kafka.example:9092/t")
    assert status == 2
    assert "must be spoken to by SSL or SASL_SSL beyond this machine" in said


def test_a_gap_is_accepted_only_of_a_topic_that_is_read(tmp_path: Path, told: Callable[..., tuple[int, str]]) -> None:
    status, said = told("up", "--port", "0", "--data", tmp_path / "d", "--accept-gap", "ed.events")
    assert (status, said.splitlines()[-1]) == (
        2, "edtwin up: --accept-gap must name a topic of kafka_topics, but is ed.events",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('kafka_topics = ["a=event_json"]', "kafka_brokers must be given where a topic of Kafka is"),
        ('kafka_forecasts_topic = "f"', "kafka_brokers must be given where a topic of Kafka is"),
        ('kafka_brokers = ["k:1"]\nkafka_topics = ["a"]', "kafka_topics must be like ed.events=event_json"),
        ('kafka_brokers = ["k:1"]\nkafka_topics = ["a=xml"]', "kafka_topics must be like ed.events=event_json"),
        ('kafka_brokers = ["k:1"]\nkafka_topics = ["a=hl7"]', "mllp_mapping must be given where a topic of Kafka"),
        ('kafka_security = "TLS"', "kafka_security: must be 'PLAINTEXT', 'SSL'"),
    ],
)
def test_settings_that_do_not_go_together_are_told(tmp_path: Path, text: str, rule: str) -> None:
    (tmp_path / "c.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=rule):
        load_settings(tmp_path / "c.toml")


def test_the_settings_say_how_kafka_is_reached(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text(
        'kafka_brokers = ["kafka.hospital:9093"]\nkafka_topics = ["ed.events=event_json"]\n'
        'kafka_security = "SASL_SSL"\n'
        'kafka_mechanism = "SCRAM-SHA-512"\nkafka_user = "edtwin"\nkafka_password_file = "p"\nkafka_ca = "ca.pem"\n'
    )
    settings = load_settings(tmp_path / "c.toml")
    link = link_of(settings)
    assert (link.security, link.mechanism, link.user) == ("SASL_SSL", "SCRAM-SHA-512", "edtwin")
    assert (link.ca_file, link.password_file) == (tmp_path / "ca.pem", tmp_path / "p"), "relative to the file"
    assert settings.topic_formats == {"ed.events": "event_json"}


@contextmanager
def taking(config: Path, *accept_gap: str) -> Iterator[tuple[House, Intake]]:
    """A house that takes in what comes while the block runs."""
    with open_house(load_settings(config)) as house:
        intake = Intake(house, accept_gap)
        intake.start()
        try:
            yield house, intake
        finally:
            intake.join(10)


def test_a_topic_made_anew_makes_the_house_unready_and_the_doctor_looks_at_it(
    broker: Broker, tmp_path: Path, told: Callable[..., tuple[int, str]]
) -> None:
    topic = broker.topic()
    config = tmp_path / "c.toml"
    config.write_text(f'data = "d"\nkafka_brokers = ["{broker.address}"]\nkafka_topics = ["{topic}=event_json"]\n')
    assert (
        f"ok    kafka: {broker.address} by PLAINTEXT; {topic} (1 partitions)" in told("doctor", "--config", config)[1]
    )
    messages = sent_messages(5)
    for again in range(2):
        send(broker, topic, messages)
        with taking(config) as (house, intake):
            until(lambda: house.log.length() == 5 if not again else intake.fault() is not None)  # noqa: B023
            fault = intake.fault()
            assert house.log.length() == 5
        if not again:
            assert fault is None
            made_anew(broker, topic)
    assert fault is not None
    assert fault.startswith(f"kafka:{topic} is stopped: kafka:{topic}[0] was removed and made anew")
    with taking(config, topic) as (house, _):
        until(lambda: _duplicates(house, topic) == 5)
    config.write_text(config.read_text().replace(topic, f"{topic}-gone"))
    assert f"FAULT kafka: the topic {topic}-gone does not exist" in told("doctor", "--config", config)[1]


def _duplicates(house: House, topic: str) -> int:
    return sum(a.duplicate for source, a in house.log.accounts().items() if source.startswith(f"kafka:{topic}[0]@"))


def test_hl7_comes_by_a_topic_as_by_a_port(broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The format goes by the topic; what HL7 is, is the format's own matter."""
    monkeypatch.setattr(formats, "hl7_format", lambda mapping, pseudonyms: Fake(*mapping.read_text().split()))
    topic, config = broker.topic(), tmp_path / "c.toml"
    (tmp_path / "hl7.toml").write_text("er medicine")
    config.write_text(
        f'data = "d"\nmllp_mapping = "hl7.toml"\nkafka_brokers = ["{broker.address}"]\nkafka_topics = ["{topic}=hl7"]\n'
    )
    send(broker, topic, [hl7(1), hl7(2), b"no line of five words"])
    with taking(config) as (house, _):
        until(lambda: house.log.length() == 2 and house.log.rejected_counts() == {"malformed": 1})


# ------------------------------------------------------------------------------------------------------ the feeder


class Flaky:
    """Takes some batches and then is away."""

    def __init__(self, batches: int) -> None:
        self.batches, self.taken = batches, list[Event]()

    def send(self, events: Sequence[Event]) -> None:
        if not self.batches:
            raise LinkError("Kafka is away")
        self.batches -= 1
        self.taken += events


HOSPITAL = Fabricated("roomy", "small", "2026-03-02T00:00:00+00:00", 1)


def streamed(folder: Path) -> list[Event]:
    """What Kafka took of two days of a hospital, the feeder being started again after it was away."""
    settings, outs = Settings(data=folder), (Flaky(2), Flaky(1000))
    with pytest.raises(LinkError):
        _stream(settings, HOSPITAL, outs[0])  # type: ignore[arg-type]
    _stream(settings, HOSPITAL, outs[1])  # type: ignore[arg-type]
    return [event for out in outs for event in out.taken]


def test_a_feeder_goes_on_where_kafkas_last_answer_left_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the mutant that notes what is sent before it is."""
    clock = SimulatedClock(LATE.now().replace(year=2026, month=3, day=4))
    monkeypatch.setattr(feed, "WallClock", lambda: clock)
    monkeypatch.setattr(feed, "AT_ONCE", 100)
    monkeypatch.setattr(World, "live", lambda *_: iter(()))
    history = HOSPITAL.world().run_until(clock.now())
    (tmp_path / "right").mkdir()
    assert streamed(tmp_path / "right") == history
    assert json.loads((tmp_path / "right" / SENT).read_text()) == {"sent": len(history)}

    def hasty(out: Flaky, events: Sequence[Event], before: int, noted: Path) -> int:
        feed._write(noted, json.dumps({"sent": before + len(events)}))
        out.send(events)
        return before + len(events)

    monkeypatch.setattr(feed, "_sent", hasty)
    (tmp_path / "hasty").mkdir()
    assert len(streamed(tmp_path / "hasty")) == len(history) - 100
