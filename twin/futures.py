"""The stages in which a patient may be, by what its last milestone leaves open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from twin.calibrate import Calibration
from twin.story import Array, Index
from twin.waits import BED, DECISION, DEPARTURE, PROVIDER, TRIAGE, WARD


@dataclass(frozen=True)
class Future:
    """A stage in which a patient may be: its duration, its share among the futures, and whether it has begun."""

    stage: str
    lasts: str | None
    share: Callable[[Calibration, Index, Index], Array]
    serving: bool = True
    after: str | None = None
    """A duration that is over by now, for the queue for a bed that follows it; nobody queues where beds are free."""


def futures_of(c: Calibration, situation: int) -> list[Future]:
    """The stages of the calibration's path in which a patient of this situation may be."""
    if situation == WARD:
        return [Future("ward", "ward_stay:wanted", _certain)]
    if c.path.name == "stay":
        return [
            Future("stay_home", "stay_home", _rest("p_ward", "p_other", "p_lwbs")),
            *(Future(f"stay_{to}", f"stay_{to}", _share(f"p_{to}")) for to in ("ward", "other", "lwbs")),
        ]
    return _OF_MILESTONES[situation](c)


def by_duration(c: Calibration, lasts: str, unit: Index) -> Sequence[tuple[str, Index]]:
    """The durations behind a name, and the places in `unit` that each is for."""
    if not lasts.endswith(":wanted"):
        return [(lasts, np.arange(unit.size))]
    head = lasts.removesuffix("wanted")
    units = [(code, f"{head}{u.name}") for code, u in enumerate(c.hospital.units) if u.ward]
    return [(name, np.flatnonzero(unit == code)) for code, name in units]


def _after_triage(c: Calibration) -> list[Future]:
    if "doctor" in c.hospital.limited:
        return [
            Future("contact_admit", "care_admit", _share("p_admit"), serving=False),
            Future("contact_home", "care_home", _rest("p_admit"), serving=False),
        ]
    return [Future("waiting", "to_contact", _rest("p_lwbs")), Future("leaving", "to_leaving", _share("p_lwbs"))]


def _for_a_bed(_: Calibration) -> list[Future]:
    return [
        Future("bed_search", "bed_search", _rest("p_elsewhere")),
        Future("boarding", None, _rest("p_elsewhere"), serving=False, after="bed_search"),
        Future("elsewhere", "to_elsewhere", _share("p_elsewhere")),
    ]


def _certain(_: Calibration, cls: Index, block: Index) -> Array:
    return np.ones(cls.size)


def _share(name: str) -> Callable[[Calibration, Index, Index], Array]:
    return lambda c, cls, block: c.parameters.shares[name][cls, block]


def _rest(*names: str) -> Callable[[Calibration, Index, Index], Array]:
    return lambda c, cls, block: 1.0 - sum((c.parameters.shares[n][cls, block] for n in names), np.zeros(cls.size))


_OF_MILESTONES: dict[int, Callable[[Calibration], list[Future]]] = {
    TRIAGE: lambda _: [Future("arrival", "to_triage", _certain)],
    PROVIDER: _after_triage,
    DECISION: lambda _: [
        Future("contact_admit", "care_admit", _share("p_admit")),
        Future("contact_home", "care_home", _rest("p_admit")),
    ],
    DEPARTURE: lambda _: [Future("discharge", "to_exit", _certain)],
    BED: _for_a_bed,
}
