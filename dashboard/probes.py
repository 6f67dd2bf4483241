"""What a monitoring system asks of the house: `/readyz`, whether it can do its work, and `/metrics`, how it fares.

The form of the figures is Prometheus's, written by its own client. They are read from the board that viewers see, so a
question costs no query; instants are told, not ages, so that a house that stands still grows old for whoever asks. They
are of flows, feeds and machines: no figure is of a patient, and no name of one can be in a label.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from importlib.metadata import version
from typing import get_args

from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, StateSetMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from dashboard.backup_view import Standing
from dashboard.readiness import Readiness
from forecast.board import Alarm, Board, Cycle, Feed, FeedState, Skill


def answer_readyz(server: Flask, readiness: Readiness, remark: Callable[[], str | None] = lambda: None) -> None:
    """`/readyz`: 200 when the house can do its work, with a remark if there is one; else 503 with what is missing."""

    def readyz() -> Response:
        fault, beside = readiness.fault(), remark()
        ready = "ready" if beside is None else f"ready, but members run in processes of the house's own: {beside}"
        return Response(f"{fault or ready}\n", 503 if fault else 200, mimetype="text/plain")

    server.add_url_rule("/readyz", "readyz", readyz)


def answer_metrics(
    server: Flask,
    get_board: Callable[[], Board | None],
    get_backups: Callable[[], Standing] | None = None,
    sheet_at: Callable[[], datetime | None] = lambda: None,
) -> None:
    """`/metrics`: the figures of the board that is shown, if there is one, of backups and of the process."""
    registry = CollectorRegistry()
    registry.register(_House(get_board, get_backups, sheet_at))
    ProcessCollector(registry=registry)
    server.add_url_rule(
        "/metrics", "metrics", lambda: Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    )


class _House(Collector):
    """The figures, read anew at each question."""

    def __init__(
        self,
        get_board: Callable[[], Board | None],
        get_backups: Callable[[], Standing] | None,
        sheet_at: Callable[[], datetime | None],
    ) -> None:
        self._get_board, self._get_backups, self._sheet_at = get_board, get_backups, sheet_at

    def describe(self) -> list[Metric]:
        """Nothing: what there is depends on the board, and is not asked for when the house begins."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Everything that is known; what is absent is left out, and never 0."""
        build = InfoMetricFamily("edtwin_build", "Which edtwin this is")
        build.add_metric([], {"version": version("edtwin")})
        yield build
        yield _gauge("edtwin_threads", "Threads of the house's process", threading.active_count())
        if self._get_backups is not None:
            yield from _of_backups(self._get_backups())
        if (at := self._sheet_at()) is not None:
            yield _gauge("edtwin_downtime_sheet_timestamp_seconds", "When the last downtime sheet was written", at)
        board = self._get_board()
        if board is None:
            return
        yield _gauge("edtwin_board_made_timestamp_seconds", "When the board that is shown was made", board.made_at)
        yield from _of_cycles(board.cycle)
        yield from _of_the_feed(board.feed)
        yield _of_alarms(board.alarms)
        yield _gauge("edtwin_inconsistent_counts", "Counts on the board that cannot be", len(board.checks))
        yield from _of_skill(board.skills)


def _of_backups(standing: Standing) -> Iterator[Metric]:
    """Of those the house makes by itself; nothing where it makes none."""
    if standing.folder is None:
        return
    yield _gauge("edtwin_backups_kept", "Good backups in the folder", standing.kept)
    yield _gauge("edtwin_backup_failed", "1 where the last try to make one failed", float(standing.fault is not None))
    if standing.last is not None:
        yield _gauge(
            "edtwin_backup_made_timestamp_seconds", "When the last good backup was made", standing.last.made_at
        )


