"""What was announced: exits that wards plan, patients who are on their way; how such words were kept, and what is due.

Learned from settled announcements: how much later than announced it happened, inf where it never did. Given that it has
not happened by now, what is left is drawn from those that were later than that. A few assumed announcements are always
counted among them, so that a hospital which begins to announce is believed within reason, and one whose announcements
never meet a visit (another number on arrival) is soon believed no more.

What is announced is taken from what is expected anyway: of what happens at a lead, `announced_share` had been announced
by now.

What people say on the house's pages (`BOARD`) names no visit: it is put on any of the ward's patients, or on nobody who
ever comes. So nothing is learned from how it was kept. It is believed as a feed's announcements are, or where there are
none, as those that are assumed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

import numpy as np
import numpy.typing as npt

from ingest.clock import local
from ingest.events import BOARD
from twin.minutes import Minutes
from twin.state import State
from twin.visit import Stay, Visit

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EXITS, ARRIVALS, PLANNED = "exits from wards", "arrivals", "planned patients"
KINDS = (EXITS, ARRIVALS, PLANNED)
_NEVER = np.inf
_ASSUMED: Mapping[str, tuple[float, ...]] = {
    EXITS: (-90, -45, -30, -15, 0, 0, 15, 15, 30, 30, 45, 60, 60, 90, 120, 150, 180, 1440, 1440, _NEVER),
    ARRIVALS: (-10, -5, -5, 0, 0, 0, 0, 5, 5, 5, 5, 10, 10, 10, 15, 15, 20, 30, _NEVER, _NEVER),
    PLANNED: (-60, -45, -30, -30, -15, -15, 0, 0, 0, 0, 0, 15, 15, 30, 30, 45, 60, 90, _NEVER, _NEVER),
}
"""Minutes later than announced, of twenty announcements: an assumption, outweighed by the first hundred of a log."""
_SETTLED_MIN = 48 * 60.0
_FORGOTTEN_MIN = 12 * 60.0
"""Who has not come this long after the time announced does not come."""
_HOUR_MIN, _DAY_MIN = 60.0, 1440.0
LEADS: Array = np.concatenate([np.arange(0.0, 240.0, 15.0), np.arange(240.0, 72 * 60.0 + 1.0, 60.0)])
"""Leads at which it is told apart what had been announced by now."""
_NEAR_HOURS = 1.5
_ENOUGH = 20.0
"""Happenings near an hour of the day at which they and those of all hours weigh alike."""
_MOST_KEPT = 400
"""How many announcements are remembered of a kind, evenly over all."""


@dataclass(frozen=True, eq=False)
class Kept:
    """How announcements of a kind were kept."""

    late_min: Array
    """How much later than announced it happened, rising; inf where it never did. The assumed ones are among them."""
    notice_min: Array
    """Of what happened, how long before it was announced; -1 for what was not."""
    hour: Array
    """And at which local hour of the day it happened."""
    told: int
    """Announcements learned from."""
    a_day: float
    """Announcements a day."""

    def left(self, due_min: float) -> Array:
        """In how many minutes what is due then and has not happened will, each as likely, rising; inf: never."""
        return np.asarray(self.late_min[self.late_min > -due_min] + due_min)

    def announced_share(self, lead_min: Array, hour: float) -> Array:
        """Of what happens at each lead from an hour of the day on, the share announced by then; 0 if nothing ever was.

        From what happened at about that time of the day, and so much of all that happened: plans are made at hours of
        their own.
        """
        if not self.notice_min.size:
            return np.zeros(lead_min.size)
        told = self.notice_min >= np.maximum(lead_min, 0.0)[:, None]
        apart = np.abs((self.hour[None, :] - (hour + lead_min / _HOUR_MIN)[:, None] + 12.0) % 24.0 - 12.0)
        near = apart <= _NEAR_HOURS
        counted = (told & near).sum(axis=1) + _ENOUGH * told.mean(axis=1)
        return np.asarray(counted / (near.sum(axis=1) + _ENOUGH))


@dataclass(frozen=True, eq=False)
class Coming:
    """Those who are announced for a stream of arrivals and have not come."""

    stream: int
    after_min: tuple[Array, ...]
    """Of each, in how many minutes they come: each value as likely; inf: never."""
    taken: Array
    """Of those who come at each of `LEADS` after `all_until_min`, the share that is announced by now."""
    all_until_min: float = 0.0
    """Until then nobody comes but those who are announced."""
    fits: tuple[Flags, ...] = ()
    """Of each the classes of patients that it may be of, by what is told beforehand, `(class,)`; empty where nothing is
    told of anybody."""

    def unannounced(self, edge_min: Array) -> Array:
        """Of those who come from each minute to the next, `(interval + 1,)`, the share that nobody has announced by
        now, `(interval,)`."""
        middle, width = (edge_min[:-1] + edge_min[1:]) / 2, np.maximum(np.diff(edge_min), 1e-9)
        open_share = np.clip((edge_min[1:] - self.all_until_min) / width, 0.0, 1.0)
        return np.asarray(open_share * (1.0 - np.interp(middle - self.all_until_min, LEADS, self.taken)))

    def drawn(self, uniform: Array) -> tuple[Array, Index]:
        """When those come who do, minutes from now, from one uniform each; and which of them they are."""
        at = [after[int(u * after.size)] for after, u in zip(self.after_min, uniform, strict=True)]
        who = np.flatnonzero(np.isfinite(at)) if at else np.empty(0, dtype=np.int64)
        return np.array(at, dtype=np.float64)[who], who


@dataclass(frozen=True)
class _Told:
    """An announcement, or what happened without one: when it was said, for when, and when it happened."""

    said_at: datetime | None
    due_at: datetime | None
    came_at: datetime | None


def learn_kept(state: State, minutes: Minutes, from_min: float, zone: str) -> dict[str, Kept]:
    """How announcements of each of `KINDS` were kept since a minute, from what is settled."""
    rows = sorted(state.visits.values(), key=attrgetter("visit"))
    return {kind: _kept(kind, _told(kind, rows), minutes, from_min, zone) for kind in KINDS}


def coming(
    state: State,
    kept: Mapping[str, Kept],
    wards: Mapping[str, int],
    as_of: datetime,
    zone: str,
    fits: Callable[[Visit], Flags] | None = None,
) -> list[Coming]:
    """Those announced and not here yet, by stream: `wards` gives the stream of each ward's planned patients.

    `fits` says of which classes one may be whose acuity or age is told beforehand. Announcements for a ward that no
    stream is for are left out.
    """
    oldest_at = as_of - timedelta(minutes=_FORGOTTEN_MIN)
    expected = (row for row in state.touching(oldest_at) if row.expected_at and row.expected_at > oldest_at)
    due = sorted((row for row in expected if not _came(row)), key=lambda row: row.visit)
    out = []
    for unit, stream in (None, 0), *wards.items():
        kind = PLANNED if unit else ARRIVALS
        mine = [row for row in due if row.expected_unit == unit and (kept[kind].told or row.expected_from == BOARD)]
        if kept[kind].told or mine:
            minutes = Minutes(as_of).of_many([row.expected_at for row in mine]).tolist()
            after = [(row, kept[kind].left(minute)) for row, minute in zip(mine, minutes, strict=True)]
            after = [(row, left) for row, left in after if left.size]
            told = fits is not None and any(row.acuity or row.age_band for row, _ in after)
            taken = kept[kind].announced_share(LEADS, hour_of(as_of, zone)) * _heard(kind, state, kept, as_of)
            of_class = tuple(fits(row) for row, _ in after) if told and fits else ()
            out.append(Coming(stream, tuple(left for _, left in after), taken, fits=of_class))
    return out


def hour_of(instant: datetime, zone: str) -> float:
    """The local hour of the day, with its fraction."""
    here = local(instant, zone)
    return here.hour + here.minute / _HOUR_MIN


def _told(kind: str, rows: Iterable[Visit]) -> list[_Told]:
    out = []
    for row in rows:
        if kind == EXITS:
            stay, said_here = _in_ward(row), row.leaves_from == BOARD
            if stay is not None:
                known_at, due_at = (None, None) if said_here else (row.leaves_known_at, row.leaves_at)
                out.append(_Told(known_at, due_at, stay.until_at))
        elif row.expected_at is not None and row.expected_from == BOARD and not _came(row):
            continue
        elif row.expected_at is not None or _came(row):
            ward = row.expected_unit is not None or (row.expected_at is None and row.arrived_at is None)
            if ward == (kind == PLANNED):
                out.append(_Told(row.expected_known_at, row.expected_at, _came(row)))
    return out


def _in_ward(row: Visit) -> Stay | None:
    return row.stays[-1] if row.stays and row.stays[-1].ward else None


def _came(row: Visit) -> datetime | None:
    return row.arrived_at or (row.stays[0].from_at if row.stays else None)


def _kept(kind: str, told: Sequence[_Told], minutes: Minutes, from_min: float, zone: str) -> Kept:
    said, due, came = (minutes.of_many([getattr(t, name) for t in told]) for name in ("said_at", "due_at", "came_at"))
    before = ~np.isnan(due) & ~(said >= came)
    settled = before & (due >= from_min) & (due < -_SETTLED_MIN)
    late = np.where(np.isnan(came), _NEVER, came - due)[settled]
    happened = (came >= from_min) & (came < 0)
    notice = np.where(before, came - said, -1.0)[happened]
    hour = np.array([hour_of(told[i].came_at or minutes.origin, zone) for i in np.flatnonzero(happened).tolist()])
    days = max((-_SETTLED_MIN - from_min) / _DAY_MIN, 1.0)
    return Kept(
        late_min=_few(np.concatenate([late, _ASSUMED[kind]])),
        notice_min=notice if before.any() else np.empty(0),
        hour=hour if before.any() else np.empty(0),
        told=int(settled.sum()),
        a_day=float(settled.sum()) / days,
    )


def _few(values: Array) -> Array:
    ordered = np.sort(values)
    return ordered[np.linspace(0, ordered.size - 1, min(ordered.size, _MOST_KEPT)).astype(np.int64)]


def _heard(kind: str, state: State, kept: Mapping[str, Kept], as_of: datetime) -> float:
    """Half as many as usual in the last day is still as usual, and so are half as many due in the next: a list may be
    told days ahead, as Monday's on a Friday. None of both is a silence."""
    day = timedelta(minutes=_DAY_MIN)
    mine = [r for r in state.visits.values() if r.expected_at and (r.expected_unit is not None) == (kind == PLANNED)]
    said = sum(as_of - day < r.expected_known_at <= as_of for r in mine if r.expected_known_at)
    due = sum(as_of < r.expected_at <= as_of + day for r in mine if r.expected_at) if kind == PLANNED else 0
    return min(1.0, 2.0 * max(said, due) / kept[kind].a_day) if kept[kind].a_day else 0.0
