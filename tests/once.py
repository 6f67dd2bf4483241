"""What is made once a run, by whichever of its processes asks first; the others read what it has kept."""

from __future__ import annotations

import fcntl
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TypeVar

Made = TypeVar("Made")
_FOLDER: list[Path] = []
"""Of the run that this process is one of several of; none where it runs alone."""


def share(folder: Path) -> None:
    """From now on what is made is kept here, in a folder that all processes of the run have and no other run."""
    _FOLDER[:] = [folder]


def once_a_run(make: Callable[[], Made]) -> Callable[[], Made]:
    """As `functools.cache`, over all processes of a run; who asks while another makes it waits."""

    @cache
    def made() -> Made:
        if not _FOLDER:
            return make()
        kept = _FOLDER[0] / f"{make.__module__}.{make.__qualname__}"
        with kept.with_name(f"{kept.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not kept.exists():
                kept.write_bytes(pickle.dumps(make()))
            value: Made = pickle.loads(kept.read_bytes())
        return value

    return made
