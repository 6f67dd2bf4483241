"""What this is, in figures: versions, the digest of the code, since when the house runs."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

PARTS = (
    "edtwin",
    "simpy",
    "duckdb",
    "dash",
    "plotly",
    "pandas",
    "numpy",
    "scipy",
    "numba",
    "kafka-python",
    "apscheduler",
)
"""Packages whose version a report of a fault should name."""


@dataclass(frozen=True)
class AboutView:
    """What runs here, and since when."""

    made_at: datetime
    """Since when the house runs."""
    zone: str
    hospital: str
    mode: str
    versions: tuple[tuple[str, str], ...]
    code: str
    audited: str | None = None
    """The last record of the audit, its number and hash, for who notes it down; None where there is none."""


def about_view(*, since: datetime, zone: str, hospital: str, mode: str, code: str) -> AboutView:
    """The page about this house; `code` is the digest of its code."""
    versions = tuple((name, version(name)) for name in PARTS)
    return AboutView(since, zone, hospital, mode, (*versions, ("python", platform.python_version())), code)
