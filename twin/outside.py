"""Series from outside the hospital (weather, counts of flu): a factor on arrivals, where they have helped.

A file is a CSV with the columns `at` (a day, or an instant of an hour), `value` and, if need be, `known_at` (an
instant); without it a value is known when its day or hour is over. What is used for a day is the newest value known at
its local midnight, its own (a weather forecast) or that of a day before: never one that became known later.

The level of the last days follows slow waves by itself, so what counts is how far a value is from those of the days
before. Its effect on the logarithm of a day's arrivals is a least-squares slope, drawn towards 0. A series is used only
if it has helped: week by week, the slope learned from the days before must have told the next week's arrivals better
than without it, by more than chance.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from ingest.clock import local, resolve
from ingest.errors import EdtwinError, UnreadableInputError

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

STALE_DAYS = 14
"""A value that is older tells nothing any more."""
HALF_LIFE_DAYS = 10.0
"""Days after which a value weighs half in what is usual of late, as in the recent level."""
FIRST_DAYS, WEEK, WEEKS = 56, 7, 12
"""The slope is first learned from so many days, and then judged on so many weeks at least."""
PRIOR = 0.05
"""How large slopes are expected to be, for a value one standard deviation from the usual."""
ALIKE_DAYS = 2.0
"""Days resemble the next: so many tell as much as one."""
SURE = 2.0
"""Standard errors by which the weeks must have been told better."""
_COLUMNS = {"at", "value", "known_at"}

Status = Literal["used", "not_shown", "too_short", "stale", "unreadable"]


@dataclass(frozen=True, eq=False)
class Outside:
    """A series by local day, oldest first: what each day's value is, and since when it is known."""

    name: str
    day: Index
    """Ordinals."""
    value: Array
    known_at: tuple[datetime, ...]
    from_day: Index
    """The first day at whose local midnight the value was known."""


@dataclass(frozen=True)
class Learned:
    """What was learned of a series: whether it is used, and what it would have gained."""

    name: str
    status: Status
    days: int = 0
    slope: float = 0.0
    """Of the logarithm of a day's arrivals, for a value one standard deviation above the usual of late."""
    gain: float | None = None
    """Share of the squared errors that it would have saved on weeks that it had not seen; below 0 it did harm."""
    fault: str | None = None


@dataclass(frozen=True, eq=False)
class Effect:
    """A series and what was learned of it, ready to tell the factor of days."""

    learned: Learned
    past: Array
    """Of each day that it was learned from, `(day,)`: 1 where it is not used."""
    ahead: Array
    """Of each day to come that was asked for."""


