"""What a past that is forecast again teaches on its way: corrections from its own issues, as their truth became known.

relearned = Relearned(leads)
relearned.learn(issues_so_far, lesson)        # wherever parameters are learned anew
relearned.by_past.one(measure, members, ..)   # what a house would have published then
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import numpy as np

from forecast.boosted import RIVAL as BOOSTED
from forecast.calibrated import WINDOW, Recalibration, learn
from forecast.past import LEARNED_AFTER, VINTAGE, truth
from forecast.record import HEADLINES
from forecast.simulated import Lesson, Simulated
from forecast.told_again import told_again
from forecast.values import Forecast, series, unpacked
from forecast.verify import Met, Pairs, joined, score_all
from ingest.database import naive
from twin.calibrate import Calibration
from twin.state import State


def spoken_of(issue_times: Iterable[datetime], lead_min: Iterable[float]) -> list[datetime]:
    """The instants for which issues speak at some leads, rising, each once."""
    leads = [timedelta(minutes=lead) for lead in lead_min]
    return sorted({as_of + lead for as_of in issue_times for lead in leads})


def lesson_of(state: State, calibration: Calibration, as_of: datetime, valid: list[datetime]) -> Lesson:
    """The truth that is `LEARNED_AFTER` old, as it is known by now; until it is final each lesson tells it again.

    `valid` are the instants whose truth is not final yet; those that are `VINTAGE` old by now are taken off its front.
    """
    times = valid[: bisect_right(valid, as_of - LEARNED_AFTER)]
    del valid[: final_by(as_of, valid)]
    return Lesson(as_of, times, truth(state, calibration, times, as_of) if times else {})


def final_by(as_of: datetime, valid: Sequence[datetime]) -> int:
    """Of how many rising instants the truth that a lesson tells is told for good."""
    return bisect_right(valid, as_of - VINTAGE)


class Relearned:
    """The corrections that a house would have had, lesson by lesson; none before the first."""

    def __init__(self, lead_min: Sequence[float]) -> None:
        """`lead_min` are the leads at which its issues are verified."""
        self._lead_min = sorted(lead_min)
        self._known = joined([])
        self._told: Sequence[datetime] = ()
        self.by_past = Recalibration()

    def learn(self, done: Sequence[Simulated], lesson: Lesson) -> None:
        """Learn anew from the issues before a lesson, rising, and what it tells of them: for the first time, or again.

        A lesson that tells nothing, or comes before all issues, is passed over.
        """
        if done and lesson.times:
            before = told_again(self._known, lesson)
            self._known = _recent(
                joined([before, score_all(self._met(done, lesson), lead_min=self._lead_min)]), lesson.learned_at
            )
            self._told = lesson.times
            self.by_past = learn(self._known, done[0].zone)

    def _met(self, done: Sequence[Simulated], lesson: Lesson) -> Iterator[Met]:
        """Each simulation as it was, against the truth of the lesson where it speaks of it for the first time."""
        new = bisect_right(lesson.times, self._told[-1]) if self._told else 0
        place = {at: new + k for k, at in enumerate(lesson.times[new:])}
        if not place:
            return
        leads = self._lead_min
        since = lesson.times[new] - timedelta(minutes=leads[-1])
        for one in done[bisect_left(done, since, key=lambda one: one.as_of) :]:
            at = [place.get(one.as_of + timedelta(minutes=lead), -1) for lead in leads]
            if max(at) >= 0:
                known = np.array(at) >= 0
                observed = {m: np.where(known, lesson.came[m][at], np.nan) for m in HEADLINES if m in lesson.came}
                weighed = {name: said for name, said in one.rivals.items() if name != BOOSTED}
                yield Met(_as_simulated(one, leads), observed, weighed)


def _as_simulated(one: Simulated, lead_min: Sequence[float]) -> Forecast:
    """The forecast that nothing corrects, of what is recalibrated."""
    told = {m: series(unpacked(values)) for m, values in one.members.items() if m in HEADLINES}
    return Forecast(one.as_of, one.as_of, one.as_of, np.array(lead_min), {"as simulated": told}, {}, {})


def _recent(pairs: Pairs, at: datetime) -> Pairs:
    since = np.datetime64(naive(at - WINDOW), "us")
    return pairs.taken(np.flatnonzero((pairs.issued_at >= since) & ~np.isnan(pairs.raw_error)))
