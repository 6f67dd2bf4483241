"""Forecasts that were made afterwards, kept beside the data: whoever opens the same instant again sees the same.

A file belongs to an instant and to what the log held of it (`EventLog.digest`): of a log that has since learned more of
that time, it is made again. The latest `KEEP` stay.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from forecast.archive_rows import forecast_table, forecasts_of, issue_table
from forecast.values import Forecast

logger = logging.getLogger(__name__)

KEEP = 200


class ReplayStore:
    """The folder of the forecasts that were made afterwards; made with the first of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, at: datetime, digest: str) -> Forecast | None:
        """The one of an instant; None where none is kept, or it cannot be read."""
        issue, rows = self._files(at, digest)
        try:
            return forecasts_of(pq.read_table(issue), pq.read_table(rows))[0]
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, IndexError, pa.ArrowException) as damaged:
            logger.warning("a forecast that was made afterwards is not readable and is made again: %s", damaged)
            return None

    def keep(self, forecast: Forecast, digest: str) -> None:
        """Keep one: the rows first, so that what is named whole is whole."""
        self._folder.mkdir(parents=True, exist_ok=True)
        issue, rows = self._files(forecast.as_of, digest)
        _write(rows, forecast_table(forecast))
        _write(issue, issue_table(forecast, thinned=False))
        for old in sorted(self._folder.glob("*.issue"), key=lambda file: file.stat().st_mtime)[:-KEEP]:
            old.unlink(missing_ok=True)
            old.with_suffix(".rows").unlink(missing_ok=True)

    def _files(self, at: datetime, digest: str) -> tuple[Path, Path]:
        name = f"{at:%Y%m%dT%H%M}-{digest[:16]}"
        return self._folder / f"{name}.issue", self._folder / f"{name}.rows"


def _write(file: Path, table: pa.Table) -> None:
    beside = file.with_suffix(f"{file.suffix}.part")
    pq.write_table(table, beside, compression="zstd")
    beside.replace(file)
