"""The page of the floor kept up to date: made with each cycle, shown until the next; days to play, made when asked for.

What is kept of a cycle is its state, from which any day that it holds can be told.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

import numpy as np

from forecast.board import Board, UnitNow
from forecast.floor_day import FloorDay, Numbering, areas_told, day_of, usual_stages
from forecast.floor_plan import plan_of
from forecast.floor_view import Ahead, BedStrip, Dot, FloorView, Likely, Stage, Usual, Zone
from forecast.situation import Situation
from forecast.values import Array, Forecast, Members, series
from ingest.clock import local, resolve
from ingest.events import VisitId
from twin.site import Site
from twin.state import LATELY, State
from twin.waits import WARD

logger = logging.getLogger(__name__)

AHEAD_MIN = 120.0
DAY = timedelta(days=1)
PLAYED_DAYS = 30
"""How far back a day may lie that is played."""
KEPT_DAYS = 8
HERE = 0.5
"""Who is less likely here than that is not drawn, nor counted among the longest waits of the wall."""


@dataclass(frozen=True, eq=False)
class _Known:
    """What a cycle knew."""

    state: State
    as_of: datetime
    here: frozenset[VisitId]
    """Those in the department who are more likely here than gone."""
    told: tuple[str, ...]
    """Areas of which the log says who is there."""
    usual: tuple[tuple[Stage, Usual], ...]
    day: FloorDay
    zones: tuple[Zone, ...]
    ahead: Ahead | None
    beds: Mapping[str, tuple[int | None, int | None]]
    """By ward, beds being cleaned and beds closed or blocked, where the log names them."""
    first_at: datetime
    """When the first patient of the log came."""
    dots: tuple[Dot, ...] = ()
    days: dict[date | None, bytes] = field(default_factory=dict)
    """What was told of days already."""


class FloorDesk:
    """What the last cycle knew of who is where; a fault here is said on the page and stops nothing else."""

    def __init__(self, site: Site, key: bytes | None = None) -> None:
        self._site, self._zone = site, site.hospital.zone
        self._numbers = Numbers(key or secrets.token_bytes(16))
        self._known: _Known | None = None
        self._fault: str | None = None
        self._lock = threading.Lock()

    def look(self, state: State, situation: Situation, forecast: Forecast) -> None:
        """Take in what a cycle knows."""
        try:
            self._known, self._fault = self._looked(state, situation, forecast), None
        except Exception as fault:
            logger.exception("nothing can be said of the floor")
            self._fault = type(fault).__name__

    def view(self, board: Board) -> FloorView:
        """The page at the minute of a board."""
        minute, known = board.made_at.replace(second=0, microsecond=0), self._known
        if known is None:
            return FloorView(minute, board, fault=self._fault)
        return FloorView(
            made_at=minute, board=board, as_of=known.as_of, zones=known.zones, dots=known.dots,
            likely_gone=known.day.likely_gone, usual=known.usual,
            wards=tuple(self._strip(unit, board, known.beds) for unit in board.units),
            ahead=known.ahead, days=(self._first(known), self._local_day(known.as_of)), fault=self._fault,
        )  # fmt: skip

    def day(self, day: date | None) -> bytes | None:
        """A local day as JSON for the page, or without one the last 24 hours; None where it cannot be told."""
        known = self._known
        if known is None or (day is not None and not self._first(known) <= day <= self._local_day(known.as_of)):
            return None
        with self._lock:
            if day not in known.days:
                while len(known.days) >= KEPT_DAYS:
                    known.days.pop(next(iter(known.days)))
                known.days[day] = self._told(known, day)
            return known.days[day]

    # --- what a cycle knows -------------------------------------------------------------------------------------

    def _looked(self, state: State, situation: Situation, forecast: Forecast) -> _Known:
        as_of = situation.as_of.replace(second=0, microsecond=0)
        told = areas_told(state.touching(as_of - LATELY), self._site.hospital)
        likely = situation.known
        here = frozenset(
            visit
            for visit, where, p in zip(likely.ids, likely.situation.tolist(), likely.p_here.tolist(), strict=True)
            if where != WARD and p >= HERE
        )
        day = self._last_24_h(state, as_of, here)
        return _Known(
            state, as_of, here, told, usual_stages(state, as_of), day, plan_of(self._site, told, day.zones),
            _ahead(forecast), _named_beds(state, as_of), _first_arrival(state, as_of), tuple(day.frame(day.minutes)),
        )  # fmt: skip

    def _last_24_h(self, state: State, as_of: datetime, here: frozenset[VisitId]) -> FloorDay:
        numbering = self._numbers.of_today(self._local_day(as_of))
        return day_of(state, self._site.hospital, as_of - DAY, as_of, as_of, numbering, here)

    def _told(self, known: _Known, day: date | None) -> bytes:
        made, zones = known.day, known.zones
        if day is not None:
            begin, end = (self._midnight(day + n * DAY) for n in (0, 1))
            end, numbering = min(end, known.as_of), self._numbers.of_day(day)
            made = day_of(known.state, self._site.hospital, begin, end, known.as_of, numbering, known.here)
            zones = plan_of(self._site, known.told, made.zones)
        usual = {stage: [one.median_min, one.nine_in_ten_min] for stage, one in known.usual}
        plan = [_zone_told(zone) for zone in zones]
        numbers_of = day or self._local_day(known.as_of)
        return _json(
            {
                "day": day.isoformat() if day else None,
                "numbers_of": str(numbers_of),
                "plan": plan,
                "usual": usual,
                **made.as_json(),
            }
        )

    # --- days ---------------------------------------------------------------------------------------------------

    def _first(self, known: _Known) -> date:
        """The first day that can be told whole."""
        begun = self._local_day(known.first_at) + DAY
        return min(max(begun, self._local_day(known.as_of) - PLAYED_DAYS * DAY), self._local_day(known.as_of))

    def _local_day(self, instant: datetime) -> date:
        return local(instant, self._zone).date()

    def _midnight(self, day: date) -> datetime:
        return resolve(datetime.combine(day, time()), self._zone)[0].astimezone(UTC)

    # --- beds ---------------------------------------------------------------------------------------------------

    def _strip(self, unit: UnitNow, board: Board, named: Mapping[str, tuple[int | None, int | None]]) -> BedStrip:
        cleaning, closed = named.get(unit.unit, (None, None))
        if closed is None and self._site.own_units and unit.beds is not None:
            own = next((u.places for u in self._site.hospital.wards if u.name == unit.unit), unit.beds)
            closed = max(0, own - unit.beds)
        doubtful = any(check.tile == f"unit:{unit.unit}" for check in board.checks)
        return BedStrip(
            unit.unit, unit.name_fr, unit.name_en, unit.beds, unit.census, unit.free, cleaning, closed, doubtful
        )


class Numbers:
    """Numbers for the patients of a day, in an order that tells nothing; another day has others.

    Those of today stay while the day lasts, so that a dot is the same from cycle to cycle.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._today: tuple[date, dict[VisitId, int]] | None = None

    def of_day(self, day: date) -> Numbering:
        """Numbers of a day that is told by itself."""
        return lambda ids: {visit: number for number, visit in enumerate(self._mixed(ids, day))}

    def of_today(self, day: date) -> Numbering:
        """Numbers that go on from those given before."""
        if self._today is None or self._today[0] != day:
            self._today = (day, {})
        given = self._today[1]

        def numbering(ids: Iterable[VisitId]) -> Mapping[VisitId, int]:
            for visit in self._mixed((one for one in ids if one not in given), day):
                given[visit] = len(given)
            return given

        return numbering

    def _mixed(self, ids: Iterable[VisitId], day: date) -> list[VisitId]:
        def digest(visit: VisitId) -> bytes:
            return blake2b(f"{day}|{visit}".encode(), key=self._key).digest()

        return sorted(ids, key=digest)


