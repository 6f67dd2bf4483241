"""Counts of patients present in Quebec's emergency departments, forecast as by a site that knows no patients.

Every forecast is made at a whole hour from the last *published* reading (45 minutes late, so that of the hour before),
with rivals learned anew every week from up to a year before, and weights, bias and spread every four weeks from
forecasts of the same replay whose truth was published by then. Real data are read where they lie and never copied.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow.parquet as pq

from forecast.baselines import BASELINES, History, fit
from forecast.scores import crps_quantiles
from forecast.values import LEVELS, Array
from forecast.verify import Pairs, RivalScores, joined
from tests.weighed import published

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "quebec-ed-hourly" / "quebec_ed_hourly_dev.parquet"
ZONE = "America/Montreal"
SIMPLE: tuple[str, ...] = ("persistence", "anomaly_persistence", "yesterday", "last_week", "climatology")
"""What the combination is judged by."""
LEADS: Array = np.linspace(60.0, 1440.0, 24)
LATE_HOURS = 1
"""At a whole hour the last published reading is that of the hour before."""
VALID_SHARE = 0.9
_HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Readings:
    """One site's hourly counts, `(hour,)`, from an instant on; NaN where there is none."""

    site: str
    start_at: datetime
    values: Array


@dataclass(frozen=True)
class Period:
    """What is forecast: from `learned_at` on for weights to learn from, from `judged_at` on to judge."""

    learned_at: datetime = datetime(2023, 10, 1, tzinfo=UTC)
    judged_at: datetime = datetime(2024, 1, 1, 5, tzinfo=UTC)
    until: datetime = datetime(2025, 1, 1, 4, tzinfo=UTC)
    every_h: int = 7
    """Not a part of a day, so that all hours come round."""
    renew: timedelta = timedelta(days=7)
    """How often the rivals are learned anew."""
    weigh: timedelta = timedelta(days=28)
    """How often weights, bias and spread are."""


@dataclass(frozen=True)
class Figures:
    """How one site did: by lead, the combination beside each of its rivals, on the pairs that all of them have."""

    site: str
    mean: float
    crps: dict[str, list[float]]
    mae: dict[str, list[float]]
    coverage_80: list[float]
    pairs: list[int] = field(default_factory=list)

    def gain(self, score: str = "crps") -> Array:
        """How much better than the best of the simple rivals at each lead, as a share of its score."""
        of = self.crps if score == "crps" else self.mae
        return np.asarray(1.0 - np.array(of["combined"]) / np.min([of[name] for name in SIMPLE], axis=0))


def sites() -> list[Readings]:
    """All sites with enough valid hours, in the order of their numbers."""
    table = pq.read_table(DATA, columns=["ts_local", "site_id", "patients_total"])
    names, local = table["site_id"].to_numpy(zero_copy_only=False), table["ts_local"].to_numpy()
    counts = table["patients_total"].to_numpy(zero_copy_only=False).astype(np.float64)
    hours = {stamp: _instant(stamp) for stamp in np.unique(local)}
    first, last = min(hours.values()), max(hours.values())
    size = int((last - first) / timedelta(hours=1)) + 1
    place = {stamp: int((instant - first) / timedelta(hours=1)) for stamp, instant in hours.items()}
    found = []
    for name in sorted(set(names)):
        values, mine = np.full(size, np.nan), names == name
        values[[place[stamp] for stamp in local[mine]]] = counts[mine]
        if np.mean(~np.isnan(values)) >= VALID_SHARE:
            found.append(Readings(str(name), first, values))
    return found


def figures(of: Readings, period: Period) -> Figures:
    """The statistical part alone on one site: forecast, learned from, scored."""
    pairs = forecasts(of, period)
    said = published(pairs, ZONE, every=period.weigh, late=timedelta(hours=LATE_HOURS))
    judged = np.flatnonzero(pairs.issued_at >= np.datetime64(period.judged_at.replace(tzinfo=None)))
    return _figures(of, said[judged], pairs.taken(judged))


def forecasts(of: Readings, period: Period) -> Pairs:
    """The rivals at every issue, met by what came; nothing is simulated."""
    return joined([_week(of, week, period) for week in _turns(period, period.renew)])


def _instant(stamp: np.datetime64) -> datetime:
    """Of a local hour; the hour that stands twice in autumn is the first."""
    local = datetime.fromisoformat(str(stamp.astype("datetime64[s]")))
    return local.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def _turns(period: Period, every: timedelta) -> Iterator[datetime]:
    at = period.learned_at
    while at < period.until:
        yield at
        at += every


