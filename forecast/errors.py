"""Everything that forecasting may raise beyond ingestion's, in one tree.

EdtwinError (ingest/errors.py)
└── ForecastError                something about forecasts that a user can mend
    └── AlreadyIssuedError       a forecast of that issue time is in the archive
"""

from __future__ import annotations

from ingest.errors import EdtwinError


class ForecastError(EdtwinError):
    """Something about forecasts that a user can mend."""


class AlreadyIssuedError(ForecastError):
    """A forecast with the same issue time is in the archive; what was said is never overwritten."""
