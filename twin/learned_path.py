"""Durations, shares and wards wanted of the two learned paths, from the settled visits of a period.

What lies ahead of a visit is drawn before it shows: whoever will be admitted has other lengths of care than whoever
will go home, so each future has durations of its own (`care_admit`, `care_home`, `stay_ward` ..), and nobody in the
model knows it before the log would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.durations import Duration, fixed, piecewise_exponential
from twin.learned_durations import Cells, learn_duration
from twin.levels import lasting_now
from twin.story import DESTINATIONS, Array, Index, Visits

Flags = npt.NDArray[np.bool_]

DAY_MIN = 1440.0
PLENTY_FREE = 6
"""Beds free at a decision, those held back left out, from which nobody has to wait for one."""
ENOUGH_FOUND_A_BED = 50
"""Boarders who found a bed free, for the search to be learned from them; else the quickest quarter of all."""
PATIENCE_EDGES_MIN = (0.0, 60.0, 120.0, 180.0, 240.0, 360.0, 480.0)
"""Stretches of a wait in which those who wait lose patience alike."""
LEAVERS_PRIOR = 3.0
"""Leavers at which a stretch's own hazard and that of the whole wait weigh alike."""
SHARE_PRIOR = 20.0
"""Visits at which a cell's own share and that of all weigh alike."""
_HOME, _WARD, _TRANSFER, _DIED, _LWBS, _LEFT = (
    DESTINATIONS.index(d) for d in ("home", "ward", "transfer", "died", "left_without_being_seen", "left_during_care")
)


