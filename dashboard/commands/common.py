"""What the sub-commands share: instants and durations as people type them, printing, progress."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dashboard import logs
from dashboard.errors import CommandError
from dashboard.settings import Settings, load_settings
from ingest.clock import resolve

Report = Callable[[int, int], None]
"""Called with how much is done and how much there is to do."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(m|min|h|d)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def instant(text: str) -> datetime:
    """An instant in ISO form; without an offset it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"an instant must be like 2026-03-29T14:00+02:00, but is {text!r}") from error
    return at.astimezone(UTC) if at.tzinfo else resolve(at, "UTC")[0]


def duration(text: str) -> timedelta:
    """A duration such as 60m, 3h, 1d."""
    match = _DURATION.fullmatch(text)
    if not match or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"a duration must be like 60m, 3h or 1d, but is {text!r}")
    return timedelta(**{_UNITS[match[2]]: float(match[1])})


def speed(text: str) -> float:
    """How many times as fast as it was: a positive number, infinity for `max`."""
    try:
        times = inf if text == "max" else float(text)
    except ValueError:
        times = 0.0
    if not times > 0:
        raise argparse.ArgumentTypeError(f"a speed must be a number above 0, or max, but is {text!r}")
    return times


def hours(text: str) -> tuple[float, ...]:
    """Leads in hours separated by commas, as minutes."""
    try:
        leads = tuple(sorted({float(part) * 60.0 for part in text.split(",")}))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"leads must be hours like 1,2,4, but are {text!r}") from error
    if not leads or any(lead <= 0 or lead % 15 for lead in leads):
        raise argparse.ArgumentTypeError(f"leads must be positive quarters of an hour, but are {text!r}")
    return leads


def add_executor(command: argparse.ArgumentParser) -> None:
    """The option of every command that simulates."""
    where = "where members run: local, or dask://host:port of a cluster"
    command.add_argument("--executor", metavar="WHERE", help=where)


def add_address(command: argparse.ArgumentParser) -> None:
    """Where a command that serves is reached."""
    command.add_argument("--host", help="address to serve on (default 127.0.0.1)")
    command.add_argument(
        "--host-allow-insecure", action="store_true", default=None,
        help="on another address too, though nobody signs in and nothing is encrypted",
    )  # fmt: skip
    command.add_argument("--port", type=int, help="port to serve on (default 8050)")


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings of the file that was named, and the options that stand for a setting."""
    known = {name: value for name, value in vars(options).items() if name in Settings.model_fields}
    settings = load_settings(options.config, **known)
    logs.use(settings.log_format)
    return settings


def say(options: argparse.Namespace, value: Mapping[str, Any], text: Callable[[], str]) -> None:
    """One JSON object with `--json`, else the text."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False) if options.json else text())


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """The file, its folder made; what hinders the writing of it comes as one sentence."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        yield file
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror or error}") from error


@contextmanager
def progress(words: str) -> Iterator[Report]:
    """A bar on standard error while the block runs; nothing where nobody looks."""
    console = Console(file=sys.stderr)
    columns = (TextColumn(words), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
