"""The archive: what was forecast, how good it was, how the scheduler did.

A forecast is stored once and read back equal, its members excepted. After nine days (its truth is then a week old)
only its first scenario, what was simulated and what the baselines told are kept, at the verified leads; after 13 months
nothing, so the file stays bounded.

Each call runs on the calling thread's own cursor; each write is one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa

from forecast.archive_rows import OWN, RAW, RIVAL, forecast_table, forecasts_of, issue_table, pairs_of, score_table
from forecast.errors import AlreadyIssuedError
from forecast.values import Forecast
from forecast.verify import VERIFIED_LEADS_MIN, Pairs, Verification, verify
from ingest.database import Database, arrow, aware, naive

SCHEMA_SQL = Path(__file__).with_name("schema.sql")

KEEP_SCENARIOS = timedelta(days=9)
KEEP_FORECASTS = timedelta(days=396)
NEAR = timedelta(minutes=30)
"""How far from the wanted instant a forecast of "six hours ago" may be."""

LOOK_BACK = timedelta(days=8)
"""How long a forecast waits to be verified: what is scored later than this has to be asked for."""

Status = Literal["done", "missed", "failed"]

_INSERT = {
    "issue": "INSERT INTO issue BY NAME SELECT * FROM incoming",
    "forecast": "INSERT INTO forecast BY NAME SELECT * FROM incoming",
    "score": "INSERT INTO score BY NAME SELECT * FROM incoming",
    "cycle": "INSERT INTO cycle BY NAME SELECT * FROM incoming",
}
_PAIRS = """
WITH chosen AS (
    SELECT * FROM score WHERE issued_at >= $since AND issued_at < $until AND ($measure IS NULL OR measure = $measure)
    AND ($by::TIMESTAMP IS NULL OR verified_at <= $by::TIMESTAMP)
    AND ($issued::TIMESTAMP[] IS NULL OR issued_at IN (SELECT unnest($issued::TIMESTAMP[])))
), said AS (
    SELECT issued_at, measure, quantiles, CASE
        WHEN scenario = $raw OR starts_with(scenario, $rival) THEN scenario
        WHEN scenario = first_value(scenario) OVER (PARTITION BY issued_at ORDER BY place) THEN $own
    END AS name
    FROM forecast WHERE issued_at >= $since AND issued_at < $until AND ($measure IS NULL OR measure = $measure)
), told AS (
    SELECT c.issued_at, c.measure, c.lead_min, any_value(i.levels) AS levels,
           map_from_entries(list((s.name, [q[list_position(i.lead_min, c.lead_min)] for q in s.quantiles]))) AS told
    FROM chosen c JOIN issue i USING (issued_at) JOIN said s USING (issued_at, measure)
    WHERE s.name IS NOT NULL AND list_contains(i.lead_min, c.lead_min)
    GROUP BY c.issued_at, c.measure, c.lead_min
)
SELECT c.*, t.levels, t.told FROM chosen c LEFT JOIN told t USING (issued_at, measure, lead_min)
ORDER BY issued_at, measure, lead_min
"""
_FORGET_ISSUE = ("DELETE FROM issue WHERE issued_at = ?", "DELETE FROM forecast WHERE issued_at = ?")
_FORGET_BEFORE = (
    "DELETE FROM issue WHERE issued_at < ?",
    "DELETE FROM forecast WHERE issued_at < ?",
    "DELETE FROM score WHERE issued_at < ?",
    "DELETE FROM cycle WHERE issued_at < ?",
)


@dataclass(frozen=True)
class CycleRecord:
    """One turn of the scheduler."""

    issued_at: datetime
    started_at: datetime
    ended_at: datetime
    seconds: float
    status: Status
    error: str | None = None


@dataclass(frozen=True)
class Pending:
    """A forecast (first scenario only) whose truth has come at some verified leads and has not been scored there."""

    forecast: Forecast
    lead_min: tuple[float, ...]


class Archive:
    """Forecasts, scores and cycles in the house's database, opened with `SCHEMA_SQL` among its schemas."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def store(self, forecast: Forecast) -> None:
        """Keep a forecast: all of it, or nothing.

        Raises AlreadyIssuedError if one with the same issue time is kept; ValueError if its series differ in levels or
        leads, or a difference has no scenario and measure of its own.
        """
        issue, rows = issue_table(forecast, thinned=False), forecast_table(forecast)
        with self._database.transaction() as cursor:
            kept = cursor.execute("SELECT 1 FROM issue WHERE issued_at = ?", [naive(forecast.issued_at)]).fetchall()
            if kept:
                raise AlreadyIssuedError(f"a forecast issued at {forecast.issued_at.isoformat()} is in the archive")
            self._insert(cursor, "issue", issue)
            self._insert(cursor, "forecast", rows)

    def forecasts(
        self, since: datetime, until: datetime, *, scenario: str | None = None, measure: str | None = None
    ) -> list[Forecast]:
        """Those issued in [since, until), oldest first; only one scenario or measure of each where it is named."""
        issues = self._rows(
            "SELECT * FROM issue WHERE issued_at >= ? AND issued_at < ? ORDER BY issued_at",
            [naive(since), naive(until)],
        )
        rows = self._rows(
            """SELECT * FROM forecast WHERE issued_at >= ? AND issued_at < ?
               AND (? IS NULL OR scenario = ?) AND (? IS NULL OR measure = ?) ORDER BY issued_at, place""",
            [naive(since), naive(until), scenario, scenario, measure, measure],
        )
        return forecasts_of(issues, rows)

    def issued(self, since: datetime, until: datetime) -> list[datetime]:
        """When forecasts were issued in [since, until), oldest first."""
        found = self._rows(
            "SELECT issued_at FROM issue WHERE issued_at >= ? AND issued_at < ? ORDER BY issued_at",
            [naive(since), naive(until)],
        )
        return [aware(at) for at in found["issued_at"].to_pylist()]

    def latest(self, *, scenario: str | None = None, measure: str | None = None) -> Forecast | None:
        """The last one issued; None before the first."""
        last = self._instant("SELECT max(issued_at) FROM issue", [])
        return self._at(last, scenario, measure)

    def issued_by(
        self, at: datetime, *, within: timedelta, scenario: str | None = None, measure: str | None = None
    ) -> Forecast | None:
        """The last one issued by an instant, no longer before it than `within`; None where there is none."""
        last = self._instant(
            "SELECT max(issued_at) FROM issue WHERE issued_at BETWEEN ? AND ?", [naive(at - within), naive(at)]
        )
        return self._at(last, scenario, measure)

    def issues_beside(self, at: datetime) -> tuple[datetime | None, datetime | None]:
        """When the last one before an instant was issued, and the first one after it; None where there is none."""
        before = self._instant("SELECT max(issued_at) FROM issue WHERE issued_at < ?", [naive(at)])
        after = self._instant("SELECT min(issued_at) FROM issue WHERE issued_at > ?", [naive(at)])
        return (before and aware(before), after and aware(after))

    def issued_near(
        self, at: datetime, *, within: timedelta = NEAR, scenario: str | None = None, measure: str | None = None
    ) -> Forecast | None:
        """The one issued nearest to an instant (six hours ago, say); None when none was within reach."""
        nearest = self._instant(
            """SELECT arg_min(issued_at, abs(epoch_us(issued_at) - epoch_us(?::TIMESTAMP))) FROM issue
               WHERE issued_at BETWEEN ? AND ?""",
            [naive(at), naive(at - within), naive(at + within)],
        )
        return self._at(nearest, scenario, measure)

    def pending(
        self,
        truth_until: datetime,
        *,
        since: datetime | None = None,
        lead_min: Sequence[float] = VERIFIED_LEADS_MIN,
    ) -> list[Pending]:
        """Forecasts with leads that are due (truth is known up to `truth_until`) and have no scores, oldest first.

        Only those issued from `since` on, `LOOK_BACK` before the truth where it is None.
        """
        first = naive(since or truth_until - LOOK_BACK)
        due = self._rows(
            """SELECT issued_at, list(due.lead ORDER BY due.lead) AS leads,
                      (SELECT scenario FROM forecast f WHERE f.issued_at = due.issued_at AND place = 0) AS scenario
               FROM (SELECT issued_at, as_of, lead_min, unnest(?::DOUBLE[]) AS lead FROM issue
                     WHERE issued_at >= ?) due
               WHERE list_contains(lead_min, lead)
                 AND as_of + to_microseconds((lead * 60000000)::BIGINT) <= ?::TIMESTAMP
                 AND NOT EXISTS (SELECT 1 FROM score s WHERE s.issued_at = due.issued_at AND s.lead_min = due.lead
                                 AND s.issued_at >= ?)
               GROUP BY issued_at ORDER BY issued_at""",
            [list(lead_min), first, naive(truth_until), first],
        ).to_pylist()
        found = ((self._at(row["issued_at"], row["scenario"], None), tuple(row["leads"])) for row in due)
        return [Pending(forecast, leads) for forecast, leads in found if forecast is not None]

    def store_scores(self, scored: Pairs, *, verified_at: datetime) -> None:
        """Keep scores; those of the same forecast, measure and lead from an earlier look at the truth are replaced.

        A pair without a score is kept too: it has been looked at.
        """
        table = score_table(scored, verified_at)
        with self._database.transaction() as cursor:
            cursor.register("looked_at", table.select(["issued_at", "measure", "lead_min"]))
            cursor.execute(
                """DELETE FROM score USING looked_at l WHERE score.issued_at = l.issued_at
                   AND score.measure = l.measure AND score.lead_min = l.lead_min"""
            )
            cursor.unregister("looked_at")
            self._insert(cursor, "score", table)

    def pairs(
        self,
        since: datetime,
        until: datetime,
        *,
        measure: str | None = None,
        verified_by: datetime | None = None,
        issued: Sequence[datetime] | None = None,
    ) -> Pairs:
        """The scores of forecasts issued in [since, until), by issue, measure and lead; only those that were there by
        an instant where it is named, and only of some issues where these are. The quantiles are those of the forecasts
        themselves, kept once."""
        table = arrow(
            self._database.cursor(), _PAIRS, since=naive(since), until=naive(until), measure=measure,
            by=None if verified_by is None else naive(verified_by), own=OWN, raw=RAW, rival=RIVAL,
            issued=None if issued is None else [naive(at) for at in issued],
        )  # fmt: skip
        return pairs_of(table)

    def skill(
        self, since: datetime, until: datetime, *, measure: str | None = None
    ) -> dict[str, dict[float, Verification]]:
        """How good the forecasts issued in [since, until) were: measure -> lead in minutes -> verification."""
        return verify(self.pairs(since, until, measure=measure))

    def record_cycle(self, cycle: CycleRecord) -> None:
        """Keep one turn of the scheduler."""
        row = {name: [value] for name, value in vars(cycle).items()}
        row |= {name: [naive(row[name][0])] for name in ("issued_at", "started_at", "ended_at")}
        with self._database.transaction() as cursor:
            self._insert(cursor, "cycle", pa.table(row))

    def cycles(self, since: datetime) -> list[CycleRecord]:
        """The turns due from an instant on, oldest first."""
        rows = self._rows("SELECT * FROM cycle WHERE issued_at >= ? ORDER BY issued_at, started_at", [naive(since)])
        instants = ("issued_at", "started_at", "ended_at")
        return [CycleRecord(**row | {name: aware(row[name]) for name in instants}) for row in rows.to_pylist()]

    def prune(self, now: datetime, *, lead_min: Sequence[float] = VERIFIED_LEADS_MIN) -> None:
        """Forget what is no longer kept.

        1. Forecasts older than `KEEP_SCENARIOS` keep their first scenario at the verified leads, and what was told
           beside it: the simulation's own, the baselines'.
        2. Forecasts, scores and cycles older than `KEEP_FORECASTS` go.
        """
        old = self._rows(
            "SELECT issued_at FROM issue WHERE NOT thinned AND issued_at < ? ORDER BY issued_at",
            [naive(now - KEEP_SCENARIOS)],
        )
        for (issued_at,) in zip(old["issued_at"].to_pylist(), strict=True):
            self._thin(issued_at, lead_min)
        with self._database.transaction() as cursor:
            for statement in _FORGET_BEFORE:
                cursor.execute(statement, [naive(now - KEEP_FORECASTS)])

    def _thin(self, issued_at: datetime, lead_min: Sequence[float]) -> None:
        whole = self._at(issued_at, None, None)
        if whole is None:
            return
        usual = thinned(whole, lead_min)
        with self._database.transaction() as cursor:
            for statement in _FORGET_ISSUE:
                cursor.execute(statement, [issued_at])
            self._insert(cursor, "issue", issue_table(usual, thinned=True))
            self._insert(cursor, "forecast", forecast_table(usual))

    def _at(self, issued_at: datetime | None, scenario: str | None, measure: str | None) -> Forecast | None:
        if issued_at is None:
            return None
        at = aware(issued_at)
        return self.forecasts(at, at + timedelta(microseconds=1), scenario=scenario, measure=measure)[0]

    def _instant(self, query: str, values: list[Any]) -> datetime | None:
        (row,) = self._database.cursor().execute(query, values).fetchall()
        found: datetime | None = row[0]
        return found

    def _rows(self, query: str, values: list[Any]) -> pa.Table:
        return self._database.cursor().sql(query, params=values).to_arrow_table()

    def _insert(self, cursor: Any, table: str, rows: pa.Table) -> None:
        cursor.register("incoming", rows)
        cursor.execute(_INSERT[table])
        cursor.unregister("incoming")


def thinned(forecast: Forecast, lead_min: Sequence[float]) -> Forecast:
    """The forecast's first scenario, and what was told beside it, at those of the leads that it has.

    What was told beside it, the simulation's own and the baselines', is what it is judged and weighed with.
    """
    at = np.flatnonzero(np.isin(forecast.lead_min, lead_min))
    first = next(iter(forecast.scenarios))
    kept = {
        name: {measure: series.at(at) for measure, series in measures.items()}
        for name, measures in forecast.scenarios.items()
        if name in (first, RAW) or name.startswith(RIVAL)
    }
    return replace(forecast, lead_min=forecast.lead_min[at], scenarios=kept, differences={}, members={})
