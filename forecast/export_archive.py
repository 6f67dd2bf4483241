"""Tables of what was forecast, how good it was, and how the house did."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pyarrow as pa

from forecast.archive_rows import RAW, RIVAL
from forecast.export import Column, Source, Span, Table
from forecast.values import LEVELS
from ingest.database import arrow, aware, naive, rows

_FORECASTS = """
WITH chosen AS (
    SELECT *, first_value(scenario) OVER (PARTITION BY issued_at ORDER BY place) AS usual
    FROM forecast WHERE issued_at >= $since AND issued_at < $until
)
SELECT f.issued_at, i.as_of, f.measure,
       CASE WHEN scenario = $raw OR starts_with(scenario, $rival) THEN usual ELSE scenario END AS scenario,
       CASE WHEN scenario = $raw THEN 'simulation' WHEN starts_with(scenario, $rival)
            THEN substr(scenario, length($rival) + 1) ELSE 'edtwin' END AS told_by,
       unnest(i.lead_min) AS lead_min, unnest(f.mean) AS mean,
       unnest(f.quantiles[list_position(i.levels, 0.025)]) AS p025,
       unnest(f.quantiles[list_position(i.levels, 0.05)]) AS p05,
       unnest(f.quantiles[list_position(i.levels, 0.1)]) AS p10,
       unnest(f.quantiles[list_position(i.levels, 0.25)]) AS p25,
       unnest(f.quantiles[list_position(i.levels, 0.5)]) AS p50,
       unnest(f.quantiles[list_position(i.levels, 0.75)]) AS p75,
       unnest(f.quantiles[list_position(i.levels, 0.9)]) AS p90,
       unnest(f.quantiles[list_position(i.levels, 0.95)]) AS p95,
       unnest(f.quantiles[list_position(i.levels, 0.975)]) AS p975,
       unnest(f.difference_mean) AS more,
       unnest(f.difference_quantiles[list_position(i.levels, 0.1)]) AS more_p10,
       unnest(f.difference_quantiles[list_position(i.levels, 0.9)]) AS more_p90
