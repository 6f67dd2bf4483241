"""The wards of the fabricated hospital: beds, stays, the morning round, cleaning, planned patients, closed beds."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from ingest.events import BedsCounted, EnteredWard, LeftWard, Moved, UnitId
from twin.fabricated_chance import Dice
from twin.fabricated_facts import (
    CLEANING_DAY,
    CLEANING_HOURS,
    CLEANING_NIGHT,
    CLOSED_SHARE,
    CLOSURE_DAYS,
    CLOSURE_HOUR,
    ELECTIVE_ARRIVAL,
    ELECTIVE_HOUR,
    ELECTIVE_PATIENCE,
    ELECTIVES_AT_ARRIVALS,
    ELECTIVES_PER_WEEKDAY,
    EPIDEMIC_STAY_FACTOR,
    EXIT_AFTER_ROUND,
    INTERNAL_TRANSFER,
    OUTLIER_FREE_BEDS,
    P_CLOSURE,
    P_DIES_ON_WARD,
    P_ELECTIVE_FIRST,
    P_EXIT_OFF,
    P_EXIT_WEEKDAY,
    P_UHCD_TO_WARD,
    PRESSURE_MAX,
    PRESSURE_PER_QUEUED,
    ROUND_HOUR,
    STAY,
    STAY_FACTOR_OF_AGE,
    UHCD_EXIT,
    UHCD_EXIT_HOURS,
    WARD_SHARE,
)
from twin.fabricated_hospital import INTENSIVE_CARE, UHCD, UNITS, WARDS, Plant
from twin.fabricated_patients import Epidemics, Inflow, Visit, is_off_day
from twin.fabricated_timeline import Timeline


class Unit:
    """A unit's beds: `beds` built, and of these how many are closed, to be closed, taken, promised or being cleaned."""

    def __init__(self, name: UnitId, beds: int) -> None:
        self.name, self.beds = name, beds
        self.closed = self.to_close = self.taken = self.promised = self.cleaning = 0
        self.queue: list[Visit] = []
        self.fit_to_leave: list[Visit] = []

    @property
    def open(self) -> int:
        return self.beds - self.closed

    @property
    def free(self) -> int:
        return self.open - self.taken - self.promised - self.cleaning


