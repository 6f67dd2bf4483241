"""What was rejected: list it, export it, make the keys that seal what cannot be split, open what was sealed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboard.commands.said import say, written
from dashboard.commands.typed import settings_of
from dashboard.errors import CommandError
from dashboard.house import House, open_house, require_data
from ingest.quarantine import by_reason, export, sealed, write_private
from ingest.seal import new_pair, opened, private_key_in


def add_options(command: argparse.ArgumentParser) -> None:
    """The options of `edtwin quarantine`."""
    command.add_argument("action", choices=("list", "export", "new-key", "open"), help="what to do")
    command.add_argument("--out", type=Path, metavar="FILE", help="of export (CSV), of new-key (the private key)")
    command.add_argument("--record", type=int, metavar="N", help="which sealed message to open")
    command.add_argument("--private-key", type=Path, metavar="FILE", help="what it was sealed for")


def run(options: argparse.Namespace) -> None:
    """Do it."""
    if options.action == "new-key":
        _new_key(options)
        return
    with open_house(require_data(settings_of(options))) as house:
        {"list": _list, "export": _export, "open": _open}[options.action](house, options)


def _list(house: House, options: argparse.Namespace) -> None:
    found = by_reason(house.log)
    told = [{"source": source, "reason": reason, "count": count} for (source, reason), count in found.items()]
    lines = [f"{count:8} {reason} ({source})" for (source, reason), count in found.items()]
    say(options, {"rejected": told}, lambda: "\n".join(lines) or "nothing is in the quarantine")


def _export(house: House, options: argparse.Namespace) -> None:
    if options.out is None:
        raise CommandError("export needs --out: the CSV file to write")
    with written(options.out) as path, path.open("w", encoding="utf-8", newline="") as file:
        lines = export(house.journal, house.log, file)
    say(options, {"exported": lines, "file": str(options.out)}, lambda: f"{lines} lines written to {options.out}")


def _new_key(options: argparse.Namespace) -> None:
    if options.out is None:
        raise CommandError("new-key needs --out: the file for the private key, which then belongs on another machine")
    private, public = new_pair()
    try:
        write_private(options.out, private)
    except OSError as error:
        raise CommandError(f"{options.out} cannot be written: {error.strerror}") from error
    say(options, {"quarantine_key": public}, lambda: f'quarantine_key = "{public}"')


def _open(house: House, options: argparse.Namespace) -> None:
    """To standard output as it is: it names people, so that it is shown only to who asked for it."""
    if options.record is None or options.private_key is None:
        raise CommandError("open needs --record and --private-key")
    payload = sealed(house.journal, options.record)
    if payload is None:
        raise CommandError(f"record {options.record} is not a sealed message")
    sys.stdout.buffer.write(opened(payload, private_key_in(options.private_key)))
    sys.stdout.flush()
