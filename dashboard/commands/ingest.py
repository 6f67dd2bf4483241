"""Load an extract: tables, RPU, FHIR, aggregate counts or templates by a mapping, a folder of them, or events."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dashboard.commands.common import instant, say, settings_of
from dashboard.commands.ingest_formats import FORMATS, account_of, check_format, doubts
from dashboard.errors import CommandError
from dashboard.house import House, open_house
from ingest.errors import UnreadableInputError
from ingest.eventfile import ingest_events
from ingest.mapping import find_mapping, load_mapping
from ingest.tabular import ingest_extract

CHOICES = ("wide", "long", "rpu", *FORMATS, "events")
"""Every format."""
_PARTS = ("stored", "duplicate", "ignored", "rejected")


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin ingest`."""
    command.add_argument("file", type=Path, metavar="FILE", help="the extract, or a folder of them in name order")
    command.add_argument("--format", choices=CHOICES, required=True, help="of the file")
    command.add_argument("--mapping", metavar="M.toml", help="a mapping file, or the name of a shipped one")
    command.add_argument("--extracted-at", type=instant, metavar="T", help="when the extract was taken")


def run(options: argparse.Namespace) -> None:
    """Load it and print the account: read = stored + duplicate + ignored + rejected."""
    settings = settings_of(options)
    read = reader(options.file, options)
    with open_house(settings) as house:
        account = read(house)
    say(options, account, lambda: text(account))


def reader(file: Path, options: argparse.Namespace) -> Callable[[House], dict[str, Any]]:
    """What stores the file in a house and gives the account, by name; faults of the options are told at once."""
    if not file.exists():
        raise UnreadableInputError(f"{file} does not exist")
    if options.format == "events":
        return lambda house: {**asdict(ingest_events(file, house.log)), "reasons": {}}
    if options.mapping is None:
        raise CommandError("an extract needs --mapping: a file, or the name of a shipped one")
    path = find_mapping(options.mapping)
    check_format(path, options.format, CHOICES)
    if options.format in FORMATS:
        return FORMATS[options.format](file, path, options.extracted_at)
    mapping = load_mapping(path, expected=options.format)
    return lambda house: account_of(
        ingest_extract(
            file, mapping, house.log, house.pseudonyms(), extracted_at=options.extracted_at, now=house.clock.now()
        )
    )


def text(account: dict[str, Any]) -> str:
    """The account in sentences."""
    parts = " + ".join(f"{account[name]} {name}" for name in _PARTS)
    details = [
        f"  {word} {name}: {count}"
        for word, key in (("rejected:", "reasons"), ("ignored:", "ignored_by_name"), ("clock change:", "clock_changes"))
        for name, count in account.get(key, {}).items()
    ]
    return "\n".join([f"{account['read']} rows read = {parts}", *details, *doubts(account)])
