"""What this is, in figures: versions, the digest of the code, since when the house runs."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

from dashboard.backup_view import Standing

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
    """When what it says last changed."""
    zone: str
    hospital: str
    mode: str
    versions: tuple[tuple[str, str], ...]
    code: str
    since: datetime
    """Since when the house runs."""
    backups: Standing | None = None
    """How backups stand; None where that is not known."""


def about_view(*, since: datetime, zone: str, hospital: str, mode: str, code: str) -> AboutView:
    """The page about this house; `code` is the digest of its code."""
    versions = tuple((name, version(name)) for name in PARTS)
    python = ("python", platform.python_version())
    return AboutView(since, zone, hospital, mode, (*versions, python), code, since)


def with_backups(view: AboutView, standing: Standing) -> AboutView:
    """The page as backups stand now."""
    changed = [view.since, standing.tried_at, standing.last.made_at if standing.last else None]
    return replace(view, made_at=max(at for at in changed if at is not None), backups=standing)
