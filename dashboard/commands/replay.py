"""Send a recorded period out again, at a speed: as lines of JSON, as HL7 messages over MLLP, or on a topic of Kafka."""

from __future__ import annotations

import argparse
import json
import threading
from dataclasses import fields
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

from dashboard.commands.calibrate import span_of
from dashboard.commands.said import say, written
from dashboard.commands.typed import instant, settings_of, speed
from dashboard.errors import CommandError
from dashboard.formats import hl7_renderer
from dashboard.house import open_house, require_data
from dashboard.sending import Receiver, send_mllp
from ingest.clock import Clock, SimulatedClock
from ingest.events import Event
from ingest.sources.replay import Recording


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin replay`."""
    command.add_argument("--from", dest="since", type=instant, metavar="T", help="what became known after it")
    command.add_argument("--to", dest="until", type=instant, metavar="T", help="what became known by it")
    command.add_argument("--speed", type=speed, default=60.0, metavar="60|max", help="how many times as fast as it was")
    where = command.add_mutually_exclusive_group(required=True)
    where.add_argument("--to-file", type=Path, metavar="FILE", help="lines of JSON, one an event")
    where.add_argument("--to-mllp", metavar="HOST:PORT", help="HL7 messages, each sent until it is acknowledged")
    where.add_argument("--to-kafka", metavar="BROKER/TOPIC", help="events as JSON, a visit on one partition")
    command.add_argument("--mllp-ca", type=Path, metavar="FILE", help="authority of the receiver's certificate: TLS")
    command.add_argument("--mllp-cert", type=Path, metavar="FILE", help="certificate and key to show to the receiver")


def run(options: argparse.Namespace) -> None:
    """Send, in the order in which events became known."""
    with open_house(require_data(settings_of(options))) as house:
        span = span_of(house)
        recording = Recording.of(house.log, options.since, options.until or span.last_known_at)
    if not recording.events:
        raise CommandError("nothing became known to the log in the period of --from and --to")
    clock = _clock(options.speed, options.since or recording.span[0])
    if options.to_mllp is not None:
        receiver = Receiver.of(options.to_mllp, authority=options.mllp_ca, certificate=options.mllp_cert)
        told = send_mllp(recording, clock, receiver, hl7_renderer())
        say(options, told, lambda: ", ".join(f"{count} {name}" for name, count in told.items()))
        return
    if options.to_kafka is not None:
        told = _send_kafka(recording, clock, options)
        say(options, told, lambda: ", ".join(f"{count} {name}" for name, count in told.items()))
        return
    with written(options.to_file) as file, file.open("w", encoding="utf-8") as out:
        sent = _send(recording, clock, out)
    say(options, {"sent": sent}, lambda: f"{sent} events sent to {options.to_file}")


def _clock(times: float, since: datetime) -> Clock:
    if isfinite(times):
        return SimulatedClock(since, speed=times)
    return SimulatedClock(datetime.max.replace(tzinfo=UTC))


def _send_kafka(recording: Recording, clock: Clock, options: argparse.Namespace) -> dict[str, int]:
    """By the settings' TLS and password; kafka-python is imported only here."""
    from dashboard.kafka_wiring import out_of
    from ingest.sources.kafka_out import send_recording

    with out_of(settings_of(options), options.to_kafka) as out:
        return send_recording(recording, clock, out)


def _send(recording: Recording, clock: Clock, out: TextIO) -> int:
    sent = 0
    for batch in recording.deliver(clock, threading.Event()):
        out.writelines(json.dumps(told(event), ensure_ascii=False) + "\n" for event in batch)
        out.flush()
        sent += len(batch)
    return sent


def told(event: Event) -> dict[str, Any]:
    """An event as JSON: its kind and what it says; what is absent is left out."""
    values = {f.name: getattr(event, f.name) for f in fields(event)}
    known = {name: value for name, value in values.items() if value is not None}
    return {"kind": event.kind} | {n: v.isoformat() if isinstance(v, datetime) else v for n, v in known.items()}