def read_outside(file: Path, zone: str) -> Outside:
    """The series of a file; raises UnreadableInputError for one that cannot be read, with the line."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            entries = list(_entries(csv.DictReader(text), file, zone))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnreadableInputError(f"{file} cannot be read: {error}") from error
    by_day: dict[int, list[tuple[float, datetime]]] = defaultdict(list)
    for day, value, known_at in entries:
        by_day[day].append((value, known_at))
    days = sorted(by_day)
    known = tuple(max(at for _, at in by_day[day]) for day in days)
    return Outside(
        name=file.stem,
        day=np.array(days, dtype=np.int64),
        value=np.array([float(np.mean([value for value, _ in by_day[day]])) for day in days]),
        known_at=known,
        from_day=np.array([_first_day(at, zone) for at in known], dtype=np.int64),
    )


def _entries(rows: csv.DictReader[str], file: Path, zone: str) -> Iterator[tuple[int, float, datetime]]:
    names = set(rows.fieldnames or ())
    if not {"at", "value"} <= names <= _COLUMNS:
        raise UnreadableInputError(f"{file}: columns must be at, value and perhaps known_at, but are {sorted(names)}")
    for row in rows:
        try:
            yield _entry(row, zone)
        except (ValueError, TypeError) as error:
            raise UnreadableInputError(f"{file}:{rows.line_num}: cannot be read: {error}") from error


def _entry(row: dict[str, str], zone: str) -> tuple[int, float, datetime]:
    """The local day, the value, and when it is known. Raises ValueError for what is none."""
    text, value = row["at"].strip(), float(row["value"])
    if not np.isfinite(value):
        raise ValueError(f"value must be a number, but is {row['value']}")
    if len(text) == len("2026-01-31"):
        day = date.fromisoformat(text)
        over = resolve(datetime(day.year, day.month, day.day) + timedelta(days=1), zone)[0]
    else:
        at = _instant(text, zone)
        day, over = local(at, zone).date(), at + timedelta(hours=1)
    known = (row.get("known_at") or "").strip()
    return day.toordinal(), value, _instant(known, zone) if known else over


def _instant(text: str, zone: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else resolve(at, zone)[0]


def _first_day(at: datetime, zone: str) -> int:
    here = local(at, zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    return here.date().toordinal() + (here > midnight)


# --- what it does to arrivals -------------------------------------------------------------------------------------


def learn_outside(series: Outside, days: Index, told: Array, came: Array, ahead: Index, as_of: datetime) -> Effect:
    """The effect of a series on days one after another, of which so many came where so many were told before, `(day,)`.

    `told` is NaN where nothing was told. Only what was known by then is looked at: at each day's midnight for the past,
    at `as_of` for the days `ahead`.
    """
    value = np.array([_known(series, int(day), series.from_day <= day) for day in days])
    now = np.array([at <= as_of for at in series.known_at], dtype=bool)
    off, usual = _off(value)
    fit = np.isfinite(off) & np.isfinite(told) & (told > 0) & (came > 0)
    spread = float(off[fit].std()) if fit.any() else 0.0
    if int(fit.sum()) < FIRST_DAYS + WEEK * WEEKS or spread == 0.0:
        return _unused(Learned(series.name, "too_short", int(fit.sum())), days, ahead)
    z, r = off[fit] / spread, np.log(came[fit] / told[fit])
    gain, is_sure = _gain(z, r)
    if not is_sure:
        return _unused(Learned(series.name, "not_shown", z.size, 0.0, gain), days, ahead)
    slope = _slope(z, r)
    soon = np.array([_known(series, int(day), now) for day in ahead]) - usual
    used = Learned(series.name, "used" if np.isfinite(soon).any() else "stale", z.size, slope, gain)
    return Effect(used, _factor(slope, off / spread), _factor(slope, soon / spread))


def _known(series: Outside, day: int, known: npt.NDArray[np.bool_]) -> float:
    """The newest of the known values that are of this day or before; NaN where that is too old."""
    rows = np.flatnonzero(known & (series.day <= day) & (series.day > day - STALE_DAYS))
    return float(series.value[rows[-1]]) if rows.size else float("nan")


def _off(value: Array) -> tuple[Array, float]:
    """How far each day's value is from the usual of the days before, `(day,)`; and the usual after the last."""
    decay = 0.5 ** (1.0 / HALF_LIFE_DAYS)
    total = weight = 0.0
    off = np.full(value.size, np.nan)
    for n, x in enumerate(value):
        off[n] = x - total / weight if weight else np.nan
        total, weight = total * decay, weight * decay
        if np.isfinite(x):
            total, weight = total + x, weight + 1.0
    return off, total / weight if weight else float("nan")


def _slope(z: Array, r: Array) -> float:
    """Least squares about the mean, drawn towards 0 as a normal prior of `PRIOR` would."""
    apart, noise = r - r.mean(), float(r.var()) * ALIKE_DAYS
    return float((z @ apart) / (z @ z + noise / PRIOR**2))


def _gain(z: Array, r: Array) -> tuple[float, bool]:
    """The share of squared errors saved on weeks that were not seen, and whether that is more than chance."""
    saved, whole = [], 0.0
    for first in range(FIRST_DAYS, z.size, WEEK):
        week = slice(first, first + WEEK)
        error = r[week] - r[:first].mean()
        better = error - _slope(z[:first], r[:first]) * z[week]
        saved.append(float((error**2).sum() - (better**2).sum()))
        whole += float((error**2).sum())
    mean, standard_error = np.mean(saved), np.std(saved, ddof=1) / np.sqrt(len(saved))
    return float(np.sum(saved)) / max(whole, 1e-12), bool(mean > SURE * standard_error)


def _factor(slope: float, z: Array) -> Array:
    """1 where the value is not known."""
    return np.asarray(np.exp(slope * np.where(np.isfinite(z), np.clip(z, -4.0, 4.0), 0.0)))


def _unused(learned: Learned, days: Index, ahead: Index) -> Effect:
    return Effect(learned, np.ones(days.size), np.ones(ahead.size))


def learn_files(
    files: Sequence[str], zone: str, days: Index, told: Array, came: Array, ahead: Index, as_of: datetime
) -> list[Effect]:
    """The effects of several files, each on what those before leave; one that cannot be read is told and not used."""
    effects: list[Effect] = []
    for file in files:
        try:
            series = read_outside(Path(file), zone)
        except EdtwinError as fault:
            effects.append(_unused(Learned(Path(file).stem, "unreadable", fault=str(fault)), days, ahead))
            continue
        effect = learn_outside(series, days, told, came, ahead, as_of)
        told = told * effect.past
        effects.append(effect)
    return effects
