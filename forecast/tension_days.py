"""What each past day was, as far as the log tells: visits, hospitalisations, nights of the elderly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ingest.clock import local
from twin.visit import Visit

ELDERLY = "75+"
NIGHT_ENDS_H = 8


@dataclass
class DayTold:
    """One local day."""

    visits: int = 0
    elderly: int = 0
    """Of the visits, patients of 75 and over."""
    hospitalised: int = 0
    stays_min: list[float] = field(default_factory=list)
    """Of those who were hospitalised."""
    elderly_night: int = 0
    """Patients of 75 and over who were in the department from midnight to 8 h of it."""


def days_told(visits: Iterable[Visit], zone: str, since: datetime) -> dict[date, DayTold]:
    """Every local day from an instant on, by date."""
    out: dict[date, DayTold] = {}
    for visit in visits:
        arrived, left = visit.arrived_at, visit.departed_at
        if arrived is None or arrived < since:
            continue
        came_on = local(arrived, zone).date()
        day = out.setdefault(came_on, DayTold())
        day.visits += 1
        day.elderly += visit.age_band == ELDERLY
        if left is not None and visit.to == "ward":
            away = out.setdefault(local(left, zone).date(), DayTold())
            away.hospitalised += 1
            away.stays_min.append((left - arrived) / timedelta(minutes=1))
        if left is not None and visit.age_band == ELDERLY:
            for night in _nights(arrived, left, zone):
                out.setdefault(night, DayTold()).elderly_night += 1
    return out


def at_hour(day: date, hour: int, zone: str) -> datetime:
    """A local hour of a day."""
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)


def _nights(arrived: datetime, left: datetime, zone: str) -> Iterator[date]:
    """The days whose first eight hours a stay covers."""
    day = local(arrived, zone).date() + timedelta(days=1)
    while at_hour(day, NIGHT_ENDS_H, zone) <= left:
        yield day
        day += timedelta(days=1)


def hospitalised_by_day(days: Mapping[date, DayTold]) -> dict[date, int]:
    """Hospitalisations of each day."""
    return {day: told.hospitalised for day, told in days.items()}
