"""Read rejected messages again, after a mapping was mended; what can be read now is known from now on."""

from __future__ import annotations

import argparse

from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.formats import readers_of
from dashboard.house import open_house, require_data
from ingest.quarantine import Retried, retry


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin retry-rejected`."""
    command.add_argument("--reason", metavar="CODE", help="only what was rejected for this (default: all)")
    command.add_argument("--mllp-mapping", type=str, metavar="M.toml", help="mapping of the HL7 messages")


def run(options: argparse.Namespace) -> None:
    """Read them, and say what became of them."""
    settings = require_data(settings_of(options))
    with open_house(settings) as house:
        found = retry(house.journal, house.indexer, house.log, readers_of(settings), options.reason)
    told = {"taken": found.taken, "still_rejected": dict(found.still_rejected)}
    say(options, told, lambda: _text(found))


def _text(found: Retried) -> str:
    still = [f"  still rejected: {reason}: {count}" for reason, count in found.still_rejected.items()]
    return "\n".join([f"{found.taken} messages were read again and taken", *still])
