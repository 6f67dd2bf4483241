"""What this is, in figures: versions, the digest of the code, since when the house runs."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version

from dashboard.backup_view import Standing
from forecast.board import Mended, Scrubbed

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
    """The minute that it is of."""
    zone: str
    hospital: str
    mode: str
    versions: tuple[tuple[str, str], ...]
    code: str
    since: datetime
    """Since when the house runs."""
    backups: Standing | None = None
    """How backups stand; None where that is not known."""
    kept_from: datetime | None = None
    """From when on events are kept; None: all."""
    audited: str | None = None
    """The last record of the audit, its number and hash, for who notes it down; None where there is none."""
    mended: tuple[Mended, ...] = ()
    scrubbed: Scrubbed | None = None
    """What of the data was damaged and made whole, the last one last."""


def about_view(
    *,
    since: datetime,
    zone: str,
    hospital: str,
    mode: str,
    code: str,
    mended: Sequence[Mended] = (),
    kept_from: datetime | None = None,
) -> AboutView:
    """The page about this house; `code` is the digest of its code, and events are kept from an instant on."""
    versions = tuple((name, version(name)) for name in PARTS)
    parts = (*versions, ("python", platform.python_version()))
    return AboutView(since, zone, hospital, mode, parts, code, since, kept_from=kept_from, mended=tuple(mended))


def as_it_stands(
    view: AboutView, now: datetime, backups: Standing, audited: str | None = None, scrubbed: Scrubbed | None = None
) -> AboutView:
    """The page at this minute, with the last record of the audit, how backups stand and what the last look through the
    journal found: it changes no faster."""
    at = now.replace(second=0, microsecond=0)
    return replace(view, made_at=at, backups=backups, audited=audited, scrubbed=scrubbed)
