"""The page of supplies as plain values; `supplies.py` makes them. What cannot be said is None, and shown as absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Range = tuple[float, float, float]
"""10, 50 and 90 %: eight chances in ten lie between the first and the last."""
Instants = tuple[datetime | None, datetime | None, datetime | None]
"""The same of instants; None lies beyond what can be told."""


@dataclass(frozen=True)
class Serving:
    """One serving of meals: how many are ordered and needed, and how likely too few are ordered."""

    at: datetime
    closes_at: datetime
    """When orders close."""
    ordered: Range
    needed: Range
    p_late: float
    late: float
    """Meals that come late, on average."""


@dataclass(frozen=True)
class ItemAhead:
    """One item in one scenario."""

    need: Range
    """In all, to the end of the forecast; of devices, the most in use at once."""
    need_by_hour: Mapping[float, tuple[float, ...]]
    """Quantiles by level of what is needed from each of `SuppliesView.valid_at` to the next; of devices, of the most in
    use."""
    stock: Mapping[float, tuple[float, ...]]
    """Quantiles by level at `SuppliesView.valid_at`; of devices, those that are free; of work, what waits."""
    lasts_until: Instants
    """When the stock of now would be used up if nothing more came: early, middle, late."""
    p_short: float
    """That something is needed and not there before the end; of work, that more waits than can be done in an hour."""
    p_short_before_next: float | None
    """The same before the next delivery; None where none comes."""
    short_at: datetime | None
    """In the middle of those cases."""
    missing: float
    """How much is needed and not there, on average."""
    servings: tuple[Serving, ...] = ()


@dataclass(frozen=True)
class Effect:
    """What a scenario changes of an item, member by member on the same luck."""

    scenario: str
    fr: str
    en: str
    need_more: Range
    p_short: float
    lasts_until: Instants
    missing: float
    """On average, in all."""
    missing_more: Range


@dataclass(frozen=True)
class ItemView:
    """One item: what is there, what is to come, and what scenarios would do."""

    name: str
    service: str
    fr: str
    en: str
    unit_fr: str
    unit_en: str
    place_fr: str
    place_en: str
    kind: Literal["stock", "meals", "device", "work"]
    now: Range
    basis: Literal["counted", "delivered", "usual"]
    counted_at: datetime | None
    full: int
    """In stock right after a delivery; of devices, how many there are."""
    deliveries: tuple[datetime, ...]
    need_next: Range
    """In the next four hours."""
    ahead: ItemAhead
    learned_from: int
    """Pairs of counts that taught how much is used; 0: the file's figures."""
    factor: float
    """Times the file's figures."""
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True)
class ServiceView:
    """Who runs some of the items."""

    name: str
    fr: str
    en: str
    items: tuple[ItemView, ...]


@dataclass(frozen=True)
class SuppliesView:
    """The page of supplies, whole."""

    made_at: datetime
    zone: str
    hospital: str
    mode: str
    as_of: datetime | None = None
    """Of when the forecast is; None before the first."""
    valid_at: tuple[datetime, ...] = ()
    services: tuple[ServiceView, ...] = ()
    fault: str | None = None
    """Why nothing can be told."""

    @property
    def items(self) -> tuple[ItemView, ...]:
        """Those of all services."""
        return tuple(item for service in self.services for item in service.items)

    @property
    def first_out(self) -> tuple[ItemView, ...]:
        """Those that are likely enough to lack before the end (one in ten), the first to lack first."""
        lacking = [item for item in self.items if item.ahead.p_short >= LIKELY]
        end = self.valid_at[-1] if self.valid_at else self.made_at
        return tuple(sorted(lacking, key=lambda item: (-item.ahead.p_short, item.ahead.short_at or end)))


LIKELY = 0.1
"""From this chance on a shortage is said at the head of the page."""
