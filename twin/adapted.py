"""The hospital as the log tells it: its wards, its beds, its doctors on duty."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ingest.events import BedsCounted
from twin.doctors import Roster, roster
from twin.hospital import NO_LIMIT, Hospital, Unit
from twin.state import State


@dataclass(frozen=True)
class Adapted:
    """The hospital with the log's wards, beds and doctors, and what of it is known."""

    hospital: Hospital
    beds: frozenset[str]
    doctors: Roster | None
    """Doctors on duty by local hour on weekdays and at weekends; None where nobody is known to queue for them."""
    supposed: bool = False
    """Whether the log does not tell them: as many as they seem to be."""

    def supposing(self, doctors: Roster) -> Adapted:
        """With so many doctors, whom the log does not tell."""
        hospital = self.hospital.with_roster("doctor", *doctors, supposed=True)
        return replace(self, hospital=hospital, doctors=doctors, supposed=True)


def adapted(hospital: Hospital, state: State, as_of: datetime, *, own_beds: bool) -> Adapted:
    """The wards that the log names, the beds that it counts, the doctors that it tells of, as of an instant.

    `own_beds` says that the hospital's file is the site's own, so that its beds count where the log tells none and its
    wards overflow as it says.
    """
    counted = state.counted(BedsCounted, as_of, by_feeds=True)
    named = {s.unit for v in state.visits.values() for s in v.stays if s.ward}
    wanted = {v.unit_wanted for v in state.visits.values() if v.unit_wanted}
    wards = sorted((named | wanted | set(counted)) - {u.name for u in hospital.units if not u.ward})
    known = {u.name: u for u in hospital.wards}
    areas = [u for u in hospital.units if not u.ward]
    units = [known.get(name, Unit(name, True, NO_LIMIT, fr=name, en=name)) for name in wards] or list(hospital.wards)
    beds = frozenset(u.name for u in units if u.name in counted or (own_beds and u.name in known))
    places = {u.name: counted.get(u.name, u.places if u.name in beds else NO_LIMIT) for u in units}
    out = hospital.with_units([*areas, *units]).with_beds(places)
    out = out if own_beds else out.with_overflow({})
    doctors = roster(state, "doctor", as_of, hospital.zone)
    if doctors is None:
        flat = (NO_LIMIT,) * 24
        return Adapted(out.with_roster("doctor", flat), beds, None)
    return Adapted(out.with_roster("doctor", *doctors), beds, doctors)
