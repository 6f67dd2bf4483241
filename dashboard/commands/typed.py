"""What people type to sub-commands: instants, durations, options that several share, settings."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from math import inf

from dashboard import logs
from dashboard.settings import Settings, load_settings
from ingest.clock import resolve

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
