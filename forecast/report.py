"""The report of a back-test: a value with everything that its pages show, and what is needed to make it again.

The dashboard renders it (`dashboard/report/`); nothing here draws. Figures are those of `slices.py`, `exceedance.py`
and `floor.py`; all intervals draw whole days anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np

from forecast.backtest import Plan, Report
from forecast.day_facts import DayFacts, aware_of, day_facts, local_days, valid_at
from forecast.dayblocks import Band, band, days_of, share_band
from forecast.exceedance import Exceedance, exceedance, usual_thresholds
from forecast.floor import attained, floor_mae
from forecast.peaks import PEAKS
from forecast.record import HEADLINES
from forecast.slices import (
    DAYS_A_WEEK,
    HOURS_A_WEEK,
    Slice,
    covered_by_block,
    hour_of_week,
    rank_shares,
    ranks,
    slice_of,
    within,
)  # fmt: skip
from forecast.values import Array
from forecast.verify import Pairs
from ingest.log import EventLog
from twin.hospital import Hospital
from twin.memory import Memory

Kind = Literal["fabricated", "own"]

MAIN = "ed_census"
"""The measure whose days, thresholds and hours are looked into."""
USUAL_LEAD_MIN = 240.0
"""The lead at which days and hours are looked at, or the verified one nearest to it."""
WORST = 3
SHOWN_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
CLIMATOLOGY = "climatology"
_BEFORE_DAYS = 60.0
"""Days before the first issue whose visits are still looked at: nearly all who were here then had come by then."""


@dataclass(frozen=True)
class Making:
    """What the report is of, and what makes it again."""

    hospital: str
    zone: str
    kind: Kind
    command: str
    versions: Mapping[str, str]
    code: str
    log: str
    plan: Plan
    n_issues: int
    first_day: datetime | None
    """When the log begins."""


@dataclass(frozen=True)
class AtLead:
    """One lead of a measure: its scores, and of the census what could be had at all."""

    lead_min: float
    scores: Slice
    floor_mae: float | None
    attained: float | None
    """The share of what can be had over climatology, by the absolute error and the rule of thumb."""
    floor_crps: float | None = None
    """Of an oracle, where there is one."""
    attained_crps: float | None = None


@dataclass(frozen=True)
class MeasureReport:
    """One measure."""

    measure: str
    leads: tuple[AtLead, ...]
    covered_by_lead: Band
    covered_by_block: Band
    covered_cells: tuple[tuple[float, ...], ...]
    """By lead and block."""
    bias_by_block: Band
    ranks: Band
    weekdays: tuple[Slice | None, ...]
    """Monday first; None without a pair."""


@dataclass(frozen=True)
class HoursOfWeek:
    """The mean error at one lead by local hour of the week, `(168,)`, Monday 0:00 first; NaN without a pair."""

    lead_min: float
    error: Array
    observed: Array


@dataclass(frozen=True)
class WorstDay:
    """A day on which forecasts were far off: the forecast made so long before each hour, and what came."""

    facts: DayFacts
    lead_min: float
    crps: float
    usual_crps: float
    bias: float
    at: tuple[datetime, ...]
    observed: Array
    quantiles: Mapping[float, Array]


@dataclass(frozen=True)
class BacktestReport:
    """All that the report says."""

    making: Making
    measures: tuple[MeasureReport, ...]
    thresholds_lead_min: float
    thresholds: tuple[Exceedance, ...]
    hours: HoursOfWeek | None
    worst: tuple[WorstDay, ...]
    rivals: tuple[str, ...]

    def of(self, measure: str) -> MeasureReport | None:
        """What it says of a measure; None where it was not forecast."""
        return next((one for one in self.measures if one.measure == measure), None)


def make_report(
    found: Report,
    making: Making,
    log: EventLog,
    hospital: Hospital,
    *,
    thresholds: Sequence[float] = (),
    floor_crps: Mapping[float, float] | None = None,
) -> BacktestReport:
    """The report of a back-test; `thresholds` of the census, else some that are set by what came.

    `floor_crps` is the crps of an oracle by lead, where there is one.
    """
    zone, pairs = hospital.zone, found.pairs
    chosen = {m: of_measure(pairs, m) for m in (*HEADLINES, *PEAKS)}
    measures = tuple(
        measure_report(m, mine, zone, floor_crps if m == MAIN else None) for m, mine in chosen.items() if len(mine)
    )
    census = chosen[MAIN]
    lead = nearest(census, USUAL_LEAD_MIN)
    at_lead = census.taken(np.flatnonzero(census.lead_min == lead))
    known_at = found.truth_known_at or found.plan.last_at
    memory = Memory(log, keep_days=(known_at - found.plan.first_at) / timedelta(days=1) + _BEFORE_DAYS)
    state, holidays = memory.at(known_at), hospital.holidays
    facts = day_facts(pairs, log, state, zone, known_at=known_at, holidays=holidays) if len(census) else {}
    return BacktestReport(
        making=making,
        measures=measures,
        thresholds_lead_min=lead,
        thresholds=tuple(exceedance(at_lead, t) for t in thresholds or usual_thresholds(at_lead.observed)),
        hours=_hours(at_lead, zone, lead) if len(at_lead) else None,
        worst=worst_days(at_lead, zone, lead, facts),
        rivals=tuple(pairs.rivals),
    )


def of_measure(pairs: Pairs, measure: str) -> Pairs:
    """Those of a measure that met their truth."""
    return pairs.taken(np.flatnonzero((pairs.measure == measure) & ~np.isnan(pairs.crps)))


def nearest(pairs: Pairs, lead_min: float) -> float:
    """The verified lead nearest to one."""
    leads = np.unique(pairs.lead_min)
    return float(leads[np.argmin(np.abs(leads - lead_min))]) if leads.size else lead_min


def measure_report(
    measure: str, pairs: Pairs, zone: str, floor_crps: Mapping[float, float] | None = None
) -> MeasureReport:
    """What pairs of a measure, all met by their truth, say of it."""
    rank, day = ranks(pairs), days_of(pairs.issued_at)
    leads, number = np.unique(pairs.lead_min, return_inverse=True)
    by_lead = [np.flatnonzero(number == k) for k in range(leads.size)]
    parts = [(pairs.taken(mine), rank[mine]) for mine in by_lead]
    scores = [slice_of(part, part_rank) for part, part_rank in parts]
    weekday = hour_of_week(pairs, zone) // 24
    block = hour_of_week(pairs, zone) % 24 // 4
    return MeasureReport(
        measure=measure,
        leads=tuple(
            _at_lead(float(lead), one, part, measure, (floor_crps or {}).get(float(lead)))
            for lead, one, (part, _) in zip(leads, scores, parts, strict=True)
        ),
        covered_by_lead=share_band(within(rank), number, leads.size, day),
        covered_by_block=covered_by_block(pairs, rank, zone),
        covered_cells=tuple(tuple(covered_by_block(part, r, zone).mean.tolist()) for part, r in parts),
        bias_by_block=band(pairs.error, block, 6, day),
        ranks=rank_shares(rank, day),
        weekdays=tuple(
            slice_of(pairs.taken(mine), rank[mine]) if (mine := np.flatnonzero(weekday == k)).size else None
            for k in range(DAYS_A_WEEK)
        ),
    )


def _at_lead(lead_min: float, scores: Slice, pairs: Pairs, measure: str, floor_crps: float | None) -> AtLead:
    rival = pairs.rivals.get(CLIMATOLOGY)
    if measure != MAIN or rival is None or np.isnan(scores.rival_mae[CLIMATOLOGY]):
        return AtLead(lead_min, scores, None, None)
    floor = floor_mae(rival.quantiles[:, pairs.levels.index(0.5)])
    share = attained(scores.rival_mae[CLIMATOLOGY], scores.mae, floor)
    if floor_crps is None:
        return AtLead(lead_min, scores, floor, share)
    usual = float(np.nanmean(rival.crps))
    return AtLead(lead_min, scores, floor, share, floor_crps, attained(usual, scores.crps, floor_crps))


def _hours(pairs: Pairs, zone: str, lead_min: float) -> HoursOfWeek:
    hour = hour_of_week(pairs, zone)
    count = np.bincount(hour, minlength=HOURS_A_WEEK)
    with np.errstate(invalid="ignore"):
        mean = [np.bincount(hour, weights=v, minlength=HOURS_A_WEEK) / np.where(count, count, np.nan)
                for v in (pairs.error, pairs.observed)]  # fmt: skip
    return HoursOfWeek(lead_min, *mean)


def worst_days(pairs: Pairs, zone: str, lead_min: float, facts: Mapping[date, DayFacts]) -> tuple[WorstDay, ...]:
    """The days with the largest mean crps among those with at least half the usual number of pairs, worst first."""
    days = local_days(valid_at(pairs), zone)
    ordinal = np.array([day.toordinal() for day in days], dtype=np.int64)
    numbers, place, count = np.unique(ordinal, return_inverse=True, return_counts=True)
    if not numbers.size:
        return ()
    mean = np.bincount(place, weights=pairs.crps) / count
    whole = np.flatnonzero((count >= 0.5 * np.median(count)) & np.isin(numbers, [day.toordinal() for day in facts]))
    worst = whole[np.argsort(-mean[whole], kind="stable")][:WORST]
    usual = float(np.median(mean[whole])) if whole.size else float("nan")
    return tuple(_day(pairs.taken(np.flatnonzero(place == k)), lead_min, usual,
                      facts[date.fromordinal(int(numbers[k]))]) for k in worst)  # fmt: skip


def _day(pairs: Pairs, lead_min: float, usual: float, facts: DayFacts) -> WorstDay:
    order = np.argsort(pairs.issued_at, kind="stable")
    mine = pairs.taken(order)
    levels = [level for level in SHOWN_QUANTILES if level in mine.levels]
    return WorstDay(
        facts=facts,
        lead_min=lead_min,
        crps=float(mine.crps.mean()),
        usual_crps=usual,
        bias=float(mine.error.mean()),
        at=tuple(aware_of(at) for at in valid_at(mine)),
        observed=mine.observed,
        quantiles={level: mine.quantiles[:, mine.levels.index(level)] for level in levels},
    )
