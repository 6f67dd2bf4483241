"""What sub-commands say: a text or one JSON object, files, progress."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dashboard.errors import CommandError

Report = Callable[[int, int], None]
"""Called with how much is done and how much there is to do."""


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