FROM chosen f JOIN issue i USING (issued_at)
"""
_FORECAST_ROWS = f"""
SELECT *, as_of + to_microseconds((lead_min * 60000000)::BIGINT) AS valid_at FROM ({_FORECASTS})
ORDER BY issued_at, measure, scenario, told_by, lead_min
"""
_SCORES = """
SELECT * FROM score WHERE issued_at >= $since AND issued_at < $until ORDER BY issued_at, measure, lead_min
"""
_RIVALS = """
SELECT issued_at, measure, lead_min, rival, rival_crps[rival] AS crps, rival_absolute_error[rival] AS absolute_error
FROM (SELECT *, unnest(map_keys(rival_crps)) AS rival FROM score WHERE issued_at >= $since AND issued_at < $until)
ORDER BY issued_at, measure, lead_min, rival
"""
_CYCLES = "SELECT * FROM cycle WHERE issued_at >= $since AND issued_at < $until ORDER BY issued_at, started_at"
_ALARMS = "SELECT * FROM alarm_log WHERE noted_at >= $since AND noted_at < $until ORDER BY number"
_SPANS = {
    "forecast": "SELECT min(issued_at), max(issued_at) FROM issue",
    "score": "SELECT min(issued_at), max(issued_at) FROM score",
    "cycle": "SELECT min(issued_at), max(issued_at) FROM cycle",
    "alarm_log": "SELECT min(noted_at), max(noted_at) FROM alarm_log",
}


def _span(table: str) -> Callable[[Source], Span | None]:
    def span(source: Source) -> Span | None:
        ((first, last),) = rows(source.database.cursor(), _SPANS[table])
        return None if first is None else (aware(first), aware(last) + timedelta(microseconds=1))

    return span


def _forecasts(source: Source, since: datetime, until: datetime) -> pa.Table:
    bounds = {"since": naive(since), "until": naive(until)}
    return arrow(source.database.cursor(), _FORECAST_ROWS, **bounds, raw=RAW, rival=RIVAL)


def _scores(source: Source, since: datetime, until: datetime) -> pa.Table:
    return arrow(source.database.cursor(), _SCORES, since=naive(since), until=naive(until))


def _rival_scores(source: Source, since: datetime, until: datetime) -> pa.Table:
    return arrow(source.database.cursor(), _RIVALS, since=naive(since), until=naive(until))


def _cycles(source: Source, since: datetime, until: datetime) -> pa.Table:
    return arrow(source.database.cursor(), _CYCLES, since=naive(since), until=naive(until))


def _alarms(source: Source, since: datetime, until: datetime) -> pa.Table:
    return arrow(source.database.cursor(), _ALARMS, since=naive(since), until=naive(until))


def _quantile(level: float) -> Column:
    name = f"p{level * 1000:03.0f}" if level * 100 % 1 else f"p{level * 100:02.0f}"
    return Column(name, "number", f"{level:g} quantile over the runs, in the unit of the measure")


_ISSUE = Column("issued_at", "instant", "when the forecast was made; names it")
_MEASURE = Column("measure", "text", "name of the measure: ed_census, beds_free:<ward> ..")
_LEAD = Column("lead_min", "number", "how far ahead of as_of", "min")

FORECASTS = Table(
    "forecasts",
    "What was forecast, a valid time a row. After nine days only the first scenario, what was simulated and what "
    "simple rules said are kept, at the verified leads; after 13 months nothing.",
    "issued_at",
    (
        _ISSUE,
        Column("as_of", "instant", "the instant of the hospital that it starts from"),
        Column("scenario", "text", "name of the scenario; the present situation is the first"),
        Column("told_by", "text", "edtwin: as published; simulation: before corrections; else a rule by its name"),
        _MEASURE,
        _LEAD,
        Column("valid_at", "instant", "the instant that it is about"),
        Column("mean", "number", "mean over the runs, in the unit of the measure"),
        *map(_quantile, LEVELS),
        Column("more", "number", "mean difference from the first scenario, run by run; empty for that one itself"),
        Column("more_p10", "number", "10 % quantile of these differences"),
        Column("more_p90", "number", "90 % quantile of these differences"),
    ),
    _forecasts,
    _span("forecast"),
    timedelta(hours=3),
)  # fmt: skip
SCORES = Table(
    "scores",
    "How good forecasts of the present situation were, a forecast, measure and lead a row.",
    "issued_at",
    (
        _ISSUE,
        _MEASURE,
        _LEAD,
        Column("observed", "number", "what came, in the unit of the measure"),
        Column("error", "number", "forecast mean less what came"),
        Column("absolute_error", "number", "distance of the forecast median from what came"),
        Column("crps", "number", "continuous ranked probability score of what was published; less is better"),
        Column("in_50", "yes or no", "what came lay in the central 50 % interval, ends included"),
        Column("in_80", "yes or no", "the same of 80 %"),
        Column("in_95", "yes or no", "the same of 95 %"),
        Column("raw_crps", "number", "crps of the simulation alone"),
        Column("raw_error", "number", "mean of the simulation alone less what came"),
        Column("weight_of_simulation", "number", "share of the simulation in what was published", "share"),
        Column("verified_at", "instant", "when the truth was read"),
    ),
    _scores,
    _span("score"),
)  # fmt: skip
RIVAL_SCORES = Table(
    "rival_scores",
    "How good simple rules were at the same forecasts, a rule a row; joins scores by issued_at, measure, lead_min.",
    "issued_at",
    (
        _ISSUE,
        _MEASURE,
        _LEAD,
        Column("rival", "text", "name of the rule: persistence, climatology .."),
        Column("crps", "number", "its continuous ranked probability score; empty where it had nothing to say"),
        Column("absolute_error", "number", "distance of its median from what came"),
    ),
    _rival_scores,
    _span("score"),
)  # fmt: skip
CYCLES = Table(
    "cycles",
    "How the scheduler did, a turn a row.",
    "issued_at",
    (
        Column("issued_at", "instant", "the issue time that was due"),
        Column("started_at", "instant", "when work began"),
        Column("ended_at", "instant", "when it ended"),
        Column("seconds", "number", "how long it took", "s"),
        Column("status", "text", "done, missed or failed"),
        Column("error", "text", "why it failed"),
    ),
    _cycles,
    _span("cycle"),
)  # fmt: skip
ALARMS = Table(
    "alarms",
    "What became of every alarm, a step a row; who answered and what they wrote is left out.",
    "noted_at",
    (
        Column("noted_at", "instant", "when"),
        Column("alarm", "text", "name of the alarm: its rule and when it was raised; of a watch, the rule's alone"),
        Column("rule", "text", "name of the rule"),
        Column("what", "text", "watched, raised, escalated, acknowledged, snoozed or cleared"),
        Column("level", "text", "level of the rule from then on: normal, watch or alert"),
        Column("until", "instant", "end of a snooze"),
    ),
    _alarms,
    _span("alarm_log"),
)  # fmt: skip