@dataclass(frozen=True, eq=False)
class Sample:
    """Settled, completed visits to the department, one row each, and the cell each belongs to."""

    visits: Visits
    discharged_min: Array
    wanted: Index
    """The ward entered, else the one wanted; -1 where neither is known."""
    asked: Index
    """The ward wanted at the decision, whichever was entered; -1 where not known."""
    cells: Cells
    load_at: Callable[[Array], Index]
    """Load class of the department at given minutes, `(n,)`, for the rows in order."""
    recent: Flags
    """The visits of the last weeks: older ones have a say only where these are few."""
    left_min: Array
    """The departures on record; NaN where one was never told: what completes a visit tells nothing of how long."""

    def lasting(self, start: Array, end: Array, chosen: Flags | None = None) -> Duration | None:
        """The duration from one milestone to another, load taken at its start, as long as things last of late; None
        without a sample."""
        kept = ~np.isnan(start) & ~np.isnan(end) & (True if chosen is None else chosen)
        if not kept.any():
            return None
        cells = Cells(self.cells.cls, self.cells.block, self.load_at(start), self.cells.shape)
        learned = learn_duration((end - start)[kept], cells[kept], self.recent[kept])
        return learned.scaled(self._of_late(learned, start, end, cells, kept & self.recent))

    def _of_late(self, learned: Duration, start: Array, end: Array, cells: Cells, chosen: Flags) -> float:
        """How much longer things last now than in the mean of the last weeks, by the days on which they began."""
        usual = learned.mean_at(cells.cls, cells.block, cells.load)
        some = chosen & (end >= start) & (usual > 0)
        if not some.any():
            return 1.0
        return lasting_now(np.floor(start[some] / DAY_MIN), (end - start)[some], usual[some])

    def share(self, chosen: Flags, among: Flags | None = None) -> Array:
        """The share of the chosen, `(class, block)`, each cell drawn towards its class and that towards all."""
        base = np.ones(chosen.size, dtype=bool) if among is None else among
        classes, blocks, _ = self.cells.shape
        lately = base & self.recent
        among_all = lately if lately.any() else base
        overall = chosen[among_all].mean() if among_all.any() else 0.0
        out = np.empty((classes, blocks))
        for c in range(classes):
            of_class = base & (self.cells.cls == c)
            parent = self._share(chosen, of_class, overall)
            for b in range(blocks):
                out[c, b] = self._share(chosen, of_class & (self.cells.block == b), parent)
        return out

    def _share(self, chosen: Flags, among: Flags, parent: float) -> float:
        """Of the last weeks, drawn towards the year's, and this towards a wider group's."""
        return _drawn(chosen[among & self.recent], _drawn(chosen[among & ~self.recent], parent))

    def wards(self, units: int, admitted: Flags) -> Array:
        """Shares of the ward wanted, `(class, unit)`, drawn towards those of all."""
        known = admitted & (self.wanted >= 0)
        overall = np.bincount(self.wanted[known], minlength=units) + 1e-9
        rows = [
            np.bincount(self.wanted[known & (self.cells.cls == c)], minlength=units)
            + SHARE_PRIOR * overall / overall.sum()
            for c in range(self.cells.shape[0])
        ]
        table = np.array(rows, dtype=np.float64)
        return np.asarray(table / table.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class Learned:
    """What a path needs besides arrivals: durations, shares, wards wanted."""

    durations: Mapping[str, Duration]
    shares: Mapping[str, Array]
    wanted: Mapping[str, Array]


def learn_stay(sample: Sample, units: int, *, wards_followed: bool) -> Learned:
    """For a log of arrivals, departures and destinations: a length of stay for each destination."""
    visits = sample.visits
    ward = visits.to == _WARD
    lwbs = visits.to == _LWBS
    other = np.isin(visits.to, (_TRANSFER, _DIED))
    home = ~(ward | lwbs | other)
    groups = {"stay_home": home, "stay_ward": ward, "stay_other": other, "stay_lwbs": lwbs}
    anyone = sample.lasting(visits.arrived_min, sample.left_min)
    learned = {
        name: sample.lasting(visits.arrived_min, sample.left_min, chosen) or anyone or fixed(0.0)
        for name, chosen in groups.items()
    }
    shares = {
        "p_ward": sample.share(ward),
        "p_other": sample.share(other),
        "p_lwbs": sample.share(lwbs),
        "p_died": sample.share(visits.to == _DIED, among=other),
        "p_ward_followed": np.full(sample.cells.shape[:2], 1.0 if wards_followed else 0.0),
    }
    return Learned(learned, shares, {"ward": sample.wards(units, ward)})


def learn_milestones(
    sample: Sample, units: int, *, doctors: bool, beds: Flags, free_beds: Array, slot: Duration | None
) -> Learned:
    """For a log with triage, first contact and decisions.

    `doctors` is True where the doctors on duty are known: the wait for first contact is then a queue (`slot` is the
    effective time of a contact), else a learned delay. `beds[unit]` is True where the beds of a ward are known:
    boarding is then a search, a learned delay, and a queue; `free_beds` are those of the ward wanted at each
    decision, `(visit,)`.
    """
    visits = sample.visits
    admitted = ~np.isnan(visits.decided_min) | (visits.to == _WARD)
    elsewhere = admitted & (visits.to == _TRANSFER)
    lwbs = visits.to == _LWBS
    ready = np.where(np.isnan(visits.triaged_min), visits.arrived_min, visits.triaged_min)
    decided = np.where(np.isnan(visits.decided_min), sample.left_min, visits.decided_min)
    home_until = np.where(np.isnan(sample.discharged_min), sample.left_min, sample.discharged_min)
    wait = sample.lasting(ready, visits.seen_min) or fixed(0.0)
    durations = {
        "to_triage": sample.lasting(visits.arrived_min, visits.triaged_min) or fixed(0.0),
        "to_contact": fixed(0.0) if doctors else wait,
        "to_leaving": sample.lasting(ready, sample.left_min, lwbs) or fixed(0.0),
        "patience": _patience(visits, ready, lwbs) if doctors else fixed(1e7),
        "doctor_slot": slot or fixed(0.0),
        "care_home": sample.lasting(visits.seen_min, home_until, ~admitted) or fixed(0.0),
        "care_admit": sample.lasting(visits.seen_min, decided, admitted) or fixed(0.0),
        "to_exit": sample.lasting(sample.discharged_min, sample.left_min, ~admitted) or fixed(0.0),
        "bed_search": _bed_search(sample, admitted & ~elsewhere, free_beds, beds),
        "to_elsewhere": sample.lasting(decided, sample.left_min, elsewhere) or fixed(0.0),
    }
    after = ~admitted & ~lwbs
    shares = {
        "p_lwbs": np.zeros(sample.cells.shape[:2]) if doctors else sample.share(lwbs),
        "p_admit": sample.share(admitted, among=~lwbs),
        "p_elsewhere": sample.share(elsewhere, among=admitted),
        "p_transfer": sample.share(visits.to == _TRANSFER, among=after),
        "p_died": sample.share(visits.to == _DIED, among=after),
        "p_left": sample.share(visits.to == _LEFT, among=after),
    }
    return Learned(durations, shares, {"ward": sample.wards(units, admitted & ~elsewhere)})


def _drawn(chosen: Flags, parent: float) -> float:
    return float((chosen.sum() + SHARE_PRIOR * parent) / (chosen.size + SHARE_PRIOR))


def _patience(visits: Visits, ready: Array, lwbs: Flags) -> Duration:
    """How long anybody waits before leaving unseen, from those who left and those who were seen first.

    A hazard by stretch of the wait, each its own likelihood estimate: those who left in it over all the time waited
    in it, drawn towards the whole's; the last goes on for ever.
    """
    until = np.where(lwbs, visits.departed_min, visits.seen_min) - ready
    waited, left = until[until > 0], lwbs[until > 0]
    begin, end = np.array(PATIENCE_EDGES_MIN), np.append(PATIENCE_EDGES_MIN[1:], np.inf)
    exposed = np.array([np.clip(waited - b, 0.0, e - b).sum() for b, e in zip(begin, end, strict=True)])
    gave_up = np.histogram(waited[left], np.append(begin, np.inf))[0]
    overall = max(float(left.sum()), 1.0) / max(float(exposed.sum()), 1.0)
    hazard = (gave_up + LEAVERS_PRIOR) / (exposed + LEAVERS_PRIOR / overall)
    return piecewise_exponential(begin, hazard)


def _bed_search(sample: Sample, admitted: Flags, free_beds: Array, beds: Flags) -> Duration:
    """What boarding lasts besides waiting for a bed to be there.

    Where beds are known it is how long those board who find several beds free at their decision; where they are not,
    how long all do.
    """
    visits = sample.visits
    found = admitted & (free_beds >= PLENTY_FREE) if beds.any() else admitted
    if int((found & ~np.isnan(visits.decided_min)).sum()) < ENOUGH_FOUND_A_BED:
        boarding = sample.left_min - visits.decided_min
        known = boarding[admitted & ~np.isnan(boarding)]
        found = admitted & (boarding <= np.quantile(known, 0.25)) if known.size else admitted
    return sample.lasting(visits.decided_min, sample.left_min, found) or fixed(0.0)
