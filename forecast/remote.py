"""What a worker of a cluster runs: a task of the house, if its code is the house's own.

Imported by the workers, which hold this same package; nothing of the cluster's library is needed here.
"""

from __future__ import annotations

import hashlib
import platform
import threading
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from forecast.errors import OtherCodeError
from forecast.workers import keep_memory
from twin.code import digest_of
from twin.kernel import ready, warm

Value = TypeVar("Value")

FOLDERS = ("ingest", "twin", "forecast")
"""Packages of which members are made."""
SUFFIXES = (".py", ".toml")
"""Files that say how."""
LIBRARIES = ("holidays", "numba", "numpy", "scipy", "simpy", "tzdata")
"""Libraries whose versions may change a bit of a result."""
_warming = threading.Lock()


@cache
def code_digest(root: Path = Path(__file__).parents[1]) -> str:
    """A name for all that members are made by: equal where the code, its tables, Python and libraries are."""
    files = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.suffix in SUFFIXES]
    told = " ".join([digest_of(files, root), platform.python_version(), *map(version, LIBRARIES)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def run_task(digest: str, fn: Callable[..., Value], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Value:
    """The task of a house of this digest; raises OtherCodeError where the code here is another.

    The compiled engine is made ready beside the first task of a process, as in processes of the house's own.
    """
    if digest != code_digest():
        raise OtherCodeError(f"runs other code ({code_digest()}) than the house ({digest})")
    if not ready() and _warming.acquire(blocking=False):
        keep_memory()
        threading.Thread(target=warm, daemon=True).start()
    return fn(*args, **kwargs)


def itself(value: Value) -> Value:
    """A value, kept by the cluster: made again from the task that holds it where the worker that had it is lost."""
    return value