class Wards:
    """Whoever needs a bed asks for one with `request`; `promise` is told when a patient of the department gets it."""

    def __init__(
        self,
        timeline: Timeline,
        dice: Dice,
        plant: Plant,
        epidemics: Epidemics,
        inflow: Inflow,
        promise: Callable[[Visit], None],
    ) -> None:
        self.dice = dice
        self.units = {name: Unit(name, plant.beds[name]) for name in UNITS}
        self._timeline, self._epidemics, self._inflow, self._promise = timeline, epidemics, inflow, promise
        self._electives_scale = plant.arrivals_per_day / ELECTIVES_AT_ARRIVALS

    # --- asking for a bed

    def request(self, visit: Visit, name: UnitId, *, first: bool = False) -> None:
        """Queue for a bed of the unit, at the end or before everyone."""
        visit.bed_wanted = name
        queue = self.units[name].queue
        queue.insert(0 if first else len(queue), visit)
        self._serve(self.units[name])

    def withdraw(self, visit: Visit) -> bool:
        """Leave the queue; False when the visit is not in one."""
        if visit.bed_wanted is None or visit not in self.units[visit.bed_wanted].queue:
            return False
        self.units[visit.bed_wanted].queue.remove(visit)
        return True

    def elsewhere(self, visit: Visit) -> bool:
        """Give a queueing patient a bed in another ward that has some to spare; True when one was found."""
        roomy = [u for u in (self.units[name] for name in WARDS) if u.free >= OUTLIER_FREE_BEDS and not u.queue]
        if not roomy or not self.withdraw(visit):
            return False
        self.request(visit, max(roomy, key=lambda unit: unit.free).name)
        return True

    def give_back(self, visit: Visit) -> None:
        """A promised bed is not needed any more."""
        if visit.bed_wanted is not None:
            unit = self.units[visit.bed_wanted]
            unit.promised -= 1
            self._serve(unit)

    def _serve(self, unit: Unit) -> None:
        while unit.queue and unit.free > 0:
            visit = unit.queue.pop(0)
            unit.promised += 1
            if visit.ward is not None:
                self._timeline.after(INTERNAL_TRANSFER, self.move, visit, self.dice)
            elif visit.planned:
                self._enter_planned(visit)
            else:
                self._promise(visit)

    # --- stays

    def enter(self, visit: Visit) -> None:
        """Take the promised bed; the stay begins."""
        name = visit.bed_wanted
        assert name is not None, "a bed is promised before it is taken"
        unit = self.units[name]
        unit.promised -= 1
        unit.taken += 1
        visit.ward = name
        self._stay(visit, name)

    def move(self, visit: Visit) -> None:
        """From one unit to another, once the bed there is promised."""
        old = visit.ward
        assert old is not None, "only who has a bed moves"
        self.enter(visit)
        self._timeline.note(Moved, visit.number, old, unit=visit.ward)
        self._vacate(self.units[old])

    def fit(self, visit: Visit) -> None:
        """Fit to leave the unit: home at a later round, or to a ward from intensive care and the short-stay unit."""
        if visit.ward == INTENSIVE_CARE:
            self.request(visit, self._ward_for(visit), first=True)
        elif visit.ward == UHCD:
            self._after_short_stay(visit)
        elif visit.ward is not None:
            self.units[visit.ward].fit_to_leave.append(visit)

    def leave(self, visit: Visit) -> None:
        """Out of the hospital."""
        assert visit.ward is not None, "only who has a bed leaves one"
        to = "died" if visit.ward != UHCD and self.dice.happens(P_DIES_ON_WARD) else "home"
        self._timeline.note(LeftWard, visit.number, visit.ward, to=to)
        self._vacate(self.units[visit.ward])

    def cleaned(self, unit: Unit) -> None:
        unit.cleaning -= 1
        self._serve(unit)

    def _stay(self, visit: Visit, name: UnitId) -> None:
        height, _ = self._epidemics.now(self._timeline.now)
        factor = STAY_FACTOR_OF_AGE[visit.age_band] * (1.0 + height * (EPIDEMIC_STAY_FACTOR - 1.0))
        self._timeline.after(STAY[name], self.fit, visit, self.dice, 1.0 if name == UHCD else factor)

    def _after_short_stay(self, visit: Visit) -> None:
        if self.dice.happens(P_UHCD_TO_WARD):
            self.request(visit, self._ward_for(visit))
        elif self._timeline.hour in UHCD_EXIT_HOURS:
            self._timeline.after(UHCD_EXIT, self.leave, visit, self.dice)
        else:
            self.units[UHCD].fit_to_leave.append(visit)

    def _ward_for(self, visit: Visit) -> UnitId:
        return self.dice.choice(WARD_SHARE[visit.age_band])

    def _vacate(self, unit: Unit) -> None:
        unit.taken -= 1
        if unit.to_close:
            unit.to_close -= 1
            self._close(unit, 1)
            return
        unit.cleaning += 1
        by_day = self._timeline.hour in CLEANING_HOURS
        self._timeline.after(CLEANING_DAY if by_day else CLEANING_NIGHT, self.cleaned, unit, self.dice)

    # --- the hours of the day

    def new_hour(self) -> None:
        """What the clock brings: the round, planned patients, closures, the short-stay unit's morning."""
        hour = self._timeline.hour
        if hour == ROUND_HOUR:
            for name in WARDS:
                self._round(self.units[name])
        if hour == ELECTIVE_HOUR and not is_off_day(self._timeline):
            self._call_electives()
        if hour == CLOSURE_HOUR:
            for unit in self.units.values():
                self._perhaps_close(unit)
        if hour == UHCD_EXIT_HOURS[0]:
            self._short_stays_leave()

    def _round(self, unit: Unit) -> None:
        p = P_EXIT_OFF if is_off_day(self._timeline) else P_EXIT_WEEKDAY
        p += min(PRESSURE_MAX, PRESSURE_PER_QUEUED * len(unit.queue))
        fit, unit.fit_to_leave = unit.fit_to_leave, []
        for visit in fit:
            if self.dice.happens(p):
                self._timeline.after(EXIT_AFTER_ROUND, self.leave, visit, self.dice)
            else:
                unit.fit_to_leave.append(visit)

    def _short_stays_leave(self) -> None:
        unit = self.units[UHCD]
        fit, unit.fit_to_leave = unit.fit_to_leave, []
        for visit in fit:
            self._timeline.after(UHCD_EXIT, self.leave, visit, self.dice)

    # --- planned patients

    def _call_electives(self) -> None:
        for name, per_day in ELECTIVES_PER_WEEKDAY.items():
            for _ in range(self.dice.poisson(per_day * self._electives_scale)):
                visit = self._inflow.planned_patient()
                visit.bed_wanted = name
                self._timeline.after(ELECTIVE_ARRIVAL, self.elective_comes, visit, self.dice)

    def elective_comes(self, visit: Visit) -> None:
        """Waits for a bed, before those of the department half of the time, and is sent home if none comes."""
        assert visit.bed_wanted is not None, "a planned patient comes for a unit"
        self.request(visit, visit.bed_wanted, first=self.dice.happens(P_ELECTIVE_FIRST))
        if visit.ward is None:
            self._timeline.after(ELECTIVE_PATIENCE, self.put_off, visit, self.dice)

    def put_off(self, visit: Visit) -> None:
        """Sent home without having been given a bed; nothing if one came in time."""
        if visit.ward is None:
            self.withdraw(visit)

    def _enter_planned(self, visit: Visit) -> None:
        self.enter(visit)
        self._timeline.note(EnteredWard, visit.number, visit.ward, unit=visit.ward, planned=True)

    # --- closed beds

    def _perhaps_close(self, unit: Unit) -> None:
        if unit.closed or unit.to_close or not self.dice.happens(P_CLOSURE):
            return
        low, high = CLOSED_SHARE
        count = ceil(unit.beds * (low + (high - low) * self.dice.uniform()))
        at_once = max(min(count, unit.free), 0)
        unit.to_close = count - at_once
        self._close(unit, at_once)
        self._timeline.after(CLOSURE_DAYS, self.reopen, unit, self.dice)

    def _close(self, unit: Unit, count: int) -> None:
        if count:
            unit.closed += count
            self.count_beds(unit)

    def reopen(self, unit: Unit) -> None:
        """All closed beds of the unit open again."""
        unit.to_close, was = 0, unit.closed
        unit.closed = 0
        if was:
            self.count_beds(unit)
            self._serve(unit)

    def open_more(self, beds: int) -> None:
        """Beds of the largest ward that were not there before."""
        largest = max((self.units[name] for name in WARDS), key=lambda unit: unit.beds)
        largest.beds += beds
        self.count_beds(largest)
        self._serve(largest)

    def add_beds(self, unit: Unit, beds: int) -> None:
        """Beds that were not there before."""
        unit.beds += beds
        self.count_beds(unit)
        self._serve(unit)

    def close(self, unit: Unit, beds: int) -> int:
        """Close free beds at once and others as they become free; how many that are, of those that there are."""
        beds = min(beds, unit.open - unit.to_close)
        at_once = max(min(beds, unit.free), 0)
        unit.to_close += beds - at_once
        self._close(unit, at_once)
        return beds

    def open_again(self, unit: Unit, beds: int) -> None:
        """Open so many of the closed beds again; those that were yet to be closed stay open."""
        waiting = min(beds, unit.to_close)
        unit.to_close -= waiting
        opened = min(beds - waiting, unit.closed)
        if opened:
            unit.closed -= opened
            self.count_beds(unit)
            self._serve(unit)

    def count_beds(self, unit: Unit) -> None:
        """Note how many beds of the unit are open."""
        self._timeline.note(BedsCounted, unit.name, unit.name, unit=unit.name, count=unit.open)

    # --- the first day

    def fill(self, share: float) -> None:
        """Put patients in a share of the beds, so that the hidden first days start from a plausible hospital."""
        for unit in self.units.values():
            for _ in range(int(unit.beds * share)):
                visit = self._inflow.planned_patient()
                visit.bed_wanted = unit.name
                unit.promised += 1
                self._enter_planned(visit)
