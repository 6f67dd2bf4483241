"""Forecasts of one measure judged for the page of the validation, from pairs of the archive or of a back-test.

Scores, intervals and bands are those of the report of a back-test (`report.py`, `slices.py`, `exceedance.py`); what
recalibration did stands beside what was simulated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import numpy as np

from forecast.day_facts import DayFacts, aware_of, day_facts, valid_at
from forecast.exceedance import exceedance, usual_thresholds
from forecast.report import USUAL_LEAD_MIN, measure_report, nearest, of_measure, worst_days
from forecast.scores import mean
from forecast.validation_view import Corrected, Validated
from forecast.values import Array
from forecast.verify import Pairs
from ingest.log import EventLog
from twin.hospital import Hospital
from twin.memory import Memory

_BEFORE_DAYS = 60.0
_VINTAGE = timedelta(days=7)


def validated(pairs: Pairs, measure: str, log: EventLog, hospital: Hospital) -> Validated | None:
    """What the pairs of a measure say; None where none met its truth. The facts of days are as known a week later."""
    mine = of_measure(pairs, measure)
    if not len(mine):
        return None
    zone, lead = hospital.zone, nearest(mine, USUAL_LEAD_MIN)
    at_lead = mine.taken(np.flatnonzero(mine.lead_min == lead))
    first, last = aware_of(mine.issued_at.min()), aware_of(mine.issued_at.max())
    return Validated(
        measure=measure_report(measure, mine, zone),
        rivals=tuple(mine.rivals),
        n_issues=int(np.unique(mine.issued_at).size),
        first_at=first,
        last_at=last,
        thresholds=tuple(exceedance(at_lead, t) for t in usual_thresholds(at_lead.observed)),
        thresholds_lead_min=lead,
        worst=worst_days(at_lead, zone, lead, _facts(pairs, mine, log, hospital, first)),
        corrected=tuple(corrected(mine, float(lead)) for lead in np.unique(mine.lead_min)),
    )


def _facts(pairs: Pairs, mine: Pairs, log: EventLog, hospital: Hospital, first: datetime) -> Mapping[date, DayFacts]:
    """What was different on each day, as known a week after the last."""
    span = log.span()
    assert span is not None
    known_at = min(aware_of(valid_at(mine).max()) + _VINTAGE, span.last_known_at)
    keep_days = (known_at - first) / timedelta(days=1) + _BEFORE_DAYS
    state = Memory(log, keep_days=keep_days).at(known_at)
    held = pairs.taken(np.flatnonzero(~np.isnan(pairs.crps)))
    return day_facts(held, log, state, hospital.zone, known_at=known_at, holidays=hospital.holidays)


def corrected(pairs: Pairs, lead_min: float) -> Corrected:
    """What recalibration did at one lead, of pairs that met their truth."""
    at = pairs.taken(np.flatnonzero(pairs.lead_min == lead_min))
    low, high = (at.quantiles[:, at.levels.index(end)] for end in (0.1, 0.9))

    def middle(values: Array) -> float:
        return mean(values).value

    return Corrected(
        lead_min, middle(at.raw_error), middle(at.error), 2.0 * middle(at.raw_half_width), middle(high - low),
        middle(at.raw_inside_80), middle(at.inside[80]), middle(at.raw_crps), middle(at.crps),
        middle(at.weight_of_simulation),
    )  # fmt: skip
