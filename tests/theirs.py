"""What others have written of the same scores, loaded when it is first asked: it compiles itself for seconds.

Asked as `theirs.scoringrules`: pytest looks into whatever stands in a module of tests, and whoever looks for a module
looks into all that are loaded, so that a module that loads itself when it is looked into is loaded by each process.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

THEIRS = ("scoringrules",)


def __getattr__(name: str) -> Any:
    """A module of others by its name."""
    if name not in THEIRS:
        raise AttributeError(f"there is no {name} here, but {', '.join(THEIRS)}")
    return import_module(name)
