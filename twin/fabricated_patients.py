"""Who comes to the fabricated hospital, and when: the day's level, the groups that arrive, what each patient has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

from ingest.events import Acuity, AgeBand, ComplaintGroup, Mode, UnitId
from twin.fabricated_chance import Dice, gamma_of_normal
from twin.fabricated_facts import (
    ACUITIES,
    AGE_RANGE,
    AGE_SHARE,
    CHILD_EVENING,
    CHILD_EVENING_FACTOR,
    COMPLAINT_SHARE,
    DAY_EFFECT_CV,
    DAY_EFFECT_MEMORY,
    DAY_MIN,
    EPIDEMIC_DAYS,
    EPIDEMIC_EVERY_DAYS,
    EPIDEMIC_OLD_FACTOR,
    EPIDEMIC_RISE,
    FEMALE_SHARE,
    FIRE_NIGHT_FACTOR,
    GROUP_SHARES,
    GROUP_SIZES,
    HOLIDAYS,
    HOUR_MIN,
    HOURLY_ARRIVALS,
    MODE_SHARE,
    OLD_NIGHT_FACTOR,
    PLANNED_AGE_SHARE,
    RETURN_SHARE,
    RETURN_WINDOW,
    SEASON_PEAK_DAY,
    SEASON_SHARE,
    SEVERITY_LIMITS,
    SEVERITY_OF_AGE,
    SEVERITY_OF_COMPLAINT,
    SEVERITY_OF_MODE,
    WEEKDAY_FACTOR,
)
from twin.fabricated_timeline import Timeline

_HOUR_SHARE = tuple(count / sum(HOURLY_ARRIVALS) for count in HOURLY_ARRIVALS)
_GROUPS = dict(zip(GROUP_SIZES, GROUP_SHARES, strict=True))
_MEAN_GROUP = sum(size * share for size, share in _GROUPS.items())
_SATURDAY = 5


class Visit:
    """One visit and what is true of it now; `number` counts from 0, also over planned stays."""

    __slots__ = (
        "acuity", "age", "age_band", "arrived_min", "bed_wanted", "boards", "complaint", "doctor", "due_min", "gone",
        "hurt", "mode", "number", "patient", "place", "planned", "results_missing", "seen", "sex", "ward",
    )  # fmt: skip

    def __init__(self, number: int, patient: int, age_band: AgeBand, age: int, sex: str) -> None:
        self.number, self.patient, self.age_band, self.age, self.sex = number, patient, age_band, age, sex
        self.mode: Mode = "planned"
        self.complaint: ComplaintGroup = "medical_surgical"
        self.acuity: Acuity = "3B"
        self.hurt: Acuity | None = None
        """How ill a victim of a crisis is; None for everybody else, whose severity triage finds."""
        self.arrived_min = 0.0
        self.due_min = 0.0
        self.place: UnitId | None = None
        self.doctor: int | None = None
        self.results_missing = 0
        self.seen = self.gone = self.planned = self.boards = False
        self.bed_wanted: UnitId | None = None
        self.ward: UnitId | None = None


@dataclass(frozen=True, slots=True)
class Epidemic:
    """Some days of more arrivals, older patients and longer stays."""

    begins_min: float
    rise: float

    def height(self, minute: float) -> float:
        """0 outside, 1 at full height, with a day of ramp on either side."""
        day = (minute - self.begins_min) / DAY_MIN
        return max(0.0, min(1.0, day, EPIDEMIC_DAYS - day))


class Epidemics:
    """One epidemic in each block of days, placed by the seed; the same whenever it is asked."""

    def __init__(self, dice: Dice, blocks: int) -> None:
        self._all = tuple(self._one(block, dice) for block in range(blocks))

    def now(self, minute: float) -> tuple[float, float]:
        """(height 0..1, share of arrivals added)."""
        block = int(minute // (EPIDEMIC_EVERY_DAYS * DAY_MIN)) % len(self._all)
        start = (minute // (EPIDEMIC_EVERY_DAYS * DAY_MIN)) * EPIDEMIC_EVERY_DAYS * DAY_MIN
        height = self._all[block].height(minute - start)
        return height, height * self._all[block].rise

    @staticmethod
    def _one(block: int, dice: Dice) -> Epidemic:
        free_days = EPIDEMIC_EVERY_DAYS - EPIDEMIC_DAYS
        low, high = EPIDEMIC_RISE
        return Epidemic(dice.uniform() * free_days * DAY_MIN, low + (high - low) * dice.uniform())


class Inflow:
    """Patients come, alone or in groups, at a rate that follows hour, weekday, season, epidemic and the day's level.

    The levels of the days have dice of their own: with one seed they are the same in every kind of hospital.
    """

    def __init__(
        self,
        timeline: Timeline,
        dice: Dice,
        levels: Dice,
        epidemics: Epidemics,
        per_day: float,
        arrive: Callable[[Visit], None],
    ) -> None:
        self.dice, self.levels = dice, levels
        self._timeline, self._epidemics, self._per_day, self._arrive = timeline, epidemics, per_day, arrive
        self.more = 1.0
        """On the arrivals of every day."""
        self._score = levels.normal()
        self._visits = 0

    def new_day(self) -> None:
        """Draw the level of the day that begins; it remembers a little of the last one."""
        memory = DAY_EFFECT_MEMORY
        self._score = memory * self._score + (1 - memory**2) ** 0.5 * self.levels.normal()

    def next_group(self, _: object = None) -> None:
        """Schedule the next group of this hour, if one comes before the hour ends."""
        gap = HOUR_MIN * self.dice.exponential() / self.rate_per_hour()
        if self._timeline.now + gap < self._timeline.hour_ends:
            self._timeline.at(self._timeline.now + gap, self.group)

    def redraw(self) -> None:
        """Forget the group that was to come and draw another."""
        self._timeline.forget(self.group)
        self.next_group()

    def group(self, _: object = None) -> None:
        """A group arrives: its members share how they came and what for."""
        first = self.emergency_patient()
        self._arrive(first)
        for _member in range(self.dice.choice(_GROUPS) - 1):
            other = self.emergency_patient()
            other.mode, other.complaint = first.mode, first.complaint
            self._arrive(other)
        self.next_group()

    def rate_per_hour(self) -> float:
        """Groups an hour, now."""
        time = self._timeline
        season = 1.0 + SEASON_SHARE * cos(2 * pi * (time.day_of_year - SEASON_PEAK_DAY) / 365.0)
        day = gamma_of_normal(self._score, DAY_EFFECT_CV) * WEEKDAY_FACTOR[time.weekday] * season
        day *= HOLIDAYS.get(time.month_day, 1.0) * (1.0 + self._epidemics.now(time.now)[1])
        return self.more * self._per_day * day * _HOUR_SHARE[time.hour] / _MEAN_GROUP

    def emergency_patient(self) -> Visit:
        """Who came, how and what for; how ill they are is found at triage."""
        visit = self._someone(self._age_band())
        shares = MODE_SHARE[visit.age_band]
        if self._timeline.night:
            shares = {**shares, "fire_service": shares["fire_service"] * FIRE_NIGHT_FACTOR}
        visit.mode = self.dice.choice(shares)
        visit.complaint = self.dice.choice(COMPLAINT_SHARE[visit.age_band])
        return visit

    def victim(self, dice: Dice, acuity: Acuity) -> Visit:
        """Somebody hurt in a crisis: drawn with dice of its own, so that nobody else's luck moves."""
        band = dice.choice(AGE_SHARE)
        number, self._visits = self._visits, self._visits + 1
        sex = "female" if dice.happens(FEMALE_SHARE) else "male"
        visit = Visit(number, number, band, dice.whole(*AGE_RANGE[band]), sex)
        visit.mode, visit.complaint, visit.hurt = "fire_service", "trauma", acuity
        return visit

    def planned_patient(self) -> Visit:
        """Somebody who comes to a ward without passing through the department."""
        visit = self._someone(self.dice.choice(PLANNED_AGE_SHARE))
        visit.planned = True
        return visit

    def acuity_of(self, visit: Visit) -> Acuity:
        """The level the triage nurse gives: severity depends on age, on how one came and on what for."""
        if visit.hurt is not None:
            return visit.hurt
        severity = SEVERITY_OF_AGE[visit.age_band] + SEVERITY_OF_MODE[visit.mode]
        severity += SEVERITY_OF_COMPLAINT[visit.complaint] + self.dice.normal()
        for acuity, limit in zip(ACUITIES, SEVERITY_LIMITS, strict=False):
            if severity > limit:
                return acuity
        return ACUITIES[-1]

    def _age_band(self) -> AgeBand:
        shares = dict(AGE_SHARE)
        if self._timeline.hour in CHILD_EVENING:
            shares["0-17"] *= CHILD_EVENING_FACTOR
        height, _ = self._epidemics.now(self._timeline.now)
        shares["75+"] *= 1.0 + height * (EPIDEMIC_OLD_FACTOR - 1.0)
        shares["75+"] *= OLD_NIGHT_FACTOR if self._timeline.night else 1.0
        return self.dice.choice(shares)

    def _someone(self, band: AgeBand) -> Visit:
        number, self._visits = self._visits, self._visits + 1
        patient = number
        if self.dice.happens(RETURN_SHARE) and number > RETURN_WINDOW:
            patient = number - self.dice.whole(1, RETURN_WINDOW)
        sex = "female" if self.dice.happens(FEMALE_SHARE) else "male"
        return Visit(number, patient, band, self.dice.whole(*AGE_RANGE[band]), sex)


def is_off_day(timeline: Timeline) -> bool:
    """Saturday, Sunday or a public holiday."""
    return timeline.weekday >= _SATURDAY or timeline.month_day in HOLIDAYS
