"""The `edtwin` command: one sub-command a file in `dashboard/commands`.

Exit status 0 when it went well, 2 when there is something that the user can mend (one clear sentence on standard
error), 1 for a fault of ours, 75 for a house that is to be started again, as its database could no longer be used.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from dashboard import logs
from dashboard.audit.records import Outcome
from dashboard.audit.wiring import record_command
from dashboard.commands.typed import settings_of
from dashboard.keeper import EXIT_STATUS
from ingest.backup import DATABASE
from ingest.errors import DatabaseLostError, EdtwinError
from ingest.unswept import unswept

COMMANDS = (
    "up", "exercise", "ingest", "replay", "calibrate", "forecast", "huddle", "backtest", "scenarios", "proposals",
    "fabricate", "feed", "bench", "check", "doctor", "backup", "restore", "rebuild", "retry-rejected", "quarantine",
    "alerts", "supplies", "export", "accounts", "audit", "erase", "retain",
)  # fmt: skip
"""Each is a file of `dashboard/commands`."""
RECORDED = frozenset(
    {"ingest", "replay", "calibrate", "forecast", "huddle", "backtest", "proposals", "rebuild", "retry-rejected",
     "backup", "restore", "accounts", "quarantine", "alerts", "supplies", "export"}
)  # fmt: skip
"""Commands that read or change the data of a hospital: each is a record of the audit. A running house keeps its own."""


class Parser(argparse.ArgumentParser):
    """Tells what is wrong with the options in one sentence, and where to read about them."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser(only: str | None = None) -> argparse.ArgumentParser:
    """The parser with every sub-command; with `only` one where that is known, which spares loading all others."""
    parser = Parser(prog="edtwin", description="A live digital twin of a hospital seen from its ED.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in [only] if only in COMMANDS else COMMANDS:
        with unswept():
            module = import_module(f"dashboard.commands.{name.replace('-', '_')}")
        command = commands.add_parser(name, help=_first_line(module.__doc__), description=module.__doc__)
        command.add_argument("--data", type=Path, help="folder of the data (default ./data)")
        command.add_argument("--config", type=Path, help="TOML file with settings")
        command.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        module.add_options(command)
        command.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status."""
    logs.set_up()
    told = sys.argv[1:] if arguments is None else list(arguments)
    options = build_parser(told[0] if told else None).parse_args(told)
    try:
        status = _run(options)
        sys.stdout.flush()  # here, so that a reader who has gone is noticed while we can still say nothing
    except EdtwinError as error:
        logs.tell(f"edtwin {options.command}: {error}")
        return EXIT_STATUS if isinstance(error, DatabaseLostError) else 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _unread()
    return int(status or 0)


def entry() -> int:
    """Run the command as a process of its own."""
    logs.catch_the_rest()
    return main()


def _run(options: argparse.Namespace) -> int | None:
    """Run it, with a record of what became of it."""
    outcome: Outcome = "failed"
    try:
        status: int | None = options.run(options)
        outcome = "refused" if status else "done"
    except EdtwinError:
        outcome = "refused"
        raise
    finally:
        if options.command in RECORDED:
            _record(options, outcome)
    return status


def _record(options: argparse.Namespace, outcome: Outcome) -> None:
    """Where there are data: a command that found none has read nothing."""
    try:
        settings = settings_of(options)
    except EdtwinError:
        return
    if (settings.data / DATABASE).exists():
        about = getattr(options, "table", None) or getattr(options, "action", None) or ""
        record_command(settings, options.command, about if outcome == "done" else "", outcome)


def _unread() -> int:
    """Whoever read our output has enough: what is still in the buffer goes nowhere, without a complaint at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _first_line(text: str | None) -> str:
    return (text or "").strip().splitlines()[0].rstrip(".")


if __name__ == "__main__":
    sys.exit(entry())
