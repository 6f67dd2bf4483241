"""The doctors of the fabricated department: each looks after several patients and does one thing at a time.

A doctor slows down with every patient in charge, with the hours on shift, and with the boarders the team looks
after. Urgent patients come first, then results to review, then whoever is due first in the waiting room.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from math import prod

from ingest.events import SeenByProvider, StaffOnDuty
from twin.fabricated_chance import Dice
from twin.fabricated_facts import (
    CASELOAD_MAX,
    CONTACT,
    EASY_CASELOAD,
    FRESH_MIN,
    HANDOVER,
    HOUR_MIN,
    MOST_BOARDERS_EACH,
    REVIEW,
    SLOWER_PER_BOARDER,
    SLOWER_PER_PATIENT,
    SLOWER_PER_TIRED_HOUR,
    URGENT,
    Delay,
)
from twin.fabricated_hospital import Plant, Shift
from twin.fabricated_patients import Visit, is_off_day
from twin.fabricated_timeline import Timeline

Todo = Callable[[Visit], None]
_DAY_SHIFT_HOUR = 8


class Doctor:
    """One doctor on one shift: who is in charge, what waits to be reviewed, what is being done."""

    def __init__(self, number: int, since_min: float, ends_hour: int) -> None:
        self.number, self.since_min, self.ends_hour = number, since_min, ends_hour
        self.busy = self.leaving = False
        self.patients: dict[int, Visit] = {}
        self.reviews: list[Visit] = []
        self.handovers = 0


class Doctors:
    """The team on duty, and the patients in a box who wait for one of them."""

    def __init__(self, timeline: Timeline, dice: Dice, plant: Plant) -> None:
        self.dice = dice
        self.on_duty: dict[int, Doctor] = {}
        self.boarders = 0
        self._timeline, self._plant = timeline, plant
        self.absent: dict[int, float] = {}
        """Of those who should begin a shift, what shares do not come, by the number of the act that says so."""
        self._waiting: list[tuple[bool, float, int, Visit]] = []
        self._hired = 0
        self._met: Todo = _nobody
        self._reviewed: Todo = _nobody
        self._met_first: Todo = _nobody

    def report_to(self, *, first_sight: Todo, met: Todo, reviewed: Todo) -> None:
        """Who is told when a doctor sees a patient, has finished the first contact, has reviewed the results."""
        self._met_first, self._met, self._reviewed = first_sight, met, reviewed

    # --- work

    def wait_for_one(self, visit: Visit) -> None:
        """A patient in a place to be examined waits for a doctor."""
        heappush(self._waiting, (visit.acuity not in URGENT, visit.due_min, visit.number, visit))
        self.look_around()

    def review(self, visit: Visit) -> None:
        """All results are there: the doctor in charge looks at them when free."""
        doctor = self._in_charge(visit)
        doctor.reviews.append(visit)
        self._next_task(doctor)

    def let_go(self, visit: Visit) -> None:
        """The visit needs no doctor any more."""
        doctor = self.on_duty.get(visit.doctor) if visit.doctor is not None else None
        if doctor is not None:
            doctor.patients.pop(visit.number, None)
            if visit in doctor.reviews:
                doctor.reviews.remove(visit)

    def look_around(self) -> None:
        """Every idle doctor takes up what is next, the least loaded first."""
        idle = [d for d in self.on_duty.values() if not d.busy]
        for doctor in sorted(idle, key=lambda d: (len(d.patients), d.number)):
            self._next_task(doctor)

    def _next_task(self, doctor: Doctor) -> None:
        if doctor.busy or doctor.leaving:
            return
        urgent = self._first_waiting() is not None and not self._waiting[0][0]
        if doctor.handovers:
            doctor.handovers -= 1
            self._start(doctor, HANDOVER, self.handed_over, doctor)
        elif urgent:
            self._meet(doctor)
        elif doctor.reviews:
            self._start(doctor, REVIEW, self.reviewed, doctor.reviews.pop(0))
        elif self._first_waiting() is not None and len(doctor.patients) < CASELOAD_MAX:
            self._meet(doctor)

    def _meet(self, doctor: Doctor) -> None:
        visit = heappop(self._waiting)[3]
        visit.doctor, visit.seen = doctor.number, True
        doctor.patients[visit.number] = visit
        self._timeline.note(SeenByProvider, visit.number, visit.place)
        self._met_first(visit)
        self._start(doctor, CONTACT[visit.acuity], self.met, visit)

    def met(self, visit: Visit) -> None:
        """The first contact is over."""
        doctor = self._in_charge(visit)
        self._met(visit)
        self._free(doctor)

    def reviewed(self, visit: Visit) -> None:
        """The results have been looked at."""
        doctor = self._in_charge(visit)
        self._reviewed(visit)
        self._free(doctor)

    def handed_over(self, doctor: Doctor) -> None:
        self._free(doctor)

    def _start(self, doctor: Doctor, delay: Delay, then: Callable[..., None], subject: Visit | Doctor) -> None:
        doctor.busy = True
        self._timeline.after(delay, then, subject, self.dice, self._slowness(doctor))

    def _free(self, doctor: Doctor) -> None:
        doctor.busy = False
        if doctor.leaving:
            self._go_home(doctor)
        self._next_task(doctor)

    def _slowness(self, doctor: Doctor) -> float:
        """1 for a fresh doctor with few patients and no boarders."""
        tired_hours = max(0.0, self._timeline.now - doctor.since_min - FRESH_MIN) / HOUR_MIN
        boarders_each = min(self.boarders / max(len(self.on_duty), 1), MOST_BOARDERS_EACH)
        load = max(0, len(doctor.patients) - EASY_CASELOAD)
        return (
            1.0 + SLOWER_PER_PATIENT * load + SLOWER_PER_TIRED_HOUR * tired_hours + SLOWER_PER_BOARDER * boarders_each
        )

    def _first_waiting(self) -> Visit | None:
        """Who is next, once those who left have been struck off."""
        while self._waiting and self._waiting[0][3].gone:
            heappop(self._waiting)
        return self._waiting[0][3] if self._waiting else None

    def _in_charge(self, visit: Visit) -> Doctor:
        assert visit.doctor is not None, "a patient under care has a doctor"
        return self.on_duty[visit.doctor]

    # --- shifts

    def change_shift(self) -> None:
        """Start and end the shifts of this hour; those who go hand their patients over once they are free."""
        starting = [shift for shift in self._plant.doctor_shifts if shift.hour == self._timeline.hour]
        self.begin(starting)
        ending = [d for d in self.on_duty.values() if not d.leaving and self._is_over(d)]
        for doctor in ending:
            doctor.leaving = True
            if not doctor.busy:
                self._go_home(doctor)
        if starting or ending:
            self.count_staff()
            self.look_around()

    def begin(self, shifts: Sequence[Shift]) -> None:
        """These shifts start now."""
        for shift in shifts:
            for _ in range(self._staffing(shift)):
                self._hire(shift)

    def reinforce(self, people: int, hours: int) -> None:
        """So many more from now on, for some hours."""
        for _ in range(people):
            self._hire(Shift(self._timeline.hour, hours, 1))
        self.count_staff()
        self.look_around()

    def call_in(self, people: int) -> range:
        """So many more from now on, until they are released; their numbers."""
        before = self._hired
        for _ in range(people):
            self._hire(Shift(self._timeline.hour, 24, 1))
        self.count_staff()
        self.look_around()
        return range(before, self._hired)

    def release(self, numbers: range) -> None:
        """Those of these numbers who are still there go, once they are free."""
        self._let_go_home([self.on_duty[n] for n in numbers if n in self.on_duty and not self.on_duty[n].leaving])

    def send_home(self, share: float) -> None:
        """A share of those on duty go, once they are free; one stays at least."""
        here = [d for d in self.on_duty.values() if not d.leaving]
        self._let_go_home(here[1 : 1 + min(round(share * len(here)), len(here) - 1)])

    def _let_go_home(self, doctors: Sequence[Doctor]) -> None:
        for doctor in doctors:
            doctor.leaving = True
        for doctor in doctors:
            if not doctor.busy:
                self._go_home(doctor)
        self.count_staff()

    def _staffing(self, shift: Shift) -> int:
        off = is_off_day(self._timeline) and shift.hour == _DAY_SHIFT_HOUR
        people = shift.people - (self._plant.off_day_doctors if off else 0)
        return max(round(people * prod(1.0 - share for share in self.absent.values())), 1)

    def _hire(self, shift: Shift) -> None:
        doctor = Doctor(self._hired, self._timeline.now, (shift.hour + shift.hours) % 24)
        self.on_duty[doctor.number] = doctor
        self._hired += 1

    def _is_over(self, doctor: Doctor) -> bool:
        return doctor.ends_hour == self._timeline.hour and doctor.since_min < self._timeline.now

    def _go_home(self, doctor: Doctor) -> None:
        heirs = [d for d in self.on_duty.values() if not d.leaving]
        if not heirs:
            return
        del self.on_duty[doctor.number]
        for visit in doctor.patients.values():
            heir = min(heirs, key=lambda d: (len(d.patients), d.number))
            heir.patients[visit.number] = visit
            heir.handovers += 1
            visit.doctor = heir.number
            if visit in doctor.reviews:
                heir.reviews.append(visit)
        for heir in heirs:
            self._next_task(heir)

    @property
    def count(self) -> int:
        """How many are on duty and stay."""
        return sum(not d.leaving for d in self.on_duty.values())

    def count_staff(self) -> None:
        """Note how many doctors are on duty."""
        self._timeline.note(StaffOnDuty, "doctor", None, pool="doctor", count=self.count)


def _nobody(visit: Visit) -> None:
    raise AssertionError(f"nobody was told about visit {visit.number}")
