"""The page of trust as plain values; `trust.py` makes them. What cannot be said is NaN, and shown as absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Ends = tuple[float, float]
"""The ends of an interval; NaN where there are too few days for one."""


@dataclass(frozen=True)
class LeadTrust:
    """How good what was published of one measure at one lead was; intervals hold 95 times in 100."""

    lead_min: int
    n: int
    crps: float
    """How far the whole forecast lay from what came, in the measure's unit."""
    raw_crps: float
    """The same of the simulation, as it was."""
    rival_crps: Mapping[str, float]
    skill: Mapping[str, float]
    """By rival, the share of its crps that was saved; below 0 the rival was better."""
    skill_ci95: Mapping[str, Ends]
    bias: float
    """How much too high on average."""
    bias_ci95: Ends
    covered_80: float
    """Share of what came that lay in the 80 % interval; who lies on an end counts by luck."""
    covered_band: Ends
    """Of all leads at once."""
    share: float
    """The simulation's, in what was published."""

    @property
    def best_rival(self) -> tuple[float, Ends] | None:
        """The gain over the best of the rivals with its interval; None where there is none to compare with."""
        known = {name: gain for name, gain in self.skill.items() if gain == gain}
        if not known:
            return None
        name = min(known, key=known.__getitem__)
        return known[name], self.skill_ci95[name]


@dataclass(frozen=True)
class MeasureTrust:
    """One measure, lead by lead."""

    measure: str
    leads: tuple[LeadTrust, ...]

    @property
    def rivals(self) -> tuple[str, ...]:
        """All that it was compared with."""
        return tuple(dict.fromkeys(name for at in self.leads for name in at.skill))


@dataclass(frozen=True)
class Judged:
    """What verified forecasts say of how good they were."""

    measures: tuple[MeasureTrust, ...]
    n_issues: int
    days: int
    """Days (UTC) on which they were issued."""
    first_at: datetime
    last_at: datetime
    """When the last of them was issued."""
    replayed: bool
    """True where they come from a replay of the history."""

    def of(self, measure: str) -> MeasureTrust | None:
        """What they say of a measure; None where it was not forecast."""
        return next((one for one in self.measures if one.measure == measure), None)


@dataclass(frozen=True)
class TrustView:
    """The page of trust, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    judged: Judged | None = None
    """None before any forecast has met what came."""
    shares: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    """The simulation's share in what is published now, by measure and lead in minutes, as `Board.shares`."""
    learned_at: datetime | None = None
    """When corrections and weights were last learned; None before the first cycle."""
    learned_days: int = 0
    """Days of verified forecasts that they were learned from."""
    measured_days: tuple[int, int] | None = None
    """Days of history replayed so far, and in all; None while none are."""
    report_at: datetime | None = None
    """When the last report of a back-test was written; None where there is none."""
