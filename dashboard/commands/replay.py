"""Send a recorded period out again, at a speed, as lines of JSON."""

from __future__ import annotations

import argparse
import json
import threading
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from dashboard.commands.calibrate import span_of
from dashboard.commands.common import instant, say, settings_of
from dashboard.house import open_house
from ingest.clock import Clock, SimulatedClock
from ingest.events import Event
from ingest.sources.replay import Recording


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin replay`."""
    command.add_argument("--from", dest="since", type=instant, metavar="T")
    command.add_argument("--to", dest="until", type=instant, metavar="T")
    command.add_argument("--speed", default="60", metavar="60|max", help="how many times as fast as it was")
    command.add_argument("--to-file", type=Path, required=True, metavar="FILE", help="lines of JSON, one an event")


def run(options: argparse.Namespace) -> None:
    """Send, in the order in which events became known."""
    with open_house(settings_of(options)) as house:
        span = span_of(house)
        since, until = options.since or span.first_occurred_at, options.until or span.last_known_at
        recording = Recording.of(house.log, since, until)
    clock = _clock(options.speed, since)
    with options.to_file.open("w", encoding="utf-8") as out:
        sent = _send(recording, clock, out)
    say(options, {"sent": sent}, lambda: f"{sent} events sent to {options.to_file}")


def _clock(speed: str, since: datetime) -> Clock:
    clock = SimulatedClock(since, speed=0.0 if speed == "max" else float(speed))
    if speed == "max":
        clock.advance_to(datetime.max.replace(tzinfo=since.tzinfo))
    return clock


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
