"""Load an extract: CSV or Parquet by a mapping, a folder of them, or a file of events."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dashboard.commands.common import instant, say, settings_of
from dashboard.house import House, open_house
from ingest.errors import UnreadableInputError
from ingest.eventfile import ingest_events
from ingest.mapping import find_mapping, load_mapping
from ingest.tabular import ingest_extract

_ACCOUNT = ("read", "stored", "duplicate", "ignored", "rejected")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin ingest`."""
    command.add_argument("file", type=Path, metavar="FILE", help="the extract, or a folder of them in name order")
    command.add_argument("--format", choices=("wide", "long", "events"), required=True)
    command.add_argument("--mapping", metavar="M.toml", help="a mapping file, or the name of a shipped one")
    command.add_argument("--extracted-at", type=instant, metavar="T", help="when the extract was taken")


def run(options: argparse.Namespace) -> None:
    """Load it and print the account: read = stored + duplicate + ignored + rejected."""
    with open_house(settings_of(options)) as house:
        account = load(house, options.file, options)
    say(options, account, lambda: text(account))


def load(house: House, file: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The account of a file stored in a house, by name."""
    if options.format == "events":
        return {**asdict(ingest_events(file, house.log)), "reasons": {}}
    if options.mapping is None:
        raise UnreadableInputError("an extract needs --mapping: a file, or the name of a shipped one")
    mapping = load_mapping(find_mapping(options.mapping), expected=options.format)
    account = ingest_extract(
        file, mapping, house.log, house.pseudonyms(), extracted_at=options.extracted_at, now=house.clock.now()
    )
    return {name: getattr(account, name) for name in _ACCOUNT} | {
        "reasons": dict(account.reasons),
        "ignored_by_name": dict(account.ignored_by_name),
        "clock_changes": dict(account.flags),
    }


def text(account: dict[str, Any]) -> str:
    """The account in sentences."""
    parts = " + ".join(f"{account[name]} {name}" for name in _ACCOUNT[1:])
    reasons = [f"  rejected, {reason}: {count}" for reason, count in account["reasons"].items()]
    return "\n".join([f"{account['read']} read = {parts}", *reasons])
