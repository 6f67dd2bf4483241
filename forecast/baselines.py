"""The rivals: what a forecast must beat before it is worth showing.

Eight baselines, each a distribution (mean and quantiles) for any measure, learned from the measure's own past alone:

- `persistence`: as now. The value now plus the errors that this very rule made in the past, by lead and by the local
  hour block of the valid time.
- `climatology`: as usual at this hour of this weekday. A smoothed mean by local quarter hour of the week, drawn
  towards the mean by time of day as far as the weekdays cannot be told apart (empirical Bayes), plus the errors it
  made on weeks that it had not seen, by hour block. The hard one from about four hours ahead.
- `anomaly_persistence`: as usual, plus the part of today's departure from it that has lasted in the past. The hard
  one at short leads.
- `level_climatology`, `level_anomaly`: the last two, following their level (`forecast/levelled.py`).
- `yesterday`, `last_week`, `autoregression`: they look further back than now (`forecast/lagged.py`).

Nothing after the history's present is read: whatever comes later, the baselines are the same to the last bit.
NaN (a wait with nobody waiting, a gap in the feed) is left out of what is learned. A baseline that has nothing to say
says NaN: persistence when the value now is NaN, those that look further back without a history, all of them before they
have seen `LEAST_ERRORS` errors of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from forecast.lagged import LAGGED, LONG_DAYS, RECENT, Lagged, Recent, centres, recent_of
from forecast.lagged import learn as learn_lagged
from forecast.levelled import LEVELLED, Levelled
from forecast.levelled import centres as levelled_centres
from forecast.levelled import learn as learn_levelled
from forecast.usual import (
    A_DAY,
    STEP_MIN,
    Integers,
    at_valid_times,
    earlier,
    errors_by_block,
    lasting_share,
    quarters_of_week,
    read,
    usual_of,
    usual_without_own_week,
)
from forecast.values import LEVELS, Array, Series

BASELINES: tuple[str, ...] = ("persistence", "climatology", "anomaly_persistence", *LEVELLED, *LAGGED)
WINDOW_DAYS = 84
"""How far back all but the last three look: 12 weeks, long enough for each weekday, short enough for the season."""


@dataclass(frozen=True)
class History:
    """Measures on a grid of 15 minutes from `start_at` (aware); the present is the instant at `now_index`.

    Each measure is `(time,)`, NaN where it is not defined or not known. The values up to the present must be those
    known at the present (a late exit is not in them); those after it are never read.
    Raises ValueError if the instant is naive, the lengths differ, or the present lies outside.
    """

    start_at: datetime
    measures: Mapping[str, Array]
    zone: str
    now_index: int

    def __post_init__(self) -> None:
        lengths = {values.shape for values in self.measures.values()}
        if self.start_at.tzinfo is None:
            raise ValueError(f"start_at must be aware, but is {self.start_at}")
        if len(lengths) != 1:
            raise ValueError(f"measures must share one grid, but have shapes {sorted(lengths)}")
        if not 0 <= self.now_index < lengths.pop()[0]:
            raise ValueError(f"now_index must lie on the grid, but is {self.now_index}")

    @property
    def as_of(self) -> datetime:
        """The present."""
        return self.start_at + timedelta(minutes=STEP_MIN * self.now_index)

    @property
    def now(self) -> dict[str, float]:
        """Each measure at the present."""
        return {name: float(values[self.now_index]) for name, values in self.measures.items()}

    def at(self, instants: Sequence[datetime]) -> dict[str, Array]:
        """Each measure at some instants, `(instant,)`; NaN off the grid and after the present."""
        steps = np.array([(instant - self.start_at) / timedelta(minutes=STEP_MIN) for instant in instants])
        seen = (steps >= 0) & (steps <= self.now_index) & (steps % 1.0 == 0)
        index = np.where(seen, steps, 0).astype(np.int64)
        return {name: np.where(seen, values[index], np.nan) for name, values in self.measures.items()}

    def window(self, steps: int = WINDOW_DAYS * A_DAY) -> tuple[slice, datetime]:
        """The last so many steps of the grid up to the present, and the instant at which they begin."""
        first = max(0, self.now_index + 1 - steps)
        return slice(first, self.now_index + 1), self.start_at + timedelta(minutes=STEP_MIN * first)


@dataclass(frozen=True)
class _Learned:
    """What the past of one measure says; errors are `(block, lead, 1 + level)`, the mean first."""

    usual: Array
    """The mean by local quarter hour of the week, `(672,)`, Monday 0:00 first."""
    usual_errors: Array
    change_errors: Array
    lasting: Array
    """The share of a departure from usual that lasts, `(lead,)`."""
    lasting_errors: Array
    levelled: Levelled | None
    lagged: Lagged | None
    """Both None where nothing is asked of those that look further back than now."""
    at_least: float
    """0 for a measure that was never below it, else minus infinity."""


@dataclass(frozen=True)
class Rivals:
    """The baselines as learned at `fitted_at`, ready for any issue from then on (refit once a day)."""

    fitted_at: datetime
    zone: str
    lead_min: Array
    levels: tuple[float, ...]
    learned: Mapping[str, _Learned]
    told: tuple[str, ...] = BASELINES
    """Which of them were learned."""

    def ahead(
        self, as_of: datetime, now: Mapping[str, float], history: History | None = None
    ) -> dict[str, dict[str, Series]]:
        """Baseline -> measure -> its distribution at `as_of` + each lead, from each measure's value now.

        A measure that is not in `now`, or is NaN there, is one that does not exist now. Those that look further back
        than now read the history, which ends at `as_of` or on the grid before it; without one they say NaN.
        Raises ValueError for an issue before the fit, or before the history's end: it would look ahead.
        """
        latest = self.fitted_at if history is None else max(self.fitted_at, history.as_of)
        if as_of < latest:
            raise ValueError(f"baselines fitted at {latest} cannot forecast from {as_of}: that looks ahead")
        places = quarters_of_week(as_of, np.concatenate([[0.0], self.lead_min]), self.zone)
        recent, late = _recent(history), 0 if history is None else int((as_of - history.as_of) / _STEP)
        found = {
            name: self._of(m, now.get(name, np.nan), places, recent(name), late) for name, m in self.learned.items()
        }
        return {baseline: {name: found[name][baseline] for name in found} for baseline in self.told}

    def _of(self, learned: _Learned, now: float, places: Array, recent: _Past | None, late: int) -> dict[str, Series]:
        ahead = places[1:]
        usual_now, usual = np.split(read(learned.usual, places), [1])
        as_now = np.full(usual.shape, now)
        lasting = usual + learned.lasting * (now - usual_now)
        climatology = self._series(learned, usual, learned.usual_errors, ahead)
        return {
            "persistence": self._series(learned, as_now, learned.change_errors, ahead),
            "climatology": climatology,
            "anomaly_persistence": climatology
            if np.isnan(now)
            else self._series(learned, lasting, learned.lasting_errors, ahead),
            **self._levelled(learned, usual, ahead, float(usual_now[0]), now),
            **self._lagged(learned, usual, ahead, late, _seen(learned, now, float(usual_now[0]), recent)),
        }

    def _levelled(
        self, learned: _Learned, usual: Array, ahead: Array, usual_now: float, now: float
    ) -> dict[str, Series]:
        if (of := learned.levelled) is None:
            return {}
        middle = levelled_centres(of, usual, usual_now, now)
        if np.isnan(now):
            climatology = self._series(learned, middle["level_climatology"], of.errors["level_climatology"], ahead)
            return dict.fromkeys(LEVELLED, climatology)
        return {name: self._series(learned, middle[name], of.errors[name], ahead) for name in LEVELLED}

    def _lagged(
        self, learned: _Learned, usual: Array, ahead: Array, late: int, recent: Recent | None
    ) -> dict[str, Series]:
        if (lagged := learned.lagged) is None:
            return {}
        steps = (self.lead_min // STEP_MIN).astype(np.int64) + late
        if recent is None:
            middle = dict.fromkeys(LAGGED, np.full(steps.size, np.nan))
        else:
            middle = centres(lagged, recent, usual, ahead, steps)
        return {name: self._series(learned, middle[name], lagged.errors[name], ahead) for name in LAGGED}

    def _series(self, learned: _Learned, centre: Array, errors: Array, places: Array) -> Series:
        """The distribution of centre + error, `(lead,)`, for valid times at quarter hours of the week."""
        told = np.maximum(centre[:, None] + at_valid_times(errors, places), learned.at_least)
        return Series(told[:, 0], {level: told[:, i + 1] for i, level in enumerate(self.levels)})


def fit(
    history: History, *, lead_min: Sequence[float] | Array, levels: tuple[float, ...] = LEVELS, look_back: bool = True
) -> Rivals:
    """The baselines learned from all that the history knows up to its present, for the given leads.

    Without `look_back` those that look further back than now, which take most of the time, are left out. At lead 0,
    where a wall begins its fan, all but the two climatologies say the value now.
    Raises ValueError unless each lead is 0 or a multiple of the grid's 15 minutes.
    """
    leads = np.asarray(lead_min, dtype=np.float64)
    if np.any(leads < 0) or np.any(leads % STEP_MIN):
        raise ValueError(f"leads must be multiples of {STEP_MIN} min, but are {leads.tolist()}")
    part, places = _placed(history, LONG_DAYS * A_DAY)
    steps = (leads // STEP_MIN).astype(np.int64)
    learned = {
        name: _learn(values[part], places, steps, levels, look_back) for name, values in history.measures.items()
    }
    told = BASELINES if look_back else tuple(name for name in BASELINES if name not in (*LEVELLED, *LAGGED))
    return Rivals(history.as_of, history.zone, leads, levels, learned, told)


def forecasts(
    history: History, *, lead_min: Sequence[float] | Array, levels: tuple[float, ...] = LEVELS
) -> dict[str, dict[str, Series]]:
    """Fit and forecast at the history's present: baseline -> measure -> distribution, `(lead,)`."""
    return fit(history, lead_min=lead_min, levels=levels).ahead(history.as_of, history.now, history)