def _first_arrival(state: State, as_of: datetime) -> datetime:
    return min((v.arrived_at for v in state.visits.values() if v.arrived_at is not None), default=as_of)


def _named_beds(state: State, as_of: datetime) -> dict[str, tuple[int | None, int | None]]:
    """By ward whose beds the log names: how many are cleaned, and how many are closed or blocked."""
    found: dict[str, list[str]] = {}
    for (unit, _), status in state.bed_statuses(as_of).items():
        found.setdefault(unit, []).append(status)
    return {
        unit: (all_.count("cleaning"), all_.count("closed") + all_.count("blocked")) for unit, all_ in found.items()
    }


# --- ahead --------------------------------------------------------------------------------------------------------


def _ahead(forecast: Forecast) -> Ahead | None:
    """The likely picture two hours on, read from members; None where the forecast does not reach so far."""
    at = np.flatnonzero(forecast.lead_min == AHEAD_MIN)
    members = forecast.members.get(next(iter(forecast.scenarios), ""))
    if not at.size or members is None:
        return None
    lead = int(at[0])
    present, waiting, boarders = (_of(members, name, lead) for name in ("ed_census", "ed_waiting", "ed_boarders"))
    parts = [part for part in (waiting, boarders) if part is not None]
    care = None if present is None or len(parts) < 2 else np.maximum(present - parts[0] - parts[1], 0.0)
    free = {name.partition(":")[2]: _of(members, name, lead) for name in members.measures if name.startswith(_FREE)}
    likely = {unit: found for unit, values in free.items() if (found := _likely(values)) is not None}
    return Ahead(
        forecast.as_of + timedelta(minutes=AHEAD_MIN), forecast.issued_at, _likely(waiting), _likely(care),
        _likely(boarders), _likely(present), likely,
    )  # fmt: skip


_FREE = "beds_free:"


def _of(members: Members, measure: str, lead: int) -> Array | None:
    values = members.measures.get(measure)
    return None if values is None else np.asarray(values[lead], dtype=np.float64)


def _likely(values: Array | None) -> Likely | None:
    if values is None or np.isnan(values).all():
        return None
    told = series(values[None, :], (0.1, 0.5, 0.9)).quantiles
    return Likely(*(float(told[level][0]) for level in (0.1, 0.5, 0.9)))


# --- for the page -------------------------------------------------------------------------------------------------


def _zone_told(zone: Zone) -> dict[str, Any]:
    return {
        "key": zone.key, "row": zone.row, "fr": zone.fr, "en": zone.en, "spaces": zone.spaces, "told": zone.is_told,
    }  # fmt: skip


def _json(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False).encode()
