"""What members say of a rule: how likely, from when on, how high; all of it joint, so read from members alone.

found = chance(rule, "crowded", values, lead_min, threshold=60, as_of=now, until=evening)
found.p                  # the share of members that are over it for as long as counts, begun by `until`
found.first              # when, in those: 1 in 10 before, the middle, 9 in 10 before
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from forecast.alert_rules import Rule
from forecast.scores import equal_weight
from forecast.values import Array, Series
from ingest.clock import local

Flags = npt.NDArray[np.bool_]

Three = tuple[datetime, datetime, datetime]


@dataclass(frozen=True)
class Chance:
    """What is likely to come of one rule, as forecast at `as_of`."""

    rule: str
    measure: str
    as_of: datetime
    until: datetime
    threshold: float
    is_over: bool
    """True where more than the threshold is what must not be, False where less."""
    p: float
    """The share of members in which it comes, and lasts."""
    now: float
    """The measure at the present, the mean over members."""
    first: Three | None
    """When it begins, in the members in which it comes: 10, 50 and 90 %; None where it comes in none."""
    worst: tuple[float, float, float]
    """The highest (or lowest) value up to `until`: 10, 50 and 90 %."""
    worst_at: datetime
    """The middle of when."""


def until_of(rule: Rule, as_of: datetime, zone: str) -> datetime:
    """Up to when a rule looks from an instant: its span, or the next time that its local hour comes."""
    if rule.until_h is None:
        return as_of + timedelta(hours=rule.within_h)
    there = local(as_of, zone)
    at = there.replace(hour=rule.until_h, minute=0, second=0, microsecond=0)
    return (at if at > there else at + timedelta(days=1)).astimezone(UTC)


def chance(
    rule: Rule, name: str, values: Array, lead_min: Array, *, threshold: float, as_of: datetime, until: datetime
) -> Chance | None:
    """The chance of a rule from its measure, `(lead, member)`; None where no member has it, or no lead is in reach."""
    here = lead_min <= (until - as_of) / timedelta(minutes=1)
    if not here.any() or np.isnan(values[here]).all():
        return None
    is_over = rule.over is not None
    beyond = values > threshold if is_over else values < threshold  # NaN is neither
    begins = begun(beyond, lead_min, rule.lasts_min)[here]
    comes = begins.any(axis=0)
    ill = np.where(np.isnan(values[here]), -np.inf, values[here] if is_over else -values[here])
    worst = ill.max(axis=0)
    finite = worst[np.isfinite(worst)]
    cuts = np.sort(np.quantile(finite, (0.1, 0.5, 0.9)) * (1 if is_over else -1))
    return Chance(
        rule=name,
        measure=rule.measure,
        as_of=as_of,
        until=until,
        threshold=threshold,
        is_over=is_over,
        p=float(comes.mean()),
        now=float(np.nanmean(values[0])) if not np.isnan(values[0]).all() else float("nan"),
        first=_first(lead_min[here][begins[:, comes].argmax(axis=0)], as_of),
        worst=(float(cuts[0]), float(cuts[1]), float(cuts[2])),
        worst_at=as_of + timedelta(minutes=float(np.quantile(lead_min[here][ill.argmax(axis=0)], 0.5, method="lower"))),
    )


def begun(beyond: Flags, at_min: Array, lasts_min: float) -> Flags:
    """Where a stretch begins that goes on for so long, `(time, ..)`: beyond now and at every instant of that while.

    What the last instants do not tell any more has not lasted.
    """
    step = float(at_min[1] - at_min[0]) if at_min.size > 1 else 1.0
    longer = int(np.ceil(lasts_min / step))
    out = beyond.copy()
    for k in range(1, longer + 1):
        out[: beyond.shape[0] - k] &= beyond[k:]
    if longer:
        out[max(beyond.shape[0] - longer, 0) :] = False
    return out


def _first(lead_min: Array, as_of: datetime) -> Three | None:
    if not lead_min.size:
        return None
    early, middle, late = np.quantile(lead_min, (0.1, 0.5, 0.9), method="lower").tolist()
    return (
        as_of + timedelta(minutes=early),
        as_of + timedelta(minutes=middle),
        as_of + timedelta(minutes=late),
    )


def rival_chance(series: Series, lead_min: Array, *, threshold: float, is_over: bool, until_min: float) -> float:
    """The highest chance that a rival gives to any instant up to `until_min`; NaN where it has nothing to say.

    A rival tells each lead apart, so it cannot say how likely it is that something comes at all; its highest chance
    puts days in the same order, which is what counts where each is given its own threshold.
    """
    here = lead_min <= until_min
    levels = sorted(series.quantiles)
    cuts = np.stack([series.quantiles[level][here] for level in levels], axis=-1)
    told = ~np.isnan(cuts).any(axis=-1)
    if not told.any():
        return float("nan")
    sample = equal_weight(cuts[told], levels=levels)
    beyond = sample > threshold if is_over else sample < threshold
    return float(beyond.mean(axis=-1).max())