def _placed(history: History, steps: int) -> tuple[slice, Array]:
    """The last steps of a history, and their local quarter hours of the week."""
    part, start_at = history.window(steps)
    minutes = np.arange(part.stop - part.start) * float(STEP_MIN)
    return part, quarters_of_week(start_at, minutes, history.zone)


_STEP = timedelta(minutes=STEP_MIN)
_Past = tuple[Array, Array]
"""The last weeks of a measure, and their local quarter hours of the week."""


def _recent(history: History | None) -> Callable[[str], _Past | None]:
    """The last weeks of each measure that the history has."""
    if history is None:
        return lambda name: None
    part, places = _placed(history, RECENT)
    return lambda name: (history.measures[name][part], places) if name in history.measures else None


def _seen(learned: _Learned, now: float, usual_now: float, past: _Past | None) -> Recent | None:
    return None if past is None else recent_of(*past, learned.usual, now, usual_now)


def _learn(long: Array, long_places: Array, steps: Integers, levels: tuple[float, ...], look_back: bool) -> _Learned:
    values, places = long[-WINDOW_DAYS * A_DAY :], long_places[-WINDOW_DAYS * A_DAY :]
    slots = places.astype(np.int64)
    usual = usual_of(values, slots)
    others = usual_without_own_week(values, slots)
    departure = values - others
    before = earlier(departure, steps)
    lasting = lasting_share(before, departure[:, None])
    never_below = bool(np.all(values[~np.isnan(values)] >= 0.0))
    return _Learned(
        usual=usual,
        usual_errors=errors_by_block(departure[:, None], places, levels),
        change_errors=errors_by_block(values[:, None] - earlier(values, steps), places, levels),
        lasting=lasting,
        lasting_errors=errors_by_block(departure[:, None] - lasting * before, places, levels),
        levelled=learn_levelled(values, others, usual[slots], places, steps, levels) if look_back else None,
        lagged=learn_lagged(long, long_places, steps, levels) if look_back else None,
        at_least=0.0 if never_below else -np.inf,
    )
