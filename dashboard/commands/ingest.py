"""Load an extract: tables, RPU, FHIR, aggregate counts or templates by a mapping, a folder of them, or events."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dashboard.commands.ingest_formats import FORMATS, account_of, check_format, doubts
from dashboard.commands.said import say
from dashboard.commands.typed import instant, settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house
from ingest.batch import ExtractAccount
from ingest.errors import UnreadableInputError
from ingest.eventfile import ingest_events
from ingest.hl7 import Hl7
from ingest.hl7_files import ingest_messages
from ingest.hl7_settings import Hl7Settings, load_settings
from ingest.mapping import find_mapping, load_mapping
from ingest.tabular import ingest_extract

CHOICES = ("wide", "long", "rpu", "hl7", *FORMATS, "events")
"""Every format."""
_PARTS = ("stored", "duplicate", "ignored", "rejected")
_DETAILS = (
    ("rejected:", "reasons"),
    ("ignored:", "ignored_by_name"),
    ("clock change:", "clock_changes"),
    ("doubtful:", "flags"),
)


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
    if options.format == "hl7":
        settings = load_settings(path)
        return lambda house: _of_messages(_messages(file, settings, house))
    check_format(path, options.format, CHOICES)
    if options.format in FORMATS:
        return FORMATS[options.format](file, path, options.extracted_at)
    mapping = load_mapping(path, expected=options.format)
    return lambda house: account_of(
        ingest_extract(
            file, mapping, house.log, house.pseudonyms(), extracted_at=options.extracted_at, now=house.clock.now()
        )
    )


def _messages(file: Path, settings: Hl7Settings, house: House) -> ExtractAccount:
    form = Hl7(settings, house.pseudonyms())
    return ingest_messages(file, settings.source.name, form, house.log, now=house.clock.now())


def _of_messages(account: ExtractAccount) -> dict[str, Any]:
    shared = {name: value for name, value in account_of(account).items() if name != "clock_changes"}
    return shared | {"flags": dict(account.flags)}


def text(account: dict[str, Any]) -> str:
    """The account in sentences."""
    parts = " + ".join(f"{account[name]} {name}" for name in _PARTS)
    details = [f"  {word} {name}: {count}" for word, key in _DETAILS for name, count in account.get(key, {}).items()]
    unit = "messages" if "flags" in account else "rows"
    return "\n".join([f"{account['read']} {unit} read = {parts}", *details, *doubts(account)])
