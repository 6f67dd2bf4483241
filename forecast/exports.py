"""Every table that can be exported, by name."""

from __future__ import annotations

from collections.abc import Mapping

from forecast.export import Table
from forecast.export_archive import ALARMS, CYCLES, FORECASTS, RIVAL_SCORES, SCORES
from forecast.export_days import DAYS
from forecast.export_log import BEDS, CENSUS, EVENTS, VISITS

TABLES: Mapping[str, Table] = {
    table.name: table
    for table in (EVENTS, VISITS, CENSUS, BEDS, FORECASTS, SCORES, RIVAL_SCORES, CYCLES, ALARMS, DAYS)
}  # fmt: skip