def _of_cycles(cycle: Cycle) -> Iterator[Metric]:
    cycles = CounterMetricFamily("edtwin_cycles", "Turns of the scheduler since the start", labels=["outcome"])
    for outcome, count in (("done", cycle.done), ("missed", cycle.missed), ("failed", cycle.failed)):
        cycles.add_metric([outcome], count)
    yield cycles
    yield _gauge(
        "edtwin_cycle_every_seconds", "From one forecast to the next, as it should be", cycle.every.total_seconds()
    )
    if cycle.seconds is not None:
        yield _gauge("edtwin_cycle_seconds", "How long the last cycle took", cycle.seconds)
    if cycle.audit_gap_since is not None:
        yield _gauge(
            "edtwin_audit_gap_since_timestamp_seconds", "Since when the audit cannot be written", cycle.audit_gap_since
        )
    if cycle.missing_records:
        yield _gauge(
            "edtwin_journal_missing_records", "Records that the log was made of and the journal does not hold",
            cycle.missing_records,
        )  # fmt: skip
    if cycle.scrubbed is not None:
        yield _gauge(
            "edtwin_journal_scrubbed_timestamp_seconds", "When the whole journal was last looked through",
            cycle.scrubbed.at,
        )  # fmt: skip
        yield _gauge(
            "edtwin_journal_damaged_files", "Files of it that are not what was written", len(cycle.scrubbed.faults)
        )
    if cycle.mended:
        yield _gauge(
            "edtwin_data_damaged_timestamp_seconds", "When data were last found damaged, and made whole",
            cycle.mended[-1].found_at,
        )  # fmt: skip
    if cycle.issued_at is not None:
        yield _gauge(
            "edtwin_forecast_issued_timestamp_seconds", "When the forecast that is shown was issued", cycle.issued_at
        )
        yield _gauge("edtwin_members", "Runs of the forecast that is shown", cycle.members)
        yield _gauge(
            "edtwin_engine_disagreements", "Runs of it that the two engines gave otherwise", cycle.checked - cycle.equal
        )


def _of_the_feed(feed: Feed) -> Iterator[Metric]:
    yield StateSetMetricFamily(
        "edtwin_feed_state", "How far the feed can be believed", {s: s == feed.state for s in get_args(FeedState)}
    )
    if feed.heard_at is not None:
        yield _gauge("edtwin_feed_heard_timestamp_seconds", "When anything was last heard of the feed", feed.heard_at)
    yield _gauge(
        "edtwin_feed_silence_limit_seconds", "How long a silence is no surprise at this hour",
        feed.limit.total_seconds(),
    )  # fmt: skip
    yield _gauge("edtwin_feed_backlog_records", "Records that wait to be read", feed.backlog)
    if feed.lag is not None:
        yield _gauge(
            "edtwin_feed_lag_seconds", "How long 95 in 100 of the last messages took at most", feed.lag.total_seconds()
        )
    kept = GaugeMetricFamily("edtwin_quarantined_records", "Records that could not be read", labels=["reason"])
    for reason, count in sorted(feed.rejected.items()):
        kept.add_metric([reason], count)
    yield kept


def _of_alarms(alarms: tuple[Alarm, ...]) -> Metric:
    """Those that are on, whether anybody has taken them on or not; 0 where none is."""
    on = GaugeMetricFamily("edtwin_alarms", "Alarms that are on", labels=["level", "taken_on"])
    for level in ("watch", "alert"):
        for is_taken_on in (False, True):
            mine = [a for a in alarms if a.level == level and (a.acknowledged_by is not None) == is_taken_on]
            on.add_metric([level, "yes" if is_taken_on else "no"], len(mine))
    return on


_OF_SKILL: tuple[tuple[str, str, Callable[[Skill], float]], ...] = (
    ("edtwin_forecasts_verified", "Forecasts that were verified", lambda s: s.n),
    ("edtwin_forecast_crps", "Continuous ranked probability score, in the measure's unit", lambda s: s.crps),
    ("edtwin_forecast_bias", "Forecast less what came, mean, in the measure's unit", lambda s: s.bias),
    ("edtwin_forecast_coverage_80_ratio", "Share of what came within the 80 % interval", lambda s: s.coverage_80),
)


def _of_skill(skills: tuple[Skill, ...]) -> Iterator[Metric]:
    """Of the forecasts verified so far; those of a back-test say so."""
    for name, words, of in _OF_SKILL:
        family = GaugeMetricFamily(name, words, labels=["measure", "lead_min", "backtested"])
        for skill in skills:
            family.add_metric([skill.measure, str(skill.lead_min), "yes" if skill.backtested else "no"], of(skill))
        yield family


def _gauge(name: str, words: str, value: float | datetime) -> Metric:
    return GaugeMetricFamily(name, words, value.timestamp() if isinstance(value, datetime) else value)
