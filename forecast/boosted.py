"""The boosted rival: quantiles of the census by gradient boosting (LightGBM), in back-tests, where it is installed.

What the field takes to be the best of those that only look at numbers: for each lead and each level a boosted tree on
what is known at the issue, the census, who waits and boards, the arrivals of the last hours, how busy the last day and
week were, and the hour of the week that is spoken of. Learned anew as often as the parameters are, from up to twelve
weeks, with fixed seeds and one thread: the same history gives the same trees.

Installed with `pip install edtwin[boosted]`; a back-test that asks for it and does not find it says so and goes on.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from forecast.baselines import WINDOW_DAYS, History
from forecast.usual import A_DAY, A_WEEK, STEP_MIN, Integers, quarters_of_week
from forecast.values import LEVELS, Array, Series
from forecast.weighting import level_shares

RIVAL = "boosted"
"""Its name among the baselines, of the census of the department alone."""
MEASURE = "ed_census"
MISSING = "the boosted rival is left out: it needs lightgbm (pip install edtwin[boosted])"
TREES = 60
LEAST_ROWS = 14 * 24
"""Hours of history below which it has nothing to say."""
_AN_HOUR = 60 // STEP_MIN
_STEP = np.float64(STEP_MIN)
_BESIDE = ("ed_waiting", "ed_boarders")
_HOW: dict[str, Any] = {
    "objective": "quantile", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20,
    "num_threads": 1, "deterministic": True, "force_row_wise": True, "seed": 1, "verbosity": -1,
}  # fmt: skip


def installed() -> bool:
    """Whether it can be asked for."""
    return find_spec("lightgbm") is not None


class Boosted:
    """Trees learned from a history, for some leads; `ahead` asks them."""

    def __init__(self, history: History, lead_min: Array) -> None:
        self._steps = (lead_min // STEP_MIN).astype(np.int64)
        part, start_at = history.window(WINDOW_DAYS * A_DAY)
        census = history.measures[MEASURE][part]
        places = quarters_of_week(start_at, np.arange(census.size) * _STEP, history.zone)
        seen = {name: values[part] for name, values in history.measures.items()}
        self._trees = [_grown(seen, census, places, int(step)) for step in self._steps]

    def ahead(self, history: History) -> Series:
        """What they say of the census at each lead after the history's end; NaN where too little was learned from."""
        part, start_at = history.window(A_WEEK + A_DAY)
        size = part.stop - part.start
        places = quarters_of_week(start_at, np.arange(size + int(self._steps.max())) * _STEP, history.zone)
        seen, at = {name: values[part] for name, values in history.measures.items()}, np.array([size - 1])
        said = [
            _asked(trees, _features(seen, places, at, int(step)))
            for trees, step in zip(self._trees, self._steps, strict=True)
        ]
        cuts = np.array(said)
        return Series(cuts @ level_shares(LEVELS), {level: cuts[:, i] for i, level in enumerate(LEVELS)})


def _grown(seen: dict[str, Array], census: Array, places: Array, step: int) -> list[Any]:
    """A tree ensemble for each level, from issues an hour apart; none where there are too few."""
    library = import_module("lightgbm")
    at = np.arange(census.size - 1 - step, A_DAY, -_AN_HOUR)
    came = census[at + step]
    known = ~np.isnan(came)
    if known.sum() < LEAST_ROWS:
        return []
    x = _features(seen, places, at[known], step)
    return [library.train({**_HOW, "alpha": level}, library.Dataset(x, came[known]), TREES) for level in LEVELS]


def _asked(trees: list[Any], x: Array) -> Array:
    """The quantiles of one issue, in rising order and never below 0."""
    if not trees:
        return np.full(len(LEVELS), np.nan)
    return np.asarray(np.maximum(np.sort([float(tree.predict(x)[0]) for tree in trees]), 0.0))


def _features(seen: dict[str, Array], places: Array, at: Integers, step: int) -> Array:
    """What is known at some times and the hour that is spoken of, `(time, feature)`; NaN where it is not known."""
    census, arrivals = seen[MEASURE], seen.get("ed_arrivals", np.full(seen[MEASURE].size, np.nan))
    back = -(-step // A_DAY) * A_DAY - step
    week = -(-step // A_WEEK) * A_WEEK - step
    now = [_back(census, at, k) for k in (0, _AN_HOUR, 3 * _AN_HOUR, back, week)]
    beside = [_back(seen[name], at, 0) for name in _BESIDE if name in seen]
    come = [_back(arrivals, at, k * _AN_HOUR) for k in range(4)]
    level = [_mean(arrivals, at, A_DAY), _mean(census, at, A_DAY), _mean(census, at, A_WEEK)]
    hour = places[at + step]
    return np.stack([*now, *beside, *come, *level, hour % A_DAY, hour // A_DAY], axis=1)


def _back(values: Array, at: Integers, steps: int) -> Array:
    return np.where(at >= steps, values[np.maximum(at - steps, 0)], np.nan)


def _mean(values: Array, at: Integers, steps: int) -> Array:
    """The mean of the last so many steps, of those that are known."""
    known = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0.0], np.cumsum(known)])
    first = np.maximum(at + 1 - steps, 0)
    n = count[at + 1] - count[first]
    return np.where(n > 0, (total[at + 1] - total[first]) / np.maximum(n, 1.0), np.nan)