def _week(of: Readings, begins_at: datetime, period: Period) -> Pairs:
    """The issues of one week, by rivals fitted on what was published by its beginning."""
    grid = np.full(of.values.size * 4, np.nan)
    grid[::4] = of.values

    def history(reading: int) -> History:
        return History(of.start_at, {"census": grid}, ZONE, reading * 4)

    first = round((begins_at - of.start_at) / timedelta(hours=1))
    last = min(first + int(period.renew / timedelta(hours=1)), of.values.size - LEADS.size)
    rivals = fit(history(first - LATE_HOURS), lead_min=LEADS + 60.0 * LATE_HOURS)
    parts = []
    for issue in range(first + (-first) % period.every_h, last, period.every_h):
        read = history(issue - LATE_HOURS)
        ahead = rivals.ahead(read.as_of, read.now, read)
        cuts = {name: np.stack([by["census"].quantiles[q] for q in LEVELS], axis=-1) for name, by in ahead.items()}
        parts.append((issue, cuts))
    return _pairs(of, parts)


def _pairs(of: Readings, parts: list[tuple[int, dict[str, Array]]]) -> Pairs:
    """Issues and what came, as the archive would hold them; what was simulated is NaN."""
    issue = np.repeat(np.array([at for at, _ in parts], dtype=np.int64), LEADS.size)
    lead = np.tile(LEADS, len(parts))
    came = of.values[issue + (lead // 60).astype(np.int64)]
    start = np.datetime64(of.start_at.replace(tzinfo=None), "us")
    rivals = {
        name: np.concatenate([np.empty((0, len(LEVELS))), *(cuts[name] for _, cuts in parts)]) for name in BASELINES
    }
    none = np.full(came.size, np.nan)
    return Pairs(
        issued_at=start + issue * _HOUR, measure=np.full(came.size, "census", dtype=object), lead_min=lead,
        observed=came, error=none, absolute_error=none, crps=none, inside=dict.fromkeys((50, 80, 95), none),
        raw_crps=none, raw_error=none, raw_half_width=none, raw_inside_80=none, weight_of_simulation=none,
        quantiles=np.full((came.size, len(LEVELS)), np.nan), raw_quantiles=np.full((came.size, len(LEVELS)), np.nan),
        levels=LEVELS,
        rivals={name: RivalScores(crps_quantiles(cuts, came, levels=LEVELS), np.abs(cuts[:, 4] - came), cuts)
                for name, cuts in rivals.items()},
    )  # fmt: skip


def _figures(of: Readings, told: Array, weeks: Pairs) -> Figures:
    own = crps_quantiles(told, weeks.observed, levels=LEVELS)
    whole = ~np.isnan(own) & ~np.any([np.isnan(weeks.rivals[name].crps) for name in SIMPLE], axis=0)
    at = [np.flatnonzero(whole & (weeks.lead_min == lead)) for lead in LEADS]
    scores = {"combined": (own, np.abs(told[:, 4] - weeks.observed))}
    scores |= {name: (r.crps, r.absolute_error) for name, r in weeks.rivals.items()}
    inside = (told[:, 2] <= weeks.observed) & (weeks.observed <= told[:, 6])
    return Figures(
        of.site,
        float(np.nanmean(of.values)),
        {name: [float(np.nanmean(crps[k])) for k in at] for name, (crps, _) in scores.items()},
        {name: [float(np.nanmean(off[k])) for k in at] for name, (_, off) in scores.items()},
        [float(inside[k].mean()) for k in at],
        [int(k.size) for k in at],
    )


def _one(of: Readings) -> Figures:
    return figures(of, Period())


def main() -> None:
    """All sites, or some of them, as a table; kept as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, default=0, help="only so many, evenly chosen; 0 for all")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("build/quebec.json"))
    given = parser.parse_args()
    chosen = sites()
    chosen = chosen[:: max(1, len(chosen) // given.sites)][: given.sites] if given.sites else chosen
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(given.processes) as pool:
        found = []
        for one in pool.map(_one, chosen):
            found.append(one)
            given.out.write_text(json.dumps([vars(each) for each in found]), encoding="utf-8")
            print(one.site, f"{one.mean:.1f}", np.round(100 * one.gain()[[0, 1, 3, 7, 11, 23]], 1), flush=True)
    print(table(found))


def table(found: list[Figures]) -> str:
    """By lead: the gain over the best simple rival in the median site, in the worst, and where there is none."""
    gains, maes = np.array([f.gain() for f in found]), np.array([f.gain("mae") for f in found])
    covers = np.array([f.coverage_80 for f in found])
    rows = [
        f"| {int(lead // 60)} h | {100 * np.median(gains[:, i]):+.1f} % | {100 * gains[:, i].min():+.1f} % "
        f"| {int((gains[:, i] > 0).sum())} of {len(found)} | {100 * np.median(maes[:, i]):+.1f} % "
        f"| {np.median([f.mae['combined'][i] / f.mean for f in found]):.3f} | {100 * covers[:, i].mean():.0f} % |"
        for i, lead in enumerate(LEADS)
    ]
    return "\n".join(rows)


if __name__ == "__main__":
    main()
