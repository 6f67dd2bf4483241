"""Everything that forecasting may raise beyond ingestion's, in one tree.

EdtwinError (ingest/errors.py)
└── ForecastError                something about forecasts that a user can mend
    ├── AlreadyIssuedError       a forecast of that issue time is in the archive
    └── ClusterError             the cluster on which members were to run cannot be had, or was lost
        └── OtherCodeError       its workers run other code than the house
"""

from __future__ import annotations

from ingest.errors import EdtwinError


class ForecastError(EdtwinError):
    """Something about forecasts that a user can mend."""


class AlreadyIssuedError(ForecastError):
    """A forecast with the same issue time is in the archive; what was said is never overwritten."""


class ClusterError(ForecastError):
    """The cluster on which members were to run cannot be had, or was lost before they were done."""


class OtherCodeError(ClusterError):
    """A worker's code, tables or libraries are others than the house's, so that its members would be others."""
