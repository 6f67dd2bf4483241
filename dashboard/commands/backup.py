"""Make a backup, also of a house that runs, which does it itself; opened and counted before it is named.

It holds the journal, all tables, huddle sheets and debriefs. It does not hold the secret of the pseudonyms, which must
be kept apart from it, nor the site's own files of settings.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from dashboard.backups import Backups
from dashboard.commands.said import say
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.house import open_house, require_data
from dashboard.house_socket import ask
from dashboard.settings import Settings


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin backup`."""
    command.add_argument("--to", type=Path, metavar="FOLDER", help="folder of backups (default: the setting)")


def run(options: argparse.Namespace) -> None:
    """Have it made, and say what it is."""
    settings = require_data(settings_of(options))
    folder = options.to or settings.backup_folder
    if folder is None:
        raise CommandError("--to must name a folder where the setting backup_folder names none")
    told = ask(settings.data, "backup", to=str(folder.absolute())) or _made_here(settings, folder.absolute())
    say(options, told, lambda: text(told))


def _made_here(settings: Settings, folder: Path) -> dict[str, Any]:
    with open_house(settings) as house:
        return Backups(house).make(folder).as_json()


def text(told: dict[str, Any]) -> str:
    """What it is, in lines."""
    size = told["bytes"] / 1e6
    return (
        f"{told['backup']}\n"
        f"{told['records']} records of the journal and {told['rows']} rows of the database, {size:.1f} MB; opened and "
        f"counted: its state {told['state']} is the house's\n"
        "secret.key and the files of settings are not in it: keep them apart"
    )
