"""What simple rules say of the peaks: the highest census from now to a lead, and when it comes.

A rule tells distributions lead by lead and no paths. Its paths are taken to keep their rank: who is in the highest
tenth at one lead is in it at all. So "nothing moves" says the value now, and above it what it was wrong by at such
hours; "as usual" says the usual course. Rules are read hour by hour beside the verified leads, since their courses turn
slowly. The other rivals, made for a lead at a time, say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from forecast.baselines import History, Rivals, fit
from forecast.peaks import PEAK_OF, PEAKS, with_peaks
from forecast.scores import equal_weight
from forecast.values import Array, Series, series

SAYING: tuple[str, ...] = ("persistence", "climatology", "anomaly_persistence")
"""Baselines whose peaks are told."""
_HOUR_MIN = 60.0

Told = Mapping[str, Mapping[str, Series]]
"""Rival -> measure -> what it says."""


class PeakRivals:
    """The rules as learned from a history, for the peaks up to some leads; learned anew as often as the rivals are."""

    def __init__(self, history: History, lead_min: Sequence[float]) -> None:
        self._lead_min = np.array(sorted(lead_min), dtype=np.float64)
        hours = np.arange(_HOUR_MIN, self._lead_min[-1] + 1.0, _HOUR_MIN)
        self._path_min = np.union1d(hours, self._lead_min)
        mine = {measure: values for measure, values in history.measures.items() if measure in PEAK_OF}
        self._rivals: Rivals | None = (
            fit(replace(history, measures=mine), lead_min=self._path_min, look_back=False) if mine else None
        )

    def ahead(self, as_of: datetime, now: Mapping[str, float]) -> dict[str, dict[str, Series]]:
        """What they say from an instant, by the value now: rival -> peak -> distribution at each lead."""
        if self._rivals is None:
            return {}
        told = self._rivals.ahead(as_of, now)
        return {name: self._peaks(told[name], now) for name in SAYING}

    def _peaks(self, told: Mapping[str, Series], now: Mapping[str, float]) -> dict[str, Series]:
        from_now = np.append(0.0, self._path_min)
        paths = {m: path_of(now.get(m, np.nan), said) for m, said in told.items()}
        at = np.flatnonzero(np.isin(from_now, self._lead_min))
        return {m: series(values[at]) for m, values in with_peaks(paths, from_now).items() if m in PEAKS}


def path_of(now: float, said: Series) -> Array:
    """Paths that begin with the value now and keep their rank, `(1 + lead, member)`."""
    levels = sorted(said.quantiles)
    ahead = equal_weight(np.stack([said.quantiles[q] for q in levels], axis=-1), levels=levels)
    return np.concatenate([np.full((1, ahead.shape[1]), now), ahead])


def beside(rivals: Told, peaks: Told) -> dict[str, Mapping[str, Series]]:
    """What rivals say, and of the peaks."""
    return {name: {**told, **peaks.get(name, {})} for name, told in rivals.items()}
