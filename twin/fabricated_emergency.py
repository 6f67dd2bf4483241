"""The emergency department of the fabricated hospital: from the door to home, a ward, another hospital or death."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from math import exp, prod

from ingest.events import (
    Arrived,
    BedAssigned,
    BedRequested,
    DecidedToAdmit,
    DecidedToDischarge,
    Departed,
    Event,
    LeftDuringCare,
    LeftWithoutBeingSeen,
    Moved,
    StaffOnDuty,
    Triaged,
    UnitId,
)
from twin.fabricated_chance import Dice
from twin.fabricated_doctors import Doctors
from twin.fabricated_facts import (
    ADMISSION_LOGIT,
    ADMISSION_LOGIT_OF_AGE,
    BED_REQUEST,
    INTENSIVE_CARE_SEARCH,
    LEAVES_DURING_CARE,
    P_DIES,
    P_INTENSIVE_CARE,
    P_LEAVES_DURING_CARE,
    P_MORE_TESTS,
    P_TRANSFER,
    P_TRANSFER_FOR_WANT_OF_BED,
    P_TRANSPORT_HOME,
    P_UHCD,
    PAPERWORK,
    PATIENCE,
    REGISTRATION,
    SEARCH_AGAIN,
    SEARCH_ELSEWHERE,
    TARGET_MIN,
    TO_WARD,
    TRANSPORT_HOME,
    TRAUMA_ADMISSION_LOGIT,
    TRAUMA_WARD_SHARE,
    TREATMENT,
    TRIAGE,
    URGENT,
    WARD_SHARE,
)
from twin.fabricated_hospital import BOX, CORRIDOR, INTENSIVE_CARE, SAUV, UHCD, WAITING_ROOM, Plant
from twin.fabricated_patients import Inflow, Visit
from twin.fabricated_tests import LABORATORY, Tests
from twin.fabricated_timeline import Timeline
from twin.fabricated_wards import Wards

_AMBULANT = frozenset(("4", "5"))
"""Who can wait for results in the waiting room."""


class Emergency:
    """The department: who is in it, and what is done with them."""

    def __init__(self, timeline: Timeline, dice: Dice, plant: Plant, doctors: Doctors) -> None:
        self.dice = dice
        self.present = self.waiting = self.boarders = 0
        self.used: dict[UnitId, int] = {BOX: 0, SAUV: 0, CORRIDOR: 0}
        self.nurses = self.nurses_busy = 0
        self.nurses_more = 0
        self.nurses_absent: dict[int, float] = {}
        self._timeline, self._plant, self._doctors = timeline, plant, doctors
        self._capacity = {BOX: plant.boxes, SAUV: plant.sauv}
        self._for_triage: deque[Visit] = deque()
        self._for_a_box: list[tuple[float, int, Visit]] = []
        self._boarding_in_a_box: dict[int, Visit] = {}

    def connect(self, inflow: Inflow, tests: Tests, wards: Wards) -> None:
        """The parts this one works with."""
        self._inflow, self._tests, self._wards = inflow, tests, wards

    # --- door, triage, waiting room

    def arrive(self, visit: Visit) -> None:
        visit.arrived_min = self._timeline.now
        self.present += 1
        self.waiting += 1
        self._timeline.note(
            Arrived, visit.number, WAITING_ROOM, patient=visit.patient, mode=visit.mode, age_band=visit.age_band,
            sex=visit.sex, complaint=visit.complaint, age=visit.age,
        )  # fmt: skip
        self._timeline.after(REGISTRATION, self.registered, visit, self.dice)

    def registered(self, visit: Visit) -> None:
        """Queues for triage; whoever comes with a doctor goes first."""
        if visit.mode in ("smur", "helicopter"):
            self._for_triage.appendleft(visit)
        else:
            self._for_triage.append(visit)
        self._triage_next()

    def triaged(self, visit: Visit) -> None:
        self.nurses_busy -= 1
        visit.acuity = self._inflow.acuity_of(visit)
        visit.due_min = self._timeline.now + TARGET_MIN[visit.acuity]
        visit.place = WAITING_ROOM
        self._timeline.note(Triaged, visit.number, WAITING_ROOM, acuity=visit.acuity)
        if visit.acuity in URGENT:
            self._settle(visit, self._urgent_place())
        else:
            self._sit_down(visit)
        self._triage_next()

    def lose_patience(self, visit: Visit) -> None:
        """Leaves if no doctor has come by now."""
        if not visit.seen and not visit.gone:
            self._leave(visit, LeftWithoutBeingSeen)

    def _sit_down(self, visit: Visit) -> None:
        if patience := PATIENCE.get(visit.acuity):
            self._timeline.after(patience, self.lose_patience, visit, self.dice)
        heappush(self._for_a_box, (visit.due_min, visit.number, visit))
        self._fill_boxes()

    def _triage_next(self) -> None:
        while self._for_triage and self.nurses_busy < self.nurses:
            self.nurses_busy += 1
            self._timeline.after(TRIAGE, self.triaged, self._for_triage.popleft(), self.dice)

    # --- places

    def _urgent_place(self) -> UnitId:
        for place in (SAUV, BOX):
            if self.used[place] < self._capacity[place]:
                return place
        return CORRIDOR

    def _fill_boxes(self) -> None:
        while self._for_a_box:
            visit = self._for_a_box[0][2]
            if not visit.gone and not self._box_free():
                return
            heappop(self._for_a_box)
            if not visit.gone:
                self._settle(visit, BOX)

    def _box_free(self) -> bool:
        """True when a box is free, if need be after a boarder was put in the corridor."""
        if self.used[BOX] >= self._capacity[BOX] and self._boarding_in_a_box:
            _, boarder = self._boarding_in_a_box.popitem()
            self._put(boarder, CORRIDOR)
        return self.used[BOX] < self._capacity[BOX]

    def _settle(self, visit: Visit, place: UnitId) -> None:
        self._put(visit, place)
        self._doctors.wait_for_one(visit)

    def _put(self, visit: Visit, place: UnitId) -> None:
        self._free_place(visit)
        visit.place = place
        if place in self.used:
            self.used[place] += 1
        self._timeline.note(Moved, visit.number, place, unit=place)

    def _free_place(self, visit: Visit) -> None:
        if visit.place in self.used:
            self.used[visit.place] -= 1
        self._boarding_in_a_box.pop(visit.number, None)

    # --- care

    def first_seen(self, visit: Visit) -> None:
        self.waiting -= 1

    def met(self, visit: Visit) -> None:
        """After the first contact: tests, and until they are back some wait outside; or a decision at once."""
        self._tests.crowding = max(1.0, self.present / (2.0 * self._plant.boxes))
        if visit.acuity not in URGENT and self.dice.happens(P_LEAVES_DURING_CARE):
            self._timeline.after(LEAVES_DURING_CARE, self.walk_out, visit, self.dice)
        if not self._tests.order_needed(visit):
            self._decide(visit)
        elif visit.acuity in _AMBULANT and visit.place == BOX:
            self._put(visit, WAITING_ROOM)
            self._fill_boxes()

    def reviewed(self, visit: Visit) -> None:
        """After the results: now and then more tests, else the decision."""
        if visit.gone:
            return
        if self.dice.happens(P_MORE_TESTS):
            self._tests.order(visit, LABORATORY)
        else:
            self._decide(visit)

    def walk_out(self, visit: Visit) -> None:
        """Leaves unless the end of care or an admission was decided before."""
        if not visit.gone and not visit.boards and visit.doctor is not None:
            self._leave(visit, LeftDuringCare)

    def _decide(self, visit: Visit) -> None:
        if visit.gone:
            return
        self._doctors.let_go(visit)
        visit.doctor = None
        if self.dice.happens(P_DIES.get(visit.acuity, 0.0)):
            self._timeline.after(PAPERWORK, self.die, visit, self.dice)
        elif self.dice.happens(self._p_admission(visit)):
            self._admit(visit)
        elif self.dice.happens(P_TRANSFER):
            self._timeline.after(TRANSPORT_HOME, self.transfer, visit, self.dice)
        else:
            self._timeline.note(DecidedToDischarge, visit.number, visit.place)
            self._timeline.after(TREATMENT, self.treated, visit, self.dice)

    @staticmethod
    def _p_admission(visit: Visit) -> float:
        logit = ADMISSION_LOGIT[visit.acuity] + ADMISSION_LOGIT_OF_AGE[visit.age_band]
        logit += TRAUMA_ADMISSION_LOGIT if visit.complaint == "trauma" else 0.0
        return 1.0 / (1.0 + exp(-logit))

    def treated(self, visit: Visit) -> None:
        needs_transport = self.dice.happens(P_TRANSPORT_HOME[visit.age_band])
        self._timeline.after(TRANSPORT_HOME if needs_transport else PAPERWORK, self.go_home, visit, self.dice)

    # --- boarding

    def _admit(self, visit: Visit) -> None:
        visit.boards, visit.bed_wanted = True, self._unit_for(visit)
        self._board(1)
        self._timeline.note(DecidedToAdmit, visit.number, visit.place, unit=visit.bed_wanted)
        if visit.place == BOX:
            self._boarding_in_a_box[visit.number] = visit
        elif visit.place == SAUV and self.used[BOX] < self._capacity[BOX]:
            self._put(visit, BOX)
            self._boarding_in_a_box[visit.number] = visit
        self._timeline.after(BED_REQUEST, self.ask_for_bed, visit, self.dice)
        self._fill_boxes()

    def _unit_for(self, visit: Visit) -> UnitId:
        if self.dice.happens(P_INTENSIVE_CARE.get(visit.acuity, 0.0)):
            return INTENSIVE_CARE
        if self.dice.happens(P_UHCD):
            return UHCD
        return self.dice.choice(TRAUMA_WARD_SHARE if visit.complaint == "trauma" else WARD_SHARE[visit.age_band])

    def ask_for_bed(self, visit: Visit) -> None:
        wanted = visit.bed_wanted
        assert wanted is not None, "a boarder wants a bed"
        self._timeline.note(BedRequested, visit.number, visit.place, unit=wanted)
        search = INTENSIVE_CARE_SEARCH if wanted == INTENSIVE_CARE else SEARCH_ELSEWHERE
        self._timeline.after(search, self.search_elsewhere, visit, self.dice)
        self._wards.request(visit, wanted)

    def bed_promised(self, visit: Visit) -> None:
        self._timeline.note(BedAssigned, visit.number, visit.place, unit=visit.bed_wanted)
        self._timeline.after(TO_WARD, self.go_to_ward, visit, self.dice)

    def search_elsewhere(self, visit: Visit) -> None:
        """Long without a bed: one in another ward, another hospital, or more waiting."""
        wanted = visit.bed_wanted
        if visit.gone or wanted is None or visit not in self._wards.units[wanted].queue:
            return
        critical = wanted == INTENSIVE_CARE
        if not critical and self._wards.elsewhere(visit):
            return
        if critical or self.dice.happens(P_TRANSFER_FOR_WANT_OF_BED):
            self._wards.withdraw(visit)
            self._timeline.after(TRANSPORT_HOME, self.transfer, visit, self.dice)
        else:
            self._timeline.after(SEARCH_AGAIN, self.search_elsewhere, visit, self.dice)

    def _board(self, change: int) -> None:
        self.boarders += change
        self._doctors.boarders = self.boarders

    # --- out

    def go_home(self, visit: Visit) -> None:
        self._leave(visit, Departed, to="home")

    def transfer(self, visit: Visit) -> None:
        self._leave(visit, Departed, to="transfer")

    def die(self, visit: Visit) -> None:
        self._leave(visit, Departed, to="died")

    def go_to_ward(self, visit: Visit) -> None:
        self._leave(visit, Departed, to="ward", unit=visit.bed_wanted)
        self._wards.enter(visit)

    def _leave(self, visit: Visit, kind: type[Event], **fields: str | None) -> None:
        self.present -= 1
        self.waiting -= not visit.seen
        if visit.boards:
            self._board(-1)
        self._timeline.note(kind, visit.number, visit.place, **fields)
        visit.gone = True
        self._doctors.let_go(visit)
        self._free_place(visit)
        self._fill_boxes()

    # --- nurses

    def change_shift(self) -> None:
        """Triage nurses come and go."""
        hour, shifts = self._timeline.hour, self._plant.triage_nurse_shifts
        here = sum(shift.people for shift in shifts if (hour - shift.hour) % 24 < shift.hours)
        here = max(round(here * prod(1.0 - share for share in self.nurses_absent.values())), 1)
        here = max(here + self.nurses_more, 1)
        if here != self.nurses:
            self.nurses = here
            self.count_staff()
            self._triage_next()

    def reinforce(self, people: int) -> None:
        """So many more triage nurses; fewer if negative."""
        self.nurses_more += people
        self.change_shift()

    def count_staff(self) -> None:
        """Note how many triage nurses are on duty."""
        self._timeline.note(StaffOnDuty, "triage_nurse", None, pool="triage_nurse", count=self.nurses)
