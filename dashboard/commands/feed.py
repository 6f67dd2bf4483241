"""Stream a hospital that does not exist through Kafka: its past first, then what happens, as it happens."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dashboard.commands.said import progress
from dashboard.commands.typed import settings_of
from dashboard.commands.up import Fabricated, ended_by_signals
from dashboard.errors import CommandError
from dashboard.house import FABRICATED
from dashboard.settings import Settings
from ingest.clock import WallClock
from ingest.events import Event

if TYPE_CHECKING:
    from ingest.sources.kafka_out import EventsOut

SENT = "sent.json"
"""Says, beside `fabricated.json`, how many of the hospital's events Kafka has taken."""
AT_ONCE = 5_000


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin feed`."""
    command.add_argument("to", metavar="BROKER/TOPIC", help="a topic that exists, such as 127.0.0.1:9092/ed.events")
    command.add_argument("--kind", choices=("roomy", "congested"), default="congested", help="short of beds, or not")
    command.add_argument("--size", choices=("small", "medium", "large"), default="large", help="of the hospital")
    command.add_argument("--days", type=int, help="days of its past (default: history_days)")


def run(options: argparse.Namespace) -> None:
    """Send until interrupted; after a restart it goes on where Kafka's last answer left it."""
    from dashboard.kafka_wiring import out_of

    settings = settings_of(options)
    with ended_by_signals(), out_of(settings, options.to) as out:
        _stream(settings, _hospital(settings, options), out)


def _hospital(settings: Settings, options: argparse.Namespace) -> Fabricated:
    """The hospital that the folder is of, a new one for a folder without."""
    told = settings.data / FABRICATED
    if told.exists():
        return Fabricated(**json.loads(told.read_text(encoding="utf-8")))
    midnight = WallClock().now().replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=options.days or settings.history_days)
    made = Fabricated(options.kind, options.size, start.isoformat(), settings.seed)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        _write(told, json.dumps(asdict(made)))
    except OSError as error:
        raise CommandError(f"{told} cannot be written: {error.strerror}") from error
    return made


def _stream(settings: Settings, hospital: Fabricated, out: EventsOut) -> None:
    clock, world, noted = WallClock(), hospital.world(), settings.data / SENT
    with progress("fabricating the history") as report:
        history = world.run_until(clock.now(), lambda share: report(round(share * 100), 100))
    sent = int(json.loads(noted.read_text())["sent"]) if noted.exists() else 0
    for first in range(sent, len(history), AT_ONCE):
        sent = _sent(out, history[first : first + AT_ONCE], first, noted)
    print(f"{sent} events of the past are sent; now live (Ctrl-C ends)", file=sys.stderr, flush=True)
    for batch in world.live(clock, threading.Event()):
        sent = _sent(out, batch, sent, noted)


def _sent(out: EventsOut, events: Sequence[Event], before: int, noted: Path) -> int:
    """How many are sent in all, noted once Kafka has them; what is sent again after a crash has the same ids."""
    out.send(events)
    _write(noted, json.dumps({"sent": before + len(events)}))
    return before + len(events)


def _write(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
