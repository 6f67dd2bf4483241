"""Tests of the fabricated department: blood in batches, imaging on few machines, a specialist's opinion."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil

from ingest.events import TestOrdered, TestResulted
from twin.fabricated_chance import Dice
from twin.fabricated_facts import (
    ANALYSIS_DAY,
    ANALYSIS_NIGHT,
    BATCH_DAY_MIN,
    BATCH_NIGHT_MIN,
    IMAGING,
    OBSERVATION,
    OLD_TEST_FACTOR,
    OPINION_DAY,
    OPINION_NIGHT,
    P_IMAGING,
    P_LABORATORY,
    P_OBSERVATION,
    P_SPECIALIST,
    READING_DAY,
    READING_NIGHT,
    SAMPLING,
    TO_IMAGING,
    TRAUMA_IMAGING_FACTOR,
    TRAUMA_LABORATORY_FACTOR,
    URGENT,
)
from twin.fabricated_hospital import Plant
from twin.fabricated_patients import Visit
from twin.fabricated_timeline import Timeline

LABORATORY, IMAGING_TEST, SPECIALIST = "laboratory", "imaging", "specialist"


class Tests:
    """Orders tests and observation, and tells `complete` when the last of them is over."""

    __test__ = False

    def __init__(self, timeline: Timeline, dice: Dice, plant: Plant, complete: Callable[[Visit], None]) -> None:
        self.dice = dice
        self.crowding = 1.0
        """Factor of the time it takes to draw blood, set by the department."""
        self.machines_busy = 0
        self._timeline, self._plant, self._complete = timeline, plant, complete
        self._queue: list[tuple[bool, float, int, Visit]] = []

    def order_needed(self, visit: Visit) -> bool:
        """Order the tests and the observation that the patient needs; False when there is nothing to wait for."""
        for test in self._needed(visit):
            self.order(visit, test)
        if self.dice.happens(P_OBSERVATION[visit.acuity]):
            visit.results_missing += 1
            self._timeline.after(OBSERVATION, self.observed, visit, self.dice)
        return visit.results_missing > 0

    def order(self, visit: Visit, test: str) -> None:
        """Ask for one test."""
        visit.results_missing += 1
        self._timeline.note(TestOrdered, visit.number, visit.place, test=test)
        if test == LABORATORY:
            self._timeline.after(SAMPLING, self.sampled, visit, self.dice, self.crowding)
        elif test == IMAGING_TEST:
            self._timeline.after(TO_IMAGING, self.at_imaging, visit, self.dice)
        else:
            opinion = OPINION_NIGHT if self._timeline.night else OPINION_DAY
            self._timeline.after(opinion, self.opinion_given, visit, self.dice)

    def machines(self) -> int:
        """Imaging machines in use at this hour."""
        return self._plant.imaging_night if self._timeline.night else self._plant.imaging_day

    def new_hour(self) -> None:
        """More machines may have been switched on."""
        self._image_next()

    # --- laboratory

    def sampled(self, visit: Visit) -> None:
        """The tube waits for the next batch."""
        batch_min = BATCH_NIGHT_MIN if self._timeline.night else BATCH_DAY_MIN
        self._timeline.at(ceil(self._timeline.now / batch_min) * batch_min, self.analysed_from_now, visit)

    def analysed_from_now(self, visit: Visit) -> None:
        analysis = ANALYSIS_NIGHT if self._timeline.night else ANALYSIS_DAY
        self._timeline.after(analysis, self.analysed, visit, self.dice)

    def analysed(self, visit: Visit) -> None:
        self._result(visit, LABORATORY)

    # --- imaging

    def at_imaging(self, visit: Visit) -> None:
        """Queues for a machine: urgent patients first."""
        heappush(self._queue, (visit.acuity not in URGENT, self._timeline.now, visit.number, visit))
        self._image_next()

    def imaged(self, visit: Visit) -> None:
        """The machine is free; the images are read."""
        self.machines_busy -= 1
        reading = READING_NIGHT if self._timeline.night else READING_DAY
        self._timeline.after(reading, self.images_read, visit, self.dice)
        self._image_next()

    def images_read(self, visit: Visit) -> None:
        self._result(visit, IMAGING_TEST)

    def _image_next(self) -> None:
        while self._queue and self.machines_busy < self.machines():
            visit = heappop(self._queue)[3]
            if not visit.gone:
                self.machines_busy += 1
                self._timeline.after(IMAGING, self.imaged, visit, self.dice)

    # --- specialist, and all

    def opinion_given(self, visit: Visit) -> None:
        self._result(visit, SPECIALIST)

    def observed(self, visit: Visit) -> None:
        """The infusion has run, the second look was taken."""
        if not visit.gone:
            self._one_less(visit)

    def _result(self, visit: Visit, test: str) -> None:
        if not visit.gone:
            self._timeline.note(TestResulted, visit.number, visit.place, test=test)
            self._one_less(visit)

    def _one_less(self, visit: Visit) -> None:
        visit.results_missing -= 1
        if not visit.results_missing:
            self._complete(visit)

    def _needed(self, visit: Visit) -> list[str]:
        old = OLD_TEST_FACTOR if visit.age_band == "75+" else 1.0
        trauma = visit.complaint == "trauma"
        chances = {
            LABORATORY: P_LABORATORY[visit.acuity] * old * (TRAUMA_LABORATORY_FACTOR if trauma else 1.0),
            IMAGING_TEST: P_IMAGING[visit.acuity] * old * (TRAUMA_IMAGING_FACTOR if trauma else 1.0),
            SPECIALIST: P_SPECIALIST[visit.acuity],
        }
        return [test for test, p in chances.items() if self.dice.happens(p)]
