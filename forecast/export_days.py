"""The table of days whose events are gone: what is left of them are figures."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pyarrow as pa

from forecast.export import Column, Source, Span, Table
from ingest.days import read_days, span_of_days

_DAY = timedelta(days=1)


def _read(source: Source, since: datetime, until: datetime) -> pa.Table:
    """Of the days whose midnights, taken as UTC, lie in the period."""
    return read_days(source.database.cursor(), _from(since), _from(until))


def _from(instant: datetime) -> date:
    """The first day that does not begin before an instant."""
    return (instant - timedelta(microseconds=1)).astimezone(UTC).date() + _DAY


def _span(source: Source) -> Span | None:
    found = span_of_days(source.database.cursor())
    if found is None:
        return None
    first, last = (datetime.combine(day, time(), UTC) for day in found)
    return first, last + timedelta(microseconds=1)


DAYS = Table(
    "days",
    "Figures of days whose events are gone, a figure a row: nothing in it tells of one person. Few are told together "
    "as pooled; exits that were never told are completed by the rule of the twin.",
    "day",
    (
        Column("day", "day", "the local day"),
        Column("measure", "text", "arrivals, departures, admissions, entries, exits, ed_stay_min, ed_wait_min, "
               "ed_census, inpatients, census, beds; observed:<measure> is the mean of what a feed counted"),
        Column("hour", "whole number", "the local hour at which it was counted; empty for what is of the whole day"),
        Column("by", "text", "what tells the parts apart: mode, age_band, acuity, to, unit; empty for all"),
        Column("part", "text", "which of them; of minutes mean, p50 or p90; empty for all"),
        Column("value", "number", "the figure: minutes where the measure ends in _min, else people or beds"),
    ),
    _read,
    _span,
    timedelta(days=3660),
)  # fmt: skip
