"""How good the forecasts that were published were, beside the simulation alone and every rival: the page of trust.

It is summed up once an hour, by the cycle, from what the archive has verified; whoever looks is shown the same value.
A house too young for that shows the replay of its history that it learned from.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from forecast.archive import Archive
from forecast.dayblocks import LEAST_DAYS, days_of, share_band
from forecast.record import SKILL_EVERY, SKILL_WINDOW
from forecast.slices import Slice, ranks, slice_of, within
from forecast.trust_view import Ends, Judged, LeadTrust, MeasureTrust
from forecast.verify import Pairs

SHOWN = ("ed_census", "ed_waiting", "ed_boarders")
"""Measures of which the page tells."""


class Trust:
    """Sums up what the archive has verified. `judged` is the last sum; `learned` what corrects the next forecasts."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._summed_at: datetime | None = None
        self._replay: Judged | None = None
        self._live: Judged | None = None
        self.learned: tuple[datetime | None, int] = (None, 0)
        """When it was last looked what corrects forecasts, and from how many days of them something was learned."""

    @property
    def judged(self) -> Judged | None:
        """What was published, once it is of days enough for intervals; else the replay, where there is one."""
        live, replay = self._live, self._replay
        return replay if live is None or (live.days < LEAST_DAYS and replay is not None) else live

    def look(self, as_of: datetime) -> None:
        """Sum up the forecasts of the last weeks, if that was not done within the hour."""
        if self._summed_at is not None and as_of - self._summed_at < SKILL_EVERY:
            return
        self._summed_at = as_of
        found = (self._archive.pairs(as_of - SKILL_WINDOW, as_of, measure=measure) for measure in SHOWN)
        self._live = judged(found, replayed=False)

    def replayed(self, pairs: Pairs) -> None:
        """Show these, from a replay of the last days, until enough was verified live."""
        parts = (pairs.taken(np.flatnonzero(pairs.measure == measure)) for measure in SHOWN)
        self._replay = judged(parts, replayed=True)


def judged(by_measure: Iterable[Pairs], *, replayed: bool) -> Judged | None:
    """What pairs say, those of one measure after those of another; None where none has met its truth."""
    told, issues = [], np.empty(0, dtype="datetime64[us]")
    for pairs in by_measure:
        met = pairs.taken(np.flatnonzero(~np.isnan(pairs.crps)))
        if len(met):
            told.append(_measure(met))
            issues = np.union1d(issues, met.issued_at)
    if not told:
        return None
    first, last = (at.astype(datetime).replace(tzinfo=UTC) for at in (issues[0], issues[-1]))
    days = int(np.unique(issues.astype("datetime64[D]")).size)
    return Judged(tuple(told), int(issues.size), days, first, last, replayed)


def _measure(pairs: Pairs) -> MeasureTrust:
    """Of pairs of one measure, all met by their truth."""
    rank = ranks(pairs)
    leads, number = np.unique(pairs.lead_min, return_inverse=True)
    held = share_band(within(rank), number, leads.size, days_of(pairs.issued_at))
    found = []
    for k, lead in enumerate(leads):
        mine = np.flatnonzero(number == k)
        ends = float(held.low[k]), float(held.high[k])
        found.append(_at_lead(round(lead), slice_of(pairs.taken(mine), rank[mine]), ends))
    return MeasureTrust(str(pairs.measure[0]), tuple(found))


def _at_lead(lead_min: int, scores: Slice, band: Ends) -> LeadTrust:
    return LeadTrust(
        lead_min, scores.n, scores.crps, scores.raw_crps, scores.rival_crps, scores.skill, scores.skill_ci95,
        scores.bias, scores.bias_ci95, scores.covered_80, band, scores.weight_of_simulation,
    )  # fmt: skip
