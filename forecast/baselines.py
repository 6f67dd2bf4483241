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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.lagged import LAGGED, LONG_DAYS, RECENT, Lagged, centres, recent_of
from forecast.lagged import learn as learn_lagged
from forecast.levelled import LEVELLED, Levelled, level_by_day
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
    """What the past of one measure says; errors are `(block, lead, 1 + level)`, the mean first.

    Of several, with an axis for them in front.
    """

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
    at_least: Array
    """0 for a measure that was never below it, else minus infinity; one number."""


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
        if not self.learned:
            return {baseline: {} for baseline in self.told}
        places = quarters_of_week(as_of, np.concatenate([[0.0], self.lead_min]), self.zone)
        late = 0 if history is None else int((as_of - history.as_of) / _STEP)
        told = self._told(
            np.array([now.get(name, np.nan) for name in self.learned]), places, self._recent(history), late
        )
        return {baseline: dict(zip(self.learned, self._series(told[baseline]), strict=True)) for baseline in self.told}

    @cached_property
    def _together(self) -> _Learned:
        """What was learned of all measures."""
        together: _Learned = _stacked(list(self.learned.values()))
        return together

    def _told(self, now: Array, places: Array, recent: _Recent | None, late: int) -> dict[str, Array]:
        """The distribution of each rival, `(measure, lead, 1 + level)`, at quarter hours of the week, now first."""
        learned, ahead = self._together, places[1:]
        at_first, usual = np.split(read(learned.usual, places), [1], axis=-1)
        usual_now = at_first[:, 0]
        around = _Around(ahead, learned.at_least)
        lasting = usual + learned.lasting * (now - usual_now)[:, None]
        climatology = around(usual, learned.usual_errors)
        out = {
            "persistence": around(np.broadcast_to(now[:, None], usual.shape), learned.change_errors),
            "climatology": climatology,
            "anomaly_persistence": _or_usual(now, around(lasting, learned.lasting_errors), climatology),
        }
        if (levelled := learned.levelled) is not None:
            middle = levelled_centres(levelled, usual, usual_now, now)
            level, anomaly = (around(middle[name], levelled.errors[name]) for name in LEVELLED)
            out |= zip(LEVELLED, (level, _or_usual(now, anomaly, level)), strict=True)
        if (lagged := learned.lagged) is not None:
            middle = dict.fromkeys(LAGGED, np.full(usual.shape, np.nan))
            if recent is not None:
                steps = (self.lead_min // STEP_MIN).astype(np.int64) + late
                values, of_week, is_there = recent
                seen = recent_of(values, of_week, learned.usual, now, usual_now)
                said = centres(lagged, seen, usual, ahead, steps)
                middle = {name: np.where(is_there[:, None], told, np.nan) for name, told in said.items()}
            out |= {name: around(middle[name], lagged.errors[name]) for name in LAGGED}
        return out

    def _recent(self, history: History | None) -> _Recent | None:
        """The last weeks of each measure as far as the history has them."""
        if history is None or any(one.lagged is None for one in self.learned.values()):
            return None
        part, places = _placed(history, RECENT)
        unknown = np.full(places.size, np.nan)
        rows = [history.measures[m][part] if m in history.measures else unknown for m in self.learned]
        return np.stack(rows), places, np.array([m in history.measures for m in self.learned])

    def _series(self, told: Array) -> Iterator[Series]:
        """One of each measure."""
        for of in told:
            yield Series(of[:, 0], {level: of[:, i + 1] for i, level in enumerate(self.levels)})


@dataclass(frozen=True)
class _Around:
    """Distributions around what rivals say is the middle, for valid times at quarter hours of the week."""

    places: Array
    at_least: Array

    def __call__(self, centre: Array, errors: Array) -> Array:
        """That of centre + error, `(measure, lead, 1 + level)`."""
        told = centre[..., None] + at_valid_times(errors, self.places)
        return np.asarray(np.maximum(told, self.at_least[:, None, None]))


def _or_usual(now: Array, anomaly: Array, usual: Array) -> Array:
    """What is usual of measures whose value now is not known."""
    return np.where(np.isnan(now)[:, None, None], usual, anomaly)


def _stacked(parts: Sequence[Any]) -> Any:
    """What was learned of one measure after the other, as one with an axis for them in front."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {name: _stacked([one[name] for one in parts]) for name in first}
    if isinstance(first, _Learned | Levelled | Lagged):
        return type(first)(**{f.name: _stacked([getattr(one, f.name) for one in parts]) for f in fields(first)})
    return None if first is None else np.stack(parts)


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
    told = BASELINES if look_back else tuple(name for name in BASELINES if name not in (*LEVELLED, *LAGGED))
    pasts = {name: _past(values[part], places) for name, values in history.measures.items()}
    learned = {name: _learn(past, steps, levels) for name, past in pasts.items()}
    if look_back and pasts:
        looking_back = _looking_back(list(pasts.values()), steps, levels)
        learned = {
            name: replace(of, levelled=levelled, lagged=lagged)
            for (name, of), (levelled, lagged) in zip(learned.items(), looking_back, strict=True)
        }
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
_Recent = tuple[Array, Array, npt.NDArray[np.bool_]]
"""The last weeks of some measures, `(measure, time)`, their local quarter hours of the week, and which measures the
history has, `(measure,)`."""


@dataclass(frozen=True, eq=False)
class _Past:
    """One measure, `(time,)`, at local quarter hours of the week: up to a year, then the last weeks of it."""

    long: Array
    long_places: Array
    values: Array
    places: Array
    usual: Array
    """The mean by local quarter hour of the week."""
    others: Array
    """What was usual at each time by the other weeks alone."""


def _past(long: Array, long_places: Array) -> _Past:
    values, places = long[-WINDOW_DAYS * A_DAY :], long_places[-WINDOW_DAYS * A_DAY :]
    slots = places.astype(np.int64)
    return _Past(long, long_places, values, places, usual_of(values, slots), usual_without_own_week(values, slots))


def _learn(past: _Past, steps: Integers, levels: tuple[float, ...]) -> _Learned:
    """But for those that look further back than now."""
    values, places = past.values, past.places
    departure = values - past.others
    before = earlier(departure, steps)
    lasting = lasting_share(before, departure[:, None])
    never_below = bool(np.all(values[~np.isnan(values)] >= 0.0))
    return _Learned(
        usual=past.usual,
        usual_errors=errors_by_block(departure[:, None], places, levels),
        change_errors=errors_by_block(values[:, None] - earlier(values, steps), places, levels),
        lasting=lasting,
        lasting_errors=errors_by_block(departure[:, None] - lasting * before, places, levels),
        levelled=None,
        lagged=None,
        at_least=np.array(0.0 if never_below else -np.inf),
    )


def _looking_back(
    pasts: Sequence[_Past], steps: Integers, levels: tuple[float, ...]
) -> Iterator[tuple[Levelled, Lagged]]:
    """What those learn of each measure that look further back than now; their levels are followed side by side."""
    values, others = np.stack([past.values for past in pasts]), np.stack([past.others for past in pasts])
    slots = pasts[0].places.astype(np.int64)
    usual = np.stack([past.usual[slots] for past in pasts])
    by_day, level_now = level_by_day(values, others), level_by_day(values, usual)[:, -1]
    for past, levels_then, level in zip(pasts, by_day, level_now, strict=True):
        levelled = learn_levelled(past.values, past.others, levels_then, level, past.places, steps, levels)
        yield levelled, learn_lagged(past.long, past.long_places, steps, levels)
