"""The whole house on Kafka for minutes: a period replayed while the broker is killed twice; a broker that freezes."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.__main__ import main
from ingest.clock import stopwatch
from ingest.events import Event
from ingest.sources.kafka import State
from tests.kafka_broker import LEAKY, Broker
from tests.kafka_journals import keeping, sent_messages
from tests.test_dashboard_serve import ends, get, kept, running, wait_for
from tests.test_ingest_sources_kafka import offsets, reading, send, until

pytestmark = [LEAKY, pytest.mark.soak]
ROOT = Path(__file__).parents[1]
START = "2026-03-02"


def told(events: list[Event]) -> set[Event]:
    """What the events say, without what a house gives them."""
    return {replace(e, known_at=None, stored_at=None, source="", position=0) for e in events}


def test_a_replay_over_a_broker_that_is_killed_twice_leaves_the_wall_true(broker: Broker, tmp_path: Path) -> None:
    """Three days at 3,600 times their speed, in little more than a minute; the wall's log ends as what was replayed."""
    source, wall_data, topic = tmp_path / "source", tmp_path / "wall", broker.topic(partitions=3)
    made = ["--days", "3", "--size", "small", "--start", START, "--as", "events", "--out", str(tmp_path / "e.parquet")]
    assert main(["fabricate", *made]) == 0
    assert main(["ingest", str(tmp_path / "e.parquet"), "--format", "events", "--data", str(source)]) == 0
    config = tmp_path / "c.toml"
    config.write_text(
        f"members = 4\nworkers = 1\nmeasure_days = 0\nalert_days = 0\nhorizon_h = 6\nevery_min = 0.5\n"
        "fabricated = true\n"
        f'kafka_brokers = ["{broker.address}"]\nkafka_topics = ["{topic}=event_json"]\n'
    )
    replay = ["replay", "--data", str(source), "--from", START, "--speed", "3600"]
    command = [sys.executable, "-m", "dashboard", *replay, "--to-kafka", f"{broker.address}/{topic}", "--json"]
    with running(tmp_path, "--config", config, "--data", wall_data) as (house, place):
        wait_for(lambda: get(f"{place}/healthz")[0] == 200, house, 60)
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as sender:
            for _ in range(2):
                threading.Event().wait(20)
                assert sender.poll() is None, "the broker is killed while the replay goes on"
                broker.kill()
                threading.Event().wait(5)
                broker.start()
            said, _ = sender.communicate(timeout=300)
            assert sender.returncode == 0
        threading.Event().wait(10)
        ends(house, signal.SIGTERM)
    wanted, found = told(kept(source)), told(kept(wall_data))
    assert len(found) == len(kept(wall_data)), "nothing is there twice"
    assert found <= wanted
    assert f'"sent": {len(found)},' in said, "all that was sent is there"


def test_a_broker_that_freezes_is_noticed_within_a_minute_and_gone_on_with(broker: Broker, tmp_path: Path) -> None:
    """It holds its connections and says nothing, as behind a broken link."""
    topic, sent = broker.topic(), sent_messages(60)
    assert broker.process is not None
    with keeping(tmp_path) as journal, reading(broker, journal, topic) as source:
        send(broker, topic, sent[:30])
        until(lambda: journal.journal.last == 30)
        broker.process.send_signal(signal.SIGSTOP)
        began_s = stopwatch()
        until(lambda: source.status.state is State.AWAY, 60)
        print(f"noticed after {stopwatch() - began_s:.1f} s: {source.status.sentence}")
        broker.process.send_signal(signal.SIGCONT)
        send(broker, topic, sent[30:])
        began_s = stopwatch()
        until(lambda: journal.journal.last == 60, 30)
        print(f"back after {stopwatch() - began_s:.1f} s")
        assert offsets(journal.records()) == list(range(60))
